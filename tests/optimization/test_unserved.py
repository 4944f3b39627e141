"""Policy allow_unserved: what cannot run is left out with its reason, the fewest of it; the rest gets its plan."""

from __future__ import annotations

import dataclasses
import itertools
import re

import pytest

from fleet.inventory.inventory import DemandKey, Inventory
from solvers import SolveConfig, SolveResult, solve
from solvers.strategies.unserved import served_part
from tests.builders import a_link, a_pin, a_protected_workload, a_site, a_workload, an_inventory
from tests.optimization.fixed_fleets import behind_a_hub

EXACT = SolveConfig(gap=0.0, time_limit_s=60.0)


def a_fleet(*workloads: object, **policy: object) -> Inventory:
    """Users at s, two candidates of at most two nodes."""
    return an_inventory(
        [a_site("h0", can_host=True, max_nodes=2), a_site("h1", can_host=True, max_nodes=2), a_site("s")],
        list(workloads),
        [a_link("s", "h0", rtt_ms=4.0), a_link("s", "h1", rtt_ms=4.0), a_link("h0", "h1")],
        **policy,
    )


def left_out(result: SolveResult) -> dict[str, str]:
    """The workloads that the plan leaves out, with the reasons; the plan holds, and says so of its bound."""
    plan = result.require_plan()
    assert plan.errors == ()
    rows = plan.document.unserved
    assert {(row.workload, row.site) for row in rows}.isdisjoint(
        (row.workload, row.site) for row in plan.document.assignments
    )
    if rows:
        assert re.search(rf"{len(rows)} demands? left out as listed$", plan.document.result.bound_source)
        assert result.bound_source == plan.document.result.bound_source
    return {row.workload: row.reason for row in rows}


def allowing(inventory: Inventory) -> Inventory:
    """The same with demands left out where there is no other way."""
    policy = inventory.policy.model_copy(update={"allow_unserved": True})
    return dataclasses.replace(inventory, policy=policy)


def test_nothing_is_left_out_where_everything_fits() -> None:
    result = solve(a_fleet(a_workload("w", "s"), allow_unserved=True), config=EXACT)
    assert left_out(result) == {}
    assert "left out" not in result.bound_source


def test_what_no_site_may_run_is_left_out_with_the_reason() -> None:
    near, far = a_workload("near", "s"), a_workload("far", "s", max_rtt_ms=1.0)
    result = solve(a_fleet(near, far, allow_unserved=True), config=EXACT)
    reasons = left_out(result)
    assert list(reasons) == ["far"]
    assert "max_rtt_ms is 1 ms" in reasons["far"]
    assert result.status == "optimal"
    assert result.objective == pytest.approx(solve(a_fleet(near), config=EXACT).objective)


def test_one_site_of_a_workload_of_a_kind_is_left_out() -> None:
    inventory = an_inventory(
        [a_site("h0", can_host=True), a_site("s0", kind="store"), a_site("s1", kind="store")],
        [a_workload("till", kind="store", max_rtt_ms=6.0)],
        [a_link("s0", "h0", rtt_ms=4.0), a_link("s1", "h0", rtt_ms=8.0)],
        allow_unserved=True,
    )
    plan = solve(inventory, config=EXACT).require_plan()
    assert plan.errors == ()
    assert [(row.workload, row.site) for row in plan.document.unserved] == [("till", "s1")]
    assert [(row.workload, row.site) for row in plan.document.assignments] == [("till", "s0")]


def test_users_that_a_circuit_cannot_carry_are_left_out() -> None:
    inventory = an_inventory(
        [a_site("h0", can_host=True), a_site("s")],
        [a_workload(f"w{number}", "s", traffic_mbps=10.0 + number) for number in range(4)],
        [a_link("s", "h0", bandwidth_mbps=50.0)],
        allow_unserved=True,
    )
    reasons = left_out(solve(inventory, config=EXACT))
    assert list(reasons) == ["w3"]
    assert "'s-h0'" in reasons["w3"]


def test_the_fewest_are_left_out_where_room_is_short() -> None:
    sizes = {"large": 80.0, "m0": 40.0, "m1": 40.0, "m2": 40.0}
    workloads = [a_workload(name, "s", vcpus=vcpus / 2, count=2) for name, vcpus in sizes.items()]
    room = {"vcpu_per_core": 2.0, "allow_unserved": True}
    reasons = left_out(solve(a_fleet(*workloads, **room), config=EXACT))
    assert "large" in reasons
    assert "no fewer would do" in reasons["large"]
    assert len(reasons) == fewest_by_trying(workloads, room)


def fewest_by_trying(workloads: list[object], policy: dict[str, object]) -> int:
    """The smallest number of workloads without which the others have a plan."""
    strict = {**policy, "allow_unserved": False}
    for count in range(len(workloads) + 1):
        for gone in itertools.combinations(range(len(workloads)), count):
            rest = [row for number, row in enumerate(workloads) if number not in gone]
            if solve(a_fleet(*rest, **strict), config=EXACT).status == "optimal":
                return count
    raise LookupError("no plan at all")


def test_a_failure_that_no_link_can_carry_leaves_one_out() -> None:
    reasons = left_out(solve(allowing(behind_a_hub(60.0)), config=EXACT))
    assert len(reasons) == 1


def test_a_budget_leaves_out_what_is_too_dear() -> None:
    workloads = [a_workload("plain", "s"), a_protected_workload("protected", "s")]
    result = solve(a_fleet(*workloads, budget=40000.0, allow_unserved=True), config=EXACT)
    assert list(left_out(result)) == ["protected"]


def test_pins_that_contradict_stay_infeasible() -> None:
    pins = [a_pin("open", site="h0"), a_pin("close", site="h0")]
    result = solve(a_fleet(a_workload("w", "s"), pins=pins, allow_unserved=True), config=EXACT)
    assert result.status == "infeasible"
    assert result.plan is None
    assert any("pin" in line for line in result.explanation)


def test_without_the_policy_nothing_is_left_out() -> None:
    result = solve(a_fleet(a_workload("near", "s"), a_workload("far", "s", max_rtt_ms=1.0)), config=EXACT)
    assert (result.status, result.stopped_by, result.plan) == ("infeasible", "screen", None)


def test_deterministic_mode_leaves_out_the_same() -> None:
    workloads = [a_workload(f"w{number}", "s", vcpus=60.0) for number in range(6)]
    config = SolveConfig(time_limit_s=20.0, deterministic=True)
    inventory = a_fleet(*workloads, vcpu_per_core=2.0, allow_unserved=True)
    first = left_out(solve(inventory, config=config))
    assert first
    assert left_out(solve(inventory, config=config)) == first


def test_served_part_keeps_everything_else() -> None:
    inventory = an_inventory(
        [a_site("h0", can_host=True), a_site("s0", kind="store"), a_site("s1", kind="store")],
        [a_workload("till", kind="store"), a_workload("mail", "h0")],
        [a_link("s0", "h0"), a_link("s1", "h0")],
    )
    rest = served_part(inventory, {DemandKey("till", "s1")})
    assert [demand.key for demand in rest.demands] == [("mail", "h0"), ("till", "s0")]
    assert rest.sites == inventory.sites
    assert served_part(inventory, {}) is inventory


def test_a_demand_beyond_the_horizon_needs_nothing() -> None:
    later = a_protected_workload("later", "s", from_month=24, max_rtt_ms=1.0)
    result = solve(a_fleet(a_workload("w", "s"), later), config=EXACT)
    plan = result.require_plan()
    assert plan.errors == ()
    assert [row.workload for row in plan.document.assignments] == ["w"]
    assert plan.document.unserved == ()
