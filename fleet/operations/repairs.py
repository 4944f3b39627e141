"""What a lost drive or node costs each cluster of a plan in time without full redundancy."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.plan.context import POOL, PlanContext
from fleet.platform.network import network_design
from fleet.platform.repair import repair_after_drive_loss, repair_after_node_loss
from fleet.tables import Row, column


class RepairRow(Row):
    """The repair after the loss of one drive or node of a cluster, filled as at the end of the horizon."""

    cluster: str = column(meaning="cluster")
    lost: str = column(meaning="drive or node")
    rebuild_tb: float = column(unit="TB", meaning="pool footprint to write again")
    room_tb: float = column(unit="TB", meaning="free pool that may take it")
    hours: float | None = column(None, unit="hours", meaning="until all is redundant; blank where it waits for parts")
    note: str = column(meaning="what limits it")


def plan_repairs(context: PlanContext) -> tuple[RepairRow, ...]:
    """Repairs of every cluster, filled as at the end of the horizon.

    Parameters
    ----------
    context : PlanContext
        The plan laid out.
    """
    order = sorted(range(len(context.clusters)), key=lambda index: context.clusters[index].name)
    return tuple(row for index in order for row in _repairs(context, index))


def _repairs(context: PlanContext, index: int) -> Iterator[RepairRow]:
    cluster = context.clusters[index]
    archetype = cluster.archetypes[-1]
    if archetype is None:
        return
    inventory, pack = context.inventory, context.pack
    model = inventory.node_model_by_name[archetype.node_model]
    storage_gbps = network_design(
        model, archetype.nodes, inventory.policy, pack, zones=archetype.zone_tolerance + 1
    ).storage_gbps
    used = float(context.load[index, POOL, -1])
    for repair in (
        repair_after_drive_loss(archetype, model, used, storage_gbps, pack),
        repair_after_node_loss(archetype, model, used, storage_gbps, pack),
    ):
        yield RepairRow(
            cluster=cluster.name,
            lost=repair.element,
            rebuild_tb=repair.lost_tb,
            room_tb=repair.room_tb,
            hours=repair.hours,
            note=repair.note,
        )
