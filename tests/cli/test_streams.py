"""Files come first: closed pipes, interrupts and output folders lose no plan; foreign modules nearby are not run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import fleet
from fleet.errors import ExportError
from fleet.exchange.exports import EXPORTS, STANDARD, export_plan, require_room
from fleet.exchange.files import require_writable
from fleet.exchange.plan_json import write_plan
from fleet.exchange.readers import write_folder
from fleet.exchange.streams import SAFE_PATH, children_import_safely, interrupts_later

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "exchange"))
from plan_fixture import fixture_plan  # noqa: E402

#: Modules that Fleet, its engines or its pools import, by the names that a user's folder may hold too.
FOREIGN = ("queue.py", "numpy.py", "pickle.py", "solvers/__init__.py", "fleet/__init__.py", "joblib/__init__.py")
SCENARIOS = "scenario,table,row,column,action,value\na,policy,horizon_months,value,set,6\n"


@pytest.fixture
def small(tmp_path):
    """An inventory that is solved in a second."""
    write_folder(fleet.synthetic(3, 2, 1), tmp_path / "small")
    return tmp_path / "small"


def shell(line, folder, **variables):
    """Run a line of shell in a folder; ``$fleet`` is the command line of this clone."""
    environment = {**os.environ, "fleet": f"{sys.executable} {ROOT / 'cli.py'}", **variables}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# --- closed pipes --------------------------------------------------------------------------------------------------


def test_a_reader_that_leaves_early_loses_no_file(tmp_path, small):
    done = shell(f"$fleet plan {small} -o out --time-limit 20 2>&1 | head -1", tmp_path)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {EXPORTS[name] for name in STANDARD}


def test_no_reader_at_all_loses_no_file(tmp_path, small):
    """Progress, messages and figures all go to a pipe that nobody reads."""
    done = shell(f"$fleet plan {small} -o out --time-limit 20 2> >(exec true) > >(exec true)", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("batch small scenarios.csv -o out --time-limit 20", ["a/plan.json", "summary.csv", "summary.xlsx"]),
        ("fail plan.json -o out", ["failures.csv", "failures.html"]),
        ("fail plan.json -o out --json", ["failures.csv", "failures.html"]),
        ("export plan.json --to csv,xlsx,geojson,map,report -o out --force-export", ["csv", "map.html", "plan.xlsx"]),
        ("schema -o out", ["inventory.schema.json", "plan.schema.json"]),
        ("new out --example bank", ["sites.csv"]),
    ],
)  # fmt: skip
def test_verbs_that_write_files_write_them_all(tmp_path, small, words, written):
    (tmp_path / "scenarios.csv").write_text(SCENARIOS, encoding="utf-8")
    write_plan(fixture_plan(), tmp_path / "plan.json")
    done = shell(f"$fleet {words} 2>&1 | true; echo ${{PIPESTATUS[0]}}", tmp_path)
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "7")  # the failures of the fixture break promises
    for name in written:
        assert (tmp_path / "out" / name).exists(), name


def test_rows_that_are_only_printed_end_quietly_too(tmp_path):
    write_plan(fixture_plan(), tmp_path / "plan.json")
    done = shell("$fleet fail plan.json --all pairs --json 2>error.txt | head -2; cat error.txt", tmp_path)
    assert done.stdout.splitlines()[0] == "["
    assert "Error" not in done.stdout


def test_rows_of_json_follow_the_files(tmp_path):
    """With a folder, the rows on standard output are those of the table, once it is written."""
    write_plan(fixture_plan(), tmp_path / "plan.json")
    alone = shell("$fleet fail plan.json --json", tmp_path)
    beside = shell("$fleet fail plan.json --json -o out", tmp_path)
    assert beside.stdout == alone.stdout
    assert alone.stdout.startswith("[\n {")


# --- the output folder is tried first ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "plan small -o taken --time-limit 20",
        "batch small scenarios.csv -o taken",
        "fail plan.json -o taken",
        "export plan.json --to xlsx -o taken --force-export",
        "new taken --sites 3",
        "plan small -o taken/below --time-limit 20",
    ],
)
def test_a_file_in_the_place_of_the_folder_is_a_usage_error(tmp_path, small, words):
    (tmp_path / "scenarios.csv").write_text(SCENARIOS, encoding="utf-8")
    write_plan(fixture_plan(), tmp_path / "plan.json")
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    done = shell(f"$fleet {words}", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: taken")
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_cannot_be_written_into_is_named(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(ExportError, match=r"out cannot be written into: Permission denied; name another folder"):
        require_writable(tmp_path / "out")


def test_a_folder_in_the_place_of_an_export_is_named(tmp_path):
    (tmp_path / "map.html").mkdir()
    require_room(tmp_path, ["json", "csv"])
    with pytest.raises(ExportError, match=r"map\.html is a folder, and a file goes there"):
        require_room(tmp_path)


def test_one_file_that_cannot_be_written_leaves_the_others(tmp_path):
    (tmp_path / "plan.xlsx").mkdir()
    with pytest.raises(ExportError, match=r"plan\.xlsx cannot be written"):
        export_plan(fixture_plan(), tmp_path)
    for name in ("json", "map", "report", "geojson"):
        assert (tmp_path / EXPORTS[name]).is_file(), name


# --- interrupts ----------------------------------------------------------------------------------------------------


def test_an_interrupt_waits_for_the_end_of_a_block():
    done = []

    def write():
        with interrupts_later():
            signal.raise_signal(signal.SIGINT)
            done.append("written")

    with pytest.raises(KeyboardInterrupt):
        write()
    assert done == ["written"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_while_exporting_keeps_the_plan(tmp_path, monkeypatch):
    from fleet.exchange.maps import page as maps
    from solvers.command import planning
    from solvers.result import SolveResult

    def interrupted(plan):
        raise KeyboardInterrupt

    monkeypatch.setattr(maps, "to_map", interrupted)
    plan = fixture_plan()
    value = plan.totals.present_value
    result = SolveResult("feasible", plan, value, value, "test", "gap", 1.0, 0, "exact")
    assert planning._export_result(result, tmp_path, None, force=True) == 5
    assert (tmp_path / "plan.json").is_file()


# --- what lies in the user's folder --------------------------------------------------------------------------------


@pytest.fixture
def foreign(tmp_path):
    """A folder full of modules that write down that they were imported, and stop the process."""
    folder = tmp_path / "foreign"
    for name in FOREIGN:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\nraise SystemExit(9)\n", "utf-8")
    return folder


@pytest.mark.parametrize("start", ["clone", "script"])
def test_modules_in_the_current_folder_are_not_run(tmp_path, small, foreign, start):
    (tmp_path / "scenarios.csv").write_text(SCENARIOS, encoding="utf-8")
    script = tmp_path / "bin" / "fleet"
    script.parent.mkdir()
    script.write_text(
        f"import sys\nsys.path.insert(1, {str(ROOT)!r})\nfrom cli import main\nmain()\n", encoding="utf-8"
    )
    fleet_ = "$fleet" if start == "clone" else f"{sys.executable} {script}"
    line = f"{fleet_} plan {small} -o ../out --time-limit 20 -q && "
    line += f"{fleet_} batch {small} ../scenarios.csv -o ../batch --time-limit 20 -q"
    done = shell(line, foreign)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()
    assert (tmp_path / "batch" / "a" / "plan.json").is_file()


def test_children_of_a_library_call_import_safely_and_the_setting_ends(monkeypatch):
    monkeypatch.delenv(SAFE_PATH, raising=False)
    with children_import_safely():
        done = subprocess.run(
            [sys.executable, "-c", "import sys; print('' in sys.path)"], capture_output=True, text=True, check=False
        )
    assert done.stdout == "False\n"
    assert SAFE_PATH not in os.environ
    monkeypatch.setenv(SAFE_PATH, "x")
    with children_import_safely():
        assert os.environ[SAFE_PATH] == "1"
    assert os.environ[SAFE_PATH] == "x"
