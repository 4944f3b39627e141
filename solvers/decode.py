"""A point of a pair formulation → the decisions of a plan."""

from __future__ import annotations

import numpy as np

from fleet.inventory.inventory import DemandKey
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import Origin
from solvers.formulation import NO_STANDBY, Formulation
from solvers.linear import Floats


def decode(formulation: Formulation, point: Floats) -> Decisions:
    """The decisions of a point. Units of a class are interchangeable: they are placed in canonical order."""
    problem = formulation.problem
    primary: dict[DemandKey, str] = {}
    standby: dict[DemandKey, str] = {}
    counts = np.rint(point[formulation.placement]).astype(np.int64)
    order = np.lexsort((formulation.standby_of, formulation.primary_of, formulation.class_of))
    position = dict.fromkeys(range(len(problem.classes)), 0)
    for column in order.tolist():
        index = int(formulation.class_of[column])
        units = problem.classes[index].units
        start = position[index]
        position[index] = start + int(counts[column])
        host = problem.slots[int(formulation.primary_of[column])].cluster
        partner = int(formulation.standby_of[column])
        for unit in units[start : position[index]]:
            for demand in unit.demands:
                primary[demand.key] = host
                if demand.is_protected and partner != NO_STANDBY:
                    standby[demand.key] = problem.slots[partner].cluster
    return Decisions(
        clusters=_clusters(formulation, point),
        primary=primary,
        standby=standby,
        upgrades=_upgrades(formulation, point),
        retired=_retired(formulation, point),
    )


def node_counts(formulation: Formulation, point: Floats, slot: int) -> list[tuple[int, int]]:
    """(run, nodes) of a slot in each period; (-1, 0) where it has none."""
    result = []
    for period in range(formulation.problem.periods):
        found = (-1, 0)
        for number, run in enumerate(formulation.runs(slot)):
            if point[formulation.run[slot, number, period]] > 0.5:
                column = formulation.nodes.get((slot, number, period))
                found = (number, run.lowest if column is None else round(float(point[column])))
        result.append(found)
    return result


def _clusters(formulation: Formulation, point: Floats) -> tuple[ClusterDecision, ...]:
    problem = formulation.problem
    result = []
    for slot in formulation.slots:
        counts = node_counts(formulation, point, slot)
        if all(nodes == 0 for _, nodes in counts):
            continue
        runs = formulation.runs(slot)
        used = next(runs[number] for number, nodes in counts if nodes)
        here = problem.slots[slot]
        origin: Origin = "existing" if here.existing is not None else "chosen"
        if here.existing is None and any(
            pin.cluster == here.cluster
            or (pin.decision in ("open", "node_model", "nodes") and pin.site == here.site and not pin.cluster)
            for pin in problem.inventory.pins
        ):
            origin = "pinned"
        result.append(
            ClusterDecision(
                cluster=here.cluster,
                site=here.site,
                node_model=used.node_model,
                nodes=tuple(nodes for _, nodes in counts),
                layouts=tuple(dict(runs[number].archetype(nodes).layout) if nodes else {} for number, nodes in counts),
                existing=here.existing is not None,
                origin=origin,
            )
        )
    return tuple(result)


def _upgrades(formulation: Formulation, point: Floats) -> dict[str, int]:
    found: dict[str, int] = {}
    for (link, period), column in sorted(formulation.upgrade.items()):
        if point[column] > 0.5:
            found[link] = min(found.get(link, period), period)
    return found


def _retired(formulation: Formulation, point: Floats) -> tuple[str, ...]:
    problem = formulation.problem
    usable = set(formulation.slots)
    return tuple(
        slot.cluster
        for slot in problem.slots
        if slot.existing is not None
        and (slot.index not in usable or all(nodes == 0 for _, nodes in node_counts(formulation, point, slot.index)))
    )
