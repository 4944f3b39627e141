"""The published tables of resiliency, reserves, cache and volume sizes, row by row, each with its source.

Paths are those of the public documentation repositories MicrosoftDocs/azure-stack-docs and
MicrosoftDocs/windowsserverdocs; what the vendor's open sizer counts is cited by its file.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from fleet.platform.archetypes import ArchetypeError, archetype_for, enumerate_archetypes
from fleet.platform.capacity import host_reserve_memory_gb, raw_tb
from fleet.platform.resiliency import LayoutError, resiliency_type, resiliency_types
from fleet.platform.volume_limits import largest_volume_tb, volumes_spanned
from fleet.platform.volumes import volume_plan
from fleet.rulepack import RulePack, load_rulepack
from tests.builders import a_node_model, an_inventory

PACK = load_rulepack("azure-local")
FAULT_TOLERANCE = "azure-local/concepts/fault-tolerance.md"
NESTED = "azure-local/concepts/nested-resiliency.md"
PLAN_VOLUMES = "WindowsServerDocs/storage/storage-spaces/plan-volumes.md"
RACK_AWARE = "azure-local/concepts/rack-aware-cluster-requirements.md"
DEPLOY = "azure-local/deploy/deploy-via-portal.md"
SMALL = "azure-local/concepts/system-requirements-small-23h2.md"
REQUIREMENTS = "azure-local/concepts/system-requirements-23h2.md"
SIZER = "Azure/odinforazurelocal s2d-calc/s2d-calc.js"
CACHE = "azure-local/concepts/cache.md"
DRIVES = "azure-local/concepts/choose-drives.md"

#: type, fewest and most nodes, node losses that data survives, drive losses, efficiency at fewest nodes, flash only,
#: source
TYPES: list[tuple[str, int, int, int, int, float, bool, str]] = [
    ("simple", 1, 1, 0, 0, 1.0, False, SMALL),
    ("two-way-mirror", 1, 16, 1, 1, 0.5, False, f"{DEPLOY}; {FAULT_TOLERANCE}"),
    ("nested-two-way-mirror", 2, 2, 1, 2, 0.25, False, NESTED),
    ("nested-parity", 2, 2, 1, 2, 0.341, False, NESTED),  # four drives per node, a fifth mirrored
    ("three-way-mirror", 3, 16, 2, 2, 0.333, False, FAULT_TOLERANCE),
    ("single-parity", 3, 16, 1, 1, 0.667, False, FAULT_TOLERANCE),
    ("dual-parity", 4, 16, 2, 2, 0.5, False, FAULT_TOLERANCE),
    ("mirror-accelerated-parity", 4, 16, 2, 2, 0.455, False, PLAN_VOLUMES),  # 1 / (0.2 / 0.333 + 0.8 / 0.5)
    ("rack-aware-two-way-mirror", 2, 2, 1, 1, 0.5, True, RACK_AWARE),
    ("rack-aware-nested-mirror", 2, 2, 1, 2, 0.25, True, "WindowsServerDocs/failover-clustering/topologies.md"),
    ("rack-aware-four-way-mirror", 4, 8, 3, 3, 0.25, True, RACK_AWARE),
]


@pytest.mark.parametrize(("name", "fewest", "most", "nodes", "drives", "share", "flash", "source"), TYPES)
def test_resiliency_types(
    name: str, fewest: int, most: int, nodes: int, drives: int, share: float, flash: bool, source: str
) -> None:
    kind = resiliency_type(name, PACK)
    assert (kind.minimum_nodes, kind.maximum_nodes) == (fewest, most), source
    assert (kind.node_tolerance, kind.drive_tolerance) == (nodes, drives), source
    assert round(kind.efficiency(fewest, "nvme", 4), 3) == share, source
    assert kind.flash_only == flash, source


def test_every_type_of_the_pack_is_in_the_table() -> None:
    assert {row[0] for row in TYPES} == set(resiliency_types(PACK))


#: type, whether it serves hot, warm, archive; source of what it is recommended for
TIERS_SERVED = [
    ("two-way-mirror", (True, True, True), FAULT_TOLERANCE),
    ("three-way-mirror", (True, True, True), FAULT_TOLERANCE),
    ("nested-two-way-mirror", (True, True, True), NESTED),
    ("nested-parity", (False, True, True), NESTED),
    ("mirror-accelerated-parity", (False, True, True), PLAN_VOLUMES),
    ("dual-parity", (False, False, True), PLAN_VOLUMES),
    ("rack-aware-two-way-mirror", (True, True, True), RACK_AWARE),
    ("rack-aware-four-way-mirror", (True, True, True), RACK_AWARE),
]


@pytest.mark.parametrize(("name", "served", "source"), TIERS_SERVED)
def test_tiers_that_a_type_serves(name: str, served: tuple[bool, bool, bool], source: str) -> None:
    tiers = resiliency_type(name, PACK).tiers
    assert tuple(tier in tiers for tier in ("hot", "warm", "archive")) == served, source


#: nodes, copies, type, largest volume with extents of 1 GiB and of 256 MiB [TB]; one node counts as two
VOLUME_SIZES = [
    (1, 2, "two-way-mirror", 15.5, 3.5),
    (2, 2, "two-way-mirror", 15.5, 3.5),
    (3, 3, "three-way-mirror", 15.5, 3.5),
    (4, 3, "three-way-mirror", 20.8, 4.8),
    (5, 3, "three-way-mirror", 26.2, 6.2),
    (6, 3, "three-way-mirror", 31.5, 7.5),
    (8, 3, "three-way-mirror", 42.2, 10.2),
    (12, 3, "three-way-mirror", 63.5, 15.5),
    (16, 3, "three-way-mirror", 63.5, 20.8),
    (4, 4, "rack-aware-four-way-mirror", 15.5, 3.5),
    (6, 4, "rack-aware-four-way-mirror", 15.5, 3.5),
    (8, 4, "rack-aware-four-way-mirror", 15.5, 3.5),
]


@pytest.fixture(scope="module")
def small_extents(tmp_path_factory: pytest.TempPathFactory) -> RulePack:
    path = tmp_path_factory.mktemp("packs") / "small-extents.toml"
    path.write_text(
        '[pack]\nname = "small-extents"\ndate = 2026-09-01\nextends = "azure-local"\nstatement = "256 MiB."\n'
        '[volumes.extent_mib]\nvalue = 256\nunit = "MiB"\nsource = "test"\ndate = 2026-09-01\nstatement = "256 MiB."\n'
    )
    return load_rulepack(str(path))


@pytest.mark.parametrize(("nodes", "copies", "name", "large", "small"), VOLUME_SIZES)
def test_largest_volume(
    nodes: int, copies: int, name: str, large: float, small: float, small_extents: RulePack
) -> None:
    efficiency = resiliency_type(name, PACK).efficiency(nodes, "nvme")
    assert efficiency == pytest.approx(1 / copies)
    assert round(largest_volume_tb(name, nodes, efficiency, PACK) + 1e-9, 1) == large, SIZER
    assert round(largest_volume_tb(name, nodes, efficiency, small_extents) + 1e-9, 1) == small, SIZER


#: nodes, data by tier, pool layout; (tiers, count, size) of each group. Data fills at most 80 % of a volume.
VOLUME_PLANS: list[tuple[int, dict[str, float], Any, list[tuple[tuple[str, ...], int, float]]]] = [
    (2, {"warm": 8.0}, "single", [(("warm",), 2, 5.0)]),
    (2, {"hot": 4.0, "warm": 4.0}, "single", [(("hot", "warm"), 2, 5.0)]),
    (2, {"hot": 4.0, "warm": 4.0}, "per_tier", [(("hot",), 2, 2.5), (("warm",), 2, 2.5)]),
    # 30 / 0.8 = 37.5 TB over two volumes would be 18.75 each, above 15.5: four of 9.375.
    (2, {"warm": 30.0}, "single", [(("warm",), 4, 9.375)]),
    # Exactly at the limit: 2 × 15.5 × 0.8.
    (2, {"warm": 24.8}, "single", [(("warm",), 2, 15.5)]),
    # Hot in three copies, archive in dual parity: two groups even in a single pool.
    (4, {"hot": 16.0, "archive": 8.0}, "single", [(("hot",), 4, 5.0), (("archive",), 4, 2.5)]),
    (3, {"hot": 6.0, "warm": 3.0, "archive": 3.0}, "single", [(("hot", "warm", "archive"), 3, 5.0)]),
    (1, {"warm": 2.0}, "single", [(("warm",), 1, 2.5)]),
    (4, {}, "single", []),
]


@pytest.mark.parametrize(("nodes", "data", "pool_layout", "expected"), VOLUME_PLANS)
def test_volume_plans_by_hand(
    nodes: int, data: dict[str, float], pool_layout: Any, expected: list[tuple[tuple[str, ...], int, float]]
) -> None:
    archetype = next(a for a in enumerate_archetypes(an_inventory(), PACK).archetypes if a.nodes == nodes)
    plan = volume_plan(archetype, data, pool_layout, PACK)
    assert [(group.tiers, group.count) for group in plan.groups] == [row[:2] for row in expected]
    assert [group.size_tb for group in plan.groups] == pytest.approx([row[2] for row in expected])
    assert plan.allowed == 62
    assert plan.is_allowed
    for group in plan.groups:
        assert group.count % nodes == 0
        assert group.size_tb <= group.limit_tb
        assert group.data_tb <= 0.8 * group.size_tb * group.count * (1 + 1e-12)


BIG_PAIR = a_node_model(capacity_drives=24, capacity_drive_tb=15.36)
TWO_COPIES = dict.fromkeys(("hot", "warm", "archive"), "two-way-mirror")


def test_too_many_volumes_are_told(small_extents: RulePack) -> None:
    """180 TB in two copies at 3.5 TB and 80 % fill: 66 volumes as a multiple of two, 65 if not, 62 for data."""
    archetype = archetype_for(an_inventory(hardware=[BIG_PAIR]), PACK, "std", 2, TWO_COPIES)
    plan = volume_plan(archetype, {"warm": 180.0}, "single", small_extents)
    assert (plan.count, plan.allowed, plan.is_allowed) == (65, 62, False)


def test_a_pool_that_no_volumes_can_hold_is_refused(small_extents: RulePack) -> None:
    """489 TB in two copies are 244.5 TB of data: 88 volumes of 3.5 TB filled to 80 %."""
    inventory = an_inventory(hardware=[BIG_PAIR])
    with pytest.raises(ArchetypeError, match=r"PLT-029 .*a pool of 489.0 TB may need 88 volumes, at most 62"):
        archetype_for(inventory, small_extents, "std", 2, TWO_COPIES)
    refused = enumerate_archetypes(inventory, small_extents).refusals
    assert any((refusal.rule, refusal.nodes) == ("PLT-029", 2) for refusal in refused)
    assert not any(refusal.rule == "PLT-029" for refusal in enumerate_archetypes(inventory, PACK).refusals)


@pytest.mark.parametrize("pool_layout", ["single", "per_tier"])
@pytest.mark.parametrize("nodes", [1, 2, 3, 4, 7, 16])
def test_what_is_not_refused_can_be_laid_out_however_it_is_shared(nodes: int, pool_layout: Any) -> None:
    """Full pools, their footprint shared between the tiers at random, on the largest nodes that are allowed."""
    chance = random.Random(nodes)
    model = a_node_model(capacity_drives=20, capacity_drive_tb=12.5 if nodes > 13 else 20.0)
    inventory = an_inventory(hardware=[model], pool_layout=pool_layout)
    archetype = next(a for a in enumerate_archetypes(inventory, PACK).archetypes if a.nodes == nodes)
    for _ in range(40):
        cuts = sorted(chance.uniform(0, 1) for _ in range(2))
        shares = (cuts[0], cuts[1] - cuts[0], 1 - cuts[1])
        data = {
            tier: share * archetype.capacity.usable.pool_tb * archetype.efficiency[tier]
            for tier, share in zip(("hot", "warm", "archive"), shares, strict=True)
        }
        plan = volume_plan(archetype, data, pool_layout, PACK)
        assert plan.is_allowed
        assert all(group.size_tb <= group.limit_tb for group in plan.groups)
        assert sum(group.data_tb for group in plan.groups) == pytest.approx(sum(data.values()))


def test_more_volumes_than_a_multiple_allows_come_singly() -> None:
    """16 nodes, three tiers apart: a multiple each makes 48; with 850 TB hot, 64 would be too many: 17 + 1 + 1."""
    inventory = an_inventory(
        hardware=[a_node_model(capacity_drives=20, capacity_drive_tb=12.5)], pool_layout="per_tier"
    )
    archetype = next(a for a in enumerate_archetypes(inventory, PACK).archetypes if a.nodes == 16)
    few = volume_plan(archetype, {"hot": 700.0, "warm": 5.0, "archive": 5.0}, "per_tier", PACK)
    assert [group.count for group in few.groups] == [16, 16, 16]
    many = volume_plan(archetype, {"hot": 850.0, "warm": 5.0, "archive": 5.0}, "per_tier", PACK)
    assert [group.count for group in many.groups] == [17, 1, 1]


@pytest.mark.parametrize(
    ("storage", "limit", "volumes"), [(0, 15.5, 1), (15.5, 15.5, 1), (15.6, 15.5, 2), (64, 15.5, 5)]
)
def test_instances_larger_than_a_volume_span_several(storage: float, limit: float, volumes: int) -> None:
    assert volumes_spanned(storage, limit) == volumes


def stages(nodes: int, **columns: Any) -> dict[str, float]:
    catalog = enumerate_archetypes(an_inventory(hardware=[a_node_model(**columns)]), PACK)
    archetype = next(a for a in catalog.archetypes if a.nodes == nodes)
    return {stage.name: stage.amount for stage in archetype.capacity.trace if stage.unit == "TB"}


#: nodes, drives reserved: one per node, at most four (plan-volumes.md)
REPAIR_RESERVE = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (8, 4), (16, 4)]


@pytest.mark.parametrize(("nodes", "drives"), REPAIR_RESERVE)
def test_repair_reserve(nodes: int, drives: int) -> None:
    assert -stages(nodes)["repair reserve"] == pytest.approx(drives * 7.68), PLAN_VOLUMES


#: nodes, copies of 256 + 20 GB (sizer.js; deploy-via-portal.md for the default resiliency by machine count)
PLATFORM_VOLUMES = [(1, 2), (2, 2), (3, 3), (4, 3), (16, 3)]


@pytest.mark.parametrize(("nodes", "copies"), PLATFORM_VOLUMES)
def test_platform_volumes(nodes: int, copies: int) -> None:
    assert -stages(nodes)["platform volumes"] == pytest.approx(0.276 * copies), REQUIREMENTS


def test_raw_is_capacity_drives_only_and_metadata_takes_a_hundredth() -> None:
    found = stages(3, cache_drives=2, cache_drive_tb=3.2)
    assert found["raw"] == pytest.approx(3 * 6 * 7.68), CACHE
    assert -found["metadata"] == pytest.approx(0.01 * 3 * 6 * 7.68)
    assert raw_tb(a_node_model(cache_drives=2, cache_drive_tb=3.2), 3) == raw_tb(a_node_model(), 3)


HYBRID: dict[str, Any] = {
    "capacity_media": "hdd",
    "capacity_drives": 8,
    "capacity_drive_tb": 8,
    "cache_drives": 2,
    "cache_drive_tb": 4.8,
}

#: rule, nodes, columns that differ from a good hybrid node, part of the reason; None where it is allowed. Source.
CACHE_RULES: list[tuple[str, int, dict[str, Any], str | None, str]] = [
    ("PLT-009", 1, {}, "cluster of one node", REQUIREMENTS),
    ("PLT-009", 2, {}, None, REQUIREMENTS),
    ("PLT-008", 3, {"cache_drives": 0, "cache_drive_tb": 0}, "hard disks without a flash cache", DRIVES),
    ("PLT-010", 3, {"cache_drives": 1, "cache_drive_tb": 9.6}, "at least 2 are needed", DRIVES),
    ("PLT-010", 3, {"cache_drives": 3}, "do not divide evenly over 3", CACHE),
    ("PLT-010", 3, {"cache_drives": 4}, None, CACHE),
    ("PLT-010", 3, {"cache_drive_tb": 0.031}, "cache drives of 31 GB, at least 32 GB", REQUIREMENTS),
    ("PLT-011", 3, {"cache_drive_tb": 4.79}, "at least 15% are needed", REQUIREMENTS),
    ("PLT-011", 3, {"cache_drive_tb": 4.8}, None, REQUIREMENTS),
    ("PLT-002", 3, {"capacity_drives": 2, "capacity_drive_tb": 30}, "at least 4 are needed", DRIVES),
]


@pytest.mark.parametrize(("rule", "nodes", "columns", "reason", "source"), CACHE_RULES)
def test_every_breach_of_a_cache_rule_is_named(
    rule: str, nodes: int, columns: dict[str, Any], reason: str | None, source: str
) -> None:
    catalog = enumerate_archetypes(an_inventory(hardware=[a_node_model(**{**HYBRID, **columns})]), PACK)
    found = [refusal.reason for refusal in catalog.refusals if (refusal.rule, refusal.nodes) == (rule, nodes)]
    if reason is None:
        assert found == [], source
        assert any(archetype.nodes == nodes for archetype in catalog.archetypes), source
    else:
        assert any(reason in text for text in found), (source, catalog.refusals)
        assert not any(archetype.nodes == nodes for archetype in catalog.archetypes)


#: memory of a node, cache drives, TB of each: what the host keeps, 32 GiB + 4 per TB or 8 % (sizer.js)
CACHE_MEMORY = [
    (256.0, 0, 0.0, 32.0),
    (256.0, 2, 1.6, 44.8),
    (256.0, 2, 3.2, 57.6),
    (512.0, 4, 1.92, 62.72),
    (1024.0, 2, 3.2, 81.92),
    (2048.0, 4, 6.4, 163.84),
]


@pytest.mark.parametrize(("memory", "drives", "drive_tb", "kept"), CACHE_MEMORY)
def test_memory_cost_of_cache(memory: float, drives: int, drive_tb: float, kept: float) -> None:
    model = a_node_model(memory_gb=memory, cache_drives=drives, cache_drive_tb=drive_tb)
    assert host_reserve_memory_gb(model, PACK) == pytest.approx(kept)


#: media of the capacity drives, what a cache before them does (cache.md)
CACHE_BEHAVIOR = [("hdd", "reads and writes"), ("ssd", "writes only"), ("nvme", "nothing")]


@pytest.mark.parametrize(("media", "words"), CACHE_BEHAVIOR)
def test_what_a_cache_does_is_said(media: str, words: str) -> None:
    columns = {**HYBRID, "capacity_media": media}
    catalog = enumerate_archetypes(an_inventory(hardware=[a_node_model(**columns)]), PACK)
    three = next(a for a in catalog.archetypes if a.nodes == 3)
    notes = [note for note in (*three.warnings, *(str(stage) for stage in three.capacity.trace)) if "cache" in note]
    assert any(words in note for note in notes), (CACHE, notes)


def test_volumes_of_a_storage_network_are_no_type_of_the_platform() -> None:
    """Last row of table 2A: the array owns their resiliency (external-storage-support.md); plans have local drives."""
    assert PACK.text("limits.storage_kind") == "local drives"
    with pytest.raises(LayoutError, match="no resiliency type is named 'san-lun'"):
        resiliency_type("san-lun", PACK)
