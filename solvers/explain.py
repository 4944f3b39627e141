"""Why there is no plan, and the cheapest way out, in the planner's words.

Proven infeasible: the model is solved again with every kind of limit elastic, at a price per unit of breach, and what
the cheapest breach leaves is said: demands without room, a budget that is too small, links that are too thin, sites
that are too small, pins that contradict.
"""

from __future__ import annotations

import time

import numpy as np

from solvers.building import build
from solvers.config import SolveConfig
from solvers.engines import EnginePool
from solvers.formulation import Formulation
from solvers.linear import INFINITY, Floats
from solvers.problem import DesignProblem

#: Longest time for the elastic model [s].
EXPLAIN_S = 30.0
#: Rules whose limits can give way, with what a unit of breach is, and how dear it is beside the others.
ELASTIC_RULES = {
    "BUD-001": ("currency of budget", 1.0),
    "SIT-002": ("of a site limit (nodes, kW or U)", 1.0),
    "PIN-001": ("of a pin", 10.0),
    "EXI-001": ("of a kept cluster", 10.0),
    "NET-002": ("Mbit/s of link bandwidth", 1.0),
    "NET-003": ("Mbit/s of link bandwidth after a failure", 1.0),
}


def explain_no_plan(problem: DesignProblem, stopped_by: str) -> tuple[str, ...]:
    """What to say where the search ended without plan and without proof."""
    return (
        f"no plan was found before the search ended ({stopped_by}); it is not proven that there is none",
        f"{sum(part.count for part in problem.classes)} demand units in {len(problem.classes)} classes on "
        f"{len(problem.slots)} cluster slots were searched – allow more time, or relax the tightest limits",
    )


def explain_infeasible(problem: DesignProblem, config: SolveConfig) -> tuple[str, ...]:
    """The conflict of a problem that is proven infeasible, by the cheapest breach of its limits."""
    lines = ["it is proven that no plan satisfies every limit"]
    formulation = build(problem, has_pairs=True, with_unserved=True)
    breaches = _make_elastic(formulation)
    with EnginePool() as pool:
        run = pool.start(
            "highs", formulation.model, time_limit_s=EXPLAIN_S, gap=1e-3, seed=config.seed
        )
        pool.run_until([run], time.monotonic() + EXPLAIN_S + 5.0)
    if run.point is None:
        lines.append("the smallest breach was not found in time – remove pins and the budget one by one")
        return tuple(lines)
    lines.extend(_unserved_lines(formulation, run.point))
    lines.extend(_breach_lines(breaches, run.point))
    return tuple(lines)


def _make_elastic(formulation: Formulation) -> list[tuple[str, int, float]]:
    """Let limits give way, make only breaches cost; (rule, column, limit) of each breach."""
    model = formulation.model
    model.cost = [0.0] * model.columns
    for part, column in formulation.unserved.items():
        model.cost[column] = 1000.0 * len(formulation.problem.classes[part].units[0].demands)
    breaches: list[tuple[str, int, float]] = []
    for row in range(model.rows):
        rule = model.row_rule[row]
        if rule not in ELASTIC_RULES:
            continue
        for limit, sign in ((model.row_upper[row], -1.0), (model.row_lower[row], 1.0)):
            if abs(limit) == INFINITY:
                continue
            scale = max(1.0, float(np.abs(model.row_values[row]).max(initial=0.0)), abs(limit))
            column = model.add_variable(0.0, 10.0 * scale, False, ELASTIC_RULES[rule][1] * 100.0 / scale)
            model.row_columns[row] = np.append(model.row_columns[row], column)
            model.row_values[row] = np.append(model.row_values[row], sign)
            breaches.append((rule, column, limit))
    return breaches


def _unserved_lines(formulation: Formulation, point: Floats) -> list[str]:
    lines = []
    for index, column in sorted(formulation.unserved.items()):
        count = round(float(point[column]))
        if count > 0:
            units = formulation.problem.classes[index].units
            names = ", ".join(str(demand) for unit in units[:count][:3] for demand in unit.demands)
            more = "" if count <= 3 else f" and {count - 3} more like it"
            lines.append(
                f"there is no room for {names}{more} – allow larger or more clusters (max_clusters, max_nodes, larger node "
                f"models) at a site in reach, or set policy allow_unserved = yes to leave them out"
            )
    return lines


def _breach_lines(breaches: list[tuple[str, int, float]], point: Floats) -> list[str]:
    lines = []
    for rule, column, limit in breaches:
        amount = float(point[column])
        if amount > 1e-6 * max(1.0, abs(limit)):
            lines.append(f"{rule}: a breach by {amount:,.4g} {ELASTIC_RULES[rule][0]} (limit {limit:,.6g}) would do")
    return lines
