"""Raising the Lagrangian bound: deflected Polyak steps towards the incumbent first, the volume algorithm after.

Everything that a bound rests on (multipliers and surrogate weights at the best evaluation) is kept, so that the bound
can be recomputed by anyone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.location.bound.knapsack import Units, whole_terms, whole_units
from solvers.location.bound.relaxation import facility_terms, gather
from solvers.location.layout import Floats, Integers, Layout

#: How fast surrogate weights follow the resources that bind.
ADAPT = 0.2
#: Polyak steps without a better bound after which the step is halved.
PATIENCE = 50
#: Share of the last direction in a Polyak step.
DEFLECTION = 0.3
#: Step factors: where Polyak steps give way to the volume algorithm, where that ends, with which steps begin anew.
POLYAK_ENDS, VOLUME_ENDS, REVIVAL = 0.05, 0.001, 0.5
#: Largest share of a new subproblem solution in the volume algorithm's average.
VOLUME_SHARE = 0.1
#: The target lies at least this share above the bound, whatever the incumbent.
LEAST_AIM = 0.002


@dataclass
class Ascent:
    """The state of one ascent; `run` continues it.

    Attributes
    ----------
    bound : float
        Best value of the Lagrangian function so far.
    multipliers, weights : arrays (n,), (m, classes, R)
        Where it was reached.
    ceiling : float
        No solution costs more: a bound above it proves that there is none.
    average : array (A,)
        Average of the subproblems' solutions: an approximate solution of the relaxed problem, arc by arc.
    openness : array (m,)
        Average of whether each facility was open in them.
    units : Units or None
        Whole units, if knapsacks can do without fractions.
    is_whole, is_bound_whole : bool
        Whether they do so now, and did at the best value.
    """

    layout: Layout
    bound: float = -np.inf
    multipliers: Floats = field(init=False)
    weights: Floats = field(init=False)
    ceiling: float = field(init=False)
    average: Floats = field(init=False)
    openness: Floats = field(init=False)
    options: Integers = field(init=False)
    iterations: int = 0
    factor: float = 1.0
    in_volume: bool = False
    is_whole: bool = False
    is_bound_whole: bool = False
    units: Units | None = field(init=False)

    def __post_init__(self) -> None:
        layout = self.layout
        self.units = whole_units(layout)
        self._current = starting_multipliers(layout)
        self.multipliers = self._current.copy()
        self._weights = np.repeat(layout.class_weight[None, :, :], layout.facilities, axis=0)
        self.weights = self._weights.copy()
        self._value = np.zeros(layout.facilities)
        self._chosen = np.zeros(layout.facilities, dtype=np.int64)
        self._served = np.zeros(len(layout.arc_cost))
        self._usage = np.zeros(layout.demands)
        self._is_open = np.zeros(layout.facilities, dtype=np.int64)
        self._direction = np.zeros(layout.demands)
        self._stale = 0
        self.ceiling = ceiling(layout)
        self.average = np.zeros(len(layout.arc_cost))
        self.openness = np.zeros(layout.facilities)
        self.options = np.full(layout.facilities, -1, dtype=np.int64)

    def tighten(self) -> bool:
        """Go on with whole demands, from the best multipliers; False where that has been done or cannot be."""
        if self.is_whole or self.units is None:
            return False
        self.is_whole = True
        self.revive()
        return True

    def revive(self) -> None:
        """Take large steps again, from the best multipliers."""
        self.in_volume, self.factor = False, REVIVAL
        self._current = self.multipliers.copy()
        self._weights = self.weights.copy()
        self._direction[:] = 0.0
        self._stale = 0

    def evaluate(self, adapt: float) -> float:
        """L at the current multipliers; surrogate weights are those before they adapt."""
        layout = self.layout
        before = self._weights
        if self.is_whole and self.units is not None:
            whole_terms(
                self._current,
                self.units.size,
                self.units.room,
                layout.facility_start,
                layout.arc_demand,
                layout.arc_cost,
                layout.option_start,
                layout.option_cost,
                self._value,
                self._chosen,
                self._served,
            )
        else:
            before = self._weights.copy()
            facility_terms(
                self._current,
                self._weights,
                layout.demand,
                layout.facility_start,
                layout.arc_demand,
                layout.arc_cost,
                layout.option_start,
                layout.option_cost,
                layout.option_capacity,
                layout.option_class,
                self._value,
                self._chosen,
                self._served,
                adapt,
            )
        total = gather(
            self._value, self._served, layout.facility_start, layout.arc_demand, layout.min_open, layout.max_open,
            self._usage, self._is_open,
        )  # fmt: skip
        value = float(self._current.sum()) + total
        self.iterations += 1
        if value > self.bound:
            self.bound = value
            self.is_bound_whole = self.is_whole
            self.multipliers = self._current.copy()
            self.weights = before
        return value

    @property
    def has_ended(self) -> bool:
        """Whether steps have become too small to matter."""
        return (self.in_volume and self.factor < VOLUME_ENDS) or self.shows_infeasible

    @property
    def shows_infeasible(self) -> bool:
        """Whether the bound is above whatever a solution could cost."""
        return self.bound > self.ceiling + 1e-6 * max(1.0, abs(self.ceiling))

    def run(self, iterations: int, incumbent: float) -> None:
        """Take some steps towards an incumbent's cost (infinite where there is none)."""
        for _ in range(iterations):
            if self.has_ended or self.bound >= incumbent - 1e-12 * abs(incumbent):
                return
            if self.in_volume:
                self._volume_step(incumbent)
            else:
                self._polyak_step(incumbent)

    def _target(self, incumbent: float) -> float:
        aim = self.bound + max(abs(self.bound), 1e-9) * (0.05 if not np.isfinite(incumbent) else LEAST_AIM)
        return (
            aim if not np.isfinite(incumbent) else max(min(incumbent, self.bound + 0.1 * abs(self.bound) + 1e-9), aim)
        )

    def _go_to(self, multipliers: Floats) -> None:
        """Take these multipliers, none larger than what could ever matter."""
        most = 2.0 * abs(self.ceiling) + 1.0
        self._current = np.clip(multipliers, -most, most)

    def _polyak_step(self, incumbent: float) -> None:
        best = self.bound
        value = self.evaluate(ADAPT)
        if value > best + 1e-6 * abs(best):
            self._stale = 0
        else:
            self._stale += 1
        share = 1.0 / (self.iterations if self.iterations < 20 else 20)
        self._average(share)
        self._direction = (1.0 - self._usage) + DEFLECTION * self._direction
        norm = float(self._direction @ self._direction)
        if self._stale >= PATIENCE:
            self.factor *= 0.5
            self._stale = 0
            self._current = self.multipliers.copy()
            self._weights = self.weights.copy()
            self._direction[:] = 0.0
            if self.factor < POLYAK_ENDS:
                self.in_volume, self.factor = True, 0.3
            return
        if norm > 0.0:
            self._go_to(self._current + self.factor * (self._target(incumbent) - value) / norm * self._direction)

    def _volume_step(self, incumbent: float) -> None:
        layout = self.layout
        usage = np.bincount(layout.arc_demand, weights=self.average, minlength=layout.demands)
        gradient = 1.0 - usage
        norm = float(gradient @ gradient)
        if norm <= 1e-12:
            self.factor = 0.0
            return
        best = self.bound
        self._go_to(self.multipliers + self.factor * (self._target(incumbent) - best) / norm * gradient)
        value = self.evaluate(ADAPT)
        fresh = 1.0 - self._usage
        # The share that would make the average gradient smallest, within limits.
        change = fresh - gradient
        length = float(change @ change)
        share = VOLUME_SHARE if length <= 0.0 else -float(gradient @ change) / length
        self._average(min(max(share, VOLUME_SHARE / 10.0), VOLUME_SHARE))
        if value > best:
            self._stale = 0
            if float(fresh @ gradient) > 0.0:
                self.factor = min(self.factor * 1.1, 1.0)
        else:
            self._stale += 1
            if self._stale >= PATIENCE:
                self.factor *= 0.66
                self._stale = 0

    def _average(self, share: float) -> None:
        start = self.layout.facility_start
        is_open = self._is_open.astype(np.float64)
        now = self._served * np.repeat(is_open, np.diff(start))
        self.average += share * (now - self.average)
        self.openness += share * (is_open - self.openness)
        self.options = np.where(self._is_open > 0, self._chosen, self.options)


def starting_multipliers(layout: Layout) -> Floats:
    """For each demand the least of arc cost + its share of the cheapest option, by the resource it uses most of."""
    price = np.full((layout.facilities, layout.demand.shape[1]), np.inf)
    owner = np.repeat(np.arange(layout.facilities), np.diff(layout.option_start))
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(np.isfinite(layout.option_capacity), layout.option_cost[:, None] / layout.option_capacity, 0.0)
    np.minimum.at(price, owner, each)
    usage = layout.demand[layout.arc_demand] * price[layout.arc_facility]
    cost = layout.arc_cost + usage.max(axis=1)
    start = np.full(layout.demands, np.inf)
    np.minimum.at(start, layout.arc_demand, cost)
    return start


def ceiling(layout: Layout) -> float:
    """At least what any solution costs: every demand along its dearest arc, every facility with its dearest option."""
    arcs = np.full(layout.demands, -np.inf)
    np.maximum.at(arcs, layout.arc_demand, layout.arc_cost)
    options = np.zeros(layout.facilities)
    np.maximum.at(options, np.repeat(np.arange(layout.facilities), np.diff(layout.option_start)), layout.option_cost)
    return float(arcs.sum() + options.sum())
