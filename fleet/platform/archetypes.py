"""Archetypes: every cluster that may be built, as node model × node count × layout, and why others may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fleet.errors import FleetError, UnknownIdError
from fleet.inventory.hardware import NodeModel
from fleet.inventory.inventory import Inventory
from fleet.inventory.workloads import TIERS
from fleet.platform.capacity import Capacity, cluster_capacity
from fleet.platform.eligibility import (
    PLATFORM_RULES,
    TWO_WAY,
    PlatformRule,
    Reason,
    archetype_warnings,
    capacity_refusals,
    hardware_refusals,
    layout_refusals,
)
from fleet.platform.instances import NodeOffer, node_offer
from fleet.platform.quorum import Tolerance, has_witness, node_tolerance
from fleet.platform.resiliency import default_layout, resiliency_types
from fleet.rulepack.facts import RulePack

__all__ = [
    "PLATFORM_RULES",
    "Archetype",
    "ArchetypeError",
    "Catalog",
    "PlatformRule",
    "Refusal",
    "archetype_for",
    "enumerate_archetypes",
    "growth_notes",
    "growth_refusal",
]


WATTS_PER_KW = 1000.0


@dataclass(frozen=True)
class Archetype:
    """A cluster that may be built.

    Attributes
    ----------
    node_model : str
        Model of all its nodes.
    nodes : int
        Node count.
    layout : mapping
        Resiliency type of each tier.
    efficiency : mapping
        Share of its footprint that is data, per tier.
    node_tolerance : int
        Nodes that may be lost at once, with the witness that the rules set up.
    capacity : Capacity
        What it offers, traced.
    power_kw, rack_units : float
        What its nodes take of a site [kW, U].
    warnings : tuple of str
        What is allowed but should be known.
    tolerance : Tolerance
        What limits `node_tolerance`.
    offer : NodeOffer
        The most that one instance of a workload may have.
    """

    node_model: str
    nodes: int
    layout: Mapping[str, str] = field(hash=False)
    efficiency: Mapping[str, float] = field(hash=False)
    node_tolerance: int
    capacity: Capacity
    power_kw: float
    rack_units: float
    warnings: tuple[str, ...]
    tolerance: Tolerance
    offer: NodeOffer

    def footprint_tb(self, tier: str, storage_tb: float) -> float:
        """Pool that data of a tier takes [TB]."""
        return storage_tb / self.efficiency[tier]

    def __str__(self) -> str:
        kinds = dict.fromkeys(self.layout.values())
        text = next(iter(kinds)) if len(kinds) == 1 else ", ".join(f"{k} {v}" for k, v in self.layout.items())
        return f"{self.nodes} × {self.node_model} ({text})"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A cluster that may not be built; `layout` is empty where no layout would help."""

    node_model: str
    nodes: int
    layout: Mapping[str, str] = field(hash=False)
    rule: str
    reason: str

    def __str__(self) -> str:
        return f"{self.rule} {self.nodes} × {self.node_model}: {self.reason}"


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


def enumerate_archetypes(inventory: Inventory, pack: RulePack) -> Catalog:
    """Every cluster that may be built from the hardware of an inventory.

    For each node model and node count the default mirror and the two-way mirror are tried on all tiers, and
    parity on the archive. Of the allowed ones those go that another one of the same nodes equals or beats in node
    tolerance and in efficiency on every tier; capacity does not depend on the layout, so no demand loses a home. Nested
    mirrors never win (half the efficiency of two-way mirrors at the same node tolerance) and are not tried.

    Parameters
    ----------
    inventory : Inventory
        Hardware and policy.
    pack : RulePack
        Platform facts.

    Returns
    -------
    Catalog
        Archetypes and refusals by node model, then node count, up to the platform's most nodes, or one more where the
        model claims more.
    """
    archetypes: list[Archetype] = []
    refusals: list[Refusal] = []
    most = pack.whole("limits.max_nodes")
    for model in sorted(inventory.hardware, key=lambda model: model.node_model):
        for nodes in range(1, most + (2 if model.max_nodes > most else 1)):
            found, refused = _of_count(inventory, pack, model, nodes)
            archetypes += found
            refusals += refused
    return Catalog(tuple(archetypes), tuple(refusals))


