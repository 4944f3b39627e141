"""Rules of the network: users near enough, links never overloaded, failovers in reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fleet.plan.placement import Reason, exceeds, light_reason, user_rtt_reason
from fleet.plan.plan import Finding
from fleet.plan.rules.base import Evidence, Rule, finding, finding_of, listed, text
from fleet.plan.states import simulate
from fleet.plan.violations import LinkViolation, ReachViolation
from fleet.wan.states import NORMAL


def _user_rtt(evidence: Evidence) -> Iterator[Finding]:
    """NET-001: users reach their primary within max_rtt_ms with nothing failed."""
    context = evidence.context
    for index, demand in enumerate(context.demands):
        reason = user_rtt_reason(context.router, demand, context.clusters[int(context.primary[index])].site)
        if reason is not None:
            yield finding_of(reason, text(demand.key), "run it nearer to its users, or on a better path")


def _normal_load(evidence: Evidence) -> Iterator[Finding]:
    """NET-002: every link direction within its limit with nothing failed."""
    for violation in simulate(evidence.normal).violations:
        if isinstance(violation, LinkViolation):
            yield finding(
                "NET-002",
                violation.link,
                f"{_direction(evidence, violation)} carries {violation.load:.6g} of {violation.limit:.6g} Mbit/s in "
                f"period {violation.period}: {_parts(evidence, violation)}",
                "upgrade the link or move demands",
                violation.load,
                violation.limit,
                "Mbit/s",
            )


def _parts(evidence: Evidence, violation: LinkViolation) -> str:
    """What a link direction carries with nothing failed, by kind."""
    context = evidence.context
    row = 2 * context.link_index[violation.link] + (0 if violation.forward else 1)
    sums = [0.0, 0.0, 0.0]
    for index, end in enumerate(evidence.normal.fates):
        for kind, rows in enumerate(end.rows):
            sums[kind] += rows.count(row) * float(context.carried[kind, index, violation.period])
    named = zip(("users", "replication", "backups"), sums, strict=True)
    return ", ".join(f"{name} {amount:.6g}" for name, amount in named if amount > 0)


def _direction(evidence: Evidence, violation: LinkViolation) -> str:
    link = evidence.context.wan.links[violation.link]
    ends = (link.from_, link.to) if violation.forward else (link.to, link.from_)
    return f"{ends[0]} → {ends[1]}"


def _load_after_failure(evidence: Evidence) -> Iterator[Finding]:
    """NET-003: every link direction within its limit after any single failure; the worst state of each is named."""
    worst: dict[tuple[str, bool], LinkViolation] = {}
    states: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
    for outcome in evidence.outcomes:
        for violation in outcome.violations:
            if not isinstance(violation, LinkViolation):
                continue
            key = (violation.link, violation.forward)
            states[key].add(violation.state.id)
            if key not in worst or violation.load > worst[key].load:
                worst[key] = violation
    for key, violation in worst.items():
        yield finding(
            "NET-003",
            violation.link,
            f"{_direction(evidence, violation)} carries {violation.load:.6g} of {violation.limit:.6g} Mbit/s in period "
            f"{violation.period} when {violation.state.id} fails ({len(states[key])} failures overload it)",
            "upgrade the link or move demands",
            violation.load,
            violation.limit,
            "Mbit/s",
        )


def _reach(evidence: Evidence) -> Iterator[Finding]:
    """NET-004: protected demands reach their standby after site, fault-domain and cluster failures."""
    for outcome in evidence.outcomes:
        lost = [violation for violation in outcome.violations if isinstance(violation, ReachViolation)]
        if not lost:
            continue
        far = [violation for violation in lost if violation.rtt_ms is not None]
        nearest = max(far, key=lambda violation: violation.rtt_ms or 0.0, default=None)
        yield finding(
            "NET-004",
            outcome.state.id,
            f"{len(lost)} protected demands are not restored (standby down, or no path within failure_rtt_factor × "
            f"max_rtt_ms): {listed(f'{text(violation.demand)} on {violation.standby}' for violation in lost)}",
            "choose standbys that stay in reach of the users",
            None if nearest is None else nearest.rtt_ms,
            None if nearest is None else nearest.limit_ms,
            "" if nearest is None else "ms",
        )


def _upgrades(evidence: Evidence) -> Iterator[Finding]:
    """NET-005: only links that offer an upgrade are upgraded."""
    for name in evidence.context.decisions.upgrades:
        link = evidence.context.wan.links.get(name)
        if link is not None and link.upgrade_mbps is None:
            yield finding("NET-005", name, "is upgraded but offers no upgrade", "state upgrade_mbps")


def _link_capacity(evidence: Evidence) -> Iterator[Finding]:
    """NET-006: nothing is reserved beyond what a link has left."""
    for link in evidence.context.wan.links.values():
        usable = min(link.forward_mbps, link.back_mbps) * link.limit
        if exceeds(link.reserved_mbps, usable):
            yield finding(
                "NET-006",
                link.link,
                f"reserved {link.reserved_mbps:g} Mbit/s is over the usable {usable:g} Mbit/s: "
                "nothing is left for the fleet",
                "correct reserved_mbps or the limit",
                link.reserved_mbps,
                usable,
                "Mbit/s",
                severity="warning",
            )


def _backups(evidence: Evidence) -> Iterator[Finding]:
    """NET-010: backups have a path to the site that is named for them, with nothing failed."""
    context = evidence.context
    for index, demand in enumerate(context.demands):
        site, target = context.clusters[int(context.primary[index])].site, demand.row.backup_site
        if demand.row.sends_backups and site != target and context.router.route(site, target, NORMAL) is None:
            yield finding(
                "NET-010",
                text(demand.key),
                f"its backups are made nowhere: no path leads from {site} to its backup_site {target}",
                "link the sites, or name another backup_site",
                severity="warning",
            )


def _light(evidence: Evidence) -> Iterator[Finding]:
    """NET-008: no round trip of users or copies is below that of light in fiber; each pair of sites is named once."""
    context = evidence.context
    known: dict[tuple[str, str], Reason | None] = {}
    for index, demand in enumerate(context.demands):
        primary = context.clusters[int(context.primary[index])].site
        pairs = [(demand.site, primary)]
        if context.standby[index] >= 0:
            pairs.append((primary, context.clusters[int(context.standby[index])].site))
        for pair in pairs:
            if pair in known:
                continue
            known[pair] = reason = light_reason(context.inventory, context.router, *pair)
            if reason is not None:
                yield finding_of(
                    reason, " – ".join(pair), "correct the round trips of the links between, or the coordinates"
                )


RULES = (
    Rule(
        "NET-001",
        "user latency",
        "Users reach the primary of each demand within max_rtt_ms on the least-RTT path.",
        "workloads max_rtt_ms",
        "error",
        "assignment",
        _user_rtt,
    ),
    Rule(
        "NET-002",
        "link load",
        "Every link direction stays within its limit with nothing failed.",
        "policy max_link_utilization; links max_utilization, reserved_mbps",
        "error",
        "links",
        _normal_load,
    ),
    Rule(
        "NET-003",
        "link load after a failure",
        "Every link direction stays within its limit after any single failure.",
        "single failures; policy max_link_utilization",
        "error",
        "links",
        _load_after_failure,
    ),
    Rule(
        "NET-004",
        "failover reach",
        "After a site, fault-domain or cluster failure every protected demand reaches its standby; with shared_risk = "
        "hard also after the loss of all links of a shared risk, where it does not reach its primary.",
        "policy failure_rtt_factor",
        "error",
        "standby",
        _reach,
    ),
    Rule(
        "NET-005",
        "link upgrade",
        "Only links that offer an upgrade are upgraded.",
        "links upgrade_mbps",
        "error",
        "links",
        _upgrades,
    ),
    Rule(
        "NET-006",
        "link reserve",
        "What others take of a link leaves something for the fleet.",
        "links reserved_mbps",
        "warning",
        "none needed: it judges the input; a link with nothing left carries nothing under NET-002",
        _link_capacity,
    ),
    Rule(
        "NET-008",
        "speed of light",
        "No round trip of users or of copies is below that of light in fiber over the distance.",
        "great circle, 102 km a millisecond there and back",
        "error",
        "assignment",
        _light,
    ),
    Rule(
        "NET-010",
        "paths of backups",
        "Backups have a path to the site that is named for them, with nothing failed.",
        "workloads backup_site; links",
        "warning",
        "none needed: backups without a path wait, and load nothing",
        _backups,
    ),
)
