"""Round trips and ways into the WAN of every user site, in every core failure state, to every candidate site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleet.inventory.distances import LIGHT_KM_PER_MS, coordinates, great_circle_km
from fleet.inventory.inventory import Demand, Inventory
from fleet.plan.placement import exceeds
from fleet.tolerances import LIGHT_TOLERANCE, LIMIT_TOLERANCE
from fleet.wan.graph import Wan
from fleet.wan.routing import Router, rtt_of_label
from fleet.wan.states import NORMAL, FailureState, single_failures
from solvers.linear.interned import Interned
from solvers.linear.model import Floats, Integers
from solvers.problem.cloud_ways import NO_WAY, CloudWays
from solvers.problem.sets import Booleans, Slot, SlotView
from solvers.problem.slots import alike_slots

#: Failure kinds after which a protected demand must reach its standby; shared risks are states where they are hard.
HARD_KINDS = ("site", "fault_domain", "cluster", "shared_risk")
#: Neighbors of sites at the host itself, and of sites without a way.
AT_HOME, NOWHERE = -2, -1


@dataclass(frozen=True)
class _SiteRoutes:
    """Routes of one site: normal round trips (H,) [ms], first neighbors (N, H), what is reached (N, H) by limit.

    Through a carrier cloud the links from there to the member where a route leaves it stand for the neighbor.
    """

    normal_rtts: Floats
    neighbors: Integers
    reach: dict[float | None, Booleans]


class RouteTable:
    """Where users get in every state; each site is routed once.

    States that leave the network alone have the routes of the normal one, so routes are kept by *row*: the normal
    state first, then every state that changes the network.

    Attributes
    ----------
    host_names : list of str
        The candidate sites, sorted.
    site_of_slot : array (J,)
        Index of each slot's site among them.
    groups : tuple of tuple of int
        The slots that nothing tells apart.
    view : SlotView
        Where the slots are.
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
        host_index = {name: index for index, name in enumerate(self.host_names)}
        self.site_of_slot = np.array([host_index[name] for name in self.slot_sites], dtype=np.int64)
        self.access_links = self._access_links()
        every = single_failures(inventory, wan, {slot.cluster: slot.site for slot in slots})
        self.states: tuple[FailureState, ...] = tuple(
            state
            for state in every
            if not (state.kind == "link" and state.name in self.access_links and state.name not in watched_links)
        )
        self._rows = (NORMAL, *(state for state in self.states if state.sites or state.links))
        self._row_of_id = {state.id: row for row, state in enumerate(self._rows)}
        self._row_of_state = np.array([self.row_of(state) for state in self.states], dtype=np.int64)
        slot_down = np.array(
            [[slot.cluster in state.clusters or slot.site in state.sites for slot in slots] for state in self.states],
            dtype=bool,
        ).reshape(len(self.states), len(slots))
        self.groups = alike_slots(inventory, slots)
        group_of_slot = np.zeros(len(slots), dtype=np.int64)
        for index, group in enumerate(self.groups):
            group_of_slot[list(group)] = index
        self.view = SlotView(group_of_slot, self.site_of_slot, self._row_of_state, slot_down)
        self._first = np.array([group[0] for group in self.groups], dtype=np.int64)
        self.host_of_group = self.site_of_slot[self._first]
        self._hard = np.array(
            [
                state.kind in HARD_KINDS and (state.kind != "cluster" or bool(slot_down[index, self._first].any()))
                for index, state in enumerate(self.states)
            ],
            dtype=bool,
        )
        self._hard_group_down = slot_down[np.ix_(self._hard, self._first)]
        self._site_index = {name: index for index, name in enumerate(wan.sites)}
        self._places = coordinates(wan.sites.values())
        self._host_places = self._places[[self._site_index[name] for name in self.host_names]]
        self.attachments: tuple[str, ...] = ()
        self._attachment_index: dict[object, int] = {}
        self._ways = self._inner_labels()
        self._cloud_ways = CloudWays(router, self.host_names, self._rows)
        self._limits: dict[str, set[float | None]] = defaultdict(set)
        for demand in inventory.demands:
            self._limits[demand.site].add(demand.row.max_rtt_ms)
        self._routes: dict[str, _SiteRoutes] = {}
        self._kept = Interned()
        self._cut_off: dict[tuple[int, int], Booleans] = {}

    def _access_links(self) -> dict[str, str]:
        """Link → user site, for circuits that carry the traffic of their own site only and can carry all of it.

        Their load is no decision and their failure moves only their own users; what it moves is checked on the
        finished plan. Circuits of sites that keep backups carry more, from where that is a decision.
        """
        hosting = {*self.slot_sites, *(row.backup_site for row in self.inventory.workloads if row.sends_backups)}
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

    def _inner_labels(self) -> dict[str, Integers]:
        """[row, host] labels of the routes of every transit or candidate site, `NO_WAY` where there is none.

        A candidate site that is no transit site has a label to itself only: that much of it others may use. Carrier
        clouds are no places and have none.
        """
        shape = (len(self._rows), len(self.host_names))
        inner = {*self.wan.transit, *self.host_names} - set(self.wan.networks)
        labels = {name: np.full(shape, NO_WAY, dtype=np.int64) for name in inner}
        for row, state in enumerate(self._rows):
            for column, host in enumerate(self.host_names):
                for site, label in self.router.labels(host, state).items():
                    labels[site][row, column] = label
        return labels

    @property
    def names_of_group(self) -> list[str]:
        """Site of each group of slots."""
        return [self.host_names[host] for host in self.host_of_group.tolist()]

    def row_of(self, state: FailureState) -> int:
        """The row of a state: that of the normal one if it leaves the network alone."""
        return self._row_of_id.get(state.id, 0)

    def normal_rtts(self, site: str) -> Floats:
        """[host]: round trip of a site to every candidate site in the normal state [ms]."""
        return self._routes_of(site).normal_rtts

    def is_possible(self, site: str) -> Booleans:
        """[host]: whether the normal round trip to every candidate site is not below that of light in fiber."""
        least = great_circle_km(*self._places[self._site_index[site]], *self._host_places.T) / LIGHT_KM_PER_MS
        return np.asarray(~(self.normal_rtts(site) < least - LIGHT_TOLERANCE * np.maximum(1.0, least)), dtype=bool)

    def host_reach(self, demand: Demand) -> Booleans:
        """[row, host]: whether its users reach the candidate site within the failover limit."""
        return self._routes_of(demand.site).reach[demand.row.max_rtt_ms]

    def user_down(self, site: str) -> Booleans:
        """[state]: whether the site itself is down."""
        return self._kept(np.array([site in state.sites for state in self.states], dtype=bool))

    def cut_off(self, host_reach: Booleans, user_down: Booleans) -> Booleans:
        """[primary, standby group] with a site, cluster or domain failure that moves users to where they cannot go.

        Clusters of one group share a site, which never backs itself up: nothing is said about them here.
        """
        key = (id(host_reach), id(user_down))
        if key not in self._cut_off:
            reaches = host_reach[self._row_of_state[self._hard]][:, self.host_of_group] & ~self._hard_group_down
            no_way = (~reaches).astype(np.float32)
            must_move = no_way * ~user_down[self._hard][:, None]
            cut = np.asarray(must_move.T @ no_way > 0, dtype=bool)
            np.fill_diagonal(cut, False)
            self._cut_off[key] = cut
        return self._cut_off[key]

    def attachment(self, site: str) -> int:
        """Index of where a site enters the WAN.

        Sites that do so alike, by the same neighbor in every state, whatever the host, are one attachment.
        """
        links = self.wan.links_of[site]
        is_simple = all(link in self.access_links for link in links)
        key: object = id(self._routes_of(site).neighbors) if is_simple else site
        if key not in self._attachment_index:
            self._attachment_index[key] = len(self._attachment_index)
            self.attachments = (*self.attachments, site)
        return self._attachment_index[key]

    def _routes_of(self, site: str) -> _SiteRoutes:
        """What is kept of the routes of a site; neighbors are not told apart for transit sites."""
        known = self._routes.get(site)
        if known is not None:
            return known
        if site in self.wan.transit:
            labels = self._ways[site]
            neighbors = np.where(labels < NO_WAY, AT_HOME, NOWHERE).astype(np.int64)
        else:
            labels, neighbors = self._edge_routes(site)
        rtts = np.where(labels < NO_WAY, rtt_of_label(labels), np.inf)
        reach = {}
        for limit in self._limits[site]:
            longest = self.inventory.policy.failure_rtt_limit(limit)
            within = np.isfinite(rtts) if longest is None else rtts <= longest + LIMIT_TOLERANCE * max(1.0, longest)
            reach[limit] = self._kept(within)
        self._routes[site] = _SiteRoutes(rtts[0].copy(), self._kept(neighbors), reach)
        return self._routes[site]

    def _edge_routes(self, site: str) -> tuple[Integers, Integers]:
        """Labels and neighbors of a site that is nobody's way: of its links the one whose route is best, row by row."""
        shape = (len(self._rows), len(self.host_names))
        labels, neighbors = np.full(shape, NO_WAY, dtype=np.int64), np.full(shape, NOWHERE, dtype=np.int64)
        for link in sorted(self.wan.links_of[site]):
            other = self.wan.links[link].other_end(site)
            offered: Integers
            entered: Integers | int
            if other in self._ways:
                offered, entered = self._ways[other] + self.router.link_label(link), self._site_index[other]
            elif other in self._cloud_ways:
                offered, entered = self._cloud_ways.of(other, self._site_index[site])
                offered += self.router.link_label(link)
                entered = entered + len(self._site_index)
            else:
                continue
            cut = [row for row, state in enumerate(self._rows) if link in state.links]
            offered[cut] = NO_WAY
            better = offered < labels
            labels[better] = offered[better]
            neighbors[better] = entered if isinstance(entered, int) else entered[better]
        if site in self.host_names:
            column = self.host_names.index(site)
            labels[:, column], neighbors[:, column] = 0, AT_HOME
        down = [row for row, state in enumerate(self._rows) if site in state.sites]
        labels[down], neighbors[down] = NO_WAY, NOWHERE
        return labels, neighbors
