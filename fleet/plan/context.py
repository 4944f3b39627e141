"""One decision laid out for judging: clusters and archetypes, demands and amounts, links and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fleet.inventory.inventory import Demand, Inventory
from fleet.inventory.tables.workloads import TIERS
from fleet.plan.amounts import DemandRow, RowAmounts
from fleet.plan.decisions import Decisions
from fleet.plan.placement import cloud_users_reason
from fleet.plan.protection import Floats, Indices, standby_reserve
from fleet.plan.standing_clusters import StandingCluster, standing_clusters
from fleet.quantities import COMPUTE_RESOURCES, RESOURCES
from fleet.rulepack import RulePack
from fleet.wan.graph import Wan, build_wan
from fleet.wan.replication import CLOUD, Mechanism
from fleet.wan.routing import Router

POOL = RESOURCES.index("pool_tb")
#: Rows of the compute resources in arrays over all resources.
COMPUTE = [RESOURCES.index(resource) for resource in COMPUTE_RESOURCES]

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PlanContext:
    """Everything that follows from a decision before anything fails.

    Demands are the served ones in the order of ``inventory.demands``; clusters are sorted by name; links by id.
    T is the number of periods, R the four resources, C the compute resources among them.

    Attributes
    ----------
    primary, standby : (n_demands,)
        Index of the cluster that runs each demand and that holds its standby copy, −1 for none.
    mechanisms : tuple
        Replication mechanism of each protected demand, else None.
    compute : (n_demands, C, T)
        vCPU, GiB and GPUs.
    traffic, stream, backup : (n_demands, T)
        User traffic in each direction, replication from primary to standby or into the cloud, and backups to a site
        that the planner names [Mbit/s].
    load : (n_clusters, R, T)
        Own demands; the pool with the footprint of standby copies.
    reserve : (n_clusters, C, T)
        Compute kept free for failovers.
    capacity, failover_capacity : (n_clusters, R, T) and (n_clusters, C, T)
        Usable amounts, and the limit after a failover. Infinite where the platform refuses the archetype, which is a
        finding of its own; zero without nodes.
    link_limit : (n_links, 2, T)
        Usable bandwidth, forward and back [Mbit/s].
    """

    inventory: Inventory
    pack: RulePack
    decisions: Decisions
    wan: Wan
    router: Router
    clusters: tuple[StandingCluster, ...]
    demands: tuple[Demand, ...]
    primary: Indices
    standby: Indices
    mechanisms: tuple[Mechanism | None, ...]
    compute: Floats
    traffic: Floats
    stream: Floats
    backup: Floats
    load: Floats
    reserve: Floats
    capacity: Floats
    failover_capacity: Floats
    links: tuple[str, ...]
    link_limit: Floats

    @cached_property
    def cluster_index(self) -> Mapping[str, int]:
        """Position of each cluster."""
        return {cluster.name: index for index, cluster in enumerate(self.clusters)}

    @cached_property
    def link_index(self) -> Mapping[str, int]:
        """Position of each link."""
        return {link: index for index, link in enumerate(self.links)}

    @cached_property
    def exists(self) -> Flags:
        """Whether each demand exists in each period, shape (n_demands, T): only then does it ask for anything."""
        rows = [[factor > 0 for factor in self.inventory.growth_factors(demand)] for demand in self.demands]
        return np.array(rows, dtype=np.bool_).reshape(len(rows), len(self.inventory.periods))

    @cached_property
    def in_cloud(self) -> tuple[bool, ...]:
        """Whether each demand recovers in the cloud."""
        return tuple(demand.recovers_in_cloud for demand in self.demands)

    @cached_property
    def has_copy(self) -> tuple[bool, ...]:
        """Whether each demand has a copy to recover from, on a standby cluster or in the cloud."""
        return tuple(
            in_cloud or standby >= 0 for in_cloud, standby in zip(self.in_cloud, self.standby.tolist(), strict=True)
        )

    @cached_property
    def reaches_cloud(self) -> tuple[bool, ...]:
        """Whether each demand has a copy in the cloud, and users who reach it there."""
        return tuple(
            demand.recovers_in_cloud and mechanism is not None and cloud_users_reason(self.inventory, demand) is None
            for demand, mechanism in zip(self.demands, self.mechanisms, strict=True)
        )

    def standby_name(self, demand: int) -> str:
        """Where the copy of a demand is: its standby cluster, or the cloud; blank without one."""
        if self.in_cloud[demand]:
            return CLOUD
        standby = int(self.standby[demand])
        return self.clusters[standby].name if standby >= 0 else ""

    def reserve_of(self, cluster: int, resource: str, period: int) -> float:
        """Standby reserve of one resource, 0 for the pool."""
        if resource not in COMPUTE_RESOURCES:
            return 0.0
        return float(self.reserve[cluster, COMPUTE_RESOURCES.index(resource), period])

    @cached_property
    def own_compute(self) -> Floats:
        """Compute of each cluster's own demands, shape (n_clusters, C, T)."""
        return self.load[:, COMPUTE, :]

    @cached_property
    def machines(self) -> Indices:
        """Virtual machines that each cluster runs, shape (n_clusters, T)."""
        counts = np.zeros((len(self.clusters), len(self.inventory.periods)), dtype=np.int64)
        for demand, primary in zip(self.demands, self.primary.tolist(), strict=True):
            counts[primary] += self.inventory.machines(demand)
        return counts

    @cached_property
    def carried(self) -> Floats:
        """What demands put on links: user traffic, replication and backups [Mbit/s], shape (3, n_demands, T)."""
        return np.stack([self.traffic, self.stream, self.backup])


