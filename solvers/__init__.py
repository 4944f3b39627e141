"""Solvers: turn an inventory into an audited plan with a proven bound."""

from __future__ import annotations

from solvers.config import SolveConfig
from solvers.result import EngineError, InfeasibleError, NoPlanError, SolveError, SolveResult
from solvers.solving import solve
from solvers.trace import TracePoint

__all__ = [
    "EngineError",
    "InfeasibleError",
    "NoPlanError",
    "SolveConfig",
    "SolveError",
    "SolveResult",
    "TracePoint",
    "solve",
]
