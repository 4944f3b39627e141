"""Rules of assignment: every demand runs once, where it may."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from fleet.inventory.inventory import Demand, DemandKey
from fleet.plan.placement import (
    Reason,
    cloud_residency_reason,
    gpu_reason,
    instance_reason,
    residency_holds,
    resiliency_reason,
    tolerance_reason,
    zone_reason,
)
from fleet.plan.plan import Finding
from fleet.plan.rules.base import Evidence, Rule, finding, finding_of, text
from fleet.platform.archetype import Archetype
from fleet.platform.instances import INSTANCE_RULES


def _served_once(evidence: Evidence) -> Iterator[Finding]:
    """ASG-001: one assignment, or left out where that is allowed; none for what begins after the horizon."""
    document = evidence.document
    count = Counter(DemandKey(row.workload, row.site) for row in document.assignments)
    unserved = {DemandKey(row.workload, row.site) for row in document.unserved}
    span = len(evidence.inventory.periods)
    for demand in evidence.inventory.demands:
        served = count[demand.key]
        if demand.key in unserved:
            if served:
                yield finding("ASG-001", text(demand.key), "is both assigned and unserved", "decide for one")
            elif not evidence.inventory.policy.allow_unserved:
                yield finding("ASG-001", text(demand.key), "is left out, which the policy does not allow", "serve it")
        elif served != 1 and (served or evidence.inventory.first_period(demand) < span):
            yield finding(
                "ASG-001", text(demand.key), f"is assigned {served} times", "assign it once", served, 1, "assignments"
            )


def _cluster_stands(evidence: Evidence) -> Iterator[Finding]:
    """ASG-002: a cluster has nodes in every period in which a demand or a standby copy needs it."""
    context = evidence.context
    exists = context.exists
    missing: defaultdict[tuple[str, int], list[DemandKey]] = defaultdict(list)
    for index, demand in enumerate(context.demands):
        for host in {int(context.primary[index]), int(context.standby[index])} - {-1}:
            cluster = context.clusters[host]
            for period in np.flatnonzero(exists[index]).tolist():
                if cluster.decision.nodes[period] <= 0:
                    missing[cluster.name, period].append(demand.key)
    for (name, period), keys in missing.items():
        yield finding(
            "ASG-002",
            name,
            f"has no nodes in period {period}, in which {len(keys)} demands need it, {text(keys[0])} first",
            "open the cluster earlier",
            0,
            1,
            "nodes",
        )


def _local(evidence: Evidence) -> Iterator[Finding]:
    """ASG-003: local demands run at their own site."""
    context = evidence.context
    for index, demand in enumerate(context.demands):
        cluster = context.clusters[int(context.primary[index])]
        if demand.row.placement == "local" and cluster.site != demand.site:
            yield finding(
                "ASG-003", text(demand.key), f"must run at its own site, not at {cluster.site!r}", "place it locally"
            )


def _affinity(evidence: Evidence) -> Iterator[Finding]:
    """ASG-004: one cluster for each label at a site, and one standby for the protected ones."""
    context = evidence.context
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for index, demand in enumerate(context.demands):
        if demand.row.affinity:
            groups[demand.row.affinity, demand.site].append(index)
    for (label, site), members in groups.items():
        primaries = {int(context.primary[index]) for index in members}
        standbys = {int(context.standby[index]) for index in members if context.demands[index].has_standby}
        for what, hosts in (("clusters", primaries), ("standby clusters", standbys)):
            if len(hosts) > 1:
                yield finding(
                    "ASG-004",
                    f"{label} at {site}",
                    f"its {len(members)} demands use {len(hosts)} {what}",
                    "keep them together",
                    len(hosts),
                    1,
                    "clusters",
                )


def _per_host(
    evidence: Evidence, reason_of: Callable[[Demand, Archetype], Reason | None], remedy: str
) -> Iterator[Finding]:
    """One finding per demand and cluster, primary or standby, whose archetype does not do in some period."""
    context = evidence.context
    exists = context.exists
    for index, demand in enumerate(context.demands):
        for host in sorted({int(context.primary[index]), int(context.standby[index])} - {-1}):
            for period in np.flatnonzero(exists[index]).tolist():
                archetype = context.clusters[host].archetypes[period]
                reason = None if archetype is None else reason_of(demand, archetype)
                if reason is not None:
                    yield finding_of(reason, text(demand.key), remedy)
                    break


def _tolerance(evidence: Evidence) -> Iterator[Finding]:
    """ASG-005: clusters survive as many node failures as their demands ask for."""
    yield from _per_host(evidence, tolerance_reason, "use a cluster with more nodes or copies")


def _zones(evidence: Evidence) -> Iterator[Finding]:
    """ASG-007: clusters survive the loss of a zone where their demands ask for it."""
    yield from _per_host(evidence, zone_reason, "use a rack-aware cluster at a site with two zones")


def _resiliency(evidence: Evidence) -> Iterator[Finding]:
    """ASG-008: clusters keep data in a resiliency type that its demand accepts."""
    yield from _per_host(evidence, resiliency_reason, "use a cluster with that layout")


def _instance(rule: str, evidence: Evidence) -> Iterator[Finding]:
    """PLT-024, PLT-028: an instance fits on a node of its cluster, with its GPUs used as they may be."""
    yield from _per_host(
        evidence, partial(instance_reason, rule), "use another node model, or split the workload into more instances"
    )


def _gpu(evidence: Evidence) -> Iterator[Finding]:
    """ASG-006: clusters have the GPU model that their demands name."""
    models = evidence.inventory.node_model_by_name

    def reason_of(demand: Demand, archetype: Archetype) -> Reason | None:
        return gpu_reason(demand, models[archetype.node_model])

    yield from _per_host(evidence, reason_of, "use a node model with that GPU")


def _residency(evidence: Evidence) -> Iterator[Finding]:
    """GOV-001: data stays where it must, primary, standby and copy in the cloud."""
    context = evidence.context
    for index, demand in enumerate(context.demands):
        if not demand.row.residency:
            continue
        user = evidence.inventory.site(demand.site)
        cloud = cloud_residency_reason(evidence.inventory, demand) if context.in_cloud[index] else None
        if cloud is not None:
            yield finding_of(cloud, text(demand.key), "state where the cloud is in the policy, or recover on a cluster")
        for role, host in (("runs", context.primary[index]), ("stands by", context.standby[index])):
            if host < 0:
                continue
            site = evidence.inventory.site(context.clusters[int(host)].site)
            if not residency_holds(demand, user, site):
                yield finding(
                    "GOV-001",
                    text(demand.key),
                    f"{role} at {site.site!r} (country {site.country!r}, region {site.region!r}); residency allows "
                    f"{';'.join(demand.row.residency)}",
                    "choose a site that its residency allows",
                )


RULES = (
    Rule(
        "ASG-001",
        "every demand once",
        "Every demand within the horizon is assigned to one cluster, or left out where the policy allows it.",
        "policy allow_unserved",
        "error",
        "assignment",
        _served_once,
    ),
    Rule(
        "ASG-002",
        "cluster stands",
        "A cluster has nodes in every period in which a demand or a standby copy on it exists.",
        "workloads from_month, growth",
        "error",
        "assignment",
        _cluster_stands,
    ),
    Rule(
        "ASG-003",
        "local placement",
        "Demands with placement local run at their own site.",
        "workloads placement",
        "error",
        "assignment",
        _local,
    ),
    Rule(
        "ASG-004",
        "affinity",
        "Demands with one affinity label at a site share a cluster, and the protected ones a standby.",
        "workloads affinity",
        "error",
        "assignment",
        _affinity,
    ),
    Rule(
        "ASG-005",
        "fault tolerance",
        "Primary and standby clusters survive as many node failures as each demand asks for.",
        "workloads fault_tolerance; rule pack quorum",
        "error",
        "assignment",
        _tolerance,
    ),
    Rule(
        "ASG-007",
        "zone failures",
        "A demand runs and stands by on clusters that survive the loss of a zone where it asks for that.",
        "workloads zone_tolerance; rule pack resiliency.types",
        "error",
        "assignment",
        _zones,
    ),
    Rule(
        "ASG-008",
        "resiliency type",
        "The data of a demand is kept in one of the resiliency types that it accepts.",
        "workloads resiliency",
        "error",
        "assignment",
        _resiliency,
    ),
    Rule(
        "ASG-006",
        "GPU model",
        "Primary and standby clusters have the GPU model that a demand names.",
        "workloads gpu_model",
        "error",
        "assignment",
        _gpu,
    ),
    Rule(
        "GOV-001",
        "residency",
        "Primary, standby and cloud satisfy the residency of each demand.",
        "workloads residency; policy cloud_country, cloud_region",
        "error",
        "assignment",
        _residency,
    ),
    *(
        Rule(
            rule.id,
            rule.name.replace("-", " "),
            f"{rule.statement[0].upper()}{rule.statement[1:]}.",
            f"rule pack {', '.join(rule.facts)}",
            "error",
            "assignment",
            partial(_instance, rule.id),
        )
        for rule in INSTANCE_RULES
    ),
)
