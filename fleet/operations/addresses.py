"""Addresses and VLANs for the clusters of a plan: subnets that do not overlap and numbers that do not move.

Every cluster takes one block of the policy's address space: half of it for management, the rest for its storage
networks; and one group of consecutive VLAN numbers. Both follow from its name (a hash), and from nothing else unless
two names meet; then the cluster that stood or opened first keeps its place and the other takes the next free one. So
clusters that open later never move the others, and a new plan moves none that are passed on as `kept`.

VLAN groups are different all over the fleet as long as the range has enough of them, and at one site always.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass

from fleet.errors import FleetError
from fleet.rulepack import RulePack

#: Addresses of a management subnet, of each storage subnet, and of the subnet of one direct cable.
MANAGEMENT_SIZE = 128
STORAGE_SIZE = 64
CABLE_SIZE = 8
#: Places inside a management subnet: gateway, first infrastructure address, first node.
GATEWAY, FIRST_INFRASTRUCTURE, FIRST_NODE = 1, 10, 20


class AddressError(FleetError, ValueError):
    """The address space or the VLAN range cannot hold the clusters, or is none."""

    code = "OPS001"


@dataclass(frozen=True, slots=True)
class AddressNeed:
    """What one cluster needs.

    Attributes
    ----------
    cluster, site : str
        The cluster and where it stands.
    order : tuple
        Clusters of lower order keep their places: those that stand first, then by the period in which they open.
    nodes : int
        Its largest node count.
    storage_links : int
        Storage subnets.
    is_switchless : bool
        Whether each of them is one cable between two nodes.
    """

    cluster: str
    site: str
    order: tuple[bool, int]
    nodes: int
    storage_links: int
    is_switchless: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What a cluster has already; empty and None where it has not."""

    block: str = ""
    first_vlan: int | None = None


@dataclass(frozen=True, slots=True)
class StorageSubnet:
    """One storage network of a cluster, or one cable: not routed, so without a gateway."""

    name: str
    vlan: int
    subnet: str


@dataclass(frozen=True, slots=True)
class ClusterAddresses:
    """The addresses of one cluster.

    Attributes
    ----------
    kept : Kept
        Pass it on to the next plan.
    block : str
        All of its addresses.
    management, gateway : str
        Management subnet and its gateway.
    infrastructure : tuple of str
        Consecutive static addresses for the platform.
    nodes : tuple of str
        Management address of each node, as many as the plan ends with.
    management_vlan, compute_vlan : int
        VLANs of management and of the virtual machines.
    storage : tuple of StorageSubnet
        One per storage network or cable.
    vlans : range
        The whole group of VLAN numbers.
    shares_vlans : bool
        Whether a cluster at another site has the same numbers, since the range is used up.
    """

    cluster: str
    kept: Kept
    block: str
    management: str
    gateway: str
    infrastructure: tuple[str, ...]
    nodes: tuple[str, ...]
    management_vlan: int
    compute_vlan: int
    storage: tuple[StorageSubnet, ...]
    vlans: range
    shares_vlans: bool


