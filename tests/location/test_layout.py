"""What the solver derives from a problem before it begins."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from solvers.location import FacilityProblem
from solvers.location.bound.ascent import Ascent
from solvers.location.bound.certificate import certify
from solvers.location.evaluate import certificate_bound
from solvers.location.layout import fewest_open, lay_out, narrowed
from solvers.location.search.annealing_loop import sort
from solvers.location.sorting import MOST_WAITING, sort_order


@pytest.mark.parametrize(
    ("demand", "largest", "expected"),
    [
        ([[1.0]] * 5, [[2.0]] * 4, 3),
        ([[1.0]] * 4, [[2.0]] * 4, 2),
        ([[1.0], [1.0]], [[9.0], [0.5]], 1),
        ([[1.0, 3.0], [1.0, 3.0]], [[9.0, 4.0], [9.0, 2.0]], 2),
        ([[0.0]], [[0.0], [0.0]], 1),
        ([[1.0]] * 9, [[2.0]] * 2, 2),
        ([[1.0]] * 9, [[np.inf]] * 2, 1),
        (np.zeros((0, 1)), [[2.0]], 0),
    ],
)
def test_fewest_facilities_that_hold_all_demand(demand, largest, expected):
    assert fewest_open(np.array(demand), np.array(largest)) == expected


def test_facilities_that_all_demand_needs_raise_the_bound():
    """Five demands of one, facilities for two at 10 each: fractions of facilities cost 25, and three are needed."""
    n, m = 5, 4
    problem = FacilityProblem(
        demand=np.ones((n, 1)),
        arc_demand=np.tile(np.arange(n), m),
        arc_facility=np.repeat(np.arange(m), n),
        arc_cost=np.zeros(n * m),
        option_facility=np.arange(m),
        option_cost=np.full(m, 10.0),
        option_capacity=np.full((m, 1), 2.0),
    )
    ascent = Ascent(lay_out(problem))
    ascent.run(500, 30.0)
    assert 29.5 < ascent.bound <= 30.0 + 1e-9
    assert certificate_bound(problem, certify(ascent)) == pytest.approx(ascent.bound, rel=1e-9)


def test_fewer_arcs_are_laid_out_as_a_problem_of_those_arcs():
    chance = np.random.default_rng(5)
    n, m = 12, 6
    problem = FacilityProblem(
        demand=chance.uniform(1.0, 3.0, (n, 2)),
        arc_demand=np.tile(np.arange(n), m),
        arc_facility=np.repeat(np.arange(m), n),
        arc_cost=chance.uniform(1.0, 9.0, n * m),
        option_facility=np.arange(m),
        option_cost=np.full(m, 10.0),
        option_capacity=np.full((m, 2), 20.0),
    )
    layout = lay_out(problem)
    arcs = chance.random(n * m) < 0.5
    arcs[layout.arc_facility == 0] = True
    found = narrowed(layout, arcs)
    chosen = {"arc_demand": layout.arc_demand[arcs], "arc_facility": layout.arc_facility[arcs]}
    options = {name: getattr(problem, name) for name in ("option_facility", "option_cost", "option_capacity")}
    wanted = lay_out(FacilityProblem(demand=problem.demand, arc_cost=layout.arc_cost[arcs], **chosen, **options))
    for name in ("facility_start", "arc_demand", "arc_cost", "arc_facility", "demand_start", "by_demand"):
        assert getattr(found, name).tolist() == getattr(wanted, name).tolist(), name
    assert found.option_start is layout.option_start


def test_demands_are_put_back_in_order_of_their_keys():
    @numba.njit
    def sort_here(key: np.ndarray, order: np.ndarray, count: int) -> None:
        sort(key, order, count)  # steps have no way in from Python

    for count in (0, 1, 2, 7, 200):
        key = np.random.default_rng(count).random(count + 3)
        order = np.arange(count + 3)
        before = key.copy()
        sort_here(key, order, count)
        assert order[:count].tolist() == np.argsort(before[:count], kind="stable").tolist()
        assert (key == before[order]).all()
        assert order[count:].tolist() == list(range(count, count + 3))


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 100, 5000])
def test_places_are_sorted_as_the_compilers_own_sort_does(count):
    @numba.njit
    def both(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        order = np.empty(len(key), dtype=np.int64)
        sort_order(key, order, len(key), np.empty((2, MOST_WAITING), dtype=np.int64))
        return order, np.argsort(key)

    chance = np.random.default_rng(count)
    for key in (
        chance.random(count),
        chance.integers(0, 4, count).astype(float),
        np.arange(count) * -1.0,
        np.where(chance.random(count) < 0.5, np.inf, chance.random(count)),
        np.where(chance.random(count) < 0.5, -np.inf, np.arange(count) * 1.0),
    ):
        found, wanted = both(key)
        assert found.tolist() == wanted.tolist()
        assert (np.diff(key[found][np.isfinite(key[found])]) >= 0.0).all()
