from __future__ import annotations

from fleet.wan.graph import build_wan
from fleet.wan.states import NORMAL, single_failures
from tests.builders import a_link, a_site, an_inventory


def test_normal_state_has_nothing_down() -> None:
    assert NORMAL.id == str(NORMAL) == "normal"
    assert not NORMAL.sites | NORMAL.links | NORMAL.clusters


def test_single_failures_are_those_that_can_hurt() -> None:
    sites = [
        a_site("cloud", kind="network"),
        a_site("hub", can_host=True, fault_domain="east"),
        a_site("east", transit=True, fault_domain="east"),
        a_site("branch", transit=False),
        a_site("store", wan_mbps=10),
    ]
    inventory = an_inventory(sites, links=[a_link("hub", "cloud"), a_link("hub", "east")], default_network="cloud")
    clusters = {"hub-c1": "hub", "hub-c2": "hub", "branch-c1": "branch"}
    states = {state.id: state for state in single_failures(inventory, build_wan(inventory), clusters)}
    assert list(states) == [
        "link:hub-cloud",
        "link:hub-east",
        "link:store~cloud",
        "network:cloud",
        "site:branch",
        "site:east",
        "site:hub",
        "fault_domain:east",
        "cluster:branch-c1",
        "cluster:hub-c1",
        "cluster:hub-c2",
    ]
    assert states["link:store~cloud"].links == {"store~cloud"}
    assert states["network:cloud"].sites == {"cloud"}
    assert states["site:hub"].clusters == {"hub-c1", "hub-c2"}
    assert states["fault_domain:east"].sites == {"hub", "east"}
    assert states["fault_domain:east"].clusters == {"hub-c1", "hub-c2"}
    assert states["cluster:hub-c1"].clusters == {"hub-c1"}
    assert not states["cluster:hub-c1"].sites
