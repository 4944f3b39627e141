"""Break a plan: one element or several at once, and everything that follows before it is put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from fleet.failures.elements import Element, elements
from fleet.plan.fates import PATH_FAILURES
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import Plan
from fleet.plan.protection import Floats, recovery_point_minutes
from fleet.plan.states import StateOutcome, over_periods, simulate
from fleet.plan.survival import ClusterLoss, ClusterLosses
from fleet.wan.replication import Mechanism
from fleet.wan.states import FailureState, together

MINUTES_PER_HOUR = 60.0
#: Kinds whose names a failure rate may state; those of others are names of sites and clusters.
_NAMED_KINDS = ("cluster", "link", "network", "site")


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
    survived : dict
        Per cluster of `losses`, the periods in which it stands and survives them.
    single_points : tuple of int
        Demands that are down and are known for it: single points of failure of what is lost.
    lost : tuple of int
        Demands that are protected, are not restored, and are no single point of failure.
    """

    elements: tuple[Element, ...]
    outcome: StateOutcome | None
    losses: dict[int, ClusterLoss]
    survived: dict[int, frozenset[int]]
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

    @property
    def uncopied(self) -> tuple[int, ...]:
        """Demands that serve their users without copies to the other end, in order."""
        return () if self.outcome is None else self.outcome.uncopied

    @property
    def stopped(self) -> frozenset[int]:
        """Demands that their primary does not serve any more, whether they run elsewhere or not."""
        return frozenset((*self.moved, *self.down, *self.lost))

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
    normal : NormalState
        The same with nothing failed.
    """

    def __init__(self, plan: Plan, normal: NormalState) -> None:
        self.normal, self.context = normal, normal.context
        self.losses = ClusterLosses(normal, {row.cluster: row.witness for row in plan.document.clusters})
        self._recoveries: dict[int, Recovery | None] = {}
        self._single_points: dict[str, frozenset[int]] = {}

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """Everything that can be lost, from small to large."""
        return elements(self.normal)

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
        survived, died = {}, {}
        for index, loss in losses.items():
            remains = list(enumerate(self.losses.remains(index, loss)))
            survived[index] = frozenset(period for period, left in remains if left and left.survival.is_up)
            died[index] = frozenset(period for period, left in remains if left and not left.survival.is_up)
        outcome = self._outcome(state, died)
        if outcome is None:
            return Incident(tuple(lost), None, losses, survived)
        known = self._known_points(lost)
        return Incident(
            tuple(lost),
            outcome,
            losses,
            survived,
            tuple(sorted({*outcome.single_points, *(index for index in outcome.lost if index in known)})),
            tuple(index for index in outcome.lost if index not in known),
        )

    def _outcome(self, state: FailureState, died: Mapping[int, frozenset[int]]) -> StateOutcome | None:
        """What a state does where clusters also die of their own losses in some periods; None where nothing is down."""
        by_clusters: dict[frozenset[str], list[int]] = {}
        for period in range(len(self.context.inventory.periods)):
            gone = frozenset(self.context.clusters[index].name for index, when in died.items() if period in when)
            by_clusters.setdefault(state.clusters | gone, []).append(period)
        states = {tuple(periods): replace(state, clusters=down) for down, periods in by_clusters.items()}
        if not (state.sites or state.links or state.offline or any(by_clusters)):
            return None
        if len(states) == 1:
            return simulate(self.normal, next(iter(states.values())))
        outcomes = {periods: simulate(self.normal, part, periods) for periods, part in states.items()}
        every = replace(state, clusters=frozenset().union(*by_clusters))
        return over_periods(self.normal, every, outcomes)

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

    def cut_recovery_point(self, index: int, lost: Sequence[Element]) -> float:
        """Recovery point of a demand whose copies stop with the loss of elements, just before the repair [minutes].

        What it loses with running copies, and all that is written until then. The time to repair is the longest of
        what the failure rates state for an element or its kind, else ``recovery.path_repair_minutes`` of the rule pack.
        """
        rates = {row.element: row.mttr_hours * MINUTES_PER_HOUR for row in self.context.inventory.failure_rates}
        assumed = self.context.pack.number("recovery.path_repair_minutes")
        repair = max(
            rates.get(element.name if element.kind in _NAMED_KINDS else "", rates.get(element.kind, assumed))
            for element in lost
        )
        recovery = self.recovery(index)
        return repair + (0.0 if recovery is None else recovery.rpo_minutes)

    def _known_points(self, lost: Sequence[Element]) -> frozenset[int]:
        """Demands that the loss of one of several links or networks cuts off on its own."""
        if len(lost) == 1:
            return frozenset()
        found: set[int] = set()
        for element in lost:
            if element.state.kind not in PATH_FAILURES:
                continue
            if element.id not in self._single_points:
                outcome = simulate(self.normal, element.state)
                self._single_points[element.id] = frozenset(outcome.single_points)
            found |= self._single_points[element.id]
        return frozenset(found)
