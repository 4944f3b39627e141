"""How a set of open slots is completed by designs over bundles, whose whole units are put where their bundle flows.

A design says where clusters stand, how large they are and what flows between; single units follow it, are moved until
every cluster holds its load, and nodes are taken away that the others can do without, or added where failures send more
than there is room for. Limits of links that a plan breaks in a failure become rows of the next design.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from solvers.engines.pool import EngineJob
from solvers.formulation.assembly import GeneratedRow, build
from solvers.formulation.constraints.links import ClusterRow
from solvers.formulation.variables import Formulation
from solvers.incumbent.evaluation import Evaluation
from solvers.linear.model import INFINITY, Floats
from solvers.local_search.failure_repair import Mending
from solvers.local_search.placement import Packing
from solvers.local_search.rounding import packed
from solvers.problem.demand_aggregation import Bundles, bundle
from solvers.problem.design import pair_columns
from solvers.strategies.clock import Clock
from solvers.strategies.completion import Completion
from solvers.strategies.design_rounding import integer_at_last, rounded_up
from solvers.strategies.desk import EngineDesk
from solvers.strategies.open_sets import OpenSet

logger = logging.getLogger(__name__)


class DesignCompletion:
    """Completes sets by designs.

    Attributes
    ----------
    pairs : Completion
        What is tried where designs fail and the set is small enough for engines.
    """

    def __init__(self, desk: EngineDesk, pairs: Completion) -> None:
        self.desk, self.pairs = desk, pairs

    def complete(self, slots: OpenSet, clock: Clock) -> float:
        """The cost of the best plan on a set."""
        state, best = self.desk.state, INFINITY
        columns, most = pair_columns(state.merged, slots), state.parameters.engine_columns
        if state.problem.inventory.policy.partner_scope == "workload":
            best = _DesignedSet(self.desk, slots, clock).run()
        elif columns > most and state.incumbent.best is None:
            state.remedies = (_one_partner(len(slots), columns, most),)
        if best < INFINITY or clock.is_over or columns > most:
            return best
        return self.pairs.complete(slots, clock)


class _DesignedSet:
    """One set on its way to a plan: designs that leave more and more room for whole units.

    Attributes
    ----------
    best : float
        Cost of the best plan on it.
    margins : list of float
        Shares of capacity that designs leave free, the next one first.
    """

    def __init__(self, desk: EngineDesk, slots: OpenSet, clock: Clock) -> None:
        self.desk, self.state, self.slots = desk, desk.state, slots
        tuning = self.state.parameters
        self.clock = clock.per_model(tuning.design_share, tuning.design_limit_s)
        self.best = INFINITY
        self.margins = list(tuning.margins)

    def run(self) -> float:
        """Design with limits as rows once they are broken, until a plan holds or no margin is left."""
        while self.margins and not self.clock.is_over:
            bundles = bundle(self.state.merged, self.slots, by_way=bool(self.state.rows))
            design = self._design_of(bundles)
            if self._is_large(design) and self.margins[0] == 0.0:
                self.margins.pop(0)
                continue
            found = self._solve(design)
            if found.solution is None:
                break
            first, mended = self._put_units(bundles, design, found.solution)
            self._log(design, found, mended)
            if first is None or mended is None:
                self.margins.pop(0)
            elif self._is_settled(design, first, mended):
                break
        return self.best

    def _is_large(self, design: Formulation) -> bool:
        return len(design.placement) > self.state.parameters.large_design

    def _is_huge(self, design: Formulation) -> bool:
        return len(design.placement) > self.state.parameters.huge_design

    def _design_of(self, bundles: Bundles) -> Formulation:
        return build(
            bundles.problem,
            has_pairs=True,
            slots=self.slots,
            rows=self.state.rows,
            whole=False,
            sparse=True,
            final_demand=True,
            margin=self.margins[0],
        )

    def _solve(self, design: Formulation) -> EngineJob:
        """Clusters and flows of the set.

        Large designs are integer in the last period only, as whole paths are found when clusters are resized; where
        that is still too much, the clusters of the relaxation are rounded up.
        """
        gap = self.state.parameters.design_gap
        if not self._is_large(design):
            return self.desk.solve(design.model, self.clock, gap=gap)
        if not self._is_huge(design):
            found = self.desk.solve(replace(design.model, integer=integer_at_last(design)), self.clock, gap=gap)
            if found.solution is not None or found.state == "infeasible" or self.clock.is_over:
                return found
        return self._round_up(design)

    def _round_up(self, design: Formulation) -> EngineJob:
        """The relaxation with its clusters rounded up, some after the other."""
        model = replace(design.model, integer=integer_at_last(design))
        clock = replace(self.clock, model_s=INFINITY)
        found = self.desk.solve(model, clock, relaxed=True)
        for least in self.state.parameters.round_up_from:
            solution, before = found.solution, found.objective
            if solution is None:
                break
            found = self.desk.solve(rounded_up(design, model, solution, least), clock, relaxed=True)
            logger.debug("relaxation %.0f, rounded up from %.1f: %.0f", before, least, found.objective)
        return found

    def _put_units(
        self, bundles: Bundles, design: Formulation, solution: Floats
    ) -> tuple[Evaluation | None, Evaluation | None]:
        """A plan of whole units as evaluated at first and once mended; None where they do not fit."""
        packing = packed(self.state.problem, bundles, design, solution)
        return (None, None) if packing is None else self._mended(packing, design, solution)

    def _mended(
        self, packing: Packing, design: Formulation, solution: Floats
    ) -> tuple[Evaluation | None, Evaluation | None]:
        """The first plan of all is worth more than the time."""
        incumbent = self.state.incumbent
        mending = Mending(self.state.problem, incumbent, design, solution, packing)
        mended = mending.run(lambda: incumbent.best is not None and self.clock.is_over)
        return mending.first, mended

    def _is_settled(self, design: Formulation, first: Evaluation, mended: Evaluation) -> bool:
        """Take what a plan costs and breaks; whether no further design is worth while."""
        if mended.holds:
            self.best = min(self.best, mended.objective)
        elif mended.unwatched and not mended.broken:
            self.state.unwatched |= mended.unwatched
            return True
        new = self._new_rows(design, first, mended)
        if mended.holds and (self._is_large(design) or not new):
            return True
        if not new:
            self.margins.pop(0)
        self.state.rows |= new
        return False

    def _new_rows(self, design: Formulation, first: Evaluation, mended: Evaluation) -> set[GeneratedRow]:
        """The limits that the next design of the set has to know, of those broken at first and once mended."""
        broken: set[GeneratedRow] = set(first.broken)
        if self._is_huge(design):  # rows tell every way into the WAN apart: far too many
            return set()
        if self._is_large(design):  # what upgrades mend, they do at less cost than such rows
            broken = {row for row in mended.broken if isinstance(row, ClusterRow)}
        return broken - self.state.rows

    def _log(self, design: Formulation, found: EngineJob, mended: Evaluation | None) -> None:
        text = "%d open, margin %.3f, %d columns: design %.0f, bound %.0f, %s"
        result = "does not fit" if mended is None else f"costs {mended.objective:.0f}, {len(mended.broken)} broken"
        columns = len(design.placement)
        logger.debug(text, len(self.slots), self.margins[0], columns, found.objective, found.bound, result)


def _one_partner(sites: int, columns: int, most: int) -> str:
    return (
        f"partner_scope = cluster: one standby cluster for all that a cluster protects is found among at most "
        f"{most:,} ways to place demand classes and their standbys; the {sites} likeliest places leave "
        f"{columns:,} – set partner_scope = workload, let fewer sites host (can_host), or plan regions one by one"
    )
