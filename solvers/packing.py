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
from fleet.plan.placement import TOLERANCE
from fleet.plan.uploads import upload_limit_mbps
from fleet.quantities import COMPUTE_RESOURCES, RESOURCES
from solvers.linear import Floats, Integers
from solvers.problem import Booleans, DesignProblem, Run
from solvers.slots import fits, protected

COMPUTE = [RESOURCES.index(resource) for resource in COMPUTE_RESOURCES]
POOL = RESOURCES.index("pool_tb")
#: Moves tried for every unit before a cluster counts as too full.
PATIENCE = 4


@dataclass
class Place:
    """A cluster of the design.

    Attributes
    ----------
    slot, group : int
        Its slot, and the group of alike slots.
    run, nodes
        What it is in the last period.
    decided : tuple or None
        Nodes and layouts in each period, where they are not free.
    """

    slot: int
    group: int
    run: Run
    nodes: int
    decided: tuple[tuple[int, ...], tuple[dict[str, str], ...]] | None = None

    def path(self, periods: int) -> tuple[tuple[int, ...], tuple[dict[str, str], ...]]:
        """Nodes and layouts in each period; the last ones throughout where they are free."""
        if self.decided is not None:
            return self.decided
        return (self.nodes,) * periods, (dict(self.run.archetype(self.nodes).layout),) * periods


