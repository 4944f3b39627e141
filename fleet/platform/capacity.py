"""From hardware to what demands may use: one engine, traced step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.policy import Policy
from fleet.platform.resiliency import resiliency_types, zones_of
from fleet.quantities import Resources, gb_to_tb
from fleet.rulepack.facts import RulePack

#: Units of the stages, one per resource in the order of `fleet.quantities.RESOURCES`.
STAGE_UNITS = ("vCPU", "GiB", "TB", "GPU")


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: what it adds (or, below zero, takes), and why.

    The stages of one unit add up, in their order, to what is usable of that resource.
    """

    name: str
    amount: float
    unit: str
    note: str

    def __str__(self) -> str:
        return f"{self.amount:+14,.2f} {self.unit:<4}  {self.name}: {self.note}"


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a cluster offers.

    Attributes
    ----------
    usable : Resources
        What demands may use in normal operation: vCPU at the policy's ratio, GiB, TB of pool footprint, GPUs.
    without_node_reserve : Resources
        The same with no node kept free.
    trace : tuple of Stage
        Every step to `usable`, in order.
    """

    usable: Resources
    without_node_reserve: Resources
    trace: tuple[Stage, ...]


def raw_tb(model: NodeModel, nodes: int) -> float:
    """Raw pool: capacity drives only, cache drives add nothing [TB]."""
    return nodes * model.capacity_drives * model.capacity_drive_tb


def host_reserve_cores(model: NodeModel, pack: RulePack) -> float:
    """Cores that the host keeps on each node: a share of them, but at least a fixed number [cores]."""
    return max(pack.number("host.cpu_reserve_fraction") * model.cores, pack.number("host.cpu_reserve_min_cores"))


def host_reserve_memory_gb(model: NodeModel, pack: RulePack) -> float:
    """Memory that the host keeps on each node: a fixed amount and the cache's, but at least a share [GiB]."""
    cache = pack.number("host.memory_gb_per_cache_tb") * model.cache_drives * model.cache_drive_tb
    fixed = pack.number("host.memory_reserve_min_gb") + cache
    return max(fixed, pack.number("host.memory_reserve_fraction") * model.memory_gb)


def node_vcpus(model: NodeModel, policy: Policy, pack: RulePack) -> float:
    """What machines may use of one node [vCPU at the policy's ratio]: cores beside the host's, up to its limit."""
    host = (model.cores - host_reserve_cores(model, pack)) * policy.vcpu_per_core
    return min(host, pack.number("limits.max_virtual_processors"))


def node_memory_gb(model: NodeModel, pack: RulePack) -> float:
    """What machines may use of one node beside what the host keeps [GiB]."""
    return model.memory_gb - host_reserve_memory_gb(model, pack)


def cache_serves(model: NodeModel, pack: RulePack) -> str:
    """What the cache of a node model does for its capacity drives; empty without a cache."""
    return str(pack.table("cache.serves").get(model.capacity_media, "")) if model.cache_drives else ""


