"""The Lagrangian relaxation of the assignment constraints, facility by facility, in compiled loops.

With a multiplier u_i for each demand, L(u, w) = Σ u_i + Σ_j min(0, min over options o of j of option cost + the
fractional knapsack of the arcs' reduced costs c_ij − u_i under the surrogate capacity Σ_r w_r · capacity_or). A lower
bound on every solution for any u and any w ≥ 0. At most p facilities: the p smallest terms only. At least q, which
all demand together needs: the q smallest terms in any case.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.location.compiled import compiled, compiled_step
from solvers.location.layout import Layout
from solvers.location.problem import Floats, Integers
from solvers.location.sorting import MOST_WAITING, sort_order
from solvers.location.tolerances import NOTHING, TOLERANCE

#: Without an option; with a type, since a number that is written out is a type of its own to the compiler.
NO_OPTION: Any = np.int64(-1)


class Relaxed(NamedTuple):
    """The problem as the loops of the relaxation read it; see `Layout`."""

    demand: Floats
    facility_start: Integers
    arc_demand: Integers
    arc_cost: Floats
    option_start: Integers
    option_cost: Floats
    option_capacity: Floats
    option_class: Integers


def relaxed(layout: Layout) -> Relaxed:
    """The arrays of a layout that the relaxation needs."""
    return Relaxed(*(getattr(layout, name) for name in Relaxed._fields))


class Terms(NamedTuple):
    """What the facilities' subproblems come to, written in place.

    Attributes
    ----------
    value, chosen : arrays (m,)
        The least of option cost + knapsack, and the option that has it (−1 without options).
    served : array (A,)
        The fraction of each arc that the facility would take.
    """

    value: Floats
    chosen: Integers
    served: Floats


class Forced(NamedTuple):
    """What the facilities' subproblems come to with something forced, written in place.

    Attributes
    ----------
    arc, option : arrays (A,), (K,)
        When the arc must be used, and when the option must be chosen.
    least : array (m,)
        Without any such must.
    """

    arc: Floats
    option: Floats
    least: Floats


class Adaptation(NamedTuple):
    """How fast surrogate weights follow the resources that bind, and the least that a weight becomes."""

    rate: float
    least: float


class Fill(NamedTuple):
    """A fractional knapsack: all before `full` in the order, and a part of the next; the option that it fills."""

    value: float
    option: int
    full: int
    part: float


class Knapsack(NamedTuple):
    """Room to work on one facility's knapsack, in the first entries of its arrays.

    Attributes
    ----------
    items, profit, size : arrays
        Arcs, what each brings, and its demand in merged resources.
    ratio, order : arrays
        Loss per size, and the items by it.
    sizes, profits : arrays
        Sums of the items before each one in that order.
    stack : array (2, `MOST_WAITING`)
    """

    items: Integers
    profit: Floats
    size: Floats
    ratio: Floats
    order: Integers
    sizes: Floats
    profits: Floats
    stack: Integers


@compiled
def widest(problem: Relaxed) -> int:
    """The largest number of arcs that a facility has."""
    most = 0
    for j in range(len(problem.option_start) - 1):
        most = max(most, problem.facility_start[j + 1] - problem.facility_start[j])
    return most


@compiled
def empty_knapsack(count: int) -> Knapsack:
    """Room for so many items."""
    return Knapsack(
        np.empty(count, dtype=np.int64),
        np.empty(count),
        np.empty(count),
        np.empty(count),
        np.empty(count, dtype=np.int64),
        np.empty(count + 1),
        np.empty(count + 1),
        np.empty((2, MOST_WAITING), dtype=np.int64),
    )


@compiled_step
def has_member(problem: Relaxed, j: int, group: int) -> bool:
    """Whether a facility has an option of a class."""
    for option in range(problem.option_start[j], problem.option_start[j + 1]):
        if problem.option_class[option] == group:
            return True
    return False


@compiled_step
def surrogate_size(weights: Floats, j: int, group: int, amounts: Floats, i: int) -> float:
    """The resources of row i merged by a facility's weights for a class."""
    total = 0.0
    for r in range(weights.shape[2]):
        total += weights[j, group, r] * amounts[i, r]
    return total


@compiled_step
def surrogate_room(weights: Floats, j: int, group: int, capacity: Floats, option: int) -> float:
    """An option's capacities merged; those without weight do not count, though they be infinite."""
    room = 0.0
    for r in range(weights.shape[2]):
        if weights[j, group, r] > 0.0:
            room += weights[j, group, r] * capacity[option, r]
    return room


