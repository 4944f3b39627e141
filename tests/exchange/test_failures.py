"""What ``fleet fail`` prints and writes."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fleet.exchange.console.failures import run_failures
from fleet.exchange.console.tables import console_for
from fleet.exchange.plan_json import write_plan
from fleet.exchange.report.heat_map import COUNT_COLORS, count_color, count_legend, heat_map, use_color, use_text
from fleet.failures.sweep import FailureRow, failure_row, sweep_pairs, sweep_single
from fleet.plan.plan import Plan
from solvers.command import application
from tests.builders import a_link
from tests.exchange.browser import launched, visit
from tests.failures.small_plans import LINKS, small_inventory, small_plan

KEYS = list(FailureRow.model_fields)


def printed(plan: Plan, *args: object, **options: object) -> tuple[str, bool]:
    stream = StringIO()
    is_broken = run_failures(console_for(stream), plan, *args, **options)  # type: ignore[arg-type]
    return stream.getvalue(), is_broken


def run(*words: object) -> tuple[int, str, str]:
    found = CliRunner().invoke(application.app, [str(word) for word in words])
    return found.exit_code, found.stdout, found.stderr


def sound_plan() -> Plan:
    """A plan whose copies have two paths."""
    return small_plan(small_inventory(links=(*LINKS, a_link("east", "west", link="second"))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_plan(sound_plan(), tmp_path / "plan.json")
    return tmp_path


@pytest.mark.parametrize("words", [(), ("--all", "single"), ("--all", "pairs"), ("--element", "site:east")])
def test_json_rows_are_those_of_the_contract(folder: Path, words: tuple[str, ...]) -> None:
    code, stdout, stderr = run("fail", folder, *words, "--json")
    rows = json.loads(stdout)
    assert (code, stderr) == (0, "")
    assert rows
    for row in rows:
        assert list(row) == KEYS
        assert isinstance(row["count"], int)
        assert all(isinstance(row[key], list) for key in ("down", "restored", "lost", "overloaded", "broken_promises"))


def test_json_holds_every_row(folder: Path) -> None:
    plan = sound_plan()
    assert [row["element"] for row in json.loads(run("fail", folder, "--json")[1])] == [
        row.element for row in sweep_single(plan)
    ]
    assert len(json.loads(run("fail", folder, "--all", "pairs", "--json")[1])) == len(list(sweep_pairs(plan)))


def test_two_elements_fail_together(folder: Path) -> None:
    code, stdout, _ = run("fail", folder, "--element", "site:east", "--element", "cluster:west-c1", "--json")
    (row,) = json.loads(stdout)
    assert (code, row["lost"]) == (0, ["erp at store"])


def test_an_unknown_element_is_a_usage_error_with_the_nearest(folder: Path) -> None:
    code, _, stderr = run("fail", folder, "--element", "site:eats")
    assert code == 2
    assert "no element is named 'site:eats'; did you mean site:east" in stderr


def test_elements_and_pairs_exclude_each_other(folder: Path) -> None:
    code, _, stderr = run("fail", folder, "--element", "site:east", "--all", "pairs")
    assert code == 2
    assert "either --element or --all pairs" in " ".join(stderr.replace("│", " ").split())


def test_a_broken_promise_of_a_single_failure_exits_7(tmp_path: Path) -> None:
    write_plan(small_plan(small_inventory(links=LINKS[:2])), tmp_path / "plan.json")
    code, stdout, _ = run("fail", tmp_path)
    assert code == 7
    assert "break a promise" in stdout.splitlines()[-1]


def test_people_see_a_summary_by_kind_and_what_somebody_notices() -> None:
    text, is_broken = printed(sound_plan())
    lines = text.splitlines()
    assert not is_broken
    assert lines[0].split() == ["kind", "elements", "unnoticed", "restored", "down", "lost", "over", "broken"]
    assert lines[1].split() == ["drive", "24", "2", "0", "0", "0", "0", "0"]
    assert any(line.startswith("cluster:east-c1") and "30" in line for line in lines)
    assert lines[-1].endswith("every promise of the plan is kept.")


def test_one_incident_is_told_in_full() -> None:
    text, _ = printed(small_plan(small_inventory()), ["site:east"])
    assert "site:east is lost" in text
    assert "restored      erp at store" in text
    assert "replica-5min" in text
    assert "0 of 2" in text
    assert "store-west" in text


def test_pairs_are_told_by_kind_and_the_worst_by_name() -> None:
    text, is_broken = printed(small_plan(small_inventory()), (), "pairs")
    assert not is_broken
    assert "cluster:east-c1 + cluster:west-c1" in text
    assert "1 of 1" in text
    assert "A plan promises to stand single failures" in text


def test_long_sweeps_say_how_far_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("fleet.exchange.console.failures.PROGRESS_S", -1.0)
    printed(small_plan(small_inventory()), (), "pairs", None, False, said.append)
    rows = len(list(sweep_pairs(small_plan(small_inventory()))))
    assert said[-1] == f"{rows - 1:,} of {rows:,} pairs"


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_interrupted_pairs_keep_what_is_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    expected = list(sweep_pairs(sound_plan()))
    left = iter(range(7))

    def told(*arguments: Any) -> FailureRow:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return failure_row(*arguments)

    monkeypatch.setattr("fleet.exchange.console.failures.failure_row", told)
    code, stdout, stderr = run("fail", folder, "--all", "pairs", "-o", folder, *words)
    assert code == 5
    assert f"interrupted after 7 of {len(expected):,} pairs, which are kept" in stderr
    with (folder / "failures.csv").open(encoding="utf-8", newline="") as stream:
        assert [row[0] for row in list(csv.reader(stream))[1:]] == [row.element for row in expected[:7]]
    if words:
        assert [row["element"] for row in json.loads(stdout)] == [row.element for row in expected[:7]]
    else:
        assert "7 pairs of elements failed at once" in stdout
    assert "7 pairs of elements failed at once" in (folder / "failures.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("every", ["single", "pairs"])
def test_page_and_table_are_written(tmp_path: Path, every: str) -> None:
    hostile = small_inventory(links=(*LINKS, a_link("store", "west", link="<b>&x", rtt_ms=20)))
    plan = small_plan(hostile)
    printed(plan, (), every, tmp_path)
    with (tmp_path / "failures.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    expected = sweep_single(plan) if every == "single" else tuple(sweep_pairs(plan))
    assert rows[0] == KEYS
    assert [row[0] for row in rows[1:]] == [row.element for row in expected]
    page = (tmp_path / "failures.html").read_text(encoding="utf-8")
    assert "<b>&x" not in page
    assert 'class="heat"' in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_page_opens_without_complaint(tmp_path: Path) -> None:
    printed(small_plan(small_inventory()), (), "single", tmp_path)
    with launched() as browser:
        seen = visit(browser, tmp_path / "failures.html")
        assert seen.complaints == []
        assert seen.requests == [(tmp_path / "failures.html").as_uri()]
        assert seen.page.locator("svg.heat").count() == 2


def test_heat_map_colors() -> None:
    chart = heat_map(["r"], ["c1", "c2"], [[0.2, float("nan")]], use_color, use_text)
    assert chart.count("<rect") == 2
    assert "r, c2: down" in chart
    assert [count_color(value, 100) for value in (0, 1, 100)] == ["#F2F4F5", COUNT_COLORS[0], COUNT_COLORS[-1]]
    assert "no loss" in count_legend(3, "loss")
