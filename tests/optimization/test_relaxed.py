"""What bounds relax is said, and said with every bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleet.exchange.figures import bound_proof
from fleet.inventory.synthetic import synthetic
from solvers import SolveConfig, solve
from solvers.formulation.assembly import build
from solvers.formulation.relaxations import (
    APART,
    DIVIDED,
    EARLIER,
    FAILURES,
    FRACTIONS,
    LINKS,
    MIXED,
    NEARBY,
    TOGETHER,
    bound_source,
    relaxed,
)
from solvers.parameters import Parameters
from solvers.parameters.problem import ProblemParameters
from solvers.problem.compilation import compile_problem
from solvers.problem.demand_aggregation import aggregated, bundle
from solvers.problem.slot_aggregation import merge_slots
from tests.builders import a_link, a_protected_workload, a_site, a_workload, an_inventory
from tests.optimization.tuned import TAKEN_APART

LOOSE: dict[str, Any] = {"whole": False, "sparse": True, "final_demand": True}


def two_hubs(*workloads: Any, **columns: Any) -> Any:
    hubs = [a_site(name, can_host=True, **columns) for name in ("h", "k")]
    return an_inventory(hubs, workloads, [a_link("h", "k")], horizon_months=18)


@pytest.mark.parametrize(
    ("kinds", "linear", "expected"),
    [
        ({"has_pairs": True}, False, (FAILURES,)),
        ({"has_pairs": True, **LOOSE}, False, (DIVIDED, EARLIER, FAILURES)),
        ({"has_pairs": False, **LOOSE}, False, (DIVIDED, APART, EARLIER, LINKS)),
        ({"has_pairs": False, **LOOSE}, True, (FRACTIONS, DIVIDED, APART, EARLIER, LINKS)),
    ],
)
def test_every_formulation_says_what_it_relaxes(kinds: dict[str, Any], linear: bool, expected: tuple[str, ...]) -> None:
    problem = compile_problem(two_hubs(a_protected_workload("p", "h")))
    assert problem.periods > 1
    assert relaxed(build(problem, **kinds), linear=linear) == expected


def test_only_what_there_is_can_be_relaxed() -> None:
    single = build(compile_problem(two_hubs(a_workload("w", "h"))), has_pairs=False, **LOOSE)
    assert APART not in relaxed(single)
    merged = merge_slots(compile_problem(two_hubs(a_workload("w", "h"), max_clusters=3)))
    assert TOGETHER in relaxed(build(merged, has_pairs=True))
    assert TOGETHER not in relaxed(build(merge_slots(single.problem), has_pairs=True))


def test_what_bounds_over_many_classes_do_not_tell_apart_is_said() -> None:
    merged = merge_slots(compile_problem(synthetic(60, 8, 1)))
    told = {MIXED, NEARBY}
    assert not told & set(relaxed(build(bundle(merged).problem, has_pairs=False, **LOOSE)))
    coarse = Parameters(problem=ProblemParameters(mixes=0, bound_columns=0, reaches=1))
    merged = replace(merged, parameters=coarse)
    assert told < set(relaxed(build(aggregated(merged), has_pairs=False, **LOOSE)))


def test_sources_keep_the_order_and_come_apart_again() -> None:
    source = bound_source("HiGHS", {LINKS, DIVIDED})
    assert bound_proof(source) == ("HiGHS", f"relaxed: {DIVIDED}, {LINKS}")
    assert bound_proof(bound_source("CP-SAT", ())) == ("CP-SAT", "")


@pytest.mark.parametrize("strategy", ["exact", "decompose"])
def test_results_and_plans_say_what_their_bounds_relax(strategy: str) -> None:
    config = SolveConfig(gap=0.05, time_limit_s=20.0, parameters=TAKEN_APART)
    result = solve(synthetic(12, 4, 2), config=config, strategy=strategy)
    assert result.bound_source == result.require_plan().result.bound_source
    engine, remark = bound_proof(result.bound_source)
    assert remark.startswith("relaxed: ")
    assert (DIVIDED if engine.startswith("HiGHS") else FAILURES) in remark
