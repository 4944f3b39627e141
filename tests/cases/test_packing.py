"""Machines that sums of capacity would take and no node does: the plan that is given runs them all."""

from __future__ import annotations

from pathlib import Path

import pytest

import fleet
from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.growth import GrowthPoint
from fleet.plan.plan import Plan
from fleet.platform.capacity import host_reserve_memory_gb
from fleet.platform.sizing import size_fleet
from fleet.rulepack import load_rulepack
from solvers import SolveConfig, solve
from tests.builders import a_link, a_node_model, a_protected_workload, a_site, a_workload, an_inventory

CASE = Path(__file__).resolve().parents[3] / "shared" / "cases" / "39-cannot-run" / "packing"
PACK = load_rulepack("azure-local")
MODES = {
    "default": SolveConfig(gap=0.0, time_limit_s=30.0),
    "one worker": SolveConfig(gap=0.0, time_limit_s=30.0, workers=1),
    "deterministic": SolveConfig(gap=0.0, time_limit_s=30.0, deterministic=True),
}


def five_of_250() -> Inventory:
    """Five machines of 250 GiB, nodes of 471 GiB beside their host: one on each."""
    return an_inventory(
        [a_site("A", can_host=True), a_site("B")],
        [a_workload("w", "A", count=5, vcpus=8.0, memory_gb=250.0, storage_gb=200.0)],
        [a_link("A", "B")],
    )


def gpu_pairs(protected: bool = False) -> Inventory:
    """Three machines of two GPUs each, nodes of three GPUs; with a place to start again if protected."""
    columns = {"count": 3, "gpus": 2.0, "vcpus": 8.0, "memory_gb": 32.0}
    make = a_protected_workload if protected else a_workload
    return an_inventory(
        [a_site("A", can_host=True), a_site("B", can_host=protected)],
        [make("train", "A", **columns)],
        [a_link("A", "B")],
        hardware=[a_node_model("gpu", gpu_model="L4", gpus=3)],
    )


def planned(inventory: Inventory, mode: str) -> Plan:
    result = solve(inventory, config=MODES[mode])
    assert result.status == "optimal"
    plan = result.require_plan()
    assert plan.errors == ()
    return plan


def nodes_of(plan: Plan) -> list[int]:
    return sorted(row.nodes for row in plan.document.cluster_periods)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.skipif(not CASE.is_dir(), reason="the cases are not beside this checkout")
def test_five_machines_of_half_a_node_have_five_nodes_beside_the_free_one(mode: str) -> None:
    inventory = fleet.read(CASE)
    model = inventory.hardware[0]
    assert model.memory_gb - host_reserve_memory_gb(model, PACK) < 2 * 250.0
    assert nodes_of(planned(inventory, mode)) == [6]


@pytest.mark.parametrize("mode", MODES)
def test_machines_of_over_half_a_node_run_one_on_each(mode: str) -> None:
    assert nodes_of(planned(five_of_250(), mode)) == [6]


@pytest.mark.parametrize("mode", MODES)
def test_machines_with_two_gpus_run_one_on_each_node_of_three(mode: str) -> None:
    assert nodes_of(planned(gpu_pairs(), mode)) == [4]


@pytest.mark.parametrize("mode", MODES)
def test_machines_with_gpus_start_again_one_on_each_node(mode: str) -> None:
    assert nodes_of(planned(gpu_pairs(protected=True), mode)) == [4, 4]


def test_both_strategies_end_with_a_plan_that_runs() -> None:
    for make in (five_of_250, gpu_pairs):
        plans = [
            solve(make(), config=MODES["default"], strategy=name).require_plan() for name in ("exact", "decompose")
        ]
        assert [plan.errors for plan in plans] == [(), ()]
        assert nodes_of(plans[0]) == nodes_of(plans[1])


def test_sizing_names_the_clusters_that_sums_would_take() -> None:
    rows = {
        row.archetype.nodes: row for row in size_fleet(five_of_250(), PACK).rows if not row.archetype.zone_tolerance
    }
    assert [nodes for nodes, row in rows.items() if row.fits] == list(range(6, 17))
    for nodes in (4, 5):
        assert f"5 virtual machines do not fit on {nodes - 1} nodes of 115.2 vCPU, 471 GiB" in rows[nodes].reason


def test_an_instance_that_grows_beyond_every_node_is_named_before_solving() -> None:
    inventory = an_inventory(
        [a_site("A", can_host=True)],
        [a_workload("db", "A", memory_gb=400.0, growth="up")],
        growth=[GrowthPoint(profile="up", annual_rate=0.5)],
        horizon_months=12,
    )
    result = solve(inventory, config=MODES["default"])
    assert result.status == "infeasible"
    assert "CAP-006 an instance of 'db' grows to" in str(result.explanation)
