"""Which sites to open: linear relaxations rank sets of open slots, the best are completed first.

The relaxation over one set, every slot of it open and all others closed, takes a fraction of a second and bounds every
plan with that set. Sets next to the best one (one slot more, less, or exchanged) are ranked by it, corrected by how far
plans turned out above it for sets of that size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest

import numpy as np

from solvers.formulation.variables import Formulation
from solvers.linear.model import INFINITY, Floats, LinearModel
from solvers.problem.design import DesignProblem

OpenSet = frozenset[int]


def open_shares(formulation: Formulation, solution: Floats) -> dict[int, float]:
    """How far a solution opens each slot in the last period."""
    last = formulation.problem.periods - 1
    return {
        slot: float(sum(solution[column] for column, _ in formulation.open_terms(slot, last)))
        for slot in formulation.slots
    }


def first_set(problem: DesignProblem, shares: dict[int, float]) -> OpenSet:
    """The slots that the relaxation opens, and the next ones until every class has somewhere to go."""
    chosen = [slot for slot, share in shares.items() if share >= problem.parameters.strategies.open_share]
    rest = sorted((slot for slot in shares if slot not in chosen), key=lambda slot: (-shares[slot], slot))
    while rest and not is_covering(problem, frozenset(chosen)):
        chosen.append(rest.pop(0))
    return frozenset(chosen)


def is_covering(problem: DesignProblem, slots: OpenSet) -> bool:
    """Whether every class has an eligible slot, and a pair where it is protected, among `slots`."""
    if not problem.classes:
        return True
    first = problem.classes[0]
    inside = np.zeros(len(first.group_eligible), dtype=bool)
    inside[first.view.group_of_slot[sorted(slots)]] = True
    reaches = {
        (id(demand_class.group_eligible), id(demand_class.group_pairs)): demand_class
        for demand_class in problem.classes
    }
    return all(
        bool((demand_class.group_eligible & inside).any())
        if demand_class.group_pairs is None
        else bool(demand_class.group_pairs[inside][:, inside].any())
        for demand_class in reaches.values()
    )


def restricted(formulation: Formulation, slots: OpenSet) -> LinearModel:
    """The model with every slot of the set open in the last period and all others closed."""
    model = formulation.model
    upper = list(model.upper)
    row_lower = list(model.row_lower)
    last = formulation.problem.periods - 1
    for (slot, _, _), column in formulation.segment.items():
        if slot not in slots:
            upper[column] = 0.0
    for slot in slots:
        row_lower[formulation.open_row[slot, last]] = 1.0
    return replace(model, upper=upper, row_lower=row_lower)


@dataclass
class OpenSets:
    """The sets known so far, with their relaxations and what became of them.

    Attributes
    ----------
    relax : callable
        Value of the relaxation over a set, infinite where it is infeasible.
    shares : dict
        How far the relaxation over all slots opens each: the likeliest neighbors of a set come first.
    """

    problem: DesignProblem
    relax: Callable[[OpenSet], float]
    fixed: OpenSet
    shares: dict[int, float] = field(default_factory=dict)
    relaxed: dict[OpenSet, float] = field(default_factory=dict)
    completed: dict[OpenSet, float] = field(default_factory=dict)

    def value(self, slots: OpenSet) -> float:
        """Relaxation of a set, from memory where known."""
        if slots not in self.relaxed:
            self.relaxed[slots] = self.relax(slots) if is_covering(self.problem, slots) else INFINITY
        return self.relaxed[slots]

    def estimate(self, slots: OpenSet) -> float:
        """What a plan on the set may cost: its relaxation, raised as for completed sets of the nearest size."""
        known = [
            (abs(len(other) - len(slots)), cost / self.relaxed[other])
            for other, cost in self.completed.items()
            if cost < INFINITY and self.relaxed.get(other, 0.0) > 0
        ]
        if not known:
            return self.value(slots)
        nearest = min(distance for distance, _ in known)
        factors = [factor for distance, factor in known if distance == nearest]
        return self.value(slots) * min(factors)

    def neighbors(self, slots: OpenSet) -> Iterator[OpenSet]:
        """Sets with one slot more and one less by turns, as the relaxation suggests; then with one exchanged."""
        outside = self._outside(slots)
        inside = sorted((slot for slot in slots if slot not in self.fixed), key=lambda slot: (self._share(slot), slot))
        for entering, leaving in zip_longest(outside, inside):
            if entering is not None:
                yield slots | {entering}
            if leaving is not None:
                yield slots - {leaving}
        for leaving in inside:
            for entering in outside:
                yield (slots - {leaving}) | {entering}

    def _outside(self, slots: OpenSet) -> list[int]:
        """Slots that could be added to a set, likeliest first."""
        usable = (slot.index for slot in self.problem.slots if slot.segments and slot.index not in slots)
        return sorted(usable, key=lambda slot: (-self._share(slot), slot))

    def _share(self, slot: int) -> float:
        return self.shares.get(slot, 0.0) / self.problem.slots[slot].copies

    def with_room(self, slots: OpenSet) -> OpenSet:
        """The set, with the likeliest others as long as its relaxation does not hold all demands."""
        count = 1
        while self._outside(slots) and self.value(slots) == INFINITY:
            slots, count = self.larger(slots, count), 2 * count
        return slots

    def larger(self, slots: OpenSet, count: int) -> OpenSet:
        """The set with so many more of the likeliest slots."""
        return slots | frozenset(self._outside(slots)[:count])

    @property
    def best(self) -> OpenSet | None:
        """The completed set with the cheapest plan."""
        plans = {slots: cost for slots, cost in self.completed.items() if cost < INFINITY}
        return min(plans, key=lambda slots: (plans[slots], sorted(slots))) if plans else None

    def next_set(self, ceiling: float) -> OpenSet | None:
        """The most promising set that is not completed and whose relaxation is below `ceiling`."""
        open_sets = [slots for slots, value in self.relaxed.items() if slots not in self.completed and value < ceiling]
        return min(open_sets, key=lambda slots: (self.estimate(slots), sorted(slots))) if open_sets else None
