"""Addresses for the clusters of a plan: subnets that do not overlap and do not move.

Every cluster takes one block of the policy's address space: half of it for management, the rest for its storage
networks. A cluster's block follows from its name (a hash), and from nothing else unless two names meet; then the
cluster that stood or opened first keeps the block and the other takes the next free one. So clusters that open later
never move the others, and a new plan moves none that are passed on as `kept`.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleet.errors import FleetError
from fleet.plan.plan import ClusterRow, Plan
from fleet.rulepack import RulePack

#: Addresses of a management subnet, and of each storage subnet.
MANAGEMENT_SIZE = 128
STORAGE_SIZE = 64
#: Places inside a management subnet: gateway, first infrastructure address, first node.
GATEWAY, FIRST_INFRASTRUCTURE, FIRST_NODE = 1, 10, 20


class AddressError(FleetError, ValueError):
    """The address space cannot hold the clusters, or is none."""

    code = "OPS001"


@dataclass(frozen=True, slots=True)
class StorageSubnet:
    """One storage network of a cluster: not routed, so without a gateway."""

    vlan: str
    subnet: str


@dataclass(frozen=True, slots=True)
class ClusterAddresses:
    """The addresses of one cluster.

    Attributes
    ----------
    block : str
        All of it; pass it on as `kept` to the next plan.
    management, gateway : str
        Management subnet and its gateway.
    infrastructure : tuple of str
        Consecutive static addresses for the platform.
    nodes : tuple of str
        Management address of each node, as many as the plan ends with.
    storage : tuple of StorageSubnet
        One per storage network.
    """

    cluster: str
    block: str
    management: str
    gateway: str
    infrastructure: tuple[str, ...]
    nodes: tuple[str, ...]
    storage: tuple[StorageSubnet, ...]


def plan_addresses(
    plan: Plan, address_space: str, pack: RulePack, kept: Mapping[str, str] | None = None
) -> tuple[ClusterAddresses, ...]:
    """Hand out addresses to every cluster of a plan.

    Parameters
    ----------
    plan : Plan
        Its clusters and their largest node counts.
    address_space : str
        Where blocks are taken from, such as ``10.64.0.0/12``.
    pack : RulePack
        Count of infrastructure addresses, storage networks, and ranges that are taken by the platform.
    kept : mapping, optional
        Blocks that clusters have already, by cluster.

    Returns
    -------
    tuple of ClusterAddresses
        By name of the cluster.

    Raises
    ------
    AddressError
        If the address space is not a network or too small, a cluster has too many nodes, or a kept block is not one
        of its blocks.
    """
    vlans = pack.texts("network.storage_vlans")
    infrastructure = pack.whole("network.infrastructure_addresses")
    nodes: dict[str, int] = {}
    for row in plan.document.cluster_periods:
        nodes[row.cluster] = max(row.nodes, nodes.get(row.cluster, 0))
    if FIRST_INFRASTRUCTURE + infrastructure > FIRST_NODE:
        raise AddressError(
            f"{infrastructure} infrastructure addresses do not fit into {FIRST_NODE - FIRST_INFRASTRUCTURE}"
        )
    blocks = _Blocks(address_space, len(vlans), pack.texts("network.forbidden_ranges"))
    chosen = _allocate(plan.document.clusters, blocks, kept or {})
    result = []
    for cluster, number in sorted(chosen.items()):
        start = blocks.start(number)
        count = nodes.get(cluster, 0)
        if FIRST_NODE + count >= MANAGEMENT_SIZE:
            raise AddressError(f"cluster {cluster!r} has {count} nodes, more than a management subnet has addresses")
        result.append(
            ClusterAddresses(
                cluster=cluster,
                block=str(blocks.network(number)),
                management=_subnet(start, MANAGEMENT_SIZE),
                gateway=str(start + GATEWAY),
                infrastructure=tuple(str(start + FIRST_INFRASTRUCTURE + place) for place in range(infrastructure)),
                nodes=tuple(str(start + FIRST_NODE + place) for place in range(count)),
                storage=tuple(
                    StorageSubnet(vlan, _subnet(start + MANAGEMENT_SIZE + STORAGE_SIZE * place, STORAGE_SIZE))
                    for place, vlan in enumerate(vlans)
                ),
            )
        )
    return tuple(result)


class _Blocks:
    """The equal blocks that an address space is cut into."""

    def __init__(self, address_space: str, storage_networks: int, forbidden: Iterable[str]) -> None:
        try:
            self.space = ipaddress.IPv4Network(address_space)
        except ValueError as error:
            raise AddressError(f"address_space {address_space!r} is not an IPv4 network: {error}") from error
        wanted = MANAGEMENT_SIZE + storage_networks * STORAGE_SIZE
        self.size = 1 << (wanted - 1).bit_length()
        self.count = self.space.num_addresses // self.size
        if not self.count:
            raise AddressError(f"address_space {address_space!r} is smaller than one block of {self.size} addresses")
        self.forbidden = tuple(ipaddress.IPv4Network(text) for text in forbidden)

    def start(self, number: int) -> ipaddress.IPv4Address:
        """First address of a block."""
        return self.space.network_address + number * self.size

    def network(self, number: int) -> ipaddress.IPv4Network:
        """A block."""
        return ipaddress.IPv4Network(_subnet(self.start(number), self.size))

    def is_allowed(self, number: int) -> bool:
        """Whether the platform leaves the block alone."""
        network = self.network(number)
        return not any(network.overlaps(forbidden) for forbidden in self.forbidden)

    def number_of(self, cluster: str, block: str) -> int:
        """The number of a block that a cluster has already."""
        try:
            network = ipaddress.IPv4Network(block)
        except ValueError as error:
            raise AddressError(f"block {block!r} of cluster {cluster!r} is not an IPv4 network: {error}") from error
        if not network.subnet_of(self.space) or network.num_addresses != self.size:
            raise AddressError(
                f"block {block!r} of cluster {cluster!r} is no block of {self.size} addresses in {self.space}"
            )
        return (int(network.network_address) - int(self.space.network_address)) // self.size


def _allocate(clusters: Iterable[ClusterRow], blocks: _Blocks, kept: Mapping[str, str]) -> dict[str, int]:
    """A block for every cluster: kept ones first, then by hash, earlier clusters first."""
    rows = sorted(clusters, key=lambda row: (not row.existing, row.opened, _hash(row.cluster), row.cluster))
    chosen = {name: blocks.number_of(name, block) for name, block in sorted(kept.items())}
    taken = set(chosen.values())
    if len(taken) < len(chosen):
        raise AddressError("two clusters keep the same block")
    for row in rows:
        if row.cluster in chosen:
            continue
        wanted = _hash(row.cluster)
        probes = ((wanted + step) % blocks.count for step in range(blocks.count))
        number = next((probe for probe in probes if probe not in taken and blocks.is_allowed(probe)), None)
        if number is None:
            raise AddressError(
                f"address_space {blocks.space} has no block of {blocks.size} addresses left for cluster "
                f"{row.cluster!r}; widen it"
            )
        chosen[row.cluster] = number
        taken.add(number)
    standing = {row.cluster for row in rows}
    return {name: number for name, number in chosen.items() if name in standing}


def _subnet(start: ipaddress.IPv4Address, size: int) -> str:
    return f"{start}/{32 - (size - 1).bit_length()}"


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
