"""What the report says about protection: proofs, the shared reserve, availability, and what hangs on one element."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from fleet.exchange.report.failures import cluster_map
from fleet.exchange.report.heat_map import heat_map, use_color, use_legend, use_text
from fleet.failures.availability import HOURS_PER_YEAR, MINUTES_PER_HOUR, AvailabilityRow, plan_availability
from fleet.failures.details import Survey
from fleet.failures.incidents import Breaker
from fleet.failures.networks import risk_groups, share, site_health
from fleet.failures.proof import ProofRow, prove_recovery_points
from fleet.failures.reserve import ReserveRow, compare_reserves
from fleet.operations.failback import FailbackRow, plan_failback
from fleet.operations.seeding import SeedRow, plan_seeding
from fleet.plan.context import PlanContext
from fleet.plan.costs import Rates
from fleet.plan.plan import Plan
from fleet.plan.uploads import upload_limit_mbps, upload_loads
from fleet.wan.connectivity import Connectivity
from fleet.wan.replication import mechanisms

#: How many rows of a long table the report shows; the workbook has them all.
SHOWN = 20
#: Rows of the heat maps.
MAP_ROWS, MAP_LINKS = 30, 20
#: Where protection cannot be computed.
NO_PROTECTION: Mapping[str, Any] = {"is_known": False}


def protection(plan: Plan, breaker: Breaker, found: Survey) -> Mapping[str, Any]:
    """Everything about protection that is computed for the report."""
    context = breaker.context
    connectivity = Connectivity(context.wan)
    return {
        "is_known": True,
        "proofs": _proofs(prove_recovery_points(breaker.normal)),
        "reserves": _reserves(compare_reserves(context), context.inventory.policy.standby_reserve),
        "availability": _availability(plan_availability(breaker)),
        "rates": context.inventory.failure_rates,
        "mechanisms": _mechanisms(context),
        "cloud": _cloud(context),
        "copies": _copies(plan_seeding(plan, context), plan_failback(breaker.normal)),
        "network": _network(breaker, connectivity),
        "cluster_map": cluster_map(breaker, found, MAP_ROWS),
        "link_map": _residuals(plan),
    }


def _proofs(rows: Sequence[ProofRow]) -> dict[str, Any]:
    """The tightest recovery point of each workload and pair of clusters, those nearest to their objectives first."""
    groups: dict[tuple[str, str, str], list[ProofRow]] = {}
    for row in sorted(rows, key=lambda row: (row.is_kept, _slack(row), row.left_mbps or 0.0, row.workload, row.site)):
        groups.setdefault((row.workload, row.cluster, row.standby), []).append(row)
    found = [{"row": members[0], "demands": len(members)} for members in groups.values()]
    kept = sum(row.is_kept for row in rows)
    return {"rows": found[:SHOWN], "hidden": max(0, len(found) - SHOWN), "kept": kept, "count": len(rows)}


def _slack(row: ProofRow) -> float:
    if row.objective_minutes is None or row.rpo_minutes is None:
        return float("inf")
    return row.objective_minutes - row.rpo_minutes


def _copies(seeds: Sequence[SeedRow], back: Sequence[FailbackRow]) -> list[dict[str, Any]]:
    """Per pair of clusters, when the first copies are there, and how long the way back takes."""
    pairs: dict[tuple[str, str], dict[str, Any]] = {}
    for seed in seeds:
        pair = pairs.setdefault((seed.cluster, seed.standby), {"seeds": [], "back": []})
        pair["seeds"].append(seed)
    for row in back:
        pairs.setdefault((row.cluster, row.standby), {"seeds": [], "back": []})["back"].append(row)
    return [
        {
            "cluster": cluster,
            "standby": standby,
            "demands": len(pair["seeds"]),
            "size_gb": sum(seed.size_gb for seed in pair["seeds"]),
            "left_mbps": min((seed.left_mbps for seed in pair["seeds"] if seed.left_mbps is not None), default=None),
            "protected_day": _latest([seed.finished_day for seed in pair["seeds"]]),
            "first_day": _latest([seed.finished_day for seed in pair["seeds"]][:1]),
            "resync_hours": _latest([row.resync_finished_hour for row in pair["back"]]),
            "full_hours": _latest([row.full_finished_hour for row in pair["back"]]),
        }
        for (cluster, standby), pair in sorted(pairs.items())
    ]


def _mechanisms(context: PlanContext) -> list[dict[str, Any]]:
    """Every mechanism of the rule pack with its limits, its fee, and how many demands it keeps."""
    rates = Rates(context.inventory, context.pack, context.wan)
    kept = Counter(
        mechanism.name
        for mechanism, standby in zip(context.mechanisms, context.standby.tolist(), strict=True)
        if mechanism is not None and (standby >= 0 or mechanism.is_cloud)
    )
    return [
        {"row": mechanism, "demands": kept[mechanism.name], "fee": rates.protection_fee(mechanism)}
        for mechanism in mechanisms(context.pack)
    ]


def _cloud(context: PlanContext) -> dict[str, Any]:
    """What recovery in the cloud costs at the end of the horizon, and would cost instead of the standbys."""
    rates = Rates(context.inventory, context.pack, context.wan)
    last = len(context.inventory.periods) - 1
    there = [
        (demand, mechanism)
        for demand, mechanism in zip(context.demands, context.mechanisms, strict=True)
        if mechanism is not None and mechanism.is_cloud
    ]
    fee = rates.price("site_recovery_per_instance_month")
    instances = sum(demand.row.count for demand in context.demands if demand.has_standby)
    unreachable = sum(
        not context.inventory.site(cluster.site).internet
        for index, cluster in enumerate(context.clusters)
        if ((context.primary == index) & (context.standby >= 0)).any()
    )
    return {
        "instances": instances if any(mechanism.is_cloud for mechanism in mechanisms(context.pack)) else 0,
        "fee": fee,
        "monthly": instances * fee,
        "unreachable": unreachable,
        "demands": len(there),
        "instances_there": sum(demand.row.count for demand, _ in there),
        "monthly_there": sum(rates.protection_monthly(demand, mechanism, last) for demand, mechanism in there),
        "max_disk_tb": context.pack.number("site_recovery.max_disk_tb"),
        "goes_home_only": not context.pack.flag("site_recovery.failback_to_other_cluster"),
        "uploads": [
            {
                "site": site,
                "mbps": float(loads.max()),
                "limit": upload_limit_mbps(context.inventory, context.pack, site),
            }
            for site, loads in upload_loads(context).items()
        ],
    }


def _latest(times: Sequence[float | None]) -> float | None:
    """The last of several times; none where one of them never comes."""
    known = [time for time in times if time is not None]
    return max(known, default=None) if len(known) == len(times) else None


def _reserves(rows: Sequence[ReserveRow], policy: str) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: (-row.saved_nodes, -row.protects, row.cluster))
    return {
        "rows": ordered[:SHOWN],
        "hidden": max(0, len(rows) - SHOWN),
        "policy": policy,
        "nodes": sum(row.saved_nodes for row in rows),
        "money": sum(row.saved_cost for row in rows),
    }


def _availability(rows: Sequence[AvailabilityRow]) -> dict[str, Any]:
    """The demands that wait longest, and the mean over all of each workload."""
    year = HOURS_PER_YEAR * MINUTES_PER_HOUR
    groups: dict[str, list[AvailabilityRow]] = {}
    for row in rows:
        groups.setdefault(row.workload, []).append(row)
    ordered = sorted(groups.items(), key=lambda entry: (-max(row.total_minutes for row in entry[1]), entry[0]))
    return {
        "rows": [
            {
                "workload": name,
                "demands": len(members),
                "mean": sum(row.total_minutes for row in members) / len(members),
                "worst": min(members, key=lambda row: (-round(row.total_minutes, 6), row.site)),
                "share": 1.0 - sum(row.total_minutes for row in members) / len(members) / year,
            }
            for name, members in ordered[:SHOWN]
        ],
        "hidden": max(0, len(ordered) - SHOWN),
        "truncation": max((row.truncation_minutes for row in rows), default=0.0),
    }


def _network(breaker: Breaker, connectivity: Connectivity) -> dict[str, Any]:
    """Bridges, joints, groups with one risk, and how many ways lead from sites to clusters."""
    sites = [row for row in site_health(breaker.context, connectivity) if row.kind != "network"]
    bridges, dangling = [], defaultdict(list)
    for element in connectivity.critical_links:
        link = connectivity.wan.links[element.name]
        if len(element.separated) == 1 and element.separated[0] in (link.from_, link.to):
            dangling[link.other_end(element.separated[0])].append(element.separated[0])
        else:
            bridges.append(element)
    bridges.sort(key=lambda element: (-len(element.separated), element.name))
    hubs = sorted(dangling.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    joints = sorted(connectivity.critical_sites, key=lambda element: (-len(element.separated), element.name))
    return {
        "sites": len(sites),
        "by_link": _ways(Counter(row.link_disjoint for row in sites if not row.clusters)),
        "by_site": _ways(Counter(row.site_disjoint for row in sites if not row.clusters)),
        "bridges": bridges[:SHOWN],
        "joints": joints[:SHOWN],
        "dangling": hubs[:SHOWN],
        "hidden": sum(max(0, len(part) - SHOWN) for part in (bridges, joints, hubs)),
        "groups": risk_groups(connectivity)[:SHOWN],
    }


def _ways(counts: Counter[int]) -> list[tuple[str, int]]:
    """Sites by the number of ways, fewest first."""
    return [(("no way", "1 way", "2 ways", "3 ways or more")[ways], counts[ways]) for ways in sorted(counts)]


def _residuals(plan: Plan) -> dict[str, Any] | None:
    """What the fullest links have left: by period, with nothing failed and after the worst single failure."""
    periods = len(plan.document.periods)
    use: dict[str, list[float]] = {}
    for row in plan.document.links:
        cells = use.setdefault(row.link, [0.0] * (2 * periods))
        if row.period < periods:
            for offset, load in ((0, row.normal_mbps), (1, row.worst_mbps)):
                place = 2 * row.period + offset
                cells[place] = max(cells[place], share(load, row.capacity_mbps))
    names = sorted(use, key=lambda name: (-max(use[name]), name))[:MAP_LINKS]
    if not names:
        return None
    columns = [f"P{period + 1} {when}" for period in range(periods) for when in ("normal", "worst")]
    chart = heat_map(names, columns, [use[name] for name in names], use_color, _left_text)
    return {"chart": chart, "legend": use_legend()}


def _left_text(used: float) -> str:
    return f"{use_text(used)} used, {max(0.0, 1.0 - used):.0%} left"
