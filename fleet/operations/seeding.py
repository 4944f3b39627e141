"""How long the first copies take: to each standby over the WAN, into the cloud over the internet."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from fleet.inventory.inventory import DemandKey, Inventory
from fleet.plan.context import PlanContext
from fleet.plan.plan import LinkRow, Plan, StandbyRow
from fleet.plan.uploads import upload_limit_mbps, upload_loads
from fleet.quantities import GB_PER_TB
from fleet.tables import Row, column
from fleet.wan.graph import Wan
from fleet.wan.replication import CLOUD, MEGABITS_PER_GB, SECONDS_PER_DAY


class SeedRow(Row):
    """The first copy of one protected demand."""

    workload: str = column(meaning="workload")
    site: str = column(meaning="where its users are")
    cluster: str = column(meaning="cluster that runs it")
    standby: str = column(meaning="cluster that receives the copy, or the cloud")
    priority: int = column(meaning="of the workload; the smallest is copied first")
    wave: int = column(meaning="copies of one wave of a period share no link and run side by side")
    period: int = column(meaning="period in which it is made")
    size_gb: float = column(unit="GB", meaning="on the wire: data and protocol overhead, uncompressed")
    left_mbps: float | None = column(
        unit="Mbit/s",
        meaning="what planned traffic leaves free on the narrowest link of the path, or on the internet access of the "
        "site; blank where that is not stated",
    )
    days: float | None = column(
        None, unit="days", meaning="alone on its path; blank where nothing is left, or nobody says what is"
    )
    start_day: float | None = column(None, unit="days", meaning="from the start of the period")
    finished_day: float | None = column(
        None, unit="days", meaning="from the start of the period, one after the other over shared links, by priority"
    )


def plan_seeding(plan: Plan, context: PlanContext) -> tuple[SeedRow, ...]:
    """Size, time and order of the first copies of every standby.

    Parameters
    ----------
    plan : Plan
        Its standbys, their paths, and what its links have left in the normal state.
    context : PlanContext
        The same laid out.

    Returns
    -------
    tuple of SeedRow
        By period, then priority of the workload, then size, then name: the order in which the copies are made.

    Notes
    -----
    ``days = 8000 · size / left / 86400``. The planned load of each link, the running replication included, stays
    untouched, so that seeding harms nobody. Copies that share a link in one direction wait for each other; others run
    side by side. Copies that do not fit this way are carried on disks, or the links are upgraded first. A copy into the
    cloud takes the internet access of its site: size and order are told, times only where `internet_mbps` is stated.
    """
    left = left_mbps(plan.document.links)
    sites = {cluster.name: cluster.site for cluster in context.clusters}
    uploads = left_for_uploads(context)
    queues = Queues()
    rows = []
    for period, priority, size_gb, row in _pending(plan, context.inventory):
        origin = sites[row.cluster]
        way: list[tuple[str, str, int]] = [(CLOUD, origin, period)]
        free: float | None
        if row.standby:
            way = [(link, end, period) for link, end in steps(row.path, origin, context.wan)]
            free = min((left.get(step, 0.0) for step in way), default=0.0)
        else:
            free = uploads[origin][period] if origin in uploads else None
        days = None if free is None else copy_days(size_gb, free)
        slot = queues.book(way, days)
        rows.append(
            SeedRow(
                workload=row.workload,
                site=row.site,
                cluster=row.cluster,
                standby=row.standby or CLOUD,
                priority=priority,
                wave=slot.wave,
                period=period,
                size_gb=size_gb,
                left_mbps=free,
                days=days,
                start_day=slot.start,
                finished_day=slot.end,
            )
        )
    return tuple(rows)


def _pending(plan: Plan, inventory: Inventory) -> list[tuple[int, int, float, StandbyRow]]:
    """(period, priority, size [GB], standby) of every first copy, in the order in which they are made."""
    pending = []
    for row in plan.document.standbys:
        demand = inventory.demand_by_key[DemandKey(row.workload, row.site)]
        period = inventory.first_period(demand)
        if period < len(inventory.periods):
            size_gb = inventory.amounts(demand, period).storage_tb * GB_PER_TB * inventory.policy.protocol_overhead
            pending.append((period, demand.row.priority, size_gb, row))
    return sorted(pending, key=lambda entry: (*entry[:3], entry[3].workload, entry[3].site))


class Slot(NamedTuple):
    """When a copy runs: its wave, from 1 on, and start and end; no times where it has no bandwidth."""

    wave: int
    start: float | None
    end: float | None


class Queues:
    """Copies one after the other on every link direction, side by side where they share none."""

    def __init__(self) -> None:
        self._busy: dict[Hashable, tuple[int, float]] = {}

    def book(self, way: Iterable[Hashable], duration: float | None) -> Slot:
        """The slot of the next copy over the link directions of `way`; without a duration it takes none."""
        steps_ = list(way)
        wave = 1 + max((self._busy[step][0] for step in steps_ if step in self._busy), default=0)
        if duration is None:
            return Slot(wave, None, None)
        start = max((self._busy[step][1] for step in steps_ if step in self._busy), default=0.0)
        self._busy.update(dict.fromkeys(steps_, (wave, start + duration)))
        return Slot(wave, start, start + duration)


def left_for_uploads(context: PlanContext) -> Mapping[str, list[float]]:
    """What running copies into the cloud leave of each internet access that is stated, by site and period [Mbit/s]."""
    found = {}
    for site, loads in upload_loads(context).items():
        limit = upload_limit_mbps(context.inventory, context.pack, site)
        if limit is not None:
            found[site] = [max(0.0, limit - load) for load in loads.tolist()]
    return found


def copy_days(size_gb: float, left_mbps: float) -> float | None:
    """Time to copy over what is left of a path [days], None where nothing is."""
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
