"""One small fleet that touches every rule, with a decision that keeps them all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleet.inventory.inventory import DemandKey, Inventory
from fleet.inventory.tables.growth import GrowthPoint
from fleet.plan.assemble import assemble
from fleet.plan.costs import cost_rows, totals
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import Plan, ResultRow
from fleet.rulepack import load_rulepack
from tests.builders import (
    a_link,
    a_node_model,
    a_pin,
    a_protected_workload,
    a_site,
    a_workload,
    an_existing_cluster,
    an_inventory,
)

TWO_WAY = dict.fromkeys(("hot", "warm", "archive"), "two-way-mirror")
THREE_WAY = dict.fromkeys(("hot", "warm", "archive"), "three-way-mirror")
PACK = load_rulepack("azure-local")


def a_cluster(cluster: str, nodes: tuple[int, ...], **fields: Any) -> ClusterDecision:
    """A cluster named SITE-c1 of standard nodes, mirrored as its node count suggests."""
    layouts = tuple({} if count == 0 else TWO_WAY if count == 2 else THREE_WAY for count in nodes)
    values = {"site": cluster.rpartition("-")[0], "node_model": "std", "layouts": layouts, **fields}
    return ClusterDecision(cluster=cluster, nodes=nodes, **values)


def a_result(objective: float, **fields: Any) -> ResultRow:
    """A proven result of that objective."""
    values: dict[str, Any] = {
        "status": "optimal",
        "bound": objective,
        "bound_source": "test",
        "gap": 0.0,
        "stopped_by": "proof",
        "seconds": None,
        "seed": 0,
        "strategy": "exact",
    }
    return ResultRow(objective=objective, **{**values, **fields})


def a_plan(inventory: Inventory, decisions: Decisions) -> Plan:
    """The plan of a decision, called optimal."""
    standing = tuple(cluster for cluster in decisions.clusters if any(cluster.nodes))
    costs = cost_rows(inventory, load_rulepack(inventory.policy.rule_pack), replace(decisions, clusters=standing))
    present_value = totals(inventory, costs).present_value
    return assemble(inventory, decisions, a_result(present_value))


def key(workload: str, site: str) -> DemandKey:
    """A demand."""
    return DemandKey(workload, site)


def the_inventory(**changes: Any) -> Inventory:
    """Three hubs in a ring, two stores, an existing cluster, two periods.

    ``till`` is protected and shares a label with ``back``; ``ledger`` is local to hub a
    and must stay in its country; ``vision`` needs a GPU.
    """
    tables: dict[str, Any] = {
        "sites": [
            a_site("a", can_host=True, latitude=40.0, longitude=-75.0, country="US", region="PA", opening_cost=5000.0),
            a_site("b", can_host=True, latitude=41.0, longitude=-80.7, country="US", region="OH", monthly_cost=100.0),
            a_site("c", can_host=True, latitude=43.0, longitude=-79.0, country="CA", region="ON", max_nodes=8),
            a_site("s1", kind="store", latitude=40.1, longitude=-75.5, country="US", region="PA"),
            a_site("s2", kind="store", latitude=40.9, longitude=-80.5, country="US", region="OH"),
        ],
        "workloads": [
            a_protected_workload("till", kind="store", max_rtt_ms=20.0, affinity="shop", traffic_mbps=4.0, growth="up"),
            a_workload("back", kind="store", affinity="shop", traffic_mbps=2.0),
            a_protected_workload("ledger", "a", placement="local", residency="country", fault_tolerance=1),
            a_workload("vision", "s2", gpus=1.0, gpu_model="L4", traffic_mbps=20.0, from_month=6),
        ],
        "links": [
            a_link("s1", "a", monthly_cost=50.0),
            a_link("s1", "b"),
            a_link("s2", "a"),
            a_link("s2", "b"),
            a_link("a", "b", bandwidth_mbps=200.0, upgrade_mbps=400.0, upgrade_monthly_cost=30.0),
            a_link("a", "c"),
            a_link("b", "c"),
        ],
        "hardware": [a_node_model(), a_node_model("gpu", gpu_model="L4", gpus=2, price=30000.0, rack_units=3.0)],
        "growth": [GrowthPoint(profile="up", annual_rate=0.2)],
        "clusters": [an_existing_cluster("old", "b")],
        "pins": [a_pin("link_upgrade", link="a-b", period=1, value="yes")],
        "horizon_months": 12,
        "discount_rate": 0.08,
        "budget": 300000.0,
    }
    return an_inventory(**{**tables, **changes})


def the_decisions(**changes: Any) -> Decisions:
    """What keeps every rule in `the_inventory`: stores on hub a, standbys on the existing cluster, GPUs at hub c."""
    stores = ("s1", "s2")
    values: dict[str, Any] = {
        "clusters": (
            a_cluster("a-c1", (2, 3)),
            ClusterDecision("old", "b", "std", (2, 2), (TWO_WAY, TWO_WAY), existing=True, origin="existing"),
            a_cluster("c-c1", (0, 2), node_model="gpu"),
        ),
        "primary": {
            **{key(workload, site): "a-c1" for workload in ("till", "back") for site in stores},
            key("ledger", "a"): "a-c1",
            key("vision", "s2"): "c-c1",
        },
        "standby": {**{key("till", site): "old" for site in stores}, key("ledger", "a"): "old"},
        "upgrades": {"a-b": 1},
    }
    return Decisions(**{**values, **changes})


def the_plan(**changes: Any) -> Plan:
    """The plan of `the_decisions`, or of a changed inventory."""
    return a_plan(the_inventory(**changes), the_decisions())


def rules_of(plan: Plan, severity: str = "error") -> set[str]:
    """Ids of the rules that a plan breaks."""
    return {found.rule for found in plan.document.findings if found.severity == severity}
