"""A promise counts in the periods in which its demand exists: what fails before or after breaks nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fleet.failures.availability import plan_availability
from fleet.failures.details import recovery_rows
from fleet.failures.incidents import Incident
from fleet.failures.reserve import compare_reserves
from fleet.failures.sweep import FailureRow, breaker_of, failure_row, incident_of, lose
from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.growth import GrowthPoint
from fleet.inventory.tables.prices import FailureRate
from fleet.plan.assemble import assemble
from fleet.plan.decisions import decisions_of
from fleet.plan.plan import Plan
from tests.builders import a_link
from tests.failures.small_plans import BY_HAND, LINKS, TIERS, small_inventory, small_plan

ERP, WEB = "erp at store", "web at store"
#: A single node in the first half-year, three nodes in the second.
GROWING = (1, 3)
RING = (*LINKS, a_link("east", "west", link="second"))


def inventory_from(month: int, erp: dict[str, Any], web: dict[str, Any] | None = None, **more: Any) -> Inventory:
    """Two half-years; erp exists from a month on, web all the time and without tolerance."""
    spans = {"horizon_months": 12, "period_months": 6, "links": RING}
    others = {"fault_tolerance": 0, **(web or {})}
    return small_inventory({"from_month": month, "fault_tolerance": 0, **erp}, others, **{**spans, **more})


def row_and_incident(plan: Plan, *elements: str) -> tuple[FailureRow, Incident]:
    breaker = breaker_of(plan)
    incident = incident_of(breaker, elements)
    return failure_row(breaker, incident), incident


@pytest.mark.parametrize(("month", "is_broken"), [(0, True), (6, False)])
def test_fault_tolerance(month: int, is_broken: bool) -> None:
    plan = small_plan(inventory_from(month, {"fault_tolerance": 1, "protection": "none"}), GROWING, standby=False)
    row, incident = row_and_incident(plan, "node:east-c1")
    asked = f"{ERP} asks for fault_tolerance 1 and stops when one node is lost"
    assert row.broken_promises == ((asked,) if is_broken else ())
    assert row.down == ((ERP, WEB) if is_broken else (WEB,))  # web stops with the single node and never asked
    assert is_broken == any(found.rule == "ASG-005" for found in plan.errors)
    # The three nodes of the second half-year survive: what does not stop at first restarts there.
    assert row.rto_minutes == 5
    restarting = [found.workloads for found in recovery_rows(breaker_of(plan), incident) if found.reason == "node"]
    assert restarting == ([()] if is_broken else [("erp",)])


@pytest.mark.parametrize(("month", "is_broken"), [(0, True), (6, False)])
def test_zone_tolerance(month: int, is_broken: bool) -> None:
    inventory = inventory_from(
        month, {"zone_tolerance": 1, "protection": "none"}, sites={hub: {"zones": 2} for hub in ("east", "west")}
    )
    decisions = decisions_of(small_plan(inventory, (1, 2), standby=False).document, inventory)
    spread = dict.fromkeys(TIERS, "rack-aware-two-way-mirror")
    clusters = tuple(replace(cluster, layouts=(cluster.layouts[0], spread)) for cluster in decisions.clusters)
    row = lose(assemble(inventory, replace(decisions, clusters=clusters), BY_HAND), "zone:east/1")
    asked = f"{ERP} asks for zone_tolerance 1 and stops when one zone is lost"
    assert row.broken_promises == ((asked,) if is_broken else ())


@pytest.mark.parametrize(("month", "is_broken"), [(0, True), (6, False)])
def test_room_on_the_nodes_that_are_left(month: int, is_broken: bool) -> None:
    """Web shrinks to a third before erp, which asks to survive a node, begins."""
    shrinking = [GrowthPoint(profile="down", month=0, factor=1.0), GrowthPoint(profile="down", month=6, factor=0.3)]
    plan = small_plan(
        inventory_from(
            month,
            {"fault_tolerance": 1, "protection": "none"},
            {"memory_gb": 600.0, "growth": "down"},
            growth=shrinking,
            reserve_nodes=0,
        ),
        (2, 2),
        standby=False,
    )
    row = lose(plan, "node:east-c1")
    assert len(row.overloaded) == 1
    assert "memory_gb" in row.overloaded[0]
    assert "period 0" in row.overloaded[0]
    assert row.broken_promises == (row.overloaded if is_broken else ())
    assert is_broken == any(found.rule == "DR-008" for found in plan.document.findings)


@pytest.mark.parametrize(("month", "is_broken"), [(0, True), (6, False)])
def test_protection(month: int, is_broken: bool) -> None:
    """With the west gone the east must stand, and its single node does not survive while it is alone."""
    plan = small_plan(inventory_from(month, {}), GROWING)
    row, _ = row_and_incident(plan, "node:east-c1", "site:west")
    assert row.lost == ((ERP,) if is_broken else ())
    assert row.broken_promises == ((f"{ERP} is protected and not restored",) if is_broken else ())


@pytest.mark.parametrize(("month", "is_broken"), [(0, True), (6, False)])
def test_recovery_time(month: int, is_broken: bool) -> None:
    """Nothing recovers it in 29 minutes, which shows with a node only while losing one means failing over."""
    row = lose(small_plan(inventory_from(month, {"protection": "async", "rto_minutes": 29.0}), GROWING), "node:east-c1")
    assert row.restored == ((ERP,) if is_broken else ())
    assert row.broken_promises == ((f"{ERP} has no replication mechanism",) if is_broken else ())


@pytest.mark.parametrize(("month", "is_broken"), [(0, True), (6, True), (24, False)])
def test_copies(month: int, is_broken: bool) -> None:
    plan = small_plan(inventory_from(month, {}, links=LINKS), (2, 2))
    assert bool(lose(plan, "link:east-west").broken_promises) == is_broken
    assert is_broken == any(found.rule == "DR-012" for found in plan.document.findings)


def test_limits_after_a_failure() -> None:
    """What moves in the first half-year loads links and standby then, and nothing in the second."""
    plan = small_plan(inventory_from(0, {"traffic_mbps": 50.0}), GROWING)
    _, incident = row_and_incident(plan, "node:east-c1")
    breaker, outcome = breaker_of(plan), incident.outcome
    context = breaker.context
    assert outcome is not None
    assert [context.demands[index].workload for index in outcome.restored] == ["erp"]
    loads = outcome.link_loads(breaker.normal)
    normal = breaker.normal.mbps.reshape(loads.shape)
    np.testing.assert_allclose(loads[..., 1], normal[..., 1])
    link = context.link_index["store-west"]
    assert (loads[link, 0, 0], normal[link, 0, 0]) == (pytest.approx(50.0), 0.0)
    moved = incident.moved_in(context.cluster_index["west-c1"])
    assert moved is not None
    assert moved[:, 0] == pytest.approx([4.0, 16.0, 0.0])
    assert moved[:, 1] == pytest.approx([0.0, 0.0, 0.0])


def test_downtime_of_a_year() -> None:
    """A single node that stops everything counts for those who depend on it."""
    rate = FailureRate(element="node", mtbf_hours=8760.0 - 24, mttr_hours=24.0)
    down = {}
    for month in (0, 6):
        inventory = replace(inventory_from(month, {"protection": "none"}), failure_rates=(rate,))
        rows = {row.workload: row for row in plan_availability(breaker_of(small_plan(inventory, GROWING, False)))}
        down[month] = rows["erp"].down_minutes, rows["web"].down_minutes
    assert down[0][0] == down[0][1] == down[6][1] > 0
    # From the second half-year on, only two of three nodes at once take the cluster down.
    assert down[6][0] < 0.05 * down[0][0]


def test_nodes_that_a_reserve_asks_for() -> None:
    """Who asks to survive two nodes, which takes four at least, counts once he is there."""
    nodes = {}
    for month in (0, 24):
        web = {"protection": "async", "rpo_minutes": 15.0}
        inventory = inventory_from(month, {"fault_tolerance": 2}, web)
        decisions = decisions_of(small_plan(inventory, (2, 2)).document, inventory)
        standby = dict.fromkeys(decisions.primary, "west-c1")
        (row,) = compare_reserves(breaker_of(assemble(inventory, replace(decisions, standby=standby), BY_HAND)).context)
        nodes[month] = row.nodes_shared
    assert nodes == {0: 4, 24: 1}
