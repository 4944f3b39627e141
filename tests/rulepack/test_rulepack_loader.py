"""Rule packs are strict: every problem of a file is told at once, with its key and a remedy."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from fleet.errors import RulePackError
from fleet.inventory.tables.prices import PRICE_ITEMS
from fleet.rulepack import SCHEMA, builtin_rulepacks, load_rulepack

HEADER = """
[pack]
name = "ours"
date = 2026-09-01
extends = "azure-local"
statement = "Our own contract."
"""


def a_pack(folder: Path, body: str, header: str = HEADER) -> str:
    path = folder / "ours.toml"
    path.write_text(header + body, encoding="utf-8")
    return str(path)


def a_fact(key: str, value: str, unit: str, more: str = "") -> str:
    return (
        f'[{key}]\nvalue = {value}\nunit = "{unit}"\nsource = "our contract"\ndate = 2026-08-01\n'
        f'statement = "As agreed."\n{more}\n'
    )


@pytest.mark.parametrize("name", builtin_rulepacks())
def test_shipped_packs_state_every_fact_dated_and_sourced(name: str) -> None:
    pack = load_rulepack(name)
    assert list(pack.facts) == list(SCHEMA)
    assert pack.name == name
    for fact in pack.facts.values():
        assert fact.source.strip()
        assert fact.statement.strip()
        assert datetime.date(2024, 1, 1) <= fact.date <= datetime.date(2026, 12, 31)
        assert fact.unit == SCHEMA[fact.key].unit


def test_every_price_item_has_a_dated_default() -> None:
    pack = load_rulepack("azure-local")
    for item, (unit, _) in PRICE_ITEMS.items():
        fact = pack.fact(f"prices.{item}")
        assert (fact.unit, fact.value >= 0) == (unit, True)
    # 0.33 per core and day, 365.25 / 12 days a month: 10.04.
    assert pack.number("prices.host_fee_per_core_month") == pytest.approx(0.33 * 365.25 / 12, abs=0.01)
    assert pack.fact("prices.power_price_per_kwh").is_assumption
    assert pack.fact("prices.application_sync_per_stream_month").is_assumption
    assert pack.fact("mechanisms").is_assumption  # recovery times
    assert not pack.fact("prices.host_fee_per_core_month").is_assumption


def test_mechanisms_are_intervals_by_operator_and_application_sync() -> None:
    table = load_rulepack("azure-local").table("mechanisms")
    intervals = {name: row["interval_minutes"] for name, row in table.items()}
    assert {name: intervals.pop(name) for name in ("cloud-30s", "cloud-5min")} == {"cloud-30s": 0.5, "cloud-5min": 5}
    assert intervals == {"replica-30s": 0.5, "replica-5min": 5, "replica-15min": 15, "application-sync": 0}
    assert {row["failover"] for row in table.values() if row["interval_minutes"] > 0} == {"operator"}
    assert all("max_rtt_ms" not in row for row in table.values() if row["interval_minutes"] > 0)
    assert table["application-sync"]["max_rtt_ms"] == 5
    text = load_rulepack("deep-dive").table("mechanisms")
    assert (text["storage-sync"]["max_rtt_ms"], text["storage-sync"]["rto_minutes"]) == (5, 5)
    assert text["storage-sync"]["failover"] == "automatic"
    assert text["hourly-async"]["interval_minutes"] == 60


def test_switches_are_the_facts_on_which_pages_disagree() -> None:
    switches = {fact.key: (fact.value, fact.alternatives) for fact in load_rulepack("azure-local").switches}
    assert switches["cache.min_ratio_hybrid"] == (0.15, (0.10,))
    assert switches["drives.min_capacity_drives_hybrid"] == (4, (2,))
    assert switches["network.switchless_max_nodes"] == (3, (4,))
    assert switches["quorum.pool_counts"] == (True, (False,))
    assert switches["capacity.infrastructure_volume_gb"] == (256, (250,))
    assert switches["limits.max_nodes"] == (16, (64,))
    assert switches["network.rack_aware_pair_layout"] == ("rack-aware-two-way-mirror", ("rack-aware-nested-mirror",))
    assert switches["updates.train_months"] == (6, (3,))
    assert switches["quorum.pair_keeps_pool"] == (True, (False,))
    assert switches["site_recovery.failback_to_other_cluster"] == (False, (True,))
    assert switches["prices.site_recovery_per_instance_month"] == (25, (16,))
    assert len(switches) >= 10


def test_typed_access() -> None:
    pack = load_rulepack("azure-local")
    assert pack.number("limits.max_nodes") == 16.0
    assert pack.whole("limits.max_nodes") == 16
    assert pack.flag("cache.whole_multiple") is True
    assert pack.text("witness.with_internet") == "cloud"
    assert pack.texts("network.storage_vlans") == ("711", "712")
    assert pack.row_from("layouts.mirror", 2) == "two-way-mirror"
    assert pack.row_from("layouts.mirror", 9) == "three-way-mirror"
    assert pack.row_from("layouts.parity", 3) is None


def test_unknown_fact_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(RulePackError, match=r"no fact is named 'limits\.maxnodes' – did you mean 'limits\.max_nodes'"):
        load_rulepack("azure-local").number("limits.maxnodes")


def test_asking_for_another_kind_is_an_error() -> None:
    with pytest.raises(RulePackError, match=r"mechanisms is a table of named rows, not a number"):
        load_rulepack("azure-local").number("mechanisms")


def test_unknown_pack_names_the_shipped_ones() -> None:
    with pytest.raises(RulePackError, match=r"neither a shipped rule pack.*use azure-local, deep-dive"):
        load_rulepack("azur-local")


def test_override_pack_changes_only_what_it_states(tmp_path: Path) -> None:
    base = load_rulepack("azure-local")
    own = load_rulepack(a_pack(tmp_path, a_fact("prices.host_fee_per_core_month", "8.5", "currency/core/month")))
    assert own.name == "ours"
    assert own.number("prices.host_fee_per_core_month") == 8.5
    assert own.fact("prices.host_fee_per_core_month").source == "our contract"
    changed = [key for key in SCHEMA if own.facts[key] != base.facts[key]]
    assert changed == ["prices.host_fee_per_core_month"]


def test_edited_pack_is_read_again(tmp_path: Path) -> None:
    path = a_pack(tmp_path, a_fact("limits.max_nodes", "8", "nodes"))
    assert load_rulepack(path).whole("limits.max_nodes") == 8
    assert load_rulepack(path) is load_rulepack(path)
    Path(path).write_text(HEADER + a_fact("limits.max_nodes", "6", "nodes") + "\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert load_rulepack(path).whole("limits.max_nodes") == 6


def test_pack_may_extend_a_file_beside_it(tmp_path: Path) -> None:
    a_pack(tmp_path, a_fact("limits.max_nodes", "8", "nodes"))
    child = tmp_path / "child.toml"
    child.write_text(HEADER.replace('"azure-local"', '"ours.toml"') + a_fact("limits.max_volumes", "32", "volumes"))
    pack = load_rulepack(str(child))
    assert (pack.whole("limits.max_nodes"), pack.whole("limits.max_volumes")) == (8, 32)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    body = (
        a_fact("limits.max_node", "8", "nodes")  # unknown key
        + a_fact("limits.max_nodes", "8", "machines")  # wrong unit
        + a_fact("cache.min_ratio_hybrid", "15", "fraction")  # a percentage
        + a_fact("cache.whole_multiple", '"yes"', "")  # wrong type
        + a_fact("limits.max_volumes", "8.5", "volumes")  # not whole
        + a_fact("limits.max_volume_tb", "-1", "TB")  # negative
        + a_fact("witness.with_internet", '"disk"', "")  # not a choice
        + a_fact("quorum.max_node_failures", "2", "nodes", "owner = 'me'")  # unknown field
        + '[host.platform_vcpus]\nvalue = 4\nunit = "vCPU"\ndate = "2026"\n'  # missing fields, date as text
        + a_fact("resiliency.dual_parity_flash", "{ four = 0.5 }", "fraction")  # row is no node count
        + a_fact("mechanisms", '{ x = { interval_minutes = 1, rto_minutes = 1, failover = "maybe" } }', "")
    )
    with pytest.raises(RulePackError, match="problems") as caught:
        load_rulepack(a_pack(tmp_path, body))
    text = str(caught.value)
    for expected in (
        "limits.max_node – no such fact is known – did you mean 'limits.max_nodes'?",
        "limits.max_nodes – got unit 'machines', expected 'nodes' – convert",
        "cache.min_ratio_hybrid – got 15, expected a fraction between 0 and 1",
        "cache.whole_multiple – got 'yes', expected true or false",
        "limits.max_volumes – got 8.5, expected a whole number in volumes",
        "limits.max_volume_tb – got -1, expected at least 0",
        "witness.with_internet – got 'disk', expected one of cloud, file_share, none",
        "quorum.max_node_failures – owner is unknown",
        "host.platform_vcpus – source is missing",
        "host.platform_vcpus – statement is missing",
        "host.platform_vcpus – date is '2026'",
        "resiliency.dual_parity_flash – row 'four': expected a node count",
        "mechanisms – row 'x': column 'failover': got 'maybe', expected one of operator, automatic",
        "mechanisms – row 'x': column 'fee_item' is missing",
    ):
        assert expected in text
    assert all("ours.toml" in problem.place for problem in caught.value.problems)
    assert all(problem.remedy for problem in caught.value.problems)


def test_pack_without_a_base_must_state_everything(tmp_path: Path) -> None:
    header = '[pack]\nname = "bare"\ndate = 2026-09-01\nstatement = "Nothing."\n'
    with pytest.raises(RulePackError, match=r"the fact 'limits\.min_nodes' is missing") as caught:
        load_rulepack(a_pack(tmp_path, "", header))
    assert len(caught.value.problems) == len(SCHEMA)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", r"the table \[pack\] is missing"),
        ('[pack]\nname = "x"\ndate = 2026-09-01\nextends = "azure-local"\n', "statement is missing"),
        (HEADER + "color = 'red'\n", "color is unknown"),
        (HEADER.replace("2026-09-01", "'today'"), "date is 'today'"),
        ("[pack\n", "is not valid TOML"),
        (HEADER.replace("azure-local", "ours.toml"), "extend each other in a circle"),
        (HEADER.replace("azure-local", "nowhere.toml"), "nowhere.toml – is neither a shipped rule pack"),
    ],
)
def test_wrong_headers(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(RulePackError, match=message):
        load_rulepack(a_pack(tmp_path, "", header))


def test_layouts_must_name_types_that_the_pack_describes(tmp_path: Path) -> None:
    body = a_fact("layouts.mirror", '{ 1 = "two-way-mirror", 3 = "five-way-mirror" }', "")
    with pytest.raises(RulePackError, match=r"layouts\.mirror – 'five-way-mirror' is not in resiliency\.types"):
        load_rulepack(a_pack(tmp_path, body))


def test_parity_tables_must_reach_down_to_the_types_that_use_them(tmp_path: Path) -> None:
    body = a_fact("resiliency.dual_parity_hybrid", "{ 7 = 0.5 }", "fraction")
    with pytest.raises(RulePackError, match="dual_parity_hybrid – has no row for 4 nodes, which 'dual-parity' allows"):
        load_rulepack(a_pack(tmp_path, body))


def test_node_count_tables_start_where_every_cluster_finds_a_row(tmp_path: Path) -> None:
    body = a_fact("layouts.mirror", '{ 3 = "three-way-mirror" }', "")
    with pytest.raises(RulePackError, match=r"layouts\.mirror – has no row for 1 node"):
        load_rulepack(a_pack(tmp_path, body))
