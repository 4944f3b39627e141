"""Sizing a single cluster: which archetypes carry all demands of an inventory, and what stops the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fleet.inventory.inventory import Inventory
from fleet.inventory.workloads import TIERS
from fleet.platform.archetypes import Archetype, Refusal, enumerate_archetypes
from fleet.platform.instances import instance_refusals, node_offer
from fleet.quantities import RESOURCES, Resources
from fleet.rulepack.facts import RulePack

#: Relative slack of every limit, which is inclusive.
TOLERANCE = 1e-6

_NAMES = {"vcpu": "vCPU", "memory_gb": "GiB of memory", "pool_tb": "TB of pool", "gpu": "GPUs"}


@dataclass(frozen=True, slots=True)
class FleetDemand:
    """All demands of an inventory together, in its final period.

    Attributes
    ----------
    vcpu, memory_gb, gpu : float
        Compute [vCPU at the policy's ratio, GiB, GPUs].
    storage_tb : mapping
        Data before copies, per tier [TB].
    fault_tolerance : int
        The largest that any demand asks for.
    gpu_models : tuple of str
        GPU models that demands ask for, sorted.
    demands : int
        How many demands there are.
    """

    vcpu: float
    memory_gb: float
    gpu: float
    storage_tb: Mapping[str, float] = field(hash=False)
    fault_tolerance: int
    gpu_models: tuple[str, ...]
    demands: int

    def load(self, archetype: Archetype) -> Resources:
        """What the demands take of `archetype`; storage as pool footprint."""
        pool = sum(archetype.footprint_tb(tier, amount) for tier, amount in self.storage_tb.items())
        return Resources(self.vcpu, self.memory_gb, pool, self.gpu)


@dataclass(frozen=True)
class SizingRow:
    """One archetype judged.

    Attributes
    ----------
    archetype : Archetype
        With its traced capacity and warnings.
    fits : bool
        Whether it carries everything.
    price : float
        Purchase price of its nodes [currency].
    load : Resources
        What the demands take of it.
    utilization : mapping
        Load over usable capacity per resource; 0 where nothing is needed.
    binding : str
        The resource of highest utilization.
    reason : str
        Why it does not fit, or which resource binds and how much.
    """

    archetype: Archetype
    fits: bool
    price: float
    load: Resources
    utilization: Mapping[str, float] = field(hash=False)
    binding: str
    reason: str


@dataclass(frozen=True)
class Sizing:
    """All archetypes judged against all demands, cheapest first, and the refused hardware."""

    demand: FleetDemand
    rows: tuple[SizingRow, ...]
    refusals: tuple[Refusal, ...]

    @property
    def cheapest(self) -> SizingRow | None:
        """The cheapest archetype that carries everything; None where there is none."""
        return next((row for row in self.rows if row.fits), None)


def fleet_demand(inventory: Inventory) -> FleetDemand:
    """Sum all demands of an inventory in its final period."""
    last = inventory.periods[-1].index
    amounts = [(demand.row, inventory.amounts(demand, last)) for demand in inventory.demands]
    storage = {tier: sum(amount.storage_tb for row, amount in amounts if row.tier == tier) for tier in TIERS}
    return FleetDemand(
        vcpu=sum(amount.vcpu for _, amount in amounts),
        memory_gb=sum(amount.memory_gb for _, amount in amounts),
        gpu=sum(amount.gpu for _, amount in amounts),
        storage_tb=storage,
        fault_tolerance=max((row.fault_tolerance for row, _ in amounts), default=0),
        gpu_models=tuple(sorted({row.gpu_model for row, amount in amounts if amount.gpu > 0 and row.gpu_model})),
        demands=len(amounts),
    )


def size_fleet(inventory: Inventory, pack: RulePack) -> Sizing:
    """Judge every archetype as the one cluster of all demands, in the final period.

    Parameters
    ----------
    inventory : Inventory
        Demands, hardware and policy; sites, links and protection play no part.
    pack : RulePack
        Platform facts.

    Returns
    -------
    Sizing
        Rows by purchase price, then node count and model.
    """
    catalog = enumerate_archetypes(inventory, pack)
    demand = fleet_demand(inventory)
    too_large = {
        model.node_model: [
            f"{rule} {reason}"
            for offer in (node_offer(model, pack),)
            for row in inventory.workloads
            for rule, reason in instance_refusals(row, offer)
        ]
        for model in inventory.hardware
    }
    rows = [_judge(inventory, archetype, demand, too_large[archetype.node_model]) for archetype in catalog.archetypes]
    rows.sort(key=lambda row: (row.price, row.archetype.nodes, row.archetype.node_model))
    return Sizing(demand, tuple(rows), catalog.refusals)


def _judge(inventory: Inventory, archetype: Archetype, demand: FleetDemand, too_large: Sequence[str]) -> SizingRow:
    model = inventory.node_model_by_name[archetype.node_model]
    load, usable = demand.load(archetype), archetype.capacity.usable
    utilization = {
        name: _ratio(needed, offered)
        for name, needed, offered in zip(RESOURCES, load.as_tuple(), usable.as_tuple(), strict=True)
    }
    binding = max(RESOURCES, key=lambda name: utilization[name])
    reasons = [
        f"needs {needed:,.1f} {_NAMES[name]}, usable are {offered:,.1f}"
        for name, needed, offered in zip(RESOURCES, load.as_tuple(), usable.as_tuple(), strict=True)
        if needed > offered * (1 + TOLERANCE)
    ]
    if archetype.node_tolerance < demand.fault_tolerance:
        reasons.append(
            f"survives {archetype.node_tolerance} node failures, demands ask for {demand.fault_tolerance} "
            f"(limited by {archetype.tolerance.weakest})"
        )
    wrong = [name for name in demand.gpu_models if name != model.gpu_model]
    if wrong:
        reasons.append(f"has GPU {model.gpu_model or 'none'}, demands ask for {', '.join(wrong)}")
    reasons.extend(too_large)
    fits = not reasons
    return SizingRow(
        archetype=archetype,
        fits=fits,
        price=archetype.nodes * model.price,
        load=load,
        utilization=utilization,
        binding=binding,
        reason=f"{_NAMES[binding]} at {utilization[binding]:.0%}" if fits else "; ".join(reasons),
    )


def _ratio(needed: float, offered: float) -> float:
    if needed <= 0:
        return 0.0
    return needed / offered if offered > 0 else float("inf")
