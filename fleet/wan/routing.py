"""Least-RTT routes, in the normal state and after failures.

One shortest-path tree per host site is kept for the normal state. A failure that touches no branch of the tree
reuses it as it is. After one that does, only the sites behind the failed element are routed anew, from their
neighbors outside. Both give exactly the routes that a calculation from scratch would give, because the choice among
equally long routes depends on nothing but the network: smallest round trip, then fewest links, then, at every site
seen from the host outward, the smallest link id.
"""

from __future__ import annotations

import heapq
from array import array
from dataclasses import dataclass, field

from fleet.errors import UnknownIdError
from fleet.wan.graph import Wan
from fleet.wan.states import NORMAL, FailureState

# A label is one integer: round trip in units of 1e-9 ms, times 2**20, plus the number of links. Integers add
# exactly, so equal sums of round trips are equal whatever the order of the sum.
_UNITS_PER_MS = 10**9
_HOP_BITS = 20


@dataclass(frozen=True, slots=True)
class Hop:
    """One link of a route and whether it is used from its `from_` to its `to` end."""

    link: str
    forward: bool


@dataclass(frozen=True, slots=True)
class Route:
    """A route from users to a host: its round trip [ms] and its links in that order."""

    rtt_ms: float
    hops: tuple[Hop, ...]

    @property
    def links(self) -> tuple[str, ...]:
        """The link ids in order."""
        return tuple(hop.link for hop in self.hops)


#: The route of users at the host itself.
LOCAL = Route(0.0, ())


@dataclass(slots=True)
class _Labels:
    """Shortest paths toward one host: per reached site its label, and its route's first step (next site, link)."""

    labels: dict[int, int] = field(default_factory=dict)
    steps: dict[int, tuple[int, int]] = field(default_factory=dict)

    def offer(self, site: int, label: int, step: tuple[int, int]) -> bool:
        """Take a way if it is shorter than the known one, or as long and of a smaller link; whether it is shorter."""
        known = self.labels.get(site)
        if known is None or label < known:
            self.labels[site] = label
            self.steps[site] = step
            return True
        if label == known and site in self.steps and step[1] < self.steps[site][1]:
            self.steps[site] = step
        return False


@dataclass(slots=True)
class _Tree:
    """The shortest paths of the normal state toward one host, packed; −1 where a site does not reach it.

    Attributes
    ----------
    labels, next_site, next_link : array, (n_sites,)
        Label of each site, and the site and link that its route begins with.
    is_inner : bytearray, (n_sites,)
        Whether others' routes pass the site or end there.
    routes : dict
        Routes that were asked for.
    """

    labels: array[int]
    next_site: array[int]
    next_link: array[int]
    is_inner: bytearray
    routes: dict[int, Route | None] = field(default_factory=dict)


@dataclass(slots=True)
class _Repair:
    """The part of a tree that a failure changes: the sites that are routed anew, and how."""

    affected: frozenset[int] = frozenset()
    found: _Labels = field(default_factory=_Labels)
    routes: dict[int, Route | None] = field(default_factory=dict)


