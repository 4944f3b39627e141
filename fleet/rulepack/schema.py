"""Which facts a rule pack must state: kind, unit, and what each one decides.

A pack that states another fact, leaves one out, or states one in another unit or kind is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fleet.inventory.tables.prices import PRICE_ITEMS

FactKind = Literal["number", "whole", "flag", "text", "texts", "table"]
#: What a cell of a table may hold: a kind (a trailing ``?`` makes the cell optional) or one of some words.
CellType = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactType:
    """What a pack must state under one key.

    Attributes
    ----------
    kind : str
        number, whole (number), flag, text, texts (a list), or table (named rows).
    unit : str
        The unit in which it must be stated; fractions lie in [0, 1], no number is negative.
    effect : str
        What it decides in a plan.
    row : str, mapping or None
        For a table: the type of every row's only value, or the type of each of its columns.
    column_effects : mapping
        For a table: what a column decides, where it is more than what the table decides.
    choices : tuple of str
        For a text: the words it may be. Empty where any is good.
    by_nodes : bool
        For a table: rows are named by a node count and hold up to the next one.
    from_one : bool
        For such a table: its first row is that of one node.
    """

    kind: FactKind
    unit: str
    effect: str
    row: CellType | Mapping[str, CellType] | None = None
    column_effects: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    by_nodes: bool = False
    from_one: bool = False


WITNESS_RULES = ("none", "optional", "recommended", "required")
WITNESS_TYPES = ("cloud", "file_share", "none")
EFFICIENCY_RULES = ("fixed", "single-parity", "dual-parity", "mirror-accelerated-parity", "nested-parity")

#: Parts of a recovery time, in order; a mechanism states all of them or none.
RECOVERY_PHASES = ("detection_minutes", "decision_minutes", "restart_minutes", "application_minutes")

_TOLERANCE = {"with_witness": "whole", "without_witness": "whole"}

SCHEMA: dict[str, FactType] = {
    # What a machine and a cluster may be.
    "limits.min_nodes": FactType("whole", "nodes", "fewest nodes of an archetype"),
    "limits.max_nodes": FactType("whole", "nodes", "most nodes of an archetype"),
    "limits.min_memory_gb": FactType("number", "GiB", "refuses node models with less memory"),
    "limits.max_memory_gb": FactType("number", "GiB", "refuses node models with more memory"),
    "limits.max_logical_processors": FactType("whole", "processors", "refuses node models with more, two per core"),
    "limits.max_virtual_processors": FactType("whole", "vCPU", "caps the vCPU that one host offers"),
    "limits.max_vm_vcpus": FactType("whole", "vCPU", "largest virtual machine"),
    "limits.max_vms_per_cluster": FactType("whole", "VMs", "most virtual machines of a cluster"),
    "limits.max_node_storage_tb": FactType("number", "TB", "refuses node models with more raw storage"),
    "limits.max_cluster_storage_tb": FactType("number", "TB", "refuses clusters with more raw storage"),
    "limits.max_volumes": FactType("whole", "volumes", "volumes to lay out on a cluster"),
    "limits.max_volume_tb": FactType("number", "TB", "size of the volumes to lay out"),
    "limits.max_gpu_memory_gb": FactType("number", "GB", "refuses node models with more memory on their GPUs"),
    "limits.max_vms_per_node": FactType("whole", "VMs", "instances that a cluster's nodes may run"),
    # Volumes.
    "volumes.extents_per_node": FactType("whole", "extents", "size limit of volumes: records of a node's pool"),
    "volumes.extent_mib": FactType("number", "MiB", "size limit of volumes: what one record covers"),
    "volumes.margin_tb": FactType("number", "TB", "size limit of volumes: kept off what the records cover"),
    "volumes.whole_multiple": FactType("flag", "", "whether volumes come as a multiple of the node count"),
    "volumes.platform": FactType("whole", "volumes", "volumes that the platform itself takes of the most allowed"),
    "limits.single_node_production": FactType("flag", "", "whether a single node is offered without a warning"),
    "limits.storage_kind": FactType("text", "", "told only: plans have local drives, whatever the pack says"),
    "limits.lends_capacity": FactType(
        "flag", "", "told only: in a plan every cluster carries its own load and reserve"
    ),
    "limits.mixed_models": FactType("flag", "", "told only: in a plan all nodes of a cluster are replaced together"),
    # Drives and cache.
    "drives.min_capacity_drives_flash": FactType("whole", "drives", "refuses all-flash nodes with fewer drives"),
    "drives.min_capacity_drives_hybrid": FactType("whole", "drives", "refuses nodes with a cache and fewer drives"),
    "drives.min_capacity_drive_tb": FactType("number", "TB", "refuses nodes with smaller drives"),
    "drives.allow_disk_only": FactType("flag", "", "whether hard disks may go without flash"),
    "cache.min_drives": FactType("whole", "drives", "refuses nodes with a smaller cache"),
    "cache.min_ratio_hybrid": FactType("number", "fraction", "refuses hybrid nodes with less cache per capacity"),
    "cache.min_drive_gb": FactType("number", "GB", "refuses nodes with smaller cache drives"),
    "cache.recommended_ratio_flash": FactType("number", "fraction", "warns of less cache before flash"),
    "cache.serves": FactType("table", "", "what a cache before capacity drives of this medium does", "text"),
    "cache.whole_multiple": FactType("flag", "", "whether capacity drives must divide evenly over cache drives"),
    "cache.allow_single_node": FactType("flag", "", "whether one node alone may have a cache"),
    # From raw to usable storage.
    "capacity.metadata_fraction": FactType("number", "fraction", "share of the raw pool that holds no data"),
    "capacity.reserve_drives_per_node": FactType("whole", "drives", "drives per node kept free for repairs"),
    "capacity.max_reserve_drives": FactType("whole", "drives", "most drives of a cluster kept free for repairs"),
    "capacity.infrastructure_volume_gb": FactType("number", "GB", "platform volume, times its copies"),
    "capacity.performance_history_gb": FactType("number", "GB", "platform volume, times its copies"),
    "capacity.pool_fill": FactType(
        "number",
        "fraction",
        "where the platform's pool alert stands; policy pool_fill decides, and is told where it is above",
    ),
    # Resiliency.
    "resiliency.types": FactType(
        "table",
        "",
        "which resiliency types exist, what they need and what they survive",
        row={
            "minimum_nodes": "whole",
            "maximum_nodes": "whole",
            "node_tolerance": "whole",
            "drive_tolerance": "whole",
            "efficiency_rule": EFFICIENCY_RULES,
            "efficiency": "number?",
            "minimum_capacity_drives": "whole?",
            "flash_only": "flag?",
            "zones": "whole?",
            "tiers": "texts",
            "refusal": "text?",
        },
        column_effects={
            "minimum_nodes": "fewest nodes at which the type is used",
            "maximum_nodes": "most nodes at which the type is used",
            "node_tolerance": "node losses that its data survives",
            "drive_tolerance": "drive losses that its data survives",
            "efficiency_rule": "pool that data takes",
            "efficiency": "pool that data takes",
            "tiers": "tiers that it serves",
            "refusal": "whether it is offered at all",
        },
    ),
    "resiliency.dual_parity_hybrid": FactType(
        "table", "fraction", "efficiency by node count, hard disks", "number", by_nodes=True
    ),
    "resiliency.dual_parity_flash": FactType(
        "table", "fraction", "efficiency by node count, all flash", "number", by_nodes=True
    ),
    "resiliency.mirror_share": FactType("number", "fraction", "mirrored part of accelerated parity volumes"),
    "resiliency.nested_parity_max_drives": FactType("whole", "drives", "drives that raise nested parity's efficiency"),
    "resiliency.two_way_above_two_nodes": FactType("flag", "", "offers two-way mirrors above two nodes"),
    "layouts.mirror": FactType(
        "table", "", "mirror of new volumes from this node count on", "text", by_nodes=True, from_one=True
    ),
    "layouts.platform_copies": FactType(
        "table", "copies", "copies of the platform volumes from this count on", "whole", by_nodes=True, from_one=True
    ),
    "layouts.parity": FactType("table", "", "parity of archive volumes from this node count on", "text", by_nodes=True),
    # Quorum.
    "quorum.cluster": FactType(
        "table", "nodes", "nodes lost at once that the cluster survives", _TOLERANCE, by_nodes=True, from_one=True
    ),
    "quorum.pool": FactType(
        "table", "nodes", "nodes lost at once that the storage pool survives", _TOLERANCE, by_nodes=True, from_one=True
    ),
    "quorum.pool_counts": FactType("flag", "", "whether the pool table limits the node tolerance too"),
    "quorum.pair_keeps_pool": FactType(
        "flag", "", "whether the pool of two nodes without a witness stays up with the node that keeps the cluster"
    ),
    "quorum.max_node_failures": FactType("whole", "nodes", "nodes lost at once, whatever the node count"),
    "witness.rule": FactType(
        "table", "", "where a witness is set up, from this node count on", WITNESS_RULES, by_nodes=True, from_one=True
    ),
    "witness.with_internet": FactType("text", "", "type of the witness", choices=WITNESS_TYPES),
    "witness.without_internet": FactType("text", "", "type of the witness", choices=WITNESS_TYPES),
    "witness.reach": FactType("table", "", "what each witness must be reached by, in the network design", "text"),
    # Repair.
    "repair.wait_minutes": FactType("number", "minutes", "when the repair after a lost drive or node begins"),
    "repair.drive_mb_per_second": FactType(
        "table", "MB/s", "what a capacity drive writes in a repair, by media: the time without redundancy", "number"
    ),
    "repair.network_share": FactType("number", "fraction", "of the storage bandwidth that a repair takes"),
    # What the host keeps for itself.
    "host.cpu_reserve_fraction": FactType("number", "fraction", "cores that the host keeps"),
    "host.cpu_reserve_min_cores": FactType("number", "cores", "cores that the host keeps at least"),
    "host.memory_reserve_fraction": FactType("number", "fraction", "memory that the host keeps"),
    "host.memory_reserve_min_gb": FactType("number", "GiB", "memory that the host keeps at least, plus the cache's"),
    "host.memory_gb_per_cache_tb": FactType("number", "GiB/TB", "memory that the cache takes"),
    "host.platform_vcpus": FactType("number", "vCPU", "platform virtual machine of each cluster"),
    "host.platform_memory_gb": FactType("number", "GiB", "platform virtual machine of each cluster"),
    "host.operating_system": FactType("text", "", "what the hosts run, told with the cost of the platform"),
    "host.free_memory_alert": FactType("number", "fraction", "free memory of a node that raises an alert"),
    # Growth and upkeep.
    "growth.layout_paths": FactType("table", "", "layout changes that a growing cluster may make", "texts"),
    "growth.rebuild_to_parity": FactType("flag", "", "whether archive volumes may be rebuilt from mirror to parity"),
    "growth.from_single_node": FactType("flag", "", "whether a single node may grow into a cluster"),
    "updates.cumulative_months": FactType("number", "months", "interval of the maintenance calendar"),
    "updates.train_months": FactType("number", "months", "interval of the feature updates in the calendar"),
    "updates.max_lag_months": FactType("number", "months", "how long an update may be put off"),
    "updates.max_offline_days": FactType("number", "days", "how long a site may be without Azure"),
    "updates.max_bridge_offline_days": FactType("number", "days", "how long the resource bridge may be offline"),
    # Continuity.
    "mechanisms": FactType(
        "table",
        "",
        "which replication mechanisms protect a demand",
        row={
            "target": ("", "cluster", "cloud"),
            "interval_minutes": "number",
            "max_rtt_ms": "number?",
            "rto_minutes": "number",
            **dict.fromkeys(RECOVERY_PHASES, "number?"),
            "window_minutes": "number?",
            "failover": ("operator", "automatic"),
            "fee_item": tuple(PRICE_ITEMS),
            "note": "text?",
        },
        column_effects={
            "target": "where copies go: to a standby cluster, or to the cloud, which needs none; a cluster where blank",
            "interval_minutes": "recovery point that it meets and bandwidth that a stream reserves",
            "max_rtt_ms": "standby clusters that are near enough",
            "rto_minutes": "recovery time that it meets",
            **dict.fromkeys(RECOVERY_PHASES, "where the recovery time goes, told with every failure"),
            "window_minutes": "time of each interval in which copies are shipped: bandwidth that a stream reserves",
            "failover": "who starts the failover",
            "fee_item": "price of a stream, or of an instance in the cloud",
        },
    ),
    "replication.parallel_transfers": FactType("whole", "transfers", "initial copies that run at once"),
    "recovery.node_failure_minutes": FactType("number", "minutes", "restart inside a cluster after losing a node"),
    "recovery.path_repair_minutes": FactType(
        "number", "minutes", "how far a recovery point grows while a failed line stops the copies"
    ),
    "backup.scratch_fraction": FactType("number", "fraction", "scratch space of the backup server"),
    "backup.products": FactType("texts", "", "backup products that the report names"),
    "site_recovery.max_disk_tb": FactType("number", "TB", "warns of instances that need several disks in the cloud"),
    "site_recovery.failback_to_other_cluster": FactType(
        "flag", "", "whether recovery in Azure may fail back elsewhere"
    ),
    # Network.
    "network.min_storage_gbps": FactType("number", "Gbit/s", "refuses multi-node clusters with slower storage ports"),
    "network.recommended_storage_gbps": FactType("number", "Gbit/s", "warns of slower storage ports"),
    "network.min_storage_ports": FactType("whole", "ports", "ports of an intent; warns of nodes with fewer in all"),
    "network.switchless_max_nodes": FactType("whole", "nodes", "largest cluster without a storage switch"),
    "network.storage_vlans": FactType("texts", "", "how many storage networks a cluster has, and their usual numbers"),
    "network.management_in_band": FactType("flag", "", "whether management shares the ports or takes ports of its own"),
    "network.separate_cluster_network": FactType("flag", "", "whether the heartbeat takes a network of its own"),
    "network.guest_rdma": FactType("flag", "", "whether the network design lets virtual machines use RDMA"),
    "network.smb_share": FactType("number", "fraction", "of converged ports: bandwidth reserved for storage traffic"),
    "network.storage_share": FactType("number", "fraction", "of storage traffic: bandwidth for the volumes"),
    "network.live_migration_share": FactType("number", "fraction", "of storage traffic: limit of live migration"),
    "network.heartbeat_share": FactType("number", "fraction", "of storage traffic: reserve of the heartbeat"),
    "network.heartbeat_share_slow": FactType("number", "fraction", "the same on slow ports, off live migration"),
    "network.slow_port_gbps": FactType("number", "Gbit/s", "ports up to this speed are slow"),
    "network.live_migration_rdma_gbps": FactType("number", "Gbit/s", "live migration below it is compressed, not RDMA"),
    "network.infrastructure_addresses": FactType("whole", "addresses", "management addresses of a cluster"),
    "network.forbidden_ranges": FactType("texts", "", "address ranges that no plan uses"),
    "network.min_internet_mbps": FactType("number", "Mbit/s", "internet bandwidth that a site needs"),
    "network.rack_to_rack_rtt_ms": FactType("number", "ms", "largest round trip inside a rack-aware cluster"),
    "network.rack_aware_pair_layout": FactType("text", "", "resiliency type of a rack-aware pair"),
    # Money. Items and units are those of the price book.
    **{f"prices.{item}": FactType("number", unit, meaning) for item, (unit, meaning) in PRICE_ITEMS.items()},
    # GPUs, alerts, security.
    "gpu.models": FactType(
        "table",
        "",
        "GPUs that are supported and how they may be used",
        row={"memory_gb": "number?", "watts": "number?", "device": "flag", "partition": "flag", "kubernetes": "flag"},
        column_effects={
            "memory_gb": "GPU memory of a node, against its limit",
            "device": "whether workloads may have it whole",
            "partition": "whether workloads may have a part of it",
        },
    ),
    "gpu.allow_unlisted": FactType("flag", "", "whether GPUs that the list lacks may be used as whole devices"),
    "fpga.supported": FactType("flag", "", "whether workloads may ask for an FPGA"),
    "alerts": FactType(
        "table",
        "",
        "alerts that the hand-off sets up",
        row={
            "metric": "text",
            "condition": ("above", "below"),
            "threshold": "number",
            "unit": "text",
            "severity": ("warning", "critical"),
            "scope": ("node", "cluster", "volume", "pool", "drive"),
        },
    ),
    "security": FactType("table", "", "security checklist of each cluster", row={"state": "text", "action": "text"}),
}
