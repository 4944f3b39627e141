"""Topologies: the families of clusters with their limits, and what a cluster in two zones keeps free and survives.

Sources: azure-local/manage/add-server.md, azure-local/plan/cloud-deployment-network-considerations.md,
azure-local/concepts/rack-aware-cluster-requirements.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleet.errors import RulePackError
from fleet.inventory.tables.policy import Policy
from fleet.platform.archetype import Archetype
from fleet.platform.archetypes import ArchetypeError, archetype_for, enumerate_archetypes
from fleet.platform.capacity import cluster_capacity, kept_free
from fleet.platform.growth import growth_refusal
from fleet.platform.resiliency import LayoutError
from fleet.platform.topologies import families, family_of, switchless_ports
from fleet.rulepack import load_rulepack
from tests.builders import a_node_model, a_site, a_workload, an_existing_cluster, an_inventory
from tests.platform.test_archetypes import one_layout

PACK = load_rulepack("azure-local")
TWO_ZONES, FOUR_COPIES = "rack-aware-two-way-mirror", "rack-aware-four-way-mirror"

#: family, node counts, part of what it may grow into, its witness
FAMILIES = [
    ("single node", [1], "two nodes", "none"),
    ("two nodes", [2], "three nodes", "required"),
    ("three nodes without a switch", [3], "new cabling", "recommended"),
    ("switched", list(range(3, 17)), "one node at a time up to 16", "recommended up to 4, optional from 5 on"),
    ("rack-aware", [2, 4, 6, 8], "pairs of nodes, one in each zone, up to 8", "cloud, required"),
]


def test_every_family_with_its_limits() -> None:
    found = families(PACK)
    assert [family.name for family in found] == [row[0] for row in FAMILIES]
    for family, (_, counts, growth, witness) in zip(found, FAMILIES, strict=True):
        assert list(family.counts) == counts
        assert growth in family.grows_into
        assert family.witness == witness


def test_the_training_text_knows_no_zones_and_no_more_than_ten_nodes() -> None:
    found = families(load_rulepack("deep-dive"))
    assert "rack-aware" not in [family.name for family in found]
    assert max(count for family in found for count in family.counts) == 10
    assert [family.witness for family in found] == ["none", "required", "optional", "optional"]


def test_four_nodes_without_a_switch_are_a_switch_of_the_pack(tmp_path: Path) -> None:
    assert PACK.fact("network.switchless_max_nodes").alternatives == (4,)
    path = tmp_path / "four.toml"
    path.write_text(
        '[pack]\nname = "four"\ndate = 2026-09-01\nextends = "azure-local"\nstatement = "Four by template."\n'
        '[network.switchless_max_nodes]\nvalue = 4\nunit = "nodes"\nsource = "template"\ndate = 2026-09-01\n'
        'statement = "Four nodes are cabled directly by template."\n'
    )
    pack = load_rulepack(str(path))
    ring = next(family for family in families(pack) if "without a switch" in family.name)
    assert list(ring.counts) == [3, 4]
    inventory = an_inventory(hardware=[a_node_model(nic_ports=8)], storage_switch=False)
    kinds = {a.nodes: a.topology for a in enumerate_archetypes(inventory, pack).archetypes}
    assert [kinds[nodes] for nodes in (1, 2, 3, 4, 5)] == ["single-node", *["switchless"] * 3, "switched"]
    strict = {a.nodes: a.topology for a in enumerate_archetypes(inventory, PACK).archetypes}
    assert (strict[3], strict[4]) == ("switchless", "switched")


@pytest.mark.parametrize(("nodes", "ports"), [(2, 4), (3, 6), (4, 8)])
def test_ports_without_a_switch(nodes: int, ports: int) -> None:
    """Row 5.9: (n − 1) links times 2, and 2 for management and compute."""
    assert switchless_ports(nodes, PACK) == ports
    for owned, topology in ((ports - 1, "switched"), (ports, "switchless")):
        inventory = an_inventory(hardware=[a_node_model(nic_ports=owned)], storage_switch=False)
        archetype = next(a for a in enumerate_archetypes(inventory, PACK).archetypes if a.nodes == min(nodes, 3))
        if nodes <= 3:
            assert archetype.topology == topology


def spread(nodes: int, **columns: Any) -> Archetype:
    layout = one_layout(TWO_ZONES if nodes == 2 else FOUR_COPIES)
    return archetype_for(an_inventory(hardware=[a_node_model(**columns)]), PACK, "std", nodes, layout)


#: nodes, kept free, copies; {drives, nodes, zones} lost at once
ZONES = [(2, 1, 2, (1, 1, 1)), (4, 2, 4, (3, 2, 1)), (6, 3, 4, (3, 2, 1)), (8, 4, 4, (3, 2, 1))]


@pytest.mark.parametrize(("nodes", "free", "copies", "survives"), ZONES)
def test_a_rack_aware_cluster_keeps_one_zone_free(
    nodes: int, free: int, copies: int, survives: tuple[int, int, int]
) -> None:
    archetype = spread(nodes)
    assert (archetype.topology, archetype.family) == ("rack-aware", "rack-aware")
    assert kept_free(nodes, Policy(), zones=2) == free
    stages = {(stage.name, stage.unit): stage.amount for stage in archetype.capacity.trace}
    # 32 − 3.2 cores for the host, 4 vCPU each, less the platform's 4, at 90 %.
    assert archetype.capacity.usable.vcpu == pytest.approx(((nodes - free) * 28.8 * 4 - 4) * 0.9)
    assert -stages["platform volumes", "TB"] == pytest.approx(0.276 * copies)
    assert archetype.efficiency["hot"] == pytest.approx(1 / copies)
    assert (archetype.drive_tolerance, archetype.node_tolerance, archetype.zone_tolerance) == survives
    standard = cluster_capacity(a_node_model(), nodes, one_layout("three-way-mirror"), Policy(), PACK)
    assert standard.usable.vcpu >= archetype.capacity.usable.vcpu


def test_more_may_be_kept_free_than_a_zone() -> None:
    assert kept_free(2, Policy(reserve_nodes=2), zones=2) == 2
    assert kept_free(8, Policy(reserve_nodes=2), zones=2) == 4
    assert kept_free(1, Policy(reserve_nodes=2)) == 0


@pytest.mark.parametrize("nodes", [1, 3, 5, 7, 9, 10, 16])
def test_zones_are_of_equal_size_and_eight_nodes_are_most(nodes: int) -> None:
    with pytest.raises(ArchetypeError, match=r"PLT-015|PLT-026"):
        spread(nodes)


def test_hard_disks_may_not_be_spread_over_zones() -> None:
    hybrid = {"capacity_media": "hdd", "cache_drives": 2, "cache_drive_tb": 3.84}
    with pytest.raises(ArchetypeError, match="needs flash, got hard disks"):
        spread(4, **hybrid)


@pytest.mark.parametrize(
    ("before", "after", "refusal"),
    [
        ((4, FOUR_COPIES), (6, FOUR_COPIES), None),
        ((4, FOUR_COPIES), (8, FOUR_COPIES), None),
        ((2, TWO_ZONES), (4, FOUR_COPIES), "PLT-022"),
        ((2, "two-way-mirror"), (4, FOUR_COPIES), "PLT-022"),
        ((4, "three-way-mirror"), (4, FOUR_COPIES), "PLT-022"),
        ((4, FOUR_COPIES), (5, "three-way-mirror"), "PLT-022"),
    ],
)
def test_rack_aware_clusters_grow_by_pairs_and_nothing_is_converted(
    before: tuple[int, str], after: tuple[int, str], refusal: str | None
) -> None:
    """Row 1.22: 2+2 to 3+3 to 4+4; 1+1 cannot grow; no conversion from a standard cluster."""
    inventory = an_inventory()
    smaller, larger = (archetype_for(inventory, PACK, "std", n, one_layout(kind)) for n, kind in (before, after))
    found = growth_refusal(smaller, larger, PACK)
    assert found is None if refusal is None else str(found).startswith(refusal)


def test_a_site_needs_zones_and_the_internet() -> None:
    layout = one_layout(FOUR_COPIES)
    good = a_site("campus", zones=2)
    assert archetype_for(an_inventory(), PACK, "std", 4, layout, good).zone_tolerance == 1
    for site, reason in (
        (a_site("hut"), "needs 2 zones, 'hut' has 1"),
        (a_site("bunker", zones=2, internet=False), "needs a cloud witness, and 'bunker' has no internet"),
    ):
        with pytest.raises(ArchetypeError, match=f"PLT-026.*{reason}"):
            archetype_for(an_inventory(), PACK, "std", 4, layout, site)


def test_zones_are_on_offer_where_they_are_asked_for_and_there() -> None:
    def is_offered(zones: int, tolerance: int) -> bool:
        workloads = [a_workload("till", "hub", zone_tolerance=tolerance)]
        inventory = an_inventory([a_site("hub", can_host=True, zones=zones)], workloads)
        return any(a.zone_tolerance for a in enumerate_archetypes(inventory, PACK).archetypes)

    assert [is_offered(*case) for case in ((2, 1), (2, 0), (1, 1))] == [True, False, False]
    everything = enumerate_archetypes(an_inventory(), PACK, rack_aware=True).archetypes
    assert [a.nodes for a in everything if a.zone_tolerance] == [2, 4, 6, 8]


def test_copies_of_a_rack_aware_pair_are_a_switch_of_the_pack(tmp_path: Path) -> None:
    """Row 12.5: two copies here, four on campus clusters of Windows Server."""
    assert PACK.fact("network.rack_aware_pair_layout").alternatives == ("rack-aware-nested-mirror",)
    path = tmp_path / "nested.toml"
    text = (
        '[pack]\nname = "nested"\ndate = 2026-09-01\nextends = "azure-local"\nstatement = "Four copies in a pair."\n'
        '[network.rack_aware_pair_layout]\nvalue = "{}"\nunit = ""\nsource = "topologies.md"\n'
        'date = 2026-01-01\nstatement = "Four copies."\n'
    )
    path.write_text(text.format("rack-aware-nested-mirror"))
    for pack, share, drives in ((PACK, 0.5, 1), (load_rulepack(str(path)), 0.25, 2)):
        catalog = enumerate_archetypes(an_inventory(), pack, rack_aware=True).archetypes
        (pair,) = [a for a in catalog if a.nodes == 2 and a.zone_tolerance]
        assert (pair.efficiency["hot"], pair.drive_tolerance) == (share, drives)
    path.write_text(text.format("raid-1"))
    with pytest.raises(RulePackError, match=r"'raid-1' is not in resiliency\.types"):
        load_rulepack(str(path))


def test_types_that_are_asked_for_join_the_catalog() -> None:
    workloads = [
        a_workload("mail", "hub", resiliency="mirror-accelerated-parity; three-way mirror"),
        a_workload("db", "hub", tier="hot", resiliency="nested two way mirror"),
    ]
    inventory = an_inventory([a_site("hub", can_host=True)], workloads)
    catalog = enumerate_archetypes(inventory, PACK).archetypes
    assert {a.layout["warm"] for a in catalog if a.nodes == 4} == {"three-way-mirror", "mirror-accelerated-parity"}
    assert {a.layout["hot"] for a in catalog if a.nodes == 2} == {"two-way-mirror", "nested-two-way-mirror"}
    four = [a for a in catalog if a.nodes == 4 and a.layout["warm"] == "mirror-accelerated-parity"]
    assert [four[0].keeps(row) for row in workloads] == [True, False]
    plain = enumerate_archetypes(an_inventory(), PACK).archetypes
    assert not any("nested" in kind or "accelerated" in kind for a in plain for kind in a.layout.values())


def test_a_standing_layout_is_on_offer_too() -> None:
    site = a_site("hub", can_host=True)
    stands = an_existing_cluster("old", "hub", layout="nested-two-way-mirror")
    catalog = enumerate_archetypes(an_inventory([site], clusters=[stands]), PACK).archetypes
    assert archetype_for(an_inventory([site], clusters=[stands]), PACK, "std", 2, one_layout("nested-two-way-mirror"))
    assert all(a.layout["hot"] != "nested-two-way-mirror" for a in catalog), "worse than two-way mirrors, not asked for"


def test_an_unknown_type_is_named_with_the_workload() -> None:
    inventory = an_inventory([a_site("hub", can_host=True)], [a_workload("mail", "hub", resiliency="raid-5")])
    with pytest.raises(LayoutError, match="workload 'mail', column resiliency: no resiliency type is named 'raid-5'"):
        enumerate_archetypes(inventory, PACK)


def test_every_archetype_belongs_to_a_family_that_has_its_count() -> None:
    counts = {family.name: family.counts for family in families(PACK)}
    for switch in (True, False):
        inventory = an_inventory(hardware=[a_node_model(nic_ports=8)], storage_switch=switch)
        found = enumerate_archetypes(inventory, PACK, rack_aware=True).archetypes
        assert all(a.nodes in counts[a.family] for a in found)
        assert {a.family for a in found} == {
            "single node", "two nodes", "switched", "rack-aware", *(() if switch else ["three nodes without a switch"]),
        }  # fmt: skip
    assert family_of("switchless", 2) == "two nodes"
