"""Bound by decomposition: decide what stands where, and let linear programming say whether the demands fit.

The cost of a plan depends on its clusters alone; who runs where is a matter of feasibility. So the integer master holds
clusters, node counts and link upgrades with the rows in these alone, and each master solution ŷ is confronted with the
linear program of the placements. If they do not fit, the duals of that program give a row that ŷ breaks and every
feasible design keeps (Benders 1962). The row is chosen deep: the program finds the smallest step θ from ŷ towards a
design y° known to fit at which they fit, and its duals cut there (Fischetti, Salvagnin, Zanette 2010; Conforti, Wolsey
2019).

A row is valid for any multipliers π: for every feasible (x, y), Σ π_i (A_i x + B_i y) is at least Σ π_i · (lower or
upper limit by the sign of π_i), and (π A) x at most its maximum over the bounds of x. So rounding errors of the
engine cannot make a bound invalid.

This module runs inside the engine's process.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from solvers.engines.highs import HighsCall, Solved, solve_model
from solvers.engines.messages import Send
from solvers.engines.task import LEAST_LIMIT_S, EngineTask
from solvers.linear.model import INFINITY, Floats, Integers, LinearModel
from solvers.tolerances import FITS, NO_DIRECTION, TINY


def run(task: EngineTask, send: Send) -> None:
    """Bound a model whose cost lies on the design columns alone."""
    send(("done", _Benders(task, send).run()))


@dataclass
class _Rows:
    """Rows as one sparse matrix by columns of two kinds."""

    lower: Floats
    upper: Floats
    row: Integers
    column: Integers
    value: Floats


class _Benders:
    """Master, subproblem and the rows between them."""

    def __init__(self, task: EngineTask, send: Send) -> None:
        self.task, self.model, self.send = task, task.model, send
        self.deadline = time.monotonic() + task.limit_s
        model = task.model
        self.design = design = np.asarray(task.design, dtype=np.int64)
        self.is_design = np.zeros(model.columns, dtype=bool)
        self.is_design[design] = True
        self.position = np.full(model.columns, -1, dtype=np.int64)
        self.position[design] = np.arange(len(design))
        self.placement = np.flatnonzero(~self.is_design)
        self.position[self.placement] = np.arange(len(self.placement))
        self.master = LinearModel(
            lower=[model.lower[column] for column in design],
            upper=[model.upper[column] for column in design],
            integer=[model.integer[column] for column in design],
            cost=[model.cost[column] for column in design],
            constant=model.constant,
        )
        self.rows = self._split()
        self.x_lower = np.array([model.lower[column] for column in self.placement])
        self.x_upper = np.array([model.upper[column] for column in self.placement])

    def _split(self) -> _Rows:
        """Rows in design columns alone go to the master; the others are kept for the subproblem."""
        lower: list[float] = []
        upper: list[float] = []
        rows: list[Integers] = []
        columns: list[Integers] = []
        values: list[Floats] = []
        model = self.model
        for number in range(model.rows):
            own = model.row_columns[number]
            if self.is_design[own].all():
                self.master.add_arrays(
                    model.row_rule[number],
                    self.position[own],
                    model.row_values[number],
                    model.row_lower[number],
                    model.row_upper[number],
                )
                continue
            rows.append(np.full(len(own), len(lower), dtype=np.int64))
            columns.append(own)
            values.append(model.row_values[number])
            lower.append(model.row_lower[number])
            upper.append(model.row_upper[number])
        return _Rows(
            np.array(lower), np.array(upper), np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
        )

    # -- the linear program of the placements -------------------------------------------------------------------

    def _prepare(self) -> None:
        rows = self.rows
        in_x = ~self.is_design[rows.column]
        self.a_row, self.a_column, self.a_value = (
            rows.row[in_x],
            self.position[rows.column[in_x]],
            rows.value[in_x],
        )
        self.b_row, self.b_column, self.b_value = (
            rows.row[~in_x],
            self.position[rows.column[~in_x]],
            rows.value[~in_x],
        )
        order = np.lexsort((self.a_column, self.a_row))
        self.a_row, self.a_column, self.a_value = self.a_row[order], self.a_column[order], self.a_value[order]

    def _activity(self, design: Floats) -> Floats:
        """B y of every kept row."""
        result = np.zeros(len(self.rows.lower))
        np.add.at(result, self.b_row, self.b_value * design[self.b_column])
        return result

    def separate(self, design: Floats, fitting: Floats) -> tuple[float, Floats | None, Floats]:
        """(θ, row multipliers or None, placements at θ) of the step from `design` towards `fitting`."""
        here, there = self._activity(design), self._activity(fitting)
        direction = there - here
        direction[np.abs(direction) < NO_DIRECTION] = 0.0
        count = len(self.placement)
        proto = model_pb2.ModelProto()
        proto.variables.ids.extend(range(count + 1))
        proto.variables.lower_bounds.extend([*self.x_lower.tolist(), 0.0])
        proto.variables.upper_bounds.extend([*self.x_upper.tolist(), INFINITY])
        proto.variables.integers.extend([False] * (count + 1))
        proto.objective.linear_coefficients.ids.append(count)
        proto.objective.linear_coefficients.values.append(1.0)
        proto.linear_constraints.ids.extend(range(len(here)))
        proto.linear_constraints.lower_bounds.extend((self.rows.lower - here).tolist())
        proto.linear_constraints.upper_bounds.extend((self.rows.upper - here).tolist())
        stepped = np.flatnonzero(direction)
        rows = np.concatenate([self.a_row, stepped])
        columns = np.concatenate([self.a_column, np.full(len(stepped), count)])
        values = np.concatenate([self.a_value, direction[stepped]])
        order = np.argsort(rows, kind="stable")
        proto.linear_constraint_matrix.row_ids.extend(rows[order].tolist())
        proto.linear_constraint_matrix.column_ids.extend(columns[order].tolist())
        proto.linear_constraint_matrix.coefficients.extend(values[order].tolist())
        built = mathopt.Model.from_model_proto(proto)
        result = mathopt.solve(
            built,
            mathopt.SolverType.HIGHS,
            params=mathopt.SolveParameters(time_limit=timedelta(seconds=max(self._left_s, LEAST_LIMIT_S))),
        )
        if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
            return math.inf, None, np.zeros(0)
        duals = result.dual_values()
        multipliers = np.array([duals[built.get_linear_constraint(row)] for row in range(len(here))])
        found = result.variable_values()
        solution = np.array([found[built.get_variable(index)] for index in range(count)])
        return float(found[built.get_variable(count)]), multipliers, solution

    def cut(self, multipliers: Floats) -> None:
        """Add the row of these multipliers to the master; valid whatever they are."""
        rows = self.rows
        signs = np.where(multipliers > 0, rows.lower, rows.upper)
        usable = (multipliers != 0) & np.isfinite(signs)
        pi = np.where(usable, multipliers, 0.0)
        right = float((pi[usable] * signs[usable]).sum())
        reduced = np.zeros(len(self.placement))
        np.add.at(reduced, self.a_column, pi[self.a_row] * self.a_value)
        most = float(np.maximum(reduced * self.x_lower, reduced * self.x_upper).sum())
        left = np.zeros(len(self.design))
        np.add.at(left, self.b_column, pi[self.b_row] * self.b_value)
        scale = float(np.abs(left).max(initial=0.0))
        if scale <= 0:
            return
        left = left / scale
        tiny = np.abs(left) < TINY
        reach = np.maximum(np.abs(self.master.lower), np.abs(self.master.upper))
        limit = (right - most) / scale - float((np.abs(left) * reach)[tiny].sum())
        limit -= TINY * max(1.0, abs(limit))
        left[tiny] = 0.0
        used = np.flatnonzero(left)
        self.master.add_arrays("BENDERS", used, left[used], limit, INFINITY)

    # -- the loop ----------------------------------------------------------------------------------------------

    @property
    def _left_s(self) -> float:
        return self.deadline - time.monotonic()

    def _solved(self, model: LinearModel, gap: float | None = None) -> Solved:
        """A model solved to a gap; its linear relaxation where there is none."""
        call = HighsCall(
            relaxed=gap is None,
            gap=gap or 0.0,
            limit_s=self._left_s,
            seed=self.task.seed,
            parameters=self.task.parameters,
        )
        return solve_model(model, call)

    def run(self) -> str:
        """Alternate master and subproblem until the gap, the time, or infeasibility."""
        whole = self._solved(self.model)
        if whole.state == "infeasible":
            return "infeasible"
        if whole.solution is None:
            return "limit"
        self.send(("bound", whole.bound))
        self._prepare()
        fitting = self._inner_design(whole.solution[self.design])
        if whole.multipliers is not None:
            self.cut(self._kept_multipliers(whole.multipliers))
        bound = self._relaxed_rounds(fitting, whole.bound)
        self.send(("bound", bound))
        return self._rounds(fitting, bound)

    def _rounds(self, fitting: Floats, bound: float) -> str:
        """Rounds on the integer master."""
        gap, parameters = self.task.gap, self.task.parameters
        master_gap, best = max(parameters.first_master_gap, gap), INFINITY
        least_gap = gap * parameters.last_master_gap_share
        while time.monotonic() < self.deadline:
            found = self._solved(self.master, master_gap)
            bound = max(bound, found.bound)
            self.send(("bound", bound))
            if found.state == "infeasible":
                return "infeasible"
            if found.solution is None or found.state == "limit":
                return "limit"
            design = np.where(self.master.integer, np.rint(found.solution), found.solution)
            theta, multipliers, placements = self.separate(design, fitting)
            if multipliers is None:
                return "limit"
            if theta > FITS:
                self.cut(multipliers)
                continue
            best = min(best, self._send_incumbent(design, placements))
            if best - bound <= gap * abs(best):
                return "finished"
            master_gap = max(master_gap * parameters.master_gap_factor, least_gap)
            if master_gap <= least_gap and found.state == "finished":
                return "finished"
        return "limit"

    def _send_incumbent(self, design: Floats, placements: Floats) -> float:
        """Report a design that fits; what it costs."""
        solution = np.zeros(self.model.columns)
        solution[self.design] = design
        solution[self.placement] = placements
        cost = self.model.objective(solution)
        self.send(("incumbent", solution, cost))
        return cost

    def _inner_design(self, cheapest: Floats) -> Floats:
        """A design that fits with room to spare: the cheapest fractional one, and a little of the richest."""
        share = self.task.parameters.rich_share
        found = self._solved(replace(self.model, cost=[-1.0 if flag else 0.0 for flag in self.is_design]))
        if found.solution is None:
            return cheapest
        return (1.0 - share) * cheapest + share * found.solution[self.design]

    def _relaxed_rounds(self, fitting: Floats, bound: float) -> float:
        for _ in range(self.task.parameters.relaxed_rounds):
            if time.monotonic() > self.deadline:
                break
            found = self._solved(self.master)
            if found.solution is None:
                break
            theta, multipliers, _ = self.separate(found.solution, fitting)
            bound = max(bound, found.bound)
            if multipliers is None:
                break
            self.cut(multipliers)
            if theta <= self.task.parameters.nearly_fits:
                break
        return bound

    def _kept_multipliers(self, multipliers: Floats) -> Floats:
        """Of all rows' multipliers, those of the rows kept for the subproblem."""
        kept = [number for number in range(self.model.rows) if not self.is_design[self.model.row_columns[number]].all()]
        return multipliers[kept]
