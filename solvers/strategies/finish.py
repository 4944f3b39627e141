"""What remains of the time: plans outside every completed set are bounded, then pairs are solved over all slots."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.formulation.assembly import build
from solvers.formulation.relaxations import bound_source, relaxed
from solvers.formulation.variables import Formulation
from solvers.linear.model import INFINITY
from solvers.problem.design import pair_columns
from solvers.strategies.bound_sources import BoundSource
from solvers.strategies.clock import Clock
from solvers.strategies.completion import Completion, SetBounds
from solvers.strategies.desk import EngineDesk, InsideBound
from solvers.strategies.open_sets import OpenSets, open_shares
from solvers.strategies.pair_search import PairSearch
from solvers.tolerances import IS_ONE


@dataclass(frozen=True)
class Remainder:
    """A proof set by set, then pairs over all slots with the best plan as a start.

    Attributes
    ----------
    proven : SetBounds
        What the completion has proven of single sets.
    """

    desk: EngineDesk
    bounds: BoundSource
    completion: Completion
    proven: SetBounds

    def run(self, sets: OpenSets) -> None:
        """Prove or polish until the time is up."""
        state, clock = self.desk.state, Clock(self.desk.state)
        if not state.config.deterministic:
            is_small = pair_columns(state.problem) <= state.parameters.small_columns
            part = clock.until_share(state.parameters.remaining_share) if is_small else clock
            self._prove_rest(sets, part, is_small=is_small)
        if not clock.is_over:
            PairSearch(self.desk).run()

    def _prove_rest(self, sets: OpenSets, clock: Clock, *, is_small: bool) -> None:
        """Bound the plans that open a slot outside every completed set, and complete the set that this bound opens.

        A completed set's model is a bound for every plan within the set; so the least of these and of the rest is a
        bound for all.
        """
        state, closed = self.desk.state, self.proven.values
        while closed and not clock.is_over:
            rest = self._rest(is_small=is_small)
            inside = min(closed.values())
            source = bound_source("HiGHS, set by set", {*relaxed(rest), *self.proven.relaxed})
            found = self.desk.solve(rest.model, clock, inside=InsideBound(inside, source))
            if found.state == "infeasible" and inside < INFINITY:
                state.incumbent.raise_bound("highs", inside, source)
            if found.state == "infeasible" or found.solution is None:
                return
            shares = open_shares(rest, found.solution)
            chosen = frozenset(slot for slot, share in shares.items() if share > IS_ONE) | sets.fixed
            if chosen in closed or clock.is_over:
                return
            sets.completed[chosen] = self.completion.complete(chosen, clock)

    def _rest(self, *, is_small: bool) -> Formulation:
        """Every plan that opens some slot outside every completed set."""
        state = self.desk.state
        rest = (
            build(state.merged, has_pairs=True, rows=state.rows, whole=False, sparse=True)
            if is_small
            else self.bounds.formulation()
        )
        last = state.problem.periods - 1
        for slots in self.proven.values:
            outside = [slot for slot in rest.slots if slot not in slots]
            terms = [term for slot in outside for term in rest.open_terms(slot, last)]
            rest.model.add_row("BRANCH", terms, lower=1.0)
        return rest
