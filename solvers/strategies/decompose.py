"""The decompose strategy: for fleets whose single units no engine can place any more.

What decides a plan is where clusters stand and how large they are; demands are many and small beside them. So the fleet
is taken apart: proportional demands are counted in bundles, which bounds and designs are sought on; each set of open
sites is designed over the bundles that it leaves apart; and only then are single units put where their bundle flows,
moved until every cluster holds its load, and nodes taken away that the others can do without, or added where failures
send more than there is room for. Each plan is evaluated like any other; limits of links that it breaks in a failure
become rows of the next design.

Bounds are those of the separate formulation over what `solvers.problem.demand_aggregation.counted` tells apart. It
relaxes that units are whole, which standby goes with which primary beyond the subset rows, link limits in failed states
and, in large fleets, differences between sites that are nearly alike (`solvers.formulation.relaxations` says which). No
Lagrangian relaxation of the assignment is used: that of `solvers.location` trades off what single assignments cost, and
here none of them costs anything; clusters, nodes and links do.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import numpy as np

from solvers.engines.pool import EngineJob, EnginePool
from solvers.formulation.assembly import GeneratedRow, build
from solvers.formulation.constraints.links import ClusterRow
from solvers.formulation.variables import Formulation
from solvers.formulation.warm_start import WHOLE_TOLERANCE
from solvers.incumbent.incumbent import Evaluation, UnwatchedLinks
from solvers.linear.model import INFINITY, Floats, LinearModel
from solvers.local_search.failure_repair import Mending
from solvers.local_search.placement import Packing
from solvers.local_search.rounding import packed
from solvers.problem.demand_aggregation import bundle, counted
from solvers.problem.design import pair_columns
from solvers.strategies.exact import ExactSolve
from solvers.strategies.open_sets import OpenSet, OpenSets, restricted
from solvers.strategies.second_opinion import ENGINE_COLUMNS

#: Share of every capacity that designs leave free, tried one after the other until whole units fit.
MARGINS = (0.0, 0.005, 0.015, 0.03)
#: Gap at which a design is good enough: whole units and nodes that go make more of a difference.
DESIGN_GAP = 0.003
#: Placement columns from which a design is integer in the last period only, and from which it is rounded.
LARGE_DESIGN, HUGE_DESIGN = 6000, 30_000
#: Share of the time for relaxations of sets between two that are completed; in deterministic mode, how many.
LOOK_SHARE, DETERMINISTIC_NEIGHBORS = 0.1, 12
#: Parts of a node from which clusters of a relaxation are rounded up, one relaxation after the other, as those that are
#: rounded take load off the rest.
ROUND_UP_FROM = (0.6, 0.3, 0.0)
#: Longest share of the time, and longest time, for one design [s].
DESIGN_SHARE, DESIGN_LIMIT_S = 0.15, 60.0


logger = logging.getLogger(__name__)


class DecomposeSolve(ExactSolve):
    """One run of the decompose strategy."""

    strategy = "decompose"

    def _separate(self) -> Formulation:
        problem = counted(self.merged)
        return build(problem, has_pairs=False, whole=False, sparse=True, final_demand=True)

    def _relaxation_of(self, pool: EnginePool, _separate: Formulation) -> Callable[[OpenSet], float]:
        """The value of the relaxation over one set, with the bundles that the set leaves apart."""

        def value(slots: OpenSet) -> float:
            problem = counted(self.merged, slots)
            over = build(problem, has_pairs=False, slots=slots, whole=False, sparse=True, final_demand=True)
            found = self._highs(pool, restricted(over, slots), INFINITY, relaxed=True)
            return INFINITY if found.solution is None else found.objective

        return value

    def _look_around(self, sets: OpenSets, center: OpenSet, until: float) -> None:
        """Rank the likeliest neighbors of a set, as many as a share of the time allows."""
        if self.config.deterministic:
            for neighbor in islice(sets.neighbors(center), DETERMINISTIC_NEIGHBORS):
                sets.value(neighbor)
            return
        super()._look_around(sets, center, min(until, time.monotonic() + self.config.time_limit_s * LOOK_SHARE))

    def _sets_share(self) -> float:
        """All of the time where nothing comes after the sets."""
        return super()._sets_share() if self._suits_engines() else 1.0

    def _finish(self, pool: EnginePool, sets: OpenSets, is_small: bool) -> None:
        """Engines over all slots where the fleet is small enough for them."""
        if self._suits_engines():
            super()._finish(pool, sets, is_small)

    def _suits_engines(self) -> bool:
        return pair_columns(self.problem) <= ENGINE_COLUMNS

    def _complete(self, pool: EnginePool, slots: OpenSet, until: float) -> float:
        """The best plan on a set: a design over bundles, whole units put where they flow; engines where that fails."""
        best, columns = INFINITY, pair_columns(self.merged, slots)
        if self.problem.inventory.policy.partner_scope == "workload":
            best = self._round_designs(pool, slots, until)
        elif columns > ENGINE_COLUMNS and self.search.best is None:
            self.remedies = (_one_partner(len(slots), columns),)
        if best < INFINITY or self._is_over(until) or columns > ENGINE_COLUMNS:
            return best
        return super()._complete(pool, slots, until)

    def _round_designs(self, pool: EnginePool, slots: OpenSet, until: float) -> float:
        """The best plan of designs that leave more and more room for whole units, with limits as rows once broken."""
        best, margins = INFINITY, list(MARGINS)
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
            is_large = len(design.placement) > LARGE_DESIGN
            if is_large and margins[0] == 0.0:
                margins.pop(0)
                continue
            found = self._design(pool, design, until)
            if found.solution is None:
                return best
            packing = packed(self.problem, bundles, design, found.solution)
            evaluation, mended = (
                (None, None) if packing is None else self._mended(packing, design, found.solution, until)
            )
            text = "%d open, margin %.3f, %d columns: design %.0f, bound %.0f, %s"
            result = "does not fit" if mended is None else f"costs {mended.objective:.0f}, {len(mended.broken)} broken"
            logger.debug(text, len(slots), margins[0], len(design.placement), found.objective, found.bound, result)
            if evaluation is None or mended is None:
                margins.pop(0)
                continue
            if mended.holds:
                best = min(best, mended.objective)
            elif mended.unwatched and not mended.broken:
                raise UnwatchedLinks(mended.unwatched)
            new = self._new_rows(design, evaluation, mended)
            if mended.holds and (is_large or not new):
                return best
            if not new:
                margins.pop(0)
            self.rows |= new
        return best

    def _new_rows(self, design: Formulation, evaluation: Evaluation, mended: Evaluation) -> set[GeneratedRow]:
        """The limits that the next design of the set has to know, of those broken at first and once mended."""
        broken: set[GeneratedRow] = set(evaluation.broken)
        if len(design.placement) > HUGE_DESIGN:  # rows tell every way into the WAN apart: far too many
            return set()
        if len(design.placement) > LARGE_DESIGN:  # what upgrades mend, they do at less cost than such rows
            broken = {row for row in mended.broken if isinstance(row, ClusterRow)}
        return broken - self.rows

    def _mended(
        self, packing: Packing, design: Formulation, solution: Floats, until: float
    ) -> tuple[Evaluation | None, Evaluation | None]:
        """A plan as evaluated at first and once mended. The first plan of all is worth more than the time."""
        mending = Mending(self.problem, self.search, design, solution, packing)
        mended = mending.run(lambda: self.search.best is not None and self._is_over(until))
        return mending.first, mended

    def _design(self, pool: EnginePool, design: Formulation, until: float) -> EngineJob:
        """Clusters and flows of a set.

        Large ones are integer in the last period only, as whole paths are found when clusters are resized; where that
        is still too much, the clusters of the relaxation are rounded up.
        """
        limit = min(self.config.time_limit_s * DESIGN_SHARE, DESIGN_LIMIT_S)
        if len(design.placement) <= LARGE_DESIGN:
            return self._highs(pool, design.model, limit, until=until, gap=DESIGN_GAP)
        model = replace(design.model, integer=_integer_at_last(design))
        if len(design.placement) <= HUGE_DESIGN:
            found = self._highs(pool, model, limit, until=until, gap=DESIGN_GAP)
            if found.solution is not None or found.state == "infeasible" or self._is_over(until):
                return found
        found = self._highs(pool, model, INFINITY, relaxed=True, until=until)
        for least in ROUND_UP_FROM:
            solution, before = found.solution, found.objective
            if solution is None:
                return found
            found = self._highs(pool, _rounded_up(design, model, solution, least), INFINITY, relaxed=True, until=until)
            logger.debug("relaxation %.0f, rounded up from %.1f: %.0f", before, least, found.objective)
        return found


def _one_partner(sites: int, columns: int) -> str:
    return (
        f"partner_scope = cluster: one standby cluster for all that a cluster protects is found among at most "
        f"{ENGINE_COLUMNS:,} ways to place demand classes and their standbys; the {sites} likeliest places leave "
        f"{columns:,} – set partner_scope = workload, let fewer sites host (can_host), or plan regions one by one"
    )


def _integer_at_last(design: Formulation) -> list[bool]:
    """Which columns are integer when what stands before the last period is not yet decided."""
    last = design.problem.periods - 1
    integer = list(design.model.integer)
    for columns in (design.segment, design.nodes):
        for (_, _, period), column in columns.items():
            integer[column] &= period == last
    for (_, period), column in design.site_open.items():
        integer[column] &= period == last
    return integer


def _rounded_up(design: Formulation, model: LinearModel, solution: Floats, least: float) -> LinearModel:
    """The model with the clusters and nodes of the last period that a solution has, rounded up in the largest segment.

    Places that lack a part of a node smaller than `least`, but are not whole either, stay free.
    """
    last = design.problem.periods - 1
    lower, upper = list(model.lower), list(model.upper)
    for slot in design.slots:
        segments = design.segments(slot)
        nodes = [sum(f * float(solution[c]) for c, f in design.node_terms(slot, n, last)) for n in range(len(segments))]
        clusters = [float(solution[design.segment[slot, number, last]]) for number in range(len(segments))]
        part = sum(nodes) - math.floor(sum(nodes) + WHOLE_TOLERANCE)
        if not clusters or WHOLE_TOLERANCE < part < least:
            continue
        whole = [math.floor(count + WHOLE_TOLERANCE) for count in clusters]
        largest = int(np.argmax(nodes))
        whole[largest] += math.ceil(sum(clusters) - sum(whole) - WHOLE_TOLERANCE)
        left = math.ceil(sum(nodes) - WHOLE_TOLERANCE)
        for number in sorted(range(len(segments)), key=lambda number: number == largest):
            column, segment = design.segment[slot, number, last], segments[number]
            count = float(min(whole[number], model.upper[column]))
            lower[column] = upper[column] = count
            wanted = left if number == largest else math.ceil(nodes[number] - WHOLE_TOLERANCE)
            total = min(max(wanted, segment.lowest * count), segment.highest * count)
            left -= int(total)
            if (slot, number, last) in design.nodes:
                lower[design.nodes[slot, number, last]] = upper[design.nodes[slot, number, last]] = total
    return replace(model, lower=lower, upper=upper)
