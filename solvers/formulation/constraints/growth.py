"""PLT-001, PLT-019 to PLT-022, EXI-001: which archetypes a slot has in each period, and how it may grow.

segment[j, a, t] says that slot j uses archetype segment a in period t, nodes[j, a, t] its node count. One node model
over the horizon, node counts never fall, refused growth steps are excluded, existing clusters start from what they are.
"""

from __future__ import annotations

import numpy as np

from fleet.platform.growth import growth_refusal
from solvers.formulation.variables import Formulation, Terms
from solvers.problem.sets import ArchetypeSegment


def encode(formulation: Formulation) -> None:
    """Add the segments and node counts of every usable slot, with their costs."""
    for slot in formulation.slots:
        _variables(formulation, slot)
        _one_segment(formulation, slot)
        _monotone(formulation, slot)
        _existing(formulation, slot)


def _variables(formulation: Formulation, slot: int) -> None:
    problem, model = formulation.problem, formulation.model
    rates, site = problem.rates, problem.slots[slot].site
    copies = problem.slots[slot].copies
    for number, segment in enumerate(formulation.segments(slot)):
        zones, existing = 1 + segment.archetypes[0].zone_tolerance, problem.slots[slot].existing
        price = rates.node_purchase(segment.node_model, (), zones, existing)
        monthly = rates.node_monthly(segment.node_model, site)
        for period in range(problem.periods):
            cost = price * purchase_weight(formulation, period) + monthly * rates.monthly_factor(period)
            if segment.lowest == segment.highest:
                formulation.segment[slot, number, period] = model.add_variable(0, copies, True, cost * segment.lowest)
                continue
            chosen = model.add_variable(0, copies, True)
            nodes = model.add_variable(0, segment.highest * copies, True, cost)
            formulation.segment[slot, number, period] = chosen
            formulation.nodes[slot, number, period] = nodes
            model.add_row("PLT-001", [(nodes, 1.0), (chosen, -float(segment.lowest))], lower=0.0)
            model.add_row("PLT-001", [(nodes, 1.0), (chosen, -float(segment.highest))], upper=0.0)


def purchase_weight(formulation: Formulation, period: int) -> float:
    """Present value of holding one unit of purchased money's worth in `period` but not bought later.

    Buying n_t − n_(t−1) in each period costs Σ d_t (n_t − n_(t−1)) = Σ n_t (d_t − d_(t+1)), less the residual value.
    """
    rates, last = formulation.problem.rates, formulation.problem.periods - 1
    now = rates.purchase_factor(period) - rates.residual_factor(period)
    later = 0.0 if period == last else rates.purchase_factor(period + 1) - rates.residual_factor(period + 1)
    return now - later


def opening_weight(formulation: Formulation, period: int) -> float:
    """The same for what has no residual value."""
    rates, last = formulation.problem.rates, formulation.problem.periods - 1
    later = 0.0 if period == last else rates.purchase_factor(period + 1)
    return rates.purchase_factor(period) - later


def _one_segment(formulation: Formulation, slot: int) -> None:
    copies = float(formulation.problem.slots[slot].copies)
    for period in range(formulation.problem.periods):
        formulation.open_row[slot, period] = formulation.model.rows
        formulation.model.add_row("PLT-001", formulation.open_terms(slot, period), upper=copies)


