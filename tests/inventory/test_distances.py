"""Distance in what a planner states: carrier clouds without it, and round trips that light could not make."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fleet.errors import InventoryError
from fleet.inventory.checks.inventory import checked_inventory
from fleet.inventory.distances import LIGHT_KM_PER_MS, distance_km, is_below_light, least_rtt_ms
from fleet.inventory.inventory import Inventory
from tests.inventory_tables import Tables, valid_tables


def problems_of(tables: Tables) -> list[str]:
    try:
        checked_inventory("test", tables)
    except InventoryError as error:
        return [str(problem) for problem in error.problems]
    return []


def row_of(tables: Tables, table: str, column: str, name: str) -> dict[str, Any]:
    return next(row for row in tables[table] if row[column] == name)


def with_ring(access_ms: float | None, **cloud: Any) -> Tables:
    """The valid tables, their cloud a metro ring unless stated otherwise; its hubs are 420 km apart."""
    tables = valid_tables()
    row_of(tables, "sites", "site", "cloud").update({"distance": "no", **cloud})
    row_of(tables, "sites", "site", "s2").update({"wan_mbps": None, "wan_rtt_ms": None})
    tables["links"].append({"from": "s2", "to": "hub-b", "bandwidth_mbps": 50})
    for name in ("a-cloud", "b-cloud"):
        row_of(tables, "links", "link", name)["rtt_ms"] = access_ms
    return tables


def hubs_apart(inventory: Inventory) -> float:
    sites = inventory.site_by_name
    return distance_km(sites["hub-a"], sites["hub-b"]) or 0.0


def test_the_floor_is_light_with_a_small_tolerance() -> None:
    assert least_rtt_ms(1020.0) == 10.0
    assert not is_below_light(10.0, 1020.0)
    assert not is_below_light(10.0 * (1 - 1e-7), 1020.0)
    assert is_below_light(10.0 * (1 - 1e-5), 1020.0)


def test_distance_belongs_to_carrier_clouds() -> None:
    tables = valid_tables()
    row_of(tables, "sites", "site", "s1")["distance"] = "yes"
    (found,) = problems_of(tables)
    assert found.startswith("INV060 sites:row 5 column distance – site 's1' of kind 'store' says distance")


def test_a_cloud_has_distance_unless_it_says_no() -> None:
    tables = valid_tables()
    assert checked_inventory("test", tables).site_by_name["cloud"].has_distance
    row_of(tables, "sites", "site", "cloud")["distance"] = "yes"
    assert checked_inventory("test", tables).site_by_name["cloud"].has_distance
    assert not checked_inventory("test", with_ring(2.5)).site_by_name["cloud"].has_distance


def test_a_link_below_light_is_an_error_and_its_remedy_works() -> None:
    tables = valid_tables()
    row_of(tables, "links", "link", "backbone")["rtt_ms"] = 2.0
    (found,) = problems_of(tables)
    assert found.startswith("INV061 links:row 2 column rtt_ms – got 2 ms between 'hub-a' and 'hub-b', ")
    (remedy,) = re.findall(r"at least ([\d.]+) ms is possible", found)
    row_of(tables, "links", "link", "backbone")["rtt_ms"] = float(remedy)
    assert problems_of(tables) == []
    row_of(tables, "links", "link", "backbone")["rtt_ms"] = float(remedy) - 0.02
    assert len(problems_of(tables)) == 1


def test_a_last_mile_may_be_as_short_as_it_is() -> None:
    tables = valid_tables()
    for name in ("a-cloud", "b-cloud"):
        row_of(tables, "links", "link", name)["rtt_ms"] = 0.0
    assert problems_of(tables) == []


def test_the_slope_of_estimates_is_at_least_that_of_light() -> None:
    tables = valid_tables()
    tables["policy"].append({"key": "rtt_ms_per_km", "value": 0.0097})
    (found,) = problems_of(tables)
    assert found.startswith("INV061 policy:row 4 column value – rtt_ms_per_km: got 0.0097 ms/km")
    (remedy,) = re.findall(r"give ([\d.]+) or more", found)
    for good in (float(remedy), 1 / LIGHT_KM_PER_MS):
        tables["policy"][-1]["value"] = good
        assert problems_of(tables) == []


def test_a_ring_over_a_whole_country_is_none() -> None:
    (found,) = problems_of(with_ring(1.0))
    assert found.startswith("INV062 sites:row 4 column distance – carrier cloud 'cloud' is without distance")
    assert "'hub-a' and 'hub-b'" in found
    assert "would be 2.00 ms" in found
    (remedy,) = re.findall(r"at least ([\d.]+) ms in all", found)
    assert problems_of(with_ring(float(remedy) / 2)) == []
    assert problems_of(with_ring(float(remedy) / 2 - 0.02)) != []
    assert problems_of(with_ring(1.0, distance=None)) == []


def test_the_access_circuits_of_a_ring_count_too() -> None:
    tables = with_ring(2.5)
    tables["links"].pop()
    row_of(tables, "sites", "site", "s2").update({"wan_mbps": 100, "wan_rtt_ms": 0.1})
    (found,) = problems_of(tables)
    assert found.startswith("INV062")
    assert "'s2'" in found


@pytest.mark.parametrize(("joint_ms", "is_fine"), [(1.0, False), (4.0, True)])
def test_rings_that_are_linked_are_one(joint_ms: float, is_fine: bool) -> None:
    tables = with_ring(0.5)
    tables["sites"].append({"site": "other", "kind": "network", "distance": "no"})
    row_of(tables, "links", "link", "b-cloud")["to"] = "other"
    tables["links"].append(
        {"link": "joint", "from": "cloud", "to": "other", "bandwidth_mbps": 1000, "rtt_ms": joint_ms}
    )
    assert (problems_of(tables) == []) == is_fine


def test_the_hubs_of_these_tables_are_where_the_tests_think() -> None:
    assert 300 < hubs_apart(checked_inventory("test", valid_tables())) < 450
