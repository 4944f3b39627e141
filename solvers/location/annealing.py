"""The annealing loop over ruin-and-recreate moves, in compiled code.

A move takes demands off a few neighboring facilities, plans other options for these (smaller, larger, closed, a closed
neighbor in place of an open one), puts the demands back where arc and additional option cost least, trims every
touched facility to its cheapest option, shifts and swaps what that improves, and is kept or undone by annealing.
"""

from __future__ import annotations

import numpy as np

from solvers.location.compiled import compiled
from solvers.location.layout import Floats, Integers
from solvers.location.neighborhood import (
    CHARGE,
    COST,
    EFFORT,
    ENTRIES,
    OPENED,
    PAID,
    SAVED,
    WAITING,
    WAITS,
    Arrays,
    State,
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
    take_off,
    trim,
    undo,
    write,
)

#: Facilities, and demands, that one move takes apart at most (the first facility may have more demands).
MOST_FACILITIES, MOST_REMOVED = 5, 250
#: Waiting demands that one move tries to place.
MOST_WAITING = 40
#: Chance that an arc is overlooked when a demand is put back.
BLINK = 0.02
#: How far down a demand's list of cheapest facilities swaps look.
REACH = 16
#: Swaps tried for each demand that a move has removed.
SWAPS = 3
#: After so many moves the charge for overload is reviewed: dearer by this factor where the share of moves after which
#: nothing is overloaded is below the first, cheaper where it is above the second.
REVIEW, DEARER, FEW, MANY = 500, 1.15, 0.3, 0.7
#: Chances of the kinds of move: take a neighborhood apart, replace a facility, open one, close one; else a few demands.
REGION, REPLACE, OPEN, CLOSE = 0.35, 0.15, 0.1, 0.1


@compiled
def seed_facility(arrays: Arrays, state: State) -> int:
    """The facility of a random demand, often one that waits; for those a near one."""
    seed = draw_below(state.random, len(state.place))
    if state.counts[WAITS] > 0 and draw(state.random) < 0.5:
        seed = state.waiting[draw_below(state.random, state.counts[WAITS])]
    first = state.place[seed]
    if first == WAITING:
        begin = arrays.demand_start[seed]
        near = min(8, arrays.demand_start[seed + 1] - begin)
        first = arrays.arc_facility[arrays.by_demand[begin + draw_below(state.random, near)]]
    return int(first)


@compiled
def remove(arrays: Arrays, state: State, i: int) -> None:
    """Take a demand off its facility, written down."""
    j = state.place[i]
    write(state, i)
    take_off(arrays, state, i)
    plan_option(arrays, state, j, state.option[j])


@compiled
def empty(arrays: Arrays, state: State, j: int, chance: float) -> None:
    """Take demands off a facility, each with this chance."""
    i = state.head[j]
    while i >= 0:
        after = state.following[i]
        if chance >= 1.0 or draw(state.random) < chance:
            remove(arrays, state, i)
        i = after


@compiled
def closed_neighbor(arrays: Arrays, state: State, j: int) -> int:
    """A closed facility near j, rather a near one and one that the relaxation opens; −1 where there is none."""
    chosen = -1
    seen = 0.0
    for position in range(arrays.neighbors.shape[1]):
        k = arrays.neighbors[j, position]
        if k < 0:
            break
        if state.option[k] >= 0:
            continue
        weight = (3.0 if arrays.guide[k] >= 0 else 1.0) / (2.0 + position)
        seen += weight
        if draw(state.random) * seen < weight:
            chosen = k
    return chosen


@compiled
def attract(arrays: Arrays, state: State, k: int) -> None:
    """Take off the demands that would pay less for their arc at k."""
    for arc in range(arrays.facility_start[k], arrays.facility_start[k + 1]):
        i = arrays.arc_demand[arc]
        if state.place[i] not in (WAITING, k) and arrays.arc_cost[arc] < state.paid[i]:
            if state.counts[ENTRIES] >= MOST_REMOVED:
                break
            save(state, state.place[i], state.saved_in[k])
            remove(arrays, state, i)
    state.totals[EFFORT] += 0.2 * (arrays.facility_start[k + 1] - arrays.facility_start[k])


@compiled
def plan_open(arrays: Arrays, state: State, k: int, like: int) -> None:
    """Plan an option for a facility that opens: the relaxation's, one of the size of another's, or any."""
    first, last = arrays.option_start[k], arrays.option_start[k + 1] - 1
    dice = draw(state.random)
    option = first + draw_below(state.random, last - first + 1)
    if arrays.guide[k] >= 0 and dice < 0.4:
        option = arrays.guide[k]
    elif like >= 0 and dice < 0.8:
        option = first
        while option < last and arrays.option_cost[option] < arrays.option_cost[like]:
            option += 1
    plan_option(arrays, state, k, option)


