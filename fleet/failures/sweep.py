"""Lose any element of a plan, or two at once, and see what happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from fleet.failures.elements import Element, find_element
from fleet.failures.incidents import Breaker, Incident, Recovery
from fleet.inventory.checks.inventory import checked_inventory
from fleet.inventory.inventory import Demand, Inventory
from fleet.plan.context import PlanContext, build_context
from fleet.plan.decisions import decisions_of
from fleet.plan.normal_state import NormalState
from fleet.plan.placement import exceeds
from fleet.plan.plan import Plan
from fleet.plan.survival import over_limit
from fleet.plan.violations import ClusterViolation, HostViolation, LinkViolation, ReachViolation
from fleet.rulepack import load_rulepack
from fleet.tables import Row, column

#: What a demand asks to survive: the column that says how many of which element.
_TOLERATED = {"node": "fault_tolerance", "zone": "zone_tolerance"}
#: Between the ids of elements that are lost together.
TOGETHER = " + "


class FailureRow(Row):
    """What the loss of one element does, or of two at once. A demand is named ``workload at site``."""

    element: str = column(meaning="kind:name; two that are lost at once with a plus between them")
    kind: str = column(
        meaning="drive, node, zone, cluster, link, internet, shared_risk, network, site, fault_domain; several if more"
    )
    count: int = column(meaning="identical elements, or pairs of them, that this row stands for; one of them fails")
    down: tuple[str, ...] = column((), meaning="out of service: unprotected, or a single point of failure")
    restored: tuple[str, ...] = column((), meaning="runs at its standby")
    lost: tuple[str, ...] = column((), meaning="out of service although protected against it")
    overloaded: tuple[str, ...] = column((), meaning="links and clusters over their limits, with both values")
    rto_minutes: float | None = column(None, unit="minutes", meaning="until the last of the restored runs again")
    rpo_minutes: float | None = column(
        None,
        unit="minutes",
        meaning="largest loss of data among the restored, and among those whose copies stop, should they fail too "
        "before the repair",
    )
    broken_promises: tuple[str, ...] = column((), meaning="what the plan promised and does not keep")


def context_of(plan: Plan, inventory: Inventory | None = None) -> PlanContext:
    """The decision of a plan laid out for judging, from the inventory that it carries or another one.

    Raises
    ------
    InventoryError
        If the tables of the plan contradict themselves.
    """
    document = plan.document
    if inventory is None:
        inventory = checked_inventory(document.inventory.name, document.inventory.tables)
    return build_context(inventory, load_rulepack(inventory.policy.rule_pack), decisions_of(document, inventory))


def normal_of(plan: Plan, inventory: Inventory | None = None) -> NormalState:
    """The same with nothing failed; the parameters are those of `context_of`."""
    return NormalState(context_of(plan, inventory))


def breaker_of(plan: Plan, context: PlanContext | None = None) -> Breaker:
    """What breaks a plan."""
    return Breaker(plan, NormalState(context_of(plan) if context is None else context))


def sweep_single(
    plan: Plan, context: PlanContext | None = None, breaker: Breaker | None = None
) -> tuple[FailureRow, ...]:
    """What the loss of every single element of a plan does, from drives to fault domains.

    Parameters
    ----------
    plan : Plan
        The plan.
    context : PlanContext, optional
        The same laid out, where the caller has it already.
    breaker : Breaker, optional
        What breaks it, where the caller has it already.
    """
    breaker = breaker_of(plan, context) if breaker is None else breaker
    return tuple(failure_row(breaker, breaker.lose([element])) for element in breaker.elements)


def sweep_pairs(plan: Plan, context: PlanContext | None = None, breaker: Breaker | None = None) -> Iterator[FailureRow]:
    """What the loss of every two elements at once does; two identical ones of a cluster are a pair too.

    A plan promises to stand single failures, so what two failures take down is told and is no fault of it. What is
    restored, lost and broken is counted by the same rules. The parameters are those of `sweep_single`.
    """
    breaker = breaker_of(plan, context) if breaker is None else breaker
    for first, second in pairs(breaker.elements):
        yield failure_row(breaker, breaker.lose([first, second]))


def pairs(found: Sequence[Element]) -> Iterator[tuple[Element, Element]]:
    """Every two elements that can be lost at once."""
    for index, element in enumerate(found):
        if element.count > 1:
            yield element, element
        for other in found[index + 1 :]:
            yield element, other


def lose(
    plan: Plan, element_ids: str | Iterable[str], context: PlanContext | None = None, breaker: Breaker | None = None
) -> FailureRow:
    """What the loss of one element does, or of several at once.

    Parameters
    ----------
    plan : Plan
        The plan.
    element_ids : str or iterable of str
        ``kind:name``; two at once in one text as rows name them, ``site:a + link:b``.
    context, breaker : optional
        As for `sweep_single`.

    Raises
    ------
    UnknownIdError
        If the plan has no such element.
    """
    breaker = breaker_of(plan, context) if breaker is None else breaker
    return failure_row(breaker, incident_of(breaker, element_ids))


def incident_of(breaker: Breaker, element_ids: str | Iterable[str]) -> Incident:
    """The loss of the elements of those ids at once.

    Raises
    ------
    UnknownIdError
        If the plan has no such element.
    """
    known = {element.id: element for element in breaker.elements}
    texts = [element_ids] if isinstance(element_ids, str) else list(element_ids)
    names = [name for text in texts for name in ([text] if text in known else text.split(TOGETHER))]
    return breaker.lose([find_element(breaker.normal, name, known) for name in names])


def failure_row(breaker: Breaker, incident: Incident) -> FailureRow:
    """An incident in words."""
    context = breaker.context
    demands = context.demands
    recoveries = {index: breaker.recovery(index) for index in incident.moved}
    restarts = _has_restarts(incident)
    times = [recovery.rto_minutes for recovery in recoveries.values() if recovery is not None]
    points = [recovery.rpo_minutes for recovery in recoveries.values() if recovery is not None]
    if restarts:
        times.append(context.pack.number("recovery.node_failure_minutes"))
        points.append(0.0)
    broken = [f"{demands[index]} is protected and not restored" for index in incident.lost]
    if incident.outcome is not None:
        broken += [
            f"{demands[index]} is protected and has no standby"
            for index in incident.outcome.down
            if demands[index].is_protected
        ]
    for index, recovery in recoveries.items():
        broken += _missed(demands[index], recovery)
    for index in incident.uncopied:
        points.append(breaker.cut_recovery_point(index, incident.elements))
        broken.append(_cut_copies(context, index, index in recoveries, points[-1]))
    overloaded, promised = _overloads(breaker, incident)
    broken += promised
    if len(incident.elements) == 1 and incident.elements[0].kind in _TOLERATED:
        kind = incident.elements[0].kind
        for index, asked in (
            (index, getattr(demands[index].row, _TOLERATED[kind])) for index in sorted(incident.stopped)
        ):
            if asked >= 1:
                broken.append(f"{demands[index]} asks for {_TOLERATED[kind]} {asked} and stops when one {kind} is lost")
    return FailureRow(
        element=TOGETHER.join(element.id for element in incident.elements),
        kind=incident.elements[0].kind if len(incident.elements) == 1 else "several",
        count=_count(incident.elements),
        down=tuple(str(demands[index]) for index in incident.down),
        restored=tuple(str(demands[index]) for index in incident.moved),
        lost=tuple(str(demands[index]) for index in incident.lost),
        overloaded=overloaded,
        rto_minutes=max(times, default=None),
        rpo_minutes=max(points, default=None),
        broken_promises=tuple(broken),
    )


def _count(lost: Sequence[Element]) -> int:
    """Ways in which such elements can be lost."""
    if len(set(map(id, lost))) < len(lost):
        return lost[0].count * (lost[0].count - 1) // 2
    total = 1
    for element in lost:
        total *= element.count
    return total


def _has_restarts(incident: Incident) -> bool:
    """Whether machines restart inside a cluster that survives the loss of nodes."""
    return any(incident.survived[index] and (loss.nodes > 0 or loss.zones) for index, loss in incident.losses.items())


def _overloads(breaker: Breaker, incident: Incident) -> tuple[tuple[str, ...], list[str]]:
    """What is over its limit in words, and what of it breaks a promise.

    A cluster that has lost nodes may run at full use; more than that breaks a promise where its demands ask to survive
    such a loss, of nodes or of a zone, or where it takes in others.
    """
    context = breaker.context
    found: list[str] = []
    promised: list[str] = []
    weakened = {
        context.clusters[index].name
        for index, loss in incident.losses.items()
        if incident.survived[index] and (loss.nodes or loss.zones)
    }
    for violation in () if incident.outcome is None else incident.outcome.violations:
        is_weakened = isinstance(violation, ClusterViolation | HostViolation) and violation.cluster in weakened
        if not isinstance(violation, ReachViolation) and not is_weakened:
            found.append(_overload(violation))
    promised += found
    for name in sorted(weakened):
        index = context.cluster_index[name]
        moved_in = incident.moved_in(index)
        arriving = tuple(demand for demand in incident.moved if context.standby[demand] == index)
        overloads = breaker.losses.overloads(index, incident.losses[index], moved_in, arriving)
        asked = _TOLERATED["zone" if incident.losses[index].zones else "node"]
        asking = [
            context.exists[number]
            for number in np.flatnonzero(context.primary == index)
            if getattr(context.demands[number].row, asked) >= 1
        ]
        for period in sorted(incident.survived[index]):
            found += overloads[period]
            if any(exists[period] for exists in asking) or (moved_in is not None and moved_in[:, period].any()):
                promised += overloads[period]
    return tuple(found), promised


def _missed(demand: Demand, recovery: Recovery | None) -> Iterator[str]:
    """The recovery objectives that a restored demand misses."""
    if recovery is None:
        yield f"{demand} has no replication mechanism"
        return
    for objective in ("rto_minutes", "rpo_minutes"):
        value, limit = getattr(recovery, objective), getattr(demand.row, objective)
        if limit is not None and exceeds(value, limit):
            yield f"{demand}: {objective} {value:g} is over {limit:g}"


def _cut_copies(context: PlanContext, index: int, has_moved: bool, minutes: float) -> str:
    """The promise of a demand whose copies stop, from its primary or, once it has moved, back to it."""
    demand, standby = context.demands[index], context.standby_name(index)
    origin = context.clusters[int(context.primary[index])].name
    way = f"back from {standby} to {origin}" if has_moved else f"from {origin} to {standby}"
    limit = 0.0 if demand.row.rpo_minutes is None else demand.row.rpo_minutes
    asked = (
        f"over rpo_minutes {limit:g}" if exceeds(minutes, limit) else f"a longer repair passes rpo_minutes {limit:g}"
    )
    return (
        f"{demand}: its copies {way} stop, no other path carries them; its recovery point grows "
        f"until the repair, to {minutes:g} minutes: {asked}"
    )


def _overload(violation: LinkViolation | ClusterViolation | HostViolation) -> str:
    if isinstance(violation, HostViolation):
        return str(violation)
    if isinstance(violation, LinkViolation):
        what = f"link {violation.link} {'forward' if violation.forward else 'back'} Mbit/s"
    else:
        what = f"cluster {violation.cluster} {violation.resource}"
    return over_limit(what, violation.load, violation.limit, violation.period)


__all__ = [
    "FailureRow",
    "breaker_of",
    "context_of",
    "failure_row",
    "incident_of",
    "lose",
    "normal_of",
    "sweep_pairs",
    "sweep_single",
]
