"""HiGHS through MathOpt: models in and out. Runs inside the engine's process only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from solvers.engines.messages import Send
from solvers.engines.task import LEAST_LIMIT_S, EngineTask
from solvers.linear.model import INFINITY, Floats, LinearModel
from solvers.parameters.engines import EngineParameters

#: Between these lines the log is about completing a hint.
START_BEGINS, START_ENDS = "Attempting to find feasible solution", "Solving report"


def run(task: EngineTask, send: Send) -> None:
    """Solve a model; bounds are read from the log while HiGHS runs."""
    call = HighsCall(
        relaxed=task.relaxed,
        gap=task.gap,
        limit_s=task.limit_s,
        seed=task.seed,
        hint=task.hint,
        node_limit=task.node_limit,
        parameters=task.parameters,
    )
    on_bound = None if task.deterministic else lambda bound: send(("bound", bound))  # the log follows the clock
    found = solve_model(task.model, call, on_bound)
    if found.solution is not None:
        send(("incumbent", found.solution, found.objective))
    if found.bound > -INFINITY:
        send(("bound", found.bound))
    send(("done", found.state))


@dataclass(frozen=True, eq=False)
class HighsCall:
    """How a model is solved.

    Attributes
    ----------
    relaxed : bool
        Whether its linear relaxation is; the gap does not count then.
    hint : array or None
        A solution to start from; NaN where it says nothing.
    """

    relaxed: bool
    limit_s: float
    parameters: EngineParameters
    gap: float = 0.0
    seed: int = 0
    hint: Floats | None = None
    node_limit: int | None = None


@dataclass(frozen=True)
class Solved:
    """Outcome of one engine call inside this process."""

    state: str
    solution: Floats | None
    bound: float
    objective: float = INFINITY
    multipliers: Floats | None = None


def solve_model(model: LinearModel, call: HighsCall, on_bound: Callable[[float], None] | None = None) -> Solved:
    """Solve a model, or its linear relaxation."""
    built = mathopt.Model.from_model_proto(to_proto(model, call.relaxed))
    result = mathopt.solve(
        built,
        mathopt.SolverType.HIGHS,
        params=_parameters(model, call),
        model_params=_start(built, call.hint),
        msg_cb=None if on_bound is None else _Log(on_bound),
    )
    reason = result.termination.reason
    if reason in (mathopt.TerminationReason.INFEASIBLE, mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED):
        return Solved("infeasible", None, -INFINITY)
    bound = result.termination.objective_bounds.dual_bound
    bound = bound if math.isfinite(bound) else -INFINITY
    state = "finished" if reason == mathopt.TerminationReason.OPTIMAL else "limit"
    if not result.has_primal_feasible_solution():
        return Solved(state, None, bound)
    values = result.variable_values()
    solution = np.array([values[built.get_variable(index)] for index in range(model.columns)])
    if not call.relaxed:
        flags = np.array(model.integer, dtype=bool)
        solution[flags] = np.rint(solution[flags])
    multipliers = None
    if call.relaxed and state == "finished":
        duals = result.dual_values()
        multipliers = np.array([duals[built.get_linear_constraint(row)] for row in range(model.rows)])
    return Solved(state, solution, bound, result.objective_value(), multipliers)


def _parameters(model: LinearModel, call: HighsCall) -> mathopt.SolveParameters:
    is_long = call.relaxed and model.rows > call.parameters.barrier_rows
    return mathopt.SolveParameters(
        time_limit=timedelta(seconds=max(call.limit_s, LEAST_LIMIT_S)),
        relative_gap_tolerance=None if call.relaxed else call.gap,
        random_seed=call.seed,
        node_limit=call.node_limit,
        lp_algorithm=mathopt.LPAlgorithm.BARRIER if is_long else None,
    )


def _start(built: mathopt.Model, hint: Floats | None) -> mathopt.ModelSolveParameters:
    """The hint, as far as it says something."""
    start = mathopt.ModelSolveParameters()
    if hint is not None:
        known = {built.get_variable(index): float(value) for index, value in enumerate(hint) if not math.isnan(value)}
        start.solution_hints.append(mathopt.SolutionHint(variable_values=known))
    return start


class _Log:
    """Reads bounds from the log, but those of the smaller model in which a hint is completed."""

    def __init__(self, on_bound: Callable[[float], None]) -> None:
        self._on_bound = on_bound
        self._inside_start = False

    def __call__(self, lines: Sequence[str]) -> None:
        for line in lines:
            if START_BEGINS in line:
                self._inside_start = True
            elif self._inside_start and START_ENDS in line:
                self._inside_start = False
            bound = None if self._inside_start else bound_of_log_line(line)
            if bound is not None:
                self._on_bound(bound)


def to_proto(model: LinearModel, relaxed: bool) -> model_pb2.ModelProto:
    """The model in MathOpt's format."""
    proto = model_pb2.ModelProto()
    proto.variables.ids.extend(range(model.columns))
    proto.variables.lower_bounds.extend(model.lower)
    proto.variables.upper_bounds.extend(model.upper)
    proto.variables.integers.extend(flag and not relaxed for flag in model.integer)
    proto.objective.offset = model.constant
    used = [index for index, cost in enumerate(model.cost) if cost != 0.0]
    proto.objective.linear_coefficients.ids.extend(used)
    proto.objective.linear_coefficients.values.extend(model.cost[index] for index in used)
    proto.linear_constraints.ids.extend(range(model.rows))
    proto.linear_constraints.lower_bounds.extend(model.row_lower)
    proto.linear_constraints.upper_bounds.extend(model.row_upper)
    matrix = proto.linear_constraint_matrix
    for index, (columns, values) in enumerate(zip(model.row_columns, model.row_values, strict=True)):
        order = np.argsort(columns)
        matrix.row_ids.extend([index] * len(columns))
        matrix.column_ids.extend(columns[order].tolist())
        matrix.coefficients.extend(values[order].tolist())
    return proto


def bound_of_log_line(line: str) -> float | None:
    """The best bound in a line of the branch-and-bound log of HiGHS; None for other lines."""
    parts = line.split()
    for position, part in enumerate(parts):
        if part.endswith("%") and position + 2 < len(parts):
            try:
                float(part[:-1])
                bound = float(parts[position + 1])
            except ValueError:
                return None
            return bound if math.isfinite(bound) else None
    return None
