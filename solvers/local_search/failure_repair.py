"""Whole units mended until every limit holds: links are upgraded, clusters that take in too much keep more free.

What a link carries in a failure, and what a cluster then takes in, shows only once a whole plan is evaluated. Links
over their limits are upgraded as far as they may be. Clusters over theirs keep more free from then on: units move away
or, where that is not enough, clusters grow. What moves away from one place arrives at another, so this takes some
rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from solvers.formulation.variables import Formulation
from solvers.incumbent.evaluation import Evaluation
from solvers.incumbent.incumbent import Incumbent
from solvers.linear.model import Floats
from solvers.local_search.expansion import with_room
from solvers.local_search.placement import Packing
from solvers.local_search.reduction import tighten
from solvers.local_search.relocation import repair
from solvers.local_search.rounding import decisions_of_packing
from solvers.problem.design import DesignProblem


class Mending:
    """One design with its units, from the first evaluation to a plan that holds, or to the end of what can be mended.

    Attributes
    ----------
    packing : Packing
        Where units are now.
    first, last, held : Evaluation or None
        As evaluated before anything was mended and most lately; the cheapest that holds.
    """

    def __init__(
        self, problem: DesignProblem, incumbent: Incumbent, design: Formulation, solution: Floats, packing: Packing
    ) -> None:
        self.problem, self.incumbent, self.design, self.solution = problem, incumbent, design, solution
        self.first: Evaluation | None = None
        self.last: Evaluation | None = None
        self.held: Evaluation | None = None
        self._upgrades: dict[str, int] = {}
        self._extra: dict[str, Floats] = {}
        self._as_designed = packing.joined_by(())
        self.packing = packing
        self._tighten()

    def run(self, is_over: Callable[[], bool]) -> Evaluation | None:
        """Evaluate and mend until a plan holds that lost what nodes it could; the best evaluation, None if none."""
        tuning = self.problem.parameters.local_search
        for number in range(tuning.mending_rounds):
            if is_over() or not self._round(is_loose=number < tuning.loose_rounds):
                break
        return self.last if self.held is None else self.held

    def _round(self, *, is_loose: bool) -> bool:
        """Evaluate the plan and change what it breaks; whether there is another plan to evaluate then."""
        decisions = decisions_of_packing(self.problem, self.packing, self.design, self.solution)
        decisions = replace(decisions, upgrades={**decisions.upgrades, **self._upgrades})
        evaluation = self.incumbent.evaluate(self.problem, decisions, final_demand=True, extra=self._extra)
        if evaluation is not None and evaluation.holds:
            return self._keep(evaluation)
        if self.held is not None:
            return False
        if evaluation is None:
            return self._regroup(is_loose=is_loose, is_tight=False)
        self.first, self.last = self.first or evaluation, evaluation
        more = self._upgradable(evaluation)
        self._upgrades |= more
        if not evaluation.short:
            return bool(more)
        self._note_short(evaluation.short)
        return self._regroup(is_loose=is_loose, is_tight=is_loose)

    def _keep(self, evaluation: Evaluation) -> bool:
        """Remember a plan that holds; whether nodes may still go from it."""
        self.first = self.first or evaluation
        if self.held is None or evaluation.objective < self.held.objective:
            self.held = evaluation
        if self._is_tight:
            return False
        self._tighten()
        return True

    def _tighten(self) -> None:
        tighten(self.packing)
        self._is_tight = True

    def _upgradable(self, evaluation: Evaluation) -> dict[str, int]:
        """The links over their limits that may be upgraded, with the first period in which they are too thin."""
        decided = {pin.link for pin in self.problem.inventory.pins if pin.decision == "link_upgrade"}
        return {
            link: period
            for link, period in evaluation.overloaded.items()
            if link not in decided
            and self.problem.wan.links[link].upgrade_mbps is not None
            and period < evaluation.decisions.upgrades.get(link, self.problem.periods)
        }

    def _note_short(self, short: Mapping[str, Floats]) -> None:
        """Have clusters keep free throughout what they lack at any time: what grows late would be short before."""
        more = self.problem.parameters.local_search.extra_free
        for cluster, amount in short.items():
            throughout = amount.max(axis=1, keepdims=True) * more
            self._extra[cluster] = np.maximum(self._extra.get(cluster, np.zeros(amount.shape)), throughout)

    def _regroup(self, *, is_loose: bool, is_tight: bool) -> bool:
        """Keep free at the end what was noted, by moving units or else by growing; whether either helps."""
        packing = self._as_designed.joined_by(()) if is_loose else self.packing
        for index, place in enumerate(packing.places):
            amount = self._extra.get(self.problem.slots[place.slot].cluster)
            if amount is not None:
                packing.extra[index, : len(amount)] = amount[:, -1]
        before = packing.joined_by(())
        grown = packing if repair(packing) else with_room(before)
        if grown is None:
            return False
        self.packing, self._is_tight = grown, False
        if is_tight:
            self._tighten()
        return True
