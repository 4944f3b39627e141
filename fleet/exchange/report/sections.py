"""What the report says about decision, cost, proof, capacity and quorum, from the plan and its own inventory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from fleet.exchange.figures import bound_proof, counted
from fleet.exchange.report.charts import stacked_bars, utilization_bar
from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.workloads import TIERS
from fleet.plan.costs import Discounting
from fleet.plan.plan import ActionRow, Plan
from fleet.platform.capacity import Stage, cluster_capacity
from fleet.platform.quorum import node_tolerance
from fleet.platform.resiliency import resiliency_types
from fleet.rulepack import RulePack

RESOURCE_NAMES = {"vcpu": "vCPU", "memory_gb": "memory [GiB]", "pool_tb": "pool [TB]", "gpu": "GPU"}
#: How many rows of a long table the report shows; the workbook has them all.
SHOWN = 40
WHAT_IS = {
    "optimal": "proven within the tolerance",
    "feasible": "a better plan may exist within the gap",
    "infeasible": "proven: no plan keeps the rules",
    "no_solution": "none found, none excluded",
}


def by_period(plan: Plan, cluster: str) -> tuple[list[int], list[Mapping[str, str]]]:
    """Node counts and layouts of a cluster, one per period; 0 and empty where it does not stand."""
    count = len(plan.document.periods)
    nodes, layouts = [0] * count, [dict[str, str]() for _ in range(count)]
    for row in plan.document.cluster_periods:
        if row.cluster == cluster:
            nodes[row.period], layouts[row.period] = row.nodes, dict(row.layout)
    return nodes, list(layouts)


def layout_text(layout: Mapping[str, str]) -> str:
    """A layout in words: the type of most tiers, then the tiers that differ."""
    if not layout:
        return "–"
    kinds = Counter(layout[tier] for tier in TIERS if tier in layout)
    main = kinds.most_common(1)[0][0]
    others = [f"{tier} {layout[tier]}" for tier in TIERS if layout.get(tier, main) != main]
    return "; ".join([main, *others])


def summary(plan: Plan, inventory: Inventory) -> dict[str, Any]:
    """The head of the report."""
    document, result, currency = plan.document, plan.result, inventory.policy.currency
    severities = Counter(finding.severity for finding in document.findings)
    last = len(document.periods) - 1
    nodes = sum(row.nodes for row in document.cluster_periods if row.period == last)
    sites = sum(not site.is_network for site in inventory.sites)
    audit = "fit" if not severities["error"] else "not fit"
    in_cloud = sum(not row.standby for row in document.standbys)
    return {
        "name": document.inventory.name,
        "scenario": document.scenario.name,
        "verdict": f"{audit}: the audit has {counted(severities['error'], 'error')} "
        f"and {counted(severities['warning'], 'warning')}",
        "is_fit": not severities["error"],
        "tiles": [
            ("present value", f"{currency} {document.totals.present_value:,.0f}"),
            ("capex", f"{currency} {document.totals.capex:,.0f}"),
            ("opex", f"{currency} {document.totals.opex:,.0f}"),
            ("proof", result.status + ("" if result.gap is None else f", gap {result.gap:.2%}")),
            ("clusters", f"{len(document.clusters):,} with {nodes:,} nodes"),
            ("demands", f"{len(document.assignments):,} from {sites:,} sites"),
            (
                "protected",
                f"{len(plan.standby_of):,} with a standby" + (f", {in_cloud:,} in the cloud" if in_cloud else ""),
            ),
            ("horizon", f"{inventory.policy.horizon_months} months, {counted(len(document.periods), 'period')}"),
        ],
    }


def clusters(plan: Plan) -> list[dict[str, Any]]:
    """The decision: one row per cluster, utilization in its fullest period."""
    document = plan.document
    loads: dict[str, dict[str, tuple[float, float, float]]] = defaultdict(dict)
    for row in document.cluster_loads:
        if row.capacity <= 0:
            continue
        known = loads[row.cluster].get(row.resource)
        share = (row.load + row.standby_reserve) / row.capacity
        if known is None or share > (known[0] + known[1]) / known[2]:
            loads[row.cluster][row.resource] = (row.load, row.standby_reserve, row.capacity)
    demands = Counter(row.cluster for row in document.assignments)
    rows = []
    for cluster in sorted(document.clusters, key=lambda row: (row.site, row.cluster)):
        nodes, layouts = by_period(plan, cluster.cluster)
        rows.append(
            {
                "row": cluster,
                "nodes": nodes,
                "layout": layout_text(next((layout for layout in reversed(layouts) if layout), {})),
                "demands": demands[cluster.cluster],
                "bars": {
                    resource: utilization_bar(*values) for resource, values in sorted(loads[cluster.cluster].items())
                },
            }
        )
    return rows


def used_resources(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Resources that at least one cluster offers, in the usual order."""
    return [resource for resource in RESOURCE_NAMES if any(resource in row["bars"] for row in rows)]


