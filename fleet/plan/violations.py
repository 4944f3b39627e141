"""Limits that a state of the fleet breaks: links, clusters, hosts, and demands that nothing restores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fleet.inventory.inventory import DemandKey
from fleet.plan.context import PlanContext
from fleet.plan.fates import Fate, FateKind, failure_rtt_limit
from fleet.plan.machines import Crowd
from fleet.plan.normal_state import NormalState
from fleet.plan.protection import Floats, Indices
from fleet.quantities import COMPUTE_RESOURCES
from fleet.tolerances import LIMIT_TOLERANCE
from fleet.wan.states import FailureState


@dataclass(frozen=True, slots=True)
class LinkViolation:
    """A link direction over its limit in one state and period [Mbit/s]."""

    state: FailureState
    link: str
    forward: bool
    period: int
    load: float
    limit: float


@dataclass(frozen=True, slots=True)
class ClusterViolation:
    """A cluster over its limit in one state and period; `resource` is one of the compute resources."""

    state: FailureState
    cluster: str
    resource: str
    period: int
    load: float
    limit: float


@dataclass(frozen=True, slots=True)
class ReachViolation:
    """A protected demand that nothing restores: its copy is down or out of reach (`rtt_ms` over `limit_ms`)."""

    state: FailureState
    demand: DemandKey
    standby: str
    rtt_ms: float | None
    limit_ms: float | None


@dataclass(frozen=True, slots=True)
class HostViolation:
    """A cluster on whose nodes the machines do not fit that run there, with those that a failure sends there."""

    state: FailureState
    cluster: str
    arriving: tuple[int, ...]
    crowd: Crowd

    @property
    def period(self) -> int:
        """When they do not fit."""
        return self.crowd.period

    def __str__(self) -> str:
        return f"cluster {self.cluster}: {self.crowd} in period {self.period}"


Violation = LinkViolation | ClusterViolation | HostViolation | ReachViolation


def _over(loads: Floats, limits: Floats) -> tuple[Indices, ...]:
    """Positions of loads over their limits by more than the tolerance."""
    finite = np.where(np.isfinite(limits), limits, 0.0)
    return np.nonzero(loads > limits + LIMIT_TOLERANCE * np.maximum(1.0, np.abs(finite)))


def link_violations(
    context: PlanContext, state: FailureState, link_rows: Indices, link_mbps: Floats
) -> Iterator[LinkViolation]:
    """Link directions, by row, whose load (n, T) in a state is over their limit."""
    limits = context.link_limit.reshape(-1, context.link_limit.shape[-1])[link_rows]
    for position, period in zip(*_over(link_mbps, limits), strict=True):
        row = int(link_rows[position])
        yield LinkViolation(
            state,
            context.links[row // 2],
            row % 2 == 0,
            int(period),
            float(link_mbps[position, period]),
            float(limits[position, period]),
        )


def cluster_violations(
    context: PlanContext, state: FailureState, cluster_rows: Indices, moved_compute: Floats
) -> Iterator[ClusterViolation]:
    """Clusters that cannot run what a state moves to them, (n, C, T), beside their own."""
    loads = context.own_compute[cluster_rows] + moved_compute
    limits = context.failover_capacity[cluster_rows]
    for position, resource, period in zip(*_over(loads, limits), strict=True):
        yield ClusterViolation(
            state,
            context.clusters[int(cluster_rows[position])].name,
            COMPUTE_RESOURCES[resource],
            int(period),
            float(loads[position, resource, period]),
            float(limits[position, resource, period]),
        )


def host_violations(
    normal: NormalState,
    state: FailureState,
    fates: list[tuple[int, Fate]],
    cluster_rows: Indices,
    moved_compute: Floats,
) -> Iterator[HostViolation]:
    """Machines without hosts; in the normal state those that any one fault domain would send are counted with."""
    hosting, clusters = normal.hosting, normal.context.clusters
    if state.kind == "normal":
        for crowd in hosting.crowds():
            arriving = hosting.arriving[crowd.cluster].get(crowd.domain, ())
            yield HostViolation(state, clusters[crowd.cluster].name, arriving, crowd)
        return
    arrivals: dict[int, list[int]] = {}
    for index, end in fates:
        arrivals.setdefault(end.host, []).append(index)
    for cluster, moved in zip(cluster_rows.tolist(), moved_compute, strict=True):
        coming = tuple(arrivals[cluster])
        for crowd in hosting.after_failure(cluster, coming, moved):
            yield HostViolation(state, clusters[cluster].name, coming, crowd)


def reach_violations(
    context: PlanContext, state: FailureState, fates: list[tuple[int, Fate]]
) -> Iterator[ReachViolation]:
    """Protected demands that a state leaves lost."""
    for index, end in fates:
        if end.kind is FateKind.LOST:
            yield ReachViolation(
                state,
                context.demands[index].key,
                context.standby_name(index),
                end.rtt_ms,
                failure_rtt_limit(context, index),
            )
