"""The steps that change a solution in the making, in compiled loops."""

from __future__ import annotations

import numpy as np

from solvers.location.compiled import compiled_step
from solvers.location.problem import Integers
from solvers.location.search.state import (
    CHARGE,
    CLOSED,
    EFFORT,
    ENTRIES,
    NOBODY,
    OPENED,
    PAID,
    SAVED,
    WAITING,
    Arrays,
    Moves,
    State,
)
from solvers.location.tolerances import IMPROVEMENT, TOLERANCE


@compiled_step
def draw(random: np.ndarray) -> float:
    """A random number in [0, 1) (splitmix64)."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled_step
def draw_below(random: np.ndarray, count: int) -> int:
    """A random whole number in [0, count)."""
    return min(int(draw(random) * count), count - 1)


@compiled_step
def need(arrays: Arrays, state: State, j: int, plus: int, minus: int, r: int) -> float:
    """The load of j on a resource plus one demand, minus another (−1 for none)."""
    total = state.load[j, r]
    if plus >= 0:
        total += arrays.demand[plus, r]
    if minus >= 0:
        total -= arrays.demand[minus, r]
    return float(total)


@compiled_step
def excess(arrays: Arrays, state: State, j: int, plus: int, minus: int, option: int) -> float:
    """By how much the load of j plus one demand, minus another, is above what an option holds, over all resources."""
    total = 0.0
    for r in range(arrays.demand.shape[1]):
        load = need(arrays, state, j, plus, minus, r)
        capacity = arrays.option_capacity[option, r]
        if load > capacity + TOLERANCE * max(capacity, 1.0):
            total += load - capacity
    return total


@compiled_step
def fitting(arrays: Arrays, state: State, j: int, plus: int, minus: int, begin: int) -> tuple[int, float]:
    """The cheapest option of j, from `begin` on, that holds its load plus one demand, minus another, and its cost.

    Where none does, the dearest option and its cost with what it charges for being overloaded.
    """
    last = arrays.option_start[j + 1] - 1
    for option in range(begin, last + 1):
        holds = True
        for r in range(arrays.demand.shape[1]):
            capacity = arrays.option_capacity[option, r]
            if need(arrays, state, j, plus, minus, r) > capacity + TOLERANCE * max(capacity, 1.0):
                holds = False
                break
        if holds:
            return option, arrays.option_cost[option]
    over = excess(arrays, state, j, plus, minus, last)
    return last, arrays.option_cost[last] + state.totals[CHARGE] * over


@compiled_step
def save(state: State, j: int, mark: int) -> None:
    """Write a facility's option down before the move numbered `mark` changes it first."""
    if state.saved_in[j] != mark:
        state.saved_in[j] = mark
        state.saved[state.counts[SAVED]] = j
        state.saved_option[state.counts[SAVED]] = state.option[j]
        state.saved_burden[state.counts[SAVED]] = state.burden[j]
        state.counts[SAVED] += 1


@compiled_step
def write(state: State, i: int) -> None:
    """Write down where a demand is before it is moved."""
    position = state.counts[ENTRIES]
    state.entry[position] = i
    state.entry_place[position] = state.place[i]
    state.entry_paid[position] = state.paid[i]
    state.counts[ENTRIES] += 1


@compiled_step
def take_off(arrays: Arrays, state: State, i: int) -> None:
    """Take a demand off its facility; the option stays."""
    j = state.place[i]
    before, after = state.previous[i], state.following[i]
    if before >= 0:
        state.following[before] = after
    else:
        state.head[j] = after
    if after >= 0:
        state.previous[after] = before
    for r in range(arrays.demand.shape[1]):
        state.load[j, r] -= arrays.demand[i, r]
    state.served[j] -= 1
    if state.served[j] == 0:
        for r in range(arrays.demand.shape[1]):
            state.load[j, r] = 0.0
    state.place[i] = WAITING
    state.totals[PAID] -= state.paid[i]


@compiled_step
def put_on(arrays: Arrays, state: State, i: int, j: int, cost: float) -> None:
    """Put a waiting demand on a facility; the option stays."""
    state.previous[i] = -1
    state.following[i] = state.head[j]
    if state.head[j] >= 0:
        state.previous[state.head[j]] = i
    state.head[j] = i
    for r in range(arrays.demand.shape[1]):
        state.load[j, r] += arrays.demand[i, r]
    state.served[j] += 1
    state.place[i] = j
    state.paid[i] = cost
    state.totals[PAID] += cost


@compiled_step
def leave_waiting(arrays: Arrays, state: State, i: int) -> None:
    """Let a demand that is nowhere pay the penalty."""
    state.paid[i] = arrays.penalty
    state.totals[PAID] += arrays.penalty


@compiled_step
def set_option(state: State, j: int, option: int, burden: float) -> None:
    """Choose an option and what it costs, keeping count of what is open."""
    if state.option[j] < 0 and option >= 0:
        state.counts[OPENED] += 1
    if state.option[j] >= 0 and option < 0:
        state.counts[OPENED] -= 1
    state.option[j] = option
    state.burden[j] = burden


@compiled_step
def plan_option(arrays: Arrays, state: State, j: int, option: int) -> None:
    """Choose an option, or close with −1, whatever the load."""
    burden = 0.0
    if option >= 0:
        burden = arrays.option_cost[option] + state.totals[CHARGE] * excess(arrays, state, j, NOBODY, NOBODY, option)
    set_option(state, j, option, burden)


