from __future__ import annotations

from typing import Any

import pytest

from fleet.failures.sweep import context_of
from fleet.inventory.inventory import DemandKey, Inventory
from fleet.operations.seeding import SeedRow, plan_seeding
from fleet.plan.assemble import assemble
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import Plan
from tests.builders import a_link, a_protected_workload, a_site, an_inventory
from tests.failures.small_plans import BY_HAND, TIERS, small_inventory, small_plan


def seeds(plan: Plan) -> tuple[SeedRow, ...]:
    """The first copies of a plan."""
    return plan_seeding(plan, context_of(plan))


def seed(**erp: Any) -> SeedRow:
    columns = {"change_gb_per_day": 0.0, "traffic_mbps": 0.0, **erp}
    (row,) = seeds(small_plan(small_inventory(erp=columns, web={"traffic_mbps": 0.0}, protocol_overhead=1)))
    return row


def test_days_by_hand() -> None:
    # 1,000 Mbit/s at 80 % carry 100 MB/s = 8,640 GB a day.
    row = seed(storage_gb=8640.0)
    assert (row.size_gb, row.left_mbps) == (8640, 800)
    assert row.days == row.finished_day == pytest.approx(1)


def test_running_replication_keeps_its_bandwidth() -> None:
    # 5 minutes of 100 GB a day at three times the mean, 60 % of it shipped within 5 minutes.
    row = seed(change_gb_per_day=100.0)
    assert row.left_mbps == pytest.approx(800 - 8000 * 100 * 3 * 0.6 / 86400)


def test_nothing_to_copy_takes_no_time() -> None:
    row = seed(storage_gb=0.0)
    assert (row.days, row.finished_day) == (0, 0)


def test_no_bandwidth_no_date() -> None:
    plan = small_plan(small_inventory())
    links = tuple(row.model_copy(update={"normal_mbps": row.capacity_mbps}) for row in plan.document.links)
    (row,) = seeds(Plan(plan.document.model_copy(update={"links": links})))
    assert (row.left_mbps, row.days, row.finished_day) == (0, None, None)


def test_copies_are_made_in_the_period_of_the_first_demand() -> None:
    (row,) = seeds(small_plan(small_inventory(erp={"from_month": 7}, horizon_months=18), nodes=(2, 2, 2)))
    assert row.period == 1


def three_hubs() -> tuple[Inventory, Decisions]:
    """Copies a → b, a → b and b → c, with priorities against the order of names."""
    places = {"a": (40.0, -75.0), "b": (41.0, -80.0), "c": (42.0, -85.0)}
    sites = [a_site(name, can_host=True, latitude=place[0], longitude=place[1]) for name, place in places.items()]
    quiet = {"change_gb_per_day": 0.0, "storage_gb": 8640.0}
    workloads = [
        a_protected_workload("late", "a", priority=2, **quiet),
        a_protected_workload("soon", "a", priority=1, **quiet),
        a_protected_workload("side", "b", priority=3, **quiet),
    ]
    links = [a_link("a", "b"), a_link("c", "b", link="b-c")]
    layouts = (dict.fromkeys(TIERS, "two-way-mirror"),)
    keys = {name: DemandKey(name, site) for name, site in (("late", "a"), ("soon", "a"), ("side", "b"))}
    decisions = Decisions(
        clusters=tuple(ClusterDecision(f"{name}-c1", name, "std", (2,), layouts) for name in places),
        primary={keys["late"]: "a-c1", keys["soon"]: "a-c1", keys["side"]: "b-c1"},
        standby={keys["late"]: "b-c1", keys["soon"]: "b-c1", keys["side"]: "c-c1"},
    )
    return an_inventory(sites, workloads, links, protocol_overhead=1), decisions


def test_copies_over_one_link_wait_for_each_other() -> None:
    inventory, decisions = three_hubs()
    rows = seeds(assemble(inventory, decisions, BY_HAND))
    assert [row.workload for row in rows] == ["soon", "late", "side"]
    assert [row.days for row in rows] == [pytest.approx(1)] * 3
    assert [row.finished_day for row in rows] == [pytest.approx(1), pytest.approx(2), pytest.approx(1)]
