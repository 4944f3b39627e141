"""Solve a facility location problem: bound and search side by side, integer programs where they pay, proof at best.

One core searches (annealed ruin and recreate), the other raises the Lagrangian bound and, once that has come to rest,
solves integer programs: the whole problem where reduced costs leave little of it, else regions of the incumbent. After
every round each side learns what the other has found.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from solvers.config import SolveConfig
from solvers.engines.pool import EnginePool
from solvers.location.bound.ascent import Ascent
from solvers.location.bound.certificate import certify
from solvers.location.bound.floors import Floors
from solvers.location.layout import lay_out
from solvers.location.problem import FacilityProblem
from solvers.location.programs.integer_programs import Programs
from solvers.location.progress import Progress
from solvers.location.result import LocationResult, choice_status
from solvers.location.schedule import AscentSide, SearchSide
from solvers.location.warmup import warm_up
from solvers.tolerances import OPTIMAL_GAP
from solvers.trace import Status, StoppedBy


def solve_location(problem: FacilityProblem, config: SolveConfig | None = None) -> LocationResult:
    """Choose options and assign demands at least cost, with a proven bound.

    Parameters
    ----------
    problem : FacilityProblem
        The problem.
    config : SolveConfig, optional
        Limits, seed, workers (one or two are used), deterministic mode, progress callback.

    Returns
    -------
    LocationResult
        The best choice found, also after Ctrl-C (``stopped_by="interrupt"``) and at the time limit; ``infeasible`` only
        where that is proven.

    Notes
    -----
    The first solve on a machine compiles the loops, which takes some seconds, is said in the log, and counts neither
    against the time limit nor in the result's seconds. ``python -m solvers.location`` does it beforehand.
    """
    config = config or SolveConfig()
    try:
        warm_up(min(config.cores, 2))
    except KeyboardInterrupt:
        return _nothing(config)
    progress = Progress(lay_out(problem, config.parameters.location.bound), config)
    with EnginePool() as pool, _second_core(config) as second:
        solve = _Solve(progress, pool, second)
        try:
            stopped_by = solve.run()
        except KeyboardInterrupt:
            stopped_by = "interrupt"
    return solve.result(stopped_by)


def _nothing(config: SolveConfig) -> LocationResult:
    """The result of a solve that was interrupted before it began."""
    return LocationResult(
        status="no_solution",
        assignment=None,
        option=None,
        cost=None,
        bound=None,
        bound_source="",
        stopped_by="interrupt",
        seconds=0.0,
        seed=config.seed,
    )


@contextmanager
def _second_core(config: SolveConfig) -> Iterator[concurrent.futures.Executor | None]:
    if config.cores < 2:
        yield None
    else:
        with concurrent.futures.ThreadPoolExecutor(max_workers=1) as executor:
            yield executor


@dataclass
class _Solve:
    """One solve and its two sides."""

    progress: Progress
    pool: EnginePool
    second: concurrent.futures.Executor | None

    def __post_init__(self) -> None:
        layout = self.progress.layout
        self.parameters = self.progress.config.parameters.location
        self.ascent = AscentSide(Ascent(layout, self.parameters.bound), self.progress)
        self.search = SearchSide.begin(self.progress, is_second=False)
        self.other: SearchSide | None = None
        self.floors = Floors(layout)
        self.programs = Programs(self.progress, self.pool)
        self._round_s = self.parameters.first_round_s

    def run(self) -> StoppedBy:
        """Round after round until something stops the solve."""
        programs = self.programs
        while not (stopped_by := self._stopped_by()):
            self._round()
            programs.restart_if_smaller(self.floors)
        return stopped_by

    def _stopped_by(self) -> StoppedBy | None:
        progress = self.progress
        if self.programs.is_proven or self.ascent.ascent.shows_infeasible:
            return "proof"
        if progress.is_done:
            return "proof" if progress.gap is not None and progress.gap <= OPTIMAL_GAP else "gap"
        if progress.remaining <= 0.0:
            return "work_limit" if progress.config.deterministic else "time_limit"
        return None

    def _round(self) -> None:
        progress = self.progress
        seconds = min(self._round_s, max(progress.remaining, self.parameters.first_round_s))
        self._round_s = min(self.parameters.round_growth * self._round_s, self.parameters.round_s)
        if self.second is None:
            work = self.search.run(seconds) + self._bound_or_program(seconds)
        else:
            searching = self.second.submit(self.search.run, seconds)
            work = self._bound_or_program(seconds)
            work = max(work, searching.result())
        progress.work += work
        self.search.offer()
        self.ascent.offer()
        self.search.learn(self.ascent.ascent)
        self.search.narrow(self.floors)

    def _bound_or_program(self, seconds: float) -> float:
        """The other side's part of a round; the work it counts for in deterministic mode."""
        programs = self.programs
        if not programs.is_running:
            if self.ascent.take_up():
                work = self.ascent.run(seconds)
                if self.ascent.has_rested:
                    self.floors.raise_by(self.ascent.ascent)
                    self.ascent.go_on()
                return work
            if not self._start_program():
                return self._search_more(seconds)
        if self.progress.config.deterministic:
            programs.finish()
            return self.parameters.program_work_s
        programs.poll(seconds)
        return seconds

    def _start_program(self) -> bool:
        """The whole problem if it is small enough by now, or a part of the incumbent; whether there is either."""
        progress, programs = self.progress, self.programs
        left = progress.remaining - self.parameters.spare_s
        if programs.is_proven or left < self.parameters.least_program_s:
            return False
        if programs.start_whole(
            self.floors, left, is_early=progress.spent < self.parameters.search_share * progress.config.time_limit_s
        ):
            return True
        return programs.start_part(self.floors, self.search.annealer.arrays.neighbors, self.ascent.ascent.openness)

    def _search_more(self, seconds: float) -> float:
        """Search from another seed on this core too."""
        if self.other is None:
            self.other = SearchSide.begin(self.progress, is_second=True)
            self.other.learn(self.ascent.ascent)
        self.other.narrow(self.floors)
        work = self.other.run(seconds)
        self.other.offer()
        return work

    def result(self, stopped_by: StoppedBy) -> LocationResult:
        """What has been found, in the problem's own indices."""
        progress, layout = self.progress, self.progress.layout
        self.search.offer()
        self.ascent.offer()
        is_infeasible = self.programs.is_infeasible or self.ascent.ascent.shows_infeasible
        status: Status = "infeasible" if is_infeasible else "no_solution"
        assignment = option = cost = None
        bound = None if progress.bound == -np.inf or is_infeasible else progress.bound
        if progress.place is not None and progress.option is not None:
            cost = progress.cost
            bound = None if bound is None else min(bound, cost)  # apart by rounding at most
            assignment = progress.place
            option = np.where(progress.option >= 0, layout.option_origin[progress.option], -1)
            status = choice_status(cost, bound)
        return LocationResult(
            status=status,
            assignment=assignment,
            option=option,
            cost=cost,
            bound=bound,
            bound_source="" if bound is None else progress.bound_source,
            stopped_by=stopped_by,
            seconds=progress.seconds,
            seed=progress.config.seed,
            trace=tuple(progress.trace),
            certificate=certify(self.ascent.ascent),
            disproved=progress.claims.texts,
        )
