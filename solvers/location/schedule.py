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
from solvers.location.tolerances import SHORTEST_S
from solvers.parameters.location import SearchParameters


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
        revived = self.progress.config.parameters.location.revived
        if self.ascent.has_ended and self.progress.cost - self.ascent.bound < revived * self._gap_then:
            self.ascent.revive()
        return not self.ascent.has_ended

    def run(self, seconds: float) -> float:
        """Raise the bound for about that long; the work that it counts for [s]."""
        layout = self.progress.layout
        nominal = self.progress.config.parameters.location.terms_per_s / max(len(layout.arc_cost) * layout.classes, 1)
        per_s = self._per_s if self._per_s > 0.0 and not self.progress.config.deterministic else nominal
        count = max(1, int(seconds * per_s))
        begun, done = time.monotonic(), self.ascent.iterations
        resting = self.ascent.in_volume
        self.ascent.run(count, self.progress.cost)
        done = self.ascent.iterations - done
        elapsed = time.monotonic() - begun
        if done > 1:
            self._per_s = done / max(elapsed, SHORTEST_S)
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
    parameters: SearchParameters
    annealer: Annealer
    length_s: float
    is_second: bool
    spent_s: float = 0.0
    _per_s: float = 0.0
    _is_begun: bool = False
    _cycle: int = 0

    @classmethod
    def begin(cls, progress: Progress, *, is_second: bool) -> SearchSide:
        """A search that has not done anything yet."""
        layout, parameters = progress.layout, progress.config.parameters.location.search
        seed = progress.config.seed + is_second * parameters.second_seed
        annealer = Annealer(arrays_of(layout, parameters), seed, parameters)
        length = max(parameters.shortest_cycle_s, parameters.cycle_s_per_arc * len(layout.arc_cost))
        length = min(length, parameters.longest_cycle * progress.config.time_limit_s)
        return cls(progress, parameters, annealer, length, is_second, _per_s=parameters.steps_per_s)

    def run(self, seconds: float) -> float:
        """Search for about that long; the work that it counts for [s]."""
        if not self._is_begun:
            self._begin()
        is_fixed, parameters = self.progress.config.deterministic, self.parameters
        share = min(self.spent_s / self.length_s, 1.0)
        hot = parameters.warm if self.is_second and self._cycle == 0 else parameters.hot
        temperature = hot * (parameters.cold / hot) ** share * self.annealer.scale
        begun, effort = time.monotonic(), self.annealer.effort
        self.annealer.run(seconds * (parameters.steps_per_s if is_fixed else self._per_s), temperature)
        effort = self.annealer.effort - effort
        elapsed = max(time.monotonic() - begun, SHORTEST_S)
        self._per_s += parameters.smoothing * (effort / elapsed - self._per_s)
        work = effort / parameters.steps_per_s
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
        left = max(self.progress.remaining, self.parameters.least_left_s)
        self._cycle += 1
        self.length_s *= self.parameters.longer
        is_last = left < self.parameters.last * self.length_s
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
        return count if layout.min_open <= count < self.parameters.few_open else None

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
        if int(arcs.sum()) <= self.parameters.narrower * len(self.annealer.arrays.arc_cost):
            before = self.annealer.arrays
            self.annealer.arrays = arrays_of(narrowed(layout, arcs), self.parameters)._replace(
                guide=before.guide, max_open=before.max_open
            )
            if before.max_open < int((option >= 0).sum()):
                self._construct()
            else:
                self.annealer.adopt(place, self.progress.cost)
            self._is_begun = True

    def learn(self, ascent: Ascent) -> None:
        """Take over which options the relaxation chooses."""
        self.annealer.arrays.guide[:] = np.where(ascent.openness > self.parameters.guiding, ascent.options, -1)
