"""The decompose strategy: for fleets whose single units no engine can place any more.

What decides a plan is where clusters stand and how large they are; demands are many and small beside them. So the fleet
is taken apart: proportional demands are counted in bundles, which bounds and designs are sought on; each set of open
sites is designed over the bundles that it leaves apart; and only then are single units put where their bundle flows,
moved until every cluster holds its load, and nodes taken away that the others can do without. Each plan is judged like
any other; limits of links that it breaks in a failure become rows of the next design.

Bounds are those of the separate formulation over bundles. It relaxes that units are whole, which standby goes with
which primary beyond the subset rows, and link limits in failed states.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

from solvers.building import build
from solvers.bundles import bundle
from solvers.engines import EnginePool, EngineRun
from solvers.exact import ExactSolve
from solvers.formulation import Formulation
from solvers.linear import INFINITY, Floats, LinearModel
from solvers.nearby import WHOLE_TOLERANCE
from solvers.opening import OpenSet, OpenSets, restricted
from solvers.problem import pair_columns
from solvers.rounding import decisions_of_packing, packed

#: Share of every capacity that designs leave free, tried one after the other until whole units fit.
MARGINS = (0.0, 0.005, 0.015)
#: Pair columns over all slots up to which engines polish plans at the end.
ENGINE_COLUMNS = 60_000
#: Gap at which a design is good enough: whole units and nodes that go make more of a difference.
DESIGN_GAP = 0.003
#: Placement columns from which a design is integer in the last period only.
LARGE_DESIGN = 6000
#: Share of the time for relaxations of sets between two that are completed; in deterministic mode, how many.
LOOK_SHARE, DETERMINISTIC_NEIGHBORS = 0.1, 12
#: Longest share of the time, and longest time, for one design [s].
DESIGN_SHARE, DESIGN_LIMIT_S = 0.15, 60.0


logger = logging.getLogger(__name__)


class DecomposeSolve(ExactSolve):
    """One run of the decompose strategy."""

    strategy = "decompose"

    def _separate(self) -> Formulation:
        bundles = bundle(self.merged)
        return build(bundles.problem, has_pairs=False, whole=False, sparse=True, final_demand=True)

    def _relaxation_of(self, pool: EnginePool, _separate: Formulation) -> Callable[[OpenSet], float]:
        """The value of the relaxation over one set, with the bundles that the set leaves apart."""

        def value(slots: OpenSet) -> float:
            bundles = bundle(self.merged, slots)
            over = build(bundles.problem, has_pairs=False, slots=slots, whole=False, sparse=True, final_demand=True)
            found = self._highs(pool, restricted(over, slots), INFINITY, relaxed=True)
            return INFINITY if found.point is None else found.objective

        return value

    def _look_around(self, sets: OpenSets, center: OpenSet, until: float) -> None:
        """Rank the likeliest neighbors of a set, as many as a share of the time allows."""
        if self.config.deterministic:
            for neighbor in islice(sets.neighbors(center), DETERMINISTIC_NEIGHBORS):
                sets.value(neighbor)
            return
        super()._look_around(sets, center, min(until, time.monotonic() + self.config.time_limit_s * LOOK_SHARE))

    def _finish(self, pool: EnginePool, sets: OpenSets, is_small: bool) -> None:
        """Engines over all slots where the fleet is small enough for them."""
        if pair_columns(self.problem) <= ENGINE_COLUMNS:
            super()._finish(pool, sets, is_small)

    def _complete(self, pool: EnginePool, slots: OpenSet, until: float) -> float:
        """The best plan on a set: a design over bundles, whole units put where they flow; engines where that fails."""
        best = INFINITY
        if self.problem.inventory.policy.partner_scope == "workload":
            best = self._round_designs(pool, slots, until)
        return super()._complete(pool, slots, until) if best == INFINITY and not self._is_over(until) else best

    def _round_designs(self, pool: EnginePool, slots: OpenSet, until: float) -> float:
        margins = list(MARGINS)
        while margins and not self._is_over(until):
            bundles = bundle(self.merged, slots, by_way=bool(self.rows))
            design = build(
                bundles.problem,
                has_pairs=True,
                slots=slots,
                rows=self.rows,
                whole=False,
                sparse=True,
                final_demand=True,
                margin=margins[0],
            )
            found = self._design(pool, design, until)
            if found.point is None:
                return INFINITY
            begun = time.monotonic()
            packing = packed(self.problem, bundles, design, found.point)
            text = "%d open, margin %.3f: design %.0f, bound %.0f, %s after %.1f s"
            fits = "fits" if packing is not None else "does not fit"
            passed = time.monotonic() - begun
            logger.debug(text, len(slots), margins[0], found.objective, found.bound, fits, passed)
            if packing is None:
                margins.pop(0)
                continue
            gone = packing.tighten()
            logger.debug("%d nodes less after %.1f s", gone, time.monotonic() - begun)
            decisions = decisions_of_packing(self.problem, packing, design, found.point)
            judgment = self.search.judge_decisions(decisions, final_demand=True)
            if judgment is None:
                margins.pop(0)
                continue
            logger.debug(
                "%.0f, %d limits broken, %.1f s", judgment.objective, len(judgment.broken), self.search.seconds
            )
            if not judgment.broken:
                return judgment.objective
            if set(judgment.broken) <= self.rows:
                margins.pop(0)
            self.rows |= set(judgment.broken)
        return INFINITY

    def _design(self, pool: EnginePool, design: Formulation, until: float) -> EngineRun:
        """Clusters and flows of a set; large ones integer in the last period only, whole paths are found later."""
        model = design.model
        if len(design.placement) > LARGE_DESIGN:
            model = replace(model, integer=_integer_at_last(design))
        limit = min(self.config.time_limit_s * DESIGN_SHARE, DESIGN_LIMIT_S)
        found = self._highs(pool, model, limit, until=until, gap=DESIGN_GAP)
        if found.point is not None or found.state == "infeasible" or self._is_over(until):
            return found
        relaxed = self._highs(pool, model, INFINITY, relaxed=True, until=until)
        if relaxed.point is None:
            return relaxed
        model = _fixed_where_whole(design, model, relaxed.point)
        return self._highs(pool, model, limit, until=until, gap=DESIGN_GAP)


def _integer_at_last(design: Formulation) -> list[bool]:
    """Which columns are integer when what stands before the last period is not yet decided."""
    last = design.problem.periods - 1
    integer = list(design.model.integer)
    for columns in (design.run, design.nodes):
        for (_, _, period), column in columns.items():
            integer[column] &= period == last
    for (_, period), column in design.site_open.items():
        integer[column] &= period == last
    return integer


def _fixed_where_whole(design: Formulation, model: LinearModel, point: Floats) -> LinearModel:
    """The model with the clusters of the last period that a point has in whole numbers as they are."""
    last = design.problem.periods - 1
    lower, upper = list(model.lower), list(model.upper)
    for (_, _, period), column in design.run.items():
        count = round(float(point[column]))
        if period == last and abs(point[column] - count) <= WHOLE_TOLERANCE:
            lower[column] = upper[column] = float(count)
    return replace(model, lower=lower, upper=upper)
