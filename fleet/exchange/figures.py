"""The figures that every export shows: the decision, its cost, its proof and how full the clusters are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from fleet.inventory.inventory import Inventory
from fleet.plan.plan import Plan
from fleet.quantities import RESOURCES


@dataclass(frozen=True, slots=True)
class ClusterUse:
    """How full a cluster is in the last period.

    Attributes
    ----------
    nodes : int
        Node count in the last period.
    use : mapping
        Per resource, (load + standby reserve) / capacity [fraction]; resources without capacity are left out.
    """

    cluster: str
    site: str
    node_model: str
    nodes: int
    use: Mapping[str, float]


@dataclass(frozen=True)
class Figures:
    """The figures of one plan.

    Attributes
    ----------
    nodes_first, nodes_last : int
        Nodes of all clusters in the first and in the last period.
    standbys, in_cloud : int
        Demands with a standby cluster, and those that recover in the cloud.
    standby_pairs : int
        Distinct pairs of primary and standby cluster.
    cost : mapping
        Nominal amount per (kind, term) and period, largest sums first.
    verdict : str
        What the audit says, in words.
    """

    currency: str
    sites: int
    hosts: int
    clusters: int
    nodes_first: int
    nodes_last: int
    assignments: int
    standbys: int
    standby_pairs: int
    in_cloud: int
    unserved: int
    upgrades: int
    cost: Mapping[tuple[str, str], tuple[float, ...]]
    uses: tuple[ClusterUse, ...]
    findings: Mapping[tuple[str, str], int]
    verdict: str


def currency_of(plan: Plan) -> str:
    """The currency of every amount in the plan."""
    rows = plan.document.inventory.tables.get("policy", [])
    return next((str(row["value"]) for row in rows if row.get("key") == "currency"), "USD")


def figures(plan: Plan) -> Figures:
    """Work out the figures of `plan` from its rows."""
    document = plan.document
    last = max((row.period for row in document.periods), default=0)
    nodes: Counter[int] = Counter()
    for row in document.cluster_periods:
        nodes[row.period] += row.nodes
    severities = Counter(finding.severity for finding in document.findings)
    return Figures(
        currency=currency_of(plan),
        sites=len(document.inventory.tables.get("sites", [])),
        hosts=len({cluster.site for cluster in document.clusters}),
        clusters=len(document.clusters),
        nodes_first=nodes[0],
        nodes_last=nodes[last],
        assignments=len(document.assignments),
        standbys=len(plan.standby_of),
        standby_pairs=len({(row.cluster, row.standby) for row in document.standbys if row.standby}),
        in_cloud=sum(not row.standby for row in document.standbys),
        unserved=len(document.unserved),
        upgrades=len({row.link for row in document.links if row.upgraded}),
        cost=_cost(plan, last + 1),
        uses=_uses(plan, last),
        findings=dict(
            sorted(
                Counter((finding.severity, finding.rule) for finding in document.findings).items(),
                key=lambda entry: (("error", "warning", "info").index(entry[0][0]), -entry[1], entry[0][1]),
            )
        ),
        verdict=_verdict(severities["error"], severities["warning"], severities["info"]),
    )


def _verdict(errors: int, warnings: int, infos: int) -> str:
    word = "clean" if errors == 0 else f"FAILED with {counted(errors, 'error')}"
    return f"{word} ({counted(warnings, 'warning')}, {counted(infos, 'note')})"


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 error``, ``2 errors``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def period_labels(inventory: Inventory) -> list[str]:
    """One label per period, with its months."""
    return [
        f"period {period.index + 1} · months {period.first_month}–{period.first_month + period.months - 1}"
        for period in inventory.periods
    ]


def _cost(plan: Plan, periods: int) -> dict[tuple[str, str], tuple[float, ...]]:
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * periods)
    for row in plan.document.costs:
        if 0 <= row.period < periods:
            sums[row.kind, row.term][row.period] += row.amount
    ordered = sorted(sums.items(), key=lambda entry: (entry[0][0], -sum(entry[1]), entry[0][1]))
    return {key: tuple(amounts) for key, amounts in ordered}


def _uses(plan: Plan, last: int) -> tuple[ClusterUse, ...]:
    document = plan.document
    nodes = {row.cluster: row.nodes for row in document.cluster_periods if row.period == last}
    use: dict[str, dict[str, float]] = defaultdict(dict)
    for row in document.cluster_loads:
        if row.period == last and row.capacity > 0:
            use[row.cluster][row.resource] = (row.load + row.standby_reserve) / row.capacity
    return tuple(
        ClusterUse(
            row.cluster,
            row.site,
            row.node_model,
            nodes.get(row.cluster, 0),
            {resource: use[row.cluster][resource] for resource in RESOURCES if resource in use[row.cluster]},
        )
        for row in sorted(document.clusters, key=lambda row: (row.site, row.cluster))
    )


def decision_text(plan: Plan, shown: Figures) -> str:
    """The decision in one sentence."""
    growth = "" if shown.nodes_first == shown.nodes_last else f", growing to {shown.nodes_last:,},"
    left = f"; {shown.unserved:,} left out" if shown.unserved else ""
    return (
        f"{counted(shown.clusters, 'cluster')} at {counted(shown.hosts, 'site')} "
        f"with {counted(shown.nodes_first, 'node')}"
        f"{growth} run {counted(shown.assignments, 'workload')}, {protected_text(shown)}{left}; "
        f"present value {plan.totals.present_value:,.0f} {shown.currency}."
    )


def bound_proof(bound_source: str) -> tuple[str, str]:
    """What proved a bound, and what the proof leaves open; the latter may be empty."""
    source, _, remark = bound_source.partition("; ")
    return source, remark


def protected_text(shown: Figures) -> str:
    """How many workloads recover from which copies."""
    cloud = f" and {shown.in_cloud:,} recovering in the cloud" if shown.in_cloud else ""
    return f"{shown.standbys:,} of them with a standby{cloud}"


def proof_rows(plan: Plan, shown: Figures) -> list[tuple[str, str | float | None, str]]:
    """Provenance and proof as (label, value, number format kind: money, percent, seconds, or text)."""
    document, result = plan.document, plan.result
    source, remark = bound_proof(result.bound_source)
    return [
        ("Status", result.status, "text"),
        ("Objective", result.objective, "money"),
        ("Bound", result.bound, "money"),
        ("Gap", result.gap, "percent"),
        ("Bound proven by", source or "–", "text"),
        ("What the bound leaves open", remark or "–", "text"),
        ("Stopped by", result.stopped_by, "text"),
        ("Solve time", result.seconds, "seconds"),
        ("Strategy", result.strategy, "text"),
        ("Seed", str(result.seed), "text"),
        ("Audit", shown.verdict, "text"),
        ("Scenario", document.scenario.name or "base", "text"),
        ("Rule pack", document.generator.rule_pack, "text"),
        ("Fleet · OR-Tools", f"{document.generator.version} · {document.generator.ortools}", "text"),
        *((("Search parameters", document.generator.parameters, "text"),) if document.generator.parameters else ()),
        ("Created", document.created or "– (deterministic run)", "text"),
        ("Inventory SHA-256", document.inventory.sha256, "text"),
    ]
