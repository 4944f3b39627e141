"""Synthetic fleets: real geography, invented companies. For trying things out, tests and benchmarks."""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fleet.errors import InventoryError, Problem
from fleet.inventory.checks.inventory import checked_inventory
from fleet.inventory.inventory import Inventory
from fleet.inventory.reading.geocode import Place, places, simplify

Point = tuple[float, float]

MOST_HUBS = 150

#: Round trip assumed while a fleet is made [ms, ms/km], slightly longer than what an estimate will say.
_ASSUMED_RTT = (6.3, 0.0182)
_EARTH_RADIUS_KM = 6371.0
_OFFSHORE = frozenset({"AK", "HI", "PR"})
#: Share of each size class, factor on its amounts, and access bandwidth as a multiple of the smallest.
_SIZES = (("small", 0.35, 0.5, 1), ("medium", 0.35, 1.0, 2), ("large", 0.2, 1.6, 3), ("flagship", 0.1, 2.4, 4))


@dataclass(frozen=True)
class _Kind:
    """What a fleet of one kind needs at a site of medium size."""

    access_mbps: float
    workloads: Mapping[str, Mapping[str, Any]]


_KINDS: dict[str, _Kind] = {
    "store": _Kind(
        50.0,
        {
            "pos": {
                "vcpus": 4, "memory_gb": 12, "storage_gb": 250, "traffic_mbps": 4, "change_gb_per_day": 6,
                "protection": "auto", "rpo_minutes": 15, "rto_minutes": 60, "priority": 1, "growth": "steady",
            },
            "inventory-db": {
                "vcpus": 4, "memory_gb": 16, "storage_gb": 400, "traffic_mbps": 5, "change_gb_per_day": 10,
                "protection": "auto", "rpo_minutes": 60, "rto_minutes": 240, "priority": 2, "growth": "growing",
            },
            "analytics": {
                "vcpus": 3, "memory_gb": 12, "storage_gb": 600, "traffic_mbps": 3, "change_gb_per_day": 12,
                "priority": 3, "growth": "fast",
            },
        },
    ),
    "hospital": _Kind(
        200.0,
        {
            "emr": {
                "vcpus": 16, "memory_gb": 96, "storage_gb": 1500, "traffic_mbps": 15, "change_gb_per_day": 25,
                "protection": "auto", "rpo_minutes": 15, "rto_minutes": 60, "priority": 1, "growth": "steady",
                "tier": "hot",
            },
            "pacs": {
                "vcpus": 8, "memory_gb": 32, "storage_gb": 3000, "traffic_mbps": 30, "change_gb_per_day": 40,
                "protection": "auto", "rpo_minutes": 60, "rto_minutes": 240, "priority": 2, "growth": "fast",
            },
            "lab": {
                "vcpus": 6, "memory_gb": 24, "storage_gb": 800, "traffic_mbps": 8, "change_gb_per_day": 10,
                "priority": 3, "growth": "growing",
            },
        },
    ),
}  # fmt: skip
#: Longest acceptable round trip of the workloads, by order, as a multiple of what reaches three hubs from everywhere.
_RTT_FACTORS = (1.0, 1.15, 1.4)
#: What a site needs more of the larger it is, and how far each of it spreads where no two sites are alike.
_AMOUNTS = ("vcpus", "memory_gb", "traffic_mbps", "storage_gb", "change_gb_per_day")
_SPREAD = (0.8, 1.25)
_GROWTH = {"steady": 0.10, "growing": 0.15, "fast": 0.20}
_HARDWARE = (
    {"node_model": "demo-small", "cores": 16, "memory_gb": 256, "capacity_drives": 4, "capacity_drive_tb": 3.84,
     "price": 12_000, "annual_support": 900, "watts": 350, "rack_units": 1},
    {"node_model": "demo-medium", "cores": 32, "memory_gb": 512, "capacity_drives": 6, "capacity_drive_tb": 7.68,
     "price": 26_000, "annual_support": 1_800, "watts": 550, "rack_units": 2},
    {"node_model": "demo-large", "cores": 64, "memory_gb": 1024, "capacity_drives": 8, "capacity_drive_tb": 7.68,
     "price": 46_000, "annual_support": 3_000, "watts": 900, "rack_units": 2},
)  # fmt: skip
_MEDIUM_POOL_TB = 6 * 7.68 * 0.62 / 3  # data that one medium node holds in a larger cluster
_SLOT_NODES = 14  # of at most 16, to leave room for growth


