"""Whole units on clusters of known size: who runs and stands by where, with every load kept as units move.

Loads are those of the last period. Units are small beside clusters, so a cluster that is a little too full is relieved
by moving single units to clusters with room, one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from fleet.inventory.inventory import Demand
from fleet.plan.uploads import upload_limit_mbps
from fleet.quantities import COMPUTE_RESOURCES, RESOURCES
from solvers.linear.model import Floats, Integers
from solvers.problem.design import DesignProblem
from solvers.problem.sets import ArchetypeSegment, Booleans
from solvers.problem.slots import fits, protected
from solvers.tolerances import FULL_TOLERANCE, LEAST_LIMIT

COMPUTE = [RESOURCES.index(resource) for resource in COMPUTE_RESOURCES]
POOL = RESOURCES.index("pool_tb")


@dataclass
class Place:
    """A cluster of the design.

    Attributes
    ----------
    slot, group : int
        Its slot, and the group of alike slots.
    segment, nodes
        What it is in the last period.
    decided : tuple or None
        Nodes and layouts in each period, where they are not free.
    """

    slot: int
    group: int
    segment: ArchetypeSegment
    nodes: int
    decided: tuple[tuple[int, ...], tuple[dict[str, str], ...]] | None = None

    def path(self, periods: int) -> tuple[tuple[int, ...], tuple[dict[str, str], ...]]:
        """Nodes and layouts in each period; the last ones throughout where they are free."""
        if self.decided is not None:
            return self.decided
        return (self.nodes,) * periods, (dict(self.segment.archetype(self.nodes).layout),) * periods


@dataclass
class Packing:
    """Units on places.

    Attributes
    ----------
    part : array (U,)
        Class of each unit.
    primary, standby : array (U,)
        Place of each unit and of its copy, −1 for none.
    own, data : array (P, 3 + M) and (P, 3)
        Compute, with the weight of machines by each measure of hosts, and data by tier that is on each place.
    moved : array (P, D, 3 + M)
        What of the former the loss of each fault domain sends to each place.
    sent_here : array (P, 3 + M)
        What of that has to be kept free: the largest, or the sum of all.
    extra : array (P, 3 + M)
        What each place keeps free beyond that.
    uploaded : array (P,)
        What is copied into the cloud from each place [Mbit/s]; places of one site share its internet access evenly.
    """

    #: What changes as units move.
    LOADS: ClassVar[tuple[str, ...]] = ("own", "data", "moved", "sent_here", "uploaded")

    problem: DesignProblem
    places: list[Place]
    demand_class: Integers
    primary: Integers
    standby: Integers
    own: Floats = field(init=False)
    data: Floats = field(init=False)
    moved: Floats = field(init=False)
    sent_here: Floats = field(init=False)
    uploaded: Floats = field(init=False)

    def __post_init__(self) -> None:
        problem, count = self.problem, len(self.places)
        classes = problem.classes
        measures = problem.measures
        self.width = len(COMPUTE) + len(measures)
        own, sent = ([getattr(measure, name)[:, -1:] for measure in measures] for name in ("own", "sent"))
        self.compute = np.hstack([np.array([demand_class.compute[-1] for demand_class in classes]), *own])
        self.storage = np.array([demand_class.storage[-1] for demand_class in classes])
        self.sent = np.hstack([np.array([demand_class.standby_compute[-1] for demand_class in classes]), *sent])
        self.copied = np.array([demand_class.standby_storage[-1] for demand_class in classes])
        self.upload = np.array([demand_class.upload_mbps[-1] for demand_class in classes])
        self.uploaded, self.access = np.zeros(count), self._access()
        domains = [problem.inventory.site(problem.slots[place.slot].site).fault_domain for place in self.places]
        names = sorted(set(domains))
        self.domain = np.array([names.index(name) for name in domains], dtype=np.int64)
        slots = np.array([place.slot for place in self.places], dtype=np.int64)
        self.groups: Integers = np.asarray(problem.classes[0].view.group_of_slot[slots], dtype=np.int64)
        self.is_shared = problem.inventory.policy.standby_reserve == "shared"
        self.own, self.data = np.zeros((count, self.width)), np.zeros((count, 3))
        self.moved = np.zeros((count, max(1, len(names)), self.width))
        self.sent_here = np.zeros((count, self.width))
        self.capacity, self.kept = np.zeros((count, self.width)), np.zeros((count, self.width))
        self.pool, self.per_tb = np.zeros(count), np.zeros((count, 3))
        self.extra = np.zeros((count, self.width))
        for index in range(count):
            self.size(index, self.places[index].segment, self.places[index].nodes)
        self._runs_ok: dict[int, Booleans] = {}
        self._standby_ok: dict[int, Booleans] = {}
        for unit in np.flatnonzero(self.primary >= 0).tolist():
            self._add_primary(unit, int(self.primary[unit]))
            if self.standby[unit] >= 0:
                self._add_standby(unit, int(self.standby[unit]))

    def _access(self) -> Floats:
        """[place]: its share of what the internet access of its site carries into the cloud; infinite if not stated."""
        sites = [self.problem.slots[place.slot].site for place in self.places]
        limits = {site: upload_limit_mbps(self.problem.inventory, self.problem.pack, site) for site in set(sites)}
        found = ((limits[site], sites.count(site)) for site in sites)
        return np.array([np.inf if limit is None else limit / sharing for limit, sharing in found], dtype=np.float64)

    def size(self, index: int, segment: ArchetypeSegment, nodes: int) -> None:
        """Make a place a cluster of so many nodes of a segment."""
        place = self.places[index]
        place.segment, place.nodes = segment, nodes
        archetype = segment.archetype(nodes)
        usable = np.array(archetype.capacity.usable.as_tuple())
        free = np.array(archetype.capacity.without_node_reserve.as_tuple())
        hosts = archetype.hosts
        most = [float(measure.most[segment.node_model][-1]) for measure in self.problem.measures]
        self.capacity[index] = [*usable[COMPUTE], *(hosts.left * amount for amount in most)]
        uses_free = self.problem.inventory.policy.standby_uses_node_reserve
        kept, nodes = (free, hosts.every) if uses_free else (usable, hosts.left)
        self.kept[index] = [*kept[COMPUTE], *(nodes * amount for amount in most)]
        self.pool[index] = usable[POOL]
        self.per_tb[index] = 1.0 / place.segment.efficiency

    # -- where units may be ----------------------------------------------------------------------------------------

    def may_run(self, demand_class: int) -> Booleans:
        """[place]: where units of a class may run."""
        if demand_class not in self._runs_ok:
            own = self.problem.classes[demand_class]
            here = own.group_eligible[self.groups] & self._suits(own.units[0].demands)
            self._runs_ok[demand_class] = np.asarray(here, dtype=bool)
        return self._runs_ok[demand_class]

    def may_keep(self, demand_class: int) -> Booleans:
        """[place]: whose archetype does for a copy of a class."""
        if demand_class not in self._standby_ok:
            self._standby_ok[demand_class] = self._suits(protected(self.problem.classes[demand_class].units[0].demands))
        return self._standby_ok[demand_class]

    def _suits(self, demands: Sequence[Demand]) -> Booleans:
        """[place]: whose archetype has in the last period what demands ask for."""
        inventory, last = self.problem.inventory, self.problem.periods - 1
        known = {id(place.segment): place.segment for place in self.places}
        suits = {key: fits(inventory, demands, segment, last) for key, segment in known.items()}
        return np.array([suits[id(place.segment)] for place in self.places], dtype=bool)

    def partners(self, demand_class: int, place: int, *, is_copy: bool) -> Booleans:
        """[place]: where copies may be of units of a protected class that run at a place, or the other way around."""
        pairs, group = self.problem.classes[demand_class].group_pairs, self.groups[place]
        if pairs is None:
            return np.zeros(len(self.places), dtype=bool)
        return np.asarray((pairs[group] if is_copy else pairs[:, group])[self.groups], dtype=bool)

    # -- loads ---------------------------------------------------------------------------------------------------

    def _add_primary(self, unit: int, place: int, sign: float = 1.0) -> None:
        demand_class = self.demand_class[unit]
        self.own[place] += sign * self.compute[demand_class]
        self.data[place] += sign * self.storage[demand_class]
        self.uploaded[place] += sign * self.upload[demand_class]
        if self.standby[unit] >= 0:
            self._send(int(self.standby[unit]), place, sign * self.sent[demand_class])

    def _add_standby(self, unit: int, place: int, sign: float = 1.0, *, with_reserve: bool = False) -> None:
        demand_class = self.demand_class[unit]
        self.data[place] += sign * self.copied[demand_class]
        if with_reserve:
            self._send(place, int(self.primary[unit]), sign * self.sent[demand_class])

    def _send(self, place: int, source: int, amount: Floats) -> None:
        """Let the loss of the domain of one place send so much more to another."""
        self.moved[place, self.domain[source]] += amount
        self.sent_here[place] = self._reserve(self.moved[place])

    def run_at(self, unit: int, place: int) -> None:
        """Let a unit run at a place."""
        if self.primary[unit] >= 0:
            self._add_primary(unit, int(self.primary[unit]), -1.0)
        self.primary[unit] = place
        self._add_primary(unit, place)

    def keep_at(self, unit: int, place: int) -> None:
        """Let a unit, which runs somewhere already, stand by at a place."""
        if self.standby[unit] >= 0:
            self._add_standby(unit, int(self.standby[unit]), -1.0, with_reserve=True)
        self.standby[unit] = place
        self._add_standby(unit, place, with_reserve=True)

    @property
    def reserve(self) -> Floats:
        """What each place keeps free for failovers (P, 3 + M)."""
        return self.sent_here + self.extra

    def _reserve(self, moved: Floats) -> Floats:
        """What has to be kept free of what each domain (second last axis) sends."""
        reserve: Floats = moved.max(axis=-2) if self.is_shared else moved.sum(axis=-2)
        return reserve

    def fill(self, places: Integers, own: Floats, reserve: Floats, data: Floats, uploaded: Floats) -> Floats:
        """[…, resource]: share in use: own compute, with the reserve, pool, internet access; over 1 is too much."""
        footprint = (data * self.per_tb[places]).sum(axis=-1)
        parts = [
            own / np.maximum(self.capacity[places], LEAST_LIMIT),
            (own + reserve) / np.maximum(self.kept[places], LEAST_LIMIT),
            (footprint / np.maximum(self.pool[places], LEAST_LIMIT))[..., None],
            (uploaded / np.maximum(self.access[places], LEAST_LIMIT))[..., None],
        ]
        return np.asarray(np.concatenate(parts, axis=-1), dtype=np.float64)

    def fills(self) -> Floats:
        """[place, resource]: share of capacity in use."""
        every: Integers = np.arange(len(self.places), dtype=np.int64)
        return self.fill(every, self.own, self.reserve, self.data, self.uploaded)

    @property
    def excess(self) -> Floats:
        """[place]: how far the fullest resource is over its limit, 0 where it is not."""
        return np.asarray(np.maximum(self.fills().max(axis=1) - 1.0 - FULL_TOLERANCE, 0.0), dtype=np.float64)

    @property
    def node_excess(self) -> Floats:
        """[place]: the same of what more nodes would relieve: everything but the internet access."""
        fills = self.fills()[:, :-1].max(axis=1)
        return np.asarray(np.maximum(fills - 1.0 - FULL_TOLERANCE, 0.0), dtype=np.float64)

    def fill_after(self, unit: int, candidates: Integers, is_copy: bool) -> Floats:
        """[candidate]: share in use of the fullest resource once it has taken a unit or its copy."""
        demand_class = int(self.demand_class[unit])
        reserve = self.sent_here[candidates]
        if is_copy:
            sent = self.sent[demand_class]
            after = self.moved[candidates, self.domain[self.primary[unit]]] + sent
            reserve = np.maximum(reserve, after) if self.is_shared else reserve + sent
        own = self.own[candidates] + (0.0 if is_copy else self.compute[demand_class])
        data = self.data[candidates] + (self.copied[demand_class] if is_copy else self.storage[demand_class])
        uploaded = self.uploaded[candidates] + (0.0 if is_copy else self.upload[demand_class])
        fill = self.fill(candidates, own, reserve + self.extra[candidates], data, uploaded)
        return np.asarray(fill.max(axis=1), dtype=np.float64)

    # -- other clusters -----------------------------------------------------------------------------------------------

    def joined_by(self, places: Sequence[Place]) -> Packing:
        """The same units where they are, and further places that are still empty."""
        every = [*(replace(place) for place in self.places), *places]
        result = Packing(self.problem, every, self.demand_class, self.primary.copy(), self.standby.copy())
        result.extra[: len(self.places)] = self.extra
        return result

    def resized_run(self, place: Place, nodes: int) -> ArchetypeSegment | None:
        """The segment of a cluster of so many nodes that does for the same units."""
        if place.decided is not None:
            return None
        for segment in self.problem.slots[place.slot].segments:
            fits_in = (
                segment.lowest <= nodes <= segment.highest and segment.node_tolerance >= place.segment.node_tolerance
            )
            if fits_in and segment.node_model == place.segment.node_model:
                return segment
        return None