def hand_out_addresses(
    needs: Iterable[AddressNeed],
    address_space: str,
    vlan_range: range,
    pack: RulePack,
    kept: Mapping[str, Kept] | None = None,
) -> tuple[ClusterAddresses, ...]:
    """Hand out addresses and VLANs.

    Parameters
    ----------
    needs : iterable of AddressNeed
        The clusters, in any order.
    address_space : str
        Where blocks are taken from, such as ``10.64.0.0/12``.
    vlan_range : range
        Where VLAN numbers are taken from.
    pack : RulePack
        Count of infrastructure addresses, storage networks, and ranges that are taken by the platform.
    kept : mapping, optional
        What clusters have already, by cluster. What is kept for a cluster that is gone is not given away.

    Returns
    -------
    tuple of ClusterAddresses
        By name of the cluster.

    Raises
    ------
    AddressError
        If the address space is not a network or too small, a cluster has too many nodes, or what is kept is not a block
        or group of its own.
    """
    wanted = sorted(needs, key=lambda need: (need.order, _hash(need.cluster), need.cluster))
    kept = kept or {}
    infrastructure = _infrastructure(pack)
    networks = max(1, len(pack.texts("network.storage_vlans")))
    cables = pack.whole("network.switchless_max_nodes") * (pack.whole("network.switchless_max_nodes") - 1)
    storage_size = max(networks * STORAGE_SIZE, cables * CABLE_SIZE)
    blocks = _Blocks(address_space, MANAGEMENT_SIZE + storage_size, pack.texts("network.forbidden_ranges"))
    groups = _Groups(vlan_range, 2 + networks)
    block_of = blocks.allocate(wanted, kept)
    group_of, shared = groups.allocate(wanted, kept)
    return tuple(
        _addresses(
            need,
            blocks.network(block_of[need.cluster]),
            groups.vlans(group_of[need.cluster]),
            infrastructure,
            shares_vlans=need.cluster in shared,
        )
        for need in sorted(wanted, key=lambda need: need.cluster)
    )


def _infrastructure(pack: RulePack) -> int:
    """How many consecutive addresses the platform takes; they have to fit before those of the nodes."""
    count = pack.whole("network.infrastructure_addresses")
    if FIRST_INFRASTRUCTURE + count > FIRST_NODE:
        raise AddressError(f"{count} infrastructure addresses do not fit into {FIRST_NODE - FIRST_INFRASTRUCTURE}")
    return count


def _addresses(
    need: AddressNeed, block: ipaddress.IPv4Network, vlans: range, infrastructure: int, *, shares_vlans: bool
) -> ClusterAddresses:
    if FIRST_NODE + need.nodes >= MANAGEMENT_SIZE:
        raise AddressError(
            f"cluster {need.cluster!r} has {need.nodes} nodes, more than a management subnet has addresses"
        )
    start = block.network_address
    return ClusterAddresses(
        cluster=need.cluster,
        kept=Kept(str(block), vlans[0]),
        block=str(block),
        management=_subnet(start, MANAGEMENT_SIZE),
        gateway=str(start + GATEWAY),
        infrastructure=tuple(str(start + FIRST_INFRASTRUCTURE + place) for place in range(infrastructure)),
        nodes=tuple(str(start + FIRST_NODE + place) for place in range(need.nodes)),
        management_vlan=vlans[0],
        compute_vlan=vlans[1],
        storage=_storage(need, start + MANAGEMENT_SIZE, vlans[2:]),
        vlans=vlans,
        shares_vlans=shares_vlans,
    )


def _storage(need: AddressNeed, start: ipaddress.IPv4Address, vlans: range) -> tuple[StorageSubnet, ...]:
    """Storage subnets in order; cables take the VLANs of the networks in turn."""
    size = CABLE_SIZE if need.is_switchless else STORAGE_SIZE
    name = "storage cable" if need.is_switchless else "storage"
    return tuple(
        StorageSubnet(f"{name} {place + 1}", vlans[place % len(vlans)], _subnet(start + size * place, size))
        for place in range(need.storage_links)
    )


