"""Where a search begins: empty, from planned options, or from a known assignment; and which facilities are near."""

from __future__ import annotations

import numpy as np

from solvers.location.compiled import compiled, compiled_step
from solvers.location.problem import Floats, Integers
from solvers.location.search.neighborhood import (
    arc_between,
    cheapest_insertion,
    leave_waiting,
    plan_option,
    put_on,
    set_option,
    trim,
)
from solvers.location.search.state import COST, NOBODY, PAID, WAITING, WAITS, Arrays, State
from solvers.location.sorting import MOST_WAITING, sort_order
from solvers.location.tolerances import TOLERANCE


def empty_state(n: int, m: int, resources: int, seed: int, charge: float) -> State:
    """Everything closed, every demand nowhere; overload costs `charge` per unit to begin with."""
    journal = 2 * n + 64
    return State(
        place=np.full(n, WAITING, dtype=np.int64),
        paid=np.zeros(n),
        load=np.zeros((m, resources)),
        option=np.full(m, -1, dtype=np.int64),
        burden=np.zeros(m),
        head=np.full(m, -1, dtype=np.int64),
        following=np.full(n, -1, dtype=np.int64),
        previous=np.full(n, -1, dtype=np.int64),
        served=np.zeros(m, dtype=np.int64),
        waiting=np.zeros(n, dtype=np.int64),
        entry=np.zeros(journal, dtype=np.int64),
        entry_place=np.zeros(journal, dtype=np.int64),
        entry_paid=np.zeros(journal),
        order=np.zeros(journal, dtype=np.int64),
        key=np.zeros(journal),
        saved=np.zeros(m, dtype=np.int64),
        saved_option=np.zeros(m, dtype=np.int64),
        saved_burden=np.zeros(m),
        saved_in=np.zeros(m, dtype=np.int64),
        counts=np.zeros(4, dtype=np.int64),
        totals=np.array([0.0, 0.0, 0.0, charge]),
        random=np.array([(seed + 1) * 0x9E3779B97F4A7C15 % 2**64], dtype=np.uint64),
    )


def clear(state: State) -> None:
    """Empty a state in place; its random numbers, work and marks go on."""
    state.place[:] = WAITING
    state.paid[:] = 0.0
    state.load[:] = 0.0
    state.option[:] = -1
    state.burden[:] = 0.0
    state.head[:] = -1
    state.served[:] = 0
    state.counts[:] = 0
    state.totals[PAID] = 0.0
    state.totals[COST] = 0.0


@compiled_step
def settle(arrays: Arrays, state: State) -> None:
    """Trim every facility, list the demands that wait, and sum up what the options cost."""
    state.counts[WAITS] = 0
    state.totals[COST] = 0.0
    for j in range(len(state.option)):
        trim(arrays, state, j)
        state.totals[COST] += state.burden[j]
    for i in range(len(state.place)):
        if state.place[i] == WAITING:
            state.waiting[state.counts[WAITS]] = i
            state.counts[WAITS] += 1


@compiled
def place_all(arrays: Arrays, state: State, options: Integers, order: Integers) -> None:
    """Plan these options (−1 closed) and place every demand in this order where it costs least beyond them."""
    for j in range(len(options)):
        plan_option(arrays, state, j, options[j])
    barred = np.zeros(len(options), dtype=np.int64)
    for rank in range(len(order)):
        i = order[rank]
        j, option, burden, cost = cheapest_insertion(arrays, state, i, barred, NOBODY, 0.0)
        if j == WAITING:
            leave_waiting(arrays, state, i)
        else:
            set_option(state, j, option, burden)
            put_on(arrays, state, i, j, cost)
    settle(arrays, state)


@compiled
def adopt(arrays: Arrays, state: State, place: Integers) -> None:
    """Bring an empty state to a known assignment, each facility with its cheapest option."""
    for i in range(len(place)):
        if place[i] == WAITING:
            leave_waiting(arrays, state, i)
        else:
            put_on(arrays, state, i, place[i], arc_between(arrays, i, place[i]))
    settle(arrays, state)


@compiled
def fill_alone(
    alone: Integers,
    demand: Floats,
    facility_start: Integers,
    arc_demand: Integers,
    option_start: Integers,
    option_capacity: Floats,
) -> None:
    """For each arc the cheapest option of its facility that holds its demand alone; the dearest where none does."""
    for j in range(len(facility_start) - 1):
        for arc in range(facility_start[j], facility_start[j + 1]):
            i = arc_demand[arc]
            option = option_start[j]
            while option < option_start[j + 1] - 1:
                holds = True
                for r in range(demand.shape[1]):
                    capacity = option_capacity[option, r]
                    if demand[i, r] > capacity + TOLERANCE * max(capacity, 1.0):
                        holds = False
                        break
                if holds:
                    break
                option += 1
            alone[arc] = option


@compiled
def fill_near(
    near: Integers,
    depth: int,
    facility_start: Integers,
    arc_demand: Integers,
    demand_start: Integers,
    by_demand: Integers,
    arc_facility: Integers,
) -> None:
    """For each facility the others that its demands could also use, most shared first; −1 stays where there are fewer.

    A demand counts for its `depth` cheapest facilities, the cheaper the more.
    """
    m = len(facility_start) - 1
    unshared = np.zeros(m)
    order, stack = np.empty(m, dtype=np.int64), np.empty((2, MOST_WAITING), dtype=np.int64)
    for j in range(m):
        for k in range(m):
            unshared[k] = 0.0
        for arc in range(facility_start[j], facility_start[j + 1]):
            i = arc_demand[arc]
            begin, end = demand_start[i], demand_start[i + 1]
            own = end - begin
            for position in range(begin, min(end, begin + depth)):
                if arc_facility[by_demand[position]] == j:
                    own = position - begin
                    break
            for position in range(begin, min(end, begin + depth)):
                unshared[arc_facility[by_demand[position]]] -= 1.0 / ((1.0 + position - begin) * (1.0 + own))
        unshared[j] = 0.0
        sort_order(unshared, order, m, stack)
        for position in range(min(near.shape[1], m)):
            if unshared[order[position]] < 0.0:
                near[j, position] = order[position]
