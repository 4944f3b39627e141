"""What a reader of a plan should know although no limit is broken."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.plan.plan import Finding
from fleet.plan.rules.base import NAMED, Evidence, Rule, demands_text, finding, listed
from fleet.platform.eligibility import INSTANCE_RULE, instance_refusal

NO_LIMIT = "none needed: it informs and never limits a decision"


def _single_nodes(evidence: Evidence) -> Iterator[Finding]:
    """AVL-001: clusters of one node, all in one finding."""
    names = [cluster.name for cluster in evidence.context.clusters if 1 in cluster.decision.nodes]
    if names:
        yield finding(
            "AVL-001",
            _subject(names),
            f"{len(names)} clusters have a single node, and everything on them stops with it: {listed(names)}",
            "use two nodes or more where that matters",
            len(names),
            unit="clusters",
            severity="info",
        )


def _subject(clusters: list[str]) -> str:
    return clusters[0] if len(clusters) == 1 else "clusters"


def _unprotected(evidence: Evidence) -> Iterator[Finding]:
    """AVL-002: what stays down when a cluster is lost; one finding per cluster, one for all where there are many."""
    down = {
        outcome.state.name: [evidence.context.demands[index].key for index in outcome.down]
        for outcome in evidence.outcomes
        if outcome.state.kind == "cluster" and outcome.down
    }
    if len(down) > NAMED:
        down = {"clusters": [key for keys in down.values() for key in keys]}
    for name, keys in down.items():
        yield finding(
            "AVL-002",
            name,
            f"{len(keys)} unprotected demands stay down when their cluster or its site is lost: {demands_text(keys)}",
            "state a protection for those that matter",
            len(keys),
            unit="demands",
            severity="info",
        )


def _estimates(evidence: Evidence) -> Iterator[Finding]:
    """NET-007: links whose round trip is estimated."""
    names = [link.link for link in evidence.context.wan.links.values() if link.rtt_source == "estimated"]
    if names:
        yield finding(
            "NET-007",
            "links",
            f"{len(names)} round trips are estimated from distance: {listed(names)}",
            "measure them and state rtt_ms",
            len(names),
            unit="links",
            severity="info",
        )


def _cluster_notes(evidence: Evidence) -> Iterator[Finding]:
    """PLT-025: what the platform remarks about archetypes that it takes; one finding per remark."""
    remarks: dict[str, list[str]] = {}
    for cluster in evidence.context.clusters:
        own = (remark for archetype in cluster.archetypes if archetype is not None for remark in archetype.warnings)
        for remark in dict.fromkeys(own):
            remarks.setdefault(remark, []).append(cluster.name)
    for remark, names in remarks.items():
        yield finding(
            "PLT-025", _subject(names), f"{remark}: {listed(names)}", "check whether it matters here", severity="info"
        )


def _instances(evidence: Evidence) -> Iterator[Finding]:
    """PLT-024: instances that no single node of a cluster can run; one finding per workload and node model."""
    context, models = evidence.context, evidence.inventory.node_model_by_name
    seen: set[tuple[str, str]] = set()
    for index, demand in enumerate(context.demands):
        for host in {int(context.primary[index]), int(context.standby[index])} - {-1}:
            cluster = context.clusters[host].decision
            if (demand.workload, cluster.node_model) in seen:
                continue
            seen.add((demand.workload, cluster.node_model))
            refusal = instance_refusal(demand.row, models[cluster.node_model], evidence.pack)
            if refusal is not None:
                yield finding(
                    INSTANCE_RULE.id,
                    cluster.cluster,
                    f"{cluster.node_model}: {refusal.removeprefix(INSTANCE_RULE.id).strip()}",
                    "split the workload into more instances, or use larger nodes",
                    severity="warning",
                )


RULES = (
    Rule(
        INSTANCE_RULE.id,
        INSTANCE_RULE.name.replace("-", " "),
        "An instance of a workload fits on one node.",
        f"rule pack {', '.join(INSTANCE_RULE.facts)}",
        "warning",
        NO_LIMIT,
        _instances,
    ),
    Rule(
        "AVL-001",
        "single node",
        "Single-node clusters have no availability inside the cluster.",
        "policy reserve_nodes",
        "info",
        NO_LIMIT,
        _single_nodes,
    ),
    Rule(
        "AVL-002",
        "unprotected demands",
        "Unprotected demands stay down when their cluster is lost.",
        "workloads protection",
        "info",
        NO_LIMIT,
        _unprotected,
    ),
    Rule(
        "NET-007",
        "estimated round trips",
        "Estimated round trips are named.",
        "links rtt_ms",
        "info",
        NO_LIMIT,
        _estimates,
    ),
    Rule(
        "PLT-025",
        "platform remarks",
        "Remarks of the platform about allowed clusters are passed on.",
        "rule pack",
        "info",
        NO_LIMIT,
        _cluster_notes,
    ),
)
