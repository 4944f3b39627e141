"""PIN-001: decisions taken by the planner. Pins of assignments are obeyed in the eligible slots already."""

from __future__ import annotations

from collections.abc import Iterable

from fleet.inventory.pins import Pin
from fleet.plan.pinning import first_period, sizes, wanted_nodes, wants_upgrade
from solvers.formulation import Formulation, Terms


def encode(formulation: Formulation) -> None:
    """Add the rows of every pin that concerns sites, clusters or links."""
    for pin in formulation.problem.inventory.pins:
        if pin.decision in ("open", "close"):
            _site(formulation, pin)
        elif pin.decision in ("node_model", "nodes"):
            _hardware(formulation, pin)
        elif pin.decision == "link_upgrade":
            _link(formulation, pin)


def _periods(formulation: Formulation, pin: Pin) -> Iterable[int]:
    return range(first_period(pin), formulation.problem.periods)


def _slots(formulation: Formulation, pin: Pin) -> tuple[int, ...]:
    problem = formulation.problem
    return tuple(
        slot
        for slot in formulation.slots
        if sizes(pin, problem.slots[slot].cluster, problem.slots[slot].site)
    )


def _site(formulation: Formulation, pin: Pin) -> None:
    for period in _periods(formulation, pin):
        terms: Terms = []
        for slot in _slots(formulation, pin):
            terms += formulation.open_terms(slot, period)
        if pin.decision == "open":
            formulation.model.add_row("PIN-001", terms, lower=1.0)
        elif terms:
            formulation.model.add_row("PIN-001", terms, upper=0.0)


def _hardware(formulation: Formulation, pin: Pin) -> None:
    """The model, or at least the node count, of what stands at a site; a blank site in a cluster's pin is its site."""
    for slot in _slots(formulation, pin):
        for period in _periods(formulation, pin):
            if pin.decision == "node_model":
                others = [n for n, run in enumerate(formulation.runs(slot)) if run.node_model != pin.value]
                if others:
                    formulation.model.add_row(
                        "PIN-001", formulation.open_terms(slot, period, among=others), upper=0.0
                    )
    if pin.decision == "nodes":
        for period in _periods(formulation, pin):
            terms: Terms = []
            for slot in _slots(formulation, pin):
                for number in range(len(formulation.runs(slot))):
                    terms += formulation.node_terms(slot, number, period)
            formulation.model.add_row("PIN-001", terms, lower=float(wanted_nodes(pin) or 0))


def _link(formulation: Formulation, pin: Pin) -> None:
    wanted = wants_upgrade(pin)
    for period in _periods(formulation, pin):
        column = formulation.upgrade.get((pin.link, period))
        if column is None:
            if wanted:
                formulation.model.add_row("PIN-001", [], lower=1.0)
            continue
        bound = 1.0 if wanted else 0.0
        formulation.model.add_row("PIN-001", [(column, 1.0)], lower=bound, upper=bound)
