"""Least-RTT routes, in the normal state and after failures.

One shortest-path tree per host site is kept for the normal state. A failure that touches no branch of the tree
reuses it as it is. After one that does, only the sites behind the failed element are routed anew, from their
neighbors outside. Both give exactly the routes that a calculation from scratch would give, because the choice among
equally long routes depends on nothing but the network: smallest round trip, then fewest links, then, at every site
seen from the host outward, the smallest link id.
"""

from __future__ import annotations

import heapq
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
class _Tree:
    """Shortest-path tree toward one host: per reached site its label, and the next site and link toward the host."""

    labels: dict[int, int] = field(default_factory=dict)
    next_site: dict[int, int] = field(default_factory=dict)
    next_link: dict[int, int] = field(default_factory=dict)
    routes: dict[int, Route | None] = field(default_factory=dict)


@dataclass(slots=True)
class _NormalTree(_Tree):
    """The tree of the normal state, with what is needed to see whom a failure touches."""

    children: dict[int, list[int]] = field(default_factory=dict)
    inner_sites: frozenset[str] = frozenset()
    child_of_link: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Repair(_Tree):
    """The part of a tree that a failure changes: the sites that are routed anew."""

    affected: frozenset[int] = frozenset()


class Router:
    """Least-RTT routes in a network.

    Intermediate sites must be transit and up, links must be up; the ends need not be transit.

    Parameters
    ----------
    wan : Wan
        The network.
    """

    #: Repaired trees kept at most; beyond it they are forgotten together.
    KEPT_REPAIRS = 200_000

    def __init__(self, wan: Wan) -> None:
        self.wan = wan
        self._names = tuple(sorted(wan.sites))
        self._index = {name: index for index, name in enumerate(self._names)}
        self._transit = tuple(name in wan.transit for name in self._names)
        self._link_names = tuple(sorted(wan.links))
        self._link_index = {name: index for index, name in enumerate(self._link_names)}
        self._from = tuple(self._index[wan.links[name].from_] for name in self._link_names)
        neighbors: list[list[tuple[int, int, int]]] = [[] for _ in self._names]
        for number, name in enumerate(self._link_names):
            link = wan.links[name]
            length = (round(link.rtt_ms * _UNITS_PER_MS) << _HOP_BITS) + 1
            a, b = self._index[link.from_], self._index[link.to]
            neighbors[a].append((b, length, number))
            neighbors[b].append((a, length, number))
        self._neighbors = neighbors
        self._trees: dict[int, _NormalTree] = {}
        self._repairs: dict[tuple[int, frozenset[str], frozenset[str]], _Repair] = {}
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
        changed = origin in repair.affected
        routes = repair.routes if changed else tree.routes
        if origin not in routes:
            routes[origin] = self._walk(origin, host, tree, repair if changed else self._untouched)
        return routes[origin]

    def changed_sites(self, host_site: str, state: FailureState) -> frozenset[str]:
        """The sites, up in `state`, whose route to `host_site` is not the normal one, or that lose theirs.

        Everybody else keeps the normal route, so a sweep over many states need look at these only. Where the host
        itself is down, these are all the sites that reached it.
        """
        host = self._site(host_site)
        tree = self._tree(host)
        if host_site in state.sites:
            reached = frozenset(self._names[site] for site in tree.labels)
            return reached - state.sites
        return frozenset(self._names[site] for site in self._repair(host, tree, state).affected)

    def _site(self, name: str) -> int:
        try:
            return self._index[name]
        except KeyError:
            raise UnknownIdError("site", name) from None

    def _tree(self, host: int) -> _NormalTree:
        tree = self._trees.get(host)
        if tree is None:
            tree = self._trees[host] = self._normal_tree(host)
        return tree

    def _normal_tree(self, host: int) -> _NormalTree:
        tree = _NormalTree(labels={host: 0})
        self._settle(tree, [(0, host)], host)
        for site, parent in tree.next_site.items():
            tree.children.setdefault(parent, []).append(site)
            tree.child_of_link[self._link_names[tree.next_link[site]]] = site
        tree.inner_sites = frozenset(self._names[site] for site in tree.children)
        return tree

    def _repair(self, host: int, tree: _NormalTree, state: FailureState) -> _Repair:
        """What `state`, in which the host is up, changes about the tree."""
        if tree.inner_sites.isdisjoint(state.sites) and tree.child_of_link.keys().isdisjoint(state.links):
            return self._untouched
        key = (host, state.sites, state.links)
        repair = self._repairs.get(key)
        if repair is None:
            if len(self._repairs) >= self.KEPT_REPAIRS:
                self._repairs.clear()
            repair = self._repairs[key] = self._repaired(host, tree, state)
        return repair

    def _repaired(self, host: int, tree: _NormalTree, state: FailureState) -> _Repair:
        down = frozenset(self._index[name] for name in state.sites if name in self._index)
        cut = frozenset(self._link_index[name] for name in state.links if name in self._link_index)
        pending = [child for site in down for child in tree.children.get(site, ())]
        pending += [tree.child_of_link[name] for name in state.links if name in tree.child_of_link]
        behind: set[int] = set()
        while pending:
            site = pending.pop()
            if site not in behind:
                behind.add(site)
                pending.extend(tree.children.get(site, ()))
        affected = frozenset(behind - down)
        repair = _Repair(affected=affected)
        starts: list[tuple[int, int]] = []
        for site in affected:
            for neighbor, length, number in self._neighbors[site]:
                if neighbor in behind or neighbor in down or number in cut or neighbor not in tree.labels:
                    continue
                if neighbor == host or self._transit[neighbor]:
                    _offer(repair, starts, site, tree.labels[neighbor] + length, (neighbor, number))
        self._settle(repair, starts, host, cut=cut, within=affected)
        return repair

    def _settle(
        self,
        tree: _Tree,
        heap: list[tuple[int, int]],
        host: int,
        *,
        cut: frozenset[int] = frozenset(),
        within: frozenset[int] | None = None,
    ) -> None:
        """Dijkstra's algorithm from the labels in `heap`, over the sites in `within` (None = all)."""
        while heap:
            label, site = heapq.heappop(heap)
            if label > tree.labels[site] or not (site == host or self._transit[site]):
                continue
            for neighbor, length, number in self._neighbors[site]:
                if number not in cut and (within is None or neighbor in within):
                    _offer(tree, heap, neighbor, label + length, (site, number))

    def _walk(self, origin: int, host: int, tree: _NormalTree, repair: _Repair) -> Route | None:
        """The route along the tree, the repaired part first."""
        label = (repair if origin in repair.affected else tree).labels.get(origin)
        if label is None:
            return None
        hops = []
        site = origin
        while site != host:
            part = repair if site in repair.affected else tree
            number = part.next_link[site]
            hops.append(Hop(self._link_names[number], self._from[number] == site))
            site = part.next_site[site]
        return Route((label >> _HOP_BITS) / _UNITS_PER_MS, tuple(hops))


def _offer(tree: _Tree, heap: list[tuple[int, int]], site: int, label: int, step: tuple[int, int]) -> None:
    """Take a way to `site` if it is shorter than the known one, or as long and of a smaller link id."""
    known = tree.labels.get(site)
    if known is None or label < known:
        tree.labels[site] = label
        heapq.heappush(heap, (label, site))
    elif label > known or step[1] > tree.next_link.get(site, -1):
        return
    tree.next_site[site], tree.next_link[site] = step
