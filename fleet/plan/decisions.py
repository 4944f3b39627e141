"""What a solver, or a person, decides; everything else in a plan follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.inventory.inventory import DemandKey, Inventory
from fleet.plan.plan import ClusterPeriodRow, Origin, PlanDocument


@dataclass(frozen=True)
class ClusterDecision:
    """One cluster over the horizon.

    Attributes
    ----------
    nodes : tuple of int
        Node count per period, 0 before it opens, never falling.
    layouts : tuple of mapping
        Per period, the resiliency type of each tier; empty mapping where it has no nodes.
    """

    cluster: str
    site: str
    node_model: str
    nodes: tuple[int, ...]
    layouts: tuple[Mapping[str, str], ...]
    existing: bool = False
    origin: Origin = "chosen"


@dataclass(frozen=True)
class Decisions:
    """The whole decision.

    Attributes
    ----------
    primary, standby : mapping
        Cluster of each demand, and of the standby copy of each protected demand that does not recover in the cloud.
    upgrades : mapping
        First period in which each upgraded link is upgraded.
    retired : tuple of str
        Existing clusters that are closed.
    unserved : mapping
        Demands left out, with the reason.
    """

    clusters: tuple[ClusterDecision, ...]
    primary: Mapping[DemandKey, str]
    standby: Mapping[DemandKey, str]
    upgrades: Mapping[str, int] = field(default_factory=dict)
    retired: tuple[str, ...] = ()
    unserved: Mapping[DemandKey, str] = field(default_factory=dict)


def decisions_of(document: PlanDocument, inventory: Inventory) -> Decisions:
    """The decision that a plan document records, as far as it refers to things that exist.

    Clusters at unknown sites or of unknown node models, periods outside the horizon and second rows for the same thing
    are left out; the audit reports them.
    """
    span = len(inventory.periods)
    sized: dict[tuple[str, int], ClusterPeriodRow] = {}
    for size in document.cluster_periods:
        sized.setdefault((size.cluster, size.period), size)
    clusters: dict[str, ClusterDecision] = {}
    for row in document.clusters:
        if row.cluster in clusters or row.site not in inventory.site_by_name:
            continue
        if row.node_model not in inventory.node_model_by_name:
            continue
        sizes = [sized.get((row.cluster, period)) for period in range(span)]
        clusters[row.cluster] = ClusterDecision(
            cluster=row.cluster,
            site=row.site,
            node_model=row.node_model,
            nodes=tuple(0 if size is None else max(0, size.nodes) for size in sizes),
            layouts=tuple({} if size is None else size.layout for size in sizes),
            existing=row.existing,
            origin=row.origin,
        )
    primary: dict[DemandKey, str] = {}
    for assignment in document.assignments:
        primary.setdefault(DemandKey(assignment.workload, assignment.site), assignment.cluster)
    standby: dict[DemandKey, str] = {}
    for copy in document.standbys:
        if copy.standby:
            standby.setdefault(DemandKey(copy.workload, copy.site), copy.standby)
    upgrades: dict[str, int] = {}
    for link in document.links:
        if link.upgraded and 0 <= link.period < span:
            upgrades[link.link] = min(link.period, upgrades.get(link.link, span))
    standing = {row.cluster for row in document.clusters}
    known = inventory.demand_by_key
    return Decisions(
        clusters=tuple(clusters.values()),
        primary={key: cluster for key, cluster in primary.items() if key in known},
        standby={key: cluster for key, cluster in standby.items() if key in known},
        upgrades=upgrades,
        retired=tuple(row.cluster for row in inventory.clusters if row.cluster not in standing),
        unserved={
            DemandKey(row.workload, row.site): row.reason
            for row in document.unserved
            if DemandKey(row.workload, row.site) in known
        },
    )
