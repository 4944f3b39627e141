"""Rules of replication streams after failures: what stops the copies although primary and standby are up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from fleet.inventory.inventory import DemandKey
from fleet.plan.plan import Finding, Severity
from fleet.plan.rules.base import Evidence, Rule, demands_text, finding, listed
from fleet.plan.states import simulate
from fleet.plan.uploads import upload_loads
from fleet.wan.states import FailureState, internet_failures


class _Cut(NamedTuple):
    """Copies from one site to another that one failure stops: its state, the demands, and how long the way round is.

    `rtt_ms` and `limit_ms` are None where there is no way round.
    """

    state: FailureState
    pair: tuple[str, str]
    keys: tuple[DemandKey, ...]
    rtt_ms: float | None
    limit_ms: float | None


def _cut_streams(evidence: Evidence) -> Iterator[Finding]:
    """DR-012: copies keep flowing after the loss of any one link, network or site between primary and standby.

    One finding per element; the only links of sites that hang on the same neighbor make one finding together. Whose
    users are cut off is told by DR-007: only the hard rule asks for a path all the same.
    """
    is_hard = evidence.inventory.policy.stream_cut == "hard"
    severity: Severity = "error" if is_hard else "warning"
    links_of, links = evidence.context.wan.links_of, evidence.context.wan.links
    dangling: defaultdict[str, list[_Cut]] = defaultdict(list)
    for outcome in evidence.outcomes:
        cuts = list(_cuts(evidence, outcome.state, outcome.stream_cuts if is_hard else outcome.uncopied))
        hanging = {site for cut in cuts for site in cut.pair if links_of[site] == (outcome.state.name,)}
        if outcome.state.kind == "link" and len(hanging) == 1:
            dangling[links[outcome.state.name].other_end(min(hanging))].extend(cuts)
        elif cuts:
            yield _finding(outcome.state.id, "is a single point of failure", cuts, severity)
    for neighbor, cuts in dangling.items():
        names = sorted({cut.state.name for cut in cuts})
        if len(names) == 1:
            yield _finding(cuts[0].state.id, "is a single point of failure", cuts, severity)
        else:
            what = f"({listed(names)}) are the only links of {len(names)} sites, single points of failure"
            yield _finding(f"links to {neighbor}", what, cuts, severity)
    yield from _uploads(evidence)


def _cuts(evidence: Evidence, state: FailureState, demands: tuple[int, ...]) -> Iterator[_Cut]:
    """The copies that a failure stops, by pair of sites."""
    context = evidence.context
    pairs: defaultdict[tuple[str, str, float | None], list[DemandKey]] = defaultdict(list)
    for index in demands:
        if context.in_cloud[index]:
            continue
        mechanism = context.mechanisms[index]
        limit = None if mechanism is None else mechanism.max_rtt_ms
        primary, standby = (context.clusters[int(host[index])].site for host in (context.primary, context.standby))
        pairs[primary, standby, limit].append(context.demands[index].key)
    for (primary, standby, limit), keys in sorted(pairs.items(), key=lambda entry: entry[0][:2]):
        route = context.router.route(primary, standby, state)
        rtt_ms = None if route is None else route.rtt_ms
        yield _Cut(state, (primary, standby), tuple(keys), rtt_ms, None if rtt_ms is None else limit)


def _finding(subject: str, what: str, cuts: list[_Cut], severity: Severity) -> Finding:
    """The finding of one element, or of several that are alike."""
    demands: defaultdict[tuple[str, str], set[DemandKey]] = defaultdict(set)
    for cut in cuts:
        demands[cut.pair].update(cut.keys)
    keys = {key for found in demands.values() for key in found}
    ways = [f"{a} → {b} ({demands_text(found)})" for (a, b), found in sorted(demands.items())]
    far = max((cut for cut in cuts if cut.rtt_ms is not None), key=lambda cut: cut.rtt_ms or 0.0, default=None)
    longest = "" if far is None else f"; the way round is up to {far.rtt_ms:.4g} ms, over {far.limit_ms:g} ms"
    wanted = sorted({" and ".join(sorted(pair)) for pair in demands})
    within = "" if far is None else f", of {far.limit_ms:g} ms at most,"
    others = "; or choose standbys that a second path reaches (policy stream_cut = hard asks for it)"
    return finding(
        "DR-012",
        subject,
        f"{what} for the copies of {len(keys)} protected demands: {listed(ways)}{longest}. While it is down they stop, "
        "and the loss of where they run loses all that was written since",
        f"add a second path{within} between {listed(wanted, 5)}{others if severity == 'warning' else ''}",
        len(keys) if far is None else far.rtt_ms,
        0 if far is None else far.limit_ms,
        "demands" if far is None else "ms",
        severity=severity,
    )


def _uploads(evidence: Evidence) -> Iterator[Finding]:
    """Copies into the cloud that stop with the internet access of the site that they leave; all in one finding."""
    context = evidence.context
    outcomes = [simulate(evidence.normal, state) for state in internet_failures(upload_loads(context))]
    cut = sorted({context.demands[index].key for outcome in outcomes for index in outcome.uncopied})
    sites = [outcome.state.name for outcome in outcomes if outcome.uncopied]
    if cut:
        yield finding(
            "DR-012",
            f"internet access of {sites[0]}" if len(sites) == 1 else "internet accesses",
            f"the internet access of {listed(sites)} is a single point of failure for the copies into the cloud of "
            f"{len(cut)} protected demands: {demands_text(cut)}. While it is down they stop",
            "lead a second line of another carrier to the site, or let them recover on a cluster that two paths reach",
            len(cut),
            0,
            "demands",
            severity="warning",
        )


RULES = (
    Rule(
        "DR-012",
        "second path of copies",
        "After the loss of one link, carrier cloud or site between them, or of the internet access, copies still flow "
        "between primary and standby within the round trip of their mechanism. A warning where the demand serves its "
        "users; with stream_cut = hard every pair on clusters keeps a path as long as both ends are up.",
        "policy stream_cut, shared_risk; rule pack mechanisms; single failures",
        "warning",
        "standby",
        _cut_streams,
    ),
)