@compiled
def choose_region(arrays: Arrays, state: State, first: int, mark: int) -> None:
    """Save a facility and some of its neighbors, rarely a closed one, for being taken apart."""
    wanted = 1 + draw_below(state.random, MOST_FACILITIES)
    save(state, first, mark)
    total = state.served[first]
    has_closed = state.option[first] < 0
    for position in range(arrays.neighbors.shape[1]):
        j = arrays.neighbors[first, position]
        if j < 0 or state.counts[SAVED] >= wanted:
            break
        if draw(state.random) < 0.3:
            continue
        if state.option[j] < 0:
            if has_closed or draw(state.random) < 0.6:
                continue
            has_closed = True
        elif total + state.served[j] > MOST_REMOVED:
            continue
        save(state, j, mark)
        total += state.served[j]


@compiled
def plan_region(arrays: Arrays, state: State, barred: Integers, mark: int) -> None:
    """Give each saved facility an option to plan for, or bar it: the old one, one near it, or the relaxation's."""
    touched = state.counts[SAVED]
    for position in range(touched):
        plan_option(arrays, state, state.saved[position], -1)
    for position in range(touched):
        j = state.saved[position]
        old = state.saved_option[position]
        first, last = arrays.option_start[j], arrays.option_start[j + 1] - 1
        dice = draw(state.random)
        option = old
        if old < 0:
            option = arrays.guide[j]
            if option < 0 or dice < 0.5:
                option = first + draw_below(state.random, last - first + 1)
        elif dice < 0.15:
            option = -1
        elif dice < 0.25 and arrays.guide[j] >= 0:
            option = arrays.guide[j]
        elif dice < 0.65:
            step = 1 + draw_below(state.random, 2 * max(1, (last - first) // 10))
            option = max(first, old - step) if draw(state.random) < 0.5 else min(last, old + step)
        if option >= 0 and state.counts[OPENED] < arrays.max_open:
            plan_option(arrays, state, j, option)
        elif draw(state.random) < 0.7:
            barred[j] = mark


@compiled
def ruin(arrays: Arrays, state: State, barred: Integers, mark: int) -> None:
    """Choose a kind of move, take demands off and plan options."""
    first = seed_facility(arrays, state)
    dice = draw(state.random)
    if dice < REGION:
        choose_region(arrays, state, first, mark)
        for position in range(state.counts[SAVED]):
            empty(arrays, state, state.saved[position], 1.0)
        plan_region(arrays, state, barred, mark)
        return
    save(state, first, mark)
    like = state.option[first]
    if dice < REGION + REPLACE + OPEN:
        k = closed_neighbor(arrays, state, first)
        replaces = dice < REGION + REPLACE
        if k >= 0 and (replaces or state.counts[OPENED] < arrays.max_open):
            save(state, k, mark)
            if replaces:
                empty(arrays, state, first, 1.0)
                plan_option(arrays, state, first, -1)
                barred[first] = mark
            plan_open(arrays, state, k, like)
            attract(arrays, state, k)
    elif dice < REGION + REPLACE + OPEN + CLOSE:
        empty(arrays, state, first, 1.0)
        plan_option(arrays, state, first, -1)
        barred[first] = mark
    else:
        few = 2.0 + 30.0 * draw(state.random)
        choose_region(arrays, state, first, mark)
        total = 1
        for position in range(state.counts[SAVED]):
            total += state.served[state.saved[position]]
        for position in range(state.counts[SAVED]):
            empty(arrays, state, state.saved[position], few / total)


@compiled
def call_waiting(arrays: Arrays, state: State) -> None:
    """Write down some of the demands that wait, as if the move had removed them."""
    waits = state.counts[WAITS]
    for position in range(min(waits, MOST_WAITING)):
        other = position + draw_below(state.random, waits - position)
        i = state.waiting[other]
        state.waiting[other] = state.waiting[position]
        state.waiting[position] = i
        write(state, i)
        state.totals[PAID] -= arrays.penalty


@compiled
def displacement(arrays: Arrays, state: State, i: int) -> float:
    """What a demand's second cheapest open facility costs more than its cheapest."""
    cheapest = -1.0
    for position in range(arrays.demand_start[i], arrays.demand_start[i + 1]):
        state.totals[EFFORT] += 0.3
        arc = arrays.by_demand[position]
        if state.option[arrays.arc_facility[arc]] >= 0:
            if cheapest >= 0.0:
                return float(arrays.arc_cost[arc] - cheapest)
            cheapest = arrays.arc_cost[arc]
    return arrays.penalty


@compiled
def ranked(arrays: Arrays, state: State) -> Integers:
    """In which order to put back: largest first, dearest to displace first, or any; always a little mixed."""
    count = state.counts[ENTRIES]
    mode = draw(state.random)
    key = np.empty(count)
    for position in range(count):
        i = state.entry[position]
        weight = 0.0
        if mode < 0.25:
            for r in range(arrays.demand.shape[1]):
                weight += arrays.demand[i, r]
        elif mode < 0.8:
            weight = displacement(arrays, state, i)
        key[position] = -weight * (0.7 + 0.6 * draw(state.random)) if mode < 0.8 else draw(state.random)
    return np.argsort(key)


@compiled
def recreate(arrays: Arrays, state: State, order: Integers, barred: Integers, mark: int) -> None:
    """Put the removed demands back one by one, and trim what was touched."""
    for rank in range(len(order)):
        i = state.entry[order[rank]]
        j, option, burden, cost = cheapest_insertion(arrays, state, i, barred, mark, BLINK)
        if j == WAITING:
            leave_waiting(arrays, state, i)
        else:
            save(state, j, mark)
            set_option(state, j, option, burden)
            put_on(arrays, state, i, j, cost)
    for position in range(state.counts[SAVED]):
        trim(arrays, state, state.saved[position])


@compiled
def polish(arrays: Arrays, state: State, removed: int, mark: int) -> None:
    """Shift and swap the demands that were put back while that helps and the journal has room."""
    for position in range(removed):
        i = state.entry[position]
        if state.place[i] != WAITING:
            shift(arrays, state, i, mark)
    room = len(state.entry) - 4
    for _ in range(SWAPS * removed):
        i = state.entry[draw_below(state.random, removed)]
        if state.place[i] == WAITING or state.counts[ENTRIES] >= room:
            continue
        begin = arrays.demand_start[i]
        count = arrays.demand_start[i + 1] - begin
        start = draw_below(state.random, min(count, REACH))
        for step in range(min(count, REACH)):
            arc = arrays.by_demand[begin + (start + step) % count]
            k = arrays.arc_facility[arc]
            if state.served[k] > 0 and k != state.place[i]:
                state.totals[EFFORT] += 0.3 * step
                if exchange(arrays, state, i, k, arrays.arc_cost[arc], mark):
                    shift(arrays, state, i, mark)
                break


@compiled
def change_of_burdens(state: State) -> float:
    """What the move changes in the burdens of facilities."""
    change = 0.0
    for position in range(state.counts[SAVED]):
        change += state.burden[state.saved[position]] - state.saved_burden[position]
    return change


@compiled
def overload(arrays: Arrays, state: State) -> float:
    """The charges that overloaded facilities pay."""
    total = 0.0
    for j in range(len(state.option)):
        if state.option[j] >= 0:
            total += state.burden[j] - arrays.option_cost[state.option[j]]
    return total


@compiled
def recharge(arrays: Arrays, state: State, factor: float) -> None:
    """Change what overload costs."""
    state.totals[CHARGE] *= factor
    state.totals[COST] = 0.0
    for j in range(len(state.option)):
        plan_option(arrays, state, j, state.option[j])
        state.totals[COST] += state.burden[j]


@compiled
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


@compiled
def anneal(
    arrays: Arrays,
    state: State,
    barred: Integers,
    best_place: Integers,
    best_cost: Floats,
    effort: float,
    mark: int,
    temperature: float,
) -> int:
    """Run moves at one temperature until an effort is spent; the number of the last move.

    The best solution in which nobody waits is kept in `best_place`, `best_cost`.
    """
    end = state.totals[EFFORT] + effort
    kept, held = 0, 0
    over = overload(arrays, state)
    while state.totals[EFFORT] < end:
        mark += 1
        state.counts[ENTRIES] = 0
        state.counts[SAVED] = 0
        state.totals[EFFORT] += 10.0
        paid = state.totals[PAID]
        ruin(arrays, state, barred, mark)
        if state.counts[WAITS] > 0:
            call_waiting(arrays, state)
        removed = state.counts[ENTRIES]
        if removed == 0:
            undo(arrays, state, paid)
            continue
        recreate(arrays, state, ranked(arrays, state), barred, mark)
        polish(arrays, state, removed, mark)
        burdens = change_of_burdens(state)
        change = burdens + state.totals[PAID] - paid
        if change <= 0.0 or (temperature > 0.0 and draw(state.random) < np.exp(-change / temperature)):
            state.totals[COST] += burdens
            note_waiting(state)
            over = overload(arrays, state)
            total = state.totals[COST] + state.totals[PAID]
            if state.counts[WAITS] == 0 and over <= 1e-12 * abs(total) and total < best_cost[0] - 1e-9:
                best_cost[0] = total
                best_place[:] = state.place
        else:
            undo(arrays, state, paid)
        kept += 1
        if over <= 1e-12 * abs(state.totals[COST]):
            held += 1
        if kept == REVIEW:
            if held < FEW * kept:
                recharge(arrays, state, DEARER)
            elif held > MANY * kept:
                recharge(arrays, state, 1.0 / DEARER)
            kept, held = 0, 0
    return mark
