"""Solvers: turn an inventory into an audited plan with a proven bound.

Importing it is cheap, so that the processes of the engines start fast: each name below loads its module on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.lazy import loader

if TYPE_CHECKING:
    from solvers.config import SolveConfig as SolveConfig
    from solvers.result import EngineError as EngineError
    from solvers.result import InfeasibleError as InfeasibleError
    from solvers.result import NoPlanError as NoPlanError
    from solvers.result import SolveError as SolveError
    from solvers.result import SolveResult as SolveResult
    from solvers.solving import solve as solve
    from solvers.trace import TracePoint as TracePoint

#: Public names and the modules that define them.
_HOMES = {
    "EngineError": "solvers.result",
    "InfeasibleError": "solvers.result",
    "NoPlanError": "solvers.result",
    "SolveConfig": "solvers.config",
    "SolveError": "solvers.result",
    "SolveResult": "solvers.result",
    "TracePoint": "solvers.trace",
    "solve": "solvers.solving",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


__getattr__ = loader(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
