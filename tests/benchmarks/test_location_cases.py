"""What the location benchmarks are made of: made-up problems, the monolith beside enumeration, memory of a process."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.apart import apart, largest_memory, memory_mb
from benchmarks.generator import SIZES, Size, generate
from benchmarks.monolith import Monolith, monolith_model, solve_monolith
from solvers.location import FacilityProblem
from tests.location.small_problems import optimum, random_problem

SMALL = Size("small", 300, 30)


def test_the_same_seed_makes_the_same_problem():
    first, again, other = generate(SMALL, 1), generate(SMALL, 1), generate(SMALL, 2)
    for name in ("demand", "arc_demand", "arc_facility", "arc_cost", "option_cost", "option_capacity"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes()
    assert first.demand.tobytes() != other.demand.tobytes()


def test_made_up_problems_have_the_shape_that_is_said():
    problem = generate(SMALL, 1)
    assert (problem.n_demands, problem.n_facilities, problem.n_resources) == (300, 30, 3)
    assert set(np.bincount(problem.option_facility)) == {68}
    arcs = np.bincount(problem.arc_demand)
    assert arcs.min() >= 10
    assert arcs.max() <= 60
    assert [(size.n_demands, size.n_candidates) for size in SIZES][2:4] == [(2000, 200), (10_000, 500)]
    nearest = np.full(problem.n_demands, math.inf)
    np.minimum.at(nearest, problem.arc_demand, problem.arc_cost)
    unit = (problem.option_cost[:, None] / problem.option_capacity).min(axis=0)
    capacity = float((problem.demand.sum(axis=0) * unit).max())
    assert 1.0 < capacity / nearest.sum() < 5.0
    assert problem.demand.sum(axis=0)[0] < 10 * problem.option_capacity[:, 0].max()


@pytest.mark.parametrize("engine", ["highs", "cp_sat"])
def test_the_monolith_finds_what_enumeration_finds(engine: Monolith):
    n_solved = 0
    for seed in range(2000, 2006):
        problem = random_problem(seed)
        least, found = optimum(problem), solve_monolith(problem, engine, 10.0)
        assert found.violations == ()
        if least is None:
            assert (found.state, found.cost) == ("infeasible", None)
        else:
            n_solved += 1
            assert found.cost == pytest.approx(least, abs=1e-6)
            assert found.stated == pytest.approx(least, abs=1e-6)
            assert found.bound == pytest.approx(least, abs=1e-3)
    assert n_solved > 2


def test_the_monolith_has_a_row_for_each_arc():
    problem = FacilityProblem([[1.0], [2.0]], [0, 0, 1], [0, 1, 1], [1.0, 2.0, 3.0], [0, 1], [5.0, 6.0], [[2.0], [3.0]])
    whole = monolith_model(problem)
    assert whole.model.columns == 3 + 2 + 2
    assert whole.model.row_rule.count("open") == 3
    assignment, option = whole.choice(np.array([0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]))
    assert assignment.tolist() == [1, 1]
    assert option.tolist() == [-1, 1]


def fill(megabytes: int) -> int:
    """Touch that much memory."""
    return int(np.ones(megabytes * 125_000).sum())


def test_memory_is_that_of_the_process_and_those_below_it():
    value, peak_mb = apart(fill, 400)
    assert value == 400 * 125_000
    assert 30.0 < peak_mb < 2000.0
    with largest_memory() as peak:
        kept = np.ones(25_000_000)
    assert peak.mb >= kept.nbytes / 1e6


def test_what_fails_apart_fails_here():
    with pytest.raises(ZeroDivisionError, match="by zero"):
        apart(divmod, 1, 0)
    assert memory_mb(2**30) == 0.0
