from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from fleet.errors import InventoryError
from fleet.inventory.checks import inventory as checks
from fleet.inventory.checks.inventory import checked_inventory
from tests.inventory_tables import Tables, valid_tables


def problems_of(tables: Tables) -> list[str]:
    with pytest.raises(InventoryError, match="problem") as caught:
        checked_inventory("test", tables)
    return [str(problem) for problem in caught.value.problems]


def changed(table: str, row: int, **cells: Any) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        tables[table][row].update({name.rstrip("_"): value for name, value in cells.items()})

    return change


def added(table: str, **cells: Any) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        tables[table].append({name.rstrip("_"): value for name, value in cells.items()})

    return change


def in_turn(*changes: Callable[[Tables], None]) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        for one in changes:
            one(tables)

    return change


def removed(table: str, *columns: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        for row in tables[table]:
            for column in columns:
                row.pop(column, None)

    return change


def emptied(table: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        tables[table] = []

    return change


def renamed(table: str, other: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        tables[other] = tables.pop(table)

    return change


def policy(key: str, value: Any) -> Callable[[Tables], None]:
    return added("policy", key=key, value=value)


def pins(*rows: dict[str, Any]) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        tables["pins"] = list(rows)

    return change


#: Each: what is done, and the whole of the one problem that it makes (as a pattern).
MISTAKES: dict[str, tuple[Callable[[Tables], None], str]] = {
    "unknown table": (
        renamed("prices", "price"),
        r"INV002 price – there is no table 'price' – did you mean 'prices'\?",
    ),
    "column twice": (
        changed("sites", 0, Country="US"),
        r"INV003 sites:row 2 column country – .* given twice – remove one",
    ),
    "unknown column": (
        changed("sites", 3, latitud=4),
        r"INV004 sites:row 1 column latitud – .* no column 'latitud' – .*x_latitud",
    ),
    "missing column": (
        removed("links", "bandwidth_mbps"),
        r"INV005 links:row 1 column bandwidth_mbps – .* lacks its required",
    ),
    "blank required cell": (
        changed("hardware", 1, cores=""),
        r"INV006 hardware:row 3 column cores – the cell is blank, .* – fill in: physical",
    ),
    "text for a number": (
        changed("sites", 0, latitude="north"),
        r"INV007 sites:row 2 column latitude – got 'north', expected a number from -90 to 90 degrees – correct",
    ),
    "number out of range": (
        changed("sites", 0, latitude=200),
        r"INV007 .* – got 200 degrees, expected a number from -90 to 90",
    ),
    "decimal comma": (
        changed("links", 0, rtt_ms="12,5"),
        r"INV007 links:row 2 column rtt_ms – got '12,5', expected a number of at least 0 ms – write .*12\.5",
    ),
    "thousands separator": (
        changed("hardware", 0, price="20,000"),
        r"INV007 .*'20,000'.*no thousands separator: .* 20000",
    ),
    "unit in the cell": (changed("links", 0, rtt_ms="5 ms"), r"INV007 .*got '5 ms'.* write the number alone.*: 5"),
    "percentage": (policy("pool_fill", "70%"), r"INV007 policy:row 4 column value – pool_fill: got '70%'.*: 0.7"),
    "not finite": (changed("links", 0, rtt_ms=float("inf")), r"INV007 .*got inf ms, expected .*implausibly large"),
    "half an instance": (
        changed("workloads", 0, count="2.5"),
        r"INV007 .*got '2.5', expected a whole number of at least 1",
    ),
    "yes for a number": (changed("workloads", 0, vcpus=True), r"INV007 .*column vcpus – got True"),
    "unknown choice": (
        changed("workloads", 0, tier="wram"),
        r"INV007 .*got 'wram', expected one of hot, warm, archive – did you mean 'warm'",
    ),
    "maybe": (changed("sites", 0, can_host="maybe"), r"INV007 .*got 'maybe', expected yes or no"),
    "no such day": (
        changed("clusters", 0, purchased="2024-02-30"),
        r"INV007 .*expected a date such as 2026-03-31 – there is no such day",
    ),
    "date as number": (
        changed("clusters", 0, purchased=45000),
        r"INV007 .*got 45000, expected a date .* – write year-month-day",
    ),
    "a site for no backups": (
        changed("workloads", 1, backup_days=0),
        r"INV064 workloads:row 3 column backup_days – workload 'vision' names backup_site 'hub-b' and keeps .* 0 days",
    ),
    "no start for a purchase": (
        lambda tables: tables["policy"].append({"key": "residual_value", "value": "straight_line"}),
        r"INV063 clusters:row 2 column purchased – got 2024-05-01, but the plan has no date.* – state start in table",
    ),
    "bought after the start": (
        policy("start", "2024-03-31"),
        r"INV063 clusters:row 2 column purchased – got 2024-05-01, after the plan starts on 2024-03-31",
    ),
    "no such start": (policy("start", "next year"), r"INV007 policy:row 4 column value – start: got 'next year'"),
    "formula error": (changed("sites", 0, country="#REF!"), r"INV007 .*got '#REF!', .* could not compute"),
    "control character": (changed("sites", 0, country="U\x00S"), r"INV007 .*U\+0000.* – type the cell again"),
    "lone surrogate": (changed("sites", 0, country="\ud800"), r"INV007 .*U\+D800"),
    "endless text": (
        changed("sites", 0, country="x" * 20000),
        r"INV007 .*got 20000 characters, expected at most 10000",
    ),
    "long name": (
        added("sites", site="x" * 201, latitude=1, longitude=1),
        r"INV007 .*expected a name of at most 200 characters",
    ),
    "object for a cell": (changed("sites", 0, country={"a": 1}), r"INV007 .*got \{'a': 1\}, expected text"),
    "witness": (
        changed("clusters", 0, witness="cluod"),
        r"INV007 clusters:row 2 column witness – got 'cluod', expected one of cloud",
    ),
    "layout": (
        changed("clusters", 0, layout="cold=mirror"),
        r"INV007 clusters:row 2 column layout – got 'cold=mirror', expected type or",
    ),
    "address space": (
        policy("address_space", "10.64.0.0/40"),
        r"INV007 policy:row 4 .*address_space: got '10.64.0.0/40', expected an IPv4",
    ),
    "no range": (
        policy("vlan_range", "100"),
        r"INV007 policy:row 4 .*vlan_range: got '100', expected first-last within 2 to 4094",
    ),
    "range upside down": (policy("vlan_range", "900-100"), r"INV007 policy:row 4 .*vlan_range: got '900-100'"),
    "range too high": (policy("vlan_range", "100-4095"), r"INV007 policy:row 4 .*vlan_range: got '100-4095'"),
    "unknown policy key": (
        policy("horizon", 12),
        r"INV008 policy:row 4 column key – there is no policy key 'horizon' – did you mean 'horizon_months'",
    ),
    "policy key twice": (
        policy("budget", 7),
        r"INV010 policy:row 4 column key – policy key 'budget' is given twice, first at policy:row 3",
    ),
    "site twice": (
        added("sites", site="s1", latitude=1, longitude=1),
        r"INV010 sites:row 7 column site – site 's1' is given twice, first at sites:row 5",
    ),
    "link twice": (
        changed("links", 1, link="backbone"),
        r"INV010 links:row 3 column link – link 'backbone' is given twice",
    ),
    "node model twice": (
        changed("hardware", 1, node_model="std"),
        r"INV010 hardware:row 3 column node_model – node model 'std' is given twice",
    ),
    "cluster twice": (
        added("clusters", cluster="old", site="hub-a", node_model="std", nodes=2),
        r"INV010 clusters:row 3 column cluster – cluster 'old' is given twice",
    ),
    "cluster named like a site": (
        changed("clusters", 0, cluster="hub-b"),
        r"INV010 .* cluster 'hub-b' has the name of a site where it does not stand",
    ),
    "demand twice": (
        added("workloads", workload="pos", site="s2", vcpus=1, memory_gb=1, storage_gb=1),
        r"INV010 workloads:row 4 column workload – workload 'pos' is asked for twice at site 's2', first at .*:row 2",
    ),
    "price twice": (added("prices", item="power_price_per_kwh", price=1), r"INV010 prices:row 3 column item"),
    "element twice": (
        added("failure_rates", element="node", mtbf_hours=1, mttr_hours=1),
        r"INV010 failure_rates:row 3 column element",
    ),
    "figure twice": (
        added("figures", figure="stores", quantity="vcpu", value=1),
        r"INV010 figures:row 3 column figure – figure 'stores' is given twice",
    ),
    "figure site": (
        changed("figures", 0, kind="", site="s9"),
        r"INV011 figures:row 2 column site – there is no site 's9'",
    ),
    "figure kind": (
        changed("figures", 0, kind="shop"),
        r"INV011 figures:row 2 column kind – there is no site of kind 'shop'",
    ),
    "figure site and kind": (
        changed("figures", 0, site="s1"),
        r"INV054 figures:row 2 column kind – both site and kind are given",
    ),
    "figure sites": (
        changed("figures", 0, sites=3),
        r"INV054 figures:row 2 column sites – it covers 3 sites, there are 2",
    ),
    "figure parts": (
        changed("figures", 0, parts="2;two"),
        r"INV007 figures:row 2 column parts – got 'two', expected a number",
    ),
    "pin twice": (
        pins({"decision": "open", "site": "hub-b"}, {"decision": "open", "site": "hub-b", "owner": "x"}),
        r"INV010 pins:row 3",
    ),
    "month twice": (
        added("growth", profile="curve", month=12, factor=2),
        r"INV010 growth:row 5 column profile – .* gives month 12 twice",
    ),
    "rate twice": (
        added("growth", profile="steady", annual_rate=0.2),
        r"INV010 growth:row 5 .* gives its annual_rate twice",
    ),
    "link end": (
        changed("links", 3, from_="S1"),
        r"INV011 links:row 5 column from – there is no site 'S1' – did you mean 's1'",
    ),
    "workload site": (
        changed("workloads", 1, site="s9"),
        r"INV011 workloads:row 3 column site – there is no site 's9'",
    ),
    "workload kind": (
        changed("workloads", 0, kind="stores"),
        r"INV011 workloads:row 2 column kind – there is no site of kind 'stores' – did you mean 'store'",
    ),
    "growth profile": (
        changed("workloads", 0, growth="stedy"),
        r"INV011 .* no growth profile 'stedy' – did you mean 'steady'",
    ),
    "backup site": (
        changed("workloads", 1, backup_site="hub-c"),
        r"INV011 workloads:row 3 column backup_site – there is no site 'hub-c'",
    ),
    "cluster site": (
        changed("clusters", 0, site="hub-z"),
        r"INV011 clusters:row 2 column site – there is no site 'hub-z'",
    ),
    "cluster model": (
        changed("clusters", 0, node_model="sdt"),
        r"INV011 clusters:row 2 column node_model – there is no node model 'sdt' – did you mean 'std'",
    ),
    "price item": (
        changed("prices", 0, item="power"),
        r"INV011 prices:row 2 column item – there is no price item 'power'",
    ),
    "element": (
        changed("failure_rates", 0, element="nodes"),
        r"INV011 .* there is no element 'nodes' – did you mean 'node'",
    ),
    "site and kind": (
        changed("workloads", 0, site="s1"),
        r"INV020 workloads:row 2 column site – workload 'pos' has site 's1' and kind 'store'",
    ),
    "neither site nor kind": (changed("workloads", 1, site=""), r"INV020 workloads:row 3 .* has neither site nor kind"),
    "no recovery point": (
        changed("workloads", 0, rpo_minutes=None),
        r"INV021 workloads:row 2 column rpo_minutes – .* protection auto and no rpo",
    ),
    "one coordinate": (changed("sites", 0, longitude=None), r"INV022 sites:row 2 column longitude – .* one coordinate"),
    "no coordinates": (
        added("sites", site="s3"),
        r"INV023 sites:row 7 column latitude – site 's3' has neither coordinates nor a place – give latitude",
    ),
    "unknown place": (
        changed("sites", 1, place="Denvr, CO"),
        r"INV024 sites:row 3 column place – place 'Denvr, CO' is not .* did you mean Denver, CO, US",
    ),
    "ambiguous place": (
        changed("sites", 1, place="Springfield", region="", country=""),
        r"INV025 sites:row 3 column place – place 'Springfield' fits 8 places: Springfield, MO, US .* – add region",
    ),
    "circular link": (
        changed("links", 1, to="hub-a"),
        r"INV027 links:row 3 column to – the link starts and ends at 'hub-a'",
    ),
    "all reserved": (
        changed("links", 0, reserved_mbps=800),
        r"INV028 .* – got 800 Mbit/s reserved, expected less than the usable 800 Mbit/s \(1000 × 0.8\)",
    ),
    "smaller upgrade": (
        changed("links", 0, upgrade_mbps=500),
        r"INV029 .* got 500 Mbit/s, expected at least the bandwidth before, 1000",
    ),
    "no workloads": (emptied("workloads"), r"INV030 workloads – there is no workload – add"),
    "access without network": (
        emptied("policy"),
        r"INV033 sites:row 6 column wan_mbps – site 's2' has wan_mbps and no link",
    ),
    "default network elsewhere": (
        changed("policy", 0, value="clod"),
        r"INV011 policy:row 2 column value – default_network: there is no site 'clod' – did you mean 'cloud'",
    ),
    "default network no cloud": (
        changed("policy", 0, value="hub-a"),
        r"INV034 policy:row 2 column value – default_network: site 'hub-a' is of kind 'rdc', expected network",
    ),
    "hosting cloud": (
        changed("sites", 2, can_host="yes"),
        r"INV037 sites:row 4 column can_host – carrier cloud 'cloud' says can_host yes",
    ),
    "users in the cloud": (
        changed("workloads", 1, site="cloud", residency=""),
        r"INV037 workloads:row 3 column site – .* users at carrier cloud 'cloud'",
    ),
    "cluster in the cloud": (
        changed("clusters", 0, site="cloud"),
        r"INV037 sites:row 4 column kind – a cluster stands at carrier cloud 'cloud'",
    ),
    "objective twice": (
        policy("objectives", "present_value;present_value"),
        r"INV049 .* got present_value;present_value, expected each objective once",
    ),
    "no such GPU at all": (
        lambda tables: tables["hardware"][0].update(gpus="", gpu_model=""),
        r"INV039 workloads:row 3 column gpu_model – workload 'vision' asks for GPU 'A2', which no node model has",
    ),
    "upgrade pinned on a link without a name": (
        pins({"decision": "link_upgrade", "link": "hub-a--s1", "value": "yes"}),
        r"INV051 pins:row 2 column link – link 'hub-a--s1' has no upgrade_mbps",
    ),
    "table twice": (
        lambda tables: tables.update({"Growth": []}),
        r"INV002 Growth – table 'growth' is given twice – remove one of them",
    ),
    "blank country": (
        changed("sites", 3, country=""),
        r"INV038 workloads:row 3 column residency – residency 'country' .* site 's1' has no country",
    ),
    "no such GPU": (
        changed("workloads", 1, gpu_model="A16"),
        r"INV039 workloads:row 3 column gpu_model – .* asks for GPU 'A16', which no node model has",
    ),
    "fewest above most": (
        changed("hardware", 1, min_nodes=9, max_nodes=4),
        r"INV041 hardware:row 3 column min_nodes – got min_nodes 9 above max_nodes 4",
    ),
    "cache without size": (
        changed("hardware", 1, cache_drives=2),
        r"INV042 hardware:row 3 column cache_drive_tb – got 2 cache drives of 0 TB",
    ),
    "GPU without number": (
        changed("hardware", 1, gpu_model="A2"),
        r"INV043 hardware:row 3 column gpus – .* names GPU 'A2' and has 0",
    ),
    "too many nodes": (
        changed("clusters", 0, nodes=17),
        r"INV044 clusters:row 2 column nodes – got 17 nodes, expected at most 16",
    ),
    "cloud witness without internet": (
        lambda tables: tables["clusters"][0].update(witness="cloud") or tables["sites"][0].update(internet="no"),
        r"INV053 clusters:row 2 column witness – a cloud witness needs the internet, which site 'hub-a' lacks – use",
    ),
    "site too small": (
        in_turn(changed("sites", 0, max_nodes=1), changed("clusters", 0, keep="yes")),
        r"INV045 clusters:row 2 column site – site 'hub-a' has 2 .* max_nodes 1",
    ),
    "rate and point": (
        changed("growth", 0, month=3, factor=1),
        r"INV046 growth:row 2 .* has annual_rate and month and factor, expected",
    ),
    "half a point": (changed("growth", 1, factor=None), r"INV046 growth:row 3 .* has month, expected"),
    "empty profile": (changed("growth", 0, annual_rate=""), r"INV046 growth:row 2 .* has no value, expected"),
    "mixed profile": (
        added("growth", profile="steady", month=3, factor=1),
        r"INV046 growth:row 5 column profile – profile 'steady' mixes",
    ),
    "price unit": (
        changed("prices", 0, unit="EUR/MWh"),
        r"INV047 prices:row 2 column unit – got 'EUR/MWh', expected 'currency/kWh'",
    ),
    "price currency": (
        changed("prices", 0, currency="EUR"),
        r"INV047 prices:row 2 column currency – got 'EUR', expected .* 'USD'",
    ),
    "long period": (
        policy("period_months", 24),
        r"INV048 policy:row 4 column value – period_months: got 24 months, expected at most horizon_months 18",
    ),
    "unknown objective": (
        policy("objectives", "present_valu"),
        r"INV049 .* there is no objective 'present_valu' – did you mean 'present_value'",
    ),
    "unbuilt objective": (
        policy("objectives", "present_value;capex"),
        r"INV049 policy:row 4 .* objective 'capex' is not built yet – use present_value",
    ),
    "pin lacks its site": (
        pins({"decision": "open"}),
        r"INV050 pins:row 2 column site – decision open needs column site",
    ),
    "pin with a useless cell": (
        pins({"decision": "open", "site": "hub-b", "link": "backbone"}),
        r"INV050 pins:row 2 column link – decision open does not use",
    ),
    "pin of size without subject": (
        pins({"decision": "nodes", "value": 4}),
        r"INV050 pins:row 2 column site – decision nodes needs either site or cluster",
    ),
    "pin beyond the horizon": (
        pins({"decision": "open", "site": "hub-b", "period": 3}),
        r"INV050 pins:row 2 column period – got period 3, expected at most 2",
    ),
    "pin opens a store": (
        pins({"decision": "open", "site": "s1"}),
        r"INV051 pins:row 2 column site – site 's1' cannot host a cluster",
    ),
    "pin of no demand": (
        pins({"decision": "assign", "workload": "vision", "site": "s2", "value": "hub-a"}),
        r"INV051 pins:row 2 column site – workload 'vision' has no users at site 's2'",
    ),
    "standby unprotected": (
        pins({"decision": "standby", "workload": "vision", "value": "hub-a"}),
        r"INV051 pins:row 2 column workload – workload 'vision' has no protection",
    ),
    "standby in the cloud": (
        lambda tables: (
            changed("workloads", 0, recovery="cloud")(tables),
            pins({"decision": "standby", "workload": "pos", "value": "hub-a"})(tables),
        ),
        r"INV051 pins:row 2 column workload – workload 'pos' recovers in the cloud and therefore has no standby",
    ),
    "cloud without protection": (
        changed("workloads", 1, recovery="Cloud"),
        r"INV056 workloads:row 3 column recovery – workload 'vision' asks for recovery in the cloud and has no",
    ),
    "upgrade without offer": (
        pins({"decision": "link_upgrade", "link": "a-cloud", "value": "yes"}),
        r"INV051 pins:row 2 column link – link 'a-cloud' has no upgrade_mbps",
    ),
    "pin site": (
        pins({"decision": "open", "site": "hub-x"}),
        r"INV011 pins:row 2 column site – there is no site 'hub-x'",
    ),
    "pin workload": (
        pins({"decision": "assign", "workload": "posx", "value": "hub-a"}),
        r"INV011 pins:row 2 column workload – .* 'posx' – did you mean 'pos'",
    ),
    "pin link": (
        pins({"decision": "link_upgrade", "link": "bone", "value": "no"}),
        r"INV011 pins:row 2 column link – there is no link 'bone'",
    ),
    "pin cluster": (
        pins({"decision": "nodes", "cluster": "hub-a-c9", "value": 4}),
        r"INV011 pins:row 2 column cluster – there is no cluster 'hub-a-c9'",
    ),
    "pin target": (
        pins({"decision": "assign", "workload": "pos", "value": "s1"}),
        r"INV011 pins:row 2 column value – got 's1', expected a candidate",
    ),
    "pin model": (
        pins({"decision": "node_model", "site": "hub-b", "value": "huge"}),
        r"INV011 pins:row 2 column value – got 'huge', expected a node model",
    ),
    "pin forbids nowhere": (
        pins({"decision": "forbid", "value": "mars"}),
        r"INV011 pins:row 2 column value – got 'mars', expected a site",
    ),
    "pin of half a node": (
        pins({"decision": "nodes", "site": "hub-b", "value": "2.5"}),
        r"INV007 pins:row 2 column value – got '2.5', expected a whole",
    ),
    "pin upgrades maybe": (
        pins({"decision": "link_upgrade", "link": "backbone", "value": "maybe"}),
        r"INV007 pins:row 2 column value – got 'maybe', expected yes or no",
    ),
    "open and closed": (
        pins({"decision": "open", "site": "hub-b"}, {"decision": "close", "site": "hub-b"}),
        r"INV052 pins:row 3 – site 'hub-b' is closed and used, against pins:row 2",
    ),
    "two targets": (
        pins(
            {"decision": "assign", "workload": "pos", "value": "hub-a"},
            {"decision": "assign", "workload": "pos", "site": "s2", "value": "hub-b"},
        ),
        r"INV052 pins:row 3 – workload 'pos' is pinned to 'hub-a' and 'hub-b', against pins:row 2",
    ),
    "two clusters": (
        pins(
            {"decision": "assign", "workload": "pos", "value": "hub-a-c1"},
            {"decision": "assign", "workload": "pos", "value": "hub-a-c2"},
        ),
        r"INV052 .* pinned to 'hub-a-c1' and 'hub-a-c2'",
    ),
    "standby beside the primary": (
        pins(
            {"decision": "assign", "workload": "pos", "value": "hub-a"},
            {"decision": "standby", "workload": "pos", "value": "old"},
        ),
        r"INV052 .* workload 'pos' runs and stands by at 'hub-a'",
    ),
    "pinned and forbidden": (
        pins({"decision": "forbid", "value": "hub-a"}, {"decision": "assign", "workload": "pos", "value": "hub-a"}),
        r"INV052 .* workload 'pos' is pinned to 'hub-a' and forbidden there",
    ),
    "two models": (
        pins(
            {"decision": "node_model", "site": "hub-b", "value": "std"},
            {"decision": "node_model", "site": "hub-b", "value": "big"},
        ),
        r"INV052 .*pinned to node models 'std' and 'big'",
    ),
    "upgraded and never": (
        pins(
            {"decision": "link_upgrade", "link": "backbone", "value": "yes"},
            {"decision": "link_upgrade", "link": "backbone", "value": "no"},
        ),
        r"INV052 .* link 'backbone' is upgraded and never upgraded",
    ),
    "another model": (
        pins({"decision": "node_model", "cluster": "old", "value": "big"}),
        r"INV052 pins:row 2 column value – cluster 'old' stands with node model 'std'",
    ),
}


def test_valid_tables_pass() -> None:
    inventory = checked_inventory("test", valid_tables())
    assert [site.site for site in inventory.sites] == ["cloud", "hub-a", "hub-b", "s1", "s2"]
    assert len(inventory.demands) == 3
    assert (inventory.site("hub-b").latitude, inventory.site("hub-b").longitude) == (39.739, -104.985)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_makes_its_problem_and_no_other(mistake: str) -> None:
    tables = valid_tables()
    change, pattern = MISTAKES[mistake]
    change(tables)
    found = problems_of(tables)
    assert len(found) == 1, "\n".join(found)
    assert re.match(pattern, found[0]), found[0]
    assert found[0].split()[0] in str(checks.__doc__)
    place, _, remedy = found[0].partition(" – ")
    assert place
    assert remedy.split(" – ")[-1]


def test_tables_that_every_plan_needs() -> None:
    found = problems_of({})
    assert [text.split(" – ")[1] for text in found] == [
        "there is no site",
        "there is no workload",
        "there is no node model",
    ]


def test_no_candidate_site() -> None:
    tables = valid_tables()
    tables.update(pins=[], clusters=[])
    for row in tables["sites"]:
        row.pop("can_host", None)
    assert problems_of(tables) == [
        "INV031 sites – no site can host a cluster – write yes in column can_host of the candidate sites"
    ]


def test_missing_round_trip_needs_coordinates() -> None:
    tables = valid_tables()
    tables["sites"].append({"site": "s3", "kind": "annex"})
    tables["links"].append({"link": "x", "from": "s3", "to": "hub-a", "bandwidth_mbps": 5})
    assert [text.split(" – ")[0] for text in problems_of(tables)] == [
        "INV023 sites:row 7 column latitude",
        "INV026 links:row 7 column rtt_ms",
    ]


def test_separation_needs_coordinates_of_candidates() -> None:
    tables = valid_tables()
    tables["policy"].append({"key": "min_separation_km", "value": 100})
    tables["sites"].append({"site": "hub-c", "can_host": "yes"})
    (found,) = problems_of(tables)
    assert "min_separation_km 100 needs those of candidate sites" in found


def test_closing_a_site_with_a_kept_cluster() -> None:
    tables = valid_tables()
    tables["clusters"][0]["keep"] = "yes"
    tables["pins"] = [{"decision": "close", "site": "hub-a"}]
    assert "site 'hub-a' is closed and keeps cluster 'old'" in problems_of(tables)[0]


def test_close_after_placing() -> None:
    tables = valid_tables()
    tables["pins"] = [
        {"decision": "standby", "workload": "pos", "value": "hub-b-c1"},
        {"decision": "close", "site": "hub-b"},
        {"decision": "nodes", "site": "hub-b", "value": 3},
    ]
    assert [text.split(" – ")[0] for text in problems_of(tables)] == ["INV052 pins:row 3", "INV052 pins:row 4"]


def test_row_with_a_bad_cell_still_counts_for_references() -> None:
    tables = valid_tables()
    for table, column in (
        ("sites", "max_clusters"),
        ("hardware", "price"),
        ("growth", "annual_rate"),
        ("links", "rtt_ms"),
    ):
        tables[table][0][column] = "bad"
    tables["clusters"][0]["nodes"] = "x"
    found = problems_of(tables)
    assert len(found) == 5, "\n".join(found)
    assert all("INV007" in text for text in found)


def test_misnamed_table_makes_no_follow_up_problems() -> None:
    tables = valid_tables()
    tables["sights"] = tables.pop("sites")
    (found,) = problems_of(tables)
    assert "did you mean 'sites'" in found


def test_misspelled_required_column_is_named_once() -> None:
    tables = valid_tables()
    for row in tables["workloads"]:
        row["vcpu"] = row.pop("vcpus")
    (found,) = problems_of(tables)
    assert "no column 'vcpu' – did you mean 'vcpus'" in found


def test_many_mistakes_are_all_named_in_one_run() -> None:
    tables = valid_tables()
    kept = (
        "decimal comma",
        "unknown choice",
        "link end",
        "growth profile",
        "no recovery point",
        "no such GPU",
        "site twice",
    )
    for name in (*kept, "price unit", "long period", "unknown policy key", "mixed profile", "cache without size"):
        MISTAKES[name][0](tables)
    assert len(problems_of(tables)) == 12


def test_recovery_point_without_protection_is_fine() -> None:
    tables = valid_tables()
    tables["workloads"][1]["rpo_minutes"] = 15
    checked_inventory("test", tables)


def test_blank_policy_value_is_the_default() -> None:
    tables = valid_tables()
    tables["policy"].append({"key": "pool_fill", "value": " "})
    assert checked_inventory("test", tables).policy.pool_fill == 0.70


def test_shuffled_rows_give_the_same_inventory() -> None:
    tables = valid_tables()
    tables["links"].append({"link": "", "from": "hub-a", "to": "s1", "bandwidth_mbps": 70})
    first = checked_inventory("test", tables)
    assert {link.link for link in first.links} >= {"hub-a--s1", "hub-a--s1#2", "hub-b--s1"}
    for seed in range(5):
        generator = random.Random(seed)
        shuffled = {
            table: [dict(generator.sample(list(row.items()), len(row))) for row in generator.sample(rows, len(rows))]
            for table, rows in generator.sample(list(tables.items()), len(tables))
        }
        again = checked_inventory("test", shuffled)
        assert again.sha256 == first.sha256
        assert again.links == first.links
        assert again.workloads == first.workloads


def test_canonical_tables_read_back() -> None:
    inventory = checked_inventory("test", valid_tables())
    again = checked_inventory("other", inventory.tables)
    assert again.sha256 == inventory.sha256
    assert again.tables == inventory.tables


def test_generated_link_names_avoid_taken_ones() -> None:
    tables = valid_tables()
    tables["links"][0]["link"] = "hub-a--s1"
    names = [link.link for link in checked_inventory("test", tables).links]
    assert len(set(names)) == len(names) == 5
    assert "hub-a--s1#2" in names


def test_text_is_composed_and_on_one_line() -> None:
    tables = valid_tables()
    tables["sites"][0].update(name="Zu\u0308rich\n Nord", country=12.0, x_note="a\x07b")
    site = checked_inventory("test", tables).site("hub-a")
    assert (site.name, site.country, dict(site.extra)) == ("Zürich  Nord", "12", {"x_note": "a\ufffdb"})


def test_ten_thousand_unknown_references_are_reported_quickly() -> None:
    tables = valid_tables()
    tables["links"] += [{"link": f"l{n}", "from": f"t{n}", "to": "s1", "bandwidth_mbps": 1} for n in range(10000)]
    with pytest.raises(InventoryError, match="and 9950 more") as caught:
        checked_inventory("test", tables)
    assert len(caught.value.problems) == 10000
