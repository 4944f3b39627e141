from __future__ import annotations

import random

import pytest

from fleet.errors import UnknownIdError
from fleet.wan.graph import Wan, build_wan
from fleet.wan.latency import RTT_CONSTANT_MS, estimate_rtt_ms
from tests.builders import a_link, a_site, an_existing_cluster, an_inventory


def test_link_takes_its_defaults() -> None:
    inventory = an_inventory([a_site("a"), a_site("b")], links=[a_link("a", "b", reserved_mbps=100)])
    link = build_wan(inventory).link("a-b")
    assert (link.forward_mbps, link.back_mbps, link.limit) == (1000, 1000, 0.8)
    assert (link.rtt_ms, link.rtt_source, link.generated) == (5, "measured", False)
    assert link.usable_mbps(forward=True) == pytest.approx(1000 * 0.8 - 100)


def test_directions_and_upgrade() -> None:
    row = a_link("a", "b", bandwidth_mbps=100, back_mbps=400, max_utilization=0.5, upgrade_mbps=300)
    link = build_wan(an_inventory([a_site("a"), a_site("b")], links=[row])).link("a-b")
    assert link.usable_mbps(forward=True) == 50
    assert link.usable_mbps(forward=False) == 200
    assert link.usable_mbps(forward=True, upgraded=True) == 150
    assert link.usable_mbps(forward=False, upgraded=True) == 200, "an upgrade never takes bandwidth away"


def test_nothing_is_usable_where_others_take_all() -> None:
    row = a_link("a", "b", bandwidth_mbps=100, reserved_mbps=90)
    link = build_wan(an_inventory([a_site("a"), a_site("b")], links=[row])).link("a-b")
    assert link.usable_mbps(forward=True) == 0


def test_round_trip_is_estimated_from_the_distance() -> None:
    sites = [a_site("a", latitude=0, longitude=0), a_site("b", latitude=0, longitude=10)]
    inventory = an_inventory(sites, links=[a_link("a", "b", rtt_ms=None)])
    link = build_wan(inventory).link("a-b")
    assert link.rtt_source == "estimated"
    assert link.rtt_ms == pytest.approx(estimate_rtt_ms(1111.95, inventory.policy), abs=1e-3)


def test_zero_is_a_measurement() -> None:
    link = build_wan(an_inventory([a_site("a"), a_site("b")], links=[a_link("a", "b", rtt_ms=0)])).link("a-b")
    assert (link.rtt_ms, link.rtt_source) == (0, "measured")


def test_access_circuit_only_without_links() -> None:
    sites = [
        a_site("cloud", kind="network"),
        a_site("hub", wan_mbps=500),
        a_site("store", wan_mbps=50, wan_monthly_cost=90, latitude=1, longitude=1),
        a_site("shop", wan_mbps=50, wan_rtt_ms=12),
        a_site("lonely"),
    ]
    wan = build_wan(an_inventory(sites, links=[a_link("hub", "cloud")], default_network="cloud"))
    assert list(wan.links) == ["hub-cloud", "shop~cloud", "store~cloud"]
    store = wan.link("store~cloud")
    assert (store.from_, store.to, store.forward_mbps, store.back_mbps) == ("store", "cloud", 50, 50)
    assert (store.rtt_ms, store.rtt_source, store.monthly_cost, store.generated) == (
        RTT_CONSTANT_MS / 2,
        "estimated",
        90,
        True,
    )
    assert (wan.link("shop~cloud").rtt_ms, wan.link("shop~cloud").rtt_source) == (12, "measured")


def test_no_default_network_no_circuit() -> None:
    assert not build_wan(an_inventory([a_site("cloud", kind="network"), a_site("a", wan_mbps=10)])).links


def test_names_of_nameless_links_do_not_depend_on_the_order_of_rows() -> None:
    sites = [a_site("a"), a_site("b")]
    rows = [
        a_link("a", "b", link="", bandwidth_mbps=300),
        a_link("a", "b", link="", bandwidth_mbps=100),
        a_link("a", "b", link="", bandwidth_mbps=100),
        a_link("b", "a", link=""),
        a_link("b", "a", link="a--b", bandwidth_mbps=7),
    ]
    expected = {"a--b": 7, "a--b#2": 100, "a--b#3": 100, "a--b#4": 1000, "a--b#5": 300}
    for seed in range(10):
        shuffled = random.Random(seed).sample(rows, len(rows))
        wan = build_wan(an_inventory(sites, links=shuffled))
        assert {name: link.forward_mbps for name, link in wan.links.items()} == expected


def test_transit_follows_the_data_dictionary() -> None:
    sites = [
        a_site("cloud", kind="network"),
        a_site("hub", can_host=True),
        a_site("closed", can_host=True, transit=False),
        a_site("relay", transit=True),
        a_site("standing"),
        a_site("store"),
    ]
    wan = build_wan(an_inventory(sites, clusters=[an_existing_cluster("c", "standing")]))
    assert wan.transit == {"cloud", "hub", "relay", "standing"}
    assert wan.networks == ("cloud",)


def test_graph_keeps_parallel_links() -> None:
    rows = [a_link("a", "b", link="x"), a_link("b", "a", link="y")]
    wan = build_wan(an_inventory([a_site("a"), a_site("b")], links=rows))
    assert wan.graph.number_of_edges("a", "b") == 2
    assert wan.links_of == {"a": ("x", "y"), "b": ("x", "y")}


def test_unknown_names_are_refused() -> None:
    wan: Wan = build_wan(an_inventory([a_site("a")]))
    with pytest.raises(UnknownIdError, match="no link is named 'x'"):
        wan.link("x")
    with pytest.raises(UnknownIdError, match="no site is named 'b'"):
        build_wan(an_inventory([a_site("a")], links=[a_link("a", "b")]))
