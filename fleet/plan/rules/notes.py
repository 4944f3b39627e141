"""What a reader of a plan should know although no limit is broken."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from fleet.inventory.inventory import DemandKey
from fleet.plan.plan import Finding
from fleet.plan.rules.base import NAMED, Evidence, Rule, demands_text, finding, listed, text
from fleet.platform.growth import growth_notes
from fleet.platform.standing import archetype_today
from fleet.platform.volumes import Span, spans

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


def _left_out(evidence: Evidence) -> Iterator[Finding]:
    """GOV-012: what the policy allowed to leave out; one finding for each reason."""
    reasons: dict[str, list[DemandKey]] = {}
    for row in evidence.document.unserved:
        reasons.setdefault(row.reason, []).append(DemandKey(row.workload, row.site))
    for reason, keys in reasons.items():
        what = f"{len(keys)} demands are left out" if len(keys) > 1 else "is left out"
        yield finding(
            "GOV-012",
            text(keys[0]) if len(keys) == 1 else "demands left out",
            f"{what} of the plan, as policy allow_unserved permits: {demands_text(keys)} – {reason}",
            "make room for them, or take them out of table workloads",
            float(len(keys)),
            unit="demands",
            severity="warning",
        )


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
    """NET-007: links whose round trip is estimated, and carrier clouds, whose backbone always is."""
    wan = evidence.context.wan
    names = [link.link for link in wan.links.values() if link.rtt_source == "estimated"]
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
    clouds = [name for name in wan.networks if wan.sites[name].has_distance]
    if clouds:
        yield finding(
            "NET-007",
            "networks",
            f"the round trip between members of {len(clouds)} carrier clouds is estimated from distance, "
            f"{wan.rtt_ms_per_km:g} ms/km between their ends: {listed(clouds)}",
            "measure it and state rtt_ms_per_km; distance = no for a metro ring",
            len(clouds),
            unit="networks",
            severity="info",
        )


def _unknown_distances(evidence: Evidence) -> Iterator[Finding]:
    """NET-009: demands whose users, primary or standby reach a carrier cloud from nobody knows where."""
    context = evidence.context
    unplaced = set(context.wan.unplaced)
    if not unplaced:
        return
    resting = []
    for index, demand in enumerate(context.demands):
        hosts = (int(context.primary[index]), int(context.standby[index]))
        if unplaced & {demand.site, *(context.clusters[host].site for host in hosts if host >= 0)}:
            resting.append(demand.key)
    yield finding(
        "NET-009",
        "sites",
        f"{len(unplaced)} members of carrier clouds have no coordinates, so that the distance to them is unknown and "
        f"counts as none: {listed(sorted(unplaced))}; {len(resting)} assignments rest on that"
        + (f": {demands_text(resting)}" if resting else ""),
        "give latitude and longitude, or a place",
        len(unplaced),
        unit="sites",
        severity="warning",
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


def _spanning(evidence: Evidence) -> Iterator[Finding]:
    """PLT-030: instances that are larger than the largest volume of a cluster that keeps them; one finding each."""
    context = evidence.context
    keepers: dict[str, tuple[Span, list[str]]] = {}
    for index, cluster in enumerate(context.clusters):
        archetype = cluster.archetypes[-1]
        here = np.flatnonzero((context.primary == index) | (context.standby == index)).tolist()
        if archetype is None:
            continue
        demands = [context.demands[number] for number in here]
        grown = {demand.workload: context.inventory.growth_factors(demand)[-1] for demand in demands}
        rows = {demand.workload: demand.row for demand in demands}
        for span in spans(archetype, rows.values(), evidence.pack, grown):
            known, names = keepers.setdefault(span.workload, (span, []))
            names.append(cluster.name)
            if span.volumes > known.volumes:
                keepers[span.workload] = (span, names)
    for name, (span, clusters) in keepers.items():
        yield finding(
            "PLT-030",
            name,
            f"{span}: {listed(clusters)}",
            "give each of its disks a volume of its own, or split the workload",
            span.storage_tb,
            span.limit_tb,
            "TB",
            severity="info",
        )


def _layout_changes(evidence: Evidence) -> Iterator[Finding]:
    """PLT-031: clusters whose volumes are converted although no node is added; one finding per change."""
    for cluster in evidence.context.clusters:
        today = archetype_today(evidence.inventory, evidence.pack, cluster.name)
        steps = (today if cluster.decision.existing else None, *cluster.archetypes)
        for period, (before, now) in enumerate(pairwise(steps)):
            if before is None or now is None or now.nodes != before.nodes or now.layout == before.layout:
                continue
            yield finding(
                "PLT-031",
                cluster.name,
                f"{now.nodes} nodes stay, period {period}: {'; '.join(growth_notes(before, now, evidence.pack))}",
                "convert the volumes before the period begins, with a backup at hand",
                severity="info",
            )


RULES = (
    Rule(
        "GOV-012",
        "left out",
        "What is left out of the plan is named with its reason.",
        "policy allow_unserved",
        "warning",
        NO_LIMIT,
        _left_out,
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
        "NET-009",
        "unknown distances",
        "Members of carrier clouds without coordinates, and what rests on them, are named.",
        "sites latitude, longitude, distance",
        "warning",
        NO_LIMIT,
        _unknown_distances,
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
    Rule(
        "PLT-030",
        "spanning volumes",
        "An instance with more data than the largest volume of its cluster is spread over several.",
        "rule pack limits.max_volume_tb, volumes.extent_mib",
        "info",
        NO_LIMIT,
        _spanning,
    ),
    Rule(
        "PLT-031",
        "layout changes",
        "A change of layout without more nodes is named, with what has to be done to the volumes.",
        "rule pack growth.layout_paths",
        "info",
        NO_LIMIT,
        _layout_changes,
    ),
)
