"""Expected downtime of every workload in a year, from stated failure and repair rates.

All states with at most two failed elements are enumerated, and what they leave out is bounded. Elements fail and are
repaired independently of each other, as the rates say; they are assumptions of the planner, each with its source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fleet.failures.elements import Element
from fleet.failures.incidents import Breaker
from fleet.inventory.prices import FailureRate
from fleet.plan.context import PlanContext
from fleet.plan.fates import Fate, FateKind, fate
from fleet.plan.survival import ClusterLoss
from fleet.tables import Row, column
from fleet.wan.states import NORMAL, FailureState

HOURS_PER_YEAR, MINUTES_PER_HOUR = 8760.0, 60.0
_MOVING = (FateKind.MOVED, FateKind.RESTORED)
_SERVED = (FateKind.STAYS, *_MOVING)


class AvailabilityRow(Row):
    """How long the users of a demand wait in a year, on average."""

    workload: str = column(meaning="workload")
    site: str = column(meaning="where its users are")
    cluster: str = column(meaning="cluster that runs it")
    standby: str = column("", meaning="cluster of its standby copy; blank without")
    down_minutes: float = column(unit="minutes/year", meaning="while it runs nowhere within reach")
    failover_minutes: float = column(unit="minutes/year", meaning="while it comes back at its standby")
    restart_minutes: float = column(unit="minutes/year", meaning="while it restarts on another node of its cluster")
    total_minutes: float = column(unit="minutes/year", meaning="all of it")
    truncation_minutes: float = column(
        unit="minutes/year", meaning="at most this much more, from three or more failures at once"
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

    def is_hit(self, state: FailureState) -> bool:
        """Whether a failure takes away something of it."""
        return bool(self.sites & state.sites or self.links & state.links or self.clusters & state.clusters)


class _Totals(NamedTuple):
    """Sums over all rated elements: probability of no failure, first and second symmetric sums of odds, failures."""

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
    fails ``1 / (F + R)`` times an hour. With independent elements the state in which exactly the elements *S* are down
    has probability ``P(S) = Π u · Π (1 − u)``. A demand waits

    * while it is down: ``8760 · Σ P(S)`` over all S of at most two elements in which it runs nowhere within reach;
    * while it fails over: the recovery time, but no longer than the repair, for each failure that moves it;
    * while it restarts: ``recovery.node_failure_minutes`` for each failed node, times the share of its instances there.

    The states left out weigh ``8760 · (1 − Σ P(S))``; failovers from states with two failures or more are bounded by
    all failures of the fleet. A demand whose users' own site is down waits for nothing else.

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
        if rate is None or element.count < 1 or element.kind in ("zone", "shared_risk", "fault_domain"):
            continue
        cycle = rate.mtbf_hours + rate.mttr_hours
        odds, share = rate.mttr_hours / rate.mtbf_hours, rate.mttr_hours / cycle
        result.append(_Rated(element, element.count, odds, share, 1.0 / cycle))
    return tuple(result)


class _Enumeration:
    """States of at most two failures, each judged only for the demands that it can concern."""

    def __init__(self, breaker: Breaker, rated: tuple[_Rated, ...]) -> None:
        self.breaker, self.context, self.rated = breaker, breaker.context, rated
        self.totals = _totals(rated)
        self._states: dict[tuple[int, ...], FailureState] = {}
        self._known: dict[tuple[object, ...], tuple[float, float, float, str]] = {}
        self._at: dict[str, list[int]] = {}
        for number, entry in enumerate(rated):
            for name in (*entry.element.losses, *_names(entry.element.state)):
                self._at.setdefault(name, []).append(number)

    def row(self, index: int) -> AvailabilityRow:
        """The downtime of one demand."""
        context, totals = self.context, self.totals
        demand, recovery = context.demands[index], self.breaker.recovery(index)
        rto = 0.0 if recovery is None else recovery.rto_minutes
        primary, standby = int(context.primary[index]), int(context.standby[index])
        key = (demand.site, primary, standby, demand.row.max_rtt_ms, rto)
        if key not in self._known:
            self._known[key] = self._downtime(index, rto)
        down, failover, restart, worst = self._known[key]
        total = down + failover + restart
        left_out = 1.0 - totals.nothing * (1.0 + totals.one + totals.two)
        later = max(0.0, 1.0 - totals.nothing * (1.0 + totals.one)) * totals.per_hour * rto / MINUTES_PER_HOUR
        return AvailabilityRow(
            workload=demand.workload,
            site=demand.site,
            cluster=context.clusters[primary].name,
            standby=context.clusters[standby].name if standby >= 0 else "",
            down_minutes=down,
            failover_minutes=failover,
            restart_minutes=restart,
            total_minutes=total,
            truncation_minutes=HOURS_PER_YEAR * MINUTES_PER_HOUR * (max(0.0, left_out) + later),
            availability=1.0 - total / (HOURS_PER_YEAR * MINUTES_PER_HOUR),
            worst_element=worst,
        )

    def _downtime(self, index: int, rto: float) -> tuple[float, float, float, str]:
        """Minutes a year down, failing over and restarting, and the element that costs most."""
        context, rated = self.context, self.rated
        normal = _support(context, index, context.normal_fates[index])
        touching = [number for number in self._near(normal) if self._concerns(number, normal)]
        ends = {number: self._fate(index, (number,)) for number in touching}
        fatal = {number for number, end in ends.items() if end.kind not in _SERVED}
        cost = dict.fromkeys(touching, 0.0)
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
        singles = sum(rated[number].count * rated[number].odds for number in fatal)
        pairs, extra = self._pairs(index, ends, fatal, rto)
        weight = HOURS_PER_YEAR * MINUTES_PER_HOUR * self.totals.nothing
        for number in fatal:
            cost[number] += weight * rated[number].count * rated[number].odds
        worst = max(cost, key=lambda number: (cost[number], rated[number].element.id), default=-1)
        text = ""
        if worst >= 0 and cost[worst] > 0:
            text = f"{rated[worst].element.id}: {cost[worst]:,.1f} minutes/year"
        return weight * (singles + pairs), failover + extra, restart, text

    def _pairs(self, index: int, ends: Mapping[int, Fate], fatal: set[int], rto: float) -> tuple[float, float]:
        """Odds of all pairs of failures in which a demand is down, and minutes a year of failing over out of one."""
        rated, totals = self.rated, self.totals
        one = totals.one - sum(rated[number].count * rated[number].odds for number in fatal)
        squares = sum(entry.count * entry.odds**2 for number, entry in enumerate(rated) if number not in fatal)
        odds = totals.two - max(0.0, (one * one - squares) / 2.0)
        minutes = 0.0
        seen: set[tuple[int, int]] = set()
        for first, end in ends.items():
            if first in fatal:
                continue
            support = _support(self.context, index, end)
            for second in self._near(support):
                pair = (min(first, second), max(first, second))
                if second in fatal or pair in seen or not self._concerns(second, support):
                    continue
                seen.add(pair)
                ways = _ways(rated[first], rated[second], first == second)
                if ways == 0:
                    continue
                both = self._fate(index, pair)
                if both.kind not in _SERVED:
                    odds += ways * rated[first].odds * rated[second].odds
                elif both.kind in _MOVING and all(
                    number not in ends or ends[number].kind is FateKind.STAYS for number in pair
                ):
                    for before, after in ((first, second), (second, first)):
                        rate = ways * rated[before].share * rated[after].per_hour
                        minutes += rate * HOURS_PER_YEAR * self._wait(rated[after], rto)
        return odds, minutes

    def _near(self, support: _Support) -> list[int]:
        """Rated elements that may take away what a demand relies on."""
        found: set[int] = set()
        for name in (
            *(f"site {name}" for name in support.sites),
            *(f"link {name}" for name in support.links),
            *(f"cluster {name}" for name in support.clusters),
        ):
            found.update(self._at.get(name, ()))
        for name in support.clusters:
            found.update(self._at.get(name, ()))
        return sorted(found)

    def _concerns(self, number: int, support: _Support) -> bool:
        """Whether an element is part of what a demand relies on: as a whole, or as a part of its cluster."""
        element = self.rated[number].element
        return support.is_hit(element.state) or any(name in support.clusters for name in element.losses)

    def _is_own(self, entry: _Rated, index: int) -> bool:
        return self.context.clusters[int(self.context.primary[index])].name in entry.element.losses

    def _wait(self, entry: _Rated, rto: float) -> float:
        """Minutes until a demand serves again: recovered, or repaired before."""
        return min(rto, entry.share / entry.per_hour * MINUTES_PER_HOUR)

    def _fate(self, index: int, numbers: tuple[int, ...]) -> Fate:
        state = self._states.get(numbers)
        if state is None:
            state = self._states[numbers] = self._state(numbers)
        return fate(self.context, index, state)

    def _state(self, numbers: tuple[int, ...]) -> FailureState:
        """What is down when elements fail together, clusters that do not survive their losses included."""
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
            if not self.breaker.losses.is_survived(self.context.cluster_index[name], loss):
                clusters |= {name}
        if not (sites or links or clusters):
            return NORMAL
        return FailureState("several", "", sites, links, clusters)


def _names(state: FailureState) -> list[str]:
    return [
        *(f"site {name}" for name in state.sites),
        *(f"link {name}" for name in state.links),
        *(f"cluster {name}" for name in state.clusters),
    ]


def _support(context: PlanContext, index: int, end: Fate) -> _Support:
    """What a demand relies on, given what becomes of it; nothing where it is down."""
    if end.kind not in _SERVED:
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
