"""The Lagrangian relaxation of the assignment constraints, facility by facility, in compiled loops.

With a multiplier u_i for each demand, L(u, w) = Σ u_i + Σ_j min(0, min over options o of j of option cost + the
fractional knapsack of the arcs' reduced costs c_ij − u_i under the surrogate capacity Σ_r w_r · capacity_or). A lower
bound on every solution for any u and any w ≥ 0. At most p facilities: the p smallest terms only. At least q, which
all demand together needs: the q smallest terms in any case.
"""

from __future__ import annotations

import numpy as np

from solvers.location.compiled import compiled
from solvers.location.layout import Floats, Integers


@compiled
def facility_terms(
    multipliers: Floats,
    weights: Floats,
    demand: Floats,
    facility_start: Integers,
    arc_demand: Integers,
    arc_cost: Floats,
    option_start: Integers,
    option_cost: Floats,
    option_capacity: Floats,
    option_class: Integers,
    value: Floats,
    chosen: Integers,
    served: Floats,
    adapt: float,
) -> None:
    """Solve the subproblem of every facility.

    Parameters
    ----------
    weights : array (m, classes, R)
        Surrogate weights; adapted in place towards the resources that bind where `adapt` > 0.
    value, chosen : arrays (m,)
        Out: the least of option cost + knapsack, and the option that has it (−1 without options).
    served : array (A,)
        Out: the fraction of each arc that the facility would take.
    """
    resources = demand.shape[1]
    classes = weights.shape[1]
    for j in range(len(option_start) - 1):
        begin, end = facility_start[j], facility_start[j + 1]
        value[j] = np.inf
        chosen[j] = -1
        count = 0
        for arc in range(begin, end):
            served[arc] = 0.0
            if arc_cost[arc] < multipliers[arc_demand[arc]]:
                count += 1
        items = np.empty(count, dtype=np.int64)
        profit = np.empty(count)
        position = 0
        for arc in range(begin, end):
            reduced = arc_cost[arc] - multipliers[arc_demand[arc]]
            if reduced < 0.0:
                items[position] = arc
                profit[position] = -reduced
                position += 1
        size = np.empty(count)
        ratio = np.empty(count)
        best_order = np.empty(count, dtype=np.int64)
        best_full, best_part = 0, 0.0
        sizes = np.empty(count + 1)
        profits = np.empty(count + 1)
        for group in range(classes):
            member = False
            for option in range(option_start[j], option_start[j + 1]):
                if option_class[option] == group:
                    member = True
                    break
            if not member:
                continue
            for item in range(count):
                total = 0.0
                i = arc_demand[items[item]]
                for r in range(resources):
                    total += weights[j, group, r] * demand[i, r]
                size[item] = total
                ratio[item] = -profit[item] / total if total > 0.0 else -np.inf
            order = np.argsort(ratio)
            sizes[0] = 0.0
            profits[0] = 0.0
            for rank in range(count):
                sizes[rank + 1] = sizes[rank] + size[order[rank]]
                profits[rank + 1] = profits[rank] + profit[order[rank]]
            group_value = np.inf
            group_option = -1
            group_full, group_part = 0, 0.0
            for option in range(option_start[j], option_start[j + 1]):
                if option_class[option] != group:
                    continue
                room = 0.0
                for r in range(resources):
                    if weights[j, group, r] > 0.0:
                        room += weights[j, group, r] * option_capacity[option, r]
                full = int(np.searchsorted(sizes, room, side="right")) - 1
                part = 0.0
                total = option_cost[option] - profits[full]
                if full < count and size[order[full]] > 0.0:
                    part = (room - sizes[full]) / size[order[full]]
                    total -= part * profit[order[full]]
                if total < group_value:
                    group_value, group_option, group_full, group_part = total, option, full, part
            if group_value < value[j]:
                value[j] = group_value
                chosen[j] = group_option
                best_full, best_part = group_full, group_part
                best_order[:] = order
            if adapt > 0.0 and count > 0:
                _adapt(
                    j,
                    group,
                    group_option,
                    group_full,
                    group_part,
                    order,
                    items,
                    arc_demand,
                    demand,
                    option_capacity,
                    weights,
                    adapt,
                )
        for rank in range(best_full):
            served[items[best_order[rank]]] = 1.0
        if best_full < count and chosen[j] >= 0:
            served[items[best_order[best_full]]] = best_part


