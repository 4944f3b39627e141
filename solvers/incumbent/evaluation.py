"""Decisions evaluated by the code that audits plans (costs, failures), not by the model that proposed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fleet.plan.context import PlanContext
from fleet.plan.costs import cost_rows, totals
from fleet.plan.decisions import Decisions
from fleet.plan.normal_state import NormalState
from fleet.plan.states import violations
from fleet.plan.uploads import upload_violations
from fleet.plan.violations import ClusterViolation, HostViolation, LinkViolation, Violation
from fleet.platform.packing import Verdict, cannot_subset
from fleet.quantities import COMPUTE_RESOURCES
from solvers.formulation.assembly import GeneratedRow
from solvers.formulation.constraints.hosts import HostRow
from solvers.formulation.constraints.links import ClusterRow, LinkRow
from solvers.incumbent.node_path import resized
from solvers.linear.model import Floats
from solvers.problem.design import DesignProblem
from solvers.result import EngineError
from solvers.tolerances import LEAST_LIMIT


@dataclass(frozen=True)
class Evaluation:
    """A decision with its present value and the limits that it breaks.

    Attributes
    ----------
    broken : tuple
        The limits as rows for the next model.
    unwatched : frozenset of str
        Access circuits whose failure breaks a limit, which no row can say before they are watched.
    overloaded : dict
        Links over their limit in any state, with the first period in which they are.
    crowded : frozenset of str
        Sites whose internet access carries more copies into the cloud than it may. Every model says so already.
    doubtful : frozenset of str
        Clusters whose machines were neither put on nodes nor shown not to fit, so that no row may forbid them.
    short : dict
        Compute (3, T) that clusters over their limit in any state would have to keep free beyond their reserve.
    """

    decisions: Decisions
    objective: float
    broken: tuple[GeneratedRow, ...]
    unwatched: frozenset[str] = frozenset()
    overloaded: Mapping[str, int] = field(default_factory=dict)
    short: Mapping[str, Floats] = field(default_factory=dict)
    crowded: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()

    @property
    def holds(self) -> bool:
        """Whether no limit is broken."""
        return not self.broken and not self.unwatched and not self.crowded and not self.doubtful


def evaluate(
    problem: DesignProblem,
    decisions: Decisions,
    *,
    final_demand: bool,
    extra: Mapping[str, Floats] | None = None,
) -> tuple[Evaluation, ...]:
    """Resize, price and break a decision.

    Parameters
    ----------
    problem : DesignProblem
        What it decides.
    decisions : Decisions
        As an engine or a search proposes them.
    final_demand : bool
        Whether only the final demand was looked at.
    extra : mapping, optional
        Compute (3, T) that clusters keep free beyond their reserve, by name.

    Returns
    -------
    tuple of Evaluation
        What was looked at; the last one stands for the decision. Empty where only the final demand was looked at and an
        earlier period does not hold.

    Raises
    ------
    EngineError
        If the solution breaks a limit that no row can express: model and verifier disagree.
    """
    normal = problem.normal_state(decisions)
    smaller = resized(problem, normal, extra)
    if smaller is None:
        return () if final_demand else (_evaluated(problem, decisions, normal),)
    as_told = None if final_demand else _evaluated(problem, decisions, normal)
    if as_told is not None and smaller == decisions:
        return (as_told,)
    trimmed = _evaluated(problem, smaller, problem.normal_state(smaller))
    # what the solution breaks is said where its other nodes cost more: rows have to rule it out
    if as_told is None or (trimmed.holds and (as_told.holds or trimmed.objective <= as_told.objective)):
        return (trimmed,)
    return trimmed, as_told


def _evaluated(problem: DesignProblem, decisions: Decisions, normal: NormalState) -> Evaluation:
    """A decision with what it costs and breaks, as it is."""
    rows = cost_rows(problem.inventory, problem.pack, decisions, problem.rates)
    found = _Violations(problem, normal.context)
    for violation in violations(normal):
        found.note(violation)
    return Evaluation(
        decisions,
        totals(problem.inventory, rows).present_value,
        tuple(sorted(found.broken, key=repr)),
        frozenset(found.unwatched),
        found.overloaded,
        found.short,
        frozenset(violation.site for violation in upload_violations(normal.context)),
        frozenset(found.doubtful),
    )


class _Violations:
    """The limits that a decision breaks, by what can be done about them."""

    def __init__(self, problem: DesignProblem, context: PlanContext) -> None:
        self.problem, self.context = problem, context
        self.slots = {slot.cluster: slot.index for slot in problem.slots}
        self.broken: set[GeneratedRow] = set()
        self.unwatched: set[str] = set()
        self.overloaded: dict[str, int] = {}
        self.doubtful: set[str] = set()
        self.short: dict[str, Floats] = {}

    def note(self, violation: Violation) -> None:
        """Take in one violation."""
        if isinstance(violation, LinkViolation):
            known = self.overloaded.get(violation.link, violation.period)
            self.overloaded[violation.link] = min(violation.period, known)
        if violation.state.kind == "link" and violation.state.id not in self.problem.state_index:
            self.unwatched.add(violation.state.name)
        elif isinstance(violation, LinkViolation):
            self.broken.add(LinkRow(violation.state.id, violation.link, violation.forward, violation.period))
        elif isinstance(violation, ClusterViolation):
            self._note_short(violation)
        elif isinstance(violation, HostViolation):
            self._note_crowd(violation)
        else:
            raise EngineError(f"the model placed {violation.demand} where {violation.state.id} cuts it off")

    def _note_short(self, violation: ClusterViolation) -> None:
        """Remember how much more than its reserve a cluster takes in."""
        context, period = self.context, violation.period
        index, number = context.cluster_index[violation.cluster], COMPUTE_RESOURCES.index(violation.resource)
        known = self.short.setdefault(violation.cluster, np.zeros(context.reserve.shape[1:]))
        kept = context.own_compute[index, number, period] + context.reserve[index, number, period]
        known[number, period] = max(known[number, period], violation.load - kept)
        slot = self.slots[violation.cluster]
        self.broken.add(ClusterRow(violation.state.id, slot, violation.resource, period))

    def _note_crowd(self, violation: HostViolation) -> None:
        """Have a cluster whose machines find no hosts keep so much free that one of them has to go, or a node to come.

        Where it is shown that they fit no way, a row forbids them.
        """
        context, crowd = self.context, violation.crowd
        known = self.short.setdefault(violation.cluster, np.zeros(context.reserve.shape[1:]))
        totals = np.array([np.array(machine.amounts) * count for machine, count in crowd.machines]).sum(axis=0)
        tightest = int(np.argmax(totals / np.maximum(np.array(crowd.hosts.room.limits), LEAST_LIMIT)))
        smallest = min(machine.amounts[tightest] for machine, _ in crowd.machines if machine.amounts[tightest] > 0)
        kept = context.own_compute[crowd.cluster] + context.reserve[crowd.cluster]
        free = context.failover_capacity[crowd.cluster] - kept
        more = max(0.0, float(free[tightest, crowd.period])) + smallest
        known[tightest, crowd.period] = max(known[tightest, crowd.period], more)
        if crowd.verdict is Verdict.CANNOT:
            self.broken.add(_host_row(violation, self.slots[violation.cluster]))
        else:
            self.doubtful.add(violation.cluster)


def _host_row(violation: HostViolation, slot: int) -> HostRow:
    """The row that forbids the machines that do not fit, as few of them as still do not."""
    crowd = violation.crowd
    least = cannot_subset(crowd.machines, crowd.hosts, every_node=crowd.every_node)
    state = violation.state.id if violation.arriving and not crowd.domain else ""
    return HostRow(slot, crowd.period, crowd.domain, state, least)
