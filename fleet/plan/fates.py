"""What becomes of one demand in one state of the fleet."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeGuard

from fleet.plan.context import PlanContext
from fleet.plan.placement import exceeds
from fleet.wan.route import Route
from fleet.wan.states import FailureState

#: Failures that sever paths without taking a cluster: what they cut may be a single point of failure.
PATH_FAILURES = ("link", "internet", "network", "shared_risk")


class FateKind(Enum):
    """The end of one demand in one state."""

    STAYS = "runs at its primary"
    MOVED = "cut from its primary, runs at its standby or in the cloud"
    RESTORED = "its primary is down, restarts at its standby or in the cloud"
    SINGLE_POINT = "protected, yet cut by the loss of one link or network"
    DOWN = "unprotected and cut or lost"
    LOST = "protected, yet not restored"


class Fate(NamedTuple):
    """The fate of one demand and the load that it brings.

    Attributes
    ----------
    kind : FateKind
        What happens.
    host : int
        Cluster that takes its compute in addition, −1 for none: it stays, is down, or runs in the cloud.
    user_rows, stream_rows, backup_rows : tuple of int
        Link directions that carry its user traffic, its replication, and its backups from where it runs to the site
        that the planner names: ``2 · link + (0 forward, 1 back)``.
    rtt_ms : float or None
        Round trip to where it runs or should run; None where there is no path, no user up, or it is not known: what
        runs in the cloud is reached over the internet, not over the WAN.
    is_stream_cut : bool
        Whether no path carries its copies although both ends are up, or only one whose round trip is over the limit of
        its mechanism. Another failure would then lose all that was written since. A stream whose way round is too long
        still sends what it can, and loads that way.
    """

    kind: FateKind
    host: int
    user_rows: tuple[int, ...]
    stream_rows: tuple[int, ...]
    rtt_ms: float | None
    is_stream_cut: bool = False
    backup_rows: tuple[int, ...] = ()

    @property
    def rows(self) -> tuple[tuple[int, ...], ...]:
        """Link directions of users, of replication and of backups, in the order of `PlanContext.carried`."""
        return self.user_rows, self.stream_rows, self.backup_rows


class _Stream(NamedTuple):
    """Link directions of a replication stream, and whether it is cut."""

    rows: tuple[int, ...] = ()
    is_cut: bool = False


def fate(context: PlanContext, index: int, state: FailureState) -> Fate:
    """The fate of demand `index` in `state`.

    Parameters
    ----------
    context : PlanContext
        The plan.
    index : int
        Position of the demand in ``context.demands``.
    state : FailureState
        What is down.
    """
    demand = context.demands[index]
    user, primary, standby = demand.site, int(context.primary[index]), int(context.standby[index])
    is_user_up = user not in state.sites
    if _is_down(context, primary, state):
        return _after_loss(context, index, state, is_user_up)
    stream = _stream(context, index, state)
    if not is_user_up:
        return Fate(FateKind.STAYS, -1, (), stream.rows, None, stream.is_cut, _backup(context, index, primary, state))
    home = context.router.route(user, context.clusters[primary].site, state)
    if _serves(home, context, index):
        backup, ways = _backup(context, index, primary, state), _both_ways(context, home)
        return Fate(FateKind.STAYS, -1, ways, stream.rows, home.rtt_ms, stream.is_cut, backup)
    if _reaches_cloud(context, index, state):
        return Fate(FateKind.MOVED, -1, (), (), context.inventory.policy.cloud_rtt_ms)
    if standby < 0 and not context.in_cloud[index]:
        rtt_ms = None if home is None else home.rtt_ms
        return Fate(FateKind.DOWN, -1, (), (), rtt_ms, backup_rows=_backup(context, index, primary, state))
    if standby >= 0 and not _is_down(context, standby, state):
        away = context.router.route(user, context.clusters[standby].site, state)
        if _serves(away, context, index):
            backup, ways = _backup(context, index, standby, state), _both_ways(context, away)
            return Fate(FateKind.MOVED, standby, ways, (), away.rtt_ms, stream.is_cut, backup)
        rtt_ms = None if away is None else away.rtt_ms
    else:
        rtt_ms = None
    kind = FateKind.SINGLE_POINT if _may_cut(context, state) else FateKind.LOST
    return Fate(kind, -1, (), stream.rows, rtt_ms, stream.is_cut, _backup(context, index, primary, state))


def _after_loss(context: PlanContext, index: int, state: FailureState, is_user_up: bool) -> Fate:
    """What happens to a demand whose primary is down."""
    standby = int(context.standby[index])
    if context.in_cloud[index]:
        kind = FateKind.RESTORED if _reaches_cloud(context, index, state) else FateKind.LOST
        return Fate(kind, -1, (), (), context.inventory.policy.cloud_rtt_ms if is_user_up else None)
    if standby < 0:
        return Fate(FateKind.DOWN, -1, (), (), None)
    if _is_down(context, standby, state):
        return Fate(FateKind.LOST, -1, (), (), None)
    if not is_user_up:
        return Fate(FateKind.RESTORED, standby, (), (), None, backup_rows=_backup(context, index, standby, state))
    away = context.router.route(context.demands[index].site, context.clusters[standby].site, state)
    if _serves(away, context, index):
        backup = _backup(context, index, standby, state)
        return Fate(FateKind.RESTORED, standby, _both_ways(context, away), (), away.rtt_ms, backup_rows=backup)
    return Fate(FateKind.LOST, -1, (), (), None if away is None else away.rtt_ms)


def failure_rtt_limit(context: PlanContext, index: int) -> float | None:
    """Longest round trip of the users of a demand after a failure [ms], None where it sets none."""
    return context.inventory.policy.failure_rtt_limit(context.demands[index].row.max_rtt_ms)


def _is_down(context: PlanContext, cluster: int, state: FailureState) -> bool:
    standing = context.clusters[cluster]
    return standing.name in state.clusters or standing.site in state.sites


def _serves(route: Route | None, context: PlanContext, index: int) -> TypeGuard[Route]:
    """Whether a path exists and is not so long that it counts as cut."""
    if route is None:
        return False
    limit = failure_rtt_limit(context, index)
    return limit is None or not exceeds(route.rtt_ms, limit)


def _both_ways(context: PlanContext, route: Route) -> tuple[int, ...]:
    index = context.link_index
    return tuple(row for hop in route.hops for row in (2 * index[hop.link], 2 * index[hop.link] + 1))


def _may_cut(context: PlanContext, state: FailureState) -> bool:
    """Whether what a failure cuts off is a single point of failure to name, and no broken limit."""
    if state.kind == "shared_risk" and context.inventory.policy.shared_risk == "hard":
        return False
    return state.kind in PATH_FAILURES


def _reaches_cloud(context: PlanContext, index: int, state: FailureState) -> bool:
    """Whether a demand has a copy in the cloud, and users who reach it there in the state."""
    return context.reaches_cloud[index] and context.demands[index].site not in state.offline


def _stream(context: PlanContext, index: int, state: FailureState) -> _Stream:
    """The stream of a demand whose primary is up; none where its standby is down: there is nothing to copy to."""
    origin = context.clusters[int(context.primary[index])].site
    if context.in_cloud[index]:
        return _Stream(is_cut=origin in state.offline)
    standby = int(context.standby[index])
    if standby < 0 or _is_down(context, standby, state):
        return _Stream()
    route = context.router.route(origin, context.clusters[standby].site, state)
    if route is None:
        return _Stream(is_cut=True)
    mechanism = context.mechanisms[index]
    limit = None if mechanism is None else mechanism.max_rtt_ms
    return _Stream(_one_way(context, route), limit is not None and exceeds(route.rtt_ms, limit))


def _backup(context: PlanContext, index: int, cluster: int, state: FailureState) -> tuple[int, ...]:
    """Link directions of the backups of a demand that runs on a cluster; none where they wait for a path, or stay."""
    row = context.demands[index].row
    if not row.sends_backups:
        return ()
    route = context.router.route(context.clusters[cluster].site, row.backup_site, state)
    return () if route is None else _one_way(context, route)


def _one_way(context: PlanContext, route: Route) -> tuple[int, ...]:
    """Link directions of a route from its first site to its last."""
    return tuple(2 * context.link_index[hop.link] + (0 if hop.forward else 1) for hop in route.hops)
