"""A plan with nothing failed: what its demands, links and machines do then, and what a failure can change of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fleet.plan.context import PlanContext
from fleet.plan.fates import Fate, FateKind, fate
from fleet.plan.machines import MachinesOfPlan
from fleet.plan.protection import Floats
from fleet.wan.states import NORMAL, FailureState, single_failures


class NormalState:
    """What a plan does with nothing failed, which every failure is compared with.

    Each part is calculated when it is first asked for, and once: whoever simulates a plan several times passes this
    on.

    Parameters
    ----------
    context : PlanContext
        The plan laid out.
    """

    def __init__(self, context: PlanContext) -> None:
        self.context = context

    @cached_property
    def failures(self) -> tuple[FailureState, ...]:
        """Every single failure that the plan must stand."""
        sites = {cluster.name: cluster.site for cluster in self.context.clusters}
        return tuple(single_failures(self.context.inventory, self.context.wan, sites))

    @cached_property
    def hosting(self) -> MachinesOfPlan:
        """The machines of each cluster and whether they find hosts."""
        return MachinesOfPlan(self.context)

    @cached_property
    def fates(self) -> tuple[Fate, ...]:
        """The fate of every demand."""
        return tuple(fate(self.context, index, NORMAL) for index in range(len(self.context.demands)))

    @cached_property
    def mbps(self) -> Floats:
        """Load of every link direction [Mbit/s], shape (2 · n_links, T)."""
        context = self.context
        loads = np.zeros((2 * len(context.links), len(context.inventory.periods)))
        for amounts, parts in zip(context.carried, zip(*(end.rows for end in self.fates), strict=True), strict=False):
            rows = [row for part in parts for row in part]
            demands = [index for index, part in enumerate(parts) for _ in part]
            np.add.at(loads, np.array(rows, dtype=np.int64), amounts[np.array(demands, dtype=np.int64)])
        return loads

    def touched(self, state: FailureState) -> tuple[int, ...]:
        """The demands that `state` may treat differently, in order."""
        found = set(self._touching.always)
        for elements, index in (
            (state.sites | state.offline, self._touching.sites),
            (state.links, self._touching.links),
            (state.clusters, self._touching.clusters),
        ):
            for element in elements:
                found.update(index.get(element, ()))
        return tuple(sorted(found))

    @cached_property
    def _touching(self) -> _Touching:
        return _index_of_elements(self.context, self.fates)


@dataclass(frozen=True)
class _Touching:
    """Demands by the elements that they rely on with nothing failed; `always` those that are not served as planned."""

    sites: dict[str, list[int]]
    links: dict[str, list[int]]
    clusters: dict[str, list[int]]
    always: tuple[int, ...]


def _index_of_elements(context: PlanContext, fates: tuple[Fate, ...]) -> _Touching:
    sites: dict[str, list[int]] = {}
    links: dict[str, list[int]] = {}
    clusters: dict[str, list[int]] = {}
    for index, end in enumerate(fates):
        used = {context.links[row // 2] for part in end.rows for row in part}
        hosts = [context.clusters[int(host)] for host in (context.primary[index], context.standby[index]) if host >= 0]
        ends = {site for link in used for site in (context.wan.links[link].from_, context.wan.links[link].to)}
        for found, elements in (
            (links, used),
            (sites, ends | {context.demands[index].site} | {host.site for host in hosts}),
            (clusters, {host.name for host in hosts}),
        ):
            for element in elements:
                found.setdefault(element, []).append(index)
    always = tuple(index for index, end in enumerate(fates) if end.kind is not FateKind.STAYS)
    return _Touching(sites, links, clusters, always)
