"""ASG-001, ASG-002, ASG-005, ASG-006: every unit of every class runs on one slot that is open and fits it."""

from __future__ import annotations

import numpy as np

from solvers.formulation import NO_STANDBY, Formulation
from solvers.linear import Integers
from solvers.problem import DemandClass


def encode(formulation: Formulation) -> None:
    """Add the placement columns, the assignment rows and the rows that tie placements to open slots."""
    _columns(formulation)
    for part in formulation.problem.classes:
        _served(formulation, part)
        _open(formulation, part)


def allow_unserved(formulation: Formulation) -> None:
    """Let units of every class be left out; what that costs is up to the caller."""
    for part in formulation.problem.classes:
        formulation.unserved[part.index] = formulation.model.add_variable(0.0, float(part.count), True)


def _columns(formulation: Formulation) -> None:
    problem = formulation.problem
    usable = np.zeros(len(problem.slots), dtype=bool)
    usable[list(formulation.slots)] = True
    classes: list[Integers] = []
    primaries: list[Integers] = []
    standbys: list[Integers] = []
    for part in problem.classes:
        if part.pairs is None:
            primary = np.flatnonzero(part.eligible & usable)
            standby = np.full(len(primary), NO_STANDBY)
        elif formulation.has_pairs:
            primary, standby = np.nonzero(part.pairs & usable[:, None] & usable[None, :])
        else:
            allowed = part.pairs & usable[:, None] & usable[None, :]
            first, second = np.flatnonzero(allowed.any(axis=1)), np.flatnonzero(allowed.any(axis=0))
            primary = np.concatenate([first, np.full(len(second), NO_STANDBY)])
            standby = np.concatenate([np.full(len(first), NO_STANDBY), second])
        classes.append(np.full(len(primary), part.index))
        primaries.append(primary)
        standbys.append(standby)
    formulation.class_of = _joined(classes)
    formulation.primary_of = _joined(primaries)
    formulation.standby_of = _joined(standbys)
    counts = np.array([part.count for part in problem.classes], dtype=np.float64)
    formulation.placement = formulation.model.add_variables(counts[formulation.class_of], integer=formulation.whole)


def _joined(parts: list[Integers]) -> Integers:
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)


def _served(formulation: Formulation, part: DemandClass) -> None:
    model = formulation.model
    own = formulation.class_of == part.index
    placing = [own & (formulation.primary_of != NO_STANDBY)]
    if part.is_protected and not formulation.has_pairs:
        placing.append(own & (formulation.standby_of != NO_STANDBY))
    for mask in placing:
        columns = formulation.placement[mask]
        values = np.ones(len(columns))
        if part.index in formulation.unserved:
            columns = np.append(columns, formulation.unserved[part.index])
            values = np.append(values, 1.0)
        model.add_arrays("ASG-001", columns, values, float(part.count), float(part.count))


def _open(formulation: Formulation, part: DemandClass) -> None:
    """x + s ≤ count · (the slot uses a run that fits), from the first period of the demand on."""
    model = formulation.model
    own = formulation.class_of == part.index
    for slot in formulation.slots:
        here = own & ((formulation.primary_of == slot) | (formulation.standby_of == slot))
        columns = formulation.placement[here]
        if not len(columns):
            continue
        fitting = [number for number, run in enumerate(formulation.runs(slot)) if part.fits(run)]
        for period in _binding_periods(formulation, slot, part, fitting):
            terms = [(int(column), 1.0) for column in columns]
            terms += formulation.open_terms(slot, period, -float(part.count), fitting)
            model.add_row("ASG-005", terms, upper=0.0)


def _binding_periods(formulation: Formulation, slot: int, part: DemandClass, fitting: list[int]) -> range:
    """The first period of the class; all from it on where a larger cluster of the model may fit less."""
    runs = formulation.runs(slot)
    grows_worse = any(
        runs[other].node_model == runs[number].node_model and runs[other].lowest > runs[number].highest
        for number in fitting
        for other in range(len(runs))
        if other not in fitting
    )
    return range(part.first_period, formulation.problem.periods if grows_worse else part.first_period + 1)
