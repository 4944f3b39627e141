"""What a cluster survives of its own drives, nodes and zones, and what the rest of it can still run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fleet.plan.normal_state import NormalState
from fleet.plan.placement import exceeds
from fleet.plan.protection import Floats
from fleet.platform.archetype import Archetype
from fleet.platform.capacity import cluster_capacity
from fleet.platform.quorum_simulation import Loss, Shape, Step, Survival, simulate, survives
from fleet.platform.resiliency import resiliency_types
from fleet.quantities import COMPUTE_RESOURCES


@dataclass(frozen=True, slots=True)
class ClusterLoss:
    """What a cluster loses at once.

    Attributes
    ----------
    nodes : int
        Nodes, wherever they stand.
    drives : int
        Capacity drives on nodes that stay up.
    zones : frozenset of int
        Zones of the site whose nodes all go down.
    """

    nodes: int = 0
    drives: int = 0
    zones: frozenset[int] = frozenset()

    def __add__(self, other: ClusterLoss) -> ClusterLoss:
        return ClusterLoss(self.nodes + other.nodes, self.drives + other.drives, self.zones | other.zones)


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of a cluster in one period.

    Attributes
    ----------
    nodes, nodes_left : int
        Nodes before and after.
    survival : Survival
        Whether cluster quorum, pool and data are up, the worst placement of the loss counting.
    """

    nodes: int
    nodes_left: int
    survival: Survival


_GONE = Survival("no", "no", "no")


class ClusterLosses:
    """The losses inside the clusters of a plan. Equal clusters are judged once.

    Parameters
    ----------
    normal : NormalState
        The plan with nothing failed.
    witnesses : mapping
        Stated witness of each cluster; a cluster without one counts as ``none``.
    """

    def __init__(self, normal: NormalState, witnesses: Mapping[str, str]) -> None:
        self.context, self.hosting, self.witnesses = normal.context, normal.hosting, witnesses
        self._remains: dict[tuple[object, ...], Remains] = {}
        self._left: dict[tuple[str, int, int], Floats] = {}

    def remains(self, cluster: int, loss: ClusterLoss) -> tuple[Remains | None, ...]:
        """What is left of a cluster per period; None where it does not stand."""
        return tuple(
            None if archetype is None else self._remaining(cluster, archetype, loss)
            for archetype in self.context.clusters[cluster].archetypes
        )

    def survived(self, cluster: int, loss: ClusterLoss) -> tuple[bool, ...]:
        """Per period, whether data and quorum stay up; a cluster that does not stand yet has nothing to lose."""
        return tuple(left is None or left.survival.is_up for left in self.remains(cluster, loss))

    def nodes_lost(self, cluster: int, archetype: Archetype, loss: ClusterLoss) -> int:
        """Nodes that go down with a loss."""
        return min(archetype.nodes, loss.nodes + len(self._zone_nodes(cluster, archetype.nodes, loss)))

    def overloads(
        self, cluster: int, loss: ClusterLoss, moved_in: Floats | None = None, arriving: tuple[int, ...] = ()
    ) -> tuple[tuple[str, ...], ...]:
        """Per period, the compute that the nodes left cannot run, in full use and without any reserve.

        Where the sums would do, it is said which machines do not find one node each.

        Parameters
        ----------
        cluster : int
            Which cluster.
        loss : ClusterLoss
            What it has lost; it is taken to survive.
        moved_in : (n_compute_resources, n_periods), optional
            Compute that fails over to it at the same time.
        arriving : tuple of int
            The demands that do, by position.
        """
        context = self.context
        standing = context.clusters[cluster]
        loads = context.own_compute[cluster] if moved_in is None else context.own_compute[cluster] + moved_in
        found: list[tuple[str, ...]] = []
        for period, archetype in enumerate(standing.archetypes):
            if archetype is None:
                found.append(())
                continue
            lost = self.nodes_lost(cluster, archetype, loss)
            left = self._compute_left(archetype, lost)
            sums = tuple(
                over_limit(f"cluster {standing.name} {resource}", float(load), float(limit), period)
                for resource, load, limit in zip(COMPUTE_RESOURCES, loads[:, period], left, strict=True)
                if exceeds(float(load), float(limit))
            )
            crowd = None if sums else self.hosting.on_nodes_left(cluster, period, archetype.nodes - lost, arriving)
            found.append(sums if crowd is None else (f"cluster {standing.name}: {crowd} in period {period}",))
        return tuple(found)

    def _zone_nodes(self, cluster: int, nodes: int, loss: ClusterLoss) -> frozenset[int]:
        if not loss.zones:
            return frozenset()
        zones = self.context.inventory.site(self.context.clusters[cluster].site).zones
        shape = Shape(nodes, has_witness=False, zones=zones)
        return frozenset(node for node in range(nodes) if shape.zone_of(node) in loss.zones)

    def _remaining(self, cluster: int, archetype: Archetype, loss: ClusterLoss) -> Remains:
        context = self.context
        standing = context.clusters[cluster]
        has_witness = self.witnesses.get(standing.name, "none") != "none"
        down = self._zone_nodes(cluster, archetype.nodes, loss)
        layout = tuple(sorted(set(archetype.layout.values())))
        key = (archetype.node_model, archetype.nodes, layout, has_witness, loss.nodes, loss.drives, down)
        found = self._remains.get(key)
        if found is None:
            drives = context.inventory.node_model_by_name[archetype.node_model].capacity_drives
            kinds = tuple(resiliency_types(context.pack)[name] for name in layout)
            shape = Shape(archetype.nodes, has_witness, drives, kinds, max(kind.zones for kind in kinds))
            left = archetype.nodes - self.nodes_lost(cluster, archetype, loss)
            found = Remains(archetype.nodes, left, self._judge(shape, down, loss, left))
            self._remains[key] = found
        return found

    def _judge(self, shape: Shape, down: frozenset[int], loss: ClusterLoss, left: int) -> Survival:
        drives = min(loss.drives, left * shape.drives_per_node)
        if left <= 0:
            return _GONE
        if shape.zones == 1 or not down:
            return survives(shape, [Loss(nodes=shape.nodes - left, drives=drives)], self.context.pack)
        others = [node for node in range(shape.nodes) if node not in down]
        struck = frozenset(others[: loss.nodes])
        standing = [node for node in others if node not in struck]
        steps = [Step(down | struck, ((standing[0], drives),) if drives else ())]
        return simulate(shape, steps, self.context.pack)[-1]

    def _compute_left(self, archetype: Archetype, lost: int) -> Floats:
        """Compute of the nodes that are left, all of it."""
        key = (archetype.node_model, archetype.nodes, lost)
        found = self._left.get(key)
        if found is None:
            inventory = self.context.inventory
            policy = inventory.policy.model_copy(update={"reserve_nodes": lost, "max_utilization": 1.0})
            model = inventory.node_model_by_name[archetype.node_model]
            usable = cluster_capacity(model, archetype.nodes, archetype.layout, policy, self.context.pack).usable
            found = np.array([getattr(usable, resource) for resource in COMPUTE_RESOURCES])
            self._left[key] = found
        return found


def over_limit(what: str, load: float, limit: float, period: int) -> str:
    """A load over its limit in words, with both values."""
    return f"{what}: {load:,.2f} of {limit:,.2f} in period {period}"


def node_overloads(normal: NormalState, cluster: int) -> tuple[tuple[str, ...], ...]:
    """Per period, the compute that one node fewer cannot run, in full use and without any reserve."""
    return ClusterLosses(normal, {}).overloads(cluster, ClusterLoss(nodes=1))
