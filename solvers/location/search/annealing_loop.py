"""The annealing loop over ruin-and-recreate moves, in compiled code.

A move takes demands off a few neighboring facilities, plans other options for these (smaller, larger, closed, a closed
neighbor in place of an open one), puts the demands back where arc and additional option cost least, trims every
touched facility to its cheapest option, shifts and swaps what that improves, and is kept or undone by annealing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.location.compiled import compiled_loop, compiled_step
from solvers.location.problem import Floats, Integers
from solvers.location.search.neighborhood import (
    cheapest_insertion,
    draw,
    draw_below,
    exchange,
    leave_waiting,
    plan_option,
    put_on,
    save,
    set_option,
    shift,
    trim,
    undo,
)
from solvers.location.search.ruin import call_waiting, ruin
from solvers.location.search.state import (
    CHARGE,
    COST,
    EFFORT,
    ENTRIES,
    PAID,
    SAVED,
    WAITING,
    WAITS,
    Arrays,
    Moves,
    State,
)
from solvers.location.tolerances import IMPROVEMENT, LEAST_CHARGE, MOST_CHARGE, NOTHING


class Best(NamedTuple):
    """The best solution in which nobody waits and nothing is overloaded, changed in place.

    Attributes
    ----------
    place, cost : arrays (n,), (1,)
        Facility of each demand, and what it costs; infinite until there is one.
    """

    place: Integers
    cost: Floats


@compiled_step
def displacement(arrays: Arrays, state: State, moves: Moves, i: int) -> float:
    """What a demand's second cheapest open facility costs more than its cheapest."""
    cheapest = -1.0
    for position in range(arrays.demand_start[i], arrays.demand_start[i + 1]):
        state.totals[EFFORT] += moves.look_steps
        arc = arrays.by_demand[position]
        if state.option[arrays.arc_facility[arc]] >= 0:
            if cheapest >= 0.0:
                return float(arrays.arc_cost[arc] - cheapest)
            cheapest = arrays.arc_cost[arc]
    return arrays.penalty


@compiled_step
def rank(arrays: Arrays, state: State, moves: Moves) -> None:
    """In which order to put back: largest first, dearest to displace first, or any; always a little mixed."""
    count = state.counts[ENTRIES]
    mode = draw(state.random)
    keyed = moves.largest_first + moves.dearest_first
    for position in range(count):
        i = state.entry[position]
        weight = 0.0
        if mode < moves.largest_first:
            for r in range(arrays.demand.shape[1]):
                weight += arrays.demand[i, r]
        elif mode < keyed:
            weight = displacement(arrays, state, moves, i)
        chance = draw(state.random)
        state.key[position] = -weight * (1.0 - moves.mixing + 2.0 * moves.mixing * chance) if mode < keyed else chance
        state.order[position] = i
    sort(state.key, state.order, count)


