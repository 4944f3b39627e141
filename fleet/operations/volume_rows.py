"""The volumes of every cluster of a plan: how many, how large, and what they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fleet.plan.context import PlanContext
from fleet.platform.archetype import Archetype
from fleet.platform.volumes import volume_plan
from fleet.tables import Row, column


class VolumeRow(Row):
    """Alike volumes of one cluster, as large as the end of the horizon needs them."""

    cluster: str = column(meaning="cluster")
    tiers: str = column(meaning="storage tiers whose data they hold")
    resiliency: str = column(meaning="resiliency type")
    count: int = column(
        unit="volumes", meaning="how many there are, a multiple of the nodes where they are not too many"
    )
    size_tb: float = column(unit="TB", meaning="size of each, thinly provisioned, before copies")
    limit_tb: float = column(unit="TB", meaning="the largest that one may be")
    data_tb: float = column(unit="TB", meaning="data of all of them, standby copies included")
    footprint_tb: float = column(unit="TB", meaning="pool that the data takes with all its copies")
    per_node: float = column(unit="volumes/node", meaning="volumes that each node owns")


def plan_volumes(context: PlanContext) -> tuple[VolumeRow, ...]:
    """Lay out the volumes of every cluster for the end of the horizon.

    Parameters
    ----------
    context : PlanContext
        The plan laid out.

    Raises
    ------
    VolumeError
        If the rule pack leaves volumes no size.
    """
    held = _data(context)
    order = sorted(range(len(context.clusters)), key=lambda index: context.clusters[index].name)
    return tuple(row for index in order for row in _rows(context, index, held[index]))


def _data(context: PlanContext) -> dict[int, dict[str, float]]:
    """Data before copies by cluster and tier in the last period, standby copies included [TB]."""
    inventory = context.inventory
    last = inventory.periods[-1].index
    held: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for demand, primary, standby in zip(context.demands, context.primary, context.standby, strict=True):
        storage_tb = inventory.amounts(demand, last).storage_tb
        for index in (int(primary), int(standby)):
            if index >= 0:
                held[index][demand.row.tier] += storage_tb
    return held


def _rows(context: PlanContext, index: int, data_tb: dict[str, float]) -> Iterator[VolumeRow]:
    cluster = context.clusters[index]
    archetype: Archetype | None = cluster.archetypes[-1]
    if archetype is None:
        return
    for group in volume_plan(archetype, data_tb, context.inventory.policy.pool_layout, context.pack).groups:
        yield VolumeRow(
            cluster=cluster.name,
            tiers=", ".join(group.tiers),
            resiliency=group.resiliency,
            count=group.count,
            size_tb=group.size_tb,
            limit_tb=group.limit_tb,
            data_tb=group.data_tb,
            footprint_tb=archetype.footprint_tb(group.tiers[0], group.data_tb),
            per_node=group.count / archetype.nodes,
        )