def kept_free(nodes: int, policy: Policy, zones: int = 1) -> int:
    """Nodes of compute kept free: the policy's number, those of a zone if that is more, none in a cluster of one."""
    if nodes == 1:
        return 0
    return max(policy.reserve_nodes, nodes // zones if zones > 1 else 0)


def most_machines(nodes: int, free: int, pack: RulePack) -> int:
    """Virtual machines that a cluster may run with `free` of its nodes kept free: of its hosts, and of the cluster.

    References
    ----------
    Microsoft, WindowsServerDocs/virtualization/hyper-v/maximum-scale-limits.md (10/2025).
    """
    return min(pack.whole("limits.max_vms_per_cluster"), (nodes - free) * pack.whole("limits.max_vms_per_node"))


def cluster_capacity(
    model: NodeModel,
    nodes: int,
    layout: Mapping[str, str],
    policy: Policy,
    pack: RulePack,
) -> Capacity:
    """What `nodes` nodes of `model` offer to demands.

    Parameters
    ----------
    model : NodeModel
        The hardware.
    nodes : int
        Node count, at least 1.
    layout : mapping of tier to resiliency type
        Matters where it spreads copies over zones: then one zone's compute is kept free, and platform volumes have
        as many copies as data. Otherwise it changes nothing: the pool is a footprint, and copies count on the demand's
        side.
    policy : Policy
        reserve_nodes, vcpu_per_core, max_utilization, pool_fill.
    pack : RulePack
        Reserves of host and pool.

    Returns
    -------
    Capacity
        May be zero or below where the reserves take everything; such clusters are refused as archetypes.

    Notes
    -----
    With *n* nodes of which *k* are kept free (in a rack-aware cluster at least half of them), utilization *u*,
    ratio *v*, fill *f*::

        vCPU = ((n − k) · min((cores − host reserve) · v, host limit) − platform vCPU) · u
        GiB  = ((n − k) · (memory − host reserve) − platform memory) · u
        GPU  = (n − k) · GPUs
        TB   = (raw · (1 − metadata) − repair reserve − platform volumes · copies) · f

    References
    ----------
    Microsoft, WindowsServerDocs/storage/storage-spaces/plan-volumes.md (02/2025); Azure/odinforazurelocal
    sizer/sizer.js (08/2026); every number is a fact of the rule pack with its own source.
    """
    free = kept_free(nodes, policy, zones_of(layout, pack))
    pool = _pool(model, nodes, _platform_copies(nodes, layout, pack), policy, pack)
    trace = tuple(stage for stage in (*_compute(model, nodes, free, policy, pack), *pool) if stage.amount)
    usable = _sums(trace)
    without = _sums((*_compute(model, nodes, 0, policy, pack), *pool)) if free else usable
    return Capacity(usable, without, trace)


def _sums(stages: tuple[Stage, ...]) -> Resources:
    totals = dict.fromkeys(STAGE_UNITS, 0.0)
    for stage in stages:
        totals[stage.unit] += stage.amount
    return Resources(*totals.values())


def _compute(model: NodeModel, nodes: int, free: int, policy: Policy, pack: RulePack) -> tuple[Stage, ...]:
    return (
        *_vcpu(model, nodes, free, policy, pack),
        *_memory(model, nodes, free, policy, pack),
        *_gpu(model, nodes, free),
    )


def _vcpu(model: NodeModel, nodes: int, free: int, policy: Policy, pack: RulePack) -> tuple[Stage, ...]:
    ratio = policy.vcpu_per_core
    reserve = host_reserve_cores(model, pack)
    limit = pack.number("limits.max_virtual_processors")
    usable = node_vcpus(model, policy, pack)
    excess = (model.cores - reserve) * ratio - usable
    platform = pack.number("host.platform_vcpus")
    stages = [
        Stage("cores", nodes * model.cores * ratio, "vCPU", f"{nodes} × {model.cores} cores at {ratio:g} vCPU"),
        Stage("host reserve", -nodes * reserve * ratio, "vCPU", f"{reserve:g} cores per node"),
    ]
    if excess:
        stages.append(Stage("host limit", -nodes * excess, "vCPU", f"a host runs at most {limit:,.0f} vCPU"))
    if free:
        stages.append(Stage("nodes kept free", -free * usable, "vCPU", f"{free} of {nodes}"))
    stages.append(Stage("platform virtual machine", -platform, "vCPU", "once per cluster"))
    return (*stages, _utilization(stages, policy))


def _memory(model: NodeModel, nodes: int, free: int, policy: Policy, pack: RulePack) -> tuple[Stage, ...]:
    reserve = host_reserve_memory_gb(model, pack)
    platform = pack.number("host.platform_memory_gb")
    stages = [
        Stage("memory", nodes * model.memory_gb, "GiB", f"{nodes} × {model.memory_gb:g} GiB"),
        Stage("host reserve", -nodes * reserve, "GiB", f"{reserve:g} GiB per node{_cache_note(model, pack)}"),
    ]
    if free:
        stages.append(Stage("nodes kept free", -free * node_memory_gb(model, pack), "GiB", f"{free} of {nodes}"))
    stages.append(Stage("platform virtual machine", -platform, "GiB", "once per cluster"))
    return (*stages, _utilization(stages, policy))


def _cache_note(model: NodeModel, pack: RulePack) -> str:
    if not model.cache_drives:
        return ""
    return f", with {model.cache_drives * model.cache_drive_tb:g} TB of cache that serves {cache_serves(model, pack)}"


def _utilization(stages: list[Stage], policy: Policy) -> Stage:
    subtotal = sum(stage.amount for stage in stages)
    limit = policy.max_utilization
    return Stage("utilization limit", -subtotal * (1.0 - limit), stages[0].unit, f"use at most {limit:.0%}")


def _gpu(model: NodeModel, nodes: int, free: int) -> tuple[Stage, ...]:
    if not model.gpus:
        return ()
    stages = [Stage("GPUs", float(nodes * model.gpus), "GPU", f"{nodes} × {model.gpus} {model.gpu_model}".rstrip())]
    if free:
        stages.append(Stage("nodes kept free", -float(free * model.gpus), "GPU", f"{free} of {nodes}"))
    return tuple(stages)


def _platform_copies(nodes: int, layout: Mapping[str, str], pack: RulePack) -> int:
    """Copies of the platform volumes: as deployment makes them, or those of the types that span zones."""
    spread = [kind for kind in map(resiliency_types(pack).get, layout.values()) if kind is not None and kind.zones > 1]
    if spread:
        return max(round(1.0 / kind.fixed_efficiency) for kind in spread)
    return int(pack.row_from("layouts.platform_copies", nodes))


def _pool(model: NodeModel, nodes: int, copies: int, policy: Policy, pack: RulePack) -> tuple[Stage, ...]:
    raw = raw_tb(model, nodes)
    metadata = pack.number("capacity.metadata_fraction")
    drives = min(nodes * pack.whole("capacity.reserve_drives_per_node"), pack.whole("capacity.max_reserve_drives"))
    volumes_gb = pack.number("capacity.infrastructure_volume_gb") + pack.number("capacity.performance_history_gb")
    stages = [
        Stage(
            "raw",
            raw,
            "TB",
            f"{nodes} × {model.capacity_drives} drives of {model.capacity_drive_tb:g} TB {model.capacity_media}",
        ),
        Stage("metadata", -raw * metadata, "TB", f"{metadata:.0%} of raw"),
        Stage("repair reserve", -drives * model.capacity_drive_tb, "TB", f"{drives} drives"),
        Stage("platform volumes", -gb_to_tb(volumes_gb) * copies, "TB", f"{volumes_gb:g} GB in {copies} copies"),
    ]
    subtotal = sum(stage.amount for stage in stages)
    limit = policy.pool_fill
    return (*stages, Stage("fill limit", -subtotal * (1.0 - limit), "TB", f"fill at most {limit:.0%}"))
