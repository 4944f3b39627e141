"""Which clusters may be built: every platform rule, and the reasons for which hardware or a layout is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.workloads import TIERS
from fleet.platform.capacity import Capacity, cache_serves, raw_tb
from fleet.platform.resiliency import DISK_MEDIA, resiliency_types
from fleet.quantities import GB_PER_TB
from fleet.rulepack.facts import RulePack
from fleet.tolerances import FIT_TOLERANCE

#: Threads of a core, for the limit on logical processors.
THREADS_PER_CORE = 2
#: The most node count from which a two-way mirror is doubtful: a switch of the rule pack.
TWO_WAY, TWO_WAY_NODES = "two-way-mirror", 2


@dataclass(frozen=True, slots=True)
class PlatformRule:
    """One rule of the platform: stable id, name, statement, and the facts that it rests on."""

    id: str
    name: str
    statement: str
    facts: tuple[str, ...]


#: What `fleet.platform` refuses about clusters; the audit reports the same under the same ids.
PLATFORM_RULES: tuple[PlatformRule, ...] = (
    PlatformRule(
        "PLT-001",
        "node-count",
        "the node count lies within the limits of platform and node model",
        ("limits.min_nodes", "limits.max_nodes"),
    ),
    PlatformRule(
        "PLT-002",
        "capacity-drives",
        "a node has enough capacity drives",
        ("drives.min_capacity_drives_flash", "drives.min_capacity_drives_hybrid"),
    ),
    PlatformRule("PLT-003", "drive-size", "a capacity drive is large enough", ("drives.min_capacity_drive_tb",)),
    PlatformRule("PLT-004", "node-storage", "raw storage per node has a limit", ("limits.max_node_storage_tb",)),
    PlatformRule("PLT-005", "cluster-storage", "raw storage of a pool has a limit", ("limits.max_cluster_storage_tb",)),
    PlatformRule(
        "PLT-006", "memory", "memory per node lies within limits", ("limits.min_memory_gb", "limits.max_memory_gb")
    ),
    PlatformRule("PLT-007", "processors", "logical processors have a limit", ("limits.max_logical_processors",)),
    PlatformRule("PLT-008", "disk-needs-flash", "hard disks have a flash cache", ("drives.allow_disk_only",)),
    PlatformRule("PLT-009", "single-node-cache", "a single node has no cache", ("cache.allow_single_node",)),
    PlatformRule(
        "PLT-010",
        "cache-drives",
        "cache drives are enough, large enough, and divide the capacity drives evenly",
        ("cache.min_drives", "cache.min_drive_gb", "cache.whole_multiple"),
    ),
    PlatformRule("PLT-011", "cache-ratio", "a cache before hard disks is large enough", ("cache.min_ratio_hybrid",)),
    PlatformRule("PLT-012", "storage-network", "storage ports are fast enough", ("network.min_storage_gbps",)),
    PlatformRule("PLT-013", "gpu-memory", "GPU memory is limited", ("limits.max_gpu_memory_gb", "gpu.models")),
    PlatformRule("PLT-014", "layout-type", "every tier has a resiliency type that serves it", ("resiliency.types",)),
    PlatformRule("PLT-015", "layout-nodes", "a resiliency type is allowed at the node count", ("resiliency.types",)),
    PlatformRule("PLT-016", "layout-drives", "a resiliency type gets the drives that it needs", ("resiliency.types",)),
    PlatformRule(
        "PLT-017",
        "two-way-above-two",
        "two-way mirrors are not offered above two nodes",
        ("resiliency.two_way_above_two_nodes",),
    ),
    PlatformRule(
        "PLT-026",
        "topology",
        "a cluster is spread over zones only where the site has them, with every tier and equally many nodes in each",
        ("resiliency.types", "network.rack_to_rack_rtt_ms"),
    ),
    PlatformRule(
        "PLT-027",
        "layout-on-offer",
        "a layout with better efficiency than those that are recommended needs a workload that asks for it",
        ("layouts.mirror", "layouts.parity"),
    ),
    PlatformRule(
        "PLT-029",
        "volumes",
        "a full pool fits into the volumes that a cluster may have",
        ("limits.max_volumes", "limits.max_volume_tb", "volumes.extent_mib"),
    ),
    PlatformRule("PLT-018", "nothing-left", "something is left of every resource after the reserves", ()),
    PlatformRule("PLT-019", "growth-same-model", "a cluster grows by nodes of its own model", ()),
    PlatformRule(
        "PLT-020", "growth-never-shrinks", "a node is never taken out of a cluster", ("growth.from_single_node",)
    ),
    PlatformRule("PLT-021", "growth-single-node", "a single node may grow", ("growth.from_single_node",)),
    PlatformRule(
        "PLT-022",
        "growth-layout",
        "a growing cluster changes its layout along allowed paths only",
        ("growth.layout_paths", "growth.rebuild_to_parity"),
    ),
)

#: (rule id, reason)
Reason = tuple[str, str]


def hardware_refusals(model: NodeModel, nodes: int, pack: RulePack) -> Iterator[Reason]:
    """Why `nodes` nodes of `model` may not form a cluster, whatever the layout."""
    yield from _node_count(model, nodes, pack)
    yield from _drives(model, nodes, pack)
    yield from _cache(model, nodes, pack)
    low, high = pack.number("limits.min_memory_gb"), pack.number("limits.max_memory_gb")
    if not low <= model.memory_gb <= high:
        yield "PLT-006", f"{model.memory_gb:g} GiB of memory per node, allowed are {low:g} to {high:g} GiB"
    threads = THREADS_PER_CORE * model.cores
    if threads > pack.whole("limits.max_logical_processors"):
        limit = pack.whole("limits.max_logical_processors")
        yield "PLT-007", f"{threads} logical processors per node, at most {limit} are allowed"
    if nodes > 1 and model.nic_gbps < pack.number("network.min_storage_gbps"):
        low = pack.number("network.min_storage_gbps")
        yield "PLT-012", f"storage ports of {model.nic_gbps:g} Gbit/s, at least {low:g} Gbit/s are needed"
    facts = gpu_facts(model, pack)
    memory, limit_gb = model.gpus * float((facts or {}).get("memory_gb", 0)), pack.number("limits.max_gpu_memory_gb")
    if memory > limit_gb:
        yield "PLT-013", f"{memory:g} GB of GPU memory per node, at most {limit_gb:g} GB are allowed"


def _node_count(model: NodeModel, nodes: int, pack: RulePack) -> Iterator[Reason]:
    low = max(model.min_nodes, pack.whole("limits.min_nodes"))
    high = min(model.max_nodes, pack.whole("limits.max_nodes"))
    if not low <= nodes <= high:
        yield "PLT-001", f"{nodes} nodes, clusters of this model have {low} to {high}"


def _drives(model: NodeModel, nodes: int, pack: RulePack) -> Iterator[Reason]:
    kind = "hybrid" if model.cache_drives else "flash"
    least = pack.whole(f"drives.min_capacity_drives_{kind}")
    if model.capacity_drives < least:
        yield "PLT-002", f"{model.capacity_drives} capacity drives per node, at least {least} are needed"
    size = pack.number("drives.min_capacity_drive_tb")
    if model.capacity_drive_tb < size:
        yield "PLT-003", f"capacity drives of {model.capacity_drive_tb:g} TB, at least {size:g} TB are needed"
    per_node, limit = raw_tb(model, 1), pack.number("limits.max_node_storage_tb")
    if per_node > limit * (1 + FIT_TOLERANCE):
        yield "PLT-004", f"{per_node:g} TB of raw storage per node, at most {limit:g} TB are allowed"
    pool, limit = raw_tb(model, nodes), pack.number("limits.max_cluster_storage_tb")
    if pool > limit * (1 + FIT_TOLERANCE):
        yield "PLT-005", f"{pool:g} TB of raw storage in the pool, at most {limit:g} TB are allowed"


def _cache(model: NodeModel, nodes: int, pack: RulePack) -> Iterator[Reason]:
    is_disk = model.capacity_media == DISK_MEDIA
    if not model.cache_drives:
        if is_disk and not pack.flag("drives.allow_disk_only"):
            yield "PLT-008", "hard disks without a flash cache"
        return
    if nodes == 1 and not pack.flag("cache.allow_single_node"):
        yield "PLT-009", f"{model.cache_drives} cache drives in a cluster of one node, which may have none"
    least = pack.whole("cache.min_drives")
    if model.cache_drives < least:
        yield "PLT-010", f"{model.cache_drives} cache drives per node, at least {least} are needed"
    size_gb, least_gb = GB_PER_TB * model.cache_drive_tb, pack.number("cache.min_drive_gb")
    if size_gb < least_gb * (1 - FIT_TOLERANCE):
        yield "PLT-010", f"cache drives of {size_gb:g} GB, at least {least_gb:g} GB are needed"
    if pack.flag("cache.whole_multiple") and model.capacity_drives % model.cache_drives:
        yield (
            "PLT-010",
            f"{model.capacity_drives} capacity drives do not divide evenly over {model.cache_drives} cache drives",
        )
    cache, least_ratio = model.cache_drives * model.cache_drive_tb, pack.number("cache.min_ratio_hybrid")
    if is_disk and cache < least_ratio * raw_tb(model, 1) * (1 - FIT_TOLERANCE):
        yield (
            "PLT-011",
            f"{cache:g} TB of cache before {raw_tb(model, 1):g} TB per node, at least {least_ratio:.0%} are needed",
        )


def _cache_warnings(model: NodeModel, nodes: int, pack: RulePack) -> Iterator[str]:
    if not model.cache_drives or nodes == 1:
        return
    if cache_serves(model, pack) == "nothing":
        yield f"a cache before {model.capacity_media} drives serves nothing: make it capacity, or leave it out"
    cache, ratio = model.cache_drives * model.cache_drive_tb, pack.number("cache.recommended_ratio_flash")
    if model.capacity_media != DISK_MEDIA and cache < ratio * raw_tb(model, 1) * (1 - FIT_TOLERANCE):
        yield f"{cache:g} TB of cache before {raw_tb(model, 1):g} TB of flash, less than the recommended {ratio:.0%}"


def gpu_facts(model: NodeModel, pack: RulePack) -> Mapping[str, Any] | None:
    """What the pack states about the GPU of a node model; None where it does not list it."""
    wanted = model.gpu_model.lower().removeprefix("nvidia ").strip()
    return next((row for name, row in pack.table("gpu.models").items() if name.lower() == wanted), None)


def layout_refusals(model: NodeModel, nodes: int, layout: Mapping[str, str], pack: RulePack) -> Iterator[Reason]:
    """Why a layout may not be used at `nodes` nodes of `model`."""
    types = resiliency_types(pack)
    for tier in sorted(set(layout) | set(TIERS)):
        name = layout.get(tier, "")
        kind = types.get(name)
        if kind is None or tier not in TIERS:
            yield "PLT-014", f"tier {tier!r} has no resiliency type that is known, got {name!r}"
            continue
        if kind.refusal:
            yield "PLT-014", f"{name} {kind.refusal}"
        if tier not in kind.tiers:
            yield "PLT-014", f"{name} does not serve tier {tier!r}, only {', '.join(kind.tiers)}"
        if not kind.minimum_nodes <= nodes <= kind.maximum_nodes:
            yield "PLT-015", f"{name} needs {_range(kind.minimum_nodes, kind.maximum_nodes)}, not {nodes}"
        if model.capacity_drives < kind.minimum_capacity_drives:
            least = kind.minimum_capacity_drives
            yield "PLT-016", f"{name} needs {least} capacity drives per node, got {model.capacity_drives}"
        if kind.flash_only and model.capacity_media == DISK_MEDIA:
            yield "PLT-016", f"{name} needs flash, got hard disks"
        if name == TWO_WAY and nodes > TWO_WAY_NODES and not pack.flag("resiliency.two_way_above_two_nodes"):
            yield "PLT-017", f"{name} at {nodes} nodes: warned against above {TWO_WAY_NODES}, a switch of the rule pack"


def _range(low: int, high: int) -> str:
    return f"exactly {low} nodes" if low == high else f"{low} to {high} nodes"


def capacity_refusals(model: NodeModel, capacity: Capacity) -> Iterator[Reason]:
    """Why nothing is left of a resource after the reserves."""
    usable = capacity.usable
    amounts = {"vCPU": usable.vcpu, "memory": usable.memory_gb, "storage": usable.pool_tb}
    if model.gpus:
        amounts["GPU"] = usable.gpu
    for name, amount in amounts.items():
        if amount <= 0:
            yield "PLT-018", f"no {name} is left after the reserves ({amount:,.2f})"


def archetype_warnings(model: NodeModel, nodes: int, layout: Mapping[str, str], pack: RulePack) -> Iterator[str]:
    """What is allowed but should be known."""
    types = resiliency_types(pack)
    if nodes == 1:
        yield "a single node: its workloads stop while it is updated and when it is lost"
    if nodes == TWO_WAY_NODES and "nested-two-way-mirror" in types and TWO_WAY in layout.values():
        yield "two copies: a drive lost while the other node is away loses data; nested mirrors survive that"
    if nodes > TWO_WAY_NODES and TWO_WAY in layout.values():
        yield "two-way mirrors above two nodes: a drive and a node lost together lose data"
    if nodes == 4 and pack.flag("quorum.pool_counts"):
        yield "four nodes: with a drive failed, losing two nodes at once takes the pool offline"
    if nodes > 1 and model.nic_gbps < pack.number("network.recommended_storage_gbps"):
        yield f"storage ports below the recommended {pack.number('network.recommended_storage_gbps'):g} Gbit/s"
    if nodes > 1 and model.nic_ports < pack.whole("network.min_storage_ports"):
        yield "one network port: no fault tolerance of the network"
    yield from _cache_warnings(model, nodes, pack)
    if model.gpus and gpu_facts(model, pack) is None:
        yield f"GPU {model.gpu_model!r} is not on the list of supported models"
