"""Integer programs beside the search: the whole problem as far as it can still matter, or a region of the incumbent.

An engine runs in a process of its own; its incumbents are priced anew, its bound counts only for the whole problem.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from solvers.engines import EnginePool, EngineRun
from solvers.location.floors import Floors
from solvers.location.layout import Integers
from solvers.location.neighborhood import WAITING
from solvers.location.progress import Progress
from solvers.location.restricted import Booleans, Restricted, restrict

#: Arcs and options with which the whole problem is worth a try.
PROOF_SIZE = 60_000
#: A proof is begun anew where it would have at most this share of its arcs and options.
SMALLER = 0.6
#: Demands, arcs and seconds of a region.
REGION_DEMANDS, REGION_ARCS, REGION_S = 160, 4000, 8.0
#: Nodes of the search trees in deterministic mode.
PROOF_NODES, REGION_NODES = 20_000, 300
PROOF = "HiGHS"


@dataclass
class Programs:
    """The integer programs of one solve, one at a time.

    Attributes
    ----------
    is_proven : bool
        Whether a program has shown that nothing better is left.
    """

    progress: Progress
    pool: EnginePool
    seed: int
    is_proven: bool = False
    infeasible: bool = False
    proof_size: int = 0
    regions: int = 0
    fruitless: int = 0
    _run: EngineRun | None = None
    _program: Restricted | None = None
    _cutoff: float = np.inf
    _chance: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._chance = np.random.default_rng(self.seed)

    @property
    def is_running(self) -> bool:
        """Whether a program is being solved."""
        return self._run is not None

    @property
    def is_proof(self) -> bool:
        """Whether it is the whole problem."""
        return self._run is not None and self._program is not None and self._program.is_whole

    def start_proof(self, floors: Floors, limit_s: float) -> bool:
        """Solve what a better solution could use; False where that is too much."""
        progress = self.progress
        arcs, options = floors.below(progress.cost)
        size = int(arcs.sum()) + int(options.sum())
        if size > PROOF_SIZE:
            return False
        self.proof_size = size
        covered = np.zeros(progress.layout.demands, dtype=bool)
        covered[progress.layout.arc_demand[arcs]] = True
        self._cutoff = progress.cost
        if not covered.all():
            self._prove(progress.cost)
            return True
        program = restrict(progress.layout, arcs, options)
        self._start(program, limit_s, PROOF_NODES, None)
        return True

    def start_region(self, floors: Floors, near: Integers) -> bool:
        """Solve a few neighboring facilities of the incumbent; False without one."""
        progress = self.progress
        if progress.place is None or progress.option is None:
            return False
        inside, demands = self._region(progress.place, progress.option, near)
        layout = progress.layout
        arcs = inside[layout.arc_facility] & demands[layout.arc_demand]
        possible, options = floors.below(progress.cost)
        used = progress.place[layout.arc_demand] == layout.arc_facility
        arcs &= possible | used
        if int(arcs.sum()) > REGION_ARCS:
            floor = np.where(used, -np.inf, floors.arc)
            arcs &= floor <= np.partition(floor[arcs], REGION_ARCS - 1)[REGION_ARCS - 1]
        options[progress.option[progress.option >= 0]] = True
        program = restrict(layout, arcs, options, demands=demands, place=progress.place, option=progress.option)
        self.regions += 1
        hint = program.hint(progress.place, progress.option)
        self._start(program, min(REGION_S, 0.8 * progress.remaining), REGION_NODES, hint)
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
                if closed < 6:
                    inside[j] = True
                    closed += 1
            elif total == 0 or total + count[j] <= REGION_DEMANDS:
                inside[j] = True
                demands |= place == j
                total += int(count[j])
        return inside, demands

    def _start(self, program: Restricted, limit_s: float, nodes: int, hint: np.ndarray | None) -> None:
        config = self.progress.config
        self._program = program
        self._run = self.pool.start(
            "highs",
            program.model,
            time_limit_s=1e6 if config.deterministic else limit_s,
            gap=config.gap * 0.5,
            seed=self.seed + self.regions,
            hint=hint,
            node_limit=nodes if config.deterministic else None,
        )

    def poll(self, timeout_s: float) -> None:
        """Listen for news for at most that long; take incumbents and bounds."""
        run, program = self._run, self._program
        if run is None or program is None:
            return
        deadline = time.monotonic() + timeout_s
        while run.running and (left := deadline - time.monotonic()) > 0:
            self.pool.wait(min(left, 0.25))
        progress = self.progress
        if program.is_whole and run.bound > -np.inf:
            progress.raise_bound(min(run.bound, self._cutoff), PROOF)
        if run.running:
            return
        self._run = None
        before = progress.cost
        if run.point is not None and (progress.place is not None or program.is_whole):
            base = progress.place if progress.place is not None else np.full(progress.layout.demands, WAITING)
            progress.offer(program.placed(run.point, base))
        if program.is_whole:
            if run.state == "infeasible":
                self._prove(self._cutoff)
            elif run.state == "finished":
                progress.raise_bound(min(run.bound, self._cutoff), PROOF)
        else:
            self.fruitless = 0 if progress.cost < before else self.fruitless + 1

    def finish(self) -> None:
        """Wait for the program at work to end by itself."""
        while self.is_running:
            self.poll(1.0)

    def stop(self) -> None:
        """End the program at work; nothing of it is kept but its bound."""
        if self._run is not None:
            self.pool.stop(self._run)
            self._run = None

    def may_shrink(self, floors: Floors) -> bool:
        """Whether the proof at work would be much smaller by now."""
        if not self.is_proof:
            return False
        arcs, options = floors.below(self.progress.cost)
        return int(arcs.sum()) + int(options.sum()) < SMALLER * self.proof_size

    def _prove(self, cost: float) -> None:
        if np.isfinite(cost):
            self.progress.raise_bound(cost, PROOF)
        else:
            self.infeasible = True
        self.is_proven = True
