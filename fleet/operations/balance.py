"""How evenly a plan loads its clusters, and which clusters are larger, fuller or lopsided beyond need."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fleet.plan.context import COMPUTE, PlanContext
from fleet.plan.placement import exceeds
from fleet.plan.plan import Finding
from fleet.plan.protection import Floats
from fleet.plan.rules.base import finding
from fleet.plan.standing_clusters import StandingCluster
from fleet.platform.archetype import Archetype
from fleet.platform.archetypes import ArchetypeError, archetype_for
from fleet.platform.resiliency import default_layout
from fleet.quantities import RESOURCES
from fleet.tables import Row, column

#: A cluster this much fuller or emptier than the fleet is out of balance; a resource below IDLE_SHARE beside one above
#: FULL_SHARE is stranded.
OUT_OF_BALANCE, IDLE_SHARE, FULL_SHARE = 0.25, 0.35, 0.85


class BalanceRow(Row):
    """How full one resource of a cluster is at the end of the plan, beside the rest of the fleet."""

    cluster: str = column(meaning="cluster")
    site: str = column(meaning="where it stands")
    nodes: int = column(unit="nodes", meaning="nodes in the last period")
    resource: str = column(meaning="vcpu, memory_gb, pool_tb or gpu")
    used: float = column(unit="fraction", meaning="own load and standby reserve of usable capacity, last period")
    peak: float = column(unit="fraction", meaning="the same in the fullest period")
    fleet: float = column(unit="fraction", meaning="of the fleet in the last period, all clusters together")
    deviation: float = column(unit="fraction", meaning="used less fleet")


def plan_balance(context: PlanContext) -> tuple[BalanceRow, ...]:
    """Use of every cluster and resource, and how far it is from that of the fleet.

    Parameters
    ----------
    context : PlanContext
        The plan laid out.

    Notes
    -----
    A cluster is as full as ``(own load + standby reserve) / capacity``; the fleet as the sum of the one over the sum of
    the other. Resources that a cluster does not offer are left out.
    """
    use, fleet = _use(context), _fleet(context)
    rows = []
    for index, cluster in enumerate(context.clusters):
        for number, resource in enumerate(RESOURCES):
            last = float(use[index, number, -1])
            if np.isnan(last):
                continue
            rows.append(
                BalanceRow(
                    cluster=cluster.name,
                    site=cluster.site,
                    nodes=cluster.decision.nodes[-1],
                    resource=resource,
                    used=last,
                    peak=float(np.nanmax(use[index, number])),
                    fleet=float(fleet[number]),
                    deviation=last - float(fleet[number]),
                )
            )
    return tuple(rows)


def balance_findings(context: PlanContext, rows: tuple[BalanceRow, ...]) -> Iterator[Finding]:
    """Clusters out of balance, stranded resources, and clusters that fewer nodes or smaller ones would carry."""
    by_cluster: dict[str, list[BalanceRow]] = {}
    for row in rows:
        by_cluster.setdefault(row.cluster, []).append(row)
    for name, own in by_cluster.items():
        fullest = max(own, key=lambda row: row.used)
        odd = max(own, key=lambda row: abs(row.deviation))
        if len(by_cluster) > 1 and exceeds(abs(odd.deviation), OUT_OF_BALANCE):
            word = "fuller" if odd.deviation > 0 else "emptier"
            yield finding(
                "OPS-301",
                name,
                f"{odd.resource} is {odd.used:.0%} full, that of the fleet {odd.fleet:.0%}: {word} than the rest",
                "move workloads where round trips and residency allow it; the plan is cheapest, not most even",
                odd.used,
                odd.fleet,
                "fraction",
                severity="info",
            )
        idle = [row for row in own if row.resource != "gpu" and row.peak < IDLE_SHARE]
        if idle and fullest.used > FULL_SHARE:
            yield finding(
                "OPS-302",
                name,
                f"{fullest.resource} is {fullest.used:.0%} full while "
                f"{' and '.join(f'{row.resource} peaks at {row.peak:.0%}' for row in idle)}",
                "look for a node model with more of the one and less of the other",
                fullest.used,
                max(row.peak for row in idle),
                "fraction",
                severity="info",
            )
        yield from _right_size(context, context.clusters[context.cluster_index[name]])


def _use(context: PlanContext) -> Floats:
    """(Own load + standby reserve) / capacity, shape (n_clusters, n_resources, n_periods); nan without capacity."""
    claimed = _claimed(context)
    capacity = np.where(np.isfinite(context.capacity), context.capacity, 0.0)
    return np.divide(claimed, capacity, out=np.full_like(claimed, np.nan), where=capacity > 0)


def _claimed(context: PlanContext) -> Floats:
    """Own load and standby reserve, shape (n_clusters, n_resources, n_periods)."""
    claimed = context.load.copy()
    claimed[:, COMPUTE] += context.reserve
    return claimed


def _fleet(context: PlanContext) -> Floats:
    """Use of each resource over all clusters in the last period, shape (n_resources,)."""
    capacity = np.where(np.isfinite(context.capacity), context.capacity, 0.0)[:, :, -1]
    claimed = np.where(capacity > 0, _claimed(context)[:, :, -1], 0.0)
    total = capacity.sum(axis=0)
    share: Floats = np.divide(claimed.sum(axis=0), total, out=np.zeros(len(RESOURCES)), where=total > 0)
    return share


def _right_size(context: PlanContext, cluster: StandingCluster) -> Iterator[Finding]:
    """The fewest nodes of the same model that carry all that a cluster carries, where they are fewer than planned."""
    index = context.cluster_index[cluster.name]
    planned = cluster.decision.nodes[-1]
    now = cluster.archetypes[-1]
    if now is None or planned <= 1:
        return
    wanted = _wanted_tolerance(context, index)
    for nodes in range(1, planned):
        smaller = _archetype(context, cluster, nodes)
        if smaller is None or smaller.node_tolerance < wanted or not _carries(context, index, now, smaller):
            continue
        yield finding(
            "OPS-303",
            cluster.name,
            f"{nodes} nodes would carry what {planned} carry at the end of the plan"
            + (": it stood before" if cluster.decision.existing else ""),
            "buy fewer where its workloads may stay; nodes that stand already cannot be taken away",
            planned,
            nodes,
            "nodes",
            severity="info",
        )
        return


def _wanted_tolerance(context: PlanContext, index: int) -> int:
    hosted = (
        demand.row.fault_tolerance
        for demand, primary, standby in zip(context.demands, context.primary, context.standby, strict=True)
        if index in (primary, standby)
    )
    return max(hosted, default=0)


def _archetype(context: PlanContext, cluster: StandingCluster, nodes: int) -> Archetype | None:
    try:
        return archetype_for(
            context.inventory, context.pack, cluster.decision.node_model, nodes, default_layout(nodes, context.pack)
        )
    except ArchetypeError:
        return None


def _carries(context: PlanContext, index: int, now: Archetype, smaller: Archetype) -> bool:
    """Whether `smaller` carries the load of the last period, its storage at its own efficiency."""
    for number, resource in enumerate(RESOURCES):
        need = float(context.load[index, number, -1]) + context.reserve_of(index, resource, -1)
        if resource == "pool_tb":
            need *= max(now.efficiency[tier] / smaller.efficiency[tier] for tier in now.efficiency)
        if exceeds(need, float(getattr(smaller.capacity.usable, resource))):
            return False
    return True


def fleet_spread(rows: tuple[BalanceRow, ...]) -> dict[str, float]:
    """Per resource, the standard deviation of use over the clusters: 0 = perfectly even [fraction]."""
    return {
        resource: float(np.std([row.used for row in rows if row.resource == resource]))
        for resource in RESOURCES
        if any(row.resource == resource for row in rows)
    }
