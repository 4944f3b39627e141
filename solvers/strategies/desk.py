"""Engines at the service of a strategy: asked one after the other, while bounds of the background are taken."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from solvers.engines.pool import EngineJob, EnginePool
from solvers.engines.task import Engine, EngineTask
from solvers.formulation.variables import Formulation
from solvers.linear.model import Floats, LinearModel
from solvers.strategies.clock import Clock
from solvers.strategies.state import SolveState
from solvers.tolerances import LEAST_GAP


@dataclass(frozen=True)
class InsideBound:
    """A bound of the plans that a model leaves out, and the source of a bound of these and of the model's."""

    value: float
    source: str


@dataclass(frozen=True)
class _Background:
    """An engine that bounds every plan while others look for them."""

    job: EngineJob
    formulation: Formulation


class EngineDesk:
    """The engines of one pass over a problem."""

    def __init__(self, state: SolveState, pool: EnginePool) -> None:
        self.state, self.pool = state, pool
        self._background: _Background | None = None

    @property
    def has_background(self) -> bool:
        """Whether an engine is at work in the background."""
        return self._background is not None and self._background.job.running

    def solve(
        self,
        model: LinearModel,
        clock: Clock,
        *,
        relaxed: bool = False,
        hint: Floats | None = None,
        gap: float = 0.0,
        inside: InsideBound | None = None,
    ) -> EngineJob:
        """Run HiGHS on one model and wait for it.

        It stops at a share of the gap that was asked for, or at `gap` where that is larger. With `inside`, its own
        bounds count too.
        """
        state, config, tuning = self.state, self.state.config, self.state.parameters
        task = EngineTask(
            "highs",
            model,
            gap=max(config.gap * tuning.engine_gap_share, gap, LEAST_GAP),
            seed=config.seed,
            time_limit_s=clock.model_limit_s,
            node_limit=tuning.node_limit if config.deterministic and not relaxed else None,
            deterministic=config.deterministic,
            hint=hint,
            relaxed=relaxed,
            parameters=config.parameters.engines,
        )

        def hear() -> bool:
            self.hear()
            if inside is not None:
                state.incumbent.raise_bound("highs", min(inside.value, job.bound), inside.source)
            return state.incumbent.is_done

        latest = clock.end + tuning.hurry_s
        job = self.pool.start(task)
        self.pool.conclude([job], latest, hear)
        state.mind(job)
        return job

    def hear(self, jobs: Collection[EngineJob] = (), formulation: Formulation | None = None) -> None:
        """Take the bounds of engines on a formulation, and of the background."""
        if formulation is not None:
            for job in jobs:
                self.state.take_bound(job, formulation)
        if self._background is not None:
            self.state.take_bound(self._background.job, self._background.formulation)
            if self._background.job.state == "infeasible":
                self.state.hear_infeasible(self._background.job.engine, self._background.formulation)

    def start_background(self, formulation: Formulation, relaxation_s: float) -> None:
        """Bound a formulation whose relaxation took so long, by decomposition where that was quick [s]."""
        state, config, tuning = self.state, self.state.config, self.state.parameters
        is_slow = relaxation_s > max(tuning.quick_relaxation_s, config.time_limit_s * tuning.slow_relaxation_share)
        if config.deterministic or config.cores == 1 or is_slow:
            return
        engine: Engine = "benders" if relaxation_s <= tuning.quick_relaxation_s else "highs"
        task = EngineTask(
            engine,
            formulation.model,
            gap=config.gap * tuning.engine_gap_share,
            seed=config.seed,
            time_limit_s=Clock(state).remaining_s,
            design=formulation.design_columns,
            parameters=config.parameters.engines,
        )
        self._background = _Background(self.pool.start(task), formulation)

    def stop_background(self) -> None:
        """End it; what it has reported stays."""
        if self._background is not None:
            self.pool.stop(self._background.job)
