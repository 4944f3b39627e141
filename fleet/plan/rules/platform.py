"""Rules of the platform: what a cluster may be and how it may grow.

Ids, names and statements of most come from `fleet.platform`, which refuses archetypes under the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fleet.plan.plan import ClusterRow, Finding
from fleet.plan.rules.base import Evidence, Rule, finding
from fleet.plan.standing_clusters import StandingCluster
from fleet.platform.eligibility import PLATFORM_RULES, PlatformRule
from fleet.platform.growth import growth_refusal
from fleet.platform.quorum import NO_WITNESS, has_to_vote, node_tolerance

NODE_COUNT, NEVER_SHRINK = "PLT-001", "PLT-020"
GROWTH_NAME = "growth-"


def _refused(rule: str, evidence: Evidence) -> Iterator[Finding]:
    """Archetypes that the platform refuses under one rule; each reason once per cluster."""
    for cluster in evidence.context.clusters:
        seen: set[str] = set()
        for period, refusals in enumerate(cluster.refusals):
            for id_, reason in refusals:
                if id_ == rule and reason not in seen:
                    seen.add(reason)
                    yield finding(
                        rule,
                        cluster.name,
                        f"{cluster.decision.nodes[period]} × {cluster.decision.node_model} in period {period}: "
                        f"{reason}",
                        "choose an allowed node model, node count and layout",
                    )
    if rule == NODE_COUNT:
        yield from _without_nodes(evidence)


def _without_nodes(evidence: Evidence) -> Iterator[Finding]:
    for row in evidence.document.cluster_periods:
        if row.nodes < 1:
            yield finding(
                NODE_COUNT,
                row.cluster,
                f"{row.nodes} nodes in period {row.period}",
                "leave out periods without nodes",
                row.nodes,
                1,
                "nodes",
            )
    for cluster in evidence.context.clusters:
        if not any(cluster.decision.nodes):
            yield finding(
                NODE_COUNT, cluster.name, "has no nodes in any period", "leave the cluster out", 0, 1, "nodes"
            )


def _growth(rule: str, evidence: Evidence) -> Iterator[Finding]:
    """Steps of growth that the platform refuses under one rule."""
    for cluster in evidence.context.clusters:
        nodes = cluster.decision.nodes
        for period in range(1, len(nodes)):
            if nodes[period] < nodes[period - 1]:
                if rule == NEVER_SHRINK:
                    yield finding(
                        rule,
                        cluster.name,
                        f"shrinks from {nodes[period - 1]} to {nodes[period]} nodes in period {period}",
                        "keep the nodes",
                        nodes[period],
                        nodes[period - 1],
                        "nodes",
                    )
                continue
            refusal = _step_refusal(evidence, cluster, period)
            if refusal.startswith(rule):
                yield finding(
                    rule,
                    cluster.name,
                    f"period {period}: {refusal.removeprefix(rule).strip()}",
                    "open with a configuration that may grow so",
                )


def _step_refusal(evidence: Evidence, cluster: StandingCluster, period: int) -> str:
    smaller, larger = cluster.archetypes[period - 1], cluster.archetypes[period]
    if smaller is None or larger is None or smaller == larger:
        return ""
    return growth_refusal(smaller, larger, evidence.pack) or ""


def _witness(evidence: Evidence) -> Iterator[Finding]:
    """PLT-023: the stated witness gives the node tolerance that the cluster is counted with."""
    rows: dict[str, ClusterRow] = {}
    for row in evidence.document.clusters:
        rows.setdefault(row.cluster, row)
    for cluster in evidence.context.clusters:
        row = rows[cluster.name]
        yield from _witness_kind(evidence, row)
        yield from _stated_witness(evidence, cluster, row)
        is_spread = any(archetype is not None and archetype.zone_tolerance for archetype in cluster.archetypes)
        if is_spread and row.witness != "cloud":
            yield finding(
                "PLT-023",
                cluster.name,
                f"witness {row.witness!r}: a rack-aware cluster needs a cloud witness, in neither of its zones",
                "set up a cloud witness",
            )
        has_witness = row.witness in ("cloud", "file_share")
        for period, archetype in enumerate(cluster.archetypes):
            if archetype is None:
                continue
            survived = node_tolerance(archetype.nodes, has_witness, archetype.tolerance.data, evidence.pack).nodes
            if survived < archetype.node_tolerance:
                yield finding(
                    "PLT-023",
                    cluster.name,
                    f"with witness {row.witness!r}, {archetype.nodes} nodes survive {survived} node failures in period "
                    f"{period}; the rules count on {archetype.node_tolerance}",
                    "set up the witness that the rules choose",
                    survived,
                    archetype.node_tolerance,
                    "nodes",
                )
                break


def _witness_kind(evidence: Evidence, row: ClusterRow) -> Iterator[Finding]:
    site = evidence.inventory.site_by_name.get(row.site)
    if row.witness not in ("cloud", "file_share", "none"):
        yield finding(
            "PLT-023", row.cluster, f"witness {row.witness!r} is not cloud, file_share or none", "name a known witness"
        )
    elif row.witness == "cloud" and site is not None and not site.internet:
        yield finding(
            "PLT-023", row.cluster, f"a cloud witness needs the internet, which {row.site!r} lacks", "use a file share"
        )


def _stated_witness(evidence: Evidence, cluster: StandingCluster, row: ClusterRow) -> Iterator[Finding]:
    """The witness of a standing cluster is the one that the planner states, missed where the rules require one."""
    stated = next((known.witness for known in evidence.inventory.clusters if known.cluster == row.cluster), "")
    if not stated or not row.existing:
        return
    if row.witness != stated:
        yield finding(
            "PLT-023",
            row.cluster,
            f"stands with witness {stated!r}, the plan says {row.witness!r}",
            "keep the witness, or correct it in table clusters",
        )
    nodes = next((count for count in cluster.decision.nodes if has_to_vote(count, evidence.pack)), 0)
    if nodes and stated == NO_WITNESS:
        yield finding(
            "PLT-023",
            row.cluster,
            f"{nodes} nodes stand without a witness and survive no node failure; the rules require one",
            "set up a witness and state it in table clusters",
            severity="warning",
        )


def _rule(platform_rule: PlatformRule) -> Rule:
    is_growth = platform_rule.name.startswith(GROWTH_NAME)
    statement = platform_rule.statement
    return Rule(
        id=platform_rule.id,
        name=platform_rule.name.replace("-", " "),
        statement=f"{statement[0].upper()}{statement[1:]}.",
        source=f"rule pack {', '.join(platform_rule.facts)}" if platform_rule.facts else "platform capacity and growth",
        severity="error",
        encoder="growth" if is_growth else "siting",
        verify=partial(_growth if is_growth else _refused, platform_rule.id),
    )


RULES = (
    *(_rule(platform_rule) for platform_rule in PLATFORM_RULES),
    Rule(
        "PLT-023",
        "witness",
        "The witness gives every cluster the node tolerance that its archetype is counted with.",
        "rule pack quorum.cluster, quorum.pool, witness.rule",
        "error",
        "none needed: the witness follows from node count and internet, or is stated and counted with in archetypes",
        _witness,
    ),
)