def build_context(
    inventory: Inventory,
    pack: RulePack,
    decisions: Decisions,
    wan: Wan | None = None,
    router: Router | None = None,
) -> PlanContext:
    """Lay out a decision.

    Demands whose cluster does not exist are left out, and standbys on unknown clusters count as none: the audit
    reports them on their own.
    """
    wan = build_wan(inventory) if wan is None else wan
    router = Router(wan) if router is None else router
    clusters = standing_clusters(inventory, pack, decisions)
    index = {cluster.name: position for position, cluster in enumerate(clusters)}
    demands = tuple(demand for demand in inventory.demands if decisions.primary.get(demand.key) in index)
    count, span = len(demands), len(inventory.periods)
    primary = np.array([index[decisions.primary[demand.key]] for demand in demands], dtype=np.int64)
    standby = np.array(
        [index.get(decisions.standby.get(demand.key, ""), -1) if demand.has_standby else -1 for demand in demands],
        dtype=np.int64,
    )
    amounts = RowAmounts(inventory, pack)
    rows = [amounts.of(demand) for demand in demands]
    compute = np.array([row.compute for row in rows]).reshape(count, len(COMPUTE), span)
    copied = (standby >= 0) | np.array([demand.recovers_in_cloud for demand in demands], dtype=np.bool_)
    stream = np.array([row.stream for row in rows]).reshape(count, span) * copied[:, np.newaxis]
    capacity, failover = _capacities(inventory, clusters)
    domains = {name: position for position, name in enumerate(sorted({c.fault_domain for c in clusters}))}
    domain_of = np.array([domains[cluster.fault_domain] for cluster in clusters], dtype=np.int64)
    links = tuple(sorted(wan.links))
    return PlanContext(
        inventory=inventory,
        pack=pack,
        decisions=decisions,
        wan=wan,
        router=router,
        clusters=clusters,
        demands=demands,
        primary=primary,
        standby=standby,
        mechanisms=tuple(row.mechanism for row in rows),
        compute=compute,
        traffic=np.array([row.traffic for row in rows]).reshape(count, span),
        stream=stream,
        backup=np.array([row.backup for row in rows]).reshape(count, span),
        load=_load(clusters, rows, demands, primary, standby, span),
        reserve=standby_reserve(
            compute,
            standby,
            domain_of[primary] if count else primary,
            len(clusters),
            shared=inventory.policy.standby_reserve == "shared",
        ),
        capacity=capacity,
        failover_capacity=failover,
        links=links,
        link_limit=_link_limits(wan, links, decisions.upgrades, span),
    )


def _capacities(inventory: Inventory, clusters: tuple[StandingCluster, ...]) -> tuple[Floats, Floats]:
    span = len(inventory.periods)
    capacity = np.zeros((len(clusters), len(RESOURCES), span))
    without_reserve = np.zeros_like(capacity)
    for index, cluster in enumerate(clusters):
        for period, (archetype, refusal) in enumerate(zip(cluster.archetypes, cluster.refusals, strict=True)):
            if archetype is not None:
                capacity[index, :, period] = archetype.capacity.usable.as_tuple()
                without_reserve[index, :, period] = archetype.capacity.without_node_reserve.as_tuple()
            elif refusal:
                capacity[index, :, period] = without_reserve[index, :, period] = np.inf
    failover = without_reserve if inventory.policy.standby_uses_node_reserve else capacity
    return capacity, failover[:, COMPUTE, :]


def _load(
    clusters: tuple[StandingCluster, ...],
    rows: list[DemandRow],
    demands: tuple[Demand, ...],
    primary: Indices,
    standby: Indices,
    span: int,
) -> Floats:
    load = np.zeros((len(clusters), len(RESOURCES), span))
    efficiency = np.ones((len(clusters), len(TIERS), span))
    for index, cluster in enumerate(clusters):
        for period, archetype in enumerate(cluster.archetypes):
            if archetype is not None:
                efficiency[index, :, period] = [archetype.efficiency[tier] for tier in TIERS]
    for row, demand, first, second in zip(rows, demands, primary, standby, strict=True):
        tier = TIERS.index(demand.row.tier)
        load[first, COMPUTE] += row.compute
        load[first, POOL] += row.storage / efficiency[first, tier]
        if second >= 0:
            load[second, POOL] += row.storage / efficiency[second, tier]
    return load


def _link_limits(wan: Wan, links: tuple[str, ...], upgrades: Mapping[str, int], span: int) -> Floats:
    limit = np.zeros((len(links), 2, span))
    for index, name in enumerate(links):
        link = wan.links[name]
        for side, forward in enumerate((True, False)):
            limit[index, side, :] = link.usable_mbps(forward, upgraded=False)
            first = upgrades.get(name, span)
            if first < span:
                limit[index, side, first:] = link.usable_mbps(forward, upgraded=True)
    return limit
