from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import networkx as nx
import pytest

from fleet.errors import UnknownIdError
from fleet.wan.graph import Wan, build_wan
from fleet.wan.route import LOCAL, Hop
from fleet.wan.routing import Router
from fleet.wan.states import NORMAL, FailureState, shared_risk_failures, single_failures
from tests.builders import a_link, a_site, an_inventory


def random_wan(seed: int, size: int, density: float, largest_rtt: int = 4) -> Wan:
    """A random network with parallel links, many equal round trips, and sites that are no junctions."""
    random_ = random.Random(seed)
    names = [f"s{number}" for number in range(size)]
    sites = [a_site(name, transit=random_.random() < 0.6, fault_domain=f"d{random_.randrange(size)}") for name in names]
    links = []
    for a, b in itertools.combinations(names, 2):
        while random_.random() < density:
            ends = random_.sample([a, b], 2)
            row = a_link(*ends, link=f"l{random_.randrange(10**6):06d}", rtt_ms=random_.randrange(largest_rtt) / 10)
            links.append(row)
    return build_wan(an_inventory(sites, links=links))


def without(wan: Wan, state: FailureState) -> Wan:
    """The network that is left in a state."""
    sites = {name: site for name, site in wan.sites.items() if name not in state.sites}
    links = {
        name: link
        for name, link in wan.links.items()
        if name not in state.links and link.from_ in sites and link.to in sites
    }
    return Wan(links, sites, wan.transit - state.sites)


def all_paths(wan: Wan, origin: str, host: str) -> Iterator[list[str]]:
    """Every path without repeated sites, as link ids, from an origin to a host through transit sites."""

    def extend(site: str, seen: frozenset[str], path: list[str]) -> Iterator[list[str]]:
        if site == host:
            yield path
            return
        if site != origin and site not in wan.transit:
            return
        for name in wan.links_of[site]:
            other = wan.links[name].other_end(site)
            if other not in seen:
                yield from extend(other, seen | {other}, [*path, name])

    yield from extend(origin, frozenset({origin}), [])


def some_states(wan: Wan, seed: int) -> list[FailureState]:
    """Single failures and random combinations."""
    random_ = random.Random(seed)
    states = list(single_failures(an_inventory(list(wan.sites.values())), wan, {"c": "s0"}))
    for number in range(10):
        sites = frozenset(random_.sample(sorted(wan.sites), random_.randrange(3)))
        links = frozenset(random_.sample(sorted(wan.links), min(len(wan.links), random_.randrange(4))))
        states.append(FailureState("fault_domain", f"x{number}", sites=sites, links=links))
    return states


@pytest.mark.parametrize("seed", range(40))
def test_routes_equal_enumerated_paths(seed: int) -> None:
    wan = random_wan(seed, size=6, density=0.35)
    router = Router(wan)
    for state in [NORMAL, *some_states(wan, seed)[:6]]:
        left = without(wan, state)
        for origin, host in itertools.permutations(wan.sites, 2):
            route = router.route(origin, host, state)
            if origin in state.sites or host in state.sites:
                assert route is None
                continue
            paths = {
                tuple(path): (round(sum(wan.links[name].rtt_ms for name in path), 6), len(path))
                for path in all_paths(left, origin, host)
            }
            if not paths:
                assert route is None
                continue
            assert route is not None
            assert route.links in paths
            assert (round(route.rtt_ms, 6), len(route.hops)) == min(paths.values())
            # Of equally long routes: seen from the host outward, every site takes its smallest link.
            best = [path for path, value in paths.items() if value == min(paths.values())]
            assert route.links[0] == min(path[0] for path in best)


@pytest.mark.parametrize("seed", range(30))
def test_repaired_trees_equal_trees_from_scratch(seed: int) -> None:
    wan = random_wan(seed, size=12, density=0.2)
    router = Router(wan)
    for state in some_states(wan, seed):
        scratch = Router(without(wan, state))
        for host in sorted(wan.sites.keys() - state.sites):
            changed = set()
            for origin in sorted(wan.sites.keys() - state.sites):
                route = router.route(origin, host, state)
                assert route == scratch.route(origin, host)
                if route != router.route(origin, host):
                    changed.add(origin)
            assert changed == router.changed_sites(host, state)


@pytest.mark.parametrize("seed", range(10))
def test_round_trips_equal_networkx(seed: int) -> None:
    wan = random_wan(seed, size=60, density=0.06, largest_rtt=1000)
    router = Router(wan)
    for host in sorted(wan.sites)[:10]:
        inner = wan.transit | {host}
        for origin in wan.sites:
            graph = nx.Graph()
            graph.add_nodes_from((origin, host))
            for link in wan.links.values():
                if {link.from_, link.to} <= inner | {origin}:
                    known = graph.get_edge_data(link.from_, link.to, {"rtt": link.rtt_ms})["rtt"]
                    graph.add_edge(link.from_, link.to, rtt=min(known, link.rtt_ms))
            route = router.route(origin, host)
            if nx.has_path(graph, origin, host):
                assert route is not None
                expected = nx.shortest_path_length(graph, origin, host, weight="rtt")
                assert route.rtt_ms == pytest.approx(expected, abs=1e-6)
            else:
                assert route is None


