from __future__ import annotations

import itertools
import random

import pytest

from fleet.errors import FleetError
from fleet.operations.coloring import color

Edges = list[tuple[int, int]]


def random_edges(count: int, share: float, seed: int) -> Edges:
    chance = random.Random(seed)
    return [pair for pair in itertools.combinations(range(count), 2) if chance.random() < share]


def is_proper(colors: dict[int, int], edges: Edges) -> bool:
    return all(colors[a] != colors[b] for a, b in edges)


def fewest(count: int, edges: Edges) -> int:
    """The chromatic number, by trying every assignment."""
    return next(
        number
        for number in range(count + 1)
        if any(
            all(colors[a] != colors[b] for a, b in edges) for colors in itertools.product(range(number), repeat=count)
        )
    )


@pytest.mark.parametrize("seed", range(24))
def test_small_graphs_get_the_fewest_colors_there_are(seed: int) -> None:
    count = 2 + seed % 5
    edges = random_edges(count, 0.2 + 0.1 * (seed % 7), seed)
    colors = color(range(count), edges)
    assert is_proper(colors, edges)
    assert 1 + max(colors.values()) == fewest(count, edges)


@pytest.mark.parametrize(("length", "number"), [(3, 3), (4, 2), (7, 3), (40, 2), (41, 3)])
def test_rings_take_two_colors_or_three(length: int, number: int) -> None:
    edges = [(place, (place + 1) % length) for place in range(length)]
    colors = color(range(length), edges)
    assert is_proper(colors, edges)
    assert len(set(colors.values())) == number


def test_a_graph_that_the_greedy_rule_colors_badly_is_searched() -> None:
    # The Mycielski graph of a ring of five has no triangle and needs four colors; a clique proves only two.
    ring = [(place, (place + 1) % 5) for place in range(5)]
    shadow = [(5 + place, (place + step) % 5) for place in range(5) for step in (1, 4)]
    edges = [*ring, *shadow, *((5 + place, 10) for place in range(5))]
    colors = color(range(11), edges)
    assert is_proper(colors, edges)
    assert len(set(colors.values())) == 4


@pytest.mark.parametrize("seed", range(4))
def test_large_graphs_are_colored_properly_within_the_step_limit(seed: int) -> None:
    edges = random_edges(120, 0.1, seed)
    colors = color(range(120), edges, steps=2_000)
    assert set(colors) == set(range(120))
    assert is_proper(colors, edges)
    degree = max(sum(vertex in edge for edge in edges) for vertex in range(120))
    assert 1 + max(colors.values()) <= degree + 1


def test_no_edge_means_one_color_and_no_vertex_none() -> None:
    assert color("abc", []) == {"a": 0, "b": 0, "c": 0}
    assert color([], []) == {}


@pytest.mark.parametrize("edge", [("a", "a"), ("a", "z")])
def test_edges_join_two_known_vertices(edge: tuple[str, str]) -> None:
    with pytest.raises(FleetError, match="no colors keep"):
        color("abc", [edge])
