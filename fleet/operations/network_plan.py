"""The network of every cluster of a plan: design, addresses, VLANs, and how it reaches its witness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.hardware import ExistingCluster, NodeModel
from fleet.operations.addresses import AddressError, AddressNeed, ClusterAddresses, Kept, hand_out_addresses
from fleet.plan.context import PlanContext
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import ClusterRow, Finding, Plan
from fleet.plan.rules.base import finding
from fleet.platform.archetype import Archetype
from fleet.platform.network import NetworkDesign, network_design, wiring_policy
from fleet.platform.topologies import family_of
from fleet.tables import Row, column
from fleet.wan.routing import Router

_MEGABITS_PER_GIGABIT = 1000.0
#: Under what the network gives reason to say.
RULE = "OPS-501"


class NetworkRow(Row):
    """The network of one cluster at the end of the horizon."""

    cluster: str = column(meaning="cluster")
    site: str = column(meaning="where it stands")
    nodes: int = column(unit="nodes", meaning="node count")
    family: str = column("", meaning="kind of cluster")
    survives: str = column("", meaning="drives, nodes and zones, of which that many may be lost at once")
    storage: str = column(meaning="switched, switchless, or none for a single node")
    intents: str = column(meaning="port groups of every node: traffic (ports)")
    ports: int = column(unit="ports", meaning="ports that a node needs")
    node_ports: int = column(unit="ports", meaning="ports that a node has")
    port_gbps: float = column(unit="Gbit/s", meaning="speed of a port")
    rdma: str = column(meaning="required or recommended for storage; blank without storage traffic")
    switch_ports: int = column(unit="ports", meaning="switch ports of all nodes")
    zone_gbps: float | None = column(
        None, unit="Gbit/s", meaning="for storage between the zones of a rack-aware cluster, which are near each other"
    )
    block: str = column("", meaning="block of the address space")
    management_vlan: int | None = column(None, meaning="VLAN of management")
    management_subnet: str = column("", meaning="subnet of management")
    gateway: str = column("", meaning="gateway of the management subnet")
    infrastructure_addresses: str = column("", meaning="static addresses for the platform, first – last")
    node_addresses: str = column("", meaning="management addresses of the nodes, first – last")
    user_mbps: float = column(unit="Mbit/s", meaning="user traffic in each direction, in the last period")
    replication_mbps: float = column(unit="Mbit/s", meaning="replication sent and received")
    backup_mbps: float = column(0.0, unit="Mbit/s", meaning="backups sent to sites that are named, in the last period")
    witness: str = column(meaning="cloud, file_share or none")
    witness_reach: str = column("", meaning="what the nodes reach the witness by")
    witness_site: str = column("", meaning="nearest site that could hold the share")
    witness_rtt_ms: float | None = column(None, unit="ms", meaning="round trip to that site")
    note: str = column("", meaning="what should be known")


class SegmentRow(Row):
    """One kind of traffic of one cluster."""

    cluster: str = column(meaning="cluster")
    segment: str = column(meaning="kind of traffic")
    intent: str = column(meaning="port group that carries it")
    gbps: float = column(unit="Gbit/s", meaning="bandwidth per node: guaranteed, for live migration the limit")
    note: str = column(meaning="how it is held to that")


class SubnetRow(Row):
    """One subnet or VLAN of one cluster."""

    cluster: str = column(meaning="cluster")
    site: str = column(meaning="where it stands")
    segment: str = column(meaning="management, compute, or a storage network or cable")
    vlan: int = column(meaning="VLAN number")
    usual_vlan: str = column("", meaning="number that the platform would choose by itself")
    subnet: str = column("", meaning="subnet; blank where the site's own networks serve")
    gateway: str = column("", meaning="gateway; blank where traffic is not routed")


@dataclass(frozen=True)
class NetworkPlan:
    """Every table of the network, and what gives reason to be told."""

    clusters: tuple[NetworkRow, ...]
    segments: tuple[SegmentRow, ...]
    subnets: tuple[SubnetRow, ...]
    findings: tuple[Finding, ...]


def plan_network(plan: Plan, normal: NormalState, kept: dict[str, Kept] | None = None) -> NetworkPlan:
    """Design the networks of a plan.

    Parameters
    ----------
    plan : Plan
        The plan.
    normal : NormalState
        The same with nothing failed.
    kept : mapping, optional
        Blocks and VLANs that clusters have already, beside those that the table of existing clusters states.

    Returns
    -------
    NetworkPlan
        Addresses are blank, with a finding that says why, where the address space or the VLAN range cannot hold the
        fleet.
    """
    context = normal.context
    inventory, pack = context.inventory, context.pack
    sketches = list(_sketches(plan, context))
    addresses, findings = _addresses(sketches, context, kept or {})
    traffic = _traffic(plan, normal)
    networks: list[NetworkRow] = []
    segments: list[SegmentRow] = []
    subnets: list[SubnetRow] = []
    for sketch in sketches:
        row, design, own = sketch.row, sketch.design, addresses.get(sketch.row.cluster)
        witness = _witness(row, inventory, context.router)
        notes = list(_notes(sketch, own, context, traffic.total(row.cluster), witness.site))
        findings += [finding(RULE, row.cluster, note, remedy, severity="warning") for note, remedy in notes]
        networks.append(
            NetworkRow(
                **_wiring(sketch),
                **_numbers(own),
                user_mbps=traffic.users[row.cluster],
                replication_mbps=traffic.streams[row.cluster],
                backup_mbps=traffic.backups[row.cluster],
                witness=row.witness,
                witness_reach=str(pack.table("witness.reach").get(row.witness, "")),
                witness_site=witness.site,
                witness_rtt_ms=witness.rtt_ms,
                note="; ".join(note for note, _ in notes),
            )
        )
        segments += [
            SegmentRow(cluster=row.cluster, segment=part.name, intent=part.intent, gbps=part.gbps, note=part.note)
            for part in design.segments
        ]
        if own is not None:
            subnets += _subnets(row, own, pack.texts("network.storage_vlans"))
    return NetworkPlan(tuple(networks), tuple(segments), tuple(subnets), tuple(findings))


class _Sketch(NamedTuple):
    """The network of a cluster before it has addresses; its nodes in the periods in which it stands."""

    row: ClusterRow
    model: NodeModel
    nodes: list[int]
    archetype: Archetype | None
    design: NetworkDesign


def _sketches(plan: Plan, context: PlanContext) -> Iterator[_Sketch]:
    """Every cluster that stands and whose node model is known, by site and name; what it is at the end of the plan."""
    inventory = context.inventory
    standing = {row.cluster: row for row in inventory.clusters}
    counts = _nodes(plan)
    for row in sorted(plan.document.clusters, key=lambda row: (row.site, row.cluster)):
        model, nodes = inventory.node_model_by_name.get(row.node_model), counts.get(row.cluster)
        if model is None or not nodes:
            continue
        archetype = context.clusters[context.cluster_index[row.cluster]].archetypes[-1]
        design = network_design(
            model,
            max(nodes),
            wiring_policy(inventory.policy, standing.get(row.cluster)),
            context.pack,
            grows=len({*nodes, *_brought(standing.get(row.cluster))}) > 1,
            zones=1 + (archetype.zone_tolerance if archetype is not None else 0),
        )
        yield _Sketch(row, model, nodes, archetype, design)


def _wiring(sketch: _Sketch) -> dict[str, Any]:
    """The columns of a row that say what a cluster is and how it is wired."""
    row, design, model, nodes = sketch.row, sketch.design, sketch.model, sketch.nodes[-1]
    return {
        "cluster": row.cluster,
        "site": row.site,
        "nodes": nodes,
        "family": _family(design, nodes),
        "survives": "" if sketch.archetype is None else sketch.archetype.survives,
        "storage": design.storage,
        "intents": "; ".join(f"{', '.join(intent.traffic)} ({intent.ports})" for intent in design.intents),
        "ports": design.ports,
        "node_ports": model.nic_ports,
        "port_gbps": model.nic_gbps,
        "rdma": next((intent.rdma for intent in design.intents if intent.rdma), ""),
        "switch_ports": design.switch_ports * nodes,
        "zone_gbps": design.zone_gbps or None,
    }


def _numbers(own: ClusterAddresses | None) -> dict[str, Any]:
    """The columns of a row that give addresses and VLANs; none where there are none."""
    if own is None:
        return {}
    return {
        "block": own.block,
        "management_vlan": own.management_vlan,
        "management_subnet": own.management,
        "gateway": own.gateway,
        "infrastructure_addresses": _span(own.infrastructure),
        "node_addresses": _span(own.nodes),
    }


def _brought(standing: ExistingCluster | None) -> tuple[int, ...]:
    """The node count that a cluster stands with already, where it does."""
    return () if standing is None else (standing.nodes,)


def _family(design: NetworkDesign, nodes: int) -> str:
    """The kind of cluster as it is wired, which counts a cluster that grows as one with switches."""
    if design.zone_gbps:
        return family_of("rack-aware", nodes)
    return family_of("single-node" if design.storage == "none" else design.storage, nodes)


def _nodes(plan: Plan) -> dict[str, list[int]]:
    """Node counts of every cluster in the periods in which it stands."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in sorted(plan.document.cluster_periods, key=lambda row: row.period):
        if row.nodes > 0:
            found[row.cluster].append(row.nodes)
    return found


