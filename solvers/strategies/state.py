"""What all parts of a strategy know of one solve, and tell each other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from solvers.config import SolveConfig
from solvers.engines.claims import ENGINE_NAMES, LIBRARIES
from solvers.engines.pool import EngineJob
from solvers.engines.task import Engine
from solvers.formulation.assembly import GeneratedRow
from solvers.formulation.decisions import decode
from solvers.formulation.relaxations import bound_source, relaxed
from solvers.formulation.variables import Formulation
from solvers.formulation.warm_start import translate
from solvers.incumbent.evaluation import Evaluation
from solvers.incumbent.incumbent import Incumbent
from solvers.linear.model import Floats
from solvers.parameters.strategies import StrategyParameters
from solvers.problem.compilation import compile_problem
from solvers.problem.design import DesignProblem
from solvers.problem.slot_aggregation import merge_slots


@dataclass(frozen=True)
class Verdict:
    """An engine's word that a model which every plan satisfies has no solution."""

    engine: Engine
    formulation: Formulation


@dataclass
class SolveState:
    """One solve at any moment.

    Attributes
    ----------
    incumbent : Incumbent
        Best plan, bound and trace; complete at any moment.
    merged : DesignProblem
        The problem with alike slots as one.
    rows : set
        Failure rows met so far.
    unwatched : frozenset of str
        Access circuits whose failure breaks a limit, though it was taken to touch its own users only: the problem has
        to be compiled anew, with an eye on them.
    verdict : Verdict or None
        An engine's word that there is no plan, for which a second ground is to be sought.
    is_infeasible : bool
        Whether it is proven, on two grounds, that no plan exists.
    unconfirmed : str
        The engine that alone says so, where no second ground was found.
    confirmed_by : str
        The engine that proved the best plan optimal too, after the one whose bound it is.
    remedies : tuple of str
        Where the strategy cannot plan such a fleet: why, and what would help.
    """

    problem: DesignProblem
    config: SolveConfig
    started: float = field(default_factory=time.monotonic)
    rows: set[GeneratedRow] = field(default_factory=set)
    unwatched: frozenset[str] = frozenset()
    verdict: Verdict | None = None
    is_infeasible: bool = False
    unconfirmed: str = ""
    confirmed_by: str = ""
    remedies: tuple[str, ...] = ()
    _watched: frozenset[str] = frozenset()
    _last: tuple[Formulation, Floats] | None = None

    def __post_init__(self) -> None:
        self.merged = merge_slots(self.problem)
        self.incumbent = Incumbent(self.config, self.started)

    @property
    def parameters(self) -> StrategyParameters:
        """What steers the strategies."""
        return self.config.parameters.strategies

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing left to look for, or to look for in this way, whatever the time."""
        return (
            self.incumbent.is_done
            or self.is_infeasible
            or self.verdict is not None
            or bool(self.remedies)
            or bool(self.unwatched)
        )

    # -- solutions -----------------------------------------------------------------------------------------------

    def evaluate(self, formulation: Formulation, solution: Floats) -> Evaluation | None:
        """Evaluate a solution of a pair formulation; None where an earlier period does not hold."""
        decisions = decode(formulation, solution)
        evaluation = self.incumbent.evaluate(self.problem, decisions, final_demand=formulation.final_demand)
        if evaluation is not None:
            self.unwatched |= evaluation.unwatched
        return evaluation

    def learn(self, evaluation: Evaluation | None) -> bool:
        """Take the failure rows that a solution breaks; whether any of them is new."""
        new = set() if evaluation is None or self.unwatched else set(evaluation.broken) - self.rows
        self.rows |= new
        return bool(new)

    def remember(self, formulation: Formulation, solution: Floats) -> None:
        """Keep a solution as a start for others."""
        self._last = (formulation, solution)

    def forget_solution(self) -> None:
        """Start from nothing."""
        self._last = None

    def hint(self, formulation: Formulation) -> Floats | None:
        """The last solution in the columns of another formulation; NaN where it says nothing."""
        if self._last is None or self._last[0].problem is not formulation.problem:
            return None
        return translate(*self._last, formulation)

    # -- what engines say ----------------------------------------------------------------------------------------

    def believes(self, engine: Engine) -> bool:
        """Whether what an engine says still counts."""
        return self.incumbent.claims.believes(LIBRARIES[engine])

    def take_bound(self, job: EngineJob, formulation: Formulation) -> None:
        """Take what an engine has proven on a formulation."""
        source = bound_source(ENGINE_NAMES[job.engine], relaxed(formulation))
        self.incumbent.raise_bound(job.engine, job.bound, source)
        self.mind(job)

    def mind(self, job: EngineJob) -> None:
        """Believe an engine no more that says what is not so of its own solution."""
        if job.wrong and self.believes(job.engine):
            self.incumbent.disprove(job.engine, job.wrong)

    def hear_infeasible(self, engine: Engine, formulation: Formulation) -> None:
        """An engine says that a model which every plan satisfies has no solution: a known plan disproves it."""
        if not self.believes(engine):
            return
        if self.incumbent.best is not None:
            self.incumbent.disprove(engine, "that there is no plan, though one is known that holds")
        elif self.verdict is None:
            self.verdict = Verdict(engine, formulation)

    # -- circuits that matter ------------------------------------------------------------------------------------

    def compile_anew(self) -> None:
        """Watch the circuits that turned out to matter, and with the first of them all, unless they are many."""
        self._watched |= self.unwatched
        if len(self.problem.second_circuits) <= self.parameters.many_circuits:
            self._watched |= self.problem.second_circuits
        self.problem = compile_problem(self.problem.inventory, self._watched, self.config.parameters)
        self.merged = merge_slots(self.problem)
        self.unwatched, self.verdict = frozenset(), None
        self.forget_solution()
