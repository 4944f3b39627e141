"""Who may be where: inside, at and outside each limit."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.inventory.inventory import Inventory
from fleet.plan.placement import (
    Reason,
    archetype_reason,
    differs,
    eligible_site_reason,
    eligible_standby_reason,
    exceeds,
    pair_reason,
)
from fleet.platform.archetypes import archetype_for
from fleet.wan.graph import build_wan
from fleet.wan.replication import Mechanism
from fleet.wan.routing import Router
from tests.builders import a_link, a_node_model, a_pin, a_site, a_workload, an_existing_cluster, an_inventory
from tests.plan.judged_fleet import PACK, THREE_WAY, TWO_WAY

SYNC = Mechanism("sync", 0.0, 5.0, 5.0)
INTERVAL = Mechanism("replica", 15.0, None, 30.0)


def a_fleet(**workload: Any) -> Inventory:
    pins = workload.pop("pins", [])
    policy = workload.pop("policy", {})
    return an_inventory(
        [
            a_site("u", country="DE", region="BY", latitude=48.0, longitude=11.0),
            a_site("near", can_host=True, country="DE", region="BY", latitude=48.0, longitude=11.5),
            a_site(
                "far", can_host=True, country="DE", region="HH", latitude=52.3, longitude=11.0, fault_domain="north"
            ),
            a_site("abroad", can_host=True, country="AT", region="", latitude=48.2, longitude=16.4),
            a_site("twin", can_host=True, latitude=52.4, longitude=11.0, fault_domain="north"),
            a_site("old", latitude=48.2, longitude=11.0),
            a_site("island", can_host=True),
            a_site("cloud", kind="network", can_host=True),
        ],
        [a_workload("w", "u", **workload)],
        [
            a_link("u", "near", rtt_ms=5.0),
            a_link("near", "far", rtt_ms=5.0),
            a_link("near", "abroad", rtt_ms=5.1),
            a_link("far", "twin", rtt_ms=1.0),
            a_link("near", "old", rtt_ms=1.0),
        ],
        clusters=[an_existing_cluster("c", "old")],
        pins=pins,
        **policy,
    )


def rule(reason: Reason | None) -> str | None:
    return None if reason is None else reason.rule


def host_rule(inventory: Inventory, site: str) -> str | None:
    (demand,) = inventory.demands
    return rule(eligible_site_reason(inventory, Router(build_wan(inventory)), demand, site))


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("near", None),
        ("old", None),
        ("u", "SIT-001"),
        ("cloud", "SIT-001"),
        ("nowhere", "SIT-001"),
        ("island", "NET-001"),
    ],
)
def test_candidate_sites(site: str, expected: str | None) -> None:
    assert host_rule(a_fleet(), site) == expected


@pytest.mark.parametrize(("limit", "expected"), [(10.1, None), (10.0, None), (9.99, "NET-001")])
def test_user_round_trip(limit: float, expected: str | None) -> None:
    assert host_rule(a_fleet(max_rtt_ms=limit), "far") == expected


def test_reason_names_both_values() -> None:
    inventory = a_fleet(max_rtt_ms=9.0)
    (demand,) = inventory.demands
    reason = eligible_site_reason(inventory, Router(build_wan(inventory)), demand, "far")
    assert reason is not None
    assert (reason.actual, reason.limit, reason.unit) == (10.0, 9.0, "ms")
    assert str(reason).startswith("NET-001 10 ms from 'u' to 'far'")


@pytest.mark.parametrize(
    ("residency", "allowed"),
    [
        ("", {"near", "far", "abroad", "twin"}),
        ("country", {"near", "far"}),
        ("region", {"near"}),
        ("AT", {"abroad"}),
        ("HH;AT", {"far", "abroad"}),
        ("FR", set()),
        ("region;HH", {"near", "far"}),
    ],
)
def test_residency_of_primary_and_standby(residency: str, allowed: set[str]) -> None:
    inventory = a_fleet(residency=residency)
    (demand,) = inventory.demands
    router = Router(build_wan(inventory))
    for site in ("near", "far", "abroad", "twin"):
        expected = None if site in allowed else "GOV-001"
        assert rule(eligible_site_reason(inventory, router, demand, site)) == expected
        assert rule(eligible_standby_reason(inventory, demand, site)) == expected


def test_local_placement_binds_the_primary_only() -> None:
    inventory = a_fleet(placement="local")
    (demand,) = inventory.demands
    assert host_rule(inventory, "near") == "ASG-003"
    assert eligible_standby_reason(inventory, demand, "near") is None


@pytest.mark.parametrize(
    ("pin", "expected"),
    [
        ({}, "PIN-001"),
        ({"workload": "w"}, "PIN-001"),
        ({"site": "u"}, "PIN-001"),
        ({"workload": "other"}, None),
        ({"site": "far"}, None),
    ],
)
def test_forbidding_pins(pin: dict[str, str], expected: str | None) -> None:
    assert host_rule(a_fleet(pins=[a_pin("forbid", value="near", **pin)]), "near") == expected


@pytest.mark.parametrize(
    ("primary", "standby", "expected"),
    [
        ("near", "far", None),
        ("near", "near", "DR-001"),
        ("far", "twin", "DR-002"),
        ("near", "abroad", "DR-004"),
        ("near", "island", "DR-004"),
    ],
)
def test_pairs(primary: str, standby: str, expected: str | None) -> None:
    inventory = a_fleet()
    assert rule(pair_reason(inventory, Router(build_wan(inventory)), SYNC, primary, standby)) == expected


def test_interval_copies_have_no_round_trip_limit() -> None:
    inventory = a_fleet()
    assert pair_reason(inventory, Router(build_wan(inventory)), INTERVAL, "near", "abroad") is None


@pytest.mark.parametrize(
    ("km", "standby", "expected"), [(300.0, "abroad", None), (400.0, "abroad", "DR-003"), (1.0, "island", "DR-003")]
)
def test_separation(km: float, standby: str, expected: str | None) -> None:
    inventory = a_fleet(policy={"min_separation_km": km})
    assert rule(pair_reason(inventory, Router(build_wan(inventory)), INTERVAL, "near", standby)) == expected


@pytest.mark.parametrize(
    ("nodes", "tolerance", "expected"), [(2, 1, None), (2, 2, "ASG-005"), (3, 1, None), (5, 2, None)]
)
def test_fault_tolerance(nodes: int, tolerance: int, expected: str | None) -> None:
    inventory = a_fleet(fault_tolerance=tolerance)
    (demand,) = inventory.demands
    archetype = archetype_for(inventory, PACK, "std", nodes, TWO_WAY if nodes == 2 else THREE_WAY)
    assert rule(archetype_reason(demand, archetype, inventory.hardware[0])) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, None),
        ({"gpus": 1.0, "gpu_model": "L4"}, None),
        ({"gpus": 1.0}, None),
        ({"gpus": 1.0, "gpu_model": "A2"}, "ASG-006"),
        ({"gpu_model": "A2"}, None),
    ],
)
def test_gpu_model(wanted: dict[str, Any], expected: str | None) -> None:
    inventory = an_inventory(
        [a_site("u", can_host=True)], [a_workload("w", "u", **wanted)], hardware=[a_node_model(gpu_model="L4", gpus=2)]
    )
    (demand,) = inventory.demands
    archetype = archetype_for(inventory, PACK, "std", 2, TWO_WAY)
    assert rule(archetype_reason(demand, archetype, inventory.hardware[0])) == expected


def test_limits_are_inclusive_within_a_millionth() -> None:
    assert not exceeds(1000.0, 1000.0)
    assert not exceeds(1000.0009, 1000.0)
    assert exceeds(1000.0011, 1000.0)
    assert not differs(1000.0, 1000.0009)
    assert differs(1000.0, 1000.0011)
