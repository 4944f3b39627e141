"""Which alerts a plan will raise, and when, as demand grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fleet.inventory.inventory import Demand, Inventory
from fleet.inventory.tables.workloads import TIERS
from fleet.plan.context import COMPUTE, POOL, PlanContext
from fleet.plan.placement import exceeds
from fleet.plan.protection import Floats, standby_reserve
from fleet.platform.archetype import Archetype
from fleet.quantities import COMPUTE_RESOURCES, RESOURCES
from fleet.rulepack import RulePack
from fleet.tables import Row, column

#: Alerts of the rule pack that a forecast can be made for, and the resource that each watches.
FORECAST_ALERTS = {"processor": "vcpu", "free-memory": "memory_gb", "pool-allocation": "pool_tb"}
#: The limit that the plan was made for; crossing it asks for nodes.
PLANNED_LIMIT = "planned-limit"


class AlertRow(Row):
    """When one resource of a cluster crosses one threshold."""

    cluster: str = column(meaning="cluster")
    resource: str = column(meaning="vcpu, memory_gb, pool_tb or gpu")
    alert: str = column(meaning="alert of the rule pack, or planned-limit: what the plan leaves usable")
    threshold: float = column(unit="fraction", meaning="of all that the nodes offer to demands")
    limit: float = column(unit="vCPU, GiB, TB, GPU", meaning="the same as an amount, with the last nodes of the plan")
    load: float = column(unit="vCPU, GiB, TB, GPU", meaning="load in the first month with nodes")
    month: int | None = column(None, unit="month", meaning="first month above it; none within the forecast where blank")


def forecast_alerts(context: PlanContext, months: int | None = None) -> tuple[AlertRow, ...]:
    """For every cluster, resource and threshold, the first month whose load is above it.

    Parameters
    ----------
    context : PlanContext
        The plan laid out; its nodes change as planned up to the horizon and stay as they are beyond.
    months : int, optional
        Length of the forecast from the first month on; the life of the nodes or the horizon where not given,
        whichever is longer.

    Notes
    -----
    A threshold is a fraction of what the nodes offer to demands with every node in use and nothing kept free:
    `without_node_reserve` over `max_utilization`, and the pool over `pool_fill`. Loads are allocations, which is what
    a forecast can know: the processor alert comes when all that is allocated is busy. The planned limit counts the
    standby reserve as load, since a failover may claim it at any time.
    """
    policy = context.inventory.policy
    span = max(policy.horizon_months, policy.asset_life_months) if months is None else months
    forecast = monthly_forecast(context, span)
    return tuple(row for index in range(len(context.clusters)) for row in _cluster_alerts(context, index, forecast))


@dataclass(frozen=True)
class MonthlyForecast:
    """What every cluster carries month by month.

    Attributes
    ----------
    load : (n_clusters, n_resources, months)
        Own demands; the pool with the footprint of standby copies.
    reserve : (n_clusters, n_compute_resources, months)
        Compute kept free for failovers.
    """

    load: Floats
    reserve: Floats


def monthly_forecast(context: PlanContext, months: int) -> MonthlyForecast:
    """Load and standby reserve of every cluster month by month.

    While a cluster has no nodes its storage is counted at the efficiency of its first layout.
    """
    monthly = _by_month(context.inventory, months)
    known: dict[int, Floats] = {}
    for demand in context.demands:
        if id(demand.row) not in known:
            known[id(demand.row)] = _monthly_amounts(monthly, demand)
    load = np.zeros((len(context.clusters), len(RESOURCES), months))
    efficiency = [_efficiency(context, index, months) for index in range(len(context.clusters))]
    for demand, primary, standby in zip(context.demands, context.primary, context.standby, strict=True):
        amounts = known[id(demand.row)]
        load[primary, COMPUTE] += amounts[COMPUTE]
        for host in (primary, standby):
            if host >= 0:
                load[host, POOL] += amounts[POOL] / efficiency[host][demand.row.tier]
    domains = sorted({cluster.fault_domain for cluster in context.clusters})
    domain_of = np.array([domains.index(cluster.fault_domain) for cluster in context.clusters], dtype=np.int64)
    compute = np.array([known[id(demand.row)][COMPUTE] for demand in context.demands])
    reserve = standby_reserve(
        compute.reshape(len(context.demands), len(COMPUTE), months),
        context.standby,
        domain_of[context.primary] if len(context.demands) else context.primary,
        len(context.clusters),
        shared=context.inventory.policy.standby_reserve == "shared",
    )
    return MonthlyForecast(load, reserve)


def _by_month(inventory: Inventory, months: int) -> Inventory:
    """The same inventory in periods of one month."""
    policy = inventory.policy.model_copy(update={"horizon_months": months, "period_months": 1})
    return replace(inventory, policy=policy)


def _monthly_amounts(monthly: Inventory, demand: Demand) -> Floats:
    """vCPU, GiB, TB of data and GPUs of a demand, shape (n_resources, months)."""
    rows = [monthly.amounts(demand, span.index) for span in monthly.periods]
    return np.array([[row.vcpu, row.memory_gb, row.storage_tb, row.gpu] for row in rows]).T


def _standing(context: PlanContext, index: int, months: int) -> list[Archetype | None]:
    """Per month, the archetype of a cluster; that of the last period beyond the horizon."""
    cluster = context.clusters[index]
    length = context.inventory.policy.period_months
    last = len(cluster.archetypes) - 1
    return [cluster.archetypes[min(month // length, last)] for month in range(months)]


def _efficiency(context: PlanContext, index: int, months: int) -> dict[str, Floats]:
    """Per tier, the share of a cluster's footprint that is data, shape (months,)."""
    standing = _standing(context, index, months)
    first = next((archetype for archetype in standing if archetype is not None), None)
    if first is None:
        return {tier: np.ones(months) for tier in TIERS}
    return {tier: np.array([(archetype or first).efficiency[tier] for archetype in standing]) for tier in TIERS}


