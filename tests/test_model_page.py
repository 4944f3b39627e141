"""The page of the model says what the code says: every row, rule, variable and relaxation, and nothing else."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from fleet.exchange.examples import example_folder
from fleet.exchange.readers import read
from fleet.plan.rules import RULES
from solvers.formulation import relaxations
from solvers.formulation.assembly import build
from solvers.formulation.variables import Formulation
from solvers.problem.compilation import compile_problem

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
CONSTRAINTS = "solvers.formulation.constraints"
RULE = re.compile(r"[A-Z]{2,3}-\d{3}")


def section(title):
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def table(title):
    lines = [line for line in section(title).splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def rows_of_the_page():
    """(row, module) as the page lists them."""
    return {
        (row, module if module.startswith("solvers.") else f"{CONSTRAINTS}.{module}")
        for row, module, _ in table("Rows and their modules")
    }


def texts(tree):
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def rows_of_the_code():
    """(row, module) of every literal rule id in the formulation, and of every literal name that any row is given."""
    found = set()
    for path in sorted((ROOT / "solvers").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("add_row", "add_arrays")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        }
        if module.startswith("solvers.formulation."):
            names |= {text for text in texts(tree) if RULE.fullmatch(text)}
        found |= {(name, module) for name in names}
    # steps of growth are refused by the platform, whose texts begin with the rule
    refusals = ast.parse((ROOT / "fleet" / "platform" / "growth.py").read_text(encoding="utf-8"))
    said = {rule for text in texts(refusals) for rule in re.findall(r"^([A-Z]{3}-\d{3}) ", text)}
    return found | {(rule, f"{CONSTRAINTS}.growth") for rule in said}


def test_every_row_of_the_code_is_on_the_page_and_the_other_way_round():
    assert rows_of_the_page() == rows_of_the_code()


def test_every_encoder_has_rows_on_the_page():
    encoders = {path.stem for path in (ROOT / "solvers/formulation/constraints").glob("*.py")} - {"__init__"}
    assert encoders == {
        module.removeprefix(f"{CONSTRAINTS}.") for _, module in rows_of_the_page() if CONSTRAINTS in module
    }


@pytest.mark.parametrize("has_pairs", [True, False])
@pytest.mark.parametrize("final_demand", [True, False])
def test_rows_that_are_built_are_on_the_page(has_pairs, final_demand):
    problem = compile_problem(read(example_folder("healthcare")))
    formulation = build(problem, has_pairs=has_pairs, sparse=True, final_demand=final_demand)
    assert set(formulation.model.row_rule) <= {row for row, _ in rows_of_the_page()}


def rules_in(text):
    """Rule ids in a text, those between two as in PLT-001 to PLT-018 too."""
    found = set(RULE.findall(text))
    for prefix, low, high in re.findall(r"([A-Z]{2,3})-(\d{3}) to \1-(\d{3})", text):
        found |= {f"{prefix}-{number:03}" for number in range(int(low), int(high) + 1)}
    return found


def test_every_rule_that_the_model_keeps_is_a_row_or_in_a_set():
    kept = {row for row, _ in rows_of_the_page()} | {
        rule for cells in table("Sets") if len(cells) == 3 for rule in rules_in(cells[2])
    }
    assert {rule.id for rule in RULES if rule.is_encoded} <= kept


def test_every_rule_that_the_page_names_exists_and_has_its_row_where_a_formula_stands_for_it():
    assert rules_in(PAGE) <= {rule.id for rule in RULES}
    formulas = set(re.findall(r"\\text\{([A-Z]{2,3}-\d{3})\}", PAGE))
    rows = {row for row, _ in rows_of_the_page() if RULE.fullmatch(row)}
    assert formulas <= rows
    text = PAGE.split("\n## Rows and their modules\n")[0]
    assert rows <= rules_in(text)


def test_every_field_of_a_formulation_is_a_variable_or_said_to_be_none():
    variables = {name for cells in table("Variables") for name in re.findall(r"`(\w+)`", cells[1])}
    fields = {field.name for field in dataclasses.fields(Formulation)}
    others = set(
        re.findall(r"`(\w+)`", section("Variables").split("formulation that are no variables:")[1].split("again.")[0])
    )
    assert variables | others == fields
    assert not variables & others


def test_what_bounds_relax_is_on_the_page_in_order():
    assert [said for said, _ in table("What a bound relaxes")] == [
        text for name, text in vars(relaxations).items() if name.isupper() and isinstance(text, str)
    ]
