"""Tuning constants can be seen and set: each says its unit, meaning and choice, and a file changes what it names."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleet.inventory.synthetic import synthetic
from solvers import SolveConfig, solve
from solvers.command import application
from solvers.parameters import Parameters, read_parameters
from solvers.parameters.formulation import FormulationParameters
from solvers.parameters.parameter import DataclassInstance
from solvers.parameters.problem import ProblemParameters


def every(parameters: DataclassInstance) -> list[tuple[str, object]]:
    """(path, field) of every constant, whatever holds it."""
    found: list[tuple[str, object]] = []
    for each in fields(parameters):
        value = getattr(parameters, each.name)
        inner = every(value) if hasattr(value, "__dataclass_fields__") else [("", each)]
        found += [(f"{each.name}.{path}".strip("."), entry) for path, entry in inner]
    return found


@pytest.mark.parametrize(("path", "constant"), [pytest.param(*each, id=each[0]) for each in every(Parameters())])
def test_every_constant_says_unit_meaning_and_choice(path: str, constant: object) -> None:
    about = getattr(constant, "metadata", {})
    assert about.keys() >= {"unit", "meaning", "chosen", "least", "most"}, path
    assert about["meaning"], path
    assert about["chosen"], path


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "tuning.toml"
    path.write_text("[problem]\nmixes = 0\n\n[formulation]\ncover_sets = 3\n", encoding="utf-8")
    found = read_parameters(path)
    assert found == Parameters(problem=ProblemParameters(mixes=0), formulation=FormulationParameters(cover_sets=3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[problem]\nmixtures = 0\n", r"unknown parameter 'problem.mixtures'; there are bound_columns, .*mixes"),
        ("[weather]\nrain = 0\n", "unknown parameter 'weather'; there are engines, formulation"),
        ("problem = 3\n", "'problem' is a table of parameters, got 3"),
        ("[problem]\nmixes = 0.5\n", "ProblemParameters.mixes: expected a whole number, got 0.5"),
        ("[problem]\nmixes = true\n", "ProblemParameters.mixes: expected a whole number, got True"),
        ("[problem]\nmixes = [1, 2]\n", r"ProblemParameters.mixes: expected a whole number, got \(1, 2\)"),
        ("[problem]\nreaches = 0\n", "ProblemParameters.reaches: 0 sets is outside of 1 to 2.14748e"),
        ("[problem]\nreaches = 3000000000\n", "ProblemParameters.reaches: 3000000000 sets is outside of 1 to 2.14"),
        ("[strategies]\nhurry_s = inf\n", "StrategyParameters.hurry_s: inf s is outside of 0 to 1e"),
        ("[strategies]\nhurry_s = nan\n", "StrategyParameters.hurry_s: nan s is outside of 0 to 1e"),
        ("[problem\n", "tuning.toml: Expected"),
    ],
)
def test_what_a_file_may_not_say(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "tuning.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_parameters(path)


def test_a_wrong_file_is_a_usage_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "tuning.toml"
    path.write_text("[problem]\nmixtures = 0\n", encoding="utf-8")
    words = ["plan", "data/research", "-o", str(tmp_path / "out"), "--parameters"]
    for file, says in ((path, "unknown parameter"), (tmp_path / "absent.toml", "absent.toml")):
        done = CliRunner().invoke(application.app, [*words, str(file)])
        assert done.exit_code == 2
        assert says in " ".join(done.output.split())


def test_parameters_reach_the_search() -> None:
    """Without cover rows and subset rows the same optimum is proven, as they only say what is implied."""
    inventory = synthetic(8, 3, 1)
    lean = FormulationParameters(cover_sets=0, subsets_per_domain=0, subsets_of_many=0)
    found = [
        solve(inventory, config=SolveConfig(time_limit_s=60.0, deterministic=True, parameters=each))
        for each in (Parameters(), Parameters(formulation=lean))
    ]
    assert [result.status for result in found] == ["optimal", "optimal"]
    assert found[1].objective == pytest.approx(found[0].objective, rel=1e-4)
    said = [result.require_plan().document.generator.parameters for result in found]
    assert said == [
        None,
        "formulation.subsets_per_domain = 0; formulation.subsets_of_many = 0; formulation.cover_sets = 0",
    ]
    texts = [result.require_plan().document.generator.model_dump_json() for result in found]
    assert ['"parameters"' in text for text in texts] == [False, True]
