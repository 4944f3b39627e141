"""The small map of the report: the basemap and the plan as inline SVG."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources

from markupsafe import Markup

from fleet.exchange.report.charts import load_color
from fleet.inventory.inventory import Inventory
from fleet.plan.plan import Plan

MAP_WIDTH, MAP_HEIGHT, MARGIN = 760.0, 430.0, 26.0
#: Points of the basemap nearer than this to the last one are left out [pixels].
FINEST = 0.8

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Projection = Callable[[float, float], Point]


def plan_map(plan: Plan, inventory: Inventory) -> Markup | None:
    """The plan on a small map: sites, assignments, standby pairs and clusters; None where no site has a place."""
    places = {
        site.site: (site.longitude, site.latitude)
        for site in inventory.sites
        if site.longitude is not None and site.latitude is not None
    }
    if not places:
        return None
    project = _fitted(list(places.values()))
    points = {name: project(*place) for name, place in places.items()}
    homes = {row.cluster: points[row.site] for row in plan.document.clusters if row.site in points}
    parts = [
        Markup(
            '<svg class="chart map" viewBox="0 0 {w:.0f} {h:.0f}" width="{w:.0f}" height="{h:.0f}" role="img">'
            '<title>sites and clusters</title><rect width="{w:.0f}" height="{h:.0f}" fill="#D5E3EC"/>'
        ).format(w=MAP_WIDTH, h=MAP_HEIGHT),
        _ground(project, list(places.values())),
    ]
    spokes = {(row.site, row.cluster) for row in plan.document.assignments}
    lines = "".join(
        f"M{points[site][0]:.1f} {points[site][1]:.1f}L{homes[cluster][0]:.1f} {homes[cluster][1]:.1f}"
        for site, cluster in sorted(spokes)
        if site in points and cluster in homes and points[site] != homes[cluster]
    )
    opacity = 0.5 if len(spokes) < 1000 else 0.15
    parts.append(Markup('<path d="{}" stroke="#52616B" stroke-width=".6" stroke-opacity="{}"/>').format(lines, opacity))
    for primary, standby in sorted({(row.cluster, row.standby) for row in plan.document.standbys}):
        if primary in homes and standby in homes:
            parts.append(_arc(homes[primary], homes[standby]))
        elif primary in homes and not standby:
            parts.append(_cloud(homes[primary]))
    hosts = {row.site for row in plan.document.clusters}
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for name, (x, y) in sorted(points.items()) if name not in hosts)
    size = 4 if len(points) < 1000 else 2
    parts.append(Markup('<path d="{}" stroke="#3F4D57" stroke-width="{}" stroke-linecap="round"/>').format(dots, size))
    parts.extend(_bubbles(plan, homes))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _cloud(home: Point) -> Markup:
    """A small cloud beside a cluster with demands that recover in the cloud, tied to it as to a standby."""
    x, y = home[0] + (36.0 if home[0] < MAP_WIDTH - 60.0 else -36.0), max(home[1] - 6.0, 16.0)
    return Markup(
        '<path d="M{x0:.1f} {y0:.1f}L{x:.1f} {y:.1f}" stroke="#7B3294" stroke-width="1.2" stroke-dasharray="5 3"/>'
        '<path d="M{x:.1f} {y:.1f}m-8 0a5 5 0 0 1 1-9a6 6 0 0 1 11-1a5 5 0 0 1 5 10z" fill="#F7F3FA" stroke="#7B3294" '
        'stroke-width="1.2"><title>recovery in the cloud</title></path>'
    ).format(x0=home[0], y0=home[1], x=x, y=y)


def _bubbles(plan: Plan, homes: dict[str, Point]) -> Iterable[Markup]:
    document = plan.document
    last = len(document.periods) - 1
    nodes = {row.cluster: row.nodes for row in document.cluster_periods if row.period == last}
    peaks: dict[str, float] = {}
    for row in document.cluster_loads:
        if row.period == last and row.capacity > 0:
            peaks[row.cluster] = max(peaks.get(row.cluster, 0.0), (row.load + row.standby_reserve) / row.capacity)
    most = max(8, *nodes.values()) if nodes else 8
    order = sorted(homes.items(), key=lambda item: (-nodes.get(item[0], 0), item[0]))
    radii = {cluster: 6 + 9 * math.sqrt(nodes.get(cluster, 0) / most) for cluster in homes}
    taken: list[Box] = []
    for cluster, (x, y) in order:
        radius, color = radii[cluster], load_color(peaks.get(cluster, 0.0))
        taken.append((x - radius, y - radius, x + radius, y + radius))
        yield Markup(
            '<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{color}" stroke="#fff" stroke-width="1.5"/>'
            '<text x="{x:.1f}" y="{ty:.1f}" class="middle strong" fill="{ink}">{count}</text>'
        ).format(
            x=x,
            y=y,
            r=radius,
            color=color,
            ty=y + 4,
            count=nodes.get(cluster, 0),
            ink="#10191F" if color in ("#56B4E9", "#E69F00") else "#fff",
        )
    for cluster, (x, y) in order:
        base, reach = y + radii[cluster] + 12, 3.4 * len(cluster)
        box = (x - reach, base - 9, x + reach, base + 2)
        if not any(_overlap(box, other) for other in taken):
            taken.append(box)
            yield Markup('<text x="{x:.1f}" y="{y:.1f}" class="middle strong halo">{name}</text>').format(
                x=x, y=base, name=cluster
            )


def _overlap(a: Box, b: Box) -> bool:
    """Whether two boxes of left, top, right, bottom share a pixel."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _arc(start: Point, end: Point) -> Markup:
    (ax, ay), (bx, by) = start, end
    x, y = (ax + bx) / 2 + 0.16 * (by - ay), (ay + by) / 2 - 0.16 * (bx - ax)
    return Markup(
        '<path d="M{ax:.1f} {ay:.1f}Q{x:.1f} {y:.1f} {bx:.1f} {by:.1f}" fill="none" stroke="#7B3294" '
        'stroke-width="1.6" stroke-dasharray="5 3" stroke-opacity=".75"/>'
    ).format(ax=ax, ay=ay, x=x, y=y, bx=bx, by=by)


