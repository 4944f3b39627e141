"""CP-SAT: a linear model in integers, solved. Runs inside the engine's process only.

Everything is rounded so that nothing feasible is lost and every bound stays valid: continuous variables count in small
steps, coefficients are rounded toward slack, and cost coefficients down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from solvers.engines.messages import Send
from solvers.engines.task import EngineTask
from solvers.linear.model import INFINITY, Floats, Integers, LinearModel
from solvers.tolerances import LEAST_STEP, WHOLE_TOLERANCE

#: Coefficients of integer rows are scaled so that the largest is about this.
ROW_SCALE = 2.0**27
#: Largest activity of a scaled row that has continuous variables, whose coefficients per step are small.
MIXED_ROW_REACH = 2.0**56
#: Steps into which the range of a continuous variable is divided.
CONTINUOUS_STEPS = 10**7
#: The integer objective counts in this share of its largest possible value.
OBJECTIVE_STEPS = 1e13

#: Work that CP-SAT's presolve may spend on rows within rows: none. With any, 9.15.6755 certifies wrong optima of models
#: such as ours (google/or-tools issue 5293); `tests/optimization/test_engine_trust.py` notices when a release is cured.
PRESOLVE_INCLUSION_WORK = 0


def run(task: EngineTask, send: Send) -> None:
    """Solve a model; report incumbents and bounds as they come.

    Raises
    ------
    ValueError
        If CP-SAT does not take the model, with its words.
    """
    model = in_integers(task.model)
    if task.hint is not None:
        model.add_hint(task.hint)
    text = model.cp.validate()
    if text:
        raise ValueError(text)
    solver = _solver(task)
    solver.best_bound_callback = lambda bound: send(("bound", model.cost_of(bound)))
    name = solver.status_name(solver.solve(model.cp, _Report(model, send)))
    if name == "MODEL_INVALID":
        raise ValueError("CP-SAT calls the model invalid")
    if name in ("OPTIMAL", "FEASIBLE"):
        solution = model.solution_of([solver.value(variable) for variable in model.variables])
        send(("incumbent", solution, model.cost_of(solver.objective_value)))
    if name != "INFEASIBLE":
        send(("bound", model.cost_of(solver.best_objective_bound)))
    send(("done", {"OPTIMAL": "finished", "INFEASIBLE": "infeasible"}.get(name, "limit")))


def _solver(task: EngineTask) -> cp_model.CpSolver:
    """CP-SAT as it is set up for a task."""
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = task.workers
    parameters.random_seed = task.seed
    parameters.relative_gap_limit = task.gap
    parameters.linearization_level = task.parameters.linearization_level
    parameters.presolve_inclusion_work_limit = PRESOLVE_INCLUSION_WORK
    if task.deterministic:
        parameters.max_deterministic_time = task.limit_s
        parameters.interleave_search = True
    else:
        parameters.max_time_in_seconds = task.limit_s
    return solver


@dataclass(frozen=True)
class IntegerModel:
    """A linear model in CP-SAT's terms.

    Attributes
    ----------
    unit : array (columns,)
        What one step of each variable stands for.
    step, constant : float
        What one step of the integer objective stands for, and what is added to it.
    """

    cp: cp_model.CpModel
    variables: list[Any]
    unit: Floats
    step: float
    constant: float

    def solution_of(self, values: list[int]) -> Floats:
        """A solution in the model's own units."""
        return np.asarray(np.array(values, dtype=np.float64) * self.unit, dtype=np.float64)

    def cost_of(self, value: float) -> float:
        """An objective, or a bound on it, in the model's own currency."""
        return value * self.step + self.constant

    def add_hint(self, hint: Floats) -> None:
        """Start from a solution, as far as it says something."""
        for variable, value, size in zip(self.variables, np.asarray(hint).tolist(), self.unit.tolist(), strict=True):
            if not math.isnan(value):
                self.cp.add_hint(variable, round(value / size))


class _Report(cp_model.CpSolverSolutionCallback):
    """Sends every incumbent on."""

    def __init__(self, model: IntegerModel, send: Send) -> None:
        super().__init__()
        self._model, self._send = model, send

    def on_solution_callback(self) -> None:
        """Send the incumbent with its objective."""
        solution = self._model.solution_of([self.value(variable) for variable in self._model.variables])
        self._send(("incumbent", solution, self._model.cost_of(self.objective_value)))