@compiled_step
def order_by_ratio(problem: Relaxed, weights: Floats, j: int, group: int, knapsack: Knapsack, count: int) -> None:
    """Measure the items by a class's weights and order them, the best profit per size first, what brings none last."""
    for item in range(count):
        i = problem.arc_demand[knapsack.items[item]]
        profit, size = knapsack.profit[item], surrogate_size(weights, j, group, problem.demand, i)
        knapsack.size[item] = size
        if profit <= 0.0:
            knapsack.ratio[item] = np.inf
        elif size > 0.0:
            knapsack.ratio[item] = -profit / size
        else:
            knapsack.ratio[item] = -np.inf
    sort_order(knapsack.ratio, knapsack.order, count, knapsack.stack)


@compiled_step
def count_up_to(sums: Floats, count: int, room: float) -> int:
    """How many of so many rising sums after the first, which is 0, are at most `room`."""
    low, high = 0, count + 1
    while low < high:
        middle = (low + high) // 2
        if sums[middle] <= room:
            low = middle + 1
        else:
            high = middle
    return low - 1


@compiled_step
def put_in(problem: Relaxed, multipliers: Floats, j: int, knapsack: Knapsack) -> int:
    """Put in the arcs of a facility that cost less than their demand's multiplier; how many they are."""
    count = 0
    for arc in range(problem.facility_start[j], problem.facility_start[j + 1]):
        reduced = problem.arc_cost[arc] - multipliers[problem.arc_demand[arc]]
        if reduced < 0.0:
            knapsack.items[count] = arc
            knapsack.profit[count] = -reduced
            count += 1
    return count


@compiled_step
def best_fill(problem: Relaxed, weights: Floats, j: int, group: int, knapsack: Knapsack, count: int) -> Fill:
    """The option of a class that is cheapest together with its knapsack."""
    order, size, profit = knapsack.order, knapsack.size, knapsack.profit
    sizes, profits = knapsack.sizes, knapsack.profits
    sizes[0], profits[0] = 0.0, 0.0
    for rank in range(count):
        sizes[rank + 1] = sizes[rank] + size[order[rank]]
        profits[rank + 1] = profits[rank] + profit[order[rank]]
    best = Fill(np.inf, NO_OPTION, 0, 0.0)
    for option in range(problem.option_start[j], problem.option_start[j + 1]):
        if problem.option_class[option] != group:
            continue
        room = surrogate_room(weights, j, group, problem.option_capacity, option)
        full = count_up_to(sizes, count, room)
        part = 0.0
        total = problem.option_cost[option] - profits[full]
        if full < count and size[order[full]] > 0.0:
            part = (room - sizes[full]) / size[order[full]]
            total -= part * profit[order[full]]
        if total < best.value:
            best = Fill(total, option, full, part)
    return best


@compiled_step
def adapt_weights(
    problem: Relaxed,
    weights: Floats,
    j: int,
    group: int,
    fill: Fill,
    knapsack: Knapsack,
    count: int,
    adaptation: Adaptation,
) -> None:
    """Move a facility's surrogate weights towards the resources that its best option of the class overuses."""
    items, order = knapsack.items, knapsack.order
    total = 0.0
    for r in range(weights.shape[2]):
        if weights[j, group, r] <= 0.0:
            continue
        usage = 0.0
        for rank in range(fill.full):
            usage += problem.demand[problem.arc_demand[items[order[rank]]], r]
        if fill.full < count:
            usage += fill.part * problem.demand[problem.arc_demand[items[order[fill.full]]], r]
        capacity = max(problem.option_capacity[fill.option, r], NOTHING)
        excess = min(max(usage / capacity - 1.0, -1.0), 1.0)
        weights[j, group, r] *= np.exp(adaptation.rate * excess)
        total += weights[j, group, r]
    if total <= 0.0:
        return
    for r in range(weights.shape[2]):
        if weights[j, group, r] > 0.0:
            weights[j, group, r] = max(weights[j, group, r] / total, adaptation.least)


@compiled_step
def take(best: Fill, taken: Integers, count: int, served: Floats) -> None:
    """Write which part of each arc a knapsack takes."""
    for rank in range(best.full):
        served[taken[rank]] = 1.0
    if best.full < count and best.option >= 0:
        served[taken[best.full]] = best.part


