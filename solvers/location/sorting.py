"""Sorting in compiled loops: which entry comes first, which second and so on."""

from __future__ import annotations

import numpy as np

from solvers.location.compiled import compiled_part, compiled_step
from solvers.location.problem import Floats, Integers

#: Ranges of at most so many entries are sorted by insertion.
SHORT = 15
#: Ranges that can wait at once; the smaller half is always sorted first, so that this is enough for any length.
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


@compiled_part
def sort_order(key: Floats) -> Integers:
    """The places of an array by rising key (quicksort, Hoare 1962); equal keys in an order that is always the same.

    The compiler's own sort does the same comparisons, and takes five times as long to compile.
    """
    order = np.empty(len(key), dtype=np.int64)
    for position in range(len(key)):
        order[position] = position
    first, last = np.empty(MOST_WAITING, dtype=np.int64), np.empty(MOST_WAITING, dtype=np.int64)
    first[0], last[0], waiting = 0, len(key) - 1, 1
    while waiting > 0:
        waiting -= 1
        low, high = first[waiting], last[waiting]
        while high - low >= SHORT:
            at = split(key, order, low, high)
            if high - at > at - low:
                first[waiting], last[waiting] = at + 1, high
                high = at - 1
            else:
                first[waiting], last[waiting] = low, at - 1
                low = at + 1
            waiting += 1
        insert(key, order, low, high)
    return order
