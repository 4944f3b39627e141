"""A public case: the only link between primary and standby fails, and the copies stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import fleet
from fleet.failures.sweep import lose
from fleet.inventory.inventory import Inventory
from solvers import SolveConfig, solve
from tests.builders import a_link

CASE = Path(__file__).resolve().parents[3] / "shared" / "cases" / "39-cannot-run" / "stream_cut"
EXACT = SolveConfig(gap=0.0, time_limit_s=30.0)

pytestmark = pytest.mark.skipif(not CASE.is_dir(), reason="the cases are not beside this checkout")


@pytest.fixture
def inventory() -> Inventory:
    return fleet.read(CASE)


def test_copies_stop_with_the_only_link(inventory: Inventory) -> None:
    plan = solve(inventory, config=EXACT).require_plan()
    assert plan.errors == ()
    row = lose(plan, "link:only")
    assert (row.down, row.lost) == ((), ())
    assert row.rpo_minutes is not None
    assert row.rpo_minutes > 15.0
    # Both hubs cost the same: it runs at either, and where it runs at the other one its users move with the link.
    (text,) = row.broken_promises
    assert text.startswith("w at A: its copies ")
    assert "B-c1 stop" in text
    assert "over rpo_minutes 15" in text
    (found,) = (entry for entry in plan.document.findings if entry.rule == "DR-012")
    assert (found.severity, found.subject) == ("warning", "link:only")
    assert "a second path between A and B" in found.remedy


def test_a_second_link_keeps_them_flowing(inventory: Inventory) -> None:
    plan = solve(replace(inventory, links=(*inventory.links, a_link("A", "B", link="other"))), config=EXACT)
    for link in ("only", "other"):
        assert lose(plan.require_plan(), f"link:{link}").broken_promises == ()
    assert not [entry for entry in plan.require_plan().document.findings if entry.rule == "DR-012"]


def test_no_plan_where_copies_may_not_stop(inventory: Inventory) -> None:
    hard = replace(inventory, policy=inventory.policy.model_copy(update={"stream_cut": "hard"}))
    result = solve(hard, config=EXACT)
    assert result.status == "infeasible"
    (text,) = result.explanation
    assert "DR-012: stream_cut is hard" in text
    assert "'A' and 'B' with link:only – add a second path between them" in text
    assert solve(replace(hard, links=(*hard.links, a_link("A", "B", link="other"))), config=EXACT).status == "optimal"
