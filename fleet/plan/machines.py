"""Whether the machines of a plan find hosts: those of each cluster, and with them those that a failure sends there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fleet.inventory.tables.workloads import Workload
from fleet.plan.context import COMPUTE, PlanContext
from fleet.plan.placement import exceeds
from fleet.plan.protection import Floats
from fleet.platform.archetype import Archetype
from fleet.platform.machines import Hosts, Machine, machine_of
from fleet.platform.packing import Machines, Verdict, are_small, gathered, in_words, packed

#: Names every demand that stands by, whatever fails, where the reserve is dedicated.
EVERY_DOMAIN = "*"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Machines that do not find hosts, or are not known to.

    Attributes
    ----------
    cluster, period : int
        Where and when.
    domain : str
        The fault domain whose loss sends some of them; blank where they are the cluster's own.
    machines : tuple of (Machine, int)
        Own ones and those that come in.
    hosts : Hosts
        The nodes.
    every_node : bool
        Whether they may use the nodes that are kept free.
    verdict : Verdict
        That they cannot be placed, or that neither a placement nor a proof was found.
    """

    cluster: int
    period: int
    domain: str
    machines: Machines
    hosts: Hosts
    every_node: bool
    verdict: Verdict

    @property
    def nodes(self) -> int:
        """Nodes that they may use."""
        return self.hosts.every if self.every_node else self.hosts.left

    @property
    def count(self) -> int:
        """How many machines there are."""
        return sum(count for _, count in self.machines)

    def __str__(self) -> str:
        return in_words(self.machines, self.hosts.room, self.nodes, self.verdict)


