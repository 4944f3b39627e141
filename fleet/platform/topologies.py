"""Topologies: how the nodes of a cluster are wired and spread, and what follows for its size, growth and witness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.sites import Site
from fleet.platform.eligibility import Reason
from fleet.platform.resiliency import resiliency_types, zones_of
from fleet.rulepack.facts import RulePack

Topology = Literal["single-node", "switched", "switchless", "rack-aware"]

TWO_NODES, THREE_NODES = 2, 3


@dataclass(frozen=True, slots=True)
class Family:
    """Clusters of one kind, as people speak of them.

    Attributes
    ----------
    name : str
        single node, two nodes, three nodes without a switch, switched, rack-aware.
    counts : tuple of int
        Node counts that it may have.
    grows_into : str
        What it may grow into, in words.
    witness : str
        Which witness it has, in words.
    """

    name: str
    counts: tuple[int, ...]
    grows_into: str
    witness: str


SINGLE, PAIR, RING, SWITCHED, RACK_AWARE = (
    "single node",
    "two nodes",
    "three nodes without a switch",
    "switched",
    "rack-aware",
)


def families(pack: RulePack) -> tuple[Family, ...]:
    """The families of clusters that a rule pack allows, each with its limits.

    References
    ----------
    Microsoft, azure-local/manage/add-server.md (08/2025), azure-local/plan/cloud-deployment-network-considerations.md
    (06/2026), azure-local/concepts/rack-aware-cluster-requirements.md (02/2026).
    """
    most = pack.whole("limits.max_nodes")
    ring = range(THREE_NODES, pack.whole("network.switchless_max_nodes") + 1)
    switched = range(THREE_NODES, most + 1)
    from_one = "two nodes, then more" if pack.flag("growth.from_single_node") else "nothing"
    from_two = "three nodes and more behind a switch; nothing with nested mirrors or without a switch"
    found = [
        Family(SINGLE, (1,), from_one, _witness((1,), pack)),
        Family(PAIR, (TWO_NODES,), from_two, _witness((TWO_NODES,), pack)),
        Family(RING, tuple(ring), "nothing without new cabling", _witness(ring, pack)),
        Family(SWITCHED, tuple(switched), f"one node at a time up to {most}", _witness(switched, pack)),
    ]
    spread = [kind for kind in resiliency_types(pack).values() if kind.zones > 1 and not kind.refusal]
    counts = sorted({n for kind in spread for n in range(kind.minimum_nodes, kind.maximum_nodes + 1, kind.zones)})
    if counts:
        text = f"pairs of nodes, one in each zone, up to {counts[-1]}; a pair of one and one grows into nothing"
        found.append(Family(RACK_AWARE, tuple(counts), text, "cloud, required"))
    return tuple(found)


def _witness(counts: Sequence[int], pack: RulePack) -> str:
    """Where a witness is required, recommended or optional, in words."""
    rules = {nodes: str(pack.row_from("witness.rule", nodes)) for nodes in counts}
    if len(set(rules.values())) == 1:
        return rules[counts[0]]
    spans = [(rule, [n for n in counts if rules[n] == rule]) for rule in dict.fromkeys(rules.values())]
    return ", ".join(
        f"{rule} from {span[0]} on" if span[-1] == counts[-1] else f"{rule} up to {span[-1]}" for rule, span in spans
    )


def family_of(topology: Topology, nodes: int) -> str:
    """Name of the family that clusters of this topology and node count belong to."""
    if topology == "single-node":
        return SINGLE
    if topology == "rack-aware":
        return RACK_AWARE
    if nodes == TWO_NODES:
        return PAIR
    return RING if topology == "switchless" else SWITCHED


def topology_of(model: NodeModel, nodes: int, layout: Mapping[str, str], policy: Policy, pack: RulePack) -> Topology:
    """The topology of a cluster: rack-aware by its types, switchless where the policy wants it and it can be.

    Without storage switches by policy, clusters of a few nodes with ports enough are wired directly; larger ones, and
    those that grow, have a switch all the same.
    """
    if zones_of(layout, pack) > 1:
        return "rack-aware"
    if nodes == 1:
        return "single-node"
    is_small = nodes <= pack.whole("network.switchless_max_nodes")
    if is_small and not policy.storage_switch and model.nic_ports >= switchless_ports(nodes, pack):
        return "switchless"
    return "switched"


def switchless_ports(nodes: int, pack: RulePack) -> int:
    """Network ports that each node needs to be wired to every other one without a switch.

    As many to each of the other ``n − 1`` nodes as an intent has, and an intent for management and workloads.

    References
    ----------
    Azure/AzureLocal-Supportability TSG/Networking/Top-Of-Rack-Switch/Overview-Azure-Local-Deployment-Pattern.md.
    """
    return nodes * pack.whole("network.min_storage_ports")


def spread_refusals(nodes: int, layout: Mapping[str, str], pack: RulePack) -> Iterator[Reason]:
    """Why a layout may not spread a cluster over zones: tiers that are not, or zones of unequal size."""
    types = resiliency_types(pack)
    zones = zones_of(layout, pack)
    if zones <= 1:
        return
    others = sorted({name for name in layout.values() if name in types and types[name].zones != zones})
    if others:
        yield "PLT-026", f"{', '.join(others)} beside rack-aware types: every tier is spread over the zones, or none"
    if nodes % zones:
        yield "PLT-026", f"{nodes} nodes over {zones} zones: every zone has equally many"


def site_refusals(topology: Topology, site: Site, pack: RulePack) -> Iterator[Reason]:
    """Why a cluster of this topology may not stand at a site."""
    if topology != "rack-aware":
        return
    zones = max(kind.zones for kind in resiliency_types(pack).values())
    if site.zones < zones:
        yield "PLT-026", f"a rack-aware cluster needs {zones} zones, {site.site!r} has {site.zones}"
    if not site.internet:
        yield "PLT-026", f"a rack-aware cluster needs a cloud witness, and {site.site!r} has no internet"
