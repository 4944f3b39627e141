"""Location problems solved: between the optimum by enumeration and a bound that anyone can recompute."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.published import published_files, read_published
from solvers import SolveConfig
from solvers.engines.pool import EnginePool
from solvers.location import FacilityProblem, LocationResult, solve_location
from solvers.location.bound.ascent import Ascent
from solvers.location.bound.certificate import certify
from solvers.location.bound.floors import Floors
from solvers.location.evaluate import certificate_bound, check_result
from solvers.location.layout import lay_out
from solvers.location.programs.integer_programs import Programs
from solvers.location.progress import Progress
from solvers.location.schedule import SearchSide
from solvers.parameters import Parameters
from solvers.parameters.location import BoundParameters, ProgramParameters
from solvers.parameters.parameter import from_mapping
from tests.location.small_problems import optimum, random_problem, two

ROOT = Path(__file__).resolve().parents[2]
QUICK = SolveConfig(time_limit_s=20.0, workers=2)


def a_grid(n: int, m: int, seed: int, resources: int = 1) -> FacilityProblem:
    """Demands and facilities on a plane, three sizes of each facility, everything eligible."""
    chance = np.random.default_rng(seed)
    users, sites = chance.random((n, 2)), chance.random((m, 2))
    size = chance.integers(2, 12, (n, resources)).astype(float)
    steps = np.array([1.0, 2.0, 4.0])
    return FacilityProblem(
        demand=size,
        arc_demand=np.repeat(np.arange(n), m),
        arc_facility=np.tile(np.arange(m), n),
        arc_cost=(100 * np.linalg.norm(users[:, None] - sites[None], axis=2)).ravel().round(1),
        option_facility=np.repeat(np.arange(m), 3),
        option_cost=np.tile(60 * steps**0.8, m) + np.repeat(chance.integers(0, 30, m), 3),
        option_capacity=np.repeat(np.tile(14.0 * steps, m)[:, None], resources, axis=1),
    )


def judged(problem: FacilityProblem, result: LocationResult) -> None:
    """Cost, feasibility, bound and certificate hold, and so does the optimum between them."""
    assert check_result(problem, result) == ()
    best = optimum(problem)
    if best is None:
        assert result.status == "infeasible", result
        return
    assert result.cost is not None
    assert result.bound is not None
    assert result.status == "optimal", result
    assert result.bound <= best + 1e-6 * max(1.0, abs(best))
    assert result.cost >= best - 1e-6 * max(1.0, abs(best))
    assert result.cost <= best + 1.01e-4 * max(1.0, abs(best))


@pytest.mark.parametrize("seed", range(40))
def test_small_problems_end_in_a_proof(seed: int) -> None:
    problem = random_problem(seed)
    judged(problem, solve_location(problem, QUICK))


@pytest.mark.slow
@pytest.mark.parametrize("tens", range(4, 50))
def test_more_small_problems_end_in_a_proof(tens: int) -> None:
    for seed in range(10 * tens, 10 * tens + 10):
        problem = random_problem(seed)
        judged(problem, solve_location(problem, QUICK))


@pytest.mark.parametrize("seed", range(300))
def test_every_bound_of_an_ascent_is_below_the_optimum_and_recomputed_from_its_certificate(seed: int) -> None:
    problem = random_problem(seed)
    best = optimum(problem)
    ascent = Ascent(lay_out(problem))
    for is_whole in (False, True):
        if is_whole and not ascent.tighten():
            return
        ascent.run(40, math.inf if best is None else best)
        certificate = certify(ascent)
        proven = certificate_bound(problem, certificate)
        assert proven >= ascent.bound - 1e-6 * max(1.0, abs(ascent.bound))
        if best is not None:
            assert ascent.bound <= proven + 1e-6 * max(1.0, abs(best))
            assert proven <= best + 1e-6 * max(1.0, abs(best))


@pytest.mark.parametrize("seed", range(60))
def test_floors_never_exclude_what_an_optimum_uses(seed: int) -> None:
    problem = random_problem(seed)
    best = optimum(problem)
    if best is None:
        return
    result = solve_location(problem, QUICK)
    assert result.assignment is not None
    layout = lay_out(problem)
    ascent = Ascent(layout)
    floors = Floors(layout)
    for _ in range(2):
        ascent.run(30, best)
        floors.raise_by(ascent)
        used = result.assignment[layout.arc_demand] == layout.arc_facility
        assert (floors.arc[used] <= result.cost + 1e-6 * max(1.0, abs(best))).all()
        ascent.tighten()


def test_more_candidates_or_capacity_never_cost_more() -> None:
    chance = np.random.default_rng(7)
    for seed in range(4):
        problem = a_grid(12, 5, seed)
        before = solve_location(problem, QUICK)
        keep = problem.arc_facility != 4
        fewer = FacilityProblem(
            problem.demand,
            problem.arc_demand[keep],
            problem.arc_facility[keep],
            problem.arc_cost[keep],
            problem.option_facility[:12],
            problem.option_cost[:12],
            problem.option_capacity[:12],
        )
        larger = FacilityProblem(
            problem.demand,
            problem.arc_demand,
            problem.arc_facility,
            problem.arc_cost,
            problem.option_facility,
            problem.option_cost,
            problem.option_capacity + chance.integers(0, 5, problem.option_capacity.shape),
        )
        worse, better = solve_location(fewer, QUICK), solve_location(larger, QUICK)
        assert before.status == worse.status == better.status == "optimal"
        assert before.cost is not None
        assert worse.cost is not None
        assert better.cost is not None
        assert worse.cost >= before.cost * (1.0 - 2e-4)
        assert better.cost <= before.cost * (1.0 + 2e-4)


@pytest.mark.parametrize("resources", [1, 3])
def test_a_problem_of_moderate_size_is_solved_with_a_bound_that_holds(resources: int) -> None:
    problem = a_grid(60, 12, 3, resources)
    seen: list[tuple[float, float | None, float | None]] = []
    config = SolveConfig(time_limit_s=6.0, gap=0.01, on_progress=lambda *point: seen.append(point))
    result = solve_location(problem, config)
    assert check_result(problem, result) == ()
    assert result.gap is not None
    assert result.gap <= 0.05
    incumbents = [cost for _, cost, _ in seen if cost is not None]
    bounds = [bound for _, _, bound in seen if bound is not None]
    assert incumbents == sorted(incumbents, reverse=True)
    assert bounds == sorted(bounds)


def test_one_core_and_a_choice_of_medians() -> None:
    problem = a_grid(30, 10, 5)
    medians = FacilityProblem(
        problem.demand,
        problem.arc_demand,
        problem.arc_facility,
        problem.arc_cost,
        np.arange(10),
        np.zeros(10),
        np.full((10, 1), np.inf),
        max_open=3,
    )
    result = solve_location(medians, SolveConfig(time_limit_s=10.0, workers=1))
    assert check_result(medians, result) == ()
    assert result.status == "optimal"
    assert result.option is not None
    assert (result.option >= 0).sum() <= 3


def test_a_problem_without_a_solution_is_proven_to_have_none() -> None:
    result = solve_location(two(option_capacity=[[0.5], [2.5]], arc_demand=[0, 1, 1], arc_facility=[1, 1, 0],
                                demand=[[1.0], [2.0]]), QUICK)  # fmt: skip
    assert result.status == "infeasible"
    assert result.cost is None


def test_deterministic_solves_repeat() -> None:
    problem = a_grid(40, 10, 11)
    config = SolveConfig(time_limit_s=4.0, deterministic=True, seed=3)
    first, second = solve_location(problem, config), solve_location(problem, config)
    assert first.cost == second.cost
    assert first.bound == second.bound
    assert first.assignment is not None
    assert second.assignment is not None
    assert (first.assignment == second.assignment).all()
    assert first.certificate is not None
    assert second.certificate is not None
    assert (first.certificate.multipliers == second.certificate.multipliers).all()


SCRIPT = """
import numpy as np
from solvers import SolveConfig
from solvers.location import FacilityProblem, solve_location
draw, n, m = np.random.default_rng(5), 80, 20
problem = FacilityProblem(
    demand=draw.integers(5, 36, (n, 1)), arc_demand=np.repeat(np.arange(n), m), arc_facility=np.tile(np.arange(m), n),
    arc_cost=draw.uniform(10, 100, n * m), option_facility=np.arange(m), option_cost=draw.uniform(300, 900, m),
    option_capacity=draw.integers(150, 400, (m, 1)))
