"""Least-RTT routes, in the normal state and after failures.

One shortest-path tree of the transit sites per host site is kept for the normal state. A failure that touches no branch
of the tree reuses it as it is. After one that does, only the sites behind the failed element are routed anew, from
their neighbors outside. All other sites, by far the most, are on nobody's way: the first step of their route is chosen
when it is asked for. All this gives exactly the routes that a calculation from scratch would give, because the choice
among equally long routes depends on nothing but the network: smallest round trip, then fewest links, then, at every
site seen from the host outward, the smallest link id.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fleet.errors import UnknownIdError
from fleet.wan.clouds import HOP_BITS, UNITS_PER_MS, Ports
from fleet.wan.graph import Wan
from fleet.wan.route import LOCAL, Hop, Route
from fleet.wan.states import NORMAL, FailureState
from fleet.wan.trees import EdgeStep, Labels, Network, Repair, Step, Tree, through_clouds

_NOTHING: frozenset[int] = frozenset()


class Router:
    """Least-RTT routes in a network.

    Intermediate sites must be transit and up, links must be up; the ends need not be transit. What a carrier cloud
    adds for the distance between its members is part of every round trip. A cloud is no place: no route begins or ends
    there.

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
        self.network = Network(wan)
        self._hops = tuple((Hop(name, forward=True), Hop(name, forward=False)) for name in self.network.link_names)
        self._trees: dict[int, Tree] = {}
        self._repairs: dict[tuple[int, frozenset[int], frozenset[int]], Repair] = {}
        self._kept_routes = 0

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
        down, cut = self._failed(state)
        repair = self._repair(tree, down, cut)
        step = self._step(origin, tree, repair, down, cut)
        if step is None:
            return None
        label, link, tail, second = step
        routes = repair.routes if origin in repair.affected or second in repair.affected else tree.routes
        route = routes.get((origin, link, tail))
        if route is None:
            route = self._walk(origin, tree, repair, label, (link, tail, second))
            if self._kept_routes < self.KEPT_ROUTES:
                self._kept_routes += 1
                routes[origin, link, tail] = route
        return route

    def round_trips(self, host_site: str) -> dict[str, float]:
        """Round trip of every site that reaches `host_site` in the normal state [ms], without its route.

        The same values as `route`, for callers who need very many of them.
        """
        tree = self._tree(self._site(host_site))
        steps = (
            (name, self._step(site, tree, tree.untouched, _NOTHING, _NOTHING))
            for site, name in enumerate(self.network.names)
        )
        trips = {name: (step[0] >> HOP_BITS) / UNITS_PER_MS for name, step in steps if step is not None}
        return trips | {host_site: 0.0}

    def labels(self, host_site: str, state: FailureState = NORMAL) -> dict[str, int]:
        """How far transit sites, and the host itself, are from the host in a state: by (round trip, links).

        A label orders routes as `route` does, adds up along them with `link_label`, and `rtt_of_label` is its round
        trip. Sites that are down or do not reach the host are left out, and so are carrier clouds: see `ports`. For
        callers who route many sites at once.
        """
        if host_site in state.sites:
            return {}
        tree = self._tree(self._site(host_site))
        down, cut = self._failed(state)
        repair = self._repair(tree, down, cut)
        names = self.network.names
        found = {
            names[site]: label
            for site, label in tree.labels.items()
            if site not in repair.affected and site not in down
        }
        return found | {names[site]: label for site, label in repair.found.labels.items()}

    def ports(self, host_site: str, state: FailureState = NORMAL) -> Ports | None:
        """The ways from carrier clouds to a host in a state, None where it is down; the same object where alike.

        What a site adds to the length of a port is the label of its own link and, where distance counts, the
        `backbone` of the port's member.
        """
        if host_site in state.sites:
            return None
        tree = self._tree(self._site(host_site))
        return self._repair(tree, *self._failed(state)).ports

    def backbone(self, member: int) -> NDArray[np.int64]:
        """What the distance from a member of a carrier cloud adds to a label, for every site in order of name."""
        return np.frombuffer(self.network.clouds.backbone(member), dtype=np.int64)

    def link_label(self, link: str) -> int:
        """What a link adds to the label of a route."""
        return self.network.lengths[self.network.link_index[link]]

    def changed_sites(self, host_site: str, state: FailureState) -> frozenset[str]:
        """The sites, up in `state`, whose route to `host_site` is not the normal one, or that lose theirs.

        Everybody else keeps the normal route, so a sweep over many states need look at these only. Where the host
        itself is down, these are all the sites that reached it.
        """
        host, network, clouds = self._site(host_site), self.network, self.network.clouds
        tree = self._tree(host)
        if host_site in state.sites:
            return frozenset(self.round_trips(host_site)) - state.sites
        down, cut = self._failed(state)
        repair = self._repair(tree, down, cut)
        suspects = repair.affected | down
        nearby = {site for inner in suspects for site, _, _ in network.neighbors[inner]}
        nearby.update(end for number in cut for end in network.ends[number])
        if tree.has_port(suspects, cut):
            nearby.update(site for members in clouds.members.values() for site, _ in members)
        changed = set(repair.affected)
        for site in nearby:
            if network.is_transit[site] or site == host or site in down:
                continue
            step = self._step(site, tree, tree.untouched, _NOTHING, _NOTHING)
            if step is None:
                continue
            _, link, tail, second = step
            passed = (second, *clouds.clouds_of(link, tail, site))
            if not suspects.isdisjoint(passed) or not cut.isdisjoint((link, *tail)):
                changed.add(site)
        return frozenset(network.names[site] for site in changed)

    def _site(self, name: str) -> int:
        try:
            return self.network.index[name]
        except KeyError:
            raise UnknownIdError("site", name) from None

    def _failed(self, state: FailureState) -> tuple[frozenset[int], frozenset[int]]:
        if not (state.sites or state.links):
            return _NOTHING, _NOTHING
        return self.network.numbers(state.sites, state.links)

    def _tree(self, host: int) -> Tree:
        tree = self._trees.get(host)
        if tree is None:
            tree = self._trees[host] = Tree(self.network, host)
        return tree

    def _repair(self, tree: Tree, down: frozenset[int], cut: frozenset[int]) -> Repair:
        """What a failure, in which the host is up, changes about the tree."""
        if not tree.is_touched(down, cut):
            return tree.untouched
        key = (tree.host, down, cut)
        repair = self._repairs.get(key)
        if repair is None:
            if len(self._repairs) >= self.KEPT_REPAIRS:
                self._repairs.clear()
            repair = self._repairs[key] = tree.repaired(down, cut)
        return repair

    def _step(
        self, origin: int, tree: Tree, repair: Repair, down: frozenset[int], cut: frozenset[int]
    ) -> EdgeStep | None:
        """How the route of a site other than the host begins; None where there is no way."""
        if self.network.is_transit[origin]:
            found: Labels | Tree = repair.found if origin in repair.affected else tree
            step = found.steps.get(origin)
            return None if step is None else (found.labels[origin], *step)
        is_normal = not (down or cut)
        if is_normal and origin in tree.edge_steps:
            return tree.edge_steps[origin]
        best: EdgeStep | None = None
        for neighbor, length, link in self.network.neighbors[origin]:
            label = (repair.found if neighbor in repair.affected else tree).labels.get(neighbor)
            if label is None or (best is not None and (label + length, link) > best[:2]):
                continue
            if link not in cut and neighbor not in down:
                best = (label + length, link, (), neighbor)
        if origin in self.network.clouds.access:
            ways = through_clouds(self.network, origin, repair.ports, down, cut)
            best = min(ways if best is None else (best, *ways), default=None)
        if is_normal:
            tree.edge_steps[origin] = best
        return best

    def _walk(self, origin: int, tree: Tree, repair: Repair, label: int, step: Step) -> Route:
        """The route that begins with a step, the repaired part first."""
        hops = []
        site = origin
        while True:
            link, tail, next_site = step
            for number in (link, *tail):
                is_forward = self.network.ends[number][0] == site
                hops.append(self._hops[number][0 if is_forward else 1])
                site = self.network.ends[number][1 if is_forward else 0]
            if next_site == tree.host:
                return Route((label >> HOP_BITS) / UNITS_PER_MS, tuple(hops))
            step = repair.found.steps[site] if site in repair.affected else tree.steps[site]


def rtt_of_label(label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Round trips of routes by their labels [ms]."""
    return np.asarray((label >> HOP_BITS) / UNITS_PER_MS, dtype=np.float64)
