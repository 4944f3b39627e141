"""What every solve says about itself: how it ended, how far incumbent and bound are apart, and how they got there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from solvers.tolerances import GAP_TOLERANCE

Status = Literal["optimal", "feasible", "infeasible", "no_solution"]
StoppedBy = Literal["proof", "gap", "time_limit", "work_limit", "interrupt", "screen"]


@dataclass(frozen=True, slots=True)
class TracePoint:
    """Incumbent and bound at one moment; None until known."""

    seconds: float
    incumbent: float | None
    bound: float | None


def relative_gap(objective: float | None, bound: float | None) -> float | None:
    """(objective − bound) / |objective|, at least 0; None where one is missing, or the objective is 0 and unproven."""
    if objective is None or bound is None:
        return None
    if objective == 0.0:
        return 0.0 if bound >= -GAP_TOLERANCE else None
    return max(0.0, (objective - bound) / abs(objective))
