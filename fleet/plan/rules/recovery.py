"""Rules of recovery: copies, separation, replication, and what they leave open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fleet.inventory.inventory import DemandKey
from fleet.plan.placement import Reason, differs, exceeds, mechanism_reason, separation_reason
from fleet.plan.plan import Finding, StandbyRow
from fleet.plan.protection import recovery_point_minutes
from fleet.plan.rules.base import Evidence, Rule, demands_text, finding, finding_of, text
from fleet.wan.replication import choose_mechanism


def _has_standby(evidence: Evidence) -> Iterator[Finding]:
    """DR-001: protected demands, and only they, have one copy: on a standby at another site, or in the cloud."""
    context = evidence.context
    rows: defaultdict[DemandKey, int] = defaultdict(int)
    known = evidence.inventory.demand_by_key
    for row in evidence.document.standbys:
        key = DemandKey(row.workload, row.site)
        rows[key] += 1
        if key in known and known[key].is_protected and known[key].recovers_in_cloud == bool(row.standby):
            asked = "in the cloud" if known[key].recovers_in_cloud else "on a cluster"
            yield finding(
                "DR-001",
                text(key),
                f"names the standby {row.standby!r}, its recovery {known[key].row.recovery!r} asks for a copy {asked}",
                "name no standby for recovery in the cloud, and a cluster otherwise",
            )
    for demand in context.demands:
        wanted = 1 if demand.is_protected else 0
        if rows[demand.key] != wanted:
            yield finding(
                "DR-001",
                text(demand.key),
                f"has {rows[demand.key]} standby copies, its protection {demand.row.protection!r} asks for {wanted}",
                "give every protected demand one standby, or recovery in the cloud",
                rows[demand.key],
                wanted,
                "copies",
            )
    yield from _separations(evidence, "DR-001")


def _separations(evidence: Evidence, rule: str) -> Iterator[Finding]:
    """Pairs of sites that may not back each other up under one rule, with the demands concerned."""
    context = evidence.context
    known: dict[tuple[str, str], Reason | None] = {}
    broken: defaultdict[tuple[str, str], list[DemandKey]] = defaultdict(list)
    for index, demand in enumerate(context.demands):
        if context.standby[index] < 0:
            continue
        pair = (
            context.clusters[int(context.primary[index])].site,
            context.clusters[int(context.standby[index])].site,
        )
        if pair not in known:
            known[pair] = separation_reason(evidence.inventory, *pair)
        reason = known[pair]
        if reason is not None and reason.rule == rule:
            broken[pair].append(demand.key)
    for pair, keys in broken.items():
        reason = known[pair]
        if reason is not None:
            yield finding(
                rule,
                " → ".join(pair),
                f"{reason.message}: {demands_text(keys)}",
                "choose a standby elsewhere",
                reason.actual,
                reason.limit,
                reason.unit,
            )


def _fault_domain(evidence: Evidence) -> Iterator[Finding]:
    """DR-002: primary and standby share no fault domain."""
    yield from _separations(evidence, "DR-002")


def _separation(evidence: Evidence) -> Iterator[Finding]:
    """DR-003: primary and standby are far enough apart."""
    yield from _separations(evidence, "DR-003")


def _mechanism(evidence: Evidence) -> Iterator[Finding]:
    """DR-004: the mechanism is the rules' choice and works over the round trip."""
    context, inventory = evidence.context, evidence.inventory
    for index, row in _copies(evidence):
        demand = context.demands[index]
        mechanism = choose_mechanism(demand, inventory.policy, evidence.pack, inventory.prices)
        if isinstance(mechanism, str):
            yield finding("DR-004", text(demand.key), mechanism, "relax rpo_minutes, rto_minutes or protection")
            continue
        if row.mechanism != mechanism.name:
            yield finding(
                "DR-004",
                text(demand.key),
                f"is kept by {row.mechanism!r}; its objectives choose {mechanism.name!r}",
                f"use {mechanism.name}",
            )
        if mechanism.is_cloud:
            continue  # DR-009 says where it works
        primary, standby = (context.clusters[int(host[index])].site for host in (context.primary, context.standby))
        reason = mechanism_reason(context.router, mechanism, primary, standby)
        if reason is not None:
            yield finding_of(reason, text(demand.key), "choose a nearer standby or another mechanism")


def _copies(evidence: Evidence) -> Iterator[tuple[int, StandbyRow]]:
    """Every demand with a copy that it asks for, and the row that states it; DR-001 misses rows."""
    context = evidence.context
    stated = {DemandKey(row.workload, row.site): row for row in evidence.document.standbys}
    for index, demand in enumerate(context.demands):
        if context.has_copy[index] and demand.key in stated:
            yield index, stated[demand.key]


