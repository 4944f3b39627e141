"""The bank: loss-free copies are refused beyond the round trip or the bandwidth, by name and with what would do."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import fleet
from fleet.inventory.inventory import Inventory
from fleet.plan.audit import audit
from solvers import SolveConfig, solve
from solvers.problem.compilation import compile_problem
from solvers.problem.infeasible_inputs import InfeasibleInputsError
from tests.builders import a_link, a_protected_workload, a_site, an_inventory

DATA = Path(__file__).resolve().parents[2] / "data"
LINK = "replication"


@cache
def bank() -> Inventory:
    return fleet.read(DATA / "bank")


def changed(links: dict[str, dict[str, Any]], workloads: dict[str, dict[str, Any]] | None = None) -> Inventory:
    """The bank with some links and workloads changed."""
    inventory = bank()
    return replace(
        inventory,
        links=tuple(row.model_copy(update=links.get(row.link, {})) for row in inventory.links),
        workloads=tuple(row.model_copy(update=(workloads or {}).get(row.workload, {})) for row in inventory.workloads),
    )


def refusal(inventory: Inventory) -> str:
    with pytest.raises(InfeasibleInputsError) as caught:
        compile_problem(inventory)
    return "\n".join(caught.value.lines)


def access(rtt_ms: float) -> dict[str, dict[str, Any]]:
    return {f"{site} access": {"rtt_ms": rtt_ms} for site in ("HQ Zürich", "Secondary Winterthur", "Reserve Bern")}


def test_no_loss_is_refused_beyond_the_round_trip_of_the_pack() -> None:
    text = refusal(changed({LINK: {"rtt_ms": 7.5}, **access(4.0)}))
    assert "core-database at HQ Zürich with rpo_minutes 0 is kept by application-sync, at most 5 ms" in text
    assert "the nearest candidates, 'HQ Zürich' and 'Secondary Winterthur', are 7.5 ms apart" in text
    assert "ask for rpo_minutes above 0.5, which replica-30s keeps at any distance" in text


def test_the_nearest_site_that_would_do_is_named() -> None:
    inventory = changed({LINK: {"rtt_ms": 7.5}, **access(4.0)})
    near = a_site("Vault Uster", country="CH", latitude=47.35, longitude=8.9)
    lines = (*inventory.links, a_link("Vault Uster", "HQ Zürich", rtt_ms=1.5))
    text = refusal(replace(inventory, sites=(*inventory.sites, near), links=lines))
    assert "the nearest site that would do is 'Vault Uster', 1.5 ms from 'HQ Zürich' – set can_host = yes there" in text


@pytest.mark.parametrize(("rtt_ms", "is_accepted"), [(4.9, True), (5.0, True), (5.1, False)])
def test_the_round_trip_limit_is_inclusive(rtt_ms: float, is_accepted: bool) -> None:
    inventory = changed({LINK: {"rtt_ms": rtt_ms}, **access(4.0)})
    if is_accepted:
        compile_problem(inventory)
    else:
        assert "DR-004" in refusal(inventory)


@pytest.mark.parametrize(("megabytes_per_second", "is_accepted"), [(12.4, True), (12.5, True), (12.6, False)])
def test_hundred_megabits_carry_twelve_and_a_half_megabytes(megabytes_per_second: float, is_accepted: bool) -> None:
    policy = bank().policy
    per_day = megabytes_per_second / 1000 * 86_400 / policy.peak_factor / policy.protocol_overhead
    inventory = changed(
        {LINK: {"bandwidth_mbps": 100.0, "upgrade_mbps": None, "max_utilization": 1.0}},
        {"core-database": {"change_gb_per_day": per_day, "growth": ""}},
    )
    if is_accepted:
        compile_problem(inventory)
    else:
        text = refusal(inventory)
        assert "needs 100.8 Mbit/s (12.6 MB/s) at its peak" in text
        assert f"carries 100 Mbit/s (12.5 MB/s) on link '{LINK}'" in text
        assert "a bandwidth of at least 100.8 Mbit/s would do" in text


def test_streams_that_fit_alone_but_not_together_are_refused_with_the_bandwidth_that_would_do() -> None:
    # 60 and 60 of 100 Mbit/s: each fits, both do not; the pair of sites has no other way.
    sites = [a_site("a", can_host=True), a_site("b", can_host=True)]
    flat = {"peak_factor": 1.0, "protocol_overhead": 1.0, "max_link_utilization": 1.0}
    workloads = [
        a_protected_workload(name, "a", placement="local", protection="sync", rpo_minutes=0.0, change_gb_per_day=648.0)
        for name in ("ledger", "orders")
    ]
    inventory = an_inventory(sites, workloads, [a_link("a", "b", bandwidth_mbps=100.0, rtt_ms=1.0)], **flat)
    result = solve(inventory, config=SolveConfig(time_limit_s=30))
    assert result.status == "infeasible"
    assert result.explanation[-1] == "NET-002: the links of the sites that host lack 20 Mbit/s"


def test_the_bank_is_accepted_within_both() -> None:
    result = solve(bank(), config=SolveConfig(time_limit_s=60, gap=0.01))
    plan = result.require_plan()
    assert not [entry for entry in audit(plan) if entry.severity == "error"]
    kept = {row.workload: row for row in plan.document.standbys}
    for name in ("core-database", "trading"):
        assert (kept[name].mechanism, kept[name].rpo_minutes) == ("application-sync", 0)
        assert kept[name].rtt_ms <= 5
