"""What the search of a solve goes through: cycles, fewer facilities, fewer arcs."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.config import SolveConfig
from solvers.location import FacilityProblem
from solvers.location.bound.ascent import Ascent
from solvers.location.bound.floors import Floors
from solvers.location.layout import lay_out
from solvers.location.progress import Progress
from solvers.location.schedule import SearchSide


def a_problem(room: float, seed: int = 3, rent: float = 30.0) -> FacilityProblem:
    """40 demands of about 2 on a square, 12 facilities with that room at that rent each."""
    chance = np.random.default_rng(seed)
    n, m = 40, 12
    users, hosts = chance.random((n, 2)), chance.random((m, 2))
    return FacilityProblem(
        demand=chance.uniform(1.0, 3.0, (n, 1)),
        arc_demand=np.tile(np.arange(n), m),
        arc_facility=np.repeat(np.arange(m), n),
        arc_cost=20.0 * np.linalg.norm(hosts[:, None, :] - users[None, :, :], axis=2).ravel(),
        option_facility=np.arange(m),
        option_cost=np.full(m, rent),
        option_capacity=np.full((m, 1), room),
    )


def a_side(problem: FacilityProblem) -> SearchSide:
    config = SolveConfig(time_limit_s=60.0, seed=1, deterministic=True)
    return SearchSide.begin(Progress(lay_out(problem), config), is_second=False)


def one_cycle(side: SearchSide) -> None:
    """Search until the temperature rises again."""
    side.run(0.25)
    side.offer()
    while side.spent_s > 0.0:
        side.run(0.25)
        side.offer()


def opened(side: SearchSide) -> int:
    assert side.progress.option is not None
    return int((side.progress.option >= 0).sum())


def test_every_second_cycle_may_open_only_fewer_facilities():
    side = a_side(a_problem(room=40.0))
    layout = side.progress.layout
    one_cycle(side)
    best = side.progress.cost
    assert opened(side) > layout.min_open
    assert side.annealer.arrays.max_open == opened(side) - 1
    one_cycle(side)
    assert side.annealer.arrays.max_open == layout.facilities
    assert side.progress.cost <= best


def test_as_few_facilities_as_hold_all_demand_stay_as_many():
    side = a_side(a_problem(room=1000.0, rent=2000.0))
    one_cycle(side)
    assert opened(side) == side.progress.layout.min_open == 1
    assert side.annealer.arrays.max_open == side.progress.layout.facilities


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_arcs_of_no_better_solution_are_left_out_and_the_incumbent_is_kept(seed):
    side = a_side(a_problem(room=1000.0, seed=seed, rent=8.0))
    layout = side.progress.layout
    one_cycle(side)
    ascent = Ascent(layout)
    ascent.run(1000, side.progress.cost)
    floors = Floors(layout)
    floors.raise_by(ascent)
    before = side.progress.cost
    side.narrow(floors)
    arrays = side.annealer.arrays
    assert len(arrays.arc_cost) < 0.7 * len(layout.arc_cost)
    kept = set(zip(arrays.arc_demand.tolist(), arrays.arc_facility.tolist(), strict=True))
    assert side.progress.place is not None
    assert set(enumerate(side.progress.place.tolist())) <= kept
    one_cycle(side)
    assert side.progress.cost <= before
