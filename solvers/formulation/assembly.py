"""Put the encoders together into one formulation."""

from __future__ import annotations

from collections.abc import Collection

from solvers.formulation.constraints import (
    assignment,
    budget,
    cabling,
    capacity,
    cover,
    growth,
    hosts,
    links,
    machines,
    pins,
    reserve,
    siting,
    standby,
    upload,
)
from solvers.formulation.constraints import site_access as access
from solvers.formulation.constraints.hosts import HostRow
from solvers.formulation.constraints.links import ClusterRow, LinkRow
from solvers.formulation.variables import Formulation
from solvers.problem.design import DesignProblem

GeneratedRow = LinkRow | ClusterRow | HostRow


def build(
    problem: DesignProblem,
    *,
    has_pairs: bool,
    slots: Collection[int] | None = None,
    rows: Collection[GeneratedRow] = (),
    whole: bool = True,
    sparse: bool = False,
    final_demand: bool = False,
    margin: float = 0.0,
) -> Formulation:
    """The model over the given slots (all where None) with the failure rows found so far.

    Existing clusters are always among the slots: they stand or are retired, but are never overlooked.
    """
    chosen = set(range(len(problem.slots)) if slots is None else slots)
    chosen |= {slot.index for slot in problem.slots if slot.existing is not None}
    formulation = Formulation(problem, has_pairs, tuple(sorted(chosen)), whole, sparse, final_demand, margin)
    formulation.model.constant = problem.constant_cost
    _encode(formulation, rows)
    return formulation


def build_with_unserved(problem: DesignProblem, rows: Collection[GeneratedRow]) -> Formulation:
    """Whole pairs over all slots where demands may be left out."""
    formulation = Formulation(problem, True, tuple(range(len(problem.slots))), True, False, False, 0.0)
    formulation.model.constant = problem.constant_cost
    assignment.allow_unserved(formulation)
    _encode(formulation, rows)
    return formulation


def _encode(formulation: Formulation, rows: Collection[GeneratedRow]) -> None:
    """Add every encoder's columns and rows."""
    growth.encode(formulation)
    cabling.encode(formulation)
    siting.encode(formulation)
    links.encode_upgrades(formulation)
    assignment.encode(formulation)
    standby.encode(formulation)
    capacity.encode(formulation)
    machines.encode(formulation)
    hosts.encode(formulation)
    upload.encode(formulation)
    reserve.encode(formulation)
    access.encode(formulation)
    cover.encode(formulation)
    if formulation.final_demand:
        capacity.encode_earlier(formulation)
        growth.encode_standing(formulation)
    pins.encode(formulation)
    budget.encode(formulation)
    found = sorted(rows, key=repr)
    hosts.encode_found(formulation, [row for row in found if isinstance(row, HostRow)])
    links.encode(formulation, [row for row in found if not isinstance(row, HostRow)])
