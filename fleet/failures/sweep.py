"""Lose any element of a plan and see what happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fleet.failures.elements import Element, elements, find_element
from fleet.inventory.checks import checked_inventory
from fleet.inventory.inventory import Demand, Inventory
from fleet.plan.context import PlanContext, StandingCluster, build_context
from fleet.plan.decisions import decisions_of
from fleet.plan.placement import exceeds
from fleet.plan.plan import Plan
from fleet.plan.protection import recovery_point_minutes
from fleet.plan.states import ClusterViolation, LinkViolation, ReachViolation, StateOutcome, simulate
from fleet.platform.archetypes import Archetype
from fleet.platform.capacity import cluster_capacity
from fleet.platform.quorum import node_tolerance
from fleet.platform.resiliency import resiliency_types
from fleet.quantities import COMPUTE_RESOURCES
from fleet.rulepack import load_rulepack
from fleet.tables import Row, column


class FailureRow(Row):
    """What the loss of one element does. A demand is named ``workload at site``."""

    element: str = column(meaning="kind:name")
    kind: str = column(meaning="drive, node, cluster, link, shared_risk, network, site or fault_domain")
    count: int = column(meaning="identical elements that this row stands for; one of them fails")
    down: tuple[str, ...] = column((), meaning="out of service: unprotected, or a single point of failure")
    restored: tuple[str, ...] = column((), meaning="runs at its standby")
    lost: tuple[str, ...] = column((), meaning="out of service although protected against it")
    overloaded: tuple[str, ...] = column((), meaning="links and clusters over their limits, with both values")
    rto_minutes: float | None = column(None, unit="minutes", meaning="until the last of the restored runs again")
    rpo_minutes: float | None = column(None, unit="minutes", meaning="largest loss of data among the restored")
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


def sweep_single(plan: Plan, context: PlanContext | None = None) -> tuple[FailureRow, ...]:
    """What the loss of every single element of a plan does, from drives to fault domains.

    Parameters
    ----------
    plan : Plan
        The plan.
    context : PlanContext, optional
        The same laid out, where the caller has it already.
    """
    context = context_of(plan) if context is None else context
    witnesses = {row.cluster: row.witness for row in plan.document.clusters}
    return tuple(_lose(context, witnesses, element) for element in elements(context))


def lose(plan: Plan, element_id: str, context: PlanContext | None = None) -> FailureRow:
    """What the loss of one element does.

    Raises
    ------
    UnknownIdError
        If the plan has no such element.
    """
    context = context_of(plan) if context is None else context
    witnesses = {row.cluster: row.witness for row in plan.document.clusters}
    return _lose(context, witnesses, find_element(context, element_id))


def _lose(context: PlanContext, witnesses: dict[str, str], element: Element) -> FailureRow:
    if element.kind in ("drive", "node"):
        cluster = context.clusters[context.cluster_index[element.name]]
        has_witness = witnesses.get(cluster.name, "none") != "none"
        if all(_survives(context, element.kind, archetype, has_witness) for archetype in _standing(cluster)):
            return _survived(context, element, cluster)
    return _row(context, element, simulate(context, element.state))


def _standing(cluster: StandingCluster) -> list[Archetype]:
    return [archetype for archetype in cluster.archetypes if archetype is not None]


def _survives(context: PlanContext, kind: str, archetype: Archetype, has_witness: bool) -> bool:
    """Whether data and quorum stay up without one drive or node."""
    if kind == "drive":
        types = resiliency_types(context.pack)
        return all(types[name].drive_tolerance >= 1 for name in archetype.layout.values())
    return node_tolerance(archetype.nodes, has_witness, archetype.tolerance.data, context.pack).nodes >= 1


def _survived(context: PlanContext, element: Element, cluster: StandingCluster) -> FailureRow:
    """The loss of a drive or node that its cluster survives: virtual machines restart on the nodes that are left."""
    if element.kind == "drive":
        return FailureRow(element=element.id, kind=element.kind, count=element.count)
    overloaded = tuple(text for texts in node_overloads(context, cluster) for text in texts)
    asking = any(demand.row.fault_tolerance >= 1 for demand in _own(context, cluster))
    return FailureRow(
        element=element.id,
        kind=element.kind,
        count=element.count,
        overloaded=overloaded,
        rto_minutes=context.pack.number("recovery.node_failure_minutes"),
        rpo_minutes=0.0,
        broken_promises=overloaded if asking else (),
    )


def _own(context: PlanContext, cluster: StandingCluster) -> list[Demand]:
    index = context.cluster_index[cluster.name]
    return [demand for demand, primary in zip(context.demands, context.primary, strict=True) if primary == index]


def node_overloads(context: PlanContext, cluster: StandingCluster) -> tuple[tuple[str, ...], ...]:
    """Per period, the compute that one node fewer cannot run, in full use and without any reserve."""
    policy = context.inventory.policy.model_copy(update={"reserve_nodes": 1, "max_utilization": 1.0})
    model = context.inventory.node_model_by_name[cluster.decision.node_model]
    own = context.own_compute[context.cluster_index[cluster.name]]
    found: list[tuple[str, ...]] = []
    for period, archetype in enumerate(cluster.archetypes):
        if archetype is None:
            found.append(())
            continue
        left = cluster_capacity(model, archetype.nodes, archetype.layout, policy, context.pack).usable
        found.append(
            tuple(
                _over(f"cluster {cluster.name} {resource}", float(load), float(getattr(left, resource)), period)
                for resource, load in zip(COMPUTE_RESOURCES, own[:, period], strict=True)
                if exceeds(float(load), float(getattr(left, resource)))
            )
        )
    return tuple(found)


def _row(context: PlanContext, element: Element, outcome: StateOutcome) -> FailureRow:
    names = [str(demand) for demand in context.demands]
    restored = sorted((*outcome.moved, *outcome.restored))
    down = sorted((*outcome.down, *outcome.single_points))
    recoveries = {index: _recovery(context, index) for index in restored}
    times = [recovery.rto_minutes for recovery in recoveries.values() if recovery is not None]
    points = [recovery.rpo_minutes for recovery in recoveries.values() if recovery is not None]
    overloaded = tuple(
        _overload(violation) for violation in outcome.violations if not isinstance(violation, ReachViolation)
    )
    broken = [f"{names[index]} is protected and not restored" for index in outcome.lost]
    broken += [
        f"{names[index]} is protected and has no standby"
        for index in outcome.down
        if context.demands[index].is_protected
    ]
    for index, recovery in recoveries.items():
        broken += _missed(context.demands[index], recovery)
    broken += overloaded
    if element.kind == "node":
        broken += [
            f"{names[index]} asks for fault_tolerance {context.demands[index].row.fault_tolerance} "
            "and stops when one node is lost"
            for index in sorted((*restored, *down, *outcome.lost))
            if context.demands[index].row.fault_tolerance >= 1
        ]
    return FailureRow(
        element=element.id,
        kind=element.kind,
        count=element.count,
        down=tuple(names[index] for index in down),
        restored=tuple(names[index] for index in restored),
        lost=tuple(names[index] for index in outcome.lost),
        overloaded=overloaded,
        rto_minutes=max(times, default=None),
        rpo_minutes=max(points, default=None),
        broken_promises=tuple(broken),
    )


class _Recovery(NamedTuple):
    """Recovery time and loss of data of a demand that runs at its standby."""

    rto_minutes: float
    rpo_minutes: float


def _recovery(context: PlanContext, index: int) -> _Recovery | None:
    mechanism = context.mechanisms[index]
    if mechanism is None:
        return None
    point = recovery_point_minutes(context.inventory, context.demands[index], mechanism)
    return _Recovery(mechanism.rto_minutes, point)


def _missed(demand: Demand, recovery: _Recovery | None) -> Iterator[str]:
    """The recovery objectives that a restored demand misses."""
    if recovery is None:
        yield f"{demand} has no replication mechanism"
        return
    for objective in _Recovery._fields:
        value, limit = getattr(recovery, objective), getattr(demand.row, objective)
        if limit is not None and exceeds(value, limit):
            yield f"{demand}: {objective} {value:g} is over {limit:g}"


def _overload(violation: LinkViolation | ClusterViolation) -> str:
    if isinstance(violation, LinkViolation):
        what = f"link {violation.link} {'forward' if violation.forward else 'back'} Mbit/s"
    else:
        what = f"cluster {violation.cluster} {violation.resource}"
    return _over(what, violation.load, violation.limit, violation.period)


def _over(what: str, load: float, limit: float, period: int) -> str:
    return f"{what}: {load:,.2f} of {limit:,.2f} in period {period}"
