"""One integer program of the whole location problem, given to HiGHS and CP-SAT: what one would try first.

Binaries x for arcs, y for options, z for open facilities: Σ_j x_ij = 1; x_ij ≤ z_j; Σ_o y_jo = z_j;
Σ_i d_ir x_ij ≤ Σ_o (capacity_or / weight_or) y_jo; Σ_j z_j ≤ max_open. The strong linking rows x ≤ z are all there.
Incumbents and bounds are taken as the engines state them; incumbents are priced and checked by `location.evaluate`.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np

from solvers.engines.pool import EnginePool
from solvers.engines.task import EngineTask
from solvers.linear.model import INFINITY, Floats, LinearModel
from solvers.location import FacilityProblem
from solvers.location.evaluate import location_cost, location_violations
from solvers.trace import relative_gap

Monolith = Literal["highs", "cp_sat"]
NAMES: dict[Monolith, str] = {"highs": "HiGHS", "cp_sat": "CP-SAT"}
#: HiGHS branches on one core whatever it is given. CP-SAT is best with the 8 strategies it is made for, though they
#: share two cores: with 2 workers none of them solves the linear relaxation, with 1 it finds no choice on 1,000 × 100.
WORKERS: dict[Monolith, int] = {"highs": 1, "cp_sat": 8}


@dataclass(frozen=True)
class MonolithResult:
    """What an engine made of the whole problem.

    Attributes
    ----------
    cost : float or None
        Of its incumbent, priced anew; None where it has none that holds.
    bound : float or None
        As it states it.
    stated : float or None
        Cost of the incumbent as the engine states it.
    violations : tuple of str
        What its incumbent breaks.
    seconds : float
        Time of the engine alone, without the making of the model [s].
    """

    engine: Monolith
    cost: float | None
    bound: float | None
    stated: float | None
    violations: tuple[str, ...]
    seconds: float
    state: str

    @property
    def gap(self) -> float | None:
        """Relative gap of cost and bound."""
        return relative_gap(self.cost, self.bound)


@dataclass(frozen=True)
class MonolithModel:
    """The integer program; columns are those of arcs, then options, then facilities."""

    problem: FacilityProblem
    model: LinearModel

    def choice(self, point: Floats) -> tuple[np.ndarray, np.ndarray]:
        """Assignment and option of a point; a facility that serves nothing is closed."""
        problem = self.problem
        assignment = np.full(problem.n_demands, -1, dtype=np.int64)
        used = np.flatnonzero(point[: problem.n_arcs] > 0.5)
        assignment[problem.arc_demand[used]] = problem.arc_facility[used]
        option = np.full(problem.n_facilities, -1, dtype=np.int64)
        chosen = np.flatnonzero(point[problem.n_arcs : problem.n_arcs + problem.n_options] > 0.5)
        option[problem.option_facility[chosen]] = chosen
        option[np.bincount(assignment[assignment >= 0], minlength=problem.n_facilities) == 0] = -1
        return assignment, option


def monolith_model(problem: FacilityProblem) -> MonolithModel:
    """The integer program of a problem."""
    model = LinearModel()
    for cost in (*problem.arc_cost.tolist(), *problem.option_cost.tolist()):
        model.add_variable(0.0, 1.0, integer=True, cost=cost)
    opens = model.add_variables(np.ones(problem.n_facilities), integer=True)
    arcs = _grouped(problem.arc_demand, problem.n_demands)
    for demand in range(problem.n_demands):
        model.add_arrays("assigned", arcs[demand], np.ones(len(arcs[demand])), 1.0, 1.0)
    for arc, facility in enumerate(problem.arc_facility.tolist()):
        model.add_arrays("open", np.array([arc, opens[facility]]), np.array([1.0, -1.0]), -INFINITY, 0.0)
    at, options = (
        _grouped(problem.arc_facility, problem.n_facilities),
        _grouped(problem.option_facility, problem.n_facilities),
    )
    for facility in range(problem.n_facilities):
        columns = np.append(options[facility] + problem.n_arcs, opens[facility])
        model.add_arrays("option", columns, np.append(np.ones(len(columns) - 1), -1.0), 0.0, 0.0)
        for resource in range(problem.n_resources):
            _add_capacity(model, problem, resource, at[facility], options[facility])
    if problem.max_open is not None:
        model.add_arrays("at most", opens, np.ones(len(opens)), -INFINITY, float(problem.max_open))
    return MonolithModel(problem, model)


def _grouped(keys: np.ndarray, count: int) -> list[np.ndarray]:
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.searchsorted(keys[order], np.arange(1, count)))


def _add_capacity(
    model: LinearModel, problem: FacilityProblem, resource: int, arcs: np.ndarray, options: np.ndarray
) -> None:
    """Load ≤ capacity of the option, over the weight that demand has under it; nothing can load more than all arcs."""
    load = problem.demand[problem.arc_demand[arcs], resource]
    weight = problem.option_weight[options, resource]
    with np.errstate(divide="ignore", invalid="ignore"):
        capacity = np.where(weight > 0.0, problem.option_capacity[options, resource] / weight, np.inf)
    capacity = np.minimum(capacity, float(load.sum()))
    model.add_arrays(
        "capacity", np.concatenate([arcs, options + problem.n_arcs]), np.concatenate([load, -capacity]), -INFINITY, 0.0
    )


def solve_monolith(problem: FacilityProblem, engine: Monolith, time_limit_s: float, seed: int = 0) -> MonolithResult:
    """Give the whole problem to one engine, in a process of its own.

    Parameters
    ----------
    problem : FacilityProblem
        The problem.
    engine : str
        ``highs`` or ``cp_sat``.
    time_limit_s : float
        Of the engine; making the model comes on top [s].
    seed : int
        Of the engine.
    """
    whole = monolith_model(problem)
    begun = time.monotonic()
    with EnginePool() as pool:
        task = EngineTask(engine, whole.model, gap=1e-4, seed=seed, time_limit_s=time_limit_s, workers=WORKERS[engine])
        run = pool.answer(task, overrun_s=time_limit_s + 30.0, must_work=False)
    seconds = time.monotonic() - begun
    bound = run.bound if math.isfinite(run.bound) else None
    if run.solution is None:
        return MonolithResult(engine, None, bound, None, (), seconds, run.state)
    assignment, option = whole.choice(run.solution)
    violations = location_violations(problem, assignment, option)
    cost = None if violations else location_cost(problem, assignment, option)
    return MonolithResult(engine, cost, bound, run.objective, violations, seconds, run.state)
