"""Solvers: turn an inventory into an audited plan with a proven bound."""

from __future__ import annotations

from solvers.config import SolveConfig
from solvers.result import EngineError, InfeasibleError, NoPlanError, SolveError, SolveResult, TracePoint
from solvers.solving import solve

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
