"""Recovery in the cloud that cannot be is named when an inventory is read, and by the solver where nobody read it."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import fleet
from fleet.errors import InventoryError
from fleet.exchange.examples import example_folder
from solvers import SolveConfig, solve
from tests.failures.small_plans import small_inventory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "inventory"
    shutil.copytree(example_folder("healthcare"), copy)
    change(copy, "workloads", "clinic-ehr", recovery="cloud", residency="")
    return copy


def change(folder: Path, table: str, name: str, **cells: str) -> None:
    """Change the rows of that name, and add a column where need be."""
    with (folder / f"{table}.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row.update({**dict.fromkeys(cells, ""), **row} if next(iter(row.values())) != name else cells)
    with (folder / f"{table}.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0] | dict.fromkeys(cells, "")))
        writer.writeheader()
        writer.writerows(rows)


def problems(folder: Path) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        fleet.read(folder)
    return [str(problem) for problem in caught.value.problems]


def test_what_can_recover_in_the_cloud_is_read(folder: Path) -> None:
    inventory = fleet.read(folder)
    assert sum(demand.recovers_in_cloud for demand in inventory.demands) == 20
    assert {"recovery": "cloud"}.items() <= next(
        row for row in inventory.tables["workloads"] if row["workload"] == "clinic-ehr"
    ).items()


@pytest.mark.parametrize(
    ("table", "name", "cells", "expected"),
    [
        ("workloads", "clinic-ehr", {"rpo_minutes": "0.5"}, ("no async mechanism into the cloud keeps .*: the nearest, "
         "cloud-30s, copies every 0.5 minutes .* – relax rpo_minutes, rto_minutes or protection, or recover on a")),
        ("workloads", "clinic-ehr", {"rto_minutes": "59"}, "recovers .* within rto_minutes 59: the nearest, cloud-"),
        ("workloads", "clinic-ehr", {"protection": "sync"}, "has no synchronous mechanism into the cloud"),
        ("workloads", "clinic-ehr", {"residency": "country"}, r"residency country .* \(cloud_country '', .*19 more"),
        ("sites", "Clinic Dayton", {"internet": "no"}, "'Clinic Dayton' has no internet to reach it"),
        ("policy", "horizon_months", {"key": "cloud_rtt_ms", "value": "51"}, "51 ms to it .* is over .* 50 ms"),
        ("policy", "horizon_months", {"key": "rule_pack", "value": "deep-dive"},
         "rule pack 'deep-dive' has no interval mechanism into the cloud"),
    ],
)  # fmt: skip
def test_what_cannot_is_named_with_a_remedy(
    folder: Path, table: str, name: str, cells: dict[str, str], expected: str
) -> None:
    change(folder, table, name, **cells)
    (found,) = problems(folder)
    assert found.startswith("INV057 workloads: 'clinic-ehr' column recovery – ")
    assert re.search(expected, found), found


def test_candidate_sites_without_internet_are_named(folder: Path) -> None:
    for city in ("Columbus", "Cleveland", "Cincinnati", "Toledo", "Akron"):
        change(folder, "sites", f"Hospital {city}", internet="no")
    (found,) = problems(folder)
    assert "no candidate site has internet" in found


@pytest.mark.parametrize(
    ("sites", "expected"),
    [
        ({"store": {"internet": False}}, "DR-009 erp at store recovers in the cloud, and 'store' has no internet"),
        ({"east": {"internet": False}, "west": {"internet": False}}, "'east' has no internet to copy it there"),
    ],
)
def test_the_solver_names_it_where_nobody_read_the_inventory(sites: dict[str, Any], expected: str) -> None:
    result = solve(small_inventory({"recovery": "cloud"}, sites=sites), config=SolveConfig(time_limit_s=10.0))
    assert result.status == "infeasible"
    assert expected in " ".join(result.explanation)


def test_a_narrow_internet_access_is_explained_with_what_would_do() -> None:
    sites = {name: {"internet_mbps": 13.0} for name in ("east", "west")}
    result = solve(
        small_inventory({"recovery": "cloud", "count": 2}, sites=sites), config=SolveConfig(time_limit_s=30.0)
    )
    assert result.status == "infeasible"
    # 0.8 · 13 − 10 = 0.4 Mbit/s against 3.667.
    assert "DR-011: copies over the internet access of site " in " ".join(result.explanation)
    assert "may carry 0.4 Mbit/s; 3.667 would do" in " ".join(result.explanation)
