"""Shipped examples, planned and broken: the reserve is shared, and of promises only copies with one path break."""

from __future__ import annotations

from pathlib import Path

import pytest

import fleet
from fleet.exchange.report.page import report_html
from fleet.failures.reserve import compare_reserves
from fleet.failures.sweep import breaker_of, sweep_single
from fleet.plan.audit import audit
from solvers import SolveConfig, solve

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.mark.slow
def test_sharing_saves_nodes_in_the_retail_example_and_everything_still_stands() -> None:
    plan = solve(fleet.read(DATA / "retail"), config=SolveConfig(time_limit_s=90, gap=0.08, seed=1)).require_plan()
    assert not [entry for entry in audit(plan) if entry.severity == "error"]
    breaker = breaker_of(plan)
    saved = sum(row.saved_nodes for row in compare_reserves(breaker.context))
    assert saved > 0
    assert f"Sharing the reserve saves <b>{saved} nodes</b>" in report_html(plan)
    rows = sweep_single(plan, breaker=breaker)
    assert len(rows) > 250
    # Each distribution center has one access: the copies that pass it stop with it, and a finding names it.
    named = " ".join(found.message for found in plan.document.findings if found.rule == "DR-012")
    broken = {row.element: row.broken_promises for row in rows if row.broken_promises}
    assert all(": its copies " in text for texts in broken.values() for text in texts)
    assert all(element.removeprefix("link:") in named for element in broken)
