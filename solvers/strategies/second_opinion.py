"""A second ground for what one engine alone has said: that there is no plan, or that none is cheaper.

That no plan exists counts as proven once multipliers of the rows show it by a plain sum, or a second engine says so
too. That a plan is optimal is put to the other engine where its answer comes quickly. What contradicts the first engine
is a solution that satisfies every row, or a plan that holds.
"""

from __future__ import annotations

from fleet.tolerances import OPTIMAL_GAP
from solvers.engines.claims import ENGINE_NAMES, LIBRARIES
from solvers.engines.conflicts import is_conflict
from solvers.engines.pool import EngineJob, EnginePool
from solvers.engines.task import UNLIMITED_S, Engine, EngineTask
from solvers.formulation.assembly import build
from solvers.formulation.relaxations import bound_source, relaxed
from solvers.formulation.variables import Formulation
from solvers.problem.design import pair_columns
from solvers.strategies.clock import Clock
from solvers.strategies.state import SolveState, Verdict
from solvers.tolerances import BOUND_TOLERANCE


class SecondOpinion:
    """Asks for second grounds within the time that a solve has left; failure rows that it meets are added."""

    def __init__(self, state: SolveState, pool: EnginePool) -> None:
        self.state, self.pool = state, pool

    def is_infeasible(self, verdict: Verdict) -> bool:
        """Whether a second ground confirms that there is no plan; what contradicts the verdict disproves its engine."""
        state, tuning = self.state, self.state.parameters
        job = self._ask_for_ground("conflict", verdict.formulation, tuning.conflict_share)
        if job.multipliers is not None and is_conflict(verdict.formulation.model, job.multipliers):
            return True
        other = _other(verdict.engine)
        if not state.believes(other) or pair_columns(state.problem) > tuning.engine_columns:
            return False
        formulation = build(state.problem, has_pairs=True, rows=state.rows)
        job = self._ask_for_ground(other, formulation, 1.0)
        self._evaluate(formulation, job)
        if state.unwatched:
            return False
        if state.incumbent.best is not None:
            state.incumbent.disprove(verdict.engine, "that there is no plan, though one is known that holds")
        elif job.solution is not None and not formulation.model.violated_rows(job.solution):
            state.incumbent.disprove(verdict.engine, "that there is no plan, though its rows have a solution")
        return job.state == "infeasible"

    def confirms_optimum(self) -> str:
        """The library that proves the best plan optimal beside that of the best bound; empty where none does."""
        incumbent, claims = self.state.incumbent, self.state.incumbent.claims
        first = claims.best.library
        other: Engine = "highs" if first == "CP-SAT" else "cp_sat"
        if pair_columns(self.state.problem) > self.state.parameters.checked_columns or not self.state.believes(other):
            return ""
        while True:
            formulation = build(self.state.problem, has_pairs=True, rows=self.state.rows)
            job = self._ask_for_check(other, formulation)
            if job.state == "infeasible":
                incumbent.disprove(other, "that there is no plan, though one is known that holds")
                return ""
            if job.wrong:
                incumbent.disprove(other, job.wrong)
                return ""
            if job.bound > claims.bound + BOUND_TOLERANCE * abs(claims.bound):
                incumbent.raise_bound(other, job.bound, bound_source(ENGINE_NAMES[other], relaxed(formulation)))
            is_new = job.objective < incumbent.objective and self._evaluate(formulation, job)
            if self.state.unwatched:
                return ""
            if not is_new or not self.state.believes(other):
                break
        needed = incumbent.objective - OPTIMAL_GAP * abs(incumbent.objective)
        if not self.state.believes(other) or job.bound < needed:
            return ""
        return first if claims.best.library == LIBRARIES[other] else LIBRARIES[other]

    def _evaluate(self, formulation: Formulation, job: EngineJob) -> bool:
        """Evaluate the solution of a job; whether it breaks failure rows that the model did not know."""
        if job.solution is None:
            return False
        return self.state.learn(self.state.evaluate(formulation, job.solution))

    def _ask_for_ground(self, engine: Engine, formulation: Formulation, share: float) -> EngineJob:
        """Have shown within a share of the time left that there is no plan."""
        clock, tuning = Clock(self.state), self.state.parameters
        left_s = max(clock.remaining_s, tuning.least_ground_s)
        return self._answer(engine, formulation, left_s * share, self.state.config.time_limit_s, tuning.ground_nodes)

    def _ask_for_check(self, engine: Engine, formulation: Formulation) -> EngineJob:
        """Have shown in little time that nothing is cheaper."""
        tuning = self.state.parameters
        return self._answer(engine, formulation, tuning.check_s, tuning.check_s, tuning.check_nodes)

    def _answer(self, engine: Engine, formulation: Formulation, limit_s: float, work_s: float, nodes: int) -> EngineJob:
        """What an engine makes of a formulation in so many seconds; in deterministic mode in so much work, or nodes."""
        config, tuning = self.state.config, self.state.parameters
        if config.deterministic:
            limit_s = work_s if engine == "cp_sat" else UNLIMITED_S
        task = EngineTask(
            engine,
            formulation.model,
            gap=OPTIMAL_GAP * tuning.check_gap_share,
            seed=config.seed,
            time_limit_s=limit_s,
            node_limit=nodes if config.deterministic and engine == "highs" else None,
            deterministic=config.deterministic,
            parameters=config.parameters.engines,
        )
        return self.pool.answer(task, overrun_s=tuning.least_ground_s, must_work=False)


def _other(engine: Engine) -> Engine:
    return "highs" if LIBRARIES[engine] == "CP-SAT" else "cp_sat"
