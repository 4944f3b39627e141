"""The loops are compiled before anything is timed: on a new machine that takes longer than a test may."""

from __future__ import annotations

import pytest

from solvers import SolveConfig
from solvers.location import solve_location
from solvers.location.bound.ascent import Ascent
from solvers.location.bound.floors import Floors
from solvers.location.layout import lay_out
from tests.location.small_problems import two


@pytest.fixture(scope="session", autouse=True)
def compiled_loops() -> None:
    problem = two()
    layout = lay_out(problem)
    ascent, floors = Ascent(layout), Floors(layout)
    ascent.run(2, 100.0)
    floors.raise_by(ascent)
    assert ascent.tighten()
    ascent.run(2, 100.0)
    floors.raise_by(ascent)
    assert solve_location(problem, SolveConfig(time_limit_s=300.0)).status == "optimal"
