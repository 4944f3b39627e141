"""A facility problem laid out for compiled loops: arcs by facility and by demand, options by cost.

What can never help is left out: options that another option of the same facility beats in cost and every capacity,
and arcs to facilities where no option carries the demand. Capacities are effective (divided by the option's weight on
demand) and in units in which the average finite capacity is 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solvers.location.problem import FacilityProblem, Floats, Integers
from solvers.location.tolerances import CAPACITY_TOLERANCE, NOTHING, PROFILE_DISTANCE, TOLERANCE
from solvers.parameters.location import BoundParameters


@dataclass(frozen=True)
class Layout:
    """Arrays that the compiled loops read.

    Attributes
    ----------
    demand : array (n, R)
        Demand in units of the average capacity.
    facility_start : array (m + 1,)
        Arcs of facility j are facility_start[j] … facility_start[j + 1] of `arc_demand`, `arc_cost`.
    demand_start : array (n + 1,)
        Arcs of demand i, as positions in the facility order, are `by_demand`[demand_start[i] … demand_start[i + 1]],
        cheapest first.
    arc_facility : array (A,)
        Facility of each arc in facility order.
    option_start : array (m + 1,)
        Options of facility j, by rising cost, are option_start[j] … option_start[j + 1].
    option_cost, option_capacity, option_class, option_origin : arrays (K,), (K, R), (K,), (K,)
        Cost, effective capacity, class of proportions, and index in the problem.
    beaten_by : array (problem.n_options,)
        For each option of the problem the option here that is at least as good: itself, or the one that beats it.
    classes : int
        Number of classes of proportions.
    class_weight : array (classes, R)
        Surrogate weights to begin with: the inverse of the class's average proportions.
    min_open, max_open : int
        So many facilities open at least, for room for all demand, and at most; the number of facilities where there is
        no limit.
    scale : array (R,)
        Problem units per unit here.
    """

    problem: FacilityProblem
    demand: Floats
    facility_start: Integers
    arc_demand: Integers
    arc_cost: Floats
    arc_facility: Integers
    demand_start: Integers
    by_demand: Integers
    option_start: Integers
    option_cost: Floats
    option_capacity: Floats
    option_class: Integers
    option_origin: Integers
    beaten_by: Integers
    classes: int
    class_weight: Floats
    max_open: int
    min_open: int
    scale: Floats

    @property
    def demands(self) -> int:
        """Number of demands."""
        return len(self.demand)

    @property
    def facilities(self) -> int:
        """Number of facilities."""
        return len(self.option_start) - 1


def lay_out(problem: FacilityProblem, parameters: BoundParameters | None = None) -> Layout:
    """Lay a problem out.

    Parameters
    ----------
    problem : FacilityProblem
        Validated.
    parameters : BoundParameters, optional
        Into how many classes options are grouped.

    Returns
    -------
    Layout
    """
    m = problem.n_facilities
    capacity = _effective_capacity(problem)
    scale = _scale(capacity, problem.demand)
    capacity = capacity / scale
    demand = problem.demand / scale
    kept, beaten_by = _undominated(problem, capacity, m)
    option_facility, option_cost = problem.option_facility[kept], problem.option_cost[kept]
    capacity = capacity[kept]
    option_class, class_weight = _classes(capacity, (parameters or BoundParameters()).ratio_classes)
    largest = np.zeros((m, demand.shape[1]))
    np.maximum.at(largest, option_facility, capacity)
    carried = (demand[problem.arc_demand] <= largest[problem.arc_facility] * (1.0 + TOLERANCE)).all(axis=1)
    arcs = np.flatnonzero(carried)
    arcs = arcs[np.lexsort((problem.arc_demand[arcs], problem.arc_facility[arcs]))]
    arc_demand, arc_facility = problem.arc_demand[arcs], problem.arc_facility[arcs]
    arc_cost = problem.arc_cost[arcs]
    by_demand = np.lexsort((arc_facility, arc_cost, arc_demand))
    max_open = m if problem.max_open is None else min(problem.max_open, m)
    return Layout(
        problem=problem,
        demand=np.ascontiguousarray(demand),
        facility_start=_starts(arc_facility, m),
        arc_demand=arc_demand,
        arc_cost=arc_cost,
        arc_facility=arc_facility,
        demand_start=_starts(arc_demand[by_demand], len(demand)),
        by_demand=by_demand,
        option_start=_starts(option_facility, m),
        option_cost=option_cost,
        option_capacity=np.ascontiguousarray(capacity),
        option_class=option_class,
        option_origin=kept,
        beaten_by=beaten_by,
        classes=len(class_weight),
        class_weight=class_weight,
        max_open=max_open,
        min_open=min(fewest_open(demand, largest), max_open),
        scale=scale,
    )


def fewest_open(demand: Floats, largest: Floats) -> int:
    """How many facilities at least must be open for their largest options to hold all demand, by each resource."""
    if not len(demand):
        return 0
    room = np.cumsum(-np.sort(-largest, axis=0), axis=0)
    held = (room < demand.sum(axis=0) * (1.0 - CAPACITY_TOLERANCE)).sum(axis=0) + 1
    return int(min(max(held.max(initial=1), 1), len(largest)))


def narrowed(layout: Layout, arcs: NDArray[np.bool_]) -> Layout:
    """The same problem with some of its arcs only; demands, facilities and options keep their numbers."""
    kept = np.flatnonzero(arcs)
    number = np.cumsum(arcs) - 1
    by_demand = layout.by_demand[arcs[layout.by_demand]]
    return replace(
        layout,
        facility_start=_starts(layout.arc_facility[kept], layout.facilities),
        arc_demand=layout.arc_demand[kept],
        arc_cost=layout.arc_cost[kept],
        arc_facility=layout.arc_facility[kept],
        demand_start=_starts(layout.arc_demand[by_demand], layout.demands),
        by_demand=number[by_demand],
    )


def _effective_capacity(problem: FacilityProblem) -> Floats:
    """Capacity over the weight that demand has under the option; infinite where it has none."""
    weight = problem.option_weight
    free = weight == 0.0
    return np.where(free, np.inf, problem.option_capacity / np.where(free, 1.0, weight))


def _scale(capacity: Floats, demand: Floats) -> Floats:
    """The average finite positive capacity of each resource; its total demand where every capacity is infinite."""
    scale = np.ones(capacity.shape[1])
    for resource in range(capacity.shape[1]):
        values = capacity[:, resource]
        usable = values[np.isfinite(values) & (values > 0.0)]
        total = float(demand[:, resource].sum())
        scale[resource] = float(usable.mean()) if len(usable) else total if total > 0.0 else 1.0
    return scale


def _undominated(problem: FacilityProblem, capacity: Floats, m: int) -> tuple[Integers, Integers]:
    """Options that no other of their facility beats, by facility and rising cost; for every option who beats it."""
    order = np.lexsort((-capacity.sum(axis=1), problem.option_cost, problem.option_facility))
    starts = _starts(problem.option_facility[order], m)
    kept: list[int] = []
    beaten_by = np.zeros(problem.n_options, dtype=np.int64)
    for j in range(m):
        first = len(kept)
        for option in order[starts[j] : starts[j + 1]].tolist():
            beats = (capacity[kept[first:]] >= capacity[option]).all(axis=1)
            if beats.any():
                beaten_by[option] = first + int(np.argmax(beats))
            else:
                beaten_by[option] = len(kept)
                kept.append(option)
    return np.array(kept, dtype=np.int64), beaten_by


def _classes(capacity: Floats, most: int) -> tuple[Integers, Floats]:
    """Group options by the proportions of their finite capacities; the weights that make each group's even."""
    finite = np.isfinite(capacity)
    logs = np.log(np.where(finite, np.maximum(capacity, NOTHING), 1.0))
    counts = np.maximum(finite.sum(axis=1, keepdims=True), 1)
    profile = np.where(finite, logs - logs.sum(axis=1, keepdims=True) / counts, 0.0)
    option_class = np.zeros(len(capacity), dtype=np.int64)
    weights: list[Floats] = []
    _, pattern = np.unique(finite, axis=0, return_inverse=True)
    for number in range(int(pattern.max(initial=-1)) + 1):
        members = np.flatnonzero(pattern.ravel() == number)
        centers = _centers(profile[members], most)
        nearest = np.argmin(((profile[members][:, None, :] - centers[None, :, :]) ** 2).sum(axis=2), axis=1)
        for center in range(len(centers)):
            chosen = members[nearest == center]
            if not len(chosen):
                continue
            option_class[chosen] = len(weights)
            mine = finite[chosen[0]]
            weight = np.where(mine, np.exp(-np.where(mine, logs[chosen].mean(axis=0), 0.0)), 0.0)
            weights.append(weight / weight.sum() if weight.sum() > 0.0 else weight)
    return option_class, np.array(weights)


def _centers(profile: Floats, most: int) -> Floats:
    """A few far-apart profiles: each next one the farthest from those taken."""
    centers = [profile.mean(axis=0)]
    centers[0] = profile[int(np.argmin(((profile - centers[0]) ** 2).sum(axis=1)))]
    while len(centers) < most:
        distance = np.min([((profile - center) ** 2).sum(axis=1) for center in centers], axis=0)
        farthest = int(np.argmax(distance))
        if distance[farthest] <= PROFILE_DISTANCE:
            break
        centers.append(profile[farthest])
    return np.array(centers)


def _starts(sorted_keys: Integers, count: int) -> Integers:
    return np.searchsorted(sorted_keys, np.arange(count + 1)).astype(np.int64)