def money(plan: Plan, inventory: Inventory) -> dict[str, Any]:
    """Cost by term and period, nominal and as present value."""
    document = plan.document
    discounting = Discounting(inventory)
    count = len(document.periods)
    nominal: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * count)
    present: dict[tuple[str, str], float] = defaultdict(float)
    for row in document.costs:
        nominal[row.kind, row.term][row.period] += row.amount
        present[row.kind, row.term] += discounting.present_value(row)
    keys = sorted(nominal, key=lambda key: (key[0], -sum(nominal[key])))
    labels = [f"P{row.period + 1}" for row in document.periods]
    return {
        "rows": [
            {
                "kind": key[0],
                "term": key[1].replace("_", " "),
                "amounts": nominal[key],
                "present": present[key],
            }
            for key in keys
        ],
        "sums": [sum(nominal[key][period] for key in keys) for period in range(count)],
        "chart": stacked_bars(
            labels,
            [(key[1].replace("_", " "), nominal[key]) for key in keys],
            f"{inventory.policy.currency}, nominal",
        ),
        "prices": inventory.prices,
    }


def proof(plan: Plan) -> list[tuple[str, str]]:
    """How good the plan is proven to be, and what made it."""
    document, result = plan.document, plan.result

    source, remark = bound_proof(result.bound_source)

    def amount(value: float | None) -> str:
        return "none" if value is None else f"{value:,.2f}"

    return [
        ("status", f"{result.status.replace('_', ' ')}: {WHAT_IS[result.status]}"),
        ("objective", amount(result.objective)),
        ("bound", amount(result.bound) + (f" ({source})" if source else "")),
        *((("what the bound leaves open", remark),) if remark else ()),
        ("gap", "unknown, as there is no bound" if result.gap is None else f"{result.gap:.4%}"),
        ("stopped by", result.stopped_by or "–"),
        ("seconds", "not recorded" if result.seconds is None else f"{result.seconds:,.1f}"),
        ("strategy", result.strategy),
        ("seed", str(result.seed)),
        *(
            (f"objective {number}: {row.name.replace('_', ' ')}", f"{amount(row.value)}, bound {amount(row.bound)}")
            for number, row in enumerate(result.objectives, 1)
        ),
        ("inventory", document.inventory.name),
        ("inventory sha256", document.inventory.sha256),
        ("scenario", document.scenario.name or "none"),
        ("rule pack", document.generator.rule_pack),
        ("made by", f"Fleet {document.generator.version}, OR-Tools {document.generator.ortools}"),
        *([("search parameters", document.generator.parameters)] if document.generator.parameters else []),
        ("created", document.created or "not recorded (deterministic mode)"),
    ]


def traces(plan: Plan, inventory: Inventory, pack: RulePack) -> list[dict[str, Any]]:
    """From hardware to usable capacity, once per distinct cluster of the last period, recomputed."""
    groups: dict[tuple[str, int, tuple[tuple[str, str], ...]], list[str]] = defaultdict(list)
    for cluster in plan.document.clusters:
        nodes, layouts = by_period(plan, cluster.cluster)
        if nodes and nodes[-1] and cluster.node_model in inventory.node_model_by_name:
            groups[cluster.node_model, nodes[-1], tuple(sorted(layouts[-1].items()))].append(cluster.cluster)
    found = []
    for (name, nodes_last, layout), names in sorted(groups.items()):
        model = inventory.node_model_by_name[name]
        capacity = cluster_capacity(model, nodes_last, dict(layout), inventory.policy, pack)
        by_unit: dict[str, list[Stage]] = defaultdict(list)
        for stage in capacity.trace:
            by_unit[stage.unit].append(stage)
        found.append(
            {
                "title": f"{nodes_last} × {name}, {layout_text(dict(layout))}",
                "clusters": names,
                "units": {unit: (stages, sum(stage.amount for stage in stages)) for unit, stages in by_unit.items()},
            }
        )
    return found


def quorum(plan: Plan, inventory: Inventory, pack: RulePack) -> list[dict[str, Any]]:
    """Witness and node losses that each cluster survives in the last period."""
    types = resiliency_types(pack)
    rows = []
    for cluster in sorted(plan.document.clusters, key=lambda row: (row.site, row.cluster)):
        nodes, layouts = by_period(plan, cluster.cluster)
        known = [types[kind] for kind in layouts[-1].values() if kind in types] if nodes else []
        if not known:
            continue
        data = min(kind.data_tolerance(nodes[-1]) for kind in known)
        model = inventory.node_model_by_name.get(cluster.node_model)
        rows.append(
            {
                "row": cluster,
                "nodes": nodes[-1],
                "tolerance": node_tolerance(nodes[-1], cluster.witness != "none", data, pack),
                "ports": "" if model is None else f"{model.nic_ports} × {model.nic_gbps:g} Gbit/s",
                "internet": inventory.site(cluster.site).internet,
            }
        )
    return rows


def actions(plan: Plan) -> list[dict[str, Any]]:
    """What to do, by period and kind."""
    groups: dict[tuple[int, str], list[ActionRow]] = defaultdict(list)
    for row in plan.document.actions:
        groups[row.period, row.action].append(row)
    return [
        {
            "period": period,
            "action": action.replace("_", " "),
            "what": [
                ": ".join(part for part in (row.cluster or row.link or row.site, row.detail) if part)
                for row in rows[:SHOWN]
            ],
            "hidden": max(0, len(rows) - SHOWN),
            "cost": sum(row.cost for row in rows),
        }
        for (period, action), rows in sorted(groups.items())
    ]


def bar_legend() -> Markup:
    """What the colors and shades of the bars mean."""
    return utilization_bar(0.4, 0.25, 1.0)
