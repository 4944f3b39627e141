"""Resiliency against the published tables, row by row.

Sources: Microsoft, azure-local/concepts/fault-tolerance.md (types, dual parity) and nested-resiliency.md (nested),
azure-local/deploy/deploy-via-portal.md (single node)
and WindowsServerDocs/storage/storage-spaces/plan-volumes.md (02/2025).
"""

from __future__ import annotations

import dataclasses

import pytest

from fleet.platform.resiliency import LayoutError, default_layout, parse_layout, resiliency_type, resiliency_types
from fleet.rulepack import load_rulepack

PACK = load_rulepack("azure-local")

#: type, nodes, data tolerance in nodes, efficiency on all flash
TYPES = [
    ("two-way-mirror", 1, 0, 1 / 2),  # deploy-via-portal.md: across drives, survives a drive
    ("two-way-mirror", 2, 1, 1 / 2),  # fault-tolerance.md
    ("two-way-mirror", 5, 1, 1 / 2),
    ("nested-two-way-mirror", 2, 1, 1 / 4),  # nested-resiliency.md: four copies
    ("three-way-mirror", 3, 2, 1 / 3),  # fault-tolerance.md
    ("three-way-mirror", 16, 2, 1 / 3),
    ("single-parity", 3, 1, 2 / 3),  # fault-tolerance.md
    ("dual-parity", 4, 2, 1 / 2),
    ("rack-aware-two-way-mirror", 2, 1, 1 / 2),  # rack-aware-cluster-requirements.md
    ("rack-aware-four-way-mirror", 4, 3, 1 / 4),
    ("simple", 1, 0, 1.0),  # system-requirements-small-23h2.md
]


@pytest.mark.parametrize(("name", "nodes", "tolerance", "efficiency"), TYPES)
def test_published_types(name: str, nodes: int, tolerance: int, efficiency: float) -> None:
    kind = resiliency_type(name, PACK)
    assert kind.minimum_nodes <= nodes <= kind.maximum_nodes
    assert kind.data_tolerance(nodes) == tolerance
    assert kind.efficiency(nodes, "nvme") == pytest.approx(efficiency, rel=1e-15)


#: type, fewest nodes, most nodes
NODE_COUNTS = [
    ("two-way-mirror", 1, 16),
    ("nested-two-way-mirror", 2, 2),
    ("nested-parity", 2, 2),
    ("three-way-mirror", 3, 16),
    ("dual-parity", 4, 16),
    ("mirror-accelerated-parity", 4, 16),
]


@pytest.mark.parametrize(("name", "fewest", "most"), NODE_COUNTS)
def test_published_node_counts(name: str, fewest: int, most: int) -> None:
    kind = resiliency_type(name, PACK)
    assert (kind.minimum_nodes, kind.maximum_nodes) == (fewest, most)


#: nodes, hybrid efficiency, all-flash efficiency, in percent as published in fault-tolerance.md
DUAL_PARITY = [
    (4, 50.0, 50.0),
    (5, 50.0, 50.0),
    (6, 50.0, 50.0),
    (7, 66.7, 66.7),
    (8, 66.7, 66.7),
    (9, 66.7, 75.0),
    (10, 66.7, 75.0),
    (11, 66.7, 75.0),
    (12, 72.7, 75.0),
    (13, 72.7, 75.0),
    (14, 72.7, 75.0),
    (15, 72.7, 75.0),
    (16, 72.7, 80.0),
]


@pytest.mark.parametrize(("nodes", "hybrid", "flash"), DUAL_PARITY)
def test_published_dual_parity(nodes: int, hybrid: float, flash: float) -> None:
    kind = resiliency_type("dual-parity", PACK)
    assert round(100 * kind.efficiency(nodes, "hdd"), 1) == hybrid
    assert round(100 * kind.efficiency(nodes, "ssd"), 1) == flash
    assert kind.efficiency(nodes, "nvme") == kind.efficiency(nodes, "ssd")


