"""Made-up location problems with modular capacities in five sizes, from 250 demands to 50,000.

What is assumed, and why:

- Sites crowd around cities whose sizes fall off as those of cities do (the k-th largest in proportion to
  k^−0.8); every seventh lies elsewhere. Candidates are in or near cities. The area is that of a large country.
- A site needs processors, memory and storage in amounts that are lognormal, rise with each other, and span two orders
  of magnitude, as those of stores, branches and hospitals do.
- Serving a site costs in proportion to its traffic, which rises with its size, and to the distance plus a constant.
- Sites may be served within a radius of their own that stands for the latency they bear, by 10 candidates at least and
  by 60 at most: of more, the nearest.
- A candidate chooses among 68 options: three node models, 2 to 16 nodes of which one is kept free, three copies or,
  for two of the models from 5 and 6 nodes on, a layout that stores more and leaves fewer processors.
- Costs are those of a first node pair plus a price per node, with a factor for the place and its power price: the unit
  cost falls with size, so that the question is how few clusters are worth how much distance.

With that the least cost of capacity is two to four times that of serving every site from its nearest candidate, and
the average eligible candidate costs three to five times as much as the nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.location import FacilityProblem

Floats = NDArray[np.float64]

#: Extent of the area [km].
WIDTH_KM, HEIGHT_KM = 4200.0, 2600.0
#: Medians of processors, memory per processor [GB] and storage per processor [TB], and the spread of their logarithms.
AMOUNTS = ((13.5, 0.80), (4.1, 0.45), (0.09, 0.60))
#: Cost per processor of traffic: at no distance, and per km.
TRAFFIC_COST, TRAFFIC_COST_PER_KM, TRAFFIC_SPREAD = 0.04, 0.0006, 0.5
FEWEST_ARCS, MOST_ARCS = 10, 60
#: Rows of the distance matrix that are worked on together.
CHUNK = 2000


@dataclass(frozen=True)
class Size:
    """How large a made-up problem is."""

    name: str
    n_demands: int
    n_candidates: int


SIZES = (
    Size("S", 250, 25),
    Size("M", 1_000, 100),
    Size("L", 2_000, 200),
    Size("X", 10_000, 500),
    Size("H", 50_000, 1_000),
)


@dataclass(frozen=True)
class NodeModel:
    """What one node has, what it costs, and from how many nodes on there is the dense layout (0: never)."""

    vcpu: float
    memory_gb: float
    storage_tb: float
    cost: float
    dense_from: int


NODE_MODELS = (
    NodeModel(112.0, 450.0, 28.0, 30.0, 5),
    NodeModel(224.0, 900.0, 42.0, 54.0, 6),
    NodeModel(448.0, 1800.0, 112.0, 98.0, 0),
)
#: Cost of a cluster before its first node.
BASE_COST = 70.0
MOST_NODES = 16


def generate(size: Size, seed: int) -> FacilityProblem:
    """Make up a problem; the same size and seed make the same one.

    Parameters
    ----------
    size : Size
        How many demands and candidates.
    seed : int
        Of every random draw.
    """
    random = np.random.default_rng([seed, size.n_demands, size.n_candidates])
    cities = random.uniform((0.0, 0.0), (WIDTH_KM, HEIGHT_KM), (max(10, size.n_candidates // 2), 2))
    share = np.arange(1, len(cities) + 1) ** -0.8
    share /= share.sum()
    sites = cities[random.choice(len(cities), size.n_demands, p=share)] + random.normal(0.0, 70.0, (size.n_demands, 2))
    rural = random.random(size.n_demands) < 1 / 7
    sites[rural] = random.uniform((0.0, 0.0), (WIDTH_KM, HEIGHT_KM), (int(rural.sum()), 2))
    near = cities[random.choice(len(cities), size.n_candidates, p=share)]
    candidates = near + random.normal(0.0, 90.0, (size.n_candidates, 2))
    demand = _amounts(size.n_demands, random)
    traffic = demand[:, 0] * random.lognormal(0.0, TRAFFIC_SPREAD, size.n_demands)
    radius_km = random.choice([60.0, 200.0, 600.0, 2500.0], size.n_demands, p=[0.2, 0.25, 0.25, 0.3])
    arc_demand, arc_facility, km = _arcs(sites, candidates, radius_km)
    capacity, cost = _options()
    factor = np.clip(random.normal(1.0, 0.08, size.n_candidates), 0.8, 1.3)
    opening = random.uniform(0.0, 30.0, size.n_candidates)
    return FacilityProblem(
        demand=demand,
        arc_demand=arc_demand,
        arc_facility=arc_facility,
        arc_cost=traffic[arc_demand] * (TRAFFIC_COST + TRAFFIC_COST_PER_KM * km),
        option_facility=np.repeat(np.arange(size.n_candidates), len(cost)),
        option_cost=(opening[:, None] + factor[:, None] * cost).ravel(),
        option_capacity=np.tile(capacity, (size.n_candidates, 1)),
    )


def _amounts(count: int, random: np.random.Generator) -> Floats:
    """Processors, memory and storage, shape (count, 3)."""
    factors = [median * random.lognormal(0.0, spread, count) for median, spread in AMOUNTS]
    vcpu = np.minimum(factors[0], 300.0)
    return np.column_stack([vcpu, vcpu * factors[1], vcpu * factors[2]]).round(2)


def _arcs(sites: Floats, candidates: Floats, radius_km: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Demand, candidate and distance of the eligible pairs, demand by demand, nearest first."""
    most, fewest = min(MOST_ARCS, len(candidates)), min(FEWEST_ARCS, len(candidates))
    parts = []
    for begin in range(0, len(sites), CHUNK):
        rows = sites[begin : begin + CHUNK]
        km = np.hypot(rows[:, None, 0] - candidates[None, :, 0], rows[:, None, 1] - candidates[None, :, 1])
        order = np.argsort(km, axis=1, kind="stable")[:, :most]
        nearest = np.take_along_axis(km, order, axis=1)
        kept = nearest <= radius_km[begin : begin + CHUNK, None]
        kept[:, :fewest] = True
        parts.append((np.nonzero(kept)[0] + begin, order[kept], nearest[kept]))
    demand, candidate, distance = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return demand, candidate, distance


def _options() -> tuple[Floats, Floats]:
    """Capacity (68, 3) and cost (68,) of the options that every candidate has."""
    rows = []
    for model in NODE_MODELS:
        for nodes in range(2, MOST_NODES + 1):
            cost = BASE_COST + model.cost * nodes
            vcpu, memory_gb = model.vcpu * (nodes - 1), model.memory_gb * (nodes - 1)
            rows.append((vcpu, memory_gb, model.storage_tb * nodes / 3.0, cost))
            if 0 < model.dense_from <= nodes:
                efficiency = 0.5 if nodes < 9 else 0.7
                rows.append((0.88 * vcpu, memory_gb, model.storage_tb * (nodes - 1) * efficiency, cost))
    table = np.array(rows)
    return table[:, :3], table[:, 3]
