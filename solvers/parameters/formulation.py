"""Tuning constants of the room `solvers.formulation`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import parameter, validate


@dataclass(frozen=True)
class FormulationParameters:
    """What steers `solvers.formulation`: how many rows say what is implied already."""

    paces: int = parameter(
        4,
        "paces",
        "Paces of growth that earlier periods tell apart where the final demand is encoded alone; of more, neighboring "
        "ones go together.",
        least=1,
    )
    subsets_per_domain: int = parameter(
        8,
        "sets",
        "Standby sets of a fault domain that get a reserve row of their own besides the set of all.",
        least=0,
    )
    subsets_of_many: int = parameter(2, "sets", "The same where there are many demand classes.", least=0)
    many_classes: int = parameter(300, "demand classes", "From more than so many on, there are many.", least=0)
    secant_density: int = parameter(
        4,
        "secants",
        "Secants of the reserve over open places between a count and twice that count.",
        least=1,
    )
    cover_sets: int = parameter(12, "sets", "Sets of slots that get cover rows besides the set of all.", least=0)
    cover_storage_weight: float = parameter(
        100.0,
        "vCPU, GiB and GPUs per TB",
        "What a TB counts beside compute when the sets that hold most are chosen for cover rows.",
    )
    primary_weight: int = parameter(
        10,
        "",
        "Weight of the distance to the primary beside that to the standby when alike units are told apart.",
        least=0,
    )

    def __post_init__(self) -> None:
        validate(self)
