"""ASG-001, ASG-002, ASG-005, ASG-006: every unit of every class runs on one slot that is open and fits it."""

from __future__ import annotations

import numpy as np

from fleet.inventory.inventory import Demand, Inventory
from solvers.formulation.variables import NO_STANDBY, Formulation
from solvers.linear.model import Integers
from solvers.problem.sets import ArchetypeSegment, DemandClass
from solvers.problem.slots import exists, fits, protected


def encode(formulation: Formulation) -> None:
    """Add the placement columns, the assignment rows and the rows that tie placements to open slots."""
    _columns(formulation)
    fitting = _Fitting(formulation)
    for demand_class in formulation.problem.classes:
        _served(formulation, demand_class)
        _open(formulation, demand_class, fitting)


def allow_unserved(formulation: Formulation) -> None:
    """Let units of every class be left out; what that costs is up to the caller."""
    for demand_class in formulation.problem.classes:
        formulation.unserved[demand_class.index] = formulation.model.add_variable(0.0, float(demand_class.count), True)


def _columns(formulation: Formulation) -> None:
    problem = formulation.problem
    usable = np.zeros(len(problem.slots), dtype=bool)
    usable[list(formulation.slots)] = True
    classes: list[Integers] = []
    primaries: list[Integers] = []
    standbys: list[Integers] = []
    for demand_class in problem.classes:
        if demand_class.pairs is None:
            primary = np.flatnonzero(demand_class.eligible & usable)
            standby = np.full(len(primary), NO_STANDBY)
        elif formulation.has_pairs:
            primary, standby = np.nonzero(demand_class.pairs & usable[:, None] & usable[None, :])
        else:
            allowed = demand_class.pairs & usable[:, None] & usable[None, :]
            first, second = np.flatnonzero(allowed.any(axis=1)), np.flatnonzero(allowed.any(axis=0))
            primary = np.concatenate([first, np.full(len(second), NO_STANDBY)])
            standby = np.concatenate([np.full(len(first), NO_STANDBY), second])
        classes.append(np.full(len(primary), demand_class.index))
        primaries.append(primary)
        standbys.append(standby)
    formulation.class_of = _joined(classes)
    formulation.primary_of = _joined(primaries)
    formulation.standby_of = _joined(standbys)
    counts = np.array([demand_class.count for demand_class in problem.classes], dtype=np.float64)
    formulation.placement = formulation.model.add_variables(counts[formulation.class_of], integer=formulation.whole)


def _joined(parts: list[Integers]) -> Integers:
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)


def _served(formulation: Formulation, demand_class: DemandClass) -> None:
    model = formulation.model
    own = formulation.columns_of_class(demand_class.index)
    placing = [formulation.primary_of[own] != NO_STANDBY]
    if demand_class.is_protected and not formulation.has_pairs:
        placing.append(formulation.standby_of[own] != NO_STANDBY)
    for mask in placing:
        columns = formulation.placement[own][mask]
        values = np.ones(len(columns))
        if demand_class.index in formulation.unserved:
            columns = np.append(columns, formulation.unserved[demand_class.index])
            values = np.append(values, 1.0)
        model.add_arrays("ASG-001", columns, values, float(demand_class.count), float(demand_class.count))


def _open(formulation: Formulation, demand_class: DemandClass, fitting: _Fitting) -> None:
    """Units run on open slots only: x ≤ count · (the slot uses a segment that fits), whenever what runs there exists.

    Standby copies count beside it, x + s ≤ count · …, over the segments that fit what is copied: no fewer, as other
    members of a unit may ask for more. Where a period asks for the same as the one before, its rows follow from those.
    """
    everyone, copied = demand_class.units[0].demands, protected(demand_class.units[0].demands)
    columns = formulation.columns_of_class(demand_class.index)
    primary, standby, placement = (
        array[columns] for array in (formulation.primary_of, formulation.standby_of, formulation.placement)
    )
    for slot in sorted({*primary.tolist(), *standby.tolist()} - {NO_STANDBY}):
        runs_here, stands_by = placement[primary == slot], placement[standby == slot]
        before: tuple[list[int] | None, list[int] | None] = (None, None)
        for period in range(formulation.problem.periods):
            needed = (
                fitting.of(demand_class, slot, everyone, period) if len(runs_here) else None,
                fitting.of(demand_class, slot, copied, period) if len(stands_by) else None,
            )
            if needed == before and not any(_grows_worse(formulation.segments(slot), segments) for segments in needed):
                continue
            before = needed
            if needed[0] is not None and needed[0] != needed[1]:
                _within(formulation, demand_class, slot, period, runs_here, needed[0])
            if needed[1] is not None:
                both = stands_by if needed[0] is None else np.concatenate([runs_here, stands_by])
                _within(formulation, demand_class, slot, period, both, needed[1])
        if formulation.problem.slots[slot].copies > 1:
            here = np.concatenate([runs_here, stands_by])
            terms = [(int(column), 1.0) for column in here]
            site = formulation.problem.slots[slot].site
            terms += formulation.site_open_terms(site, demand_class.first_period, -float(demand_class.count))
            formulation.model.add_row("ASG-002", terms, upper=0.0)


class _Fitting:
    """The segments of a slot that fit demands in a period; known once for all classes that ask for the same."""

    def __init__(self, formulation: Formulation) -> None:
        self.formulation = formulation
        self._known: dict[tuple[object, ...], list[int] | None] = {}

    def of(self, demand_class: DemandClass, slot: int, demands: tuple[Demand, ...], period: int) -> list[int] | None:
        """The segments that fit; None where none of the demands exists then."""
        segments = self.formulation.segments(slot)
        asked = tuple(demand in demands for demand in demand_class.units[0].demands)
        key = (demand_class.asks, asked, id(segments), period)
        if not demand_class.asks or key not in self._known:
            self._known[key] = _fitting(self.formulation.problem.inventory, segments, demands, period)
        return self._known[key]


def _fitting(
    inventory: Inventory, segments: tuple[ArchetypeSegment, ...], demands: tuple[Demand, ...], period: int
) -> list[int] | None:
    """The segments that fit `demands` in a period; None where none of them exists then."""
    if not exists(inventory, demands, period):
        return None
    return [number for number, segment in enumerate(segments) if fits(inventory, demands, segment, period)]


def _within(
    formulation: Formulation, demand_class: DemandClass, slot: int, period: int, columns: Integers, fitting: list[int]
) -> None:
    terms = [(int(column), 1.0) for column in columns]
    if formulation.sparse and len(fitting) == len(formulation.segments(slot)):
        if formulation.problem.slots[slot].copies > 1 and period == demand_class.first_period:
            return  # x ≤ count · (the site is open), and a site is open with a cluster only
        terms.append((formulation.any_segment(slot, period), -float(demand_class.count)))
    else:
        terms += formulation.open_terms(slot, period, -float(demand_class.count), fitting)
    formulation.model.add_row("ASG-005", terms, upper=0.0)


def _grows_worse(segments: tuple[ArchetypeSegment, ...], fitting: list[int] | None) -> bool:
    """Whether a cluster of a segment that fits may become one that does not."""
    return (
        fitting is not None
        and len(fitting) < len(segments)
        and any(
            segments[other].node_model == segments[number].node_model
            and segments[other].highest >= segments[number].lowest
            for number in fitting
            for other in range(len(segments))
            if other not in fitting
        )
    )
