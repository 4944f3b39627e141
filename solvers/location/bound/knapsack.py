"""The Lagrangian relaxation with whole demands: facilities' knapsacks without fractions, by dynamic programming.

For problems of one resource whose demands are multiples of a unit. The bound is at least that of the fractional
knapsacks (Holmberg, Rönnqvist, Yuan, EJOR 113 (1999) 544–559 use it for the single-source problem).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.location.bound.relaxation import Forced, Relaxed, Terms, widest
from solvers.location.compiled import compiled, compiled_step
from solvers.location.layout import Layout
from solvers.location.problem import Floats, Integers
from solvers.location.tolerances import CAPACITY_TOLERANCE, LARGEST_WHOLE, TOLERANCE
from solvers.parameters.location import BoundParameters


class Units(NamedTuple):
    """Demands and capacities in whole units.

    Attributes
    ----------
    size, room : arrays (n,), (K,)
    """

    size: Integers
    room: Integers


def whole_units(layout: Layout, parameters: BoundParameters) -> Units | None:
    """The problem in whole units; None where it has several resources, no unit, inexact sums, or too many cells."""
    problem = layout.problem
    if problem.n_resources != 1 or not problem.n_arcs:
        return None
    demand = problem.demand[:, 0]
    for parts in parameters.unit_parts:
        scaled = demand * parts
        size = np.rint(scaled)
        if (np.abs(scaled - size) <= TOLERANCE * np.maximum(scaled, 1.0)).all():
            break
    else:
        return None
    total = float(size.sum())
    if total > LARGEST_WHOLE:
        return None
    capacity = np.minimum(layout.option_capacity[:, 0] * layout.scale[0] * parts * (1.0 + CAPACITY_TOLERANCE), total)
    room = np.floor(capacity + TOLERANCE).astype(np.int64)
    largest = np.zeros(layout.facilities)
    np.maximum.at(largest, np.repeat(np.arange(layout.facilities), np.diff(layout.option_start)), room)
    cells = float((largest * np.diff(layout.facility_start)).sum())
    return Units(size.astype(np.int64), room) if cells <= parameters.most_cells else None


@compiled_step
def largest_room(problem: Relaxed, units: Units, j: int) -> int:
    """The room of a facility's largest option."""
    largest = 0
    for option in range(problem.option_start[j], problem.option_start[j + 1]):
        largest = max(largest, units.room[option])
    return largest


@compiled_step
def put_in_whole(
    problem: Relaxed, units: Units, multipliers: Floats, j: int, largest: int, items: Integers
) -> tuple[int, int]:
    """Put in the arcs of a facility that cost less than their demand's multiplier and fit; how many, and their size."""
    count = 0
    total = 0
    for arc in range(problem.facility_start[j], problem.facility_start[j + 1]):
        i = problem.arc_demand[arc]
        if problem.arc_cost[arc] < multipliers[i] and units.size[i] <= largest:
            items[count] = arc
            count += 1
            total += units.size[i]
    return count, total


@compiled
def whole_terms(problem: Relaxed, units: Units, multipliers: Floats, terms: Terms) -> None:
    """Solve every facility's subproblem with whole demands."""
    items = np.empty(widest(problem), dtype=np.int64)
    for j in range(len(problem.option_start) - 1):
        terms.value[j] = np.inf
        terms.chosen[j] = -1
        for arc in range(problem.facility_start[j], problem.facility_start[j + 1]):
            terms.served[arc] = 0.0
        largest = largest_room(problem, units, j)
        count, total = put_in_whole(problem, units, multipliers, j, largest, items)
        width = min(largest, total) + 1
        best = np.zeros(width)
        taken = np.zeros((count, width), dtype=np.uint8)
        for rank in range(count):
            i = problem.arc_demand[items[rank]]
            size, profit = units.size[i], multipliers[i] - problem.arc_cost[items[rank]]
            for capacity in range(width - 1, size - 1, -1):
                found = best[capacity - size] + profit
                if found > best[capacity]:
                    best[capacity] = found
                    taken[rank, capacity] = 1
        for option in range(problem.option_start[j], problem.option_start[j + 1]):
            found = problem.option_cost[option] - best[min(units.room[option], width - 1)]
            if found < terms.value[j]:
                terms.value[j] = found
                terms.chosen[j] = option
        if terms.chosen[j] >= 0:
            capacity = min(units.room[terms.chosen[j]], width - 1)
            for rank in range(count - 1, -1, -1):
                if taken[rank, capacity]:
                    terms.served[items[rank]] = 1.0
                    capacity -= units.size[problem.arc_demand[items[rank]]]


@compiled_step
def fill_after(
    problem: Relaxed, units: Units, multipliers: Floats, items: Integers, count: int, width: int, after: Floats
) -> None:
    """For each item the knapsack of it and all after it, at every capacity; the row of none is there already."""
    for rank in range(count - 1, -1, -1):
        i = problem.arc_demand[items[rank]]
        size, profit = units.size[i], multipliers[i] - problem.arc_cost[items[rank]]
        for capacity in range(width):
            after[rank, capacity] = after[rank + 1, capacity]
            if capacity >= size:
                found = after[rank + 1, capacity - size] + profit
                after[rank, capacity] = max(after[rank, capacity], found)


@compiled_step
def without(before: Floats, after: Floats, rank: int, room: int) -> float:
    """The knapsack of so much room without one item."""
    found = 0.0
    for capacity in range(room + 1):
        found = max(found, before[capacity] + after[rank + 1, room - capacity])
    return found


@compiled
def whole_penalties(problem: Relaxed, units: Units, multipliers: Floats, forced: Forced) -> None:
    """The facilities' terms when an arc must be used, when an option must be chosen, and without any such must.

    Tables over the items before and after each one give the knapsack without it at every capacity.
    """
    items = np.empty(widest(problem), dtype=np.int64)
    for j in range(len(problem.option_start) - 1):
        first, last = problem.option_start[j], problem.option_start[j + 1]
        forced.least[j] = np.inf
        largest = largest_room(problem, units, j)
        count, total = put_in_whole(problem, units, multipliers, j, largest, items)
        width = min(largest, total) + 1
        after = np.zeros((count + 1, width))
        fill_after(problem, units, multipliers, items, count, width, after)
        for option in range(first, last):
            forced.option[option] = problem.option_cost[option] - after[0, min(units.room[option], width - 1)]
            forced.least[j] = min(forced.least[j], forced.option[option])
        before = np.zeros(width)
        rank = 0
        for arc in range(problem.facility_start[j], problem.facility_start[j + 1]):
            i = problem.arc_demand[arc]
            size, profit = units.size[i], multipliers[i] - problem.arc_cost[arc]
            is_item = rank < count and items[rank] == arc
            forced.arc[arc] = np.inf
            for option in range(first, last):
                left = units.room[option] - size
                if left < 0:
                    continue
                left = min(left, width - 1)
                found = without(before, after, rank, left) if is_item else after[0, left]
                forced.arc[arc] = min(forced.arc[arc], problem.option_cost[option] - profit - found)
            if is_item:
                for capacity in range(width - 1, size - 1, -1):
                    before[capacity] = max(before[capacity], before[capacity - size] + profit)
                rank += 1
