"""Comparing packs: every difference once, with keys that scripts rely on."""

from __future__ import annotations

import pytest

from fleet.rulepack import SCHEMA, compare, load_rulepack


def test_deep_dive_contradicts_the_documentation_in_many_facts() -> None:
    rows = compare("azure-local", "deep-dive")
    base, text = load_rulepack("azure-local"), load_rulepack("deep-dive")
    differing = [key for key in base.facts if base.facts[key].value != text.facts[key].value]
    assert len(differing) >= 15
    assert {row["fact"] for row in rows} >= {"limits.max_nodes", "capacity.metadata_fraction", "host.platform_vcpus"}
    assert all(any(row["fact"].startswith(key) for row in rows) for key in differing)


def test_rows_have_the_published_keys_and_say_what_they_decide() -> None:
    rows = {row["fact"]: row for row in compare("azure-local", "deep-dive")}
    assert all(list(row) == ["fact", "a", "b", "effect"] for row in rows.values())
    assert rows["limits.max_nodes"] == {
        "fact": "limits.max_nodes",
        "a": "16 nodes",
        "b": "10 nodes",
        "effect": "most nodes of an archetype",
    }
    assert (rows["resiliency.two_way_above_two_nodes"]["a"], rows["resiliency.two_way_above_two_nodes"]["b"]) == (
        "no",
        "yes",
    )


def test_tables_by_node_count_are_compared_at_each_count() -> None:
    rows = {row["fact"]: (row["a"], row["b"]) for row in compare("azure-local", "deep-dive")}
    assert rows["quorum.cluster.3.with_witness"] == ("1 nodes", "2 nodes")
    assert "quorum.cluster.5.with_witness" not in rows  # both say 2, one of them by its row for three nodes
    assert rows["layouts.mirror.1"] == ("two-way-mirror", "simple")
    assert "layouts.mirror.2" not in rows


def test_rows_of_one_pack_only_stand_whole() -> None:
    rows = {row["fact"]: (row["a"], row["b"]) for row in compare("azure-local", "deep-dive")}
    assert rows["mechanisms.storage-sync"][0] == "–"
    assert rows["mechanisms.storage-sync"][1].startswith("interval_minutes 0, max_rtt_ms 5")


def test_a_pack_does_not_differ_from_itself_and_order_mirrors() -> None:
    assert compare("deep-dive", "deep-dive") == []
    forth, back = compare("azure-local", "deep-dive"), compare("deep-dive", "azure-local")
    assert {(row["fact"], row["a"], row["b"]) for row in forth} == {(row["fact"], row["b"], row["a"]) for row in back}


#: What the training text says against the documentation, as far as it concerns a planner: subject → the facts that hold
#: the difference. One entry per statement of the text.
CONTRADICTIONS = {
    "three nodes survive two losses": ("quorum.cluster.3.with_witness", "quorum.pool_counts"),
    "three nodes need no witness": ("witness.rule.3",),
    "a file share is the usual witness": ("witness.with_internet",),
    "parity is half of raw from three nodes on": ("resiliency.types.dual-parity.minimum_nodes", "layouts.parity.3"),
    "parity has one efficiency": ("resiliency.types.dual-parity.efficiency_rule",),
    "two-way mirrors for what is not critical": ("resiliency.two_way_above_two_nodes",),
    "nested mirrors are unknown": ("resiliency.types.nested-two-way-mirror", "resiliency.types.nested-parity"),
    "four drives per node": ("drives.min_capacity_drives_flash",),
    "nothing is kept for repairs": ("capacity.reserve_drives_per_node", "capacity.max_reserve_drives"),
    "platform volumes are unknown": ("capacity.infrastructure_volume_gb", "capacity.performance_history_gb"),
    "a tenth of usable goes to the system": ("capacity.metadata_fraction",),
    "what a cache serves": ("cache.serves.ssd",),
    "cache rules are unknown": ("cache.min_ratio_hybrid", "cache.whole_multiple", "cache.min_drives"),
    "a cache on one node": ("cache.allow_single_node",),
    "memory for hot data": ("host.memory_reserve_min_gb", "host.memory_gb_per_cache_tb"),
    "the host keeps no share": ("host.cpu_reserve_fraction", "host.memory_reserve_fraction"),
    "no platform virtual machine": ("host.platform_vcpus", "host.platform_memory_gb"),
    "ten nodes per cluster": ("limits.max_nodes",),
    "256 GB at least": ("limits.min_memory_gb",),
    "single nodes are for tests": ("limits.single_node_production",),
    "one node has no resiliency": ("layouts.mirror.1",),
    "clusters replicate synchronously and fail over by themselves": ("mechanisms.storage-sync",),
    "asynchronous replication every hour": ("mechanisms.hourly-async", "mechanisms.replica-15min"),
    "storage at 25 Gbit/s and 100 Gbit/s": ("network.min_storage_gbps", "network.recommended_storage_gbps"),
    "a cluster network of its own": ("network.separate_cluster_network",),
    "management is out of band": ("network.management_in_band",),
    "VLAN 200 for storage": ("network.storage_vlans",),
    "RDMA for virtual machines": ("network.guest_rdma",),
    "hosts run Windows Server": ("host.operating_system",),
    "no license for clustering": ("prices.host_fee_per_core_month",),
    "A100 and RTX": ("gpu.models.A100", "gpu.models.RTX"),
    "FPGAs are supported": ("fpga.supported",),
    "quarterly platform updates": ("updates.train_months",),
    "5 to 15 minutes after a node failure": ("recovery.node_failure_minutes",),
    "warnings at 80 %": ("capacity.pool_fill", "alerts.pool-allocation.threshold"),
    "a storage network": ("limits.storage_kind",),
    "other backup products": ("backup.products",),
    "single nodes are upgraded": ("limits.mixed_models",),
    "a federation": ("limits.lends_capacity",),
}


@pytest.mark.parametrize("subject", CONTRADICTIONS)
def test_every_contradiction_that_concerns_a_planner_is_shown_with_its_effect(subject: str) -> None:
    rows = {row["fact"]: row for row in compare("azure-local", "deep-dive")}
    for fact in CONTRADICTIONS[subject]:
        assert rows[fact]["a"] != rows[fact]["b"]
        assert len(rows[fact]["effect"]) > 10


def test_there_are_at_least_25() -> None:
    assert len(CONTRADICTIONS) >= 25
    facts = [fact for group in CONTRADICTIONS.values() for fact in group]
    assert len(facts) == len(set(facts))


def test_columns_say_what_they_decide_where_the_table_says_less() -> None:
    rows = {row["fact"]: row["effect"] for row in compare("azure-local", "deep-dive")}
    assert rows["resiliency.types.dual-parity.minimum_nodes"] == "fewest nodes at which the type is used"
    for key, expected in SCHEMA.items():
        columns = expected.row if isinstance(expected.row, dict) else {}
        assert set(expected.column_effects) <= set(columns), key