def _cluster_alerts(context: PlanContext, index: int, forecast: MonthlyForecast) -> Iterator[AlertRow]:
    standing = _standing(context, index, forecast.load.shape[-1])
    months = [month for month, archetype in enumerate(standing) if archetype is not None]
    if not months:
        return
    first, final = months[0], months[-1]
    for number, resource in enumerate(RESOURCES):
        load = forecast.load[index, number]
        offers = np.array([_offer(context, archetype, resource) for archetype in standing])
        if offers[final] <= 0:
            continue
        watched = {
            alert: (load, threshold * offers) for alert, threshold in _thresholds(context.pack, resource).items()
        }
        claimed = load if resource not in COMPUTE_RESOURCES else load + forecast.reserve[index, COMPUTE.index(number)]
        watched[PLANNED_LIMIT] = (claimed, np.array([_planned(context, archetype, resource) for archetype in standing]))
        for alert, (loads, limits) in watched.items():
            yield AlertRow(
                cluster=context.clusters[index].name,
                resource=resource,
                alert=alert,
                threshold=float(limits[final] / offers[final]),
                limit=float(limits[final]),
                load=float(load[first]),
                month=next((month for month in months if exceeds(loads[month], limits[month])), None),
            )


def _thresholds(pack: RulePack, resource: str) -> dict[str, float]:
    """Alerts of the rule pack on a resource, as the fraction in use above which they are raised."""
    found = {}
    for name, alert in pack.table("alerts").items():
        if FORECAST_ALERTS.get(name) == resource:
            threshold = float(alert["threshold"])
            found[name] = 1.0 - threshold if alert["condition"] == "below" else threshold
    return found


def _offer(context: PlanContext, archetype: Archetype | None, resource: str) -> float:
    """All that the nodes offer to demands, nothing kept free."""
    if archetype is None:
        return 0.0
    policy = context.inventory.policy
    amount = float(getattr(archetype.capacity.without_node_reserve, resource))
    return amount / {"pool_tb": policy.pool_fill, "gpu": 1.0}.get(resource, policy.max_utilization)


def _planned(context: PlanContext, archetype: Archetype | None, resource: str) -> float:
    """What own load and standby reserve may claim together."""
    if archetype is None:
        return 0.0
    shared = context.inventory.policy.standby_uses_node_reserve
    capacity = archetype.capacity.without_node_reserve if shared else archetype.capacity.usable
    return float(getattr(capacity, resource))
