"""The two sides of a solve in rounds: how much of its work each does, and what it passes on."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from solvers.location.bound.ascent import Ascent
from solvers.location.bound.floors import Floors
from solvers.location.layout import narrowed
from solvers.location.progress import LAGRANGIAN, Progress
from solvers.location.search.annealer import Annealer, arrays_of

#: Temperatures at the beginning and at the end of a cycle, in the geometric mean of the cost per demand and per open
#: facility; and at the beginning of one that goes on from the incumbent.
HOT, COLD, WARM = 0.2, 0.004, 0.05
#: An ascent at its end is taken up again once the gap is this share of what it was then.
REVIVED = 0.75
#: A search leaves out what no better solution uses once at most this share of its arcs is left.
NARROWER = 0.7
#: Where the incumbent opens at most so many facilities, every second cycle may open only fewer than it does.
FEW_OPEN = 40
#: Added to the seed for the second search.
SECOND_SEED = 1_000_003
#: First cycle [s per arc] and at least [s]; the next one is so many times as long.
CYCLE_S_PER_ARC, SHORTEST_CYCLE_S, LONGER = 4e-5, 1.0, 2.0
#: Steps of the search, and arcs times classes of the ascent, that count for one second of work.
STEPS_PER_S, TERMS_PER_S = 4e7, 3e7


@dataclass
class AscentSide:
    """The ascent in rounds."""

    ascent: Ascent
    progress: Progress
    has_rested: bool = False
    _per_s: float = 0.0
    _gap_then: float = np.inf

    def take_up(self) -> bool:
        """Begin anew where the incumbent has come much nearer since the end; whether there is more to raise."""
        if self.ascent.has_ended and self.progress.cost - self.ascent.bound < REVIVED * self._gap_then:
            self.ascent.revive()
        return not self.ascent.has_ended

    def run(self, seconds: float) -> float:
        """Raise the bound for about that long; the work that it counts for [s]."""
        layout = self.progress.layout
        nominal = TERMS_PER_S / max(len(layout.arc_cost) * layout.classes, 1)
        per_s = self._per_s if self._per_s > 0.0 and not self.progress.config.deterministic else nominal
        count = max(1, int(seconds * per_s))
        begun, done = time.monotonic(), self.ascent.iterations
        resting = self.ascent.in_volume
        self.ascent.run(count, self.progress.cost)
        done = self.ascent.iterations - done
        elapsed = time.monotonic() - begun
        if done > 1:
            self._per_s = done / max(elapsed, 1e-6)
        self.has_rested = self.ascent.has_ended or self.ascent.in_volume != resting
        return done / nominal

    def go_on(self) -> None:
        """Once fractional knapsacks are at their end, go on with whole ones where that can be."""
        if self.ascent.has_ended and not self.ascent.tighten():
            self._gap_then = self.progress.cost - self.ascent.bound

    def offer(self) -> None:
        """Pass the bound on."""
        self.progress.raise_bound(self.ascent.bound, LAGRANGIAN)


@dataclass
class SearchSide:
    """The search in rounds, in cycles of falling temperature.

    Attributes
    ----------
    is_second : bool
        Whether it begins from the incumbent, and less hot.
    length_s, spent_s : float
        Of the cycle at work [s].
    """

    progress: Progress
    annealer: Annealer
    length_s: float
    is_second: bool
    spent_s: float = 0.0
    _per_s: float = STEPS_PER_S
    _is_begun: bool = False
    _cycle: int = 0

    @classmethod
    def begin(cls, progress: Progress, *, is_second: bool) -> SearchSide:
        """A search that has not done anything yet."""
        layout = progress.layout
        annealer = Annealer(arrays_of(layout), progress.config.seed + is_second * SECOND_SEED)
        length = max(SHORTEST_CYCLE_S, CYCLE_S_PER_ARC * len(layout.arc_cost))
        return cls(progress, annealer, min(length, progress.config.time_limit_s / 4.0), is_second)

    def run(self, seconds: float) -> float:
        """Search for about that long; the work that it counts for [s]."""
        if not self._is_begun:
            self._begin()
        is_fixed = self.progress.config.deterministic
        share = min(self.spent_s / self.length_s, 1.0)
        hot = WARM if self.is_second and self._cycle == 0 else HOT
        temperature = hot * (COLD / hot) ** share * self.annealer.scale
        begun, effort = time.monotonic(), self.annealer.effort
        self.annealer.run(seconds * (STEPS_PER_S if is_fixed else self._per_s), temperature)
        effort = self.annealer.effort - effort
        elapsed = max(time.monotonic() - begun, 1e-6)
        self._per_s += 0.5 * (effort / elapsed - self._per_s)
        work = effort / STEPS_PER_S
        self.spent_s += work if is_fixed else elapsed
        if self.spent_s >= self.length_s:
            self._next_cycle()
        return work

    def _begin(self) -> None:
        self._is_begun = True
        if self.is_second and self.progress.place is not None:
            self.annealer.adopt(self.progress.place, self.progress.cost)
        else:
            self._construct()

    def _construct(self) -> None:
        layout = self.progress.layout
        order = np.argsort(-layout.demand.sum(axis=1), kind="stable")
        self.annealer.construct(np.full(layout.facilities, -1, dtype=np.int64), order)

    def _next_cycle(self) -> None:
        """Heat up again, for longer, now and then with fewer facilities; the last cycle ends with the time."""
        left = max(self.progress.remaining, 0.1)
        self._cycle += 1
        self.length_s *= LONGER
        is_last = left < 2.0 * self.length_s
        fewer = self._fewer() if self._cycle % 2 and not is_last else None
        most = self.progress.layout.max_open if fewer is None else fewer
        self.annealer.arrays = self.annealer.arrays._replace(max_open=most)
        if fewer is not None:
            self._construct()
        if is_last:
            self.length_s = left
        self.spent_s = 0.0

    def _fewer(self) -> int | None:
        """One facility less than the incumbent opens; None where that cannot be, or would hardly tell.

        Costs rise and fall again on the way to fewer facilities that are fuller, which annealing alone seldom goes.
        Where sizes can be chosen they lead there step by step.
        """
        layout, option = self.progress.layout, self.progress.option
        has_sizes = len(layout.option_cost) > layout.facilities
        if option is None or has_sizes or layout.max_open < layout.facilities:
            return None
        count = int((option >= 0).sum()) - 1
        return count if layout.min_open <= count < FEW_OPEN else None

    def offer(self) -> None:
        """Pass the best solution on."""
        if self.annealer.best_cost < self.progress.cost:
            self.progress.offer(self.annealer.best_place)

    def narrow(self, floors: Floors) -> None:
        """At the beginning of a cycle, leave out the arcs that no better solution uses, if there are many."""
        layout, place, option = self.progress.layout, self.progress.place, self.progress.option
        if self.spent_s > 0.0 or place is None or option is None:
            return
        arcs = floors.below(self.progress.cost)[0] | (place[layout.arc_demand] == layout.arc_facility)
        if int(arcs.sum()) <= NARROWER * len(self.annealer.arrays.arc_cost):
            before = self.annealer.arrays
            self.annealer.arrays = arrays_of(narrowed(layout, arcs))._replace(
                guide=before.guide, max_open=before.max_open
            )
            if before.max_open < int((option >= 0).sum()):
                self._construct()
            else:
                self.annealer.adopt(place, self.progress.cost)
            self._is_begun = True

    def learn(self, ascent: Ascent) -> None:
        """Take over which options the relaxation chooses."""
        self.annealer.arrays.guide[:] = np.where(ascent.openness > 0.1, ascent.options, -1)
