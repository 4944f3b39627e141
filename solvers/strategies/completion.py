"""How a set of open slots is completed into plans by pairs: continuous placements first, then whole units near them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from solvers.engines.pool import EngineJob
from solvers.formulation.assembly import build
from solvers.formulation.relaxations import relaxed
from solvers.formulation.variables import Formulation
from solvers.formulation.warm_start import near
from solvers.incumbent.evaluation import Evaluation
from solvers.linear.model import INFINITY, Floats
from solvers.problem.design import pair_columns
from solvers.strategies.clock import Clock
from solvers.strategies.desk import EngineDesk
from solvers.strategies.open_sets import OpenSet


class Completion(Protocol):
    """A way to find plans on a set of open slots."""

    def complete(self, slots: OpenSet, clock: Clock) -> float:
        """The cost of the best plan on a set; infinite where none was found. The incumbent has the plan."""
        ...


@dataclass
class SetBounds:
    """Sets whose models were solved without any room to spare: the model's bound is one for every plan on the set.

    Attributes
    ----------
    values : dict
        The bound of each; infinite where there is no plan.
    relaxed : set of str
        What these models relax.
    """

    values: dict[OpenSet, float] = field(default_factory=dict)
    relaxed: set[str] = field(default_factory=set)


class PairCompletion:
    """Completes sets by pairs.

    Attributes
    ----------
    bounds : SetBounds
        What its models prove.
    """

    def __init__(self, desk: EngineDesk, bounds: SetBounds) -> None:
        self.desk, self.bounds = desk, bounds

    def complete(self, slots: OpenSet, clock: Clock) -> float:
        """The cost of the best plan on a set."""
        return _PairedSet(self.desk, self.bounds, slots, clock).run()


class _PairedSet:
    """One set on its way to a plan.

    Attributes
    ----------
    best : float
        Cost of the best plan on it.
    margin : float
        Share of capacity left free for whole units at the moment.
    is_short : bool
        Whether models get the time of a short try, as the first ones mostly show which rows are missing.
    """

    def __init__(self, desk: EngineDesk, bounds: SetBounds, slots: OpenSet, clock: Clock) -> None:
        self.desk, self.state, self.bounds, self.slots = desk, desk.state, bounds, slots
        tuning, merged = self.state.parameters, self.state.merged
        self.clock = clock.per_model(tuning.set_share, tuning.set_limit_s)
        self.best = INFINITY
        self.is_large = pair_columns(merged, slots) > tuning.large_columns
        self.is_short = not self.is_large and self.state.incumbent.best is None
        self.margin = tuning.margin if any(merged.slots[slot].copies > 1 for slot in slots) else 0.0
        self._tried = {self.margin}

    def run(self) -> float:
        """Try again with more rows, more time or another margin until none of them is left."""
        while not self.clock.is_over:
            loose = self._loose()
            found = self._place_loosely(loose)
            if self._is_hopeless(found):
                break
            evaluation = None if found.solution is None else self._place_whole(loose, found.solution)
            if self.state.learn(evaluation):
                continue
            if self.state.unwatched:
                break
            if evaluation is not None and evaluation.holds:
                self.best = min(self.best, evaluation.objective)
            if not self._takes_longer(found) and not self._changes_margin(found, evaluation):
                break
        return self.best

    @property
    def _model_clock(self) -> Clock:
        if not self.is_short:
            return self.clock
        return replace(self.clock, model_s=self.clock.model_s * self.state.parameters.first_try_share)

    def _loose(self) -> Formulation:
        """Pairs with continuous placements; large ones for the final demand only."""
        return build(
            self.state.merged,
            has_pairs=True,
            slots=self.slots,
            rows=self.state.rows,
            whole=False,
            sparse=True,
            final_demand=self.is_large,
            margin=self.margin,
        )

    def _place_loosely(self, loose: Formulation) -> EngineJob:
        """Solve them; without margin, what that proves bounds every plan on the set."""
        found = self.desk.solve(loose.model, self._model_clock, hint=self.state.hint(loose))
        if self.margin == 0.0:
            proven = max(found.bound, self.state.incumbent.claims.bound_of("HiGHS"))
            self.bounds.values[self.slots] = INFINITY if found.state == "infeasible" else proven
            self.bounds.relaxed.update(relaxed(loose))
        return found

    def _is_hopeless(self, found: EngineJob) -> bool:
        """Whether no plan on the set is worth more of the time."""
        worth = self.state.config.gap * self.state.parameters.hopeless_gap_share
        return found.solution is not None and found.bound >= self.state.incumbent.objective * (1.0 - worth)

    def _place_whole(self, loose: Formulation, solution: Floats) -> Evaluation | None:
        """Whole units on the nodes of a loose solution, or a few more; None where they do not fit."""
        state, spares = self.state, self.state.parameters.spare_nodes
        state.remember(loose, solution)
        slots = [slot for group in loose.slots for slot in state.merged.slot_groups[group]]
        formulation = build(
            state.problem, has_pairs=True, slots=slots, rows=state.rows, sparse=True, final_demand=loose.final_demand
        )
        attempts = [(spare, False) for spare in spares]
        if loose.final_demand:
            attempts = [(spares[-1], True), (spares[-1], False)]
        for spare, keeps_whole in attempts:
            model = near(loose, solution, formulation, spare, keeps_whole)
            found = self.desk.solve(model, self._model_clock)
            if found.solution is not None:
                state.remember(formulation, found.solution)
                return state.evaluate(formulation, found.solution)
            if self.clock.is_over:
                break
        return None

    def _takes_longer(self, found: EngineJob) -> bool:
        """Give models the whole time of one after a short try that ran out of it; whether that is a change."""
        if not self.is_short or found.state != "limit":
            return False
        self.is_short = False
        return True

    def _changes_margin(self, found: EngineJob, evaluation: Evaluation | None) -> bool:
        """More room where whole units did not fit, less where they did; whether that was not tried yet."""
        other = 0.0 if self.margin else self.state.parameters.margin
        has_fitted = evaluation is not None
        if other in self._tried or found.solution is None or has_fitted != bool(self.margin):
            return False
        self.margin = other
        self._tried.add(other)
        return True