@compiled_step
def sort(key: Floats, order: Integers, count: int) -> None:
    """Sort the first entries of both arrays by key (Shell 1959, gaps of Knuth)."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for position in range(gap, count):
            value, item = key[position], order[position]
            at = position
            while at >= gap and key[at - gap] > value:
                key[at], order[at] = key[at - gap], order[at - gap]
                at -= gap
            key[at], order[at] = value, item
        gap //= 3


@compiled_step
def recreate(arrays: Arrays, state: State, moves: Moves, removed: int, barred: Integers, mark: int) -> None:
    """Put the removed demands back one by one, and trim what was touched."""
    for position in range(removed):
        i = state.order[position]
        j, option, burden, cost = cheapest_insertion(arrays, state, i, barred, mark, moves.blink)
        if j == WAITING:
            leave_waiting(arrays, state, i)
        else:
            save(state, j, mark)
            set_option(state, j, option, burden)
            put_on(arrays, state, i, j, cost)
    for position in range(state.counts[SAVED]):
        trim(arrays, state, state.saved[position])


@compiled_step
def polish(arrays: Arrays, state: State, moves: Moves, removed: int, mark: int) -> None:
    """Shift and swap the demands that were put back while that helps and the journal has room."""
    for position in range(removed):
        i = state.entry[position]
        if state.place[i] != WAITING:
            shift(arrays, state, i, mark)
    room = len(state.entry) - 4
    for _ in range(moves.swaps * removed):
        i = state.entry[draw_below(state.random, removed)]
        if state.place[i] == WAITING or state.counts[ENTRIES] >= room:
            continue
        begin = arrays.demand_start[i]
        count = arrays.demand_start[i + 1] - begin
        start = draw_below(state.random, min(count, moves.reach))
        for step in range(min(count, moves.reach)):
            arc = arrays.by_demand[begin + (start + step) % count]
            k = arrays.arc_facility[arc]
            if state.served[k] > 0 and k != state.place[i]:
                state.totals[EFFORT] += moves.look_steps * step
                if exchange(arrays, state, moves, i, k, arrays.arc_cost[arc], mark):
                    shift(arrays, state, i, mark)
                break


@compiled_step
def change_of_burdens(state: State) -> float:
    """What the move changes in the burdens of facilities."""
    change = 0.0
    for position in range(state.counts[SAVED]):
        change += state.burden[state.saved[position]] - state.saved_burden[position]
    return change


@compiled_step
def overload(arrays: Arrays, state: State) -> float:
    """The charges that overloaded facilities pay."""
    total = 0.0
    for j in range(len(state.option)):
        if state.option[j] >= 0:
            total += state.burden[j] - arrays.option_cost[state.option[j]]
    return total


@compiled_step
def recharge(arrays: Arrays, state: State, factor: float) -> None:
    """Change what overload costs."""
    state.totals[CHARGE] = min(max(state.totals[CHARGE] * factor, LEAST_CHARGE), MOST_CHARGE)
    state.totals[COST] = 0.0
    for j in range(len(state.option)):
        plan_option(arrays, state, j, state.option[j])
        state.totals[COST] += state.burden[j]


@compiled_step
def note_waiting(state: State) -> None:
    """Bring the list of waiting demands up to date after a move that is kept."""
    waits = 0
    for position in range(state.counts[WAITS]):
        i = state.waiting[position]
        if state.place[i] == WAITING:
            state.waiting[waits] = i
            waits += 1
    for position in range(state.counts[ENTRIES]):
        i = state.entry[position]
        if state.place[i] == WAITING and state.entry_place[position] != WAITING:
            state.waiting[waits] = i
            waits += 1
    state.counts[WAITS] = waits


@compiled_loop
def anneal(
    arrays: Arrays,
    state: State,
    moves: Moves,
    best: Best,
    barred: Integers,
    effort: float,
    mark: int,
    temperature: float,
) -> int:
    """Run moves at one temperature until an effort is spent; the number of the last move.

    A move may not use a facility with barred[j] == its number.
    """
    end = state.totals[EFFORT] + effort
    kept, held = 0, 0
    over = overload(arrays, state)
    while state.totals[EFFORT] < end:
        mark += 1
        state.counts[ENTRIES] = 0
        state.counts[SAVED] = 0
        state.totals[EFFORT] += moves.move_steps
        paid = state.totals[PAID]
        ruin(arrays, state, moves, barred, mark)
        if state.counts[WAITS] > 0:
            call_waiting(arrays, state, moves)
        removed = state.counts[ENTRIES]
        if removed == 0:
            undo(arrays, state, paid)
            continue
        rank(arrays, state, moves)
        recreate(arrays, state, moves, removed, barred, mark)
        polish(arrays, state, moves, removed, mark)
        burdens = change_of_burdens(state)
        change = burdens + state.totals[PAID] - paid
        if change <= 0.0 or (temperature > 0.0 and draw(state.random) < np.exp(-change / temperature)):
            state.totals[COST] += burdens
            note_waiting(state)
            over = overload(arrays, state)
            total = state.totals[COST] + state.totals[PAID]
            if state.counts[WAITS] == 0 and over <= NOTHING * abs(total) and total < best.cost[0] - IMPROVEMENT:
                best.cost[0] = total
                for i in range(len(best.place)):
                    best.place[i] = state.place[i]
        else:
            undo(arrays, state, paid)
        kept += 1
        if over <= NOTHING * abs(state.totals[COST]):
            held += 1
        if kept == moves.review:
            if held < moves.few * kept:
                recharge(arrays, state, moves.dearer)
            elif held > moves.many * kept:
                recharge(arrays, state, 1.0 / moves.dearer)
            kept, held = 0, 0
    return mark
