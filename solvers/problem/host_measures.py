"""What a node takes only so much of: machines of more than half a node, of more than a third, and so on.

Where shares xᵢ of a node sum up to 1 at most, Σ (⌈(k + 1) xᵢ⌉ − 1) ≤ k for every whole k (Fekete and Schepers 2001,
"New classes of fast lower bounds for bin packing problems"). So each resource, k and node model weighs machines, and a
node takes k of the weight: with k = 1 one machine of over half its memory. Nodes of other models take what the weight
per vCPU, GiB or GPU leaves them. Such a measure is counted like a resource beside the others. Measures are a
relaxation: machines may keep all of them and still not fit, which an evaluation finds out
(`solvers.formulation.constraints.hosts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fleet.platform.archetype import Archetype
from fleet.platform.machines import Machine, Room
from fleet.platform.packing import dual_feasible
from fleet.quantities import COMPUTE_RESOURCES, RESOURCES, Resources
from fleet.tolerances import COUNT_TOLERANCE, FIT_TOLERANCE
from solvers.linear.model import Floats
from solvers.problem.sets import DemandClass, Slot

_COMPUTE = [RESOURCES.index(resource) for resource in COMPUTE_RESOURCES]


@dataclass(frozen=True, eq=False)
class Measure:
    """A weight of machines of which a node takes only so much.

    Attributes
    ----------
    own, sent : array (C, T)
        Weight of one unit of each class that runs, and of what of it starts at a standby.
    most : mapping of node model to array (T,)
        What one node takes in each period.
    density : mapping of node model to array (T, 3)
        The most weight per vCPU, GiB and GPU of a machine that runs there; infinite where some weigh without any.
    """

    own: Floats
    sent: Floats
    most: Mapping[str, Floats]
    density: Mapping[str, Floats]

    def may_bind(self, archetype: Archetype, period: int, total: float, *, uses_reserve: bool) -> bool:
        """Whether machines of so much weight in all could weigh too much on an archetype that holds their sums."""
        capacity, hosts = archetype.capacity, archetype.hosts
        density, most = self.density[archetype.node_model][period], float(self.most[archetype.node_model][period])
        finite = np.isfinite(density)

        def is_over(resources: Resources, nodes: int) -> bool:
            usable = np.array(resources.as_tuple())[_COMPUTE] * (1.0 + FIT_TOLERANCE)
            by_sums = float((density[finite] * usable[finite]).min(initial=total))
            return min(total, by_sums) > most * nodes + FIT_TOLERANCE

        free = capacity.without_node_reserve
        return is_over(capacity.usable, hosts.left) or (uses_reserve and is_over(free, hosts.every))


def measures(
    slots: Sequence[Slot], classes: Sequence[DemandClass], periods: int, most_counted: int, *, uses_reserve: bool
) -> tuple[Measure, ...]:
    """The measures that may ever bind, each once.

    The largest k is `most_counted`. With `uses_reserve`, demands that fail over may use the nodes that are kept free.
    """
    segments = {id(segment): segment for slot in slots for segment in slot.segments}
    rooms = {segment.node_model: segment.archetypes[0].hosts.room for segment in segments.values()}
    weighing = _Weighing(classes, periods)
    found: dict[bytes, Measure] = {}
    for model in sorted(rooms):
        for number in range(len(COMPUTE_RESOURCES)):
            for most in range(1, most_counted + 1):
                measure = weighing.measure(rooms, model, number, most)
                if measure is not None:
                    key = measure.own.tobytes() + measure.sent.tobytes()
                    found[key] = measure if key not in found else _tighter(found[key], measure)
    counts = np.array([demand_class.count for demand_class in classes], dtype=np.float64)
    every = [archetype for segment in segments.values() for archetype in segment.archetypes]
    return tuple(measure for measure in found.values() if _binds(measure, counts, every, uses_reserve=uses_reserve))


def _binds(measure: Measure, counts: Floats, archetypes: list[Archetype], *, uses_reserve: bool) -> bool:
    total = counts @ (measure.own + measure.sent)
    return any(
        measure.may_bind(archetype, period, float(weight), uses_reserve=uses_reserve)
        for period, weight in enumerate(total)
        for archetype in archetypes
    )


def _tighter(one: Measure, other: Measure) -> Measure:
    most = {model: np.minimum(values, other.most[model]) for model, values in one.most.items()}
    return Measure(one.own, one.sent, most, one.density)


class _Weighing:
    """The machines of all classes, by size."""

    def __init__(self, classes: Sequence[DemandClass], periods: int) -> None:
        index: dict[tuple[Machine | None, ...], int] = {}
        counts = [  # class, size, machines, whether they move
            (demand_class.index, index.setdefault(own.sizes, len(index)), own.count, own.moves)
            for demand_class in classes
            for own in demand_class.instances
        ]
        self._shape = (len(classes), periods)
        self._part, self._size, self._count, self._moves = (
            np.array([entry[number] for entry in counts], dtype=np.int64) for number in range(4)
        )
        nothing = (0.0,) * len(COMPUTE_RESOURCES)
        self._amounts = np.array(
            [[nothing if machine is None else machine.amounts for machine in sizes] for sizes in index]
        ).reshape(len(index), periods, len(COMPUTE_RESOURCES))

    def measure(self, rooms: Mapping[str, Room], model: str, number: int, most: int) -> Measure | None:
        """Machines by their share of one resource of one node model; None where none is large enough to weigh."""
        limit = rooms[model].limits[number]
        if limit <= 0 or not self._amounts.size:
            return None
        weights = dual_feasible(self._amounts[:, :, number] / limit, most) * self._runs(rooms[model])
        if not weights.any():
            return None
        own, sent = np.zeros(self._shape), np.zeros(self._shape)
        each = weights[self._size] * self._count[:, None]
        np.add.at(own, self._part, each)
        np.add.at(sent, self._part, each * self._moves[:, None])
        density = {name: self._density(room, weights) for name, room in rooms.items()}
        taken = {name: _taken(rooms[name], values) for name, values in density.items()}
        taken[model] = np.minimum(taken[model], float(most))
        return Measure(own, sent, taken, density)

    def _runs(self, room: Room) -> Floats:
        """[size, period]: 1 where a machine has room on a node alone."""
        return np.asarray((self._amounts <= np.array(room.limits)).all(axis=2), dtype=np.float64)

    def _density(self, room: Room, weights: Floats) -> Floats:
        """[period, resource]: the most weight per unit of a resource, of machines that a node can run."""
        here = (weights * self._runs(room))[:, :, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(here > 0, here / self._amounts, 0.0)
        return np.asarray(each.max(axis=0), dtype=np.float64)


def _taken(room: Room, density: Floats) -> Floats:
    """[period]: the most weight that a node takes, as each resource alone would have it."""
    limits = np.array(room.limits)
    with np.errstate(invalid="ignore"):
        bounds = np.where(np.isfinite(density), np.floor(density * limits + COUNT_TOLERANCE), np.inf)
    return np.asarray(bounds.min(axis=1), dtype=np.float64)
