"""Cluster slots and the archetype segments that each may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fleet.errors import InventoryError
from fleet.inventory.inventory import Demand, Inventory
from fleet.inventory.tables.hardware import ExistingCluster
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import TIERS
from fleet.platform.archetype import Archetype
from fleet.platform.archetypes import ArchetypeError, enumerate_archetypes
from fleet.platform.growth import growth_refusal
from fleet.platform.instances import instance_refusals
from fleet.platform.machines import machine_of
from fleet.platform.standing import reachable_archetypes, standing_problems
from fleet.platform.topologies import site_refusals
from fleet.rulepack import RulePack
from solvers.linear.model import Floats
from solvers.problem.sets import ArchetypeSegment, DemandClass, Slot
from solvers.tolerances import STEP_TOLERANCE


def build_slots(inventory: Inventory, pack: RulePack) -> tuple[Slot, ...]:
    """Every slot in canonical order: existing clusters of each candidate site, then the places for new ones.

    Raises
    ------
    InventoryError
        If a cluster that stands and must stay is one that the rules refuse, as scenarios may bring it about.
    """
    if problems := tuple(standing_problems(inventory, pack)):
        raise InventoryError(problems)
    catalog = enumerate_archetypes(inventory, pack)
    known: dict[tuple[str, ...], tuple[ArchetypeSegment, ...]] = {}
    grown: dict[tuple[object, ...], tuple[ArchetypeSegment, ...]] = {}
    slots: list[Slot] = []
    for site in sorted(inventory.host_sites, key=lambda site: site.site):
        segments = _segments_at(inventory, catalog.archetypes, site, pack, known)
        for row in inventory.clusters_at.get(site.site, ()):
            key = (row.node_model, row.nodes, row.layout, row.witness, row.storage_switch, site.zones, site.internet)
            if key not in grown:
                grown[key] = existing_segments(inventory, pack, row)
            slots.append(Slot(len(slots), row.cluster, site.site, grown[key], row))
        for name in inventory.new_clusters(site):
            slots.append(Slot(len(slots), name, site.site, segments))
    return tuple(slots)


def alike_slots(inventory: Inventory, slots: Sequence[Slot]) -> tuple[tuple[int, ...], ...]:
    """The slots in groups that nothing tells apart: free ones of a site where the planner decides nothing."""
    decided = {pin.site for pin in inventory.pins} | {pin.cluster for pin in inventory.pins}
    decided |= {pin.value for pin in inventory.pins}
    groups: dict[tuple[str, int], list[int]] = {}
    for slot in slots:
        is_free = slot.existing is None and slot.site not in decided and slot.cluster not in decided
        groups.setdefault((slot.site, -1 if is_free else slot.index), []).append(slot.index)
    return tuple(tuple(group) for group in groups.values())


def _segments_at(
    inventory: Inventory,
    archetypes: Sequence[Archetype],
    site: Site,
    pack: RulePack,
    known: dict[tuple[str, ...], tuple[ArchetypeSegment, ...]],
) -> tuple[ArchetypeSegment, ...]:
    """The segments of what may stand at a site; sites that allow the same topologies share them."""
    topologies = sorted({archetype.topology for archetype in archetypes})
    allowed = tuple(topology for topology in topologies if not any(site_refusals(topology, site, pack)))
    if allowed not in known:
        here = [archetype for archetype in archetypes if archetype.topology in allowed]
        known[allowed] = archetype_segments(inventory, here, pack)
    return known[allowed]


def archetype_segments(
    inventory: Inventory, archetypes: Sequence[Archetype], pack: RulePack
) -> tuple[ArchetypeSegment, ...]:
    """Archetypes gathered into segments of consecutive counts with affine capacity and equal layout."""
    result: list[ArchetypeSegment] = []
    for model in sorted({archetype.node_model for archetype in archetypes}):
        own = [archetype for archetype in archetypes if archetype.node_model == model]
        for layout in sorted({tuple(sorted(archetype.layout.items())) for archetype in own}):
            chain = sorted(
                (archetype for archetype in own if tuple(sorted(archetype.layout.items())) == layout),
                key=lambda archetype: archetype.nodes,
            )
            result.extend(_split(inventory, chain, pack))
    return tuple(result)


def existing_segments(inventory: Inventory, pack: RulePack, cluster: ExistingCluster) -> tuple[ArchetypeSegment, ...]:
    """What an existing cluster is today, by itself, and the segments of what it may become.

    Empty for one that the rules refuse, which can only be retired.
    """
    try:
        today, *others = reachable_archetypes(inventory, pack, cluster)
    except ArchetypeError:
        return ()
    return (*_split(inventory, [today], pack), *archetype_segments(inventory, others, pack))


def growth_refusals(slots: Sequence[Slot], pack: RulePack) -> frozenset[tuple[str, int, int]]:
    """(cluster, segment before, segment after) steps that no cluster may take, by position among the slot's segments.

    What is refused depends on model and layouts, which a segment shares, and on whether a single node may grow, which
    cuts segments after it: the smallest count of the one and the largest of the other stand for all.
    """
    refused = set()
    for slot in slots:
        for before, smaller in enumerate(slot.segments):
            for after, larger in enumerate(slot.segments):
                if before == after or smaller.node_model != larger.node_model or larger.highest < smaller.lowest:
                    continue
                if growth_refusal(smaller.archetypes[0], larger.archetypes[-1], pack) is not None:
                    refused.add((slot.cluster, before, after))
    return frozenset(refused)


def without_idle_segments(
    inventory: Inventory, slots: Sequence[Slot], groups: Sequence[Sequence[int]], classes: Sequence[DemandClass]
) -> tuple[Slot, ...]:
    """The slots without the segments that no demand eligible there may use; nobody opens a cluster for nothing.

    Slots that stand already, and sites where the planner decides, keep every segment.
    """
    decided = {pin.site for pin in inventory.pins} | {pin.cluster for pin in inventory.pins}
    result = {slot.index: slot for slot in slots}
    for position, group in enumerate(groups):
        first = slots[group[0]]
        if first.existing is not None or first.site in decided or first.cluster in decided:
            continue
        segments = tuple(
            segment
            for segment in first.segments
            if any(_is_useful(inventory, demand_class, position, segment) for demand_class in classes)
        )
        result |= {index: replace(slots[index], segments=segments) for index in group}
    return tuple(result[slot.index] for slot in slots)


def _is_useful(inventory: Inventory, demand_class: DemandClass, group: int, segment: ArchetypeSegment) -> bool:
    roles = [demand_class.units[0].demands] if demand_class.group_eligible[group] else []
    if demand_class.group_pairs is not None and demand_class.group_pairs[:, group].any():
        roles.append(protected(demand_class.units[0].demands))
    return any(
        exists(inventory, demands, period) and fits(inventory, demands, segment, period)
        for demands in roles
        for period in range(len(inventory.periods))
    )


def protected(demands: Sequence[Demand]) -> tuple[Demand, ...]:
    """Those that have a standby copy."""
    return tuple(demand for demand in demands if demand.has_standby)


def exists(inventory: Inventory, demands: Sequence[Demand], period: int) -> bool:
    """Whether any of `demands` exists in `period`."""
    return any(inventory.growth_factors(demand)[period] > 0 for demand in demands)


def fits(inventory: Inventory, demands: Sequence[Demand], segment: ArchetypeSegment, period: int) -> bool:
    """Whether those of `demands` that exist in `period` get what they ask of a segment: tolerance, type, GPU, room."""
    return all(
        segment.node_tolerance >= demand.row.fault_tolerance
        and segment.archetypes[0].keeps(demand.row)
        and (demand.row.gpus <= 0 or demand.row.gpu_model in ("", segment.gpu_model))
        and not any(instance_refusals(demand.row, segment.archetypes[0].offer))
        and segment.archetypes[0].hosts.room.takes(
            machine_of(demand.row, inventory.growth_factors(demand)[period], inventory.policy)
        )
        for demand in demands
        if inventory.growth_factors(demand)[period] > 0
    )


def fits_throughout(inventory: Inventory, demands: Sequence[Demand], slot: Slot) -> bool:
    """Whether a slot has, for one node model, archetypes that fit `demands` in every period."""
    return any(
        all(
            any(segment.node_model == model and fits(inventory, demands, segment, period) for segment in slot.segments)
            for period in range(len(inventory.periods))
        )
        for model in {segment.node_model for segment in slot.segments}
    )


def _split(inventory: Inventory, chain: Sequence[Archetype], pack: RulePack) -> list[ArchetypeSegment]:
    """Cut a chain of archetypes where capacity stops being affine, a tier that holds data changes, or growth ends."""
    stored = [tier in inventory.stored_tiers for tier in TIERS]
    pieces: list[list[Archetype]] = []
    for archetype in chain:
        piece = pieces[-1] if pieces else None
        if piece is not None and _continues(piece, archetype, pack, stored):
            piece.append(archetype)
        else:
            pieces.append([archetype])
    return [_segment(inventory, piece) for piece in pieces]


def _continues(piece: Sequence[Archetype], archetype: Archetype, pack: RulePack, stored: Sequence[bool]) -> bool:
    last = piece[-1]
    if archetype.nodes != last.nodes + 1 or archetype.node_tolerance != last.node_tolerance:
        return False
    if archetype.topology != last.topology or archetype.topology == "switchless":  # each count wired in its own way
        return False
    if _efficiency(archetype)[stored].tolist() != _efficiency(last)[stored].tolist():
        return False
    if growth_refusal(last, archetype, pack) is not None:
        return False
    if len(piece) == 1:
        return True
    step, before = _usable(archetype) - _usable(last), _usable(last) - _usable(piece[-2])
    free_step, free_before = _free(archetype) - _free(last), _free(last) - _free(piece[-2])
    scale = np.maximum(1.0, np.abs(_free(archetype)))
    return bool(
        np.all(np.abs(step - before) <= STEP_TOLERANCE * scale)
        and np.all(np.abs(free_step - free_before) <= STEP_TOLERANCE * scale)
    )


def _segment(inventory: Inventory, piece: Sequence[Archetype]) -> ArchetypeSegment:
    first, last = piece[0], piece[-1]
    span = last.nodes - first.nodes
    slope = (_usable(last) - _usable(first)) / span if span else np.zeros(4)
    free_slope = (_free(last) - _free(first)) / span if span else np.zeros(4)
    return ArchetypeSegment(
        node_model=first.node_model,
        lowest=first.nodes,
        highest=last.nodes,
        archetypes=tuple(piece),
        base=_usable(first) - slope * first.nodes,
        slope=slope,
        free_base=_free(first) - free_slope * first.nodes,
        free_slope=free_slope,
        efficiency=_efficiency(first),
        node_tolerance=first.node_tolerance,
        gpu_model=inventory.node_model_by_name[first.node_model].gpu_model,
    )


def _usable(archetype: Archetype) -> Floats:
    return np.array(archetype.capacity.usable.as_tuple())


def _free(archetype: Archetype) -> Floats:
    return np.array(archetype.capacity.without_node_reserve.as_tuple())


def _efficiency(archetype: Archetype) -> Floats:
    return np.array([archetype.efficiency[tier] for tier in TIERS])
