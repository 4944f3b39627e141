"""Tuning constants of the room `solvers.incumbent`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import validate


@dataclass(frozen=True)
class IncumbentParameters:
    """What steers `solvers.incumbent`."""

    def __post_init__(self) -> None:
        validate(self)
