"""What sharing the standby reserve saves: nodes and money against a reserve for every demand of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleet.inventory.tables.workloads import TIERS
from fleet.plan.context import COMPUTE, POOL, PlanContext
from fleet.plan.costs import Rates
from fleet.plan.placement import exceeds
from fleet.plan.protection import Floats, Indices, standby_reserve
from fleet.platform.archetype import Archetype
from fleet.platform.archetypes import enumerate_archetypes
from fleet.tables import Row, column

#: Clusters into which a load is split at most before it counts as too large.
MOST_CLUSTERS = 64


class ReserveRow(Row):
    """One cluster that stands by for others, at the end of the horizon."""

    cluster: str = column(meaning="cluster that stands by")
    site: str = column(meaning="where it stands")
    protects: int = column(meaning="demands that stand by here")
    fault_domains: int = column(meaning="fault domains that they run in; sharing pays from two on")
    shared_vcpu: float = column(unit="vCPU", meaning="reserve: the most that one fault domain sends")
    dedicated_vcpu: float = column(unit="vCPU", meaning="reserve: everything that stands by here")
    shared_memory_gb: float = column(unit="GiB", meaning="the same for memory")
    dedicated_memory_gb: float = column(unit="GiB", meaning="the same for memory")
    nodes: int = column(meaning="nodes of the plan")
    nodes_shared: int = column(meaning="fewest nodes of the same model that hold load and shared reserve")
    nodes_dedicated: int = column(
        meaning="fewest nodes that hold load and dedicated reserve, in several clusters if need be"
    )
    clusters_dedicated: int = column(meaning="clusters that these make")
    saved_nodes: int = column(meaning="nodes that sharing saves")
    saved_cost: float = column(unit="currency", meaning="present value of them: purchase, fees, support and energy")


@dataclass(frozen=True, slots=True)
class _Fit:
    """The fewest nodes per period, and in how many clusters."""

    nodes: tuple[int, ...]
    clusters: int


def compare_reserves(context: PlanContext) -> tuple[ReserveRow, ...]:
    """What a dedicated reserve would take of every cluster that stands by for others, as they are placed now.

    Notes
    -----
    Shared, a cluster keeps free the largest sum that one failed fault domain sends; dedicated, the sum of all. Both are
    sized by the same search over the archetypes of its node model; a reserve that no archetype holds is split over
    equal clusters. Placement stays as it is: a plan made with ``standby_reserve = dedicated`` may place otherwise and
    cost less than said here. Loops are counted as they are: two clusters that stand by for each other each keep what
    the other one sends, for only one of them fails at a time.
    """
    protected = np.flatnonzero(context.standby >= 0)
    if not len(protected):
        return ()
    domains = {name: place for place, name in enumerate(sorted({cluster.fault_domain for cluster in context.clusters}))}
    domain_of = np.array([domains[cluster.fault_domain] for cluster in context.clusters], dtype=np.int64)
    domain = domain_of[context.primary]
    count = len(context.clusters)
    shared = standby_reserve(context.compute, context.standby, domain, count, shared=True)
    dedicated = standby_reserve(context.compute, context.standby, domain, count, shared=False)
    options: dict[str, list[Archetype]] = {}
    for archetype in enumerate_archetypes(context.inventory, context.pack).archetypes:
        options.setdefault(archetype.node_model, []).append(archetype)
    rates = Rates(context.inventory, context.pack, context.wan)
    rows = []
    for index in sorted({int(cluster) for cluster in context.standby[protected]}):
        cluster = context.clusters[index]
        model = cluster.decision.node_model
        here = protected[context.standby[protected] == index]
        fits = [_fewest(context, index, reserve[index], options.get(model, [])) for reserve in (shared, dedicated)]
        if fits[0] is None or fits[1] is None:
            continue
        extra = [more - less for less, more in zip(fits[0].nodes, fits[1].nodes, strict=True)]
        rows.append(
            ReserveRow(
                cluster=cluster.name,
                site=cluster.site,
                protects=len(here),
                fault_domains=len(set(domain[here].tolist())),
                shared_vcpu=float(shared[index, 0].max()),
                dedicated_vcpu=float(dedicated[index, 0].max()),
                shared_memory_gb=float(shared[index, 1].max()),
                dedicated_memory_gb=float(dedicated[index, 1].max()),
                nodes=max(cluster.decision.nodes),
                nodes_shared=max(fits[0].nodes),
                nodes_dedicated=max(fits[1].nodes),
                clusters_dedicated=fits[1].clusters,
                saved_nodes=max(fits[1].nodes) - max(fits[0].nodes),
                saved_cost=_present_value(rates, model, cluster.site, extra),
            )
        )
    return tuple(rows)


def _fewest(context: PlanContext, index: int, reserve: Floats, options: Sequence[Archetype]) -> _Fit | None:
    """The fewest nodes that hold the load of a cluster and a reserve (n_compute_resources, n_periods)."""
    tolerance, data = _asked(context, index)
    for parts in range(1, MOST_CLUSTERS + 1):
        nodes: list[int] = []
        for period in range(reserve.shape[1]):
            if not (context.load[index, :, period].any() or reserve[:, period].any()):
                nodes.append(nodes[-1] if nodes else 0)
                continue
            found = [
                archetype.nodes
                for archetype in options
                if archetype.node_tolerance >= tolerance[period]
                and _holds(context, index, period, archetype, reserve[:, period], data[:, period], parts)
            ]
            if not found:
                break
            nodes.append(max(min(found), nodes[-1] if nodes else 0))
        else:
            return _Fit(tuple(count * parts for count in nodes), parts)
    return None


def _asked(context: PlanContext, index: int) -> tuple[Indices, Floats]:
    """Most node failures to survive at a cluster in each period, and its data by tier and period [TB], with copies."""
    here = np.flatnonzero((context.primary == index) | (context.standby == index)).tolist()
    tolerance = np.zeros(len(context.inventory.periods), dtype=np.int64)
    data = np.zeros((len(TIERS), len(context.inventory.periods)))
    for number in here:
        demand = context.demands[number]
        tolerance = np.maximum(tolerance, demand.row.fault_tolerance * context.exists[number])
        for period in range(data.shape[1]):
            amounts = context.inventory.amounts(demand, period)
            data[TIERS.index(demand.row.tier), period] += amounts.storage_tb
    return tolerance, data


def _holds(
    context: PlanContext,
    index: int,
    period: int,
    archetype: Archetype,
    reserve: Floats,
    data: Floats,
    parts: int,
) -> bool:
    """Whether an archetype holds one of equal parts of load and reserve."""
    usable = np.array(archetype.capacity.usable.as_tuple())
    after = usable
    if context.inventory.policy.standby_uses_node_reserve:
        after = np.array(archetype.capacity.without_node_reserve.as_tuple())
    own = context.load[index, COMPUTE, period] / parts
    footprint = sum(amount / archetype.efficiency[tier] for tier, amount in zip(TIERS, data.tolist(), strict=True))
    needs = [*zip(own, usable[COMPUTE], strict=True), *zip(own + reserve / parts, after[COMPUTE], strict=True)]
    return not any(exceeds(float(need), float(limit)) for need, limit in (*needs, (footprint / parts, usable[POOL])))


def _present_value(rates: Rates, model: str, site: str, extra: Sequence[int]) -> float:
    """Present value of more nodes, per period how many, bought when they are first needed."""
    total, before = 0.0, 0
    for period, nodes in enumerate(extra):
        value = rates.node_purchase(model) * (rates.purchase_factor(period) - rates.residual_factor(period))
        total += (nodes - before) * value
        total += nodes * rates.node_monthly(model, site) * rates.monthly_factor(period)
        before = nodes
    return total
