"""Tuning constants of every room: what steers a search without changing what is right.

One module and one frozen class per room; `Parameters` holds them all. Every field says its unit, its meaning and how
it was chosen. `SolveConfig(parameters=...)` takes another one, ``fleet plan --parameters FILE`` reads one from TOML.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from solvers.parameters.engines import EngineParameters
from solvers.parameters.formulation import FormulationParameters
from solvers.parameters.incumbent import IncumbentParameters
from solvers.parameters.local_search import LocalSearchParameters
from solvers.parameters.location import LocationParameters
from solvers.parameters.parameter import from_mapping
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
    with Path(path).open("rb") as file:
        try:
            values = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{path}: {error}") from error
    try:
        found: Parameters = from_mapping(Parameters, values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return found
