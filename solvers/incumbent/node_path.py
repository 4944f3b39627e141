"""The cheapest node counts that carry what was placed, cluster by cluster and exactly.

Once it is decided who runs and stands by where, clusters do not depend on each other: each takes, among the archetypes
of its node model up to its final node count, the cheapest path over the periods that holds its load and reserve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fleet.inventory.tables.workloads import TIERS, Workload
from fleet.plan.context import COMPUTE, PlanContext
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.normal_state import NormalState
from fleet.platform.archetype import Archetype
from fleet.platform.growth import may_become
from solvers.linear.model import INFINITY, Floats
from solvers.problem.design import DesignProblem
from solvers.problem.sets import Slot
from solvers.tolerances import LOAD_TOLERANCE


def resized(problem: DesignProblem, normal: NormalState, extra: Mapping[str, Floats] | None = None) -> Decisions | None:
    """The decisions with every free cluster on its cheapest path; None where one has no path that holds its load.

    Existing and pinned clusters keep their nodes. Pinned ones have to hold their load as they are; existing ones change
    their layout no more than that takes.

    Parameters
    ----------
    extra : mapping, optional
        Compute (3, T) that clusters keep free beyond their reserve, by name.
    """
    context = normal.context
    nothing = np.zeros((len(COMPUTE), problem.periods))
    slots = {slot.cluster: slot for slot in problem.slots}
    clusters = []
    for decision in context.decisions.clusters:
        more = nothing if extra is None else extra.get(decision.cluster, nothing)
        if decision.existing:
            settled = _settled(problem, context, decision, slots[decision.cluster], more)
            if settled is None:
                return None
            clusters.append(settled)
            continue
        if decision.origin == "pinned":
            if not _holds(problem, context, context.cluster_index[decision.cluster], more):
                return None
            clusters.append(decision)
            continue
        cheapest = _cheapest(problem, normal, decision, slots[decision.cluster], more)
        if cheapest is None:  # one that holds the sums shows which machines do not fit
            cheapest = _cheapest(problem, normal, decision, slots[decision.cluster], more, packs=False)
        if cheapest is None:
            return None
        clusters.append(cheapest)
    return replace(context.decisions, clusters=tuple(clusters))


def _holds(problem: DesignProblem, context: PlanContext, index: int, extra: Floats) -> bool:
    """Whether a cluster as it is decided carries its load and reserve in every period."""
    tolerance, data, asking = _demands_at(problem, context, index)
    reserve = context.reserve[index] + extra
    return all(
        _does(context, index, period, archetype, tolerance[period], data[period], reserve[:, period], asking[period])
        for period, archetype in enumerate(context.clusters[index].archetypes)
    )


def _settled(
    problem: DesignProblem, context: PlanContext, decision: ClusterDecision, slot: Slot, extra: Floats
) -> ClusterDecision | None:
    """An existing cluster with its nodes, and the fewest and latest changes of layout that hold its load."""
    index = context.cluster_index[decision.cluster]
    tolerance, data, asking = _demands_at(problem, context, index)
    reserve = context.reserve[index] + extra
    options = [archetype for segment in slot.segments for archetype in segment.archetypes]
    best: list[tuple[float, tuple[Archetype, ...]]] = [(0.0, (options[0],))]  # what stands today
    for period, nodes in enumerate(decision.nodes):
        needs = tolerance[period], data[period], reserve[:, period], asking[period]
        following: list[tuple[float, tuple[Archetype, ...]]] = []
        for archetype in (option for option in options if option.nodes == nodes):
            if not _does(context, index, period, archetype, *needs):
                continue
            paths = [
                (changes + (archetype.layout != path[-1].layout) * _change_weight(problem, period), (*path, archetype))
                for changes, path in best
                if _may_follow(problem, path[-1], archetype)
            ]
            following += [min(paths, key=lambda entry: entry[0])] if paths else []
        best = following
    if not best:
        return None
    _, path = min(best, key=lambda entry: entry[0])
    return replace(decision, layouts=tuple(dict(archetype.layout) for archetype in path[1:]))


def _change_weight(problem: DesignProblem, period: int) -> float:
    """What a change of layout counts for: fewer come first, then later ones."""
    return 2.0 - period / problem.periods


def _cheapest(
    problem: DesignProblem,
    normal: NormalState,
    decision: ClusterDecision,
    slot: Slot,
    extra: Floats,
    *,
    packs: bool = True,
) -> ClusterDecision | None:
    context, limit = normal.context, max(decision.nodes)
    options = sorted(
        (
            archetype
            for segment in slot.segments
            if segment.node_model == decision.node_model
            for archetype in segment.archetypes
            if archetype.nodes <= limit
        ),
        key=lambda archetype: archetype.nodes,
    )
    index = context.cluster_index[decision.cluster]
    reserve = context.reserve[index] + extra
    rates, model = problem.rates, decision.node_model
    growing = [rates.node_purchase(model, (), 1 + archetype.zone_tolerance) for archetype in options]
    offers = [(options, growing)]
    for count, zones in sorted({(archetype.nodes, 1 + archetype.zone_tolerance) for archetype in options}):
        alike = [option for option in options if (option.nodes, 1 + option.zone_tolerance) == (count, zones)]
        kept = rates.node_purchase(model, (count,), zones)
        if kept < rates.node_purchase(model, (), zones):  # wired for less as long as it keeps its count
            offers.append((alike, [kept] * len(alike)))
    found = (_cheapest_path(problem, normal, decision, index, reserve, *offer, packs=packs) for offer in offers)
    paths = [path for path in found if path is not None]
    if not paths:
        return None
    _, path = min(paths, key=lambda entry: entry[0])
    if path[-1] is None:
        return decision
    return replace(
        decision,
        nodes=tuple(0 if archetype is None else archetype.nodes for archetype in path),
        layouts=tuple({} if archetype is None else dict(archetype.layout) for archetype in path),
    )


def _cheapest_path(
    problem: DesignProblem,
    normal: NormalState,
    decision: ClusterDecision,
    index: int,
    reserve: Floats,
    options: Sequence[Archetype],
    prices: Sequence[float],
    *,
    packs: bool,
) -> tuple[float, tuple[Archetype | None, ...]] | None:
    """(cost, archetype per period) of the cheapest path through options that cost so much per node; None without."""
    context = normal.context
    tolerance, data, asking = _demands_at(problem, context, index)
    monthly = problem.rates.node_monthly(decision.node_model, decision.site)
    best: list[tuple[float, tuple[Archetype | None, ...]]] = [(0.0, ())]
    for period in range(problem.periods):
        following: dict[int, tuple[float, tuple[Archetype | None, ...]]] = {}
        for cost, path in best:
            before = path[-1] if path else None
            for position, archetype in enumerate([None, *options]):
                if not _may_follow(problem, before, archetype):
                    continue
                needs = tolerance[period], data[period], reserve[:, period], asking[period]
                if not _does(context, index, period, archetype, *needs):
                    continue
                if packs and archetype is not None and not normal.hosting.fits(index, period, archetype):
                    continue
                nodes = archetype.nodes if archetype is not None else 0
                added = nodes - (before.nodes if before is not None else 0)
                weight = problem.rates.purchase_factor(period) - problem.rates.residual_factor(period)
                bought = added * prices[position - 1] * weight if added else 0.0
                total = cost + bought + nodes * monthly * problem.rates.monthly_factor(period)
                if total < following.get(position, (INFINITY, ()))[0]:
                    following[position] = (total, (*path, archetype))
        best = list(following.values())
    return min(best, key=lambda entry: entry[0], default=None)


def _may_follow(problem: DesignProblem, before: Archetype | None, after: Archetype | None) -> bool:
    if before is None:
        return True
    if after is None or after.nodes < before.nodes:
        return False
    return may_become(before, after, problem.pack)


def _demands_at(
    problem: DesignProblem, context: PlanContext, index: int
) -> tuple[list[int], Floats, list[list[Workload]]]:
    """Per period: most node failures that a demand asks to survive (−1 without), data by tier [TB], other wishes."""
    tolerance = [-1] * problem.periods
    data = np.zeros((problem.periods, len(TIERS)))
    asking: list[list[Workload]] = [[] for _ in range(problem.periods)]
    here = np.flatnonzero((context.primary == index) | (context.standby == index))
    for demand in (context.demands[number] for number in here.tolist()):
        tier = TIERS.index(demand.row.tier)
        for period in range(problem.inventory.first_period(demand), problem.periods):
            tolerance[period] = max(tolerance[period], demand.row.fault_tolerance)
            data[period, tier] += problem.inventory.amounts(demand, period).storage_tb
            if demand.row.zone_tolerance or demand.row.resiliency:
                asking[period].append(demand.row)
    return tolerance, data, asking


def _does(
    context: PlanContext,
    index: int,
    period: int,
    archetype: Archetype | None,
    tolerance: int,
    data: Floats,
    reserve: Floats,
    asking: list[Workload],
) -> bool:
    """Whether an archetype, or none, does for what is on a cluster in a period and for what that asks."""
    if archetype is None:
        is_used = context.load[index, :, period].any() or context.reserve[index, :, period].any()
        return not is_used and tolerance < 0
    carries = _carries(context, index, period, archetype, tolerance, data, reserve)
    return carries and all(archetype.keeps(row) for row in asking)


def _carries(
    context: PlanContext,
    index: int,
    period: int,
    archetype: Archetype,
    tolerance: int,
    data: Floats,
    reserve: Floats,
) -> bool:
    """Whether an archetype holds the load and the reserve of a cluster in a period."""
    if archetype.node_tolerance < tolerance or context.machines[index, period] > archetype.most_machines:
        return False
    usable = np.array(archetype.capacity.usable.as_tuple())
    free = np.array(archetype.capacity.without_node_reserve.as_tuple())
    load = context.load[index, :, period].copy()
    if context.inventory.policy.standby_uses_node_reserve:
        kept = load[COMPUTE] + reserve
        if any(_exceeds(float(amount), float(limit)) for amount, limit in zip(kept, free[COMPUTE], strict=True)):
            return False
    else:
        load[COMPUTE] += reserve
    if any(_exceeds(float(load[row]), float(usable[row])) for row in COMPUTE):
        return False
    footprint = sum(float(amount) / archetype.efficiency[tier] for tier, amount in zip(TIERS, data, strict=True))
    return not _exceeds(footprint, archetype.capacity.usable.pool_tb)


def _exceeds(load: float, limit: float) -> bool:
    """Whether a load is over a limit by more than rounding: nodes are never saved on the tolerance of the audit.

    The rows of the model have none, so a plan that lived on it would be cheaper than what engines prove.
    """
    return load > limit + LOAD_TOLERANCE * max(1.0, abs(limit))