def in_integers(model: LinearModel) -> IntegerModel:
    """The model with whole variables, coefficients and costs."""
    units = [
        1.0 if integer else max(upper - lower, 0.0) / CONTINUOUS_STEPS or 1.0
        for lower, upper, integer in zip(model.lower, model.upper, model.integer, strict=True)
    ]
    unit = np.array(units)
    ranges = zip(model.lower, model.upper, units, strict=True)
    limits = [
        (math.ceil(low / step - WHOLE_TOLERANCE), math.floor(high / step + WHOLE_TOLERANCE))
        for low, high, step in ranges
    ]
    cp = cp_model.CpModel()
    variables = [cp.new_int_var(low, high, "") for low, high in limits]
    most = np.array([high for _, high in limits])
    continuous = ~np.array(model.integer, dtype=bool)
    rows = zip(model.row_columns, model.row_values, model.row_lower, model.row_upper, strict=True)
    for columns, values, row_lower, row_upper in rows:
        scaled = values * unit[columns]
        reach = float(np.abs(scaled * most[columns]).sum())
        row = _Row(columns, scaled, continuous[columns], reach, row_lower, row_upper)
        row.add_to(cp, variables)
    costs = np.array(model.cost) * unit
    reach = float(np.abs(costs * np.maximum(most, 0)).sum())
    step = max(reach / OBJECTIVE_STEPS, LEAST_STEP)
    coefficients = np.floor(costs / step + WHOLE_TOLERANCE).astype(np.int64)
    used = np.flatnonzero(coefficients)
    cp.minimize(cp_model.LinearExpr.weighted_sum([variables[index] for index in used], coefficients[used].tolist()))
    return IntegerModel(cp, variables, unit, step, model.constant)


@dataclass(frozen=True)
class _Row:
    """A row whose values count per step of their variables, which are ≥ 0.

    Attributes
    ----------
    continuous : array of bool
        Which of its variables stand for continuous ones.
    reach : float
        The most that its terms can sum up to, in magnitude.
    """

    columns: Integers
    values: Floats
    continuous: np.ndarray
    reach: float
    lower: float
    upper: float

    @property
    def is_whole(self) -> bool:
        """Whether it is one of integers already."""
        is_small = self._largest <= ROW_SCALE
        return bool(np.all(self.values == np.rint(self.values))) and is_small and not self.continuous.any()

    @property
    def _largest(self) -> float:
        return float(np.abs(self.values).max(initial=0.0))

    @property
    def _scale(self) -> float:
        """What coefficients are multiplied with before they are rounded."""
        if self.continuous.any():
            return MIXED_ROW_REACH / max(self.reach, self._largest)
        return ROW_SCALE / self._largest if self._largest > 0 else 1.0

    def add_to(self, cp: cp_model.CpModel, variables: list[Any]) -> None:
        """Add it in integers; variables are ≥ 0, so rounding coefficients toward slack only relaxes it."""
        chosen = [variables[index] for index in self.columns.tolist()]
        if self.is_whole:
            self._add_whole(cp, chosen)
        else:
            self._add_rounded(cp, chosen)

    def _add_whole(self, cp: cp_model.CpModel, chosen: list[Any]) -> None:
        terms = cp_model.LinearExpr.weighted_sum(chosen, self.values.astype(np.int64).tolist())
        is_equation = self.upper < INFINITY and self.lower == self.upper
        if self.upper < INFINITY:
            limit = math.floor(self.upper + WHOLE_TOLERANCE)
            cp.add_linear_constraint(terms, limit if is_equation else cp_model.INT_MIN, limit)
        if self.lower > -INFINITY and not is_equation:
            cp.add_linear_constraint(terms, math.ceil(self.lower - WHOLE_TOLERANCE), cp_model.INT_MAX)

    def _add_rounded(self, cp: cp_model.CpModel, chosen: list[Any]) -> None:
        scale, slack = self._scale, 0
        if self.continuous.any():
            slack = int(np.ceil(np.abs(self.values[self.continuous]).sum() * scale))
        if self.upper < INFINITY:
            below = np.floor(self.values * scale + WHOLE_TOLERANCE).astype(np.int64)
            terms = cp_model.LinearExpr.weighted_sum(chosen, below.tolist())
            cp.add_linear_constraint(terms, cp_model.INT_MIN, math.ceil(self.upper * scale) + slack)
        if self.lower > -INFINITY:
            above = np.ceil(self.values * scale - WHOLE_TOLERANCE).astype(np.int64)
            terms = cp_model.LinearExpr.weighted_sum(chosen, above.tolist())
            cp.add_linear_constraint(terms, math.floor(self.lower * scale) - slack, cp_model.INT_MAX)
