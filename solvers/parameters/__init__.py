"""Tuning constants of every room: what steers a search without changing what is right.

One module and one frozen class per room; `Parameters` holds them all. Every field says its unit, its meaning and how
it was chosen. `SolveConfig(parameters=...)` takes another one, ``fleet plan --parameters FILE`` reads one from TOML.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path

from solvers.parameters.engines import EngineParameters
from solvers.parameters.formulation import FormulationParameters
from solvers.parameters.incumbent import IncumbentParameters
from solvers.parameters.local_search import LocalSearchParameters
from solvers.parameters.location import LocationParameters
from solvers.parameters.parameter import DataclassInstance, from_mapping
from solvers.parameters.problem import ProblemParameters
from solvers.parameters.strategies import StrategyParameters


@dataclass(frozen=True)
class Parameters:
    """The tuning constants of one solve, by room."""

    engines: EngineParameters = field(default_factory=EngineParameters)
    problem: ProblemParameters = field(default_factory=ProblemParameters)
    formulation: FormulationParameters = field(default_factory=FormulationParameters)
    incumbent: IncumbentParameters = field(default_factory=IncumbentParameters)
    local_search: LocalSearchParameters = field(default_factory=LocalSearchParameters)
    strategies: StrategyParameters = field(default_factory=StrategyParameters)
    location: LocationParameters = field(default_factory=LocationParameters)


def read_parameters(path: str | Path) -> Parameters:
    """Parameters from a TOML file: a table per room, what is absent stays as it is.

    Raises
    ------
    ValueError
        If the file is no TOML, a name is unknown, or a value is not allowed.
    OSError
        If it cannot be read.
    """
    raw = Path(path).read_bytes()
    try:
        found: Parameters = from_mapping(Parameters, tomllib.loads(raw.decode("utf-8-sig")))
    except ValueError as error:  # what is no UTF-8 and no TOML too
        raise ValueError(f"{path}: {error}") from error
    return found


def changed(parameters: Parameters) -> str:
    """What is not the default, as ``room.name = value; ...``; blank where everything is."""
    return "; ".join(f"{path} = {value!r}" for path, value in _differences(parameters, Parameters(), ""))


def _differences(one: DataclassInstance, other: DataclassInstance, path: str) -> Iterator[tuple[str, object]]:
    for each in fields(one):
        value, default = getattr(one, each.name), getattr(other, each.name)
        if is_dataclass(value) and not isinstance(value, type):
            yield from _differences(value, default, f"{path}{each.name}.")
        elif value != default:
            yield path + each.name, value
