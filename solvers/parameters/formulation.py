"""Tuning constants of the room `solvers.formulation`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import validate


@dataclass(frozen=True)
class FormulationParameters:
    """What steers `solvers.formulation`."""

    def __post_init__(self) -> None:
        validate(self)
