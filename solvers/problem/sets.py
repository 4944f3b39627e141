"""The sets of the model: cluster slots with their archetype segments, units, demand classes, coverings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fleet.inventory.inventory import Demand
from fleet.inventory.tables.hardware import ExistingCluster
from fleet.platform.archetype import Archetype
from fleet.platform.machines import Machine
from solvers.linear.model import Floats, Integers

Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class ArchetypeSegment:
    """Consecutive node counts of one node model over which capacity is affine in the node count.

    Attributes
    ----------
    archetypes : tuple of Archetype
        One for each count from `lowest` to `highest`.
    base, slope : array (4,)
        usable = base + slope · nodes for vcpu, memory_gb, pool_tb, gpu.
    free_base, free_slope : array (4,)
        The same without the nodes that are kept free.
    efficiency : array (3,)
        Data over footprint for hot, warm, archive; of the smallest count on tiers that hold no data.
    """

    node_model: str
    lowest: int
    highest: int
    archetypes: tuple[Archetype, ...]
    base: Floats
    slope: Floats
    free_base: Floats
    free_slope: Floats
    efficiency: Floats
    node_tolerance: int
    gpu_model: str

    def archetype(self, nodes: int) -> Archetype:
        """The archetype of that node count."""
        return self.archetypes[nodes - self.lowest]


@dataclass(frozen=True)
class Slot:
    """A place for one cluster: an existing one, or one that may open; or for several alike, in relaxations."""

    index: int
    cluster: str
    site: str
    segments: tuple[ArchetypeSegment, ...]
    existing: ExistingCluster | None = None
    copies: int = 1


@dataclass(frozen=True)
class Unit:
    """Demands that move together: one demand, or those of one affinity label at one site."""

    site: str
    demands: tuple[Demand, ...]

    def __str__(self) -> str:
        return " + ".join(str(demand) for demand in self.demands)


@dataclass(frozen=True, eq=False)
class SlotView:
    """Where the slots are, for arrays over fewer things that several classes share.

    Attributes
    ----------
    group_of_slot, host_of_slot : array (J,)
        Position among the groups of slots that the planner's statements do not tell apart, and of the site among the
        candidate sites.
    row_of_state : array (F,)
        Where routes in that state are found: states that leave the network alone share those of the normal state.
    is_down : array (F, J)
        Whether each state takes the slot down.
    """

    group_of_slot: Integers
    host_of_slot: Integers
    row_of_state: Integers
    is_down: Booleans

    def over(self, slots: Integers) -> SlotView:
        """The view of some of the slots."""
        return replace(
            self,
            group_of_slot=self.group_of_slot[slots],
            host_of_slot=self.host_of_slot[slots],
            is_down=self.is_down[:, slots],
        )


@dataclass(frozen=True)
class Profile:
    """How one member of a class loads the network and what it can reach.

    Attributes
    ----------
    traffic_mbps, stream_mbps : array (T,)
        User traffic in each direction, and its replication stream.
    host_reach : array (N, H)
        Whether, in each state that changes the network, its users reach each candidate site within the failover limit.
    user_down : array (F,)
        Whether its own site is down.
    compute : array (T, 3)
        What it runs on: vcpu, memory_gb, gpu.
    is_protected : bool
        Whether it has a standby.
    backup_mbps : array (T,)
        Its backups, from where it runs to `backup_site`; nothing where that is blank.
    leaves_when_cut : bool
        Whether it runs in the cloud while its users do not reach its primary.
    """

    compute: Floats
    traffic_mbps: Floats
    stream_mbps: Floats
    backup_mbps: Floats
    backup_site: str
    leaves_when_cut: bool
    host_reach: Booleans
    user_down: Booleans
    is_protected: bool
    view: SlotView

    @property
    def reaches(self) -> Booleans:
        """[state, slot]: whether its users reach a slot that is up within the failover limit."""
        reach = self.host_reach[self.view.row_of_state][:, self.view.host_of_slot]
        return np.asarray(reach & ~self.view.is_down, dtype=bool)

    def reaches_in(self, state: int) -> Booleans:
        """[slot]: the same in one state."""
        reach = self.host_reach[self.view.row_of_state[state], self.view.host_of_slot]
        return np.asarray(reach & ~self.view.is_down[state], dtype=bool)


@dataclass(frozen=True)
class Instances:
    """The virtual machines of one demand of a unit.

    Attributes
    ----------
    sizes : tuple of (Machine or None)
        One of them in each period; None where it does not exist.
    count : int
        How many there are.
    moves : bool
        Whether they start at a standby cluster when theirs fails.
    """

    sizes: tuple[Machine | None, ...]
    count: int
    moves: bool


@dataclass(frozen=True)
class DemandClass:
    """Identical units: same amounts, same eligible slots and pairs, same way into the WAN.

    Attributes
    ----------
    units : tuple of Unit
        Its members, in canonical order.
    first_period : int
        When its demand begins.
    compute, standby_compute : array (T, 3)
        Of one unit, running and failed over: vcpu, memory_gb, gpu.
    storage, standby_storage : array (T, 3)
        Data of one unit by tier [TB], before copies.
    upload_mbps : array (T,)
        Copies of one unit into the cloud.
    group_eligible : array (G,)
        Groups of slots where it may run.
    group_pairs : array (G, G) or None
        [primary, standby] that are allowed; None for unprotected classes.
    attachment : int
        Index of where it enters the WAN.
    is_at_host : bool
        Whether its users are at a candidate site, where a cluster may serve them without any link.
    asks : tuple
        What its members ask of node models and archetypes.
    is_part : bool
        Whether it is but one of the needs of its members, counted by itself.
    instances : tuple of Instances
        The virtual machines of one unit, for each of its profiles; empty where its members differ in them.
    """

    index: int
    units: tuple[Unit, ...]
    first_period: int
    compute: Floats
    storage: Floats
    standby_compute: Floats
    standby_storage: Floats
    upload_mbps: Floats
    group_eligible: Booleans
    group_pairs: Booleans | None
    attachment: int
    is_at_host: bool
    profiles: tuple[Profile, ...]
    view: SlotView
    asks: tuple[object, ...] = ()
    is_part: bool = False
    instances: tuple[Instances, ...] = ()

    @property
    def eligible(self) -> Booleans:
        """[slot]: where it may run."""
        return np.asarray(self.group_eligible[self.view.group_of_slot], dtype=bool)

    @property
    def pairs(self) -> Booleans | None:
        """[primary slot, standby slot] that are allowed; None for unprotected classes."""
        if self.group_pairs is None:
            return None
        groups = self.view.group_of_slot
        return np.asarray(self.group_pairs[np.ix_(groups, groups)], dtype=bool)

    def on(self, view: SlotView) -> DemandClass:
        """The class on other slots."""
        profiles = tuple(replace(profile, view=view) for profile in self.profiles)
        return replace(self, view=view, profiles=profiles)

    @property
    def count(self) -> int:
        """Number of identical units."""
        return len(self.units)

    @property
    def is_protected(self) -> bool:
        """Whether it has a standby."""
        return self.group_pairs is not None


@dataclass(frozen=True)
class Covering:
    """Slots of which so many must be open at different places, whoever may go where."""

    slots: frozenset[int]
    least: int
