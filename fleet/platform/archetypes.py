"""Archetypes: every cluster that may be built, as node model × node count × layout, and why others may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

from fleet.errors import FleetError, UnknownIdError
from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import TIERS
from fleet.platform.archetype import Archetype, Refusal
from fleet.platform.capacity import Capacity, cluster_capacity, kept_free, most_machines
from fleet.platform.eligibility import (
    Reason,
    archetype_warnings,
    capacity_refusals,
    hardware_refusals,
    layout_refusals,
)
from fleet.platform.growth import may_become
from fleet.platform.instances import node_offer
from fleet.platform.machines import hosts_of
from fleet.platform.offers import LayoutMenu, layout_candidates, layout_menu
from fleet.platform.quorum import NO_WITNESS, has_witness, node_tolerance
from fleet.platform.resiliency import resiliency_types, zones_of
from fleet.platform.topologies import TWO_NODES, site_refusals, spread_refusals, topology_of
from fleet.platform.volume_limits import volume_refusals
from fleet.platform.worthwhile import covers, worthwhile
from fleet.quantities import WATTS_PER_KW
from fleet.rulepack.facts import RulePack


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every archetype worth choosing, and every refusal, in order of node model and node count."""

    archetypes: tuple[Archetype, ...]
    refusals: tuple[Refusal, ...]


class ArchetypeError(FleetError, ValueError):
    """A cluster was asked for that the platform rules refuse; `refusals` names every reason."""

    code = "PLT000"

    def __init__(self, refusals: tuple[Refusal, ...]) -> None:
        self.refusals = refusals
        super().__init__("; ".join(str(refusal) for refusal in refusals))


def enumerate_archetypes(inventory: Inventory, pack: RulePack, *, rack_aware: bool | None = None) -> Catalog:
    """Every cluster that may be built from the hardware of an inventory.

    For each node model and node count the default mirror and the two-way mirror are tried on all tiers, parity on the
    archive, and what workloads ask for or standing clusters have. Of the allowed ones those go that another one of the
    same nodes equals or beats in node tolerance and in efficiency on every tier, and in what it may grow into, and that
    no workload asks for; capacity does not depend on the layout, so no demand loses a home. Nested mirrors never win
    (half the efficiency of two-way mirrors at the same node tolerance) and are tried only where they are asked for.

    Parameters
    ----------
    inventory : Inventory
        Hardware, policy, and what workloads ask for.
    pack : RulePack
        Platform facts.
    rack_aware : bool, optional
        Whether clusters are spread over zones too; where not given, if a site has zones and a workload asks for it or
        a cluster stands so.

    Returns
    -------
    Catalog
        Archetypes and refusals by node model, then node count, up to the platform's most nodes, or one more where the
        model claims more.

    Raises
    ------
    LayoutError
        If a workload or a standing cluster names a resiliency type that the rule pack does not know.
    """
    archetypes: list[Archetype] = []
    refusals: list[Refusal] = []
    most = pack.whole("limits.max_nodes")
    menu = layout_menu(inventory, pack)
    if rack_aware is None:
        rack_aware = menu.wants_zones and any(site.zones > 1 for site in inventory.host_sites)
    for model in sorted(inventory.hardware, key=lambda model: model.node_model):
        own: list[Archetype] = []
        for nodes in range(1, most + (2 if model.max_nodes > most else 1)):
            found, refused = _of_count(inventory, pack, model, nodes, menu)
            own += found
            if rack_aware and (spread := _spread(inventory, pack, model, nodes)) is not None:
                own.append(spread)
            refusals += refused
        archetypes += worthwhile(own, range(len(own)), partial(may_become, pack=pack), menu.asked)
    return Catalog(tuple(archetypes), tuple(refusals))


def archetype_for(
    inventory: Inventory,
    pack: RulePack,
    node_model: str,
    nodes: int,
    layout: Mapping[str, str],
    site: Site | None = None,
    *,
    witness: str = "",
) -> Archetype:
    """The archetype of one cluster with any layout, whether worth choosing or not.

    Parameters
    ----------
    inventory : Inventory
        Hardware and policy.
    pack : RulePack
        Platform facts.
    node_model, nodes, layout
        What it is made of.
    site : Site, optional
        Where it stands, which then has to allow its topology.
    witness : str, optional
        The witness that it is stated to have: ``cloud``, ``file_share`` or ``none``; the rule's choice where blank.

    Raises
    ------
    UnknownIdError
        If the inventory has no such node model.
    ArchetypeError
        If platform rules refuse it, with every rule and reason.
    """
    model = inventory.node_model_by_name.get(node_model)
    if model is None:
        raise UnknownIdError("node model", node_model)
    archetype, reasons = _Assembly(model, nodes, inventory.policy, pack).judged(layout)
    if archetype is not None:
        reasons = list(_beyond_offer(inventory, pack, model, archetype))
        reasons += site_refusals(archetype.topology, site, pack) if site is not None else ()
    if archetype is None or reasons:
        raise ArchetypeError(_refusals(model, nodes, layout, reasons))
    return _with_witness(archetype, witness, pack) if witness else archetype


def _with_witness(archetype: Archetype, witness: str, pack: RulePack) -> Archetype:
    """The archetype as it survives node failures with a stated witness; rack-aware ones always need theirs."""
    has_one = archetype.zone_tolerance > 0 or witness != NO_WITNESS
    tolerance = node_tolerance(archetype.nodes, has_one, archetype.tolerance.data, pack)
    return replace(archetype, node_tolerance=tolerance.nodes, tolerance=tolerance)