result = solve_location(problem, SolveConfig(time_limit_s=30.0, gap=0.01))
print(result.gap <= 0.01, (result.assignment >= 0).all())
"""
SAID = "True True\n"


def test_it_works_from_standard_input() -> None:
    done = subprocess.run([sys.executable, "-"], input=SCRIPT, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout == SAID, done.stderr


def test_it_works_from_a_script_without_main_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.stdout == SAID, done.stderr


PUBLISHED = [
    path for path in published_files("cflp") if path.name.split(".")[0] in ("cap64", "holmberg_p7", "delmaire_p2")
]
PUBLISHED += published_files("pmedian")[:1]


@pytest.mark.slow
@pytest.mark.skipif(not PUBLISHED, reason="the published instances are absent: name their folder in FLEET_BENCH")
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.name.split(".")[0])
def test_published_optima_are_proven(path: Path) -> None:
    instance = read_published(path)
    assert instance is not None
    result = solve_location(instance.problem, SolveConfig(time_limit_s=60.0))
    assert check_result(instance.problem, result) == ()
    assert result.status == "optimal"
    assert result.cost == pytest.approx(instance.best_known, rel=1e-4)


def test_parameters_steer_the_bound() -> None:
    layout = lay_out(a_grid(60, 12, 3, resources=3))
    bounds = set()
    for changes in ({}, {"adaptation": 0.05}, {"deflection": 0.0}, {"most_aim": 0.05}):
        ascent = Ascent(layout, BoundParameters(**changes))
        ascent.run(60, 2480.0)
        bounds.add(ascent.bound)
    assert len(bounds) == 4


def test_parameters_of_a_config_reach_search_and_programs() -> None:
    problem = a_grid(60, 12, 3, resources=3)
    costs = set()
    for moves in ({}, {"region": 0.6, "replace": 0.0}, {"blink": 0.2}, {"most_removed": 5}):
        parameters = from_mapping(Parameters, {"location": {"search": {"moves": moves}, "programs": {"whole_size": 0}}})
        progress = Progress(lay_out(problem), SolveConfig(deterministic=True, parameters=parameters))
        side = SearchSide.begin(progress, is_second=False)
        side.run(0.02)
        side.offer()
        costs.add(side.annealer.cost)
        with EnginePool() as pool:
            assert not Programs(progress, pool).start_whole(Floors(progress.layout), 5.0, is_early=False)
    assert len(costs) == 4


def test_shares_of_gap_and_time_go_together() -> None:
    with pytest.raises(ValueError, match="as many entries"):
        ProgramParameters(gap_shares=(1.0,))
