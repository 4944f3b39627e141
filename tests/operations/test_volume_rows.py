"""Volumes of the clusters of a plan, and workloads that are larger than one of them."""

from __future__ import annotations

import pytest

import fleet
from fleet.failures.sweep import context_of
from fleet.inventory.inventory import DemandKey
from fleet.operations.volume_rows import plan_volumes
from tests.failures.small_plans import small_inventory, small_plan
from tests.operations.many_clusters import random_plan


def test_rows_by_hand() -> None:
    """Two nodes, 30 TB warm: 37.5 TB of volumes of at most 15.5 are four; the standby keeps its own copy."""
    plan = small_plan(small_inventory(web={"storage_gb": 20_000.0}, erp={"storage_gb": 10_000.0}))
    held = {row.cluster: row for row in plan_volumes(context_of(plan))}
    assert set(held) == {"east-c1", "west-c1"}
    east = held["east-c1"]
    assert (east.tiers, east.resiliency, east.count, east.limit_tb, east.per_node) == (
        "warm", "two-way-mirror", 4, 15.5, 2.0,
    )  # fmt: skip
    assert (east.data_tb, east.footprint_tb) == pytest.approx((30.0, 60.0))
    assert east.size_tb == pytest.approx(30.0 / 0.8 / 4)


def test_every_cluster_holds_what_it_runs_and_stands_by_for() -> None:
    plan = random_plan(30, 6, 4)
    inventory = context_of(plan).inventory
    last = inventory.periods[-1].index
    data: dict[str, float] = {}
    where = [(row.workload, row.site, row.cluster) for row in plan.document.assignments]
    where += [(row.workload, row.site, row.standby) for row in plan.document.standbys]
    for workload, site, cluster in where:
        demand = inventory.demand_by_key[DemandKey(workload, site)]
        data[cluster] = data.get(cluster, 0.0) + inventory.amounts(demand, last).storage_tb
    rows = plan_volumes(context_of(plan))
    for cluster, amount in data.items():
        own = [row for row in rows if row.cluster == cluster]
        assert sum(row.data_tb for row in own) == pytest.approx(amount)
        assert all(row.count % 4 == 0 and row.size_tb <= row.limit_tb for row in own)
        assert sum(row.count for row in own) <= 62


def test_the_policy_gives_every_tier_its_own_volumes() -> None:
    columns = {"web": {"tier": "hot"}, "erp": {"tier": "warm"}}
    single = plan_volumes(context_of(small_plan(small_inventory(**columns), standby=False)))
    apart = plan_volumes(context_of(small_plan(small_inventory(**columns, pool_layout="per_tier"), standby=False)))
    assert [row.tiers for row in single if row.cluster == "east-c1"] == ["hot, warm"]
    assert [row.tiers for row in apart if row.cluster == "east-c1"] == ["hot", "warm"]


def test_an_instance_larger_than_a_volume_is_a_finding_that_names_the_limit() -> None:
    plan = small_plan(small_inventory(web={"storage_gb": 20_000.0}))
    (found,) = [row for row in fleet.audit(plan) if row.rule == "PLT-030"]
    assert (found.subject, found.severity, found.actual, found.limit) == ("web", "info", 20.0, 15.5)
    assert "has 20.0 TB, a volume at most 15.5: spread its disks over 2 volumes" in found.message
    assert "east-c1" in found.message
    fits = small_plan(small_inventory(web={"storage_gb": 15_500.0}))
    assert not [row for row in fleet.audit(fits) if row.rule == "PLT-030"]
