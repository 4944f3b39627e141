"""The rows of a plan that follow from its decisions; the audit derives them anew and compares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal, cast

from fleet.inventory.inventory import DemandKey, Inventory
from fleet.plan.context import PlanContext
from fleet.plan.costs import NODE_TERMS, added_nodes
from fleet.plan.decisions import ClusterDecision
from fleet.plan.normal_state import NormalState
from fleet.plan.pinning import is_at, pins_on
from fleet.plan.plan import (
    ActionRow,
    AssignmentRow,
    ClusterLoadRow,
    ClusterPeriodRow,
    ClusterRow,
    CostRow,
    LinkRow,
    Origin,
    PeriodRow,
    StandbyRow,
)
from fleet.plan.protection import recovery_point_minutes
from fleet.plan.standing_clusters import StandingCluster
from fleet.plan.states import StateOutcome, worst_loads
from fleet.platform.growth import growth_notes
from fleet.platform.quorum import choose_witness
from fleet.platform.resiliency import zones_of
from fleet.platform.standing import archetype_today
from fleet.quantities import RESOURCES
from fleet.rulepack import RulePack
from fleet.wan.replication import CLOUD

Resource = Literal["vcpu", "memory_gb", "pool_tb", "gpu"]


def period_rows(inventory: Inventory) -> tuple[PeriodRow, ...]:
    """The planning periods."""
    return tuple(PeriodRow(period=span.index, month=span.first_month) for span in inventory.periods)


def cluster_period_rows(context: PlanContext) -> tuple[ClusterPeriodRow, ...]:
    """Nodes and layout of every cluster in the periods in which it has nodes."""
    return tuple(
        ClusterPeriodRow(cluster=cluster.name, period=period, nodes=nodes, layout=dict(layout))
        for cluster in context.clusters
        for period, (nodes, layout) in enumerate(zip(cluster.decision.nodes, cluster.decision.layouts, strict=True))
        if nodes > 0
    )


def cluster_rows(context: PlanContext) -> tuple[ClusterRow, ...]:
    """Every cluster; an existing one keeps its stated witness."""
    return tuple(_cluster_row(context.inventory, context.pack, cluster.decision) for cluster in context.clusters)


def _cluster_row(inventory: Inventory, pack: RulePack, cluster: ClusterDecision) -> ClusterRow:
    pinned = any(pin.decision == "open" and pin.site == cluster.site for pin in inventory.pins)
    origin: Origin = "existing" if cluster.existing else "pinned" if pinned else cluster.origin
    return ClusterRow(
        cluster=cluster.cluster,
        site=cluster.site,
        node_model=cluster.node_model,
        witness=witness_of(inventory, pack, cluster),
        existing=cluster.existing,
        origin=origin,
        opened=next((period for period, nodes in enumerate(cluster.nodes) if nodes > 0), 0),
    )


def witness_of(inventory: Inventory, pack: RulePack, cluster: ClusterDecision) -> str:
    """The witness of a cluster: the one it stands with, else the first that the rules ask for as it grows."""
    stated = next((row.witness for row in inventory.clusters if row.cluster == cluster.cluster), "")
    if cluster.existing and stated:
        return stated
    if any(zones_of(layout, pack) > 1 for layout in cluster.layouts):
        return "cloud"
    site = inventory.site(cluster.site)
    chosen = [choose_witness(nodes, site.internet, pack) for nodes in cluster.nodes if nodes > 0]
    return next((witness for witness in chosen if witness != "none"), "none")


def cluster_load_rows(context: PlanContext) -> tuple[ClusterLoadRow, ...]:
    """Capacity, load and standby reserve of every cluster, in the periods in which it has nodes."""
    return tuple(_cluster_loads(context))


def _cluster_loads(context: PlanContext) -> Iterator[ClusterLoadRow]:
    for index, cluster in enumerate(context.clusters):
        for span in context.inventory.periods:
            if cluster.decision.nodes[span.index] <= 0:
                continue
            is_refused = cluster.archetypes[span.index] is None
            for position, resource in enumerate(RESOURCES):
                capacity = 0.0 if is_refused else float(context.capacity[index, position, span.index])
                yield ClusterLoadRow(
                    cluster=cluster.name,
                    period=span.index,
                    resource=cast("Resource", resource),
                    capacity=capacity,
                    load=float(context.load[index, position, span.index]),
                    standby_reserve=context.reserve_of(index, resource, span.index),
                )


def assignment_rows(context: PlanContext) -> tuple[AssignmentRow, ...]:
    """Where every served demand runs."""
    return tuple(_assignment(context, index) for index in range(len(context.demands)))


def standby_rows(context: PlanContext) -> tuple[StandbyRow, ...]:
    """Every standby copy: path, bandwidth, recovery point and time. One in the cloud has no standby and no path."""
    return tuple(_standby(context, index) for index in range(len(context.demands)) if context.has_copy[index])


def _assignment(context: PlanContext, index: int) -> AssignmentRow:
    demand, cluster = context.demands[index], context.clusters[int(context.primary[index])]
    route = context.router.route(demand.site, cluster.site)
    pins = pins_on(context.inventory.pins, "assign", demand)
    origin: Origin = "chosen"
    if any(is_at(pin, cluster.name, cluster.site) for pin in pins):
        origin = "pinned"
    elif demand.row.placement == "local":
        origin = "given"
    return AssignmentRow(
        workload=demand.workload,
        site=demand.site,
        cluster=cluster.name,
        rtt_ms=0.0 if route is None else route.rtt_ms,
        origin=origin,
    )


def _standby(context: PlanContext, index: int) -> StandbyRow:
    demand, mechanism = context.demands[index], context.mechanisms[index]
    primary = context.clusters[int(context.primary[index])]
    if context.in_cloud[index]:
        standby, route, origin = "", None, "given"
    else:
        host = context.clusters[int(context.standby[index])]
        standby, route = host.name, context.router.route(primary.site, host.site)
        pins = pins_on(context.inventory.pins, "standby", demand)
        origin = "pinned" if any(is_at(pin, host.name, host.site) for pin in pins) else "chosen"
    return StandbyRow(
        workload=demand.workload,
        site=demand.site,
        cluster=primary.name,
        standby=standby,
        mechanism="" if mechanism is None else mechanism.name,
        rtt_ms=0.0 if route is None else route.rtt_ms,
        required_mbps=float(context.stream[index].max(initial=0.0)),
        path=() if route is None else route.links,
        rpo_minutes=0.0 if mechanism is None else recovery_point_minutes(context.inventory, demand, mechanism),
        rto_minutes=0.0 if mechanism is None else mechanism.rto_minutes,
        origin=cast("Origin", origin),
    )


def link_rows(normal: NormalState, outcomes: Iterable[StateOutcome]) -> tuple[LinkRow, ...]:
    """Normal and worst load of every link, direction and period.

    Parameters
    ----------
    normal : NormalState
        The plan with nothing failed.
    outcomes : iterable of StateOutcome
        Of every single failure.
    """
    context, worst = normal.context, worst_loads(normal, outcomes)
    rows: list[LinkRow] = []
    for index, name in enumerate(context.links):
        link = context.wan.links[name]
        first = context.decisions.upgrades.get(name, len(context.inventory.periods))
        for side, ends in enumerate(((link.from_, link.to), (link.to, link.from_))):
            row = 2 * index + side
            rows.extend(
                LinkRow(
                    link=name,
                    from_=ends[0],
                    to=ends[1],
                    period=span.index,
                    capacity_mbps=float(context.link_limit[index, side, span.index]),
                    upgraded=span.index >= first,
                    normal_mbps=float(normal.mbps[row, span.index]),
                    worst_mbps=float(worst.mbps[row, span.index]),
                    worst_case=worst.names[int(worst.states[row, span.index])],
                )
                for span in context.inventory.periods
            )
    return tuple(rows)


def action_rows(context: PlanContext, costs: Iterable[CostRow]) -> tuple[ActionRow, ...]:
    """What to do in each period, with the nominal capex of each action."""
    capex = {(row.term, row.subject, row.period): row.amount for row in costs if row.kind == "capex"}
    found = [
        *_cluster_actions(context, capex),
        *_seed_actions(context),
        *(
            ActionRow(period=period, action="upgrade_link", link=name, detail=f"to {_upgrade(context, name)} Mbit/s")
            for name, period in context.decisions.upgrades.items()
            if name in context.wan.links
        ),
        *(
            ActionRow(
                period=0,
                action="close",
                cluster=row.cluster,
                site=row.site,
                detail=f"retire {row.nodes} × {row.node_model}",
                cost=row.cost_to_retire,
            )
            for row in context.inventory.clusters
            if row.cluster in context.decisions.retired
        ),
    ]
    return tuple(sorted(found, key=lambda row: (row.period, row.action, row.site, row.cluster, row.link, row.detail)))


def _upgrade(context: PlanContext, link: str) -> str:
    upgrade = context.wan.links[link].upgrade_mbps
    return "its own" if upgrade is None else f"{upgrade:g}"


def _cluster_actions(context: PlanContext, capex: dict[tuple[str, str, int], float]) -> Iterator[ActionRow]:
    """Open and grow; the opening cost of a site goes to its first cluster."""
    paid: set[str] = set()
    for cluster in context.clusters:
        decision = cluster.decision
        opened = next((period for period, nodes in enumerate(decision.nodes) if nodes > 0), -1)
        for period, added in enumerate(added_nodes(context.inventory, decision)):
            is_opening = period == opened and not decision.existing
            if not is_opening and added <= 0:
                continue
            cost = sum(capex.get((term, cluster.name, period), 0.0) for term in NODE_TERMS)
            opening = capex.get(("opening", cluster.site, period), 0.0)
            if is_opening and opening and cluster.site not in paid:
                paid.add(cluster.site)
                cost += opening
            yield ActionRow(
                period=period,
                action="open" if is_opening else "add_nodes",
                cluster=cluster.name,
                site=cluster.site,
                detail=_growth_detail(context, cluster, period, 0 if is_opening else added),
                cost=cost,
            )


def _growth_detail(context: PlanContext, cluster: StandingCluster, period: int, added: int) -> str:
    decision = cluster.decision
    layout = decision.layouts[period]
    kinds = set(layout.values())
    tiers = ", ".join(f"{tier} {kind}" for tier, kind in sorted(layout.items()))
    parts = [f"{decision.nodes[period]} × {decision.node_model}", next(iter(kinds)) if len(kinds) == 1 else tiers]
    if added:
        parts.insert(0, f"{added} more")
    before = cluster.archetypes[period - 1] if period > 0 else None
    if period == 0 and decision.existing:
        before = archetype_today(context.inventory, context.pack, cluster.name)
    now = cluster.archetypes[period]
    if before is not None and now is not None:
        parts.extend(growth_notes(before, now, context.pack))
    return "; ".join(part for part in parts if part)


def _seed_actions(context: PlanContext) -> Iterator[ActionRow]:
    """Initial copies, by period, primary and standby cluster."""
    groups: defaultdict[tuple[int, int, int], list[DemandKey]] = defaultdict(list)
    volume: defaultdict[tuple[int, int, int], float] = defaultdict(float)
    for index, demand in enumerate(context.demands):
        start = context.inventory.first_period(demand)
        if start >= len(context.inventory.periods) or not context.has_copy[index]:
            continue
        key = (start, int(context.primary[index]), int(context.standby[index]))
        groups[key].append(demand.key)
        volume[key] += context.inventory.amounts(demand, start).storage_tb
    for (start, primary, standby), keys in groups.items():
        source = context.clusters[primary]
        target, way = (source, f"into {CLOUD}") if standby < 0 else (context.clusters[standby], f"from {source.name}")
        copies = "copy" if len(keys) == 1 else "copies"
        yield ActionRow(
            period=start,
            action="seed",
            cluster=target.name,
            site=target.site,
            detail=f"{len(keys)} {copies} {way}, {volume[start, primary, standby]:.2f} TB",
        )
