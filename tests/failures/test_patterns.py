"""Patterns of protection that a plan can express: hub and spoke, peers, a ring, tiers."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.failures.sweep import context_of, lose, sweep_single
from fleet.inventory.inventory import DemandKey
from fleet.plan.assemble import assemble
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import Plan
from tests.builders import a_link, a_protected_workload, a_site, an_inventory
from tests.failures.small_plans import BY_HAND, TIERS

#: Who stands by for whom.
PATTERNS = {
    "hub and spoke": {"a": "d", "b": "d", "c": "d"},
    "peers": {"a": "b", "b": "a", "c": "d", "d": "c"},
    "ring": {"a": "b", "b": "c", "c": "d", "d": "a"},
    "tiers": {"a": "c", "b": "c", "c": "d"},
}


def pattern_plan(pattern: dict[str, str], **policy: Any) -> Plan:
    """Four sites, each linked to every other one, each of which runs and protects its own."""
    names = ("a", "b", "c", "d")
    sites = [a_site(name, can_host=True, latitude=40.0, longitude=-80.0 - at) for at, name in enumerate(names)]
    links = [a_link(one, other) for one in names for other in names if one < other]
    workloads = [a_protected_workload("erp", name, count=12, change_gb_per_day=1.0) for name in pattern]
    layout = dict.fromkeys(TIERS, "three-way-mirror")
    return assemble(
        an_inventory(sites, workloads, links, **policy),
        Decisions(
            tuple(
                ClusterDecision(f"{name}-c1", name, "std", (3,), (layout,))
                for name in sorted({*pattern, *pattern.values()})
            ),
            {DemandKey("erp", name): f"{name}-c1" for name in pattern},
            {DemandKey("erp", name): f"{standby}-c1" for name, standby in pattern.items()},
        ),
        BY_HAND,
    )


@pytest.mark.parametrize("scope", ["workload", "cluster"])
@pytest.mark.parametrize("name", PATTERNS)
def test_every_pattern_stands_every_single_failure(name: str, scope: str) -> None:
    pattern = PATTERNS[name]
    plan = pattern_plan(pattern, partner_scope=scope)
    assert not plan.errors
    assert not [row.element for row in sweep_single(plan) if row.broken_promises or row.lost]
    for primary in pattern:
        assert lose(plan, f"site:{primary}").restored == (f"erp at {primary}",)


@pytest.mark.parametrize("name", PATTERNS)
def test_reserve_is_the_most_that_one_site_sends(name: str) -> None:
    pattern = PATTERNS[name]
    context = context_of(pattern_plan(pattern))
    for cluster in context.clusters:
        sent = [48.0 for standby in pattern.values() if standby == cluster.site]
        assert context.reserve_of(context.cluster_index[cluster.name], "vcpu", 0) == max(sent, default=0.0)
    dedicated = context_of(pattern_plan(pattern, standby_reserve="dedicated"))
    for cluster in dedicated.clusters:
        sent = [48.0 for standby in pattern.values() if standby == cluster.site]
        assert dedicated.reserve_of(dedicated.cluster_index[cluster.name], "vcpu", 0) == sum(sent)
