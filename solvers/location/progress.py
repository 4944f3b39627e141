"""What a location solve knows at any moment: incumbent, bound, clock, and who is told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from solvers.config import SolveConfig
from solvers.engines.claims import Claims
from solvers.location.layout import Layout
from solvers.location.problem import Integers
from solvers.location.search.state import WAITING
from solvers.location.tolerances import IMPROVEMENT, TOLD, TOLERANCE
from solvers.trace import TracePoint, relative_gap

LAGRANGIAN = "Lagrangian relaxation"


@dataclass
class Progress:
    """The state of one solve; costs are those of the problem.

    Attributes
    ----------
    place, option : arrays or None
        Best assignment and the cheapest options (positions in the layout) that hold it.
    work : float
        Seconds spent, or in deterministic mode the work that stands for them.
    """

    layout: Layout
    config: SolveConfig
    started: float = field(default_factory=time.monotonic)
    place: Integers | None = None
    option: Integers | None = None
    cost: float = np.inf
    claims: Claims = field(default_factory=Claims)
    trace: list[TracePoint] = field(default_factory=list)
    work: float = 0.0

    @property
    def bound(self) -> float:
        """The best lower bound that is believed; minus infinity until there is one."""
        return self.claims.bound

    @property
    def bound_source(self) -> str:
        """What proved it."""
        return self.claims.source

    @property
    def seconds(self) -> float:
        """Wall clock since the start [s]."""
        return time.monotonic() - self.started

    @property
    def spent(self) -> float:
        """What counts against the limit: wall clock, or work in deterministic mode."""
        return self.work if self.config.deterministic else self.seconds

    @property
    def remaining(self) -> float:
        """What is left of the limit."""
        return self.config.time_limit_s - self.spent

    @property
    def gap(self) -> float | None:
        """Relative gap of incumbent and bound."""
        if self.place is None or self.bound == -np.inf:
            return None
        return relative_gap(self.cost, self.claims.bound_below(self.cost))

    @property
    def is_done(self) -> bool:
        """Whether the gap asked for is reached."""
        return self.gap is not None and self.gap <= self.config.gap

    def raise_bound(self, bound: float, source: str) -> None:
        """Take a lower bound, unless the incumbent disproves who says so."""
        before = self.bound
        if self.claims.note(source, bound, source):
            self.claims.face(self.cost)
            if abs(self.bound - before) >= TOLD * abs(bound):
                self._report()

    def offer(self, place: Integers) -> bool:
        """Take an assignment if it holds and costs less; its options and cost are worked out afresh."""
        if (place == WAITING).any():
            return False
        priced = price(self.layout, place)
        if priced is None or priced[1] >= self.cost - IMPROVEMENT * max(1.0, abs(priced[1])):
            return False
        self.place, self.option, self.cost = place.copy(), priced[0], priced[1]
        self.claims.face(self.cost)
        self._report()
        return True

    def _report(self) -> None:
        incumbent = None if self.place is None else self.cost
        bound = self.claims.bound_below(self.cost)
        self.trace.append(TracePoint(self.seconds, incumbent, bound))
        if self.config.on_progress is not None:
            self.config.on_progress(self.seconds, incumbent, bound)


def price(layout: Layout, place: Integers) -> tuple[Integers, float] | None:
    """The cheapest option of every facility for an assignment, and what all costs; None where it does not hold."""
    m = layout.facilities
    load = np.zeros((m, layout.demand.shape[1]))
    np.add.at(load, place, layout.demand)
    used = place[layout.arc_demand] == layout.arc_facility
    if int(used.sum()) != layout.demands:
        return None
    option = np.full(m, -1, dtype=np.int64)
    total = float(layout.arc_cost[used].sum())
    for j in np.unique(place).tolist():
        begin, end = int(layout.option_start[j]), int(layout.option_start[j + 1])
        capacity = layout.option_capacity[begin:end]
        holds = (load[j] <= capacity + TOLERANCE * np.maximum(capacity, 1.0)).all(axis=1)
        if not holds.any():
            return None
        option[j] = begin + int(np.argmax(holds))
        total += float(layout.option_cost[option[j]])
    if int((option >= 0).sum()) > layout.max_open:
        return None
    return option, total
