"""The Lagrangian relaxation with whole demands: facilities' knapsacks without fractions, by dynamic programming.

For problems of one resource whose demands are multiples of a unit. The bound is at least that of the fractional
knapsacks (Holmberg, Rönnqvist, Yuan, EJOR 113 (1999) 544–559 use it for the single-source problem).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.location.compiled import compiled
from solvers.location.layout import Floats, Integers, Layout
from solvers.location.problem import CAPACITY_TOLERANCE

#: Units that are tried, as parts of one.
PARTS = (1, 2, 4, 5, 10, 100, 1000)
#: Cells of all tables together, above which fractions are good enough.
MOST_CELLS = 30_000_000


@dataclass(frozen=True, eq=False)
class Units:
    """Demands and capacities in whole units.

    Attributes
    ----------
    size, room : arrays (n,), (K,)
    """

    size: Integers
    room: Integers


def whole_units(layout: Layout) -> Units | None:
    """The problem in whole units; None where it has several resources, no unit, or too many cells."""
    problem = layout.problem
    if problem.n_resources != 1 or not problem.n_arcs:
        return None
    demand = problem.demand[:, 0]
    for parts in PARTS:
        scaled = demand * parts
        size = np.rint(scaled)
        if (np.abs(scaled - size) <= 1e-9 * np.maximum(scaled, 1.0)).all():
            break
    else:
        return None
    total = float(size.sum())
    capacity = np.minimum(layout.option_capacity[:, 0] * layout.scale[0] * parts * (1.0 + CAPACITY_TOLERANCE), total)
    room = np.floor(capacity + 1e-9).astype(np.int64)
    largest = np.zeros(layout.facilities)
    np.maximum.at(largest, np.repeat(np.arange(layout.facilities), np.diff(layout.option_start)), room)
    cells = float((largest * np.diff(layout.facility_start)).sum())
    return Units(size.astype(np.int64), room) if cells <= MOST_CELLS else None


@compiled
def whole_terms(
    multipliers: Floats,
    size: Integers,
    room: Integers,
    facility_start: Integers,
    arc_demand: Integers,
    arc_cost: Floats,
    option_start: Integers,
    option_cost: Floats,
    value: Floats,
    chosen: Integers,
    served: Floats,
) -> None:
    """Solve every facility's subproblem with whole demands; see `relaxation.facility_terms` for what comes out."""
    for j in range(len(option_start) - 1):
        begin, end = facility_start[j], facility_start[j + 1]
        value[j] = np.inf
        chosen[j] = -1
        largest = 0
        for option in range(option_start[j], option_start[j + 1]):
            largest = max(largest, room[option])
        items = np.empty(end - begin, dtype=np.int64)
        count = 0
        total = 0
        for arc in range(begin, end):
            served[arc] = 0.0
            i = arc_demand[arc]
            if arc_cost[arc] < multipliers[i] and size[i] <= largest:
                items[count] = arc
                count += 1
                total += size[i]
        width = min(largest, total) + 1
        best = np.zeros(width)
        taken = np.zeros((count, width), dtype=np.uint8)
        for rank in range(count):
            arc = items[rank]
            i = arc_demand[arc]
            profit = multipliers[i] - arc_cost[arc]
            for capacity in range(width - 1, size[i] - 1, -1):
                found = best[capacity - size[i]] + profit
                if found > best[capacity]:
                    best[capacity] = found
                    taken[rank, capacity] = 1
        for option in range(option_start[j], option_start[j + 1]):
            found = option_cost[option] - best[min(room[option], width - 1)]
            if found < value[j]:
                value[j] = found
                chosen[j] = option
        if chosen[j] >= 0:
            capacity = min(room[chosen[j]], width - 1)
            for rank in range(count - 1, -1, -1):
                if taken[rank, capacity]:
                    served[items[rank]] = 1.0
                    capacity -= size[arc_demand[items[rank]]]


@compiled
def whole_penalties(
    multipliers: Floats,
    size: Integers,
    room: Integers,
    facility_start: Integers,
    arc_demand: Integers,
    arc_cost: Floats,
    option_start: Integers,
    option_cost: Floats,
    arc_value: Floats,
    option_value: Floats,
    least: Floats,
) -> None:
    """The facilities' terms when an arc must be used, when an option must be chosen, and without any such must.

    Tables over the items before and after each one give the knapsack without it at every capacity.
    """
    for j in range(len(option_start) - 1):
        begin, end = facility_start[j], facility_start[j + 1]
        first, last = option_start[j], option_start[j + 1]
        least[j] = np.inf
        largest = 0
        for option in range(first, last):
            largest = max(largest, room[option])
        items = np.empty(end - begin, dtype=np.int64)
        count = 0
        total = 0
        for arc in range(begin, end):
            i = arc_demand[arc]
            if arc_cost[arc] < multipliers[i] and size[i] <= largest:
                items[count] = arc
                count += 1
                total += size[i]
        width = min(largest, total) + 1
        after = np.zeros((count + 1, width))
        for rank in range(count - 1, -1, -1):
            i = arc_demand[items[rank]]
            profit = multipliers[i] - arc_cost[items[rank]]
            for capacity in range(width):
                after[rank, capacity] = after[rank + 1, capacity]
                if capacity >= size[i]:
                    found = after[rank + 1, capacity - size[i]] + profit
                    after[rank, capacity] = max(after[rank, capacity], found)
        for option in range(first, last):
            option_value[option] = option_cost[option] - after[0, min(room[option], width - 1)]
            least[j] = min(least[j], option_value[option])
        before = np.zeros(width)
        rank = 0
        for arc in range(begin, end):
            i = arc_demand[arc]
            profit = multipliers[i] - arc_cost[arc]
            is_item = rank < count and items[rank] == arc
            arc_value[arc] = np.inf
            for option in range(first, last):
                left = room[option] - size[i]
                if left < 0:
                    continue
                found = 0.0
                if is_item:
                    left = min(left, width - 1)
                    for capacity in range(left + 1):
                        found = max(found, before[capacity] + after[rank + 1, left - capacity])
                else:
                    found = after[0, min(left, width - 1)]
                arc_value[arc] = min(arc_value[arc], option_cost[option] - profit - found)
            if is_item:
                for capacity in range(width - 1, size[i] - 1, -1):
                    before[capacity] = max(before[capacity], before[capacity - size[i]] + profit)
                rank += 1
