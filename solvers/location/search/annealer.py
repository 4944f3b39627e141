"""Finding solutions: construction from the relaxation, then annealed ruin and recreate."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from solvers.location.layout import Layout
from solvers.location.problem import Integers
from solvers.location.search.annealing_loop import Best, anneal
from solvers.location.search.construction import adopt, clear, empty_state, fill_alone, fill_near, place_all
from solvers.location.search.state import COST, EFFORT, OPENED, PAID, WAITING, Arrays, State, moves_of
from solvers.location.tolerances import IMPROVEMENT, SOMETHING, TOLERANCE
from solvers.parameters.location import SearchParameters


def arrays_of(layout: Layout, parameters: SearchParameters) -> Arrays:
    """The problem for the compiled loops; the relaxation has no say yet."""
    arrays = empty_arrays(layout, parameters)
    fill_near(
        arrays.neighbors,
        parameters.depth,
        layout.facility_start,
        layout.arc_demand,
        layout.demand_start,
        layout.by_demand,
        layout.arc_facility,
    )
    fill_alone(
        arrays.alone,
        layout.demand,
        layout.facility_start,
        layout.arc_demand,
        layout.option_start,
        layout.option_capacity,
    )
    return arrays


def empty_arrays(layout: Layout, parameters: SearchParameters) -> Arrays:
    """The same without what loops work out: no neighbors, no options alone."""
    spread = float(layout.arc_cost.max(initial=0.0) - min(layout.arc_cost.min(initial=0.0), 0.0))
    return Arrays(
        demand=layout.demand,
        facility_start=layout.facility_start,
        arc_demand=layout.arc_demand,
        arc_cost=layout.arc_cost,
        arc_facility=layout.arc_facility,
        demand_start=layout.demand_start,
        by_demand=layout.by_demand,
        option_start=layout.option_start,
        option_cost=layout.option_cost,
        option_capacity=layout.option_capacity,
        alone=np.zeros(len(layout.arc_cost), dtype=np.int64),
        neighbors=np.full((layout.facilities, min(parameters.near, layout.facilities)), -1, dtype=np.int64),
        guide=np.full(layout.facilities, -1, dtype=np.int64),
        max_open=layout.max_open,
        penalty=parameters.waiting * (spread + float(layout.option_cost.max(initial=0.0))) + SOMETHING,
    )


@dataclass
class Annealer:
    """One annealed search with a state of its own.

    Attributes
    ----------
    best : Best
        The best solution so far.
    """

    arrays: Arrays
    seed: int
    parameters: SearchParameters
    state: State = field(init=False, repr=False)
    best: Best = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n, m = len(self.arrays.demand), len(self.arrays.option_start) - 1
        self.state = empty_state(n, m, self.arrays.demand.shape[1], self.seed, _charge(self.arrays))
        self.best = Best(np.full(n, WAITING, dtype=np.int64), np.full(1, np.inf))
        self._moves = moves_of(self.parameters.moves)
        self._barred = np.zeros(m, dtype=np.int64)
        self._mark = 1

    @property
    def best_place(self) -> Integers:
        """Facility of each demand in the best solution."""
        return self.best.place

    @property
    def best_cost(self) -> float:
        """Cost of the best solution; infinite until there is one."""
        return float(self.best.cost[0])

    @property
    def cost(self) -> float:
        """Cost of the solution at work, penalties included."""
        return float(self.state.totals[COST] + self.state.totals[PAID])

    @property
    def scale(self) -> float:
        """Geometric mean of the cost per demand and per open facility."""
        return abs(self.cost) / max(1.0, math.sqrt(len(self.arrays.demand) * float(self.state.counts[OPENED])))

    @property
    def effort(self) -> float:
        """Work done so far, in steps of the innermost loops."""
        return float(self.state.totals[EFFORT])

    def construct(self, options: Integers, order: Integers) -> None:
        """Begin with these options planned (−1 closed) and the demands placed in this order."""
        clear(self.state)
        place_all(self.arrays, self.state, options, order)

    def adopt(self, place: Integers, cost: float) -> None:
        """Continue from a known solution."""
        clear(self.state)
        adopt(self.arrays, self.state, place)
        if cost < self.best_cost - IMPROVEMENT:
            self.best.cost[0] = cost
            self.best.place[:] = place

    def run(self, effort: float, temperature: float) -> None:
        """Anneal at one temperature until an effort is spent."""
        self._mark = anneal(
            self.arrays, self.state, self._moves, self.best, self._barred, float(effort), self._mark, float(temperature)
        )


def _charge(arrays: Arrays) -> float:
    """What overload costs at first, per unit: about as much as serving a unit of demand."""
    n = max(len(arrays.demand), 1)
    arcs = float(np.abs(arrays.arc_cost).mean()) if len(arrays.arc_cost) else 0.0
    options = float(arrays.option_cost.mean()) if len(arrays.option_cost) else 0.0
    amount = float(arrays.demand.sum()) / n / arrays.demand.shape[1]
    return float(options + arcs / max(amount, TOLERANCE))
