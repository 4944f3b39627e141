"""How much of the network hangs on one element: critical links, critical sites, disjoint paths.

Plain graph theory (bridges, articulation points) counts every site as a junction. Here only transit sites carry others'
traffic: two hubs are not connected by a store that both reach. So bridges are looked for in the core, the graph of
transit sites, and every other site is a leaf that hangs on the core by its own links.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import networkx as nx

from fleet.wan.graph import Wan
from fleet.wan.states import NORMAL, FailureState, shared_risk_failures

#: A site and which side of it: what enters (False), what leaves (True).
_Side = tuple[str, bool]
_SINK: _Side = ("", False)


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
        left = set(self.wan.sites)
        parts = []
        for group in sorted(self._groups(NORMAL), key=lambda group: (-len(group), min(group))):
            own = frozenset(group & left)
            left -= own
            if own:
                parts.append(own)
        return tuple(parts)

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
            leaf: Counter(part_of[end] for end in self._neighbors(leaf) if end in part_of) for leaf in self._leaves
        }
        main = self.parts[0] if self.parts else frozenset()
        found = []
        for link in self.wan.links.values():
            leaves = [end for end in (link.from_, link.to) if end in reaches]
            if len(leaves) == 1:
                leaf, hub = leaves[0], link.other_end(leaves[0])
                if reaches[leaf][part_of[hub]] == 1:
                    separated = (leaf,) if leaf in main and hub in main else ()
                    found.append(CriticalElement("link", link.link, separated))
                continue
            if leaves:
                is_shared = reaches[leaves[0]].keys() & reaches[leaves[1]].keys()
                is_critical = not is_shared and self.wan.graph.number_of_edges(*leaves) == 1
            else:
                is_critical = frozenset((link.from_, link.to)) in bridges
            if is_critical:
                state = FailureState("link", link.link, links=frozenset({link.link}))
                found.append(CriticalElement("link", link.link, self.separated(state)))
        return tuple(found)

    @cached_property
    def critical_sites(self) -> tuple[CriticalElement, ...]:
        """Transit sites and carrier clouds whose loss separates other sites, by name."""
        core = self._core(NORMAL)
        main = self.parts[0] if self.parts else frozenset()
        hanging: dict[str, list[str]] = {}
        for leaf in self._leaves:
            hubs = {end for end in self._neighbors(leaf) if end in core and end in main}
            if leaf in main and len(hubs) == 1:
                hanging.setdefault(hubs.pop(), []).append(leaf)
        joints = set(nx.articulation_points(nx.Graph(core)))
        found = []
        for name in sorted(core):
            kind: Literal["network", "site"] = "network" if self.wan.sites[name].is_network else "site"
            if name in joints or len(main & self.wan.transit) == 1:
                separated = self.separated(FailureState(kind, name, sites=frozenset({name})))
            else:
                separated = tuple(hanging.get(name, ()))
            if separated:
                found.append(CriticalElement(kind, name, separated))
        return tuple(found)

    @cached_property
    def critical_groups(self) -> tuple[CriticalElement, ...]:
        """Groups of links with a shared risk whose loss separates sites, by name."""
        found = ((state.name, self.separated(state)) for state in shared_risk_failures(self.wan))
        return tuple(CriticalElement("shared_risk", name, separated) for name, separated in found if separated)

    def separated(self, state: FailureState) -> tuple[str, ...]:
        """The sites, up in `state`, that lose the largest rest of the largest part of the network."""
        main = (self.parts[0] if self.parts else frozenset()) - state.sites
        groups = (main & group for group in self._groups(state))
        rest = min(groups, key=lambda group: (-len(group), sorted(group)), default=frozenset())
        return tuple(sorted(main - rest))

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
        return self._from_every_site(targets, lambda name, ends: self._flow(name, ends, limit))

    def site_disjoint_paths(self, targets: Iterable[str], limit: int = 3) -> dict[str, int]:
        """Paths from every site to different `targets` that share no site but the first.

        The same as `disjoint_paths`, against the loss of sites instead of links: 1 means that one site, a target
        included, takes everything with it. Parallel links count once.
        """
        return self._from_every_site(targets, lambda name, ends: self._site_flow(name, ends, limit))

    def _from_every_site(self, targets: Iterable[str], flow: Callable[[str, frozenset[str]], int]) -> dict[str, int]:
        ends = frozenset(targets) & self.wan.sites.keys()
        known: dict[tuple[str, ...], int] = {}
        found = {}
        for name in self.wan.sites:
            if name in self.wan.transit or name in ends:
                found[name] = flow(name, ends - {name})
                continue
            key = tuple(sorted(self._neighbors(name)))  # sites that pass on nothing and hang on the same ones are alike
            if key not in known:
                known[key] = flow(name, ends)
            found[name] = known[key]
        return found

    def _site_flow(self, origin: str, ends: frozenset[str], limit: int) -> int:
        """Augmenting paths over the two sides of every site, with an arc of capacity one between them."""
        into: dict[_Side, set[_Side]] = {}  # taken arcs, by where they lead
        out: dict[_Side, set[_Side]] = {}
        flow = 0
        while flow < limit:
            came: dict[_Side, _Side] = {}
            queue = [(origin, True)]
            for side in queue:
                if side == _SINK:
                    break
                onward = [after for after in self._after(side, origin, ends) if after not in out.get(side, ())]
                for after in (*onward, *into.get(side, ())):
                    if after[0] != origin and after not in came:
                        came[after] = side
                        queue.append(after)
            if _SINK not in came:
                break
            side = _SINK
            while side in came:
                before = came[side]
                if before in out.get(side, ()):
                    out[side].remove(before)
                    into[before].remove(side)
                else:
                    out.setdefault(before, set()).add(side)
                    into.setdefault(side, set()).add(before)
                side = before
            flow += 1
        return flow

    def _after(self, side: _Side, origin: str, ends: frozenset[str]) -> list[_Side]:
        """Where the network leads from one side of a site."""
        site, is_leaving = side
        passes = site == origin or site in self.wan.transit
        if not is_leaving:
            return [(site, True)] if passes or site in ends else []
        onward = [(other, False) for other in self._neighbors(site)] if passes else []
        return [_SINK, *onward] if site in ends else onward

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

    @cached_property
    def _leaves(self) -> tuple[str, ...]:
        """The sites that pass on no traffic, by name."""
        return tuple(sorted(self.wan.sites.keys() - self.wan.transit))

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

    def _groups(self, state: FailureState) -> list[set[str]]:
        """The sites that are up, grouped by who reaches whom; a leaf that reaches two groups is in both."""
        groups = [set(part) for part in nx.connected_components(self._core(state))]
        part_of = _part_of(groups)
        alone: nx.Graph[str] = nx.Graph()
        for leaf in self._leaves:
            if leaf in state.sites:
                continue
            ends = (self.wan.links[link].other_end(leaf) for link in self.wan.links_of[leaf] if link not in state.links)
            reached = {part_of[end] for end in ends if end in part_of}
            for part in reached:
                groups[part].add(leaf)
            if not reached:
                alone.add_node(leaf)
        for link in self.wan.links.values():
            if link.link not in state.links and link.from_ in alone and link.to in alone:
                alone.add_edge(link.from_, link.to)
        return groups + [set(part) for part in nx.connected_components(alone)]


def _part_of(parts: Iterable[Iterable[str]]) -> dict[str, int]:
    return {name: number for number, part in enumerate(parts) for name in part}
