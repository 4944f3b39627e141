"""Every snippet of the documents runs: Python in one namespace for each page, commands in a folder of their own.

Time limits are cut short. Blocks with a title are files that the page speaks of; those of recipes are carried out by
`tests/test_how_to.py`. Commands that would change the project or the machine are tried without doing it.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "reference").glob("*.md")),
]
BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<excuse>[^>]+) -->\n+)?"
    r"```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
#: Seconds that a snippet may solve for, whatever it says: on fleets of the documents, and on the shipped examples.
SECONDS, EXAMPLE_SECONDS = 5, 20
#: Exit codes that are no fault of a snippet: a gap that is missed in so short a time, a promise that a failure breaks.
ALLOWED = {"plan": {0, 5}, "fail": {0, 7}, "batch": {0, 5}}
#: Pages whose snippets take more than a few seconds.
SLOW = {"README.md"}
SCENARIOS = "scenario,table,row,column,action,value\ndouble,workloads,*,vcpus,scale,1.1\n"


def blocks(path):
    return [found.groupdict() for found in BLOCK.finditer(path.read_text(encoding="utf-8"))]


def executed(path):
    return [block for block in blocks(path) if block["kind"] in ("python", "sh", "toml") and not block["excuse"]]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with what the commands of the documents name: examples, an inventory, scenarios."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    shutil.copytree(ROOT / "data" / "healthcare", tmp_path / "INVENTORY")
    for name in ("growth.csv", "scenarios.csv"):
        (tmp_path / name).write_text(SCENARIOS, encoding="utf-8")
    (tmp_path / "tuning.toml").write_text("[formulation]\ncover_sets = 12\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_fleet(words, place, seconds):
    verb = words[1] if len(words) > 1 else ""
    if verb in ("plan", "batch") and "--time-limit" not in words:
        words = [*words, "--time-limit", str(seconds)]
    command = [sys.executable, str(ROOT / "cli.py"), *words[1:]]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode in ALLOWED.get(verb, {0}), f"{shlex.join(words)}\n{done.stdout}{done.stderr}"


def try_tool(words):
    """The help of a tool knows every option that the snippet gives."""
    count = 3 if words[1] == "-m" else 2
    done = subprocess.run(
        [sys.executable, *words[1:count], "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for word in words[count:]:
        assert not word.startswith("--") or word in done.stdout, f"{shlex.join(words)}: {word}"


def run_line(line, place, seconds):
    words = shlex.split(line, comments=True)
    if not words:
        return
    if words[0] == "fleet":
        run_fleet(words, place, seconds)
    elif words[0] == "make":
        done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    elif words[0] == "python":
        try_tool(words)
    else:
        pytest.fail(f"nobody knows how to try {line!r}")


PARAMETERS = [
    pytest.param(path, marks=[pytest.mark.slow] if path.name in SLOW else [], id=str(path.relative_to(ROOT)))
    for path in PAGES
    if executed(path)
]


@pytest.mark.parametrize("path", PARAMETERS)
def test_snippets_run(path, place):
    names, seconds = {"__name__": path.stem}, EXAMPLE_SECONDS if path.name in SLOW else SECONDS
    for block in executed(path):
        text = re.sub(r"(time_limit_s=|--time-limit )\d+", rf"\g<1>{seconds}", block["text"])
        if block["title"]:
            (place / block["title"]).write_text(text, encoding="utf-8")
        elif block["kind"] == "python":
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                exec(compile(text, f"{path.name}", "exec"), names)
        else:
            for line in text.splitlines():
                run_line(line, place, seconds)


def test_what_is_not_run_says_why_and_is_no_python():
    excused = [(path.name, block) for path in PAGES for block in blocks(path) if block["excuse"]]
    for name, block in excused:
        assert len(block["excuse"]) > 15, name
        assert block["kind"] == "sh", name


def test_every_fence_is_of_a_known_kind():
    for path in [*PAGES, *sorted((ROOT / "docs").rglob("*.md"))]:
        kinds = re.findall(r"^```(\w*)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(kinds[::2]) <= {"python", "sh", "toml", "text", "console", "diff"}, path.name