def synthetic(
    sites: int,
    hubs: int,
    seed: int,
    kind: Literal["store", "hospital"] = "store",
    *,
    storage_scale: float = 1.0,
    hub_link_mbps: float = 10_000.0,
    distinct: bool = False,
    horizon_months: int = 18,
    period_months: int = 6,
) -> Inventory:
    """Make up a fleet in the contiguous United States.

    Sites lie around cities, drawn by population. Hubs lie in large metropolitan areas that are far apart; their
    backbone stays connected when any one hub or link fails. Every site has an access circuit to each of its two
    nearest hubs, so that it outlives a hub. Each site runs three workloads, two of them protected, in one of four
    sizes. Round trips are estimates; the longest acceptable ones let every site reach at least three hubs (if there
    are three). Prices are invented and marked so in column ``x_note``.

    Parameters
    ----------
    sites, hubs : int
        How many sites have users, and how many candidate sites there are (at least 2).
    seed : int
        The same seed makes the same fleet.
    kind : str
        ``store`` (point of sale, inventory database, analytics) or ``hospital`` (records, images, laboratory).
    storage_scale : float
        Factor on stored data and its change rate; 1 makes storage about the binding resource, 0.2 compute.
    hub_link_mbps : float
        Bandwidth of each backbone link [Mbit/s].
    distinct : bool
        Whether every amount of every workload is drawn for itself, so that no two sites are alike nor in proportion,
        instead of one of four sizes for each site.
    horizon_months, period_months : int
        Planning horizon and length of a period [months].

    Raises
    ------
    InventoryError
        If `sites` < 1, `hubs` < 2, the kind is unknown, or a policy value is out of range.

    Examples
    --------
    >>> synthetic(sites=20, hubs=4, seed=7)
    Inventory('synthetic-store-20-4-7': 24 sites, 4 candidates, 45 links, 60 demands, 3 node models, 3 periods)
    """
    wrong = [
        Problem("INV007", f"synthetic:{name}", f"got {value!r}, expected {expected}", "correct the value")
        for name, value, expected, fits in (
            ("sites", sites, "at least 1", sites >= 1),
            ("hubs", hubs, f"from 2 to {MOST_HUBS}", 2 <= hubs <= MOST_HUBS),
            ("kind", kind, f"one of {', '.join(_KINDS)}", kind in _KINDS),
            ("storage_scale", storage_scale, "above 0", storage_scale > 0),
        )
        if not fits
    ]
    if wrong:
        raise InventoryError(wrong)
    generator = random.Random(seed)
    cities = [place for place in places() if place.country == "US" and place.region not in _OFFSHORE]
    hub_places = _spread_hubs(cities, hubs, generator)
    hub_names = _hub_names(hub_places)
    points = dict(zip(hub_names, ((place.latitude, place.longitude) for place in hub_places), strict=True))
    backbone = _backbone(points)
    drawn = list(_draw_sites(cities, sites, kind, generator))
    hub_rows = [_hub_row(name, place, generator) for name, place in zip(hub_names, hub_places, strict=True)]
    nearest = {
        row["site"]: sorted(points, key=lambda hub: (_km((row["latitude"], row["longitude"]), points[hub]), hub))[:2]
        for row, _ in drawn
    }
    reach_ms = _reach_ms(
        points, backbone, {row["site"]: (row["latitude"], row["longitude"]) for row, _ in drawn}, nearest
    )
    workloads = [
        row for site, size in drawn for row in _workload_rows(kind, site["site"], size, storage_scale, reach_ms)
    ]
    if distinct:
        _draw_amounts(workloads, generator)
    clusters = _slots(workloads, hubs)
    for row in hub_rows:
        row["max_clusters"] = clusters
    access = [row for site, size in drawn for row in _access_links(kind, site["site"], nearest[site["site"]], size)]
    tables: dict[str, list[dict[str, Any]]] = {
        "sites": [*hub_rows, *(row for row, _ in drawn)],
        "links": [*_backbone_links(points, backbone, hub_link_mbps), *access],
        "workloads": workloads,
        "hardware": [{**row, "x_note": "invented price"} for row in _HARDWARE],
        "growth": [{"profile": name, "annual_rate": rate} for name, rate in _GROWTH.items()],
        "policy": [
            {"key": "horizon_months", "value": horizon_months},
            {"key": "period_months", "value": period_months},
            {"key": "standby_reserve", "value": "shared"},
        ],
    }
    return checked_inventory(f"synthetic-{kind}-{sites}-{hubs}-{seed}", tables)


def is_two_connected(nodes: Collection[str], edges: Sequence[tuple[str, str]]) -> bool:
    """Tell whether a graph stays connected when any one node or any one edge is taken away."""
    without_node = all(_is_connected([other for other in nodes if other != node], edges) for node in nodes)
    without_edge = all(_is_connected(nodes, [*edges[:at], *edges[at + 1 :]]) for at in range(len(edges)))
    return _is_connected(nodes, edges) and without_node and without_edge


