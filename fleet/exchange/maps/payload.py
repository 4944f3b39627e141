"""What a map of a plan shows, as compact arrays: names are listed once and referred to by index."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from fleet.exchange.figures import counted, period_labels
from fleet.exchange.plan_inventory import inventory_of
from fleet.inventory.inventory import DemandKey, Inventory
from fleet.plan.plan import LinkRow, Plan

#: Index of a standby that a demand does not have, and of one in the cloud.
NOWHERE, IN_CLOUD = -1, -2


def title(plan: Plan, inventory: Inventory) -> dict[str, Any]:
    """What the title box says."""
    document, result = plan.document, plan.result
    currency, totals = inventory.policy.currency, plan.totals
    severities = Counter(finding.severity for finding in document.findings)
    last = len(document.periods) - 1
    nodes = sum(row.nodes for row in document.cluster_periods if row.period == last)
    located = sum(1 for site in inventory.sites if not site.is_network)
    scenario = document.scenario.name
    proof = f"{result.status.replace('_', ' ')}, " + ("no bound" if result.gap is None else f"gap {result.gap:.2%}")
    return {
        "name": document.inventory.name + (f" · {scenario}" if scenario else ""),
        "lines": [
            f"{currency} {totals.present_value:,.0f} present value",
            f"capex {totals.capex:,.0f} · opex {totals.opex:,.0f}",
            proof + (f" ({result.stopped_by})" if result.stopped_by else ""),
            f"{counted(located, 'site')} · {counted(len(document.clusters), 'cluster')} · {nodes:,} nodes at the end",
            f"audit: {counted(severities['error'], 'error')}, {counted(severities['warning'], 'warning')}",
        ],
        "errors": severities["error"],
    }


def map_payload(plan: Plan) -> dict[str, Any]:
    """Everything that the script of a map draws.

    Only carrier clouds may lack coordinates: their circuits are drawn as rings around the site at the other end.
    """
    document, inventory = plan.document, inventory_of(plan)
    site_index = {site.site: index for index, site in enumerate(inventory.sites)}
    cluster_index = {row.cluster: index for index, row in enumerate(document.clusters)}
    kinds = sorted(Counter(site.kind for site in inventory.sites).items(), key=lambda item: (-item[1], item[0]))
    kind_index = {kind: index for index, (kind, _) in enumerate(kinds)}
    workloads = sorted({demand.workload for demand in inventory.demands})
    return {
        "title": title(plan, inventory),
        "periods": period_labels(inventory),
        "kinds": [[kind or "site", count] for kind, count in kinds],
        "workloads": workloads,
        "sites": _sites(plan, inventory, kind_index, cluster_index, {name: i for i, name in enumerate(workloads)}),
        "clusters": _clusters(plan, site_index),
        "spokes": _spokes(plan, site_index, cluster_index),
        "arcs": _arcs(plan, inventory, cluster_index),
        **_links(document.links, site_index, len(document.periods)),
    }


def _sites(
    plan: Plan,
    inventory: Inventory,
    kind_index: dict[str, int],
    cluster_index: dict[str, int],
    workload_index: dict[str, int],
) -> list[list[Any]]:
    """Per site: name, label, kind, place, region, and per demand workload, cluster, RTT, limit and standby."""
    demands: dict[str, list[list[Any]]] = defaultdict(list)
    in_cloud = {DemandKey(row.workload, row.site) for row in plan.document.standbys if not row.standby}
    for row in plan.document.assignments:
        key = DemandKey(row.workload, row.site)
        limit = inventory.demand_by_key[key].row.max_rtt_ms if key in inventory.demand_by_key else None
        standby = plan.standby_of.get(key)
        elsewhere = IN_CLOUD if key in in_cloud else NOWHERE
        demands[row.site].append(
            [
                workload_index.get(row.workload, NOWHERE),
                cluster_index[row.cluster],
                round(row.rtt_ms, 1),
                limit,
                elsewhere if standby is None else cluster_index[standby],
            ]
        )
    return [
        [
            site.site,
            "" if site.name == site.site else site.name,
            kind_index[site.kind],
            None if site.latitude is None else round(site.latitude, 4),
            None if site.longitude is None else round(site.longitude, 4),
            ", ".join(part for part in (site.region, site.country) if part),
            demands[site.site],
        ]
        for site in inventory.sites
    ]


def _clusters(plan: Plan, site_index: dict[str, int]) -> list[dict[str, Any]]:
    document = plan.document
    count = len(document.periods)
    nodes: dict[str, list[int]] = defaultdict(lambda: [0] * count)
    layouts: dict[str, list[dict[str, str]]] = defaultdict(lambda: [{} for _ in range(count)])
    for row in document.cluster_periods:
        nodes[row.cluster][row.period] = row.nodes
        layouts[row.cluster][row.period] = row.layout
    loads: dict[str, dict[str, list[list[float]]]] = defaultdict(dict)
    for load in document.cluster_loads:
        if load.capacity > 0 or load.load > 0 or load.standby_reserve > 0:
            periods = loads[load.cluster].setdefault(load.resource, [[0.0, 0.0, 0.0] for _ in range(count)])
            periods[load.period] = [round(value, 3) for value in (load.load, load.standby_reserve, load.capacity)]
    protected = Counter(row.cluster for row in document.standbys)
    assigned = Counter(row.cluster for row in document.assignments)
    return [
        {
            "name": row.cluster,
            "site": site_index[row.site],
            "model": row.node_model,
            "witness": row.witness,
            "existing": row.existing,
            "nodes": nodes[row.cluster],
            "layouts": layouts[row.cluster],
            "loads": loads[row.cluster],
            "demands": assigned[row.cluster],
            "protected": protected[row.cluster],
        }
        for row in document.clusters
    ]


def _spokes(plan: Plan, site_index: dict[str, int], cluster_index: dict[str, int]) -> list[list[int]]:
    """One [site, cluster] per pair that has at least one demand, away from the cluster's own site."""
    homes = {row.cluster: row.site for row in plan.document.clusters}
    pairs = {(row.site, row.cluster) for row in plan.document.assignments if homes[row.cluster] != row.site}
    return [[site_index[site], cluster_index[cluster]] for site, cluster in sorted(pairs)]


