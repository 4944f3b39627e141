"""More room where moving units does not help: nodes for clusters that are too full, then further clusters.

What grows changes no unit's place, so what a failure sends to a cluster stays what it was evaluated to be. A further
cluster takes in what is too much beside those that are as large as may be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from solvers.formulation.constraints.siting import node_limits
from solvers.linear.model import Integers
from solvers.local_search.placement import Packing, Place
from solvers.local_search.relocation import repair
from solvers.problem.design import DesignProblem


def with_room(packing: Packing) -> Packing | None:
    """The packing with the nodes and clusters that its loads ask for; None where there is no room for them.

    Fleets with a budget do not grow: what a node costs there is for a design to weigh.
    """
    if packing.problem.inventory.policy.budget is not None:
        return None
    for _ in range(packing.problem.parameters.local_search.further_clusters):
        for index in np.flatnonzero(packing.node_excess > 0).tolist():
            while packing.node_excess[index] > 0 and _add_node(packing, index):
                pass
        if repair(packing):
            return packing
        further = _beside(packing)
        if further is None:
            return None
        packing = packing.joined_by([further])
    return packing if repair(packing) else None


def _add_node(packing: Packing, index: int) -> bool:
    """Give a place one node more; whether its segment and its site allow that."""
    place = packing.places[index]
    segment = packing.resized_run(place, place.nodes + 1)
    if segment is None or not _site_holds(packing.problem, packing.places, place, 1):
        return False
    packing.size(index, segment, place.nodes + 1)
    return True


def _beside(packing: Packing) -> Place | None:
    """A further cluster for the places that are too full: at the site of the fullest, or else where most units may go.

    Sites that are open already come before others.
    """
    excess = packing.excess
    fullest = int(np.argmax(excess))
    neighbor, group = packing.places[fullest], int(packing.groups[fullest])
    taking = _takes(packing, np.flatnonzero((packing.groups == group) & (excess > 0)).tolist())
    is_open = np.isin(np.arange(len(taking)), packing.groups)
    ranked = sorted(np.flatnonzero(taking > 0).tolist(), key=lambda to: (to != group, not is_open[to], -taking[to]))
    found = (_like(packing.problem, packing.places, neighbor, to) for to in ranked)
    return next((place for place in found if place is not None), None)


def _takes(packing: Packing, full: Sequence[int]) -> Integers:
    """[group of alike slots]: how many units and copies of the places may be there instead."""
    classes = packing.problem.classes
    count = np.zeros(len(classes[0].group_eligible), dtype=np.int64)
    inside = np.isin(packing.primary, full) | np.isin(packing.standby, full)
    for unit in np.flatnonzero(inside).tolist():
        own, first, second = classes[packing.demand_class[unit]], packing.primary[unit], packing.standby[unit]
        if first in full:
            count += own.group_eligible if own.group_pairs is None else own.group_pairs[:, packing.groups[second]]
        elif own.group_pairs is not None:
            count += own.group_pairs[packing.groups[first]]
    return count


def _like(problem: DesignProblem, places: Sequence[Place], model: Place, group: int) -> Place | None:
    """A place like another on a slot of a group that is free and undecided; None where there is none."""
    inventory, taken = problem.inventory, {place.slot for place in places}
    standing = Counter(problem.slots[slot].site for slot in taken)
    decided = {name for pin in inventory.pins for name in (pin.site, pin.cluster, pin.value)}
    for index in np.flatnonzero(problem.classes[0].view.group_of_slot == group).tolist():
        slot = problem.slots[index]
        if index in taken or slot.existing is not None or slot.site in decided or slot.cluster in decided:
            continue
        if standing[slot.site] >= inventory.site(slot.site).max_clusters:
            continue
        for segment in slot.segments:
            is_alike = (
                segment.node_model == model.segment.node_model
                and segment.node_tolerance >= model.segment.node_tolerance
            )
            if is_alike and segment.lowest <= model.nodes <= segment.highest:
                place = Place(index, group, segment, model.nodes)
                return place if _site_holds(problem, places, place, model.nodes) else None
    return None


def _site_holds(problem: DesignProblem, places: Sequence[Place], place: Place, nodes: int) -> bool:
    """Whether the site of a place has room for so many more of its nodes."""
    site = problem.inventory.site(problem.slots[place.slot].site)
    held = [(each.segment.node_model, each.nodes) for each in places if problem.slots[each.slot].site == site.site]
    held.append((place.segment.node_model, nodes))
    limits = node_limits(site, problem.inventory.node_model_by_name)
    return all(sum(count * amount[model] for model, count in held) <= limit for _, limit, amount in limits)
