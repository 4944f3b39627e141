"""Fewer sets of places for a bound: classes that may be in nearly the same places may be in all of these together.

Users everywhere reach a few hubs each, so nearly every site has a set of places of its own, and a model has a column
for every one of them. A bound needs few: classes are put with the nearest of some representative sets and may then be
wherever any of them may. What that gives away is mostly that each class needs a place of its own set to be open, which
is said by itself, without columns (`Covering`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from solvers.linear.interned import Interned
from solvers.linear.model import Floats, Integers
from solvers.problem.sets import Booleans, Covering, DemandClass

#: Classes that differ in nothing but how much they need.
Group = list[DemandClass]


def widened(groups: Sequence[Group], most: int) -> list[Group]:
    """Groups of one kind, which differ in their places only, put together until there are `most`; as they are if so."""
    if len(groups) <= most:
        return list(groups)
    reach = np.array([_reach(group[0]) for group in groups], dtype=np.float64)
    weight = np.array([sum(demand_class.count for demand_class in group) for group in groups], dtype=np.float64)
    kept = Interned()
    nearest = _nearest(reach, weight, most)
    result: list[Group] = []
    for number in range(int(nearest.max()) + 1):
        together = [groups[index] for index in np.flatnonzero(nearest == number).tolist()]
        eligible = kept(np.any([group[0].group_eligible for group in together], axis=0))
        pairs = [group[0].group_pairs for group in together]
        allowed = None if pairs[0] is None else kept(np.any([own for own in pairs if own is not None], axis=0))
        result.append(
            [
                replace(demand_class, group_eligible=eligible, group_pairs=allowed)
                for group in together
                for demand_class in group
            ]
        )
    return result


def coverings(demand_classes: Iterable[DemandClass]) -> tuple[Covering, ...]:
    """How many places must be open among those where each class may run, stand by, or either."""
    known: dict[tuple[int, bytes], Covering] = {}
    for demand_class in demand_classes:
        pairs, groups = demand_class.group_pairs, demand_class.view.group_of_slot
        wanted: list[tuple[int, Booleans]] = [(1, demand_class.group_eligible)]
        if pairs is not None:
            first, second = np.asarray(pairs.any(axis=1)), np.asarray(pairs.any(axis=0))
            wanted = [(1, first), (1, second), (2, first | second)]
        for least, reach in wanted:
            slots = frozenset(np.flatnonzero(reach[groups]).tolist())
            known.setdefault((least, reach.tobytes()), Covering(slots, least))
    return tuple(known.values())


def _reach(demand_class: DemandClass) -> Booleans:
    """Where a class may run, and where it may stand by."""
    if demand_class.group_pairs is None:
        return demand_class.group_eligible
    return np.concatenate([demand_class.group_eligible, demand_class.group_pairs.any(axis=0)])


def _nearest(reach: Floats, weight: Floats, most: int) -> Integers:
    """The representative of each set: those first that are heaviest and farthest from all before."""
    size = reach.sum(axis=1)

    def apart(index: int) -> Floats:
        return np.asarray(size + size[index] - 2.0 * (reach @ reach[index]), dtype=np.float64)

    distance = apart(int(np.argmax(weight)))
    nearest = np.zeros(len(reach), dtype=np.int64)
    for number in range(1, most):
        own = apart(int(np.argmax(weight * distance)))
        nearest[own < distance] = number
        distance = np.minimum(distance, own)
    return nearest
