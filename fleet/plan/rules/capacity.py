"""Rules of capacity: what clusters carry, keep free, and take in after a failure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fleet.plan.context import POOL
from fleet.plan.machines import EVERY_DOMAIN
from fleet.plan.placement import differs, exceeds
from fleet.plan.plan import Finding
from fleet.plan.rules.base import Evidence, Rule, finding
from fleet.plan.states import simulate
from fleet.plan.violations import ClusterViolation, HostViolation
from fleet.quantities import COMPUTE_RESOURCES, RESOURCES

UNITS = {"vcpu": "vCPU", "memory_gb": "GiB", "pool_tb": "TB", "gpu": "GPU"}


def _own_load(evidence: Evidence) -> Iterator[Finding]:
    """CAP-001: own load within the usable capacity, for every resource and period."""
    context = evidence.context
    for index, cluster in enumerate(context.clusters):
        for position, resource in enumerate(RESOURCES):
            for period in range(context.load.shape[2]):
                if cluster.decision.nodes[period] <= 0:
                    continue
                load, capacity = context.load[index, position, period], context.capacity[index, position, period]
                if exceeds(load, capacity):
                    yield finding(
                        "CAP-001",
                        cluster.name,
                        f"{resource} load {load:.6g} over {capacity:.6g} {UNITS[resource]} in period {period}",
                        "add nodes or move demands",
                        load,
                        capacity,
                        UNITS[resource],
                    )


def _machines(evidence: Evidence) -> Iterator[Finding]:
    """CAP-005: virtual machines within what hosts and cluster run, the nodes of N+k kept free."""
    context = evidence.context
    for index, cluster in enumerate(context.clusters):
        for period, archetype in enumerate(cluster.archetypes):
            count = int(context.machines[index, period])
            if archetype is not None and count > archetype.most_machines:
                yield finding(
                    "CAP-005",
                    cluster.name,
                    f"{count:,} virtual machines in period {period}, at most {archetype.most_machines:,} may run there",
                    "add nodes or move demands",
                    count,
                    archetype.most_machines,
                    "machines",
                )


def _stated_capacity(evidence: Evidence) -> Iterator[Finding]:
    """CAP-002: the stated capacity is what the platform gives after reserves, N+k and utilization."""
    context = evidence.context
    for row in evidence.document.cluster_loads:
        index = context.cluster_index.get(row.cluster)
        if index is None or not 0 <= row.period < context.capacity.shape[2]:
            continue
        capacity = float(context.capacity[index, RESOURCES.index(row.resource), row.period])
        if np.isfinite(capacity) and differs(row.capacity, capacity):
            yield finding(
                "CAP-002",
                row.cluster,
                f"{row.resource} capacity in period {row.period} stated as {row.capacity:.6g}, "
                f"recomputed {capacity:.6g}",
                "assemble the plan again",
                row.capacity,
                capacity,
                UNITS[row.resource],
            )


def _reserve(evidence: Evidence) -> Iterator[Finding]:
    """CAP-003: own compute and the standby reserve fit together."""
    context = evidence.context
    for index, cluster in enumerate(context.clusters):
        for position, resource in enumerate(COMPUTE_RESOURCES):
            for period in range(context.reserve.shape[2]):
                reserve = context.reserve[index, position, period]
                need = context.own_compute[index, position, period] + reserve
                limit = context.failover_capacity[index, position, period]
                if reserve > 0 and exceeds(need, limit) and cluster.decision.nodes[period] > 0:
                    yield finding(
                        "CAP-003",
                        cluster.name,
                        f"{resource}: own load and standby reserve {reserve:.6g} make {need:.6g}, over {limit:.6g} "
                        f"{UNITS[resource]} in period {period}",
                        "add nodes, or let other clusters stand by",
                        need,
                        limit,
                        UNITS[resource],
                    )


def _after_failure(evidence: Evidence) -> Iterator[Finding]:
    """CAP-004: own compute and what moves in fit in every single-failure state."""
    worst: dict[tuple[str, str], ClusterViolation] = {}
    count: dict[tuple[str, str], int] = {}
    for outcome in evidence.outcomes:
        for violation in outcome.violations:
            if not isinstance(violation, ClusterViolation):
                continue
            key = (violation.cluster, violation.resource)
            count[key] = count.get(key, 0) + 1
            if key not in worst or violation.load - violation.limit > worst[key].load - worst[key].limit:
                worst[key] = violation
    nodes = {cluster.name: cluster.decision.nodes for cluster in evidence.context.clusters}
    for key, violation in worst.items():
        if nodes[violation.cluster][violation.period] <= 0:
            continue
        yield finding(
            "CAP-004",
            violation.cluster,
            f"{violation.resource} load {violation.load:.6g} over {violation.limit:.6g} {UNITS[violation.resource]} in "
            f"period {violation.period} when {violation.state.id} fails ({count[key]} states and periods are over)",
            "add nodes, or spread what fails over to this cluster",
            violation.load,
            violation.limit,
            UNITS[violation.resource],
        )


def _pool_alert(evidence: Evidence) -> Iterator[Finding]:
    """CAP-008: pools that a policy above the platform's alert fills above it."""
    fill, alert = evidence.inventory.policy.pool_fill, evidence.pack.number("capacity.pool_fill")
    if not exceeds(fill, alert):
        return
    context = evidence.context
    for index, cluster in enumerate(context.clusters):
        pools = context.capacity[index, POOL] / fill
        shares = [
            load / pool if 0.0 < pool < float("inf") else 0.0
            for load, pool in zip(context.load[index, POOL].tolist(), pools.tolist(), strict=True)
        ]
        fullest = max(range(len(shares)), key=shares.__getitem__)
        if exceeds(shares[fullest], alert):
            yield finding(
                "CAP-008",
                cluster.name,
                f"the pool is {shares[fullest]:.0%} full in period {fullest}: the policy fills pools up to {fill:.0%}, "
                f"and the platform raises an alert at {alert:.0%}",
                "lower pool_fill, or move the threshold of the alert",
                shares[fullest],
                alert,
                severity="warning",
            )


