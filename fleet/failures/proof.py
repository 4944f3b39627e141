"""The proof of every recovery point: what is written, what it needs on the wire, and what the path has left for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from fleet.plan.normal_state import NormalState
from fleet.plan.placement import exceeds
from fleet.plan.protection import Floats
from fleet.plan.uploads import upload_limit_mbps, upload_loads
from fleet.tables import Row, column
from fleet.wan.replication import achieved_rpo_minutes, peak_delta_gb


class ProofRow(Row):
    """How the recovery point of one protected demand comes about, with nothing failed, in its tightest period."""

    workload: str = column(meaning="workload")
    site: str = column(meaning="where its users are")
    cluster: str = column(meaning="cluster that runs it")
    standby: str = column(meaning="cluster of the standby copy, or the cloud")
    mechanism: str = column(meaning="replication mechanism")
    period: int = column(meaning="period in which its path has least left for what it needs")
    change_gb_per_day: float = column(unit="GB/day", meaning="written, count and growth included")
    interval_minutes: float = column(unit="minutes", meaning="time between copies; 0 = every write at once")
    window_minutes: float | None = column(None, unit="minutes", meaning="of each interval, where copies have a window")
    delta_gb: float = column(unit="GB", meaning="shipped per interval at its busiest, compressed, with overhead")
    required_mbps: float = column(unit="Mbit/s", meaning="reserved for it on every link of the path")
    binding_link: str = column(
        "", meaning="link or internet access with least left; blank within one site, or where it is not stated"
    )
    capacity_mbps: float | None = column(None, unit="Mbit/s", meaning="usable on the binding link, in its direction")
    users_mbps: float | None = column(None, unit="Mbit/s", meaning="of it taken by users")
    streams_mbps: float | None = column(None, unit="Mbit/s", meaning="of it taken by all replication, its own included")
    backups_mbps: float | None = column(None, unit="Mbit/s", meaning="of it taken by backups to sites that are named")
    left_mbps: float | None = column(None, unit="Mbit/s", meaning="of it left by all; below 0 where overloaded")
    granted_mbps: float = column(unit="Mbit/s", meaning="what it gets: the reserved, or its share of what is there")
    rpo_minutes: float | None = column(
        None, unit="minutes", meaning="recovery point achieved with what it gets; blank where nothing is granted"
    )
    best_rpo_minutes: float | None = column(
        None, unit="minutes", meaning="the same if it also got all that the binding link has left"
    )
    objective_minutes: float | None = column(None, unit="minutes", meaning="recovery point asked for")
    is_kept: bool = column(meaning="whether the objective is kept and a synchronous stream gets its peak write rate")


def prove_recovery_points(normal: NormalState) -> tuple[ProofRow, ...]:
    """The proof of every recovery point of a plan, in order of its demands.

    Notes
    -----
    A stream gets what it reserves as long as no link of its path is over its limit, whatever else runs there. On an
    overloaded link everybody gets the same share of what they need. The recovery point is then
    ``I + 8000 · delta / (60 · granted)`` (`fleet.wan.replication.achieved_rpo_minutes`). It has no end where shipping
    takes longer than the interval: the stream falls ever more behind. A synchronous stream loses nothing as long as
    it gets the peak write rate, and stops the writer where it does not. A stream into the cloud takes no link of the
    WAN but the internet access of its site, which counts as wide enough where its bandwidth is not stated.
    """
    context, ways = normal.context, _ways(normal)
    return tuple(_proof(normal, index, ways) for index in range(len(context.demands)) if context.has_copy[index])


class _Ways(NamedTuple):
    """What carries streams: link directions, then the internet access of sites where its bandwidth is stated.

    Names; limits, all loads, those of users and of backups, each (n_ways, n_periods) [Mbit/s]; the row of each such
    site.
    """

    names: tuple[str, ...]
    limits: Floats
    loads: Floats
    users: Floats
    backups: Floats
    access: Mapping[str, int]


def _ways(normal: NormalState) -> _Ways:
    context = normal.context
    count, span = 2 * len(context.links), context.link_limit.shape[-1]
    users, backups = np.zeros((count, span)), np.zeros((count, span))
    for index, end in enumerate(normal.fates):
        for row in end.user_rows:
            users[row] += context.traffic[index]
        for row in end.backup_rows:
            backups[row] += context.backup[index]
    uploads = upload_loads(context)
    stated = {site: upload_limit_mbps(context.inventory, context.pack, site) for site in uploads}
    known = {site: limit for site, limit in stated.items() if limit is not None}
    return _Ways(
        (*(link for link in context.links for _ in range(2)), *(f"internet access of {site}" for site in known)),
        np.concatenate(
            [context.link_limit.reshape(count, span), *(np.full((1, span), limit) for limit in known.values())]
        ),
        np.concatenate([normal.mbps, *(uploads[site][np.newaxis] for site in known)]),
        np.concatenate([users, np.zeros((len(known), span))]),
        np.concatenate([backups, np.zeros((len(known), span))]),
        {site: count + number for number, site in enumerate(known)},
    )


def _proof(normal: NormalState, index: int, ways: _Ways) -> ProofRow:
    context = normal.context
    inventory, demand, mechanism = context.inventory, context.demands[index], context.mechanisms[index]
    limits, loads, users, backups = ways.limits, ways.loads, ways.users, ways.backups
    rows = list(normal.fates[index].stream_rows)
    if context.in_cloud[index]:
        access = ways.access.get(context.clusters[int(context.primary[index])].site)
        rows = [] if access is None else [access]
    needs = context.stream[index]
    left = limits[rows] - loads[rows]
    shares = np.divide(limits[rows], loads[rows], out=np.ones_like(left), where=left < 0)
    granted = needs * shares.min(axis=0, initial=1.0)
    spare = left.min(axis=0) if rows else np.full(len(needs), np.inf)
    active = np.flatnonzero(needs > 0)
    period = int(active[np.argmin((spare - needs)[active])]) if len(active) else 0
    change = inventory.amounts(demand, period).change_gb_per_day
    policy, given = inventory.policy, float(granted[period])
    binding = rows[int(np.argmin(left[:, period]))] if rows else None
    achieved = best = delta = interval = 0.0
    is_kept = mechanism is not None
    if mechanism is not None:
        interval = mechanism.interval_minutes
        delta = peak_delta_gb(change, interval, policy)
        achieved = achieved_rpo_minutes(change, given, mechanism, policy)
        if exceeds(achieved - interval, mechanism.shipping_minutes):
            achieved = np.inf
        extra = max(0.0, float(spare[period])) if rows else 0.0
        best = achieved_rpo_minutes(change, given + extra, mechanism, policy)
        is_kept = not exceeds(achieved, np.inf if demand.row.rpo_minutes is None else demand.row.rpo_minutes)
        is_kept = is_kept and not (mechanism.is_synchronous and exceeds(float(needs[period]), given))
    return ProofRow(
        workload=demand.workload,
        site=demand.site,
        cluster=context.clusters[int(context.primary[index])].name,
        standby=context.standby_name(index),
        mechanism="" if mechanism is None else mechanism.name,
        period=period,
        change_gb_per_day=change,
        interval_minutes=interval,
        window_minutes=None if mechanism is None else mechanism.window_minutes,
        delta_gb=delta,
        required_mbps=float(needs[period]),
        binding_link="" if binding is None else ways.names[binding],
        capacity_mbps=None if binding is None else float(limits[binding, period]),
        users_mbps=None if binding is None else float(users[binding, period]),
        streams_mbps=None
        if binding is None
        else float(loads[binding, period] - users[binding, period] - backups[binding, period]),
        backups_mbps=None if binding is None else float(backups[binding, period]),
        left_mbps=None if binding is None else float(limits[binding, period] - loads[binding, period]),
        granted_mbps=given,
        rpo_minutes=_finite(achieved),
        best_rpo_minutes=_finite(best),
        objective_minutes=demand.row.rpo_minutes,
        is_kept=is_kept,
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
