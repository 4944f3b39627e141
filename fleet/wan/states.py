"""Failure states: what is down together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fleet.inventory.inventory import Inventory
from fleet.wan.graph import Wan

FailureKind = Literal[
    "normal", "link", "internet", "network", "site", "fault_domain", "cluster", "shared_risk", "several"
]


@dataclass(frozen=True, slots=True)
class FailureState:
    """One state of the fleet: the sites, links and clusters that are down.

    A carrier cloud is a site; its circuits are useless without it and are not listed. `clusters` holds every cluster
    that is down, those at failed sites included; `offline` the sites that are up without their internet access.
    """

    kind: FailureKind
    name: str
    sites: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    clusters: frozenset[str] = frozenset()
    offline: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """``kind:name``, or ``normal``."""
        return self.kind if self.kind == "normal" else f"{self.kind}:{self.name}"

    def __str__(self) -> str:
        return self.id


#: Nothing is down.
NORMAL = FailureState("normal", "")


def single_failures(inventory: Inventory, wan: Wan, cluster_sites: Mapping[str, str]) -> tuple[FailureState, ...]:
    """Every single failure that can hurt: links, carrier clouds, sites, fault domains, clusters, each by name.

    Parameters
    ----------
    inventory : Inventory
        For the fault domains.
    wan : Wan
        The network.
    cluster_sites : mapping
        Site of each cluster that stands.

    Notes
    -----
    A site that neither hosts a cluster nor is transit only takes load away when it fails and is left out. A fault
    domain of one site is that site. Links that share a risk fail one by one, and, where the policy says
    ``shared_risk = hard``, together as well; see `shared_risk_failures`.
    """
    hosting = set(cluster_sites.values())
    states = [FailureState("link", link, links=frozenset({link})) for link in wan.links]
    states += [FailureState("network", name, sites=frozenset({name})) for name in wan.networks]
    states += [
        sites_down("site", name, frozenset({name}), cluster_sites)
        for name, site in wan.sites.items()
        if not site.is_network and (name in hosting or name in wan.transit)
    ]
    domains: dict[str, set[str]] = {}
    for site in inventory.sites:
        domains.setdefault(site.fault_domain or site.site, set()).add(site.site)
    states += [
        sites_down("fault_domain", name, frozenset(members), cluster_sites)
        for name, members in sorted(domains.items())
        if len(members) > 1
    ]
    states += [FailureState("cluster", name, clusters=frozenset({name})) for name in sorted(cluster_sites)]
    if inventory.policy.shared_risk == "hard":
        states += shared_risk_failures(wan)
    return tuple(states)


def sites_down(kind: FailureKind, name: str, sites: frozenset[str], cluster_sites: Mapping[str, str]) -> FailureState:
    """The state in which some sites are down with every cluster that stands there."""
    return FailureState(
        kind,
        name,
        sites=sites,
        clusters=frozenset(cluster for cluster, site in cluster_sites.items() if site in sites),
    )


def together(states: Sequence[FailureState]) -> FailureState:
    """The state in which everything is down that is down in one of several states; one alone is itself."""
    if len(states) == 1:
        return states[0]
    return FailureState(
        "several",
        " + ".join(state.id for state in states),
        sites=frozenset().union(*(state.sites for state in states)),
        links=frozenset().union(*(state.links for state in states)),
        clusters=frozenset().union(*(state.clusters for state in states)),
        offline=frozenset().union(*(state.offline for state in states)),
    )


def shared_risk_failures(wan: Wan) -> tuple[FailureState, ...]:
    """The loss of each group of two or more links that share a risk (a duct, a building entry), by its name."""
    groups: dict[str, set[str]] = {}
    for link in wan.links.values():
        for group in link.shared_risk:
            groups.setdefault(group, set()).add(link.link)
    return tuple(
        FailureState("shared_risk", name, links=frozenset(links))
        for name, links in sorted(groups.items())
        if len(links) > 1
    )


def internet_failures(sites: Iterable[str]) -> tuple[FailureState, ...]:
    """The loss of the internet access of each of some sites, by name; the site and its place in the WAN stay up."""
    return tuple(FailureState("internet", name, offline=frozenset({name})) for name in sorted(set(sites)))
