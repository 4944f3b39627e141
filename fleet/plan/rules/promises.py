"""What a plan promises beyond the single failures that it is designed for: nodes and groups of links with one risk."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.plan.plan import Finding
from fleet.plan.rules.base import Evidence, Rule, demands_text, finding, listed
from fleet.plan.states import LinkViolation, ReachViolation, simulate
from fleet.plan.survival import ClusterLoss, ClusterLosses, over_limit
from fleet.wan.states import shared_risk_failures


def _surprises(evidence: Evidence) -> Iterator[Finding]:
    """DR-008: the loss of a node or of a shared risk overloads nothing and cuts off nobody."""
    yield from _nodes(evidence)
    yield from _shared_risks(evidence)


def _nodes(evidence: Evidence) -> Iterator[Finding]:
    context = evidence.context
    witnesses = {row.cluster: row.witness for row in evidence.document.clusters}
    losses, one = ClusterLosses(context, witnesses), ClusterLoss(nodes=1)
    asking = {
        int(primary)
        for demand, primary in zip(context.demands, context.primary, strict=True)
        if demand.row.fault_tolerance >= 1
    }
    for index in sorted(asking):
        if not losses.is_survived(index, one):
            continue  # ASG-005 says so
        texts = [text for period in losses.overloads(index, one) for text in period]
        if texts:
            yield finding(
                "DR-008",
                context.clusters[index].name,
                f"survives the loss of a node, yet the rest cannot run all of it: {listed(texts)}",
                "keep a node free (reserve_nodes), or move demands",
                severity="warning",
            )


def _shared_risks(evidence: Evidence) -> Iterator[Finding]:
    context = evidence.context
    for state in shared_risk_failures(context.wan):
        outcome = simulate(context, state)
        cut = [context.demands[index].key for index in (*outcome.single_points, *outcome.lost)]
        texts = []
        for violation in outcome.violations:
            if isinstance(violation, ReachViolation):
                continue
            name = (
                f"link {violation.link}"
                if isinstance(violation, LinkViolation)
                else f"cluster {violation.cluster} {violation.resource}"
            )
            texts.append(over_limit(name, violation.load, violation.limit, violation.period))
        if cut:
            texts.append(f"{len(cut)} protected demands are cut off: {demands_text(cut)}")
        if texts:
            yield finding(
                "DR-008",
                state.id,
                f"the links that share it fail together ({listed(sorted(state.links))}): {listed(texts)}",
                "lead one of the links another way",
                severity="warning",
            )


RULES = (
    Rule(
        "DR-008",
        "promises beyond single failures",
        "Losing a node, or all links of a shared risk, overloads nothing and cuts off no protected demand.",
        "workloads fault_tolerance; policy reserve_nodes; links shared_risk",
        "warning",
        "none needed: it is a warning and never limits a decision",
        _surprises,
    ),
)
