"""Exit codes: what a solve means to a script."""

from __future__ import annotations

from enum import IntEnum

from solvers.result import SolveResult
from solvers.tolerances import GAP_TOLERANCE


class Exit(IntEnum):
    """Exit codes of the ``fleet`` command."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    INVALID_INPUT = 3
    INFEASIBLE = 4
    GAP_MISSED = 5
    NO_PLAN = 6
    AUDIT_ERRORS = 7


def exit_code(result: SolveResult, wanted_gap: float | None) -> Exit:
    """The exit code of a solve.

    Parameters
    ----------
    result : SolveResult
        What the solve returned.
    wanted_gap : float or None
        The relative gap that was asked for, if any.
    """
    if result.plan is None:
        return Exit.INFEASIBLE if result.status == "infeasible" else Exit.NO_PLAN
    if result.plan.errors:
        return Exit.AUDIT_ERRORS
    missed = wanted_gap is not None and (result.gap is None or result.gap > wanted_gap + GAP_TOLERANCE)
    return Exit.GAP_MISSED if missed or result.interrupted or result.disproved else Exit.OK
