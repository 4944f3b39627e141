"""Compiled code: where it is kept, what is done where it cannot be kept, and compilers that know less."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numba
import pytest

from solvers import SolveConfig
from solvers.location import code_folder as folders
from solvers.location import compiled, solve_location, solving
from solvers.location.compiled import UNPROMISED, compiled_step, was_compiled_here
from tests.location.small_problems import two

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """The folder is looked for anew, here and afterwards."""
    folders.code_folder.cache_clear()
    yield
    folders.code_folder.cache_clear()


def a_sum() -> object:
    """A function that nobody has compiled yet."""

    def total(count: int) -> int:
        found = 0
        for number in range(count):
            found += number
        return found

    return total


def test_code_goes_to_the_folder_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "code_folder", lambda: tmp_path)
    before = numba.config.CACHE_DIR
    total = compiled.compiled(a_sum())
    assert total(5) == 10
    assert was_compiled_here(total)
    assert list(tmp_path.rglob("*.nbi"))
    assert before == numba.config.CACHE_DIR
    again = compiled.compiled(a_sum())
    assert again(5) == 10
    assert not was_compiled_here(again)


@pytest.mark.skipif(os.name != "posix", reason="folders of other platforms")
def test_without_that_it_goes_to_the_users_caches_and_else_to_temporary_files(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    found = folders.code_folder()
    assert found is not None
    assert found.parent == tmp_path / "caches" / "fleet-planner"
    assert found.stat().st_mode & 0o777 == 0o700

    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folders.code_folder.cache_clear()
    found = folders.code_folder()
    assert found is not None
    assert found.parent == tmp_path


@pytest.mark.skipif(os.name != "posix", reason="rights of other platforms")
def test_code_that_others_could_have_written_is_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    found = folders.code_folder()
    assert found is not None
    found.chmod(0o777)
    folders.code_folder.cache_clear()
    assert folders.code_folder() != found


def test_other_sources_other_folder(tmp_path, monkeypatch):
    (tmp_path / "compiled.py").write_text("a = 1")
    monkeypatch.setattr(folders, "ROOM", tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    first = folders.code_folder()
    (tmp_path / "compiled.py").write_text("a = 2")
    folders.code_folder.cache_clear()
    assert folders.code_folder() != first


NOWHERE = """
import logging, sys, tempfile
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
tempfile.tempdir = "/dev/null/no-folder"
from tests.location.small_problems import two
from solvers import SolveConfig
from solvers.location import solve_location
from solvers.location.code_folder import code_folder
print(code_folder(), solve_location(two(), SolveConfig(time_limit_s=20.0)).status)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="no such paths")
def test_where_nothing_can_be_written_it_is_solved_all_the_same():
    gone = "/dev/null/no-home"
    environment = {**os.environ, "HOME": gone, "XDG_CACHE_HOME": gone, "NUMBA_CACHE_DIR": gone, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NOWHERE],
        capture_output=True, text=True, cwd=ROOT, env=environment, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1:] == ["None optimal"], done.stderr
    assert "kept in memory" in done.stdout


def test_a_folder_that_is_gone_by_then_is_done_without(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "code_folder", lambda: Path(os.devnull) / "no-folder")
    assert compiled.compiled(a_sum())(5) == 10


@pytest.mark.parametrize("unknown", sorted(UNPROMISED))
def test_a_compiler_that_does_not_know_an_option_is_used_without_it(unknown, monkeypatch, caplog):
    from numba.core.options import DefaultOptions

    monkeypatch.delattr(DefaultOptions, unknown)
    caplog.set_level(logging.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step = compiled_step(a_sum())

        @numba.njit
        def loop(count: int) -> int:
            return step(count) + 1

        assert loop(5) == 11
    assert unknown not in step.targetoptions
    assert unknown in caplog.text


def test_a_compiler_without_a_list_of_options_is_told_only_what_is_promised(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba.core.options", None)
    step = compiled_step(a_sum())
    assert not set(step.targetoptions) & set(UNPROMISED)
    assert step(5) == 10


def test_an_interrupt_while_loops_are_compiled_ends_the_solve(monkeypatch):
    def interrupted(cores: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(solving, "warm_up", interrupted)
    result = solve_location(two(), SolveConfig(time_limit_s=5.0))
    assert (result.status, result.stopped_by) == ("no_solution", "interrupt")


@pytest.mark.slow
def test_the_first_solve_says_so_and_the_limit_counts_only_afterwards(tmp_path):
    script = """
import logging, sys, time
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
from tests.location.small_problems import two
from solvers import SolveConfig
from solvers.location import solve_location
result = solve_location(two(), SolveConfig(time_limit_s=20.0, workers=2))
print(result.status, result.seconds < 3.0)
"""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    said = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment, check=True
        ).stdout
        for _ in range(2)
    ]
    assert said[0].startswith("compiling the loops")
    assert said[0].endswith("optimal True\n")
    assert said[1] == "optimal True\n"
