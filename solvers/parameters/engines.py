"""Tuning constants of the room `solvers.engines`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import validate


@dataclass(frozen=True)
class EngineParameters:
    """What steers `solvers.engines`."""

    def __post_init__(self) -> None:
        validate(self)