def _addresses(
    sketches: Iterable[_Sketch], context: PlanContext, kept: Mapping[str, Kept]
) -> tuple[dict[str, ClusterAddresses], list[Finding]]:
    """Addresses of every cluster; none at all where they do not fit, which is a finding."""
    policy = context.inventory.policy
    stated = {
        row.cluster: Kept(row.address_block, row.first_vlan)
        for row in context.inventory.clusters
        if row.address_block or row.first_vlan is not None
    }
    needs = [
        AddressNeed(
            row.cluster,
            row.site,
            (not row.existing, row.opened),
            max(nodes),
            design.storage_links,
            design.storage == "switchless",
        )
        for row, _, nodes, _, design in sketches
    ]
    try:
        found = hand_out_addresses(needs, policy.address_space, policy.vlans, context.pack, {**kept, **stated})
    except AddressError as error:
        remedy = "widen address_space or vlan_range in table policy, or correct what clusters keep"
        text = f"no addresses are handed out: {error}"
        return {}, [finding(RULE, "addresses", text, remedy, severity="warning")]
    return {entry.cluster: entry for entry in found}, []


class _Traffic(NamedTuple):
    """User traffic, replication out and in, and backups out in the last period, by cluster [Mbit/s]."""

    users: defaultdict[str, float]
    streams: defaultdict[str, float]
    backups: defaultdict[str, float]

    def total(self, cluster: str) -> float:
        """All of it."""
        return self.users[cluster] + self.streams[cluster] + self.backups[cluster]


