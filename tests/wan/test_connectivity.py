from __future__ import annotations

import itertools
import random

import networkx as nx
import pytest

from fleet.wan.connectivity import Connectivity
from fleet.wan.graph import Wan, build_wan
from fleet.wan.routing import Router
from fleet.wan.states import NORMAL, FailureState
from tests.builders import a_link, a_site, an_inventory


def random_wan(seed: int, size: int, density: float, transit: float) -> Wan:
    random_ = random.Random(seed)
    sites = [a_site(f"s{number}", transit=random_.random() < transit) for number in range(size)]
    links = [
        a_link(a.site, b.site, link=f"{a.site}-{b.site}-{copy}")
        for a, b in itertools.combinations(sites, 2)
        for copy in range(2)
        if random_.random() < density and (a.transit or b.transit)
    ]
    return build_wan(an_inventory(sites, links=links))


def reachable_pairs(router: Router, state: FailureState) -> set[tuple[str, str]]:
    return {(a, b) for a, b in itertools.permutations(router.wan.sites, 2) if router.route(a, b, state) is not None}


@pytest.mark.parametrize("seed", range(30))
def test_critical_links_are_those_that_cost_somebody_a_path(seed: int) -> None:
    wan = random_wan(seed, size=9, density=0.2, transit=0.6)
    router = Router(wan)
    normal = reachable_pairs(router, NORMAL)
    expected = [
        name
        for name in wan.links
        if reachable_pairs(router, FailureState("link", name, links=frozenset({name}))) != normal
    ]
    assert [element.name for element in Connectivity(wan).critical_links] == expected


@pytest.mark.parametrize("seed", range(30))
def test_separated_sites_reach_nobody_of_the_largest_part(seed: int) -> None:
    wan = random_wan(seed, size=9, density=0.25, transit=0.6)
    router = Router(wan)
    for element in Connectivity(wan).critical_sites:
        state = FailureState("site", element.name, sites=frozenset({element.name}))
        normal, left = reachable_pairs(router, NORMAL), reachable_pairs(router, state)
        assert element.separated
        assert element.name not in element.separated
        for site in element.separated:
            lost = {pair for pair in normal - left if site in pair and element.name not in pair}
            assert lost, f"{site} loses nobody without {element.name}"


@pytest.mark.parametrize("seed", range(20))
def test_disjoint_paths_equal_the_edge_connectivity_of_networkx(seed: int) -> None:
    wan = random_wan(seed, size=8, density=0.35, transit=1.0)
    graph = nx.Graph()
    graph.add_nodes_from(wan.sites)
    for link in wan.links.values():
        # networkx wants simple graphs: every link becomes a path of two edges.
        nx.add_path(graph, [link.from_, f"link {link.link}", link.to])
    for target in wan.sites:
        counted = Connectivity(wan).disjoint_paths([target], limit=100)
        for site in wan.sites.keys() - {target}:
            assert counted[site] == nx.edge_connectivity(graph, site, target)


@pytest.mark.parametrize("seed", range(20))
def test_site_disjoint_paths_equal_the_node_connectivity_of_networkx(seed: int) -> None:
    wan = random_wan(seed, size=8, density=0.3, transit=1.0)
    graph = nx.Graph((link.from_, link.to) for link in wan.links.values())
    graph.add_nodes_from(wan.sites)
    for targets in (["s0", "s1"], ["s2", "s3", "s4"]):
        ended = nx.Graph(graph)
        ended.add_edges_from((target, "sink") for target in targets)
        counted = Connectivity(wan).site_disjoint_paths(targets, limit=100)
        for site in wan.sites.keys() - set(targets):
            assert counted[site] == nx.node_connectivity(ended, site, "sink")


