"""Capacity worked out by hand: every expectation is plain arithmetic on the published numbers.

Host: max(10 % of cores, 2) cores; max(32 GiB + 4 per TB of cache, 8 % of memory). Platform: 4 vCPU, 8 GiB per cluster,
(256 + 20) GB in 2 copies up to two nodes and 3 from three on. Pool: 1 % metadata, a drive per node but at most 4 kept
free. Policy: ratio 4, one node kept free, 90 % utilization, 70 % fill.
Sources: Azure/odinforazurelocal sizer/sizer.js (08/2026);
WindowsServerDocs/storage/storage-spaces/plan-volumes.md (02/2025).
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from fleet.inventory.tables.policy import Policy
from fleet.platform.archetypes import enumerate_archetypes
from fleet.platform.capacity import STAGE_UNITS, cluster_capacity
from fleet.platform.resiliency import default_layout
from fleet.quantities import Resources
from fleet.rulepack import load_rulepack
from tests.builders import a_node_model, an_inventory

PACK = load_rulepack("azure-local")


def the_capacity(nodes: int, policy: dict[str, Any], **columns: Any) -> Any:
    model = a_node_model(**columns)
    return cluster_capacity(model, nodes, default_layout(nodes, PACK), Policy.model_validate(policy), PACK)


#: name, nodes, policy, columns that differ from 32 cores, 512 GiB, 6 × 7.68 TB NVMe; usable vCPU, GiB, TB, GPU
CASES: list[tuple[str, int, dict[str, Any], dict[str, Any], tuple[float, float, float, float]]] = [
    (
        "one node keeps none free, two copies of platform volumes, one drive reserved",
        1,
        {},
        {},
        (
            ((32 - 3.2) * 4 - 4) * 0.9,
            ((512 - 40.96) - 8) * 0.9,
            (46.08 * 0.99 - 7.68 - 0.276 * 2) * 0.7,
            0,
        ),
    ),
    (
        "two nodes keep one free",
        2,
        {},
        {},
        (
            (1 * 28.8 * 4 - 4) * 0.9,
            (1 * 471.04 - 8) * 0.9,
            (92.16 * 0.99 - 2 * 7.68 - 0.552) * 0.7,
            0,
        ),
    ),
    (
        "three nodes have three copies of platform volumes",
        3,
        {},
        {},
        (
            (2 * 115.2 - 4) * 0.9,
            (2 * 471.04 - 8) * 0.9,
            (138.24 * 0.99 - 3 * 7.68 - 0.828) * 0.7,
            0,
        ),
    ),
    (
        "four nodes reserve four drives",
        4,
        {},
        {},
        ((3 * 115.2 - 4) * 0.9, (3 * 471.04 - 8) * 0.9, (184.32 * 0.99 - 30.72 - 0.828) * 0.7, 0),
    ),
    (
        "five nodes still reserve four drives",
        5,
        {},
        {},
        ((4 * 115.2 - 4) * 0.9, (4 * 471.04 - 8) * 0.9, (230.4 * 0.99 - 30.72 - 0.828) * 0.7, 0),
    ),
    (
        "sixteen nodes",
        16,
        {},
        {},
        ((15 * 115.2 - 4) * 0.9, (15 * 471.04 - 8) * 0.9, (737.28 * 0.99 - 30.72 - 0.828) * 0.7, 0),
    ),
    (
        "two nodes kept free of four",
        4,
        {"reserve_nodes": 2},
        {},
        ((2 * 115.2 - 4) * 0.9, (2 * 471.04 - 8) * 0.9, (184.32 * 0.99 - 30.72 - 0.828) * 0.7, 0),
    ),
    (
        "none kept free of two",
        2,
        {"reserve_nodes": 0},
        {},
        ((2 * 115.2 - 4) * 0.9, (2 * 471.04 - 8) * 0.9, (92.16 * 0.99 - 15.36 - 0.552) * 0.7, 0),
    ),
    (
        "no oversubscription, no limits of the policy",
        3,
        {"vcpu_per_core": 1, "max_utilization": 1, "pool_fill": 1},
        {},
        (2 * 28.8 - 4, 2 * 471.04 - 8, 138.24 * 0.99 - 23.04 - 0.828, 0),
    ),
    (
        "eight cores: the host keeps two, more than a tenth",
        2,
        {},
        {"cores": 8},
        ((1 * 6 * 4 - 4) * 0.9, (471.04 - 8) * 0.9, (92.16 * 0.99 - 15.36 - 0.552) * 0.7, 0),
    ),
    (
        "twenty cores: a tenth is exactly two",
        2,
        {},
        {"cores": 20},
        ((1 * 18 * 4 - 4) * 0.9, (471.04 - 8) * 0.9, (92.16 * 0.99 - 15.36 - 0.552) * 0.7, 0),
    ),
    (
        "128 GiB: the host keeps 32, more than 8 %",
        2,
        {},
        {"memory_gb": 128},
        ((115.2 - 4) * 0.9, (128 - 32 - 8) * 0.9, (92.16 * 0.99 - 15.36 - 0.552) * 0.7, 0),
    ),
    (
        "400 GiB: 8 % is exactly 32",
        2,
        {},
        {"memory_gb": 400},
        ((115.2 - 4) * 0.9, (400 - 32 - 8) * 0.9, (92.16 * 0.99 - 15.36 - 0.552) * 0.7, 0),
    ),
    (
        "hybrid: 9.6 TB of cache take 38.4 GiB per node and add no capacity",
        3,
        {},
        {
            "memory_gb": 256,
            "capacity_drives": 8,
            "capacity_drive_tb": 8,
            "capacity_media": "hdd",
            "cache_drives": 2,
            "cache_drive_tb": 4.8,
        },
        (
            (2 * 115.2 - 4) * 0.9,
            (2 * (256 - 32 - 38.4) - 8) * 0.9,
            (192 * 0.99 - 3 * 8 - 0.828) * 0.7,
            0,
        ),
    ),
    (
        "a terabyte of memory: 8 % is more than 32 and the cache's 25.6",
        2,
        {},
        {"memory_gb": 1024, "cache_drives": 2, "cache_drive_tb": 3.2},
        ((115.2 - 4) * 0.9, (1024 - 81.92 - 8) * 0.9, (92.16 * 0.99 - 15.36 - 0.552) * 0.7, 0),
    ),
    (
        "GPUs of the node kept free are kept free too, without a utilization factor",
        4,
        {},
        {"gpus": 2, "gpu_model": "L40S"},
        ((3 * 115.2 - 4) * 0.9, (3 * 471.04 - 8) * 0.9, (184.32 * 0.99 - 30.72 - 0.828) * 0.7, 6),
    ),
    (
        "a single node uses all its GPUs",
        1,
        {},
        {"gpus": 2, "gpu_model": "L40S"},
        ((115.2 - 4) * 0.9, (471.04 - 8) * 0.9, (46.08 * 0.99 - 7.68 - 0.552) * 0.7, 2),
    ),
    (
        "a host runs at most 2,048 vCPU: (256 − 25.6) · 16 would be 3,686",
        3,
        {"vcpu_per_core": 16},
        {"cores": 256},
        ((2 * 2048 - 4) * 0.9, (2 * 471.04 - 8) * 0.9, (138.24 * 0.99 - 23.04 - 0.828) * 0.7, 0),
    ),
]


@pytest.mark.parametrize(("nodes", "policy", "columns", "expected"), [case[1:] for case in CASES], ids=lambda _: "")
def test_usable_by_hand(
    nodes: int, policy: dict[str, Any], columns: dict[str, Any], expected: tuple[float, float, float, float]
) -> None:
    assert the_capacity(nodes, policy, **columns).usable.as_tuple() == pytest.approx(expected, rel=1e-12)


def test_without_node_reserve_counts_every_node() -> None:
    capacity = the_capacity(3, {}, gpus=2, gpu_model="A2")
    expected = ((3 * 115.2 - 4) * 0.9, (3 * 471.04 - 8) * 0.9, capacity.usable.pool_tb, 6)
    assert capacity.without_node_reserve.as_tuple() == pytest.approx(expected, rel=1e-12)
    alone = the_capacity(1, {})
    assert alone.without_node_reserve == alone.usable


@pytest.mark.parametrize(("drives", "share"), [(2, 0.5), (4, 0.25), (8, 0.125)])
@pytest.mark.parametrize("nodes", [2, 3, 4])
def test_repair_reserve_at_small_scale(nodes: int, drives: int, share: float) -> None:
    """A drive per node is this share of raw storage (plan-volumes.md)."""
    trace = {stage.name: stage.amount for stage in the_capacity(nodes, {}, capacity_drives=drives).trace}
    assert -trace["repair reserve"] / trace["raw"] == pytest.approx(share, rel=1e-12)


@pytest.mark.parametrize(("drives", "usable_tb"), [(2, 0.704), (4, 1.204)])
def test_three_nodes_of_two_terabytes(drives: int, usable_tb: float) -> None:
    """6 TB raw: 5.94 less 3 × 1 TB (or 3 × 0.5 TB) and 0.828 TB, in three copies; a naive count says 2 TB."""
    capacity = the_capacity(3, {"pool_fill": 1}, capacity_drives=drives, capacity_drive_tb=2 / drives)
    assert capacity.usable.pool_tb / 3 == pytest.approx(usable_tb, rel=1e-12)


def test_deep_dive_example() -> None:
    """3 × 2 TB in three copies are 2 TB, of which about 1.8 TB remain for virtual machines."""
    text = load_rulepack("deep-dive")
    model = a_node_model(capacity_drives=4, capacity_drive_tb=0.5)
    policy = Policy.model_validate({"pool_fill": 1})
    capacity = cluster_capacity(model, 3, default_layout(3, text), policy, text)
    assert capacity.usable.pool_tb / 3 == pytest.approx(1.8, rel=1e-12)


HARDWARE = [
    a_node_model("flash"),
    a_node_model("edge", cores=16, memory_gb=128, capacity_drives=2, capacity_drive_tb=1.92),
    a_node_model(
        "hybrid", capacity_media="hdd", capacity_drives=8, capacity_drive_tb=8, cache_drives=2, cache_drive_tb=4.8
    ),
    a_node_model("gpu", cores=64, memory_gb=1024, gpus=2, gpu_model="L40S"),
    a_node_model("dense", cores=172, memory_gb=8192, capacity_drives=24, capacity_drive_tb=15.36),
]


@pytest.mark.parametrize("name", ["azure-local", "deep-dive"])
@pytest.mark.parametrize("reserve_nodes", [0, 1, 2])
def test_traces_add_up_and_nothing_exceeds_the_hardware(name: str, reserve_nodes: int) -> None:
    inventory = an_inventory(hardware=HARDWARE, reserve_nodes=reserve_nodes)
    archetypes = enumerate_archetypes(inventory, load_rulepack(name)).archetypes
    assert len(archetypes) > 30
    for archetype in archetypes:
        model = inventory.node_model_by_name[archetype.node_model]
        capacity, nodes = archetype.capacity, archetype.nodes
        sums = dict.fromkeys(STAGE_UNITS, 0.0)
        for stage in capacity.trace:
            assert stage.amount != 0
            sums[stage.unit] += stage.amount
        assert Resources(*sums.values()) == capacity.usable  # exactly, not nearly
        hardware = Resources(
            nodes * model.cores * inventory.policy.vcpu_per_core,
            nodes * model.memory_gb,
            nodes * model.capacity_drives * model.capacity_drive_tb,
            nodes * model.gpus,
        )
        for usable, without, raw in zip(
            capacity.usable.as_tuple(), capacity.without_node_reserve.as_tuple(), hardware.as_tuple(), strict=True
        ):
            assert usable <= without <= raw
        assert archetype.node_tolerance <= 2
        assert archetype.node_tolerance < nodes


def test_more_nodes_never_offer_less() -> None:
    inventory = an_inventory(hardware=[a_node_model()])
    archetypes = enumerate_archetypes(inventory, PACK).archetypes
    for smaller, larger in itertools.pairwise(archetypes):
        pairs = zip(smaller.capacity.usable.as_tuple(), larger.capacity.usable.as_tuple(), strict=True)
        assert all(a <= b * (1 + 1e-12) for a, b in pairs)


def test_trace_reads_as_lines() -> None:
    lines = [str(stage) for stage in the_capacity(3, {}).trace]
    assert lines[0].split() == ["+384.00", "vCPU", "cores:", "3", "×", "32", "cores", "at", "4", "vCPU"]
    assert any("repair reserve: 3 drives" in line for line in lines)
    assert any("platform volumes: 276 GB in 3 copies" in line for line in lines)
