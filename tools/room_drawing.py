"""A layered drawing of an import graph as SVG: what is imported stands below what imports it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

#: Sizes [px]: of a box, between boxes of a layer, between layers, of a line that passes a layer.
BOX_WIDTH, BOX_HEIGHT, GAP, LAYER_HEIGHT, LANE = 124, 44, 22, 92, 18
#: How often the order of the layers is improved, from both sides.
SWEEPS = 12
TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8Z"/></marker></defs>'
)

Edges = Mapping[str, frozenset[str]]


@dataclass
class _Layers:
    """Boxes and passing lines by layer, the lowest first; a passing line is a name of its own."""

    rows: list[list[str]]
    up: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    down: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    x: dict[str, float] = field(default_factory=dict)

    def is_box(self, name: str) -> bool:
        return "→" not in name

    def width(self, name: str) -> float:
        return BOX_WIDTH if self.is_box(name) else LANE


def reduced(edges: Edges) -> dict[str, frozenset[str]]:
    """The edges without those that others imply: of a to b, b to c and a to c the last."""
    below = reachable(edges)
    return {
        name: frozenset(
            other for other in others if not any(other in below[between] for between in others if between != other)
        )
        for name, others in edges.items()
    }


def reachable(edges: Edges) -> dict[str, frozenset[str]]:
    """Everything that each name leads to; the edges must have no circle."""
    known: dict[str, frozenset[str]] = {}

    def visit(name: str) -> frozenset[str]:
        if name not in known:
            others = edges.get(name, frozenset())
            known[name] = frozenset(others).union(*(visit(other) for other in others))
        return known[name]

    for name in edges:
        visit(name)
    return known


def drawing(edges: Edges, notes: Mapping[str, str], title: str) -> str:
    """An SVG of the graph.

    Parameters
    ----------
    edges : mapping of str to frozenset of str
        What each name leads to; without circles. Edges that others imply are left out.
    notes : mapping of str to str
        A second line for each box.
    title : str
        What the drawing shows, for readers who do not see it.
    """
    layers = _layers(reduced(edges))
    best = [list(row) for row in layers.rows]
    for sweep in range(SWEEPS):
        _order(layers, upwards=sweep % 2 == 0)
        if _crossings(layers, layers.rows) < _crossings(layers, best):
            best = [list(row) for row in layers.rows]
    layers.rows = best
    _exchange(layers)
    _place(layers)
    width = max(layers.x[name] + layers.width(name) / 2 for row in layers.rows for name in row) + GAP
    height = len(layers.rows) * LAYER_HEIGHT - (LAYER_HEIGHT - BOX_HEIGHT) + 2 * GAP
    lines = [
        _line(layers, name, other, height)
        for row in layers.rows
        for name in row
        if layers.is_box(name)
        for other in layers.down[name]
    ]
    boxes = [
        _box(name, notes.get(name, ""), layers.x[name], _y(level, height))
        for level, row in enumerate(layers.rows)
        for name in row
        if layers.is_box(name)
    ]
    head = (
        f'<svg class="rooms" role="img" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'style="max-width:100%;height:auto" xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>{TIP}'
    )
    return "".join([head, *lines, *boxes, "</svg>"])


def _layers(edges: Edges) -> _Layers:
    level: dict[str, int] = {}

    def height(name: str) -> int:
        if name not in level:
            level[name] = 1 + max((height(other) for other in edges[name]), default=-1)
        return level[name]

    for name in sorted(edges):
        height(name)
    layers = _Layers([sorted(name for name in edges if level[name] == row) for row in range(max(level.values()) + 1)])
    for name in sorted(edges):
        for other in sorted(edges[name]):
            above = name
            for row in range(level[name] - 1, level[other], -1):
                lane = f"{name}→{other}→{row}"
                layers.rows[row].append(lane)
                layers.down[above].append(lane)
                layers.up[lane].append(above)
                above = lane
            layers.down[above].append(other)
            layers.up[other].append(above)
    return layers


def _order(layers: _Layers, *, upwards: bool) -> None:
    """Put each name near the mean place of those that it is tied to."""
    rows = layers.rows if upwards else layers.rows[::-1]
    ties = layers.down if upwards else layers.up
    for before, row in pairwise(rows):
        place = {name: index / max(len(before) - 1, 1) for index, name in enumerate(before)}
        own = {name: index / max(len(row) - 1, 1) for index, name in enumerate(row)}

        def mean(name: str, place: dict[str, float] = place, own: dict[str, float] = own) -> float:
            known = [place[other] for other in ties[name] if other in place]
            return sum(known) / len(known) if known else own[name]

        row.sort(key=lambda name: (mean(name), name))


def _crossings(layers: _Layers, rows: list[list[str]]) -> int:
    """How many lines cross between layers that are next to each other."""
    count = 0
    for below, row in pairwise(rows):
        place = {name: index for index, name in enumerate(below)}
        ends = [(index, place[other]) for index, name in enumerate(row) for other in layers.down[name]]
        count += sum(a < c and b > d for a, b in ends for c, d in ends)
    return count


def _exchange(layers: _Layers) -> None:
    """Exchange neighbors in a layer as long as that takes crossings away."""
    is_better = True
    while is_better:
        is_better = False
        for row in layers.rows:
            for index in range(len(row) - 1):
                before = _crossings(layers, layers.rows)
                row[index], row[index + 1] = row[index + 1], row[index]
                if _crossings(layers, layers.rows) < before:
                    is_better = True
                else:
                    row[index], row[index + 1] = row[index + 1], row[index]


def _place(layers: _Layers) -> None:
    """Spread each layer evenly around the middle, then let names follow those that they are tied to."""
    widths = [sum(layers.width(name) + GAP for name in row) for row in layers.rows]
    for row, width in zip(layers.rows, widths, strict=True):
        left = (max(widths) - width) / 2 + GAP
        for name in row:
            layers.x[name] = left + layers.width(name) / 2
            left += layers.width(name) + GAP
    for sweep in range(SWEEPS):
        for row in layers.rows if sweep % 2 else layers.rows[::-1]:
            _follow(layers, row)
    least = min(layers.x[name] - layers.width(name) / 2 for row in layers.rows for name in row)
    for name in layers.x:
        layers.x[name] += GAP - least


def _follow(layers: _Layers, row: list[str]) -> None:
    """Move the names of a layer to the mean of their ties, in order and apart."""
    wanted = {}
    for name in row:
        ties = [layers.x[other] for other in (*layers.up[name], *layers.down[name])]
        wanted[name] = sum(ties) / len(ties) if ties else layers.x[name]
    forward, backward = dict(wanted), dict(wanted)
    for before, name in pairwise(row):
        apart = (layers.width(before) + layers.width(name)) / 2 + GAP
        forward[name] = max(forward[name], forward[before] + apart)
    for after, name in pairwise(row[::-1]):
        apart = (layers.width(after) + layers.width(name)) / 2 + GAP
        backward[name] = min(backward[name], backward[after] - apart)
    for name in row:
        layers.x[name] = (forward[name] + backward[name]) / 2


def _y(level: int, height: float) -> float:
    return height - GAP - BOX_HEIGHT / 2 - level * LAYER_HEIGHT


def _line(layers: _Layers, name: str, other: str, height: float) -> str:
    level = {each: number for number, row in enumerate(layers.rows) for each in row}
    x, y = layers.x[name], _y(level[name], height) + BOX_HEIGHT / 2
    parts = [f"M{x:.1f} {y:.1f}"]
    while True:
        end = layers.is_box(other)
        x2, y2 = layers.x[other], _y(level[other], height) - (BOX_HEIGHT / 2 + 2 if end else 0)
        middle = (y + y2) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}")
        if end:
            return f'<path class="import" d="{" ".join(parts)}" marker-end="url(#tip)"/>'
        x, y = x2, y2
        (other,) = layers.down[other]


def _box(name: str, note: str, x: float, y: float) -> str:
    text = y + 4 if not note else y - 3
    second = f'<text class="note" x="{x:.1f}" y="{y + 13:.1f}">{escape(note)}</text>' if note else ""
    return (
        f'<g class="room"><rect x="{x - BOX_WIDTH / 2:.1f}" y="{y - BOX_HEIGHT / 2:.1f}" width="{BOX_WIDTH}" '
        f'height="{BOX_HEIGHT}" rx="5"/><text x="{x:.1f}" y="{text:.1f}">{escape(name)}</text>{second}</g>'
    )
