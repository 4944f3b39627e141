"""The command line: verbs, streams, JSON rows and exit codes. Solves are stood in for but in one slow test."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fleet
import solvers
from fleet.exchange.examples import example_names
from fleet.exchange.plan_json import write_plan
from fleet.inventory.checks.inventory import checked_inventory
from fleet.plan.plan import Finding, Plan
from solvers.command import application
from solvers.result import SolveResult

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "exchange"))
from plan_fixture import fixture_plan  # noqa: E402

ERROR = Finding(rule="CAP-001", severity="error", subject="Reno-c1", message="too full", remedy="add a node")
WARNING = Finding(rule="NET-004", severity="warning", subject="link:a", message="alone", remedy="add a circuit")


def run(*words):
    return CliRunner().invoke(application.app, [str(word) for word in words])


def with_findings(plan, *findings):
    return Plan(plan.document.model_copy(update={"findings": findings}))


def result_of(plan, status="feasible", stopped_by="gap", bound_share=0.99, explanation=()):
    value = None if plan is None else plan.totals.present_value
    bound = None if value is None else value * bound_share
    return SolveResult(status, plan, value, bound, "test", stopped_by, 1.5, 0, "exact", tuple(explanation))


@pytest.fixture
def plan():
    return with_findings(fixture_plan(), WARNING)


@pytest.fixture
def solved(monkeypatch):
    """Let `solvers.solve` return what the test says; yields the calls it got."""
    calls = []

    def answer(result):
        def solve(inventory, scenario, config, strategy):
            calls.append((inventory, scenario, config, strategy))
            if config.on_progress is not None:
                config.on_progress(0.0, None, None)
                config.on_progress(1.0, 1100.0, 1000.0)
            if isinstance(result, BaseException):
                raise result
            return result

        monkeypatch.setattr(solvers, "solve", solve, raising=False)
        return calls

    return answer


@pytest.fixture
def broken_folder(tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(ROOT / "data" / "healthcare", folder)
    text = (folder / "workloads.csv").read_text(encoding="utf-8")
    (folder / "workloads.csv").write_text(
        text.replace("pacs,", "pacs,", 1).replace(",48,", ",many,", 1), encoding="utf-8"
    )
    return folder


# --- new and check -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bank", "healthcare", "manufacturing", "research", "retail"])
def test_new_copies_an_example_that_checks(tmp_path, name):
    made = run("new", tmp_path / "copy", "--example", name)
    assert made.exit_code == 0, made.output
    checked = run("check", tmp_path / "copy")
    assert checked.exit_code == 0
    assert checked.stdout.startswith("no problems: Inventory('copy'")


def test_new_writes_a_workbook_that_checks(tmp_path):
    assert run("new", tmp_path / "book", "--example", "healthcare", "--xlsx").exit_code == 0
    assert run("check", tmp_path / "book" / "inventory.xlsx").exit_code == 0


def test_new_makes_a_synthetic_fleet_and_repeats(tmp_path):
    for name in ("a", "b"):
        assert run("new", tmp_path / name, "--sites", 20, "--hubs", 4, "--seed", 7).exit_code == 0
    assert run("check", tmp_path / "a").exit_code == 0
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_new_refuses_a_folder_in_use(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    made = run("new", tmp_path, "--example", "retail")
    assert made.exit_code == 2
    assert "holds something already" in made.stderr


@pytest.mark.parametrize("words", [(), ("--example", "retail", "--sites", "5"), ("--example", "nowhere")])
def test_new_with_wrong_options_is_a_usage_error(tmp_path, words):
    assert run("new", tmp_path / "x", *words).exit_code == 2


def test_check_prints_one_problem_per_line(broken_folder):
    checked = run("check", broken_folder)
    assert checked.exit_code == 3
    *problems, count = checked.stdout.splitlines()
    assert count == f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}"
    assert all(line.startswith(("error: INV", "warning: INV")) for line in problems)
    assert any("workloads.csv" in line and "'many'" in line for line in problems)


def test_check_json_is_a_bare_array(broken_folder):
    checked = run("check", broken_folder, "--json")
    rows = json.loads(checked.stdout)
    assert checked.exit_code == 3
    assert set(rows[0]) == {"code", "severity", "place", "message", "remedy"}
    clean = run("check", ROOT / "data" / "retail", "--json")
    assert (clean.exit_code, json.loads(clean.stdout)) == (0, [])


def test_long_lines_are_neither_wrapped_nor_cut(tmp_path):
    name = "x" * 400
    (tmp_path / "sites.csv").write_text(f"site,colour_{name}\nA,red\n", encoding="utf-8")
    checked = run("check", tmp_path)
    assert checked.exit_code == 3
    assert any(name in line for line in checked.stdout.splitlines())


# --- plan ----------------------------------------------------------------------------------------------------------


def test_plan_prints_the_figures_and_writes_every_export(tmp_path, plan, solved):
    calls = solved(result_of(plan))
    done = run(
        "plan", ROOT / "data" / "healthcare", "-o", tmp_path / "out", "--time-limit", 9, "--seed", 3, "--workers", 2
    )
    assert done.exit_code == 0, done.output
    for label in ("cost", "bound", "gap", "clusters", "nodes", "standby pairs", "audit"):
        assert any(line.startswith(label) for line in done.stdout.splitlines()), label
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"plan.json", "plan.xlsx", "map.html", "report.html", "plan.geojson"}
    (_, scenario, config, strategy) = calls[0]
    assert (scenario, config.time_limit_s, config.seed, config.workers, strategy) == (None, 9.0, 3, 2, "auto")
    assert "gap 9.09%" in done.stderr
    assert "wrote" not in done.stdout


def test_plan_json_and_quiet(tmp_path, plan, solved):
    solved(result_of(plan))
    done = run("plan", ROOT / "data" / "healthcare", "-o", tmp_path, "--json", "--quiet")
    (row,) = json.loads(done.stdout)
    assert row["clusters"] == 5
    assert row["standbys"] == len(plan.document.standbys)
    assert " s  " not in done.stderr


@pytest.mark.parametrize(
    ("result", "words", "code"),
    [
        ({}, ("--gap", "0.02"), 0),
        ({}, ("--gap", "0.001"), 5),
        ({}, (), 0),
        ({"stopped_by": "interrupt"}, (), 5),
        ({"stopped_by": "time_limit"}, (), 0),
    ],
)
def test_plan_exit_codes_with_a_plan(tmp_path, plan, solved, result, words, code):
    solved(result_of(plan, **result))
    assert run("plan", ROOT / "data" / "healthcare", "-o", tmp_path, *words).exit_code == code
    assert (tmp_path / "plan.json").is_file()


def test_infeasible_explains_and_ends_with_4(tmp_path, solved):
    lines = ("pos at A: max_rtt_ms 1, nearest host B at 9.3 ms", "max_rtt_ms 9.3 would do")
    solved(result_of(None, "infeasible", "screen", explanation=lines))
    done = run("plan", ROOT / "data" / "healthcare", "-o", tmp_path)
    assert done.exit_code == 4
    assert set(lines) <= set(done.stdout.splitlines())
    assert not list(tmp_path.iterdir())
    as_json = run("plan", ROOT / "data" / "healthcare", "-o", tmp_path, "--json")
    assert json.loads(as_json.stdout)[0]["explanation"] == list(lines)


@pytest.mark.parametrize("end", [result_of(None, "no_solution", "time_limit"), KeyboardInterrupt()])
def test_no_plan_ends_with_6(tmp_path, solved, end):
    solved(end)
    assert run("plan", ROOT / "data" / "healthcare", "-o", tmp_path).exit_code == 6


def test_a_plan_that_fails_its_audit_is_exported_by_force_only(tmp_path, plan, solved):
    solved(result_of(with_findings(plan, ERROR)))
    refused = run("plan", ROOT / "data" / "healthcare", "-o", tmp_path)
    assert refused.exit_code == 7
    assert "--force-export" in refused.stderr
    assert not list(tmp_path.iterdir())
    forced = run("plan", ROOT / "data" / "healthcare", "-o", tmp_path, "--force-export")
    assert forced.exit_code == 7
    assert (tmp_path / "plan.json").is_file()


def test_plan_takes_the_scenario_that_is_named(tmp_path, plan, solved):
    calls = solved(result_of(plan))
    table = tmp_path / "what-if.csv"
    table.write_text(
        "scenario,table,row,column,action,value\nlarge,workloads,pacs,count,set,2\nsmall,policy,horizon_months,value,set,12\n",
        encoding="utf-8",
    )
    arguments = ("plan", ROOT / "data" / "healthcare", "-o", tmp_path / "out", "--scenario", table)
    assert run(*arguments, "--scenario-name", "large").exit_code == 0
    assert calls[0][1].name == "large"
    unclear = run(*arguments)
    assert unclear.exit_code == 2
    assert run(*arguments, "--scenario-name", "medium").exit_code == 2


def test_invalid_input_ends_with_3_and_leaves_stdout_empty(tmp_path, broken_folder):
    done = run("plan", broken_folder, "-o", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "workloads.csv" in done.stderr


def test_an_unwritable_folder_is_a_usage_error(tmp_path, plan, solved):
    calls = solved(result_of(plan))
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    done = run("plan", ROOT / "data" / "healthcare", "-o", tmp_path / "taken")
    assert done.exit_code == 2
    assert "taken is a file: name a folder" in done.stderr
    assert not calls


# --- audit, export, size, rules, schema ------------------------------------------------------------------------------


@pytest.fixture
def audited(monkeypatch):
    """Let the audit find what the test says."""

    def answer(*findings):
        monkeypatch.setattr("fleet.plan.audit.audit", lambda plan, inventory=None: findings)

    return answer


def test_audit_prints_findings_and_ends_with_7_on_errors(tmp_path, plan, audited):
    write_plan(plan, tmp_path / "plan.json")
    audited(WARNING, ERROR)
    judged = run("audit", tmp_path)
    assert judged.exit_code == 7
    assert judged.stdout.splitlines()[0] == "error: CAP-001 Reno-c1 – too full – add a node"
    assert judged.stdout.splitlines()[-1] == "audit failed: 1 error, 1 warning"
    rows = json.loads(run("audit", tmp_path / "plan.json", "--json").stdout)
    assert [set(row) for row in rows] == [{"code", "severity", "place", "message", "remedy"}] * 2


def test_audit_with_warnings_ends_with_0(tmp_path, plan, audited):
    write_plan(plan, tmp_path / "plan.json")
    audited(WARNING)
    assert run("audit", tmp_path).exit_code == 0


def test_audit_of_no_plan_ends_with_3(tmp_path):
    judged = run("audit", tmp_path / "plan.json")
    assert judged.exit_code == 3
    assert "PLN001" in judged.stderr


def test_export_writes_what_is_asked_for(tmp_path, plan, audited):
    write_plan(plan, tmp_path / "plan.json")
    audited(WARNING)
    done = run("export", tmp_path, "--to", "csv,geojson", "-o", tmp_path / "more")
    assert done.exit_code == 0
    assert {path.name for path in (tmp_path / "more").iterdir()} == {"csv", "plan.geojson"}


def test_export_refuses_plans_that_fail_and_unknown_formats(tmp_path, plan, audited):
    write_plan(plan, tmp_path / "plan.json")
    audited(ERROR)
    assert run("export", tmp_path, "--to", "csv").exit_code == 7
    assert run("export", tmp_path, "--to", "csv", "--force-export").exit_code == 0
    unknown = run("export", tmp_path, "--to", "pdf")
    assert unknown.exit_code == 2
    assert "no export is named 'pdf'" in unknown.stderr


def test_size_shows_archetypes_and_a_trace_that_adds_up():
    shown = run("size", ROOT / "data" / "healthcare", "--node-model", "mid-48c-768g")
    assert shown.exit_code == 0
    assert "three-way-mirror" in shown.stdout
    rows = json.loads(run("size", ROOT / "data" / "healthcare", "--json").stdout)
    for row in rows:
        raw = sum(stage["amount"] for stage in row["trace"] if stage["unit"] == "TB")
        assert raw == pytest.approx(row["usable"]["pool_tb"], abs=1e-6)
    assert run("size", ROOT / "data" / "healthcare", "--node-model", "none such").exit_code == 2


def test_rules_lists_rules_and_compares_packs():
    listed = run("rules")
    assert listed.exit_code == 0
    assert any(line.startswith("CAP-001") for line in listed.stdout.splitlines())
    assert any(line.startswith("limits.max_nodes") for line in listed.stdout.splitlines())
    table = {row["id"]: row for row in json.loads(run("rules", "--json").stdout)}
    assert table["PLT-003"]["value"] == "drives.min_capacity_drive_tb 0.5 TB"
    assert table["NET-004"]["value"] == "failure_rtt_factor 2 unless the policy says otherwise"
    assert table["network.switchless_max_nodes"]["value"] == "3 nodes (also published: 4 nodes)"
    assert all(row["statement"] and row["value"] and row["source"] for row in table.values())
    text = {row["id"]: row for row in json.loads(run("rules", "--pack", "deep-dive", "--json").stdout)}
    assert text["limits.max_nodes"]["value"] == "10 nodes"
    assert run("rules", "--pack", "nowhere").exit_code == 3
    rows = json.loads(run("rules", "--compare", "azure-local", "deep-dive", "--json").stdout)
    assert set(rows[0]) == {"fact", "a", "b", "effect"}
    assert run("rules", "--compare", "azure-local", "nowhere").exit_code == 3


def test_schema_prints_and_writes(tmp_path):
    assert json.loads(run("schema", "plan").stdout)["$id"] == "fleet.plan/1"
    assert run("schema", "-o", tmp_path).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"plan.schema.json", "inventory.schema.json"}


# --- the process -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["explain", "compare", "frontier", "fail", "nonsense"])
def test_verbs_that_are_not_built_are_usage_errors(verb):
    assert run(verb).exit_code == 2


def process(*words, **options):
    command = [sys.executable, str(ROOT / "cli.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False, **options)


def test_help_is_quick_and_loads_nothing_heavy():
    heavy = ("ortools", "pandas", "folium", "numpy")
    code = f"import sys, solvers.command.application; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_python_cli_py_works_from_a_clone():
    assert process("--version").stdout.strip() == fleet.__version__
    assert process().returncode == 2
    listed = process("--help").stdout
    for verb in ("new", "check", "size", "plan", "audit", "export", "rules", "schema", "batch"):
        assert f"  {verb} " in listed


def test_unexpected_errors_are_one_line_without_a_traceback(monkeypatch, capsys):
    monkeypatch.setattr("fleet.exchange.readers.read", lambda path: 1 / 0)
    with pytest.raises(SystemExit, match="1"):
        application.main(["check", "x"])
    text = capsys.readouterr().err
    assert text == "error: unexpected ZeroDivisionError: division by zero (run again with --traceback and report it)\n"
    with pytest.raises(ZeroDivisionError, match="division"):
        application.main(["check", "x", "--traceback"])


@pytest.mark.skipif(os.name == "nt", reason="no POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_solve_without_a_plan_with_6(tmp_path, number):
    code = (
        "import sys, time, solvers; from solvers.command import application\n"
        "def solve(*_):\n"
        "    print('solving', file=sys.stderr, flush=True)\n"
        "    time.sleep(60)\n"
        "solvers.solve = solve\n"
        f"application.main(['plan', 'data/healthcare', '-o', {str(tmp_path)!r}])\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stderr.readline() == "solving\n"
        time.sleep(0.1)
        running.send_signal(number)
        assert running.wait(timeout=20) == 6
        assert running.stderr.read() == "interrupted\n"


def test_the_tables_of_examples_are_what_the_tool_builds():
    sys.path.insert(0, str(ROOT / "tools"))
    import build_examples

    assert set(build_examples.EXAMPLES) == set(example_names())
    for name, build in build_examples.EXAMPLES.items():
        tables = build()
        checked_inventory(name, tables)
        assert {f"{table}.csv" for table in tables} == {path.name for path in (ROOT / "data" / name).glob("*.csv")}
        for table, rows in tables.items():
            text = (ROOT / "data" / name / f"{table}.csv").read_text(encoding="utf-8")
            assert text == build_examples.csv_text(table, rows), f"run `make examples` ({name}/{table})"


@pytest.mark.slow
def test_a_synthetic_fleet_is_planned_end_to_end(tmp_path):
    assert process("new", tmp_path / "fleet", "--sites", 8, "--hubs", 3, "--seed", 1).returncode == 0
    done = process("plan", tmp_path / "fleet", "-o", tmp_path / "out", "--time-limit", 30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert process("audit", tmp_path / "out").returncode == 0
