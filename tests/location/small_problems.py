"""Small location problems, whole numbers throughout, and their optima by enumeration."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from solvers.location import FacilityProblem, FacilityProblemError
from solvers.location.evaluate import location_cost, location_violations

#: Two demands, two facilities: serving both at facility 1 costs 2 + 3 + 6 = 11.
TWO: dict[str, Any] = {
    "demand": [[1.0], [2.0]],
    "arc_demand": [0, 0, 1],
    "arc_facility": [0, 1, 1],
    "arc_cost": [1.0, 2.0, 3.0],
    "option_facility": [0, 1],
    "option_cost": [5.0, 6.0],
    "option_capacity": [[2.0], [3.0]],
}


def two(**changes: Any) -> FacilityProblem:
    """The problem of two demands with some of its arrays replaced."""
    return FacilityProblem(**{**TWO, **changes})


def random_problem(seed: int) -> FacilityProblem:
    """At most 6 demands and 4 facilities; ties, zero demands, weights, infinite capacities, limits on open facilities.

    About one in five has no solution. Problems that are refused because a demand fits nowhere are drawn again.
    """
    for attempt in itertools.count():
        chance = np.random.default_rng([seed, attempt])
        try:
            return FacilityProblem(**_drawn(chance))
        except FacilityProblemError:
            continue
    raise AssertionError


def _drawn(chance: np.random.Generator) -> dict[str, Any]:
    n, m, n_resources = int(chance.integers(1, 7)), int(chance.integers(1, 5)), int(chance.integers(1, 4))
    demand = chance.integers(0 if chance.random() < 0.4 else 1, 8, (n, n_resources)).astype(float)
    eligible = chance.random((n, m)) < chance.uniform(0.5, 1.0)
    eligible[np.arange(n), chance.integers(0, m, n)] = True
    arcs = np.argwhere(eligible)
    arcs = arcs[chance.permutation(len(arcs))]
    lowest = -6 if chance.random() < 0.2 else 0
    top = int(chance.choice([1, 4, 30]))
    facility = np.repeat(np.arange(m), chance.integers(1, 4, m))
    if chance.random() < 0.5:
        facility = chance.permutation(facility)
    capacity = chance.integers(2, max(3, int(demand.sum(axis=0).max())) + 2, (len(facility), n_resources)).astype(float)
    capacity[chance.random(capacity.shape) < (0.5 if chance.random() < 0.15 else 0.03)] = math.inf
    weight = None
    if chance.random() < 0.35:
        weight = chance.choice([0.0, 0.5, 1.0, 2.0], capacity.shape, p=[0.1, 0.2, 0.4, 0.3])
    return {
        "demand": demand,
        "arc_demand": arcs[:, 0],
        "arc_facility": arcs[:, 1],
        "arc_cost": chance.integers(lowest, top + 1, len(arcs)).astype(float),
        "option_facility": facility,
        "option_cost": chance.integers(0, int(chance.choice([1, 10, 60])), len(facility)).astype(float),
        "option_capacity": capacity,
        "option_weight": weight,
        "max_open": int(chance.integers(1, m + 1)) if chance.random() < 0.35 else None,
    }


def optimum(problem: FacilityProblem) -> float | None:
    """The least cost over all partitions of the demands among the facilities; None where none holds."""
    n, m = problem.n_demands, problem.n_facilities
    everything = (1 << n) - 1
    limit = m if problem.max_open is None else problem.max_open
    best = {(0, 0): 0.0}
    for facility in range(m):
        costs = {subset: _cost_of(problem, facility, subset) for subset in range(1, everything + 1)}
        after = dict(best)
        for (served, opened), cost in best.items():
            for subset, added in costs.items():
                if added is None or subset & served or opened >= limit:
                    continue
                key = (served | subset, opened + 1)
                after[key] = min(after.get(key, math.inf), cost + added)
        best = after
    return min((cost for (served, _), cost in best.items() if served == everything), default=None)


def _cost_of(problem: FacilityProblem, facility: int, subset: int) -> float | None:
    """Least cost of serving these demands, and no others, from one facility; None where it cannot."""
    demands = [demand for demand in range(problem.n_demands) if subset >> demand & 1]
    arcs = {
        int(problem.arc_demand[arc]): float(problem.arc_cost[arc])
        for arc in np.flatnonzero(problem.arc_facility == facility)
    }
    if any(demand not in arcs for demand in demands):
        return None
    load = problem.demand[demands].sum(axis=0)
    options = [
        float(problem.option_cost[option])
        for option in np.flatnonzero(problem.option_facility == facility)
        if (load * problem.option_weight[option] <= problem.option_capacity[option]).all()
    ]
    return min(options) + sum(arcs[demand] for demand in demands) if options else None


def optimum_by_product(problem: FacilityProblem) -> float | None:
    """The same by trying every facility for every demand and every option for every facility."""
    choices = [
        [-1, *np.flatnonzero(problem.option_facility == facility).tolist()] for facility in range(problem.n_facilities)
    ]
    costs = []
    for assignment in itertools.product(range(problem.n_facilities), repeat=problem.n_demands):
        for option in itertools.product(*choices):
            if not location_violations(problem, assignment, option):
                costs.append(location_cost(problem, assignment, option))
    return min(costs, default=None)
