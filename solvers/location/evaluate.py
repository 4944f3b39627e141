"""An independent check of choices and bounds: plain loops that share nothing with the search."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from solvers.location.problem import FacilityProblem, Integers
from solvers.location.result import Certificate, LocationResult
from solvers.location.tolerances import CAPACITY_TOLERANCE, VALUE_TOLERANCE


def location_cost(
    problem: FacilityProblem, assignment: Sequence[int] | Integers, option: Sequence[int] | Integers
) -> float:
    """Cost of a choice: its arcs and its options.

    Parameters
    ----------
    problem : FacilityProblem
        The problem.
    assignment : sequence (n_demands,)
        Facility of each demand.
    option : sequence (n_facilities,)
        Index of the option of each facility, −1 where closed.

    Raises
    ------
    ValueError
        If a demand is assigned along no arc, or an option does not exist: such a choice has no cost.
    """
    costs = {
        (int(demand), int(facility)): float(cost)
        for demand, facility, cost in zip(problem.arc_demand, problem.arc_facility, problem.arc_cost, strict=True)
    }
    terms = []
    for demand, facility in enumerate(assignment):
        if (demand, int(facility)) not in costs:
            raise ValueError(f"demand {demand} has no arc to facility {int(facility)}")
        terms.append(costs[demand, int(facility)])
    for facility, chosen in enumerate(option):
        if int(chosen) >= problem.n_options:
            raise ValueError(f"facility {facility} has option {int(chosen)}, and there are {problem.n_options}")
        if int(chosen) >= 0:
            terms.append(float(problem.option_cost[int(chosen)]))
    return math.fsum(terms)


def location_violations(
    problem: FacilityProblem, assignment: Sequence[int] | Integers, option: Sequence[int] | Integers
) -> tuple[str, ...]:
    """Everything that a choice breaks, in words; empty where it holds.

    Loads may exceed capacities by a relative 1e-6. An open facility without demand is named too: closed it is cheaper.
    """
    if len(assignment) != problem.n_demands or len(option) != problem.n_facilities:
        counts = f"{len(assignment)} assignments of {problem.n_demands} demands"
        return (f"there are {counts} and {len(option)} options of {problem.n_facilities} facilities",)
    arcs = set(zip(problem.arc_demand.tolist(), problem.arc_facility.tolist(), strict=True))
    served: defaultdict[int, list[int]] = defaultdict(list)
    found = []
    for demand, facility in enumerate(int(value) for value in assignment):
        if (demand, facility) not in arcs:
            found.append(f"demand {demand} has no arc to facility {facility}")
        else:
            served[facility].append(demand)
    for facility, chosen in enumerate(int(value) for value in option):
        if chosen < 0:
            if served[facility]:
                found.append(f"facility {facility} is closed and serves demand {served[facility][0]}")
            continue
        if chosen >= problem.n_options or int(problem.option_facility[chosen]) != facility:
            found.append(f"option {chosen} is not one of facility {facility}")
            continue
        if not served[facility]:
            found.append(f"facility {facility} is open and serves no demand")
        for resource in range(problem.n_resources):
            weight = float(problem.option_weight[chosen, resource])
            load = math.fsum(weight * float(problem.demand[demand, resource]) for demand in served[facility])
            capacity = float(problem.option_capacity[chosen, resource])
            if load > capacity * (1.0 + CAPACITY_TOLERANCE):
                found.append(
                    f"facility {facility} carries {load:.9g} of resource {resource} and can carry {capacity:.9g}"
                )
    n_open = sum(1 for chosen in option if int(chosen) >= 0)
    if problem.max_open is not None and n_open > problem.max_open:
        found.append(f"{n_open} facilities are open and {problem.max_open} may be")
    return tuple(found)


def certificate_bound(problem: FacilityProblem, certificate: Certificate) -> float:
    """The Lagrangian lower bound that multipliers u and surrogate weights w prove.

    Σ_i u_i + Σ_j min(0, min over the options o of facility j of V_jo) with
    V_jo = cost_o + min Σ_i (c_ij − u_i) x_ij subject to 0 ≤ x ≤ 1, x_ij = 0 where option o cannot carry demand i even
    alone, and Σ_i (Σ_r w_or weight_or d_ir) x_ij ≤ Σ_r w_or capacity_or, a fractional knapsack. With `max_open` only
    that many of the smallest facility terms count; and as many as all demand together needs open count in any case.
    Where the certificate says so the knapsack is one of whole demands,
    x ∈ {0, 1}. Relaxing the assignment rows and merging the capacity rows can
    only lower the optimum, whatever u and w ≥ 0 are.

    Raises
    ------
    ValueError
        If the certificate has the shape of another problem.
    """
    prices, shape = certificate.multipliers.tolist(), certificate.surrogate_weights.shape
    if len(prices) != problem.n_demands or shape != problem.option_capacity.shape:
        raise ValueError(
            f"the certificate has {len(prices)} multipliers and weights of shape {shape}, the problem "
            f"{problem.n_demands} demands and capacities of shape {problem.option_capacity.shape}"
        )
    arcs: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for demand, facility, cost in zip(
        problem.arc_demand.tolist(), problem.arc_facility.tolist(), problem.arc_cost.tolist(), strict=True
    ):
        if cost < prices[demand]:
            arcs[facility].append((demand, cost - prices[demand]))
    rows = problem.demand.tolist()
    sorted_items: dict[tuple[int, tuple[float, ...]], list[_Item]] = {}
    lowest: dict[int, float] = {}
    for facility, cost, capacities, factors, weights in zip(
        problem.option_facility.tolist(),
        problem.option_cost.tolist(),
        problem.option_capacity.tolist(),
        problem.option_weight.tolist(),
        certificate.surrogate_weights.tolist(),
        strict=True,
    ):
        sizes = tuple(weight * factor for weight, factor in zip(weights, factors, strict=True))
        if (facility, sizes) not in sorted_items:
            sorted_items[facility, sizes] = _items(arcs[facility], rows, sizes)
        largest = [
            limit * (1.0 + CAPACITY_TOLERANCE) / factor if factor > 0.0 else math.inf
            for limit, factor in zip(capacities, factors, strict=True)
        ]
        surrogate = math.fsum(weight * limit for weight, limit in zip(weights, capacities, strict=True) if weight > 0.0)
        if not any(weights):
            surrogate = math.inf
        fill = _whole_knapsack if certificate.is_whole else _knapsack
        value = cost + fill(sorted_items[facility, sizes], rows, largest, surrogate)
        lowest[facility] = min(lowest.get(facility, math.inf), value)
    terms = sorted(lowest.values())[: problem.max_open]
    needed = _fewest_open(problem)
    return math.fsum([*prices, *(term for rank, term in enumerate(terms) if term < 0.0 or rank < needed)])


def _fewest_open(problem: FacilityProblem) -> int:
    """How many facilities at least hold all demand together, each with the largest room it can have of a resource."""
    most: list[dict[int, float]] = [{} for _ in range(problem.n_resources)]
    for facility, capacities, factors in zip(
        problem.option_facility.tolist(), problem.option_capacity.tolist(), problem.option_weight.tolist(), strict=True
    ):
        for resource, (limit, factor) in enumerate(zip(capacities, factors, strict=True)):
            room = limit / factor if factor > 0.0 else math.inf
            most[resource][facility] = max(most[resource].get(facility, 0.0), room)
    needed = min(problem.n_demands, 1)
    for resource, rooms in enumerate(most):
        total, held, count = math.fsum(row[resource] for row in problem.demand.tolist()), 0.0, 0
        for room in sorted(rooms.values(), reverse=True):
            if held >= total * (1.0 - CAPACITY_TOLERANCE):
                break
            held, count = held + room, count + 1
        needed = max(needed, count)
    return needed


#: Value per size, size, value below 0, and the demand.
_Item = tuple[float, float, float, int]


def _items(arcs: list[tuple[int, float]], rows: list[list[float]], sizes: tuple[float, ...]) -> list[_Item]:
    """The arcs that lower the cost of one facility, the best value per size first."""
    items = []
    for demand, value in arcs:
        size = math.fsum(factor * amount for factor, amount in zip(sizes, rows[demand], strict=True))
        items.append((value / size if size > 0.0 else -math.inf, size, value, demand))
    return sorted(items)


def _knapsack(items: list[_Item], rows: list[list[float]], largest: list[float], capacity: float) -> float:
    """Least value of a fractional choice whose sizes sum to at most `capacity`, of demands of at most `largest`."""
    total = 0.0
    for ratio, size, value, demand in items:
        if any(amount > limit for amount, limit in zip(rows[demand], largest, strict=True)):
            continue
        if size > capacity:
            return total + ratio * capacity
        total += value
        capacity -= size
    return total


def _whole_knapsack(items: list[_Item], rows: list[list[float]], largest: list[float], capacity: float) -> float:
    """The same without fractions: for every number of items seen, the values that more room can buy."""
    limit = capacity * (1.0 + CAPACITY_TOLERANCE)
    best = [(0.0, 0.0)]
    for _, size, value, demand in items:
        if size > limit or any(amount > most for amount, most in zip(rows[demand], largest, strict=True)):
            continue
        larger = [(room + size, total + value) for room, total in best if room + size <= limit]
        merged = sorted([*best, *larger])
        best = []
        for room, total in merged:
            if not best or total < best[-1][1]:
                best.append((room, total))
    return best[-1][1]


def check_result(problem: FacilityProblem, result: LocationResult) -> tuple[str, ...]:
    """Everything that a result states and does not hold, in words.

    Cost and feasibility of its choice, that the bound is no higher than the cost, and where a Lagrangian relaxation
    proved the bound, that its certificate does so; all within a relative 1e-6.
    """
    found: list[str] = []
    if result.assignment is not None and result.option is not None and result.cost is not None:
        found += location_violations(problem, result.assignment, result.option)
        if not found:
            cost = location_cost(problem, result.assignment, result.option)
            if abs(cost - result.cost) > VALUE_TOLERANCE * max(1.0, abs(cost)):
                found.append(f"the cost is {cost!r} and {result.cost!r} is stated")
        if result.bound is not None and result.bound > result.cost + VALUE_TOLERANCE * max(1.0, abs(result.cost)):
            found.append(f"the bound {result.bound!r} is above the cost {result.cost!r}")
    if result.bound is not None and "lagrangian" in result.bound_source.lower():
        if result.certificate is None:
            found.append("the bound is Lagrangian and has no certificate")
        else:
            proven = certificate_bound(problem, result.certificate)
            if proven < result.bound - VALUE_TOLERANCE * max(1.0, abs(result.bound)):
                found.append(f"the certificate proves {proven!r} and {result.bound!r} is stated")
    return tuple(found)
