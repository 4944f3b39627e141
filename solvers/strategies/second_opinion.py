"""A second ground for what one engine alone has said: that there is no plan, or that none is cheaper.

That no plan exists counts as proven once multipliers of the rows show it by a plain sum, or a second engine says so
too. That a plan is optimal is put to the other engine where its answer comes quickly. What contradicts the first engine
is a solution that satisfies every row, or a plan that holds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from solvers.config import OPTIMAL_GAP, SolveConfig
from solvers.engines.claims import ENGINE_NAMES, LIBRARIES
from solvers.engines.conflicts import is_conflict
from solvers.engines.pool import EngineJob, EnginePool
from solvers.engines.task import UNLIMITED_S, Engine, EngineTask
from solvers.engines.tolerances import BOUND_TOLERANCE
from solvers.formulation.assembly import GeneratedRow, build
from solvers.formulation.relaxations import bound_source, relaxed
from solvers.formulation.variables import Formulation
from solvers.incumbent.incumbent import Search
from solvers.problem.design import DesignProblem, pair_columns

#: Pair columns up to which the other engine confirms optima; how long it may take [s], and in deterministic mode how
#: many nodes of branch and bound, or of CP-SAT's deterministic seconds. By hand: the answer comes in a second or never.
CHECKED_COLUMNS, CHECK_S, CHECK_NODES = 1500, 1.0, 50
#: Nodes of the second engine for a verdict in deterministic mode.
GROUND_NODES = 2000
#: Pair columns up to which engines are asked about all slots at once.
ENGINE_COLUMNS = 60_000
#: Least time for a second ground that there is no plan, even where the time is up [s].
LEAST_S = 2.0


@dataclass(frozen=True)
class Verdict:
    """An engine's word that a model which every plan satisfies has no solution."""

    engine: Engine
    formulation: Formulation


class SecondOpinion:
    """Asks for second grounds within the time that a solve has left.

    Attributes
    ----------
    rows : set
        Failure rows met so far; what the second engine's solutions break is added.
    """

    def __init__(self, problem: DesignProblem, config: SolveConfig, search: Search, rows: set[GeneratedRow]) -> None:
        self.problem, self.config, self.search, self.rows = problem, config, search, rows

    def is_infeasible(self, pool: EnginePool, verdict: Verdict) -> bool:
        """Whether a second ground confirms that there is no plan; what contradicts the verdict disproves its engine."""
        limit = max(self.search.remaining_s, LEAST_S)
        model = verdict.formulation.model
        job = self._asked(pool, "conflict", verdict.formulation, limit / 2.0, GROUND_NODES)
        if job.multipliers is not None and is_conflict(model, job.multipliers):
            return True
        other = _other(verdict.engine)
        if not self.search.claims.believes(LIBRARIES[other]) or pair_columns(self.problem) > ENGINE_COLUMNS:
            return False
        formulation = build(self.problem, has_pairs=True, rows=self.rows)
        job = self._asked(pool, other, formulation, max(self.search.remaining_s, LEAST_S), GROUND_NODES)
        self._judge(formulation, job)
        if self.search.best is not None:
            self.search.disprove(verdict.engine, "that there is no plan, though one is known that holds")
        elif job.solution is not None and not formulation.model.violated_rows(job.solution):
            self.search.disprove(verdict.engine, "that there is no plan, though its rows have a solution")
        return job.state == "infeasible"

    def confirms_optimum(self, pool: EnginePool) -> str:
        """The library that proves the best plan optimal beside that of the best bound; empty where none does."""
        first = self.search.claims.best[2]
        other: Engine = "highs" if first == "CP-SAT" else "cp_sat"
        if pair_columns(self.problem) > CHECKED_COLUMNS or not self.search.claims.believes(LIBRARIES[other]):
            return ""
        while True:
            formulation = build(self.problem, has_pairs=True, rows=self.rows)
            job = self._asked(pool, other, formulation, CHECK_S, CHECK_NODES)
            if job.state == "infeasible":
                self.search.disprove(other, "that there is no plan, though one is known that holds")
                return ""
            if job.wrong:
                self.search.disprove(other, job.wrong)
                return ""
            if job.bound > self.search.bound + BOUND_TOLERANCE * abs(self.search.bound):
                self.search.raise_bound(other, job.bound, bound_source(ENGINE_NAMES[other], relaxed(formulation)))
            is_new = self._judge(formulation, job) if job.objective < self.search.objective else False
            if not is_new or not self.search.claims.believes(LIBRARIES[other]):
                break
        needed = self.search.objective - OPTIMAL_GAP * abs(self.search.objective)
        if not self.search.claims.believes(LIBRARIES[other]) or job.bound < needed:
            return ""
        return first if self.search.claims.best[2] == LIBRARIES[other] else LIBRARIES[other]

    def _judge(self, formulation: Formulation, job: EngineJob) -> bool:
        """Judge the solution of a run; whether it breaks failure rows that the model did not know."""
        if job.solution is None:
            return False
        evaluation = self.search.evaluate(formulation, job.solution)
        new: Collection[GeneratedRow] = () if evaluation is None else set(evaluation.broken) - self.rows
        self.rows |= set(new)
        return bool(new)

    def _asked(
        self, pool: EnginePool, engine: Engine, formulation: Formulation, limit_s: float, nodes: int
    ) -> EngineJob:
        """Run an engine on a formulation and wait for its end."""
        deterministic = self.config.deterministic
        if deterministic and engine == "cp_sat":
            limit_s = CHECK_S if nodes == CHECK_NODES else self.config.time_limit_s
        elif deterministic:
            limit_s = UNLIMITED_S
        task = EngineTask(
            engine,
            formulation.model,
            gap=OPTIMAL_GAP / 2.0,
            seed=self.config.seed,
            time_limit_s=limit_s,
            node_limit=nodes if deterministic and engine == "highs" else None,
            deterministic=deterministic,
            parameters=self.config.parameters.engines,
        )
        return pool.answer(task, overrun_s=LEAST_S, must_work=False)


def _other(engine: Engine) -> Engine:
    return "highs" if LIBRARIES[engine] == "CP-SAT" else "cp_sat"
