"""What the compiled loops of the search read and change: the problem, the moves' parameters, a solution in the making.

Demands that find no room wait outside at a penalty. Every step is written into a journal, so that a move of many steps
can be undone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.location.problem import Floats, Integers
from solvers.parameters.location import MoveParameters

#: Where a demand is that waits; no demand; no option. With a type: loops are compiled once for a number of any value,
#: and once more for each number that is written out.
WAITING: Any = np.int64(-1)
NOBODY: Any = np.int64(-1)
CLOSED: Any = np.int64(-1)
#: Positions of `State.counts`: open facilities, entries of the journal, facilities saved, waiting demands.
OPENED, ENTRIES, SAVED, WAITS = 0, 1, 2, 3
#: Positions of `State.totals`: arcs and penalties paid, burdens of the facilities, work done so far in steps of inner
#: loops, and what an overloaded facility pays per unit of excess.
PAID, COST, EFFORT, CHARGE = 0, 1, 2, 3


class Arrays(NamedTuple):
    """The problem as the loops read it (see `Layout`), with each facility's nearest others.

    Attributes
    ----------
    alone : array (A,)
        The cheapest option of each arc's facility that holds the arc's demand alone.
    neighbors : array (m, width)
        Facilities that serve about the same demands, nearest first, −1 where there are fewer.
    guide : array (m,)
        The option that the relaxation chose for each facility, −1 where it never did; changed in place.
    penalty : float
        What a waiting demand costs.
    """

    demand: Floats
    facility_start: Integers
    arc_demand: Integers
    arc_cost: Floats
    arc_facility: Integers
    demand_start: Integers
    by_demand: Integers
    option_start: Integers
    option_cost: Floats
    option_capacity: Floats
    alone: Integers
    neighbors: Integers
    guide: Integers
    max_open: int
    penalty: float


class Moves(NamedTuple):
    """The parameters of a move; see `MoveParameters`."""

    blink: float
    reach: int
    swaps: int
    partners: int
    largest_first: float
    dearest_first: float
    mixing: float
    review: int
    dearer: float
    few: float
    many: float
    most_facilities: int
    most_removed: int
    most_waiting: int
    waiting_first: float
    waiting_reach: int
    region: float
    replace: float
    open: float
    close: float
    fewest_removed: float
    few_removed: float
    guided: float
    nearness: float
    open_guided: float
    open_alike: float
    skipped: float
    skipped_closed: float
    region_any: float
    region_closed: float
    region_guided: float
    region_changed: float
    region_smaller: float
    region_barred: float
    option_steps: int
    move_steps: float
    look_steps: float
    attract_steps: float
    swap_steps: float


def moves_of(parameters: MoveParameters) -> Moves:
    """The parameters of a move for the compiled loops."""
    return Moves(*(getattr(parameters, name) for name in Moves._fields))


class State(NamedTuple):
    """A solution in the making and the journal of the move at work, changed in place.

    Attributes
    ----------
    place, paid : arrays (n,)
        Facility of each demand (`WAITING` without) and the arc cost (or penalty) it pays.
    load : array (m, R)
    option, burden : arrays (m,)
        Chosen or planned option, −1 closed; what the facility costs with it, the charge for overload included.
    head, following, previous : arrays (m,), (n,), (n,)
        The demands of each facility as linked lists.
    served : array (m,)
        How many demands each facility has.
    waiting : array (n,)
        The demands that wait, in the first `counts[WAITS]` places.
    entry, entry_place, entry_paid : arrays
        The journal: which demand was changed, and where it was before.
    order, key : arrays
        The demands that a move puts back, sorted by a key.
    saved, saved_option, saved_burden, saved_in : arrays (m,)
        Facilities that the move has changed, what they were before, and the number of the move that saved them last.
    counts, totals : arrays (4,), (4,)
    random : array (1,) of uint64
    """

    place: Integers
    paid: Floats
    load: Floats
    option: Integers
    burden: Floats
    head: Integers
    following: Integers
    previous: Integers
    served: Integers
    waiting: Integers
    entry: Integers
    entry_place: Integers
    entry_paid: Floats
    order: Integers
    key: Floats
    saved: Integers
    saved_option: Integers
    saved_burden: Floats
    saved_in: Integers
    counts: Integers
    totals: Floats
    random: np.ndarray
