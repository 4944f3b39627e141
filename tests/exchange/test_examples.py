"""The shipped examples: all five check in both rule packs, plan, and pass their audit."""

from __future__ import annotations

from pathlib import Path

import pytest

import fleet
import solvers
from fleet.exchange.examples import example_folder, example_names
from fleet.inventory.inventory import Inventory
from fleet.inventory.scenario import apply_scenario, read_scenarios
from fleet.plan.audit import audit
from fleet.plan.plan import Plan
from solvers.config import SolveConfig

PACKS = ("azure-local", "deep-dive")
QUICK = ("manufacturing", "research", "bank")


def inventory_in(name: str, pack: str) -> Inventory:
    folder = example_folder(name)
    inventory = fleet.read(folder)
    return inventory if pack == PACKS[0] else apply_scenario(inventory, read_scenarios(folder)[pack])


def planned(name: str, pack: str, seconds: float) -> Plan:
    return solvers.solve(inventory_in(name, pack), config=SolveConfig(time_limit_s=seconds)).require_plan()


def test_the_five_scenarios_are_shipped() -> None:
    assert example_names() == ("bank", "healthcare", "manufacturing", "research", "retail")


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("name", example_names())
def test_an_example_checks_in_both_rule_packs(name: str, pack: str) -> None:
    assert inventory_in(name, pack).policy.rule_pack == pack


@pytest.mark.parametrize("name", example_names())
def test_every_example_explains_itself(name: str) -> None:
    text = (Path(example_folder(name)) / "README.md").read_text(encoding="utf-8")
    assert "GeoNames, CC BY 4.0" in text


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("name", QUICK)
def test_a_small_example_is_planned_to_proof_and_audits_clean(name: str, pack: str) -> None:
    plan = planned(name, pack, 20.0)
    assert plan.result.status == "optimal"
    assert [finding for finding in audit(plan) if finding.severity == "error"] == []


@pytest.mark.slow
@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("name", [name for name in example_names() if name not in QUICK])
def test_a_large_example_is_planned_and_audits_clean(name: str, pack: str) -> None:
    plan = planned(name, pack, 60.0)
    assert plan.result.gap is not None
    assert plan.result.gap < 0.05
    assert [finding for finding in audit(plan) if finding.severity == "error"] == []


def test_the_bank_loses_nothing_between_its_two_near_sites() -> None:
    plan = planned("bank", PACKS[0], 20.0)
    lossless = [row for row in plan.document.standbys if row.workload in ("trading", "core-database")]
    assert {row.mechanism for row in lossless} == {"application-sync"}
    assert all(row.rpo_minutes == 0 and row.rtt_ms <= 5 for row in lossless)
    sites = {row.cluster: row.site for row in plan.document.clusters}
    assert {sites[name] for row in lossless for name in (row.cluster, row.standby)} == {
        "HQ Zürich",
        "Secondary Winterthur",
    }


def test_the_research_institute_starts_with_one_node_and_grows_to_three() -> None:
    plan = planned("research", PACKS[0], 20.0)
    assert [row.nodes for row in plan.document.cluster_periods] == [1, 3]
    assert {row.capacity for row in plan.document.cluster_loads if row.resource == "gpu"} == {2.0, 4.0}
