"""Every recipe works in a copy of the project, and each forgotten step is noticed by the test that the page names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.recipes import PAGES, carry_out, copy_project, passes, read_recipe

NAMES = sorted(path.stem for path in PAGES.glob("*.md"))
RECIPES = {name: read_recipe(name) for name in NAMES}
FORGOTTEN = [(name, step) for name, recipe in RECIPES.items() for step in recipe.tests]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_works_as_it_stands(name, tmp_path):
    recipe, folder = RECIPES[name], copy_project(tmp_path / "copy")
    carry_out(recipe, folder)
    is_fine, output = passes(folder, set(recipe.tests.values()))
    assert is_fine, output
    for check in (["ruff", "check", "."], ["ruff", "format", "--check", "."]):
        done = subprocess.run([sys.executable, "-m", *check], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("name", "step"), FORGOTTEN, ids=[f"{name}-{step}" for name, step in FORGOTTEN])
def test_a_forgotten_step_is_noticed(name, step, tmp_path):
    recipe, folder = RECIPES[name], copy_project(tmp_path / "copy")
    carry_out(recipe, folder, without={step})
    is_fine, output = passes(folder, {recipe.tests[step]})
    assert not is_fine, output


@pytest.mark.parametrize("name", NAMES)
def test_every_step_but_those_that_only_add_tests_has_its_test(name):
    recipe = RECIPES[name]
    adds_tests = {
        step for step, blocks in recipe.steps.items() if all(title.startswith("tests/") for _, title, _ in blocks)
    }
    assert set(recipe.steps) - adds_tests <= set(recipe.tests) <= set(recipe.steps)
    assert recipe.tests
