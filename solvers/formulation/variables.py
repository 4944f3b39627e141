"""The variables of the design model, shared by the encoders.

Two formulations of who runs where use the same slots, segments and rows:

* **pairs**: one integer per (class, primary slot, standby slot), exact;
* **separate**: one integer per (class, primary slot) and one per (class, standby slot). Far fewer columns; which
  primary goes with which standby is relaxed, so its bound is valid for the pairs and usually as good.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np

from solvers.linear.model import Integers, LinearModel
from solvers.problem.design import DesignProblem
from solvers.problem.sets import ArchetypeSegment, Booleans

Terms: TypeAlias = list[tuple[int, float]]
NO_STANDBY = -1


@dataclass
class Formulation:
    """A linear model of a design problem in the making.

    Attributes
    ----------
    has_pairs : bool
        Whether columns name primary and standby together.
    slots : tuple of int
        The slots that may be used; the others stay closed.
    whole : bool
        Whether units are placed whole. If not, placements are continuous: a relaxation that is far easier, and
        nearly tight where demands are small beside nodes.
    sparse : bool
        Whether what is free on a slot is a continuous variable: rows that share it stay short. Engines that live on
        linear relaxations need that; CP-SAT, which knows integers only, does not.
    final_demand : bool
        Whether loads are encoded for the last period only; earlier periods then hold at least the share of it that
        every demand has reached by then, a relaxation a third the size.
    margin : float
        Share of every capacity that is left free, so that whole units fit where fractions just did. Not a bound then.
    segment, nodes : dict
        Columns of (slot, segment, period): whether the segment is used, and the node count where the segment has
        several.
    class_of, primary_of, standby_of : array
        Per placement column its class, primary slot and standby slot, `NO_STANDBY` where it places none. In the
        separate formulation a column places either a primary or a standby (then primary_of is `NO_STANDBY`).
    kept, kept_saving : dict
        Columns of (slot, segment, period): whether a new cluster keeps that node count for good; and by (slot, segment)
        what that saves of its purchase.
    placement : array
        The model's column of each placement column.
    """

    problem: DesignProblem
    has_pairs: bool
    slots: tuple[int, ...]
    whole: bool = True
    sparse: bool = False
    final_demand: bool = False
    margin: float = 0.0
    model: LinearModel = field(default_factory=LinearModel)
    segment: dict[tuple[int, int, int], int] = field(default_factory=dict)
    nodes: dict[tuple[int, int, int], int] = field(default_factory=dict)
    site_open: dict[tuple[str, int], int] = field(default_factory=dict)
    upgrade: dict[tuple[str, int], int] = field(default_factory=dict)
    kept: dict[tuple[int, int, int], int] = field(default_factory=dict)
    kept_saving: dict[tuple[int, int], float] = field(default_factory=dict)
    open_row: dict[tuple[int, int], int] = field(default_factory=dict)
    load: dict[tuple[int, int], dict[int, int]] = field(default_factory=dict)
    free: dict[tuple[object, ...], int] = field(default_factory=dict)
    unserved: dict[int, int] = field(default_factory=dict)
    class_of: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    primary_of: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    standby_of: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    placement: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def load_periods(self) -> range:
        """The periods whose loads are encoded."""
        count = self.problem.periods
        return range(count - 1, count) if self.final_demand else range(count)

    def segments(self, slot: int) -> tuple[ArchetypeSegment, ...]:
        """The archetype segments of a slot."""
        return self.problem.slots[slot].segments

    def node_terms(self, slot: int, number: int, period: int, factor: float = 1.0) -> Terms:
        """Terms of factor · node count of one segment."""
        segment = self.segments(slot)[number]
        if segment.lowest == segment.highest:
            return [(self.segment[slot, number, period], factor * segment.lowest)]
        return [(self.nodes[slot, number, period], factor)]

    def open_terms(self, slot: int, period: int, factor: float = 1.0, among: Collection[int] | None = None) -> Terms:
        """Terms of factor · (the slot has nodes), counting only the segments in `among` where given."""
        return [
            (self.segment[slot, number, period], factor)
            for number in range(len(self.segments(slot)))
            if among is None or number in among
        ]

    def any_segment(self, slot: int, period: int) -> int:
        """The column of how many clusters of the slot have nodes, which keeps rows short that ask for nothing else."""
        key = ("open", slot, period)
        if key not in self.free:
            terms = self.open_terms(slot, period)
            column = self.model.add_variable(0.0, float(self.problem.slots[slot].copies), False)
            self.model.add_row("PLT-001", [*terms, (column, -1.0)], lower=0.0, upper=0.0)
            self.free[key] = column
        return self.free[key]

    def domain_terms(self, slot: int, period: int, factor: float = 1.0) -> Terms:
        """Terms of factor · (the place has nodes): once for a slot of several copies."""
        if self.problem.slots[slot].copies > 1:
            return self.site_open_terms(self.problem.slots[slot].site, period, factor)
        return self.open_terms(slot, period, factor)

    def site_open_terms(self, site: str, period: int, factor: float = 1.0) -> Terms:
        """Terms of factor · (the site has a cluster with nodes)."""
        if (site, period) in self.site_open:
            return [(self.site_open[site, period], factor)]
        (slot,) = self.slots_at(site)
        return self.open_terms(slot, period, factor)

    def slots_at(self, site: str) -> tuple[int, ...]:
        """The usable slots of a site."""
        return tuple(slot for slot in self.slots if self.problem.slots[slot].site == site)

    def capacity_terms(
        self, slot: int, period: int, resource: int, *, free: bool = False, factor: float = 1.0, efficiency_of: int = -1
    ) -> Terms:
        """Terms of factor · capacity of a resource (index into RESOURCES), without the node reserve where `free`.

        With `efficiency_of` a tier, the pool's capacity is in data of that tier instead of footprint.
        """
        terms: Terms = []
        for number, segment in enumerate(self.segments(slot)):
            scale = factor * (1.0 - self.margin)
            scale *= float(segment.efficiency[efficiency_of]) if efficiency_of >= 0 else 1.0
            base = float((segment.free_base if free else segment.base)[resource])
            slope = float((segment.free_slope if free else segment.slope)[resource])
            if segment.lowest == segment.highest:
                terms.append((self.segment[slot, number, period], scale * (base + slope * segment.lowest)))
            else:
                terms.append((self.segment[slot, number, period], scale * base))
                terms.append((self.nodes[slot, number, period], scale * slope))
        return terms

    def free_terms(self, key: tuple[object, ...], rule: str, terms: Terms, factor: float) -> Terms:
        """Terms of factor · Σ terms, not negative in any feasible solution; one variable of that name where sparse."""
        if not self.sparse:
            return [(column, factor * value) for column, value in terms]
        if key not in self.free:
            reach = sum(max(value, 0.0) * self.model.upper[column] for column, value in terms)
            column = self.model.add_variable(0.0, reach, False)
            self.model.add_row(rule, [*terms, (column, -1.0)], lower=0.0)
            self.free[key] = column
        return [(self.free[key], factor)]

    @property
    def design_columns(self) -> Integers:
        """The columns of what stands where: all but placements and what follows from them."""
        columns = [*self.segment.values(), *self.nodes.values(), *self.site_open.values(), *self.upgrade.values()]
        return np.array(sorted([*columns, *self.kept.values()]), dtype=np.int64)

    def columns_of_class(self, demand_class: int) -> slice:
        """Where the placement columns of a class are; those of one class follow each other."""
        return slice(*np.searchsorted(self.class_of, [demand_class, demand_class + 1]).tolist())

    @cached_property
    def tiers_in_use(self) -> Integers:
        """The storage tiers that hold any data."""
        return np.flatnonzero(sum(demand_class.storage.sum(axis=0) for demand_class in self.problem.classes)).astype(
            np.int64
        )

    def columns_of(self, mask: Booleans) -> tuple[Integers, Integers]:
        """(model columns, classes) of the placement columns in `mask`."""
        return self.placement[mask], self.class_of[mask]