def _beyond_offer(inventory: Inventory, pack: RulePack, model: NodeModel, archetype: Archetype) -> Iterator[Reason]:
    """Why a layout that beats every one on offer may not be used: nobody asked for it."""
    offered, _ = _of_count(inventory, pack, model, archetype.nodes, layout_menu(inventory, pack))
    if offered and not any(covers(other, archetype) for other in offered):
        best = {tier: max(other.efficiency[tier] for other in offered) for tier in TIERS}
        beyond = ", ".join(
            f"{tier} {archetype.layout[tier]}" for tier in TIERS if archetype.efficiency[tier] > best[tier]
        )
        yield "PLT-027", f"{beyond or 'this layout'} is not on offer: a workload has to ask for it in column resiliency"


def _spread(inventory: Inventory, pack: RulePack, model: NodeModel, nodes: int) -> Archetype | None:
    """The cluster of so many nodes that is spread over the zones of a site."""
    pair = pack.text("network.rack_aware_pair_layout")
    for kind in resiliency_types(pack).values():
        is_chosen = kind.name == pair or nodes != TWO_NODES
        if kind.zones > 1 and is_chosen and kind.minimum_nodes <= nodes <= kind.maximum_nodes:
            return _Assembly(model, nodes, inventory.policy, pack).judged(dict.fromkeys(TIERS, kind.name))[0]
    return None


def _of_count(
    inventory: Inventory, pack: RulePack, model: NodeModel, nodes: int, menu: LayoutMenu
) -> tuple[list[Archetype], list[Refusal]]:
    assembly = _Assembly(model, nodes, inventory.policy, pack)
    if assembly.refusals:
        return [], list(_refusals(model, nodes, {}, assembly.refusals))
    found: list[Archetype] = []
    refused: dict[Reason, Refusal] = {}
    for layout in layout_candidates(nodes, pack, menu):
        archetype, reasons = assembly.judged(layout)
        for refusal in _refusals(model, nodes, layout, reasons):
            refused.setdefault((refusal.rule, refusal.reason), refusal)
        if archetype is not None:
            found.append(archetype)
    return found, list(refused.values())


@dataclass(frozen=True)
class _Assembly:
    """So many nodes of one model, judged step by step: hardware, layout, capacity, volumes."""

    model: NodeModel
    nodes: int
    policy: Policy
    pack: RulePack

    @cached_property
    def hardware(self) -> list[Reason]:
        """Why the nodes may form no cluster."""
        return list(hardware_refusals(self.model, self.nodes, self.pack))

    @cached_property
    def capacity(self) -> Capacity:
        """What they offer under every layout that does not spread over zones."""
        return cluster_capacity(self.model, self.nodes, {}, self.policy, self.pack)

    @property
    def refusals(self) -> list[Reason]:
        """What refuses them whatever the layout."""
        return self.hardware or list(capacity_refusals(self.model, self.capacity))

    def judged(self, layout: Mapping[str, str]) -> tuple[Archetype | None, list[Reason]]:
        """The archetype with a layout, or why there is none: what the first step finds that finds anything."""
        model, nodes, pack = self.model, self.nodes, self.pack
        layouts = (*layout_refusals(model, nodes, layout, pack), *spread_refusals(nodes, layout, pack))
        reasons = [*self.hardware, *layouts]
        if reasons:
            return None, reasons
        is_spread = zones_of(layout, pack) > 1
        capacity = cluster_capacity(model, nodes, layout, self.policy, pack) if is_spread else self.capacity
        reasons = list(capacity_refusals(model, capacity))
        if reasons:
            return None, reasons
        found = self._archetype(layout, capacity)
        pool_tb = capacity.usable.pool_tb
        reasons = list(volume_refusals(found.layout, found.efficiency, nodes, pool_tb, self.policy.pool_layout, pack))
        return None if reasons else found, reasons

    def _archetype(self, layout: Mapping[str, str], capacity: Capacity) -> Archetype:
        model, nodes, policy, pack = self.model, self.nodes, self.policy, self.pack
        zones = zones_of(layout, pack)
        free = kept_free(nodes, policy, zones)
        kinds = {tier: resiliency_types(pack)[layout[tier]] for tier in TIERS}
        data = min(kind.data_tolerance(nodes) for kind in kinds.values())
        tolerance = node_tolerance(nodes, zones > 1 or has_witness(nodes, pack), data, pack)
        return Archetype(
            node_model=model.node_model,
            nodes=nodes,
            layout={tier: layout[tier] for tier in TIERS},
            efficiency={
                tier: kind.efficiency(nodes, model.capacity_media, model.capacity_drives)
                for tier, kind in kinds.items()
            },
            node_tolerance=tolerance.nodes,
            capacity=capacity,
            power_kw=nodes * model.watts / WATTS_PER_KW,
            rack_units=nodes * model.rack_units,
            warnings=tuple(archetype_warnings(model, nodes, layout, pack)),
            tolerance=tolerance,
            offer=node_offer(model, pack),
            drive_tolerance=min(kind.drive_tolerance for kind in kinds.values()),
            zone_tolerance=zones - 1,
            topology=topology_of(model, nodes, layout, policy, pack),
            most_machines=most_machines(nodes, free, pack),
            hosts=hosts_of(model, nodes, free, policy, pack),
        )


def _refusals(model: NodeModel, nodes: int, layout: Mapping[str, str], reasons: list[Reason]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(model.node_model, nodes, dict(layout), rule, reason) for rule, reason in dict.fromkeys(reasons)
    )
