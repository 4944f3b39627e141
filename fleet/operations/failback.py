"""The way back: how long it takes to bring the demands of a lost cluster home, in which order."""

from __future__ import annotations

import numpy as np

from fleet.operations.seeding import Queues, copy_days, left_for_uploads
from fleet.plan.context import PlanContext
from fleet.plan.normal_state import NormalState
from fleet.plan.states import simulate
from fleet.quantities import GB_PER_TB
from fleet.tables import Row, column
from fleet.wan.replication import CLOUD
from fleet.wan.route import Hop
from fleet.wan.states import FailureState

HOURS_PER_DAY = 24.0
#: How long a cluster was out where its data survived [days]: an assumption, like every length of an outage.
OUTAGE_DAYS = 1.0


class FailbackRow(Row):
    """The copy of one demand back to its primary, at the end of the horizon."""

    cluster: str = column(meaning="cluster that was lost and stands again")
    standby: str = column(meaning="cluster that has run the demand since, or the cloud")
    workload: str = column(meaning="workload")
    site: str = column(meaning="where its users are")
    priority: int = column(meaning="of the workload; the smallest goes home first")
    wave: int = column(meaning="copies of one wave share no link and run side by side")
    resync_gb: float = column(
        unit="GB", meaning="changed in one day out, compressed, with overhead: data at home survived"
    )
    full_gb: float = column(unit="GB", meaning="all of it, uncompressed, with overhead: the site has burned")
    left_mbps: float | None = column(
        unit="Mbit/s",
        meaning="free on the narrowest link back, with users and replication of the failover running, or on the "
        "internet access of the cluster's site; blank where that is not stated",
    )
    resync_hours: float | None = column(None, unit="hours", meaning="to copy the changes; blank as are days of seeding")
    resync_finished_hour: float | None = column(None, unit="hours", meaning="the same after what goes first")
    full_hours: float | None = column(None, unit="hours", meaning="to copy all of it")
    full_finished_hour: float | None = column(None, unit="hours", meaning="the same after what goes first")


def plan_failback(normal: NormalState, outage_days: float = OUTAGE_DAYS) -> tuple[FailbackRow, ...]:
    """Size, time and order of the copies home after the loss of every cluster, one cluster at a time.

    Parameters
    ----------
    normal : NormalState
        The plan with nothing failed.
    outage_days : float
        Time in which changes gathered at the standby [days].

    Notes
    -----
    The cluster stands again and its demands still run at their standbys. Every link keeps the load of that state, and
    the replication back home, which ships new changes meanwhile, keeps its bandwidth; copies get what is left. What
    runs in the cloud comes home over the internet access of the site that it left, taken to be as wide in both
    directions, and to no other cluster.
    """
    context = normal.context
    last = len(context.inventory.periods) - 1
    rows: list[FailbackRow] = []
    for index, cluster in enumerate(context.clusters):
        protected = np.flatnonzero((context.primary == index) & np.array(context.has_copy, dtype=np.bool_)).tolist()
        here = [number for number in protected if context.inventory.first_period(context.demands[number]) <= last]
        if not here:
            continue
        outcome = simulate(normal, FailureState("cluster", cluster.name, clusters=frozenset({cluster.name})))
        left = (context.link_limit - outcome.link_loads(normal))[:, :, last]
        ways = {number: _way_home(context, number) for number in here}
        for number, way in ways.items():
            for hop in way or ():
                left[context.link_index[hop.link], 0 if hop.forward else 1] -= context.stream[number, last]
        rows += _copies(context, here, ways, np.maximum(0.0, left), outage_days)
    return tuple(rows)


def _way_home(context: PlanContext, number: int) -> tuple[Hop, ...] | None:
    """The path from the standby of a demand to its primary; none over the WAN from the cloud."""
    if context.in_cloud[number]:
        return None
    primary, standby = context.clusters[int(context.primary[number])], context.clusters[int(context.standby[number])]
    route = context.router.route(standby.site, primary.site)
    return None if route is None else route.hops


def _copies(
    context: PlanContext,
    here: list[int],
    ways: dict[int, tuple[Hop, ...] | None],
    left: np.ndarray,
    outage_days: float,
) -> list[FailbackRow]:
    inventory = context.inventory
    policy, last = inventory.policy, len(inventory.periods) - 1
    resyncs, fulls, uploads = Queues(), Queues(), left_for_uploads(context)
    pending = []
    for number in here:
        demand = context.demands[number]
        amounts = inventory.amounts(demand, last)
        full_gb = amounts.storage_tb * GB_PER_TB * policy.protocol_overhead
        changed_gb = amounts.change_gb_per_day * outage_days * policy.compression * policy.protocol_overhead
        pending.append((demand.row.priority, full_gb, demand.workload, demand.site, min(changed_gb, full_gb), number))
    rows = []
    for priority, full_gb, workload, site, changed_gb, number in sorted(pending):
        steps = [(hop.link, hop.forward) for hop in ways[number] or ()]
        free: float | None = min(
            (float(left[context.link_index[link], 0 if way else 1]) for link, way in steps), default=0.0
        )
        if context.in_cloud[number]:
            home = context.clusters[int(context.primary[number])].site
            steps, free = [(CLOUD, True)], uploads[home][last] if home in uploads else None
        resync, full = (None if free is None else copy_days(size, free) for size in (changed_gb, full_gb))
        resync_slot, full_slot = resyncs.book(steps, resync), fulls.book(steps, full)
        rows.append(
            FailbackRow(
                cluster=context.clusters[int(context.primary[number])].name,
                standby=context.standby_name(number),
                workload=workload,
                site=site,
                priority=priority,
                wave=full_slot.wave,
                resync_gb=changed_gb,
                full_gb=full_gb,
                left_mbps=free,
                resync_hours=_hours(resync),
                resync_finished_hour=_hours(resync_slot.end),
                full_hours=_hours(full),
                full_finished_hour=_hours(full_slot.end),
            )
        )
    return rows


def _hours(days: float | None) -> float | None:
    return None if days is None else days * HOURS_PER_DAY
