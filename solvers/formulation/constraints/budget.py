"""BUD-001: nominal capex within the budget, residual values not counted."""

from __future__ import annotations

from solvers.formulation.constraints.cabling import saved_capex_terms, segment_purchase
from solvers.formulation.variables import Formulation, Terms


def encode(formulation: Formulation) -> None:
    """Add the budget row, where there is a budget. Node counts never fall, so the last period tells what was bought."""
    problem = formulation.problem
    limit = problem.inventory.policy.budget
    if limit is None:
        return
    terms, constant = capex_terms(formulation)
    formulation.model.add_row("BUD-001", terms, upper=limit - constant)


def capex_terms(formulation: Formulation) -> tuple[Terms, float]:
    """Nominal capex as terms and a constant."""
    problem = formulation.problem
    last = problem.periods - 1
    terms: Terms = []
    constant = 0.0
    for slot in formulation.slots:
        existing = problem.slots[slot].existing
        for number, segment in enumerate(formulation.segments(slot)):
            price = segment_purchase(problem, slot, segment)
            terms += formulation.node_terms(slot, number, last, price)
            if existing is not None:
                retire = 0.0 if existing.keep else existing.cost_to_retire
                terms.append((formulation.segment[slot, number, 0], -(price * existing.nodes + retire)))
        if existing is not None:
            constant += 0.0 if existing.keep else existing.cost_to_retire
    terms += saved_capex_terms(formulation)
    for site in sorted({problem.slots[slot].site for slot in formulation.slots}):
        terms += formulation.site_open_terms(site, last, problem.rates.site_opening(site))
    return terms, constant
