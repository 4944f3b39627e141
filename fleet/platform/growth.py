"""What a cluster may grow into, and what has to be done to its volumes then."""

from __future__ import annotations

from fleet.inventory.tables.workloads import TIERS
from fleet.platform.archetype import Archetype
from fleet.platform.resiliency import resiliency_types
from fleet.rulepack.facts import RulePack


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


def may_become(before: Archetype, after: Archetype, pack: RulePack) -> bool:
    """Whether a cluster of one archetype may be another one in the next period."""
    return before == after or growth_refusal(before, after, pack) is None


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
