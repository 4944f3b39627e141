"""Moves on a finished decision as people make them by hand: move, re-pair, retire, replace, re-layout, resize, rebuild.

Nothing here knows what is allowed. What comes out is priced and, where it is cheaper, shown to the audit.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from fleet.inventory.inventory import DemandKey, Inventory
from fleet.inventory.tables.workloads import TIERS
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.platform.archetypes import enumerate_archetypes
from fleet.platform.resiliency import resiliency_types
from fleet.rulepack import load_rulepack
from fleet.wan.graph import build_wan


class Hands:
    """Someone who changes decisions at random, one move after another."""

    def __init__(self, inventory: Inventory, seed: int) -> None:
        self.inventory = inventory
        self.random = random.Random(f"hands/{seed}")
        self.spans = len(inventory.periods)
        pack = load_rulepack(inventory.policy.rule_pack)
        self.kinds = list(resiliency_types(pack))
        self.known = enumerate_archetypes(inventory, pack).archetypes
        self.upgradable = [name for name, link in build_wan(inventory).links.items() if link.upgrade_mbps is not None]
        self.moves: tuple[Callable[[Decisions], Decisions], ...] = (
            self.move, self.re_pair, self.swap, self.close, self.replace, self.re_layout, self.resize, self.rebuild,
            self.open, self.postpone, self.upgrade, self.revive,
        )  # fmt: skip

    def changed(self, decisions: Decisions) -> Decisions:
        """Decisions after one to four moves, without clusters that nothing is on unless they have to stay."""
        for _ in range(self.random.randint(1, 4)):
            decisions = self.random.choice(self.moves)(decisions)
        return self._without_idle(decisions) if self.random.random() < 0.8 else decisions

    # -- demands -------------------------------------------------------------------------------------------------

    def move(self, decisions: Decisions) -> Decisions:
        """Run some demands elsewhere."""
        names = [cluster.cluster for cluster in decisions.clusters]
        primary = dict(decisions.primary)
        for key in self._some(list(primary)) if names else ():
            primary[key] = self.random.choice(names)
        return replace(decisions, primary=primary)

    def re_pair(self, decisions: Decisions) -> Decisions:
        """Keep some standby copies elsewhere."""
        names = [cluster.cluster for cluster in decisions.clusters]
        standby = dict(decisions.standby)
        for key in self._some(list(standby)) if names else ():
            standby[key] = self.random.choice(names)
        return replace(decisions, standby=standby)

    def swap(self, decisions: Decisions) -> Decisions:
        """Let some demands change places with their copies."""
        primary, standby = dict(decisions.primary), dict(decisions.standby)
        for key in self._some(list(standby)):
            primary[key], standby[key] = standby[key], primary[key]
        return replace(decisions, primary=primary, standby=standby)

    # -- clusters ------------------------------------------------------------------------------------------------

    def close(self, decisions: Decisions) -> Decisions:
        """Close or retire a cluster, and put what is on it elsewhere."""
        if len(decisions.clusters) < 2:
            return decisions
        gone = self.random.choice(decisions.clusters)
        others = [cluster.cluster for cluster in decisions.clusters if cluster is not gone]
        return self._rehosted(self._dropped(decisions, gone), gone.cluster, others)

    def replace(self, decisions: Decisions) -> Decisions:
        """Close or retire a cluster, and build another one at its site that takes all that was on it."""
        if not decisions.clusters:
            return decisions
        gone = self.random.choice(decisions.clusters)
        built = self._built(decisions, gone.site)
        decisions = self._dropped(decisions, gone)
        return self._rehosted(replace(decisions, clusters=(*decisions.clusters, built)), gone.cluster, [built.cluster])

    def open(self, decisions: Decisions) -> Decisions:
        """Build a further cluster somewhere."""
        site = self.random.choice([site.site for site in self.inventory.sites if not site.is_network])
        return replace(decisions, clusters=(*decisions.clusters, self._built(decisions, site)))

    def revive(self, decisions: Decisions) -> Decisions:
        """Let a retired cluster stay as it was, for whatever a cluster at its site has."""
        if not decisions.retired:
            return decisions
        name = self.random.choice(decisions.retired)
        row = next(row for row in self.inventory.clusters if row.cluster == name)
        layouts = [dict(archetype.layout) for archetype in self.known if archetype.nodes == row.nodes]
        layout = self.random.choice(layouts or [dict.fromkeys(TIERS, self.random.choice(self.kinds))])
        stays = ClusterDecision(
            row.cluster, row.site, row.node_model, (row.nodes,) * self.spans, (layout,) * self.spans, True, "existing"
        )
        retired = tuple(name for name in decisions.retired if name != row.cluster)
        return self.move(replace(decisions, clusters=(*decisions.clusters, stays), retired=retired))

    def re_layout(self, decisions: Decisions) -> Decisions:
        """Give a cluster another layout from some period on."""
        return self._one(decisions, self._other_layout)

    def resize(self, decisions: Decisions) -> Decisions:
        """Give a cluster another node count from some period on, mostly a smaller one."""
        return self._one(decisions, self._other_size)

    def rebuild(self, decisions: Decisions) -> Decisions:
        """Make a cluster of another node model, count and layout."""
        return self._one(decisions, lambda cluster: self._as_built(cluster.cluster, cluster.site))

    def postpone(self, decisions: Decisions) -> Decisions:
        """Open a cluster later."""
        return self._one(decisions, lambda cluster: self._from(cluster, self.random.randrange(self.spans)))

    def upgrade(self, decisions: Decisions) -> Decisions:
        """Upgrade a link, or take an upgrade back."""
        upgrades = dict(decisions.upgrades)
        if upgrades and self.random.random() < 0.7:
            del upgrades[self.random.choice(sorted(upgrades))]
        elif self.upgradable:
            upgrades[self.random.choice(self.upgradable)] = self.random.randrange(self.spans)
        return replace(decisions, upgrades=upgrades)

    # -- parts ---------------------------------------------------------------------------------------------------

    def _some(self, keys: list[DemandKey]) -> list[DemandKey]:
        """One demand, or all of one site."""
        if not keys:
            return []
        key = self.random.choice(sorted(keys))
        return [key] if self.random.random() < 0.6 else [other for other in sorted(keys) if other.site == key.site]

    def _one(self, decisions: Decisions, change: Callable[[ClusterDecision], ClusterDecision]) -> Decisions:
        if not decisions.clusters:
            return decisions
        chosen = self.random.choice(decisions.clusters)
        return replace(decisions, clusters=tuple(change(c) if c is chosen else c for c in decisions.clusters))

    def _other_layout(self, cluster: ClusterDecision) -> ClusterDecision:
        since = self.random.randrange(self.spans)
        alike = [dict(one.layout) for one in self.known if one.nodes == cluster.nodes[since]]
        layout = self.random.choice(alike) if alike else dict.fromkeys(TIERS, self.random.choice(self.kinds))
        if self.random.random() < 0.3:
            layout[self.random.choice(TIERS)] = self.random.choice(self.kinds)
        layouts = tuple(
            layout if period >= since and nodes else old
            for period, (nodes, old) in enumerate(zip(cluster.nodes, cluster.layouts, strict=True))
        )
        return replace(cluster, layouts=layouts)

    def _other_size(self, cluster: ClusterDecision) -> ClusterDecision:
        since, step = self.random.randrange(self.spans), self.random.choice((-2, -1, -1, -1, 1, 2))
        nodes = tuple(
            max(1, count + step) if count and period >= since else count for period, count in enumerate(cluster.nodes)
        )
        layouts = list(cluster.layouts)
        for period, count in enumerate(nodes):
            alike = [
                dict(one.layout) for one in self.known if one.nodes == count and one.node_model == cluster.node_model
            ]
            if count != cluster.nodes[period] and layouts[period] not in alike and alike:
                layouts[period] = self.random.choice(alike)
        return replace(cluster, nodes=nodes, layouts=tuple(layouts))

    def _from(self, cluster: ClusterDecision, since: int) -> ClusterDecision:
        nodes = tuple(0 if period < since else count for period, count in enumerate(cluster.nodes))
        layouts = tuple({} if period < since else layout for period, layout in enumerate(cluster.layouts))
        return cluster if not any(nodes) else replace(cluster, nodes=nodes, layouts=layouts)

    def _built(self, decisions: Decisions, site: str) -> ClusterDecision:
        taken = {c.cluster for c in decisions.clusters} | {c.cluster for c in self.inventory.clusters}
        name = next(name for name in (f"{site}-c{number}" for number in range(1, 99)) if name not in taken)
        return self._as_built(name, site)

    def _as_built(self, name: str, site: str) -> ClusterDecision:
        first = self.random.choice(self.known)
        nodes, layouts = [], []
        for _ in range(self.spans):
            nodes.append(first.nodes)
            layouts.append(dict(first.layout))
            larger = [one for one in self.known if one.node_model == first.node_model and one.nodes == first.nodes + 1]
            if larger and self.random.random() < 0.2:
                first = self.random.choice(larger)
        existing = any(row.cluster == name for row in self.inventory.clusters)
        return ClusterDecision(
            name, site, first.node_model, tuple(nodes), tuple(layouts), existing, "existing" if existing else "chosen"
        )

    def _dropped(self, decisions: Decisions, gone: ClusterDecision) -> Decisions:
        retired = (*decisions.retired, gone.cluster) if gone.existing else decisions.retired
        return replace(decisions, clusters=tuple(c for c in decisions.clusters if c is not gone), retired=retired)

    def _rehosted(self, decisions: Decisions, gone: str, others: list[str]) -> Decisions:
        return replace(
            decisions,
            primary={k: self.random.choice(others) if name == gone else name for k, name in decisions.primary.items()},
            standby={k: self.random.choice(others) if name == gone else name for k, name in decisions.standby.items()},
        )

    def _without_idle(self, decisions: Decisions) -> Decisions:
        """Without clusters that nothing is on; standing ones go where they may."""
        used = {*decisions.primary.values(), *decisions.standby.values()}
        kept = {row.cluster for row in self.inventory.clusters if row.keep}
        for cluster in decisions.clusters:
            if cluster.cluster not in used | kept:
                decisions = self._dropped(decisions, cluster)
        return decisions
