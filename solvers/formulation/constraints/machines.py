"""CAP-005: virtual machines of every slot and period within what its hosts and the platform allow.

Machines have processors, so CAP-001 nearly always keeps them few enough; then there is no row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fleet.inventory.inventory import Inventory
from fleet.platform.capacity import kept_free
from solvers.formulation.constraints.capacity import load_terms
from solvers.formulation.variables import Formulation, Terms
from solvers.linear.model import Floats, Integers
from solvers.problem.sets import ArchetypeSegment, DemandClass

_VCPU = 0


def encode(formulation: Formulation) -> None:
    """Add rows for hosts and cluster, on slots where processors do not keep the machines few enough."""
    problem = formulation.problem
    machines = np.array(
        [_machines(problem.inventory, demand_class) for demand_class in problem.classes], dtype=np.float64
    )
    for slot in formulation.slots:
        columns, classes = formulation.columns_of(formulation.primary_of == slot)
        here = np.unique(classes).tolist()
        demand_classes = [problem.classes[number] for number in here]
        if not any(_may_bind(segment, demand_classes, machines[here]) for segment in formulation.segments(slot)):
            continue
        for period in formulation.load_periods:
            terms = load_terms(columns, machines[classes, period])
            if terms:
                formulation.model.add_row("CAP-005", [*terms, *_hosts(formulation, slot, period)], upper=0.0)
                most = float(problem.pack.whole("limits.max_vms_per_cluster"))
                formulation.model.add_row("CAP-005", [*terms, *formulation.open_terms(slot, period, -most)], upper=0.0)


def _machines(inventory: Inventory, demand_class: DemandClass) -> Integers:
    """Virtual machines of one unit of a class in each period, the same for all its units; a need alone has none."""
    if demand_class.is_part:
        return np.zeros(len(inventory.periods), dtype=np.int64)
    counts = np.array([inventory.machines(demand) for demand in demand_class.units[0].demands], dtype=np.int64)
    return np.asarray(counts.sum(axis=0), dtype=np.int64)


def _hosts(formulation: Formulation, slot: int, period: int) -> Terms:
    """Terms of −machines of all hosts that are not kept free; affine in the node count of a segment."""
    problem = formulation.problem
    per_node = float(problem.pack.whole("limits.max_vms_per_node"))
    terms: Terms = []
    for number, segment in enumerate(formulation.segments(slot)):
        zones = segment.archetypes[0].zone_tolerance + 1
        policy = problem.inventory.policy
        low, high = (
            per_node * (nodes - kept_free(nodes, policy, zones)) for nodes in (segment.lowest, segment.highest)
        )
        slope = (high - low) / max(1, segment.highest - segment.lowest)
        terms += formulation.node_terms(slot, number, period, -slope)
        terms.append((formulation.segment[slot, number, period], slope * segment.lowest - low))
    return terms


def _may_bind(segment: ArchetypeSegment, demand_classes: Sequence[DemandClass], machines: Floats) -> bool:
    """Whether more machines than allowed could fit by their processors on some node count of a segment."""
    total = sum(
        (float(row.max()) * demand_class.count for demand_class, row in zip(demand_classes, machines, strict=True)), 0.0
    )
    least = min(
        (_least_vcpu(demand_class, row) for demand_class, row in zip(demand_classes, machines, strict=True)),
        default=np.inf,
    )
    return any(
        min(total, archetype.capacity.usable.vcpu / least if least > 0 else np.inf) > archetype.most_machines
        for archetype in segment.archetypes
    )


def _least_vcpu(demand_class: DemandClass, machines: Floats) -> float:
    """The fewest processors of a machine of one unit in any period [vCPU]."""
    exists = machines > 0
    return float((demand_class.compute[exists, _VCPU] / machines[exists]).min(initial=np.inf))
