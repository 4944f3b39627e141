"""Every way to solve beside brute force: strategies, workers and deterministic mode prove the same optimum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fleet.inventory.inventory import Inventory
from solvers import SolveConfig, SolveResult, solve
from tests.optimization.mixed_fleets import mixed
from tests.optimization.tuned import TAKEN_APART
from tests.oracles import Optimum, cheapest_plan
from tests.plan.judged_fleet import a_plan

RELATIVE = 1e-6
MODES = {
    "default": SolveConfig(gap=0.0, time_limit_s=120.0),
    "one worker": SolveConfig(gap=0.0, time_limit_s=120.0, workers=1),
    "deterministic": SolveConfig(gap=0.0, time_limit_s=120.0, deterministic=True),
}
STRATEGIES = ("exact", "decompose")
#: Every mode of the exact strategy, and decompose, on each fleet as a planner calls them. On fleets this small both
#: solve the pairs over all slots at once.
AS_CALLED = [*(("exact", mode) for mode in MODES), ("decompose", "default")]
#: What fleets are taken apart by in turn, as larger ones are.
APART_BY = [(strategy, mode) for strategy in STRATEGIES for mode in MODES]
FLEETS, CHUNK = 500, 20
#: Quick ones, of which an engine has proven wrong optima of the last two (google/or-tools#5293).
QUICK = (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 70, 78)


def judged_optimum(inventory: Inventory) -> Optimum | None:
    """The cheapest plan by brute force, which the audit finds clean and of that cost."""
    optimum = cheapest_plan(inventory)
    if optimum is not None:
        plan = a_plan(inventory, optimum.decisions)
        assert plan.errors == ()
        assert plan.document.totals.present_value == pytest.approx(optimum.present_value, rel=1e-9)
    return optimum


def disagreement(result: SolveResult, optimum: Optimum | None) -> str:
    """What a result says that brute force does not; blank where they agree."""
    said = f"{result.status} at {result.objective}, bound {result.bound} ({result.bound_source})"
    if optimum is None:
        return "" if result.status == "infeasible" and result.plan is None else f"{said}, there is no plan"
    least = optimum.present_value
    if result.status != "optimal" or result.objective is None or result.bound is None or result.plan is None:
        return f"{said}, the cheapest plan costs {least}"
    agrees = abs(result.objective - least) <= RELATIVE * least and abs(result.bound - least) <= RELATIVE * least
    if not agrees or result.plan.errors:
        return f"{said}, the cheapest plan costs {least}; {len(result.plan.errors)} errors"
    return ""


def disagreements(seed: int) -> Iterator[str]:
    """Where a way to solve one fleet differs from brute force."""
    inventory = mixed(seed)
    optimum = judged_optimum(inventory)
    for strategy, mode in AS_CALLED:
        if found := disagreement(solve(inventory, config=MODES[mode], strategy=strategy), optimum):
            yield f"fleet {seed}, {strategy}, {mode}: {found}"
    strategy, mode = APART_BY[seed % len(APART_BY)]
    config = replace(MODES[mode], parameters=TAKEN_APART)
    if found := disagreement(solve(inventory, config=config, strategy=strategy), optimum):
        yield f"fleet {seed}, {strategy} taken apart, {mode}: {found}"


@pytest.mark.parametrize("seed", QUICK)
def test_every_mode_proves_the_optimum(seed: int) -> None:
    assert list(disagreements(seed)) == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, FLEETS, CHUNK))
def test_every_mode_proves_the_optimum_of_many(first: int) -> None:
    found = [text for seed in range(first, first + CHUNK) for text in disagreements(seed)]
    assert found == []
