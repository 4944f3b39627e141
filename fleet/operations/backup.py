"""Where backups go, how much room they take, and whether the nightly copy fits into its window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fleet.inventory.inventory import Demand
from fleet.operations.seeding import steps
from fleet.plan.context import POOL, PlanContext
from fleet.plan.costs import backup_store_tb
from fleet.plan.placement import exceeds, residency_holds
from fleet.plan.plan import Finding, Origin, Plan
from fleet.plan.protection import Floats
from fleet.plan.rules.base import demands_text, finding
from fleet.tables import Row, column
from fleet.wan.replication import MEGABITS_PER_GB, SECONDS_PER_HOUR, nightly_backup_gb

#: The tier that backups would take on a cluster.
BACKUP_TIER = "archive"


class BackupRow(Row):
    """The backups of one demand, in the period in which they are largest."""

    workload: str = column(meaning="workload")
    site: str = column(meaning="where its users are")
    cluster: str = column(meaning="cluster that runs it")
    target: str = column("", meaning="site where the backups are kept; blank where none is fit")
    origin: Origin = column(meaning="given by backup_site, or chosen")
    days: int = column(unit="days", meaning="how long they are kept")
    protected_tb: float = column(unit="TB", meaning="data that is backed up")
    store_tb: float = column(unit="TB", meaning="first copy and the changes of every day kept")
    nightly_gb: float = column(unit="GB", meaning="changes of a day on the wire")
    planned_mbps: float = column(
        0.0, unit="Mbit/s", meaning="that the links of its path hold ready for it at its largest; 0 where it is chosen"
    )
    rtt_ms: float | None = column(None, unit="ms", meaning="round trip from the cluster to the target")
    hours: float | None = column(
        None, unit="hours", meaning="nightly copy on the fullest link of its path, all backups there; blank without one"
    )


class BackupTargetRow(Row):
    """What one site keeps in one period."""

    target: str = column(meaning="site that keeps backups")
    period: int = column(meaning="period")
    demands: int = column(meaning="demands whose backups it keeps")
    protected_tb: float = column(unit="TB", meaning="data that is backed up")
    store_tb: float = column(unit="TB", meaning="first copies and the changes of every day kept")
    scratch_tb: float = column(unit="TB", meaning="work space of the backup server")
    total_tb: float = column(unit="TB", meaning="room that the backups need")
    room_tb: float = column(unit="TB", meaning="data of tier archive that the clusters there could still hold")
    to_buy_tb: float = column(unit="TB", meaning="backup storage to buy beside the clusters")


@dataclass(frozen=True)
class BackupPlan:
    """Backups by demand, by target and period, and what is wrong with them."""

    rows: tuple[BackupRow, ...]
    targets: tuple[BackupTargetRow, ...]
    findings: tuple[Finding, ...]


def plan_backups(plan: Plan, context: PlanContext) -> BackupPlan:
    """Place the backups of every demand with ``backup_days``, and count what they take.

    Parameters
    ----------
    plan : Plan
        The plan.
    context : PlanContext
        The same laid out.

    Notes
    -----
    A demand that names no `backup_site` is backed up at a site with a cluster in another fault domain than its own
    that its residency allows: away from its standby where possible, then nearest by round trip, then by name.

    ``store = protected + changes per day · days``, ``scratch = share · protected`` (rule pack,
    ``backup.scratch_fraction``) and ``nightly = changes per day · protocol overhead``. Every copy is whole and
    uncompressed, and so is every day's change: the estimate is on the safe side. The nightly copy uses what users and
    replication leave free in the normal state, and must be done within ``backup_window_hours``. Backups to a site that
    the planner names have their bandwidth in the plan (`fleet.wan.replication.backup_mbps`); those whose target is
    chosen here take what is left.

    References
    ----------
    AzureLocal/azurelocal-surveyor docs/capacity-model.md (community, 06/2026) for the sizing rule.
    """
    window_hours = context.inventory.policy.backup_window_hours
    backed_up = [index for index, demand in enumerate(context.demands) if demand.row.backup_days > 0]
    targets = {index: _target(context, index) for index in backed_up}
    hours = _hours(plan, context, targets)
    rows = tuple(_row(context, index, targets[index], hours.get(index)) for index in backed_up)
    return BackupPlan(
        rows, tuple(_target_rows(context, targets)), tuple(_findings(context, backed_up, rows, window_hours))
    )


def _target(context: PlanContext, index: int) -> str:
    demand = context.demands[index]
    if demand.row.backup_site:
        return demand.row.backup_site
    inventory, primary = context.inventory, context.clusters[int(context.primary[index])]
    standby = "" if context.standby[index] < 0 else context.clusters[int(context.standby[index])].fault_domain
    found = []
    for cluster in context.clusters:
        site = inventory.site(cluster.site)
        route = context.router.route(primary.site, site.site)
        if cluster.fault_domain == primary.fault_domain or route is None:
            continue
        if residency_holds(demand, inventory.site(demand.site), site):
            found.append((cluster.fault_domain == standby, route.rtt_ms, site.site))
    return min(found)[2] if found else ""


def _amounts(context: PlanContext, demand: Demand) -> tuple[Floats, Floats]:
    """Data [TB] and changes [GB/day] of a demand, each of shape (n_periods,)."""
    rows = [context.inventory.amounts(demand, span.index) for span in context.inventory.periods]
    return np.array([row.storage_tb for row in rows]), np.array([row.change_gb_per_day for row in rows])


def _store_tb(context: PlanContext, demand: Demand) -> Floats:
    rows = [context.inventory.amounts(demand, span.index) for span in context.inventory.periods]
    return np.array([backup_store_tb(row, demand.row.backup_days) for row in rows])


def _hours(plan: Plan, context: PlanContext, targets: Mapping[int, str]) -> dict[int, float]:
    """Per demand, the hours of a night that the fullest link of its way to the target is busy with backups."""
    left: defaultdict[tuple[str, str, int], float] = defaultdict(float)
    for row in plan.document.links:
        left[row.link, row.from_, row.period] = row.capacity_mbps - row.normal_mbps
    last = len(context.inventory.periods) - 1
    ways: dict[int, list[tuple[str, str, int]]] = {}
    busy: defaultdict[tuple[str, str, int], float] = defaultdict(float)
    for index, target in targets.items():
        start = context.clusters[int(context.primary[index])].site
        route = context.router.route(start, target) if target else None
        if route is None:
            continue
        ways[index] = [(link, end, last) for link, end in steps(route.links, start, context.wan)]
        for step in ways[index]:
            busy[step] += MEGABITS_PER_GB * _nightly_gb(context, context.demands[index])
            left[step] += float(context.backup[index, last])  # planned for just this
    return {
        index: max((_busy_hours(busy[step], left[step]) for step in way), default=0.0) for index, way in ways.items()
    }


def _busy_hours(megabits: float, mbps: float) -> float:
    if megabits <= 0:
        return 0.0
    return megabits / mbps / SECONDS_PER_HOUR if mbps > 0 else float("inf")


def _nightly_gb(context: PlanContext, demand: Demand) -> float:
    return nightly_backup_gb(float(_amounts(context, demand)[1].max(initial=0.0)), context.inventory.policy)


def _row(context: PlanContext, index: int, target: str, hours: float | None) -> BackupRow:
    demand, primary = context.demands[index], context.clusters[int(context.primary[index])]
    route = context.router.route(primary.site, target) if target else None
    return BackupRow(
        workload=demand.workload,
        site=demand.site,
        cluster=primary.name,
        target=target,
        origin="given" if demand.row.backup_site else "chosen",
        days=demand.row.backup_days,
        protected_tb=float(_amounts(context, demand)[0].max(initial=0.0)),
        store_tb=float(_store_tb(context, demand).max(initial=0.0)),
        nightly_gb=_nightly_gb(context, demand),
        planned_mbps=float(context.backup[index].max(initial=0.0)) if route is not None and route.hops else 0.0,
        rtt_ms=None if route is None else route.rtt_ms,
        hours=None if hours is None or hours == float("inf") else hours,
    )


def _target_rows(context: PlanContext, targets: Mapping[int, str]) -> Iterator[BackupTargetRow]:
    scratch = context.pack.number("backup.scratch_fraction")
    for target in sorted(set(targets.values()) - {""}):
        own = [context.demands[index] for index, name in targets.items() if name == target]
        protected = np.sum([_amounts(context, demand)[0] for demand in own], axis=0)
        store = np.sum([_store_tb(context, demand) for demand in own], axis=0)
        room = _room_tb(context, target)
        for span in context.inventory.periods:
            period = span.index
            total = float(store[period] + scratch * protected[period])
            yield BackupTargetRow(
                target=target,
                period=period,
                demands=sum(context.inventory.growth_factors(demand)[period] > 0 for demand in own),
                protected_tb=float(protected[period]),
                store_tb=float(store[period]),
                scratch_tb=float(scratch * protected[period]),
                total_tb=total,
                room_tb=float(room[period]),
                to_buy_tb=max(0.0, total - float(room[period])),
            )


def _room_tb(context: PlanContext, site: str) -> Floats:
    """Data of the backup tier that the clusters of a site could still hold, shape (n_periods,) [TB]."""
    room = np.zeros(len(context.inventory.periods))
    for index, cluster in enumerate(context.clusters):
        if cluster.site != site:
            continue
        for period, archetype in enumerate(cluster.archetypes):
            if archetype is not None:
                free = float(context.capacity[index, POOL, period] - context.load[index, POOL, period])
                room[period] += max(0.0, free) * archetype.efficiency[BACKUP_TIER]
    return room


def _findings(
    context: PlanContext, backed_up: list[int], rows: tuple[BackupRow, ...], window_hours: float
) -> Iterator[Finding]:
    """What is wrong with targets and windows, and what has neither backup nor standby."""
    inventory = context.inventory
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for index, row in zip(backed_up, rows, strict=True):
        demand, primary = context.demands[index], context.clusters[int(context.primary[index])]
        if not row.target:
            groups["OPS-101"].append(index)
            continue
        target = inventory.site(row.target)
        if target.fault_domain == primary.fault_domain:
            groups["OPS-102"].append(index)
        if not residency_holds(demand, inventory.site(demand.site), target):
            groups["OPS-103"].append(index)
        if row.nightly_gb > 0 and (row.hours is None or exceeds(row.hours, window_hours)):
            groups["OPS-104"].append(index)
    groups["OPS-105"] = [
        index
        for index, demand in enumerate(context.demands)
        if demand.row.storage_gb > 0 and demand.row.backup_days == 0 and not demand.is_protected
    ]
    for rule, (problem, remedy) in _PROBLEMS.items():
        found = [context.demands[index].key for index in groups.get(rule, ())]
        if found:
            yield finding(
                rule,
                "backup",
                f"{problem}: {demands_text(found)}",
                remedy,
                len(found),
                unit="demands",
                severity="info" if rule == "OPS-105" else "warning",
            )


#: What can be wrong with a backup, and what to do.
_PROBLEMS = {
    "OPS-101": (
        "no cluster in another fault domain may keep the backups",
        "name a backup_site, such as a vault or a service in the cloud",
    ),
    "OPS-102": (
        "backups are kept in the fault domain of the cluster and are lost with it",
        "name a backup_site elsewhere",
    ),
    "OPS-103": ("backups are kept where residency does not allow the data", "name a backup_site that residency allows"),
    "OPS-104": (
        "the nightly copy does not fit into its window, or there is no path to the target",
        "widen the link, take a nearer backup_site, or copy less often",
    ),
    "OPS-105": (
        "neither backup nor standby: data that is lost with its cluster stays lost",
        "state backup_days or a protection for those that matter",
    ),
}
