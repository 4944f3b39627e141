"""Tuning constants of the room `solvers.location`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import validate


@dataclass(frozen=True)
class LocationParameters:
    """What steers `solvers.location`."""

    def __post_init__(self) -> None:
        validate(self)
