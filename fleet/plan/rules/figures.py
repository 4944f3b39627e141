"""Figures that other documents state, beside what the inventory and the plan add up to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fleet.inventory.figures import QUANTITIES, Figure
from fleet.inventory.tables.workloads import TIERS
from fleet.plan.plan import Finding
from fleet.plan.rules.base import Evidence, Rule, finding
from fleet.quantities import gb_to_tb

#: Figures are rounded by who states them: so much may they differ.
ROUNDING = 0.05


def _contradictions(evidence: Evidence) -> Iterator[Finding]:
    """GOV-010: figures whose parts add up to something else, or that contradict another one about the same sites."""
    rows = evidence.inventory.figures
    for row in rows:
        if _contradicts_itself(row):
            parts = " + ".join(f"{part:g}" for part in row.numbers)
            yield finding(
                "GOV-010",
                row.figure,
                f"{_cited(row)}, its parts {parts} add up to {sum(row.numbers):g} {row.unit}; {_answer(evidence, row)}",
                "correct the document, and plan with what the inventory adds up to",
                row.value,
                sum(row.numbers),
                row.unit,
                severity="warning",
            )
    for number, row in enumerate(rows):
        for other in rows[:number]:
            same = (row.quantity, row.site, row.kind) == (other.quantity, other.site, other.kind)
            if same and _differ(_each(evidence, row), _each(evidence, other)):
                yield finding(
                    "GOV-010",
                    row.figure,
                    f"{_cited(other)}, {_each(evidence, other):g} per site, and {_cited(row)}, "
                    f"{_each(evidence, row):g} per site; {_answer(evidence, row)}",
                    "ask which of them is meant, per site",
                    _each(evidence, row),
                    _each(evidence, other),
                    row.unit,
                    severity="warning",
                )


def _stated(evidence: Evidence) -> Iterator[Finding]:
    """GOV-011: figures that differ from what the inventory or the plan adds up to."""
    for row in evidence.inventory.figures:
        found = _amount(evidence, row)
        if _differ(found, row.value) and not _contradicts_itself(row):
            yield finding(
                "GOV-011",
                row.figure,
                f"{_cited(row)}; {_answer(evidence, row)}",
                "check which of them is meant",
                row.value,
                found,
                row.unit,
                severity="info",
            )


def _contradicts_itself(row: Figure) -> bool:
    return bool(row.parts) and _differ(sum(row.numbers), row.value)


def _cited(row: Figure) -> str:
    over = f" for {row.sites} sites" if row.sites is not None else ""
    source = f" ({row.source})" if row.source else ""
    return f"{row.figure!r} states {row.value:g} {row.unit}{over}{source}"


def _answer(evidence: Evidence, row: Figure) -> str:
    """What Fleet counts instead."""
    found = _amount(evidence, row)
    over = f" for {row.sites} sites, {found / row.sites:,.4g} each" if row.sites else ""
    tiers, copies = _copies(evidence, row) if row.quantity == "data_tb" else ("", "")
    return f"Fleet counts {found:,.4g} {row.unit}{over} ({QUANTITIES[row.quantity][1]}{tiers}){copies}"


def _copies(evidence: Evidence, row: Figure) -> tuple[str, str]:
    """Data by tier, and what it takes of its clusters with all copies when they open."""
    context, places = evidence.context, _places(evidence, row)
    data: dict[str, float] = defaultdict(float)
    pool = 0.0
    for demand, index in zip(context.demands, context.primary.tolist(), strict=True):
        if demand.site not in places:
            continue
        amount = gb_to_tb(demand.row.storage_gb) * demand.row.count
        data[demand.row.tier] += amount
        archetype = next((found for found in context.clusters[index].archetypes if found is not None), None)
        pool += archetype.footprint_tb(demand.row.tier, amount) if archetype is not None else 0.0
    tiers = ", ".join(f"{data[tier]:,.4g} {tier}" for tier in TIERS if data[tier])
    return (f": {tiers}", f", which takes {pool:,.4g} TB of pool with its copies") if tiers else ("", "")


def _places(evidence: Evidence, row: Figure) -> frozenset[str]:
    if row.site:
        return frozenset({row.site})
    return frozenset(site.site for site in evidence.inventory.sites if not row.kind or site.kind in row.kind)


def _each(evidence: Evidence, row: Figure) -> float:
    return row.value / (row.sites or max(1, len(_places(evidence, row))))


def _amount(evidence: Evidence, row: Figure) -> float:
    """What the inventory or the plan adds up to, for as many sites as the figure covers."""
    places = _places(evidence, row)
    total = _total(evidence, row, places)
    return total / len(places) * row.sites if row.sites and places else total


def _total(evidence: Evidence, row: Figure, places: frozenset[str]) -> float:
    context = evidence.context
    rows = [demand.row for demand in evidence.inventory.demands if demand.site in places]
    clusters = [cluster.decision for cluster in context.clusters if cluster.site in places]
    if row.quantity == "clusters":
        return float(len(clusters))
    if row.quantity == "nodes":
        return float(sum(next((count for count in cluster.nodes if count), 0) for cluster in clusters))
    if row.quantity == "circuit_mbps":
        circuits = (
            (context.wan.links[link], place) for place in sorted(places) for link in context.wan.links_of[place]
        )
        return sum(link.forward_mbps if link.from_ == place else link.back_mbps for link, place in circuits)
    column = {"data_tb": "storage_gb", "vcpu": "vcpus"}.get(row.quantity, row.quantity)
    amount = float(sum(demand.count * getattr(demand, column) for demand in rows))
    return gb_to_tb(amount) if row.quantity == "data_tb" else amount


def _differ(a: float, b: float) -> bool:
    return abs(a - b) > ROUNDING * max(abs(a), abs(b))


NO_LIMIT = "none needed: it compares documents with the plan and never limits a decision"

RULES = (
    Rule(
        "GOV-010",
        "contradictory figures",
        "Figures of other documents agree with their parts and with each other.",
        "figures value, parts",
        "warning",
        NO_LIMIT,
        _contradictions,
    ),
    Rule(
        "GOV-011",
        "stated figures",
        "Figures of other documents agree with what the inventory and the plan add up to.",
        "figures value",
        "info",
        NO_LIMIT,
        _stated,
    ),
)
