"""Machines of a plan and their hosts: own ones, those that a failure sends, and what a lost node leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleet.failures.sweep import lose
from fleet.inventory.inventory import Inventory
from fleet.plan.context import build_context
from fleet.plan.decisions import Decisions
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import Finding
from fleet.plan.states import violations
from fleet.plan.violations import HostViolation
from tests.builders import a_link, a_node_model, a_protected_workload, a_site, a_workload, an_inventory
from tests.plan.judged_fleet import PACK, THREE_WAY, a_cluster, a_plan, key


def a_fleet(count: int, *, kept: int = 1, **policy: Any) -> tuple[Inventory, Decisions]:
    """Two clusters of three nodes: `kept` large machines run on b, `count` of a start again there."""
    inventory = an_inventory(
        [a_site("a", can_host=True), a_site("b", can_host=True)],
        [
            a_protected_workload("away", "a", count=count, memory_gb=240.0),
            a_workload("home", "b", count=kept, memory_gb=240.0),
        ],
        [a_link("a", "b")],
        max_utilization=1.0,
        **policy,
    )
    decisions = Decisions(
        (a_cluster("a-c1", (3,)), a_cluster("b-c1", (3,))),
        {key("away", "a"): "a-c1", key("home", "b"): "b-c1"},
        {key("away", "a"): "b-c1"},
    )
    return inventory, decisions


def found(inventory: Inventory, decisions: Decisions, rule: str = "CAP-006") -> list[Finding]:
    return [row for row in a_plan(inventory, decisions).document.findings if row.rule == rule]


def test_what_a_failure_sends_finds_nodes_beside_what_is_there() -> None:
    assert found(*a_fleet(1)) == []
    (crowd,) = found(*a_fleet(2))
    assert (crowd.subject, crowd.severity, crowd.actual) == ("b-c1", "error", 3)
    assert "3 virtual machines do not fit on 2 nodes of 115.2 vCPU, 471 GiB, one node each" in crowd.message
    assert "with what the loss of 'a' sends" in crowd.message


def test_failovers_use_the_nodes_kept_free_where_the_policy_says_so() -> None:
    assert found(*a_fleet(2, standby_uses_node_reserve=True)) == []
    (crowd,) = found(*a_fleet(2, kept=2, standby_uses_node_reserve=True))
    assert "4 virtual machines do not fit on 3 nodes" in crowd.message


def test_own_machines_do_not_use_the_nodes_kept_free() -> None:
    (crowd,) = found(*a_fleet(1, kept=3, standby_uses_node_reserve=True))
    assert "3 virtual machines do not fit on 2 nodes" in crowd.message
    assert "the loss of" not in crowd.message


@pytest.mark.parametrize(("reserve", "crowds"), [("shared", 0), ("dedicated", 1)])
def test_dedicated_reserves_hold_what_stands_by_for_all_domains(reserve: str, crowds: int) -> None:
    inventory = an_inventory(
        [a_site(name, can_host=True) for name in ("a", "b", "c")],
        [a_protected_workload(f"from-{name}", name, memory_gb=240.0) for name in ("a", "b")]
        + [a_workload("home", "c", memory_gb=240.0)],
        [a_link("a", "c"), a_link("b", "c"), a_link("a", "b")],
        max_utilization=1.0,
        standby_reserve=reserve,
    )
    names = ("a", "b")
    decisions = Decisions(
        tuple(a_cluster(f"{name}-c1", (3,)) for name in ("a", "b", "c")),
        {**{key(f"from-{name}", name): f"{name}-c1" for name in names}, key("home", "c"): "c-c1"},
        {key(f"from-{name}", name): "c-c1" for name in names},
    )
    assert len(found(inventory, decisions)) == crowds


def test_what_a_network_sends_from_several_places_is_looked_at_together() -> None:
    tills = ("left", "right")
    inventory = an_inventory(
        [*(a_site(hub, can_host=True, transit="no") for hub in (*tills, "rear")),
         a_site("s"), a_site("net", kind="network")],
        [*(a_protected_workload(name, "s", memory_gb=240.0, max_rtt_ms=12.0) for name in tills),
         a_workload("home", "rear", memory_gb=240.0)],
        [a_link("s", "net"), *(a_link(hub, "net") for hub in tills), *(a_link(hub, "rear") for hub in tills),
         a_link("s", "rear")],
        max_utilization=1.0,
    )  # fmt: skip
    decisions = Decisions(
        tuple(a_cluster(f"{hub}-c1", (3,)) for hub in (*tills, "rear")),
        {**{key(name, "s"): f"{name}-c1" for name in tills}, key("home", "rear"): "rear-c1"},
        {key(name, "s"): "rear-c1" for name in tills},
    )
    context = build_context(inventory, PACK, decisions)
    crowds = [item for item in violations(NormalState(context)) if isinstance(item, HostViolation)]
    assert {(item.cluster, item.state.kind, item.crowd.domain) for item in crowds} == {("rear-c1", "network", "")} | {
        (item.cluster, item.state.kind, "") for item in crowds if item.state.kind == "link"
    }
    assert found(inventory, decisions)


def test_sums_over_their_limit_are_left_to_their_own_rule() -> None:
    inventory, decisions = a_fleet(1, kept=5)
    assert found(inventory, decisions) == []
    assert found(inventory, decisions, "CAP-001")


def test_a_lost_node_leaves_machines_without_hosts() -> None:
    """Nothing is kept free: the sums would do on two nodes of three GPUs, three pairs would not."""
    inventory = an_inventory(
        [a_site("a", can_host=True, latitude=40.0, longitude=-75.0)],
        [a_workload("train", "a", count=3, gpus=2.0)],
        hardware=[a_node_model("std", gpu_model="L4", gpus=3)],
        reserve_nodes=0,
    )
    decisions = Decisions((a_cluster("a-c1", (3,)),), {key("train", "a"): "a-c1"}, {})
    plan = a_plan(inventory, decisions)
    assert plan.errors == ()
    row = lose(plan, "node:a-c1")
    assert any("3 virtual machines do not fit on 2 nodes" in text for text in row.overloaded)
    assert any("do not fit on 2 nodes" in item.message for item in plan.document.findings if item.rule == "DR-008")
    four = replace(decisions, clusters=(a_cluster("a-c1", (4,), layouts=(THREE_WAY,)),))
    assert lose(a_plan(inventory, four), "node:a-c1").overloaded == ()
