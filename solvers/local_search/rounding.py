"""From continuous placements to whole units: each bundle's units go where its flow goes, largest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from fleet.inventory.inventory import DemandKey
from fleet.plan.decisions import Decisions
from solvers.formulation.decisions import cluster_decision, nearest, node_counts, retired, upgrades
from solvers.formulation.variables import NO_STANDBY, Formulation
from solvers.linear.model import Floats, Integers
from solvers.local_search.placement import Packing, Place
from solvers.local_search.relocation import repair
from solvers.problem.demand_aggregation import Bundles
from solvers.problem.design import DesignProblem
from solvers.tolerances import NO_FLOW


def packed(problem: DesignProblem, bundles: Bundles, formulation: Formulation, solution: Floats) -> Packing | None:
    """Whole units on the clusters of a solution of the pair formulation over bundles; None where they do not fit.

    Parameters
    ----------
    problem : DesignProblem
        The classes and slots that the bundles were made of, before alike slots were merged.
    bundles : Bundles
        Over the merged problem.
    formulation, solution
        Over the bundles.
    """
    places = places_of(formulation, solution, problem)
    demand_class, first, second = _spread(problem, bundles, formulation, solution)
    primary, standby = np.full(len(demand_class), -1, dtype=np.int64), np.full(len(demand_class), -1, dtype=np.int64)
    packing = Packing(problem, places, demand_class, primary, standby)
    members: dict[int, list[int]] = {}
    for index, place in enumerate(places):
        members.setdefault(place.group, []).append(index)
    weight = packing.storage.sum(axis=1) + packing.copied.sum(axis=1)
    order = np.argsort(-weight[demand_class], kind="stable")
    for unit in order.tolist():
        here = [index for index in members.get(int(first[unit]), ()) if packing.may_run(int(demand_class[unit]))[index]]
        if not here:
            return None
        candidates = np.array(here, dtype=np.int64)
        packing.run_at(unit, int(candidates[np.argmin(packing.fill_after(unit, candidates, False))]))
    for unit in order.tolist():
        if second[unit] == NO_STANDBY:
            continue
        here = [
            index for index in members.get(int(second[unit]), ()) if packing.may_keep(int(demand_class[unit]))[index]
        ]
        if not here:
            return None
        candidates = np.array(here, dtype=np.int64)
        packing.keep_at(unit, int(candidates[np.argmin(packing.fill_after(unit, candidates, True))]))
    return packing if repair(packing) else None


def places_of(formulation: Formulation, solution: Floats, problem: DesignProblem) -> list[Place]:
    """The clusters of a solution, those of a group of alike slots with as equal node counts as can be."""
    result: list[Place] = []
    merged = formulation.problem
    last = merged.periods - 1
    for group in formulation.slots:
        slots = list(merged.slot_groups[group])
        if merged.slots[group].copies == 1:
            counts = node_counts(formulation, solution, group)
            if counts[last][1]:
                segment = formulation.segments(group)[counts[last][0]]
                result.append(_single(problem, formulation, group, counts))
            continue
        for number, segment in enumerate(formulation.segments(group)):
            clusters = round(float(solution[formulation.segment[group, number, last]]))
            column = formulation.nodes.get((group, number, last))
            total = clusters * segment.lowest if column is None else round(float(solution[column]))
            for index in range(clusters):
                nodes = total // clusters + (index < total % clusters)
                result.append(Place(slots.pop(0), group, segment, nodes))
    return result


def _single(problem: DesignProblem, formulation: Formulation, group: int, counts: Sequence[tuple[int, int]]) -> Place:
    """A cluster as the solution has it where the planner decides; else its last nodes throughout, to be resized."""
    (slot,) = formulation.problem.slot_groups[group]
    inventory, here = problem.inventory, problem.slots[slot]
    segments = formulation.segments(group)
    number, nodes = counts[-1]
    decided = {pin.site for pin in inventory.pins} | {pin.cluster for pin in inventory.pins}
    if here.existing is None and here.site not in decided and here.cluster not in decided:
        return Place(slot, group, segments[number], nodes)
    layouts = tuple(dict(segments[index].archetype(count).layout) if count else {} for index, count in counts)
    return Place(slot, group, segments[number], nodes, (tuple(count for _, count in counts), layouts))


def _spread(
    problem: DesignProblem, bundles: Bundles, formulation: Formulation, solution: Floats
) -> tuple[Integers, Integers, Integers]:
    """(class, primary group, standby group) of every unit."""
    parts: list[int] = []
    firsts: list[int] = []
    seconds: list[int] = []
    values = solution[formulation.placement]
    for index, (members, sizes) in enumerate(zip(bundles.members, bundles.sizes, strict=True)):
        columns = np.flatnonzero((formulation.class_of == index) & (values > NO_FLOW))
        left = values[columns].copy()
        units = [
            (float(size), member)
            for member, size in zip(members, sizes.tolist(), strict=True)
            for _ in range(problem.classes[member].count)
        ]
        for size, member in sorted(units, key=lambda unit: (-unit[0], unit[1])):
            chosen = int(np.argmax(left))
            left[chosen] -= size
            parts.append(member)
            firsts.append(int(formulation.primary_of[columns[chosen]]))
            seconds.append(int(formulation.standby_of[columns[chosen]]))
    return np.array(parts, dtype=np.int64), np.array(firsts, dtype=np.int64), np.array(seconds, dtype=np.int64)


def decisions_of_packing(
    problem: DesignProblem, packing: Packing, formulation: Formulation, solution: Floats
) -> Decisions:
    """The decisions of a packing; link upgrades and what is retired are those of the solution."""
    primary: dict[DemandKey, str] = {}
    standby: dict[DemandKey, str] = {}
    of_class: dict[int, Counter[tuple[int, int]]] = {}
    for demand_class, first, second in zip(
        packing.demand_class.tolist(), packing.primary.tolist(), packing.standby.tolist(), strict=True
    ):
        place = (packing.places[first].slot, NO_STANDBY if second < 0 else packing.places[second].slot)
        of_class.setdefault(demand_class, Counter())[place] += 1
    for demand_class, counted in sorted(of_class.items()):
        units = problem.classes[demand_class].units
        places = sorted(counted)
        counts = np.array([counted[place] for place in places], dtype=np.int64)
        for unit, (host, partner) in zip(units, nearest(problem, units, places, counts), strict=True):
            for demand in unit.demands:
                primary[demand.key] = problem.slots[host].cluster
                if demand.has_standby:
                    standby[demand.key] = problem.slots[partner].cluster
    clusters = []
    used = {*packing.primary.tolist(), *packing.standby.tolist()}
    for index, cluster in enumerate(packing.places):
        if cluster.decided is None and index not in used:
            continue  # what the planner leaves open does not stand for nothing
        nodes, layouts = cluster.path(problem.periods)
        slot = problem.slots[cluster.slot]
        clusters.append(cluster_decision(problem, slot, cluster.segment.node_model, nodes, layouts))
    return Decisions(
        clusters=tuple(clusters),
        primary=primary,
        standby=standby,
        upgrades=upgrades(formulation, solution),
        retired=retired(formulation, solution),
    )
