"""Of plans that cost the same, one with fewer single points of failure: standbys move to where two paths lead.

This is no second objective: a found plan is changed by single moves, and one is kept where the audit finds no error in
it, it costs no more, and fewer demands lose their copies or their service with a single failure.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fleet.plan.assemble import assemble
from fleet.plan.context import PlanContext
from fleet.plan.decisions import Decisions
from fleet.plan.normal_state import NormalState
from fleet.plan.placement import pair_reason
from fleet.plan.plan import ResultRow
from fleet.plan.states import sweep
from solvers.problem.design import DesignProblem
from solvers.problem.stream_cuts import PathCuts
from solvers.tolerances import SAME_COST

#: Wherever a plan is evaluated here, its result does not matter.
_UNRATED = ResultRow(
    status="feasible", objective=None, bound=None, bound_source="", gap=None, stopped_by="", seconds=None, seed=0,
    strategy="",
)  # fmt: skip


def secured(problem: DesignProblem, decisions: Decisions, objective: float) -> Decisions:
    """The decisions, with standbys moved to where more than one path leads as far as that costs nothing.

    Parameters
    ----------
    problem : DesignProblem
        What was solved.
    decisions : Decisions
        A plan that holds.
    objective : float
        Its present value [currency].

    Returns
    -------
    Decisions
        The same where nothing is gained, or the fleet is so large that evaluating moves would take long.
    """
    tuning = problem.parameters.local_search
    left = min(tuning.trials, tuning.trials_demands // max(1, len(problem.inventory.demands)))
    if left < 1 or problem.inventory.policy.stream_cut == "hard":
        return decisions
    normal = problem.normal_state(decisions)
    least = _single_points(normal)
    is_better = least > 0
    while is_better:
        is_better = False
        for moved in _moves(problem, normal):
            if left < 1:
                return decisions
            left -= 1
            points = _single_points(problem.normal_state(moved))
            if points < least and _holds(problem, moved, objective):
                decisions, least, is_better = moved, points, points > 0
                normal = problem.normal_state(decisions)
                break
    return decisions


def _single_points(normal: NormalState) -> int:
    """How many copies and services single failures stop, summed over the failures; 0 if no copies are among them."""
    copies = services = 0
    for outcome in sweep(normal):
        copies += len(outcome.uncopied)
        services += len(outcome.single_points)
    return copies + services if copies else 0


def _holds(problem: DesignProblem, decisions: Decisions, objective: float) -> bool:
    """Whether the audit finds no error in a plan, and it costs what is known."""
    plan = assemble(problem.inventory, decisions, _UNRATED, router=problem.router)
    return math.isclose(plan.document.totals.present_value, objective, rel_tol=SAME_COST) and not plan.errors


def _moves(problem: DesignProblem, normal: NormalState) -> Iterator[Decisions]:
    """Decisions with the standbys of one cluster elsewhere, where fewer failures cut their copies; best first."""
    context, cuts = normal.context, PathCuts(problem.router, normal.failures)
    pairs: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for index in np.flatnonzero(context.standby >= 0).tolist():
        pairs[int(context.primary[index]), int(context.standby[index])].append(index)
    found = []
    for (primary, standby), members in pairs.items():
        now = _cut(context, cuts, members, context.clusters[standby].site)
        for other, cluster in enumerate(context.clusters):
            if other not in (primary, standby) and now and _may_pair(problem, context, members, cluster.site):
                gain = now - _cut(context, cuts, members, cluster.site)
                found.append((-gain, cluster.name, _repointed(context, members, cluster.name)))
    hosted = set(context.primary.tolist())
    for standby in sorted({second for _, second in pairs} - hosted):
        members = [index for (_, second), demand_class in pairs.items() for index in demand_class if second == standby]
        now = _cut(context, cuts, members, context.clusters[standby].site)
        for site, name in _free_slots(problem, context, standby):
            if now and _may_pair(problem, context, members, site):
                gain = now - _cut(context, cuts, members, site)
                found.append((-gain, name, _relocated(context, standby, members, site, name)))
    for loss, _, decisions in sorted(found, key=lambda entry: entry[:2]):
        if loss < 0:
            yield decisions


def _cut(context: PlanContext, cuts: PathCuts, members: list[int], site: str) -> int:
    """How many (failure, demand) stop the copies of demands to a site."""
    ends: defaultdict[tuple[str, float | None], int] = defaultdict(int)
    for index in members:
        mechanism = context.mechanisms[index]
        limit = None if mechanism is None else mechanism.max_rtt_ms
        ends[context.clusters[int(context.primary[index])].site, limit] += 1
    return sum(count * len(cuts.cutting(origin, site, limit)) for (origin, limit), count in ends.items())


def _may_pair(problem: DesignProblem, context: PlanContext, members: list[int], site: str) -> bool:
    ends = {(context.clusters[int(context.primary[index])].site, context.mechanisms[index]) for index in members}
    return all(
        mechanism is not None and pair_reason(problem.inventory, problem.router, mechanism, origin, site) is None
        for origin, mechanism in ends
    )


def _free_slots(problem: DesignProblem, context: PlanContext, standby: int) -> Iterator[tuple[str, str]]:
    """(site, cluster) of the first free slot of every other site that offers the node model of a new cluster."""
    moving = context.clusters[standby].decision
    if moving.existing:
        return
    seen = {cluster.name for cluster in context.clusters}
    sites = {moving.site}
    for slot in problem.slots:
        offered = {segment.node_model for segment in slot.segments}
        if slot.existing is None and slot.cluster not in seen and slot.site not in sites:
            sites.add(slot.site)
            if moving.node_model in offered:
                yield slot.site, slot.cluster


def _repointed(context: PlanContext, members: list[int], cluster: str) -> Decisions:
    changes = {context.demands[index].key: cluster for index in members}
    return replace(context.decisions, standby={**context.decisions.standby, **changes})


def _relocated(context: PlanContext, standby: int, members: list[int], site: str, name: str) -> Decisions:
    old = context.clusters[standby].name
    clusters = tuple(
        replace(cluster, cluster=name, site=site) if cluster.cluster == old else cluster
        for cluster in context.decisions.clusters
    )
    return replace(_repointed(context, members, name), clusters=clusters)
