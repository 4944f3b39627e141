"""Repairs worked out by hand; speeds are the assumptions of the shipped pack (300 MB/s per NVMe drive, a quarter)."""

from __future__ import annotations

import pytest

from fleet.inventory.tables.hardware import NodeModel
from fleet.platform.archetype import Archetype
from fleet.platform.archetypes import archetype_for
from fleet.platform.repair import Repair, repair_after_drive_loss, repair_after_node_loss
from fleet.platform.resiliency import default_layout
from fleet.rulepack import load_rulepack
from tests.builders import a_node_model, an_inventory

PACK = load_rulepack("azure-local")
#: Two ports of 25 Gbit/s.
GBPS = 50.0


def a_cluster(nodes: int, model: NodeModel, kind: str = "") -> Archetype:
    layout = dict.fromkeys(("hot", "warm", "archive"), kind) if kind else default_layout(nodes, PACK)
    return archetype_for(an_inventory(hardware=[model]), PACK, model.node_model, nodes, layout)


def after(nodes: int, used_tb: float, **columns: object) -> tuple[Repair, Repair]:
    model = a_node_model(capacity_drives=4, capacity_drive_tb=5.0, **columns)
    cluster = a_cluster(nodes, model)
    return (
        repair_after_drive_loss(cluster, model, used_tb, GBPS, PACK),
        repair_after_node_loss(cluster, model, used_tb, GBPS, PACK),
    )


def test_a_drive_of_four_nodes_is_rebuilt_on_all_others() -> None:
    drive, _ = after(4, used_tb=40.0)
    platform = 0.276 * 3
    assert drive.lost_tb == pytest.approx((40.0 + platform) / 16)
    assert drive.room_tb == pytest.approx(0.99 * 75.0 - (40.0 + platform) * 15 / 16)
    # 15 drives write 4,500 MB/s; 4 nodes × 50 Gbit/s × 125 × 0.25 = 6,250 MB/s.
    assert drive.hours == pytest.approx(0.25 + drive.lost_tb * 1e6 / 4500 / 3600)
    assert drive.note == "4,500 MB/s, limited by the drives"


def test_a_node_of_four_is_rebuilt_on_three_as_long_as_they_have_room() -> None:
    _, node = after(4, used_tb=40.0)
    used = 40.0 + 0.276 * 3
    assert node.lost_tb == pytest.approx(used / 4)
    assert node.room_tb == pytest.approx(0.99 * 60.0 - used * 3 / 4)
    assert node.hours == pytest.approx(0.25 + used / 4 * 1e6 / 3600.0 / 3600.0)
    _, full = after(4, used_tb=59.4)
    assert not full.starts_by_itself
    assert full.note.startswith("no room on the nodes left")


@pytest.mark.parametrize(("nodes", "copies"), [(2, 2), (3, 3)])
def test_copies_on_every_node_wait_for_a_node_and_rebuild_a_drive_at_home(nodes: int, copies: int) -> None:
    drive, node = after(nodes, used_tb=24.0)
    used = 24.0 + 0.276 * copies
    assert node.hours is None
    assert node.note.startswith("the copies need every node")
    assert drive.lost_tb == pytest.approx(used / nodes / 4)
    assert drive.room_tb == pytest.approx(0.99 * 15.0 - used / nodes * 3 / 4)
    assert drive.note == "900 MB/s, limited by the drives"
    tight, _ = after(nodes, used_tb=nodes * 15.0)
    assert tight.note == "no room on the other drives of its node: replace the drive"


def test_a_slow_network_limits_fast_drives() -> None:
    model = a_node_model(capacity_drives=8)
    cluster = a_cluster(4, model)
    repair = repair_after_drive_loss(cluster, model, 50.0, 10.0, PACK)
    assert repair.note == "1,250 MB/s, limited by the storage network"


def test_one_node_rebuilds_its_drives_without_a_network_and_itself_not_at_all() -> None:
    drive, node = after(1, used_tb=8.0)
    assert drive.note == "900 MB/s, limited by the drives"
    assert node.note.startswith("the only node")


def test_the_reserve_of_the_pool_is_room_for_a_drive_at_the_highest_fill() -> None:
    """One drive per node, at most four, are kept free: whatever the policy's fill, a lost drive finds room."""
    for nodes in range(1, 17):
        for drives in (2, 4, 8):
            model = a_node_model(capacity_drives=drives, capacity_drive_tb=3.84)
            cluster = a_cluster(nodes, model)
            used = cluster.capacity.usable.pool_tb / 0.70  # filled to the last byte that is not reserve
            repair = repair_after_drive_loss(cluster, model, used, GBPS, PACK)
            if nodes <= 4:
                assert repair.starts_by_itself, (nodes, drives)
            assert repair.room_tb > 0
