"""Clusters that stand already: what they are with their stated witness, what they may become, why they are refused."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.inventory.inventory import Inventory
from fleet.platform.archetypes import ArchetypeError, enumerate_archetypes
from fleet.platform.standing import archetype_today, reachable_archetypes, standing_archetype, standing_problems
from fleet.rulepack import load_rulepack
from tests.builders import a_node_model, a_site, an_existing_cluster, an_inventory

PACK = load_rulepack("azure-local")
PARITY = "mirror-accelerated-parity"


def a_fleet(*, model: dict[str, Any] | None = None, site: dict[str, Any] | None = None, **cluster: Any) -> Inventory:
    """One hub with one standing cluster of nodes of which eight make a cluster at most."""
    return an_inventory(
        [a_site("h", can_host=True, **(site or {}))],
        hardware=[a_node_model("std", **{"max_nodes": 8, **(model or {})})],
        clusters=[an_existing_cluster("old", "h", **cluster)],
    )


def becomes(**cluster: Any) -> list[tuple[int, str]]:
    """Node count and type of the archive of everything worth being that a cluster may become; today's state first."""
    inventory = a_fleet(**cluster)
    return [(one.nodes, one.layout["archive"]) for one in reachable_archetypes(inventory, PACK, inventory.clusters[0])]


@pytest.mark.parametrize(
    ("witness", "survived"),
    [("none", (0, 1, 1, 2)), ("file_share", (1, 1, 2, 2)), ("cloud", (1, 1, 2, 2)), ("", (1, 1, 2, 2))],
)
def test_node_failures_are_counted_with_the_witness_that_is_stated(witness: str, survived: tuple[int, ...]) -> None:
    """With three copies; microsoft.com, Storage Spaces Direct quorum: 3 with or without, 4 without one survive one."""
    found = []
    for nodes in (2, 3, 4, 5):
        inventory = a_fleet(nodes=nodes, witness=witness)
        found.append(standing_archetype(inventory, PACK, inventory.clusters[0]).node_tolerance)
    assert tuple(found) == survived


def test_what_a_cluster_grows_into_has_its_witness() -> None:
    inventory = a_fleet(nodes=2, witness="none")
    found = reachable_archetypes(inventory, PACK, inventory.clusters[0])
    assert [(one.nodes, one.node_tolerance) for one in found] == [
        (2, 0), (3, 1), (4, 1), (5, 2), (6, 2), (7, 2), (8, 2),
    ]  # fmt: skip


def test_the_archive_may_become_parity_on_the_same_nodes() -> None:
    expected = [(4, "three-way-mirror"), *((nodes, "dual-parity") for nodes in range(4, 9))]
    assert becomes(nodes=4) == expected


def test_layouts_without_a_way_on_stay() -> None:
    assert becomes(nodes=2, layout="nested-two-way-mirror") == [(2, "nested-two-way-mirror")]
    assert becomes(nodes=4, layout=f"archive={PARITY}") == [(nodes, PARITY) for nodes in range(4, 9)]


def test_new_clusters_are_offered_what_they_were() -> None:
    """Parity on the archive from four nodes on; mirrors lead nowhere that parity does not."""
    plain = enumerate_archetypes(a_fleet(nodes=2), PACK).archetypes
    assert {one.layout["archive"] for one in plain if one.nodes > 3} == {"dual-parity"}


@pytest.mark.parametrize(
    ("fleet", "column", "rule", "remedy"),
    [
        ({"nodes": 3, "layout": "two-way-mirror"}, "layout", "PLT-017", "state layout three-way-mirror"),
        ({"nodes": 2, "layout": "three-way-mirror"}, "layout", "PLT-015", "state layout two-way-mirror"),
        ({"nodes": 2, "model": {"memory_gb": 16.0}}, "node_model", "PLT-006", "correct the row of 'std'"),
        ({"nodes": 9}, "nodes", "PLT-001", "correct nodes, or min_nodes and max_nodes of 'std'"),
        ({"nodes": 4, "layout": "rack-aware-four-way-mirror"}, "layout", "PLT-026", "state layout three-way-mirror"),
    ],
)
def test_refused_clusters_are_problems_with_place_and_remedy(
    fleet: dict[str, Any], column: str, rule: str, remedy: str
) -> None:
    inventory = a_fleet(**fleet)
    with pytest.raises(ArchetypeError):
        standing_archetype(inventory, PACK, inventory.clusters[0])
    problem = next(problem for problem in standing_problems(inventory, PACK) if rule in problem.message)
    assert (problem.code, problem.place) == ("INV058", f"clusters: 'old' column {column}")
    assert remedy in problem.remedy
    assert "keep to no" in problem.remedy
    assert archetype_today(inventory, PACK, "old") is None


def test_a_refused_cluster_that_may_be_retired_is_no_problem() -> None:
    assert list(standing_problems(a_fleet(nodes=3, layout="two-way-mirror", keep=False), PACK)) == []


def test_an_unknown_layout_is_a_problem_in_any_case() -> None:
    (problem,) = standing_problems(a_fleet(nodes=3, layout="raid-6", keep=False), PACK)
    assert (problem.code, problem.place) == ("INV055", "clusters: 'old' column layout")


def test_a_rack_aware_cluster_needs_its_cloud_witness() -> None:
    spread = {"nodes": 4, "layout": "rack-aware-four-way-mirror", "site": {"zones": 2, "internet": True}}
    assert list(standing_problems(a_fleet(**spread, witness="cloud"), PACK)) == []
    (problem,) = standing_problems(a_fleet(**spread, witness="none"), PACK)
    assert problem.place == "clusters: 'old' column witness"