def _traffic(plan: Plan, normal: NormalState) -> _Traffic:
    context = normal.context
    inventory = context.inventory
    traffic = _Traffic(defaultdict(float), defaultdict(float), defaultdict(float))
    for key, cluster in plan.cluster_of.items():
        demand = inventory.demand_by_key.get(key)
        if demand is not None:
            traffic.users[cluster] += inventory.amounts(demand, len(inventory.periods) - 1).traffic_mbps
    for row in plan.document.standbys:
        for cluster in filter(None, (row.cluster, row.standby)):
            traffic.streams[cluster] += row.required_mbps
    for index, end in enumerate(normal.fates):
        if end.backup_rows:
            traffic.backups[context.clusters[int(context.primary[index])].name] += float(context.backup[index, -1])
    return traffic


class _Witness(NamedTuple):
    """The site that could hold the share for a witness, blank where there is none, and the round trip to it."""

    site: str
    rtt_ms: float | None


def _witness(row: ClusterRow, inventory: Inventory, router: Router) -> _Witness:
    """The nearest site for the share of a witness: another fault domain that hosts."""
    if row.witness != "file_share":
        return _Witness("", None)
    domain = inventory.site(row.site).fault_domain
    trips = router.round_trips(row.site)
    near = [
        (trips[site.site], site.site)
        for site in inventory.host_sites
        if site.fault_domain != domain and site.site in trips
    ]
    rtt_ms, name = min(near, default=(None, ""))
    return _Witness(name, rtt_ms)


def _notes(
    sketch: _Sketch, own: ClusterAddresses | None, context: PlanContext, mbps: float, witness_site: str
) -> Iterator[tuple[str, str]]:
    """What should be known about a network, each with its remedy."""
    row, design = sketch.row, sketch.design
    for warning in design.warnings:
        yield warning, "choose a node model with more ports, or another storage network"
    if own is not None and own.shares_vlans:
        yield "its VLAN numbers are also used at other sites", "widen vlan_range in table policy"
    if design.zone_gbps:
        limit = context.pack.number("network.rack_to_rack_rtt_ms")
        yield f"its zones have to be within {limit:g} ms of each other", "measure the round trip between them"
    site = context.inventory.site(row.site)
    if row.witness == "cloud" and not site.internet:
        yield "a cloud witness needs the internet, which the site lacks", "use a file share"
    if row.witness == "file_share" and not witness_site:
        yield (
            "no other site that may host is reachable for the share of the witness",
            "place it on a server, appliance or USB drive at the site, outside the cluster",
        )
    front = sum(part.gbps for part in design.segments if "compute" in part.name)
    if mbps > front * _MEGABITS_PER_GIGABIT:
        yield (
            f"users and replication need {mbps:,.0f} Mbit/s, one node has {front:g} Gbit/s beside storage",
            "spread them over nodes, or use faster ports",
        )
    links = [context.wan.links[name] for name in context.wan.links_of.get(row.site, ())]
    least = context.pack.number("network.min_internet_mbps")
    if site.internet and links and max(link.usable_mbps(forward=True) for link in links) < least:
        yield f"no link of the site has the {least:g} Mbit/s that the platform needs to the internet", "widen a link"


def _subnets(row: ClusterRow, own: ClusterAddresses, usual: tuple[str, ...]) -> Iterator[SubnetRow]:
    yield SubnetRow(
        cluster=row.cluster,
        site=row.site,
        segment="management",
        vlan=own.management_vlan,
        subnet=own.management,
        gateway=own.gateway,
    )
    yield SubnetRow(cluster=row.cluster, site=row.site, segment="compute", vlan=own.compute_vlan)
    for place, part in enumerate(own.storage):
        yield SubnetRow(
            cluster=row.cluster,
            site=row.site,
            segment=part.name,
            vlan=part.vlan,
            usual_vlan=usual[place % len(usual)],
            subnet=part.subnet,
        )


def _span(addresses: tuple[str, ...]) -> str:
    return addresses[0] if len(addresses) == 1 else f"{addresses[0]} – {addresses[-1]}"
