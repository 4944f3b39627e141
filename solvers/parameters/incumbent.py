"""Tuning constants of the room `solvers.incumbent`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import parameter, validate


@dataclass(frozen=True)
class IncumbentParameters:
    """What steers `solvers.incumbent`: how often solutions of engines at work are evaluated."""

    evaluate_every_s: float = parameter(
        2.0, "s", "A solution found while engines run is evaluated no sooner than this after the last one."
    )
    evaluate_rest: float = parameter(
        3.0, "evaluations", "And no sooner than so many times what an evaluation takes, on average."
    )

    def __post_init__(self) -> None:
        validate(self)
