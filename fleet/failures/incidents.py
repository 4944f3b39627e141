"""Break a plan: one element or several at once, and everything that follows before it is put into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from fleet.failures.elements import Element, elements
from fleet.plan.context import PlanContext
from fleet.plan.fates import PATH_FAILURES
from fleet.plan.plan import Plan
from fleet.plan.protection import Floats, recovery_point_minutes
from fleet.plan.states import StateOutcome, simulate
from fleet.plan.survival import ClusterLoss, ClusterLosses
from fleet.wan.replication import Mechanism
from fleet.wan.states import together


@dataclass(frozen=True, eq=False)
class Incident:
    """The loss of some elements at once.

    Attributes
    ----------
    elements : tuple of Element
        What is lost.
    outcome : StateOutcome or None
        What sites, links and clusters that are down do; None where only parts of clusters are lost and all survive.
    losses : dict
        Parts that clusters lose, by position of the cluster, whether it survives or not.
    died : frozenset of int
        Clusters that do not survive the loss of their parts.
    single_points : tuple of int
        Demands that are down and are known for it: single points of failure of what is lost.
    lost : tuple of int
        Demands that are protected, are not restored, and are no single point of failure.
    """

    elements: tuple[Element, ...]
    outcome: StateOutcome | None
    losses: dict[int, ClusterLoss]
    died: frozenset[int]
    single_points: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()

    @property
    def moved(self) -> tuple[int, ...]:
        """Demands that run at their standby or in the cloud, in order."""
        return () if self.outcome is None else tuple(sorted((*self.outcome.moved, *self.outcome.restored)))

    @property
    def down(self) -> tuple[int, ...]:
        """Demands out of service without a promise: unprotected, or single points of failure, in order."""
        return () if self.outcome is None else tuple(sorted((*self.outcome.down, *self.single_points)))

    def moved_in(self, cluster: int) -> Floats | None:
        """Compute that fails over to a cluster, (n_compute_resources, n_periods); None where none does."""
        if self.outcome is None:
            return None
        rows = self.outcome.cluster_rows.tolist()
        return self.outcome.moved_compute[rows.index(cluster)] if cluster in rows else None


class Recovery(NamedTuple):
    """How a demand comes back at its standby or in the cloud: mechanism, recovery time and loss of data [minutes]."""

    mechanism: Mechanism
    rto_minutes: float
    rpo_minutes: float


class Breaker:
    """Breaks one plan again and again, keeping what does not depend on what breaks.

    Parameters
    ----------
    plan : Plan
        The plan.
    context : PlanContext
        The same laid out.
    """

    def __init__(self, plan: Plan, context: PlanContext) -> None:
        self.context = context
        self.losses = ClusterLosses(context, {row.cluster: row.witness for row in plan.document.clusters})
        self._recoveries: dict[int, Recovery | None] = {}
        self._single_points: dict[str, frozenset[int]] = {}

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """Everything that can be lost, from small to large."""
        return elements(self.context)

    def lose(self, lost: Sequence[Element]) -> Incident:
        """The loss of elements at once; an element given twice is two of its kind."""
        context = self.context
        state = together([element.state for element in lost])
        losses: dict[int, ClusterLoss] = {}
        for element in lost:
            for name, loss in element.losses.items():
                index = context.cluster_index[name]
                losses[index] = losses.get(index, ClusterLoss()) + loss
        losses = {index: loss for index, loss in losses.items() if context.clusters[index].name not in state.clusters}
        died = frozenset(index for index, loss in losses.items() if not self.losses.is_survived(index, loss))
        down = state.clusters | {context.clusters[index].name for index in died}
        if not (down or state.sites or state.links):
            return Incident(tuple(lost), None, losses, died)
        outcome = simulate(context, replace(state, clusters=down))
        known = self._known_points(lost)
        return Incident(
            tuple(lost),
            outcome,
            losses,
            died,
            tuple(sorted({*outcome.single_points, *(index for index in outcome.lost if index in known)})),
            tuple(index for index in outcome.lost if index not in known),
        )

    def recovery(self, index: int) -> Recovery | None:
        """How a demand comes back at its standby or in the cloud; None without a mechanism."""
        if index not in self._recoveries:
            mechanism = self.context.mechanisms[index]
            demand = self.context.demands[index]
            self._recoveries[index] = (
                None
                if mechanism is None
                else Recovery(
                    mechanism,
                    mechanism.rto_minutes,
                    recovery_point_minutes(self.context.inventory, demand, mechanism),
                )
            )
        return self._recoveries[index]

    def _known_points(self, lost: Sequence[Element]) -> frozenset[int]:
        """Demands that the loss of one of several links or networks cuts off on its own."""
        if len(lost) == 1:
            return frozenset()
        found: set[int] = set()
        for element in lost:
            if element.state.kind not in PATH_FAILURES:
                continue
            if element.id not in self._single_points:
                outcome = simulate(self.context, element.state)
                self._single_points[element.id] = frozenset(outcome.single_points)
            found |= self._single_points[element.id]
        return frozenset(found)
