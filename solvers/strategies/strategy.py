"""What the strategies share: the clock, engines at work in the background, bounds as they come."""

from __future__ import annotations

import time
from collections.abc import Collection

from solvers.config import OPTIMAL_GAP, SolveConfig
from solvers.engines.claims import ENGINE_NAMES, ENGINES, LIBRARIES
from solvers.engines.pool import EngineJob, EnginePool
from solvers.engines.task import UNLIMITED_S, Engine, EngineTask
from solvers.formulation.assembly import GeneratedRow
from solvers.formulation.relaxations import bound_source, relaxed
from solvers.formulation.variables import Formulation
from solvers.incumbent.incumbent import Search, UnwatchedLinks
from solvers.linear.model import INFINITY, Floats, LinearModel
from solvers.problem.compilation import compile_problem
from solvers.problem.design import DesignProblem
from solvers.problem.slot_aggregation import merge_slots
from solvers.strategies.second_opinion import SecondOpinion, Verdict

HURRY_S = 2.0  # what an engine may overrun before its answer is no longer waited for
#: Relaxations slower than this are bounded by branch and bound rather than decomposition [s].
QUICK_RELAXATION_S = 3.0
#: Where the relaxation takes a larger share of the time than this, branch and bound does not get beyond it in the rest.
SLOW_RELAXATION_SHARE = 0.05
#: Engines aim at this share of the gap that was asked for.
ENGINE_GAP_SHARE = 0.3
#: Branch-and-bound nodes of one model in deterministic mode, where nothing may depend on time.
NODE_LIMIT = 400

#: Second circuits up to which all are watched once one of them matters.
MANY_CIRCUITS = 3000


