"""How to solve: limits, seed, workers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from solvers.parameters import Parameters
from solvers.tolerances import OPTIMAL_GAP

#: Called with (seconds, incumbent, bound); the last two are None until known.
ProgressListener = Callable[[float, float | None, float | None], None]


@dataclass(frozen=True)
class SolveConfig:
    """Limits and switches of one solve.

    Attributes
    ----------
    time_limit_s : float
        Wall-clock limit [s]; in deterministic mode the work limit in the engine's deterministic seconds.
    gap : float
        Relative gap at which the solve may stop, (objective − bound) / objective.
    workers : int or None
        Processor cores to use; all where None.
    seed : int
        Seed of every random choice.
    deterministic : bool
        Work limits instead of wall clock; the same bytes every time.
    on_progress : callable or None
        Called with (seconds, incumbent, bound) as they improve.
    parameters : Parameters
        Tuning constants of the search.
    """

    time_limit_s: float = 300.0
    gap: float = OPTIMAL_GAP
    workers: int | None = None
    seed: int = 0
    deterministic: bool = False
    on_progress: ProgressListener | None = None
    parameters: Parameters = field(default_factory=Parameters)

    def __post_init__(self) -> None:
        if not self.time_limit_s > 0:
            raise ValueError(f"time_limit_s must be above 0, got {self.time_limit_s!r}")
        if not 0 <= self.gap < 1:
            raise ValueError(f"gap must lie in [0, 1), got {self.gap!r}")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers must be at least 1, got {self.workers!r}")

    @property
    def cores(self) -> int:
        """How many cores to use."""
        return self.workers or os.cpu_count() or 1
