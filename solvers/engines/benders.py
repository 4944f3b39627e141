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
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from solvers.engines.highs import solve_model
from solvers.linear.model import INFINITY, Floats, Integers, LinearModel

Send = Callable[[tuple[Any, ...]], None]

#: A design fits when the step towards the fitting design is at most this.
FITS = 1e-6
#: A fractional design is as good as fitting from this step on.
NEARLY_FITS = 1e-3
#: Rounds on the linear relaxation of the master, which are cheap and find most of the rows.
RELAXED_ROUNDS = 40
#: Coefficients of a row below this, relative to its largest, are dropped, and its limit relaxed by what they can reach.
TINY = 1e-9
#: Share of the richest design in the one that rows are cut towards.
RICH_SHARE = 0.1
#: Gap to which the first master is solved; halved whenever a design fits.
FIRST_MASTER_GAP = 0.01


def run_benders(job: dict[str, Any], send: Send) -> None:
    """Bound a model whose cost lies on the design columns alone."""
    model: LinearModel = job["model"]
    deadline = time.monotonic() + job["time_limit_s"]
    solver = _Benders(model, np.asarray(job["design"], dtype=np.int64), job["seed"])
    send(("done", solver.run(job["gap"], deadline, send)))


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

    def __init__(self, model: LinearModel, design: Integers, seed: int) -> None:
        self.model, self.design, self.seed = model, design, seed
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

    def separate(self, design: Floats, fitting: Floats, deadline: float) -> tuple[float, Floats | None, Floats]:
        """(θ, row multipliers or None, placements at θ) of the step from `design` towards `fitting`."""
        here, there = self._activity(design), self._activity(fitting)
        direction = there - here
        direction[np.abs(direction) < 1e-12] = 0.0
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
            params=mathopt.SolveParameters(time_limit=timedelta(seconds=max(deadline - time.monotonic(), 0.1))),
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

    def run(self, gap: float, deadline: float, send: Send) -> str:
        """Alternate master and subproblem until the gap, the time, or infeasibility."""
        whole = solve_model(self.model, relaxed=True, gap=1e-9, limit_s=deadline - time.monotonic(), seed=self.seed)
        if whole.state == "infeasible":
            return "infeasible"
        if whole.solution is None:
            return "limit"
        send(("bound", whole.bound))
        bound = whole.bound
        self._prepare()
        fitting = self._inner_design(whole.solution[self.design], deadline)
        if whole.multipliers is not None:
            self.cut(self._kept_multipliers(whole.multipliers))
        bound = self._relaxed_rounds(fitting, bound, deadline)
        send(("bound", bound))
        master_gap, best = max(FIRST_MASTER_GAP, gap), INFINITY
        while time.monotonic() < deadline:
            found = solve_model(
                self.master, relaxed=False, gap=master_gap, limit_s=deadline - time.monotonic(), seed=self.seed
            )
            bound = max(bound, found.bound)
            send(("bound", bound))
            if found.state == "infeasible":
                return "infeasible"
            if found.solution is None or found.state == "limit":
                return "limit"
            design = np.where(self.master.integer, np.rint(found.solution), found.solution)
            theta, multipliers, placements = self.separate(design, fitting, deadline)
            if multipliers is None:
                return "limit"
            if theta <= FITS:
                solution = np.zeros(self.model.columns)
                solution[self.design] = design
                solution[self.placement] = placements
                cost = self.model.objective(solution)
                send(("incumbent", solution, cost))
                best = min(best, cost)
                if best - bound <= gap * abs(best):
                    return "finished"
                master_gap = max(master_gap / 4, gap / 2)
                if master_gap <= gap / 2 and found.state == "finished":
                    return "finished"
                continue
            self.cut(multipliers)
        return "limit"

    def _inner_design(self, cheapest: Floats, deadline: float) -> Floats:
        """A design that fits with room to spare: the cheapest fractional one, and a little of the richest."""
        rich = replace(self.model, cost=[-1.0 if flag else 0.0 for flag in self.is_design])
        found = solve_model(rich, relaxed=True, gap=1e-6, limit_s=deadline - time.monotonic(), seed=self.seed)
        if found.solution is None:
            return cheapest
        return (1.0 - RICH_SHARE) * cheapest + RICH_SHARE * found.solution[self.design]

    def _relaxed_rounds(self, fitting: Floats, bound: float, deadline: float) -> float:
        for _ in range(RELAXED_ROUNDS):
            if time.monotonic() > deadline:
                break
            found = solve_model(
                self.master, relaxed=True, gap=1e-9, limit_s=deadline - time.monotonic(), seed=self.seed
            )
            if found.solution is None:
                break
            theta, multipliers, _ = self.separate(found.solution, fitting, deadline)
            bound = max(bound, found.bound)
            if multipliers is None:
                break
            self.cut(multipliers)
            if theta <= NEARLY_FITS:
                break
        return bound

    def _kept_multipliers(self, multipliers: Floats) -> Floats:
        """Of all rows' multipliers, those of the rows kept for the subproblem."""
        kept = [number for number in range(self.model.rows) if not self.is_design[self.model.row_columns[number]].all()]
        return multipliers[kept]
