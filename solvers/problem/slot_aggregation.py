"""Free slots of one site are alike: relaxations may count them together, a fraction of the size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers.problem.design import DesignProblem
from solvers.problem.sets import Slot
from solvers.problem.slots import alike_slots


def merge_slots(problem: DesignProblem) -> DesignProblem:
    """The problem with alike slots of a site as one slot of several copies; the same problem where there are none.

    A plan's clusters summed over the copies are feasible in the merged problem at the same cost, so its bounds hold.
    `slot_groups` names the original slots of each merged one.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for alike in alike_slots(problem.inventory, problem.slots):
        for slot in alike:
            segments = tuple(
                (segment.node_model, segment.lowest, segment.highest) for segment in problem.slots[slot].segments
            )
            groups.setdefault((alike[0], segments), []).append(slot)
    members = tuple(tuple(group) for group in groups.values())
    if all(len(group) == 1 for group in members):
        return replace(problem, slot_groups=members)
    first = np.array([group[0] for group in members], dtype=np.int64)
    slots = tuple(
        Slot(
            index,
            problem.slots[group[0]].cluster,
            problem.slots[group[0]].site,
            problem.slots[group[0]].segments,
            problem.slots[group[0]].existing,
            len(group),
        )
        for index, group in enumerate(members)
    )
    view = problem.classes[0].view.over(first) if problem.classes else None
    classes = () if view is None else tuple(demand_class.on(view) for demand_class in problem.classes)
    return replace(problem, slots=slots, classes=classes, slot_groups=members)
