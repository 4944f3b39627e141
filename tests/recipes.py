"""Recipes of the documents, read and carried out in a copy of the project.

A recipe is a page with numbered steps. Blocks with a title are files: a new one, or a diff of one. Hunks of a diff are
separated by ``@@`` and found by their text, which must stand there once.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "how-to"
STEP = re.compile(r"^## (\d+)\. .*$", re.MULTILINE)
BLOCK = re.compile(r'^```(diff|python|sh)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
#: What the commands of recipes do, in a copy without an environment of its own.
COMMANDS = {"make schemas": [sys.executable, "cli.py", "schema", "-o", "docs/schemas"]}
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "out", "dist", "build", "__pycache__", ".*_cache", "*.egg-info")


@dataclass(frozen=True)
class Recipe:
    """One page: its steps, each with its blocks, and the test that fails without each."""

    name: str
    after: str
    steps: dict[int, list[tuple[str, str, str]]]
    tests: dict[int, str]


def read_recipe(name: str) -> Recipe:
    """The recipe on a page."""
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    body, _, table = text.partition("\n## What fails if a step is forgotten\n")
    parts = STEP.split(body)
    steps = {int(number): BLOCK.findall(part) for number, part in zip(parts[1::2], parts[2::2], strict=True)}
    after = re.search(r"<!-- after: ([\w-]+)\.md -->", text)
    tests = {int(step): path for step, path in re.findall(r"^\| (\d+) \| `([^`]+)` \|$", table, re.MULTILINE)}
    return Recipe(name, after[1] if after else "", steps, tests)


def copy_project(folder: Path) -> Path:
    """A copy of the project's files."""
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    return folder


def carry_out(recipe: Recipe, folder: Path, without: Collection[int] = ()) -> None:
    """Do every step but some, and first those of the recipe that this one follows."""
    if recipe.after:
        carry_out(read_recipe(recipe.after), folder)
    for number, blocks in recipe.steps.items():
        for kind, title, text in blocks if number not in without else ():
            if kind == "diff":
                change(folder / title, text)
            elif kind == "sh":
                for line in text.splitlines():
                    subprocess.run(COMMANDS[line], cwd=folder, check=True, capture_output=True)
            else:
                assert not (folder / title).exists(), title
                (folder / title).write_text(text, encoding="utf-8")


def change(path: Path, diff: str) -> None:
    """Apply a diff whose hunks are found by their text."""
    text = path.read_text(encoding="utf-8")
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = hunk.splitlines()
        old = "\n".join(line[1:] for line in lines if not line.startswith("+"))
        new = "\n".join(line[1:] for line in lines if not line.startswith("-"))
        assert text.count(old) == 1, f"{path.name}: {text.count(old)} times\n{old}"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def passes(folder: Path, tests: Collection[str]) -> tuple[bool, str]:
    """Whether tests of a copy pass, and what they print."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *sorted(tests)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr
