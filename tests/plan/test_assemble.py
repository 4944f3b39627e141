"""Everything in a plan that follows from its decisions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleet.exchange.plan_json import read_plan, write_plan
from fleet.inventory.checks.inventory import checked_inventory
from fleet.plan.assemble import assemble
from fleet.plan.audit import audit
from fleet.plan.decisions import Decisions, decisions_of
from fleet.plan.plan import ActionRow, Plan
from tests.builders import a_pin, a_site, a_workload, an_existing_cluster, an_inventory
from tests.plan.judged_fleet import a_cluster, a_plan, a_result, key, rules_of, the_decisions, the_inventory, the_plan


def actions(plan: Plan, action: str) -> list[ActionRow]:
    return [row for row in plan.document.actions if row.action == action]


def test_plan_is_self_contained(tmp_path: Path) -> None:
    plan = the_plan()
    path = tmp_path / "plan.json"
    write_plan(plan, path)
    again = read_plan(path)
    assert again.document.model_copy(update={"created": None}) == plan.document
    assert audit(again) == plan.document.findings
    tables = again.document.inventory.tables
    assert checked_inventory("test", tables).sha256 == plan.document.inventory.sha256


def test_decisions_survive_the_plan() -> None:
    inventory, decisions = the_inventory(), the_decisions()
    found = decisions_of(a_plan(inventory, decisions).document, inventory)
    assert found == replace(decisions, clusters=tuple(sorted(decisions.clusters, key=lambda row: row.cluster)))


def test_order_of_rows_changes_nothing() -> None:
    inventory, decisions = the_inventory(), the_decisions()
    shuffled = Decisions(
        clusters=decisions.clusters[::-1],
        primary=dict(reversed(decisions.primary.items())),
        standby=dict(reversed(decisions.standby.items())),
        upgrades=decisions.upgrades,
    )
    assert a_plan(inventory, shuffled) == a_plan(inventory, decisions)


def test_actions_carry_the_capex() -> None:
    plan = the_plan()
    assert sum(row.cost for row in plan.document.actions) == plan.totals.capex == 125000.0
    opened = {row.cluster: (row.period, row.cost) for row in actions(plan, "open")}
    assert opened == {"a-c1": (0, 45000.0), "c-c1": (1, 60000.0)}
    (grown,) = actions(plan, "add_nodes")
    assert (grown.period, grown.cluster, grown.cost) == (1, "a-c1", 20000.0)
    assert grown.detail.startswith("1 more; 3 × std; three-way-mirror")
    (upgrade,) = actions(plan, "upgrade_link")
    assert (upgrade.period, upgrade.link, upgrade.detail) == (1, "a-b", "to 400 Mbit/s")
    (seed,) = actions(plan, "seed")
    assert (seed.cluster, seed.detail) == ("old", "3 copies from a-c1, 0.32 TB")


def test_retired_cluster_is_closed_and_paid() -> None:
    inventory = an_inventory(
        [a_site("a", can_host=True), a_site("b")],
        [a_workload("w", "a")],
        clusters=[an_existing_cluster("old", "b", keep=False, cost_to_retire=750.0)],
    )
    plan = a_plan(inventory, Decisions((a_cluster("a-c1", (2,)),), {key("w", "a"): "a-c1"}, {}, retired=("old",)))
    assert rules_of(plan) == set()
    (closed,) = actions(plan, "close")
    assert (closed.cluster, closed.site, closed.cost) == ("old", "b", 750.0)
    assert plan.totals.capex == 40000.0 + 750.0


def test_opening_cost_goes_to_the_first_cluster_of_its_period() -> None:
    inventory = an_inventory(
        [a_site("a", can_host=True, opening_cost=900.0, max_clusters=2)], horizon_months=12, period_months=6
    )
    plan = a_plan(inventory, Decisions((a_cluster("a-c1", (0, 2)), a_cluster("a-c2", (2, 2))), {}, {}))
    assert {row.cluster: row.cost for row in actions(plan, "open")} == {"a-c1": 40000.0, "a-c2": 40900.0}


def test_origins() -> None:
    pins = [
        a_pin("open", site="c", period=1),
        a_pin("assign", workload="back", site="s1", value="a"),
        a_pin("standby", workload="till", site="s1", value="old"),
        a_pin("link_upgrade", link="a-b", period=1),
    ]
    plan = the_plan(pins=pins)
    assert rules_of(plan) == set()
    assert dict(zip(plan.clusters.cluster, plan.clusters.origin, strict=True)) == {
        "a-c1": "chosen",
        "c-c1": "pinned",
        "old": "existing",
    }
    origins = {(row.workload, row.site): row.origin for row in plan.document.assignments}
    assert origins == {
        ("back", "s1"): "pinned",
        ("back", "s2"): "chosen",
        ("ledger", "a"): "given",
        ("till", "s1"): "chosen",
        ("till", "s2"): "chosen",
        ("vision", "s2"): "chosen",
    }
    assert {(row.workload, row.site): row.origin for row in plan.document.standbys} == {
        ("ledger", "a"): "chosen",
        ("till", "s1"): "pinned",
        ("till", "s2"): "chosen",
    }


def test_unserved_demands_are_listed_where_allowed() -> None:
    decisions = the_decisions()
    primary = {demand: cluster for demand, cluster in decisions.primary.items() if demand.workload != "vision"}
    plan = a_plan(
        the_inventory(allow_unserved=True),
        replace(decisions, primary=primary, unserved={key("vision", "s2"): "no GPU"}),
    )
    assert rules_of(plan) == set()
    assert plan.unserved.to_dict("records") == [{"workload": "vision", "site": "s2", "reason": "no GPU"}]


@pytest.mark.parametrize(("internet", "witness"), [(True, "cloud"), (False, "file_share")])
def test_witness_follows_the_rules(internet: bool, witness: str) -> None:
    inventory = an_inventory([a_site("a", can_host=True, internet=internet)])
    plan = a_plan(inventory, Decisions((a_cluster("a-c1", (2,)),), {}, {}))
    assert plan.clusters.witness.tolist() == [witness]
    assert rules_of(plan) == set()


def test_single_node_needs_no_witness_and_says_what_it_lacks() -> None:
    inventory = an_inventory([a_site("a", can_host=True)])
    layout = dict.fromkeys(("hot", "warm", "archive"), "two-way-mirror")
    plan = a_plan(inventory, Decisions((a_cluster("a-c1", (1,), layouts=(layout,)),), {}, {}))
    assert plan.clusters.witness.tolist() == ["none"]
    assert "AVL-001" in rules_of(plan, "info")


def test_existing_cluster_keeps_its_witness() -> None:
    plan = the_plan(clusters=[an_existing_cluster("old", "b", witness="file_share")])
    assert plan.clusters.set_index("cluster").witness["old"] == "file_share"


def test_cluster_without_nodes_is_left_out() -> None:
    inventory, decisions = the_inventory(), the_decisions()
    idle = replace(decisions, clusters=(*decisions.clusters, a_cluster("b-c1", (0, 0))))
    assert a_plan(inventory, idle) == a_plan(inventory, decisions)


def test_scenario_and_time_are_recorded() -> None:
    plan = assemble(the_inventory(), the_decisions(), a_result(1.0), "busy", "2026-01-01T00:00:00Z")
    assert plan.document.scenario.name == "busy"
    assert plan.document.created == "2026-01-01T00:00:00Z"
    assert plan.document.generator.rule_pack == "azure-local"


def test_single_points_of_failure_are_warnings_by_element() -> None:
    inventory = the_inventory()
    links = [link for link in inventory.links if link.link != "s1-b"]
    plan = a_plan(the_inventory(links=links), the_decisions())
    found = [entry for entry in plan.document.findings if entry.rule == "DR-007"]
    assert [(entry.subject, entry.severity, entry.actual) for entry in found] == [("link:s1-a", "warning", 1.0)]
    assert "till at s1" in found[0].message
