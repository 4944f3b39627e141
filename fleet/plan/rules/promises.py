"""What a plan promises beyond the failures that it is designed for: nodes, zones and groups of links with one risk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fleet.plan.plan import Finding
from fleet.plan.rules.base import Evidence, Rule, demands_text, finding, listed
from fleet.plan.states import simulate
from fleet.plan.survival import ClusterLoss, ClusterLosses, over_limit
from fleet.plan.violations import HostViolation, LinkViolation, ReachViolation
from fleet.wan.states import shared_risk_failures


def _surprises(evidence: Evidence) -> Iterator[Finding]:
    """DR-008: the loss of a node, a zone or a shared risk overloads nothing and cuts off nobody."""
    yield from _nodes_and_zones(evidence)
    yield from _shared_risks(evidence)


def _nodes_and_zones(evidence: Evidence) -> Iterator[Finding]:
    context = evidence.context
    witnesses = {row.cluster: row.witness for row in evidence.document.clusters}
    losses = ClusterLosses(evidence.normal, witnesses)
    asking: dict[str, dict[int, set[int]]] = {"node": {}, "zone": {}}
    for index, (demand, primary) in enumerate(zip(context.demands, context.primary.tolist(), strict=True)):
        periods = np.flatnonzero(context.exists[index]).tolist()
        if demand.row.fault_tolerance >= 1:
            asking["node"].setdefault(primary, set()).update(periods)
        if demand.row.zone_tolerance >= 1:
            asking["zone"].setdefault(primary, set()).update(periods)
    for kind, index in ((kind, index) for kind, found in asking.items() for index in sorted(found)):
        zones = range(evidence.inventory.site(context.clusters[index].site).zones if kind == "zone" else 0)
        lost = [ClusterLoss(zones=frozenset({zone})) for zone in zones] or [ClusterLoss(nodes=1)]
        survived = [losses.survived(index, loss) for loss in lost]
        when = asking[kind][index]
        if not all(left[period] for left in survived for period in when):
            continue  # ASG-005 and ASG-007 say so
        overloads = [losses.overloads(index, loss) for loss in lost]
        texts = dict.fromkeys(text for found in overloads for period in sorted(when) for text in found[period])
        if texts:
            yield finding(
                "DR-008",
                context.clusters[index].name,
                f"survives the loss of a {kind}, yet the rest cannot run all of it: {listed(texts)}",
                f"keep a {kind} free (reserve_nodes), or move demands",
                severity="warning",
            )


def _shared_risks(evidence: Evidence) -> Iterator[Finding]:
    """Nothing where they are hard: then they are single failures, and the rules of those judge them."""
    context = evidence.context
    for state in () if evidence.inventory.policy.shared_risk == "hard" else shared_risk_failures(context.wan):
        outcome = simulate(evidence.normal, state)
        cut = [context.demands[index].key for index in (*outcome.single_points, *outcome.lost)]
        copies = [context.demands[index].key for index in outcome.uncopied]
        texts = []
        for violation in outcome.violations:
            if isinstance(violation, ReachViolation):
                continue
            if isinstance(violation, HostViolation):
                texts.append(str(violation))
                continue
            name = (
                f"link {violation.link}"
                if isinstance(violation, LinkViolation)
                else f"cluster {violation.cluster} {violation.resource}"
            )
            texts.append(over_limit(name, violation.load, violation.limit, violation.period))
        if cut:
            texts.append(f"{len(cut)} protected demands are cut off: {demands_text(cut)}")
        if copies:
            texts.append(f"copies of {len(copies)} protected demands stop: {demands_text(copies)}")
        if texts:
            yield finding(
                "DR-008",
                state.id,
                f"the links that share it fail together ({listed(sorted(state.links))}): {listed(texts)}",
                "lead one of the links another way; policy shared_risk = hard plans for it",
                severity="warning",
            )


RULES = (
    Rule(
        "DR-008",
        "promises beyond single failures",
        "Losing a node, a zone, or all links of a shared risk, overloads nothing and cuts off no protected demand. "
        "With shared_risk = hard the loss of a shared risk is a single failure for NET-003, NET-004 and CAP-004.",
        "workloads fault_tolerance, zone_tolerance; policy reserve_nodes, shared_risk; links shared_risk",
        "warning",
        "none needed: it is a warning and never limits a decision",
        _surprises,
    ),
)
