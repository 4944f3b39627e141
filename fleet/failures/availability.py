"""Expected downtime of every workload in a year, from stated failure and repair rates.

Of each demand all states are enumerated in which at most two of the elements are down that it may rely on, and what
they leave out is bounded. Elements fail and are repaired independently of each other, as the rates say; rates are
assumptions of the planner, each with its source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fleet.failures.elements import Element
from fleet.failures.incidents import Breaker
from fleet.inventory.tables.prices import FailureRate
from fleet.plan.context import PlanContext
from fleet.plan.fates import Fate, FateKind, fate
from fleet.plan.survival import ClusterLoss
from fleet.tables import Row, column
from fleet.wan.states import NORMAL, FailureState

HOURS_PER_YEAR, MINUTES_PER_HOUR = 8760.0, 60.0
_MOVING = (FateKind.MOVED, FateKind.RESTORED)
_SERVED = (FateKind.STAYS, *_MOVING)
#: Kinds without a rate of their own: what fails with them is rated piece by piece, or counts as always up.
_UNRATED = ("zone", "internet", "shared_risk", "fault_domain")


class AvailabilityRow(Row):
    """How long the users of a demand wait in a year, on average."""

    workload: str = column(meaning="workload")
    site: str = column(meaning="where its users are")
    cluster: str = column(meaning="cluster that runs it")
    standby: str = column("", meaning="cluster of its standby copy, or the cloud; blank without")
    down_minutes: float = column(unit="minutes/year", meaning="while it runs nowhere within reach")
    failover_minutes: float = column(unit="minutes/year", meaning="while it comes back at its standby")
    restart_minutes: float = column(unit="minutes/year", meaning="while it restarts on another node of its cluster")
    total_minutes: float = column(unit="minutes/year", meaning="all of it")
    truncation_minutes: float = column(
        unit="minutes/year", meaning="at most this much more, from three or more at once of what it may rely on"
    )
    availability: float = column(
        unit="fraction", meaning="share of the year in which it serves, truncation not counted"
    )
    worst_element: str = column("", meaning="element whose failures cost it most, with what they cost in a year")


@dataclass(frozen=True, slots=True)
class _Rated:
    """An element that fails: unavailability of one, its odds, and failures per hour of one."""

    element: Element
    count: int
    odds: float
    share: float
    per_hour: float


@dataclass(frozen=True)
class _Support:
    """What a demand relies on in one state."""

    sites: frozenset[str]
    links: frozenset[str]
    clusters: frozenset[str]


class _Pairs(NamedTuple):
    """What two failures do to a demand.

    Elements that it may rely on with at most two of them down; odds of the pairs that take it down though neither of
    their elements does alone; and (before, after, ways) of those that make it move with the second failure only.
    """

    concerned: frozenset[int]
    odds: float
    moving: tuple[tuple[int, int, float], ...]


class _Totals(NamedTuple):
    """Sums over elements: probability that none is down, odds of one and of two that are, failures per hour."""

    nothing: float
    one: float
    two: float
    per_hour: float


def plan_availability(breaker: Breaker) -> tuple[AvailabilityRow, ...]:
    """Expected downtime of every demand in a year; nothing where the inventory states no failure rates.

    Parameters
    ----------
    breaker : Breaker
        The plan to break.

    Notes
    -----
    An element of mean time between failures *F* and to repair *R* is down the share ``u = R / (F + R)`` of the time and
    fails ``1 / (F + R)`` times an hour. Of all elements only those count that a demand relies on with nothing, one or
    two of them down (paths, sites, clusters and their parts): as long as no more than two of them are down, the others
    do not matter to it. The state in which exactly the elements *S* of these are down has probability
    ``P(S) = Π u · Π (1 − u)``. A demand waits

    * while it is down: ``8760 · Σ P(S)`` over all S of at most two elements in which it runs nowhere within reach;
    * while it fails over: the recovery time, but no longer than the repair, for each failure that moves it;
    * while it restarts: ``recovery.node_failure_minutes`` for each failed node, times the share of its instances there.

    The states left out weigh ``8760 · (1 − Σ P(S))``; failovers out of states with two failures or more are bounded by
    all failures of these elements. A demand whose users' own site is down waits for nothing else. The cloud, and the
    internet access of sites, count as always up: the inventory has no rate for them.

    References
    ----------
    R. E. Barlow and F. Proschan, Statistical Theory of Reliability and Life Testing, 1975.
    """
    rated = _rated(breaker.elements, {row.element: row for row in breaker.context.inventory.failure_rates})
    if not rated:
        return ()
    enumeration = _Enumeration(breaker, rated)
    return tuple(enumeration.row(index) for index in range(len(breaker.context.demands)))


def _rated(found: Sequence[Element], rates: Mapping[str, FailureRate]) -> tuple[_Rated, ...]:
    """The elements with a rate: their own, else that of their kind."""
    result = []
    for element in found:
        own = None if element.kind in ("node", "drive", "zone") else rates.get(element.name)
        rate = rates.get(element.kind) if own is None else own
        if rate is None or element.count < 1 or element.kind in _UNRATED:
            continue
        cycle = rate.mtbf_hours + rate.mttr_hours
        odds, share = rate.mttr_hours / rate.mtbf_hours, rate.mttr_hours / cycle
        result.append(_Rated(element, element.count, odds, share, 1.0 / cycle))
    return tuple(result)


class _Enumeration:
    """States of at most two failures, each judged only for the demands that it can concern."""

    def __init__(self, breaker: Breaker, rated: tuple[_Rated, ...]) -> None:
        self.breaker, self.context, self.rated = breaker, breaker.context, rated
        self._states: dict[tuple[tuple[int, ...], bytes], FailureState] = {}
        self._known: dict[tuple[object, ...], tuple[float, float, float, float, str]] = {}
        self._at: dict[str, list[int]] = {}
        for number, entry in enumerate(rated):
            for name in _names(entry.element):
                self._at.setdefault(name, []).append(number)

    def row(self, index: int) -> AvailabilityRow:
        """The downtime of one demand."""
        context = self.context
        demand, recovery = context.demands[index], self.breaker.recovery(index)
        rto = 0.0 if recovery is None else recovery.rto_minutes
        primary, standby = int(context.primary[index]), int(context.standby[index])
        exists = context.exists[index].tobytes()
        key = (demand.site, primary, standby, context.reaches_cloud[index], demand.row.max_rtt_ms, rto, exists)
        if key not in self._known:
            self._known[key] = self._downtime(index, rto)
        down, failover, restart, left_out, worst = self._known[key]
        total = down + failover + restart
        return AvailabilityRow(
            workload=demand.workload,
            site=demand.site,
            cluster=context.clusters[primary].name,
            standby=context.standby_name(index),
            down_minutes=down,
            failover_minutes=failover,
            restart_minutes=restart,
            total_minutes=total,
            truncation_minutes=left_out,
            availability=1.0 - total / (HOURS_PER_YEAR * MINUTES_PER_HOUR),
            worst_element=worst,
        )

    def _downtime(self, index: int, rto: float) -> tuple[float, float, float, float, str]:
        """Minutes a year down, failing over, restarting, and at most left out; and the element that costs most."""
        rated = self.rated
        normal = _support(self.context, index, self.breaker.normal.fates[index])
        ends = {number: self._fate(index, (number,)) for number in self._relying(normal)}
        fatal = {number for number, end in ends.items() if end.kind not in _SERVED}
        cost = dict.fromkeys(ends, 0.0)
        failover = restart = 0.0
        for number, end in ends.items():
            entry = rated[number]
            if end.kind in _MOVING:
                minutes = entry.count * entry.per_hour * HOURS_PER_YEAR * self._wait(entry, rto)
                failover += minutes
                cost[number] += minutes
            elif entry.element.kind == "node" and self._is_own(entry, index):
                minutes = entry.per_hour * HOURS_PER_YEAR * self.context.pack.number("recovery.node_failure_minutes")
                restart += minutes
                cost[number] += minutes
        pairs = self._pairs(index, ends, fatal)
        concerned = _totals([rated[number] for number in sorted(pairs.concerned)])
        weight = HOURS_PER_YEAR * MINUTES_PER_HOUR * concerned.nothing
        singles = sum(rated[number].count * rated[number].odds for number in fatal)
        harmless = _totals([rated[number] for number in sorted(pairs.concerned - fatal)])
        down = weight * (singles + concerned.two - harmless.two + pairs.odds)
        for before, after, ways in pairs.moving:
            rate = ways * rated[before].share * rated[after].per_hour
            failover += rate * HOURS_PER_YEAR * self._wait(rated[after], rto)
        left_out = 1.0 - concerned.nothing * (1.0 + concerned.one + concerned.two)
        later = (1.0 - concerned.nothing * (1.0 + concerned.one)) * concerned.per_hour * rto / MINUTES_PER_HOUR
        for number in fatal:
            cost[number] += weight * rated[number].count * rated[number].odds
        worst = max(cost, key=lambda number: (cost[number], rated[number].element.id), default=-1)
        text = f"{rated[worst].element.id}: {cost[worst]:,.1f} minutes/year" if worst >= 0 and cost[worst] > 0 else ""
        more = HOURS_PER_YEAR * MINUTES_PER_HOUR * (max(0.0, left_out) + max(0.0, later))
        return down, failover, restart, more, text

    def _pairs(self, index: int, ends: Mapping[int, Fate], fatal: set[int]) -> _Pairs:
        """What two failures do to a demand that either alone does not take down."""
        rated = self.rated
        concerned = set(ends)
        odds, moving = 0.0, []
        seen: set[tuple[int, int]] = set()
        for first, end in ends.items():
            if first in fatal:
                continue
            for second in self._relying(_support(self.context, index, end)):
                concerned.add(second)
                pair = (min(first, second), max(first, second))
                if second in fatal or pair in seen:
                    continue
                seen.add(pair)
                ways = _ways(rated[first], rated[second], first == second)
                if ways == 0:
                    continue
                both = self._fate(index, pair)
                if both.kind not in _SERVED:
                    odds += ways * rated[first].odds * rated[second].odds
                    continue
                concerned.update(self._relying(_support(self.context, index, both)))
                if both.kind in _MOVING and all(
                    number not in ends or ends[number].kind is FateKind.STAYS for number in pair
                ):
                    moving += [(first, second, ways), (second, first, ways)]
        return _Pairs(frozenset(concerned), odds, tuple(moving))

    def _relying(self, support: _Support) -> list[int]:
        """Rated elements whose loss takes away something that a demand relies on, a part of its cluster included."""
        found: set[int] = set()
        for kind, names in (("site", support.sites), ("link", support.links), ("cluster", support.clusters)):
            for name in names:
                found.update(self._at.get(f"{kind} {name}", ()))
        for name in support.clusters:
            found.update(self._at.get(f"part {name}", ()))
        return sorted(found)

    def _is_own(self, entry: _Rated, index: int) -> bool:
        return self.context.clusters[int(self.context.primary[index])].name in entry.element.losses

    def _wait(self, entry: _Rated, rto: float) -> float:
        """Minutes until a demand serves again: recovered, or repaired before."""
        return min(rto, entry.share / entry.per_hour * MINUTES_PER_HOUR)

    def _fate(self, index: int, numbers: tuple[int, ...]) -> Fate:
        exists = self.context.exists[index]
        key = (numbers, exists.tobytes())
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = self._state(numbers, np.flatnonzero(exists).tolist())
        return fate(self.context, index, state)

    def _state(self, numbers: tuple[int, ...], periods: Sequence[int]) -> FailureState:
        """What is down when elements fail together, with the clusters that do not survive it in one of the periods."""
        sites: frozenset[str] = frozenset()
        links: frozenset[str] = frozenset()
        clusters: frozenset[str] = frozenset()
        losses: dict[str, ClusterLoss] = {}
        for number in numbers:
            element = self.rated[number].element
            sites, links = sites | element.state.sites, links | element.state.links
            clusters |= element.state.clusters
            for name, loss in element.losses.items():
                losses[name] = losses.get(name, ClusterLoss()) + loss
        for name, loss in losses.items():
            survived = self.breaker.losses.survived(self.context.cluster_index[name], loss)
            if not all(survived[period] for period in periods):
                clusters |= {name}
        if not (sites or links or clusters):
            return NORMAL
        return FailureState("several", "", sites, links, clusters)


def _names(element: Element) -> list[str]:
    return [
        *(f"site {name}" for name in element.state.sites),
        *(f"link {name}" for name in element.state.links),
        *(f"cluster {name}" for name in element.state.clusters),
        *(f"part {name}" for name in element.losses),
    ]


def _support(context: PlanContext, index: int, end: Fate) -> _Support:
    """What a demand relies on, given what becomes of it; nothing where it is down, or in the cloud."""
    if end.kind not in _SERVED or (end.kind in _MOVING and context.in_cloud[index]):
        return _Support(frozenset(), frozenset(), frozenset())
    host = context.clusters[end.host if end.host >= 0 else int(context.primary[index])]
    links = frozenset(context.links[row // 2] for row in end.user_rows)
    ends = {site for name in links for site in (context.wan.links[name].from_, context.wan.links[name].to)}
    return _Support(frozenset(ends | {host.site}), links, frozenset({host.name}))


def _ways(first: _Rated, second: _Rated, is_same: bool) -> float:
    return first.count * (first.count - 1) / 2.0 if is_same else float(first.count * second.count)


def _totals(rated: Sequence[_Rated]) -> _Totals:
    nothing, one, squares, per_hour = 1.0, 0.0, 0.0, 0.0
    for entry in rated:
        nothing *= (1.0 - entry.share) ** entry.count
        one += entry.count * entry.odds
        squares += entry.count * entry.odds**2
        per_hour += entry.count * entry.per_hour
    return _Totals(nothing, one, (one * one - squares) / 2.0, per_hour)
