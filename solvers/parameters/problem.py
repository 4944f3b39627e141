"""Tuning constants of the room `solvers.problem`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import validate


@dataclass(frozen=True)
class ProblemParameters:
    """What steers `solvers.problem`."""

    def __post_init__(self) -> None:
        validate(self)
