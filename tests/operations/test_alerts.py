from __future__ import annotations

import math

import pytest

from fleet.failures.sweep import context_of
from fleet.inventory.tables.growth import GrowthPoint
from fleet.operations.alerts import PLANNED_LIMIT, AlertRow, forecast_alerts, monthly_forecast
from fleet.plan.plan import Plan
from tests.failures.small_plans import small_inventory, small_plan

DOUBLING = (GrowthPoint(profile="double", annual_rate=1.0),)


def rows_of(plan: Plan, months: int | None = None) -> dict[tuple[str, str, str], AlertRow]:
    return {(row.cluster, row.resource, row.alert): row for row in forecast_alerts(context_of(plan), months)}


def test_every_threshold_of_the_pack_and_the_planned_limit() -> None:
    rows = rows_of(small_plan(small_inventory()))
    assert [key[1:] for key in rows if key[0] == "east-c1"] == [
        ("vcpu", "processor"),
        ("vcpu", PLANNED_LIMIT),
        ("memory_gb", "free-memory"),
        ("memory_gb", PLANNED_LIMIT),
        ("pool_tb", "pool-allocation"),
        ("pool_tb", PLANNED_LIMIT),
    ]
    assert [rows["east-c1", *key].threshold for key in (("vcpu", "processor"), ("memory_gb", "free-memory"))] == [
        pytest.approx(0.8),
        pytest.approx(0.9),
    ]


def test_nothing_is_crossed_without_growth() -> None:
    assert {row.month for row in forecast_alerts(context_of(small_plan(small_inventory())))} == {None}


def test_month_of_crossing_solves_the_growth_equation() -> None:
    inventory = small_inventory(web={"growth": "double", "memory_gb": 200.0}, growth=DOUBLING)
    for key, row in rows_of(small_plan(inventory)).items():
        if key[0] == "east-c1" and key[1] == "memory_gb":
            # 16 GiB of erp stand still, 200 GiB of web double every year.
            expected = math.floor(12 * math.log2((row.limit - 16) / 200)) + 1
            assert row.load == 216
            assert row.month == expected


def test_the_standby_reserve_counts_against_the_planned_limit_only() -> None:
    inventory = small_inventory(erp={"memory_gb": 300.0, "growth": "double"}, growth=DOUBLING)
    rows = rows_of(small_plan(inventory))
    assert rows["west-c1", "memory_gb", "free-memory"].month is None
    # 300 · 2^(6 / 12) = 424 GiB are kept free for erp, of 417.
    assert rows["west-c1", "memory_gb", PLANNED_LIMIT].month == 6
    assert rows["west-c1", "memory_gb", PLANNED_LIMIT].load == 0


def test_nodes_added_as_planned_push_the_month_back() -> None:
    columns = {"growth": "double", "memory_gb": 300.0}
    inventory = small_inventory(web=columns, growth=DOUBLING, horizon_months=18)
    months = [
        rows_of(small_plan(inventory, nodes=nodes))["east-c1", "memory_gb", PLANNED_LIMIT].month
        for nodes in ((2, 2, 2), (2, 3, 3))
    ]
    # 16 + 300 · 2^(m / 12) is over 417 GiB from month 6 on; three nodes leave about twice as much.
    assert months == [6, 18]


def test_monthly_loads_equal_the_loads_of_the_plan_at_the_end_of_each_period() -> None:
    inventory = small_inventory(
        erp={"growth": "double", "from_month": 3}, web={"growth": "double"}, growth=DOUBLING, horizon_months=18
    )
    plan = small_plan(inventory, nodes=(2, 2, 3))
    context = context_of(plan)
    forecast = monthly_forecast(context, 18)
    assert forecast.load[:, :, 5::6] == pytest.approx(context.load)
    assert forecast.reserve[:, :, 5::6] == pytest.approx(context.reserve)
    assert forecast.load[0, 0, 0] == 4, "erp comes in month 3"


def test_forecast_may_be_longer_or_shorter() -> None:
    inventory = small_inventory(web={"growth": "double", "memory_gb": 200.0}, growth=DOUBLING)
    key = ("east-c1", "memory_gb", "free-memory")
    month = rows_of(small_plan(inventory))[key].month
    assert month is not None
    assert rows_of(small_plan(inventory), months=month)[key].month is None
    assert rows_of(small_plan(inventory), months=month + 1)[key].month == month
