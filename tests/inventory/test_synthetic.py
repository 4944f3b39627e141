from __future__ import annotations

import itertools
from collections import Counter

import pytest

from fleet.errors import InventoryError
from fleet.inventory.backbone import is_two_connected
from fleet.inventory.synthetic import synthetic
from fleet.wan.graph import build_wan
from fleet.wan.routing import Router
from fleet.wan.states import single_failures


@pytest.mark.parametrize(
    ("sites", "hubs", "kind"),
    [(1, 2, "store"), (6, 2, "store"), (20, 4, "hospital"), (250, 12, "store"), (60, 8, "hospital"), (5, 40, "store")],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_sizes_and_seeds(sites: int, hubs: int, kind: str, seed: int) -> None:
    inventory = synthetic(sites, hubs, seed, kind)  # type: ignore[arg-type]
    assert len(inventory.host_sites) == hubs
    assert sum(site.kind == kind for site in inventory.sites) == sites
    assert len(inventory.demands) == 3 * sites
    assert sum(demand.is_protected for demand in inventory.demands) == 2 * sites
    assert len(inventory.periods) == 3
    names = {site.site for site in inventory.host_sites}
    backbone = [(link.from_, link.to) for link in inventory.links if {link.from_, link.to} <= names]
    assert is_two_connected(sorted(names), backbone)
    degree = Counter(end for link in inventory.links for end in (link.from_, link.to) if end not in names)
    assert set(degree.values()) == {2}


def test_the_seed_decides() -> None:
    assert synthetic(10, 3, 5).sha256 == synthetic(10, 3, 5).sha256
    assert synthetic(10, 3, 5).sha256 != synthetic(10, 3, 6).sha256


@pytest.mark.parametrize(("sites", "hubs", "seed"), [(40, 2, 3), (40, 3, 3), (60, 8, 3), (60, 15, 4)])
def test_every_demand_has_a_pair_that_outlives_any_failure(sites: int, hubs: int, seed: int) -> None:
    """Primary within max_rtt_ms; and after each failure primary or standby within twice that."""
    inventory = synthetic(sites, hubs, seed)
    wan = build_wan(inventory)
    router = Router(wan)
    names = [site.site for site in inventory.host_sites]
    states = single_failures(inventory, wan, {f"{name}-c1": name for name in names})
    for user in [site.site for site in inventory.sites if site.kind == "store"]:
        limit = min(demand.row.max_rtt_ms or 1e9 for demand in inventory.demands if demand.site == user)
        near = [name for name in names if (route := router.route(user, name)) and route.rtt_ms <= limit]
        assert len(near) >= min(3, hubs)
        pairs = set(itertools.permutations(near, 2))
        for state in states:
            if user in state.sites:
                continue
            reached = {
                name for name in near if (route := router.route(user, name, state)) and route.rtt_ms <= 2 * limit
            }
            pairs = {pair for pair in pairs if reached & set(pair)}
        assert pairs


def test_hubs_are_a_choice() -> None:
    inventory = synthetic(100, 12, 1)
    router = Router(build_wan(inventory))
    names = [site.site for site in inventory.host_sites]
    reach = []
    for demand in inventory.demands:
        routes = [router.route(demand.site, name) for name in names]
        reach.append(sum(route is not None and route.rtt_ms <= (demand.row.max_rtt_ms or 0) for route in routes))
    assert min(reach) >= 3
    assert sum(reach) < 0.8 * len(reach) * len(names)
    assert len({site.opening_cost for site in inventory.host_sites}) > 6


def test_access_circuits_carry_the_traffic_of_their_site() -> None:
    inventory = synthetic(200, 6, 2)
    narrow = {link.from_: link.bandwidth_mbps for link in inventory.links}
    last = len(inventory.periods) - 1
    traffic: Counter[str] = Counter()
    for demand in inventory.demands:
        traffic[demand.site] += inventory.amounts(demand, last).traffic_mbps  # type: ignore[assignment]
    assert all(traffic[site] <= 0.8 * narrow[site] for site in traffic)


def test_options() -> None:
    plain = synthetic(50, 4, 1)
    assert len({(row.workload, row.vcpus) for row in plain.workloads}) == 12
    different = synthetic(50, 4, 1, distinct=True)
    for column in ("vcpus", "memory_gb", "storage_gb", "traffic_mbps", "change_gb_per_day"):
        assert len({(row.workload, getattr(row, column)) for row in different.workloads}) == 150
    mixes = {(row.workload, round(row.vcpus / row.memory_gb, 4)) for row in different.workloads}
    assert len(mixes) > 140
    light = synthetic(50, 4, 1, storage_scale=0.2)
    assert sum(row.storage_gb for row in light.workloads) == pytest.approx(
        0.2 * sum(row.storage_gb for row in plain.workloads)
    )
    assert [row.vcpus for row in light.workloads] == [row.vcpus for row in plain.workloads]
    thin = synthetic(50, 4, 1, hub_link_mbps=150)
    hubs = {site.site for site in thin.host_sites}
    assert {link.bandwidth_mbps for link in thin.links if link.from_ in hubs} == {150}
    assert len(synthetic(5, 2, 1, horizon_months=12, period_months=12).periods) == 1


def test_prices_are_marked_as_invented() -> None:
    inventory = synthetic(3, 2, 1)
    assert all(model.node_model.startswith("demo-") for model in inventory.hardware)
    assert all(("x_note", "invented price") in model.extra for model in inventory.hardware)


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ({"sites": 0}, "synthetic:sites – got 0, expected at least 1"),
        ({"hubs": 1}, "synthetic:hubs – got 1, expected from 2 to 150"),
        ({"hubs": 500}, "synthetic:hubs – got 500"),
        ({"kind": "bank"}, "synthetic:kind – got 'bank', expected one of store, hospital"),
        ({"storage_scale": 0}, "synthetic:storage_scale – got 0, expected above 0"),
        ({"period_months": 24}, "period_months: got 24 months, expected at most horizon_months 18"),
        ({"hub_link_mbps": 0}, "column bandwidth_mbps – got 0 Mbit/s, expected a number above 0"),
    ],
)
def test_impossible_fleets(arguments: dict[str, object], pattern: str) -> None:
    with pytest.raises(InventoryError, match=pattern):
        synthetic(**{"sites": 5, "hubs": 2, "seed": 1, **arguments})  # type: ignore[arg-type]


def test_two_connectivity() -> None:
    ring = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")]
    assert is_two_connected("abcd", ring)
    assert not is_two_connected("abcd", ring[:-1])
    bow = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("d", "e"), ("c", "e")]
    assert not is_two_connected("abcde", bow)  # c is a cut node
    assert is_two_connected("ab", [("a", "b"), ("a", "b")])
    assert not is_two_connected("ab", [("a", "b")])