class MachinesOfPlan:
    """The machines of each cluster, and those that stand by for it."""

    def __init__(self, context: PlanContext) -> None:
        self.context = context
        self._machines: dict[int, tuple[Machine, ...]] = {}
        self._gathered: dict[tuple[int, int, str], Machines] = {}
        self.uses_reserve = context.inventory.policy.standby_uses_node_reserve

    # -- what there is -------------------------------------------------------------------------------------------------

    def sizes(self, row: Workload, demand: int) -> tuple[Machine, ...]:
        """One instance of a demand's workload in each period."""
        known = self._machines.get(id(row))
        if known is None:
            inventory = self.context.inventory
            factors = inventory.growth_factors(self.context.demands[demand])
            known = self._machines[id(row)] = tuple(machine_of(row, factor, inventory.policy) for factor in factors)
        return known

    def of(self, demands: Iterable[int], period: int) -> Iterator[tuple[Machine, int]]:
        """Machines of demands that exist in a period."""
        for index in demands:
            demand = self.context.demands[index]
            if self.context.inventory.growth_factors(demand)[period] > 0:
                yield self.sizes(demand.row, index)[period], demand.row.count

    @cached_property
    def own(self) -> tuple[tuple[int, ...], ...]:
        """The demands that run on each cluster."""
        found: list[list[int]] = [[] for _ in self.context.clusters]
        for index, primary in enumerate(self.context.primary.tolist()):
            found[primary].append(index)
        return tuple(map(tuple, found))

    @cached_property
    def arriving(self) -> tuple[Mapping[str, tuple[int, ...]], ...]:
        """Per cluster, the demands that the loss of each fault domain sends there; all where reserves are dedicated."""
        context = self.context
        is_shared = context.inventory.policy.standby_reserve == "shared"
        found: list[dict[str, list[int]]] = [defaultdict(list) for _ in context.clusters]
        for index, (primary, standby) in enumerate(
            zip(context.primary.tolist(), context.standby.tolist(), strict=True)
        ):
            if standby >= 0:
                domain = context.clusters[primary].fault_domain if is_shared else EVERY_DOMAIN
                found[standby][domain].append(index)
        return tuple({domain: tuple(demands) for domain, demands in sorted(each.items())} for each in found)

    def own_machines(self, cluster: int, period: int) -> Machines:
        """The machines that run on a cluster in a period."""
        known = self._gathered.get((cluster, period, ""))
        if known is None:
            known = self._gathered[cluster, period, ""] = gathered(self.of(self.own[cluster], period))
        return known

    def with_domain(self, cluster: int, period: int, domain: str) -> Machines:
        """The same with those that the loss of a fault domain sends."""
        known = self._gathered.get((cluster, period, domain))
        if known is None:
            coming = self.of(self.arriving[cluster][domain], period)
            known = gathered([*self.own_machines(cluster, period), *coming])
            self._gathered[cluster, period, domain] = known
        return known

    def domain_of(self, demands: Iterable[int]) -> str:
        """The fault domain that demands run in, if it is one; blank if not."""
        names = {self.context.clusters[int(self.context.primary[index])].fault_domain for index in demands}
        return names.pop() if len(names) == 1 else ""

    # -- whether it fits -----------------------------------------------------------------------------------------------

    def crowds(self) -> Iterator[Crowd]:
        """Where the own machines of a cluster, or with them those of one fault domain, do not find hosts.

        Clusters whose loads are over their limits are left to the rules of those.
        """
        context = self.context
        loads = context.own_compute + context.reserve
        for index in range(len(context.clusters)):
            for period in range(loads.shape[2]):
                archetype = context.clusters[index].archetypes[period]
                if archetype is None or self._is_easy(index, period, archetype, loads[index, :, period]):
                    continue
                if _is_over(context.own_compute[index, :, period], context.capacity[index, COMPUTE, period]):
                    continue
                alone = self._alone(index, period, archetype)
                if alone is not None:
                    yield alone
                elif not _is_over(loads[index, :, period], context.failover_capacity[index, :, period]):
                    yield from self._with_others(index, period, archetype)

    def after_failure(self, cluster: int, arriving: tuple[int, ...], moved: Floats) -> Iterator[Crowd]:
        """Where demands that a failure sends to a cluster, `moved` (C, T), leave its machines without hosts."""
        context = self.context
        loads = context.own_compute[cluster] + moved
        for period, archetype in enumerate(context.clusters[cluster].archetypes):
            if archetype is None or self._is_easy(cluster, period, archetype, loads[:, period]):
                continue
            if _is_over(loads[:, period], context.failover_capacity[cluster, :, period]):
                continue
            machines = gathered([*self.own_machines(cluster, period), *self.of(arriving, period)])
            domain = self.domain_of(arriving)
            found = _crowd(cluster, period, domain, machines, archetype.hosts, every_node=self.uses_reserve)
            if found is not None and self._alone(cluster, period, archetype) is None:
                yield found

    def _alone(self, cluster: int, period: int, archetype: Archetype) -> Crowd | None:
        """The own machines of a cluster, if they do not find hosts."""
        machines = self.own_machines(cluster, period)
        return _crowd(cluster, period, "", machines, archetype.hosts, every_node=False)

    def _with_others(self, cluster: int, period: int, archetype: Archetype) -> Iterator[Crowd]:
        """Own machines and those of one fault domain after the other, where they do not find hosts."""
        for domain in self.arriving[cluster]:
            machines = self.with_domain(cluster, period, domain)
            found = _crowd(cluster, period, domain, machines, archetype.hosts, every_node=self.uses_reserve)
            if found is not None:
                yield found

    def on_nodes_left(self, cluster: int, period: int, nodes: int, arriving: tuple[int, ...] = ()) -> Crowd | None:
        """The machines of a cluster, with those that come in, if they find no hosts on so many of its nodes."""
        standing = self.context.clusters[cluster].archetypes[period]
        if standing is None:
            return None
        room, platform = standing.hosts.room, standing.hosts.platform
        machines = gathered([*self.own_machines(cluster, period), *self.of(arriving, period)])
        hosts = Hosts(room, nodes, nodes, platform)
        return _crowd(cluster, period, self.domain_of(arriving), machines, hosts, every_node=False)

    def fits(self, cluster: int, period: int, archetype: Archetype) -> bool:
        """Whether a cluster would hold its machines, and those that each fault domain sends, on another archetype."""
        context = self.context
        load = context.own_compute[cluster, :, period] + context.reserve[cluster, :, period]
        if self._is_easy(cluster, period, archetype, load):
            return True
        if self._alone(cluster, period, archetype) is not None:
            return False
        return next(self._with_others(cluster, period, archetype), None) is None

    @cached_property
    def _largest(self) -> Floats:
        """[cluster, resource, period]: the most that one machine which runs or stands by on a cluster takes."""
        context = self.context
        found = np.zeros_like(context.own_compute)
        counts = np.array([demand.row.count for demand in context.demands], dtype=np.float64)
        each = context.compute / np.maximum(counts, 1.0)[:, None, None]
        for hosts in (context.primary, context.standby):
            (there,) = np.nonzero(hosts >= 0)
            np.maximum.at(found, hosts[there], each[there])
        return found

    def _is_easy(self, cluster: int, period: int, archetype: Archetype, load: Floats) -> bool:
        """Whether machines fit whichever they are, as they are small and the load is far enough below its limit."""
        return are_small(load.tolist(), self._largest[cluster, :, period].tolist(), archetype.hosts)


def _crowd(
    cluster: int, period: int, domain: str, machines: Machines, hosts: Hosts, *, every_node: bool
) -> Crowd | None:
    """Machines on nodes, if they do not fit or are not known to."""
    verdict = packed(machines, hosts, every_node=every_node)
    return None if verdict is Verdict.FITS else Crowd(cluster, period, domain, machines, hosts, every_node, verdict)


def _is_over(load: Floats, limit: Floats) -> bool:
    """Whether the sum of any resource is over its limit."""
    return any(exceeds(float(amount), float(most)) for amount, most in zip(load, limit, strict=True))
