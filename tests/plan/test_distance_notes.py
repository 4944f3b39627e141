"""Notes about distances through carrier clouds: what is estimated, and what rests on the unknown."""

from __future__ import annotations

import dataclasses

from fleet.inventory.inventory import Inventory
from fleet.plan.audit import audit
from fleet.plan.plan import Finding
from tests.builders import a_link, a_site
from tests.failures.small_plans import LINKS, small_inventory, small_plan


def clouded(**cloud: object) -> Inventory:
    """The store reaches both hubs through a carrier cloud, beside the link between these."""
    links = (LINKS[0], *(a_link(name, "mpls", rtt_ms=2.0) for name in ("east", "west", "store")))
    return small_inventory(links=links, sites={"mpls": {"kind": "network", **cloud}}, erp={"max_rtt_ms": 30.0})


def findings(inventory: Inventory, rule: str) -> list[Finding]:
    plan = small_plan(inventory)
    return [found for found in audit(plan, inventory) if found.rule == rule]


def test_the_backbone_of_a_cloud_is_said_to_be_an_estimate() -> None:
    (found,) = findings(clouded(), "NET-007")
    assert (found.subject, found.severity, found.actual, found.unit) == ("networks", "info", 1, "networks")
    assert "estimated from distance, 0.01728 ms/km between their ends: mpls" in found.message
    assert not findings(clouded(distance=False), "NET-007")


def test_round_trips_of_a_plan_have_the_distance() -> None:
    (near, _) = small_plan(clouded()).document.assignments
    (ring, _) = small_plan(clouded(distance=False)).document.assignments
    assert ring.rtt_ms == 4.0
    assert 6.5 < near.rtt_ms < 7.5  # some 168 km between the store and hub east


def test_what_rests_on_a_member_that_is_nowhere_is_named() -> None:
    inventory = clouded()
    assert not findings(inventory, "NET-009")
    sites = tuple(a_site("store") if site.site == "store" else site for site in inventory.sites)
    (found,) = findings(dataclasses.replace(inventory, sites=sites), "NET-009")
    assert (found.severity, found.actual, found.unit) == ("warning", 1, "sites")
    assert "counts as none: store; 2 assignments rest on that" in found.message
    assert not findings(
        dataclasses.replace(
            clouded(distance=False),
            sites=tuple(
                site.model_copy(update={"latitude": None, "longitude": None}) if site.site == "store" else site
                for site in clouded(distance=False).sites
            ),
        ),
        "NET-009",
    )
