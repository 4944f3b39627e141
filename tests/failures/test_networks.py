"""Health of links and sites: what is left, what hangs on one element, how many ways there are."""

from __future__ import annotations

import pytest

from fleet.failures.networks import link_health, risk_groups, site_health
from fleet.failures.sweep import context_of
from fleet.wan.connectivity import Connectivity
from tests.builders import a_link
from tests.failures.small_plans import LINKS, small_inventory, small_plan


def test_links_are_told_with_their_worst_case() -> None:
    links = (*LINKS[:2], a_link("store", "west", rtt_ms=9, bandwidth_mbps=100, shared_risk="duct"))
    plan = small_plan(small_inventory(links=links))
    rows = {row.link: row for row in link_health(plan, Connectivity(context_of(plan).wan))}
    # Erp and web go 70 Mbit/s the second way, of 80 usable ones, when the first one is cut.
    row = rows["store-west"]
    assert (row.worst_use, row.residual_mbps) == (pytest.approx(70 / 80), pytest.approx(10))
    assert row.worst_case == "link:store-east"
    assert (row.normal_use, row.shared_risk, row.is_bridge, row.separated) == (0, ("duct",), False, 0)
    assert next(iter(rows)) == "store-west"


def test_a_bridge_and_what_it_separates() -> None:
    plan = small_plan(small_inventory(links=LINKS[:2]))
    context = context_of(plan)
    connectivity = Connectivity(context.wan)
    rows = {row.link: row for row in link_health(plan, connectivity)}
    assert {name: (row.is_bridge, row.separated) for name, row in rows.items()} == {
        "east-west": (True, 1),
        "store-east": (True, 1),
    }
    sites = {row.site: row for row in site_health(context, connectivity)}
    assert (sites["store"].link_disjoint, sites["store"].site_disjoint) == (1, 1)
    assert (sites["east"].clusters, sites["east"].separated) == (1, 1)


def test_two_links_to_one_hub_are_two_ways_by_link_and_one_by_site() -> None:
    links = (LINKS[0], LINKS[1], a_link("store", "east", link="second", shared_risk="duct"))
    context = context_of(small_plan(small_inventory(links=links)))
    connectivity = Connectivity(context.wan)
    sites = {row.site: row for row in site_health(context, connectivity)}
    assert (sites["store"].link_disjoint, sites["store"].site_disjoint) == (2, 1)
    (group,) = risk_groups(connectivity)
    assert (group.shared_risk, group.links, group.separated) == ("duct", ("second",), ())
