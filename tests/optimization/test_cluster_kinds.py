"""Which kind of cluster a plan takes: zones, resiliency types, several at one site, many small machines."""

from __future__ import annotations

from typing import Any

import pytest

import solvers
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import Workload
from fleet.plan.plan import Plan
from solvers.config import SolveConfig
from solvers.result import SolveResult
from tests.builders import a_node_model, a_site, a_workload, an_inventory
from tests.plan.judged_fleet import rules_of

TINY = {"vcpus": 0.01, "memory_gb": 0.1, "storage_gb": 1.0}


def solved(sites: list[Site], workloads: list[Workload], **tables_and_policy: Any) -> SolveResult:
    inventory = an_inventory(sites, workloads, **tables_and_policy)
    return solvers.solve(inventory, config=SolveConfig(time_limit_s=30.0, workers=1))


def planned(*arguments: Any, **tables_and_policy: Any) -> Plan:
    plan = solved(*arguments, **tables_and_policy).require_plan()
    assert plan.result.status == "optimal"
    assert rules_of(plan) == set()
    return plan


def shapes(plan: Plan) -> list[tuple[str, int, str]]:
    """(node model, nodes, resiliency of hot data) of every cluster at the end."""
    models = {row.cluster: row.node_model for row in plan.document.clusters}
    last = max(row.period for row in plan.document.cluster_periods)
    rows = [row for row in plan.document.cluster_periods if row.period == last]
    return sorted((models[row.cluster], row.nodes, row.layout["hot"]) for row in rows)


def campus(zones: int = 2, **columns: Any) -> Site:
    return a_site("campus", can_host=True, zones=zones, **columns)


def test_a_workload_that_survives_a_zone_gets_a_rack_aware_cluster() -> None:
    """One instance fits a pair of 1+1; twice 60 vCPU does not fit the 100.08 of one node, but the 203.76 of two."""
    assert shapes(planned([campus()], [a_workload("till", "campus", zone_tolerance=1)])) == [
        ("std", 2, "rack-aware-two-way-mirror")
    ]
    larger = planned([campus()], [a_workload("till", "campus", count=2, vcpus=60.0, zone_tolerance=1)])
    assert shapes(larger) == [("std", 4, "rack-aware-four-way-mirror")]
    assert [row.witness for row in larger.document.clusters] == ["cloud"]


@pytest.mark.parametrize("site", [campus(zones=1), campus(internet=False)], ids=["one zone", "no internet"])
def test_without_zones_or_internet_there_is_none(site: Site) -> None:
    result = solved([site], [a_workload("till", "campus", zone_tolerance=1)])
    assert result.status == "infeasible"
    (text,) = result.explanation
    assert "till at campus asks to survive the loss of a zone: give a site two zones and the internet" in text


def test_a_type_that_survives_too_little_is_named() -> None:
    workload = a_workload("db", "hub", resiliency="nested-two-way-mirror", fault_tolerance=2)
    (text,) = solved([a_site("hub", can_host=True)], [workload]).explanation
    assert "db at hub asks for nested-two-way-mirror, which no cluster has that survives 2 node failures" in text


def test_a_workload_class_that_needs_its_own_cluster_gets_one_beside_the_other() -> None:
    """Nested mirrors are for two nodes only, three-way mirrors need three."""
    workloads = [
        a_workload("ledger", "hub", tier="hot", storage_gb=500.0, resiliency="nested-two-way-mirror"),
        a_workload("files", "hub", tier="hot", storage_gb=40_000.0, resiliency="three-way-mirror"),
    ]
    site = a_site("hub", can_host=True, max_clusters=2)
    # 40 TB in three copies are 120 TB; four nodes offer 105.65, five 137.3.
    assert shapes(planned([site], workloads)) == [("std", 2, "nested-two-way-mirror"), ("std", 5, "three-way-mirror")]
    assert solved([a_site("hub", can_host=True)], workloads).status == "infeasible"


def test_gpus_are_bought_for_what_needs_them_only() -> None:
    hardware = [a_node_model(), a_node_model("gpu", gpu_model="L4", gpus=2, price=60000.0)]
    workloads = [
        a_workload("vision", "hub", gpus=1.0, gpu_model="L4"),
        a_workload("erp", "hub", count=60, vcpus=8.0, memory_gb=16.0),
    ]
    site = a_site("hub", can_host=True, max_clusters=2)
    # 480 vCPU: five nodes offer (4 · 115.2 − 4) · 0.9 = 411.1, six 514.8, and two with GPUs take 100 more.
    assert [(model, nodes) for model, nodes, _ in shapes(planned([site], workloads, hardware=hardware))] == [
        ("gpu", 2), ("std", 6),
    ]  # fmt: skip


def test_a_full_cluster_gets_a_second_one_beside_it() -> None:
    """Two loads of 250 vCPU on nodes of which at most four make a cluster: (3 · 115.2 − 4) · 0.9 = 307 each."""
    workloads = [a_workload(f"w{number}", "hub", vcpus=25.0, count=10) for number in range(2)]
    hardware = [a_node_model(max_nodes=4)]
    plan = planned([a_site("hub", can_host=True, max_clusters=3)], workloads, hardware=hardware)
    assert [nodes for _, nodes, _ in shapes(plan)] == [4, 4]
    assert solved([a_site("hub", can_host=True)], workloads, hardware=hardware).status == "infeasible"


@pytest.mark.parametrize(("machines", "nodes"), [(1024, 2), (1025, 3), (2048, 3), (2500, 4), (7168, 8), (7169, 9)])
def test_machines_per_host_decide_where_they_are_tiny(machines: int, nodes: int) -> None:
    """1,024 machines a host with one node kept free; processors and memory alone would do with fewer nodes."""
    plan = planned([a_site("hub", can_host=True)], [a_workload("desk", "hub", count=machines, **TINY)])
    assert [count for _, count, _ in shapes(plan)] == [nodes]


def test_no_cluster_runs_more_than_eight_thousand_machines() -> None:
    workloads = [a_workload(f"desk{number}", "hub", count=4000, **TINY) for number in range(3)]
    plan = planned([a_site("hub", can_host=True, max_clusters=2)], workloads)
    assert sorted(count for _, count, _ in shapes(plan)) == [5, 9]
    many = [a_workload("desk", "hub", count=8001, **TINY)]
    assert solved([a_site("hub", can_host=True)], many).status == "infeasible"
