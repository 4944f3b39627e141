"""Without any one encoder some fleet gets another answer; without the tightening rows none does."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from fleet.plan.decisions import Decisions
from fleet.plan.normal_state import NormalState
from solvers import EngineError, SolveConfig, solve
from solvers.formulation.constraints import cover
from solvers.formulation.constraints import site_access as access
from solvers.incumbent import evaluation
from solvers.problem.design import DesignProblem
from tests.optimization.tiny_fleets import FAMILIES
from tests.oracles import cheapest_plan

#: (module, function) that is made to do nothing, and a fleet that shows it.
MUTATIONS = [
    ("siting", "encode", "plain", 5),
    ("siting", "_limits", "two_clusters", 39),
    ("siting", "_opening", "plain", 9),
    ("growth", "_monotone", "growing", 1),
    ("growth", "_existing", "standing", 0),
    ("assignment", "_served", "plain", 1),
    ("assignment", "_open", "tolerances", 0),
    ("capacity", "encode", "plain", 1),
    ("reserve", "encode", "dedicated", 15),
    ("standby", "encode", "partners", 63),
    ("pins", "encode", "pinned", 4),
    ("budget", "encode", "budgets", 6),
    ("links", "encode", "failed_links", 3),
    ("links", "encode_upgrades", "upgrades", 1),
    ("upload", "encode", "clouds", 12),
    ("hosts", "encode_found", "hosts", 17),
]
CONFIG = SolveConfig(gap=0.0, time_limit_s=10.0)


def keeps_its_answer(family: str, seed: int) -> bool:
    """Whether a fleet still gets the optimum of brute force, in a plan without errors."""
    inventory = FAMILIES[family](seed)
    optimum = cheapest_plan(inventory)
    assert optimum is not None
    try:
        result = solve(inventory, config=CONFIG)
    except EngineError:
        return False
    if result.plan is None or result.objective is None or result.plan.errors:
        return False
    return abs(result.objective - optimum.present_value) <= 1e-6 * optimum.present_value


def nothing(*_: object) -> None:
    """What is left of an encoder."""


def as_found(_: DesignProblem, normal: NormalState, _extra: object) -> Decisions:
    """The decision that was to be resized; resizing would repair what a missing row does."""
    return normal.context.decisions


@pytest.mark.parametrize(("module", "function", "family", "seed"), MUTATIONS)
def test_every_encoder_matters(
    module: str, function: str, family: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "resized", as_found)
    monkeypatch.setattr(importlib.import_module(f"solvers.formulation.constraints.{module}"), function, nothing)
    assert not keeps_its_answer(family, seed)


@pytest.mark.parametrize("module", [access, cover], ids=lambda module: module.__name__.rpartition(".")[2])
@pytest.mark.parametrize(("family", "seed"), [("failed_links", 3), ("reserves", 1), ("upgrades", 1)])
def test_tightening_rows_change_no_answer(
    module: ModuleType, family: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keeps_its_answer(family, seed)
    monkeypatch.setattr(module, "encode", nothing)
    assert keeps_its_answer(family, seed)
