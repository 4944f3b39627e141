"""A solution of a pair formulation → the decisions of a plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ortools.graph.python import min_cost_flow

from fleet.inventory.inventory import DemandKey
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import Origin
from fleet.wan.latency import distance_km
from solvers.formulation.variables import NO_STANDBY, Formulation
from solvers.linear.model import Floats, Integers
from solvers.problem.design import DesignProblem
from solvers.problem.sets import Slot, Unit
from solvers.tolerances import IS_ONE


def decode(formulation: Formulation, solution: Floats) -> Decisions:
    """The decisions of a solution. Units of a class are interchangeable: each goes as near as it can."""
    problem = formulation.problem
    primary: dict[DemandKey, str] = {}
    standby: dict[DemandKey, str] = {}
    counts = np.rint(solution[formulation.placement]).astype(np.int64)
    for demand_class in problem.classes:
        own = np.flatnonzero((formulation.class_of == demand_class.index) & (counts > 0))
        places = [(int(formulation.primary_of[column]), int(formulation.standby_of[column])) for column in own]
        for unit, (host, partner) in zip(
            demand_class.units, nearest(problem, demand_class.units, places, counts[own]), strict=False
        ):
            for demand in unit.demands:
                primary[demand.key] = problem.slots[host].cluster
                if demand.has_standby and partner != NO_STANDBY:
                    standby[demand.key] = problem.slots[partner].cluster
    return Decisions(
        clusters=_clusters(formulation, solution),
        primary=primary,
        standby=standby,
        upgrades=upgrades(formulation, solution),
        retired=retired(formulation, solution),
    )


def nearest(
    problem: DesignProblem, units: Sequence[Unit], places: Sequence[tuple[int, int]], counts: Integers
) -> list[tuple[int, int]]:
    """Which of the interchangeable units takes which (primary, standby) place: the total distance is least.

    Cost and limits are the same whoever goes where; people expect to be served from nearby. A minimum-cost flow; units
    beyond the places, or without coordinates, come out in canonical order.
    """
    if len(places) == 1:
        return [places[0]] * int(counts[0])
    weight = problem.parameters.formulation.primary_weight
    flow = min_cost_flow.SimpleMinCostFlow()
    sink = len(units) + len(places)
    arcs = {}
    for number, unit in enumerate(units):
        for position, (host, partner) in enumerate(places):
            cost = weight * _meters(problem, unit.site, host) + _meters(problem, unit.site, partner)
            arcs[flow.add_arc_with_capacity_and_unit_cost(number, len(units) + position, 1, cost)] = (number, position)
        flow.set_node_supply(number, 1)
    for position, count in enumerate(counts.tolist()):
        flow.add_arc_with_capacity_and_unit_cost(len(units) + position, sink, int(count), 0)
    flow.set_node_supply(sink, -len(units))
    if flow.solve() != flow.OPTIMAL:
        return [place for place, count in zip(places, counts.tolist(), strict=True) for _ in range(int(count))]
    taken = {number: position for arc, (number, position) in arcs.items() if flow.flow(arc)}
    return [places[taken[number]] for number in range(len(units))]


def _meters(problem: DesignProblem, site: str, slot: int) -> int:
    if slot == NO_STANDBY:
        return 0
    sites = problem.inventory.site_by_name
    distance = distance_km(sites[site], sites[problem.slots[slot].site])
    return 0 if distance is None else round(1000.0 * distance)


def node_counts(formulation: Formulation, solution: Floats, slot: int) -> list[tuple[int, int]]:
    """(segment, nodes) of a slot in each period; (-1, 0) where it has none."""
    result = []
    for period in range(formulation.problem.periods):
        found = (-1, 0)
        for number, segment in enumerate(formulation.segments(slot)):
            if solution[formulation.segment[slot, number, period]] > IS_ONE:
                column = formulation.nodes.get((slot, number, period))
                found = (number, segment.lowest if column is None else round(float(solution[column])))
        result.append(found)
    return result


def _clusters(formulation: Formulation, solution: Floats) -> tuple[ClusterDecision, ...]:
    problem = formulation.problem
    result = []
    for slot in formulation.slots:
        counts = node_counts(formulation, solution, slot)
        if all(nodes == 0 for _, nodes in counts):
            continue
        segments = formulation.segments(slot)
        used = next(segments[number] for number, nodes in counts if nodes)
        layouts = tuple(dict(segments[number].archetype(nodes).layout) if nodes else {} for number, nodes in counts)
        nodes = tuple(nodes for _, nodes in counts)
        result.append(cluster_decision(problem, problem.slots[slot], used.node_model, nodes, layouts))
    return tuple(result)


def cluster_decision(
    problem: DesignProblem,
    slot: Slot,
    node_model: str,
    nodes: tuple[int, ...],
    layouts: tuple[dict[str, str], ...],
) -> ClusterDecision:
    """A cluster on a slot, with where the decision comes from."""
    origin: Origin = "existing" if slot.existing is not None else "chosen"
    if slot.existing is None and any(
        pin.cluster == slot.cluster
        or (pin.decision in ("open", "node_model", "nodes") and pin.site == slot.site and not pin.cluster)
        for pin in problem.inventory.pins
    ):
        origin = "pinned"
    return ClusterDecision(
        cluster=slot.cluster,
        site=slot.site,
        node_model=node_model,
        nodes=nodes,
        layouts=layouts,
        existing=slot.existing is not None,
        origin=origin,
    )


def upgrades(formulation: Formulation, solution: Floats) -> dict[str, int]:
    """Links that a solution upgrades, each with its first period."""
    found: dict[str, int] = {}
    for (link, period), column in sorted(formulation.upgrade.items()):
        if solution[column] > IS_ONE:
            found[link] = min(found.get(link, period), period)
    return found


def retired(formulation: Formulation, solution: Floats) -> tuple[str, ...]:
    """Existing clusters that a solution closes."""
    problem = formulation.problem
    usable = set(formulation.slots)
    return tuple(
        slot.cluster
        for slot in problem.slots
        if slot.existing is not None
        and (slot.index not in usable or all(nodes == 0 for _, nodes in node_counts(formulation, solution, slot.index)))
    )
