"""Tuning constants of the room `solvers.problem`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import parameter, validate


@dataclass(frozen=True)
class ProblemParameters:
    """What steers `solvers.problem`: how much is counted together, and what is told apart."""

    host_measures: int = parameter(
        3,
        "machines per node",
        "Largest k of the measures that count machines of more than 1/(k + 1) of a node. Machines that small waste "
        "little of a node, and every plan is evaluated with all of them.",
        least=0,
        most=16,
    )
    reaches: int = parameter(
        12,
        "sets",
        "Sets of places that classes of one kind may have in a bound before similar ones are put together. More make "
        "the bound tighter and its relaxation slower.",
        least=1,
    )
    mixes: int = parameter(
        8,
        "mixes",
        "Mixes of needs that classes with the same places may have before a bound does not tell them apart any more.",
        least=0,
    )
    bound_columns: int = parameter(
        10_000,
        "placement columns",
        "Size of a bound from which similar sets of places are put together.",
        least=0,
    )

    def __post_init__(self) -> None:
        validate(self)