def test_dual_parity_is_what_its_codes_say() -> None:
    kind = resiliency_type("dual-parity", PACK)
    assert kind.efficiency(6, "hdd") == pytest.approx(2 / (2 + 2), rel=1e-15)  # RS 2+2
    assert kind.efficiency(8, "hdd") == pytest.approx(4 / (4 + 2), rel=1e-15)  # RS 4+2
    assert kind.efficiency(15, "nvme") == pytest.approx(6 / (6 + 2), rel=1e-15)  # RS 6+2
    assert kind.efficiency(12, "hdd") == pytest.approx(8 / (8 + 2 + 1), rel=1e-15)  # LRC (8,2,1)
    assert kind.efficiency(16, "nvme") == pytest.approx(12 / (12 + 2 + 1), rel=1e-15)  # LRC (12,2,1)


#: capacity drives per node, mirror share, percent as published in nested-resiliency.md
NESTED_PARITY = [
    (4, 0.1, 35.7),
    (4, 0.2, 34.1),
    (4, 0.3, 32.6),
    (5, 0.1, 37.7),
    (5, 0.2, 35.7),
    (5, 0.3, 33.9),
    (6, 0.1, 39.1),
    (6, 0.2, 36.8),
    (6, 0.3, 34.7),
    (7, 0.1, 40.0),
    (7, 0.2, 37.5),
    (7, 0.3, 35.3),
    (10, 0.1, 40.0),
    (10, 0.2, 37.5),
    (10, 0.3, 35.3),
]


@pytest.mark.parametrize(("drives", "mirror", "percent"), NESTED_PARITY)
def test_published_nested_parity(drives: int, mirror: float, percent: float) -> None:
    kind = dataclasses.replace(resiliency_type("nested-parity", PACK), mirror_share=mirror)
    assert round(100 * kind.efficiency(2, "nvme", drives), 1) == percent


def test_mirror_accelerated_parity_blends() -> None:
    """A fifth in three copies and four fifths at 50 %: 1 / (0.2 · 3 + 0.8 / 0.5) = 1 / 2.2."""
    kind = resiliency_type("mirror-accelerated-parity", PACK)
    assert kind.mirror_share == 0.2
    assert kind.efficiency(4, "nvme") == pytest.approx(1 / 2.2, rel=1e-12)
    assert kind.efficiency(4, "nvme") < resiliency_type("dual-parity", PACK).efficiency(4, "nvme")


def test_efficiency_never_falls_with_nodes_and_stays_within_one() -> None:
    for kind in resiliency_types(PACK).values():
        for media in ("hdd", "nvme"):
            counts = range(kind.minimum_nodes, kind.maximum_nodes + 1)
            values = [kind.efficiency(nodes, media) for nodes in counts]
            assert all(0 < value <= 1 for value in values)
            assert values == sorted(values)


def test_deep_dive_parity_is_half_from_three_nodes_on() -> None:
    kind = resiliency_type("dual-parity", load_rulepack("deep-dive"))
    assert kind.minimum_nodes == 3
    assert {kind.efficiency(nodes, "hdd") for nodes in range(3, 11)} == {0.5}


def test_default_layout_by_node_count() -> None:
    mirrors = {nodes: default_layout(nodes, PACK)["hot"] for nodes in range(1, 17)}
    assert (mirrors[1], mirrors[2]) == ("two-way-mirror", "two-way-mirror")
    assert {mirrors[nodes] for nodes in range(3, 17)} == {"three-way-mirror"}


def test_layout_text_is_forgiving_and_fills_in() -> None:
    assert parse_layout("", 2, PACK) == dict.fromkeys(("hot", "warm", "archive"), "two-way-mirror")
    assert parse_layout("Nested_Two-Way Mirror", 2, PACK)["archive"] == "nested-two-way-mirror"
    assert parse_layout("archive=dual-parity; warm = Three-way mirror", 4, PACK) == {
        "hot": "three-way-mirror",
        "warm": "three-way-mirror",
        "archive": "dual-parity",
    }


def test_layout_text_with_unknown_names() -> None:
    with pytest.raises(LayoutError, match="no resiliency type is named 'raid-5'; known are simple, two-way-mirror"):
        parse_layout("hot=raid 5", 2, PACK)
    with pytest.raises(LayoutError, match="no tier is named 'cold'; tiers are hot, warm, archive"):
        parse_layout("cold=two-way-mirror", 2, PACK)
    with pytest.raises(LayoutError, match="no resiliency type is named 'raid-5' in rule pack 'azure-local'"):
        resiliency_type("raid-5", PACK)
