"""The exact strategy: one model of everything, bounded and searched side by side, failure rows as they are violated.

Tiny problems are solved over (primary, standby) pairs at once. Larger ones divide the cores: one proves bounds on
the separate formulation (by decomposition where its relaxation is quick, by branch and bound where not), the other
finds plans: sets of open slots ranked by relaxation, pairs on each set with continuous placements, then whole units on
nearly those nodes. What remains of the time goes to the pairs over all slots, with the best plan as a start.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from solvers.building import GeneratedRow, build
from solvers.compile import compile_problem
from solvers.config import SolveConfig
from solvers.engines import Engine, EnginePool, EngineRun
from solvers.formulation import Formulation
from solvers.linear import INFINITY, Floats, LinearModel
from solvers.merging import merge_slots
from solvers.nearby import near, translate
from solvers.opening import OpenSet, OpenSets, first_set, open_shares, restricted
from solvers.problem import DesignProblem, pair_columns
from solvers.search import Search, UnwatchedLinks

TINY_COLUMNS = 250  # pair columns up to which pairs are solved over all slots from the start
#: Pair columns up to which the last share of the time goes to whole units over all slots.
SMALL_COLUMNS, REMAINING_SHARE = 1500, 0.7
#: Placement columns over one set from which continuous placements are sought for the final demand alone.
LARGE_COLUMNS = 1000
#: Share of capacity left free for whole units where the proof is not sought over the set anyway.
MARGIN = 0.005
#: Share of the time after which no further set is completed for better plans alone; with several clusters at a site.
SETS_SHARE, PACKED_SETS_SHARE = 0.5, 0.8
HURRY_S = 2.0  # what an engine may overrun before its answer is no longer waited for
#: Relaxations slower than this are bounded by branch and bound rather than decomposition [s].
QUICK_RELAXATION_S = 3.0
JUDGE_EVERY_S = 2.0  # a point found while engines run is judged no sooner than this after the last one
#: Engines aim at this share of the gap that was asked for.
ENGINE_GAP_SHARE = 0.3
#: Longest share of the time, and longest time, for one model of one set of open slots.
SET_SHARE, SET_LIMIT_S = 0.2, 30.0
#: Nodes that whole units may need above continuous ones, per cluster, at first and then.
SPARE_NODES = (1, 3)
#: Branch-and-bound nodes of one model, and sets of open slots, in deterministic mode, where nothing may depend on time.
NODE_LIMIT, DETERMINISTIC_SETS = 400, 3

ENGINE_NAMES = {"cp_sat": "CP-SAT", "highs": "HiGHS", "benders": "HiGHS with Benders rows"}


class ExactSolve:
    """One run of the exact strategy.

    Attributes
    ----------
    search : Search
        Incumbent, bound and trace; complete at any moment.
    is_infeasible : bool
        Whether it is proven that no plan exists.
    """

    def __init__(self, problem: DesignProblem, config: SolveConfig) -> None:
        self.problem, self.config = problem, config
        self.merged = merge_slots(problem)
        self.search = Search(problem, config)
        self.rows: set[GeneratedRow] = set()
        self.is_infeasible = False
        self._last: tuple[Formulation, Floats] | None = None
        self._background: EngineRun | None = None
        self._closed: dict[OpenSet, float] = {}

    def run(self) -> None:
        """Solve until proof, gap, limit or interrupt."""
        watched: frozenset[str] = frozenset()
        while True:
            try:
                return self._run()
            except UnwatchedLinks as found:
                watched |= found.links | self.problem.second_circuits
                self.problem = self.search.problem = compile_problem(self.problem.inventory, watched)
                self.merged = merge_slots(self.problem)
                self._last = self._background = None
                self._closed = {}

    def _run(self) -> None:
        with EnginePool() as pool:
            if pair_columns(self.problem) <= TINY_COLUMNS:
                self._pairs(pool, self.search.deadline)
            else:
                self._explore(pool)

    # -- sets of open slots --------------------------------------------------------------------------------------

    def _explore(self, pool: EnginePool) -> None:
        """Bound in the background, complete one set of open slots after another, then prove or polish."""
        search = self.search
        separate = build(self.merged, has_pairs=False, whole=False, sparse=True, final_demand=True)
        begun = time.monotonic()
        relaxed = self._highs(pool, separate.model, INFINITY, relaxed=True)
        if relaxed.state == "infeasible":
            self.is_infeasible = True
            return
        if relaxed.point is None:
            self._pairs(pool, search.deadline)
            return
        search.raise_bound(relaxed.bound, "HiGHS, linear relaxation")
        self._start_background(pool, separate, time.monotonic() - begun)
        fixed = frozenset(slot.index for slot in self.merged.slots if slot.existing is not None)
        sets = OpenSets(self.merged, lambda slots: self._relaxation(pool, separate, slots), fixed)
        is_small = pair_columns(self.problem) <= SMALL_COLUMNS
        first = first_set(self.merged, open_shares(separate, relaxed.point)) | fixed
        packs = any(slot.copies > 1 for slot in self.merged.slots)
        self._complete_sets(pool, sets, first, self._after(PACKED_SETS_SHARE if packs else SETS_SHARE))
        if not self.config.deterministic:
            self._remaining(pool, sets, self._after(REMAINING_SHARE if is_small else 1.0), is_small)
        if not self._is_over(search.deadline):
            self._pairs(pool, search.deadline)

    def _after(self, share: float) -> float:
        """The moment at which that share of the time is used up."""
        if self.config.deterministic:
            return INFINITY
        return self.search.started + self.config.time_limit_s * share

    def _complete_sets(self, pool: EnginePool, sets: OpenSets, first: OpenSet, until: float) -> None:
        chosen: OpenSet | None = first
        sets.value(first)
        rounds = 0
        while chosen is not None and not self._is_over(until):
            sets.completed[chosen] = self._complete(pool, chosen, until)
            rounds += 1
            if self.config.deterministic and rounds >= DETERMINISTIC_SETS:
                return
            center = sets.best or chosen
            for neighbor in sets.neighbors(center):
                if self._is_over(until):
                    return
                sets.value(neighbor)
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
                else build(self.merged, has_pairs=False, whole=False, sparse=True, final_demand=True)
            )
            for slots in self._closed:
                outside = [slot for slot in formulation.slots if slot not in slots]
                terms = [term for slot in outside for term in formulation.open_terms(slot, last)]
                formulation.model.add_row("BRANCH", terms, lower=1.0)
            inside = min(self._closed.values())
            found = self._highs(pool, formulation.model, INFINITY, until=until, inside=inside)
            if found.state == "infeasible":
                self.search.raise_bound(inside, "HiGHS, set by set")
                return
            if found.point is None:
                return
            shares = open_shares(formulation, found.point)
            chosen = frozenset(slot for slot, share in shares.items() if share > 0.5) | sets.fixed
            if chosen in self._closed or self._is_over(until):
                return
            sets.completed[chosen] = self._complete(pool, chosen, until)

    def _complete(self, pool: EnginePool, slots: OpenSet, until: float) -> float:
        """The best plan on a set: continuous placements, then whole units near them; short tries find missing rows."""
        best = INFINITY
        is_large = self._columns_within(slots) > LARGE_COLUMNS
        packs = any(self.merged.slots[slot].copies > 1 for slot in slots)
        margin = MARGIN if packs else 0.0
        tried = {margin}
        longest = min(self.config.time_limit_s * SET_SHARE, SET_LIMIT_S)
        limit = longest if is_large or self.search.best is not None else longest / 3.0
        while not self._is_over(until):
            loose = self._loose(slots, is_large, margin)
            found = self._highs(pool, loose.model, limit, hint=self._hint(loose), until=until)
            if margin == 0.0:
                self._closed[slots] = INFINITY if found.state == "infeasible" else max(found.bound, self.search.bound)
            judgment = None
            if found.point is not None:
                if found.bound >= self.search.objective * (1.0 - self.config.gap * 0.1):
                    return best
                self._last = (loose, found.point)
                formulation, point = self._whole(pool, loose, found.point, limit, until)
                judgment = None if point is None else self.search.judge(formulation, point)
            if judgment is not None and set(judgment.broken) - self.rows:
                self.rows |= set(judgment.broken)
                continue
            if judgment is not None and not judgment.broken:
                best = min(best, judgment.objective)
            if limit < longest and found.state == "limit":
                limit = longest
                continue
            other = 0.0 if margin else MARGIN  # more room where whole units did not fit, less where they did
            if other in tried or found.point is None or (judgment is None) == bool(margin):
                return best
            margin = other
            tried.add(other)
        return best

    def _columns_within(self, slots: OpenSet) -> int:
        """Placement columns over a set."""
        inside = sorted(slots)
        return sum(
            int(part.eligible[inside].sum() if part.pairs is None else part.pairs[inside][:, inside].sum())
            for part in self.merged.classes
        )

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
        self, pool: EnginePool, loose: Formulation, point: Floats, limit: float, until: float
    ) -> tuple[Formulation, Floats | None]:
        """Whole units on the nodes of a point with continuous placements, or a few more."""
        slots = [slot for group in loose.slots for slot in self.merged.slot_groups[group]]
        formulation = build(
            self.problem, has_pairs=True, slots=slots, rows=self.rows, sparse=True, final_demand=loose.final_demand
        )
        attempts = [(spare, False) for spare in SPARE_NODES]
        if loose.final_demand:
            attempts = [(SPARE_NODES[-1], True), (SPARE_NODES[-1], False)]
        for spare, keeps_whole in attempts:
            model = near(loose, point, formulation, spare, keeps_whole)
            found = self._highs(pool, model, limit, until=until)
            if found.point is not None:
                self._last = (formulation, found.point)
                return formulation, found.point
            if self._is_over(until):
                break
        return formulation, None

    def _relaxation(self, pool: EnginePool, separate: Formulation, slots: OpenSet) -> float:
        found = self._highs(pool, restricted(separate, slots), INFINITY, relaxed=True)
        return INFINITY if found.point is None else found.objective

    def _start_background(self, pool: EnginePool, separate: Formulation, relaxation_s: float) -> None:
        if self.config.deterministic or self.config.cores == 1:
            return
        engine: Engine = "benders" if relaxation_s <= QUICK_RELAXATION_S else "highs"
        self._background = pool.start(
            engine,
            separate.model,
            time_limit_s=max(self.search.remaining_s, 0.1),
            gap=self.config.gap * ENGINE_GAP_SHARE,
            seed=self.config.seed,
            design=separate.design_columns,
        )

    def _highs(
        self,
        pool: EnginePool,
        model: LinearModel,
        limit_s: float,
        *,
        relaxed: bool = False,
        hint: Floats | None = None,
        until: float = INFINITY,
        inside: float | None = None,
    ) -> EngineRun:
        """Run HiGHS on one model and wait for it, taking bounds of the background meanwhile.

        With `inside`, the bound of the plans that the model leaves out, its own bounds count too.
        """
        deterministic = self.config.deterministic
        until = self._moment(until)
        limit = 1e6 if deterministic else min(limit_s, max(until - time.monotonic(), 0.1))
        run = pool.start(
            "highs",
            model,
            time_limit_s=limit,
            gap=max(self.config.gap * ENGINE_GAP_SHARE, 1e-9),
            seed=self.config.seed,
            hint=hint,
            relaxed=relaxed,
            node_limit=NODE_LIMIT if deterministic and not relaxed else None,
        )
        while run.running and not self.search.is_done:
            pool.wait(0.2)
            self._take_background()
            if inside is not None:
                self.search.raise_bound(min(inside, run.bound), "HiGHS, set by set")
            if time.monotonic() > until + HURRY_S:
                break
        pool.stop(run)
        pool.check([run])
        return run

    def _take_background(self) -> None:
        if self._background is not None:
            self._take_bounds([self._background], "separate")
            if self._background.state == "infeasible" and self.search.best is None:
                self.is_infeasible = True

    def _is_over(self, until: float) -> bool:
        self._take_background()
        return self.search.is_done or self.is_infeasible or time.monotonic() >= self._moment(until)

    def _moment(self, until: float) -> float:
        """A share of the time, which does not end before there is a plan."""
        return self.search.deadline if self.search.best is None else min(until, self.search.deadline)

    # -- pairs over all slots ---
    def _pairs(self, pool: EnginePool, deadline: float) -> None:
        """Solve the pairs over all slots, adding failure rows as they break."""
        while True:
            formulation = build(self.problem, has_pairs=True, rows=self.rows)
            state, broken = self._round(pool, formulation, deadline)
            if state == "infeasible":
                self.is_infeasible = self.search.best is None
                return
            if broken <= self.rows or time.monotonic() >= deadline:
                return
            self.rows |= broken

    def _round(self, pool: EnginePool, formulation: Formulation, deadline: float) -> tuple[str, set[GeneratedRow]]:
        """Run the engines on one model until they end, the time is up, or a point shows rows that are missing."""
        busy = self._background is not None and self._background.running
        runs = self._start(pool, formulation, deadline, self._hint(formulation), alone=busy)
        judged, last_judged = INFINITY, time.monotonic()
        while True:
            pool.wait(min(0.2, max(deadline - time.monotonic(), 0.0)))
            self._take_bounds(runs, "pairs")
            self._take_background()
            best = min(runs, key=lambda run: run.objective)
            over = any(run.state in ("finished", "infeasible") for run in runs) or not any(run.running for run in runs)
            over = over or self._is_over(deadline)
            due = time.monotonic() - last_judged >= max(JUDGE_EVERY_S, 3.0 * self._judging_s())
            if best.point is not None and best.objective < judged and (over or due):
                judged, last_judged = best.objective, time.monotonic()
                self._last = (formulation, best.point)
                judgment = self.search.judge(formulation, best.point)
                broken = set() if judgment is None else set(judgment.broken)
                if not broken <= self.rows:
                    self._stop(pool, runs)
                    return "limit", broken
                over = over or self.search.is_done
            if over:
                self._stop(pool, runs)
                pool.check(runs)
                states = {run.state for run in runs}
                return next((state for state in ("infeasible", "finished") if state in states), "limit"), set()

    def _judging_s(self) -> float:
        return self.search.judging_s / max(1, len(self.search.trace))

    def _start(
        self, pool: EnginePool, formulation: Formulation, deadline: float, hint: Floats | None, alone: bool
    ) -> list[EngineRun]:
        """CP-SAT and HiGHS side by side; CP-SAT alone on one core, in deterministic mode, or beside a busy engine."""
        config = self.config
        limit = config.time_limit_s if config.deterministic else max(deadline - time.monotonic(), 0.1)
        gap = config.gap * ENGINE_GAP_SHARE
        single = alone or config.deterministic or config.cores == 1
        engines: tuple[Engine, ...] = ("cp_sat",) if single else ("cp_sat", "highs")
        return [
            pool.start(
                engine,
                formulation.model,
                time_limit_s=limit,
                gap=gap,
                seed=config.seed,
                workers=1 if config.deterministic else max(1, config.cores - len(engines) + 1),
                deterministic=config.deterministic,
                hint=hint,
            )
            for engine in engines
        ]

    @staticmethod
    def _stop(pool: EnginePool, runs: Collection[EngineRun]) -> None:
        for run in runs:
            if run.running:
                pool.stop(run)

    def _take_bounds(self, runs: Collection[EngineRun], formulation: str) -> None:
        for run in runs:
            self.search.raise_bound(run.bound, f"{ENGINE_NAMES[run.engine]}, {formulation} formulation")

    def _hint(self, formulation: Formulation) -> Floats | None:
        """The last point in the columns of another formulation; NaN where it says nothing."""
        if self._last is None or self._last[0].problem is not formulation.problem:
            return None
        return translate(*self._last, formulation)
