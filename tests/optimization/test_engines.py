"""Engines in their processes: what these load, how long their answers are waited for, and what a failure does."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from solvers.engines.pool import EngineJob, EngineJobError, EnginePool
from solvers.engines.task import LEAST_LIMIT_S, UNLIMITED_S, EngineTask
from solvers.linear.model import LinearModel
from solvers.parameters.engines import EngineParameters


def a_model(**limits: float) -> LinearModel:
    """One integer from 0 to 9 with a price."""
    model = LinearModel()
    column = model.add_variable(0.0, 9.0, True, 2.0)
    model.add_row("row", [(column, 1.0)], **limits)
    return model


@pytest.fixture
def _deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let engines be at work for ever: what they say is not heard."""
    monkeypatch.setattr(EnginePool, "_take", lambda *_: None)


def test_a_worker_starts_with_arrays_and_models_alone() -> None:
    script = "import solvers.engines.worker, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"ortools", "geopy", "pandas", "pydantic", "numba", "networkx"} & set(done.stdout.split())


@pytest.mark.parametrize("engine", ["cp_sat", "highs"])
def test_an_answer(engine: str) -> None:
    with EnginePool() as pool:
        job = pool.answer(EngineTask(engine, a_model(lower=2.5), time_limit_s=20.0))  # type: ignore[arg-type]
    assert (job.state, job.objective) == ("finished", 6.0)
    assert job.bound == pytest.approx(6.0)


@pytest.mark.usefixtures("_deaf")
def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_said() -> None:
    with EnginePool() as pool:
        begun = time.monotonic()
        job = pool.answer(EngineTask("highs", a_model(), time_limit_s=0.2), overrun_s=0.3)
        assert time.monotonic() - begun < 3.0
    assert (job.state, job.solution) == ("stopped", None)


@pytest.mark.usefixtures("_deaf")
def test_an_engine_that_overruns_its_limit_is_ended() -> None:
    task = EngineTask("highs", a_model(), time_limit_s=0.1, parameters=EngineParameters(grace_s=0.1))
    with EnginePool() as pool:
        job = pool.start(task)
        pool.listen([job], time.monotonic() + 10.0)
    assert job.state == "limit"


def test_news_are_asked_after_until_they_are_enough() -> None:
    with EnginePool() as pool:
        job = pool.start(EngineTask("highs", a_model(), time_limit_s=20.0))
        pool.conclude([job], is_enough=lambda: True)
    assert job.state == "stopped"


def test_a_failure_is_an_error_where_the_engine_must_work() -> None:
    broken = a_model()
    broken.cost = [float("nan")]
    with EnginePool() as pool:
        job = pool.answer(EngineTask("highs", broken, time_limit_s=20.0), must_work=False)
        assert job.state == "failed"
        with pytest.raises(EngineJobError, match=r"^highs: "):
            pool.answer(EngineTask("highs", broken, time_limit_s=20.0))


def test_limits_that_engines_take() -> None:
    assert EngineTask("highs", a_model(), time_limit_s=-1.0).limit_s == LEAST_LIMIT_S
    assert EngineTask("highs", a_model(), time_limit_s=float("inf")).limit_s == UNLIMITED_S
    assert EngineJob(EngineTask("highs", a_model())).running
