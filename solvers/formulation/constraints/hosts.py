"""CAP-006: every machine on one node with room for it.

Two kinds of rows. Measures (`solvers.problem.host_measures`) are weights of which a node takes only so much; they are
counted like a resource, own machines and those that a fault domain sends, and come with every model where they may
bind. They do not say everything. Where the machines of a proposed plan keep them and still do not fit, the evaluation
names a set of sizes that does not fit, and a row forbids that set, or larger machines, wherever the slot has too few
nodes for it:

    Σ_s b_s ≤ |S| − 1 + Σ (segments and node counts with room for the set),
    b_s = 1 where at least as many machines as the set has of size s run there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from fleet.plan.machines import EVERY_DOMAIN
from fleet.platform.archetype import Archetype
from fleet.platform.machines import Machine
from fleet.platform.packing import Machines, Verdict, packed
from solvers.formulation.constraints.capacity import load_terms
from solvers.formulation.constraints.links import Motion
from solvers.formulation.constraints.reserve import Slack, by_pair, by_subset, dedicated, domains
from solvers.formulation.variables import NO_STANDBY, Formulation, Terms
from solvers.linear.model import Floats, Integers
from solvers.problem.host_measures import Measure
from solvers.problem.sets import ArchetypeSegment, Booleans, DemandClass


@dataclass(frozen=True, slots=True, order=True)
class HostRow:
    """Machines that do not fit on a slot of too few nodes.

    Attributes
    ----------
    domain, state : str
        The fault domain or else the failure that sends some of them; blank where all are the slot's own.
    """

    slot: int
    period: int
    domain: str
    state: str
    machines: Machines


def encode(formulation: Formulation) -> None:
    """Add the measures that may bind."""
    problem = formulation.problem
    counts = np.array([demand_class.count for demand_class in problem.classes], dtype=np.float64)
    for number, measure in enumerate(problem.measures):
        for period in formulation.load_periods:
            own, sent = measure.own[:, period], measure.sent[:, period]
            total = float(counts @ (own + sent))
            binding = [slot for slot in formulation.slots if _may_bind(formulation, measure, slot, period, total)]
            for slot in binding:
                columns, classes = formulation.columns_of(formulation.primary_of == slot)
                terms = load_terms(columns, own[classes])
                if terms:
                    terms += room_terms(formulation, measure, slot, period, -1.0, every=False)
                    formulation.model.add_row("CAP-006", terms, upper=0.0)
            if binding and sent.any():
                _reserve(formulation, measure, number, period)


def _may_bind(formulation: Formulation, measure: Measure, slot: int, period: int, total: float) -> bool:
    uses_reserve = formulation.problem.inventory.policy.standby_uses_node_reserve
    return any(
        measure.may_bind(archetype, period, total, uses_reserve=uses_reserve)
        for segment in formulation.segments(slot)
        for archetype in segment.archetypes
    )


def room_terms(
    formulation: Formulation, measure: Measure, slot: int, period: int, factor: float, *, every: bool
) -> Terms:
    """Terms of factor · what the nodes of a slot take of a measure, those that are kept free only where `every`."""
    terms: Terms = []
    for number, segment in enumerate(formulation.segments(slot)):
        most = float(measure.most[segment.node_model][period])
        low, high = (most * _nodes(segment, nodes, every=every) for nodes in (segment.lowest, segment.highest))
        slope = (high - low) / max(1, segment.highest - segment.lowest)
        terms += formulation.node_terms(slot, number, period, factor * slope)
        terms.append((formulation.segment[slot, number, period], factor * (low - slope * segment.lowest)))
    return terms


def _nodes(segment: ArchetypeSegment, nodes: int, *, every: bool) -> int:
    hosts = segment.archetype(nodes).hosts
    return hosts.every if every else hosts.left


def _reserve(formulation: Formulation, measure: Measure, number: int, period: int) -> None:
    """Own machines and those that the loss of any one fault domain sends."""
    policy = formulation.problem.inventory.policy
    own, sent = measure.own[:, period], measure.sent[:, period]

    def slack(slot: int, factor: float) -> Terms:
        columns, classes = formulation.columns_of(formulation.primary_of == slot)
        terms = room_terms(formulation, measure, slot, period, 1.0, every=policy.standby_uses_node_reserve)
        terms += [(column, -weight) for column, weight in load_terms(columns, own[classes])]
        return formulation.free_terms(("hosts", slot, number, period), "CAP-006", terms, factor)

    encode_reserve: Callable[[Formulation, Slack, Floats, str], None] = by_subset
    if policy.standby_reserve != "shared":
        encode_reserve = dedicated
    elif formulation.has_pairs:
        encode_reserve = by_pair
    encode_reserve(formulation, slack, sent, "CAP-006")


# -- sets that an evaluation found ------------------------------------------------------------------------------------


def encode_found(formulation: Formulation, rows: Collection[HostRow]) -> None:
    """Forbid sets of machines that do not fit, on the slot where they were found."""
    for row in rows:
        found = [slot for slot in formulation.slots if row.slot in _members(formulation, slot)]
        sends = bool(row.domain or row.state)
        if found and formulation.problem.slots[found[0]].copies == 1 and (formulation.has_pairs or not sends):
            _forbid(formulation, row, found[0])


def _members(formulation: Formulation, slot: int) -> Sequence[int]:
    """The original slots that a slot stands for."""
    groups = formulation.problem.slot_groups
    return groups[slot] if groups else (slot,)


def _forbid(formulation: Formulation, row: HostRow, slot: int) -> None:
    model = formulation.model
    reached: Terms = []
    for (_, count), terms in zip(row.machines, _numbers(formulation, row, slot), strict=True):
        most = sum(value * model.upper[column] for column, value in terms)
        if most < count:
            return  # so many are never there
        if len(row.machines) == 1:
            room = [(column, -value * (most - count + 1.0)) for column, value in _room(formulation, row, slot)]
            model.add_row("CAP-006", [*terms, *room], upper=count - 1.0)
            return
        is_there = model.add_variable(0.0, 1.0, True)
        model.add_row("CAP-006", [*terms, (is_there, -(most - count + 1.0))], upper=count - 1.0)
        reached.append((is_there, 1.0))
    room = [(column, -value) for column, value in _room(formulation, row, slot)]
    model.add_row("CAP-006", [*reached, *room], upper=len(reached) - 1.0)


def _numbers(formulation: Formulation, row: HostRow, slot: int) -> list[Terms]:
    """For each size of a set, the terms of how many machines there are that take no less.

    Every machine counts for one size only, the largest that it takes no less than.
    """
    sizes = sorted((machine for machine, _ in row.machines), key=lambda machine: (-machine.gpu, -machine.memory_gb))
    totals: dict[Machine, Floats] = {machine: np.zeros(len(formulation.placement)) for machine in sizes}
    sending = _Sending(formulation, row, slot)
    for demand_class in formulation.problem.classes:
        columns = np.arange(len(formulation.placement))[formulation.columns_of_class(demand_class.index)]
        for number, own in enumerate(demand_class.instances):
            machine = own.sizes[row.period]
            size = None if machine is None else next((size for size in sizes if machine.holds(size)), None)
            if size is not None:
                there = (formulation.primary_of[columns] == slot) | sending.arrives(demand_class, number, columns)
                totals[size][columns] += own.count * there
    return [
        [
            (column, value)
            for column, value in zip(formulation.placement.tolist(), totals[machine].tolist(), strict=True)
            if value
        ]
        for machine, _ in row.machines
    ]


class _Sending:
    """Which columns send machines to a slot in what a row looks at."""

    def __init__(self, formulation: Formulation, row: HostRow, slot: int) -> None:
        self._formulation, self._slot = formulation, slot
        self._domain = row.domain
        self._motion = Motion(formulation, row.state) if row.state else None
        members = formulation.slots if row.domain == EVERY_DOMAIN else domains(formulation).get(row.domain, ())
        self._members = np.array(members, dtype=np.int64)

    def arrives(self, demand_class: DemandClass, number: int, columns: Integers) -> Booleans:
        """[column]: whether the machines of one demand of a class start on the slot."""
        formulation = self._formulation
        nobody = np.zeros(len(columns), dtype=bool)
        if not demand_class.instances[number].moves:
            return nobody
        waits = (formulation.standby_of[columns] == self._slot) & (formulation.primary_of[columns] != NO_STANDBY)
        if self._domain:
            return np.asarray(waits & np.isin(formulation.primary_of[columns], self._members), dtype=bool)
        if self._motion is None:
            return nobody
        placed = np.flatnonzero(waits)
        _, moves, _ = self._motion.of(columns[placed], demand_class.profiles[number])
        nobody[placed] = moves
        return nobody


def _room(formulation: Formulation, row: HostRow, slot: int) -> Terms:
    """Terms that are 1 where the slot has nodes with room for a set, 0 where not."""
    sends = bool(row.domain or row.state)
    every = sends and formulation.problem.inventory.policy.standby_uses_node_reserve
    terms: Terms = []
    for number, segment in enumerate(formulation.segments(slot)):
        enough = next((each.nodes for each in segment.archetypes if _has_room(row.machines, each, every=every)), None)
        if enough is None:
            continue
        chosen = formulation.segment[slot, number, row.period]
        if enough <= segment.lowest:
            terms.append((chosen, 1.0))
            continue
        has_room = formulation.model.add_variable(0.0, 1.0, True)
        nodes = formulation.node_terms(slot, number, row.period, -1.0)
        more = float(enough - segment.lowest)  # nodes ≥ lowest, and as many more where it has room
        formulation.model.add_row("CAP-006", [*nodes, (chosen, float(segment.lowest)), (has_room, more)], upper=0.0)
        terms.append((has_room, 1.0))
    return terms


def _has_room(machines: Machines, archetype: Archetype, *, every: bool) -> bool:
    """Whether a set is not known not to fit: a row says no more than what is proven."""
    return packed(machines, archetype.hosts, every_node=every) is not Verdict.CANNOT
