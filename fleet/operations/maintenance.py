"""When to update which cluster: a rolling calendar that never drains both clusters of a protection pair at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fleet.errors import FleetError
from fleet.operations.coloring import color
from fleet.plan.context import PlanContext
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import Finding
from fleet.plan.rules.base import finding
from fleet.plan.survival import node_overloads
from fleet.tables import Row, column

#: Hours to drain, update, restart and resynchronize one node: an assumption, no vendor publishes it.
HOURS_PER_NODE = 2.0
#: Days of a month that windows are spread over, and windows that a month has at least: one a week.
DAYS, WEEKS = 28, 4
HOURS_PER_DAY = 24.0


class MaintenanceError(FleetError, ValueError):
    """The windows of a month are too short for the clusters of the plan."""

    code = "OPS002"


class MaintenanceRow(Row):
    """One cluster in one maintenance window."""

    month: int = column(unit="month", meaning="month of the plan, from 0")
    wave: int = column(meaning="window of the month; clusters of one wave may be updated side by side")
    day: int = column(unit="day", meaning="first day of the window within its month")
    cluster: str = column(meaning="cluster, one node after the other")
    site: str = column(meaning="where it stands")
    update: str = column(meaning="cumulative update or feature train, which includes one")
    nodes: int = column(unit="nodes", meaning="nodes to go through")
    hours: float = column(unit="hours", meaning="for all of them, one after the other")
    effect: str = column(meaning="none: drained live; restart: some workloads restart; stop: workloads stop")
    detail: str = column("", meaning="what restarts or stops, and why")
    partners: tuple[str, ...] = column((), meaning="clusters in a protection pair with it, in other waves")


def protection_pairs(context: PlanContext) -> tuple[tuple[str, str], ...]:
    """Clusters of which one runs a demand that the other stands by for, each pair once, in order of names."""
    names = [cluster.name for cluster in context.clusters]
    found = {
        (names[min(first, second)], names[max(first, second)])
        for first, second in zip(context.primary, context.standby, strict=True)
        if second >= 0 and first != second
    }
    return tuple(sorted(found))


def maintenance_waves(context: PlanContext) -> dict[str, int]:
    """The wave of each cluster, as few waves as possible, no protection pair in one wave."""
    return color([cluster.name for cluster in context.clusters], protection_pairs(context))


def plan_maintenance(normal: NormalState, hours_per_node: float = HOURS_PER_NODE) -> tuple[MaintenanceRow, ...]:
    """The maintenance calendar of a plan over its horizon.

    Parameters
    ----------
    normal : NormalState
        The plan with nothing failed.
    hours_per_node : float
        From the drain of a node to the end of its resynchronization [hours].

    Returns
    -------
    tuple of MaintenanceRow
        By month, wave and cluster; only months in which a cluster has nodes.

    Raises
    ------
    MaintenanceError
        If a cluster takes longer than its window.

    Notes
    -----
    Intervals are those of the rule pack (``updates.cumulative_months``, ``updates.train_months``); the first train
    comes after one interval. The waves of a month start at equal distances, at least a week apart where there are four
    or fewer. A wave ends before the next one starts, so two clusters of different waves are never drained at once.
    """
    context = normal.context
    waves = maintenance_waves(context)
    days = DAYS // max(WEEKS, 1 + max(waves.values(), default=0))
    partners = _partners(context)
    policy, pack = context.inventory.policy, context.pack
    trains = set(_due(pack.number("updates.train_months"), policy.horizon_months)) - {0}
    months = sorted(trains | set(_due(pack.number("updates.cumulative_months"), policy.horizon_months)))
    effects = [tuple(_effects(normal, index)) for index in range(len(context.clusters))]
    rows = []
    for month in months:
        for cluster, effect in zip(context.clusters, effects, strict=True):
            period = month // policy.period_months
            nodes = cluster.decision.nodes[period]
            if nodes <= 0:
                continue
            rows.append(
                MaintenanceRow(
                    month=month,
                    wave=waves[cluster.name],
                    day=1 + waves[cluster.name] * days,
                    cluster=cluster.name,
                    site=cluster.site,
                    update="feature train" if month in trains else "cumulative update",
                    nodes=nodes,
                    hours=_hours(cluster.name, nodes, hours_per_node, days),
                    effect=effect[period].kind,
                    detail=effect[period].detail,
                    partners=partners[cluster.name],
                )
            )
    return tuple(sorted(rows, key=lambda row: (row.month, row.wave, row.cluster)))


def _hours(cluster: str, nodes: int, hours_per_node: float, days: int) -> float:
    """How long the nodes of a cluster take one after the other; an error where a window of so many days is shorter."""
    hours = nodes * hours_per_node
    if hours > days * HOURS_PER_DAY:
        raise MaintenanceError(
            f"{nodes} nodes of cluster {cluster!r} take {hours:g} hours, a window of {days} days is shorter: lower "
            f"hours_per_node or let fewer clusters protect each other"
        )
    return hours


def maintenance_findings(rows: Iterable[MaintenanceRow]) -> Iterator[Finding]:
    """Clusters that cannot be updated without stopping something; one finding per cluster."""
    worst: dict[str, MaintenanceRow] = {}
    for row in rows:
        if row.effect == "stop":
            worst.setdefault(row.cluster, row)
    for name, row in sorted(worst.items()):
        yield finding(
            "OPS-401",
            name,
            f"updates stop workloads from month {row.month} on: {row.detail}",
            "agree a window with its users, or add a node",
            severity="info",
        )


def _due(interval: float, horizon: int) -> Iterator[int]:
    """Months below the horizon at which something comes round, from month 0 on; none where it never does."""
    if interval <= 0:
        return
    count = 0
    while math.floor(count * interval) < horizon:
        yield math.floor(count * interval)
        count += 1


def _partners(context: PlanContext) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {cluster.name: set() for cluster in context.clusters}
    for first, second in protection_pairs(context):
        found[first].add(second)
        found[second].add(first)
    return {name: tuple(sorted(others)) for name, others in found.items()}


@dataclass(frozen=True, slots=True)
class _Effect:
    """What draining its nodes one after the other does to a cluster."""

    kind: str
    detail: str = ""


def _effects(normal: NormalState, index: int) -> Iterator[_Effect]:
    """Per period, what the drain does to the demands of a cluster."""
    context = normal.context
    cluster = context.clusters[index]
    overloads = node_overloads(normal, index)
    own = [demand for demand, primary in zip(context.demands, context.primary, strict=True) if primary == index]
    for period, archetype in enumerate(cluster.archetypes):
        here = [demand for demand in own if context.inventory.growth_factors(demand)[period] > 0]
        devices = sorted({demand.workload for demand in here if demand.row.gpus > 0 and demand.row.gpu_mode == "dda"})
        if archetype is None:
            yield _Effect("none")
        elif archetype.nodes == 1 or archetype.node_tolerance < 1:
            reason = "it has one node" if archetype.nodes == 1 else "it survives no node loss"
            yield _Effect("stop", f"{len(here)} demands stop while a node restarts: {reason}")
        elif overloads[period]:
            yield _Effect("stop", f"one node fewer cannot carry the load: {'; '.join(overloads[period])}")
        elif devices:
            yield _Effect("restart", f"whole GPUs do not move live: {', '.join(devices)}")
        else:
            yield _Effect("none")