@compiled
def facility_terms(
    problem: Relaxed, multipliers: Floats, weights: Floats, terms: Terms, adaptation: Adaptation
) -> None:
    """Solve the subproblem of every facility.

    Parameters
    ----------
    weights : array (m, classes, R)
        Surrogate weights; adapted in place towards the resources that bind where the rate is above 0.
    """
    knapsack = empty_knapsack(widest(problem))
    taken = np.empty(len(knapsack.items), dtype=np.int64)
    for j in range(len(problem.option_start) - 1):
        for arc in range(problem.facility_start[j], problem.facility_start[j + 1]):
            terms.served[arc] = 0.0
        count = put_in(problem, multipliers, j, knapsack)
        best = Fill(np.inf, NO_OPTION, 0, 0.0)
        for group in range(weights.shape[1]):
            if not has_member(problem, j, group):
                continue
            order_by_ratio(problem, weights, j, group, knapsack, count)
            fill = best_fill(problem, weights, j, group, knapsack, count)
            if fill.value < best.value:
                best = fill
                for rank in range(min(fill.full + 1, count)):
                    taken[rank] = knapsack.items[knapsack.order[rank]]
            if adaptation.rate > 0.0 and count > 0:
                adapt_weights(problem, weights, j, group, fill, knapsack, count, adaptation)
        terms.value[j] = best.value
        terms.chosen[j] = best.option
        take(best, taken, count, terms.served)


@compiled
def gather(problem: Relaxed, terms: Terms, min_open: int, max_open: int, usage: Floats, is_open: Integers) -> float:
    """Sum the negative terms, at least and at most so many; usage of each demand by the facilities that count."""
    for i in range(len(usage)):
        usage[i] = 0.0
    for j in range(len(is_open)):
        is_open[j] = 0
    total = 0.0
    order, stack = np.empty(len(terms.value), dtype=np.int64), np.empty((2, MOST_WAITING), dtype=np.int64)
    sort_order(terms.value, order, len(order), stack)
    for rank in range(min(max_open, len(order))):
        j = order[rank]
        if terms.value[j] >= 0.0 and (rank >= min_open or terms.value[j] == np.inf):
            break
        total += terms.value[j]
        is_open[j] = 1
        for arc in range(problem.facility_start[j], problem.facility_start[j + 1]):
            if terms.served[arc] > 0.0:
                usage[problem.arc_demand[arc]] += terms.served[arc]
    return total


@compiled_step
def forced_fill(option_cost: float, room: float, knapsack: Knapsack, count: int) -> tuple[float, float]:
    """Value of an option with its knapsack, and the multiplier of the knapsack's capacity."""
    value, multiplier = option_cost, 0.0
    for rank in range(count):
        item = knapsack.order[rank]
        profit, size = knapsack.profit[item], knapsack.size[item]
        if profit <= 0.0:
            break
        if size > room:
            value -= profit * room / size
            multiplier = profit / size
            break
        value -= profit
        room -= size
    return value, multiplier


@compiled_step
def fits(problem: Relaxed, i: int, option: int) -> bool:
    """Whether an option carries a demand alone."""
    for r in range(problem.demand.shape[1]):
        if problem.demand[i, r] > problem.option_capacity[option, r] * (1.0 + TOLERANCE):
            return False
    return True


@compiled
def penalties(problem: Relaxed, multipliers: Floats, weights: Floats, forced: Forced) -> None:
    """The facilities' terms when an arc must be used, when an option must be chosen, and without any such must.

    With an arc: the least over the facility's options of option cost + knapsack + what forcing the arc into the
    knapsack costs by its linear programming multiplier, a lower bound.
    """
    price = np.empty(len(problem.option_cost))
    knapsack = empty_knapsack(widest(problem))
    for j in range(len(problem.option_start) - 1):
        begin, count = problem.facility_start[j], problem.facility_start[j + 1] - problem.facility_start[j]
        first, last = problem.option_start[j], problem.option_start[j + 1]
        forced.least[j] = np.inf
        for item in range(count):
            knapsack.items[item] = begin + item
            knapsack.profit[item] = multipliers[problem.arc_demand[begin + item]] - problem.arc_cost[begin + item]
        for group in range(weights.shape[1]):
            if not has_member(problem, j, group):
                continue
            order_by_ratio(problem, weights, j, group, knapsack, count)
            for option in range(first, last):
                if problem.option_class[option] != group:
                    continue
                room = surrogate_room(weights, j, group, problem.option_capacity, option)
                value, price[option] = forced_fill(problem.option_cost[option], room, knapsack, count)
                forced.option[option] = value
                forced.least[j] = min(forced.least[j], value)
        for item in range(count):
            i = problem.arc_demand[begin + item]
            best = np.inf
            for option in range(first, last):
                if fits(problem, i, option):
                    merged = surrogate_size(weights, j, problem.option_class[option], problem.demand, i)
                    best = min(best, forced.option[option] + max(0.0, price[option] * merged - knapsack.profit[item]))
            forced.arc[begin + item] = best
