"""PIN-001: decisions taken by the planner. Pins of assignments are obeyed in the eligible slots already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fleet.inventory.tables.pins import Pin
from fleet.plan.pinning import first_period, sizes, wanted_nodes, wants_upgrade
from solvers.formulation.variables import Formulation, Terms
from solvers.linear.model import INFINITY

#: (terms, lower, upper) of a row.
Row = tuple[Terms, float, float]


def encode(formulation: Formulation) -> None:
    """Add the rows of every pin that concerns sites, clusters or links, pin by pin."""
    for pin in formulation.problem.inventory.pins:
        for terms, lower, upper in rows_of(formulation, pin):
            formulation.model.add_row("PIN-001", terms, lower, upper)


def rows_of(formulation: Formulation, pin: Pin) -> Iterator[Row]:
    """The rows that one pin asks for."""
    if pin.decision in ("open", "close"):
        yield from _site(formulation, pin)
    elif pin.decision == "node_model":
        yield from _node_model(formulation, pin)
    elif pin.decision == "nodes":
        yield from _nodes(formulation, pin)
    elif pin.decision == "link_upgrade":
        yield from _link(formulation, pin)


def _periods(formulation: Formulation, pin: Pin) -> Iterable[int]:
    return range(first_period(pin), formulation.problem.periods)


def _slots(formulation: Formulation, pin: Pin) -> tuple[int, ...]:
    problem = formulation.problem
    return tuple(
        slot for slot in formulation.slots if sizes(pin, problem.slots[slot].cluster, problem.slots[slot].site)
    )


def _site(formulation: Formulation, pin: Pin) -> Iterator[Row]:
    for period in _periods(formulation, pin):
        terms: Terms = []
        for slot in _slots(formulation, pin):
            terms += formulation.open_terms(slot, period)
        if pin.decision == "open":
            yield terms, 1.0, INFINITY
        elif terms:
            yield terms, -INFINITY, 0.0


def _node_model(formulation: Formulation, pin: Pin) -> Iterator[Row]:
    for slot in _slots(formulation, pin):
        others = [n for n, segment in enumerate(formulation.segments(slot)) if segment.node_model != pin.value]
        if others:
            for period in _periods(formulation, pin):
                yield formulation.open_terms(slot, period, among=others), -INFINITY, 0.0


def _nodes(formulation: Formulation, pin: Pin) -> Iterator[Row]:
    """At least so many nodes on what stands at the site, or on the cluster where one is named."""
    for period in _periods(formulation, pin):
        terms: Terms = []
        for slot in _slots(formulation, pin):
            for number in range(len(formulation.segments(slot))):
                terms += formulation.node_terms(slot, number, period)
        yield terms, float(wanted_nodes(pin) or 0), INFINITY


def _link(formulation: Formulation, pin: Pin) -> Iterator[Row]:
    wanted = wants_upgrade(pin)
    for period in _periods(formulation, pin):
        column = formulation.upgrade.get((pin.link, period))
        if column is not None:
            bound = 1.0 if wanted else 0.0
            yield [(column, 1.0)], bound, bound
        elif wanted:
            yield [], 1.0, INFINITY
