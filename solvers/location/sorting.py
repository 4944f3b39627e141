"""Sorting in compiled loops: which entry comes first, which second and so on."""

from __future__ import annotations

from solvers.location.compiled import compiled_flat, compiled_step
from solvers.location.problem import Floats, Integers

#: Ranges of at most so many entries are sorted by insertion. No parameter: it is compiled into the loops, and changes
#: how long sorting takes, not which keys come first.
SHORT = 15
#: Ranges that can wait at once; the smaller half is always sorted first, so that this is enough for any length
#: that can be counted: no parameter.
MOST_WAITING = 64


@compiled_step
def insert(key: Floats, order: Integers, low: int, high: int) -> None:
    """Sort order[low … high] by insertion."""
    for position in range(low + 1, high + 1):
        item = order[position]
        value = key[item]
        at = position
        while at > low and value < key[order[at - 1]]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = item


@compiled_step
def exchange_if_less(key: Floats, order: Integers, first: int, second: int) -> None:
    """Exchange two places where the first holds the smaller key."""
    if key[order[first]] < key[order[second]]:
        order[first], order[second] = order[second], order[first]


@compiled_step
def split(key: Floats, order: Integers, low: int, high: int) -> int:
    """Move what is smaller than the median of three before it, the rest behind it; where it is then."""
    middle = (low + high) >> 1
    exchange_if_less(key, order, middle, low)
    exchange_if_less(key, order, high, middle)
    exchange_if_less(key, order, middle, low)
    pivot = key[order[middle]]
    order[high], order[middle] = order[middle], order[high]
    i, j = low, high - 1
    while True:
        while i < high and key[order[i]] < pivot:
            i += 1
        while j >= low and pivot < key[order[j]]:
            j -= 1
        if i >= j:
            break
        order[i], order[j] = order[j], order[i]
        i += 1
        j -= 1
    order[i], order[high] = order[high], order[i]
    return i


@compiled_flat
def sort_order(key: Floats, order: Integers, count: int, stack: Integers) -> None:
    """Write the places of the first entries by rising key (quicksort, Hoare 1962); equal keys always in one order.

    The compiler's own sort does the same comparisons, and takes five times as long to compile.

    Parameters
    ----------
    order : array
        Out, in its first `count` entries.
    stack : array (2, MOST_WAITING)
        Room to work.
    """
    for position in range(count):
        order[position] = position
    stack[0, 0], stack[1, 0], waiting = 0, count - 1, 1
    while waiting > 0:
        waiting -= 1
        low, high = stack[0, waiting], stack[1, waiting]
        while high - low >= SHORT:
            at = split(key, order, low, high)
            if high - at > at - low:
                stack[0, waiting], stack[1, waiting] = at + 1, high
                high = at - 1
            else:
                stack[0, waiting], stack[1, waiting] = low, at - 1
                low = at + 1
            waiting += 1
        insert(key, order, low, high)
