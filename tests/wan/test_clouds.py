"""Carrier clouds have distance: routes through them, against a plain calculation with every pair of members."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
from geopy.distance import great_circle

from fleet.inventory.distances import EARTH_RADIUS_KM, distance_km, great_circle_km, is_below_light, least_rtt_ms
from fleet.inventory.inventory import Inventory
from fleet.wan.graph import Wan, build_wan
from fleet.wan.latency import RTT_CONSTANT_MS, RTT_MS_PER_KM, estimate_rtt_ms
from fleet.wan.routing import Router
from fleet.wan.states import NORMAL, FailureState, single_failures
from tests.builders import a_link, a_site, an_inventory
from tests.wan.plain_routes import journeys, km, plain_route, without

#: Rounding of a length, a few links long [ms].
ROUNDING_MS = 1e-7
DALLAS = {"latitude": 32.78, "longitude": -96.8}
MIAMI = {"latitude": 25.78, "longitude": -80.21}
TACOMA = {"latitude": 47.25, "longitude": -122.44}


def random_clouds(seed: int, size: int = 9) -> Wan:
    """The network of `cloud_inventory`."""
    return build_wan(cloud_inventory(seed, size))


def cloud_inventory(seed: int, size: int = 9, **tables: Any) -> Inventory:
    """Sites all over a continent on one or two clouds, some on both, some linked to each other, some junctions.

    Some clouds are linked to each other, one may be a metro ring with members in one town. Stated round trips of links
    between sites are never below light, and now and then exactly that.
    """
    random_ = random.Random(seed)
    names = [f"s{number}" for number in range(size)]
    clouds = [f"net{number}" for number in range(random_.choice([1, 2, 2]))]
    ring = random_.random() < 0.3
    sites = []
    for name in names:
        place = {"latitude": random_.uniform(28, 48), "longitude": random_.uniform(-122, -72)}
        sites.append(
            a_site(
                name,
                transit=random_.random() < 0.6,
                fault_domain=f"d{random_.randrange(size)}",
                can_host=random_.random() < 0.4,
                **place,
            )
        )
    town = [a_site(f"t{n}", latitude=40 + n / 100, longitude=-80 - n / 100, transit=n == 0) for n in range(3)]
    networks = [a_site(name, kind="network", transit=random_.random() < 0.95) for name in clouds]
    sites += town
    links = []

    def link(a: str, b: str, rtt_ms: float | None) -> None:
        ends = random_.sample([a, b], 2)
        links.append(a_link(*ends, link=f"l{len(links):03d}-{random_.randrange(99)}", rtt_ms=rtt_ms))

    for site in sites:
        for cloud in clouds:
            while random_.random() < 0.55:
                link(site.site, cloud, random_.choice([None, 0.0, 0.5, 2.0, round(random_.uniform(0, 8), 1)]))
    for a, b in itertools.combinations(sites, 2):
        if random_.random() < 0.12:
            least = least_rtt_ms(km(a, b)) * (1 + 1e-9)
            link(a.site, b.site, random_.choice([None, least, least * random_.uniform(1, 2) + random_.uniform(0, 3)]))
    if len(clouds) == 2 and random_.random() < 0.4:
        link(*clouds, random_.choice([None, 0.0, 1.0]))
    if ring:
        networks.append(a_site("ring", kind="network", distance=False))
        for site in town:
            link(site.site, "ring", 0.5)
        if random_.random() < 0.5:
            link("ring", clouds[0], 0.2)
    return an_inventory([*sites, *networks], links=links, **tables)


def every_pair(wan: Wan) -> dict[tuple[str, str], float]:
    """Round trips of all pairs of sites, by Floyd and Warshall over explicit edges between all members [ms]."""
    places = [name for name, site in wan.sites.items() if not site.is_network]
    trips = {(a, b): 0.0 if a == b else math.inf for a in places for b in places}
    for a in places:
        for way in journeys(wan, a):
            trips[a, way.to] = min(trips[a, way.to], way.rtt_ms)
    for middle in (name for name in places if name in wan.transit):
        for a, b in itertools.product(places, repeat=2):
            trips[a, b] = min(trips[a, b], trips[a, middle] + trips[middle, b])
    return trips


def states_of(wan: Wan, seed: int) -> list[FailureState]:
    """The normal state, single failures, and random combinations."""
    random_ = random.Random(seed)
    every = single_failures(an_inventory(list(wan.sites.values())), wan, {"c": "s0"})
    states = [NORMAL, *random_.sample(every, min(len(every), 16))]
    for number in range(6):
        sites = frozenset(random_.sample(sorted(wan.sites), random_.randrange(3)))
        links = frozenset(random_.sample(sorted(wan.links), min(len(wan.links), random_.randrange(5))))
        states.append(FailureState("fault_domain", f"x{number}", sites=sites, links=links))
    return states


SEEDS = [*range(12), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(12, 100))]


@pytest.mark.parametrize("seed", SEEDS)
def test_routes_equal_explicit_pairs_and_are_never_below_light(seed: int) -> None:
    wan = random_clouds(seed)
    router = Router(wan)
    for state in states_of(wan, seed):
        left = without(wan, state)
        for (a, b), expected in every_pair(left).items():
            route = router.route(a, b, state)
            if math.isinf(expected):
                assert route is None
                continue
            assert route is not None
            assert route.rtt_ms == pytest.approx(expected, abs=ROUNDING_MS)
            assert route.rtt_ms >= least_rtt_ms(km(wan.sites[a], wan.sites[b])) - 1e-9
            back = router.route(b, a, state)
            assert back is not None
            assert back.rtt_ms == route.rtt_ms
            assert _walks(left, a, b, route.links)


def _walks(wan: Wan, a: str, b: str, links: tuple[str, ...]) -> bool:
    """Whether links lead from one site to another through transit sites that are there."""
    site = a
    for position, name in enumerate(links):
        link = wan.links[name]
        if site not in (link.from_, link.to) or (position and site not in wan.transit):
            return False
        site = link.other_end(site)
    return site == b


@pytest.mark.parametrize("seed", range(20))
def test_of_equal_ways_through_clouds_the_same_is_taken(seed: int) -> None:
    # Few places and round trips, so that many ways are equally long.
    random_ = random.Random(seed)
    places = [{"latitude": 40.0, "longitude": -80.0 + degrees} for degrees in (0, 0, 1)]
    sites = [a_site(f"s{n}", transit=random_.random() < 0.7, **random_.choice(places)) for n in range(5)]
    sites += [a_site(name, kind="network", distance=random_.choice([None, False])) for name in ("x", "y")]
    links = [
        a_link(*random_.sample([site.site for site in pair], 2), link=f"l{random_.randrange(10**6):06d}", rtt_ms=2)
        for pair in itertools.combinations(sites, 2)
        for _ in range(random_.choice([0, 1, 1, 2]))
    ]
    wan = build_wan(an_inventory(sites, links=links))
    router = Router(wan)
    for state in states_of(wan, seed):
        left = without(wan, state)
        up = [site.site for site in sites if not site.is_network and site.site not in state.sites]
        for a, b in itertools.permutations(up, 2):
            route, expected = router.route(a, b, state), plain_route(left, a, b)
            assert (None if route is None else route.links) == (None if expected is None else expected.links)


@pytest.mark.parametrize("seed", SEEDS)
def test_repaired_trees_equal_trees_from_scratch(seed: int) -> None:
    wan = random_clouds(seed, size=14)
    router = Router(wan)
    places = sorted(name for name, site in wan.sites.items() if not site.is_network)
    for state in states_of(wan, seed):
        scratch = Router(without(wan, state))
        for host in (name for name in places if name not in state.sites):
            changed = set()
            for origin in (name for name in places if name not in state.sites):
                route = router.route(origin, host, state)
                assert route == scratch.route(origin, host)
                if route != router.route(origin, host):
                    changed.add(origin)
            assert changed == router.changed_sites(host, state)
            normal = {name: router.route(name, host) for name in places}
            trips = {name: route.rtt_ms for name, route in normal.items() if route is not None}
            assert router.round_trips(host) == trips


def test_two_members_are_their_access_and_the_distance_apart() -> None:
    sites = [a_site("cloud", kind="network"), a_site("dallas", **DALLAS), a_site("miami", **MIAMI)]
    links = [a_link("dallas", "cloud", rtt_ms=3), a_link("cloud", "miami", rtt_ms=5)]
    wan = build_wan(an_inventory(sites, links=links))
    route = Router(wan).route("dallas", "miami")
    assert route is not None
    apart = km(wan.sites["dallas"], wan.sites["miami"])
    assert route.rtt_ms == pytest.approx(3 + 5 + RTT_MS_PER_KM * apart, abs=1e-6)
    assert route.links == ("dallas-cloud", "cloud-miami")


def test_blank_access_makes_a_path_through_a_cloud_as_long_as_an_estimated_link() -> None:
    sites = [a_site("cloud", kind="network"), a_site("dallas", **DALLAS), a_site("miami", **MIAMI, wan_mbps=50)]
    inventory = an_inventory(
        sites, links=[a_link("dallas", "cloud", rtt_ms=None)], default_network="cloud", rtt_ms_per_km=0.02
    )
    wan = build_wan(inventory)
    assert [link.rtt_ms for link in wan.links.values()] == [RTT_CONSTANT_MS / 2] * 2
    route = Router(wan).route("dallas", "miami")
    assert route is not None
    expected = estimate_rtt_ms(distance_km(wan.sites["dallas"], wan.sites["miami"]), inventory.policy)
    assert route.rtt_ms == pytest.approx(expected, abs=1e-6)


def test_a_metro_ring_has_no_distance() -> None:
    sites = [a_site("ring", kind="network", distance=False), a_site("a", **DALLAS), a_site("b", **MIAMI)]
    links = [a_link("a", "ring", rtt_ms=20), a_link("b", "ring", rtt_ms=20)]
    route = Router(build_wan(an_inventory(sites, links=links))).route("a", "b")
    assert route is not None
    assert route.rtt_ms == 40


def test_clouds_that_are_linked_are_one_journey() -> None:
    sites = [
        a_site("x", kind="network", latitude=60.0, longitude=10.0),  # where a cloud lies is for maps
        a_site("y", kind="network", distance=False),
        a_site("dallas", **DALLAS),
        a_site("miami", **MIAMI),
    ]
    links = [a_link("dallas", "y", rtt_ms=2), a_link("x", "y", rtt_ms=1), a_link("miami", "x", rtt_ms=4)]
    wan = build_wan(an_inventory(sites, links=links))
    route = Router(wan).route("miami", "dallas")
    assert route is not None
    assert route.links == ("miami-x", "x-y", "dallas-y")
    assert route.rtt_ms == pytest.approx(7 + RTT_MS_PER_KM * km(wan.sites["dallas"], wan.sites["miami"]), abs=1e-6)


def test_a_hub_on_two_clouds_carries_traffic_between_them_the_long_way() -> None:
    sites = [a_site(name, kind="network") for name in ("x", "y")]
    sites += [a_site("dallas", **DALLAS), a_site("miami", **MIAMI), a_site("tacoma", **TACOMA, can_host=True)]
    links = [a_link("dallas", "x", rtt_ms=1), a_link("miami", "y", rtt_ms=1)]
    links += [a_link("tacoma", "x", rtt_ms=2), a_link("tacoma", "y", rtt_ms=3)]
    wan = build_wan(an_inventory(sites, links=links))
    place = wan.sites
    route = Router(wan).route("dallas", "miami")
    assert route is not None
    around = km(place["dallas"], place["tacoma"]) + km(place["tacoma"], place["miami"])
    assert route.rtt_ms == pytest.approx(7 + RTT_MS_PER_KM * around, abs=1e-6)
    assert Router(wan).route("dallas", "miami", FailureState("network", "y", sites=frozenset({"y"}))) is None


def test_nobody_else_passes_a_member_that_is_nowhere() -> None:
    sites = [a_site("cloud", kind="network"), a_site("hub", can_host=True), a_site("a", **MIAMI), a_site("b", **TACOMA)]
    links = [a_link(name, "cloud", rtt_ms=1) for name in ("hub", "a", "b")]
    wan = build_wan(an_inventory(sites, links=links))
    router = Router(wan)
    route, home = router.route("a", "b"), router.route("a", "hub")
    assert route is not None
    assert home is not None
    assert route.links == ("a-cloud", "b-cloud")
    assert not is_below_light(route.rtt_ms, km(wan.sites["a"], wan.sites["b"]))
    assert home.rtt_ms == 2  # its backbone is unknown, and said to be
    assert wan.unplaced == ("hub",)


def test_a_cloud_is_no_place() -> None:
    sites = [a_site("cloud", kind="network"), a_site("a", **DALLAS), a_site("b", **MIAMI, can_host=True)]
    router = Router(build_wan(an_inventory(sites, links=[a_link("a", "cloud"), a_link("b", "cloud")])))
    assert router.route("cloud", "b") is None
    assert router.route("b", "cloud") is None
    assert set(router.round_trips("b")) == {"a", "b"}


def test_ten_thousand_members_make_no_pairs() -> None:
    random_ = random.Random(1)
    sites = [a_site("cloud", kind="network")]
    for number in range(10_000):
        place = {"latitude": random_.uniform(28, 48), "longitude": random_.uniform(-122, -72)}
        sites.append(a_site(f"s{number:05d}", **place, can_host=number < 20))
    links = [a_link(site.site, "cloud", rtt_ms=3) for site in sites[1:]]
    wan = build_wan(an_inventory(sites, links=links))
    router = Router(wan)
    hosts = [site.site for site in sites[1:21]]
    kept = sum(len(ports) for host in hosts for found in [router.ports(host)] if found for ports in found.of.values())
    assert kept == len(hosts)  # of each host, the way through its own access beats all others
    trips = router.round_trips(hosts[0])
    far = sites[-1]
    assert len(trips) == 10_000
    assert trips[far.site] == pytest.approx(6 + RTT_MS_PER_KM * km(far, wan.sites[hosts[0]]), abs=1e-6)


def test_the_formula_of_distance_agrees_with_another_library() -> None:
    random_ = random.Random(3)
    for _ in range(300):
        a, b = ((random_.uniform(-90, 90), random_.uniform(-180, 180)) for _ in range(2))
        found = float(great_circle_km(*a, *b))
        assert found == float(great_circle_km(*b, *a))
        assert found == pytest.approx(float(great_circle(a, b).km), rel=1e-7, abs=1e-6)
    assert float(great_circle_km(0, 0, 0, 180)) == pytest.approx(math.pi * EARTH_RADIUS_KM)
