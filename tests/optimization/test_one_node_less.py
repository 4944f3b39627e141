"""N+1: every plan carries on with any one node of any cluster gone, judged again in the degraded state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import fleet
import solvers
from fleet.exchange.examples import example_folder
from fleet.failures.elements import elements
from fleet.failures.sweep import context_of, lose, normal_of
from fleet.inventory.inventory import Inventory
from fleet.inventory.scenario import apply_scenario, read_scenarios
from fleet.plan.context import PlanContext
from fleet.plan.placement import exceeds
from fleet.plan.plan import Plan
from fleet.platform.capacity import cluster_capacity
from fleet.platform.resiliency import default_layout
from fleet.quantities import COMPUTE_RESOURCES
from solvers.config import SolveConfig
from tests.optimization.tiny_fleets import FAMILIES


def planned(inventory: Inventory) -> Plan | None:
    return solvers.solve(inventory, config=SolveConfig(time_limit_s=20.0, workers=1)).plan


def degraded_overloads(context: PlanContext) -> list[str]:
    """Compute that does not fit on the nodes that are left of a cluster, none of them kept free any more."""
    policy = context.inventory.policy.model_copy(update={"reserve_nodes": 0})
    found = []
    for index, cluster in enumerate(context.clusters):
        model = context.inventory.node_model_by_name[cluster.decision.node_model]
        for period, archetype in enumerate(cluster.archetypes):
            if archetype is None or archetype.nodes == 1:
                continue
            assert archetype.node_tolerance >= 1
            left_nodes = archetype.nodes - 1
            layout = default_layout(left_nodes, context.pack)
            left = cluster_capacity(model, left_nodes, layout, policy, context.pack).usable
            for resource, load in zip(COMPUTE_RESOURCES, context.own_compute[index, :, period], strict=True):
                if exceeds(float(load), float(getattr(left, resource))):
                    found.append(f"{cluster.name} {resource} in period {period}: {load} over {left}")
    return found


def node_losses(plan: Plan) -> int:
    """How many kinds of node losses there are; every cluster of several survives each without a broken promise."""
    normal = normal_of(plan)
    context = normal.context
    sizes = {cluster.name: max(cluster.decision.nodes) for cluster in context.clusters}
    checked = 0
    for element in elements(normal):
        if element.kind == "node" and sizes[element.name] > 1:
            row = lose(plan, element.id, context)
            checked += 1
            if (
                min(count for count in context.clusters[context.cluster_index[element.name]].decision.nodes if count)
                > 1
            ):
                assert row.down == row.lost == row.overloaded == row.broken_promises == (), row
    return checked


@pytest.mark.parametrize("pack", ["azure-local", "deep-dive"])
@pytest.mark.parametrize("name", ["manufacturing", "bank", "research"])
def test_the_examples_carry_on_with_one_node_less(name: str, pack: str) -> None:
    folder = example_folder(name)
    inventory = fleet.read(folder)
    if pack == "deep-dive":
        inventory = apply_scenario(inventory, read_scenarios(folder)[pack])
    plan = planned(inventory)
    assert plan is not None
    assert inventory.policy.reserve_nodes == 1
    assert degraded_overloads(context_of(plan)) == []
    assert node_losses(plan) >= 1


@pytest.mark.parametrize("family", ["plain", "reserves", "growing", "gpus", "kinds", "machines", "two_clusters"])
def test_random_fleets_carry_on_with_one_node_less(family: str) -> None:
    checked = 0
    for seed in range(4):
        inventory = FAMILIES[family](seed)
        policy = inventory.policy.model_copy(update={"reserve_nodes": 1})
        plan = planned(replace(inventory, policy=policy))
        if plan is not None:
            context = context_of(plan)
            assert degraded_overloads(context) == []
            checked += sum(max(cluster.decision.nodes) > 1 for cluster in context.clusters)
    assert checked >= 1


def test_without_nodes_kept_free_the_check_fails() -> None:
    """The same check names the cluster where nothing is kept free: it is not blind."""
    inventory = fleet.read(Path(example_folder("manufacturing")))
    plan = planned(replace(inventory, policy=inventory.policy.model_copy(update={"reserve_nodes": 0})))
    assert plan is not None
    assert any("memory_gb" in text for text in degraded_overloads(context_of(plan)))
