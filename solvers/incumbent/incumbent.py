"""What a solve knows at any moment: the best evaluated decision, the best bound, the clock.

Decisions are evaluated by the code that audits plans (costs, failures), not by the model that proposed them, so an
incumbent here is a plan that holds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fleet.plan.context import PlanContext
from fleet.plan.costs import cost_rows, totals
from fleet.plan.decisions import Decisions
from fleet.plan.normal_state import NormalState
from fleet.plan.states import violations
from fleet.plan.uploads import upload_violations
from fleet.plan.violations import ClusterViolation, HostViolation, LinkViolation
from fleet.platform.packing import Verdict, cannot_subset
from fleet.quantities import COMPUTE_RESOURCES
from solvers.config import SolveConfig
from solvers.engines.claims import LIBRARIES, Claims
from solvers.engines.task import Engine
from solvers.formulation.assembly import GeneratedRow
from solvers.formulation.constraints.hosts import HostRow
from solvers.formulation.constraints.links import ClusterRow, LinkRow
from solvers.formulation.decisions import decode
from solvers.formulation.variables import Formulation
from solvers.incumbent.node_path import resized
from solvers.linear.model import INFINITY, Floats
from solvers.problem.design import DesignProblem
from solvers.result import EngineError
from solvers.trace import TracePoint, relative_gap


class UnwatchedLinks(Exception):  # noqa: N818 - a message to the strategy, not an error
    """Access circuits whose failure breaks a limit, though it was taken to touch its own users only."""

    def __init__(self, links: frozenset[str]) -> None:
        self.links = links
        super().__init__(", ".join(sorted(links)))


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


@dataclass
class Search:
    """The state of one solve."""

    problem: DesignProblem
    config: SolveConfig
    started: float = field(default_factory=time.monotonic)
    best: Decisions | None = None
    objective: float = INFINITY
    claims: Claims = field(default_factory=Claims)
    trace: list[TracePoint] = field(default_factory=list)
    evaluating_s: float = 0.0
    doubtful: frozenset[str] = frozenset()

    @property
    def seconds(self) -> float:
        """Time since the start [s]."""
        return time.monotonic() - self.started

    @property
    def deadline(self) -> float:
        """When to stop, on the clock of ``time.monotonic``; never in deterministic mode."""
        return INFINITY if self.config.deterministic else self.started + self.config.time_limit_s

    @property
    def remaining_s(self) -> float:
        """Time left [s]."""
        return self.deadline - time.monotonic()

    @property
    def gap(self) -> float | None:
        """Relative gap of the best decision and the best bound."""
        if self.best is None or self.bound == -INFINITY:
            return None
        return relative_gap(self.objective, self.bound)

    @property
    def is_done(self) -> bool:
        """Whether the gap asked for is reached."""
        return self.gap is not None and self.gap <= self.config.gap

    @property
    def bound(self) -> float:
        """The best bound that is believed; minus infinity until there is one."""
        return self.claims.best[0]

    @property
    def bound_source(self) -> str:
        """What proved the bound, and of what."""
        return self.claims.best[1]

    def raise_bound(self, engine: Engine, bound: float, source: str) -> None:
        """Take what an engine calls a lower bound on the present value of every plan, unless a plan disproves it."""
        before = self.bound
        if self.claims.note(LIBRARIES[engine], bound, source):
            self.claims.face(self.objective)
        if self.bound != before:
            self._report()

    def disprove(self, engine: Engine, text: str) -> None:
        """Believe an engine no more."""
        self.claims.disprove(LIBRARIES[engine], text)
        self._report()

    def evaluate(self, formulation: Formulation, solution: Floats) -> Evaluation | None:
        """Decode a solution of a pair formulation and evaluate it."""
        evaluation = self.evaluate_decisions(decode(formulation, solution), final_demand=formulation.final_demand)
        if evaluation is not None and evaluation.unwatched:
            raise UnwatchedLinks(evaluation.unwatched)
        return evaluation

    def evaluate_decisions(
        self, decisions: Decisions, *, final_demand: bool, extra: Mapping[str, Floats] | None = None
    ) -> Evaluation | None:
        """Resize, price and break a decision; keep it if it holds and is best.

        With `extra`, clusters keep so much compute (3, T) free beyond their reserve.

        None where only the final demand was looked at and an earlier period does not hold.

        Raises
        ------
        EngineError
            If the solution breaks a limit that no row can express: model and verifier disagree.
        """
        begun = time.monotonic()
        problem = self.problem
        normal = problem.normal_state(decisions)
        smaller = resized(problem, normal, extra)
        if smaller is None and final_demand:
            return None
        evaluation = None
        if smaller is None or not final_demand:
            evaluation = self._evaluated(decisions, normal)
        if smaller is not None and (evaluation is None or smaller != decisions):
            trimmed = self._evaluated(smaller, problem.normal_state(smaller))
            self._keep(trimmed)
            # what the solution breaks is said where its other nodes cost more: rows have to rule it out
            if evaluation is None or (
                trimmed.holds and (evaluation.holds or trimmed.objective <= evaluation.objective)
            ):
                evaluation = trimmed
        if evaluation is None:
            raise EngineError("a decision was neither evaluated as it is nor resized")
        self._keep(evaluation)
        self.evaluating_s += time.monotonic() - begun
        return evaluation

    def _keep(self, evaluation: Evaluation) -> None:
        """Keep a decision if it holds and is best; remember on which clusters packing was not decided."""
        self.doubtful |= evaluation.doubtful
        if evaluation.holds and evaluation.objective < self.objective - 1e-9 * abs(evaluation.objective):
            self.best, self.objective = evaluation.decisions, evaluation.objective
            self.claims.face(self.objective)
            self._report()

    def _evaluated(self, decisions: Decisions, normal: NormalState) -> Evaluation:
        problem, context = self.problem, normal.context
        rows = cost_rows(problem.inventory, problem.pack, decisions, problem.rates)
        objective = totals(problem.inventory, rows).present_value
        broken: set[GeneratedRow] = set()
        slots = {slot.cluster: slot.index for slot in problem.slots}
        unwatched: set[str] = set()
        overloaded: dict[str, int] = {}
        doubtful: set[str] = set()
        short: dict[str, Floats] = {}
        for violation in violations(normal):
            if isinstance(violation, LinkViolation):
                overloaded[violation.link] = min(violation.period, overloaded.get(violation.link, violation.period))
            if violation.state.kind == "link" and violation.state.id not in problem.state_index:
                unwatched.add(violation.state.name)
            elif isinstance(violation, LinkViolation):
                broken.add(LinkRow(violation.state.id, violation.link, violation.forward, violation.period))
            elif isinstance(violation, ClusterViolation):
                _note_short(short, context, violation)
                broken.add(
                    ClusterRow(violation.state.id, slots[violation.cluster], violation.resource, violation.period)
                )
            elif isinstance(violation, HostViolation):
                _note_crowd(short, context, violation)
                if violation.crowd.verdict is Verdict.CANNOT:
                    broken.add(_host_row(violation, slots[violation.cluster]))
                else:
                    doubtful.add(violation.cluster)
            else:
                raise EngineError(f"the model placed {violation.demand} where {violation.state.id} cuts it off")
        return Evaluation(
            decisions,
            objective,
            tuple(sorted(broken, key=repr)),
            frozenset(unwatched),
            overloaded,
            short,
            frozenset(found.site for found in upload_violations(context)),
            frozenset(doubtful),
        )

    def _report(self) -> None:
        incumbent = None if self.best is None else self.objective
        bound = None if self.bound == -INFINITY else min(self.bound, self.objective)  # apart by rounding at most
        self.trace.append(TracePoint(self.seconds, incumbent, bound))
        if self.config.on_progress is not None:
            self.config.on_progress(self.seconds, incumbent, bound)


def _note_short(short: dict[str, Floats], context: PlanContext, violation: ClusterViolation) -> None:
    """Remember how much more than its reserve a cluster takes in."""
    index, number = context.cluster_index[violation.cluster], COMPUTE_RESOURCES.index(violation.resource)
    known = short.setdefault(violation.cluster, np.zeros(context.reserve.shape[1:]))
    kept = context.own_compute[index, number, violation.period] + context.reserve[index, number, violation.period]
    known[number, violation.period] = max(known[number, violation.period], violation.load - kept)


def _note_crowd(short: dict[str, Floats], context: PlanContext, violation: HostViolation) -> None:
    """Have a cluster whose machines find no hosts keep so much free that one of them has to go, or a node to come."""
    crowd = violation.crowd
    known = short.setdefault(violation.cluster, np.zeros(context.reserve.shape[1:]))
    totals = np.array([np.array(machine.amounts) * count for machine, count in crowd.machines]).sum(axis=0)
    tightest = int(np.argmax(totals / np.maximum(np.array(crowd.hosts.room.limits), 1e-9)))
    smallest = min(machine.amounts[tightest] for machine, _ in crowd.machines if machine.amounts[tightest] > 0)
    kept = context.own_compute[crowd.cluster] + context.reserve[crowd.cluster]
    free = context.failover_capacity[crowd.cluster] - kept
    more = max(0.0, float(free[tightest, crowd.period])) + smallest
    known[tightest, crowd.period] = max(known[tightest, crowd.period], more)


def _host_row(violation: HostViolation, slot: int) -> HostRow:
    """The row that forbids the machines that do not fit, as few of them as still do not."""
    crowd = violation.crowd
    least = cannot_subset(crowd.machines, crowd.hosts, every_node=crowd.every_node)
    state = violation.state.id if violation.arriving and not crowd.domain else ""
    return HostRow(slot, crowd.period, crowd.domain, state, least)
