"""The audit names what is broken, and nothing else; it never raises on a plan that its schema accepts."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pydantic import ValidationError

from fleet.inventory.inventory import Inventory
from fleet.plan.audit import audit
from fleet.plan.decisions import Decisions
from fleet.plan.plan import PLAN_TABLES, Plan
from fleet.plan.rules import RULES
from fleet.tables import Row
from tests.builders import a_link, a_node_model, a_site, a_workload, an_inventory
from tests.plan.broken_plans import BROKEN, Broken, table_with
from tests.plan.judged_fleet import TWO_WAY, a_cluster, a_plan, rules_of, the_decisions, the_inventory, the_plan


def errors(plan: Plan) -> set[str]:
    return {found.rule for found in audit(plan) if found.severity == "error"}


def test_sound_plan_has_no_errors_or_warnings() -> None:
    plan = the_plan()
    assert rules_of(plan) == set()
    assert rules_of(plan, "warning") == set()
    assert audit(plan) == plan.document.findings


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_broken_plan_is_named(case: Broken) -> None:
    assert errors(case.make()) == case.rules


def test_every_rule_that_can_break_is_broken_somewhere() -> None:
    named = set().union(*(case.rules for case in BROKEN))
    own = {rule.id for rule in RULES if rule.severity == "error" and not rule.id.startswith("PLT")}
    assert own - named == {"NET-008"}  # its own tables would not be read at all


@pytest.mark.parametrize(("link", "rtt_ms", "subject"), [("s1-a", 0.4, "s1 – a"), ("a-b", 4.0, "a – b")])
def test_what_overtakes_light_is_refused_as_input_and_by_rule(link: str, rtt_ms: float, subject: str) -> None:
    plan = the_plan(**table_with("links", link, rtt_ms=rtt_ms))
    assert errors(plan) == {"DAT-003"}
    (found,) = (
        row for row in audit(plan, the_inventory(**table_with("links", link, rtt_ms=rtt_ms))) if row.rule == "NET-008"
    )
    assert (found.severity, found.subject, found.actual, found.unit) == ("error", subject, rtt_ms, "ms")


def test_a_plan_by_hand_claims_nothing_and_is_sound() -> None:
    document = the_plan().document
    claim = {"status": "feasible", "objective": None, "bound": None, "gap": None, "strategy": "by hand"}
    plan = Plan(document.model_copy(update={"result": document.result.model_copy(update=claim)}))
    assert errors(plan) == set()


def test_another_inventory_is_a_finding() -> None:
    other = the_inventory(discount_rate=0.1)
    assert "DAT-003" in {found.rule for found in audit(the_plan(), other)}


OTHERS: dict[str, Inventory] = {
    "fewer periods": the_inventory(horizon_months=6, pins=[]),
    "more periods": the_inventory(horizon_months=36),
    "no links": the_inventory(links=[], pins=[]),
    "other hardware": the_inventory(hardware=[a_node_model("tiny", cores=4)], clusters=[]),
    "fewer sites": the_inventory(
        sites=[a_site("a", can_host=True), a_site("s1", kind="store")],
        links=[a_link("s1", "a")],
        workloads=[a_workload("back", kind="store")],
        clusters=[],
        pins=[],
    ),
    "other pack": the_inventory(rule_pack="deep-dive"),
    "nothing in common": an_inventory([a_site("x", can_host=True)], [a_workload("w", "x")]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_plan_of_another_fleet_never_raises(name: str) -> None:
    found = {entry.rule for entry in audit(the_plan(), OTHERS[name])}
    assert "DAT-003" in found


def test_unreadable_rule_pack_is_a_finding() -> None:
    (found,) = audit(the_plan(), the_inventory(rule_pack="no-such-pack"))
    assert found.rule == "DAT-003"


def test_single_points_on_one_neighbor_make_one_finding() -> None:
    links = [link for link in the_inventory().links if link.link not in ("s1-b", "s2-b")]
    plan = a_plan(the_inventory(links=links), the_decisions())
    found = [entry for entry in plan.document.findings if entry.rule == "DR-007"]
    assert [entry.subject for entry in found] == ["links to a"]
    assert "till at s1, s2" in found[0].message


def test_findings_of_the_plan_itself_are_not_looked_at() -> None:
    plan = the_plan()
    assert audit(Plan(plan.document.model_copy(update={"findings": ()}))) == plan.document.findings


VALUES: dict[type, tuple[Any, ...]] = {
    str: ("", "nowhere", "a", "a-b", "old", "s1", "std"),
    int: (-1, 0, 1, 99),
    float: (0.0, -1.0, 1e9),
    bool: (True, False),
}


def edited(row: Row, chance: random.Random) -> Row:
    """The row with one cell changed to anything that its schema accepts."""
    column = chance.choice(list(type(row).model_fields))
    known = getattr(row, column)
    value = chance.choice(VALUES[type(known)]) if type(known) in VALUES else type(known)()
    try:
        return type(row).model_validate({**row.model_dump(), column: value})
    except ValidationError:
        return row


@pytest.mark.parametrize("seed", range(60))
def test_mangled_plans_never_raise(seed: int) -> None:
    chance = random.Random(seed)
    document = a_plan(the_inventory(), the_decisions()).document
    for _ in range(chance.randint(1, 6)):
        table = chance.choice([name for name in PLAN_TABLES if name not in ("findings", "unserved")])
        rows = list(getattr(document, table))
        if not rows:
            continue
        place = chance.randrange(len(rows))
        action = chance.choice(("drop", "double", "edit", "edit", "empty"))
        if action == "drop":
            del rows[place]
        elif action == "double":
            rows.insert(0, rows[place])
        elif action == "empty":
            rows = []
        else:
            rows[place] = edited(rows[place], chance)
        document = document.model_copy(update={table: tuple(rows)})
    audit(Plan(document))


@pytest.mark.parametrize("table", [name for name in PLAN_TABLES if name not in ("findings", "unserved")])
def test_an_empty_table_is_found(table: str) -> None:
    document = the_plan().document
    assert audit(Plan(document.model_copy(update={table: ()}))) != document.findings


def test_notes_about_many_clusters_are_one_finding() -> None:
    stores = [f"s{number:02}" for number in range(25)]
    inventory = an_inventory(
        [a_site(name, kind="store", can_host=True) for name in stores],
        [a_workload("w", kind="store", fault_tolerance=0)],
    )
    single = dict.fromkeys(TWO_WAY, "two-way-mirror")
    decisions = Decisions(
        tuple(a_cluster(f"{name}-c1", (1,), layouts=(single,)) for name in stores),
        {demand.key: f"{demand.site}-c1" for demand in inventory.demands},
        {},
    )
    found = a_plan(inventory, decisions).document.findings
    assert {entry.severity for entry in found} == {"info"}
    assert [(entry.rule, entry.subject, entry.actual) for entry in found if entry.rule.startswith("AVL")] == [
        ("AVL-001", "clusters", 25.0),
        ("AVL-002", "clusters", 25.0),
    ]
    assert "and 5 more" in found[0].message
