"""Derive ``fleet/exchange/data/basemap.json`` from the npm packages world-atlas and us-atlas.

Usage, with both packages fetched by ``npm pack world-atlas@2.0.2 us-atlas@3.0.1`` and unpacked::

    python tools/build_basemap.py WORLD_ATLAS/countries-110m.json US_ATLAS/states-10m.json

Each layer of the result is a list of polygons; a polygon is a list of rings (outer ring, then holes); a ring is a flat
list of integers ``x0, y0, dx1, dy1, …`` in hundredths of a degree of longitude and latitude, not closed. Rings that
pass the 180th meridian are unwrapped and repeated 360° away, so that a map never draws them as bands across the world.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

#: Hundredths of a degree: about one kilometer.
STEPS_PER_DEGREE = 100
#: Largest offset of a simplified state line from the original [degrees].
TOLERANCE = 0.015
#: Shown in the layer of states, or not at all.
LEFT_OUT = {"Antarctica", "United States of America", "Puerto Rico"}
TARGET = Path(__file__).parent.parent / "fleet" / "exchange" / "data" / "basemap.json"

Point = tuple[float, float]
Ring = list[Point]


def decode_arcs(topology: dict[str, Any]) -> list[Ring]:
    """Every arc of a TopoJSON topology in degrees."""
    scale, offset = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + offset[0], y * scale[1] + offset[1]))
        arcs.append(points)
    return arcs


def simplify(points: Ring, tolerance: float) -> Ring:
    """Fewest of the points whose line stays within the tolerance (Ramer, Douglas, Peucker); the ends stay."""
    kept = {0, len(points) - 1}
    pending = [(0, len(points) - 1)]
    while pending:
        first, last = pending.pop()
        (ax, ay), (bx, by) = points[first], points[last]
        length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
        farthest, distance = -1, tolerance
        for index in range(first + 1, last):
            x, y = points[index]
            if length > 0:
                away = abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length
            else:
                away = ((x - ax) ** 2 + (y - ay) ** 2) ** 0.5
            if away > distance:
                farthest, distance = index, away
        if farthest >= 0:
            kept.add(farthest)
            pending += [(first, farthest), (farthest, last)]
    return [points[index] for index in sorted(kept)]


def stitch(indices: list[int], arcs: list[Ring]) -> Ring:
    """One ring from its arcs; a negative index is the arc backwards."""
    ring: Ring = []
    for index in indices:
        points = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring.extend(points if not ring else points[1:])
    return ring


def unwrap(ring: Ring) -> Ring:
    """The ring without jumps of 360°."""
    shift = 0
    result = [ring[0]]
    for (before, _), (x, y) in itertools.pairwise(ring):
        if x - before > 180:
            shift -= 360
        elif x - before < -180:
            shift += 360
        result.append((x + shift, y))
    return result


def encode(ring: Ring, shift: int) -> list[int]:
    """The ring as a flat list of differences, repeated points left out."""
    points: list[tuple[int, int]] = []
    for x, y in ring:
        point = (round((x + shift) * STEPS_PER_DEGREE), round(y * STEPS_PER_DEGREE))
        if not points or points[-1] != point:
            points.append(point)
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    if len(points) < 3:
        return []
    flat = [*points[0]]
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        flat += [bx - ax, by - ay]
    return flat


def layer(topology: dict[str, Any], name: str, tolerance: float) -> list[list[list[int]]]:
    """The polygons of one object of a topology."""
    arcs = decode_arcs(topology)
    if tolerance:
        arcs = [simplify(arc, tolerance) for arc in arcs]
    polygons = []
    for shape in topology["objects"][name]["geometries"]:
        if shape["properties"]["name"] in LEFT_OUT and name == "countries":
            continue
        groups = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
        for group in groups:
            rings = [unwrap(stitch(indices, arcs)) for indices in group]
            longitudes = [x for x, _ in rings[0]]
            shifts = [0]
            if max(longitudes) > 180:
                shifts.append(-360)
            if min(longitudes) < -180:
                shifts.append(360)
            for shift in shifts:
                encoded = [flat for flat in (encode(ring, shift) for ring in rings) if flat]
                if encoded:
                    polygons.append(encoded)
    return polygons


def main() -> None:
    parser = argparse.ArgumentParser(description="derive the basemap of the maps")
    parser.add_argument("countries", type=Path, help="countries-110m.json of world-atlas 2.0.2")
    parser.add_argument("states", type=Path, help="states-10m.json of us-atlas 3.0.1")
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args()
    basemap = {
        "steps_per_degree": STEPS_PER_DEGREE,
        "countries": layer(json.loads(options.countries.read_text()), "countries", 0.0),
        "states": layer(json.loads(options.states.read_text()), "states", TOLERANCE),
    }
    options.target.write_text(json.dumps(basemap, separators=(",", ":")) + "\n")
    print(f"{options.target}: {options.target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
