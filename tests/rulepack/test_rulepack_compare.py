"""Comparing packs: every difference once, with keys that scripts rely on."""

from __future__ import annotations

from fleet.rulepack import compare, load_rulepack


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