class Running:
    """One run of a strategy.

    Attributes
    ----------
    search : Search
        Incumbent, bound and trace; complete at any moment.
    merged : DesignProblem
        The problem with alike slots as one.
    rows : set
        Failure rows met so far.
    is_infeasible : bool
        Whether it is proven, on two grounds, that no plan exists.
    unconfirmed : str
        The engine that alone says so, where no second ground was found.
    confirmed_by : str
        The engine that proved the best plan optimal too, after the one whose bound it is.
    remedies : tuple of str
        Where the strategy cannot plan such a fleet: why, and what would help.
    """

    strategy = ""

    def __init__(self, problem: DesignProblem, config: SolveConfig) -> None:
        self.problem, self.config = problem, config
        self.merged = merge_slots(problem)
        self.search = Search(problem, config)
        self.rows: set[GeneratedRow] = set()
        self.is_infeasible = False
        self.unconfirmed = self.confirmed_by = ""
        self.remedies: tuple[str, ...] = ()
        self._background: EngineJob | None = None
        self._background_of: Formulation | None = None
        self._verdict: Verdict | None = None

    def run(self) -> None:
        """Solve until proof, gap, limit or interrupt."""
        watched: frozenset[str] = frozenset()
        while True:
            try:
                with EnginePool() as pool:
                    while True:
                        self._solve(pool)
                        if not self._has_to_go_on(pool):
                            return
                        self._forget()
            except UnwatchedLinks as found:
                watched |= found.links
                if len(self.problem.second_circuits) <= MANY_CIRCUITS:
                    watched |= self.problem.second_circuits
                self.problem = self.search.problem = compile_problem(
                    self.problem.inventory, watched, self.config.parameters
                )
                self.merged = merge_slots(self.problem)
                self._background = self._verdict = None
                self._forget()

    def _solve(self, pool: EnginePool) -> None:
        raise NotImplementedError

    def _has_to_go_on(self, pool: EnginePool) -> bool:
        """Seek a second ground for what one engine says; whether it was contradicted, and others are left to go on."""
        if self._background is not None:
            pool.stop(self._background)
        before = len(self.search.claims.disproved)
        opinion = SecondOpinion(self.problem, self.config, self.search, self.rows)
        verdict, self._verdict = self._verdict, None
        if verdict is not None and self.search.best is not None:
            self._hear_infeasible(verdict.engine, verdict.formulation)
        elif verdict is not None:
            self.is_infeasible = opinion.is_infeasible(pool, verdict)
            if not self.is_infeasible and self.search.claims.believes(LIBRARIES[verdict.engine]):
                self.unconfirmed = ENGINE_NAMES[verdict.engine]
        elif self.search.gap is not None and self.search.gap <= OPTIMAL_GAP:
            self.confirmed_by = opinion.confirms_optimum(pool)
        is_contradicted = len(self.search.claims.disproved) > before
        return is_contradicted and bool(self.search.claims.believed(ENGINES)) and not self._is_over(INFINITY)

    def _hear_infeasible(self, engine: Engine, formulation: Formulation) -> None:
        """An engine says that a model which every plan satisfies has no solution: a known plan disproves it."""
        if not self.search.claims.believes(LIBRARIES[engine]):
            return
        if self.search.best is not None:
            self.search.disprove(engine, "that there is no plan, though one is known that holds")
        elif self._verdict is None:
            self._verdict = Verdict(engine, formulation)

    def _forget(self) -> None:
        """Drop what was known of a problem that has been compiled anew."""

    def _after(self, share: float) -> float:
        """The moment at which that share of the time is used up."""
        if self.config.deterministic:
            return INFINITY
        return self.search.started + self.config.time_limit_s * share

    def _start_background(self, pool: EnginePool, separate: Formulation, relaxation_s: float) -> None:
        is_slow = relaxation_s > max(QUICK_RELAXATION_S, self.config.time_limit_s * SLOW_RELAXATION_SHARE)
        if self.config.deterministic or self.config.cores == 1 or is_slow:
            return
        engine: Engine = "benders" if relaxation_s <= QUICK_RELAXATION_S else "highs"
        self._background_of = separate
        task = EngineTask(
            engine,
            separate.model,
            gap=self.config.gap * ENGINE_GAP_SHARE,
            seed=self.config.seed,
            time_limit_s=self.search.remaining_s,
            design=separate.design_columns,
            parameters=self.config.parameters.engines,
        )
        self._background = pool.start(task)

    def _highs(
        self,
        pool: EnginePool,
        model: LinearModel,
        limit_s: float,
        *,
        relaxed: bool = False,
        hint: Floats | None = None,
        until: float = INFINITY,
        inside: tuple[float, str] | None = None,
        gap: float = 0.0,
    ) -> EngineJob:
        """Run HiGHS on one model and wait for it, taking bounds of the background meanwhile.

        It stops at a share of the gap that was asked for, or at `gap` where that is larger. With `inside`, the
        bound of the plans that the model leaves out and the source of both, its own bounds count too.
        """
        deterministic = self.config.deterministic
        until = self._moment(until)
        task = EngineTask(
            "highs",
            model,
            gap=max(self.config.gap * ENGINE_GAP_SHARE, gap, 1e-9),
            seed=self.config.seed,
            time_limit_s=UNLIMITED_S if deterministic else min(limit_s, until - time.monotonic()),
            node_limit=NODE_LIMIT if deterministic and not relaxed else None,
            deterministic=deterministic,
            hint=hint,
            relaxed=relaxed,
            parameters=self.config.parameters.engines,
        )

        def hear() -> bool:
            self._take_background()
            if inside is not None:
                self.search.raise_bound("highs", min(inside[0], job.bound), inside[1])
            return self.search.is_done

        job = pool.start(task)
        pool.conclude([job], until + HURRY_S, hear)
        self._mind(job)
        return job

    def _mind(self, job: EngineJob) -> None:
        """Believe an engine no more that says what is not so of its own solution."""
        if job.wrong and self.search.claims.believes(LIBRARIES[job.engine]):
            self.search.disprove(job.engine, job.wrong)

    def _take_background(self) -> None:
        if self._background is not None and self._background_of is not None:
            self._take_bounds([self._background], self._background_of)
            if self._background.state == "infeasible":
                self._hear_infeasible(
                    "benders" if self._background.engine == "benders" else "highs", self._background_of
                )

    def _is_over(self, until: float) -> bool:
        self._take_background()
        return (
            self.search.is_done
            or self.is_infeasible
            or self._verdict is not None
            or bool(self.remedies)
            or time.monotonic() >= self._moment(until)
        )

    def _moment(self, until: float) -> float:
        """A share of the time, which does not end before there is a plan."""
        return self.search.deadline if self.search.best is None else min(until, self.search.deadline)

    def _take_bounds(self, jobs: Collection[EngineJob], formulation: Formulation) -> None:
        for job in jobs:
            source = bound_source(ENGINE_NAMES[job.engine], relaxed(formulation))
            self.search.raise_bound(job.engine, job.bound, source)
            self._mind(job)
