"""Every parameter of the location core at both ends of what is allowed: no crash, no hang, and a result that holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from solvers import SolveConfig
from solvers.location import FacilityProblem, solve_location
from solvers.location.bound.knapsack import whole_units
from solvers.location.evaluate import check_result
from solvers.location.layout import lay_out
from solvers.parameters import Parameters
from solvers.parameters.location import BoundParameters, LocationParameters
from solvers.parameters.parameter import MOST_NUMBER, MOST_WHOLE, from_mapping

#: Too short for an engine to be begun; long enough for one of each kind of program.
LIMIT_S, PROGRAMS_S = 0.1, 0.6
#: Far more than the limit, far less than a loop without end takes: an engine's start and an overrun are in it.
PATIENCE_S = 20.0


def every_parameter(kind: type[Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Field[Any]]]:
    """All parameters of a class and those inside it, with the names that lead to each."""
    for each in fields(kind):
        inner: Any = each.default_factory
        if isinstance(inner, type) and is_dataclass(inner):
            yield from every_parameter(inner, (*path, each.name))
        else:
            yield (*path, each.name), each


PARAMETERS = {".".join(path): each for path, each in every_parameter(LocationParameters)}


def end(each: Field[Any], which: str) -> Any:
    """The least or the most that a parameter may be, as its default is one number or a list."""
    entries = each.default if isinstance(each.default, tuple) else (each.default,)
    is_whole = all(isinstance(entry, int) for entry in entries)
    value = min(each.metadata[which], MOST_WHOLE if is_whole else MOST_NUMBER)
    value = int(value) if is_whole else float(value)
    return [value] * len(entries) if isinstance(each.default, tuple) else value


def config_of(name: str, value: Any) -> SolveConfig:
    """A short solve with one parameter changed; where that is about programs, with some."""
    nested: Any = value
    for key in reversed(name.split(".")):
        nested = {key: nested}
    limit_s = LIMIT_S
    if "program" in name or name in ("spare_s", "search_share", "revived"):
        nested = {"spare_s": 0.0, "least_program_s": 0.05, "search_share": 0.0, **nested}
        limit_s = PROGRAMS_S
    return SolveConfig(
        time_limit_s=limit_s, gap=0.0, workers=1, parameters=from_mapping(Parameters, {"location": nested})
    )


def a_tight_plane(n: int, m: int) -> FacilityProblem:
    """Demands and facilities of two sizes on a plane, full enough that demands wait and overload on the way."""
    chance = np.random.default_rng(3)
    users, sites = chance.random((n, 2)), chance.random((m, 2))
    demand = chance.integers(2, 12, (n, 1)).astype(float)
    return FacilityProblem(
        demand=demand,
        arc_demand=np.repeat(np.arange(n), m),
        arc_facility=np.tile(np.arange(m), n),
        arc_cost=(100 * np.linalg.norm(users[:, None] - sites[None], axis=2)).ravel().round(1),
        option_facility=np.repeat(np.arange(m), 2),
        option_cost=np.tile([60.0, 100.0], m),
        option_capacity=np.tile([0.6, 1.2], m)[:, None] * float(demand.sum()) / (m - 1),
    )


@pytest.mark.slow
@pytest.mark.parametrize("which", ["least", "most"])
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_solve_with_a_parameter_at_its_end_ends_and_holds(name: str, which: str) -> None:
    problem = a_tight_plane(30, 6)
    begun = time.monotonic()
    result = solve_location(problem, config_of(name, end(PARAMETERS[name], which)))
    assert time.monotonic() - begun < PATIENCE_S
    assert check_result(problem, result) == ()
    assert result.status in ("optimal", "feasible", "no_solution")


@pytest.mark.parametrize("parts", [10**15, 10**9])
def test_sums_that_are_not_exact_are_no_whole_units(parts: int) -> None:
    layout = lay_out(a_tight_plane(30, 6))
    if parts > PARAMETERS["bound.unit_parts"].metadata["most"]:
        with pytest.raises(ValueError, match="unit_parts"):
            BoundParameters(unit_parts=(parts,))
    else:
        assert whole_units(layout, BoundParameters(unit_parts=(parts,), most_cells=100_000_000)) is None


def test_demands_too_large_to_be_counted_are_no_whole_units() -> None:
    problem = a_tight_plane(30, 6)
    large = FacilityProblem(
        problem.demand * 1e18,
        problem.arc_demand,
        problem.arc_facility,
        problem.arc_cost,
        problem.option_facility,
        problem.option_cost,
        problem.option_capacity * 1e18,
    )
    assert whole_units(lay_out(problem), BoundParameters()) is not None
    assert whole_units(lay_out(large), BoundParameters()) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bound.unit_parts", [10**19]),
        ("search.hot", 0.0),
        ("search.warm", 0.0),
        ("search.cold", 0.0),
        ("search.steps_per_s", 1e300),
        ("terms_per_s", 1e300),
        ("search.moves.move_steps", 0.0),
        ("search.moves.swaps", 10**9),
    ],
)
def test_what_would_crash_or_never_end_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name.rpartition(".")[2]):
        config_of(name, value)