def _arcs(plan: Plan, inventory: Inventory, cluster_index: dict[str, int]) -> list[dict[str, Any]]:
    """One arc per primary, standby and mechanism; into the cloud it leads nowhere on the map."""
    groups = defaultdict(list)
    for row in plan.document.standbys:
        groups[row.mechanism, row.cluster, row.standby].append(row)
    arcs = []
    for (mechanism, primary, standby), rows in sorted(groups.items()):
        stated = (inventory.demand_by_key.get(DemandKey(row.workload, row.site)) for row in rows)
        objectives = [demand.row.rpo_minutes for demand in stated if demand and demand.row.rpo_minutes is not None]
        arcs.append(
            {
                "mechanism": mechanism,
                "from": cluster_index[primary],
                "to": cluster_index[standby] if standby else IN_CLOUD,
                "demands": len(rows),
                "mbps": round(sum(row.required_mbps for row in rows), 2),
                "rtt": round(max(row.rtt_ms for row in rows), 1),
                "rpo": round(max(row.rpo_minutes for row in rows), 1),
                "objective": min(objectives, default=None),
                "rto": round(max(row.rto_minutes for row in rows), 1),
            }
        )
    return arcs


def _links(rows: Sequence[LinkRow], site_index: dict[str, int], periods: int) -> dict[str, Any]:
    """Links as [name, from, to, first upgraded period, loads]; loads per period and direction.

    A direction is [capacity, normal, worst, state]; a period has one direction where both are equal, and all periods
    are one where they are equal, which keeps the file small for thousands of access circuits.
    """
    states = sorted({row.worst_case for row in rows})
    state_index = {state: index for index, state in enumerate(states)}
    by_link: dict[str, list[LinkRow]] = defaultdict(list)
    for row in rows:
        by_link[row.link].append(row)
    links = []
    for name, entries in sorted(by_link.items()):
        start, end = entries[0].from_, entries[0].to
        directions: list[list[list[Any]]] = [[] for _ in range(periods)]
        for row in sorted(entries, key=lambda entry: (entry.period, entry.from_ != start)):
            values = [round(value, 1) for value in (row.capacity_mbps, row.normal_mbps, row.worst_mbps)]
            directions[row.period].append([*values, state_index[row.worst_case]])
        directions = [pair[:1] if len(pair) == 2 and pair[0] == pair[1] else pair for pair in directions]
        if all(pair == directions[0] for pair in directions):
            directions = directions[:1]
        upgraded = min((row.period for row in entries if row.upgraded), default=NOWHERE)
        links.append([name, site_index[start], site_index[end], upgraded, directions])
    return {"states": states, "links": links}
