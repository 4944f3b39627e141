"""Colors for the vertices of a graph so that neighbors differ: the fewest there are, if a bounded search proves it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from fleet.errors import FleetError

#: Steps that the search for one color fewer may take; beyond them the colors found so far stand.
SEARCH_STEPS = 50_000

Vertex = TypeVar("Vertex", bound=Hashable)


def color(
    vertices: Iterable[Vertex], edges: Iterable[tuple[Vertex, Vertex]], steps: int = SEARCH_STEPS
) -> dict[Vertex, int]:
    """A color, from 0 on, for every vertex; the two ends of an edge never share one.

    Parameters
    ----------
    vertices : iterable
        The vertices; their order decides ties, so equal input gives equal colors.
    edges : iterable of pairs
        Which vertices must differ.
    steps : int
        Bound on the search: as few colors as possible if it ends by itself, else those of the greedy rule or better.

    Raises
    ------
    FleetError
        If an edge joins a vertex with itself or names an unknown one.

    References
    ----------
    D. Brélaz, New methods to color the vertices of a graph, Communications of the ACM 22 (1979): take the vertex that
    sees most colors.

    Examples
    --------
    >>> color("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    {'a': 0, 'b': 1, 'c': 2}
    """
    names = list(dict.fromkeys(vertices))
    place = {name: index for index, name in enumerate(names)}
    neighbors: list[set[int]] = [set() for _ in names]
    for a, b in edges:
        if a == b or a not in place or b not in place:
            raise FleetError(f"no colors keep {a!r} and {b!r} apart: they are the same or unknown")
        neighbors[place[a]].add(place[b])
        neighbors[place[b]].add(place[a])
    best = _search(neighbors, len(names), len(names))
    if best is None:  # pragma: no cover – as many colors as vertices always suffice
        raise FleetError("no colors were found")
    least = _clique(neighbors)
    while max(best, default=-1) + 1 > least:
        fewer = _search(neighbors, max(best), steps)
        if fewer is None:
            break
        best = fewer
    return dict(zip(names, best, strict=True))


def _search(neighbors: Sequence[set[int]], limit: int, steps: int) -> list[int] | None:
    """Colors below `limit` by backtracking, most constrained vertex first; None where the search finds none in time."""
    colors = [-1] * len(neighbors)
    stack: list[tuple[int, int]] = []
    budget = steps
    vertex, first = _next(neighbors, colors), 0
    while vertex >= 0:
        used = {colors[other] for other in neighbors[vertex]}
        # A color that no vertex has yet is as good as any other such color: try one of them only.
        most = min(limit, max(colors, default=-1) + 2)
        choice = next((number for number in range(first, most) if number not in used), -1)
        budget -= 1
        if choice >= 0:
            colors[vertex] = choice
            stack.append((vertex, choice))
            vertex, first = _next(neighbors, colors), 0
        elif stack and budget > 0:
            vertex, tried = stack.pop()
            colors[vertex], first = -1, tried + 1
        else:
            return None
    return colors


def _next(neighbors: Sequence[set[int]], colors: Sequence[int]) -> int:
    """The vertex without a color that sees most colors, then most neighbors, then comes first; −1 if all have one."""
    free = [vertex for vertex, number in enumerate(colors) if number < 0]
    if not free:
        return -1
    return max(
        free,
        key=lambda vertex: (
            len({colors[other] for other in neighbors[vertex]} - {-1}),
            len(neighbors[vertex]),
            -vertex,
        ),
    )


def _clique(neighbors: Sequence[set[int]]) -> int:
    """Size of a clique found greedily from every vertex: no coloring has fewer colors."""
    largest = 0
    for start in range(len(neighbors)):
        members, candidates = 1, set(neighbors[start])
        while candidates:
            vertex = max(candidates, key=lambda other: (len(neighbors[other] & candidates), -other))
            members += 1
            candidates &= neighbors[vertex]
        largest = max(largest, members)
    return largest