@compiled_step
def cheapest_insertion(
    arrays: Arrays, state: State, i: int, barred: Integers, mark: int, blink: float
) -> tuple[int, int, float, float]:
    """Where a waiting demand would cost least: (facility, option it needs, burden then, arc cost); else `WAITING`.

    Facilities with barred[j] == mark are left out; with probability `blink` any arc is overlooked.
    """
    best, best_j, best_option, best_burden, best_arc = np.inf, WAITING, CLOSED, 0.0, 0.0
    for position in range(arrays.demand_start[i], arrays.demand_start[i + 1]):
        state.totals[EFFORT] += 1.0
        arc = arrays.by_demand[position]
        cost = arrays.arc_cost[arc]
        if cost >= best:
            break
        j = arrays.arc_facility[arc]
        if barred[j] == mark:
            continue
        begin = state.option[j]
        if begin < 0:
            begin = arrays.alone[arc]
            if state.counts[OPENED] >= arrays.max_open or cost + arrays.option_cost[begin] >= best:
                continue
        if blink > 0.0 and draw(state.random) < blink:
            continue
        option, burden = fitting(arrays, state, j, i, NOBODY, begin)
        total = cost + burden - state.burden[j]
        if total < best:
            best, best_j, best_option, best_burden, best_arc = total, j, option, burden, cost
    return best_j, best_option, best_burden, best_arc


@compiled_step
def shift(arrays: Arrays, state: State, i: int, mark: int) -> bool:
    """Move a demand where it costs less, if anywhere; whether it was moved."""
    j = state.place[i]
    left, left_burden = CLOSED, 0.0
    if state.served[j] > 1:
        left, left_burden = fitting(arrays, state, j, NOBODY, i, arrays.option_start[j])
    best = state.paid[i] + state.burden[j] - left_burden - IMPROVEMENT
    best_k, best_option, best_burden, best_arc = NOBODY, CLOSED, 0.0, 0.0
    for position in range(arrays.demand_start[i], arrays.demand_start[i + 1]):
        state.totals[EFFORT] += 1.0
        arc = arrays.by_demand[position]
        cost = arrays.arc_cost[arc]
        if cost >= best:
            break
        k = arrays.arc_facility[arc]
        begin = state.option[k]
        if begin < 0:
            begin = arrays.alone[arc]
            if state.counts[OPENED] >= arrays.max_open or cost + arrays.option_cost[begin] >= best:
                continue
        if k == j:
            continue
        option, burden = fitting(arrays, state, k, i, NOBODY, begin)
        total = cost + burden - state.burden[k]
        if total < best:
            best, best_k, best_option, best_burden, best_arc = total, k, option, burden, cost
    if best_k < 0:
        return False
    save(state, j, mark)
    save(state, best_k, mark)
    write(state, i)
    take_off(arrays, state, i)
    put_on(arrays, state, i, best_k, best_arc)
    set_option(state, j, left, left_burden)
    set_option(state, best_k, best_option, best_burden)
    return True


@compiled_step
def trim(arrays: Arrays, state: State, j: int) -> None:
    """Choose the cheapest option that holds the load; close what is empty."""
    if state.served[j] == 0:
        set_option(state, j, CLOSED, 0.0)
    else:
        option, burden = fitting(arrays, state, j, NOBODY, NOBODY, arrays.option_start[j])
        set_option(state, j, option, burden)


@compiled_step
def arc_between(arrays: Arrays, i: int, j: int) -> float:
    """Cost of the arc from demand i to facility j; infinite where there is none."""
    low, high = arrays.facility_start[j], arrays.facility_start[j + 1]
    while low < high:
        middle = (low + high) // 2
        if arrays.arc_demand[middle] < i:
            low = middle + 1
        else:
            high = middle
    if low < arrays.facility_start[j + 1] and arrays.arc_demand[low] == i:
        return float(arrays.arc_cost[low])
    return np.inf


@compiled_step
def exchange(arrays: Arrays, state: State, moves: Moves, i: int, k: int, cost: float, mark: int) -> bool:
    """Swap a demand with one at facility k, where it would pay `cost`, if that lowers the cost; whether it was done."""
    j = state.place[i]
    other = state.head[k]
    for _ in range(draw_below(state.random, min(state.served[k], moves.partners))):
        other = state.following[other]
    state.totals[EFFORT] += moves.swap_steps
    back = arc_between(arrays, other, j)
    arcs = cost - state.paid[i] + back - state.paid[other]
    if back == np.inf or arcs - state.burden[j] - state.burden[k] >= 0.0:
        return False
    new_j, burden_j = fitting(arrays, state, j, other, i, arrays.option_start[j])
    new_k, burden_k = fitting(arrays, state, k, i, other, arrays.option_start[k])
    if arcs + burden_j - state.burden[j] + burden_k - state.burden[k] >= -IMPROVEMENT:
        return False
    save(state, j, mark)
    save(state, k, mark)
    write(state, i)
    write(state, other)
    take_off(arrays, state, i)
    take_off(arrays, state, other)
    put_on(arrays, state, i, k, cost)
    put_on(arrays, state, other, j, back)
    set_option(state, j, new_j, burden_j)
    set_option(state, k, new_k, burden_k)
    return True


@compiled_step
def undo(arrays: Arrays, state: State, paid: float) -> None:
    """Put everything back as it was before the move, when arcs and penalties paid were `paid`."""
    for position in range(state.counts[ENTRIES] - 1, -1, -1):
        i = state.entry[position]
        if state.place[i] != WAITING:
            take_off(arrays, state, i)
        state.paid[i] = state.entry_paid[position]
        if state.entry_place[position] != WAITING:
            put_on(arrays, state, i, state.entry_place[position], state.entry_paid[position])
    for position in range(state.counts[SAVED]):
        set_option(state, state.saved[position], state.saved_option[position], state.saved_burden[position])
    state.totals[PAID] = paid
