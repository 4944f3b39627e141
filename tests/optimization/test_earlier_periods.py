"""What models of the final demand say about the periods before it: paces of growth, clusters that stand all along."""

from __future__ import annotations

import numpy as np
import pytest

from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.growth import GrowthPoint
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.quantities import RESOURCES
from solvers import SolveConfig
from solvers.engines.pool import EnginePool
from solvers.engines.task import EngineTask
from solvers.formulation.assembly import build
from solvers.formulation.constraints.capacity import POOL, _paces
from solvers.formulation.variables import Formulation
from solvers.incumbent.incumbent import Incumbent
from solvers.linear.model import Floats
from solvers.parameters import Parameters
from solvers.problem.compilation import compile_problem
from solvers.strategies.open_sets import open_shares
from tests.builders import (
    a_link,
    a_pin,
    a_protected_workload,
    a_site,
    a_workload,
    an_existing_cluster,
    an_inventory,
)

PACES = Parameters().formulation.paces


def growing(rates: list[float], **columns: object) -> Inventory:
    """Two hubs with a workload for each yearly rate of growth."""
    return an_inventory(
        [a_site(name, can_host=True, opening_cost=5000.0, **columns) for name in ("h", "k")],
        [a_workload(f"w{index}", "h", growth=f"g{index}") for index in range(len(rates))],
        [a_link("h", "k")],
        growth=[GrowthPoint(profile=f"g{index}", annual_rate=rate) for index, rate in enumerate(rates)],
        horizon_months=18,
    )


def loose(inventory: Inventory) -> Formulation:
    return build(compile_problem(inventory), has_pairs=False, whole=False, sparse=True, final_demand=True)


def relaxation(formulation: Formulation) -> Floats:
    with EnginePool() as pool:
        run = pool.answer(
            EngineTask("highs", formulation.model, time_limit_s=60.0, gap=1e-9, relaxed=True), must_work=False
        )
    assert run.solution is not None
    return run.solution


@pytest.mark.parametrize("rates", [[0.1], [0.1, 0.3], [0.05 * step for step in range(9)]])
def test_paces_never_overstate_what_demands_have_reached(rates: list[float]) -> None:
    formulation = loose(growing(rates))
    classes = formulation.problem.classes
    assert len(classes) == len(rates)
    for resource in (RESOURCES.index("vcpu"), POOL):
        pace, shares = _paces(formulation, resource)
        assert len(shares) == min(len(rates), PACES)
        assert sorted(set(pace.tolist())) == list(range(len(shares)))
        reached = np.array([part.storage.sum(axis=1) if resource == POOL else part.compute[:, 0] for part in classes])
        reached = reached / reached[:, -1:]
        assert (shares[pace] <= reached + 1e-12).all()
        assert shares[:, -1] == pytest.approx(1.0)
        if len(rates) <= PACES:
            assert shares[pace] == pytest.approx(reached)


def test_earlier_periods_hold_what_each_pace_has_reached() -> None:
    formulation = loose(growing([0.0, 1.0]))
    point = relaxation(formulation)
    for (slot, resource), columns in formulation.load.items():
        shares = _paces(formulation, resource)[1]
        for period in range(formulation.problem.periods):
            held = sum(float(point[column]) * shares[pace, period] for pace, column in columns.items())
            terms = formulation.capacity_terms(slot, period, resource)
            assert held <= sum(float(point[column]) * value for column, value in terms) + 1e-6


def test_clusters_that_stand_at_the_end_stand_from_the_start() -> None:
    formulation = loose(growing([1.0, 1.5]))
    point = relaxation(formulation)
    assert sum(open_shares(formulation, point).values()) > 0.0
    for slot in formulation.slots:
        opened = [sum(point[column] for column, _ in formulation.open_terms(slot, period)) for period in range(3)]
        assert opened[0] == pytest.approx(opened[2])


def test_what_the_planner_opens_later_may_stand_empty() -> None:
    inventory = growing([0.1])
    pinned = an_inventory(
        inventory.sites,
        inventory.workloads,
        inventory.links,
        growth=inventory.growth,
        pins=[a_pin("open", site="k", period=2), a_pin("assign", workload="w0", value="h")],
        horizon_months=18,
    )
    formulation = loose(pinned)
    point = relaxation(formulation)
    (slot,) = formulation.slots_at("k")
    opened = [sum(point[column] for column, _ in formulation.open_terms(slot, period)) for period in range(3)]
    assert opened == pytest.approx([0.0, 0.0, 1.0])


def test_demands_that_come_later_may_have_clusters_opened_for_them() -> None:
    late = an_inventory(
        [a_site(name, can_host=True, opening_cost=5000.0) for name in ("h", "k")],
        [a_workload("now", "h", residency=()), a_protected_workload("late", "k", from_month=12)],
        [a_link("h", "k")],
        horizon_months=18,
        pins=[a_pin("assign", workload="now", value="h")],
    )
    formulation = loose(late)
    point = relaxation(formulation)
    opened = {
        name: [
            sum(point[column] for slot in formulation.slots_at(name) for column, _ in formulation.open_terms(slot, t))
            for t in range(3)
        ]
        for name in ("h", "k")
    }
    assert opened["k"][0] < opened["k"][2]


@pytest.mark.parametrize(("nodes", "holds"), [((2, 3, 4), False), ((4, 4, 4), True)])
def test_standing_clusters_hold_their_load_in_every_period(nodes: tuple[int, ...], holds: bool) -> None:
    """What looks at the final demand alone does not take an existing cluster for large enough before."""
    inventory = an_inventory(
        [a_site("h", can_host=True)],
        [a_workload(f"w{index}", "h", vcpus=28.0, memory_gb=80.0) for index in range(10)],
        clusters=[an_existing_cluster("old", "h", layout="two-way-mirror")],
        horizon_months=18,
    )
    problem = compile_problem(inventory)
    layout = {"hot": "three-way-mirror", "warm": "three-way-mirror", "archive": "three-way-mirror"}
    mirrors = tuple(dict.fromkeys(layout, "two-way-mirror") if count == 2 else layout for count in nodes)
    cluster = ClusterDecision("old", "h", "std", nodes, mirrors, existing=True, origin="existing")
    decisions = Decisions((cluster,), {demand.key: "old" for demand in inventory.demands}, {})
    judgment = Incumbent(SolveConfig()).evaluate(problem, decisions, final_demand=True)
    assert (judgment is not None and judgment.holds) == holds
