"""Plans set by set: relaxations rank sets of open slots, the most promising are completed, then the rest is proven."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from solvers.formulation.relaxations import bound_source, relaxed
from solvers.formulation.variables import Formulation
from solvers.linear.model import INFINITY
from solvers.strategies.bound_sources import BoundSource
from solvers.strategies.clock import Clock
from solvers.strategies.completion import Completion
from solvers.strategies.desk import EngineDesk
from solvers.strategies.open_sets import OpenSet, OpenSets, first_set, open_shares
from solvers.strategies.pair_search import PairSearch


class Finish(Protocol):
    """What the time goes to once no set is completed for better plans alone any more."""

    def run(self, sets: OpenSets) -> None:
        """Prove or polish until the time is up."""
        ...


@dataclass(frozen=True)
class Lookout:
    """How the neighbors of a set are ranked before the next one is completed.

    Attributes
    ----------
    share : float
        Share of the time that it may take.
    deterministic_most : int or None
        How many neighbors are looked at in deterministic mode; all where None.
    """

    share: float = 1.0
    deterministic_most: int | None = None

    def look(self, sets: OpenSets, center: OpenSet, clock: Clock) -> None:
        """Rank a set and its neighbors, the likeliest first."""
        if clock.state.config.deterministic and self.deterministic_most is not None:
            for neighbor in islice(sets.neighbors(center), self.deterministic_most):
                sets.value(neighbor)
            return
        sets.value(center)
        clock = clock.for_share(self.share)
        for neighbor in sets.neighbors(center):
            if clock.is_over:
                return
            sets.value(neighbor)


class SetSearch:
    """One pass over a problem, set by set.

    Attributes
    ----------
    bounds : BoundSource
        What bounds are proven on.
    completion : Completion
        How plans are found on a set.
    lookout : Lookout
        How far one looks for the next set.
    finish : Finish or None
        What comes after the sets; without it all of the time goes to them.
    """

    def __init__(
        self, desk: EngineDesk, bounds: BoundSource, completion: Completion, lookout: Lookout, finish: Finish | None
    ) -> None:
        self.desk, self.state = desk, desk.state
        self.bounds, self.completion, self.lookout, self.finish = bounds, completion, lookout, finish

    def run(self) -> None:
        """Bound in the background, complete one set of open slots after another, then prove or polish."""
        state, merged = self.state, self.state.merged
        whole = self.bounds.formulation()
        begun = time.monotonic()
        root = self.desk.solve(whole.model, Clock(state), relaxed=True)
        if root.state == "infeasible":
            state.hear_infeasible("highs", whole)
            return
        if root.solution is None:
            PairSearch(self.desk).run()
            return
        state.incumbent.raise_bound("highs", root.bound, bound_source("HiGHS", relaxed(whole, linear=True)))
        self.desk.start_background(whole, time.monotonic() - begun)
        fixed = frozenset(slot.index for slot in merged.slots if slot.existing is not None)
        shares = open_shares(whole, root.solution)
        sets = OpenSets(merged, lambda slots: self._relaxation(whole, slots), fixed, shares)
        self._complete_sets(sets, first_set(merged, shares) | fixed)
        if self.finish is not None:
            self.finish.run(sets)

    def _relaxation(self, whole: Formulation, slots: OpenSet) -> float:
        """The value of the relaxation over one set."""
        found = self.desk.solve(self.bounds.over(whole, slots), Clock(self.state), relaxed=True)
        return INFINITY if found.solution is None else found.objective

    @property
    def _sets_share(self) -> float:
        """The share of the time after which no further set is completed for better plans alone."""
        if self.finish is None:
            return 1.0
        is_packed = any(slot.copies > 1 for slot in self.state.merged.slots)
        return self.state.parameters.packed_sets_share if is_packed else self.state.parameters.sets_share

    def _complete_sets(self, sets: OpenSets, first: OpenSet) -> None:
        state, tuning = self.state, self.state.parameters
        clock = Clock(state).until_share(self._sets_share)
        chosen: OpenSet | None = sets.with_room(first)
        rounds = 0
        while chosen is not None and not clock.is_over:
            sets.completed[chosen] = self.completion.complete(chosen, clock)
            rounds += 1
            if clock.is_over or (state.config.deterministic and rounds >= tuning.deterministic_sets):
                return
            more = sets.larger(chosen, tuning.set_growth ** (rounds - 1))
            if state.incumbent.best is None and more != chosen:
                chosen = more  # what does not fit on the likeliest slots fits on more of them, if anywhere
                continue
            self.lookout.look(sets, sets.best or chosen, clock)
            chosen = sets.next_set(state.incumbent.objective)
