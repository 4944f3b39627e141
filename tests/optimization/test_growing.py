"""More room for a packing: nodes where they fit, further clusters where they do not, and never more than sites hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fleet.inventory.inventory import Inventory
from fleet.inventory.synthetic import synthetic
from solvers import SolveConfig
from solvers.engines.pool import EnginePool
from solvers.engines.task import EngineTask
from solvers.formulation.assembly import build
from solvers.formulation.variables import Formulation
from solvers.linear.model import Floats
from solvers.local_search.expansion import with_room
from solvers.local_search.placement import Packing, Place
from solvers.local_search.reduction import tighten
from solvers.local_search.relocation import relief_of, repair
from solvers.local_search.rounding import decisions_of_packing, packed
from solvers.problem.compilation import compile_problem
from solvers.problem.demand_aggregation import bundle
from solvers.problem.design import DesignProblem
from solvers.strategies.state import SolveState

Made = tuple[SolveState, Packing, Formulation, Floats]


@pytest.fixture(scope="module")
def fleet() -> Inventory:
    return synthetic(40, 5, 2)


def packing_of(inventory: Inventory) -> Made:
    """Whole units on a design over all sites."""
    state = SolveState(compile_problem(inventory), SolveConfig())
    bundles = bundle(state.merged)
    design = build(bundles.problem, has_pairs=True, whole=False, sparse=True, final_demand=True, margin=0.015)
    with EnginePool() as pool:
        found = pool.answer(EngineTask("highs", design.model, time_limit_s=20.0, gap=0.02), must_work=False)
    assert found.solution is not None
    packing = packed(state.problem, bundles, design, found.solution)
    assert packing is not None
    return state, packing, design, found.solution


@pytest.fixture(scope="module")
def made(fleet: Inventory) -> Made:
    return packing_of(fleet)


def filled(packing: Packing, share: float) -> Packing:
    """The packing with so much of every capacity to be kept free at every place beside what is used."""
    result = packing.joined_by(())
    result.places = [replace(place) for place in packing.places]
    result.extra = share * result.kept
    return result


def test_nodes_come_before_moves(made: Made) -> None:
    state, packing, design, point = made
    full = filled(packing, 0.3)
    assert full.excess.any()
    sizes = [place.nodes for place in full.places]
    grown = with_room(full)
    assert grown is full
    assert not grown.excess.any()
    assert np.array_equal(grown.primary, packing.primary)
    assert np.array_equal(grown.standby, packing.standby)
    assert all(place.nodes >= before for place, before in zip(grown.places, sizes, strict=True))
    assert sum(place.nodes for place in grown.places) > sum(sizes)
    smaller = [place.nodes - 1 for place in grown.places]
    judgment = state.incumbent.evaluate(
        state.problem, decisions_of_packing(state.problem, grown, design, point), final_demand=True
    )
    assert judgment is not None
    assert judgment.holds
    for index, nodes in enumerate(smaller):
        if nodes >= sizes[index]:
            run_of = grown.resized_run(grown.places[index], nodes)
            assert run_of is not None
            grown.size(index, run_of, nodes)
            assert grown.excess[index] > 0


def test_further_clusters_take_what_the_largest_cannot(
    made: Made,
) -> None:
    state, packing, design, point = made
    full = filled(packing, 0.0)
    for index, place in enumerate(full.places):
        largest = max(
            segment.highest
            for segment in state.problem.slots[place.slot].segments
            if segment.node_model == place.segment.node_model
        )
        for nodes in range(place.nodes + 1, largest + 1):
            larger = full.resized_run(place, nodes)
            if larger is not None:
                full.size(index, larger, nodes)
    most = int(np.argmax(full.own[:, 0]))
    full.extra[most] = full.kept[most] - full.own[most] * 0.5
    grown = with_room(full)
    assert grown is not None
    assert len(grown.places) > len(packing.places)
    assert not grown.excess.any()
    assert len({place.slot for place in grown.places}) == len(grown.places)
    assert np.isin(np.arange(len(packing.places), len(grown.places)), grown.primary).any()
    assert grown.own.sum(axis=0) == pytest.approx(packing.own.sum(axis=0))
    judgment = state.incumbent.evaluate(
        state.problem, decisions_of_packing(state.problem, grown, design, point), final_demand=True
    )
    assert judgment is not None
    assert judgment.holds


def test_sites_and_budgets_set_limits(fleet: Inventory, made: Made) -> None:
    state, packing, _, _ = made
    at = dict.fromkeys((state.problem.slots[place.slot].site for place in packing.places), 0)
    for place in packing.places:
        at[state.problem.slots[place.slot].site] += place.nodes
    sites = tuple(site.model_copy(update={"max_nodes": at.get(site.site, 0)}) for site in fleet.sites)
    for inventory in (
        replace(fleet, sites=sites),
        replace(fleet, policy=fleet.policy.model_copy(update={"budget": 1e12})),
    ):
        full = filled(packing, 0.3)
        full.problem = replace(full.problem, inventory=inventory)
        assert with_room(full) is None
    assert with_room(filled(packing, 0.3)) is not None


def test_clusters_without_units_do_not_stand(made: Made) -> None:
    state, packing, design, point = made
    taken = {place.slot for place in packing.places}
    slot = next(slot for slot in state.problem.slots if slot.index not in taken and slot.segments)
    idle = Place(slot.index, 0, slot.segments[0], slot.segments[0].lowest)
    with_idle = decisions_of_packing(state.problem, packing.joined_by([idle]), design, point)
    assert with_idle == decisions_of_packing(state.problem, packing, design, point)
    assert len(with_idle.clusters) == len(packing.places)


def loads_anew(packing: Packing) -> Packing:
    return Packing(
        packing.problem, packing.places, packing.demand_class, packing.primary.copy(), packing.standby.copy()
    )


@pytest.mark.parametrize("reserve", ["shared", "dedicated"])
def test_loads_follow_units_as_they_move(made: Made, reserve: str) -> None:
    policy = made[1].problem.inventory.policy.model_copy(update={"standby_reserve": reserve})
    problem = replace(made[1].problem, inventory=replace(made[1].problem.inventory, policy=policy))
    packing = loads_anew(replace_problem(made[1], problem))
    for unit in range(0, len(packing.demand_class), 3):
        others = np.flatnonzero(
            packing.partners(int(packing.demand_class[unit]), int(packing.primary[unit]), is_copy=True)
        )
        if packing.standby[unit] >= 0 and len(others):
            packing.keep_at(unit, int(others[unit % len(others)]))
        elif packing.standby[unit] < 0:
            packing.run_at(unit, unit % len(packing.places))
    anew = loads_anew(packing)
    for name in packing.LOADS:
        assert getattr(packing, name) == pytest.approx(getattr(anew, name), abs=1e-6)
    copies = np.flatnonzero(packing.standby == 0)
    relief = relief_of(packing, copies, 0, True)
    for unit, freed in zip(copies.tolist(), relief, strict=True):
        without = loads_anew(packing)
        without.standby[unit] = -1
        after = loads_anew(without)
        used, left = packing.fills()[0], after.fills()[0]
        assert freed == pytest.approx(used - left, abs=1e-6)


def replace_problem(packing: Packing, problem: DesignProblem) -> Packing:
    result = packing.joined_by(())
    result.problem = problem
    return result


def test_tightened_clusters_have_no_node_too_many(made: Made) -> None:
    packing = made[1].joined_by(())
    before = sum(place.nodes for place in packing.places)
    gone = tighten(packing)
    assert sum(place.nodes for place in packing.places) == before - gone
    assert not packing.excess.any()
    assert tighten(packing) == 0
    assert loads_anew(packing).own == pytest.approx(packing.own)
    assert sum(place.nodes for place in made[1].places) == before


def test_what_does_not_fit_in_all_is_not_moved_about(made: Made) -> None:
    packing = made[1].joined_by(())
    packing.pool = packing.pool * 0.5
    units = packing.primary.copy()
    assert not repair(packing)
    assert np.array_equal(packing.primary, units)
