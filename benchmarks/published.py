"""Published instances, read from outside the project: single-source location, p-median, modular capacities.

The folder is ``$FLEET_BENCH`` or ``../shared/bench`` beside the project. Nothing of it is copied into the project.
"""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solvers.location import FacilityProblem


@dataclass(frozen=True)
class Published:
    """One instance with the best value that is published for it.

    Attributes
    ----------
    family : str
        The set that it belongs to.
    best_known : float or None
        Least cost known; that of an optimum where `is_optimum`. None for generated instances.
    """

    name: str
    family: str
    problem: FacilityProblem
    best_known: float | None
    is_optimum: bool


#: Sets whose published single-source values are proven.
PROVEN = ("holmberg", "delmaire", "pmedian")


def bench_folder() -> Path:
    """Where the data is expected; it need not be there."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "bench"
    return Path(os.environ.get("FLEET_BENCH", default))


def published_files(family: str) -> list[Path]:
    """The files of ``cflp``, ``pmedian`` or ``modular`` by their numbers; none where the data is absent."""
    pattern = "*.npz" if family == "modular" else "*.json.gz"
    return sorted((bench_folder() / family).glob(pattern), key=lambda path: (len(path.name), path.name))


def read_published(path: Path) -> Published | None:
    """The instance of a file; None where it has no single-source solution.

    Raises
    ------
    ValueError
        If the file is not one of the three formats.
    """
    if path.parent.name == "modular":
        return _modular(path)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        content = json.load(file)
    if "capacities" in content:
        return _single_source(content)
    if "edges" in content:
        return _p_median(content)
    raise ValueError(f"{path} is neither a location, a p-median nor a modular instance")


def _single_source(content: dict[str, Any]) -> Published | None:
    best = content["best_known_single_source"]
    if best is None:
        return None
    n_facilities, n_demands = content["n_facilities"], content["n_customers"]
    problem = FacilityProblem(
        demand=np.array(content["demands"], dtype=np.float64)[:, None],
        arc_demand=np.tile(np.arange(n_demands), n_facilities),
        arc_facility=np.repeat(np.arange(n_facilities), n_demands),
        arc_cost=np.array(content["costs"], dtype=np.float64).ravel(),
        option_facility=np.arange(n_facilities),
        option_cost=content["fixed_costs"],
        option_capacity=np.array(content["capacities"], dtype=np.float64)[:, None],
    )
    family = content["set"]
    small = family == "orlib" and n_demands <= 100
    return Published(content["name"], family, problem, float(best), family in PROVEN or small)


def _p_median(content: dict[str, Any]) -> Published:
    """Every node is a demand of 1 and a candidate; costs are lengths of shortest paths (Floyd, Warshall 1962)."""
    n = content["n"]
    length = np.full((n, n), np.inf)
    np.fill_diagonal(length, 0.0)
    for a, b, cost in content["edges"]:  # of an edge that is there twice the last one counts
        length[a, b] = length[b, a] = cost
    for middle in range(n):
        np.minimum(length, length[:, middle, None] + length[None, middle, :], out=length)
    reached = np.argwhere(np.isfinite(length))
    ((p, best),) = content["best_known"].items()
    problem = FacilityProblem(
        demand=np.ones((n, 1)),
        arc_demand=reached[:, 0],
        arc_facility=reached[:, 1],
        arc_cost=length[reached[:, 0], reached[:, 1]],
        option_facility=np.arange(n),
        option_cost=np.zeros(n),
        option_capacity=np.full((n, 1), np.inf),
        max_open=int(p),
    )
    return Published(content["name"], "pmedian", problem, float(best), is_optimum=True)


def _modular(path: Path) -> Published:
    with np.load(path) as content:
        option_cost = content["option_cost"]
        n_facilities, n_options = option_cost.shape
        problem = FacilityProblem(
            demand=content["demand"],
            arc_demand=content["arc_demand"],
            arc_facility=content["arc_facility"],
            arc_cost=content["arc_cost"],
            option_facility=np.repeat(np.arange(n_facilities), n_options),
            option_cost=option_cost.ravel(),
            option_capacity=np.tile(content["candidate_capacity"], (n_facilities, 1)),
        )
    return Published(path.stem, "modular", problem, None, is_optimum=False)
