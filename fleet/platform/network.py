"""The network of one cluster: intents, ports, storage networks, and the bandwidth that each kind of traffic has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fleet.inventory.tables.hardware import ExistingCluster, NodeModel
from fleet.inventory.tables.policy import Policy
from fleet.rulepack.facts import RulePack

Storage = Literal["none", "switched", "switchless"]
#: Traffic of an intent.
MANAGEMENT, COMPUTE, STORAGE, CLUSTER = "management", "compute", "storage", "cluster"


@dataclass(frozen=True, slots=True)
class Intent:
    """Ports of every node that carry the same kinds of traffic.

    Attributes
    ----------
    name : str
        Name of the intent.
    traffic : tuple of str
        management, compute, storage, cluster.
    ports : int
        Ports of each node.
    gbps : float
        Bandwidth of those ports of one node together [Gbit/s].
    rdma : str
        ``required``, ``recommended``, or empty where storage does not run over it.
    """

    name: str
    traffic: tuple[str, ...]
    ports: int
    gbps: float
    rdma: Literal["", "recommended", "required"]


@dataclass(frozen=True, slots=True)
class Segment:
    """One kind of traffic and what it gets of a node's bandwidth.

    Attributes
    ----------
    name : str
        management and compute, storage, live migration, heartbeat.
    intent : str
        Intent that carries it.
    gbps : float
        Bandwidth per node: its guaranteed share, for live migration its limit [Gbit/s].
    note : str
        How it is held to that.
    """

    name: str
    intent: str
    gbps: float
    note: str


@dataclass(frozen=True, slots=True)
class NetworkDesign:
    """The network of one cluster.

    Attributes
    ----------
    storage : str
        ``none`` for a single node, else ``switched`` or ``switchless``.
    is_converged : bool
        Whether one intent carries everything.
    intents : tuple of Intent
        Port groups of every node.
    segments : tuple of Segment
        Bandwidth per kind of traffic.
    storage_networks : int
        Storage VLANs, each with a subnet of its own.
    storage_links : int
        Storage subnets: one per network over switches, one per cable between two nodes without.
    ports : int
        Ports that a node needs.
    switch_ports : int
        Ports that a node takes of switches.
    zone_gbps : float
        Bandwidth between the zones of a rack-aware cluster for storage [Gbit/s]; 0 in one zone.
    warnings : tuple of str
        What should be known.
    """

    storage: Storage
    is_converged: bool
    intents: tuple[Intent, ...]
    segments: tuple[Segment, ...]
    storage_networks: int
    storage_links: int
    ports: int
    switch_ports: int
    zone_gbps: float
    warnings: tuple[str, ...]

    @property
    def storage_gbps(self) -> float:
        """Bandwidth of one node for its volumes [Gbit/s]; 0 for a single node."""
        return sum(segment.gbps for segment in self.segments if segment.name == STORAGE)


def network_design(
    model: NodeModel, nodes: int, policy: Policy, pack: RulePack, *, grows: bool = False, zones: int = 1
) -> NetworkDesign:
    """The network of a cluster.

    Parameters
    ----------
    model : NodeModel
        Its hardware: every port is taken to be as fast as a storage port.
    nodes : int
        Node count, the largest that is planned.
    policy : Policy
        ``converged`` and ``storage_switch``.
    pack : RulePack
        Network facts.
    grows : bool
        Whether the node count rises within the plan, which a switchless cluster cannot do without new cabling.
    zones : int
        Zones that the cluster is spread over.

    Notes
    -----
    An intent has two ports. A single node has no storage traffic. With a switch, one converged intent carries
    everything, or storage has an intent of its own. Without a switch every two nodes are joined by two cables, so
    storage takes ``2 · (n − 1)`` ports of each node and ``n · (n − 1)`` subnets, and shares no ports. A cluster that
    needs a switch although the policy wants none keeps storage on ports of its own too, where its nodes have them.

    On converged ports storage traffic is guaranteed a share of the bandwidth, elsewhere it has its ports to itself.
    Within it, volumes, live migration and heartbeat have theirs.

    A rack-aware cluster has switches in each zone and links of their own for storage between them: nodes of a zone ·
    port speed · storage ports.

    References
    ----------
    Microsoft, azure-local/plan/cloud-deployment-network-considerations.md (06/2026),
    azure-local/concepts/host-network-requirements.md (08/2025) and rack-aware-cluster-requirements.md (02/2026).
    """
    per_intent = pack.whole("network.min_storage_ports")
    storage, warnings = _storage(model, nodes, policy, pack, grows=grows, zones=zones)
    may_share = policy.storage_switch or model.nic_ports < 2 * per_intent
    is_converged = policy.converged and storage != "switchless" and zones == 1 and may_share
    intents = list(_intents(model, nodes, storage, pack, is_converged=is_converged))
    needed = sum(intent.ports for intent in intents)
    if model.nic_ports < needed:
        warnings.append(f"{needed} ports per node are needed, {model.node_model} has {model.nic_ports}")
    networks = 0 if storage == "none" else len(pack.texts("network.storage_vlans"))
    storage_ports = sum(intent.ports for intent in intents if storage == "switchless" and intent.name == STORAGE)
    return NetworkDesign(
        storage=storage,
        is_converged=is_converged and storage != "none",
        intents=tuple(intents),
        segments=_segments(intents, model, pack),
        storage_networks=networks,
        storage_links=nodes * (nodes - 1) * per_intent // 2 if storage == "switchless" else networks,
        ports=needed,
        switch_ports=needed - storage_ports,
        zone_gbps=nodes / zones * model.nic_gbps * per_intent if zones > 1 else 0.0,
        warnings=tuple(warnings),
    )


def _intents(model: NodeModel, nodes: int, storage: str, pack: RulePack, *, is_converged: bool) -> Iterator[Intent]:
    """The port groups of every node, storage as it is wired."""
    per_intent = pack.whole("network.min_storage_ports")
    in_band = pack.flag("network.management_in_band")
    front = (MANAGEMENT, COMPUTE) if in_band else (COMPUTE,)
    if storage == "none" or not is_converged:
        yield Intent(" and ".join(front), front, per_intent, per_intent * model.nic_gbps, "")
    if storage != "none":
        ports = per_intent * (nodes - 1) if storage == "switchless" else per_intent
        traffic = (*front, STORAGE) if is_converged else (STORAGE,)
        name = "converged" if is_converged else STORAGE
        rdma: Literal["recommended", "required"] = "required" if storage == "switched" else "recommended"
        yield Intent(name, traffic, ports, ports * model.nic_gbps, rdma)
        if pack.flag("network.separate_cluster_network"):
            yield Intent(CLUSTER, (CLUSTER,), per_intent, per_intent * model.nic_gbps, "")
    if not in_band:
        yield Intent(MANAGEMENT, (MANAGEMENT,), 1, model.nic_gbps, "")


def is_cabled_directly(model: NodeModel, nodes: int, policy: Policy, pack: RulePack) -> bool:
    """Whether a cluster of so many nodes, as long as it does not grow, needs no storage switch by policy."""
    return _storage(model, nodes, policy, pack, grows=False, zones=1)[0] == "switchless"


def wiring_policy(policy: Policy, standing: ExistingCluster | None) -> Policy:
    """The policy as it holds for the wiring of one cluster: a standing one may be wired otherwise than the rest."""
    if standing is None or standing.storage_switch is None:
        return policy
    return policy.model_copy(update={"storage_switch": standing.storage_switch})


def cabling_refusal(standing: ExistingCluster, nodes: int, model: NodeModel, policy: Policy, pack: RulePack) -> str:
    """Why a standing cluster may not have so many nodes, as direct cables do not grow; empty where it may.

    New clusters that grow are wired over switches from the first day, which costs ports and is no refusal.
    """
    own = wiring_policy(policy, standing)
    if nodes <= standing.nodes or not is_cabled_directly(model, standing.nodes, own, pack):
        return ""
    return (
        f"its {standing.nodes} nodes are cabled directly and do not grow to {nodes} without new cabling; "
        "storage_switch = yes in its row of table clusters says that they stand behind switches"
    )


def _storage(
    model: NodeModel, nodes: int, policy: Policy, pack: RulePack, *, grows: bool, zones: int
) -> tuple[Storage, list[str]]:
    """How storage traffic runs, and why not without a switch where the policy wants none."""
    if nodes == 1:
        return "none", []
    if policy.storage_switch:
        return "switched", []
    if zones > 1:
        return "switched", ["a rack-aware cluster needs storage switches in each of its zones"]
    most = pack.whole("network.switchless_max_nodes")
    if nodes > most:
        return "switched", [f"{nodes} nodes need a storage switch: at most {most} are cabled directly"]
    if grows:
        return "switched", ["a cluster that grows needs a storage switch: direct cables do not grow"]
    ports = nodes * pack.whole("network.min_storage_ports")
    if model.nic_ports < ports:
        return "switched", [f"direct cables need {ports} ports per node, {model.node_model} has {model.nic_ports}"]
    return "switchless", []


def _segments(intents: list[Intent], model: NodeModel, pack: RulePack) -> tuple[Segment, ...]:
    found = []
    for intent in intents:
        share = pack.number("network.smb_share") if len(intent.traffic) > 1 else 1.0
        if STORAGE not in intent.traffic:
            found.append(Segment(" and ".join(intent.traffic), intent.name, intent.gbps, "has its ports to itself"))
            continue
        reserved = intent.gbps * share
        if share < 1:
            front = " and ".join(traffic for traffic in intent.traffic if traffic != STORAGE)
            found.append(
                Segment(front, intent.name, intent.gbps - reserved, f"beside a reserve of {share:.0%} for storage")
            )
        found += _storage_segments(intent, reserved, model, pack)
    return tuple(found)


def _storage_segments(intent: Intent, reserved: float, model: NodeModel, pack: RulePack) -> list[Segment]:
    is_slow = model.nic_gbps <= pack.number("network.slow_port_gbps")
    usual = pack.number("network.heartbeat_share")
    heartbeat = pack.number("network.heartbeat_share_slow") if is_slow else usual
    migration = reserved * (pack.number("network.live_migration_share") - (heartbeat - usual))
    way = "RDMA" if migration >= pack.number("network.live_migration_rdma_gbps") else "compression"
    volumes = pack.number("network.storage_share")
    found = [
        Segment(STORAGE, intent.name, reserved * volumes, f"{volumes:.0%} of storage traffic, highest priority"),
        Segment("live migration", intent.name, migration, f"limited to this, with {way}"),
    ]
    if not pack.flag("network.separate_cluster_network"):
        found.append(Segment("heartbeat", intent.name, reserved * heartbeat, f"{heartbeat:.0%} of storage traffic"))
    return found
