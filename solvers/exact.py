"""The exact strategy: one model of everything, two engines side by side, failure rows as they are violated.

Small problems are solved over (primary, standby) pairs at once. For larger ones the separate formulation, which is far
smaller and nearly as tight, gives the bound and the sites to open; pairs are then found on those, and polished.
"""

from __future__ import annotations

import time
from collections.abc import Collection

import numpy as np

from solvers.building import GeneratedRow, build
from solvers.compile import compile_problem
from solvers.config import SolveConfig
from solvers.engines import EnginePool, EngineRun
from solvers.formulation import Formulation
from solvers.linear import Floats
from solvers.problem import DesignProblem
from solvers.search import INFINITY, Search, UnwatchedLinks

#: Pair columns up to which the pairs are solved over all slots from the start.
SMALL_COLUMNS = 1500
#: Share of the time for the separate formulation before pairs are sought.
SEPARATE_SHARE = 0.35
#: A point found while engines run is judged no sooner than this after the last one [s].
JUDGE_EVERY_S = 2.0
#: Engines aim at this share of the gap that was asked for.
ENGINE_GAP_SHARE = 0.5


def pair_columns(problem: DesignProblem) -> int:
    """How many columns the pair formulation over all slots has."""
    return sum(int(part.eligible.sum() if part.pairs is None else part.pairs.sum()) for part in problem.classes)


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
        self.search = Search(problem, config)
        self.rows: set[GeneratedRow] = set()
        self.is_infeasible = False
        self._last: tuple[Formulation, Floats] | None = None

    def run(self) -> None:
        """Solve until proof, gap, limit or interrupt."""
        watched: frozenset[str] = frozenset()
        while True:
            try:
                with EnginePool() as pool:
                    if pair_columns(self.problem) <= SMALL_COLUMNS:
                        self._pairs(pool, None, self.search.deadline)
                    else:
                        self._separate_then_pairs(pool)
                return
            except UnwatchedLinks as found:
                watched |= found.links
                self.problem = self.search.problem = compile_problem(self.problem.inventory, watched)
                self._last = None

    # -- pairs over a set of slots -------------------------------------------------------------------------------

    def _pairs(
        self,
        pool: EnginePool,
        slots: Collection[int] | None,
        deadline: float,
        background: EngineRun | None = None,
    ) -> str:
        """Solve the pairs on `slots` (None = all, which also proves bounds), adding failure rows as they break.

        Returns
        -------
        str
            ``finished``, ``infeasible`` or ``limit``.
        """
        while True:
            formulation = build(self.problem, has_pairs=True, slots=slots, rows=self.rows)
            state, broken = self._round(pool, formulation, deadline, slots is None, background)
            if state == "infeasible":
                if slots is None:
                    self.is_infeasible = self.search.best is None
                return state
            if broken <= self.rows:
                return state
            self.rows |= broken
            if time.monotonic() >= deadline:
                return "limit"

    def _round(
        self,
        pool: EnginePool,
        formulation: Formulation,
        deadline: float,
        proves: bool,
        background: EngineRun | None,
    ) -> tuple[str, set[GeneratedRow]]:
        """Run the engines on one model until they end, the time is up, or a point shows rows that are missing."""
        hint = self._hint(formulation)
        runs = self._start(pool, formulation, deadline, hint, alone=background is not None and background.running)
        judged, last_judged = INFINITY, time.monotonic()
        while True:
            pool.wait(min(0.2, max(deadline - time.monotonic(), 0.0)))
            if proves:
                self._take_bounds(runs, "pairs")
            if background is not None:
                self._take_bounds([background], "separate")
            best = min(runs, key=lambda run: run.objective)
            over = any(run.state in ("finished", "infeasible") for run in runs) or not any(run.running for run in runs)
            over = over or time.monotonic() >= deadline or self.search.is_done
            due = time.monotonic() - last_judged >= max(JUDGE_EVERY_S, 3.0 * self._judging_s())
            if best.point is not None and best.objective < judged and (over or due):
                judged, last_judged = best.objective, time.monotonic()
                self._last = (formulation, best.point)
                broken = set(self.search.judge(formulation, best.point).broken)
                if not broken <= self.rows:
                    self._stop(pool, runs)
                    return "limit", broken
                over = over or self.search.is_done
            if over:
                self._stop(pool, runs)
                pool.check(runs)
                states = {run.state for run in runs}
                for state in ("infeasible", "finished"):
                    if state in states:
                        return state, set()
                return "limit", set()

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
        runs = [
            pool.start(
                "cp_sat",
                formulation.model,
                time_limit_s=limit,
                gap=gap,
                seed=config.seed,
                workers=1 if config.deterministic else max(1, config.cores - (0 if single else 1)),
                deterministic=config.deterministic,
                hint=hint,
            )
        ]
        if not single:
            runs.append(pool.start("highs", formulation.model, time_limit_s=limit, gap=gap, seed=config.seed, hint=hint))
        return runs

    @staticmethod
    def _stop(pool: EnginePool, runs: list[EngineRun]) -> None:
        for run in runs:
            if run.running:
                pool.stop(run)

    def _take_bounds(self, runs: list[EngineRun], formulation: str) -> None:
        names = {"cp_sat": "CP-SAT", "highs": "HiGHS"}
        for run in runs:
            self.search.raise_bound(run.bound, f"{names[run.engine]}, {formulation} formulation")

    # -- separate formulation first ------------------------------------------------------------------------------

    def _separate_then_pairs(self, pool: EnginePool) -> None:
        search, config = self.search, self.config
        separate = build(self.problem, has_pairs=False)
        limit = config.time_limit_s if config.deterministic else max(search.remaining_s, 0.1)
        gap = config.gap * ENGINE_GAP_SHARE
        single = config.deterministic or config.cores == 1
        first = pool.start(
            "cp_sat",
            separate.model,
            time_limit_s=limit * SEPARATE_SHARE,
            gap=gap,
            seed=config.seed,
            workers=1 if single else max(1, config.cores - 1),
            deterministic=config.deterministic,
        )
        runs = [first]
        second: EngineRun | None = None
        if not single:
            second = pool.start("highs", separate.model, time_limit_s=limit, gap=gap, seed=config.seed)
            runs.append(second)
        phase_end = min(search.deadline, search.started + config.time_limit_s * SEPARATE_SHARE)
        if config.deterministic:
            phase_end = INFINITY
        while any(run.running for run in runs) and not any(run.state in ("finished", "infeasible") for run in runs):
            pool.wait(0.2)
            self._take_bounds(runs, "separate")
            if time.monotonic() >= phase_end and any(run.point is not None for run in runs):
                break
            if time.monotonic() >= search.deadline:
                break
        pool.check(runs)
        if any(run.state == "infeasible" for run in runs):
            self.is_infeasible = True
            return
        pool.stop(first)
        if second is not None and first.state == "finished":
            pool.stop(second)
        best = min(runs, key=lambda run: run.objective)
        if best.point is None:
            self._pairs(pool, None, search.deadline, second)
            return
        self._last = (separate, best.point)
        self._complete(pool, self._open_slots(separate, best.point), second)

    def _complete(self, pool: EnginePool, slots: Collection[int], background: EngineRun | None) -> None:
        """Pairs on the open slots; then, while there is time, on all slots from the best plan found."""
        search = self.search
        remaining = max(search.remaining_s, 0.0)
        part = search.deadline if remaining == INFINITY else time.monotonic() + remaining * 0.7
        state = self._pairs(pool, slots, part, background)
        if search.is_done or time.monotonic() >= search.deadline:
            return
        if state != "finished" or search.best is None or not search.is_done:
            self._pairs(pool, None, search.deadline, background)

    def _open_slots(self, formulation: Formulation, point: Floats) -> tuple[int, ...]:
        last = self.problem.periods - 1
        return tuple(
            slot
            for slot in formulation.slots
            if sum(point[column] for column, _ in formulation.open_terms(slot, last)) > 0.5
        )

    def _hint(self, formulation: Formulation) -> Floats | None:
        """The last point in the columns of another formulation; NaN where it says nothing."""
        if self._last is None:
            return None
        return translate(*self._last, formulation)


def translate(source: Formulation, point: Floats, target: Formulation) -> Floats:
    """A point of one formulation in the columns of another; NaN where the other has nothing to say."""
    result = np.full(target.model.columns, np.nan)
    for mine, theirs in (
        (target.run, source.run),
        (target.nodes, source.nodes),
        (target.site_open, source.site_open),
        (target.upgrade, source.upgrade),
    ):
        for key, column in mine.items():
            known = theirs.get(key)  # type: ignore[attr-defined]
            result[column] = 0.0 if known is None else point[known]
    if source.has_pairs == target.has_pairs:
        places = zip(source.class_of.tolist(), source.primary_of.tolist(), source.standby_of.tolist(), strict=True)
        values = dict(zip(places, point[source.placement].tolist(), strict=True))
        wanted = zip(target.class_of.tolist(), target.primary_of.tolist(), target.standby_of.tolist(), strict=True)
        for key, column in zip(wanted, target.placement.tolist(), strict=True):
            result[column] = values.get(key, 0.0)
    return result
