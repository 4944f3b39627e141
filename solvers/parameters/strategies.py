"""Tuning constants of the room `solvers.strategies`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import validate


@dataclass(frozen=True)
class StrategyParameters:
    """What steers `solvers.strategies`."""

    def __post_init__(self) -> None:
        validate(self)
