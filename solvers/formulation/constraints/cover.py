"""CAP-001, CAP-003 over sets of slots: what must be placed within a set fits into the set, whoever goes where.

Implied by the capacity and reserve rows together with the assignment, but in node counts alone: from such rows engines
cut off fractions of clusters. For a set E of slots that holds every option of some classes: Σ_{k∈E} capacity_k ≥ their
load, for the pool with their copies, and for compute with the reserve of
`solvers.formulation.constraints.reserve.by_count`. Where places of classes were put together for a bound, each still
needs open slots among its own.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from fleet.quantities import COMPUTE_RESOURCES, RESOURCES
from solvers.formulation.constraints.capacity import POOL, common_efficiency
from solvers.formulation.constraints.reserve import secant_counts
from solvers.formulation.variables import Formulation, Terms
from solvers.linear.model import Floats
from solvers.tolerances import PROPORTION_TOLERANCE


def encode(formulation: Formulation) -> None:
    """Add the cover rows of every resource, in the periods whose loads are encoded."""
    problem = formulation.problem
    options = {demand_class.index: option_set(formulation, demand_class.index) for demand_class in problem.classes}
    if any(demand_class.index in formulation.unserved for demand_class in problem.classes):
        return
    for covering in problem.coverings:
        terms: Terms = []
        for slot in sorted(covering.slots & set(formulation.slots)):
            terms += formulation.domain_terms(slot, problem.periods - 1)
        formulation.model.add_row("ASG-005", terms, lower=float(covering.least))
    sets = _sets(formulation, options)
    for period in formulation.load_periods:
        for subset in sets:
            inside = [demand_class for demand_class in problem.classes if options[demand_class.index] <= subset]
            counts = np.array([demand_class.count for demand_class in inside], dtype=np.float64)
            for number, resource in enumerate(COMPUTE_RESOURCES):
                own = float(counts @ np.array([demand_class.compute[period, number] for demand_class in inside]))
                kept = float(
                    counts @ np.array([demand_class.standby_compute[period, number] for demand_class in inside])
                )
                if own > 0:
                    _compute(formulation, subset, RESOURCES.index(resource), period, own, kept)
            data = sum(
                (demand_class.storage[period] + demand_class.standby_storage[period]) * demand_class.count
                for demand_class in inside
            ) + np.zeros(3)
            _pool(formulation, subset, period, data)


def option_set(formulation: Formulation, index: int) -> frozenset[int]:
    """The usable slots where a class may run or stand by."""
    demand_class = formulation.problem.classes[index]
    pairs, groups = demand_class.group_pairs, demand_class.view.group_of_slot
    reach = demand_class.eligible if pairs is None else np.asarray(pairs.any(axis=0) | pairs.any(axis=1))[groups]
    return frozenset(np.flatnonzero(reach).tolist()) & frozenset(formulation.slots)


def _sets(formulation: Formulation, options: dict[int, frozenset[int]]) -> list[frozenset[int]]:
    weight: dict[frozenset[int], float] = defaultdict(float)
    per_tb = formulation.problem.parameters.formulation.cover_storage_weight
    for index, reach in options.items():
        demand_class = formulation.problem.classes[index]
        weight[reach] += (
            float(demand_class.compute[-1].sum() + per_tb * demand_class.storage[-1].sum()) * demand_class.count
        )
    everything = frozenset(formulation.slots)
    weight.pop(everything, None)
    inside = {
        subset: sum(value for reach, value in weight.items() if reach <= subset) / max(1, len(subset))
        for subset in weight
    }
    most = formulation.problem.parameters.formulation.cover_sets
    return [everything, *sorted(inside, key=lambda subset: (-inside[subset], sorted(subset)))[:most]]


def _compute(
    formulation: Formulation, subset: frozenset[int], resource: int, period: int, own: float, kept: float
) -> None:
    policy = formulation.problem.inventory.policy
    capacity: Terms = []
    for slot in sorted(subset):
        capacity += formulation.capacity_terms(slot, period, resource)
    model = formulation.model
    if kept <= 0 or policy.standby_uses_node_reserve:
        model.add_row("CAP-001", capacity, lower=own)
        return
    if policy.standby_reserve == "dedicated":
        model.add_row("CAP-003", capacity, lower=own + kept)
        return
    opened: Terms = []
    for slot in sorted(subset):
        opened += formulation.domain_terms(slot, period)
    for count in secant_counts(len(subset), formulation.problem.parameters.formulation.secant_density):
        share = kept / (count * (count - 1))
        terms = [*capacity, *((column, share * value) for column, value in opened)]
        model.add_row("CAP-003", terms, lower=own + share * 2 * count)


def _pool(formulation: Formulation, subset: frozenset[int], period: int, data: Floats) -> None:
    if not data.any():
        return
    ratios = [common_efficiency(formulation, slot) for slot in sorted(subset)]
    used, reference, efficiency = ratios[0]
    if efficiency is None:
        return
    shape = efficiency[used] / efficiency[reference]
    for _, _, other in ratios[1:]:
        if other is None or not np.allclose(other[used] / other[reference], shape, rtol=PROPORTION_TOLERANCE, atol=0.0):
            return
    terms: Terms = []
    for slot in sorted(subset):
        terms += formulation.capacity_terms(slot, period, POOL, efficiency_of=reference)
    load = float((data[used] * (efficiency[reference] / efficiency[used])).sum())
    formulation.model.add_row("CAP-001", terms, lower=load)
