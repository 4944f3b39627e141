"""Engines that share a core: turns that double, and a proof that one of them alone does not find."""

from __future__ import annotations

import pytest

from solvers import SolveConfig, solve
from solvers.engines.turns import Turns
from solvers.parameters.engines import EngineParameters
from tests.optimization.mixed_fleets import mixed


def test_turns_double_and_end_with_the_time() -> None:
    tuning = EngineParameters()
    turns = Turns(1.0, 5.0 * tuning.turn_s, tuning)
    seen = []
    while True:
        seen.append((turns.engine(("cp_sat", "highs")), turns.limit_s / tuning.turn_s, turns.nodes / tuning.turn_nodes))
        if not turns.go_on():
            break
    assert [engine for engine, _, _ in seen] == ["cp_sat", "highs"] * 3 + ["cp_sat"]
    assert [limit for _, limit, _ in seen] == [1, 1, 2, 2, 4, 4, 5]
    assert [nodes for _, _, nodes in seen] == [1, 1, 2, 2, 4, 4, 8]


@pytest.mark.parametrize("config", [{"workers": 1}, {"deterministic": True}], ids=str)
def test_one_core_proves_what_one_engine_alone_does_not(config: dict[str, bool]) -> None:
    """CP-SAT alone, with one worker, stands at a gap of 38 % after a minute."""
    result = solve(mixed(179), config=SolveConfig(gap=0.0, time_limit_s=60.0, **config))  # type: ignore[arg-type]
    assert result.status == "optimal"
    assert result.objective == pytest.approx(101_355.72, rel=1e-6)
