"""The backbone of a synthetic fleet: hubs far apart, joined so that any one of them or of their links may fail."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fleet.inventory.distances import great_circle_km
from fleet.inventory.reading.geocode import Place, simplify

Point = tuple[float, float]

#: Round trip assumed while a fleet is made [ms, ms/km], slightly longer than what an estimate will say.
_ASSUMED_RTT = (6.3, 0.0182)


@dataclass(frozen=True)
class Backbone:
    """Hubs and the links between them.

    Attributes
    ----------
    points : mapping
        Latitude and longitude of each hub [degrees].
    km : mapping
        Distance of every two hubs [km].
    edges : sequence of pairs of str
        The hubs that a link joins; two hubs are joined twice.
    """

    points: Mapping[str, Point]
    km: Mapping[tuple[str, str], float]
    edges: Sequence[tuple[str, str]]

    def nearest(self, point: Point) -> dict[str, float]:
        """The two hubs nearest to a point, and how far they are [km]."""
        km = km_from(point, self.points)
        return {hub: km[hub] for hub in sorted(km, key=lambda hub: (km[hub], hub))[:2]}

    def links(self, mbps: float) -> Iterator[dict[str, Any]]:
        """Rows of the links table, each link with so much bandwidth and four times as much on demand [Mbit/s]."""
        for a, b in self.edges:
            cost = round(400 + 0.06 * mbps + 0.5 * self.km[a, b], -1)
            yield {
                "from": a,
                "to": b,
                "bandwidth_mbps": mbps,
                "monthly_cost": cost,
                "upgrade_mbps": 4 * mbps,
                "upgrade_monthly_cost": cost,
            }

    def reach_ms(self, nearest: Mapping[str, Mapping[str, float]]) -> float:
        """Round trip within which every site reaches three hubs (two, if there are but two) [ms].

        Parameters
        ----------
        nearest : mapping
            Per site, the hubs that it is connected to and how far they are [km].
        """
        hubs = sorted(self.points)
        apart = {(a, b): 0.0 if a == b else math.inf for a in hubs for b in hubs}
        for a, b in self.edges:
            apart[a, b] = apart[b, a] = _rtt_ms(self.km[a, b])
        for middle, a, b in itertools.product(hubs, repeat=3):
            apart[a, b] = min(apart[a, b], apart[a, middle] + apart[middle, b])
        worst = 0.0
        for access in nearest.values():
            reach = sorted(min(_rtt_ms(km) + apart[first, hub] for first, km in access.items()) for hub in hubs)
            worst = max(worst, reach[min(3, len(hubs)) - 1])
        return math.ceil(worst / 5) * 5.0


def backbone_of(points: Mapping[str, Point]) -> Backbone:
    """Join every hub to its two nearest, and along a short round tour where that alone leaves a weak spot."""
    km = {(a, b): far for a in points for b, far in km_from(points[a], points).items()}
    names = sorted(points)
    if len(names) == 2:
        return Backbone(points, km, [(names[0], names[1])] * 2)
    edges: dict[tuple[str, str], None] = {}
    for name in names:
        others = sorted((other for other in names if other != name), key=lambda other: km[name, other])
        for other in others[:2]:
            edges.setdefault((min(name, other), max(name, other)))
    if not is_two_connected(names, list(edges)):
        tour = _tour(names, km)
        for a, b in itertools.pairwise([*tour, tour[0]]):
            edges.setdefault((min(a, b), max(a, b)))
    return Backbone(points, km, sorted(edges))


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


def _tour(names: Sequence[str], km: Mapping[tuple[str, str], float]) -> list[str]:
    """Find a short round tour: nearest neighbor first, then reversing stretches while that shortens it."""
    left = list(names)
    tour = [left.pop(0)]
    while left:
        tour.append(min(left, key=lambda name: (km[tour[-1], name], name)))
        left.remove(tour[-1])
    count, improved = len(tour), True
    while improved:
        improved = False
        for i, j in itertools.combinations(range(count), 2):
            a, b, c, d = tour[i], tour[(i + 1) % count], tour[j], tour[(j + 1) % count]
            if km[a, c] + km[b, d] < km[a, b] + km[c, d] - 1e-6:
                tour[i + 1 : j + 1] = reversed(tour[i + 1 : j + 1])
                improved = True
    return tour


def spread_hubs(cities: Sequence[Place], hubs: int, generator: random.Random) -> dict[str, Place]:
    """Choose large cities one by one, each far from those before; population and a little chance weigh in."""
    pool = cities[: max(60, 4 * hubs)]
    latitudes, longitudes = [city.latitude for city in pool], [city.longitude for city in pool]
    weight = np.array([city.population**0.35 * generator.uniform(0.8, 1.2) for city in pool])
    apart = np.full(len(pool), np.inf)
    chosen = [pool[int(np.argmax(weight))]]
    while len(chosen) < hubs:
        last = chosen[-1]
        apart = np.minimum(apart, great_circle_km(last.latitude, last.longitude, latitudes, longitudes))
        chosen.append(pool[int(np.argmax(weight * apart))])
    named: dict[str, Place] = {}
    for place in chosen:
        name = f"rdc-{simplify(place.name).replace(' ', '-')}"
        named[name if name not in named else f"{name}-{place.region.lower()}"] = place
    return named


def km_from(point: Point, points: Mapping[str, Point]) -> dict[str, float]:
    """Great-circle distance of a point to each of others [km]."""
    latitudes, longitudes = zip(*points.values(), strict=True)
    return dict(zip(points, great_circle_km(*point, latitudes, longitudes).tolist(), strict=True))


def _rtt_ms(km: float) -> float:
    return _ASSUMED_RTT[0] + _ASSUMED_RTT[1] * km
