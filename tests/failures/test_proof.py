"""Proofs of recovery points by hand, and what a shared reserve saves."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.failures.proof import ProofRow, prove_recovery_points
from fleet.failures.reserve import compare_reserves
from fleet.failures.sweep import context_of, normal_of, sweep_single
from fleet.inventory.inventory import DemandKey
from fleet.plan.assemble import assemble
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import Plan
from tests.builders import a_link, a_protected_workload, a_site, an_inventory
from tests.failures.small_plans import BY_HAND, LINKS, TIERS, small_inventory, small_plan

#: What is written is what is shipped, at an even rate.
FLAT = {"peak_factor": 1.0, "compression": 1.0, "protocol_overhead": 1.0, "max_link_utilization": 1.0}
#: Three hubs by their longitude.
PLACES = {"east": -75.0, "north": -77.0, "west": -79.0}


def proof(**columns: Any) -> ProofRow:
    links = (a_link("east", "west", bandwidth_mbps=columns.pop("bandwidth_mbps", 100.0)), *LINKS[1:])
    inventory = small_inventory(links=links, erp={"rpo_minutes": 20.0, "traffic_mbps": 50.0, **columns}, **FLAT)
    (row,) = prove_recovery_points(normal_of(small_plan(inventory)))
    return row


def test_a_kept_recovery_point_step_by_step() -> None:
    # 216 GB/day are 2.25 GB = 18,000 Mbit in 15 minutes; 5 of 20 minutes are left for them: 60 Mbit/s.
    row = proof(change_gb_per_day=216.0)
    assert (row.mechanism, row.interval_minutes) == ("replica-15min", 15)
    assert (row.delta_gb, row.required_mbps) == (pytest.approx(2.25), pytest.approx(60))
    assert (row.binding_link, row.capacity_mbps, row.users_mbps) == ("east-west", 100, 0)
    assert (row.streams_mbps, row.left_mbps) == (pytest.approx(60), pytest.approx(40))
    assert (row.rpo_minutes, row.best_rpo_minutes) == (pytest.approx(20), pytest.approx(15 + 3))
    assert row.is_kept


def test_an_overloaded_link_gives_everybody_the_same_share() -> None:
    # 120 Mbit/s on 100: five sixths of what is needed, so that shipping takes 6 minutes instead of 5.
    row = proof(change_gb_per_day=432.0)
    assert (row.granted_mbps, row.left_mbps) == (pytest.approx(100), pytest.approx(-20))
    assert row.rpo_minutes == pytest.approx(21)
    assert not row.is_kept


def test_a_synchronous_stream_must_get_its_peak_write_rate() -> None:
    kept = proof(change_gb_per_day=1080.0, protection="sync", rpo_minutes=0.0)
    assert (kept.rpo_minutes, kept.granted_mbps, kept.is_kept) == (0, pytest.approx(100), True)
    assert not proof(change_gb_per_day=1090.0, protection="sync", rpo_minutes=0.0).is_kept


def hubs_plan(**policy: Any) -> Plan:
    """West stands by for two hubs, which never fail together."""
    sites = [a_site(name, can_host=True, latitude=40.0, longitude=at) for name, at in PLACES.items()]
    links = [a_link("east", "west"), a_link("north", "west"), a_link("east", "north")]
    workloads = [a_protected_workload("erp", name, count=30, change_gb_per_day=0.1) for name in ("east", "north")]
    layout = dict.fromkeys(TIERS, "three-way-mirror")
    return assemble(
        an_inventory(sites, workloads, links, **policy),
        Decisions(
            tuple(ClusterDecision(f"{name}-c1", name, "std", (4,), (layout,)) for name in PLACES),
            {DemandKey("erp", name): f"{name}-c1" for name in ("east", "north")},
            {DemandKey("erp", name): "west-c1" for name in ("east", "north")},
        ),
        BY_HAND,
    )


def test_sharing_keeps_room_for_one_of_two_hubs() -> None:
    plan = hubs_plan()
    (row,) = compare_reserves(context_of(plan))
    # Thirty instances of 4 vCPU and 16 GiB each; memory decides: 480 GiB shared, 960 GiB dedicated, 442 GiB a node.
    assert (row.cluster, row.protects, row.fault_domains) == ("west-c1", 2, 2)
    assert (row.shared_vcpu, row.dedicated_vcpu) == (120, 240)
    assert (row.shared_memory_gb, row.dedicated_memory_gb) == (480, 960)
    assert row.nodes_shared < row.nodes_dedicated <= row.nodes
    assert row.saved_nodes == row.nodes_dedicated - row.nodes_shared
    purchase = row.saved_nodes * 20_000.0
    assert purchase < row.saved_cost < 2 * purchase, "nodes, and fees, support and energy of half a year"
    assert not [found for found in sweep_single(plan) if found.broken_promises]


def test_reserve_for_hubs_that_fail_together_cannot_be_shared() -> None:
    inventory_sites = {"east": "coast", "north": "coast"}
    plan = hubs_plan()
    tables = dict(plan.document.inventory.tables)
    tables["sites"] = [
        {**row, **({"fault_domain": inventory_sites[row["site"]]} if row["site"] in inventory_sites else {})}
        for row in tables["sites"]
    ]
    copy = plan.document.inventory.model_copy(update={"tables": tables})
    (row,) = compare_reserves(context_of(Plan(plan.document.model_copy(update={"inventory": copy}))))
    assert (row.fault_domains, row.shared_vcpu, row.saved_nodes, row.saved_cost) == (1, 240, 0, 0)


def test_chains_and_rings_keep_only_what_fails_at_once() -> None:
    names = tuple(PLACES)
    sites = [a_site(name, can_host=True, latitude=40.0, longitude=at) for name, at in PLACES.items()]
    links = [a_link("east", "west"), a_link("north", "west"), a_link("east", "north")]
    workloads = [a_protected_workload("erp", name, count=10 + place) for place, name in enumerate(names)]
    layout = dict.fromkeys(TIERS, "three-way-mirror")
    ring = dict(zip(names, (*names[1:], names[0]), strict=True))
    plan = assemble(
        an_inventory(sites, workloads, links),
        Decisions(
            tuple(ClusterDecision(f"{name}-c1", name, "std", (3,), (layout,)) for name in names),
            {DemandKey("erp", name): f"{name}-c1" for name in names},
            {DemandKey("erp", name): f"{ring[name]}-c1" for name in names},
        ),
        BY_HAND,
    )
    rows = {row.cluster: row for row in compare_reserves(context_of(plan))}
    for place, name in enumerate(names):
        row = rows[f"{ring[name]}-c1"]
        assert (row.protects, row.shared_vcpu) == (1, 4.0 * (10 + place))
        assert row.shared_vcpu == row.dedicated_vcpu
    assert not [found for found in sweep_single(plan) if found.broken_promises]