def _objectives(evidence: Evidence) -> Iterator[Finding]:
    """DR-005: bandwidth, recovery point and recovery time are as recomputed and within the objectives."""
    context = evidence.context
    for index, row in _copies(evidence):
        demand, mechanism = context.demands[index], context.mechanisms[index]
        if mechanism is None:
            continue
        achieved = recovery_point_minutes(context.inventory, demand, mechanism)
        for what, actual, expected, unit in (
            ("required bandwidth", row.required_mbps, float(context.stream[index].max(initial=0.0)), "Mbit/s"),
            ("recovery point", row.rpo_minutes, achieved, "minutes"),
            ("recovery time", row.rto_minutes, mechanism.rto_minutes, "minutes"),
        ):
            if differs(actual, expected):
                yield finding(
                    "DR-005",
                    text(demand.key),
                    f"{what} stated as {actual:.6g}, recomputed {expected:.6g} {unit}",
                    "assemble the plan again",
                    actual,
                    expected,
                    unit,
                )
        for what, actual, limit in (
            ("recovery point", achieved, demand.row.rpo_minutes),
            ("recovery time", mechanism.rto_minutes, demand.row.rto_minutes),
        ):
            if limit is not None and exceeds(actual, limit):
                yield finding(
                    "DR-005",
                    text(demand.key),
                    f"{what} {actual:.6g} minutes is over the objective of {limit:.6g}",
                    "use another mechanism",
                    actual,
                    limit,
                    "minutes",
                )


def _partner(evidence: Evidence) -> Iterator[Finding]:
    """DR-006: with partner_scope cluster all protected demands of a cluster share one standby."""
    context = evidence.context
    if context.inventory.policy.partner_scope != "cluster":
        return
    partners: defaultdict[int, set[int]] = defaultdict(set)
    for primary, standby in zip(context.primary, context.standby, strict=True):
        if standby >= 0:
            partners[int(primary)].add(int(standby))
    for primary, standbys in partners.items():
        if len(standbys) > 1:
            names = sorted(context.clusters[standby].name for standby in standbys)
            yield finding(
                "DR-006",
                context.clusters[primary].name,
                f"its demands stand by on {len(names)} clusters: {', '.join(names)}; partner_scope is cluster",
                "use one standby cluster for all",
                len(names),
                1,
                "clusters",
            )


def _single_points(evidence: Evidence) -> Iterator[Finding]:
    """DR-007: protected demands that the loss of one link or carrier cloud cuts off.

    One finding per element; the only links of sites that hang on the same neighbor make one finding together.
    """
    links_of, links = evidence.context.wan.links_of, evidence.context.wan.links
    dangling: defaultdict[str, list[tuple[str, list[DemandKey]]]] = defaultdict(list)
    for outcome in evidence.outcomes:
        if not outcome.single_points:
            continue
        keys = [evidence.context.demands[index].key for index in outcome.single_points]
        sites = {key.site for key in keys}
        site = min(sites)
        if outcome.state.kind == "link" and len(sites) == 1 and links_of[site] == (outcome.state.name,):
            dangling[links[outcome.state.name].other_end(site)].append((outcome.state.id, keys))
        else:
            yield _single_point(outcome.state.id, keys, "is a single point of failure")
    for neighbor, members in dangling.items():
        if len(members) == 1:
            yield _single_point(*members[0], "is a single point of failure")
        else:
            every = [key for _, keys in members for key in keys]
            subject = f"links to {neighbor}"
            yield _single_point(subject, every, f"are the only links of {len(members)} sites, single points of failure")


def _single_point(subject: str, keys: list[DemandKey], what: str) -> Finding:
    return finding(
        "DR-007",
        subject,
        f"{what} for {len(keys)} protected demands: {demands_text(keys, None)}",
        "add a second path, or run them at their site",
        len(keys),
        0,
        "demands",
        severity="warning",
    )


RULES = (
    Rule(
        "DR-001",
        "standby elsewhere",
        "Every protected demand has one copy: on a standby cluster at another site or, where it asks, in the cloud.",
        "workloads protection, recovery",
        "error",
        "standby",
        _has_standby,
    ),
    Rule(
        "DR-002",
        "fault domain",
        "Primary and standby share no fault domain.",
        "sites fault_domain",
        "error",
        "standby",
        _fault_domain,
    ),
    Rule(
        "DR-003",
        "separation",
        "Primary and standby are at least min_separation_km apart.",
        "policy min_separation_km",
        "error",
        "standby",
        _separation,
    ),
    Rule(
        "DR-004",
        "mechanism",
        "The mechanism meets recovery point and time at the lowest fee and works over the round trip.",
        "rule pack mechanisms; workloads rpo_minutes, rto_minutes; prices",
        "error",
        "standby",
        _mechanism,
    ),
    Rule(
        "DR-005",
        "recovery objectives",
        "Stated bandwidth, recovery point and time are as recomputed and within the objectives.",
        "replication formulas; policy peak_factor, compression, protocol_overhead",
        "error",
        "none needed: they follow from the mechanism, whose bandwidth the encoder of links reserves",
        _objectives,
    ),
    Rule(
        "DR-006",
        "partner scope",
        "With partner_scope cluster all protected demands of a cluster share one standby cluster.",
        "policy partner_scope",
        "error",
        "standby",
        _partner,
    ),
    Rule(
        "DR-007",
        "single point of failure",
        "Protected demands that the loss of one link or carrier cloud cuts off are named.",
        "single failures of links and carrier clouds",
        "warning",
        "none needed: it is a warning and never limits a decision",
        _single_points,
    ),
)