def _is_connected(nodes: Collection[str], edges: Sequence[tuple[str, str]]) -> bool:
    if not nodes:
        return True
    neighbors: dict[str, set[str]] = {node: set() for node in nodes}
    for a, b in edges:
        if a in neighbors and b in neighbors:
            neighbors[a].add(b)
            neighbors[b].add(a)
    pending = [next(iter(nodes))]
    seen = set(pending)
    while pending:
        new = neighbors[pending.pop()] - seen
        seen |= new
        pending.extend(new)
    return len(seen) == len(neighbors)


def _km(a: Point, b: Point) -> float:
    """Great-circle distance by the haversine formula [km]."""
    (lat_a, lon_a), (lat_b, lon_b) = ((math.radians(part) for part in point) for point in (a, b))
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(half))


def _rtt_ms(a: Point, b: Point) -> float:
    return _ASSUMED_RTT[0] + _ASSUMED_RTT[1] * _km(a, b)


def _spread_hubs(cities: Sequence[Place], hubs: int, generator: random.Random) -> list[Place]:
    """Choose large cities one by one, each far from those before; population and a little chance weigh in."""
    pool = cities[: max(60, 4 * hubs)]
    weight = {id(city): city.population**0.35 * generator.uniform(0.8, 1.2) for city in pool}
    apart = {id(city): math.inf for city in pool}
    chosen = [max(pool, key=lambda city: weight[id(city)])]
    while len(chosen) < hubs:
        last = (chosen[-1].latitude, chosen[-1].longitude)
        for city in pool:
            apart[id(city)] = min(apart[id(city)], _km((city.latitude, city.longitude), last))
        chosen.append(max(pool, key=lambda city: weight[id(city)] * apart[id(city)]))
    return chosen


def _hub_names(hub_places: Sequence[Place]) -> list[str]:
    names: list[str] = []
    for place in hub_places:
        name = f"rdc-{simplify(place.name).replace(' ', '-')}"
        names.append(name if name not in names else f"{name}-{place.region.lower()}")
    return names


def _hub_row(name: str, place: Place, generator: random.Random) -> dict[str, Any]:
    size = min(1.0, place.population / 4e6)
    return {
        "site": name,
        "name": f"Regional center {place.name}, {place.region}",
        "kind": "rdc",
        "latitude": place.latitude,
        "longitude": place.longitude,
        "country": "US",
        "region": place.region,
        "can_host": "yes",
        "transit": "yes",
        "opening_cost": round(generator.uniform(90_000, 180_000) + 120_000 * size, -3),
        "monthly_cost": round(generator.uniform(2_500, 5_000) + 4_000 * size, -2),
        "power_price_per_kwh": round(generator.uniform(0.07, 0.18), 3),
    }


def _backbone(points: Mapping[str, Point]) -> list[tuple[str, str]]:
    """Join every hub to its two nearest, and along a short round tour where that alone leaves a weak spot."""
    names = sorted(points)
    if len(names) == 2:
        return [(names[0], names[1])] * 2
    edges: dict[tuple[str, str], None] = {}
    for name in names:
        others = sorted((other for other in names if other != name), key=lambda other: _km(points[name], points[other]))
        for other in others[:2]:
            edges.setdefault((min(name, other), max(name, other)))
    tour = _tour(points)
    if not is_two_connected(names, list(edges)):
        for a, b in itertools.pairwise([*tour, tour[0]]):
            edges.setdefault((min(a, b), max(a, b)))
    return sorted(edges)


def _tour(points: Mapping[str, Point]) -> list[str]:
    """Find a short round tour: nearest neighbor first, then reversing stretches while that shortens it."""
    left = sorted(points)
    tour = [left.pop(0)]
    while left:
        tour.append(min(left, key=lambda name: (_km(points[tour[-1]], points[name]), name)))
        left.remove(tour[-1])
    count, improved = len(tour), True
    while improved:
        improved = False
        for i, j in itertools.combinations(range(count), 2):
            a, b, c, d = tour[i], tour[(i + 1) % count], tour[j], tour[(j + 1) % count]
            before = _km(points[a], points[b]) + _km(points[c], points[d])
            if _km(points[a], points[c]) + _km(points[b], points[d]) < before - 1e-6:
                tour[i + 1 : j + 1] = reversed(tour[i + 1 : j + 1])
                improved = True
    return tour


