"""Tuning constants of the room `solvers.local_search`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import parameter, validate


@dataclass(frozen=True)
class LocalSearchParameters:
    """What steers `solvers.local_search`: how long units are moved, and what is tried."""

    moves_per_unit: int = parameter(4, "moves", "Moves per unit before a cluster counts as too full.", least=0)
    least_moves: int = parameter(100, "moves", "Moves that are tried however few units there are.", least=0)
    further_clusters: int = parameter(
        12, "clusters", "Clusters that open beside those that are as large as may be.", least=0
    )
    mending_rounds: int = parameter(6, "rounds", "How often a plan that breaks limits is mended.", least=1)
    loose_rounds: int = parameter(
        3,
        "rounds",
        "In how many of them units are moved on the clusters of the design, before the last nodes are taken away; "
        "afterwards clusters only grow, which does not change what a failure sends where.",
        least=0,
    )
    extra_free: float = parameter(
        1.05,
        "share",
        "What a cluster that takes in too much keeps free, relative to what it was short of.",
        least=1.0,
        most=10.0,
    )
    trials: int = parameter(
        12, "plans", "Moves of standbys that are tried at most to have fewer single points of failure.", least=0
    )
    trials_demands: int = parameter(
        2_400,
        "plans × demands",
        "How many trials times demands: each is a whole plan to evaluate, some 2 ms per demand.",
        least=0,
    )

    def __post_init__(self) -> None:
        validate(self)
