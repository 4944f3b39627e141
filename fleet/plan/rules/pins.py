"""Rules of what is decided already: pins and existing clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fleet.inventory.tables.hardware import ExistingCluster
from fleet.inventory.tables.pins import Pin
from fleet.plan.pinning import concerns, first_period, is_at, sizes, wanted_nodes, wants_upgrade
from fleet.plan.plan import Finding
from fleet.plan.rules.base import Evidence, Rule, finding, text
from fleet.plan.standing_clusters import StandingCluster
from fleet.platform.growth import growth_refusal
from fleet.platform.network import cabling_refusal
from fleet.platform.standing import archetype_today


def _pins(evidence: Evidence) -> Iterator[Finding]:
    """PIN-001: every pin is kept."""
    for pin in evidence.inventory.pins:
        for subject, problem in _CHECKS[pin.decision](evidence, pin):
            why = ", ".join(part for part in (pin.reason, pin.owner) if part)
            named = f"pin {pin.decision} ({why})" if why else f"pin {pin.decision}"
            yield finding("PIN-001", subject, f"{named}: {problem}", "keep the pin, or take it back")


Broken = Iterator[tuple[str, str]]


def _nodes_at(evidence: Evidence, site: str, period: int) -> int:
    return sum(cluster.decision.nodes[period] for cluster in evidence.context.clusters if cluster.site == site)


def _held(evidence: Evidence, pin: Pin) -> range:
    """The periods in which a pin holds."""
    return range(first_period(pin), len(evidence.inventory.periods))


def _open(evidence: Evidence, pin: Pin) -> Broken:
    missing = [period for period in _held(evidence, pin) if _nodes_at(evidence, pin.site, period) == 0]
    if missing:
        yield pin.site, f"no cluster stands here in period {missing[0]}"


def _close(evidence: Evidence, pin: Pin) -> Broken:
    standing = [period for period in _held(evidence, pin) if _nodes_at(evidence, pin.site, period) > 0]
    if standing:
        yield pin.site, f"a cluster stands here in period {standing[0]}"


def _assign(evidence: Evidence, pin: Pin) -> Broken:
    yield from _hosts(evidence, pin, "primary", "runs")


def _standby(evidence: Evidence, pin: Pin) -> Broken:
    yield from _hosts(evidence, pin, "standby", "stands by")


def _hosts(evidence: Evidence, pin: Pin, role: str, verb: str) -> Broken:
    context = evidence.context
    hosts = context.primary if role == "primary" else context.standby
    for index, demand in enumerate(context.demands):
        if not concerns(pin, demand) or hosts[index] < 0:
            continue
        cluster = context.clusters[int(hosts[index])]
        if not is_at(pin, cluster.name, cluster.site):
            yield text(demand.key), f"{verb} on {cluster.name!r} at {cluster.site!r}, not at {pin.value!r}"


def _forbid(evidence: Evidence, pin: Pin) -> Broken:
    context = evidence.context
    for index, demand in enumerate(context.demands):
        if not concerns(pin, demand):
            continue
        for verb, hosts in (("runs", context.primary), ("stands by", context.standby)):
            if hosts[index] < 0:
                continue
            cluster = context.clusters[int(hosts[index])]
            if is_at(pin, cluster.name, cluster.site):
                yield text(demand.key), f"{verb} at {pin.value!r}"


def _sized(evidence: Evidence, pin: Pin) -> list[StandingCluster]:
    return [cluster for cluster in evidence.context.clusters if sizes(pin, cluster.name, cluster.site)]


def _node_model(evidence: Evidence, pin: Pin) -> Broken:
    for cluster in _sized(evidence, pin):
        if cluster.decision.node_model != pin.value and any(cluster.decision.nodes[first_period(pin) :]):
            yield cluster.name, f"is made of {cluster.decision.node_model!r}, not of {pin.value!r}"


def _nodes(evidence: Evidence, pin: Pin) -> Broken:
    wanted = wanted_nodes(pin)
    if wanted is None:
        return
    for period in _held(evidence, pin):
        nodes = sum(cluster.decision.nodes[period] for cluster in _sized(evidence, pin))
        if nodes < wanted:
            yield pin.cluster or pin.site, f"{nodes} nodes in period {period}, at least {wanted} are pinned"
            return


def _link_upgrade(evidence: Evidence, pin: Pin) -> Broken:
    start = evidence.context.decisions.upgrades.get(pin.link)
    if wants_upgrade(pin):
        if pin.link in evidence.context.wan.links and (start is None or start > first_period(pin)):
            yield pin.link, f"is not upgraded in period {first_period(pin)}"
    elif start is not None:
        yield pin.link, f"is upgraded in period {start}, which the pin excludes"


_CHECKS: dict[str, Callable[[Evidence, Pin], Broken]] = {
    "open": _open,
    "close": _close,
    "assign": _assign,
    "standby": _standby,
    "forbid": _forbid,
    "node_model": _node_model,
    "nodes": _nodes,
    "link_upgrade": _link_upgrade,
}


def _existing(evidence: Evidence) -> Iterator[Finding]:
    """EXI-001: existing clusters stay as they are or grow, unless they may be retired."""
    standing = {cluster.name: cluster for cluster in evidence.context.clusters}
    known = {row.cluster for row in evidence.inventory.clusters}
    for row in evidence.inventory.clusters:
        cluster = standing.get(row.cluster)
        if cluster is None:
            if row.keep and all(listed.cluster != row.cluster for listed in evidence.document.clusters):
                yield finding("EXI-001", row.cluster, "stands already, must stay, and is missing", "keep it")
            continue
        for problem in _changes(evidence, row, cluster):
            yield finding("EXI-001", row.cluster, problem, "keep what stands")
    for cluster in evidence.context.clusters:
        if cluster.decision.existing and cluster.name not in known:
            yield finding(
                "EXI-001", cluster.name, "is said to exist, which the inventory does not know", "mark it as new"
            )


def _changes(evidence: Evidence, row: ExistingCluster, cluster: StandingCluster) -> Iterator[str]:
    decision = cluster.decision
    if not decision.existing:
        yield "is not marked as existing"
    if decision.site != row.site:
        yield f"stands at {row.site!r}, the plan moves it to {decision.site!r}"
    if decision.node_model != row.node_model:
        yield f"is made of {row.node_model!r}, the plan says {decision.node_model!r}"
        return
    if decision.nodes and decision.nodes[0] < row.nodes:
        yield f"has {row.nodes} nodes, the plan {decision.nodes[0]} in period 0"
        return
    model = evidence.inventory.node_model_by_name[row.node_model]
    cabling = cabling_refusal(row, max(decision.nodes), model, evidence.inventory.policy, evidence.pack)
    if cabling:
        yield cabling
    first = cluster.archetypes[0] if cluster.archetypes else None
    if first is None:
        return
    today = archetype_today(evidence.inventory, evidence.pack, row.cluster)
    refusal = None if today is None or today == first else growth_refusal(today, first, evidence.pack)
    if refusal is not None:
        yield f"period 0: {refusal}"


RULES = (
    Rule(
        "PIN-001",
        "pins",
        "Every decision that the planner took by hand is kept.",
        "pins",
        "error",
        "pins",
        _pins,
    ),
    Rule(
        "EXI-001",
        "existing clusters",
        "Existing clusters stay at their site with at least their nodes; only those with keep = no may be retired.",
        "clusters keep, node_model, nodes, layout",
        "error",
        "pins",
        _existing,
    ),
)
