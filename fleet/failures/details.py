"""What an incident does in detail: where demands come back and how fast, what is left of clusters, how full it gets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fleet.failures.incidents import Breaker, Incident
from fleet.failures.sweep import TOGETHER, FailureRow, failure_row
from fleet.plan.protection import Floats, Indices
from fleet.plan.states import StateOutcome
from fleet.plan.survival import ClusterLoss
from fleet.tables import Row, column


class RecoveryRow(Row):
    """Demands that come back together after a failure: from one cluster, at one standby, by one mechanism."""

    element: str = column(meaning="what is lost")
    cluster: str = column(meaning="cluster that ran them")
    standby: str = column(meaning="cluster that runs them now, the same where they restart in it; or the cloud")
    reason: Literal["lost", "cut", "node"] = column(
        meaning="lost: their cluster is down; cut: their users do not reach it; node: they restart on another node"
    )
    mechanism: str = column(meaning="replication mechanism; blank inside a cluster")
    demands: int = column(meaning="how many; inside a cluster those that may have run on what is lost")
    workloads: tuple[str, ...] = column((), meaning="which workloads")
    detection_minutes: float | None = column(None, unit="minutes", meaning="until somebody or something notices")
    decision_minutes: float | None = column(None, unit="minutes", meaning="until somebody decides to fail over")
    restart_minutes: float | None = column(None, unit="minutes", meaning="until the machines run")
    application_minutes: float | None = column(None, unit="minutes", meaning="until the applications serve")
    rto_minutes: float = column(unit="minutes", meaning="all of it")
    rpo_minutes: float = column(unit="minutes", meaning="largest loss of data")


class RemainsRow(Row):
    """What is left of a cluster that a failure hits, at the end of the horizon."""

    element: str = column(meaning="what is lost")
    cluster: str = column(meaning="cluster")
    nodes: int = column(meaning="nodes before")
    nodes_left: int = column(meaning="nodes after")
    cluster_quorum: str = column(meaning="yes, no, 50/50; down where no node is left")
    pool_quorum: str = column(meaning="whether the storage pool stays online")
    data: str = column(meaning="whether all data has a copy left")
    is_up: bool = column(meaning="whether workloads run")


def recovery_rows(breaker: Breaker, incident: Incident) -> tuple[RecoveryRow, ...]:
    """Where the demands of an incident come back, grouped, in order of cluster and standby."""
    context = breaker.context
    element = TOGETHER.join(entry.id for entry in incident.elements)
    restored = set() if incident.outcome is None else set(incident.outcome.restored)
    groups: defaultdict[tuple[int, str, bool, str], list[int]] = defaultdict(list)
    for index in incident.moved:
        recovery = breaker.recovery(index)
        name = "" if recovery is None else recovery.mechanism.name
        groups[int(context.primary[index]), context.standby_name(index), index in restored, name].append(index)
    rows = []
    for (primary, standby, is_lost, name), members in sorted(groups.items()):
        found = [recovery for index in members if (recovery := breaker.recovery(index)) is not None]
        phases = found[0].mechanism.phases if found else None
        rows.append(
            RecoveryRow(
                element=element,
                cluster=context.clusters[primary].name,
                standby=standby,
                reason="lost" if is_lost else "cut",
                mechanism=name,
                demands=len(members),
                workloads=tuple(sorted({context.demands[index].workload for index in members})),
                detection_minutes=None if phases is None else phases.detection_minutes,
                decision_minutes=None if phases is None else phases.decision_minutes,
                restart_minutes=None if phases is None else phases.restart_minutes,
                application_minutes=None if phases is None else phases.application_minutes,
                rto_minutes=max((recovery.rto_minutes for recovery in found), default=0.0),
                rpo_minutes=max((recovery.rpo_minutes for recovery in found), default=0.0),
            )
        )
    minutes = context.pack.number("recovery.node_failure_minutes")
    for index, loss in sorted(incident.losses.items()):
        if not incident.survived[index] or not (loss.nodes or loss.zones):
            continue
        own = [number for number in np.flatnonzero(context.primary == index) if number not in incident.stopped]
        rows.append(
            RecoveryRow(
                element=element,
                cluster=context.clusters[index].name,
                standby=context.clusters[index].name,
                reason="node",
                mechanism="",
                demands=len(own),
                workloads=tuple(sorted({context.demands[demand].workload for demand in own})),
                rto_minutes=minutes,
                rpo_minutes=0.0,
            )
        )
    return tuple(rows)


def remains_rows(breaker: Breaker, incident: Incident) -> tuple[RemainsRow, ...]:
    """Quorum, pool and data of every cluster that an incident hits, at the end of the horizon."""
    context = breaker.context
    down = frozenset() if incident.outcome is None else incident.outcome.state.clusters
    whole = {context.cluster_index[name] for name in down}
    rows = []
    for index in sorted(whole | incident.losses.keys()):
        cluster = context.clusters[index]
        every = max(cluster.decision.nodes, default=0)
        left = [
            one for one in breaker.losses.remains(index, incident.losses.get(index, ClusterLoss(nodes=every))) if one
        ]
        if not left:
            continue
        last = left[-1]
        verdicts = (last.survival.cluster, last.survival.pool, last.survival.data)
        cluster_quorum, pool_quorum, data = verdicts if last.nodes_left else ("down",) * 3
        rows.append(
            RemainsRow(
                element=TOGETHER.join(entry.id for entry in incident.elements),
                cluster=cluster.name,
                nodes=last.nodes,
                nodes_left=last.nodes_left,
                cluster_quorum=cluster_quorum,
                pool_quorum=pool_quorum,
                data=data,
                is_up=last.survival.is_up,
            )
        )
    return tuple(rows)


@dataclass(frozen=True, eq=False)
class Uses:
    """How full many things get in many incidents, kept as what differs from the normal state.

    Attributes
    ----------
    normal : (n_things,)
        Largest share of their limit that is used with nothing failed.
    changed : tuple of (indices, shares)
        Per incident, the things whose use differs, and that use; not a number where the thing itself is down.
    """

    normal: Floats
    changed: tuple[tuple[Indices, Floats], ...]

    def of(self, incident: int) -> Floats:
        """The use of everything in one incident."""
        use = self.normal.copy()
        indices, shares = self.changed[incident]
        use[indices] = shares
        return use

    def peaks(self) -> Floats:
        """The largest use of everything over all incidents and the normal state."""
        most = self.normal.copy()
        for indices, shares in self.changed:
            most[indices] = np.fmax(most[indices], shares)
        return most

    def changes(self) -> Floats:
        """How much each incident differs from the normal state, summed over what stays up."""
        return np.array([np.nansum(np.abs(shares - self.normal[indices])) for indices, shares in self.changed])


@dataclass(frozen=True, eq=False)
class Survey:
    """Many incidents, each with its row, and how full clusters and links are after each.

    Attributes
    ----------
    incidents, rows : tuple
        In the same order.
    cluster_use : Uses
        Share of the compute limit that own load and failovers take, in the fullest resource and period.
    link_use : Uses
        Share of the usable bandwidth, in the fuller direction and fullest period.
    """

    incidents: tuple[Incident, ...]
    rows: tuple[FailureRow, ...]
    cluster_use: Uses
    link_use: Uses


def survey(breaker: Breaker, incidents: Iterable[Incident] | None = None) -> Survey:
    """Every single element lost, or the given incidents, with all that is shown of them."""
    chosen = tuple(breaker.lose([element]) for element in breaker.elements) if incidents is None else tuple(incidents)
    return Survey(
        chosen,
        tuple(failure_row(breaker, incident) for incident in chosen),
        _cluster_use(breaker, chosen),
        _link_use(breaker, chosen),
    )


def _cluster_use(breaker: Breaker, incidents: Sequence[Incident]) -> Uses:
    context = breaker.context
    normal = _share(context.own_compute, context.failover_capacity).max(axis=(1, 2), initial=0.0)

    def changed(outcome: StateOutcome) -> _Change:
        rows = outcome.cluster_rows
        loads = context.own_compute[rows] + outcome.moved_compute
        use = _share(loads, context.failover_capacity[rows]).max(axis=(1, 2), initial=0.0)
        return _with_down(rows, use, [context.cluster_index[name] for name in outcome.state.clusters])

    return _uses(normal, incidents, changed)


def _link_use(breaker: Breaker, incidents: Sequence[Incident]) -> Uses:
    context, normal_mbps = breaker.context, breaker.normal.mbps
    limits = context.link_limit.reshape(2 * len(context.links), context.link_limit.shape[-1])
    normal = _share(normal_mbps, limits).max(axis=1, initial=0.0).reshape(-1, 2).max(axis=1, initial=0.0)

    def changed(outcome: StateOutcome) -> _Change:
        links = np.unique(outcome.link_rows // 2)
        rows = (2 * links[:, np.newaxis] + np.arange(2)).reshape(-1)
        loads = normal_mbps[rows]
        loads[np.searchsorted(rows, outcome.link_rows)] = outcome.link_mbps
        use = _share(loads, limits[rows]).max(axis=1, initial=0.0).reshape(-1, 2).max(axis=1, initial=0.0)
        down = {name for site in outcome.state.sites for name in context.wan.links_of.get(site, ())}
        return _with_down(links, use, [context.link_index[name] for name in down | outcome.state.links])

    return _uses(normal, incidents, changed)


#: Things whose use differs from the normal state, and that use.
_Change = tuple[Indices, Floats]
_NO_CHANGE: _Change = (np.zeros(0, dtype=np.int64), np.zeros(0))


def _uses(normal: Floats, incidents: Sequence[Incident], changed: Callable[[StateOutcome], _Change]) -> Uses:
    outcomes = (incident.outcome for incident in incidents)
    return Uses(normal, tuple(_NO_CHANGE if outcome is None else changed(outcome) for outcome in outcomes))


def _with_down(indices: Indices, use: Floats, down: Sequence[int]) -> _Change:
    """The uses of what stays up, and no number for what is down."""
    gone = np.array(sorted(down), dtype=np.int64)
    stays = ~np.isin(indices, gone)
    return np.concatenate([indices[stays], gone]), np.concatenate([use[stays], np.full(len(gone), np.nan)])


def _share(loads: Floats, limits: Floats) -> Floats:
    """Loads over limits; a load where nothing is allowed counts as twice the limit."""
    shares: Floats = np.divide(loads, limits, out=np.where(loads > 0, 2.0, 0.0), where=limits > 0)
    return shares