@pytest.mark.parametrize("seed", range(10))
def test_site_disjoint_paths_pass_transit_sites_only(seed: int) -> None:
    wan = random_wan(seed, size=9, density=0.3, transit=0.5)
    targets = ["s0", "s1", "s2"]
    counted = Connectivity(wan).site_disjoint_paths(targets)
    router = Router(wan)
    for site, count in counted.items():
        others = [target for target in targets if target != site]
        assert (count > 0) == any(router.route(site, target) is not None for target in others)
        if count > 1:
            for lost in wan.sites.keys() - {site}:
                state = FailureState("site", lost, sites=frozenset({lost}))
                assert any(target != lost and router.route(site, target, state) is not None for target in others)


def test_two_hubs_are_not_joined_by_the_stores_they_share() -> None:
    sites = [a_site("hub1", can_host=True), a_site("hub2", can_host=True), a_site("store")]
    links = [a_link("hub1", "hub2"), a_link("store", "hub1"), a_link("store", "hub2")]
    connectivity = Connectivity(build_wan(an_inventory(sites, links=links)))
    assert connectivity.is_connected
    assert not connectivity.is_two_edge_connected
    assert [element.name for element in connectivity.critical_links] == ["hub1-hub2"]
    assert connectivity.disjoint_paths(["hub1"]) == {"hub1": 0, "hub2": 1, "store": 2}
    assert not connectivity.critical_sites


def test_a_star_hangs_on_its_cloud_and_every_store_on_its_circuit() -> None:
    stores = [a_site(f"store{number}", wan_mbps=10) for number in range(3)]
    sites = [a_site("cloud", kind="network"), a_site("hub", can_host=True), *stores]
    links = [a_link("hub", "cloud", link="one"), a_link("hub", "cloud", link="two", shared_risk="duct")]
    connectivity = Connectivity(build_wan(an_inventory(sites, links=links, default_network="cloud")))
    assert [(element.name, element.separated) for element in connectivity.critical_links] == [
        ("store0~cloud", ("store0",)),
        ("store1~cloud", ("store1",)),
        ("store2~cloud", ("store2",)),
    ]
    (cloud,) = connectivity.critical_sites
    assert (cloud.kind, cloud.name, len(cloud.separated)) == ("network", "cloud", 3)
    assert connectivity.disjoint_paths(["hub"]) == {"cloud": 2, "hub": 0, "store0": 1, "store1": 1, "store2": 1}
    assert not connectivity.critical_groups


def test_groups_that_share_a_risk_may_separate_what_single_links_do_not() -> None:
    sites = [a_site("a", can_host=True), a_site("b", can_host=True), a_site("c", can_host=True)]
    links = [
        a_link("a", "b", link="one", shared_risk="bridge"),
        a_link("a", "b", link="two", shared_risk="bridge"),
        a_link("b", "c", link="three"),
        a_link("b", "c", link="four"),
    ]
    connectivity = Connectivity(build_wan(an_inventory(sites, links=links)))
    assert connectivity.is_two_edge_connected
    (group,) = connectivity.critical_groups
    assert (group.name, group.separated) == ("bridge", ("a",))


def test_sites_without_links_are_parts_of_their_own() -> None:
    sites = [a_site("a", can_host=True), a_site("b"), a_site("c"), a_site("d")]
    connectivity = Connectivity(build_wan(an_inventory(sites, links=[a_link("c", "d")])))
    assert not connectivity.is_connected
    assert set(connectivity.parts) == {frozenset("a"), frozenset("b"), frozenset("cd")}
    assert connectivity.disjoint_paths(["a"]) == {"a": 0, "b": 0, "c": 0, "d": 0}
    assert Connectivity(build_wan(an_inventory())).is_connected


@pytest.mark.parametrize("seed", range(30))
def test_shortcuts_agree_with_taking_the_element_away(seed: int) -> None:
    connectivity = Connectivity(random_wan(seed, size=14, density=0.12, transit=0.5))
    for name in sorted(connectivity.wan.transit):
        slow = connectivity.separated(FailureState("site", name, sites=frozenset({name})))
        fast = {element.name: element.separated for element in connectivity.critical_sites}.get(name, ())
        assert fast == slow
    for element in connectivity.critical_links:
        state = FailureState("link", element.name, links=frozenset({element.name}))
        assert len(element.separated) == len(connectivity.separated(state)), "of two equal halves either may be named"
