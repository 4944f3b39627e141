"""SIT-001, SIT-002: what a site can hold, and what opening it costs.

Limits bind the sum over the slots of a site. Free slots of one site are interchangeable and open in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.sites import Site
from fleet.quantities import WATTS_PER_KW
from solvers.formulation.constraints.growth import opening_weight
from solvers.formulation.variables import Formulation, Terms


def encode(formulation: Formulation) -> None:
    """Add site openings, their costs and the limits of every site."""
    problem = formulation.problem
    for name in sorted({problem.slots[slot].site for slot in formulation.slots}):
        _opening(formulation, name)
        _limits(formulation, problem.inventory.site(name))
        _order(formulation, name)


def _opening(formulation: Formulation, site: str) -> None:
    problem, model = formulation.problem, formulation.model
    slots = formulation.slots_at(site)
    opening, monthly = problem.rates.site_opening(site), problem.rates.site_monthly(site)
    for period in range(problem.periods):
        if len(slots) > 1 or problem.slots[slots[0]].copies > 1:
            column = model.add_variable(0, 1, True)
            formulation.site_open[site, period] = column
            for slot in slots:
                copies = float(problem.slots[slot].copies)
                model.add_row("SIT-001", [(column, copies), *formulation.open_terms(slot, period, -1.0)], lower=0.0)
            some = [term for slot in slots for term in formulation.open_terms(slot, period)]
            model.add_row("SIT-001", [(column, -1.0), *some], lower=0.0)
        cost = opening * opening_weight(formulation, period) + monthly * problem.rates.monthly_factor(period)
        for column, factor in formulation.site_open_terms(site, period):
            model.cost[column] += cost * factor
    if (site, 0) in formulation.site_open:
        for period in range(problem.periods - 1):
            model.add_row(
                "SIT-001",
                [(formulation.site_open[site, period + 1], 1.0), (formulation.site_open[site, period], -1.0)],
                lower=0.0,
            )


def node_limits(site: Site, catalog: Mapping[str, NodeModel]) -> Iterator[tuple[str, float, dict[str, float]]]:
    """The limits of a site on its nodes: column, value, and what a node of each model takes of it."""
    for column, limit, amount in (
        ("max_nodes", site.max_nodes, dict.fromkeys(catalog, 1.0)),
        ("max_power_kw", site.max_power_kw, {name: row.watts / WATTS_PER_KW for name, row in catalog.items()}),
        ("max_rack_units", site.max_rack_units, {name: float(row.rack_units) for name, row in catalog.items()}),
    ):
        if limit is not None:
            yield column, float(limit), amount


def limit_rows(formulation: Formulation, site: Site) -> Iterator[tuple[str, float, Terms]]:
    """The limits of a site on what stands there at once: column, value, and the terms that it binds.

    Node counts never fall and what is retired goes in the first month, so the last period binds. Clusters are limited
    where there are more slots than places: what may be retired leaves its place to a new one.
    """
    problem, last, slots = formulation.problem, formulation.problem.periods - 1, formulation.slots_at(site.site)
    if sum(problem.slots[slot].copies for slot in slots) > site.max_clusters:
        every = [term for slot in slots for term in formulation.open_terms(slot, last)]
        yield "max_clusters", float(site.max_clusters), every
    for column, limit, amount in node_limits(site, problem.inventory.node_model_by_name):
        terms: Terms = []
        for slot in slots:
            for number, segment in enumerate(formulation.segments(slot)):
                terms += formulation.node_terms(slot, number, last, amount[segment.node_model])
        yield column, limit, terms


def _limits(formulation: Formulation, site: Site) -> None:
    for _, limit, terms in limit_rows(formulation, site):
        formulation.model.add_row("SIT-002", terms, upper=limit)


def _order(formulation: Formulation, site: str) -> None:
    problem, model = formulation.problem, formulation.model
    pinned = {pin.value for pin in problem.inventory.pins} | {pin.cluster for pin in problem.inventory.pins}
    free = [
        slot
        for slot in formulation.slots_at(site)
        if problem.slots[slot].existing is None and problem.slots[slot].cluster not in pinned
    ]
    last = problem.periods - 1
    for first, second in pairwise(free):
        model.add_row(
            "SIT-001",
            formulation.open_terms(first, last) + formulation.open_terms(second, last, -1.0),
            lower=0.0,
        )
