"""One cluster that may be built, and one that may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.inventory.tables.workloads import Workload
from fleet.platform.capacity import Capacity
from fleet.platform.instances import NodeOffer
from fleet.platform.machines import Hosts
from fleet.platform.quorum import Tolerance
from fleet.platform.topologies import Topology, family_of


@dataclass(frozen=True)
class Archetype:
    """A cluster that may be built.

    Attributes
    ----------
    node_model : str
        Model of all its nodes.
    nodes : int
        Node count.
    layout : mapping
        Resiliency type of each tier.
    efficiency : mapping
        Share of its footprint that is data, per tier.
    node_tolerance : int
        Nodes that may be lost at once, with the witness that the rules set up, or that is stated.
    drive_tolerance : int
        Drives that may be lost at once.
    zone_tolerance : int
        Zones that may be lost at once.
    topology : str
        ``single-node``, ``switched``, ``switchless`` or ``rack-aware``.
    most_machines : int
        Virtual machines that may run on it, with the nodes kept free that N+k asks for.
    capacity : Capacity
        What it offers, traced.
    power_kw, rack_units : float
        What its nodes take of a site [kW, U].
    warnings : tuple of str
        What is allowed but should be known.
    tolerance : Tolerance
        What limits `node_tolerance`.
    offer : NodeOffer
        The most that one instance of a workload may have.
    hosts : Hosts
        Its nodes, as machines find them.
    """

    node_model: str
    nodes: int
    layout: Mapping[str, str] = field(hash=False)
    efficiency: Mapping[str, float] = field(hash=False)
    node_tolerance: int
    capacity: Capacity
    power_kw: float
    rack_units: float
    warnings: tuple[str, ...]
    tolerance: Tolerance
    offer: NodeOffer
    drive_tolerance: int
    zone_tolerance: int
    topology: Topology
    most_machines: int
    hosts: Hosts

    @property
    def family(self) -> str:
        """Name of the family of clusters to which it belongs."""
        return family_of(self.topology, self.nodes)

    @property
    def survives(self) -> str:
        """What may be lost at once, in words."""
        losses = (self.drive_tolerance, "drive"), (self.node_tolerance, "node"), (self.zone_tolerance, "zone")
        return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in losses if count) or "nothing"

    def keeps(self, row: Workload) -> bool:
        """Whether it keeps the data of a workload as that asks for: zone failures, resiliency type of its tier."""
        return self.zone_tolerance >= row.zone_tolerance and (
            not row.resiliency or self.layout[row.tier] in row.resiliency
        )

    def footprint_tb(self, tier: str, storage_tb: float) -> float:
        """Pool that data of a tier takes [TB]."""
        return storage_tb / self.efficiency[tier]

    def __str__(self) -> str:
        kinds = dict.fromkeys(self.layout.values())
        text = next(iter(kinds)) if len(kinds) == 1 else ", ".join(f"{k} {v}" for k, v in self.layout.items())
        return f"{self.nodes} × {self.node_model} ({text})"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A cluster that may not be built; `layout` is empty where no layout would help."""

    node_model: str
    nodes: int
    layout: Mapping[str, str] = field(hash=False)
    rule: str
    reason: str

    def __str__(self) -> str:
        return f"{self.rule} {self.nodes} × {self.node_model}: {self.reason}"
