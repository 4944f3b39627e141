"""Carrier clouds seen from their members: the ways into a member, and how far the members are apart.

Between two members of a cloud the round trip is ``access(a) + access(b) + slope · km(a, b)``. So a cloud is no junction
of the usual kind: what a path through it takes depends on where it entered. Nor is it one link for each pair of
members, which for ten thousand of them would be fifty million. A route is made from the host outward; at the member
where it leaves the cloud the ways in begin (`Clouds.ways`), and what the distance adds is known once it is asked from
where (`Clouds.backbone`).

Clouds that are linked directly are one journey: the distance is that between the member where traffic enters the first
and the one where it leaves the last, and the links between the clouds add their own round trips. A cloud without
distance (a metro ring) adds none, unless another one on the way has distance. Where a cloud itself lies, if it says
so, is for maps.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from fleet.inventory.distances import coordinates, great_circle_km
from fleet.wan.graph import Wan

# A length is one integer: round trip in units of 1e-9 ms, times 2**20, plus the number of links. Integers add
# exactly, so equal sums of round trips are equal whatever the order of the sum.
UNITS_PER_MS = 10**9
HOP_BITS = 20

#: Distances are rounded to a unit each; a way that is worse by more than two of them is worse wherever it begins.
_MARGIN = 4 << HOP_BITS

Tail = tuple[int, ...]


def length_of(rtt_ms: float) -> int:
    """A round trip as a length without links."""
    return round(rtt_ms * UNITS_PER_MS) << HOP_BITS


@dataclass(frozen=True, slots=True)
class CloudWay:
    """A way from within a carrier cloud to a member of it.

    Attributes
    ----------
    cloud : int
        The cloud that the way begins in.
    length : int
        Links between clouds and the last mile of the member, without distance.
    tail : tuple of int
        Numbers of these links, in the order they are taken.
    has_distance : bool
        Whether the distance between the members counts.
    """

    cloud: int
    length: int
    tail: Tail
    has_distance: bool


@dataclass(frozen=True, slots=True)
class Port:
    """A way from within a carrier cloud to a host, by the member where it leaves the cloud; `length` is to the host."""

    member: int
    length: int
    tail: Tail
    has_distance: bool


class Clouds:
    """The carrier clouds of a network that pass traffic on.

    Parameters
    ----------
    wan : Wan
        The network.
    names : sequence of str
        The sites by number.
    ends : sequence of pairs of int
        Both sites of each link.
    lengths : sequence of int
        Length of each link.
    """

    def __init__(
        self,
        wan: Wan,
        names: tuple[str, ...],
        ends: tuple[tuple[int, int], ...],
        lengths: tuple[int, ...],
    ) -> None:
        self._ends, self._lengths = ends, lengths
        sites = [wan.sites[name] for name in names]
        self.is_cloud = tuple(site.is_network for site in sites)
        passes = tuple(site.is_network and site.site in wan.transit for site in sites)
        self._has_distance = tuple(site.has_distance for site in sites)
        self._slope = wan.rtt_ms_per_km
        self._places = coordinates(sites)
        self.is_placed = tuple((~np.isnan(self._places[:, 0])).tolist())
        self.members: dict[int, list[tuple[int, int]]] = {}  # cloud → (member, link)
        self.access: dict[int, list[tuple[int, int]]] = {}  # member → (cloud, link)
        self._joints: dict[int, list[tuple[int, int]]] = {}  # cloud → (cloud, link)
        for number in range(len(ends)):
            for here, there in (ends[number], ends[number][::-1]):
                if here == there or not passes[there]:
                    continue
                if not self.is_cloud[here]:
                    self.members.setdefault(there, []).append((here, number))
                    self.access.setdefault(here, []).append((there, number))
                elif passes[here]:
                    self._joints.setdefault(there, []).append((here, number))
        self._joint_links = {link for joints in self._joints.values() for _, link in joints}
        self._ways: dict[int, tuple[CloudWay, ...]] = {}
        self._backbones: dict[int, array[int]] = {}

    def backbone(self, member: int) -> array[int]:
        """Length of the distance from a member to every site; 0 where one of them has no coordinates."""
        known = self._backbones.get(member)
        if known is None:
            kilometers = np.nan_to_num(great_circle_km(*self._places[member], *self._places.T))
            units = np.rint(kilometers * self._slope * UNITS_PER_MS).astype(np.int64) << HOP_BITS
            known = self._backbones[member] = array("q", units.tobytes())
        return known

    def ways(self, member: int, down: Collection[int] = (), cut: Collection[int] = ()) -> tuple[CloudWay, ...]:
        """The ways into a member from every cloud, shortest of each kind, without the sites and links that fail."""
        if self._is_touched(member, down, cut):
            return self._found(member, down, cut)
        known = self._ways.get(member)
        if known is None:
            known = self._ways[member] = self._found(member, (), ())
        return known

    def _is_touched(self, member: int, down: Collection[int], cut: Collection[int]) -> bool:
        """Whether failures concern a cloud, a link between clouds, or the member's own access."""
        own = self.access.get(member, ())
        return any(self.is_cloud[site] for site in down) or any(
            link in self._joint_links or any(link == access for _, access in own) for link in cut
        )

    def _found(self, member: int, down: Collection[int], cut: Collection[int]) -> tuple[CloudWay, ...]:
        """Dijkstra's algorithm over the clouds, from the member; told apart by whether distance counts."""
        settled: dict[tuple[int, bool], tuple[int, Tail]] = {}
        heap: list[tuple[int, Tail, int, bool]] = [
            (self._lengths[link], (link,), cloud, self._has_distance[cloud])
            for cloud, link in self.access.get(member, ())
            if cloud not in down and link not in cut
        ]
        heapq.heapify(heap)
        while heap:
            length, tail, cloud, has_distance = heapq.heappop(heap)
            if (cloud, has_distance) in settled:
                continue
            settled[cloud, has_distance] = (length, tail)
            for other, link in self._joints.get(cloud, ()):
                if other not in down and link not in cut:
                    far = has_distance or self._has_distance[other]
                    heapq.heappush(heap, (length + self._lengths[link], (link, *tail), other, far))
        return tuple(
            CloudWay(cloud, length, tail, has_distance)
            for (cloud, has_distance), (length, tail) in sorted(settled.items())
        )

    def clouds_of(self, first: int, tail: Tail, site: int) -> list[int]:
        """The clouds that a route passes which leaves a site by a link and goes on by a tail."""
        found = []
        for number in (first, *tail[:-1]) if tail else ():
            a, b = self._ends[number]
            site = b if a == site else a
            found.append(site)
        return found


class Ports:
    """The ways from every carrier cloud to one host, worse ones left out; filled in order of length.

    Parameters
    ----------
    clouds : Clouds
        The carrier clouds.
    """

    __slots__ = ("_clouds", "of")

    def __init__(self, clouds: Clouds) -> None:
        self._clouds = clouds
        self.of: dict[int, list[Port]] = {}

    def add(self, way: CloudWay, member: int, label: int) -> Port | None:
        """Take a way that leaves the cloud at a member that is `label` from the host; None if others beat it.

        A port beats another from wherever traffic comes if it is nearer even with the whole distance between the two
        members added: the way by the other's member is never shorter than that.
        """
        port = Port(member, label + way.length, way.tail, way.has_distance)
        known = self.of.setdefault(way.cloud, [])
        for other in known:
            if other.has_distance and not port.has_distance:
                continue
            between = self._clouds.backbone(other.member)[member] if other.has_distance else 0
            if port.length > other.length + between + _MARGIN:
                return None
        known.append(port)
        return port
