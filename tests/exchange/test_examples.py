"""The shipped examples: all five check in both rule packs, plan, and pass their audit."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import fleet
import solvers
from fleet.exchange.examples import example_folder, example_names
from fleet.inventory.inventory import Inventory
from fleet.inventory.scenario import apply_scenario, read_scenarios
from fleet.plan.assemble import assemble
from fleet.plan.audit import audit
from fleet.plan.decisions import Decisions
from fleet.plan.plan import Plan
from fleet.wan.graph import build_wan
from fleet.wan.routing import Router
from solvers.config import SolveConfig
from tests.failures.small_plans import BY_HAND
from tests.plan.light import faster_than_light

PACKS = ("azure-local", "deep-dive")
QUICK = ("manufacturing", "research", "bank")


def inventory_in(name: str, pack: str) -> Inventory:
    folder = example_folder(name)
    inventory = fleet.read(folder)
    return inventory if pack == PACKS[0] else apply_scenario(inventory, read_scenarios(folder)[pack])


def planned(name: str, pack: str, seconds: float, gap: float = 1e-4) -> Plan:
    return solvers.solve(inventory_in(name, pack), config=SolveConfig(time_limit_s=seconds, gap=gap)).require_plan()


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
def test_a_small_example_is_planned_to_proof_and_costs_what_its_readme_says(name: str, pack: str) -> None:
    plan = planned(name, pack, 20.0)
    assert plan.result.status == "optimal"
    assert [finding for finding in audit(plan) if finding.severity == "error"] == []
    assert list(faster_than_light(plan, inventory_in(name, pack))) == []
    text = (Path(example_folder(name)) / "README.md").read_text(encoding="utf-8")
    assert f"{plan.document.totals.present_value:,.0f}" in text


@pytest.mark.parametrize("name", example_names())
def test_a_readme_puts_the_figures_of_the_text_beside_both_packs(name: str) -> None:
    """Every figure that the table of figures states stands in the readme, and every row explains itself."""
    folder = Path(example_folder(name))
    lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
    assert table[0] == ["the text says", "Fleet, `azure-local`", "Fleet, `deep-dive`", "why"]
    assert len(table) >= 8
    assert all(len(row) == 4 and all(row) for row in table)
    said = " ".join(row[0] for row in table)
    for figure in fleet.read(folder).figures:
        assert all(part in said for part in (figure.parts or (f"{figure.value:g}",))), figure


@pytest.mark.slow
@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("name", [name for name in example_names() if name not in QUICK])
def test_a_large_example_is_planned_and_audits_clean(name: str, pack: str) -> None:
    plan = planned(name, pack, 240.0, gap=0.03)
    assert plan.result.gap is not None
    assert plan.result.gap < 0.05
    assert [finding for finding in audit(plan) if finding.severity == "error"] == []
    assert list(faster_than_light(plan, inventory_in(name, pack))) == []


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


@pytest.mark.parametrize(("pack", "pool"), [("azure-local", "15"), ("deep-dive", "13")])
def test_the_manufacturer_is_told_what_its_usable_storage_is(pack: str, pool: str) -> None:
    """Scenario 1: "~3.3 TB usable" of 2 + 1 + 2 TB. In three copies 15 TB; with parity at a half 2·3 + 1·3 + 2·2."""
    (found,) = [row for row in audit(planned("manufacturing", pack, 20.0)) if row.subject == "usable storage"]
    assert (found.rule, found.severity, found.actual, found.limit) == ("GOV-010", "warning", 3.3, 5.0)
    assert "its parts 2 + 1 + 2 add up to 5 TB" in found.message
    assert f"5 TB (data of the workloads: 2 hot, 1 warm, 2 archive), which takes {pool} TB of pool" in found.message


def test_the_retailer_is_told_that_25_and_625_mbit_contradict_each_other() -> None:
    """Scenario 5: "25 Mbps per 25 stores (625 Mbps aggregate)"; every store has a circuit of 25 Mbit/s."""
    plan = assemble(inventory_in("retail", PACKS[0]), Decisions((), {}, {}), BY_HAND)
    found = {row.rule: row for row in plan.document.findings if row.subject == "bandwidth of 25 stores"}
    assert found["GOV-010"].severity == "warning"
    assert "states 625 Mbit/s for 25 sites (training text, scenario 5), 25 per site" in found["GOV-010"].message
    assert "states 25 Mbit/s for 25 sites (training text, scenario 5), 1 per site" in found["GOV-010"].message
    assert "Fleet counts 625 Mbit/s" in found["GOV-011"].message
    assert found["GOV-011"].limit == pytest.approx(625.0)
    assert not [row for row in plan.document.findings if row.subject == "aggregate bandwidth of 25 stores"]


def test_the_retailer_is_told_what_centers_give_its_farthest_store() -> None:
    inventory = inventory_in("retail", PACKS[0])
    router = Router(build_wan(inventory))
    centers = [site.site for site in inventory.sites if site.can_host]
    stores = [site.site for site in inventory.sites if site.kind.startswith("store")]
    trips = [router.round_trips(center) for center in centers]
    rtts = np.array([[trip[store] for trip in trips] for store in stores])
    text = (Path(example_folder("retail")) / "README.md").read_text(encoding="utf-8")
    limits = {row.workload: row.max_rtt_ms for row in inventory.workloads}
    best = {
        count: min(float(rtts[:, chosen].min(axis=1).max()) for chosen in map(list, combinations(range(10), count)))
        for count in (1, 2, 3, 6, 10)
    }
    for count, worst in best.items():
        assert f"| {count} | {worst:.1f} ms |" in text
    assert best[2] <= (limits["pos"] or 0.0) < best[1] <= (limits["inventory-db"] or 0.0)
    assert best[10] > 20


def test_the_research_institute_starts_with_one_node_and_grows_to_three() -> None:
    plan = planned("research", PACKS[0], 20.0)
    assert [row.nodes for row in plan.document.cluster_periods] == [1, 3]
    assert {row.capacity for row in plan.document.cluster_loads if row.resource == "gpu"} == {2.0, 4.0}
