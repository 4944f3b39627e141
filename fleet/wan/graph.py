"""The WAN as a graph: sites and carrier clouds, links and access circuits, parallel links included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import networkx as nx

from fleet.errors import UnknownIdError
from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.links import Link, free_name
from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.sites import Site
from fleet.wan.latency import RTT_MS_PER_KM, access_rtt_ms, distance_km, estimate_rtt_ms, rtt_ms_per_km


@dataclass(frozen=True, slots=True)
class WanLink:
    """One circuit between two sites, or between a site and a carrier cloud.

    Attributes
    ----------
    link : str
        Unique id: the planner's, or generated.
    from_, to : str
        Its ends; *forward* is from `from_` to `to`.
    forward_mbps, back_mbps : float
        Bandwidth of each direction [Mbit/s].
    rtt_ms : float
        Round trip [ms]; of a link to a carrier cloud that of the last mile, up to the carrier's edge.
    rtt_source : str
        ``measured`` (the planner states it) or ``estimated`` (from the distance; a last mile from the constant).
    limit : float
        Fraction of the bandwidth that may be loaded.
    reserved_mbps : float
        Taken by others in each direction [Mbit/s].
    monthly_cost, upgrade_monthly_cost : float
        Always paid, and on top once upgraded [currency/month].
    upgrade_mbps : float or None
        Bandwidth of both directions after the upgrade [Mbit/s]; None where there is none to buy.
    shared_risk : tuple of str
        Ducts or groups whose links fail together.
    generated : bool
        An access circuit made from a site's `wan_mbps` instead of a row of the links table.
    """

    link: str
    from_: str
    to: str
    forward_mbps: float
    back_mbps: float
    rtt_ms: float
    rtt_source: Literal["measured", "estimated"]
    limit: float
    reserved_mbps: float = 0.0
    monthly_cost: float = 0.0
    upgrade_mbps: float | None = None
    upgrade_monthly_cost: float = 0.0
    shared_risk: tuple[str, ...] = ()
    generated: bool = False

    def usable_mbps(self, forward: bool, upgraded: bool = False) -> float:
        """What planned traffic may load in one direction [Mbit/s]: ``bandwidth · limit − reserved``, at least 0."""
        bandwidth = self.forward_mbps if forward else self.back_mbps
        if upgraded and self.upgrade_mbps is not None:
            bandwidth = max(bandwidth, self.upgrade_mbps)
        return max(0.0, bandwidth * self.limit - self.reserved_mbps)

    def other_end(self, site: str) -> str:
        """The end that is not `site`."""
        return self.to if site == self.from_ else self.from_


@dataclass(frozen=True, eq=False)
class Wan:
    """The network of one inventory.

    Attributes
    ----------
    links : mapping
        Every link and access circuit by its id, in order of id.
    sites : mapping
        Every site and carrier cloud by its name, in order of name.
    transit : frozenset of str
        Where traffic between other sites may pass.
    rtt_ms_per_km : float
        Round trip of a carrier's backbone [ms/km].
    """

    links: Mapping[str, WanLink]
    sites: Mapping[str, Site]
    transit: frozenset[str]
    rtt_ms_per_km: float = RTT_MS_PER_KM

    @cached_property
    def networks(self) -> tuple[str, ...]:
        """The carrier clouds."""
        return tuple(name for name, site in self.sites.items() if site.is_network)

    @cached_property
    def unplaced(self) -> tuple[str, ...]:
        """Members of carrier clouds with distance that have no coordinates: how far they are is unknown."""
        clouds = self.graph.subgraph(self.networks)
        systems = [
            part for part in nx.connected_components(clouds) if any(self.sites[name].has_distance for name in part)
        ]
        members = {end for part in systems for name in part for end in self.graph[name]} - set(self.networks)
        return tuple(
            name for name in sorted(members) if None in (self.sites[name].latitude, self.sites[name].longitude)
        )

    @cached_property
    def links_of(self) -> Mapping[str, tuple[str, ...]]:
        """The links that end at each site, in order of id."""
        found: dict[str, list[str]] = {name: [] for name in self.sites}
        for link in self.links.values():
            for end in {link.from_, link.to}:
                found[end].append(link.link)
        return {name: tuple(links) for name, links in found.items()}

    @cached_property
    def graph(self) -> nx.MultiGraph[str]:
        """The same as a networkx multigraph: nodes are sites, edge keys are link ids.

        What a carrier cloud adds for the distance between its members is not in it: see `fleet.wan.routing`.
        """
        graph: nx.MultiGraph[str] = nx.MultiGraph()
        graph.add_nodes_from(self.sites)
        for link in self.links.values():
            graph.add_edge(link.from_, link.to, key=link.link, rtt_ms=link.rtt_ms)
        return graph

    def link(self, name: str) -> WanLink:
        """The link of that id.

        Raises
        ------
        UnknownIdError
            If there is none.
        """
        try:
            return self.links[name]
        except KeyError:
            raise UnknownIdError("link", name) from None

    def __repr__(self) -> str:
        estimated = sum(link.rtt_source == "estimated" for link in self.links.values())
        return (
            f"Wan({len(self.sites)} sites of which {len(self.networks)} carrier clouds, {len(self.links)} links, "
            f"{estimated} with an estimated round trip)"
        )


def build_wan(inventory: Inventory) -> Wan:
    """The network of an inventory.

    A site with `wan_mbps` and no row in the links table gets an access circuit ``SITE~NETWORK`` to the policy's
    default network. A link without `link` gets the id ``A--B`` of its sorted ends, parallel ones ``A--B#2`` and so
    on in the order of their content, so that ids do not depend on the order of rows. A link without `rtt_ms` is
    estimated from the distance of its ends, and where one has no coordinates from the constant alone; one that ends
    at a carrier cloud is a last mile, estimated at half the constant whatever the distance.

    Raises
    ------
    UnknownIdError
        If a link ends at a site that does not exist, or the default network does not.
    """
    sites = dict(sorted((site.site, site) for site in inventory.sites))
    standing = {cluster.site for cluster in inventory.clusters}
    links = [*_stated_links(inventory, sites), *_access_circuits(inventory, sites)]
    return Wan(
        links={link.link: link for link in sorted(links, key=lambda link: link.link)},
        sites=sites,
        transit=frozenset(
            name for name, site in sites.items() if site.is_transit or (site.transit is None and name in standing)
        ),
        rtt_ms_per_km=rtt_ms_per_km(inventory.policy),
    )


def _stated_links(inventory: Inventory, sites: Mapping[str, Site]) -> list[WanLink]:
    taken = {row.link for row in inventory.links if row.link}
    result = []
    for row in sorted(inventory.links, key=_canonical):
        name = row.link or free_name("--".join(sorted((row.from_, row.to))), taken)
        taken.add(name)
        rtt_ms, rtt_source = _round_trip(row.rtt_ms, row.from_, row.to, sites, inventory.policy)
        result.append(
            WanLink(
                link=name,
                from_=row.from_,
                to=row.to,
                forward_mbps=row.bandwidth_mbps,
                back_mbps=row.bandwidth_mbps if row.back_mbps is None else row.back_mbps,
                rtt_ms=rtt_ms,
                rtt_source=rtt_source,
                limit=inventory.policy.max_link_utilization if row.max_utilization is None else row.max_utilization,
                reserved_mbps=row.reserved_mbps,
                monthly_cost=row.monthly_cost,
                upgrade_mbps=row.upgrade_mbps,
                upgrade_monthly_cost=row.upgrade_monthly_cost,
                shared_risk=row.shared_risk,
            )
        )
    return result


def _access_circuits(inventory: Inventory, sites: Mapping[str, Site]) -> list[WanLink]:
    network = inventory.policy.default_network
    if not network:
        return []
    taken = {row.link for row in inventory.links}
    linked = {end for row in inventory.links for end in (row.from_, row.to)}
    result = []
    for name, site in sites.items():
        if site.wan_mbps is None or name in linked or name == network:
            continue
        rtt_ms, rtt_source = _round_trip(site.wan_rtt_ms, name, network, sites, inventory.policy)
        result.append(
            WanLink(
                link=free_name(f"{name}~{network}", taken),
                from_=name,
                to=network,
                forward_mbps=site.wan_mbps,
                back_mbps=site.wan_mbps,
                rtt_ms=rtt_ms,
                rtt_source=rtt_source,
                limit=inventory.policy.max_link_utilization,
                monthly_cost=site.wan_monthly_cost,
                generated=True,
            )
        )
    return result


def _round_trip(
    measured_ms: float | None, from_: str, to: str, sites: Mapping[str, Site], policy: Policy
) -> tuple[float, Literal["measured", "estimated"]]:
    for end in (from_, to):
        if end not in sites:
            raise UnknownIdError("site", end)
    if measured_ms is not None:
        return measured_ms, "measured"
    if sites[from_].is_network or sites[to].is_network:
        return access_rtt_ms(policy), "estimated"
    return estimate_rtt_ms(distance_km(sites[from_], sites[to]), policy), "estimated"


def _canonical(row: Link) -> str:
    return json.dumps(row.model_dump(mode="json"), sort_keys=True)
