"""HiGHS through MathOpt: models in and out. Runs inside the engine's process only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from solvers.linear.model import INFINITY, Floats, LinearModel

#: Rows from which linear relaxations are solved by an interior point method first.
BARRIER_ROWS = 5000
#: Between these lines the log is about completing a hint.
START_BEGINS, START_ENDS = "Attempting to find feasible solution", "Solving report"


@dataclass(frozen=True)
class Solved:
    """Outcome of one engine call inside this process."""

    state: str
    solution: Floats | None
    bound: float
    objective: float = INFINITY
    multipliers: Floats | None = None


def solve_model(
    model: LinearModel,
    *,
    relaxed: bool,
    gap: float,
    limit_s: float,
    seed: int,
    hint: Floats | None = None,
    node_limit: int | None = None,
    on_bound: Callable[[float], None] | None = None,
) -> Solved:
    """Solve a model, or its linear relaxation; NaN in `hint` says nothing."""
    built = mathopt.Model.from_model_proto(to_proto(model, relaxed))
    model_parameters = mathopt.ModelSolveParameters()
    if hint is not None:
        model_parameters.solution_hints.append(
            mathopt.SolutionHint(
                variable_values={
                    built.get_variable(index): float(value) for index, value in enumerate(hint) if not math.isnan(value)
                }
            )
        )

    inside_start = False

    def read_log(lines: Sequence[str]) -> None:
        nonlocal inside_start
        for line in lines:
            if START_BEGINS in line:
                inside_start = True  # a smaller model, around the hint: its bounds are not the model's
            elif inside_start and START_ENDS in line:
                inside_start = False
            bound = None if inside_start else bound_of_log_line(line)
            if bound is not None and on_bound is not None:
                on_bound(bound)

    result = mathopt.solve(
        built,
        mathopt.SolverType.HIGHS,
        params=mathopt.SolveParameters(
            time_limit=timedelta(seconds=max(limit_s, 0.1)),
            relative_gap_tolerance=None if relaxed else gap,
            random_seed=seed,
            node_limit=node_limit,
            lp_algorithm=mathopt.LPAlgorithm.BARRIER if relaxed and model.rows > BARRIER_ROWS else None,
        ),
        model_params=model_parameters,
        msg_cb=None if on_bound is None else read_log,
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
    if not relaxed:
        flags = np.array(model.integer, dtype=bool)
        solution[flags] = np.rint(solution[flags])
    multipliers = None
    if relaxed and state == "finished":
        duals = result.dual_values()
        multipliers = np.array([duals[built.get_linear_constraint(row)] for row in range(model.rows)])
    return Solved(state, solution, bound, result.objective_value(), multipliers)


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
