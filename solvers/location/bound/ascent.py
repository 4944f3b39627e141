"""Raising the Lagrangian bound: deflected Polyak steps towards the incumbent first, the volume algorithm after.

Everything that a bound rests on (multipliers and surrogate weights at the best evaluation) is kept, so that the bound
can be recomputed by anyone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.location.bound.knapsack import Units, whole_terms, whole_units
from solvers.location.bound.relaxation import Adaptation, Terms, facility_terms, gather, relaxed
from solvers.location.layout import Layout
from solvers.location.problem import Floats, Integers
from solvers.location.tolerances import NOTHING, SOMETHING, TOLERANCE, VALUE_TOLERANCE
from solvers.parameters.location import BoundParameters


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
    parameters: BoundParameters = field(default_factory=BoundParameters)
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
        self.problem = relaxed(layout)
        self.units = whole_units(layout, self.parameters)
        self._current = starting_multipliers(layout)
        self.multipliers = self._current.copy()
        self._weights = np.repeat(layout.class_weight[None, :, :], layout.facilities, axis=0)
        self.weights = self._weights.copy()
        self._terms = Terms(
            np.zeros(layout.facilities), np.zeros(layout.facilities, dtype=np.int64), np.zeros(len(layout.arc_cost))
        )
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
        self.in_volume, self.factor = False, self.parameters.revival
        self._current = self.multipliers.copy()
        self._weights = self.weights.copy()
        self._direction[:] = 0.0
        self._stale = 0

    def evaluate(self) -> float:
        """L at the current multipliers; surrogate weights are those before they adapt."""
        layout, parameters = self.layout, self.parameters
        before = self._weights
        if self.is_whole and self.units is not None:
            whole_terms(self.problem, self.units, self._current, self._terms)
        else:
            before = self._weights.copy()
            adaptation = Adaptation(parameters.adaptation, parameters.least_weight)
            facility_terms(self.problem, self._current, self._weights, self._terms, adaptation)
        total = gather(self.problem, self._terms, layout.min_open, layout.max_open, self._usage, self._is_open)
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
        return (self.in_volume and self.factor < self.parameters.volume_ends) or self.shows_infeasible

    @property
    def shows_infeasible(self) -> bool:
        """Whether the bound is above whatever a solution could cost."""
        return self.bound > self.ceiling + VALUE_TOLERANCE * max(1.0, abs(self.ceiling))

    def run(self, iterations: int, incumbent: float) -> None:
        """Take some steps towards an incumbent's cost (infinite where there is none)."""
        for _ in range(iterations):
            if self.has_ended or self.bound >= incumbent - NOTHING * abs(incumbent):
                return
            if self.in_volume:
                self._volume_step(incumbent)
            else:
                self._polyak_step(incumbent)

    def _target(self, incumbent: float) -> float:
        """Where steps aim: at the incumbent, but neither hardly above the bound nor far above it."""
        parameters = self.parameters
        if not np.isfinite(incumbent):
            return self.bound + max(abs(self.bound), TOLERANCE) * parameters.aim_alone
        least = self.bound + max(abs(self.bound), TOLERANCE) * parameters.least_aim
        return max(min(incumbent, self.bound + parameters.most_aim * abs(self.bound) + TOLERANCE), least)

    def _go_to(self, multipliers: Floats) -> None:
        """Take these multipliers, none larger than what could ever matter."""
        most = self.parameters.most_multiplier * abs(self.ceiling) + SOMETHING
        self._current = np.clip(multipliers, -most, most)

    def _polyak_step(self, incumbent: float) -> None:
        parameters, best = self.parameters, self.bound
        value = self.evaluate()
        if value > best + parameters.progress * abs(best):
            self._stale = 0
        else:
            self._stale += 1
        self._average(1.0 / min(self.iterations, parameters.memory))
        self._direction = (1.0 - self._usage) + parameters.deflection * self._direction
        norm = float(self._direction @ self._direction)
        if self._stale >= parameters.patience:
            self.factor *= parameters.halving
            self._stale = 0
            self._current = self.multipliers.copy()
            self._weights = self.weights.copy()
            self._direction[:] = 0.0
            if self.factor < parameters.polyak_ends:
                self.in_volume, self.factor = True, parameters.volume_begins
            return
        if norm > 0.0:
            self._go_to(self._current + self.factor * (self._target(incumbent) - value) / norm * self._direction)

    def _volume_step(self, incumbent: float) -> None:
        layout, parameters = self.layout, self.parameters
        usage = np.bincount(layout.arc_demand, weights=self.average, minlength=layout.demands)
        gradient = 1.0 - usage
        norm = float(gradient @ gradient)
        if norm <= NOTHING:
            self.factor = 0.0
            return
        best = self.bound
        self._go_to(self.multipliers + self.factor * (self._target(incumbent) - best) / norm * gradient)
        value = self.evaluate()
        fresh = 1.0 - self._usage
        # The share that would make the average gradient smallest, within limits.
        change = fresh - gradient
        length = float(change @ change)
        share = parameters.volume_share if length <= 0.0 else -float(gradient @ change) / length
        self._average(min(max(share, parameters.least_volume_share), parameters.volume_share))
        if value > best:
            self._stale = 0
            if float(fresh @ gradient) > 0.0:
                self.factor = min(self.factor * parameters.volume_growth, 1.0)
        else:
            self._stale += 1
            if self._stale >= parameters.patience:
                self.factor *= parameters.volume_decay
                self._stale = 0

    def _average(self, share: float) -> None:
        start = self.layout.facility_start
        is_open = self._is_open.astype(np.float64)
        now = self._terms.served * np.repeat(is_open, np.diff(start))
        self.average += share * (now - self.average)
        self.openness += share * (is_open - self.openness)
        self.options = np.where(self._is_open > 0, self._terms.chosen, self.options)


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
