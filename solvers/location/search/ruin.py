"""How a move begins: which demands are taken off which facilities, and which options are planned then."""

from __future__ import annotations

from solvers.location.compiled import compiled_step
from solvers.location.problem import Integers
from solvers.location.search.neighborhood import draw, draw_below, plan_option, save, take_off, write
from solvers.location.search.state import (
    CLOSED,
    EFFORT,
    ENTRIES,
    NOBODY,
    OPENED,
    PAID,
    SAVED,
    WAITING,
    WAITS,
    Arrays,
    Moves,
    State,
)


@compiled_step
def seed_facility(arrays: Arrays, state: State, moves: Moves) -> int:
    """The facility of a random demand, often one that waits; for those a near one."""
    seed = draw_below(state.random, len(state.place))
    if state.counts[WAITS] > 0 and draw(state.random) < moves.waiting_first:
        seed = state.waiting[draw_below(state.random, state.counts[WAITS])]
    first = state.place[seed]
    if first == WAITING:
        begin = arrays.demand_start[seed]
        near = min(moves.waiting_reach, arrays.demand_start[seed + 1] - begin)
        first = arrays.arc_facility[arrays.by_demand[begin + draw_below(state.random, near)]]
    return int(first)


@compiled_step
def remove(arrays: Arrays, state: State, i: int) -> None:
    """Take a demand off its facility, written down."""
    j = state.place[i]
    write(state, i)
    take_off(arrays, state, i)
    plan_option(arrays, state, j, state.option[j])


@compiled_step
def empty(arrays: Arrays, state: State, j: int, chance: float) -> None:
    """Take demands off a facility, each with this chance."""
    i = state.head[j]
    while i >= 0:
        after = state.following[i]
        if chance >= 1.0 or draw(state.random) < chance:
            remove(arrays, state, i)
        i = after


@compiled_step
def closed_neighbor(arrays: Arrays, state: State, moves: Moves, j: int) -> int:
    """A closed facility near j, rather a near one and one that the relaxation opens; −1 where there is none."""
    chosen = NOBODY
    seen = 0.0
    for position in range(arrays.neighbors.shape[1]):
        k = arrays.neighbors[j, position]
        if k < 0:
            break
        if state.option[k] >= 0:
            continue
        weight = (moves.guided if arrays.guide[k] >= 0 else 1.0) / (moves.nearness + position)
        seen += weight
        if draw(state.random) * seen < weight:
            chosen = k
    return int(chosen)


@compiled_step
def attract(arrays: Arrays, state: State, moves: Moves, k: int) -> None:
    """Take off the demands that would pay less for their arc at k."""
    for arc in range(arrays.facility_start[k], arrays.facility_start[k + 1]):
        i = arrays.arc_demand[arc]
        if state.place[i] not in (WAITING, k) and arrays.arc_cost[arc] < state.paid[i]:
            if state.counts[ENTRIES] >= moves.most_removed:
                break
            save(state, state.place[i], state.saved_in[k])
            remove(arrays, state, i)
    state.totals[EFFORT] += moves.attract_steps * (arrays.facility_start[k + 1] - arrays.facility_start[k])


@compiled_step
def plan_open(arrays: Arrays, state: State, moves: Moves, k: int, like: int) -> None:
    """Plan an option for a facility that opens: the relaxation's, one of the size of another's, or any."""
    first, last = arrays.option_start[k], arrays.option_start[k + 1] - 1
    dice = draw(state.random)
    option = first + draw_below(state.random, last - first + 1)
    if arrays.guide[k] >= 0 and dice < moves.open_guided:
        option = arrays.guide[k]
    elif like >= 0 and dice < moves.open_guided + moves.open_alike:
        option = first
        while option < last and arrays.option_cost[option] < arrays.option_cost[like]:
            option += 1
    plan_option(arrays, state, k, option)


