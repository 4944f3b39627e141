"""Archetypes: which survive, which are refused and by which rule, and what a cluster may grow into."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import UnknownIdError
from fleet.inventory.tables.workloads import TIERS
from fleet.platform.archetype import Archetype
from fleet.platform.archetypes import ArchetypeError, archetype_for, enumerate_archetypes
from fleet.platform.eligibility import PLATFORM_RULES
from fleet.platform.growth import growth_notes, growth_refusal
from fleet.platform.instances import instance_refusals, node_offer
from fleet.platform.resiliency import resiliency_types
from fleet.rulepack import RulePack, load_rulepack
from tests.builders import a_node_model, a_workload, an_inventory

PACK = load_rulepack("azure-local")
TEXT = load_rulepack("deep-dive")


def one_layout(name: str, archive: str = "") -> dict[str, str]:
    return {"hot": name, "warm": name, "archive": archive or name}


def switched(folder: Path, key: str, value: str) -> RulePack:
    path = folder / "switched.toml"
    path.write_text(
        '[pack]\nname = "switched"\ndate = 2026-09-01\nextends = "azure-local"\nstatement = "One switch."\n'
        f'[{key}]\nvalue = {value}\nunit = ""\nsource = "test"\ndate = 2026-09-01\nstatement = "Switched."\n'
    )
    return load_rulepack(str(path))


def test_one_layout_per_node_count_is_recommended() -> None:
    catalog = enumerate_archetypes(an_inventory(), PACK)
    assert [archetype.nodes for archetype in catalog.archetypes] == list(range(1, 17))
    by_nodes = {archetype.nodes: archetype for archetype in catalog.archetypes}
    assert by_nodes[1].layout == one_layout("two-way-mirror")
    assert by_nodes[2].layout == one_layout("two-way-mirror")
    assert by_nodes[3].layout == one_layout("three-way-mirror")
    assert all(by_nodes[n].layout == one_layout("three-way-mirror", "dual-parity") for n in range(4, 17))
    assert [by_nodes[n].node_tolerance for n in range(1, 17)] == [0, 1, 1, *[2] * 13]
    assert by_nodes[9].efficiency == {"hot": 1 / 3, "warm": 1 / 3, "archive": 0.75}


def test_site_resources_and_footprint() -> None:
    archetype = archetype_for(
        an_inventory(hardware=[a_node_model(watts=650, rack_units=2)]), PACK, "std", 4, one_layout("three-way-mirror")
    )
    assert (archetype.power_kw, archetype.rack_units) == (2.6, 8)
    assert archetype.footprint_tb("hot", 5.0) == pytest.approx(15.0)


def test_deep_dive_offers_two_way_mirrors_beside_three_way() -> None:
    at_four = [a for a in enumerate_archetypes(an_inventory(), TEXT).archetypes if a.nodes == 4]
    found = {(a.layout["hot"], a.layout["archive"], a.node_tolerance) for a in at_four}
    assert found == {("three-way-mirror", "dual-parity", 2), ("two-way-mirror", "two-way-mirror", 1)}


def test_switch_offers_two_way_mirrors_above_two_nodes(tmp_path: Path) -> None:
    pack = switched(tmp_path, "resiliency.two_way_above_two_nodes", "true")
    catalog = enumerate_archetypes(an_inventory(), pack)
    assert not any(refusal.rule == "PLT-017" for refusal in catalog.refusals)
    two_way = [a for a in catalog.archetypes if a.layout["hot"] == "two-way-mirror" and a.nodes > 2]
    assert two_way
    assert all(any("a drive and a node lost together" in text for text in a.warnings) for a in two_way)


def test_without_rebuilding_the_mirrored_archive_stays_on_offer(tmp_path: Path) -> None:
    pack = switched(tmp_path, "growth.rebuild_to_parity", "false")
    by_layout = {(a.nodes, a.layout["archive"]): a for a in enumerate_archetypes(an_inventory(), pack).archetypes}
    three = by_layout[3, "three-way-mirror"]
    assert growth_refusal(three, by_layout[4, "three-way-mirror"], pack) is None
    assert "would have to be rebuilt" in str(growth_refusal(three, by_layout[4, "dual-parity"], pack))


#: rule, nodes, columns that break it, part of the reason, columns exactly at the limit (None: no limit to stand at)
HARDWARE_REFUSALS: list[tuple[str, int, dict[str, Any], str, dict[str, Any] | None]] = [
    ("PLT-001", 17, {"max_nodes": 20}, "17 nodes, clusters of this model have 1 to 16", None),
    ("PLT-001", 2, {"min_nodes": 3}, "2 nodes, clusters of this model have 3 to 16", {"min_nodes": 2}),
    ("PLT-001", 5, {"max_nodes": 4}, "5 nodes, clusters of this model have 1 to 4", {"max_nodes": 5}),
    ("PLT-002", 3, {"capacity_drives": 1}, "1 capacity drives per node, at least 2", {"capacity_drives": 2}),
    (
        "PLT-002",
        3,
        {"capacity_drives": 3, "cache_drives": 3, "cache_drive_tb": 1},
        "at least 4 are needed",
        {"capacity_drives": 4, "cache_drives": 2, "cache_drive_tb": 1},
    ),
    ("PLT-003", 3, {"capacity_drive_tb": 0.48}, "capacity drives of 0.48 TB", {"capacity_drive_tb": 0.5}),
    (
        "PLT-004",
        3,
        {"capacity_drives": 20, "capacity_drive_tb": 20.5},
        "410 TB of raw storage per node, at most 400 TB",
        {"capacity_drives": 20, "capacity_drive_tb": 20},
    ),
    (
        "PLT-005",
        11,
        {"capacity_drives": 20, "capacity_drive_tb": 19},
        "4180 TB of raw storage in the pool, at most 4000 TB",
        {"capacity_drives": 20, "capacity_drive_tb": 4000 / 20 / 11},
    ),
    ("PLT-006", 3, {"memory_gb": 31}, "31 GiB of memory per node, allowed are 32 to 24576", None),
    ("PLT-006", 3, {"memory_gb": 24577}, "24577 GiB of memory", {"memory_gb": 24576}),
    ("PLT-007", 3, {"cores": 257}, "514 logical processors per node, at most 512", {"cores": 256}),
    (
        "PLT-008",
        3,
        {"capacity_media": "hdd"},
        "hard disks without a flash cache",
        {"capacity_media": "hdd", "cache_drives": 2, "cache_drive_tb": 6},
    ),
    ("PLT-009", 1, {"cache_drives": 2, "cache_drive_tb": 3.2}, "2 cache drives in a cluster of one node", None),
    (
        "PLT-010",
        3,
        {"cache_drives": 1, "cache_drive_tb": 3.2},
        "1 cache drives per node, at least 2",
        {"cache_drives": 2, "cache_drive_tb": 3.2},
    ),
    (
        "PLT-010",
        3,
        {"cache_drives": 4, "cache_drive_tb": 1.6},
        "6 capacity drives do not divide evenly over 4 cache drives",
        {"cache_drives": 3, "cache_drive_tb": 1.6},
    ),
    (
        "PLT-011",
        3,
        {
            "capacity_media": "hdd",
            "capacity_drives": 8,
            "capacity_drive_tb": 8,
            "cache_drives": 2,
            "cache_drive_tb": 4.7,
        },
        "9.4 TB of cache before 64 TB per node, at least 15% are needed",
        {
            "capacity_media": "hdd",
            "capacity_drives": 8,
            "capacity_drive_tb": 8,
            "cache_drives": 2,
            "cache_drive_tb": 4.8,
        },
    ),
    ("PLT-012", 2, {"nic_gbps": 1}, "storage ports of 1 Gbit/s, at least 10 Gbit/s", {"nic_gbps": 10}),
    (
        "PLT-013",
        2,
        {"gpus": 3, "gpu_model": "NVIDIA H100"},
        "240 GB of GPU memory per node, at most 192 GB",
        {"gpus": 4, "gpu_model": "l40s"},
    ),
    ("PLT-018", 1, {"cores": 2, "memory_gb": 64}, "no vCPU is left after the reserves (-3.60)", None),
    ("PLT-018", 1, {"memory_gb": 40}, "no memory is left after the reserves (0.00)", {"memory_gb": 40.5}),
]


@pytest.mark.parametrize(("rule", "nodes", "columns", "reason", "at_limit"), HARDWARE_REFUSALS)
def test_hardware_refusals(
    rule: str, nodes: int, columns: dict[str, Any], reason: str, at_limit: dict[str, Any] | None
) -> None:
    catalog = enumerate_archetypes(an_inventory(hardware=[a_node_model(**columns)]), PACK)
    found = [r for r in catalog.refusals if (r.rule, r.nodes) == (rule, nodes)]
    assert any(reason in refusal.reason for refusal in found), catalog.refusals
    assert not any(archetype.nodes == nodes for archetype in catalog.archetypes)
    if at_limit is not None:
        allowed = enumerate_archetypes(an_inventory(hardware=[a_node_model(**at_limit)]), PACK)
        assert any(archetype.nodes == nodes for archetype in allowed.archetypes)


def test_too_many_nodes_kept_free() -> None:
    catalog = enumerate_archetypes(an_inventory(reserve_nodes=2), PACK)
    refused = [refusal for refusal in catalog.refusals if refusal.nodes == 2]
    assert {refusal.rule for refusal in refused} == {"PLT-018"}
    assert [archetype.nodes for archetype in catalog.archetypes][:3] == [1, 3, 4]


def test_every_count_is_either_offered_or_refused() -> None:
    models = [a_node_model("a"), a_node_model("b", capacity_media="hdd"), a_node_model("c", min_nodes=3, max_nodes=8)]
    catalog = enumerate_archetypes(an_inventory(hardware=models), PACK)
    offered = {(a.node_model, a.nodes) for a in catalog.archetypes}
    refused = {(r.node_model, r.nodes) for r in catalog.refusals}
    assert offered | refused == set(itertools.product("abc", range(1, 17)))
    known = {rule.id for rule in PLATFORM_RULES}
    assert {refusal.rule for refusal in catalog.refusals} <= known
    assert len(known) == len(PLATFORM_RULES)
    assert all(key in PACK.facts for rule in PLATFORM_RULES for key in rule.facts)


#: rule, nodes, layout, part of the reason
LAYOUT_REFUSALS: list[tuple[str, int, dict[str, str], str]] = [
    ("PLT-014", 3, {"hot": "three-way-mirror", "warm": "three-way-mirror"}, "tier 'archive' has no resiliency type"),
    ("PLT-014", 3, one_layout("raid-5"), "got 'raid-5'"),
    ("PLT-014", 4, one_layout("dual-parity"), "dual-parity does not serve tier 'hot', only archive"),
    ("PLT-014", 4, {**one_layout("three-way-mirror"), "cold": "dual-parity"}, "tier 'cold'"),
    ("PLT-014", 1, one_layout("simple"), "low-capacity class"),
    ("PLT-014", 4, one_layout("three-way-mirror", "single-parity"), "discouraged"),
    ("PLT-026", 4, {**one_layout("rack-aware-four-way-mirror"), "warm": "three-way-mirror"}, "every tier is spread"),
    ("PLT-026", 5, one_layout("rack-aware-four-way-mirror"), "5 nodes over 2 zones"),
    ("PLT-015", 2, one_layout("rack-aware-four-way-mirror"), "needs 4 to 8 nodes, not 2"),
    ("PLT-015", 10, one_layout("rack-aware-four-way-mirror"), "needs 4 to 8 nodes, not 10"),
    ("PLT-027", 4, {**one_layout("three-way-mirror"), "warm": "mirror-accelerated-parity"}, "has to ask for it"),
    ("PLT-015", 2, one_layout("three-way-mirror"), "three-way-mirror needs 3 to 16 nodes, not 2"),
    ("PLT-015", 3, one_layout("nested-two-way-mirror"), "needs exactly 2 nodes, not 3"),
    ("PLT-015", 3, one_layout("three-way-mirror", "dual-parity"), "dual-parity needs 4 to 16 nodes, not 3"),
    (
        "PLT-016",
        2,
        one_layout("two-way-mirror", "nested-parity"),
        "nested-parity needs 4 capacity drives per node, got 3",
    ),
    ("PLT-017", 3, one_layout("two-way-mirror"), "warned against above 2"),
]


@pytest.mark.parametrize(("rule", "nodes", "layout", "reason"), LAYOUT_REFUSALS)
def test_layout_refusals(rule: str, nodes: int, layout: dict[str, str], reason: str) -> None:
    inventory = an_inventory(hardware=[a_node_model(capacity_drives=3)])
    with pytest.raises(ArchetypeError, match=rule) as caught:
        archetype_for(inventory, PACK, "std", nodes, layout)
    assert any(refusal.rule == rule and reason in refusal.reason for refusal in caught.value.refusals)


def test_unknown_node_model() -> None:
    with pytest.raises(UnknownIdError, match="no node model is named 'huge'"):
        archetype_for(an_inventory(), PACK, "huge", 3, one_layout("three-way-mirror"))


def test_a_model_that_claims_more_nodes_than_the_platform_takes() -> None:
    catalog = enumerate_archetypes(an_inventory(hardware=[a_node_model(max_nodes=10**9)]), PACK)
    assert max(archetype.nodes for archetype in catalog.archetypes) == 16
    assert [refusal.nodes for refusal in catalog.refusals if refusal.rule == "PLT-001"] == [17]


def test_any_allowed_layout_can_be_asked_for() -> None:
    inventory = an_inventory()
    nested = archetype_for(inventory, PACK, "std", 2, one_layout("nested-two-way-mirror"))
    assert (nested.node_tolerance, nested.efficiency["hot"]) == (1, 0.25)
    wanted = a_workload("files", "hub", resiliency="Mirror_accelerated parity")
    blended = archetype_for(
        an_inventory(workloads=[wanted]),
        PACK,
        "std",
        4,
        {**one_layout("three-way-mirror"), "warm": "mirror-accelerated-parity"},
    )
    assert blended.efficiency["warm"] == pytest.approx(1 / 2.2)


@pytest.mark.parametrize("name", ["azure-local", "deep-dive"])
def test_catalog_and_archetype_for_agree(name: str) -> None:
    pack = load_rulepack(name)
    inventory = an_inventory()
    for archetype in enumerate_archetypes(inventory, pack).archetypes:
        assert archetype_for(inventory, pack, "std", archetype.nodes, archetype.layout) == archetype


def test_hardware_in_any_order_gives_the_same_catalog() -> None:
    models = [a_node_model("b"), a_node_model("a", cores=64), a_node_model("c", capacity_drives=4)]
    first = enumerate_archetypes(an_inventory(hardware=models), PACK)
    assert enumerate_archetypes(an_inventory(hardware=models[::-1]), PACK) == first


def test_warnings() -> None:
    def texts(nodes: int, **columns: Any) -> str:
        catalog = enumerate_archetypes(an_inventory(hardware=[a_node_model(**columns)]), PACK)
        return " | ".join(next(a for a in catalog.archetypes if a.nodes == nodes).warnings)

    assert "a single node" in texts(1)
    assert "nested mirrors survive" in texts(2)
    assert "takes the pool offline" in texts(4)
    assert texts(5) == ""
    assert "below the recommended 25 Gbit/s" in texts(5, nic_gbps=10)
    assert "one network port" in texts(5, nic_ports=1)
    assert "'A100' is not on the list" in texts(5, gpus=1, gpu_model="A100")


def fits(archetype: Archetype, need: tuple[float, float], storage: dict[str, float], tolerance: int) -> bool:
    usable = archetype.capacity.usable
    pool = sum(archetype.footprint_tb(tier, amount) for tier, amount in storage.items())
    return (
        need[0] <= usable.vcpu
        and need[1] <= usable.memory_gb
        and pool <= usable.pool_tb
        and archetype.node_tolerance >= tolerance
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["azure-local", "deep-dive"])
def test_dominance_never_removes_the_cheapest_fit(seed: int, name: str) -> None:
    """Against every combination of types: mirrors on hot and warm, anything on the archive."""
    pack, chance = load_rulepack(name), random.Random(seed)
    models = [a_node_model("std"), a_node_model("small", cores=16, capacity_drives=4, price=12000.0)]
    inventory = an_inventory(hardware=models)
    kinds = resiliency_types(pack)
    mirrors = [name for name, kind in kinds.items() if "hot" in kind.tiers]
    everything: list[Archetype] = []
    for model, nodes, hot, warm, archive in itertools.product(models, range(1, 9), mirrors, mirrors, kinds):
        layout = {"hot": hot, "warm": warm, "archive": archive}
        if all(kinds[kind].minimum_nodes <= nodes <= kinds[kind].maximum_nodes for kind in layout.values()):
            try:
                everything.append(archetype_for(inventory, pack, model.node_model, nodes, layout))
            except ArchetypeError:
                continue
    kept = [a for a in enumerate_archetypes(inventory, pack).archetypes if a.nodes <= 8]
    assert len(everything) > len(kept)
    prices = {model.node_model: model.price for model in models}
    for _ in range(30):
        need = (chance.uniform(0, 900), chance.uniform(0, 3000))
        storage = {tier: chance.uniform(0, 25) for tier in TIERS}
        tolerance = chance.choice([0, 1, 2])
        costs = [
            min((a.nodes * prices[a.node_model] for a in group if fits(a, need, storage, tolerance)), default=None)
            for group in (everything, kept)
        ]
        assert costs[0] == costs[1]


def growth(before: tuple[int, str, str], after: tuple[int, str, str], pack: RulePack = PACK) -> str | None:
    inventory = an_inventory()
    smaller, larger = (
        archetype_for(inventory, pack, "std", nodes, one_layout(mirror, archive))
        for nodes, mirror, archive in (before, after)
    )
    return growth_refusal(smaller, larger, pack)


TWO, THREE, NESTED, PARITY = "two-way-mirror", "three-way-mirror", "nested-two-way-mirror", "dual-parity"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((1, TWO, TWO), (2, TWO, TWO)),
        ((2, TWO, TWO), (3, THREE, THREE)),
        ((1, TWO, TWO), (3, THREE, THREE)),
        ((3, THREE, THREE), (4, THREE, THREE)),
        ((3, THREE, THREE), (4, THREE, PARITY)),
        ((2, TWO, TWO), (5, THREE, PARITY)),
        ((6, THREE, PARITY), (16, THREE, PARITY)),
        ((4, THREE, THREE), (4, THREE, PARITY)),
        ((3, THREE, THREE), (3, THREE, THREE)),
    ],
)
def test_allowed_growth(before: tuple[int, str, str], after: tuple[int, str, str]) -> None:
    assert growth(before, after) is None


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ((4, THREE, THREE), (3, THREE, THREE), "PLT-020 a cluster of 4 nodes cannot shrink to 3"),
        ((2, NESTED, NESTED), (3, THREE, THREE), "PLT-022 hot: nested-two-way-mirror cannot become three-way-mirror"),
        ((2, TWO, TWO), (2, NESTED, NESTED), "PLT-022 hot: two-way-mirror cannot become nested-two-way-mirror"),
        ((4, THREE, PARITY), (5, THREE, THREE), "PLT-022 archive: dual-parity cannot become three-way-mirror"),
    ],
)
def test_refused_growth(before: tuple[int, str, str], after: tuple[int, str, str], reason: str) -> None:
    assert str(growth(before, after)).startswith(reason)


def test_growth_by_another_model_or_from_a_fixed_single_node(tmp_path: Path) -> None:
    inventory = an_inventory(hardware=[a_node_model("a"), a_node_model("b")])
    a, b = (archetype_for(inventory, PACK, name, 3, one_layout(THREE)) for name in "ab")
    assert growth_refusal(a, b, PACK) == "PLT-019 a cluster of a cannot take nodes of b"
    fixed = switched(tmp_path, "growth.from_single_node", "false")
    assert str(growth((1, TWO, TWO), (2, TWO, TWO), fixed)).startswith("PLT-021")


def test_deep_dive_grows_from_a_single_node_without_resiliency() -> None:
    assert growth((1, "simple", "simple"), (3, THREE, PARITY), TEXT) is None


def test_growth_notes() -> None:
    inventory = an_inventory()
    two = archetype_for(inventory, PACK, "std", 2, one_layout(TWO))
    three = archetype_for(inventory, PACK, "std", 3, one_layout(THREE))
    six, seven = (archetype_for(inventory, PACK, "std", n, one_layout(THREE, PARITY)) for n in (6, 7))
    assert growth_notes(two, three, PACK)[0] == "hot: two-way-mirror volumes become three-way-mirror"
    assert any("create dual-parity volumes" in note for note in growth_notes(three, six, PACK))
    assert growth_notes(six, seven, PACK) == ("archive: rebuild dual-parity volumes to gain the efficiency of 7 nodes",)
    assert growth_notes(three, three, PACK) == ()


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"vcpus": 64.0}, None),
        ({"vcpus": 65.0}, "has 65 vCPU, a node of std runs at most 64"),
        ({"memory_gb": 471.04}, None),
        ({"memory_gb": 480.0}, "has 480 GiB, a node of std offers 471.04 GiB"),
        ({"gpus": 2.0}, None),
        ({"gpus": 3.0}, "has 3 GPUs, a node of std has 2"),
    ],
)
def test_an_instance_must_fit_on_one_node(columns: dict[str, Any], reason: str | None) -> None:
    model = a_node_model(gpus=2, gpu_model="A2")
    found = list(instance_refusals(a_workload("erp", "hub", count=100, **columns), node_offer(model, PACK)))
    assert found == [] if reason is None else (found[0][0] == "PLT-024" and reason in found[0][1])


#: GPU of the node, column gpu_mode, what the platform answers (None: allowed). gpu-preparation.md lists the models.
GPU_ANSWERS = [
    ("L40S", "dda", None),
    ("NVIDIA L40S", "partition", None),
    ("T4", "dda", None),
    ("T4", "partition", "GPU 'T4' supports dda"),
    ("A40", "dda", "GPU 'A40' supports partition"),
    ("A40", "partition", None),
    ("A10", "dda", "GPU 'A10' supports partition"),
    ("A100", "dda", "GPU 'A100' is not on the list of rule pack 'azure-local'"),
    ("A100", "partition", "is not on the list"),
    ("FPGA Alveo", "dda", "rule pack 'azure-local' knows no support for FPGAs"),
]


@pytest.mark.parametrize(("gpu", "mode", "answer"), GPU_ANSWERS)
def test_accelerators_are_answered_as_the_pack_says(gpu: str, mode: str, answer: str | None) -> None:
    model = a_node_model(gpus=2, gpu_model=gpu)
    row = a_workload("vision", "hub", gpus=1.0, gpu_mode=mode, gpu_model=gpu)
    found = list(instance_refusals(row, node_offer(model, PACK)))
    assert found == [] if answer is None else ([rule for rule, _ in found] == ["PLT-028"] and answer in found[0][1])


def test_the_deep_dive_passes_fpgas_through_and_knows_no_partitions() -> None:
    offer = node_offer(a_node_model(gpus=1, gpu_model="FPGA"), TEXT)
    assert not any(instance_refusals(a_workload("filter", "hub", gpus=1.0, gpu_model="FPGA"), offer))
    assert any(instance_refusals(a_workload("filter", "hub", gpus=0.5, gpu_mode="partition"), offer))
    assert not any(
        instance_refusals(a_workload("ml", "hub", gpus=1.0), node_offer(a_node_model(gpus=1, gpu_model="A100"), TEXT))
    )


def test_unlisted_gpus_may_be_switched_on(tmp_path: Path) -> None:
    pack = switched(tmp_path, "gpu.allow_unlisted", "true")
    offer = node_offer(a_node_model(gpus=2, gpu_model="A100"), pack)
    assert not any(instance_refusals(a_workload("ml", "hub", gpus=1.0), offer))
    assert (
        "whole devices only"
        in next(instance_refusals(a_workload("ml", "hub", gpus=0.5, gpu_mode="partition"), offer))[1]
    )


def test_enumeration_is_quick() -> None:
    models = [a_node_model(f"m{index}", price=20000.0 + index) for index in range(10)]
    started = time.process_time()
    assert len(enumerate_archetypes(an_inventory(hardware=models), PACK).archetypes) == 160
    assert time.process_time() - started < 0.5
