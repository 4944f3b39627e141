"""Of plans that cost the same, the one whose copies have a second path; never at the cost of another limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.links import Link
from fleet.plan.decisions import decisions_of
from fleet.plan.plan import Plan
from solvers import SolveConfig, solve
from solvers.local_search.single_points import secured
from solvers.problem.compilation import compile_problem
from solvers.strategies import unserved
from tests.builders import a_link, a_protected_workload, a_site, a_workload, an_inventory

USERS = {"placement": "local"}


def fleet_of(links: list[Link], others: dict[str, dict[str, Any]], **tables: Any) -> Inventory:
    """One workload that runs at hub a and stands by at one of others, which cost the same."""
    sites = [a_site(name, can_host=True, transit="no", **others.get(name, {})) for name in ("a", *others)]
    workloads = tables.pop("workloads", [a_protected_workload("db", "a", **USERS)])
    return an_inventory(sites, workloads, links, **tables)


def lines(*pairs: str) -> list[Link]:
    """A link for each pair of letters."""
    return [a_link(pair[0], pair[1], link=f"{pair}-{number}") for number, pair in enumerate(pairs)]


def solved(inventory: Inventory, monkeypatch: pytest.MonkeyPatch | None = None) -> Plan:
    """The optimal plan; with `monkeypatch` as the engine found it."""
    if monkeypatch is not None:
        monkeypatch.setattr(unserved, "secured", lambda problem, decisions, objective: decisions)
    result = solve(inventory, config=SolveConfig(gap=0.0, time_limit_s=30.0))
    assert result.status == "optimal"
    plan = result.require_plan()
    assert plan.errors == ()
    assert plan.document.totals.present_value == pytest.approx(result.objective, rel=1e-9)
    return plan


def cut_copies(plan: Plan) -> list[str]:
    return [found.subject for found in plan.document.findings if found.rule == "DR-012"]


@pytest.mark.parametrize("far", ["b", "c"])
def test_the_standby_opens_where_two_links_lead(far: str) -> None:
    """Whichever of two equal sites the engine takes, the copies end at the one with two links."""
    near = "b" if far == "c" else "c"
    plan = solved(fleet_of(lines(f"a{near}", f"a{far}", f"a{far}"), {"b": {}, "c": {}}))
    assert [row.standby for row in plan.document.standbys] == [f"{far}-c1"]
    assert cut_copies(plan) == []


@pytest.mark.parametrize("far", ["b", "c"])
def test_the_standby_moves_to_an_open_cluster(far: str) -> None:
    near = "b" if far == "c" else "c"
    local = [a_protected_workload("db", "a", **USERS), *(a_workload("own", site, **USERS) for site in ("b", "c"))]
    plan = solved(fleet_of(lines(f"a{near}", f"a{far}", f"a{far}"), {"b": {}, "c": {}}, workloads=local))
    assert {row.cluster for row in plan.document.clusters} == {"a-c1", "b-c1", "c-c1"}
    assert [row.standby for row in plan.document.standbys] == [f"{far}-c1"]


def test_a_second_path_that_costs_more_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = fleet_of(lines("ab", "ac", "ac"), {"b": {}, "c": {"monthly_cost": 10.0}})
    plan = solved(inventory)
    assert [row.standby for row in plan.document.standbys] == ["b-c1"]
    assert cut_copies(plan) == ["link:ab-0"]
    assert plan.document.totals == solved(inventory, monkeypatch).document.totals


def test_a_move_that_breaks_a_limit_is_not_made() -> None:
    """The links to the site with two paths carry half of the copies each day, and a failure leaves one of them."""
    links = lines("ab", "ac", "ac")
    links[1:] = [row.model_copy(update={"bandwidth_mbps": 0.5}) for row in links[1:]]
    plan = solved(fleet_of(links, {"b": {}, "c": {}}))
    assert [row.standby for row in plan.document.standbys] == ["b-c1"]
    assert cut_copies(plan) == ["link:ab-0"]


def test_a_plan_at_the_single_link_is_led_to_the_other_site() -> None:
    inventory = fleet_of(lines("ab", "ac", "ac"), {"b": {}, "c": {}})
    plan = solved(inventory)
    there = decisions_of(plan.document, inventory)
    clusters = tuple(
        replace(cluster, cluster="b-c1", site="b") if cluster.site == "c" else cluster for cluster in there.clusters
    )
    here = replace(there, clusters=clusters, standby=dict.fromkeys(there.standby, "b-c1"))
    problem, cost = compile_problem(inventory), plan.document.totals.present_value
    assert secured(problem, here, cost).standby == there.standby
    assert secured(problem, there, cost) is there
    assert secured(problem, here, cost * 0.999) is here  # a plan that is known to be cheaper stays