def archetype_for(
    inventory: Inventory, pack: RulePack, node_model: str, nodes: int, layout: Mapping[str, str]
) -> Archetype:
    """The archetype of one cluster with any layout, whether worth choosing or not.

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
    reasons = [*hardware_refusals(model, nodes, pack), *layout_refusals(model, nodes, layout, pack)]
    capacity = None
    if not reasons:
        capacity = cluster_capacity(model, nodes, layout, inventory.policy, pack)
        reasons = list(capacity_refusals(model, capacity))
    if capacity is None or reasons:
        raise ArchetypeError(_refusals(model, nodes, layout, reasons))
    return _archetype(model, nodes, layout, capacity, pack)


def growth_refusal(smaller: Archetype, larger: Archetype, pack: RulePack) -> str | None:
    """Why a cluster may not grow from one archetype into another; None where it may.

    Nodes are added one at a time, so any number may be added between two periods. The same node count with another
    layout is growth too.

    Parameters
    ----------
    smaller, larger : Archetype
        What stands, and what it should become.
    pack : RulePack
        Allowed layout changes.

    References
    ----------
    Microsoft, azure-local/manage/add-server.md (08/2025).
    """
    if smaller.node_model != larger.node_model:
        return f"PLT-019 a cluster of {smaller.node_model} cannot take nodes of {larger.node_model}"
    if larger.nodes < smaller.nodes:
        return f"PLT-020 a cluster of {smaller.nodes} nodes cannot shrink to {larger.nodes}"
    if smaller.nodes == 1 < larger.nodes and not pack.flag("growth.from_single_node"):
        return "PLT-021 a single node cannot grow into a cluster"
    paths = pack.table("growth.layout_paths")
    for tier in TIERS:
        old, new = smaller.layout[tier], larger.layout[tier]
        if old != new and new not in paths.get(old, ()):
            return f"PLT-022 {tier}: {old} cannot become {new} while the cluster grows"
        if old != new and _is_parity(new, pack) and not pack.flag("growth.rebuild_to_parity"):
            return f"PLT-022 {tier}: {old} would have to be rebuilt as {new}, which the rule pack does not allow"
    return None


def growth_notes(smaller: Archetype, larger: Archetype, pack: RulePack) -> tuple[str, ...]:
    """What has to be done to the volumes when a cluster grows from one archetype into another."""
    notes = []
    for tier in TIERS:
        old, new = smaller.layout[tier], larger.layout[tier]
        if old != new and _is_parity(new, pack):
            notes.append(f"{tier}: create {new} volumes and move the data out of {old}, with room for both meanwhile")
        elif old != new:
            notes.append(f"{tier}: {old} volumes become {new}")
        elif larger.efficiency[tier] > smaller.efficiency[tier]:
            notes.append(f"{tier}: rebuild {new} volumes to gain the efficiency of {larger.nodes} nodes")
    return tuple(notes)


def _is_parity(name: str, pack: RulePack) -> bool:
    return "hot" not in resiliency_types(pack)[name].tiers


def _of_count(
    inventory: Inventory, pack: RulePack, model: NodeModel, nodes: int
) -> tuple[list[Archetype], list[Refusal]]:
    reasons = list(hardware_refusals(model, nodes, pack))
    if reasons:
        return [], list(_refusals(model, nodes, {}, reasons))
    found: list[Archetype] = []
    refused: dict[Reason, Refusal] = {}
    capacity = cluster_capacity(model, nodes, {}, inventory.policy, pack)
    reasons = list(capacity_refusals(model, capacity))
    if reasons:
        return [], list(_refusals(model, nodes, {}, reasons))
    for layout in _candidates(nodes, pack):
        reasons = list(layout_refusals(model, nodes, layout, pack))
        for refusal in _refusals(model, nodes, layout, reasons):
            refused.setdefault((refusal.rule, refusal.reason), refusal)
        if not reasons:
            found.append(_archetype(model, nodes, layout, capacity, pack))
    return _undominated(found, pack), list(refused.values())


def _candidates(nodes: int, pack: RulePack) -> Iterator[dict[str, str]]:
    """Layouts to try: hot and warm on one mirror, the archive on the same or on parity; preferred ones first."""
    default = default_layout(nodes, pack)
    parity = pack.table("layouts.parity")
    archive = pack.row_from("layouts.parity", nodes) or next(iter(parity.values()), None)
    mirrors = [default["hot"]]
    if nodes > 1 and TWO_WAY in resiliency_types(pack) and TWO_WAY not in mirrors:
        mirrors.append(TWO_WAY)
    for mirror in mirrors:
        layout = dict.fromkeys(TIERS, mirror)
        yield layout
        if archive is not None:
            yield {**layout, "archive": archive}


def _undominated(found: list[Archetype], pack: RulePack) -> list[Archetype]:
    """What no other one of the same nodes equals or beats; of equals the first stays."""
    if not pack.flag("growth.rebuild_to_parity"):
        return found
    return [
        one
        for index, one in enumerate(found)
        if not any(
            _covers(other, one) and (place < index or not _covers(one, other))
            for place, other in enumerate(found)
            if place != index
        )
    ]


def _covers(a: Archetype, b: Archetype) -> bool:
    return a.node_tolerance >= b.node_tolerance and all(a.efficiency[tier] >= b.efficiency[tier] for tier in TIERS)


def _archetype(
    model: NodeModel, nodes: int, layout: Mapping[str, str], capacity: Capacity, pack: RulePack
) -> Archetype:
    kinds = {tier: resiliency_types(pack)[layout[tier]] for tier in TIERS}
    data = min(kind.data_tolerance(nodes) for kind in kinds.values())
    tolerance = node_tolerance(nodes, has_witness(nodes, pack), data, pack)
    return Archetype(
        node_model=model.node_model,
        nodes=nodes,
        layout={tier: layout[tier] for tier in TIERS},
        efficiency={
            tier: kind.efficiency(nodes, model.capacity_media, model.capacity_drives) for tier, kind in kinds.items()
        },
        node_tolerance=tolerance.nodes,
        capacity=capacity,
        power_kw=nodes * model.watts / WATTS_PER_KW,
        rack_units=nodes * model.rack_units,
        warnings=tuple(archetype_warnings(model, nodes, layout, pack)),
        tolerance=tolerance,
        offer=node_offer(model, pack),
    )


def _refusals(model: NodeModel, nodes: int, layout: Mapping[str, str], reasons: list[Reason]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(model.node_model, nodes, dict(layout), rule, reason) for rule, reason in dict.fromkeys(reasons)
    )
