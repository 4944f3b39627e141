"""The design problem: what the planner states, turned into arrays that encoders read.

Index letters everywhere: demand classes *c*, cluster slots *j* (primary) and *k* (standby), periods *t*, compute
resources *r* (vcpu, memory_gb, gpu), storage tiers *s* (hot, warm, archive), failure states *f*, attachments *a*.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from fleet.inventory.inventory import Inventory
from fleet.plan.context import build_context
from fleet.plan.costs import Rates
from fleet.plan.decisions import Decisions
from fleet.plan.normal_state import NormalState
from fleet.rulepack import RulePack
from fleet.wan.graph import Wan
from fleet.wan.routing import Router
from fleet.wan.states import FailureState
from solvers.parameters import Parameters
from solvers.problem.host_measures import Measure, measures
from solvers.problem.sets import Covering, DemandClass, Slot


@dataclass(frozen=True, eq=False)
class DesignProblem:
    """Everything that the encoders need."""

    parameters: Parameters
    inventory: Inventory
    pack: RulePack
    wan: Wan
    router: Router
    rates: Rates
    slots: tuple[Slot, ...]
    classes: tuple[DemandClass, ...]
    states: tuple[FailureState, ...]
    attachments: tuple[str, ...]
    growth_refusals: frozenset[tuple[str, int, int]]
    forced_upgrades: dict[str, int] = field(default_factory=dict)
    constant_cost: float = 0.0
    slot_groups: tuple[tuple[int, ...], ...] = ()
    second_circuits: frozenset[str] = frozenset()
    coverings: tuple[Covering, ...] = ()

    @property
    def periods(self) -> int:
        """Number of periods."""
        return len(self.inventory.periods)

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """What a node takes only so much of, beside sums of compute."""
        most, policy = self.parameters.problem.host_measures, self.inventory.policy
        return measures(self.slots, self.classes, self.periods, most, uses_reserve=policy.standby_uses_node_reserve)

    def normal_state(self, decisions: Decisions) -> NormalState:
        """A decision laid out, with nothing failed."""
        return NormalState(build_context(self.inventory, self.pack, decisions, self.wan, self.router))

    @cached_property
    def state_index(self) -> dict[str, int]:
        """Position of each core failure state by its id."""
        return {state.id: index for index, state in enumerate(self.states)}


def pair_columns(problem: DesignProblem, slots: Collection[int] | None = None) -> int:
    """How many columns the pair formulation has, over all slots or some of them."""
    if not problem.classes:
        return 0
    first = problem.classes[0]
    chosen = slice(None) if slots is None else sorted(slots)
    size = np.bincount(first.view.group_of_slot[chosen], minlength=len(first.group_eligible))
    known: dict[tuple[int, int], int] = {}
    total = 0
    for demand_class in problem.classes:
        key, pairs = (id(demand_class.group_eligible), id(demand_class.group_pairs)), demand_class.group_pairs
        if key not in known:
            known[key] = int(
                size @ demand_class.group_eligible if pairs is None else size @ pairs.astype(np.int64) @ size
            )
        total += known[key]
    return total
