"""Least-RTT routes, in the normal state and after failures.

One shortest-path tree of the transit sites per host site is kept for the normal state. A failure that touches no branch
of the tree reuses it as it is. After one that does, only the sites behind the failed element are routed anew, from
their neighbors outside. All other sites, by far the most, are on nobody's way: the first step of their route is chosen
when it is asked for. All this gives exactly the routes that a calculation from scratch would give, because the choice
among equally long routes depends on nothing but the network: smallest round trip, then fewest links, then, at every
site seen from the host outward, the smallest link id.
"""

from __future__ import annotations

import heapq
from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
#: How a route begins: its label, its first link, the site behind that. Of two the smaller is better.
_Step = tuple[int, int, int]


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
    """The shortest paths of transit sites toward one host in the normal state; −1 where one does not reach it.

    Attributes
    ----------
    labels, next_site, next_link : array, (n_sites,)
        Label of each site, and the site and link that its route begins with.
    is_inner : bytearray, (n_sites,)
        Whether routes of transit sites pass the site or end there.
    steps : dict
        First steps of other sites that were asked for; None for those that do not reach the host.
    routes : dict
        Routes that were asked for, by origin and the link that they begin with.
    """

    labels: array[int]
    next_site: array[int]
    next_link: array[int]
    is_inner: bytearray
    steps: dict[int, _Step | None] = field(default_factory=dict)
    routes: dict[tuple[int, int], Route] = field(default_factory=dict)


