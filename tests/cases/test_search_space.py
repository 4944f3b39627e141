"""Cases of ``38-search-space``: what a plan may be is as much as the contract allows. Skipped where they are absent."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fleet
from fleet.errors import InventoryError
from solvers import SolveConfig, SolveResult, solve
from solvers.command import application

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "38-search-space"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not there")

MODES = {
    "default": SolveConfig(gap=0.0, time_limit_s=60.0),
    "one worker": SolveConfig(gap=0.0, time_limit_s=60.0, workers=1),
    "deterministic": SolveConfig(gap=0.0, time_limit_s=60.0, deterministic=True),
}
OPTIMA = {"second_cluster": 123_087.0, "replace": 30_619.0, "relayout": 19_237.0}


def solved(case: str, mode: str) -> SolveResult:
    return solve(fleet.read(CASES / case), config=MODES[mode])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", OPTIMA)
def test_the_optimum_is_found_and_proven(case: str, mode: str) -> None:
    result = solved(case, mode)
    assert result.status == "optimal"
    assert result.objective == pytest.approx(OPTIMA[case], abs=1.0)
    assert result.bound == pytest.approx(result.objective, rel=1e-6)
    assert result.require_plan().errors == ()


def test_a_second_cluster_stands_where_can_host_is_blank() -> None:
    plan = solved("second_cluster", "default").require_plan()
    assert {row.cluster: row.site for row in plan.document.clusters} == {"old A": "A", "A-c1": "A"}


def test_a_retired_cluster_leaves_its_place() -> None:
    plan = solved("replace", "default").require_plan()
    assert [row.cluster for row in plan.document.clusters] == ["A-c1"]
    assert [(row.cluster, row.cost) for row in plan.document.actions if row.action == "close"] == [("old A", 1000.0)]


def test_the_archive_becomes_dual_parity_on_the_same_nodes() -> None:
    plan = solved("relayout", "default").require_plan()
    (row,) = plan.document.cluster_periods
    assert (row.nodes, row.layout["archive"], row.layout["warm"]) == (4, "dual-parity", "three-way-mirror")
    (told,) = [found for found in plan.document.findings if found.rule == "PLT-031"]
    assert "create dual-parity volumes and move the data out of three-way-mirror" in told.message


@pytest.mark.parametrize("verb", [["check"], ["size"], ["plan", "-o"]])
def test_a_standing_cluster_that_the_rules_refuse_is_an_input_error(verb: list[str], tmp_path: Path) -> None:
    more = [str(tmp_path / "out")] if len(verb) > 1 else []
    result = CliRunner().invoke(application.app, [*verb, *more, str(CASES / "old_two_way_3")])
    assert result.exit_code == 3
    text = " ".join(result.output.split())
    assert "INV058 clusters.csv:row 2 column layout" in text
    assert "two-way-mirror at 3 nodes" in text
    assert "state layout three-way-mirror, or set keep to no" in text


@pytest.mark.parametrize(
    ("before", "after", "standing"),
    [("two-way-mirror", "three-way-mirror", {"old A"}), ("layout\n", "layout,keep\n", {"A-c1"})],
)
def test_the_remedies_work(before: str, after: str, standing: set[str], tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(CASES / "old_two_way_3", folder)
    with pytest.raises(InventoryError):
        fleet.read(folder)
    table = folder / "clusters.csv"
    text = table.read_text().replace("\r", "").replace(before, after)
    table.write_text(text.replace("two-way-mirror\n", "two-way-mirror,no\n"))
    result = solve(fleet.read(folder), config=MODES["default"])
    assert result.status == "optimal"
    assert {row.cluster for row in result.require_plan().document.clusters} == standing


@pytest.mark.parametrize("mode", MODES)
def test_the_pin_that_leaves_no_place_is_named(mode: str) -> None:
    result = solved("pin_far", mode)
    assert result.status == "infeasible"
    (line,) = result.explanation
    assert line.startswith("w at U: pin assign w H3 leaves it no place")
    assert "take it back, or set max_rtt_ms of 'w' to at least 40" in line
    assert "H2" not in line
