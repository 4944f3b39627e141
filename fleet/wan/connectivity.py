"""How much of the network hangs on one element: critical links, critical sites, disjoint paths.

Plain graph theory (bridges, articulation points) counts every site as a junction. Here only transit sites carry others'
traffic: two hubs are not connected by a store that both reach. So bridges are looked for in the core, the graph of
transit sites, and every other site is a leaf that hangs on the core by its own links.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import networkx as nx

from fleet.wan.graph import Wan
from fleet.wan.states import NORMAL, FailureState, shared_risk_failures


@dataclass(frozen=True, slots=True)
class CriticalElement:
    """A single point of failure of the network: without it, some sites lose others.

    Attributes
    ----------
    kind : str
        ``link``, ``site``, ``network`` (carrier cloud) or ``shared_risk`` (a group of links that fail together).
    name : str
        Which one.
    separated : tuple of str
        The sites that stay up and lose the largest part of the network, by name.
    """

    kind: Literal["link", "site", "network", "shared_risk"]
    name: str
    separated: tuple[str, ...]


class Connectivity:
    """Connectivity of a network under the transit rule.

    Parameters
    ----------
    wan : Wan
        The network.
    """

    def __init__(self, wan: Wan) -> None:
        self.wan = wan

    @cached_property
    def parts(self) -> tuple[frozenset[str], ...]:
        """The sites grouped by who reaches whom, largest group first; one group if everybody reaches everybody.

        A site that is no junction and reaches two groups belongs to the larger one; sites that reach no transit site
        are grouped by the links among them.
        """
        return self._parts(NORMAL)

    @property
    def is_connected(self) -> bool:
        """Whether every site reaches the same part of the network."""
        return len(self.parts) <= 1

    @property
    def is_two_edge_connected(self) -> bool:
        """Whether the network is connected and stays so after the loss of any one link."""
        return self.is_connected and not self.critical_links

    @cached_property
    def critical_links(self) -> tuple[CriticalElement, ...]:
        """Links and access circuits whose loss separates sites, by id."""
        core = self._core(NORMAL)
        part_of = _part_of(nx.connected_components(core))
        bridges = {frozenset(ends) for ends in nx.bridges(core)}
        reaches = {
            name: Counter(part_of[end] for end in self._neighbors(name) if end in part_of)
            for name in self.wan.sites
            if name not in self.wan.transit
        }
        found = []
        for link in self.wan.links.values():
            leaves = [end for end in (link.from_, link.to) if end in reaches]
            if not leaves:
                is_critical = frozenset((link.from_, link.to)) in bridges
            elif len(leaves) == 1:
                is_critical = reaches[leaves[0]][part_of[link.other_end(leaves[0])]] == 1
            else:
                shared = reaches[leaves[0]].keys() & reaches[leaves[1]].keys()
                is_critical = not shared and self.wan.graph.number_of_edges(*leaves) == 1
            if is_critical:
                state = FailureState("link", link.link, links=frozenset({link.link}))
                found.append(CriticalElement("link", link.link, self.separated(state)))
        return tuple(found)

    @cached_property
    def critical_sites(self) -> tuple[CriticalElement, ...]:
        """Transit sites and carrier clouds whose loss separates other sites, by name."""
        found = []
        for name in sorted(self.wan.transit):
            kind: Literal["site", "network"] = "network" if self.wan.sites[name].is_network else "site"
            separated = self.separated(FailureState(kind, name, sites=frozenset({name})))
            if separated:
                found.append(CriticalElement(kind, name, separated))
        return tuple(found)

    @cached_property
    def critical_groups(self) -> tuple[CriticalElement, ...]:
        """Groups of links with a shared risk whose loss separates sites, by name."""
        found = ((state.name, self.separated(state)) for state in shared_risk_failures(self.wan))
        return tuple(CriticalElement("shared_risk", name, separated) for name, separated in found if separated)

    def separated(self, state: FailureState) -> tuple[str, ...]:
        """The sites that are up in `state` and lose the largest part of the network, which they reached before."""
        main = self.parts[0] if self.parts else frozenset()
        parts = self._parts(state)
        largest = parts[0] if parts else frozenset()
        return tuple(sorted(main - state.sites - largest))

    def disjoint_paths(self, targets: Iterable[str], limit: int = 3) -> dict[str, int]:
        """Link-disjoint paths from every site to the `targets`, together.

        Parameters
        ----------
        targets : iterable of str
            Where the paths may end, such as the sites with clusters; paths of one site may end at different ones. A
            target's own paths are those to the other targets.
        limit : int
            Counting stops here.

        Returns
        -------
        dict
            Per site the number of paths, at most `limit`: 0 cut off, 1 hangs on a single link.

        Notes
        -----
        The maximum flow from the site to a common sink behind all targets, every link of capacity one in either
        direction, through transit sites only [1]_.

        References
        ----------
        .. [1] K. Menger, "Zur allgemeinen Kurventheorie", Fundamenta Mathematicae 10 (1927), 96-115.
        """
        ends = frozenset(targets) & self.wan.sites.keys()
        return {name: self._flow(name, ends - {name}, limit) for name in self.wan.sites}

    def _flow(self, origin: str, ends: frozenset[str], limit: int) -> int:
        """Augmenting paths by breadth-first search; a handful at most, so nothing cleverer pays."""
        used: set[tuple[str, str]] = set()  # (link, the end it is entered at)
        flow = 0
        while flow < limit:
            came: dict[str, tuple[str, str]] = {}
            queue = [origin]
            reached = ""
            for site in queue:
                if site in ends:
                    reached = site
                    break
                if site != origin and site not in self.wan.transit:
                    continue
                for name in self.wan.links_of[site]:
                    other = self.wan.links[name].other_end(site)
                    if other != origin and other not in came and (name, site) not in used:
                        came[other] = (site, name)
                        queue.append(other)
            if not reached:
                break
            while reached != origin:
                site, name = came[reached]
                if (name, reached) in used:
                    used.remove((name, reached))
                else:
                    used.add((name, site))
                reached = site
            flow += 1
        return flow

    def _neighbors(self, name: str) -> list[str]:
        """The far end of every link of a site, parallel links repeated."""
        return [self.wan.links[link].other_end(name) for link in self.wan.links_of[name]]

    def _core(self, state: FailureState) -> nx.MultiGraph[str]:
        """The transit sites and the links between them that are up."""
        core: nx.MultiGraph[str] = nx.MultiGraph()
        core.add_nodes_from(sorted(self.wan.transit - state.sites))
        for link in self.wan.links.values():
            ends = (link.from_, link.to)
            if link.from_ != link.to and link.link not in state.links and all(end in core for end in ends):
                core.add_edge(*ends, key=link.link)
        return core

    def _parts(self, state: FailureState) -> tuple[frozenset[str], ...]:
        core = self._core(state)
        members = [set(part) for part in nx.connected_components(core)]
        part_of = _part_of(members)
        reach: dict[str, set[int]] = {}
        for leaf in sorted(self.wan.sites.keys() - self.wan.transit - state.sites):
            ends = (self.wan.links[link].other_end(leaf) for link in self.wan.links_of[leaf] if link not in state.links)
            reach[leaf] = {part_of[end] for end in ends if end in part_of}
        sizes = Counter(part for parts in reach.values() for part in parts)
        for leaf, parts in reach.items():
            if parts:
                members[max(parts, key=lambda part: (len(members[part]) + sizes[part], -part))].add(leaf)
        alone: nx.Graph[str] = nx.Graph()
        alone.add_nodes_from(leaf for leaf, parts in reach.items() if not parts)
        for link in self.wan.links.values():
            if link.link not in state.links and link.from_ in alone and link.to in alone:
                alone.add_edge(link.from_, link.to)
        members += [set(part) for part in nx.connected_components(alone)]
        return tuple(sorted((frozenset(part) for part in members), key=lambda part: (-len(part), min(part))))


def _part_of(parts: Iterable[Iterable[str]]) -> dict[str, int]:
    return {name: number for number, part in enumerate(parts) for name in part}