class Router:
    """Least-RTT routes in a network.

    Intermediate sites must be transit and up, links must be up; the ends need not be transit.

    Parameters
    ----------
    wan : Wan
        The network.
    """

    #: Repaired trees and routes kept at most, to bound the memory of large fleets; the rest is calculated again.
    KEPT_REPAIRS = 200_000
    KEPT_ROUTES = 1_000_000

    def __init__(self, wan: Wan) -> None:
        self.wan = wan
        self._names = tuple(sorted(wan.sites))
        self._index = {name: index for index, name in enumerate(self._names)}
        self._is_transit = tuple(name in wan.transit for name in self._names)
        self._link_names = tuple(sorted(wan.links))
        self._link_index = {name: index for index, name in enumerate(self._link_names)}
        self._ends = tuple(
            (self._index[wan.links[name].from_], self._index[wan.links[name].to]) for name in self._link_names
        )
        self._hops = tuple((Hop(name, forward=True), Hop(name, forward=False)) for name in self._link_names)
        self._neighbors: list[list[tuple[int, int, int]]] = [[] for _ in self._names]
        for number, (a, b) in enumerate(self._ends):
            length = (round(wan.links[self._link_names[number]].rtt_ms * _UNITS_PER_MS) << _HOP_BITS) + 1
            self._neighbors[a].append((b, length, number))
            self._neighbors[b].append((a, length, number))
        self._trees: dict[int, _Tree] = {}
        self._repairs: dict[tuple[int, frozenset[str], frozenset[str]], _Repair] = {}
        self._kept_routes = 0
        self._untouched = _Repair()

    def route(self, origin_site: str, host_site: str, state: FailureState = NORMAL) -> Route | None:
        """The least-RTT route of users at `origin_site` to `host_site` in a state.

        Returns
        -------
        Route or None
            None where there is no way or an end is down; a route of no links and 0 ms within one site.

        Raises
        ------
        UnknownIdError
            If there is no such site.
        """
        origin, host = self._site(origin_site), self._site(host_site)
        if origin_site in state.sites or host_site in state.sites:
            return None
        if origin == host:
            return LOCAL
        tree = self._tree(host)
        repair = self._repair(host, tree, state)
        routes = repair.routes if origin in repair.affected else tree.routes
        if origin in routes:
            return routes[origin]
        route = self._walk(origin, host, tree, repair)
        if self._kept_routes < self.KEPT_ROUTES:
            self._kept_routes += 1
            routes[origin] = route
        return route

    def round_trips(self, host_site: str) -> dict[str, float]:
        """Round trip of every site that reaches `host_site` in the normal state [ms], without its route.

        The same values as `route`, for callers who need very many of them.
        """
        tree = self._tree(self._site(host_site))
        return {
            name: (label >> _HOP_BITS) / _UNITS_PER_MS
            for name, label in zip(self._names, tree.labels, strict=True)
            if label >= 0
        }

    def changed_sites(self, host_site: str, state: FailureState) -> frozenset[str]:
        """The sites, up in `state`, whose route to `host_site` is not the normal one, or that lose theirs.

        Everybody else keeps the normal route, so a sweep over many states need look at these only. Where the host
        itself is down, these are all the sites that reached it.
        """
        host = self._site(host_site)
        tree = self._tree(host)
        if host_site in state.sites:
            reached = frozenset(name for name, label in zip(self._names, tree.labels, strict=True) if label >= 0)
            return reached - state.sites
        return frozenset(self._names[site] for site in self._repair(host, tree, state).affected)

    def _site(self, name: str) -> int:
        try:
            return self._index[name]
        except KeyError:
            raise UnknownIdError("site", name) from None

    def _tree(self, host: int) -> _Tree:
        tree = self._trees.get(host)
        if tree is None:
            tree = self._trees[host] = self._normal_tree(host)
        return tree

    def _normal_tree(self, host: int) -> _Tree:
        found = _Labels(labels={host: 0})
        self._settle(found, [(0, host)], host)
        unreached = [-1] * len(self._names)
        tree = _Tree(array("q", unreached), array("l", unreached), array("l", unreached), bytearray(len(self._names)))
        for site, label in found.labels.items():
            tree.labels[site] = label
        for site, (next_site, link) in found.steps.items():
            tree.next_site[site], tree.next_link[site] = next_site, link
            tree.is_inner[next_site] = 1
        return tree

    def _repair(self, host: int, tree: _Tree, state: FailureState) -> _Repair:
        """What `state`, in which the host is up, changes about the tree."""
        if not self._touches(tree, state):
            return self._untouched
        key = (host, state.sites, state.links)
        repair = self._repairs.get(key)
        if repair is None:
            if len(self._repairs) >= self.KEPT_REPAIRS:
                self._repairs.clear()
            repair = self._repairs[key] = self._repaired(host, tree, state)
        return repair

    def _touches(self, tree: _Tree, state: FailureState) -> bool:
        """Whether a site that others' routes pass, or a link of the tree, is down."""
        for name in state.sites:
            site = self._index.get(name)
            if site is not None and tree.is_inner[site]:
                return True
        return any(self._below(tree, name) is not None for name in state.links)

    def _below(self, tree: _Tree, link: str) -> int | None:
        """The site whose route begins with a link; None where the tree does not use it."""
        number = self._link_index.get(link)
        if number is None:
            return None
        return next((end for end in self._ends[number] if tree.next_link[end] == number), None)

    def _repaired(self, host: int, tree: _Tree, state: FailureState) -> _Repair:
        down = {self._index[name] for name in state.sites if name in self._index}
        cut = frozenset(self._link_index[name] for name in state.links if name in self._link_index)
        pending = [*down]
        behind: set[int] = set()
        for name in state.links:
            site = self._below(tree, name)
            if site is not None and site not in behind:
                behind.add(site)
                pending.append(site)
        while pending:
            parent = pending.pop()
            for site, _, _ in self._neighbors[parent]:
                if tree.next_site[site] == parent and site not in behind:
                    behind.add(site)
                    pending.append(site)
        affected = frozenset(behind - down)
        found, starts = _Labels(), []
        for site in affected:
            for neighbor, length, number in self._neighbors[site]:
                label = tree.labels[neighbor]
                if label < 0 or neighbor in behind or neighbor in down or number in cut:
                    continue
                if neighbor == host or self._is_transit[neighbor]:
                    found.offer(site, label + length, (neighbor, number))
            if site in found.labels and self._is_transit[site]:
                starts.append((found.labels[site], site))
        heapq.heapify(starts)
        self._settle(found, starts, host, cut=cut, within=affected)
        return _Repair(affected, found)

    def _settle(
        self,
        found: _Labels,
        heap: list[tuple[int, int]],
        host: int,
        *,
        cut: frozenset[int] = frozenset(),
        within: frozenset[int] | None = None,
    ) -> None:
        """Dijkstra's algorithm from the sites in `heap`, over those in `within` (None = all).

        Only the host and transit sites pass traffic on, so that all others are labeled but never expanded.
        """
        while heap:
            label, site = heapq.heappop(heap)
            if label > found.labels[site]:
                continue
            for neighbor, length, number in self._neighbors[site]:
                if number in cut or neighbor == host or (within is not None and neighbor not in within):
                    continue
                if found.offer(neighbor, label + length, (site, number)) and self._is_transit[neighbor]:
                    heapq.heappush(heap, (label + length, neighbor))

    def _walk(self, origin: int, host: int, tree: _Tree, repair: _Repair) -> Route | None:
        """The route along the tree, the repaired part first."""
        label = repair.found.labels.get(origin, -1) if origin in repair.affected else tree.labels[origin]
        if label < 0:
            return None
        hops = []
        site = origin
        while site != host:
            if site in repair.affected:
                next_site, number = repair.found.steps[site]
            else:
                next_site, number = tree.next_site[site], tree.next_link[site]
            hops.append(self._hops[number][0 if self._ends[number][0] == site else 1])
            site = next_site
        return Route((label >> _HOP_BITS) / _UNITS_PER_MS, tuple(hops))
