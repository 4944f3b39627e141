"""Free slots of one site are alike: relaxations may count them together, a fraction of the size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers.problem import DesignProblem, Slot


def merge_slots(problem: DesignProblem) -> DesignProblem:
    """The problem with alike slots of a site as one slot of several copies; the same problem where there are none.

    A plan's clusters summed over the copies are feasible in the merged problem at the same cost, so its bounds hold.
    `slot_groups` names the original slots of each merged one.
    """
    decided = {pin.site for pin in problem.inventory.pins} | {pin.cluster for pin in problem.inventory.pins}
    decided |= {pin.value for pin in problem.inventory.pins}
    groups: dict[tuple[object, ...], list[int]] = {}
    for slot in problem.slots:
        is_free = slot.existing is None and slot.site not in decided and slot.cluster not in decided
        key: tuple[object, ...] = (slot.site, id(slot.runs) if is_free else slot.index, is_free)
        if is_free:
            key = (slot.site, tuple((run.node_model, run.lowest, run.highest) for run in slot.runs))
        groups.setdefault(key, []).append(slot.index)
    members = tuple(tuple(group) for group in groups.values())
    if all(len(group) == 1 for group in members):
        return replace(problem, slot_groups=members)
    first = np.array([group[0] for group in members], dtype=np.int64)
    slots = tuple(
        Slot(
            index,
            problem.slots[group[0]].cluster,
            problem.slots[group[0]].site,
            problem.slots[group[0]].runs,
            problem.slots[group[0]].existing,
            len(group),
        )
        for index, group in enumerate(members)
    )
    classes = tuple(
        replace(
            part,
            eligible=part.eligible[first],
            pairs=None if part.pairs is None else part.pairs[np.ix_(first, first)],
            profiles=tuple(replace(profile, reaches=profile.reaches[:, first]) for profile in part.profiles),
        )
        for part in problem.classes
    )
    return replace(problem, slots=slots, classes=classes, slot_groups=members)
