"""Clusters without storage switches: what they cost, and that direct cables do not grow."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.failures.sweep import normal_of
from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.growth import GrowthPoint
from fleet.operations.network_plan import plan_network
from fleet.plan.plan import Plan
from solvers import SolveConfig, solve
from tests.builders import a_link, a_node_model, a_site, a_workload, an_existing_cluster, an_inventory

EXACT = SolveConfig(gap=0.0, time_limit_s=60.0)


def a_fleet(count: int, growth: float = 0.0, **tables: Any) -> Inventory:
    """One host, 8 vCPU and 32 GiB for each of `count` machines, no storage switches by policy, a port costs 300."""
    return an_inventory(
        [
            a_site("A", can_host=True, latitude=40.0, longitude=-100.0),
            a_site("B", latitude=41.0, longitude=-100.0),
        ],
        [a_workload("w", "A", count=count, vcpus=8.0, memory_gb=32.0, storage_gb=200.0, growth="up")],
        [a_link("A", "B")],
        hardware=[a_node_model("new", capacity_drive_tb=3.84, price=10000.0, annual_support=500.0, nic_ports=6)],
        growth=[GrowthPoint(profile="up", annual_rate=growth)],
        **{
            "prices": {"switch_port": 300.0}, "horizon_months": 12, "period_months": 6, "storage_switch": False,
            **tables,
        },
    )  # fmt: skip


def planned(inventory: Inventory) -> Plan:
    """The proven plan."""
    result = solve(inventory, config=EXACT)
    assert result.status == "optimal"
    assert result.bound == pytest.approx(result.objective, rel=1e-9)
    plan = result.require_plan()
    assert plan.errors == ()
    return plan


def nodes_of(plan: Plan) -> list[int]:
    """Node count by period of the only cluster."""
    return [row.nodes for row in sorted(plan.document.cluster_periods, key=lambda row: row.period)]


def ports_of(plan: Plan) -> float:
    """Switch ports bought."""
    return sum(row.amount for row in plan.document.costs if row.term == "switch_ports") / 300.0


@pytest.mark.parametrize(
    ("count", "growth", "nodes", "ports"),
    [
        (40, 0.0, [5, 5], 5 * 4),  # too large for cables: a switch, and four ports of each node
        (18, 0.0, [3, 3], 3 * 2),  # cabled directly: two ports for the users
        (18, 0.6, [3, 4], 4 * 4),  # grows: over a switch from the first day
    ],
)
def test_ports_follow_the_wiring(count: int, growth: float, nodes: list[int], ports: int) -> None:
    plan = planned(a_fleet(count, growth))
    assert nodes_of(plan) == nodes
    assert ports_of(plan) == ports
    (row,) = plan_network(plan, normal_of(plan)).clusters
    assert row.switch_ports == ports
    assert row.storage == ("switchless" if ports == nodes[-1] * 2 else "switched")


def test_dear_ports_make_a_cluster_open_as_large_as_it_gets() -> None:
    """Two nodes that become three are wired over a switch; three from the first day need none and cost less."""
    assert nodes_of(planned(a_fleet(9, 0.5, discount_rate=0.08))) == [2, 3]
    assert nodes_of(planned(a_fleet(9, 0.5, discount_rate=0.08, prices={"switch_port": 3000.0}))) == [3, 3]


def test_a_standing_cluster_on_cables_does_not_grow() -> None:
    cabled = a_fleet(18, 0.6, clusters=[an_existing_cluster("old", "A", node_model="new", nodes=3)])
    assert solve(cabled, config=EXACT).status == "infeasible"
    switched = a_fleet(
        18, 0.6, clusters=[an_existing_cluster("old", "A", node_model="new", nodes=3, storage_switch=True)]
    )
    plan = planned(switched)
    assert nodes_of(plan) == [3, 4]
    assert ports_of(plan) == 2  # shared by storage, as clusters with switches share them
