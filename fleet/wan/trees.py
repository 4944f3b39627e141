"""Shortest-path trees of the transit sites toward one host, and the part of them that a failure changes.

Sites, carrier clouds and links are numbers here. A site leads straight to its neighbors by a link of its own, and
through carrier clouds to their other members (`fleet.wan.clouds`). Clouds are no nodes of a tree: a step of a route is
one link to a neighbor, or the links through one or more clouds to a member.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from fleet.wan.clouds import Clouds, CloudWay, Port, Ports, Tail, length_of
from fleet.wan.graph import Wan
from fleet.wan.route import Route

#: A step of a route: its first link, the further ones where it passes clouds, and the site it leads to. Of two the
#: smaller is better.
Step = tuple[int, Tail, int]
#: How the route of a site begins that is nobody's way: its label and its step. Of two the smaller is better.
EdgeStep = tuple[int, int, Tail, int]


class Network:
    """A network by numbers.

    Attributes
    ----------
    names, link_names : tuple of str
        Sites and links by number, sorted.
    is_transit : tuple of bool
        Whether others' routes may pass a site; clouds are none.
    ends : tuple of pairs of int
        Both ends of each link.
    lengths : tuple of int
        Length of each link (`fleet.wan.clouds`).
    neighbors, inner_neighbors : list of list
        Of each site (neighbor, length, link) for its links to other sites, and to transit sites.
    inner_members : dict
        Of each cloud (member, link) for the transit sites among its members.
    """

    def __init__(self, wan: Wan) -> None:
        self.names = tuple(sorted(wan.sites))
        self.index = {name: index for index, name in enumerate(self.names)}
        self.link_names = tuple(sorted(wan.links))
        self.link_index = {name: index for index, name in enumerate(self.link_names)}
        links = [wan.links[name] for name in self.link_names]
        self.ends = tuple((self.index[link.from_], self.index[link.to]) for link in links)
        self.lengths = tuple(length_of(link.rtt_ms) + 1 for link in links)
        self.clouds = Clouds(wan, self.names, self.ends, self.lengths)
        is_cloud = self.clouds.is_cloud
        self.is_transit = tuple(name in wan.transit and not is_cloud[site] for site, name in enumerate(self.names))
        self.neighbors: list[list[tuple[int, int, int]]] = [[] for _ in self.names]
        self.inner_neighbors: list[list[tuple[int, int, int]]] = [[] for _ in self.names]
        for number, (a, b) in enumerate(self.ends):
            if is_cloud[a] or is_cloud[b]:
                continue
            for here, there in ((a, b), (b, a)):
                self.neighbors[here].append((there, self.lengths[number], number))
                if self.is_transit[there]:
                    self.inner_neighbors[here].append((there, self.lengths[number], number))
        self.inner_members = {
            cloud: [(member, link) for member, link in members if self.is_transit[member]]
            for cloud, members in self.clouds.members.items()
        }

    def numbers(self, sites: Iterable[str], links: Iterable[str]) -> tuple[frozenset[int], frozenset[int]]:
        """Numbers of sites and links by name; unknown names are left out."""
        return (
            frozenset(self.index[name] for name in sites if name in self.index),
            frozenset(self.link_index[name] for name in links if name in self.link_index),
        )


@dataclass(slots=True)
class Labels:
    """Shortest paths toward one host: per reached site its label, and its route's first step."""

    labels: dict[int, int] = field(default_factory=dict)
    steps: dict[int, Step] = field(default_factory=dict)

    def offer(self, site: int, label: int, step: Step) -> bool:
        """Take a way if it is shorter than the known one, or as long and of smaller links; whether it is shorter."""
        known = self.labels.get(site)
        if known is None or label < known:
            self.labels[site] = label
            self.steps[site] = step
            return True
        if label == known and site in self.steps and step < self.steps[site]:
            self.steps[site] = step
        return False


@dataclass(slots=True)
class Repair:
    """The part of a tree that a failure changes: the transit sites that are routed anew, how, and the ways in."""

    affected: frozenset[int]
    found: Labels
    ports: Ports
    routes: dict[tuple[int, int, Tail], Route] = field(default_factory=dict)


