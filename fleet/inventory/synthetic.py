"""Synthetic fleets: real geography, invented companies. For trying things out, tests and benchmarks."""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from fleet.errors import InventoryError, Problem
from fleet.inventory.backbone import Backbone, backbone_of, spread_hubs
from fleet.inventory.checks.inventory import checked_inventory
from fleet.inventory.inventory import Inventory
from fleet.inventory.reading.geocode import Place, places

MOST_HUBS = 150

_OFFSHORE = frozenset({"AK", "HI", "PR"})


class _Size(NamedTuple):
    """A size class: share of the sites, factor on their amounts, access bandwidth as a multiple of the smallest."""

    name: str
    share: float
    factor: float
    access: int


_SIZES = (
    _Size("small", 0.35, 0.5, 1),
    _Size("medium", 0.35, 1.0, 2),
    _Size("large", 0.2, 1.6, 3),
    _Size("flagship", 0.1, 2.4, 4),
)


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
_STORED = ("storage_gb", "change_gb_per_day")
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
_COMMON_TABLES: dict[str, list[dict[str, Any]]] = {
    "hardware": [{**row, "x_note": "invented price"} for row in _HARDWARE],
    "growth": [{"profile": name, "annual_rate": rate} for name, rate in _GROWTH.items()],
}
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
        Whether every amount is drawn for itself, so that no two sites are alike, instead of one of four sizes.
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
    _check(sites, hubs, kind, storage_scale)
    generator = random.Random(seed)
    drawn = _draw(sites, hubs, kind, generator)
    workloads = list(_workload_rows(drawn, storage_scale))
    if distinct:
        _draw_amounts(workloads, generator)
    tables = {
        "sites": _site_rows(drawn, _slots(workloads, hubs)),
        "links": [*drawn.backbone.links(hub_link_mbps), *_access_links(drawn)],
        "workloads": workloads,
        "policy": _policy(horizon_months=horizon_months, period_months=period_months, standby_reserve="shared"),
    }
    return checked_inventory(f"synthetic-{kind}-{sites}-{hubs}-{seed}", tables | _COMMON_TABLES)


def _check(sites: int, hubs: int, kind: str, storage_scale: float) -> None:
    """Raise an error that names every argument no fleet can be made of."""
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


class _Drawn(NamedTuple):
    """What is drawn first: rows of hubs and sites, each site's size and its two nearest hubs with their distance."""

    kind: _Kind
    backbone: Backbone
    hub_rows: list[dict[str, Any]]
    sites: list[tuple[dict[str, Any], _Size]]
    nearest: dict[str, dict[str, float]]


def _draw(sites: int, hubs: int, kind: str, generator: random.Random) -> _Drawn:
    cities = [place for place in places() if place.country == "US" and place.region not in _OFFSHORE]
    places_by_hub = spread_hubs(cities, hubs, generator)
    backbone = backbone_of({name: (place.latitude, place.longitude) for name, place in places_by_hub.items()})
    drawn = list(_draw_sites(cities, sites, kind, generator))
    hub_rows = [_hub_row(name, place, generator) for name, place in places_by_hub.items()]
    nearest = {row["site"]: backbone.nearest((row["latitude"], row["longitude"])) for row, _ in drawn}
    return _Drawn(_KINDS[kind], backbone, hub_rows, drawn, nearest)


def _site_rows(drawn: _Drawn, slots: int) -> list[dict[str, Any]]:
    return [*({**row, "max_clusters": slots} for row in drawn.hub_rows), *(row for row, _ in drawn.sites)]


def _policy(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]


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


def _draw_sites(
    cities: Sequence[Place], count: int, kind: str, generator: random.Random
) -> Iterator[tuple[dict[str, Any], _Size]]:
    """Draw sites around cities, each with its size."""
    totals = list(itertools.accumulate(city.population**0.8 for city in cities))
    digits = max(3, len(str(count)))
    for number in range(1, count + 1):
        city = cities[bisect.bisect(totals, generator.random() * totals[-1], hi=len(cities) - 1)]
        size = generator.choices(_SIZES, [size.share for size in _SIZES])[0]
        row = {
            "site": f"{kind}-{number:0{digits}}",
            "name": f"{kind.capitalize()} {number}, {city.name}, {city.region}",
            "kind": kind,
            "latitude": round(city.latitude + generator.uniform(-0.12, 0.12), 4),
            "longitude": round(city.longitude + generator.uniform(-0.12, 0.12), 4),
            "country": "US",
            "region": city.region,
            "x_size": size.name,
        }
        yield row, size


def _draw_amounts(workloads: Sequence[dict[str, Any]], generator: random.Random) -> None:
    """Draw every amount for itself around what the size of the site asks for."""
    for row in workloads:
        for column in _AMOUNTS:
            row[column] = round(row[column] * generator.uniform(*_SPREAD), 6)


def _workload_rows(drawn: _Drawn, storage_scale: float) -> Iterator[dict[str, Any]]:
    reach_ms = drawn.backbone.reach_ms(drawn.nearest)
    for site, size in drawn.sites:
        scales = {column: size.factor * (storage_scale if column in _STORED else 1.0) for column in _AMOUNTS}
        for (workload, amounts), factor in zip(drawn.kind.workloads.items(), _RTT_FACTORS, strict=True):
            row = {
                column: round(value * scales[column], 6) if column in scales else value
                for column, value in amounts.items()
            }
            limit = math.ceil(reach_ms * factor / 5) * 5
            yield {"workload": workload, "site": site["site"], **row, "max_rtt_ms": limit}


def _access_links(drawn: _Drawn) -> Iterator[dict[str, Any]]:
    for row, size in drawn.sites:
        mbps = drawn.kind.access_mbps * size.access
        for hub in drawn.nearest[row["site"]]:
            yield {"from": row["site"], "to": hub, "bandwidth_mbps": mbps, "monthly_cost": 120 + mbps}


def _slots(workloads: Sequence[Mapping[str, Any]], hubs: int) -> int:
    """Clusters that a hub has room for, so that half of the hubs hold everything at the horizon."""
    copies: float = sum(row["storage_gb"] * (2 if "protection" in row else 1) for row in workloads) * 1.3
    cores: float = sum(row["vcpus"] for row in workloads) * 1.3 * 1.7 / 4 / 0.9
    nodes = max(copies / 1000 / _MEDIUM_POOL_TB, cores / 28)
    return min(64, max(1, math.ceil(nodes / max(1, hubs // 2) / _SLOT_NODES)))
