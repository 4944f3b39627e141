"""Capacity of the shipped hardware as a table of figures worked out on paper, and what holds for every archetype.

One row in full, four nodes of `mid-48c-768g` (48 cores, 768 GiB, 8 × 7.68 TB NVMe), one kept free, 90 %, 70 %:

* vCPU: 48 − 4.8 for the host = 43.2; 3 nodes × 43.2 × 4 = 518.4; − 4 for the resource bridge = 514.4; × 0.9 = 462.96
* GiB: 768 − 61.44 (8 %, more than 32) = 706.56; × 3 = 2,119.68; − 8 = 2,111.68; × 0.9 = 1,900.512
* TB: 4 × 61.44 = 245.76 raw; × 0.99 = 243.3024; − 4 × 7.68 = 212.5824; − 3 × 0.276 = 211.7544; × 0.7 = 148.22808
* in three copies: 49.409 TB of data

Sources of the steps: Azure/odinforazurelocal sizer/sizer.js (host, resource bridge, platform volumes);
WindowsServerDocs/storage/storage-spaces/plan-volumes.md (a drive per node, at most four, kept free);
Azure/AzureLocal-Supportability TSG/Storage/Troubleshoot-Storage-StoragePoolCapacityThreshold.md (70 %).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import fleet
from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.policy import Policy
from fleet.platform.archetypes import enumerate_archetypes
from fleet.platform.capacity import STAGE_UNITS, cluster_capacity, raw_tb
from fleet.platform.resiliency import default_layout
from fleet.quantities import Resources
from fleet.rulepack import load_rulepack
from tests.builders import a_node_model

PACK = load_rulepack("azure-local")
DATA = Path(__file__).resolve().parents[2] / "data"

MODELS: dict[str, dict[str, Any]] = {
    "edge-32c-256g": {"cores": 32, "memory_gb": 256, "capacity_drives": 4, "capacity_drive_tb": 3.84},
    "edge-32c-512g": {"cores": 32, "memory_gb": 512, "capacity_drives": 6, "capacity_drive_tb": 7.68},
    "mid-48c-768g": {"cores": 48, "memory_gb": 768, "capacity_drives": 8, "capacity_drive_tb": 7.68},
    "large-64c-1024g": {"cores": 64, "memory_gb": 1024, "capacity_drives": 10, "capacity_drive_tb": 15.36},
    "hybrid-40c-384g": {
        "cores": 40,
        "memory_gb": 384,
        "capacity_drives": 8,
        "capacity_drive_tb": 8,
        "capacity_media": "hdd",
        "cache_drives": 2,
        "cache_drive_tb": 4.8,
    },
    "tiny-8c-64g": {"cores": 8, "memory_gb": 64, "capacity_drives": 2, "capacity_drive_tb": 1.92},
}

#: model, nodes, raw TB, TB kept free for repairs; usable vCPU, GiB, TB of pool; TB of data in the default mirror
TABLE: list[tuple[str, int, float, float, float, float, float, float]] = [
    ("edge-32c-256g", 1, 15.36, 3.84, 100.08, 194.4, 7.57, 3.785),
    ("edge-32c-256g", 2, 30.72, 7.68, 100.08, 194.4, 15.527, 7.763),
    ("edge-32c-256g", 3, 46.08, 11.52, 203.76, 396.0, 23.29, 7.763),
    ("edge-32c-256g", 4, 61.44, 15.36, 307.44, 597.6, 31.246, 10.415),
    ("edge-32c-256g", 8, 122.88, 15.36, 722.16, 1404.0, 73.824, 24.608),
    ("edge-32c-256g", 16, 245.76, 15.36, 1551.6, 3016.8, 158.98, 52.993),
    ("edge-32c-512g", 1, 46.08, 7.68, 100.08, 416.736, 26.171, 13.086),
    ("edge-32c-512g", 2, 92.16, 15.36, 100.08, 416.736, 52.728, 26.364),
    ("edge-32c-512g", 3, 138.24, 23.04, 203.76, 840.672, 79.093, 26.364),
    ("edge-32c-512g", 4, 184.32, 30.72, 307.44, 1264.608, 105.65, 35.217),
    ("edge-32c-512g", 8, 368.64, 30.72, 722.16, 2960.352, 233.384, 77.795),
    ("edge-32c-512g", 16, 737.28, 30.72, 1551.6, 6351.84, 488.851, 162.95),
    ("mid-48c-768g", 1, 61.44, 7.68, 151.92, 628.704, 36.816, 18.408),
    ("mid-48c-768g", 2, 122.88, 15.36, 151.92, 628.704, 74.017, 37.009),
    ("mid-48c-768g", 3, 184.32, 23.04, 307.44, 1264.608, 111.026, 37.009),
    ("mid-48c-768g", 4, 245.76, 30.72, 462.96, 1900.512, 148.228, 49.409),
    ("mid-48c-768g", 8, 491.52, 30.72, 1085.04, 4444.128, 318.54, 106.18),
    ("mid-48c-768g", 16, 983.04, 30.72, 2329.2, 9531.36, 659.163, 219.721),
    ("large-64c-1024g", 1, 153.60, 15.36, 203.76, 840.672, 95.306, 47.653),
    ("large-64c-1024g", 2, 307.20, 30.72, 203.76, 840.672, 190.999, 95.5),
    ("large-64c-1024g", 3, 460.80, 46.08, 411.12, 1688.544, 286.499, 95.5),
    ("large-64c-1024g", 4, 614.40, 61.44, 618.48, 2536.416, 382.192, 127.397),
    ("large-64c-1024g", 8, 1228.80, 61.44, 1447.92, 5927.904, 807.971, 269.324),
    ("large-64c-1024g", 16, 2457.60, 61.44, 3106.8, 12710.88, 1659.529, 553.176),
    ("hybrid-40c-384g", 2, 128.00, 16.00, 126.0, 275.04, 77.118, 38.559),
    ("hybrid-40c-384g", 3, 192.00, 24.00, 255.6, 557.28, 115.676, 38.559),
    ("hybrid-40c-384g", 4, 256.00, 32.00, 385.2, 839.52, 154.428, 51.476),
    ("hybrid-40c-384g", 8, 512.00, 32.00, 903.6, 1968.48, 331.836, 110.612),
    ("hybrid-40c-384g", 16, 1024.00, 32.00, 1940.4, 4226.4, 686.652, 228.884),
    ("tiny-8c-64g", 1, 3.84, 1.92, 18.0, 21.6, 0.931, 0.465),
    ("tiny-8c-64g", 2, 7.68, 3.84, 18.0, 21.6, 2.248, 1.124),
    ("tiny-8c-64g", 3, 11.52, 5.76, 39.6, 50.4, 3.372, 1.124),
]


@pytest.mark.parametrize(("name", "nodes", "raw", "kept", "vcpu", "memory", "pool", "data"), TABLE)
def test_figures_worked_out_on_paper(
    name: str, nodes: int, raw: float, kept: float, vcpu: float, memory: float, pool: float, data: float
) -> None:
    model, layout = a_node_model(name, **MODELS[name]), default_layout(nodes, PACK)
    capacity = cluster_capacity(model, nodes, layout, Policy(), PACK)
    stages = {stage.name: stage.amount for stage in capacity.trace if stage.unit == "TB"}
    assert (stages["raw"], -stages["repair reserve"]) == pytest.approx((raw, kept))
    assert capacity.usable.as_tuple()[:3] == pytest.approx((vcpu, memory, pool), abs=5e-4)
    archetype = next(a for a in enumerate_archetypes(an_inventory_of([model]), PACK).archetypes if a.nodes == nodes)
    assert archetype.capacity.usable.pool_tb * archetype.efficiency["hot"] == pytest.approx(data, abs=5e-4)


def an_inventory_of(hardware: list[NodeModel], **policy: Any) -> Inventory:
    return Inventory("hardware", (), (), (), tuple(hardware), policy=Policy.model_validate(policy))


def shipped_hardware() -> dict[str, tuple[NodeModel, ...]]:
    return {path.parent.name: fleet.read(str(path.parent)).hardware for path in sorted(DATA.glob("*/hardware.csv"))}


@pytest.mark.parametrize("pack_name", ["azure-local", "deep-dive"])
@pytest.mark.parametrize("reserve_nodes", [0, 1, 2])
@pytest.mark.parametrize("storage_switch", [True, False])
def test_every_archetype_of_the_shipped_catalogs(pack_name: str, reserve_nodes: int, storage_switch: bool) -> None:
    """Usable ≤ raw, stages add up exactly, tolerance ≤ 2 outside rack-aware, with N+1 any node (or zone) may go."""
    pack = load_rulepack(pack_name)
    catalogs = {
        tuple(model.model_dump_json() for model in hardware): list(hardware) for hardware in shipped_hardware().values()
    }
    families = Counter[str]()
    for hardware in catalogs.values():
        inventory = an_inventory_of(hardware, reserve_nodes=reserve_nodes, storage_switch=storage_switch)
        degraded = Policy(reserve_nodes=0)
        for archetype in enumerate_archetypes(inventory, pack, rack_aware=True).archetypes:
            families[archetype.family] += 1
            model, nodes = inventory.node_model_by_name[archetype.node_model], archetype.nodes
            usable = archetype.capacity.usable
            sums = dict.fromkeys(STAGE_UNITS, 0.0)
            for stage in archetype.capacity.trace:
                sums[stage.unit] += stage.amount
            assert Resources(*sums.values()) == usable
            assert usable.vcpu <= nodes * model.cores * inventory.policy.vcpu_per_core
            assert usable.memory_gb <= nodes * model.memory_gb
            assert usable.pool_tb <= raw_tb(model, nodes)
            assert usable.gpu <= nodes * model.gpus
            if archetype.topology != "rack-aware":
                assert archetype.node_tolerance <= 2
                assert archetype.zone_tolerance == 0
            lost = nodes // 2 if archetype.zone_tolerance else min(reserve_nodes, 1)
            if lost and nodes > 1:
                assert archetype.node_tolerance >= 1
                left = cluster_capacity(model, nodes - lost, default_layout(nodes - lost, pack), degraded, pack).usable
                for before, after in zip(usable.as_tuple(), left.as_tuple(), strict=True):
                    # The pool stays online and whole: only compute has to fit on the nodes that are left.
                    assert before == usable.pool_tb or before <= after * (1 + 1e-12)
    # Two nodes of which two are kept free are no cluster, nor one with no zone left.
    pairs = {"two nodes"} if reserve_nodes < 2 else set()
    zones = {"rack-aware"} if pack_name == "azure-local" else set()
    assert set(families) >= {"single node", "switched", *pairs, *zones}
    assert sum(families.values()) > 30