def _monotone(formulation: Formulation, slot: int) -> None:
    problem, model = formulation.problem, formulation.model
    segments = formulation.segments(slot)
    by_model: dict[str, list[int]] = {}
    for number, segment in enumerate(segments):
        by_model.setdefault(segment.node_model, []).append(number)
    cluster = problem.slots[slot].cluster
    refused = [
        (before, after)
        for before in range(len(segments))
        for after in range(len(segments))
        if (cluster, before, after) in problem.growth_refusals
        and problem.slots[slot].copies == 1  # of several copies, which one grows is not known
    ]
    for period in range(problem.periods - 1):
        for numbers in by_model.values():
            stays: Terms = []
            grows: Terms = []
            for number in numbers:
                stays += [
                    (formulation.segment[slot, number, period + 1], 1.0),
                    (formulation.segment[slot, number, period], -1.0),
                ]
                grows += formulation.node_terms(slot, number, period + 1)
                grows += formulation.node_terms(slot, number, period, -1.0)
            model.add_row("PLT-019", stays, lower=0.0)
            model.add_row("PLT-020", grows, lower=0.0)
        for before, after in refused:
            step = [
                (formulation.segment[slot, before, period], 1.0),
                (formulation.segment[slot, after, period + 1], 1.0),
            ]
            model.add_row(_rule(formulation, segments[before], segments[after]), step, upper=1.0)


def _rule(formulation: Formulation, before: ArchetypeSegment, after: ArchetypeSegment) -> str:
    """Id of the rule that refuses the step, with which the refusal begins."""
    text = growth_refusal(before.archetypes[0], after.archetypes[-1], formulation.problem.pack)
    return (text or "PLT-022").partition(" ")[0]


def encode_standing(formulation: Formulation) -> None:
    """What stands in the last period stands since the demands that it may hold are all there.

    Demands keep their cluster, so it is opened for those that it holds at the end: clusters that never hold any cost
    something and are good for nothing, unless the planner asks for them. Loads say as much where they are encoded for
    every period, but only where clusters are whole.
    """
    problem, model = formulation.problem, formulation.model
    last = problem.periods - 1
    pinned = {name for pin in problem.inventory.pins for name in (pin.site, pin.cluster, pin.value)}
    begins = np.array([demand_class.first_period for demand_class in problem.classes], dtype=np.int64)[
        formulation.class_of
    ]
    since: dict[str, int] = {}
    for slot in formulation.slots:
        site = problem.slots[slot].site
        here = (formulation.primary_of == slot) | (formulation.standby_of == slot)
        since[site] = max(since.get(site, 0), int(begins[here].max(initial=0)))
        if problem.slots[slot].existing is not None or pinned & {site, problem.slots[slot].cluster}:
            since[site] = last
    for slot in formulation.slots:
        begin = since[problem.slots[slot].site]
        if begin < last:
            terms = [*formulation.open_terms(slot, last), *formulation.open_terms(slot, begin, -1.0)]
            model.add_row("PLT-019", terms, upper=0.0)
    for site, begin in since.items():
        if begin < last and (site, last) in formulation.site_open:
            columns = formulation.site_open[site, last], formulation.site_open[site, begin]
            model.add_row("SIT-001", [(columns[0], 1.0), (columns[1], -1.0)], upper=0.0)


def _existing(formulation: Formulation, slot: int) -> None:
    existing = formulation.problem.slots[slot].existing
    if existing is None:
        return
    problem, model = formulation.problem, formulation.model
    rates = problem.rates
    weight = rates.purchase_factor(0) - rates.residual_factor(0)
    retire = 0.0 if existing.keep else existing.cost_to_retire * rates.purchase_factor(0)
    left = rates.standing_residual(existing) * rates.discount(problem.inventory.policy.horizon_months)
    for number, segment in enumerate(formulation.segments(slot)):
        price = rates.node_purchase(segment.node_model, (), 1 + segment.archetypes[0].zone_tolerance, existing)
        model.cost[formulation.segment[slot, number, 0]] -= price * weight * existing.nodes + retire + left
    model.constant += retire
    if existing.keep:
        model.add_row("EXI-001", formulation.open_terms(slot, 0), lower=1.0, upper=1.0)
    for number in range(1, len(formulation.segments(slot))):  # the first is what stands today
        if (problem.slots[slot].cluster, 0, number) in problem.growth_refusals:
            model.upper[formulation.segment[slot, number, 0]] = 0.0
    for period in range(1, problem.periods):
        terms = formulation.open_terms(slot, period) + formulation.open_terms(slot, 0, -1.0)
        model.add_row("EXI-001", terms, lower=0.0, upper=0.0)