class _Blocks:
    """The equal blocks that an address space is cut into."""

    def __init__(self, address_space: str, wanted: int, forbidden: Iterable[str]) -> None:
        try:
            self.space = ipaddress.IPv4Network(address_space)
        except ValueError as error:
            raise AddressError(f"address_space {address_space!r} is not an IPv4 network: {error}") from error
        self.size = 1 << (wanted - 1).bit_length()
        self.count = self.space.num_addresses // self.size
        if not self.count:
            raise AddressError(f"address_space {address_space!r} is smaller than one block of {self.size} addresses")
        self.forbidden = tuple(ipaddress.IPv4Network(text) for text in forbidden)

    def network(self, number: int) -> ipaddress.IPv4Network:
        """A block."""
        return ipaddress.IPv4Network(_subnet(self.space.network_address + number * self.size, self.size))

    def allocate(self, wanted: Iterable[AddressNeed], kept: Mapping[str, Kept]) -> dict[str, int]:
        """A block for every cluster."""
        chosen = {name: self._number_of(name, own.block) for name, own in sorted(kept.items()) if own.block}
        taken = set(chosen.values())
        if len(taken) < len(chosen):
            raise AddressError("two clusters keep the same block")
        for need in wanted:
            if need.cluster in chosen:
                continue
            number = _first(need.cluster, self.count, taken, self._is_allowed)
            if number is None:
                raise AddressError(
                    f"address_space {self.space} has no block of {self.size} addresses left for cluster "
                    f"{need.cluster!r}; widen it"
                )
            chosen[need.cluster] = number
            taken.add(number)
        return chosen

    def _is_allowed(self, number: int) -> bool:
        """Whether the platform leaves the block alone."""
        network = self.network(number)
        return not any(network.overlaps(forbidden) for forbidden in self.forbidden)

    def _number_of(self, cluster: str, block: str) -> int:
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


class _Groups:
    """The equal groups that a range of VLAN numbers is cut into."""

    def __init__(self, numbers: range, size: int) -> None:
        self.first, self.size, self.count = numbers.start, size, len(numbers) // size
        if not self.count:
            raise AddressError(f"a VLAN range of {len(numbers)} numbers is smaller than one group of {size}")

    def vlans(self, number: int) -> range:
        """The numbers of a group."""
        first = self.first + number * self.size
        return range(first, first + self.size)

    def allocate(self, wanted: Iterable[AddressNeed], kept: Mapping[str, Kept]) -> tuple[dict[str, int], set[str]]:
        """A group for every cluster, and the clusters whose group is also used at other sites."""
        chosen = {
            name: self._number_of(name, own.first_vlan)
            for name, own in sorted(kept.items())
            if own.first_vlan is not None
        }
        everywhere, at_site, shared = set(chosen.values()), set[tuple[str, int]](), set[str]()
        needs = list(wanted)
        for need in needs:
            number = chosen.get(need.cluster)
            if number is not None and (need.site, number) in at_site:
                raise AddressError(f"two clusters at site {need.site!r} keep the VLANs {self.vlans(number)[0]} and up")
            if number is not None:
                at_site.add((need.site, number))
        for need in needs:
            if need.cluster in chosen:
                continue
            number = _first(need.cluster, self.count, everywhere)
            if number is None:
                shared.add(need.cluster)
                here = {taken for site, taken in at_site if site == need.site}
                number = _first(need.cluster, self.count, here)
            if number is None:
                raise AddressError(f"the VLAN range has no group of {self.size} left for cluster {need.cluster!r}")
            chosen[need.cluster] = number
            everywhere.add(number)
            at_site.add((need.site, number))
        return chosen, shared

    def _number_of(self, cluster: str, first_vlan: int) -> int:
        number, rest = divmod(first_vlan - self.first, self.size)
        if rest or not 0 <= number < self.count:
            raise AddressError(
                f"VLAN {first_vlan} of cluster {cluster!r} does not begin a group of {self.size} in {self.first} to "
                f"{self.first + self.count * self.size - 1}"
            )
        return number


def _first(
    cluster: str, count: int, taken: Container[int], is_allowed: Callable[[int], bool] = lambda _: True
) -> int | None:
    """The first free place from the one that a cluster's name gives; None where there is none."""
    home = _hash(cluster)
    places = ((home + step) % count for step in range(count))
    return next((place for place in places if place not in taken and is_allowed(place)), None)


def _subnet(start: ipaddress.IPv4Address, size: int) -> str:
    return f"{start}/{32 - (size - 1).bit_length()}"


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
