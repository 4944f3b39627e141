"""DR-001, DR-002, DR-003, DR-004, DR-006: which standby a primary may have.

With pairs the columns themselves are the allowed pairs. In the separate formulation the units that run on a slot are no
more than those that stand by on the slots it may pair with, and the other way round.
"""

from __future__ import annotations

import numpy as np

from solvers.formulation.variables import NO_STANDBY, Formulation
from solvers.problem.sets import DemandClass


def encode(formulation: Formulation) -> None:
    """Add the rows that tie standbys to primaries, and the one partner of each cluster where the policy asks for it."""
    if not formulation.has_pairs:
        for demand_class in formulation.problem.classes:
            if demand_class.pairs is not None:
                _linked(formulation, demand_class)
    elif formulation.problem.inventory.policy.partner_scope == "cluster":
        _one_partner(formulation)


def _linked(formulation: Formulation, demand_class: DemandClass) -> None:
    own = formulation.class_of == demand_class.index
    primaries = own & (formulation.primary_of != NO_STANDBY)
    standbys = own & (formulation.standby_of != NO_STANDBY)
    pairs = demand_class.pairs
    if pairs is None:
        return
    for near, far, allowed in ((primaries, standbys, pairs), (standbys, primaries, pairs.T)):
        near_slots = formulation.primary_of[near] if near is primaries else formulation.standby_of[near]
        far_slots = formulation.primary_of[far] if far is primaries else formulation.standby_of[far]
        near_columns, far_columns = formulation.placement[near], formulation.placement[far]
        for slot, column in zip(near_slots.tolist(), near_columns.tolist(), strict=True):
            partners = allowed[slot][far_slots]
            others = far_slots != slot
            if bool(np.all(partners[others])):
                continue  # only itself is excluded: the row x + s ≤ count · open says it already
            if int(partners.sum()) <= int((~partners).sum()):
                columns = np.append(far_columns[partners], column)
                values = np.append(np.ones(int(partners.sum())), -1.0)
                formulation.model.add_arrays("DR-001", columns, values, 0.0, float("inf"))
            else:  # all stand by somewhere, so those that may pair are all but those that may not
                columns = np.append(far_columns[~partners], column)
                values = np.ones(len(columns))
                formulation.model.add_arrays("DR-001", columns, values, -float("inf"), float(demand_class.count))


def _one_partner(formulation: Formulation) -> None:
    model, problem = formulation.model, formulation.problem
    counts = np.array([demand_class.count for demand_class in problem.classes], dtype=np.float64)
    for slot in formulation.slots:
        chosen: list[int] = []
        for partner in formulation.slots:
            mask = (formulation.primary_of == slot) & (formulation.standby_of == partner)
            columns, classes = formulation.columns_of(mask)
            if not len(columns):
                continue
            binary = model.add_variable(0, 1, True)
            chosen.append(binary)
            for column, demand_class in zip(columns.tolist(), classes.tolist(), strict=True):
                model.add_row("DR-006", [(column, 1.0), (binary, -float(counts[demand_class]))], upper=0.0)
        if chosen:
            model.add_row("DR-006", [(column, 1.0) for column in chosen], upper=1.0)
