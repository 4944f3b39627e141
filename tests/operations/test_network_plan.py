"""Networks of a whole plan: one row per cluster, its segments and subnets, and what is worth a remark."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Any

import pytest

from fleet.failures.sweep import context_of, normal_of
from fleet.operations.addresses import Kept
from fleet.operations.network_plan import NetworkPlan, plan_network
from fleet.operations.repairs import plan_repairs
from fleet.plan.assemble import assemble
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import Plan
from tests.builders import a_node_model, a_site, a_workload, an_existing_cluster, an_inventory
from tests.failures.small_plans import BY_HAND, TIERS, small_inventory, small_plan

LAYOUTS = (dict.fromkeys(TIERS, "two-way-mirror"),)


def network_of(plan: Plan, kept: dict[str, Kept] | None = None) -> NetworkPlan:
    """The networks of a plan."""
    return plan_network(plan, normal_of(plan), kept)


def network(nodes: tuple[int, ...] = (3,), **tables_and_policy: Any) -> NetworkPlan:
    return network_of(small_plan(small_inventory(**tables_and_policy), nodes=nodes))


def many_sites(names: list[str], **policy: Any) -> Plan:
    sites = [a_site(name, can_host=True, latitude=40.0, longitude=-100.0) for name in names]
    clusters = tuple(ClusterDecision(f"{name}-c1", name, "std", (2,), LAYOUTS) for name in names)
    inventory = an_inventory(sites, [a_workload("web", names[0])], **policy)
    return assemble(inventory, Decisions(clusters, {}, {}), BY_HAND)


def test_a_row_per_cluster_with_its_ports_addresses_and_traffic() -> None:
    found = network()
    east, west = found.clusters
    assert (east.cluster, east.site, east.nodes, east.storage) == ("east-c1", "east", 3, "switched")
    assert (east.intents, east.ports, east.node_ports, east.rdma, east.switch_ports) == (
        "management, compute, storage (2)", 2, 4, "required", 6,
    )  # fmt: skip
    assert east.user_mbps == pytest.approx(70.0)
    assert west.user_mbps == 0.0
    assert east.replication_mbps == west.replication_mbps > 0
    first, last = east.infrastructure_addresses.split(" – ")
    assert int(ipaddress.IPv4Address(last)) - int(ipaddress.IPv4Address(first)) == 5
    assert ipaddress.IPv4Address(first) in ipaddress.IPv4Network(east.management_subnet)
    assert (east.witness, east.witness_site, east.note) == ("cloud", "", "")
    assert east.witness_reach.startswith("HTTPS 443")
    assert found.findings == ()


def test_segments_share_the_ports_and_subnets_name_the_usual_vlan() -> None:
    found = network()
    assert {row.segment: row.gbps for row in found.segments if row.cluster == "east-c1"} == pytest.approx(
        {"management and compute": 25, "storage": 17.5, "live migration": 7.25, "heartbeat": 0.25}
    )
    rows = [row for row in found.subnets if row.cluster == "east-c1"]
    assert [row.segment for row in rows] == ["management", "compute", "storage 1", "storage 2"]
    assert [row.usual_vlan for row in rows] == ["", "", "711", "712"]
    assert [bool(row.gateway) for row in rows] == [True, False, False, False]


def test_separate_and_switchless_networks_follow_the_policy() -> None:
    separate = network(converged=False).clusters[0]
    assert (separate.intents, separate.ports) == ("management, compute (2); storage (2)", 4)
    six = [a_node_model(nic_ports=6)]
    cabled = network(storage_switch=False, hardware=six)
    assert (cabled.clusters[0].storage, cabled.clusters[0].ports, cabled.clusters[0].switch_ports) == (
        "switchless", 6, 6,
    )  # fmt: skip
    assert sum(row.segment.startswith("storage cable") for row in cabled.subnets) == 2 * 6
    assert cabled.findings == ()
    assert (cabled.clusters[0].family, cabled.clusters[0].survives) == (
        "three nodes without a switch", "2 drives, 1 node",
    )  # fmt: skip
    growing = network((2, 3), storage_switch=False, horizon_months=12, hardware=six)
    assert growing.clusters[0].storage == "switched"
    assert growing.clusters[0].family == "switched"
    assert "direct cables do not grow" in growing.clusters[0].note
    assert "direct cables need 6 ports" in network(storage_switch=False).clusters[0].note


def test_a_share_for_the_witness_stands_at_the_nearest_other_site_that_hosts() -> None:
    found = network(sites={"east": {"internet": False}})
    east = found.clusters[0]
    assert (east.witness, east.witness_site, east.witness_rtt_ms) == ("file_share", "west", 5.0)
    assert east.witness_reach.startswith("SMB 445")
    alone = network(sites={"east": {"internet": False, "fault_domain": "x"}, "west": {"fault_domain": "x"}})
    assert alone.clusters[0].witness_site == ""
    assert "no other site that may host is reachable" in alone.clusters[0].note
    assert [(row.rule, row.subject, row.severity) for row in alone.findings] == [("OPS-501", "east-c1", "warning")]


def test_a_cloud_witness_without_internet_is_named() -> None:
    plan = small_plan(small_inventory(sites={"east": {"internet": False}}), nodes=(3,))
    clusters = tuple(row.model_copy(update={"witness": "cloud"}) for row in plan.document.clusters)
    broken = Plan(plan.document.model_copy(update={"clusters": clusters}))
    assert "a cloud witness needs the internet" in network_of(broken).clusters[0].note


def test_traffic_beyond_the_ports_of_a_node_is_told() -> None:
    found = network(hardware=[a_node_model(nic_gbps=10.0)], web={"traffic_mbps": 11_000.0})
    assert "users and replication need" in found.clusters[0].note


def test_two_hundred_clusters_and_one_more() -> None:
    names = [f"site-{number}" for number in range(200)]
    before = network_of(many_sites(names))
    subnets = [ipaddress.IPv4Network(row.subnet) for row in before.subnets if row.subnet]
    assert len(subnets) == 200 * 3
    assert not any(a.overlaps(b) for a, b in itertools.combinations(subnets, 2))
    vlans = [row.vlan for row in before.subnets]
    assert len(set(vlans)) == len(vlans) == 200 * 4
    kept = {row.cluster: Kept(row.block, row.management_vlan) for row in before.clusters}
    after = network_of(many_sites([*names, "one-more"]), kept=kept)
    assert set(before.subnets) <= set(after.subnets)
    assert set(before.clusters) <= set(after.clusters)


def test_existing_clusters_keep_what_their_table_states() -> None:
    site = a_site("a", can_host=True, latitude=40.0, longitude=-100.0)
    stands = an_existing_cluster("old", "a", address_block="10.64.7.0/24", first_vlan=500)
    inventory = an_inventory([site], [a_workload("web", "a")], clusters=[stands])
    decisions = Decisions((ClusterDecision("old", "a", "std", (2,), LAYOUTS, existing=True),), {}, {})
    (row,) = network_of(assemble(inventory, decisions, BY_HAND)).clusters
    assert (row.block, row.management_vlan) == ("10.64.7.0/24", 500)


def test_a_space_that_is_too_small_is_a_finding_and_the_design_stays() -> None:
    found = network(address_space="10.64.0.0/24")
    assert [row.block for row in found.clusters] == ["", ""]
    assert found.subnets == ()
    assert [row.subject for row in found.findings] == ["addresses"]
    assert "no block of 256 addresses left" in found.findings[0].message


def test_repairs_of_every_cluster() -> None:
    rows = plan_repairs(context_of(small_plan(small_inventory(), nodes=(4,))))
    assert [(row.cluster, row.lost) for row in rows] == [
        ("east-c1", "drive"), ("east-c1", "node"), ("west-c1", "drive"), ("west-c1", "node"),
    ]  # fmt: skip
    assert all(row.hours is not None and row.hours > 0.25 for row in rows)
    pair = plan_repairs(context_of(small_plan(small_inventory(), nodes=(2,))))
    assert [row.hours is None for row in pair] == [False, True, False, True]


def test_a_rack_aware_cluster_names_the_bandwidth_between_its_zones() -> None:
    sites = [a_site("campus", can_host=True, zones=2, latitude=40.0, longitude=-100.0)]
    layout = dict.fromkeys(TIERS, "rack-aware-four-way-mirror")
    clusters = (ClusterDecision("campus-c1", "campus", "std", (4,), (layout,)),)
    inventory = an_inventory(sites, [a_workload("web", "campus", zone_tolerance=1)])
    (row,) = network_of(assemble(inventory, Decisions(clusters, {}, {}), BY_HAND)).clusters
    assert (row.zone_gbps, row.witness, row.storage) == (100.0, "cloud", "switched")
    assert (row.family, row.survives) == ("rack-aware", "3 drives, 2 nodes, 1 zone")
    assert "within 1 ms of each other" in row.note
    assert network().clusters[0].zone_gbps is None
