"""Engines that share one core take turns, each pair of turns twice as long as the one before.

One engine may need an hour for a proof that takes the other a second, and nobody knows beforehand which. With turns
that double, what an engine alone proves in s seconds is proven after about 8 s at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from solvers.engines.task import Engine
from solvers.parameters.engines import EngineParameters


@dataclass
class Turns:
    """Whose turn it is, and how long it lasts.

    Attributes
    ----------
    scale : float
        How much longer turns are than those of a small model.
    most_s : float
        The whole time, or in deterministic mode the whole work; a turn of that length is the last.
    """

    scale: float
    most_s: float
    parameters: EngineParameters = field(default_factory=EngineParameters)
    number: int = 0

    @property
    def _factor(self) -> float:
        return self.scale * 2.0 ** (self.number // 2)

    @property
    def limit_s(self) -> float:
        """How long the turn lasts."""
        return min(self.parameters.turn_s * self._factor, self.most_s)

    @property
    def nodes(self) -> int:
        """Nodes of branch and bound in it, where time does not count."""
        return min(int(self.parameters.turn_nodes * self._factor), self.parameters.most_turn_nodes)

    def engine(self, engines: tuple[Engine, ...]) -> Engine:
        """Whose turn it is."""
        return engines[self.number % len(engines)]

    def go_on(self) -> bool:
        """Pass the turn on; False where the one that ends was the last."""
        is_last = self.limit_s >= self.most_s
        self.number += 1
        return not is_last