def _backbone_links(
    points: Mapping[str, Point], backbone: Sequence[tuple[str, str]], mbps: float
) -> Iterator[dict[str, Any]]:
    for a, b in backbone:
        cost = round(400 + 0.06 * mbps + 0.5 * _km(points[a], points[b]), -1)
        yield {
            "from": a,
            "to": b,
            "bandwidth_mbps": mbps,
            "monthly_cost": cost,
            "upgrade_mbps": 4 * mbps,
            "upgrade_monthly_cost": cost,
        }


def _draw_sites(
    cities: Sequence[Place], count: int, kind: str, generator: random.Random
) -> Iterator[tuple[dict[str, Any], tuple[str, float, int]]]:
    """Draw sites around cities, each with its size: name, factor on amounts, multiple of the smallest access."""
    totals = list(itertools.accumulate(city.population**0.8 for city in cities))
    digits = max(3, len(str(count)))
    for number in range(1, count + 1):
        city = cities[bisect.bisect(totals, generator.random() * totals[-1], hi=len(cities) - 1)]
        (name, _, factor, access) = generator.choices(_SIZES, [share for _, share, _, _ in _SIZES])[0]
        row = {
            "site": f"{kind}-{number:0{digits}}",
            "name": f"{kind.capitalize()} {number}, {city.name}, {city.region}",
            "kind": kind,
            "latitude": round(city.latitude + generator.uniform(-0.12, 0.12), 4),
            "longitude": round(city.longitude + generator.uniform(-0.12, 0.12), 4),
            "country": "US",
            "region": city.region,
            "x_size": name,
        }
        yield row, (name, factor, access)


def _reach_ms(
    points: Mapping[str, Point],
    backbone: Sequence[tuple[str, str]],
    sites: Mapping[str, Point],
    nearest: Mapping[str, Sequence[str]],
) -> float:
    """Round trip within which every site reaches three hubs (two, if there are but two) [ms]."""
    hubs = sorted(points)
    apart = {(a, b): 0.0 if a == b else math.inf for a in hubs for b in hubs}
    for a, b in backbone:
        apart[a, b] = apart[b, a] = _rtt_ms(points[a], points[b])
    for middle, a, b in itertools.product(hubs, repeat=3):
        apart[a, b] = min(apart[a, b], apart[a, middle] + apart[middle, b])
    worst = 0.0
    for site, point in sites.items():
        access = {hub: _rtt_ms(point, points[hub]) for hub in nearest[site]}
        reach = sorted(min(ms + apart[first, hub] for first, ms in access.items()) for hub in hubs)
        worst = max(worst, reach[min(3, len(hubs)) - 1])
    return math.ceil(worst / 5) * 5.0


def _draw_amounts(workloads: Sequence[dict[str, Any]], generator: random.Random) -> None:
    """Draw every amount for itself around what the size of the site asks for."""
    for row in workloads:
        for column in _AMOUNTS:
            row[column] = round(row[column] * generator.uniform(*_SPREAD), 6)


def _workload_rows(
    kind: str, site: str, size: tuple[str, float, int], storage_scale: float, reach_ms: float
) -> Iterator[dict[str, Any]]:
    scales = {
        "vcpus": size[1],
        "memory_gb": size[1],
        "traffic_mbps": size[1],
        "storage_gb": size[1] * storage_scale,
        "change_gb_per_day": size[1] * storage_scale,
    }
    for (workload, amounts), factor in zip(_KINDS[kind].workloads.items(), _RTT_FACTORS, strict=True):
        row = {
            column: round(value * scales[column], 6) if column in scales else value for column, value in amounts.items()
        }
        yield {"workload": workload, "site": site, **row, "max_rtt_ms": math.ceil(reach_ms * factor / 5) * 5}


def _access_links(kind: str, site: str, hubs: Sequence[str], size: tuple[str, float, int]) -> Iterator[dict[str, Any]]:
    mbps = _KINDS[kind].access_mbps * size[2]
    for hub in hubs:
        yield {"from": site, "to": hub, "bandwidth_mbps": mbps, "monthly_cost": 120 + mbps}


def _slots(workloads: Sequence[Mapping[str, Any]], hubs: int) -> int:
    """Clusters that a hub has room for, so that half of the hubs hold everything at the horizon."""
    copies: float = sum(row["storage_gb"] * (2 if "protection" in row else 1) for row in workloads) * 1.3
    cores: float = sum(row["vcpus"] for row in workloads) * 1.3 * 1.7 / 4 / 0.9
    nodes = max(copies / 1000 / _MEDIUM_POOL_TB, cores / 28)
    return min(64, max(1, math.ceil(nodes / max(1, hubs // 2) / _SLOT_NODES)))
