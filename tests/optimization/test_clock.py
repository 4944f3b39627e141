"""When strategies stop: shares of the time, the first plan, deterministic mode, and what ends a solve at once."""

from __future__ import annotations

import time

import pytest

from fleet.plan.decisions import Decisions
from solvers import SolveConfig
from solvers.engines.task import UNLIMITED_S
from solvers.problem.compilation import compile_problem
from solvers.strategies.clock import Clock
from solvers.strategies.state import SolveState
from tests.optimization.fixed_fleets import behind_a_hub

PLAN = Decisions((), {}, {})


def a_state(used_s: float, **config: object) -> SolveState:
    """A solve of a hundred seconds that began some time ago."""
    options = {"time_limit_s": 100.0, **config}
    return SolveState(compile_problem(behind_a_hub()), SolveConfig(**options), time.monotonic() - used_s)  # type: ignore[arg-type]


def test_a_share_of_the_time_does_not_end_before_there_is_a_plan() -> None:
    state = a_state(60.0)
    clock = Clock(state).until_share(0.5)
    assert not clock.is_over
    assert clock.left_s == pytest.approx(40.0, abs=1.0)
    state.incumbent.best = PLAN
    assert clock.is_over
    assert not Clock(state).is_over


def test_parts_of_parts_and_of_models() -> None:
    state = a_state(10.0)
    state.incumbent.best = PLAN
    clock = Clock(state).until_share(0.5)
    assert clock.for_share(0.1).left_s == pytest.approx(10.0, abs=1.0)
    assert clock.for_share(0.9).left_s == pytest.approx(40.0, abs=1.0)
    assert clock.per_model(0.2, 30.0).model_limit_s == pytest.approx(20.0)
    assert clock.per_model(0.2, 5.0).model_limit_s == pytest.approx(5.0)
    assert clock.per_model(0.9, 90.0).model_limit_s == pytest.approx(40.0, abs=1.0)


def test_no_clock_in_deterministic_mode() -> None:
    state = a_state(1000.0, deterministic=True)
    state.incumbent.best = PLAN
    clock = Clock(state).until_share(0.5).for_share(0.1).per_model(0.2, 30.0)
    assert not clock.is_over
    assert clock.model_limit_s == UNLIMITED_S


def test_what_ends_a_solve_at_once() -> None:
    for ending in ({"unwatched": frozenset({"link"})}, {"is_infeasible": True}, {"remedies": ("so",)}):
        state = a_state(0.0)
        assert not Clock(state).is_over
        for name, value in ending.items():
            setattr(state, name, value)
        assert Clock(state).is_over


def test_circuits_that_matter_are_watched_once_compiled_anew() -> None:
    state = a_state(0.0)
    before = state.problem
    state.unwatched = frozenset({"nothing-of-that-name"})
    state.compile_anew()
    assert state.problem is not before
    assert not state.unwatched
    assert not Clock(state).is_over
