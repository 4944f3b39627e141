"""Costs against sums worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleet.inventory.tables.growth import GrowthPoint
from fleet.inventory.tables.prices import PRICE_ITEMS
from fleet.plan.costs import Rates, budgeted_capex, cost_rows, totals
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import CostRow
from solvers.problem.compilation import compile_problem
from tests.builders import (
    a_link,
    a_node_model,
    a_protected_workload,
    a_site,
    a_workload,
    an_existing_cluster,
    an_inventory,
)
from tests.plan.judged_fleet import PACK, TWO_WAY, a_cluster, key

PRICES = {"host_fee_per_core_month": 10.0, "power_price_per_kwh": 0.2, "replica_per_stream_month": 7.0}


def amounts(rows: tuple[CostRow, ...]) -> dict[tuple[str, str, int], float]:
    return {(row.term, row.subject, row.period): row.amount for row in rows}


def test_every_term_by_hand() -> None:
    inventory = an_inventory(
        [
            a_site("a", can_host=True, opening_cost=900.0, monthly_cost=40.0, power_price_per_kwh=0.1),
            a_site("b", can_host=True, opening_cost=800.0),
            a_site("s", wan_mbps=100.0, wan_rtt_ms=2.0, wan_monthly_cost=25.0),
            a_site("cloud", kind="network"),
        ],
        [a_protected_workload("till", "s", growth="later"), a_workload("back", "s")],
        [a_link("a", "cloud", monthly_cost=11.0), a_link("b", "cloud", upgrade_mbps=2e3, upgrade_monthly_cost=5.0)],
        growth=[GrowthPoint(profile="later", month=5, factor=0.0), GrowthPoint(profile="later", month=6, factor=1.0)],
        clusters=[an_existing_cluster("old", "b"), an_existing_cluster("gone", "b", keep=False, cost_to_retire=123.0)],
        prices=PRICES,
        horizon_months=10,
        period_months=6,
        default_network="cloud",
    )
    decisions = Decisions(
        clusters=(
            a_cluster("a-c1", (2, 3)),
            ClusterDecision("old", "b", "std", (2, 4), (TWO_WAY, TWO_WAY), existing=True),
        ),
        primary={key("till", "s"): "a-c1", key("back", "s"): "a-c1"},
        standby={key("till", "s"): "old"},
        upgrades={"b-cloud": 1},
        retired=("gone",),
    )
    kwh = 500.0 / 1000.0 * 730.5
    expected = {
        ("nodes", "a-c1", 0): 2 * 20000.0,
        ("nodes", "a-c1", 1): 20000.0,
        ("nodes", "old", 1): 2 * 20000.0,
        ("opening", "a", 0): 900.0,
        ("retire", "gone", 0): 123.0,
        ("host_fee", "a-c1", 0): 2 * 6 * 32 * 10.0,
        ("host_fee", "a-c1", 1): 3 * 4 * 32 * 10.0,
        ("host_fee", "old", 0): 2 * 6 * 32 * 10.0,
        ("host_fee", "old", 1): 4 * 4 * 32 * 10.0,
        ("support", "a-c1", 0): 2 * 6 * 100.0,
        ("support", "a-c1", 1): 3 * 4 * 100.0,
        ("support", "old", 0): 2 * 6 * 100.0,
        ("support", "old", 1): 4 * 4 * 100.0,
        ("power", "a-c1", 0): 2 * 6 * kwh * 0.1,
        ("power", "a-c1", 1): 3 * 4 * kwh * 0.1,
        ("power", "old", 0): 2 * 6 * kwh * 0.2,
        ("power", "old", 1): 4 * 4 * kwh * 0.2,
        ("site", "a", 0): 6 * 40.0,
        ("site", "a", 1): 4 * 40.0,
        ("wan", "a-cloud", 0): 66.0,
        ("wan", "a-cloud", 1): 44.0,
        ("wan", "s~cloud", 0): 150.0,
        ("wan", "s~cloud", 1): 100.0,
        ("link_upgrade", "b-cloud", 1): 20.0,
        ("protection", "till", 1): 4 * 7.0,
    }
    rows = cost_rows(inventory, PACK, decisions)
    assert amounts(rows) == pytest.approx(expected)
    capex = {"nodes", "opening", "retire", "residual"}
    assert all((row.kind == "capex") == (row.term in capex) for row in rows)
    assert [(row.term, row.subject, row.period) for row in rows] == sorted(expected)


def test_present_value_by_hand() -> None:
    inventory = an_inventory(
        [a_site("a", can_host=True)],
        hardware=[a_node_model(annual_support=0.0, watts=0.0, price=1000.0)],
        prices={"host_fee_per_core_month": 1.0},
        horizon_months=4,
        period_months=2,
        discount_rate=0.21,
    )
    decisions = Decisions(clusters=(a_cluster("a-c1", (1, 2)),), primary={}, standby={})
    rows = cost_rows(inventory, PACK, decisions)
    found = totals(inventory, rows)
    per_month = 1.21 ** (-1 / 12)
    fees = 32 * (per_month + per_month**2) + 64 * (per_month**3 + per_month**4)
    assert found.capex == 2000.0
    assert found.opex == 2 * 32.0 + 2 * 64.0
    assert found.present_value == pytest.approx(1000.0 + 1000.0 * per_month**2 + fees, rel=1e-12)


def test_without_discounting_the_present_value_is_the_sum() -> None:
    inventory = an_inventory([a_site("a", can_host=True, opening_cost=10.0)], horizon_months=24, period_months=6)
    rows = cost_rows(inventory, PACK, Decisions((a_cluster("a-c1", (0, 2, 2, 3)),), {}, {}))
    found = totals(inventory, rows)
    assert found.present_value == pytest.approx(found.capex + found.opex, rel=1e-12)


def test_residual_value_is_negative_capex_that_the_budget_ignores() -> None:
    inventory = an_inventory(
        [a_site("a", can_host=True)],
        hardware=[a_node_model(annual_support=0.0, watts=0.0, price=1000.0)],
        prices={"host_fee_per_core_month": 0.0},
        horizon_months=12,
        period_months=6,
        discount_rate=0.1,
        residual_value="straight_line",
        asset_life_months=48,
    )
    rows = cost_rows(inventory, PACK, Decisions((a_cluster("a-c1", (2, 3)),), {}, {}))
    left = 2000.0 * (1 - 12 / 48) + 1000.0 * (1 - 6 / 48)
    assert amounts(rows)["residual", "a-c1", 1] == pytest.approx(-left)
    found = totals(inventory, rows)
    assert found.capex == pytest.approx(3000.0 - left)
    assert found.present_value == pytest.approx(2000.0 + 1000.0 * 1.1**-0.5 - left / 1.1)
    assert budgeted_capex(rows) == 3000.0
    rates = Rates(inventory, PACK)
    by_factor = sum(
        1000.0 * nodes * (rates.purchase_factor(period) - rates.residual_factor(period))
        for period, nodes in enumerate((2, 1))
    )
    assert by_factor == pytest.approx(found.present_value)


@pytest.mark.parametrize(
    ("purchased", "policy", "share"),
    [
        ("2026-01-31", {}, 1 - (12 + 12) / 48),  # a year before the start, and a year of horizon
        ("2027-01-01", {}, 1 - 12 / 48),
        ("2022-12-01", {}, 0.0),  # older than an asset's life at the end
        ("2026-01-31", {"start": None}, 0.0),
        (None, {}, 0.0),
        ("2026-01-31", {"residual_value": "none"}, 0.0),
    ],
)
def test_a_standing_cluster_is_worth_what_its_age_leaves(
    purchased: str | None, policy: dict[str, Any], share: float
) -> None:
    """Two of three nodes stand; the third is bought in month 6. Ports of what stands are not valued."""
    inventory = an_inventory(
        [a_site("a", can_host=True)],
        hardware=[a_node_model(annual_support=0.0, watts=0.0, price=1000.0)],
        clusters=[an_existing_cluster("old", "a", purchased=purchased)],
        prices={"host_fee_per_core_month": 0.0, "switch_port": 50.0},
        **{
            "horizon_months": 12, "discount_rate": 0.1, "residual_value": "straight_line", "asset_life_months": 48,
            "start": "2027-01-15", **policy,
        },
    )  # fmt: skip
    old = replace(a_cluster("a-c1", (2, 3)), cluster="old", existing=True)
    rows = cost_rows(inventory, PACK, Decisions((old,), {}, {}))
    new = 1100.0 * (1 - 6 / 48) if inventory.policy.residual_value == "straight_line" else 0.0
    assert amounts(rows).get(("residual", "old", 1), 0.0) == pytest.approx(-(new + 2000.0 * share))
    retired = cost_rows(inventory, PACK, Decisions((), {}, {}, retired=("old",)))
    assert retired == ()


def test_fees_of_a_demand_count_for_the_whole_period_in_which_it_starts() -> None:
    """Month 7 lies in the second half-year, which is paid in full, as its nodes are."""
    inventory = an_inventory(
        [a_site("a", can_host=True), a_site("b", can_host=True)],
        [a_protected_workload("till", "a", from_month=7, backup_days=30, storage_gb=1000.0, change_gb_per_day=0.0)],
        [a_link("a", "b")],
        prices={"replica_per_stream_month": 7.0, "backup_per_instance_month": 10.0},
        horizon_months=18,
    )
    till = next(iter(inventory.demands))
    decisions = Decisions((a_cluster("a-c1", (0, 2, 2)),), {till.key: "a-c1"}, {till.key: "b-c1"})
    found = amounts(cost_rows(inventory, PACK, decisions))
    fees = {where: amount for where, amount in found.items() if where[0] in ("protection", "backup")}
    assert fees == {
        ("protection", "till", 1): 6 * 7.0,
        ("protection", "till", 2): 6 * 7.0,
        ("backup", "till", 1): 6 * 10.0,
        ("backup", "till", 2): 6 * 10.0,
    }
    problem = compile_problem(inventory)
    rates = problem.rates
    assert problem.constant_cost == pytest.approx(17.0 * (rates.monthly_factor(1) + rates.monthly_factor(2)))


def test_nothing_is_left_after_the_asset_life() -> None:
    inventory = an_inventory([a_site("a", can_host=True)], residual_value="straight_line", asset_life_months=6)
    assert Rates(inventory, PACK).residual_factor(0) == 0.0


def test_solver_rates_add_up_to_the_rows() -> None:
    inventory = an_inventory(
        [a_site("a", can_host=True, opening_cost=900.0, monthly_cost=40.0)],
        horizon_months=15,
        period_months=6,
        discount_rate=0.08,
    )
    rates = Rates(inventory, PACK)
    by_rates = rates.site_opening("a") * rates.purchase_factor(0)
    for period, (nodes, added) in enumerate(((2, 2), (3, 1), (3, 0))):
        by_rates += added * rates.node_purchase("std") * rates.purchase_factor(period)
        by_rates += nodes * rates.node_monthly("std", "a") * rates.monthly_factor(period)
        by_rates += (rates.site_monthly("a") + rates.wan_monthly()) * rates.monthly_factor(period)
    rows = cost_rows(inventory, PACK, Decisions((a_cluster("a-c1", (2, 3, 3)),), {}, {}))
    assert totals(inventory, rows).present_value == pytest.approx(by_rates, rel=1e-12)


def test_hybrid_benefit_waives_the_host_fee() -> None:
    inventory = an_inventory([a_site("a", can_host=True)], hybrid_benefit=True)
    rows = cost_rows(inventory, PACK, Decisions((a_cluster("a-c1", (2,)),), {}, {}))
    assert "host_fee" not in {row.term for row in rows}


def terms(nodes: int = 2, prices: dict[str, float] | None = None, **policy: Any) -> dict[str, float]:
    """Amounts by term of one cluster over six months, without what every cluster costs."""
    inventory = an_inventory(
        [a_site("a", can_host=True, power_price_per_kwh=0.1)],
        [a_workload("files", "a", count=3, storage_gb=1000.0, change_gb_per_day=10.0, backup_days=30)],
        prices={"host_fee_per_core_month": 10.0, **(prices or {})},
        **policy,
    )
    decisions = Decisions((a_cluster("a-c1", (nodes,)),), {key("files", "a"): "a-c1"}, {})
    return {term: amount for (term, _, _), amount in amounts(cost_rows(inventory, PACK, decisions)).items()}


#: policy; host fee, licenses, guest subscription of 2 × 32 cores over 6 months at 10, 4 and 23.3 per core and month
LICENSES = [
    ({}, 3840.0, 0.0, 0.0),
    ({"windows_subscription": True}, 3840.0, 0.0, 8947.2),
    ({"hybrid_benefit": True}, 0.0, 1536.0, 0.0),
    ({"hybrid_benefit": True, "windows_subscription": True}, 0.0, 1536.0, 0.0),
]


@pytest.mark.parametrize(("policy", "fee", "licenses", "windows"), LICENSES)
def test_licenses_are_paid_by_the_core(policy: dict[str, bool], fee: float, licenses: float, windows: float) -> None:
    found = terms(prices={"hybrid_benefit_per_core_month": 4.0}, **policy)
    assert [found.get(term, 0.0) for term in ("host_fee", "licenses", "windows")] == pytest.approx(
        [fee, licenses, windows]
    )


def test_cooling_follows_power_and_ports_follow_nodes() -> None:
    found = terms(prices={"cooling_kwh_per_kwh": 0.4, "switch_port": 150.0})
    assert found["cooling"] == pytest.approx(0.4 * found["power"])
    assert found["switch_ports"] == 2 * 2 * 150.0
    separate = terms(prices={"switch_port": 150.0}, converged=False)
    assert separate["switch_ports"] == 2 * 4 * 150.0
    direct = terms(prices={"switch_port": 150.0}, storage_switch=False)
    assert direct["switch_ports"] == 2 * 2 * 150.0


def test_backups_cost_by_instance_and_by_room() -> None:
    """3 TB and 30 days of 30 GB are 3.9 TB; 3 instances at 10 and 3,900 GB at 0.05 are 225 a month."""
    found = terms(prices={"backup_per_instance_month": 10.0, "backup_storage_per_gb_month": 0.05})
    assert found["backup"] == pytest.approx(6 * (3 * 10.0 + 3900 * 0.05))
    assert "backup" not in terms()


def test_what_is_not_priced_costs_nothing_and_every_item_may_be_priced() -> None:
    assert set(terms()) == {"nodes", "host_fee", "support", "power"}
    assert all(f"prices.{item}" in PACK.facts for item in PRICE_ITEMS)


def test_residual_value_counts_the_ports_too() -> None:
    found = terms(prices={"switch_port": 150.0}, residual_value="straight_line", asset_life_months=60)
    assert found["residual"] == pytest.approx(-(2 * 20000.0 + 2 * 2 * 150.0) * (1 - 6 / 60))


def test_price_book_overrides_the_rule_pack() -> None:
    site = a_site("a", can_host=True)
    assert Rates(an_inventory([site]), PACK).price("power_price_per_kwh") == PACK.number("prices.power_price_per_kwh")
    assert Rates(an_inventory([site], prices=PRICES), PACK).price("power_price_per_kwh") == 0.2


def test_two_clusters_open_a_site_once() -> None:
    inventory = an_inventory(
        [a_site("a", can_host=True, opening_cost=900.0, monthly_cost=40.0, max_clusters=2)],
        horizon_months=12,
        period_months=6,
    )
    rows = amounts(
        cost_rows(inventory, PACK, Decisions((a_cluster("a-c1", (0, 2)), a_cluster("a-c2", (2, 2))), {}, {}))
    )
    assert {where: amount for where, amount in rows.items() if where[0] in ("opening", "site")} == {
        ("opening", "a", 0): 900.0,
        ("site", "a", 0): 240.0,
        ("site", "a", 1): 240.0,
    }
