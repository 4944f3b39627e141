"""Figures that other documents state: contradictions are named, and Fleet's own figures stand beside them."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.inventory.figures import QUANTITIES, Figure
from fleet.plan.plan import Finding
from tests.failures.small_plans import small_inventory, small_plan


def findings(*figures: dict[str, Any], nodes: tuple[int, ...] = (3,), **columns: Any) -> list[Finding]:
    rows = [Figure.model_validate(row) for row in figures]
    inventory = small_inventory(**columns)
    object.__setattr__(inventory, "figures", tuple(rows))
    plan = small_plan(inventory, nodes=nodes)
    return [row for row in plan.document.findings if row.rule.startswith("GOV-01")]


#: quantity, where, what the small fleet has: erp 4 vCPU, 16 GiB, 0.1 TB, 50 Mbit/s; web the same with 20 Mbit/s
COUNTED = [
    ("data_tb", {"site": "store"}, 0.2),
    ("vcpu", {}, 8.0),
    ("memory_gb", {"site": "store"}, 32.0),
    ("traffic_mbps", {}, 70.0),
    ("circuit_mbps", {"site": "store"}, 2000.0),
    ("clusters", {}, 2.0),
    ("nodes", {"site": "east"}, 3.0),
    ("nodes", {"site": "store"}, 0.0),
]


@pytest.mark.parametrize(("quantity", "where", "amount"), COUNTED)
def test_every_quantity_is_counted_and_told_only_where_it_differs(
    quantity: str, where: dict[str, str], amount: float
) -> None:
    row = {"figure": "x", "quantity": quantity, "source": "offer", **where}
    assert findings({**row, "value": amount}) == []
    assert findings({**row, "value": amount * 1.04}) == [], "rounded"
    (found,) = findings({**row, "value": amount * 2 + 1})
    assert (found.rule, found.severity, found.subject, found.limit) == ("GOV-011", "info", "x", pytest.approx(amount))
    unit = QUANTITIES[Figure.model_validate({**row, "value": 0}).quantity][0]
    assert f"'x' states {amount * 2 + 1:g} {unit} (offer); Fleet counts {amount:,.4g} {unit}" in found.message


def test_every_quantity_is_in_the_table() -> None:
    assert {row[0] for row in COUNTED} == set(QUANTITIES)


def test_nodes_are_those_of_the_opening() -> None:
    row = {"figure": "x", "quantity": "nodes", "site": "east", "value": 2}
    assert findings(row, nodes=(2, 3), horizon_months=12) == []


def test_parts_that_add_up_to_something_else_are_a_contradiction() -> None:
    row = {"figure": "usable", "quantity": "data_tb", "value": 3.3, "parts": "2;1;2", "source": "offer"}
    found = findings(row, erp={"storage_gb": 4000.0, "tier": "hot"}, web={"storage_gb": 1000.0})
    assert [(one.rule, one.severity) for one in found] == [("GOV-010", "warning")]
    assert (found[0].actual, found[0].limit, found[0].unit) == (3.3, 5.0, "TB")
    assert "its parts 2 + 1 + 2 add up to 5 TB" in found[0].message
    # Three copies of 5 TB.
    assert "5 TB (data of the workloads: 4 hot, 1 warm), which takes 15 TB of pool with its copies" in found[0].message
    assert findings({**row, "value": 5}, erp={"storage_gb": 4000.0}, web={"storage_gb": 1000.0}) == []


def test_two_figures_about_the_same_sites_are_compared_per_site() -> None:
    """The training text: 25 Mbps per 25 stores, 625 Mbps aggregate."""
    each = {"quantity": "circuit_mbps", "kind": "store", "sites": 25, "source": "deep dive"}
    sites = {f"s{number}": {"kind": "store", "latitude": 41.0, "longitude": -87.0} for number in range(24)}
    sites["store"] = {"kind": "store"}
    rows = [{**each, "figure": "per 25 stores", "value": 25}, {**each, "figure": "aggregate", "value": 625}]
    found = findings(*rows, sites=sites)
    (contradiction,) = [one for one in found if one.rule == "GOV-010"]
    assert (contradiction.actual, contradiction.limit) == (25.0, 1.0)
    assert "'per 25 stores' states 25 Mbit/s for 25 sites (deep dive), 1 per site" in contradiction.message
    assert "'aggregate' states 625 Mbit/s for 25 sites (deep dive), 25 per site" in contradiction.message
    assert (
        "Fleet counts 2,000 Mbit/s for 25 sites, 80 each (bandwidth of all circuits of a site)" in contradiction.message
    )
    agreeing = [{**rows[0], "value": 625}, rows[1]]
    assert not [one for one in findings(*agreeing, sites=sites) if one.rule == "GOV-010"]
