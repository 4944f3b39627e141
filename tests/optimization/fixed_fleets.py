"""Small fleets made by hand, each for one thing that is easily overlooked."""

from __future__ import annotations

from fleet.inventory.inventory import Inventory
from tests.builders import (
    a_link,
    a_node_model,
    a_pin,
    a_protected_workload,
    a_site,
    a_workload,
    an_existing_cluster,
    an_inventory,
)


def domain_with_its_users() -> Inventory:
    """Two hubs and their users share a fault domain: its loss moves both demands, but no user is left to reach them.

    The standby's link carries the users of either hub, not of both.
    """
    return an_inventory(
        [
            a_site("d1", can_host=True, fault_domain="D", transit="no"),
            a_site("d2", can_host=True, fault_domain="D", transit="no"),
            a_site("k", can_host=True, transit="no"),
            a_site("s1", fault_domain="D"),
            a_site("s2", fault_domain="D"),
            a_site("n", kind="network"),
        ],
        [
            a_protected_workload(f"p{number}", f"s{number}", traffic_mbps=40.0, change_gb_per_day=1.0)
            for number in (1, 2)
        ],
        [*(a_link(site, "n") for site in ("s1", "s2", "d1", "d2")), a_link("k", "n", bandwidth_mbps=60.0)],
        pins=[a_pin("assign", workload=f"p{number}", value=f"d{number}") for number in (1, 2)],
    )


def behind_a_hub(bandwidth_mbps: float = 120.0) -> Inventory:
    """Users behind a hub are cut off with it, but not when its cluster fails; both demands share a way to hub k."""
    return an_inventory(
        [
            a_site("d", can_host=True),
            a_site("k", can_host=True, country="K"),
            a_site("x", can_host=True),
            a_site("s0"),
            a_site("s1"),
        ],
        [
            a_workload("u", "s0", traffic_mbps=40.0, residency=("K",)),
            a_protected_workload("p", "s1", traffic_mbps=40.0, change_gb_per_day=1.0),
        ],
        [
            a_link("s0", "d"),
            a_link("d", "x"),
            a_link("x", "k", bandwidth_mbps=bandwidth_mbps),
            a_link("s1", "x"),
            a_link("s1", "d", rtt_ms=30.0),
        ],
        pins=[a_pin("assign", workload="p", value="d"), a_pin("standby", workload="p", value="k")],
    )


def without_a_way_out() -> Inventory:
    """The same with a link to the standby that carries either load, not both: no plan."""
    return behind_a_hub(60.0)


def pinned_open() -> Inventory:
    """One demand, for which either hub would do, and a pin that both stand."""
    return an_inventory(
        [a_site("h0", can_host=True), a_site("h1", can_host=True, monthly_cost=100.0), a_site("s")],
        [a_workload("w", "s")],
        [a_link("s", "h0"), a_link("s", "h1"), a_link("h0", "h1")],
        pins=[a_pin("assign", workload="w", value="h0"), a_pin("open", site="h1", period=1)],
        horizon_months=12,
    )


def late_archive() -> Inventory:
    """A standing cluster, a demand with copies at once and archive data later: three optima were once proven of it.

    Distances are those of real places, so that the links without a stated round trip are estimated.
    """
    node = a_node_model("m", price=26000.0, annual_support=0.0, watts=0.0)
    return an_inventory(
        [
            a_site("H0", latitude=43.417, longitude=-109.498, can_host=True),
            a_site("H2", latitude=38.312, longitude=-80.92, can_host=True),
            a_site("H3", kind="rdc", latitude=41.518, longitude=-85.36, can_host=True),
        ],
        [
            a_workload("w0", "H0", vcpus=8.0, memory_gb=48.0, storage_gb=50.0, protection="async", rpo_minutes=61.0),
            a_workload("w1", kind="rdc", vcpus=8.0, memory_gb=96.0, storage_gb=1000.0, tier="archive", from_month=7),
        ],
        [
            a_link("H0", "H2", bandwidth_mbps=180.0, rtt_ms=None),
            a_link("H3", "H0", bandwidth_mbps=240.0, rtt_ms=None),
        ],
        hardware=[node],
        clusters=[an_existing_cluster("old-H2", "H2", node_model="m", nodes=3)],
        horizon_months=18,
        discount_rate=0.08,
    )
