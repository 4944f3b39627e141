"""Pairs over all slots: CP-SAT and HiGHS side by side or by turns, with failure rows as they are violated."""

from __future__ import annotations

import time

from solvers.engines.claims import ENGINES
from solvers.engines.pool import EngineJob, EngineJobError
from solvers.engines.task import UNLIMITED_S, Engine, EngineTask
from solvers.engines.turns import Turns
from solvers.formulation.assembly import GeneratedRow, build
from solvers.formulation.variables import Formulation
from solvers.linear.model import INFINITY
from solvers.problem.design import pair_columns
from solvers.strategies.clock import Clock
from solvers.strategies.desk import EngineDesk
from solvers.strategies.state import SolveState


class PairSearch:
    """Engines on the pairs over all slots, until one of them has solved the model with every row that it takes."""

    def __init__(self, desk: EngineDesk) -> None:
        self.desk, self.state, self.clock = desk, desk.state, Clock(desk.state)
        config, scale = desk.state.config, pair_columns(desk.state.problem) / desk.state.parameters.turn_columns
        self._turns = Turns(max(1.0, scale), config.time_limit_s, config.parameters.engines)
        self._failed: set[Engine] = set()

    def run(self) -> None:
        """Add failure rows as they break."""
        claims = self.state.incumbent.claims
        while engines := tuple(engine for engine in claims.believed(ENGINES) if engine not in self._failed):
            disproved, by_turns = len(claims.disproved), len(engines) > 1 and self._takes_turns
            formulation = build(self.state.problem, has_pairs=True, rows=self.state.rows)
            jobs = self._start(formulation, engines, by_turns=by_turns)
            try:
                broken = _Round(self.desk, self.clock, formulation, jobs).run()
            except EngineJobError:
                self._failed.update(job.engine for job in jobs)
                if len(self._failed) == len(ENGINES) or not by_turns:
                    raise
                continue
            if self.clock.is_over:
                return
            if not broken <= self.state.rows:
                self.state.rows |= broken
            elif len(claims.disproved) == disproved and not (by_turns and self._goes_on(jobs)):
                return

    def _goes_on(self, jobs: list[EngineJob]) -> bool:
        """Pass the turn on; False where the model is solved, or the turn was the last."""
        return not is_settled(self.state, jobs) and self._turns.go_on()

    @property
    def _takes_turns(self) -> bool:
        """Whether engines work one after the other: on one core, and on small models where nothing may depend on time.

        HiGHS has no measure of work but nodes, which are dear in larger models.
        """
        if self.desk.has_background:
            return False
        config = self.state.config
        return self._turns.scale <= 1.0 if config.deterministic else config.cores == 1

    def _start(self, formulation: Formulation, engines: tuple[Engine, ...], *, by_turns: bool) -> list[EngineJob]:
        """CP-SAT and HiGHS side by side, or one of them: whose turn it is, or the first one beside a busy engine."""
        config, hint = self.state.config, self.state.hint(formulation)
        if by_turns:
            engines = (self._turns.engine(engines),)
        elif config.deterministic or config.cores == 1 or self.desk.has_background:
            engines = engines[:1]
        return [
            self.desk.pool.start(
                EngineTask(
                    engine,
                    formulation.model,
                    gap=config.gap * self.state.parameters.engine_gap_share,
                    seed=config.seed,
                    time_limit_s=self._limit_s(engine, by_turns=by_turns),
                    node_limit=self._node_limit(engine, by_turns=by_turns),
                    workers=1 if config.deterministic else max(1, config.cores - len(engines) + 1),
                    deterministic=config.deterministic,
                    hint=hint,
                    parameters=config.parameters.engines,
                )
            )
            for engine in engines
        ]

    def _limit_s(self, engine: Engine, *, by_turns: bool) -> float:
        """Time for an engine [s]; in deterministic mode CP-SAT's own seconds, and none for HiGHS."""
        config = self.state.config
        if config.deterministic and engine == "highs":
            return UNLIMITED_S
        limit = config.time_limit_s if config.deterministic else self.clock.left_s
        return min(limit, self._turns.limit_s) if by_turns else limit

    def _node_limit(self, engine: Engine, *, by_turns: bool) -> int | None:
        """Nodes for HiGHS in deterministic mode."""
        if not self.state.config.deterministic or engine != "highs":
            return None
        return self._turns.nodes if by_turns else self.state.parameters.node_limit


class _Round:
    """Engines on one model, until they end, the time is up, or a solution shows rows that are missing.

    Attributes
    ----------
    broken : set
        The failure rows that the last solution evaluated breaks.
    """

    def __init__(self, desk: EngineDesk, clock: Clock, formulation: Formulation, jobs: list[EngineJob]) -> None:
        self.desk, self.state, self.clock = desk, desk.state, clock
        self.formulation, self.jobs = formulation, jobs
        self.broken: set[GeneratedRow] = set()
        self._evaluated, self._evaluated_at = INFINITY, time.monotonic()

    def run(self) -> set[GeneratedRow]:
        """Listen to the engines; the rows that are missing.

        Raises
        ------
        EngineJobError
            If all engines failed.
        """
        self.desk.pool.conclude(self.jobs, self.clock.end, self._is_enough, must_work=False)
        if not self.broken <= self.state.rows:
            return self.broken
        if not self.state.unwatched:
            self.desk.pool.check(self.jobs)
        return set()

    def _is_enough(self) -> bool:
        """Take in the news; whether the round is over."""
        self.desk.hear(self.jobs, self.formulation)
        is_over = self._have_ended() or self.clock.is_over
        best = min(self.jobs, key=lambda job: job.objective)
        if best.solution is not None and best.objective < self._evaluated and (is_over or self._is_due):
            self._evaluated, self._evaluated_at = best.objective, time.monotonic()
            self.state.remember(self.formulation, best.solution)
            evaluation = self.state.evaluate(self.formulation, best.solution)
            self.broken = set() if evaluation is None or self.state.unwatched else set(evaluation.broken)
        is_stopped = self.state.incumbent.is_done or bool(self.state.unwatched)
        return is_over or is_stopped or not self.broken <= self.state.rows

    @property
    def _is_due(self) -> bool:
        """Whether to evaluate a solution while engines work; in deterministic mode each, in the order found."""
        incumbent, tuning = self.state.incumbent, self.state.config.parameters.incumbent
        rest_s = tuning.evaluate_rest * incumbent.evaluating_s / max(1, incumbent.evaluations)
        has_waited = time.monotonic() - self._evaluated_at >= max(tuning.evaluate_every_s, rest_s)
        return has_waited or self.state.config.deterministic

    def _have_ended(self) -> bool:
        """Whether an engine that is believed has come to an end, or none is at work any more."""
        for job in self.jobs:
            if job.state == "infeasible":
                self.state.hear_infeasible(job.engine, self.formulation)
        believed = [job for job in self.jobs if self.state.believes(job.engine)]
        return is_settled(self.state, self.jobs) or not any(job.running for job in believed)


def is_settled(state: SolveState, jobs: list[EngineJob]) -> bool:
    """Whether an engine that is believed says that it has solved its model, or that there is no solution."""
    believed = (job for job in jobs if state.believes(job.engine))
    return any(job.state in ("finished", "infeasible") for job in believed)
