"""The strategy for large fleets on small ones, where brute force knows the answer, and on middling ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fleet.inventory.inventory import Inventory
from fleet.inventory.synthetic import synthetic
from solvers import SolveConfig, solve
from solvers.engines.pool import EnginePool
from solvers.engines.task import EngineTask
from solvers.formulation.assembly import build
from solvers.parameters import Parameters
from solvers.parameters.problem import ProblemParameters
from solvers.problem.compilation import compile_problem
from solvers.problem.demand_aggregation import aggregated, bundle
from solvers.problem.slot_aggregation import merge_slots
from solvers.strategies.open_sets import OpenSets, first_set
from solvers.strategies.strategy import strategy_for
from tests.optimization.fixed_fleets import behind_a_hub, domain_with_its_users, pinned_open
from tests.optimization.test_solver import deterministic_bytes, shuffled
from tests.optimization.tiny_fleets import FAMILIES
from tests.optimization.tuned import WITHOUT_ENGINES, tuned
from tests.oracles import cheapest_plan

RELATIVE = 1e-6
TIGHT = SolveConfig(gap=0.0, time_limit_s=6.0)
#: Families whose rules decide where units may go and how clusters grow; the others are slow tests.
SOME = [
    ("affinities", 20), ("archives", 2), ("budgets", 6), ("failed_links", 3), ("growing", 4), ("later", 1),
    ("pinned", 2), ("reserves", 1), ("shared_nodes", 2), ("standing", 2), ("tolerances", 2),
    ("two_clusters", 1), ("upgrades", 1),
]  # fmt: skip
NEEDS = ("compute", "storage", "standby_compute", "standby_storage", "upload_mbps")
MORE = [(family, seed) for family in sorted(FAMILIES) for seed in range(6)]


def put_together(reaches: int) -> Parameters:
    """Bounds tell at most so many sets of places apart."""
    return Parameters(problem=ProblemParameters(bound_columns=0, reaches=reaches))


#: Bounds count every need by itself, and all classes of a kind wherever any of them may be.
LEAST_APART = replace(WITHOUT_ENGINES, problem=ProblemParameters(mixes=0, bound_columns=0, reaches=1))


def check_between(inventory: Inventory, parameters: Parameters = WITHOUT_ENGINES) -> bool:
    """Bound ≤ cheapest plan ≤ plan, which holds; whether there is a plan."""
    optimum = cheapest_plan(inventory)
    config = replace(TIGHT, parameters=parameters)
    result = solve(inventory, config=config, strategy="decompose")
    if optimum is None:
        assert result.plan is None
        return False
    assert result.status != "infeasible"
    assert result.bound is not None
    assert result.bound <= optimum.present_value * (1.0 + RELATIVE)
    if result.plan is None:
        return False
    assert result.strategy == "decompose"
    assert result.objective is not None
    assert result.objective >= optimum.present_value * (1.0 - RELATIVE)
    assert result.plan.errors == ()
    return True


@pytest.mark.parametrize(("family", "seed"), SOME)
def test_between_bound_and_optimum(family: str, seed: int) -> None:
    check_between(FAMILIES[family](seed))


def test_most_tiny_fleets_get_a_plan() -> None:
    found = [check_between(make()) for make in (behind_a_hub, domain_with_its_users, pinned_open)]
    assert all(found)


@pytest.mark.parametrize(("family", "seed"), SOME)
def test_between_bound_and_optimum_where_bounds_tell_least_apart(family: str, seed: int) -> None:
    check_between(FAMILIES[family](seed), LEAST_APART)


@pytest.mark.slow
@pytest.mark.parametrize("tells_apart", [True, False])
@pytest.mark.parametrize(("family", "seed"), MORE)
def test_between_bound_and_optimum_more(family: str, seed: int, tells_apart: bool) -> None:
    check_between(FAMILIES[family](seed), WITHOUT_ENGINES if tells_apart else LEAST_APART)


# -- bundles -----------------------------------------------------------------------------------------------------------


def relaxation(problem: object, **kinds: bool) -> float:
    formulation = build(problem, whole=False, sparse=True, final_demand=True, **kinds)  # type: ignore[arg-type]
    with EnginePool() as pool:
        run = pool.answer(
            EngineTask("highs", formulation.model, time_limit_s=60.0, gap=1e-9, relaxed=True), must_work=False
        )
    assert run.state == "finished"
    return run.objective


@pytest.mark.parametrize("has_pairs", [False, True])
def test_bundles_relax_nothing_more(has_pairs: bool) -> None:
    merged = merge_slots(compile_problem(synthetic(20, 4, 3)))
    bundles = bundle(merged)
    assert len(bundles.problem.classes) < len(merged.classes)
    value = relaxation(bundles.problem, has_pairs=has_pairs)
    assert value == pytest.approx(relaxation(merged, has_pairs=has_pairs), rel=1e-5)


def test_needs_counted_by_themselves_relax_a_little() -> None:
    merged = merge_slots(compile_problem(synthetic(80, 4, 3, distinct=True)))
    alone = aggregated(merged)
    assert len(alone.classes) < len(merged.classes)
    assert any(part.is_part for part in alone.classes)
    every = relaxation(merged, has_pairs=False)
    assert every * 0.99 <= relaxation(alone, has_pairs=False) <= every * (1.0 + RELATIVE)


def test_similar_places_put_together_relax_a_little() -> None:
    merged = merge_slots(compile_problem(synthetic(80, 8, 3)))
    apart = aggregated(merged)
    assert apart.coverings == ()
    together = aggregated(replace(merged, parameters=put_together(8)))
    assert len(together.classes) < len(apart.classes)
    assert together.coverings
    value = relaxation(apart, has_pairs=False)
    found = relaxation(together, has_pairs=False)
    assert value * 0.9 <= found <= value * (1.0 + RELATIVE)
    assert relaxation(replace(together, coverings=()), has_pairs=False) <= found * (1.0 + RELATIVE)


def test_every_class_finds_its_places_among_those_put_together() -> None:
    merged = merge_slots(compile_problem(synthetic(60, 8, 2), parameters=put_together(2)))
    wide = aggregated(merged).classes
    for part in merged.classes:
        assert any(
            not (part.group_eligible & ~other.group_eligible).any()
            and part.is_protected == other.is_protected
            and (
                part.group_pairs is None
                or other.group_pairs is None
                or not (part.group_pairs & ~other.group_pairs).any()
            )
            for other in wide
        )


def test_few_mixes_are_told_apart() -> None:
    merged = merge_slots(compile_problem(synthetic(20, 4, 3)))
    assert aggregated(merged).coverings == ()
    assert [part.compute.tolist() for part in aggregated(merged).classes] == [
        part.compute.tolist() for part in bundle(merged).problem.classes
    ]


@pytest.mark.parametrize("distinct", [False, True])
def test_bundles_hold_every_unit_and_all_that_there_is(distinct: bool) -> None:
    problem = merge_slots(compile_problem(synthetic(60, 5, 1, distinct=distinct)))
    bundles = bundle(problem)
    assert len(bundles.problem.classes) < len(problem.classes)
    assert sorted(member for members in bundles.members for member in members) == list(range(len(problem.classes)))
    for part, members, sizes in zip(bundles.problem.classes, bundles.members, bundles.sizes, strict=True):
        counts = np.array([problem.classes[member].count for member in members])
        assert float(counts @ sizes) == pytest.approx(1.0)
        for name in NEEDS:
            total = sum(getattr(problem.classes[member], name) * problem.classes[member].count for member in members)
            assert np.all(getattr(part, name) <= total * (1 + 1e-12))
            assert np.allclose(getattr(part, name), total, rtol=1e-4)


@pytest.mark.parametrize("distinct", [False, True])
def test_what_is_counted_is_all_that_there_is(distinct: bool) -> None:
    problem = merge_slots(compile_problem(synthetic(60, 5, 1, distinct=distinct)))
    parts = aggregated(problem).classes
    for name in NEEDS:
        every = sum(getattr(part, name) * part.count for part in problem.classes)
        found = sum(getattr(part, name) for part in parts)
        assert np.all(found <= every * (1 + 1e-12))
        assert np.allclose(found, every, rtol=1e-4)
    for name in ("compute", "traffic_mbps", "stream_mbps"):
        own = sum(getattr(profile, name) * part.count for part in problem.classes for profile in part.profiles)
        found = sum(getattr(profile, name) for part in parts for profile in part.profiles)
        assert np.allclose(found, own, rtol=1e-4)


def test_bundles_of_few_open_slots_are_fewer() -> None:
    problem = merge_slots(compile_problem(synthetic(60, 8, 1)))
    few = bundle(problem, [0, 3, 5])
    assert len(few.problem.classes) < len(bundle(problem).problem.classes)
    assert len(bundle(problem, [0, 3, 5], by_way=True).problem.classes) > len(few.problem.classes)


# -- whole fleets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "gap"),
    [({}, 0.05), ({"distinct": True}, 0.05), ({"storage_scale": 0.2}, 0.08), ({"hub_link_mbps": 150.0}, 0.2)],
    ids=str,
)
def test_middling_fleet(options: dict[str, float], gap: float) -> None:
    inventory = synthetic(60, 6, 4, **options)  # type: ignore[arg-type]
    result = solve(inventory, config=SolveConfig(gap=gap, time_limit_s=60.0), strategy="decompose")
    plan = result.require_plan()
    assert plan.errors == ()
    assert result.gap is not None
    assert result.gap <= gap
    assert plan.document.result.strategy == "decompose"
    assert result.bound_source


def test_size_decides_the_strategy() -> None:
    assert strategy_for(compile_problem(synthetic(20, 4, 1)), "auto").name == "exact"
    assert strategy_for(compile_problem(synthetic(400, 12, 1)), "auto").name == "decompose"
    assert strategy_for(compile_problem(synthetic(20, 4, 1)), "decompose").name == "decompose"


def test_deterministic_mode_writes_the_same_bytes(tmp_path: Path) -> None:
    inventory = shuffled(synthetic(40, 5, 2), 0)
    options: dict[str, Any] = {"strategy": "decompose", "gap": 0.06}
    first = deterministic_bytes(inventory, tmp_path / "first.json", **options)
    assert deterministic_bytes(inventory, tmp_path / "second.json", **options) == first
    assert deterministic_bytes(shuffled(inventory, 1), tmp_path / "third.json", **options) == first


def test_one_partner_per_cluster_is_refused_at_once_where_it_cannot_be_found() -> None:
    inventory = synthetic(40, 5, 2)
    inventory = replace(inventory, policy=inventory.policy.model_copy(update={"partner_scope": "cluster"}))
    config = SolveConfig(time_limit_s=600.0, parameters=tuned(engine_columns=10))
    result = solve(inventory, config=config, strategy="decompose")
    assert (result.status, result.stopped_by, result.plan) == ("no_solution", "work_limit", None)
    assert result.seconds < 60.0
    (line,) = result.explanation
    assert line.startswith("partner_scope = cluster: ")
    assert "set partner_scope = workload" in line


# -- sets of open places -----------------------------------------------------------------------------------------------


def test_sets_grow_by_the_likeliest_until_their_relaxation_holds_all() -> None:
    problem = merge_slots(compile_problem(synthetic(60, 6, 4)))
    every = frozenset(slot.index for slot in problem.slots)
    shares = {slot: 1.0 - 0.1 * slot for slot in every}

    def relax(slots: frozenset[int]) -> float:
        return 1.0 if len(slots) >= 4 else float("inf")

    sets = OpenSets(problem, relax, frozenset(), shares)
    first = first_set(problem, dict.fromkeys(every, 0.0))
    assert sets.larger(frozenset({2}), 2) == frozenset({0, 1, 2})
    found = sets.with_room(first)
    assert len(found) >= 4
    assert first <= found
    hopeless = OpenSets(problem, lambda _: float("inf"), frozenset(), shares)
    assert hopeless.with_room(first) == every


def test_one_place_more_and_one_less_are_looked_at_by_turns() -> None:
    problem = merge_slots(compile_problem(synthetic(60, 6, 4)))
    shares = {slot.index: 1.0 - 0.1 * slot.index for slot in problem.slots}
    slots, fixed = frozenset({0, 2, 5}), frozenset({5})
    neighbors = list(OpenSets(problem, lambda _: 1.0, fixed, shares).neighbors(slots))
    assert neighbors[:5] == [slots | {1}, slots - {2}, slots | {3}, slots - {0}, slots | {4}]
    assert set(neighbors[5:]) == {slots - {leaving} | {entering} for leaving in (0, 2) for entering in (1, 3, 4)}
    assert len(neighbors) == 11
