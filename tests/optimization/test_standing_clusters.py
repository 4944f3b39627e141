"""What a solve makes of clusters that stand: their places, their layouts, and the pins that leave no way out."""

from __future__ import annotations

import dataclasses

import pytest

import fleet
from fleet.errors import InventoryError
from fleet.inventory.scenario import Change, Scenario
from fleet.plan.plan import Plan
from fleet.platform.standing import standing_archetype
from fleet.rulepack import load_rulepack
from solvers import SolveConfig, SolveResult, solve
from tests.builders import a_link, a_node_model, a_pin, a_site, a_workload, an_existing_cluster, an_inventory
from tests.optimization.tiny_fleets import FAMILIES
from tests.oracles import cheapest_plan

EXACT = SolveConfig(gap=0.0, time_limit_s=60.0)


def solved(**tables: object) -> SolveResult:
    """Hub h with a standing cluster of four nodes, users at s."""
    values: dict[str, object] = {
        "sites": [
            a_site("h", latitude=40.0, longitude=-80.0),
            a_site("s", kind="store", latitude=40.5, longitude=-80.5),
        ],
        "links": [a_link("h", "s")],
        "workloads": [a_workload("w", "s")],
        "hardware": [a_node_model(max_nodes=8), a_node_model("gpu", gpu_model="L4", gpus=2, price=30000.0)],
        "clusters": [an_existing_cluster("old", "h", nodes=4)],
    }
    return solve(an_inventory(**{**values, **tables}), config=EXACT)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [0, 4, 6])
def test_a_second_place_is_worth_something(seed: int) -> None:
    inventory = FAMILIES["second_places"](seed)
    sites = tuple(
        site.model_copy(update={"can_host": False}) if site.site == "h0" else site for site in inventory.sites
    )
    open_, closed = cheapest_plan(inventory), cheapest_plan(dataclasses.replace(inventory, sites=sites))
    assert open_ is not None
    assert "h0-c1" in {cluster.cluster for cluster in open_.decisions.clusters}
    assert closed is None or closed.present_value > open_.present_value * (1.0 + 1e-5)


@pytest.mark.parametrize("seed", [0, 11])
def test_retiring_is_worth_something(seed: int) -> None:
    inventory = FAMILIES["replacing"](seed)
    kept = tuple(row.model_copy(update={"keep": True}) for row in inventory.clusters)
    free, tied = cheapest_plan(inventory), cheapest_plan(dataclasses.replace(inventory, clusters=kept))
    assert free is not None
    assert free.decisions.retired
    assert tied is None or tied.present_value > free.present_value * (1.0 + 1e-5)


@pytest.mark.parametrize("seed", [8, 34, 37])
def test_another_layout_is_worth_something(seed: int) -> None:
    inventory = FAMILIES["relayouts"](seed)
    (row,) = inventory.clusters
    optimum = cheapest_plan(inventory)
    assert optimum is not None
    (old,) = [cluster for cluster in optimum.decisions.clusters if cluster.existing]
    today = standing_archetype(inventory, load_rulepack(inventory.policy.rule_pack), row)
    assert any(
        nodes == row.nodes and layout != today.layout for nodes, layout in zip(old.nodes, old.layouts, strict=True)
    )


def test_a_layout_stays_where_it_does() -> None:
    """Plans of equal cost: nobody converts volumes for nothing."""
    plan = solved(workloads=[a_workload("w", "s", tier="archive")]).require_plan()
    (row,) = plan.document.cluster_periods[:1]
    assert set(row.layout.values()) == {"three-way-mirror"}


def test_more_clusters_than_places_are_fine_if_enough_may_go() -> None:
    old = [an_existing_cluster(name, "h", nodes=2, keep=False) for name in ("old-1", "old-2")]
    plan = solved(clusters=old).require_plan()
    assert plan.errors == ()
    assert len(plan.document.clusters) == 1


def test_the_number_of_places_is_named_where_it_is_too_small() -> None:
    models = [a_node_model(name, gpu_model=name, gpus=2, max_nodes=8) for name in ("L4", "T4")]
    result = solved(
        workloads=[a_workload(name, "s", gpus=1, gpu_model=name) for name in ("L4", "T4")],
        hardware=[a_node_model(), *models],
        clusters=[an_existing_cluster("old", "h", nodes=4, node_model="L4", keep=False)],
    )
    assert result.status == "infeasible"
    assert any("max_clusters of site 'h' is 1; 2 would do" in line for line in result.explanation)


