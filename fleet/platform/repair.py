"""After a drive or a node is lost: what has to be rebuilt, whether there is room for it, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fleet.inventory.tables.hardware import NodeModel
from fleet.platform.archetype import Archetype
from fleet.platform.resiliency import resiliency_types
from fleet.rulepack.facts import RulePack

#: Stages of the pool's trace that keep room free instead of taking it.
_KEPT_FREE = ("repair reserve", "fill limit")
_MEGABYTES_PER_TB = 1e6
_SECONDS_PER_HOUR = 3600.0
_MINUTES_PER_HOUR = 60.0
#: Mbit/s of a Gbit/s over bits of a byte: MB/s of a Gbit/s.
_MEGABYTES_PER_GIGABIT = 125.0


@dataclass(frozen=True, slots=True)
class Repair:
    """The repair after one loss.

    Attributes
    ----------
    element : str
        ``drive`` or ``node``.
    lost_tb : float
        Pool footprint that has to be written again [TB].
    room_tb : float
        Free pool that may take it, on the drives that it may go to [TB].
    hours : float or None
        Until everything is redundant again; None where the repair waits for the drive or node to come back.
    note : str
        Why it waits, or what limits its speed.
    """

    element: Literal["drive", "node"]
    lost_tb: float
    room_tb: float
    hours: float | None
    note: str

    @property
    def starts_by_itself(self) -> bool:
        """Whether redundancy comes back without spare parts."""
        return self.hours is not None


def repair_after_drive_loss(
    archetype: Archetype, model: NodeModel, used_tb: float, storage_gbps: float, pack: RulePack
) -> Repair:
    """The repair after one capacity drive is lost.

    Parameters
    ----------
    archetype : Archetype
        The cluster; where its copies need every node, a drive can be rebuilt on its own node only.
    model : NodeModel
        Its hardware.
    used_tb : float
        Pool footprint in use, without the platform's own volumes [TB].
    storage_gbps : float
        Bandwidth of one node for storage; see `fleet.platform.network`.
    pack : RulePack
        Waiting time and speeds.

    Notes
    -----
    Data lies evenly on all drives. The repair begins when the drive is given up and runs at the lesser of what the
    drives that take the data can write and what the network lets through::

        hours = wait / 60 + lost · 1e6 / min(drives · speed, nodes · storage_gbps · 125 · share) / 3600

    Nobody publishes repair speeds: the speed of a drive and the share of the network are assumptions of the rule pack.
    """
    drives = archetype.nodes * model.capacity_drives
    used = used_tb + _platform_tb(archetype)
    lost = used / drives
    if _needs_every_node(archetype, pack):
        targets = model.capacity_drives - 1
        room = (_fillable_tb(archetype) / drives) * targets - used / archetype.nodes + lost
        place = "on the other drives of its node"
    else:
        targets = drives - 1
        room = _fillable_tb(archetype) / drives * targets - used + lost
        place = "on all other drives"
    if room < lost:
        return Repair("drive", lost, max(0.0, room), None, f"no room {place}: replace the drive")
    return _timed("drive", lost, room, targets, archetype.nodes, model, storage_gbps, pack)


def repair_after_node_loss(
    archetype: Archetype, model: NodeModel, used_tb: float, storage_gbps: float, pack: RulePack
) -> Repair:
    """The repair after one node is lost and does not come back soon; parameters as in `repair_after_drive_loss`."""
    used = used_tb + _platform_tb(archetype)
    left = archetype.nodes - 1
    lost = used / archetype.nodes
    room = _fillable_tb(archetype) / archetype.nodes * left - (used - lost)
    if left == 0:
        return Repair("node", lost, 0.0, None, "the only node: restore from backup or standby")
    if _needs_every_node(archetype, pack):
        return Repair("node", lost, max(0.0, room), None, "the copies need every node: bring it back or replace it")
    if room < lost:
        return Repair("node", lost, max(0.0, room), None, "no room on the nodes left: bring it back or replace it")
    return _timed("node", lost, room, left * model.capacity_drives, left, model, storage_gbps, pack)


def _timed(
    element: Literal["drive", "node"],
    lost: float,
    room: float,
    targets: int,
    nodes: int,
    model: NodeModel,
    storage_gbps: float,
    pack: RulePack,
) -> Repair:
    drives = targets * float(pack.table("repair.drive_mb_per_second")[model.capacity_media])
    network = nodes * storage_gbps * _MEGABYTES_PER_GIGABIT * pack.number("repair.network_share")
    speed = drives if nodes == 1 else min(drives, network)
    hours = (
        pack.number("repair.wait_minutes") / _MINUTES_PER_HOUR + lost * _MEGABYTES_PER_TB / speed / _SECONDS_PER_HOUR
    )
    limit = "drives" if speed == drives else "storage network"
    return Repair(element, lost, room, hours, f"{speed:,.0f} MB/s, limited by the {limit}")


def _needs_every_node(archetype: Archetype, pack: RulePack) -> bool:
    """Whether some volumes have as few nodes as their type allows, so that no node can stand in for another."""
    types = resiliency_types(pack)
    kinds = [types[name] for name in archetype.layout.values()]
    return any(archetype.nodes <= max(kind.minimum_nodes, kind.node_tolerance + 1) for kind in kinds)


def _fillable_tb(archetype: Archetype) -> float:
    """Pool that data may lie on: raw without metadata [TB]."""
    return sum(
        stage.amount
        for stage in archetype.capacity.trace
        if stage.unit == "TB" and stage.name not in (*_KEPT_FREE, "platform volumes")
    )


def _platform_tb(archetype: Archetype) -> float:
    """Footprint of the platform's own volumes [TB]."""
    return -sum(
        stage.amount for stage in archetype.capacity.trace if stage.unit == "TB" and stage.name == "platform volumes"
    )
