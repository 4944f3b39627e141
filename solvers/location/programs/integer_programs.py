"""Integer programs beside the search: the whole problem below a cost, or a part of the incumbent made better.

An engine runs in a process of its own; its incumbents are priced anew, its bound counts only for the whole problem.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from solvers.engines.conflicts import is_conflict
from solvers.engines.pool import EngineJob, EnginePool
from solvers.engines.task import UNLIMITED_S, Engine, EngineTask
from solvers.location.bound.floors import Floors
from solvers.location.problem import Floats, Integers
from solvers.location.programs.restricted import Booleans, Restricted, restrict
from solvers.location.progress import Progress
from solvers.location.search.state import WAITING

ENGINE = "HiGHS"


@dataclass
class Programs:
    """The integer programs of one solve, one at a time.

    Attributes
    ----------
    is_proven, is_infeasible : bool
        Whether a program has shown that nothing better is left, and that there is nothing at all.
    """

    progress: Progress
    pool: EnginePool
    is_proven: bool = False
    is_infeasible: bool = False
    _is_unconfirmed: bool = False
    _step: int = 0
    _size: int = 0
    _parts: int = 0
    _fruitless: int = 0
    _fruitless_at: float = np.inf
    _run: EngineJob | None = None
    _program: Restricted | None = None
    _cutoff: float = np.inf
    _chance: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = self.progress.config.parameters.location.programs
        self._chance = np.random.default_rng(self.progress.config.seed)

    @property
    def is_running(self) -> bool:
        """Whether a program is being solved."""
        return self._run is not None

    def start_whole(self, floors: Floors, limit_s: float, *, is_early: bool) -> bool:
        """Look for everything that costs less than a share of the gap above the bound; False where that is too large.

        Early on less is too large. What is found is the optimum; if there is nothing, the bound rises to that cost.
        """
        progress = self.progress
        if self._is_unconfirmed or not progress.claims.believes(ENGINE):
            return False
        parameters, step = self.parameters, self._step
        if int(floors.below(progress.cost)[0].sum()) <= parameters.small_size:
            step = -1
        share, time_share = parameters.gap_shares[step], parameters.time_shares[step]
        cutoff = progress.cost
        if np.isfinite(cutoff) and progress.bound > -np.inf:
            cutoff = progress.bound + share * (progress.cost - progress.bound)
        arcs, options = floors.below(cutoff)
        size = int(arcs.sum()) + int(options.sum())
        if size > parameters.whole_size or (is_early and share == 1.0 and size > parameters.middle_size):
            return False
        self._size, self._cutoff = size, cutoff
        covered = np.zeros(progress.layout.demands, dtype=bool)
        covered[progress.layout.arc_demand[arcs]] = True
        if not covered.all():
            self._conclude(cutoff)
            return True
        hint = None
        program = restrict(progress.layout, arcs, options)
        if progress.place is not None and progress.option is not None and share == 1.0:
            hint = program.hint(progress.place, progress.option)
        self._start(program, max(time_share * limit_s, parameters.shortest_s), parameters.whole_nodes, hint)
        return True

    def start_part(self, floors: Floors, near: Integers, openness: Floats) -> bool:
        """Solve a region of the incumbent, or all demands over few facilities; False if not worth it.

        These are, in turn, the incumbent's, and those that the relaxation opens in at least a share of its solutions.
        """
        progress, parameters = self.progress, self.parameters
        if progress.place is None or progress.option is None:
            return False
        if self._fruitless >= parameters.most_fruitless and progress.cost >= self._fruitless_at:
            return False
        layout, place = progress.layout, progress.place
        kind = self._parts % 3
        if kind == 2 and parameters.kernel_arcs * layout.demands > parameters.assignment_arcs:
            self._parts, kind = self._parts + 1, 0
        self._parts += 1
        if kind == 0:
            inside, demands = self._region(place, progress.option, near)
            most = parameters.region_arcs
        else:
            inside = progress.option >= 0 if kind == 1 else openness >= parameters.kernel
            demands = np.ones(layout.demands, bool)
            most = parameters.assignment_arcs
        used = place[layout.arc_demand] == layout.arc_facility
        possible, options = floors.below(progress.cost)
        arcs = inside[layout.arc_facility] & demands[layout.arc_demand] & (possible | used)
        if int(arcs.sum()) > most:
            floor = np.where(used, -np.inf, floors.arc)
            arcs &= floor <= np.partition(floor[arcs], most - 1)[most - 1]
        options[progress.option[progress.option >= 0]] = True
        program = restrict(layout, arcs, options, demands=demands, place=place)
        hint = program.hint(place, progress.option) if inside[place[demands]].all() else None
        limit_s = min(parameters.part_s, parameters.part_time * progress.remaining)
        self._start(program, limit_s, parameters.part_nodes, hint)
        return True

    def _region(self, place: Integers, option: Integers, near: Integers) -> tuple[Booleans, Booleans]:
        """Facilities around a random open one, and the demands that those served before."""
        layout = self.progress.layout
        inside, demands = np.zeros(layout.facilities, dtype=bool), np.zeros(layout.demands, dtype=bool)
        count = np.bincount(place, minlength=layout.facilities)
        first = int(place[self._chance.integers(layout.demands)])
        total, closed = 0, 0
        for j in [first, *near[first].tolist()]:
            if j < 0:
                break
            if option[j] < 0:
                if closed < self.parameters.region_closed:
                    inside[j] = True
                    closed += 1
            elif total == 0 or total + count[j] <= self.parameters.region_demands:
                inside[j] = True
                demands |= place == j
                total += int(count[j])
        return inside, demands

    def _start(self, program: Restricted, limit_s: float, nodes: int, hint: Floats | None) -> None:
        config = self.progress.config
        self._program = program
        task = EngineTask(
            "highs",
            program.model,
            gap=config.gap * self.parameters.gap,
            seed=config.seed + self._parts,
            time_limit_s=UNLIMITED_S if config.deterministic else limit_s,
            node_limit=nodes if config.deterministic else None,
            deterministic=config.deterministic,
            hint=hint,
            parameters=config.parameters.engines,
        )
        self._run = self.pool.start(task)

    def poll(self, timeout_s: float) -> None:
        """Listen for news for at most that long; take incumbents and bounds."""
        job, program = self._run, self._program
        if job is None or program is None:
            return
        self.pool.listen([job], time.monotonic() + timeout_s)
        if program.is_whole and job.bound > -np.inf:
            self.progress.raise_bound(min(job.bound, self._cutoff), ENGINE)
            if job.running and job.bound >= self._cutoff and not self.progress.config.deterministic:
                self.pool.stop(job)
                self._run = None
                self._conclude(self._cutoff)
                return
        if not job.running:
            self._run = None
            self._take(job, program)

    def _take(self, job: EngineJob, program: Restricted) -> None:
        """Take over what a program has come to."""
        progress = self.progress
        before = progress.cost
        if job.solution is not None and (progress.place is not None or program.is_whole):
            base = progress.place if progress.place is not None else np.full(progress.layout.demands, WAITING)
            progress.offer(program.placed(job.solution, base))
        if not program.is_whole:
            is_better = progress.cost < before - self.parameters.better * abs(before)
            self._fruitless = 0 if is_better else self._fruitless + 1
            self._fruitless_at = progress.cost
        elif job.state == "infeasible":
            if np.isfinite(self._cutoff) or self._is_confirmed(program):
                self._conclude(self._cutoff)
            else:
                self._is_unconfirmed = True
        else:
            self._step = min(self._step + 1, len(self.parameters.gap_shares) - 1)

    def _conclude(self, cutoff: float) -> None:
        """Nothing costs less than the cutoff."""
        if np.isfinite(cutoff):
            self.progress.raise_bound(cutoff, ENGINE)
            self.is_proven = cutoff >= self.progress.cost and self.progress.claims.believes(ENGINE)
        else:
            self.is_infeasible = self.is_proven = True

    def _is_confirmed(self, program: Restricted) -> bool:
        """Whether multipliers of the rows, or the other engine, show too that there is no choice at all."""
        config = self.progress.config
        engines: tuple[Engine, ...] = ("conflict", "cp_sat")
        for engine in engines:
            limit = max(self.progress.remaining, self.parameters.least_ground_s) / len(engines)
            if config.deterministic:
                limit = config.time_limit_s if engine == "cp_sat" else UNLIMITED_S
            task = EngineTask(
                engine,
                program.model,
                gap=config.gap,
                seed=config.seed,
                time_limit_s=limit,
                deterministic=config.deterministic,
                parameters=config.parameters.engines,
            )
            job = self.pool.answer(task, overrun_s=self.parameters.least_ground_s, must_work=False)
            if job.state == "infeasible" or (
                job.multipliers is not None and is_conflict(program.model, job.multipliers)
            ):
                return True
            if job.solution is not None:
                self.progress.offer(program.placed(job.solution, np.full(self.progress.layout.demands, WAITING)))
        return False

    def finish(self) -> None:
        """Wait for the program at work to end by itself."""
        while self.is_running:
            self.poll(self.parameters.listening_s)

    def restart_if_smaller(self, floors: Floors) -> None:
        """End a program over the whole gap that would be much smaller by now."""
        if self._run is None or self._program is None or not self._program.is_whole:
            return
        if self.parameters.gap_shares[self._step] < 1.0:
            return
        arcs, options = floors.below(self.progress.cost)
        if int(arcs.sum()) + int(options.sum()) < self.parameters.smaller * self._size:
            self.pool.stop(self._run)
            self._run = None
