"""Tuning constants of the room `solvers.local_search`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import validate


@dataclass(frozen=True)
class LocalSearchParameters:
    """What steers `solvers.local_search`."""

    def __post_init__(self) -> None:
        validate(self)
