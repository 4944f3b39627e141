"""Sizing a single cluster: which archetypes carry all demands of an inventory, and what stops the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.workloads import TIERS, Workload
from fleet.platform.archetype import Archetype, Refusal
from fleet.platform.archetypes import enumerate_archetypes
from fleet.platform.instances import instance_refusals, node_offer
from fleet.platform.machines import machine_of
from fleet.platform.packing import Machines, Verdict, gathered, in_words, packed
from fleet.platform.topologies import Family, families
from fleet.platform.volumes import spans
from fleet.quantities import RESOURCES, Resources
from fleet.rulepack.facts import RulePack
from fleet.tolerances import LIMIT_TOLERANCE

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
    machines : tuple of (Machine, int)
        Their virtual machines, by size.
    """

    vcpu: float
    memory_gb: float
    gpu: float
    storage_tb: Mapping[str, float] = field(hash=False)
    fault_tolerance: int
    gpu_models: tuple[str, ...]
    demands: int
    machines: Machines = ()

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
class FamilyVerdict:
    """One family of clusters judged.

    Attributes
    ----------
    family : Family
        Its limits.
    row : SizingRow, optional
        The cheapest of its archetypes that fits; where none does, the one that comes nearest.
    verdict : str
        Why it won, or why it lost.
    """

    family: Family
    row: SizingRow | None
    verdict: str

    @property
    def fits(self) -> bool:
        """Whether any archetype of the family carries everything."""
        return self.row is not None and self.row.fits


@dataclass(frozen=True)
class Sizing:
    """All archetypes judged against all demands, cheapest first, every family of them, and the refused hardware."""

    demand: FleetDemand
    rows: tuple[SizingRow, ...]
    families: tuple[FamilyVerdict, ...]
    notes: tuple[str, ...]
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
        machines=gathered(
            (machine_of(demand.row, factor, inventory.policy), demand.row.count)
            for demand in inventory.demands
            if (factor := inventory.growth_factors(demand)[last]) > 0
        ),
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
        Rows by purchase price, then node count and model; clusters in two zones among them, whatever the sites have.
    """
    catalog = enumerate_archetypes(inventory, pack, rack_aware=True)
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
    asking = [row for row in inventory.workloads if row.zone_tolerance or row.resiliency]
    rows = [
        _judge(inventory, archetype, demand, [*too_large[archetype.node_model], *_unkept(archetype, asking)])
        for archetype in catalog.archetypes
    ]
    rows.sort(key=lambda row: (row.price, row.archetype.nodes, row.archetype.node_model))
    cheapest = next((row for row in rows if row.fits), None)
    grown = {row.workload: inventory.growth_factors(row)[-1] for row in inventory.demands}
    notes = (
        [str(span) for span in spans(cheapest.archetype, inventory.workloads, pack, grown)]
        if cheapest is not None
        else []
    )
    verdicts = tuple(_verdict(family, rows, cheapest) for family in families(pack))
    return Sizing(demand, tuple(rows), verdicts, tuple(notes), catalog.refusals)


def _verdict(family: Family, rows: Sequence[SizingRow], cheapest: SizingRow | None) -> FamilyVerdict:
    """The cheapest of a family that fits against the cheapest of all, or what its nearest miss lacks."""
    own = [row for row in rows if row.archetype.family == family.name]
    fitting = next((row for row in own if row.fits), None)
    if fitting is not None and cheapest is not None:
        more = fitting.price - cheapest.price
        lead = f"costs {more:,.0f} more than {cheapest.archetype.nodes} × {cheapest.archetype.node_model}"
        verdict = "cheapest of all" if fitting is cheapest else lead if more > 0 else "as cheap, with more nodes"
        return FamilyVerdict(family, fitting, f"{verdict}; {fitting.reason}")
    if own:
        nearest = min(own, key=lambda row: max(row.utilization.values()))
        return FamilyVerdict(family, nearest, nearest.reason)
    return FamilyVerdict(family, None, "no node model of the inventory may form such a cluster under this policy")


def _unkept(archetype: Archetype, asking: Sequence[Workload]) -> list[str]:
    """Workloads whose data the archetype does not keep as they ask for."""
    found = []
    for row in asking:
        if row.zone_tolerance > archetype.zone_tolerance:
            found.append(f"is not spread over zones, {row.workload!r} asks to survive the loss of one")
        elif not archetype.keeps(row):
            kind = archetype.layout[row.tier]
            found.append(f"keeps {row.tier} data in {kind}, {row.workload!r} asks for {' or '.join(row.resiliency)}")
    return found


def _judge(inventory: Inventory, archetype: Archetype, demand: FleetDemand, unmet: Sequence[str]) -> SizingRow:
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
        if needed > offered * (1 + LIMIT_TOLERANCE)
    ]
    if archetype.node_tolerance < demand.fault_tolerance:
        reasons.append(
            f"survives {archetype.node_tolerance} node failures, demands ask for {demand.fault_tolerance} "
            f"(limited by {archetype.tolerance.weakest})"
        )
    wrong = [name for name in demand.gpu_models if name != model.gpu_model]
    if wrong:
        reasons.append(f"has GPU {model.gpu_model or 'none'}, demands ask for {', '.join(wrong)}")
    reasons.extend(unmet)
    if not reasons and (verdict := packed(demand.machines, archetype.hosts)) is not Verdict.FITS:
        reasons.append(in_words(demand.machines, archetype.hosts.room, archetype.hosts.left, verdict))
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
