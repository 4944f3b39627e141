"""No rule, but money: a cluster that keeps its node count may do with fewer switch ports than one that grows.

Every node is priced as one of a cluster that grows, for whether it will is not known when it is bought. Column
kept[j, m, n, t] says that the new cluster on slot j holds n nodes of model m in period t and in every other one in
which it stands; it gives back what the ports of such a cluster cost less. Where all clusters are wired alike there is
nothing to say.
"""

from __future__ import annotations

from solvers.formulation.constraints.growth import purchase_weight
from solvers.formulation.variables import Formulation, Terms
from solvers.problem.design import DesignProblem
from solvers.problem.sets import ArchetypeSegment


def segment_purchase(problem: DesignProblem, slot: int, segment: ArchetypeSegment) -> float:
    """Price of one node of a segment with its switch ports, as a cluster that grows is wired [currency]."""
    zones = 1 + segment.archetypes[0].zone_tolerance
    return problem.rates.node_purchase(segment.node_model, (), zones, problem.slots[slot].existing)


def kept_saving(problem: DesignProblem, slot: int, segment: ArchetypeSegment) -> float:
    """What one node of a new cluster costs less where the cluster keeps the count of the segment [currency]."""
    if segment.lowest != segment.highest or problem.slots[slot].existing is not None:
        return 0.0
    zones = 1 + segment.archetypes[0].zone_tolerance
    kept = problem.rates.node_purchase(segment.node_model, (segment.lowest,), zones)
    return segment_purchase(problem, slot, segment) - kept


def encode(formulation: Formulation) -> None:
    """Add, for every count that is cheaper to keep, whether it is kept."""
    problem, model = formulation.problem, formulation.model
    for slot in formulation.slots:
        groups: dict[tuple[str, int], list[int]] = {}
        savings: dict[tuple[str, int], float] = {}
        for number, segment in enumerate(formulation.segments(slot)):
            saving = kept_saving(problem, slot, segment)
            if saving > 0:
                groups.setdefault((segment.node_model, segment.lowest), []).append(number)
                savings[segment.node_model, segment.lowest] = saving * segment.lowest
        for (node_model, count), numbers in groups.items():
            _kept(formulation, slot, numbers, savings[node_model, count])
            for period in range(problem.periods):
                column = formulation.kept[slot, numbers[0], period]
                model.cost[column] -= savings[node_model, count] * purchase_weight(formulation, period)


def _kept(formulation: Formulation, slot: int, numbers: list[int], saving: float) -> None:
    """Add the columns of one count, on the first of its segments, and what they imply from period to period."""
    problem, model = formulation.problem, formulation.model
    copies = problem.slots[slot].copies
    for period in range(problem.periods):
        column = model.add_variable(0.0, float(copies), True)
        formulation.kept[slot, numbers[0], period] = column
        formulation.kept_saving[slot, numbers[0]] = saving
        held: Terms = [(formulation.segment[slot, number, period], -1.0) for number in numbers]
        model.add_row("PLT-001", [(column, 1.0), *held], upper=0.0)
        if period == 0:
            continue
        before = formulation.kept[slot, numbers[0], period - 1]
        model.add_row("PLT-001", [(before, 1.0), (column, -1.0)], upper=0.0)
        if copies == 1:  # of several copies, which one is kept is not known
            stood = formulation.open_terms(slot, period - 1)
            model.add_row("PLT-001", [(column, 1.0), (before, -1.0), *stood], upper=1.0)


def saved_capex_terms(formulation: Formulation) -> Terms:
    """Terms of what kept counts take off the nominal capex."""
    last = formulation.problem.periods - 1
    return [
        (column, -formulation.kept_saving[slot, number])
        for (slot, number, period), column in formulation.kept.items()
        if period == last
    ]
