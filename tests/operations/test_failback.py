"""The way back after a failover, and the healthcare example's first copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fleet
from fleet.failures.sweep import context_of, normal_of
from fleet.inventory.inventory import DemandKey
from fleet.operations.failback import FailbackRow, plan_failback
from fleet.operations.seeding import copy_days, plan_seeding
from fleet.plan.assemble import assemble
from fleet.plan.context import POOL
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import Plan
from tests.failures.small_plans import BY_HAND, TIERS, small_inventory, small_plan
from tests.operations.test_seeding import three_hubs

DATA = Path(__file__).resolve().parents[2] / "data"


def back(**erp: Any) -> FailbackRow:
    columns = {"change_gb_per_day": 0.0, "traffic_mbps": 0.0, **erp}
    inventory = small_inventory(erp=columns, web={"traffic_mbps": 0.0}, protocol_overhead=1)
    (row,) = plan_failback(normal_of(small_plan(inventory)))
    return row


def test_everything_goes_home_over_what_is_left() -> None:
    # 1,000 Mbit/s at 80 % carry 100 MB/s = 360 GB an hour.
    row = back(storage_gb=720.0)
    assert (row.cluster, row.standby, row.left_mbps) == ("east-c1", "west-c1", 800)
    assert (row.full_gb, row.full_hours, row.full_finished_hour) == (720, pytest.approx(2), pytest.approx(2))
    assert (row.resync_gb, row.resync_hours) == (0, 0)


def test_resync_ships_what_changed_and_never_more_than_there_is() -> None:
    # A day's 50 GB at 60 %; the replication home keeps the bandwidth of three times the mean.
    row = back(storage_gb=720.0, change_gb_per_day=50.0)
    assert row.resync_gb == pytest.approx(30)
    assert row.left_mbps == pytest.approx(800 - 8000 * 50 * 3 * 0.6 / 86_400)
    assert row.resync_hours == pytest.approx(30 * 8000 / row.left_mbps / 3600)
    assert back(storage_gb=10.0, change_gb_per_day=50.0).resync_gb == 10


def test_the_way_home_goes_by_priority_and_in_waves() -> None:
    inventory, decisions = three_hubs()
    rows = plan_failback(normal_of(assemble(inventory, decisions, BY_HAND)))
    assert [(row.cluster, row.workload, row.wave) for row in rows] == [
        ("a-c1", "soon", 1),
        ("a-c1", "late", 2),
        ("b-c1", "side", 1),
    ]
    assert [row.full_finished_hour for row in rows] == [pytest.approx(24), pytest.approx(48), pytest.approx(24)]


def hospital_plan() -> Plan:
    """The main hospital on four nodes at home, its standbys on three nodes in Cleveland, as in the training text."""
    inventory = fleet.read(DATA / "healthcare")
    home, away = "Hospital Columbus", "Hospital Cleveland"
    primary = {demand.key: f"{home}-c1" for demand in inventory.demands}
    standby = {demand.key: f"{away}-c1" for demand in inventory.demands if demand.is_protected}
    layout = dict.fromkeys(TIERS, "three-way-mirror")
    clusters = tuple(
        ClusterDecision(f"{site}-c1", site, "large-64c-1024g", (nodes,) * 3, (layout,) * 3)
        for site, nodes in ((home, 4), (away, 3))
    )
    return assemble(inventory, Decisions(clusters, primary, standby), BY_HAND)


def test_fifteen_terabytes_take_33_hours_at_line_rate_and_more_under_load() -> None:
    days = copy_days(15_000.0, 1000.0)
    assert days is not None
    assert days * 24 == pytest.approx(33.3, abs=0.1)
    plan = hospital_plan()
    rows = {row.workload: row for row in plan_seeding(plan, context_of(plan)) if row.site == "Hospital Columbus"}
    records = [rows[name] for name in ("pacs", "ehr")]
    assert sum(row.size_gb for row in records) == pytest.approx(15_000 * 1.1, rel=0.1), "with growth and overhead"
    assert all(row.left_mbps < 800 for row in records), "users and replication come first"
    assert sum(row.days or 0.0 for row in records) * 24 > 33.3


def test_the_footprint_of_all_copies_counts_at_the_three_node_survivor() -> None:
    context = context_of(hospital_plan())
    survivor = context.cluster_index["Hospital Cleveland-c1"]
    data_tb = [
        sum(
            context.inventory.amounts(demand, period).storage_tb
            for demand in context.demands
            if DemandKey(demand.workload, demand.site) in context.decisions.standby
        )
        for period in range(3)
    ]
    assert context.load[survivor, POOL] == pytest.approx([3 * amount for amount in data_tb]), "three copies of each"
    assert min(data_tb) > 35, "35 TB at the main hospital alone"