@pytest.mark.parametrize("seed", range(5))
def test_routes_do_not_depend_on_the_order_of_rows(seed: int) -> None:
    random_ = random.Random(seed)
    sites = [a_site(f"s{number}", can_host=True) for number in range(8)]
    links = [
        a_link(a.site, b.site, link="", rtt_ms=random_.choice([1, 2]), bandwidth_mbps=random_.choice([10, 20]))
        for a, b in itertools.product(sites, sites)
        if a is not b and random_.random() < 0.4
    ]
    expected = Router(build_wan(an_inventory(sites, links=links)))
    shuffled = an_inventory(random_.sample(sites, len(sites)), links=random_.sample(links, len(links)))
    router = Router(build_wan(shuffled))
    states = [NORMAL, *single_failures(shuffled, router.wan, {})]
    for state, a, b in itertools.product(states, sites, sites):
        assert router.route(a.site, b.site, state) == expected.route(a.site, b.site, state)


def test_hops_know_their_direction() -> None:
    sites = [a_site("user"), a_site("hub", can_host=True), a_site("host", can_host=True)]
    links = [a_link("hub", "user", link="access", rtt_ms=1.5), a_link("hub", "host", link="core", rtt_ms=2)]
    router = Router(build_wan(an_inventory(sites, links=links)))
    route = router.route("user", "host")
    assert route is not None
    assert route.rtt_ms == 3.5
    assert route.hops == (Hop("access", forward=False), Hop("core", forward=True))


def test_ends_need_not_be_transit_but_junctions_must() -> None:
    sites = [a_site("a"), a_site("b"), a_site("c"), a_site("hub", can_host=True)]
    links = [a_link("a", "b"), a_link("b", "c"), a_link("a", "hub", rtt_ms=50), a_link("hub", "c", rtt_ms=50)]
    router = Router(build_wan(an_inventory(sites, links=links)))
    direct, around = router.route("a", "b"), router.route("a", "c")
    assert direct is not None
    assert direct.links == ("a-b",)
    assert around is not None
    assert around.links == ("a-hub", "hub-c")
    assert router.route("a", "c", FailureState("site", "hub", sites=frozenset({"hub"}))) is None


def test_parallel_links_take_the_fastest_then_the_smallest_id() -> None:
    sites = [a_site("a"), a_site("b")]
    links = [a_link("a", "b", link=name, rtt_ms=rtt) for name, rtt in (("z", 1), ("y", 1), ("x", 2))]
    router = Router(build_wan(an_inventory(sites, links=links)))

    def used(*down: str) -> tuple[str, ...] | None:
        route = router.route("a", "b", FailureState("link", "-".join(down), links=frozenset(down)))
        return None if route is None else route.links

    assert [used(), used("y"), used("y", "z"), used("x", "y", "z")] == [("y",), ("z",), ("x",), None]


def test_equal_sums_in_another_order_are_ties() -> None:
    # 0.1 + 0.2 is not 0.3 in floating point; the route of fewer links must win all the same.
    sites = [a_site(name, can_host=True) for name in "abm"]
    links = [a_link("a", "m", rtt_ms=0.1), a_link("m", "b", rtt_ms=0.2), a_link("a", "b", link="z", rtt_ms=0.3)]
    route = Router(build_wan(an_inventory(sites, links=links))).route("a", "b")
    assert route is not None
    assert (route.links, route.rtt_ms) == (("z",), 0.3)


def test_same_site_is_local_unless_it_is_down() -> None:
    router = Router(build_wan(an_inventory([a_site("a")])))
    assert router.route("a", "a") == LOCAL
    assert router.route("a", "a", FailureState("site", "a", sites=frozenset({"a"}))) is None


def test_unknown_site_is_refused() -> None:
    router = Router(build_wan(an_inventory([a_site("a")])))
    with pytest.raises(UnknownIdError, match="no site is named 'b'"):
        router.route("a", "b")


def test_untouched_trees_are_reused() -> None:
    sites = [a_site("hub", can_host=True), a_site("other", can_host=True), a_site("store")]
    links = [a_link("hub", "store"), a_link("hub", "other"), a_link("other", "store", rtt_ms=40)]
    router = Router(build_wan(an_inventory(sites, links=links)))
    spare = FailureState("link", "other-store", links=frozenset({"other-store"}))
    assert router.route("store", "hub", spare) is router.route("store", "hub")
    assert router.changed_sites("hub", spare) == frozenset()


def test_a_thousand_sites_under_every_single_failure() -> None:
    random_ = random.Random(7)
    hubs = [f"hub{number:02d}" for number in range(30)]
    stores = [f"store{number:03d}" for number in range(970)]
    sites = [a_site(name, can_host=True) for name in hubs] + [a_site(name) for name in stores]
    links = [
        a_link(a, b, rtt_ms=random_.uniform(1, 30))
        for a, b in itertools.combinations(hubs, 2)
        if random_.random() < 0.3
    ]
    links += [a_link(store, hub, rtt_ms=random_.uniform(1, 30)) for store in stores for hub in random_.sample(hubs, 2)]
    inventory = an_inventory(sites, links=links)
    wan = build_wan(inventory)
    router = Router(wan)
    states = single_failures(inventory, wan, {f"{hub}-c1": hub for hub in hubs})
    assert len(states) == len(links) + 2 * len(hubs)
    changed = sum(len(router.changed_sites(hub, state)) for state in states for hub in hubs)
    assert changed > len(states)


def test_groups_that_share_a_risk_fail_together() -> None:
    links = [a_link("a", "b", link="x", shared_risk="duct;east"), a_link("a", "b", link="y", shared_risk="duct")]
    wan = build_wan(an_inventory([a_site("a"), a_site("b")], links=links))
    (state,) = shared_risk_failures(wan)
    assert (state.id, state.links) == ("shared_risk:duct", {"x", "y"})
    assert Router(wan).route("a", "b", state) is None
