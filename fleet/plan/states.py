"""What fails and what happens: one state of the fleet, every single failure, and what breaks a limit.

A failure re-evaluates only the demands whose clusters, users or normal paths it touches; everybody else keeps the
normal path, which stays the least-RTT one when links or sites elsewhere disappear.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fleet.plan.context import PlanContext
from fleet.plan.fates import Fate, FateKind, fate
from fleet.plan.normal_state import NormalState
from fleet.plan.protection import Floats, Indices
from fleet.plan.violations import (
    ReachViolation,
    Violation,
    cluster_violations,
    host_violations,
    link_violations,
    reach_violations,
)
from fleet.tolerances import NOISE_MBPS
from fleet.wan.states import NORMAL, FailureState


@dataclass(frozen=True, eq=False)
class StateOutcome:
    """What one state does to a plan.

    Demand lists hold positions in ``context.demands``.

    Attributes
    ----------
    link_rows, link_mbps : (n_changed,) and (n_changed, T)
        Link directions, ``2 · link + (0 forward, 1 back)``, whose load differs from the normal one, and that load.
    cluster_rows, moved_compute : (n_receiving,) and (n_receiving, C, T)
        Clusters that take in demands, and the compute of those.
    moved : tuple of int
        Cut from their primary; run at their standby or in the cloud.
    restored : tuple of int
        Their primary is down; restart at their standby or in the cloud.
    single_points : tuple of int
        Protected, and yet cut by the loss of one link or network.
    down : tuple of int
        Unprotected, and cut or without their cluster.
    lost : tuple of int
        Protected, and not restored: broken promises.
    stream_cuts : tuple of int
        Their primary and where it copies to are up, and no path carries the copies.
    violations : tuple
        Every limit that the state breaks.
    """

    state: FailureState
    link_rows: Indices
    link_mbps: Floats
    cluster_rows: Indices
    moved_compute: Floats
    moved: tuple[int, ...]
    restored: tuple[int, ...]
    single_points: tuple[int, ...]
    down: tuple[int, ...]
    lost: tuple[int, ...]
    stream_cuts: tuple[int, ...]
    violations: tuple[Violation, ...]

    @property
    def cut(self) -> tuple[int, ...]:
        """Demands whose users cannot reach their primary although it is up, or whose loss nothing makes good."""
        return tuple(sorted((*self.moved, *self.single_points, *self.down, *self.lost)))

    @property
    def uncopied(self) -> tuple[int, ...]:
        """Demands that serve their users, where they were or moved to their standby, without copies to the other."""
        if not self.stream_cuts:
            return ()
        out_of_service = {*self.single_points, *self.down, *self.lost}
        return tuple(index for index in self.stream_cuts if index not in out_of_service)

    def link_loads(self, normal: NormalState) -> Floats:
        """Load of every link in both directions [Mbit/s], shape (n_links, 2, T)."""
        loads = normal.mbps.copy()
        loads[self.link_rows] = self.link_mbps
        return loads.reshape(len(normal.context.links), 2, -1)


def simulate(normal: NormalState, state: FailureState = NORMAL, periods: Collection[int] | None = None) -> StateOutcome:
    """What `state` does to the plan: who stays, moves, restarts, is cut; loads; broken limits.

    Parameters
    ----------
    normal : NormalState
        The plan with nothing failed.
    state : FailureState
        What is down; any combination, not only single failures.
    periods : collection of int, optional
        When it may be down; None = in any period. Demands that exist in none of them are left out, and limits are
        judged in them only.
    """
    context = normal.context
    when = range(len(context.inventory.periods)) if periods is None else periods
    touched = range(len(context.demands)) if state.kind == "normal" else normal.touched(state)
    exists = context.exists if periods is None else context.exists[:, list(periods)]
    fates = [(index, fate(context, index, state)) for index in touched if exists[index].any()]
    if state.kind == "normal":
        link_rows = np.arange(2 * len(context.links), dtype=np.int64)
        link_mbps = normal.mbps
    else:
        link_rows, link_mbps = _changed_loads(normal, fates)
    cluster_rows, moved_compute = _moved(context, fates)
    lists = {kind: tuple(index for index, end in fates if end.kind is kind) for kind in FateKind}
    broken: tuple[Violation, ...] = (
        *link_violations(context, state, link_rows, link_mbps),
        *cluster_violations(context, state, cluster_rows, moved_compute),
        *host_violations(normal, state, fates, cluster_rows, moved_compute),
        *reach_violations(context, state, fates),
    )
    return StateOutcome(
        state=state,
        link_rows=link_rows,
        link_mbps=link_mbps,
        cluster_rows=cluster_rows,
        moved_compute=moved_compute,
        moved=lists[FateKind.MOVED],
        restored=lists[FateKind.RESTORED],
        single_points=lists[FateKind.SINGLE_POINT],
        down=lists[FateKind.DOWN],
        lost=lists[FateKind.LOST],
        stream_cuts=tuple(index for index, end in fates if end.is_stream_cut and not normal.fates[index].is_stream_cut),
        violations=tuple(found for found in broken if isinstance(found, ReachViolation) or found.period in when),
    )


def over_periods(
    normal: NormalState, state: FailureState, outcomes: Mapping[tuple[int, ...], StateOutcome]
) -> StateOutcome:
    """One failure that does different things in different periods, as one outcome.

    Parameters
    ----------
    normal : NormalState
        The plan with nothing failed.
    state : FailureState
        All that is down in any period.
    outcomes : mapping
        What it does, by the periods in which it does that; together they are all periods.

    Notes
    -----
    Loads are those of each period. A demand counts where it fares worst: lost, then a single point of failure, then
    down, restarted, moved.
    """
    parts = list(outcomes.items())
    link_rows = _union([part.link_rows for _, part in parts])
    cluster_rows = _union([part.cluster_rows for _, part in parts])
    link_mbps = normal.mbps[link_rows].copy()
    moved = np.zeros((len(cluster_rows), *normal.context.compute.shape[1:]))
    for periods, part in parts:
        when = np.array(periods, dtype=np.int64)
        places = np.searchsorted(link_rows, part.link_rows)
        link_mbps[np.ix_(places, when)] = part.link_mbps[:, when]
        places = np.searchsorted(cluster_rows, part.cluster_rows)
        moved[places[:, np.newaxis], :, when] = np.moveaxis(part.moved_compute[:, :, when], 2, 1)
    lists: dict[str, tuple[int, ...]] = {}
    taken: set[int] = set()
    for name in ("lost", "single_points", "down", "restored", "moved"):
        here = {index for _, part in parts for index in getattr(part, name)} - taken
        lists[name] = tuple(sorted(here))
        taken |= here
    return StateOutcome(
        state=state,
        link_rows=link_rows,
        link_mbps=link_mbps,
        cluster_rows=cluster_rows,
        moved_compute=moved,
        moved=lists["moved"],
        restored=lists["restored"],
        single_points=lists["single_points"],
        down=lists["down"],
        lost=lists["lost"],
        stream_cuts=tuple(sorted({index for _, part in parts for index in part.stream_cuts})),
        violations=tuple(dict.fromkeys(violation for _, part in parts for violation in part.violations)),
    )


def _union(indices: list[Indices]) -> Indices:
    return np.unique(np.concatenate(indices)) if indices else np.zeros(0, dtype=np.int64)


def sweep(normal: NormalState, states: Iterable[FailureState] | None = None) -> Iterator[StateOutcome]:
    """The outcome of every single failure, in order; or of the given states."""
    for state in normal.failures if states is None else states:
        yield simulate(normal, state)


def violations(normal: NormalState, states: Iterable[FailureState] | None = None) -> list[Violation]:
    """Every limit that the normal state and every single failure break; or the given states.

    A load that a failure leaves as it was is reported once, for the normal state.
    """
    chosen = (NORMAL, *normal.failures) if states is None else states
    return [violation for outcome in sweep(normal, chosen) for violation in outcome.violations]


@dataclass(frozen=True, eq=False)
class WorstLoads:
    """The largest load of each link direction over the normal state and all single failures.

    Attributes
    ----------
    mbps : (2 · n_links, T)
        Load [Mbit/s].
    states : (2 · n_links, T)
        State of that load: 0 is normal, i the i-th outcome.
    names : tuple of str
        Ids of the states.
    """

    mbps: Floats
    states: Indices
    names: tuple[str, ...]


def worst_loads(normal: NormalState, outcomes: Iterable[StateOutcome]) -> WorstLoads:
    """Largest loads over the given outcomes and the normal state; of equal loads the first state counts."""
    worst = normal.mbps.copy()
    states = np.zeros(worst.shape, dtype=np.int64)
    names = [NORMAL.id]
    for position, outcome in enumerate(outcomes, start=1):
        names.append(outcome.state.id)
        known = worst[outcome.link_rows]
        rows, periods = np.nonzero(outcome.link_mbps > known + NOISE_MBPS * np.maximum(1.0, known))
        worst[outcome.link_rows[rows], periods] = outcome.link_mbps[rows, periods]
        states[outcome.link_rows[rows], periods] = position
    return WorstLoads(worst, states, tuple(names))


def _changed_loads(normal: NormalState, fates: list[tuple[int, Fate]]) -> tuple[Indices, Floats]:
    """Loads of every link direction on which the touched demands bring another load than in the normal state."""
    rows: list[int] = []
    demands: list[int] = []
    signs: list[float] = []
    kinds: list[int] = []
    for index, end in fates:
        before = normal.fates[index]
        for sign, there in ((-1.0, before), (1.0, end)):
            for kind, part in enumerate(there.rows):
                rows.extend(part)
                demands.extend([index] * len(part))
                signs.extend([sign] * len(part))
                kinds.extend([kind] * len(part))
    link_rows, position = np.unique(np.array(rows, dtype=np.int64), return_inverse=True)
    loads = normal.mbps[link_rows].copy()
    if rows:
        amounts = normal.context.carried[np.array(kinds), np.array(demands)]
        np.add.at(loads, position.reshape(-1), amounts * np.array(signs)[:, np.newaxis])
    is_changed = (np.abs(loads - normal.mbps[link_rows]) > NOISE_MBPS).any(axis=1)
    return link_rows[is_changed], loads[is_changed]


def _moved(context: PlanContext, fates: list[tuple[int, Fate]]) -> tuple[Indices, Floats]:
    pairs = [(end.host, index) for index, end in fates if end.host >= 0]
    hosts = np.array([host for host, _ in pairs], dtype=np.int64)
    cluster_rows, position = np.unique(hosts, return_inverse=True)
    moved = np.zeros((len(cluster_rows), *context.compute.shape[1:]))
    np.add.at(moved, position.reshape(-1), context.compute[[index for _, index in pairs]])
    return cluster_rows, moved
