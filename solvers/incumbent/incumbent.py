"""What a solve knows at any moment: the best evaluated decision, the best bound, and how both came about."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.plan.decisions import Decisions
from solvers.config import SolveConfig
from solvers.engines.claims import LIBRARIES, Claims
from solvers.engines.task import Engine
from solvers.incumbent.evaluation import Evaluation, evaluate
from solvers.linear.model import INFINITY, Floats
from solvers.problem.design import DesignProblem
from solvers.tolerances import IMPROVEMENT
from solvers.trace import TracePoint, relative_gap


@dataclass
class Incumbent:
    """The best plan so far, which holds, beside what engines claim of all plans.

    Attributes
    ----------
    started : float
        When the solve began, on the clock of ``time.monotonic``.
    best : Decisions or None
        The cheapest decision that holds.
    objective : float
        Its present value; infinite without one.
    doubtful : frozenset of str
        Clusters on which packing was not decided, in any decision looked at.
    """

    config: SolveConfig
    started: float = field(default_factory=time.monotonic)
    best: Decisions | None = None
    objective: float = INFINITY
    claims: Claims = field(default_factory=Claims)
    trace: list[TracePoint] = field(default_factory=list)
    evaluating_s: float = 0.0
    evaluations: int = 0
    doubtful: frozenset[str] = frozenset()

    @property
    def seconds(self) -> float:
        """Time since the start [s]."""
        return time.monotonic() - self.started

    @property
    def gap(self) -> float | None:
        """Relative gap of the best decision and the best bound."""
        return relative_gap(None if self.best is None else self.objective, self.claims.bound_below(self.objective))

    @property
    def is_done(self) -> bool:
        """Whether the gap asked for is reached."""
        return self.gap is not None and self.gap <= self.config.gap

    def raise_bound(self, engine: Engine, bound: float, source: str) -> None:
        """Take what an engine calls a lower bound on the present value of every plan, unless a plan disproves it."""
        before = self.claims.bound
        if self.claims.note(LIBRARIES[engine], bound, source):
            self.claims.face(self.objective)
        if self.claims.bound != before:
            self._report()

    def disprove(self, engine: Engine, text: str) -> None:
        """Believe an engine no more."""
        self.claims.disprove(LIBRARIES[engine], text)
        self._report()

    def evaluate(
        self,
        problem: DesignProblem,
        decisions: Decisions,
        *,
        final_demand: bool,
        extra: Mapping[str, Floats] | None = None,
    ) -> Evaluation | None:
        """Evaluate a decision as `solvers.incumbent.evaluation.evaluate` says, and keep it if it holds and is best.

        None where only the final demand was looked at and an earlier period does not hold.
        """
        begun = time.monotonic()
        found = evaluate(problem, decisions, final_demand=final_demand, extra=extra)
        for evaluation in found:
            self._keep(evaluation)
        if not found:
            return None
        self.evaluating_s += time.monotonic() - begun
        self.evaluations += 1
        return found[-1]

    def _keep(self, evaluation: Evaluation) -> None:
        """Keep a decision if it holds and is best; remember on which clusters packing was not decided."""
        self.doubtful |= evaluation.doubtful
        if evaluation.holds and evaluation.objective < self.objective - IMPROVEMENT * abs(evaluation.objective):
            self.best, self.objective = evaluation.decisions, evaluation.objective
            self.claims.face(self.objective)
            self._report()

    def _report(self) -> None:
        incumbent, bound = None if self.best is None else self.objective, self.claims.bound_below(self.objective)
        self.trace.append(TracePoint(self.seconds, incumbent, bound))
        if self.config.on_progress is not None:
            self.config.on_progress(self.seconds, incumbent, bound)
