"""CAP-003: compute kept for failovers.

Exact with pairs: own load of k plus what the failure of one fault domain D sends to k is within capacity, for every k and
D. In the separate formulation who goes where is not known, but what leaves D must fit into what is free on the slots
that it may go to: for every D and set K of standby slots, Σ_{k∈K} (capacity_k − own_k) ≥ Σ load of the units in D whose
standby options lie in K.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from fleet.quantities import COMPUTE_RESOURCES, RESOURCES
from solvers.encoders.capacity import load_terms
from solvers.formulation import NO_STANDBY, Formulation, Terms
from solvers.linear import Floats

#: Standby sets per fault domain that get a row of their own besides the set of all.
SUBSETS_PER_DOMAIN = 8


def encode(formulation: Formulation) -> None:
    """Add the reserve rows of every slot, resource and period."""
    problem = formulation.problem
    if not any(part.is_protected for part in problem.classes):
        return
    compute = np.array([part.compute for part in problem.classes])
    moved = np.array([part.standby_compute for part in problem.classes])
    for number, resource in enumerate(COMPUTE_RESOURCES):
        if not moved[:, :, number].any():
            continue
        for period in range(problem.periods):
            own, sent = compute[:, period, number], moved[:, period, number]
            if problem.inventory.policy.standby_reserve == "dedicated":
                _dedicated(formulation, RESOURCES.index(resource), period, own, sent)
            elif formulation.has_pairs:
                _by_pair(formulation, RESOURCES.index(resource), period, own, sent)
            else:
                _by_subset(formulation, RESOURCES.index(resource), period, own, sent)


def domains(formulation: Formulation) -> dict[str, list[int]]:
    """The usable slots of each fault domain."""
    problem = formulation.problem
    result: dict[str, list[int]] = defaultdict(list)
    for slot in formulation.slots:
        result[problem.inventory.site(problem.slots[slot].site).fault_domain].append(slot)
    return dict(sorted(result.items()))


def slack_terms(formulation: Formulation, slot: int, resource: int, period: int, own: Floats, factor: float) -> Terms:
    """factor · (capacity − own load) of a slot, with the nodes kept free where the policy lets failovers use them."""
    free = formulation.problem.inventory.policy.standby_uses_node_reserve
    columns, classes = formulation.columns_of(formulation.primary_of == slot)
    terms = formulation.capacity_terms(slot, period, resource, free=free, factor=factor)
    terms += [(column, -factor * load) for column, load in load_terms(columns, own[classes])]
    return terms


def _by_pair(formulation: Formulation, resource: int, period: int, own: Floats, sent: Floats) -> None:
    for slot in formulation.slots:
        slack: Terms | None = None
        for members in domains(formulation).values():
            mask = (formulation.standby_of == slot) & np.isin(formulation.primary_of, members)
            columns, classes = formulation.columns_of(mask)
            terms = load_terms(columns, sent[classes])
            if terms:
                slack = slack or slack_terms(formulation, slot, resource, period, own, -1.0)
                formulation.model.add_row("CAP-003", [*terms, *slack], upper=0.0)


def _dedicated(formulation: Formulation, resource: int, period: int, own: Floats, sent: Floats) -> None:
    for slot in formulation.slots:
        columns, classes = formulation.columns_of(formulation.standby_of == slot)
        terms = load_terms(columns, sent[classes])
        if terms:
            slack = slack_terms(formulation, slot, resource, period, own, -1.0)
            formulation.model.add_row("CAP-003", [*terms, *slack], upper=0.0)


def _by_subset(formulation: Formulation, resource: int, period: int, own: Floats, sent: Floats) -> None:
    problem, model = formulation.problem, formulation.model
    slack = {slot: slack_terms(formulation, slot, resource, period, own, 1.0) for slot in formulation.slots}
    by_domain = domains(formulation)
    usable = np.zeros(len(problem.slots), dtype=bool)
    usable[list(formulation.slots)] = True
    for members in by_domain.values():
        options: dict[int, frozenset[int]] = {}
        for part in problem.classes:
            if part.pairs is not None and sent[part.index] > 0:
                reach = part.pairs[members].any(axis=0) & usable
                if reach.any():
                    options[part.index] = frozenset(np.flatnonzero(reach).tolist())
        for subset in _subsets(formulation, options, sent):
            inside = [index for index, reach in options.items() if reach <= subset]
            mask = np.isin(formulation.primary_of, members) & np.isin(formulation.class_of, inside)
            columns, classes = formulation.columns_of(mask)
            terms = [(column, -load) for column, load in load_terms(columns, sent[classes])]
            if terms:
                for slot in sorted(subset):
                    terms += slack[slot]
                model.add_row("CAP-003", terms, lower=0.0)
    if len(by_domain) < 2:
        return
    for slot in formulation.slots:
        mask = (formulation.standby_of == slot) & (formulation.standby_of != NO_STANDBY)
        columns, classes = formulation.columns_of(mask)
        terms = [(column, -load) for column, load in load_terms(columns, sent[classes])]
        if terms:
            terms += [(column, value * (len(by_domain) - 1)) for column, value in slack[slot]]
            model.add_row("CAP-003", terms, lower=0.0)


def _subsets(formulation: Formulation, options: dict[int, frozenset[int]], sent: Floats) -> list[frozenset[int]]:
    """The set of all options, and the option sets that most load depends on."""
    if not options:
        return []
    everything = frozenset().union(*options.values())
    weight: dict[frozenset[int], float] = defaultdict(float)
    for index, reach in options.items():
        weight[reach] += float(sent[index]) * formulation.problem.classes[index].count
    weight.pop(everything, None)
    heaviest = sorted(weight, key=lambda reach: (-weight[reach], sorted(reach)))[:SUBSETS_PER_DOMAIN]
    return [everything, *heaviest]
