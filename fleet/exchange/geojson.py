"""The plan as GeoJSON (RFC 7946): sites, clusters, links and standbys as features."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fleet.exchange.figures import figures
from fleet.exchange.files import write_text
from fleet.inventory.checks.inventory import checked_inventory
from fleet.plan.plan import LinkRow, Plan

Position = tuple[float, float]


def to_geojson(plan: Plan, path: str | Path) -> None:
    """Write `geojson` of the plan as UTF-8 text, whole or not at all.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    write_text(path, json.dumps(geojson(plan), ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def geojson(plan: Plan) -> dict[str, Any]:
    """The plan as a GeoJSON FeatureCollection.

    Every feature has ``layer`` (site, cluster, link or standby) among its properties. Positions are longitude, latitude
    [degrees, WGS84]; a carrier cloud without coordinates has the geometry null, and so have links that end in it. Lines
    that cross the 180th meridian are split there. Loads are those of the last period.

    Returns
    -------
    dict
        ``{"type": "FeatureCollection", "features": [...]}``.
    """
    features = [*_sites(plan), *_clusters(plan), *_links(plan), *_standbys(plan)]
    return {"type": "FeatureCollection", "features": features}


def _positions(plan: Plan) -> dict[str, Position]:
    copy = plan.document.inventory
    sites = checked_inventory(copy.name, copy.tables).sites
    return {
        site.site: (site.longitude, site.latitude)
        for site in sites
        if site.longitude is not None and site.latitude is not None
    }


def _feature(name: str, geometry: dict[str, Any] | None, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": dict(properties)}


def _point(position: Position | None) -> dict[str, Any] | None:
    return None if position is None else {"type": "Point", "coordinates": list(position)}


def _line(start: Position | None, end: Position | None) -> dict[str, Any] | None:
    """A straight line on the map, split at the 180th meridian where the short way crosses it."""
    if start is None or end is None or start == end:
        return _point(start if start == end else None)
    (x0, y0), (x1, y1) = start, end
    if abs(x1 - x0) <= 180:
        return {"type": "LineString", "coordinates": [list(start), list(end)]}
    edge = 180.0 if x0 > 0 else -180.0
    span = x1 + 2 * edge - x0
    crossing = y0 + (y1 - y0) * (edge - x0) / span if span else y0
    halves = [[[x0, y0], [edge, crossing]], [[-edge, crossing], [x1, y1]]]
    return {"type": "MultiLineString", "coordinates": halves}


def _sites(plan: Plan) -> Iterator[dict[str, Any]]:
    positions = _positions(plan)
    demands: dict[str, int] = defaultdict(int)
    for row in plan.document.assignments:
        demands[row.site] += 1
    for site in plan.document.inventory.tables.get("sites", []):
        name = str(site["site"])
        kept = {key: value for key, value in site.items() if key not in ("latitude", "longitude")}
        yield _feature(
            f"site:{name}", _point(positions.get(name)), {"layer": "site", **kept, "workloads": demands[name]}
        )


def _clusters(plan: Plan) -> Iterator[dict[str, Any]]:
    positions = _positions(plan)
    uses = {use.cluster: use for use in figures(plan).uses}
    nodes: dict[str, list[int]] = defaultdict(list)
    for row in sorted(plan.document.cluster_periods, key=lambda row: row.period):
        nodes[row.cluster].append(row.nodes)
    for cluster in plan.document.clusters:
        properties = {
            "layer": "cluster",
            **cluster.model_dump(mode="json"),
            "nodes": nodes[cluster.cluster],
            "use": {name: round(share, 4) for name, share in uses[cluster.cluster].use.items()},
        }
        yield _feature(f"cluster:{cluster.cluster}", _point(positions.get(cluster.site)), properties)


def _links(plan: Plan) -> Iterator[dict[str, Any]]:
    positions = _positions(plan)
    last = max((row.period for row in plan.document.periods), default=0)
    rows: dict[str, list[LinkRow]] = defaultdict(list)
    for row in plan.document.links:
        if row.period == last:
            rows[row.link].append(row)
    for link, directions in rows.items():
        worst = max(directions, key=lambda row: row.worst_mbps / row.capacity_mbps if row.capacity_mbps > 0 else 0.0)
        properties = {"layer": "link", **worst.model_dump(mode="json", by_alias=True)}
        geometry = _line(positions.get(directions[0].from_), positions.get(directions[0].to))
        yield _feature(f"link:{link}", geometry, properties)


def _standbys(plan: Plan) -> Iterator[dict[str, Any]]:
    """One arc per pair of clusters and mechanism, with its demands; a point where their copies are in the cloud."""
    positions = _positions(plan)
    site_of = {cluster.cluster: cluster.site for cluster in plan.document.clusters}
    pairs: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for row in plan.document.standbys:
        pairs[row.cluster, row.standby, row.mechanism].append(row.required_mbps)
    for (cluster, standby, mechanism), streams in sorted(pairs.items()):
        properties = {
            "layer": "standby",
            "cluster": cluster,
            "standby": standby,
            "mechanism": mechanism,
            "workloads": len(streams),
            "required_mbps": round(sum(streams), 6),
        }
        geometry = _line(positions.get(site_of.get(cluster, "")), positions.get(site_of.get(standby or cluster, "")))
        yield _feature(f"standby:{cluster}:{standby}:{mechanism}", geometry, properties)
