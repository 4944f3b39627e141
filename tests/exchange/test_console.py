"""What people see on a terminal, what scripts see in a pipe."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

import fleet
from fleet.errors import Problem
from fleet.exchange.console.sizing import print_sizing, sizing_rows
from fleet.exchange.console.tables import (
    ProgressLines,
    console_for,
    plan_row,
    print_json,
    print_plan,
    print_problems,
    print_table,
    progress_text,
)
from fleet.plan.plan import Plan

sys.path.insert(0, str(Path(__file__).parent))
from plan_fixture import HOSTILE_MARKUP, fixture_plan


@pytest.fixture
def pipe():
    return console_for(io.StringIO())


def terminal(width=60):
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, markup=False, highlight=False, color_system=None
    )


def test_problems_stay_on_one_line_and_obey_nothing(pipe):
    long = "word " * 100
    print_problems(pipe, [Problem("INV007", "a\nb.csv:row 2", f"\x1b[31m[bold]{long}", "fix\tit")])
    (line,) = pipe.file.getvalue().splitlines()
    assert line.startswith("error: INV007 a b.csv:row 2 –  [31m[bold]word word")
    assert line.endswith("fix it")
    assert "\x1b" not in line


def test_tables_are_drawn_on_a_terminal_and_plain_in_a_pipe(pipe):
    rows = [["a", 1], ["[red]long name", 22], [None, 3]]
    print_table(pipe, ["name", "count"], rows, numeric=["count"])
    assert pipe.file.getvalue().splitlines() == [
        "name            count",
        "a                   1",
        "[red]long name     22",
        "–                   3",
    ]
    drawn = terminal()
    print_table(drawn, ["name", "count"], rows, numeric=["count"])
    assert "│" in drawn.file.getvalue()
    assert "[red]long name" in drawn.file.getvalue()


def test_an_empty_table_is_its_header(pipe):
    print_table(pipe, ["a", "b"], [])
    assert pipe.file.getvalue() == "a  b\n"


def test_json_is_a_bare_array(pipe):
    print_json(pipe, iter([{"site": "Zürich"}]))
    assert json.loads(pipe.file.getvalue()) == [{"site": "Zürich"}]
    assert "Zürich" in pipe.file.getvalue()


def test_a_plan_shows_cost_bound_gap_clusters_nodes_and_standbys(pipe):
    plan = fixture_plan()
    print_plan(pipe, plan)
    text = pipe.file.getvalue()
    assert f"cost           {plan.totals.present_value:,.0f} USD present value" in text
    assert f"bound          {plan.result.bound:,.0f} USD (lagrangian)\n" in text
    assert "\n               relaxed: workloads in one piece\n" in text
    assert "gap            1.29% (feasible, stopped by time limit after 61.2 s)" in text
    assert "nodes          20, 24 at the end" in text
    assert "standby pairs  52 workloads with a standby, in 13 cluster pairs" in text
    assert HOSTILE_MARKUP in text
    assert plan_row(plan)["nodes"] == 24


def test_a_plan_without_bound_says_so_and_repeated_warnings_are_counted(pipe):
    plan = fixture_plan()
    warning = plan.document.findings[0]
    result = plan.result.model_copy(update={"bound": None, "gap": None, "seconds": None})
    many = tuple(warning.model_copy(update={"subject": f"link:{index}"}) for index in range(10))
    print_plan(pipe, Plan(plan.document.model_copy(update={"result": result, "findings": many})))
    text = pipe.file.getvalue()
    assert "bound          none proven" in text
    assert "gap            no bound, no gap (feasible, stopped by time limit)" in text
    assert "… and 7 more warnings of NET-004: see `fleet audit`" in text


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ((0.0, None, None), "    0.0 s  no plan yet  no bound yet"),
        ((12.34, 1000.0, None), "   12.3 s  plan 1,000  no bound yet"),
        ((60.0, 1000.0, 990.0), "   60.0 s  plan 1,000  bound 990  gap 1.00%"),
    ],
)
def test_progress_lines_state_time_plan_bound_and_gap(state, text):
    assert progress_text(*state) == text


def test_progress_is_shown_on_improvement_and_now_and_then(pipe):
    progress = ProgressLines(pipe)
    for seconds, incumbent in ((0.0, None), (0.1, 9.0), (1.0, 9.0), (2.0, 9.0), (5.0, 8.0), (14.0, 8.0), (15.1, 8.0)):
        progress(seconds, incumbent, None)
    times = [float(line.split()[0]) for line in pipe.file.getvalue().splitlines()]
    assert times == [0.0, 1.0, 5.0, 15.1]


def test_sizing_prints_a_trace_and_the_refusals(pipe):
    inventory = fleet.synthetic(6, 2, 1)
    print_sizing(pipe, inventory, trace=True)
    text = pipe.file.getvalue()
    assert "usable vCPU" in text
    assert "refused:" in text
    assert len(sizing_rows(inventory)) == sum(line.endswith(":") and "×" in line for line in text.splitlines())
