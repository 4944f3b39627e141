"""When to stop: the one criterion that every step of a strategy asks."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from solvers.engines.task import UNLIMITED_S
from solvers.linear.model import INFINITY
from solvers.strategies.state import SolveState


@dataclass(frozen=True)
class Clock:
    """A part of the time of a solve, over at its end or as soon as there is nothing left to look for.

    A part does not end before there is a plan, which is worth all of the time; and none ends in deterministic mode,
    where work is counted instead.

    Attributes
    ----------
    ends : float
        When the part ends once there is a plan, on the clock of ``time.monotonic``.
    model_s : float
        Longest time for one model [s].
    """

    state: SolveState
    ends: float = INFINITY
    model_s: float = INFINITY

    @property
    def deadline(self) -> float:
        """When all of the time is used up."""
        config = self.state.config
        return INFINITY if config.deterministic else self.state.started + config.time_limit_s

    @property
    def remaining_s(self) -> float:
        """What is left of all of the time [s]."""
        return self.deadline - time.monotonic()

    @property
    def end(self) -> float:
        """When the part ends, as things stand."""
        return self.deadline if self.state.incumbent.best is None else min(self.ends, self.deadline)

    @property
    def left_s(self) -> float:
        """Time until then [s]."""
        return self.end - time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether to stop."""
        return self.state.has_ended or self.left_s <= 0.0

    @property
    def model_limit_s(self) -> float:
        """Time for the next model [s]."""
        return UNLIMITED_S if self.state.config.deterministic else min(self.model_s, self.left_s)

    def until_share(self, share: float) -> Clock:
        """The part that ends when that share of the time is used up."""
        return self._ending(self.state.started + self.state.config.time_limit_s * share)

    def for_share(self, share: float) -> Clock:
        """The next part of that share of the time."""
        return self._ending(time.monotonic() + self.state.config.time_limit_s * share)

    def _ending(self, moment: float) -> Clock:
        return self if self.state.config.deterministic else replace(self, ends=min(self.ends, moment))

    def per_model(self, share: float, most_s: float) -> Clock:
        """The same part, with at most that share of the time, and so many seconds, for one model."""
        return replace(self, model_s=min(self.state.config.time_limit_s * share, most_s))
