"""Rules of siting: where clusters may stand and how much fits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fleet.inventory.tables.sites import Site
from fleet.plan.placement import exceeds, is_candidate
from fleet.plan.plan import Finding
from fleet.plan.rules.base import Evidence, Rule, finding
from fleet.plan.standing_clusters import StandingCluster
from fleet.quantities import WATTS_PER_KW


def _can_host(evidence: Evidence) -> Iterator[Finding]:
    """SIT-001: clusters stand at candidate sites only, and new ones where one may be built."""
    inventory = evidence.inventory
    for cluster in evidence.context.clusters:
        site = inventory.site(cluster.site)
        is_allowed = is_candidate(inventory, site) if cluster.decision.existing else inventory.may_build(site)
        if not is_allowed:
            yield finding(
                "SIT-001", cluster.name, f"{cluster.site!r} cannot host a cluster", "choose a site with can_host = yes"
            )


def _site_limits(evidence: Evidence) -> Iterator[Finding]:
    """SIT-002: clusters, nodes, power and rack units of a site."""
    at: defaultdict[str, list[StandingCluster]] = defaultdict(list)
    for cluster in evidence.context.clusters:
        at[cluster.site].append(cluster)
    for name, clusters in at.items():
        yield from _limits_of(evidence, evidence.inventory.site(name), clusters)


def _limits_of(evidence: Evidence, site: Site, clusters: list[StandingCluster]) -> Iterator[Finding]:
    models = evidence.inventory.node_model_by_name
    for span in evidence.inventory.periods:
        sizes = [(cluster.decision.nodes[span.index], models[cluster.decision.node_model]) for cluster in clusters]
        used = (
            ("max_clusters", float(sum(nodes > 0 for nodes, _ in sizes)), site.max_clusters, "clusters"),
            ("max_nodes", float(sum(nodes for nodes, _ in sizes)), site.max_nodes, "nodes"),
            (
                "max_power_kw",
                sum(nodes * model.watts for nodes, model in sizes) / WATTS_PER_KW,
                site.max_power_kw,
                "kW",
            ),
            ("max_rack_units", sum(nodes * model.rack_units for nodes, model in sizes), site.max_rack_units, "U"),
        )
        for limit_name, actual, limit, unit in used:
            if limit is not None and exceeds(actual, limit):
                yield finding(
                    "SIT-002",
                    site.site,
                    f"{actual:g} {unit} in period {span.index}, {limit_name} is {limit:g} {unit}",
                    "use fewer or smaller nodes here",
                    actual,
                    limit,
                    unit,
                )


RULES = (
    Rule(
        "SIT-001",
        "candidate site",
        "Clusters stand only at sites that can host them; a blank can_host means yes where one stands already.",
        "sites can_host",
        "error",
        "siting",
        _can_host,
    ),
    Rule(
        "SIT-002",
        "site limits",
        "All clusters of a site together keep its limits on clusters, nodes, power and rack units.",
        "sites max_clusters, max_nodes, max_power_kw, max_rack_units",
        "error",
        "siting",
        _site_limits,
    ),
)
