"""Machines on hosts in the model: where rows are needed, which sets they forbid, and what is left open."""

from __future__ import annotations

import numpy as np
import pytest

from fleet.inventory.inventory import Inventory
from fleet.platform import packing
from fleet.platform.machines import Hosts, Machine
from solvers import SolveConfig, solve
from solvers.formulation.assembly import build
from solvers.formulation.constraints import hosts
from solvers.formulation.constraints.links import LinkRow
from solvers.problem.compilation import compile_problem
from solvers.strategies.infeasibility import explain_infeasible
from tests.builders import a_link, a_node_model, a_site, a_workload, an_inventory
from tests.optimization.tiny_fleets import FAMILIES
from tests.oracles import cheapest_plan
from tests.plan.judged_fleet import the_inventory

EXACT = SolveConfig(gap=0.0, time_limit_s=30.0)


def row_rules(inventory: Inventory) -> set[str]:
    return set(build(compile_problem(inventory), has_pairs=True).model.row_rule)


def test_no_rows_where_machines_are_small_beside_nodes() -> None:
    assert "CAP-006" not in row_rules(the_inventory())


def test_no_rows_where_there_are_no_more_large_machines_than_nodes() -> None:
    for count, are_there in ((1, False), (3, True)):
        row = a_workload("w", "a", count=count, memory_gb=300.0)
        assert ("CAP-006" in row_rules(an_inventory([a_site("a", can_host=True)], [row]))) == are_there


def test_measures_hold_for_whatever_fits_a_node() -> None:
    """Machines that run together on one node of any model weigh no more than a node of it takes."""
    for seed in range(12):
        problem = compile_problem(FAMILIES["hosts"](seed))
        rooms = {run.node_model: run.archetypes[0].hosts.room for slot in problem.slots for run in slot.segments}
        for measure in problem.measures:
            for model, room in rooms.items():
                for period in range(problem.periods):
                    weights = [
                        (own.sizes[period], measure.own[part.index, period] / own.count)
                        for part in problem.classes
                        for own in part.instances
                        if len(part.instances) == 1 and own.sizes[period] is not None
                    ]
                    assert _heaviest(weights, Hosts(room, 1, 1, Machine(0.0, 0.0))) <= (
                        measure.most[model][period] + 1e-9
                    )


def _heaviest(weights: list[tuple[Machine, float]], node: Hosts) -> float:
    """The most weight of machines, any number of each, that one node runs."""
    best = 0.0

    def extend(index: int, chosen: list[tuple[Machine, int]], weight: float) -> None:
        nonlocal best
        best = max(best, weight)
        if index == len(weights):
            return
        machine, each = weights[index]
        for count in range(7):
            further = [*chosen, (machine, count)]
            if packing.packed(packing.gathered(further), node) is not packing.Verdict.FITS:
                return
            extend(index + 1, further, weight + count * each)

    extend(0, [], 0.0)
    return best


def test_sets_that_measures_let_through_are_forbidden_once_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any measure the rows that are found one after another lead to the same optimum."""
    monkeypatch.setattr(hosts, "encode", lambda formulation: None)
    for seed in (16, 17, 49, 55):
        inventory = FAMILIES["hosts"](seed)
        optimum = cheapest_plan(inventory)
        assert optimum is not None
        result = solve(inventory, config=EXACT)
        assert result.status == "optimal"
        assert result.objective == pytest.approx(optimum.present_value, rel=1e-6)


def test_what_is_not_decided_is_neither_promised_nor_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no placement is found and none refuted, no plan is accepted, and the bound still holds for all."""
    monkeypatch.setattr(packing, "_is_placed", lambda *_: False)
    monkeypatch.setattr(packing, "_spreads", lambda *_: False)
    monkeypatch.setattr(packing, "EFFORT", 0)
    packing._packed.cache_clear()
    try:
        inventory = an_inventory(
            [a_site("a", can_host=True)],
            [a_workload("w", "a", count=4, memory_gb=100.0), a_workload("x", "a", count=2, memory_gb=150.0)],
            [],
        )
        result = solve(inventory, config=SolveConfig(gap=0.0, time_limit_s=5.0))
    finally:
        packing._packed.cache_clear()
    assert result.plan is None
    assert (result.status, result.stopped_by) == ("no_solution", "work_limit")
    assert "may or may not fit the nodes of a-c1" in result.explanation[0]
    monkeypatch.undo()
    optimum = cheapest_plan(inventory)
    assert optimum is not None
    assert result.bound is not None
    assert result.bound <= optimum.present_value * (1 + 1e-6)


@pytest.mark.parametrize("strategy", ["exact", "decompose"])
def test_large_machines_at_many_sites_run_in_every_strategy(strategy: str) -> None:
    """Twelve sites with machines of 0.3 to 0.6 of a node, two hubs with up to three clusters each."""
    rng = np.random.default_rng(5)
    hubs = [a_site(f"h{number}", can_host=True, max_clusters=3) for number in range(2)]
    stores = [a_site(f"s{number:02}") for number in range(12)]
    workloads = [
        a_workload(f"w{store.site}", store.site, count=int(rng.integers(1, 4)), memory_gb=float(rng.integers(140, 280)))
        for store in stores
    ]
    links = [a_link(store.site, hub.site) for store in stores for hub in hubs] + [a_link("h0", "h1")]
    inventory = an_inventory([*hubs, *stores], workloads, links, hardware=[a_node_model(max_nodes=8)])
    result = solve(inventory, config=SolveConfig(time_limit_s=20.0), strategy=strategy)
    plan = result.require_plan()
    assert plan.errors == ()
    assert result.bound is not None
    assert result.bound <= result.objective * (1 + 1e-6)


def test_links_are_named_beside_sets_of_machines_where_there_is_no_plan() -> None:
    """A thin link and machines that no cluster holds: rows of both kinds, each with its own words."""
    inventory = an_inventory(
        [a_site("h", can_host=True, transit="no"), a_site("m", transit="yes"), a_site("s")],
        [
            a_workload("w", "s", count=4, memory_gb=100.0, traffic_mbps=40.0),
            a_workload("x", "s", count=2, memory_gb=200.0, traffic_mbps=40.0),
        ],
        [a_link("s", "m"), a_link("s", "m", link="other"), a_link("m", "h", bandwidth_mbps=100.0)],
    )
    problem = compile_problem(inventory)
    sizes = [(part.instances[0].sizes[0], 1) for part in problem.classes]
    row = hosts.HostRow(0, 0, "", "", packing.gathered((size, count) for size, count in sizes if size is not None))
    thin = LinkRow("normal", "m-h", forward=True, period=0)
    text = "\n".join(explain_infeasible(problem, EXACT, [row, thin]))
    assert "link 'm-h' from 'm' to 'h'" in text
