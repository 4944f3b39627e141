"""The solver beside brute force on tiny fleets: same optimum, or both infeasible, and every plan holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from fleet.inventory.inventory import Inventory
from solvers import SolveConfig, SolveResult, solve
from solvers.engines.pool import EnginePool
from solvers.engines.task import EngineTask
from solvers.formulation.assembly import build
from solvers.problem.compilation import compile_problem
from tests.optimization.fixed_fleets import behind_a_hub, domain_with_its_users, pinned_open, without_a_way_out
from tests.optimization.tiny_fleets import FAMILIES
from tests.oracles import Limits, Optimum, cheapest_plan
from tests.plan.judged_fleet import a_plan

EXACT = SolveConfig(gap=0.0, time_limit_s=60.0)
RELATIVE = 1e-6

#: Seeds whose optimum drops when the named limit does not count.
BINDING = {
    "failed_links": (
        Limits(failed_links=False),
        (3, 4, 11, 20, 24, 25, 41, 57, 63, 84, 90, 93, 96, 99, 102, 103, 110, 115, 116, 127, 132, 133),
    ),
    "reserves": (
        Limits(reserve=False),
        (2, 6, 9, 10, 15, 17, 18, 20, 21, 22, 23, 24, 30, 33, 42, 43, 45, 46, 51, 54, 56, 57),
    ),
    "growing": (
        Limits(growth=False),
        (1, 4, 5, 7, 10, 11, 12, 13, 14, 16, 17, 20, 21, 23, 24, 27, 28, 29, 34, 35, 36, 37),
    ),
    "residencies": (
        Limits(residency=False),
        (3, 8, 11, 14, 16, 18, 22, 33, 57, 63, 64, 66, 67, 68, 69, 72, 73, 74, 78, 81, 83, 87),
    ),
    "clouds": (Limits(uploads=False), (12, 16, 21, 23, 28, 33, 39, 56, 62, 68, 80, 82)),
    "hosts": (
        Limits(hosts=False),
        (17, 49, 2, 8, 16, 18, 21, 27, 28, 35, 38, 40, 48, 52, 55, 56, 62, 65, 67, 68, 71, 74, 76, 82),
    ),
    "backups": (Limits(backups=False), (3, 5, 8, 20, 26, 30, 38)),
}
BOUND = [(family, seed) for family, (_, seeds) in BINDING.items() for seed in seeds]
QUICK_BOUND = [(family, seed) for family, (_, seeds) in BINDING.items() for seed in seeds[:2]]
#: The same for policies, which another value would lift.
BINDING_POLICY: list[tuple[str, int, dict[str, Any]]] = [
    ("budgets", 6, {"budget": None}),
    ("partners", 63, {"partner_scope": "workload"}),
    ("dedicated", 15, {"standby_reserve": "shared"}),
    ("shared_nodes", 2, {"standby_uses_node_reserve": False}),
    ("separated", 12, {"min_separation_km": 0.0}),
    ("residual_values", 1, {"residual_value": "none"}),
    ("second_paths", 3, {"stream_cut": "warning"}),
    ("ducts", 10, {"shared_risk": "warning"}),
]
#: Seeds of ``pinned`` whose optimum drops without its pins, by what one of them decides.
BINDING_PINS = {
    "assign": 2, "node_model": 4, "nodes": 23, "standby": 30, "close": 109, "link_upgrade": 34, "forbid": 71
}  # fmt: skip
OTHERS = [(family, seed) for family in sorted(set(FAMILIES) - set(BINDING)) for seed in range(8)]
#: One or two fleets of each family, most of them with a plan, among them those that once told a mistake.
QUICK_OTHERS = [
    ("clouds", 2), ("clouds", 5), ("cables", 1), ("cables", 14), ("cables", 19), ("cables", 24),
    ("ages", 1), ("ages", 4), ("ages", 7),
    ("affinities", 20), ("affinities", 24), ("archives", 2), ("carriers", 2), ("chains", 4), ("deep_dive", 36),
    ("domains", 3), ("gpus", 1), ("instances", 0), ("instances", 1), ("kinds", 0), ("kinds", 5),
    ("later", 1), ("machines", 4), ("pinned", 1), ("standing", 2),
    ("synchronous", 3), ("tolerances", 2), ("second_paths", 0), ("second_paths", 17), ("ducts", 14), ("ducts", 20),
    ("two_clusters", 1), ("upgrades", 1),
    ("replacing", 0), ("replacing", 11), ("relayouts", 0), ("relayouts", 1), ("relayouts", 4), ("second_places", 4),
    ("second_places", 2), ("witnesses", 0), ("witnesses", 3),
]  # fmt: skip


def check_against(inventory: Inventory, optimum: Optimum | None) -> SolveResult:
    """Solve to the end and compare; every plan on the way holds."""
    result = solve(inventory, config=EXACT)
    if optimum is None:
        assert result.status == "infeasible"
        assert result.plan is None
        assert result.explanation
        return result
    assert result.status == "optimal"
    assert result.objective == pytest.approx(optimum.present_value, rel=RELATIVE)
    assert result.bound is not None
    assert result.bound <= optimum.present_value * (1.0 + RELATIVE)
    plan = result.require_plan()
    assert plan.errors == ()
    return result


def check_binding(family: str, seed: int) -> None:
    inventory = FAMILIES[family](seed)
    optimum = cheapest_plan(inventory)
    relaxed = cheapest_plan(inventory, BINDING[family][0])
    assert optimum is not None
    assert relaxed is not None
    assert relaxed.present_value < optimum.present_value * (1.0 - 10 * RELATIVE)
    check_against(inventory, optimum)


@pytest.mark.parametrize(("family", "seed"), QUICK_BOUND)
def test_optimum_where_one_limit_binds(family: str, seed: int) -> None:
    check_binding(family, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "seed"), [case for case in BOUND if case not in QUICK_BOUND])
def test_optimum_where_one_limit_binds_more(family: str, seed: int) -> None:
    check_binding(family, seed)


@pytest.mark.parametrize(("family", "seed"), QUICK_OTHERS)
def test_optimum(family: str, seed: int) -> None:
    inventory = FAMILIES[family](seed)
    check_against(inventory, cheapest_plan(inventory))


@pytest.mark.slow
@pytest.mark.parametrize(("family", "seed"), [case for case in OTHERS if case not in QUICK_OTHERS])
def test_optimum_more(family: str, seed: int) -> None:
    inventory = FAMILIES[family](seed)
    check_against(inventory, cheapest_plan(inventory))


@pytest.mark.parametrize(("family", "seed", "change"), BINDING_POLICY)
def test_optimum_where_a_policy_matters(family: str, seed: int, change: dict[str, Any]) -> None:
    inventory = FAMILIES[family](seed)
    other = dataclasses.replace(inventory, policy=inventory.policy.model_copy(update=change))
    optimum, another = cheapest_plan(inventory), cheapest_plan(other)
    assert optimum is not None
    assert another is not None
    assert optimum.present_value != pytest.approx(another.present_value, rel=10 * RELATIVE)
    check_against(inventory, optimum)


@pytest.mark.parametrize(("decision", "seed"), sorted(BINDING_PINS.items()))
def test_optimum_where_a_pin_binds(decision: str, seed: int) -> None:
    inventory = FAMILIES["pinned"](seed)
    assert decision in {pin.decision for pin in inventory.pins}
    optimum, free = cheapest_plan(inventory), cheapest_plan(dataclasses.replace(inventory, pins=()))
    assert optimum is not None
    assert free is not None
    assert free.present_value < optimum.present_value * (1.0 - 10 * RELATIVE)
    check_against(inventory, optimum)


def test_optimum_where_a_site_is_pinned_open() -> None:
    inventory = pinned_open()
    optimum, free = cheapest_plan(inventory), cheapest_plan(dataclasses.replace(inventory, pins=()))
    assert optimum is not None
    assert free is not None
    assert free.present_value < optimum.present_value
    check_against(inventory, optimum)


@pytest.mark.parametrize("make", [behind_a_hub, domain_with_its_users, without_a_way_out])
def test_optimum_of_fixed_fleets(make: Callable[[], Inventory]) -> None:
    inventory = make()
    check_against(inventory, cheapest_plan(inventory))


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_oracle_agrees_with_the_audit(family: str) -> None:
    """What brute force finds cheapest holds in the eyes of the audit, at the cost that it states."""
    found = 0
    for seed in range(5):
        inventory = FAMILIES[family](seed)
        optimum = cheapest_plan(inventory)
        if optimum is None:
            continue
        plan = a_plan(inventory, optimum.decisions)
        assert plan.errors == ()
        assert plan.document.totals.present_value == pytest.approx(optimum.present_value, rel=1e-9)
        found += 1
    assert found


RELAXATIONS = {
    "separate": {"has_pairs": False},
    "separate sparse": {"has_pairs": False, "sparse": True},
    "final demand": {"has_pairs": False, "sparse": True, "final_demand": True},
    "fractions": {"has_pairs": False, "whole": False, "sparse": True, "final_demand": True},
    "pairs sparse": {"has_pairs": True, "sparse": True},
}


def check_relaxation(inventory: Inventory, name: str) -> None:
    """No relaxation costs more than the cheapest plan."""
    optimum = cheapest_plan(inventory)
    assert optimum is not None
    model = build(compile_problem(inventory), **RELAXATIONS[name]).model  # type: ignore[arg-type]
    with EnginePool() as pool:
        run = pool.answer(EngineTask("highs", model, time_limit_s=20.0, gap=1e-7), must_work=False)
    assert run.state == "finished"
    assert run.bound <= optimum.present_value * (1.0 + RELATIVE)


@pytest.mark.parametrize("name", sorted(RELAXATIONS))
@pytest.mark.parametrize(("family", "seed"), [("reserves", 1), ("failed_links", 3)])
def test_relaxation_is_a_bound(family: str, seed: int, name: str) -> None:
    check_relaxation(FAMILIES[family](seed), name)


@pytest.mark.parametrize("name", sorted(RELAXATIONS))
def test_relaxation_is_a_bound_where_a_domain_takes_its_users_along(name: str) -> None:
    check_relaxation(domain_with_its_users(), name)


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_relaxations_are_bounds(family: str) -> None:
    for seed in range(6):
        inventory = FAMILIES[family](seed)
        if cheapest_plan(inventory) is not None:
            for name in RELAXATIONS:
                check_relaxation(inventory, name)
