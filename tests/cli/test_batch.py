"""Scenario batches: one folder each, resumable, and one failure does not stop the others."""

from __future__ import annotations

import csv
import json
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import ClassVar

import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

import fleet
import solvers
from fleet.errors import FleetError
from solvers import batch
from solvers.command import application
from solvers.config import SolveConfig
from solvers.result import SolveResult

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "exchange"))
from plan_fixture import fixture_plan  # noqa: E402

TABLE = """scenario,table,row,column,action,value
base year,policy,horizon_months,value,set,12
larger/archive,workloads,archive,storage_gb,scale,2
larger archive,workloads,archive,storage_gb,scale,3
impossible,workloads,pacs,max_rtt_ms,set,1
broken,workloads,pacs,storage_gb,scale,4
"""


class InlinePool:
    """Runs jobs in this process, so that a test can stand in for the solve."""

    deaths: ClassVar[dict[str, int]] = {}

    def __init__(self, max_workers):
        assert max_workers >= 1

    def submit(self, function, job):
        future = Future()
        if self.deaths.get(job.scenario.name, 0) > 0:
            self.deaths[job.scenario.name] -= 1
            future.set_exception(RuntimeError("the process was killed"))
        else:
            future.set_result(function(job))
        return future

    def shutdown(self, kill_workers):
        assert kill_workers


@pytest.fixture
def solves(monkeypatch):
    """Names of the scenarios that were solved."""
    plan = fixture_plan()
    value = plan.totals.present_value
    solved = []

    def solve(inventory, scenario, config, strategy):
        solved.append(scenario.name)
        if scenario.name == "impossible":
            return SolveResult("infeasible", None, None, None, "", "screen", 0.1, 0, "exact", ("too far",))
        if scenario.name == "broken":
            raise FleetError("the engine\nfailed")
        return SolveResult("feasible", plan, value, value * 0.99, "test", "gap", 1.0, 0, "exact")

    monkeypatch.setattr(solvers, "solve", solve, raising=False)
    monkeypatch.setattr(batch, "ProcessPoolExecutor", InlinePool)
    monkeypatch.setattr(InlinePool, "deaths", {})
    return solved


@pytest.fixture
def inventory():
    return fleet.read(ROOT / "data" / "healthcare")


@pytest.fixture
def scenarios(tmp_path):
    (tmp_path / "scenarios.csv").write_text(TABLE, encoding="utf-8")
    return tuple(fleet.read_scenarios(tmp_path / "scenarios.csv").values())


def test_every_scenario_gets_a_folder_and_a_row(tmp_path, inventory, scenarios, solves):
    rows = batch.run_batch(inventory, scenarios, tmp_path / "out", SolveConfig(), jobs=2)
    assert [row.scenario for row in rows] == ["base year", "larger/archive", "larger archive", "impossible", "broken"]
    assert [row.exit_code for row in rows] == [0, 0, 0, 4, 1]
    assert len({row.folder for row in rows}) == 5
    assert rows[3].note == "too far"
    assert rows[4].note == "the engine failed"
    for row in rows[:3]:
        assert (tmp_path / "out" / row.folder / "plan.json").is_file()
        assert (tmp_path / "out" / row.folder / "map.html").is_file()
    with (tmp_path / "out" / "summary.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["status"] for row in csv.DictReader(stream)] == [row.status for row in rows]
    sheet = CalamineWorkbook.from_path(tmp_path / "out" / "summary.xlsx").get_sheet_by_index(0).to_python()
    assert sheet[0] == list(batch.BatchRow.columns())
    assert len(sheet) == 6


def test_finished_scenarios_are_not_solved_again(tmp_path, inventory, scenarios, solves):
    first = batch.run_batch(inventory, scenarios, tmp_path / "out", SolveConfig())
    solves.clear()
    assert batch.run_batch(inventory, scenarios, tmp_path / "out", SolveConfig()) == first
    assert solves == ["broken"]


@pytest.mark.parametrize("change", ["seed", "plan", "record"])
def test_what_changed_is_solved_again(tmp_path, inventory, scenarios, solves, change):
    (row,) = batch.run_batch(inventory, scenarios[:1], tmp_path / "out", SolveConfig())
    solves.clear()
    folder = tmp_path / "out" / row.folder
    config = SolveConfig(seed=1 if change == "seed" else 0)
    if change == "plan":
        (folder / "plan.json").unlink()
    if change == "record":
        (folder / batch.RECORD).write_text("[]", encoding="utf-8")
    batch.run_batch(inventory, scenarios[:1], tmp_path / "out", config)
    assert solves == ["base year"]


def test_a_killed_process_is_tried_again_and_then_given_up(tmp_path, inventory, scenarios, solves):
    InlinePool.deaths.update({"base year": 1, "impossible": 9})
    rows = batch.run_batch(inventory, scenarios[:4], tmp_path / "out", SolveConfig())
    assert [row.exit_code for row in rows] == [0, 0, 0, 1]
    assert rows[3].note == "RuntimeError: the process was killed"


def test_interrupting_leaves_a_summary_of_what_is_done(tmp_path, inventory, scenarios, solves):
    def stop(row):
        if row.scenario == "larger/archive":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch.run_batch(inventory, scenarios[:2], tmp_path / "out", SolveConfig(), jobs=1, on_done=stop)
    assert "larger/archive" in (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8")


def test_the_verb_prints_the_summary_and_ends_with_the_worst_code(tmp_path, scenarios, solves):
    words = ["batch", str(ROOT / "data" / "healthcare"), str(tmp_path / "scenarios.csv"), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(application.app, words)
    assert done.exit_code == 4
    assert done.stdout.startswith("scenario ")
    assert "impossible: infeasible, exit code 4" in done.stderr
    rows = json.loads(CliRunner().invoke(application.app, [*words, "--json", "--quiet"]).stdout)
    assert [row["exit_code"] for row in rows] == [0, 0, 0, 4, 1]


@pytest.mark.slow
def test_real_processes_solve_a_batch(tmp_path):
    (tmp_path / "scenarios.csv").write_text(
        "scenario,table,row,column,action,value\nshort,policy,horizon_months,value,set,12\n"
        "dear,hardware,*,price,scale,1.5\n",
        encoding="utf-8",
    )
    inventory = fleet.synthetic(8, 3, 1)
    scenarios = tuple(fleet.read_scenarios(tmp_path / "scenarios.csv").values())
    rows = batch.run_batch(inventory, scenarios, tmp_path / "out", SolveConfig(time_limit_s=20, workers=1), jobs=2)
    assert [row.exit_code for row in rows] == [0, 0]
    assert rows[1].cost > rows[0].cost


@pytest.mark.parametrize(("cost", "code"), [(100.0, 5), (None, 6)])
def test_an_interrupted_batch_says_what_is_kept(tmp_path, scenarios, monkeypatch, cost, code):
    def interrupted(inventory, scenarios, directory, config, strategy, *, wanted_gap, jobs, on_done):
        on_done(batch.BatchRow("base year", "base-year", "feasible" if cost else "infeasible", cost, exit_code=0))
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "run_batch", interrupted)
    words = ["batch", str(ROOT / "data" / "healthcare"), str(tmp_path / "scenarios.csv"), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(application.app, words)
    assert done.exit_code == code
    assert done.stdout == ""
    assert f"interrupted after 1 of 5 scenarios, which are kept in {tmp_path / 'out'}" in done.stderr