@compiled
def _adapt(
    j: int,
    group: int,
    option: int,
    full: int,
    part: float,
    order: Integers,
    items: Integers,
    arc_demand: Integers,
    demand: Floats,
    option_capacity: Floats,
    weights: Floats,
    adapt: float,
) -> None:
    """Move a facility's surrogate weights towards the resources that its best option of the class overuses."""
    resources = demand.shape[1]
    total = 0.0
    for r in range(resources):
        if weights[j, group, r] <= 0.0:
            continue
        usage = 0.0
        for rank in range(full):
            usage += demand[arc_demand[items[order[rank]]], r]
        if full < len(order):
            usage += part * demand[arc_demand[items[order[full]]], r]
        capacity = max(option_capacity[option, r], 1e-12)
        excess = min(max(usage / capacity - 1.0, -1.0), 1.0)
        weights[j, group, r] *= np.exp(adapt * excess)
        total += weights[j, group, r]
    if total <= 0.0:
        return
    for r in range(resources):
        if weights[j, group, r] > 0.0:
            weights[j, group, r] = max(weights[j, group, r] / total, 1e-4)


@compiled
def gather(
    value: Floats,
    served: Floats,
    facility_start: Integers,
    arc_demand: Integers,
    min_open: int,
    max_open: int,
    usage: Floats,
    is_open: Integers,
) -> float:
    """Sum the negative terms, at least and at most so many; usage of each demand by the facilities that count."""
    m = len(value)
    usage[:] = 0.0
    is_open[:] = 0
    total = 0.0
    order = np.argsort(value)
    for rank in range(min(max_open, m)):
        j = order[rank]
        if value[j] >= 0.0 and (rank >= min_open or value[j] == np.inf):
            break
        total += value[j]
        is_open[j] = 1
        for arc in range(facility_start[j], facility_start[j + 1]):
            if served[arc] > 0.0:
                usage[arc_demand[arc]] += served[arc]
    return total


@compiled
def penalties(
    multipliers: Floats,
    weights: Floats,
    demand: Floats,
    facility_start: Integers,
    arc_demand: Integers,
    arc_cost: Floats,
    option_start: Integers,
    option_cost: Floats,
    option_capacity: Floats,
    option_class: Integers,
    arc_value: Floats,
    option_value: Floats,
    least: Floats,
) -> None:
    """The facilities' terms when an arc must be used, when an option must be chosen, and without any such must.

    With an arc: the least over the facility's options of option cost + knapsack + what forcing the arc into the
    knapsack costs by its linear programming multiplier, a lower bound.
    """
    resources = demand.shape[1]
    m = len(option_start) - 1
    for j in range(m):
        begin, end = facility_start[j], facility_start[j + 1]
        count = end - begin
        options = option_start[j + 1] - option_start[j]
        total = np.empty(options)
        price = np.empty(options)
        least[j] = np.inf
        size = np.empty(count)
        ratio = np.empty(count)
        for group in range(weights.shape[1]):
            member = False
            for option in range(option_start[j], option_start[j + 1]):
                if option_class[option] == group:
                    member = True
                    break
            if not member:
                continue
            for item in range(count):
                arc = begin + item
                i = arc_demand[arc]
                summed = 0.0
                for r in range(resources):
                    summed += weights[j, group, r] * demand[i, r]
                size[item] = summed
                profit = multipliers[i] - arc_cost[arc]
                ratio[item] = (-profit / summed if summed > 0.0 else -np.inf) if profit > 0.0 else np.inf
            order = np.argsort(ratio)
            for option in range(option_start[j], option_start[j + 1]):
                if option_class[option] != group:
                    continue
                room = 0.0
                for r in range(resources):
                    if weights[j, group, r] > 0.0:
                        room += weights[j, group, r] * option_capacity[option, r]
                found = option_cost[option]
                multiplier = 0.0
                for rank in range(count):
                    item = order[rank]
                    profit = multipliers[arc_demand[begin + item]] - arc_cost[begin + item]
                    if profit <= 0.0:
                        break
                    if size[item] <= room:
                        found -= profit
                        room -= size[item]
                    else:
                        found -= profit * room / size[item]
                        multiplier = profit / size[item]
                        break
                total[option - option_start[j]] = found
                price[option - option_start[j]] = multiplier
                least[j] = min(least[j], found)
        for option in range(options):
            option_value[option_start[j] + option] = total[option]
        for item in range(count):
            arc = begin + item
            i = arc_demand[arc]
            reduced = arc_cost[arc] - multipliers[i]
            best = np.inf
            for option in range(options):
                origin = option_start[j] + option
                fits = True
                summed = 0.0
                for r in range(resources):
                    if demand[i, r] > option_capacity[origin, r] * (1.0 + 1e-9):
                        fits = False
                        break
                    summed += weights[j, option_class[origin], r] * demand[i, r]
                if not fits:
                    continue
                best = min(best, total[option] + max(0.0, reduced + price[option] * summed))
            arc_value[arc] = best
