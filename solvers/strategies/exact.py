"""The exact strategy: one model of everything, bounded and searched side by side, failure rows as they are violated.

Tiny problems are solved over (primary, standby) pairs at once. Larger ones divide the cores: one proves bounds on
the separate formulation (by decomposition where its relaxation is quick, by branch and bound where not), the other
finds plans: sets of open slots ranked by relaxation, pairs on each set with continuous placements, then whole units on
nearly those nodes. What remains of the time goes to the pairs over all slots, with the best plan as a start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from solvers.config import SolveConfig
from solvers.engines.claims import ENGINES, LIBRARIES
from solvers.engines.pool import EngineJob, EngineJobError, EnginePool
from solvers.engines.task import UNLIMITED_S, Engine, EngineTask
from solvers.engines.turns import Turns
from solvers.formulation.assembly import GeneratedRow, build
from solvers.formulation.relaxations import bound_source, relaxed
from solvers.formulation.variables import Formulation
from solvers.formulation.warm_start import near, translate
from solvers.linear.model import INFINITY, Floats
from solvers.problem.design import DesignProblem, pair_columns
from solvers.strategies.open_sets import OpenSet, OpenSets, first_set, open_shares, restricted
from solvers.strategies.second_opinion import ENGINE_COLUMNS
from solvers.strategies.strategy import ENGINE_GAP_SHARE, NODE_LIMIT, Running

TINY_COLUMNS = 250  # pair columns up to which pairs are solved over all slots from the start
#: Pair columns up to which the last share of the time goes to whole units over all slots.
SMALL_COLUMNS, REMAINING_SHARE = 1500, 0.7
#: Placement columns over one set from which continuous placements are sought for the final demand alone.
LARGE_COLUMNS = 1000
#: Share of capacity left free for whole units where the proof is not sought over the set anyway.
MARGIN = 0.005
#: Share of the time after which no further set is completed for better plans alone; with several clusters at a site.
SETS_SHARE, PACKED_SETS_SHARE = 0.5, 0.8
EVALUATE_EVERY_S = 2.0  # a solution found while engines run is evaluated no sooner than this after the last one
#: Longest share of the time, and longest time, for one model of one set of open slots.
SET_SHARE, SET_LIMIT_S = 0.2, 30.0
#: Nodes that whole units may need above continuous ones, per cluster, at first and then.
SPARE_NODES = (1, 3)
DETERMINISTIC_SETS = 3  # sets of open slots in deterministic mode, where nothing may depend on time


class ExactSolve(Running):
    """One run of the exact strategy."""

    strategy = "exact"

    def __init__(self, problem: DesignProblem, config: SolveConfig) -> None:
        super().__init__(problem, config)
        self._forget()

    def _forget(self) -> None:
        self._last: tuple[Formulation, Floats] | None = None
        self._closed: dict[OpenSet, float] = {}
        self._closed_by: set[str] = set()

    def _solve(self, pool: EnginePool) -> None:
        columns, is_believed = pair_columns(self.problem), self.search.claims.believes("HiGHS")
        if columns <= TINY_COLUMNS or (columns <= ENGINE_COLUMNS and not is_believed):
            self._pairs(pool, self.search.deadline)
        else:
            self._explore(pool)

    # -- sets of open slots --------------------------------------------------------------------------------------

    def _explore(self, pool: EnginePool) -> None:
        """Bound in the background, complete one set of open slots after another, then prove or polish."""
        search = self.search
        separate = self._separate()
        begun = time.monotonic()
        root = self._highs(pool, separate.model, INFINITY, relaxed=True)
        if root.state == "infeasible":
            self._hear_infeasible("highs", separate)
            return
        if root.solution is None:
            self._pairs(pool, search.deadline)
            return
        search.raise_bound("highs", root.bound, bound_source("HiGHS", relaxed(separate, linear=True)))
        self._start_background(pool, separate, time.monotonic() - begun)
        fixed = frozenset(slot.index for slot in self.merged.slots if slot.existing is not None)
        shares = open_shares(separate, root.solution)
        sets = OpenSets(self.merged, self._relaxation_of(pool, separate), fixed, shares)
        is_small = pair_columns(self.problem) <= SMALL_COLUMNS
        first = first_set(self.merged, shares) | fixed
        self._complete_sets(pool, sets, first, self._after(self._sets_share()))
        self._finish(pool, sets, is_small)

    def _sets_share(self) -> float:
        """The share of the time after which no further set is completed for better plans alone."""
        return PACKED_SETS_SHARE if any(slot.copies > 1 for slot in self.merged.slots) else SETS_SHARE

    def _finish(self, pool: EnginePool, sets: OpenSets, is_small: bool) -> None:
        """Prove or polish in what remains of the time."""
        if not self.config.deterministic:
            self._remaining(pool, sets, self._after(REMAINING_SHARE if is_small else 1.0), is_small)
        if not self._is_over(self.search.deadline):
            self._pairs(pool, self.search.deadline)

    def _separate(self) -> Formulation:
        """The formulation that bounds are proven on."""
        return build(self.merged, has_pairs=False, whole=False, sparse=True, final_demand=True)

    def _complete_sets(self, pool: EnginePool, sets: OpenSets, first: OpenSet, until: float) -> None:
        chosen: OpenSet | None = sets.with_room(first)
        rounds = 0
        while chosen is not None and not self._is_over(until):
            sets.completed[chosen] = self._complete(pool, chosen, until)
            rounds += 1
            if self.config.deterministic and rounds >= DETERMINISTIC_SETS:
                return
            more = sets.larger(chosen, 2 ** (rounds - 1))
            if self.search.best is None and more != chosen:
                chosen = more  # what does not fit on the likeliest slots fits on more of them, if anywhere
                continue
            center = sets.best or chosen
            self._look_around(sets, center, until)
            if self._is_over(until):
                return
            chosen = sets.next_set(self.search.objective)

    def _remaining(self, pool: EnginePool, sets: OpenSets, until: float, is_small: bool) -> None:
        """Bound the plans that open a slot outside every completed set, and complete the set that this bound opens.

        A completed set's model is a bound for every plan within the set; so the least of these and of the rest is a
        bound for all.
        """
        last = self.problem.periods - 1
        while self._closed and not self._is_over(until):
            formulation = (
                build(self.merged, has_pairs=True, rows=self.rows, whole=False, sparse=True)
                if is_small
                else self._separate()
            )
            for slots in self._closed:
                outside = [slot for slot in formulation.slots if slot not in slots]
                terms = [term for slot in outside for term in formulation.open_terms(slot, last)]
                formulation.model.add_row("BRANCH", terms, lower=1.0)
            inside = min(self._closed.values())
            source = bound_source("HiGHS, set by set", {*relaxed(formulation), *self._closed_by})
            found = self._highs(pool, formulation.model, INFINITY, until=until, inside=(inside, source))
            if found.state == "infeasible":
                if inside < INFINITY:
                    self.search.raise_bound("highs", inside, source)
                return
            if found.solution is None:
                return
            shares = open_shares(formulation, found.solution)
            chosen = frozenset(slot for slot, share in shares.items() if share > 0.5) | sets.fixed
            if chosen in self._closed or self._is_over(until):
                return
            sets.completed[chosen] = self._complete(pool, chosen, until)

    def _look_around(self, sets: OpenSets, center: OpenSet, until: float) -> None:
        """Rank a set and its neighbors."""
        sets.value(center)
        for neighbor in sets.neighbors(center):
            if self._is_over(until):
                return
            sets.value(neighbor)

    def _complete(self, pool: EnginePool, slots: OpenSet, until: float) -> float:
        """The best plan on a set: continuous placements, then whole units near them; short tries find missing rows."""
        best = INFINITY
        is_large = pair_columns(self.merged, slots) > LARGE_COLUMNS
        packs = any(self.merged.slots[slot].copies > 1 for slot in slots)
        margin = MARGIN if packs else 0.0
        tried = {margin}
        longest = min(self.config.time_limit_s * SET_SHARE, SET_LIMIT_S)
        limit = longest if is_large or self.search.best is not None else longest / 3.0
        while not self._is_over(until):
            loose = self._loose(slots, is_large, margin)
            found = self._highs(pool, loose.model, limit, hint=self._hint(loose), until=until)
            if margin == 0.0:
                self._closed[slots] = (
                    INFINITY if found.state == "infeasible" else max(found.bound, self.search.claims.bound_of("HiGHS"))
                )
                self._closed_by.update(relaxed(loose))
            evaluation = None
            if found.solution is not None:
                if found.bound >= self.search.objective * (1.0 - self.config.gap * 0.1):
                    return best
                self._last = (loose, found.solution)
                formulation, solution = self._whole(pool, loose, found.solution, limit, until)
                evaluation = None if solution is None else self.search.evaluate(formulation, solution)
            if evaluation is not None and set(evaluation.broken) - self.rows:
                self.rows |= set(evaluation.broken)
                continue
            if evaluation is not None and evaluation.holds:
                best = min(best, evaluation.objective)
            if limit < longest and found.state == "limit":
                limit = longest
                continue
            other = 0.0 if margin else MARGIN  # more room where whole units did not fit, less where they did
            if other in tried or found.solution is None or (evaluation is None) == bool(margin):
                return best
            margin = other
            tried.add(other)
        return best

    def _loose(self, slots: OpenSet, is_large: bool, margin: float = 0.0) -> Formulation:
        """Pairs with continuous placements over a set; large ones for the final demand only."""
        return build(
            self.merged,
            has_pairs=True,
            slots=slots,
            rows=self.rows,
            whole=False,
            sparse=True,
            final_demand=is_large,
            margin=margin,
        )

    def _whole(
        self, pool: EnginePool, loose: Formulation, solution: Floats, limit: float, until: float
    ) -> tuple[Formulation, Floats | None]:
        """Whole units on the nodes of a solution with continuous placements, or a few more."""
        slots = [slot for group in loose.slots for slot in self.merged.slot_groups[group]]
        formulation = build(
            self.problem, has_pairs=True, slots=slots, rows=self.rows, sparse=True, final_demand=loose.final_demand
        )
        attempts = [(spare, False) for spare in SPARE_NODES]
        if loose.final_demand:
            attempts = [(SPARE_NODES[-1], True), (SPARE_NODES[-1], False)]
        for spare, keeps_whole in attempts:
            model = near(loose, solution, formulation, spare, keeps_whole)
            found = self._highs(pool, model, limit, until=until)
            if found.solution is not None:
                self._last = (formulation, found.solution)
                return formulation, found.solution
            if self._is_over(until):
                break
        return formulation, None

    def _relaxation_of(self, pool: EnginePool, separate: Formulation) -> Callable[[OpenSet], float]:
        """The value of the relaxation over one set."""

        def value(slots: OpenSet) -> float:
            found = self._highs(pool, restricted(separate, slots), INFINITY, relaxed=True)
            return INFINITY if found.solution is None else found.objective

        return value

    # -- pairs over all slots ---
    def _pairs(self, pool: EnginePool, deadline: float) -> None:
        """Solve the pairs over all slots, adding failure rows as they break."""
        claims, failed = self.search.claims, set[Engine]()
        turns = Turns(max(1.0, pair_columns(self.problem) / TINY_COLUMNS), self.config.time_limit_s)
        while engines := tuple(engine for engine in claims.believed(ENGINES) if engine not in failed):
            formulation = build(self.problem, has_pairs=True, rows=self.rows)
            believed, by_turns = len(claims.disproved), len(engines) > 1 and self._takes_turns(turns)
            jobs = self._start(pool, formulation, deadline, engines, turns if by_turns else None)
            try:
                broken = self._round(pool, formulation, deadline, jobs)
            except EngineJobError:
                failed.update(job.engine for job in jobs)
                if len(failed) == len(ENGINES) or not by_turns:
                    raise
                continue
            if self._is_over(deadline):
                return
            if not broken <= self.rows:
                self.rows |= broken
            elif len(claims.disproved) == believed and (self._is_settled(jobs) or not by_turns or not turns.go_on()):
                return

    def _takes_turns(self, turns: Turns) -> bool:
        """Whether engines work one after the other: on one core, and on small models where nothing may depend on time.

        HiGHS has no measure of work but nodes, which are dear in larger models.
        """
        if self._background is not None and self._background.running:
            return False
        return turns.scale <= 1.0 if self.config.deterministic else self.config.cores == 1

    def _round(
        self, pool: EnginePool, formulation: Formulation, deadline: float, jobs: list[EngineJob]
    ) -> set[GeneratedRow]:
        """Listen to engines on one model until they end, the time is up, or a solution shows rows that are missing."""
        judged, last_judged = INFINITY, time.monotonic()
        while True:
            pool.wait(min(0.2, max(deadline - time.monotonic(), 0.0)))
            self._take_bounds(jobs, formulation)
            self._take_background()
            best = min(jobs, key=lambda job: job.objective)
            over = self._has_ended(jobs, formulation) or self._is_over(deadline)
            waited = time.monotonic() - last_judged >= max(EVALUATE_EVERY_S, 3.0 * self._evaluating_s())
            due = (
                waited or self.config.deterministic
            )  # which evaluates every solution, in the order in which they are found
            if best.solution is not None and best.objective < judged and (over or due):
                judged, last_judged = best.objective, time.monotonic()
                self._last = (formulation, best.solution)
                evaluation = self.search.evaluate(formulation, best.solution)
                broken = set() if evaluation is None else set(evaluation.broken)
                if not broken <= self.rows:
                    self._stop(pool, jobs)
                    return broken
                over = over or self.search.is_done
            if over:
                self._stop(pool, jobs)
                pool.conclude(jobs)
                return set()

    def _has_ended(self, jobs: Collection[EngineJob], formulation: Formulation) -> bool:
        """Whether an engine that is believed has come to an end, or none is at work any more."""
        for job in jobs:
            if job.state == "infeasible":
                self._hear_infeasible(job.engine, formulation)
        believed = [job for job in jobs if self.search.claims.believes(LIBRARIES[job.engine])]
        return self._is_settled(jobs) or not any(job.running for job in believed)

    def _is_settled(self, jobs: Collection[EngineJob]) -> bool:
        """Whether an engine that is believed says that it has solved its model, or that there is no solution."""
        believed = (job for job in jobs if self.search.claims.believes(LIBRARIES[job.engine]))
        return any(job.state in ("finished", "infeasible") for job in believed)

    def _evaluating_s(self) -> float:
        return self.search.evaluating_s / max(1, len(self.search.trace))

    def _start(
        self,
        pool: EnginePool,
        formulation: Formulation,
        deadline: float,
        engines: tuple[Engine, ...],
        turns: Turns | None,
    ) -> list[EngineJob]:
        """CP-SAT and HiGHS side by side, or one of them: whose turn it is, or the first one beside a busy engine."""
        config, nodes, hint = self.config, None, self._hint(formulation)
        limit = config.time_limit_s if config.deterministic else max(deadline - time.monotonic(), 0.1)
        if turns is not None:
            engines, limit = (turns.engine(engines),), min(limit, turns.limit_s)
        elif config.deterministic or config.cores == 1 or (self._background is not None and self._background.running):
            engines = engines[:1]
        if config.deterministic and engines == ("highs",):
            limit, nodes = UNLIMITED_S, NODE_LIMIT if turns is None else turns.nodes
        tasks = [
            EngineTask(
                engine,
                formulation.model,
                gap=config.gap * ENGINE_GAP_SHARE,
                seed=config.seed,
                time_limit_s=limit,
                node_limit=nodes,
                workers=1 if config.deterministic else max(1, config.cores - len(engines) + 1),
                deterministic=config.deterministic,
                hint=hint,
                parameters=config.parameters.engines,
            )
            for engine in engines
        ]
        return [pool.start(task) for task in tasks]

    @staticmethod
    def _stop(pool: EnginePool, jobs: Collection[EngineJob]) -> None:
        for job in jobs:
            if job.running:
                pool.stop(job)

    def _hint(self, formulation: Formulation) -> Floats | None:
        """The last solution in the columns of another formulation; NaN where it says nothing."""
        if self._last is None or self._last[0].problem is not formulation.problem:
            return None
        return translate(*self._last, formulation)
