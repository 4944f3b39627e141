from __future__ import annotations

from typing import Any

import pytest

from fleet.failures.sweep import context_of
from fleet.operations.backup import BackupPlan, plan_backups
from fleet.plan.plan import Plan
from tests.builders import a_link
from tests.failures.small_plans import small_inventory, small_plan
from tests.operations.many_clusters import random_plan


def backups(plan: Plan) -> BackupPlan:
    return plan_backups(plan, context_of(plan))


def erp(standby: bool = True, inventory: dict[str, Any] | None = None, **columns: Any) -> BackupPlan:
    made = small_inventory(erp={"backup_days": 30, **columns}, **(inventory or {}))
    return backups(small_plan(made, standby=standby))


def rules(plan: BackupPlan) -> set[str]:
    return {finding.rule for finding in plan.findings}


def test_nothing_is_backed_up_unless_asked_for() -> None:
    plan = backups(small_plan(small_inventory()))
    assert plan.rows == plan.targets == ()


def test_amounts_by_hand() -> None:
    plan = erp(storage_gb=2_000.0, change_gb_per_day=20.0, backup_site="west", traffic_mbps=0.0)
    (row,) = plan.rows
    # 2 TB and 30 days of 20 GB; 15 % of 2 TB to work in; 22 GB a night at 800 Mbit/s less the replica's stream.
    assert (row.target, row.origin, row.days) == ("west", "given", 30)
    assert (row.protected_tb, row.store_tb, row.nightly_gb) == (2.0, pytest.approx(2.6), pytest.approx(22.0))
    (target,) = plan.targets
    assert (target.demands, target.scratch_tb, target.total_tb) == (1, pytest.approx(0.3), pytest.approx(2.9))
    assert row.hours is not None
    assert row.hours == pytest.approx(8000 * 22 / 800 / 3600, rel=0.05)


def test_backups_grow_with_data_and_changes_until_the_end() -> None:
    from fleet.inventory.tables.growth import GrowthPoint

    growth = (GrowthPoint(profile="double", annual_rate=1.0),)
    made = small_inventory(
        erp={"backup_days": 10, "growth": "double", "storage_gb": 1_000.0}, growth=growth, horizon_months=12
    )
    plan = backups(small_plan(made, nodes=(2, 2)))
    stores = [row.store_tb for row in plan.targets]
    # 1 TB and ten days of 10 GB, in months 5 and 11.
    assert stores == [pytest.approx(1.1 * 2 ** (month / 12)) for month in (5, 11)]
    assert plan.rows[0].store_tb == pytest.approx(stores[-1])


def test_what_clusters_have_left_need_not_be_bought() -> None:
    near = erp(storage_gb=500.0, backup_site="west").targets[0]
    assert (near.to_buy_tb, near.room_tb > near.total_tb) == (0.0, True)
    vault = erp(storage_gb=500.0, backup_site="store").targets[0]
    assert (vault.room_tb, vault.to_buy_tb) == (0.0, vault.total_tb)
    context = context_of(small_plan(small_inventory(erp={"storage_gb": 500.0})))
    free = float(context.capacity[1, 2, 0] - context.load[1, 2, 0])
    assert near.room_tb == pytest.approx(free / 2), "two copies of each byte"


def test_a_target_is_chosen_away_from_the_cluster() -> None:
    (row,) = erp().rows
    assert (row.cluster, row.target, row.origin) == ("east-c1", "west", "chosen")


@pytest.mark.parametrize("seed", range(3))
def test_chosen_targets_keep_distance_and_residency_and_are_counted_once(seed: int) -> None:
    plan = random_plan(20, 5, seed, partners=4)
    tables = plan.document.inventory.tables
    for row in tables["workloads"]:
        row.update(backup_days=7, residency="country")
    found = backups(Plan(plan.document))
    site_of = {row.cluster: row.site for row in plan.document.clusters}
    country = {row["site"]: row.get("country", "") for row in tables["sites"]}
    standby = {(row.workload, row.site): site_of[row.standby] for row in plan.document.standbys}
    assert len(found.rows) == len(plan.document.assignments)
    for row in found.rows:
        assert row.target not in ("", site_of[row.cluster], standby.get((row.workload, row.site)))
        assert country[row.target] == country[row.site]
    last = len(plan.document.periods) - 1
    stored = sum(row.store_tb for row in found.targets if row.period == last)
    assert stored == pytest.approx(sum(row.store_tb for row in found.rows))
    assert sum(row.demands for row in found.targets if row.period == last) == len(found.rows)
    assert "OPS-101" not in rules(found)


def test_findings_name_what_is_wrong() -> None:
    assert rules(erp(backup_site="west")) == {"OPS-105"}, "web has neither backup nor standby"
    assert "OPS-102" in rules(erp(backup_site="east")), "lost with its cluster"
    far = erp(
        backup_site="west", residency="US", inventory={"sites": {"east": {"country": "US"}, "store": {"country": "US"}}}
    )
    assert "OPS-103" in rules(far)
    slow = erp(
        backup_site="west",
        change_gb_per_day=5_000.0,
        inventory={"links": (a_link("east", "west", bandwidth_mbps=2_000), a_link("store", "east"))},
    )
    assert "OPS-104" in rules(slow)
    made = small_inventory(erp={"backup_days": 30, "residency": "US"}, sites={"east": {"country": "US"}})
    lonely = backups(small_plan(made))
    assert rules(lonely) >= {"OPS-101"}
    assert lonely.rows[0].target == ""
    assert lonely.targets == ()
