"""Bounds that engines report hold for the model that they were given, whatever start they were given."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.engines.pool import EnginePool
from solvers.engines.task import Engine, EngineTask
from solvers.linear.model import LinearModel


def a_cover(count: int = 12, seed: int = 5) -> LinearModel:
    """Cover rows with whole amounts of unequal price."""
    chance = np.random.default_rng(seed)
    model = LinearModel()
    columns = [model.add_variable(0.0, 9.0, True, float(price)) for price in chance.integers(10, 30, count)]
    for _ in range(count):
        picked = chance.choice(count, 5, replace=False)
        model.add_row("CAP-001", [(columns[index], float(chance.integers(1, 6))) for index in picked], lower=11.0)
    return model


def solved(engine: Engine, hint: np.ndarray | None) -> tuple[float, float]:
    """Objective and bound at the end."""
    with EnginePool() as pool:
        run = pool.answer(EngineTask(engine, a_cover(), time_limit_s=20.0, gap=0.0, hint=hint), must_work=False)
    assert run.state == "finished"
    return run.objective, run.bound


@pytest.mark.parametrize("engine", ["cp_sat", "highs"])
def test_a_dear_partial_start_does_not_raise_the_bound(engine: Engine) -> None:
    objective, bound = solved(engine, None)
    assert bound == pytest.approx(objective, rel=1e-6)
    hint = np.full(12, 9.0)
    hint[:2] = np.nan  # an engine that completes the start solves a smaller model, whose bound says nothing
    objective_from_hint, bound_from_hint = solved(engine, hint)
    assert objective_from_hint == pytest.approx(objective, rel=1e-6)
    assert bound_from_hint <= objective * (1.0 + 1e-6)
