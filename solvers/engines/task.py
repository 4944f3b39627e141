"""What an engine is asked to do: all that its process needs to know, sent to it as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from solvers.linear.model import Floats, Integers, LinearModel
from solvers.parameters.engines import EngineParameters

#: ``benders`` only bounds; ``conflict`` seeks multipliers that show that rows contradict each other.
Engine = Literal["cp_sat", "highs", "benders", "conflict"]

#: A limit that is none, in seconds that every engine can count.
UNLIMITED_S = 1e6
#: Less time than this is no limit that engines take.
LEAST_LIMIT_S = 0.1


@dataclass(frozen=True, eq=False)
class EngineTask:
    """One model for one engine.

    Attributes
    ----------
    gap : float
        Relative gap at which the engine may stop.
    time_limit_s : float
        Wall clock [s]; for CP-SAT in deterministic mode its deterministic seconds.
    node_limit : int or None
        Nodes of branch and bound for HiGHS, where time must not count.
    deterministic : bool
        Whether nothing may depend on the clock: what an engine reports and when it is given up either.
    hint : array (columns,) or None
        A solution to start from; NaN where it says nothing.
    relaxed : bool
        Whether the linear relaxation is solved; HiGHS only.
    design : array or None
        The columns that alone cost something; ``benders`` only.
    """

    engine: Engine
    model: LinearModel
    gap: float = 0.0
    seed: int = 0
    time_limit_s: float = UNLIMITED_S
    node_limit: int | None = None
    workers: int = 1
    deterministic: bool = False
    hint: Floats | None = None
    relaxed: bool = False
    design: Integers | None = None
    parameters: EngineParameters = field(default_factory=EngineParameters)

    @property
    def limit_s(self) -> float:
        """The time limit as engines take it [s]."""
        return min(max(self.time_limit_s, LEAST_LIMIT_S), UNLIMITED_S)