@cache
def _basemap() -> tuple[tuple[str, tuple[tuple[tuple[Point, ...], ...], ...]], ...]:
    """Layers of polygons of rings of (longitude, latitude) in degrees."""
    text = resources.files("fleet.exchange").joinpath("data", "basemap.json").read_text(encoding="utf-8")
    data = json.loads(text)
    step = data["steps_per_degree"]

    def ring(flat: list[int]) -> tuple[Point, ...]:
        x = y = 0
        points = []
        for dx, dy in zip(flat[::2], flat[1::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x / step, y / step))
        return tuple(points)

    return tuple(
        (layer, tuple(tuple(ring(flat) for flat in polygon) for polygon in data[layer]))
        for layer in ("countries", "states")
    )


def _ground(project: Projection, places: list[Point]) -> Markup:
    """The basemap within reach of the places, thinned to what a pixel shows."""
    west, east = min(x for x, _ in places) - 35, max(x for x, _ in places) + 35
    south, north = min(y for _, y in places) - 25, max(y for _, y in places) + 25
    parts = []
    for layer, polygons in _basemap():
        lines = []
        for rings in polygons:
            if not any(west < x < east and south < y < north for x, y in rings[0]):
                continue
            for ring in rings:
                kept: list[Point] = []
                for x, y in ring:
                    point = project(min(max(x, west - 60), east + 60), y)
                    if not kept or math.dist(kept[-1], point) > FINEST:
                        kept.append(point)
                if len(kept) > 2 and any(-99 < x < MAP_WIDTH + 99 and -99 < y < MAP_HEIGHT + 99 for x, y in kept):
                    lines.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in kept) + "Z")
        stroke = "#B4BCBF" if layer == "countries" else "#CBD0CF"
        parts.append(
            Markup('<path d="{}" fill="#F6F5F0" fill-rule="evenodd" stroke="{}" stroke-width=".6"/>').format(
                "".join(lines), stroke
            )
        )
    return Markup("").join(parts)


def _fitted(places: list[Point]) -> Projection:
    """A projection whose image of the places fills the map: Albers, or equirectangular near the equator."""
    west, east = min(x for x, _ in places), max(x for x, _ in places)
    south, north = min(y for _, y in places), max(y for _, y in places)
    plain = _conic(west, east, south, north)
    images = [plain(*place) for place in places]
    left, right = min(x for x, _ in images), max(x for x, _ in images)
    low, high = min(y for _, y in images), max(y for _, y in images)
    scale = min((MAP_WIDTH - 2 * MARGIN) / max(right - left, 0.02), (MAP_HEIGHT - 2 * MARGIN) / max(high - low, 0.02))

    def project(longitude: float, latitude: float) -> Point:
        x, y = plain(longitude, latitude)
        return (
            MAP_WIDTH / 2 + (x - (left + right) / 2) * scale,
            MAP_HEIGHT / 2 - (y - (low + high) / 2) * scale,
        )

    return project


def _conic(west: float, east: float, south: float, north: float) -> Projection:
    """Albers equal-area with standard parallels a sixth inside the extent (Snyder 1987, eq. 14-1 to 14-6)."""
    middle, span = (west + east) / 2, north - south
    first, second = math.radians(south + span / 6), math.radians(north - span / 6)
    n = (math.sin(first) + math.sin(second)) / 2
    if abs(n) < 0.2 or east - west > 140:
        squeeze = math.cos(math.radians((south + north) / 2))
        return lambda longitude, latitude: (math.radians(longitude - middle) * squeeze, math.radians(latitude))
    constant = math.cos(first) ** 2 + 2 * n * math.sin(first)

    def project(longitude: float, latitude: float) -> Point:
        rho = math.sqrt(max(0.0, constant - 2 * n * math.sin(math.radians(latitude)))) / n
        theta = n * math.radians(longitude - middle)
        return rho * math.sin(theta), -rho * math.cos(theta)

    return project
