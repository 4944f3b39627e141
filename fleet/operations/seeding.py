"""How long the first copy to each standby takes over the WAN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fleet.failures.sweep import context_of
from fleet.inventory.inventory import DemandKey
from fleet.plan.context import PlanContext
from fleet.plan.plan import LinkRow, Plan
from fleet.quantities import GB_PER_TB
from fleet.tables import Row, column
from fleet.wan.graph import Wan
from fleet.wan.replication import MEGABITS_PER_GB, SECONDS_PER_DAY


class SeedRow(Row):
    """The first copy of one protected demand."""

    workload: str = column(meaning="workload")
    site: str = column(meaning="where its users are")
    cluster: str = column(meaning="cluster that runs it")
    standby: str = column(meaning="cluster that receives the copy")
    period: int = column(meaning="period in which it is made")
    size_gb: float = column(unit="GB", meaning="on the wire: data and protocol overhead, uncompressed")
    left_mbps: float = column(
        unit="Mbit/s", meaning="what planned traffic leaves free on the narrowest link of the path"
    )
    days: float | None = column(None, unit="days", meaning="alone on its path; blank where nothing is left")
    finished_day: float | None = column(
        None, unit="days", meaning="from the start of the period, one after the other over shared links, by priority"
    )


def plan_seeding(plan: Plan, context: PlanContext | None = None) -> tuple[SeedRow, ...]:
    """Size, time and order of the first copies of every standby.

    Parameters
    ----------
    plan : Plan
        Its standbys, their paths, and what its links have left in the normal state.
    context : PlanContext, optional
        The plan laid out, where the caller has it already.

    Returns
    -------
    tuple of SeedRow
        By period, then priority of the workload, then size, then name: the order in which the copies are made.

    Notes
    -----
    ``days = 8000 · size / left / 86400``. The planned load of each link, the running replication included, stays
    untouched, so that seeding harms nobody. Copies that share a link in one direction wait for each other; others run
    side by side. Copies that do not fit this way are carried on disks, or the links are upgraded first.
    """
    context = context_of(plan) if context is None else context
    inventory = context.inventory
    left = left_mbps(plan.document.links)
    sites = {cluster.name: cluster.site for cluster in context.clusters}
    pending = []
    for row in plan.document.standbys:
        demand = inventory.demand_by_key[DemandKey(row.workload, row.site)]
        period = inventory.first_period(demand)
        if period == len(inventory.periods):
            continue
        data_gb = inventory.amounts(demand, period).storage_tb * GB_PER_TB
        size_gb = data_gb * inventory.policy.protocol_overhead
        pending.append((period, demand.row.priority, size_gb, row))
    pending.sort(key=lambda entry: (*entry[:3], entry[3].workload, entry[3].site))
    busy_until: dict[tuple[str, str, int], float] = {}
    rows = []
    for period, _, size_gb, row in pending:
        way = [(link, end, period) for link, end in steps(row.path, sites[row.cluster], context.wan)]
        free = min((left.get(step, 0.0) for step in way), default=0.0)
        days = _days(size_gb, free)
        finished = None
        if days is not None:
            finished = max((busy_until.get(step, 0.0) for step in way), default=0.0) + days
            busy_until.update(dict.fromkeys(way, finished))
        rows.append(
            SeedRow(
                workload=row.workload,
                site=row.site,
                cluster=row.cluster,
                standby=row.standby,
                period=period,
                size_gb=size_gb,
                left_mbps=free,
                days=days,
                finished_day=finished,
            )
        )
    return tuple(rows)


def _days(size_gb: float, left_mbps: float) -> float | None:
    if size_gb <= 0:
        return 0.0
    return MEGABITS_PER_GB * size_gb / left_mbps / SECONDS_PER_DAY if left_mbps > 0 else None


def left_mbps(links: Iterable[LinkRow]) -> Mapping[tuple[str, str, int], float]:
    """What every link has left by (link, sending end, period) [Mbit/s]."""
    return {(row.link, row.from_, row.period): max(0.0, row.capacity_mbps - row.normal_mbps) for row in links}


def steps(path: Iterable[str], start: str, wan: Wan) -> Iterable[tuple[str, str]]:
    """The links of a path from the site `start` on, each with the end that it is entered at."""
    end = start
    for name in path:
        yield name, end
        end = wan.link(name).other_end(end)
