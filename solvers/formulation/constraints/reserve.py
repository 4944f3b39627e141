"""CAP-003: compute kept for failovers.

Exact with pairs: own load of k plus what the failure of one fault domain D sends to k is within capacity, for every k
and D. In the separate formulation who goes where is not known, but what leaves D must fit into what is free on the
slots that it may go to: for every D and set K of standby slots, Σ_{k∈K} (capacity_k − own_k) ≥ Σ load of the units in D
whose standby options lie in K.

Both are weak where slots are open by fractions: two clusters' worth of openings spread over ten sites would share the
reserve of ten. With N domains open among a set E that holds every option of some units, each domain's load fits into
the others' free capacity; summed over the open domains, Σ_{k∈E} (capacity_k − own_k) ≥ load / (N − 1). The right side
is convex in N, so its secants between whole numbers are valid rows: load · (2n − N) / (n (n − 1)) for n = 2, 3, …
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from fleet.quantities import COMPUTE_RESOURCES, RESOURCES
from solvers.formulation.constraints.capacity import load_terms
from solvers.formulation.variables import NO_STANDBY, Formulation, Terms
from solvers.linear.model import Floats

#: (slot, factor) → factor · (capacity − own load) of the slot.
Slack = Callable[[int, float], Terms]


def encode(formulation: Formulation) -> None:
    """Add the reserve rows of every slot, resource and period."""
    problem = formulation.problem
    if not any(demand_class.is_protected for demand_class in problem.classes):
        return
    compute = np.array([demand_class.compute for demand_class in problem.classes])
    moved = np.array([demand_class.standby_compute for demand_class in problem.classes])
    is_shared = problem.inventory.policy.standby_reserve == "shared"
    for number, resource in enumerate(COMPUTE_RESOURCES):
        if not moved[:, :, number].any():
            continue
        for period in formulation.load_periods:
            own, sent = compute[:, period, number], moved[:, period, number]
            slack = compute_slack(formulation, RESOURCES.index(resource), period, own)
            if not is_shared:
                dedicated(formulation, slack, sent, "CAP-003")
                continue
            if formulation.has_pairs:
                by_pair(formulation, slack, sent, "CAP-003")
            else:
                by_subset(formulation, slack, sent, "CAP-003")
            by_count(formulation, slack, sent, period, "CAP-003")


def compute_slack(formulation: Formulation, resource: int, period: int, own: Floats) -> Slack:
    """Free capacity of a slot, with the nodes kept free where the policy lets failovers use them."""
    free = formulation.problem.inventory.policy.standby_uses_node_reserve

    def slack(slot: int, factor: float) -> Terms:
        columns, classes = formulation.columns_of(formulation.primary_of == slot)
        terms = formulation.capacity_terms(slot, period, resource, free=free)
        terms += [(column, -load) for column, load in load_terms(columns, own[classes])]
        return formulation.free_terms(("compute", slot, resource, period), "CAP-003", terms, factor)

    return slack


def domains(formulation: Formulation) -> dict[str, list[int]]:
    """The usable slots of each fault domain."""
    problem = formulation.problem
    result: dict[str, list[int]] = defaultdict(list)
    for slot in formulation.slots:
        result[problem.inventory.site(problem.slots[slot].site).fault_domain].append(slot)
    return dict(sorted(result.items()))


def by_pair(formulation: Formulation, slack: Slack, sent: Floats, rule: str) -> None:
    """What each fault domain sends to a slot fits into its free capacity."""
    members_of = domains(formulation)
    for slot in formulation.slots:
        taken: Terms | None = None
        for members in members_of.values():
            mask = (formulation.standby_of == slot) & np.isin(formulation.primary_of, members)
            columns, classes = formulation.columns_of(mask)
            terms = load_terms(columns, sent[classes])
            if terms:
                taken = taken or slack(slot, -1.0)
                formulation.model.add_row(rule, [*terms, *taken], upper=0.0)


def dedicated(formulation: Formulation, slack: Slack, sent: Floats, rule: str) -> None:
    """All that stands by on a slot fits into its free capacity."""
    for slot in formulation.slots:
        columns, classes = formulation.columns_of(formulation.standby_of == slot)
        terms = load_terms(columns, sent[classes])
        if terms:
            formulation.model.add_row(rule, [*terms, *slack(slot, -1.0)], upper=0.0)


def by_subset(formulation: Formulation, slack: Slack, sent: Floats, rule: str) -> None:
    """What leaves each fault domain fits into the free capacity of the slots that it may go to."""
    problem, model = formulation.problem, formulation.model
    free = {slot: slack(slot, 1.0) for slot in formulation.slots}
    by_domain = domains(formulation)
    usable = set(formulation.slots)
    for members in by_domain.values():
        options: dict[int, frozenset[int]] = {}
        known: dict[int, frozenset[int]] = {}
        for demand_class in problem.classes:
            if demand_class.group_pairs is not None and sent[demand_class.index] > 0:
                groups = demand_class.view.group_of_slot
                if id(demand_class.group_pairs) not in known:
                    reach = np.asarray(demand_class.group_pairs[groups[members]].any(axis=0))[groups]
                    known[id(demand_class.group_pairs)] = frozenset(np.flatnonzero(reach).tolist()) & usable
                options[demand_class.index] = known[id(demand_class.group_pairs)]
        options = {index: reach for index, reach in options.items() if reach}
        for subset in heaviest_sets(formulation, options, sent):
            inside = [index for index, reach in options.items() if reach <= subset]
            mask = np.isin(formulation.primary_of, members) & np.isin(formulation.class_of, inside)
            columns, classes = formulation.columns_of(mask)
            terms = [(column, -load) for column, load in load_terms(columns, sent[classes])]
            if terms:
                for slot in sorted(subset):
                    terms += free[slot]
                model.add_row(rule, terms, lower=0.0)
    if len(by_domain) < 2:
        return
    for slot in formulation.slots:
        mask = (formulation.standby_of == slot) & (formulation.standby_of != NO_STANDBY)
        columns, classes = formulation.columns_of(mask)
        terms = [(column, -load) for column, load in load_terms(columns, sent[classes])]
        if terms:
            terms += [(column, value * (len(by_domain) - 1)) for column, value in free[slot]]
            model.add_row(rule, terms, lower=0.0)


def by_count(formulation: Formulation, slack: Slack, sent: Floats, period: int, rule: str) -> None:
    """Free capacity among a set of slots is at least the load that must stay in the set over its open domains − 1."""
    problem = formulation.problem
    options: dict[int, frozenset[int]] = {}
    usable = set(formulation.slots)
    for demand_class in problem.classes:
        pairs = demand_class.group_pairs
        if pairs is not None and sent[demand_class.index] > 0 and demand_class.index not in formulation.unserved:
            reach = np.asarray(pairs.any(axis=0) | pairs.any(axis=1))[demand_class.view.group_of_slot]
            options[demand_class.index] = frozenset(np.flatnonzero(reach).tolist()) & usable
    for subset in heaviest_sets(formulation, options, sent):
        load = sum(
            float(sent[index]) * problem.classes[index].count for index, reach in options.items() if reach <= subset
        )
        free: Terms = []
        opened: Terms = []
        for slot in sorted(subset):
            free += slack(slot, 1.0)
            opened += formulation.domain_terms(slot, period)
        for count in secant_counts(len(subset), formulation.problem.parameters.formulation.secant_density):
            share = load / (count * (count - 1))
            # free ≥ share · (2 count − N)
            terms = [*free, *((column, share * value) for column, value in opened)]
            formulation.model.add_row(rule, terms, lower=share * 2 * count)


def secant_counts(size: int, density: int) -> list[int]:
    """The whole numbers from which secants are taken: all up to twice the density, ever fewer larger ones."""
    counts, count = [], 2
    while count < max(size, 3):
        counts.append(count)
        count += max(1, count // density)
    return counts


def heaviest_sets(formulation: Formulation, options: dict[int, frozenset[int]], sent: Floats) -> list[frozenset[int]]:
    """The set of all options, and the option sets that hold most load."""
    if not options:
        return []
    everything = frozenset().union(*options.values())
    weight: dict[frozenset[int], float] = defaultdict(float)
    for index, reach in options.items():
        weight[reach] += float(sent[index]) * formulation.problem.classes[index].count
    weight.pop(everything, None)
    tuning = formulation.problem.parameters.formulation
    is_many = len(formulation.problem.classes) > tuning.many_classes
    count = tuning.subsets_of_many if is_many else tuning.subsets_per_domain
    heaviest = sorted(weight, key=lambda reach: (-weight[reach], sorted(reach)))[:count]
    return [everything, *heaviest]
