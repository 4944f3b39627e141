"""Round trips and ways into the WAN of every user site, in every core failure state, to every candidate site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from fleet.inventory.inventory import Demand, Inventory
from fleet.plan.placement import TOLERANCE, exceeds
from fleet.wan.graph import Wan
from fleet.wan.routing import Router
from fleet.wan.states import NORMAL, FailureState, single_failures
from solvers.linear import Floats, Integers
from solvers.problem import Booleans, Slot

#: Failure kinds after which a protected demand must reach its standby.
HARD_KINDS = ("site", "fault_domain", "cluster")


class RouteTable:
    """Where users get in every state; each site is routed once.

    Attributes
    ----------
    host_names : list of str
        The candidate sites, sorted.
    site_of_slot : array (J,)
        Index of each slot's site among them.
    states : tuple of FailureState
        The core failure states.
    attachments : tuple of str
        One site for each way into the WAN met so far.
    """

    def __init__(
        self,
        inventory: Inventory,
        wan: Wan,
        router: Router,
        slots: Sequence[Slot],
        watched_links: frozenset[str],
    ) -> None:
        self.inventory, self.wan, self.router = inventory, wan, router
        self.slot_sites = [slot.site for slot in slots]
        self.host_names = sorted(set(self.slot_sites))
        self.site_of_slot = np.array([self.host_names.index(name) for name in self.slot_sites], dtype=np.int64)
        self.access_links = self._access_links()
        every = single_failures(inventory, wan, {slot.cluster: slot.site for slot in slots})
        self.states: tuple[FailureState, ...] = tuple(
            state
            for state in every
            if not (state.kind == "link" and state.name in self.access_links and state.name not in watched_links)
        )
        self._hard = np.array([state.kind in HARD_KINDS for state in self.states], dtype=bool)
        self._slot_down = np.array(
            [[slot.cluster in state.clusters or slot.site in state.sites for slot in slots] for state in self.states],
            dtype=bool,
        ).reshape(len(self.states), len(slots))
        self._host_down = np.array(
            [[host in state.sites for host in self.host_names] for state in self.states], dtype=bool
        ).reshape(len(self.states), len(self.host_names))
        self._changed = [
            [frozenset() if host in state.sites else router.changed_sites(host, state) for host in self.host_names]
            for state in self.states
        ]
        self._site_index = {name: index for index, name in enumerate(wan.sites)}
        self.attachments: tuple[str, ...] = ()
        self._attachment_index: dict[object, int] = {}
        self._routes: dict[str, tuple[Floats, Integers]] = {}

    def _access_links(self) -> dict[str, str]:
        """Link → user site, for circuits that carry the traffic of their own site only and can carry all of it.

        Their load is no decision and their failure moves only their own users; what it moves is checked on the
        finished plan.
        """
        hosting = set(self.slot_sites)
        traffic: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(self.inventory.periods))
        for demand in self.inventory.demands:
            for period in range(len(self.inventory.periods)):
                traffic[demand.site][period] += self.inventory.amounts(demand, period).traffic_mbps
        found = {}
        for name, links in self.wan.links_of.items():
            if name in hosting or name in self.wan.transit:
                continue
            peak = max(traffic[name])
            if len(links) == 1 or not any(exceeds(peak, self._usable_mbps(link)) for link in links):
                found.update(dict.fromkeys(links, name))
        return found

    def _usable_mbps(self, name: str) -> float:
        link = self.wan.links[name]
        return min(link.usable_mbps(True), link.usable_mbps(False))

    def reaches(self, demand: Demand) -> Booleans:
        """[state, slot]: whether its users reach the slot within the failover limit."""
        own = self._routes_of(demand.site)[0]
        limit = demand.row.max_rtt_ms
        if limit is None:
            reached = np.isfinite(own)
        else:
            longest = limit * self.inventory.policy.failure_rtt_factor
            reached = own <= longest + TOLERANCE * max(1.0, longest)
        return np.asarray(reached[:, self.site_of_slot] & ~self._slot_down, dtype=bool)

    def user_down(self, site: str) -> Booleans:
        """[state]: whether the site itself is down."""
        return np.array([site in state.sites for state in self.states], dtype=bool)

    def cut_off(self, reaches: Booleans, user_down: Booleans) -> Booleans:
        """[primary, standby] with a site, cluster or domain failure that moves users to where they cannot reach."""
        up = ~user_down[self._hard][:, None]
        no_way = ~reaches[self._hard]
        must_move = up & no_way
        return np.asarray((must_move.astype(np.int32).T @ no_way.astype(np.int32)) > 0, dtype=bool)

    def attachment(self, site: str) -> int:
        """Index of where a site enters the WAN.

        Sites that do so alike, by the same neighbor in every state, whatever the host, are one attachment.
        """
        links = self.wan.links_of[site]
        is_simple = all(link in self.access_links for link in links)
        key: object = self._routes_of(site)[1].tobytes() if is_simple else site
        if key not in self._attachment_index:
            self._attachment_index[key] = len(self._attachment_index)
            self.attachments = (*self.attachments, site)
        return self._attachment_index[key]

    def _routes_of(self, site: str) -> tuple[Floats, Integers]:
        """Round trips [ms] to every host in every core state, infinite where there is no way; and by which neighbor.

        The neighbors have one more row, the first, for the normal state.
        """
        known = self._routes.get(site)
        if known is not None:
            return known
        shape = (len(self.states), len(self.host_names))
        normal = [self._entry(site, host, NORMAL) for host in self.host_names]
        rtts = np.tile(np.array([rtt for rtt, _ in normal]), (shape[0], 1)).reshape(shape)
        neighbors = np.tile(np.array([entry for _, entry in normal], dtype=np.int64), (shape[0] + 1, 1))
        for row, state in enumerate(self.states):
            if site in state.sites:
                rtts[row], neighbors[row + 1] = np.inf, -1
                continue
            for column, host in enumerate(self.host_names):
                if self._host_down[row, column]:
                    rtts[row, column], neighbors[row + 1, column] = np.inf, -1
                elif site in self._changed[row][column]:
                    rtts[row, column], neighbors[row + 1, column] = self._entry(site, host, state)
        self._routes[site] = (rtts, neighbors)
        return self._routes[site]

    def _entry(self, site: str, host: str, state: FailureState) -> tuple[float, int]:
        """Round trip and the neighbor by which the route leaves `site`; (infinite, −1) where there is none."""
        route = self.router.route(site, host, state)
        if route is None:
            return np.inf, -1
        if not route.hops:
            return 0.0, -2
        return route.rtt_ms, self._site_index[self.wan.links[route.links[0]].other_end(site)]
