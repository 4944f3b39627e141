from __future__ import annotations

import itertools

import pytest

from fleet.failures.sweep import context_of, normal_of
from fleet.operations.maintenance import (
    MaintenanceError,
    MaintenanceRow,
    maintenance_findings,
    maintenance_waves,
    plan_maintenance,
    protection_pairs,
)
from fleet.plan.plan import Plan
from fleet.rulepack import load_rulepack
from tests.builders import a_node_model
from tests.failures.small_plans import small_inventory, small_plan
from tests.operations.many_clusters import random_plan


def standby_pairs(plan: Plan) -> set[frozenset[str]]:
    """Who stands by for whom, from the rows of the plan alone."""
    return {frozenset((row.cluster, row.standby)) for row in plan.document.standbys}


def overlaps(a: MaintenanceRow, b: MaintenanceRow) -> bool:
    """Whether two clusters are drained at the same time."""
    ends = [row.day + row.hours / 24 for row in (a, b)]
    return a.month == b.month and max(a.day, b.day) < min(ends)


@pytest.mark.parametrize(
    ("sites", "hubs", "partners", "seed"),
    [(12, 3, 2, 0), (20, 6, 1, 1), (30, 9, 2, 2), (40, 12, 3, 3), (40, 12, 11, 4)],
)
def test_no_two_clusters_of_a_pair_are_ever_drained_together(sites: int, hubs: int, partners: int, seed: int) -> None:
    plan = random_plan(sites, hubs, seed, partners)
    pairs = standby_pairs(plan)
    rows = plan_maintenance(normal_of(plan))
    assert {row.cluster for row in rows} == {row.cluster for row in plan.document.clusters}
    assert len(pairs) >= hubs // 2
    checked = 0
    for a, b in itertools.combinations(rows, 2):
        if frozenset((a.cluster, b.cluster)) in pairs:
            assert not overlaps(a, b), (a, b)
            checked += a.month == b.month
    months = {row.month for row in rows}
    assert checked == len(pairs) * len(months)


def test_waves_are_as_few_as_the_pairs_allow() -> None:
    plan = random_plan(40, 12, 3, partners=1)
    context = context_of(plan)
    assert {frozenset(pair) for pair in protection_pairs(context)} == standby_pairs(plan)
    waves = maintenance_waves(context)
    assert 2 <= 1 + max(waves.values()) <= 3, "each cluster has one partner of its own: rings and trees"
    assert all(waves[a] != waves[b] for a, b in protection_pairs(context))


def test_clusters_that_protect_nothing_share_one_wave() -> None:
    plan = small_plan(small_inventory(), standby=False)
    assert {row.wave for row in plan_maintenance(normal_of(plan))} == {0}


def test_months_and_kinds_follow_the_rule_pack() -> None:
    plan = small_plan(small_inventory(horizon_months=18), nodes=(2, 2, 2))
    rows = [row for row in plan_maintenance(normal_of(plan)) if row.cluster == "east-c1"]
    pack = load_rulepack("azure-local")
    assert (pack.number("updates.cumulative_months"), pack.number("updates.train_months")) == (1, 6)
    assert [row.month for row in rows] == list(range(18))
    assert [row.month for row in rows if row.update == "feature train"] == [6, 12]
    deep = small_plan(small_inventory(horizon_months=18, rule_pack="deep-dive"), nodes=(2, 2, 2))
    rows = [row for row in plan_maintenance(normal_of(deep)) if row.cluster == "east-c1"]
    trains = [row.month for row in rows if row.update == "feature train"]
    assert trains == [3, 6, 9, 12, 15]


def test_clusters_appear_once_they_have_nodes_and_take_hours_by_node() -> None:
    plan = small_plan(small_inventory(erp={"from_month": 6}, web={"from_month": 6}, horizon_months=12), nodes=(0, 3))
    rows = [row for row in plan_maintenance(normal_of(plan), hours_per_node=4.0) if row.cluster == "east-c1"]
    assert [(row.month, row.nodes, row.hours) for row in rows] == [(month, 3, 12.0) for month in range(6, 12)]


def test_a_live_drain_needs_room_on_the_other_nodes() -> None:
    # One node of two is left with 512 · 0.92 GiB less what the platform takes.
    room = small_plan(small_inventory(web={"memory_gb": 400.0}), standby=False)
    tight = small_plan(small_inventory(web={"memory_gb": 500.0}), standby=False)
    assert {row.effect for row in plan_maintenance(normal_of(room))} == {"none"}
    (stopped,) = {(row.effect, row.cluster) for row in plan_maintenance(normal_of(tight)) if row.effect != "none"}
    assert stopped == ("stop", "east-c1")
    (found,) = maintenance_findings(plan_maintenance(normal_of(tight)))
    assert (found.rule, found.subject) == ("OPS-401", "east-c1")
    assert "memory_gb" in found.message


def test_a_single_node_stops_what_it_runs() -> None:
    rows = plan_maintenance(normal_of(small_plan(small_inventory(), nodes=(1,), standby=False)))
    east = next(row for row in rows if row.cluster == "east-c1")
    assert (east.effect, east.detail) == ("stop", "2 demands stop while a node restarts: it has one node")


def test_whole_gpus_restart_and_partitions_move() -> None:
    hardware = [a_node_model(gpu_model="L4", gpus=2)]
    effects = {
        mode: {
            row.effect
            for row in plan_maintenance(
                normal_of(
                    small_plan(small_inventory(web={"gpus": 1, "gpu_mode": mode}, hardware=hardware), standby=False)
                )
            )
            if row.cluster == "east-c1"
        }
        for mode in ("dda", "partition")
    }
    assert effects == {"dda": {"restart"}, "partition": {"none"}}


def test_a_window_that_is_too_short_is_refused() -> None:
    with pytest.raises(MaintenanceError, match="take 400 hours, a window of 7 days is shorter"):
        plan_maintenance(normal_of(small_plan(small_inventory())), hours_per_node=200.0)