@dataclass(slots=True)
class _Repair:
    """The part of a tree that a failure changes: the sites that are routed anew, and how."""

    affected: frozenset[int] = frozenset()
    found: _Labels = field(default_factory=_Labels)
    routes: dict[tuple[int, int], Route] = field(default_factory=dict)


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
        self._transit_sites = tuple(site for site, inner in enumerate(self._is_transit) if inner)
        self._link_names = tuple(sorted(wan.links))
        self._link_index = {name: index for index, name in enumerate(self._link_names)}
        self._ends = tuple(
            (self._index[wan.links[name].from_], self._index[wan.links[name].to]) for name in self._link_names
        )
        self._hops = tuple((Hop(name, forward=True), Hop(name, forward=False)) for name in self._link_names)
        self._neighbors: list[list[tuple[int, int, int]]] = [[] for _ in self._names]
        self._inner_neighbors: list[list[tuple[int, int, int]]] = [[] for _ in self._names]
        self._lengths = tuple(
            (round(wan.links[name].rtt_ms * _UNITS_PER_MS) << _HOP_BITS) + 1 for name in self._link_names
        )
        for number, (a, b) in enumerate(self._ends):
            length = self._lengths[number]
            for here, there in ((a, b), (b, a)):
                self._neighbors[here].append((there, length, number))
                if self._is_transit[there]:
                    self._inner_neighbors[here].append((there, length, number))
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
        step = self._step(origin, host, tree, repair, state)
        if step is None:
            return None
        label, number, second = step
        routes = repair.routes if origin in repair.affected or second in repair.affected else tree.routes
        route = routes.get((origin, number))
        if route is None:
            route = self._walk(origin, host, tree, repair, label, number)
            if self._kept_routes < self.KEPT_ROUTES:
                self._kept_routes += 1
                routes[origin, number] = route
        return route

    def round_trips(self, host_site: str) -> dict[str, float]:
        """Round trip of every site that reaches `host_site` in the normal state [ms], without its route.

        The same values as `route`, for callers who need very many of them.
        """
        host = self._site(host_site)
        tree = self._tree(host)
        steps = ((name, self._step(site, host, tree, self._untouched, NORMAL)) for site, name in enumerate(self._names))
        trips = {name: (step[0] >> _HOP_BITS) / _UNITS_PER_MS for name, step in steps if step is not None}
        return trips | {host_site: 0.0}

    def labels(self, host_site: str, state: FailureState = NORMAL) -> dict[str, int]:
        """How far transit sites, and the host itself, are from the host in a state: by (round trip, links).

        A label orders routes as `route` does, adds up along them with `link_label`, and `rtt_of_label` is its round
        trip. Sites that are down or do not reach the host are left out. For callers who route many sites at once.
        """
        if host_site in state.sites:
            return {}
        host = self._site(host_site)
        tree = self._tree(host)
        repair = self._repair(host, tree, state)
        result = {host_site: 0}
        for site in self._transit_sites:
            label = self._label(site, tree, repair)
            if label >= 0 and self._names[site] not in state.sites:
                result[self._names[site]] = label
        return result

    def link_label(self, link: str) -> int:
        """What a link adds to the label of a route."""
        return self._lengths[self._link_index[link]]

    def changed_sites(self, host_site: str, state: FailureState) -> frozenset[str]:
        """The sites, up in `state`, whose route to `host_site` is not the normal one, or that lose theirs.

        Everybody else keeps the normal route, so a sweep over many states need look at these only. Where the host
        itself is down, these are all the sites that reached it.
        """
        host = self._site(host_site)
        tree = self._tree(host)
        if host_site in state.sites:
            return frozenset(self.round_trips(host_site)) - state.sites
        repair = self._repair(host, tree, state)
        cut = [self._link_index[name] for name in state.links if name in self._link_index]
        suspects = repair.affected | {self._index[name] for name in state.sites if name in self._index}
        nearby = {site for inner in suspects for site, _, _ in self._neighbors[inner]}
        nearby.update(end for number in cut for end in self._ends[number])
        changed = set(repair.affected)
        for site in nearby:
            if self._is_transit[site] or site == host or self._names[site] in state.sites:
                continue
            step = self._step(site, host, tree, self._untouched, NORMAL)
            if step is not None and (step[2] in suspects or step[1] in cut):
                changed.add(site)
        return frozenset(self._names[site] for site in changed)

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
            for site, _, _ in self._inner_neighbors[parent]:
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
            if site in found.labels:
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

        Only the host and transit sites pass traffic on, so that all others are not even labeled.
        """
        while heap:
            label, site = heapq.heappop(heap)
            if label > found.labels[site]:
                continue
            for neighbor, length, number in self._inner_neighbors[site]:
                if number in cut or neighbor == host or (within is not None and neighbor not in within):
                    continue
                if found.offer(neighbor, label + length, (site, number)):
                    heapq.heappush(heap, (label + length, neighbor))

    @staticmethod
    def _label(site: int, tree: _Tree, repair: _Repair) -> int:
        """Label of a transit site or the host; −1 where it does not reach the host."""
        return repair.found.labels.get(site, -1) if site in repair.affected else tree.labels[site]

    def _step(self, origin: int, host: int, tree: _Tree, repair: _Repair, state: FailureState) -> _Step | None:
        """How the route of a site other than the host begins; None where there is no way."""
        if self._is_transit[origin]:
            label = self._label(origin, tree, repair)
            if label < 0:
                return None
            if origin in repair.affected:
                second, number = repair.found.steps[origin]
                return label, number, second
            return label, tree.next_link[origin], tree.next_site[origin]
        is_normal = not (state.links or state.sites)
        if is_normal and origin in tree.steps:
            return tree.steps[origin]
        best: _Step | None = None
        for neighbor, length, number in self._neighbors[origin]:
            if neighbor != host and not self._is_transit[neighbor]:
                continue
            label = self._label(neighbor, tree, repair)
            if label < 0 or (best is not None and (label + length, number) > best[:2]):
                continue
            if self._link_names[number] in state.links or self._names[neighbor] in state.sites:
                continue
            best = (label + length, number, neighbor)
        if is_normal:
            tree.steps[origin] = best
        return best

    def _walk(self, origin: int, host: int, tree: _Tree, repair: _Repair, label: int, number: int) -> Route:
        """The route that begins with a link, the repaired part first."""
        hops = []
        site = origin
        while True:
            is_forward = self._ends[number][0] == site
            hops.append(self._hops[number][0 if is_forward else 1])
            site = self._ends[number][1 if is_forward else 0]
            if site == host:
                return Route((label >> _HOP_BITS) / _UNITS_PER_MS, tuple(hops))
            number = repair.found.steps[site][1] if site in repair.affected else tree.next_link[site]


def rtt_of_label(label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Round trips of routes by their labels [ms]."""
    return np.asarray((label >> _HOP_BITS) / _UNITS_PER_MS, dtype=np.float64)