def test_a_scenario_that_makes_a_standing_cluster_impossible_is_an_input_error() -> None:
    inventory = an_inventory(
        [a_site("h", latitude=40.0, longitude=-80.0)],
        [a_workload("w", "h")],
        clusters=[an_existing_cluster("old", "h", nodes=4)],
    )
    change = Change(scenario="x", table="clusters", row="old", column="layout", action="set", value="two-way-mirror")
    with pytest.raises(InventoryError, match="INV058 clusters: 'old' column layout"):
        solve(inventory, Scenario("x", (change,)), config=EXACT)


def hubs_and_users(**tables: object) -> SolveResult:
    """Two hubs, of which the far one has room for few nodes."""
    values: dict[str, object] = {
        "sites": [a_site("near", can_host=True), a_site("far", can_host=True, max_nodes=2), a_site("s", kind="store")],
        "links": [a_link("near", "s", bandwidth_mbps=1000.0), a_link("far", "s", bandwidth_mbps=1000.0)],
        "workloads": [a_workload("w", "s", count=30, vcpus=16.0), a_workload("x", "s")],
    }
    return solve(an_inventory(**{**values, **tables}), config=EXACT)  # type: ignore[arg-type]


def test_a_pin_to_a_site_that_is_too_small_is_named() -> None:
    assert hubs_and_users().status == "optimal"
    pins = [a_pin("assign", workload="x", value="near"), a_pin("assign", workload="w", value="far", owner="Ana")]
    result = hubs_and_users(pins=pins)
    assert result.status == "infeasible"
    assert any(
        "PIN-001: pin assign w far (Ana) contradicts the rest – take it back" in line for line in result.explanation
    )


def test_no_pin_is_blamed_for_what_others_cause() -> None:
    pins = [a_pin("assign", workload="x", value="near")]
    result = hubs_and_users(pins=pins, budget=10.0)
    assert result.status == "infeasible"
    assert not any("pin" in line for line in result.explanation)


def test_pins_that_leave_no_place_together_are_named() -> None:
    pins = [a_pin("forbid", workload="w", value="near"), a_pin("forbid", workload="w", value="far")]
    result = hubs_and_users(pins=pins)
    assert result.status == "infeasible"
    (line,) = result.explanation
    assert line.startswith("w at s: pin forbid w ")
    assert line.endswith("take it back")


@pytest.mark.parametrize(("tolerance", "nodes"), [(0, 2), (1, 3), (2, 5)])
def test_a_pair_without_a_witness_grows_for_those_who_ask(tolerance: int, nodes: int) -> None:
    old = an_existing_cluster("old", "h", nodes=2, witness="none")
    plan = solved(clusters=[old], workloads=[a_workload("w", "s", fault_tolerance=tolerance)]).require_plan()
    assert plan.errors == ()
    assert {row.nodes for row in plan.document.cluster_periods} == {nodes}
    warnings = [found.message for found in plan.document.findings if found.rule == "PLT-023"]
    assert warnings == (
        ["2 nodes stand without a witness and survive no node failure; the rules require one"] if nodes == 2 else []
    )


def test_a_plan_says_the_witness_that_is_stated() -> None:
    old = an_existing_cluster("old", "h", nodes=2, witness="none")
    plan = solved(clusters=[old], workloads=[a_workload("w", "s", fault_tolerance=0)]).require_plan()
    (row,) = plan.document.clusters
    assert row.witness == "none"
    other = Plan(plan.document.model_copy(update={"clusters": (row.model_copy(update={"witness": "cloud"}),)}))
    found = [finding.message for finding in fleet.audit(other) if finding.rule == "PLT-023"]
    assert "stands with witness 'none', the plan says 'cloud'" in found


@pytest.mark.parametrize("stated", [(True, None), (None, True), (True, True)], ids=str)
def test_clusters_that_are_wired_otherwise_grow_otherwise(stated: tuple[bool | None, bool | None]) -> None:
    """Behind a switch a cluster may grow; cabled directly, as the policy says, it keeps its nodes."""
    sites = [a_site(name, can_host=False, latitude=40.0, longitude=-90.0) for name in ("a", "b")]
    clusters = [
        an_existing_cluster(f"old-{site.site}", site.site, nodes=2, storage_switch=value)
        for site, value in zip(sites, stated, strict=True)
    ]
    heavy = [
        a_workload(f"v-{site.site}", site.site, count=8, vcpus=25.0, placement="local")
        for site, value in zip(sites, stated, strict=True)
        if value
    ]
    inventory = an_inventory(
        sites, heavy, [a_link("a", "b")], hardware=[a_node_model(nic_ports=4)], clusters=clusters, storage_switch=False
    )
    for mode in (inventory, dataclasses.replace(inventory, clusters=tuple(reversed(inventory.clusters)))):
        result = solve(mode, config=SolveConfig(gap=0.0, time_limit_s=30.0))
        assert result.status == "optimal"
        assert result.require_plan().errors == ()