def _hosts(evidence: Evidence) -> Iterator[Finding]:
    """CAP-006: every machine finds one node, among those not kept free, before and after every single failure."""
    worst: dict[str, HostViolation] = {}
    count: dict[str, int] = {}
    for outcome in (simulate(evidence.normal), *evidence.outcomes):
        for violation in outcome.violations:
            if isinstance(violation, HostViolation):
                worst.setdefault(violation.cluster, violation)
                count[violation.cluster] = count.get(violation.cluster, 0) + 1
    for name, violation in worst.items():
        crowd = violation.crowd
        sent = ""
        if crowd.domain == EVERY_DOMAIN:
            sent = " with all that stands by there"
        elif violation.arriving:
            sent = f" with what the loss of {crowd.domain or violation.state.id!r} sends"
        yield finding(
            "CAP-006",
            name,
            f"{crowd} in period {crowd.period}{sent} ({count[name]} states and periods are so)",
            "add nodes or larger ones, make the machines smaller, or move demands",
            crowd.count,
            None,
            "machines",
        )


RULES = (
    Rule(
        "CAP-001",
        "resource capacity",
        "Own load fits in the usable capacity of every cluster, resource and period.",
        "platform capacity",
        "error",
        "capacity",
        _own_load,
    ),
    Rule(
        "CAP-002",
        "stated capacity",
        "Stated capacities keep N+k nodes, repair reserve, pool fill and utilization limit free.",
        "policy reserve_nodes, max_utilization, pool_fill; rule pack capacity",
        "error",
        "none needed: capacities are computed by fleet.platform.capacity on both sides",
        _stated_capacity,
    ),
    Rule(
        "CAP-003",
        "standby reserve",
        "Own load and the compute that a failed fault domain would send fit together.",
        "policy standby_reserve, standby_uses_node_reserve",
        "error",
        "reserve",
        _reserve,
    ),
    Rule(
        "CAP-004",
        "capacity after a failure",
        "Own load and everything that moves in fit after any single failure.",
        "single failures; policy failure_rtt_factor, standby_uses_node_reserve",
        "error",
        "links",
        _after_failure,
    ),
    Rule(
        "CAP-005",
        "virtual machines",
        "A cluster runs no more virtual machines than its hosts and the platform allow, N+k nodes kept free.",
        "rule pack limits.max_vms_per_node, limits.max_vms_per_cluster; policy reserve_nodes",
        "error",
        "machines",
        _machines,
    ),
    Rule(
        "CAP-008",
        "pool alert",
        "What the policy's pool_fill allows beyond the platform's own alert is named; the policy decides.",
        "policy pool_fill; rule pack capacity.pool_fill",
        "warning",
        "none needed: it informs; what a pool holds is limited by CAP-001",
        _pool_alert,
    ),
    Rule(
        "CAP-006",
        "one node for each machine",
        "Every virtual machine finds one node with room for it, N+k nodes kept free, and so do those that fail over "
        "after any single failure.",
        "workloads count; policy reserve_nodes, vcpu_per_core, standby_uses_node_reserve; rule pack host, gpu",
        "error",
        "hosts",
        _hosts,
    ),
)