@compiled_step
def choose_region(arrays: Arrays, state: State, moves: Moves, first: int, mark: int) -> None:
    """Save a facility and some of its neighbors, rarely a closed one, for being taken apart."""
    wanted = 1 + draw_below(state.random, moves.most_facilities)
    save(state, first, mark)
    total = state.served[first]
    has_closed = state.option[first] < 0
    for position in range(arrays.neighbors.shape[1]):
        j = arrays.neighbors[first, position]
        if j < 0 or state.counts[SAVED] >= wanted:
            break
        if draw(state.random) < moves.skipped:
            continue
        if state.option[j] < 0:
            if has_closed or draw(state.random) < moves.skipped_closed:
                continue
            has_closed = True
        elif total + state.served[j] > moves.most_removed:
            continue
        save(state, j, mark)
        total += state.served[j]


@compiled_step
def plan_region(arrays: Arrays, state: State, moves: Moves, barred: Integers, mark: int) -> None:
    """Give each saved facility an option to plan for, or bar it: the old one, one near it, or the relaxation's."""
    touched = state.counts[SAVED]
    for position in range(touched):
        plan_option(arrays, state, state.saved[position], CLOSED)
    for position in range(touched):
        j = state.saved[position]
        old = state.saved_option[position]
        first, last = arrays.option_start[j], arrays.option_start[j + 1] - 1
        dice = draw(state.random)
        option = old
        if old < 0:
            option = arrays.guide[j]
            if option < 0 or dice < moves.region_any:
                option = first + draw_below(state.random, last - first + 1)
        elif dice < moves.region_closed:
            option = CLOSED
        elif dice < moves.region_closed + moves.region_guided and arrays.guide[j] >= 0:
            option = arrays.guide[j]
        elif dice < moves.region_closed + moves.region_guided + moves.region_changed:
            step = 1 + draw_below(state.random, 2 * max(1, (last - first) // moves.option_steps))
            option = max(first, old - step) if draw(state.random) < moves.region_smaller else min(last, old + step)
        if option >= 0 and state.counts[OPENED] < arrays.max_open:
            plan_option(arrays, state, j, option)
        elif draw(state.random) < moves.region_barred:
            barred[j] = mark


@compiled_step
def ruin(arrays: Arrays, state: State, moves: Moves, barred: Integers, mark: int) -> None:
    """Choose a kind of move, take demands off and plan options."""
    first = seed_facility(arrays, state, moves)
    dice = draw(state.random)
    if dice < moves.region:
        choose_region(arrays, state, moves, first, mark)
        for position in range(state.counts[SAVED]):
            empty(arrays, state, state.saved[position], 1.0)
        plan_region(arrays, state, moves, barred, mark)
        return
    save(state, first, mark)
    like = state.option[first]
    if dice < moves.region + moves.replace + moves.open:
        k = closed_neighbor(arrays, state, moves, first)
        replaces = dice < moves.region + moves.replace
        if k >= 0 and (replaces or state.counts[OPENED] < arrays.max_open):
            save(state, k, mark)
            if replaces:
                empty(arrays, state, first, 1.0)
                plan_option(arrays, state, first, CLOSED)
                barred[first] = mark
            plan_open(arrays, state, moves, k, like)
            attract(arrays, state, moves, k)
    elif dice < moves.region + moves.replace + moves.open + moves.close:
        empty(arrays, state, first, 1.0)
        plan_option(arrays, state, first, CLOSED)
        barred[first] = mark
    else:
        few = moves.fewest_removed + moves.few_removed * draw(state.random)
        choose_region(arrays, state, moves, first, mark)
        total = 1
        for position in range(state.counts[SAVED]):
            total += state.served[state.saved[position]]
        for position in range(state.counts[SAVED]):
            empty(arrays, state, state.saved[position], few / total)


@compiled_step
def call_waiting(arrays: Arrays, state: State, moves: Moves) -> None:
    """Write down some of the demands that wait, as if the move had removed them."""
    waits = state.counts[WAITS]
    for position in range(min(waits, moves.most_waiting)):
        other = position + draw_below(state.random, waits - position)
        i = state.waiting[other]
        state.waiting[other] = state.waiting[position]
        state.waiting[position] = i
        write(state, i)
        state.totals[PAID] -= arrays.penalty