@dataclass
class Packing:
    """Units on places.

    Attributes
    ----------
    part : array (U,)
        Class of each unit.
    primary, standby : array (U,)
        Place of each unit and of its copy, −1 for none.
    own, data : array (P, 3)
        Compute and data by tier that is on each place.
    moved : array (P, D, 3)
        Compute that the loss of each fault domain sends to each place.
    sent_here : array (P, 3)
        What of that has to be kept free: the largest, or the sum of all.
    extra : array (P, 3)
        Compute that each place keeps free beyond that.
    uploaded : array (P,)
        What is copied into the cloud from each place [Mbit/s]; places of one site share its internet access evenly.
    """

    #: What changes as units move.
    LOADS: ClassVar[tuple[str, ...]] = ("own", "data", "moved", "sent_here", "uploaded")

    problem: DesignProblem
    places: list[Place]
    part: Integers
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
        self.compute = np.array([part.compute[-1] for part in classes])
        self.storage = np.array([part.storage[-1] for part in classes])
        self.sent = np.array([part.standby_compute[-1] for part in classes])
        self.copied = np.array([part.standby_storage[-1] for part in classes])
        self.upload = np.array([part.upload_mbps[-1] for part in classes])
        self.uploaded, self.access = np.zeros(count), self._access()
        domains = [problem.inventory.site(problem.slots[place.slot].site).fault_domain for place in self.places]
        names = sorted(set(domains))
        self.domain = np.array([names.index(name) for name in domains], dtype=np.int64)
        slots = np.array([place.slot for place in self.places], dtype=np.int64)
        self.groups: Integers = np.asarray(problem.classes[0].view.group_of_slot[slots], dtype=np.int64)
        self.is_shared = problem.inventory.policy.standby_reserve == "shared"
        self.own, self.data = np.zeros((count, 3)), np.zeros((count, 3))
        self.moved = np.zeros((count, max(1, len(names)), 3))
        self.sent_here = np.zeros((count, 3))
        self.capacity, self.kept = np.zeros((count, 3)), np.zeros((count, 3))
        self.pool, self.per_tb = np.zeros(count), np.zeros((count, 3))
        self.extra = np.zeros((count, 3))
        for index in range(count):
            self.size(index, self.places[index].run, self.places[index].nodes)
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

    def size(self, index: int, run: Run, nodes: int) -> None:
        """Make a place a cluster of so many nodes of a run."""
        place = self.places[index]
        place.run, place.nodes = run, nodes
        archetype = run.archetype(nodes)
        usable = np.array(archetype.capacity.usable.as_tuple())
        free = np.array(archetype.capacity.without_node_reserve.as_tuple())
        self.capacity[index] = usable[COMPUTE]
        uses_free = self.problem.inventory.policy.standby_uses_node_reserve
        self.kept[index] = free[COMPUTE] if uses_free else usable[COMPUTE]
        self.pool[index] = usable[POOL]
        self.per_tb[index] = 1.0 / place.run.efficiency

    # -- where units may be ----------------------------------------------------------------------------------------

    def may_run(self, part: int) -> Booleans:
        """[place]: where units of a class may run."""
        if part not in self._runs_ok:
            own = self.problem.classes[part]
            here = own.group_eligible[self.groups] & self._suits(own.units[0].demands)
            self._runs_ok[part] = np.asarray(here, dtype=bool)
        return self._runs_ok[part]

    def may_keep(self, part: int) -> Booleans:
        """[place]: whose archetype does for a copy of a class."""
        if part not in self._standby_ok:
            self._standby_ok[part] = self._suits(protected(self.problem.classes[part].units[0].demands))
        return self._standby_ok[part]

    def _suits(self, demands: Sequence[Demand]) -> Booleans:
        """[place]: whose archetype has in the last period what demands ask for."""
        inventory, last = self.problem.inventory, self.problem.periods - 1
        known = {id(place.run): place.run for place in self.places}
        suits = {key: fits(inventory, demands, run, last) for key, run in known.items()}
        return np.array([suits[id(place.run)] for place in self.places], dtype=bool)

    def partners(self, part: int, place: int, *, is_copy: bool) -> Booleans:
        """[place]: where copies may be of units of a protected class that run at a place, or the other way around."""
        pairs, group = self.problem.classes[part].group_pairs, self.groups[place]
        if pairs is None:
            return np.zeros(len(self.places), dtype=bool)
        return np.asarray((pairs[group] if is_copy else pairs[:, group])[self.groups], dtype=bool)

    # -- loads ---------------------------------------------------------------------------------------------------

    def _add_primary(self, unit: int, place: int, sign: float = 1.0) -> None:
        part = self.part[unit]
        self.own[place] += sign * self.compute[part]
        self.data[place] += sign * self.storage[part]
        self.uploaded[place] += sign * self.upload[part]
        if self.standby[unit] >= 0:
            self._send(int(self.standby[unit]), place, sign * self.sent[part])

    def _add_standby(self, unit: int, place: int, sign: float = 1.0, *, with_reserve: bool = False) -> None:
        part = self.part[unit]
        self.data[place] += sign * self.copied[part]
        if with_reserve:
            self._send(place, int(self.primary[unit]), sign * self.sent[part])

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
        """Compute that each place keeps free for failovers (P, 3)."""
        return self.sent_here + self.extra

    def _reserve(self, moved: Floats) -> Floats:
        """What has to be kept free of what each domain (second last axis) sends."""
        reserve: Floats = moved.max(axis=-2) if self.is_shared else moved.sum(axis=-2)
        return reserve

    def fill(self, places: Integers, own: Floats, reserve: Floats, data: Floats, uploaded: Floats) -> Floats:
        """[…, resource]: share in use: own compute, with the reserve, pool, internet access; over 1 is too much."""
        footprint = (data * self.per_tb[places]).sum(axis=-1)
        parts = [
            own / np.maximum(self.capacity[places], 1e-9),
            (own + reserve) / np.maximum(self.kept[places], 1e-9),
            (footprint / np.maximum(self.pool[places], 1e-9))[..., None],
            (uploaded / np.maximum(self.access[places], 1e-9))[..., None],
        ]
        return np.asarray(np.concatenate(parts, axis=-1), dtype=np.float64)

    def fills(self) -> Floats:
        """[place, resource]: share of capacity in use."""
        every: Integers = np.arange(len(self.places), dtype=np.int64)
        return self.fill(every, self.own, self.reserve, self.data, self.uploaded)

    @property
    def excess(self) -> Floats:
        """[place]: how far the fullest resource is over its limit, 0 where it is not."""
        return np.asarray(np.maximum(self.fills().max(axis=1) - 1.0 - TOLERANCE * 0.5, 0.0), dtype=np.float64)

    @property
    def node_excess(self) -> Floats:
        """[place]: the same of what more nodes would relieve: everything but the internet access."""
        fills = self.fills()[:, :-1].max(axis=1)
        return np.asarray(np.maximum(fills - 1.0 - TOLERANCE * 0.5, 0.0), dtype=np.float64)

    # -- moves ---------------------------------------------------------------------------------------------------

    def repair(self) -> bool:
        """Move units from places that are too full to places with room; whether that succeeds."""
        if not self._is_enough():
            return False
        stuck: set[int] = set()
        for _ in range(PATIENCE * len(self.part) + 100):
            excess = self.excess
            over = [place for place in np.argsort(-excess).tolist() if excess[place] > 0]
            if not over:
                return True
            place = next((place for place in over if place not in stuck), None)
            if place is None:
                return False
            if self._relieve(place):
                stuck.clear()
            else:
                stuck.add(place)
        return False

    def _is_enough(self) -> bool:
        """Whether all places together hold what is on them, wherever it goes."""
        footprint = float(self.data.sum(axis=0) @ self.per_tb.min(axis=0))
        holds = bool((self.own.sum(axis=0) <= self.capacity.sum(axis=0) * (1.0 + TOLERANCE)).all())
        return holds and footprint <= float(self.pool.sum()) * (1.0 + TOLERANCE)

    def _relieve(self, place: int) -> bool:
        """Move one unit, or the copy of one, away from a place; whether there was one to move.

        Of those that clear the place the one goes that helps least, or else the one that helps most.
        """
        over = np.maximum(self.fills()[place] - 1.0, 0.0)
        order: list[tuple[bool, float, int, bool]] = []
        for is_copy in (False, True):
            units = np.flatnonzero((self.standby if is_copy else self.primary) == place)
            if not len(units):
                continue
            alike = self.part[units] * (len(self.places) + 1) + self._other(units, is_copy)
            units = units[np.unique(alike, return_index=True)[1]]
            relief = self._relief(units, place, is_copy)
            helps = (relief * (over > 0)).sum(axis=1)
            clears = (relief >= over - 1e-12).all(axis=1)
            useful = np.flatnonzero((helps > 1e-12) & self._finds_room(self.part[units], is_copy))
            scores = np.where(clears, helps, -helps)
            order += [
                (not clears[index], float(scores[index]), int(units[index]), is_copy) for index in useful.tolist()
            ]
        for _, _, unit, is_copy in sorted(order):
            target = self._target(unit, place, is_copy)
            if target >= 0:
                if is_copy:
                    self.keep_at(unit, target)
                else:
                    self.run_at(unit, target)
                return True
        return False

    def _finds_room(self, parts: Integers, is_copy: bool) -> Booleans:
        """[class]: whether a unit or its copy is no larger than what is free anywhere."""
        pool = self.pool - (self.data * self.per_tb).sum(axis=1)
        data = (self.copied if is_copy else self.storage)[parts]
        fits_in = data @ self.per_tb.min(axis=0) <= (pool + self.pool * TOLERANCE).max()
        if not is_copy:
            free = (self.capacity * (1.0 + TOLERANCE) - self.own).max(axis=0)
            fits_in &= (self.compute[parts] <= free).all(axis=1)
        return np.asarray(fits_in, dtype=bool)

    def _other(self, units: Integers, is_copy: bool) -> Integers:
        return self.primary[units] if is_copy else self.standby[units]

    def _relief(self, units: Integers, place: int, is_copy: bool) -> Floats:
        """[unit, resource]: share of capacity that each unit frees by leaving."""
        parts = self.part[units]
        none = np.zeros((len(units), 3))
        here = np.full(len(units), place)
        if not is_copy:
            return self.fill(here, self.compute[parts], none, self.storage[parts], self.upload[parts])
        before, sent = self.moved[place], self.sent[parts]
        if self.is_shared:
            freed = before.max(axis=0) - self._largest_after(before, self.domain[self.primary[units]], -sent)
        else:
            freed = sent
        return self.fill(here, none, freed, self.copied[parts], none[:, 0])

    @staticmethod
    def _largest_after(moved: Floats, domains: Integers, change: Floats) -> Floats:
        """[change, resource]: the most that a domain sends, of what each sends (D, 3), once one sends more or less."""
        first, others = moved.argmax(axis=0), moved.copy()
        others[first, np.arange(3)] = 0.0
        rest = np.where(domains[:, None] == first, others.max(axis=0), moved.max(axis=0))
        return np.asarray(np.maximum(rest, moved[domains] + change), dtype=np.float64)

    def _target(self, unit: int, source: int, is_copy: bool) -> int:
        """The place with most room that can take a unit or its copy without being too full; −1 where there is none."""
        part = int(self.part[unit])
        other = int(self.primary[unit] if is_copy else self.standby[unit])
        allowed = self.may_keep(part) if is_copy else self.may_run(part)
        if other >= 0:
            allowed = allowed & self.partners(part, other, is_copy=is_copy)
        candidates = np.flatnonzero(allowed)
        candidates = candidates[candidates != source]
        if not len(candidates):
            return -1
        fill = self.fill_after(unit, candidates, is_copy)
        fitting = fill <= 1.0 + TOLERANCE * 0.5
        if not is_copy and other >= 0:
            fitting &= self._copy_fits(unit, candidates, other)
        if not fitting.any():
            return -1
        return int(candidates[fitting][np.argmin(fill[fitting])])

    def fill_after(self, unit: int, candidates: Integers, is_copy: bool) -> Floats:
        """[candidate]: share in use of the fullest resource once it has taken a unit or its copy."""
        part = int(self.part[unit])
        reserve = self.sent_here[candidates]
        if is_copy:
            sent = self.sent[part]
            after = self.moved[candidates, self.domain[self.primary[unit]]] + sent
            reserve = np.maximum(reserve, after) if self.is_shared else reserve + sent
        own = self.own[candidates] + (0.0 if is_copy else self.compute[part])
        data = self.data[candidates] + (self.copied[part] if is_copy else self.storage[part])
        uploaded = self.uploaded[candidates] + (0.0 if is_copy else self.upload[part])
        fill = self.fill(candidates, own, reserve + self.extra[candidates], data, uploaded)
        return np.asarray(fill.max(axis=1), dtype=np.float64)

    def _copy_fits(self, unit: int, candidates: Integers, keeper: int) -> Booleans:
        """[candidate]: whether the place of the copy can take what the loss of the new primary's domain would send."""
        if not self.is_shared:
            return np.ones(len(candidates), dtype=bool)  # it takes in as much wherever the unit runs
        sent = self.sent[self.part[unit]]
        moved = self.moved[keeper].copy()
        moved[self.domain[self.primary[unit]]] -= sent
        reserve = np.maximum(moved.max(axis=0), moved[self.domain[candidates]] + sent) + self.extra[keeper]
        limit = np.maximum(self.kept[keeper], self.own[keeper] + self.reserve[keeper])
        return np.asarray((self.own[keeper] + reserve <= limit * (1 + TOLERANCE * 0.5)).all(axis=1), dtype=bool)

    # -- other clusters -----------------------------------------------------------------------------------------------

    def joined_by(self, places: Sequence[Place]) -> Packing:
        """The same units where they are, and further places that are still empty."""
        every = [*(replace(place) for place in self.places), *places]
        result = Packing(self.problem, every, self.part, self.primary.copy(), self.standby.copy())
        result.extra[: len(self.places)] = self.extra
        return result

    def resized_run(self, place: Place, nodes: int) -> Run | None:
        """The run of a cluster of so many nodes that does for the same units."""
        if place.decided is not None:
            return None
        for run in self.problem.slots[place.slot].runs:
            fits_in = run.lowest <= nodes <= run.highest and run.node_tolerance >= place.run.node_tolerance
            if fits_in and run.node_model == place.run.node_model:
                return run
        return None