class Tree:
    """The shortest paths of transit sites toward one host in the normal state.

    Attributes
    ----------
    labels, steps : dict
        Label and first step of each site that reaches the host; the host itself has no step.
    order : list of int
        These sites, nearest first.
    ports : Ports
        The ways from every carrier cloud to the host.
    edge_steps : dict
        First steps of other sites that were asked for; None for those that do not reach the host.
    routes : dict
        Routes that were asked for, by origin and the links that they begin with.
    """

    def __init__(self, network: Network, host: int) -> None:
        self.network, self.host = network, host
        found = Labels(labels={host: 0})
        self.ports = Ports(network.clouds)
        self.order: list[int] = []
        _settle(network, found, self.ports, [(0, host)], host, order=self.order)
        self.labels, self.steps = found.labels, found.steps
        self.edge_steps: dict[int, EdgeStep | None] = {}
        self.routes: dict[tuple[int, int, Tail], Route] = {}
        self._children: dict[int, list[int]] = {}  # site, or cloud on the way → sites whose step leads there
        self._users: dict[int, list[int]] = {}  # link → sites whose step takes it
        for site, (link, tail, next_site) in self.steps.items():
            for passed in (*network.clouds.clouds_of(link, tail, site), next_site):
                self._children.setdefault(passed, []).append(site)
            for number in (link, *tail):
                self._users.setdefault(number, []).append(site)
        ports = [port for ports in self.ports.of.values() for port in ports]
        self._port_links = frozenset(number for port in ports for number in port.tail)
        self._port_sites = frozenset(port.member for port in ports) | frozenset(
            end for number in self._port_links for end in network.ends[number]
        )
        self.untouched = Repair(frozenset(), Labels(), self.ports)

    def is_touched(self, down: Collection[int], cut: Collection[int]) -> bool:
        """Whether a site or cloud that others' routes pass, or a link that they take beyond their own, is down."""
        return any(site in self._children or site in self._port_sites for site in down) or any(
            link in self._users or link in self._port_links for link in cut
        )

    def has_port(self, sites: Collection[int], links: Collection[int]) -> bool:
        """Whether the ways in from clouds pass one of these sites, clouds and links."""
        return not self._port_sites.isdisjoint(sites) or not self._port_links.isdisjoint(links)

    def repaired(self, down: frozenset[int], cut: frozenset[int]) -> Repair:
        """What the loss of sites, the host not among them, and links changes."""
        network, clouds = self.network, self.network.clouds
        behind = self._behind(down, cut)
        affected = frozenset(behind - down)
        found, ports, starts = Labels(), Ports(clouds), []
        outside = [site for site in self.order if site in clouds.access and site not in behind and site not in down]
        for member in outside:
            for way in _ways(clouds, member, self.host, down, cut):
                ports.add(way, member, self.labels[member])
        for site in affected:
            for neighbor, length, link in network.neighbors[site]:
                if neighbor not in self.labels or neighbor in behind or neighbor in down or link in cut:
                    continue
                found.offer(site, self.labels[neighbor] + length, (link, (), neighbor))
            for label, link, tail, member in through_clouds(network, site, ports, down, cut):
                found.offer(site, label, (link, tail, member))
            if site in found.labels:
                starts.append((found.labels[site], site))
        heapq.heapify(starts)
        _settle(network, found, ports, starts, self.host, _Scope(down, cut, affected))
        return Repair(affected, found, ports)

    def _behind(self, down: Iterable[int], cut: Iterable[int]) -> set[int]:
        """The sites whose route passes one of these sites and links."""
        behind = {site for link in cut for site in self._users.get(link, ())}
        pending = [*down, *behind]
        while pending:
            for site in self._children.get(pending.pop(), ()):
                if site not in behind:
                    behind.add(site)
                    pending.append(site)
        return behind


def through_clouds(
    network: Network, site: int, ports: Ports, down: Collection[int], cut: Collection[int]
) -> Iterator[EdgeStep]:
    """How the routes of a site may begin that enter a carrier cloud."""
    clouds = network.clouds
    for cloud, link in clouds.access.get(site, ()):
        if link in cut or cloud in down:
            continue
        access = network.lengths[link]
        for port in ports.of.get(cloud, ()):
            if port.member != site:
                distance = clouds.backbone(port.member)[site] if port.has_distance else 0
                yield port.length + access + distance, link, port.tail, port.member


def _ways(clouds: Clouds, member: int, host: int, down: Collection[int], cut: Collection[int]) -> Iterator[CloudWay]:
    """The ways into a member: only the host itself may be where nobody knows, or it would shorten others' ways."""
    for way in clouds.ways(member, down, cut):
        if member == host or clouds.is_placed[member] or not way.has_distance:
            yield way


class _Scope(NamedTuple):
    """Where ways are looked for: without sites that are down and links that are cut, over the sites within (or all)."""

    down: Collection[int] = ()
    cut: Collection[int] = ()
    within: frozenset[int] | None = None


_EVERYWHERE = _Scope()


def _settle(
    network: Network,
    found: Labels,
    ports: Ports,
    heap: list[tuple[int, int]],
    host: int,
    scope: _Scope = _EVERYWHERE,
    order: list[int] | None = None,
) -> None:
    """Dijkstra's algorithm from the sites in `heap`, over those in scope, which `order` lists as they are settled.

    Only the host and transit sites pass traffic on, so that all others are not even labeled.
    """
    clouds = network.clouds
    down, cut, within = scope
    while heap:
        label, site = heapq.heappop(heap)
        if label > found.labels[site]:
            continue
        if order is not None:
            order.append(site)
        for neighbor, length, link in network.inner_neighbors[site]:
            if link in cut or neighbor == host or (within is not None and neighbor not in within):
                continue
            if found.offer(neighbor, label + length, (link, (), site)):
                heapq.heappush(heap, (label + length, neighbor))
        if site not in clouds.access:
            continue
        for way in _ways(clouds, site, host, down, cut):
            port = ports.add(way, site, label)
            if port is not None:
                _offer_members(network, found, heap, host, port, way.cloud, scope)


def _offer_members(
    network: Network,
    found: Labels,
    heap: list[tuple[int, int]],
    host: int,
    port: Port,
    cloud: int,
    scope: _Scope,
) -> None:
    """Offer the transit sites among the members of a carrier cloud the way through it that a port begins."""
    _, cut, within = scope
    distances = network.clouds.backbone(port.member) if port.has_distance else None
    for member, link in network.inner_members.get(cloud, ()):
        if link in cut or member in (host, port.member) or (within is not None and member not in within):
            continue
        far = port.length + network.lengths[link] + (0 if distances is None else distances[member])
        if found.offer(member, far, (link, port.tail, port.member)):
            heapq.heappush(heap, (far, member))
