"""Expected downtime against an enumeration of all states that shares none of its shortcuts."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

import pytest

from fleet.failures.availability import HOURS_PER_YEAR, plan_availability
from fleet.failures.elements import Element
from fleet.failures.sweep import breaker_of
from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.prices import FailureRate
from fleet.plan.plan import Plan
from tests.builders import a_link
from tests.failures.small_plans import LINKS, small_inventory, small_plan

MINUTES = HOURS_PER_YEAR * 60
RATES = {
    "node": (20_000.0, 12.0),
    "cluster": (30_000.0, 6.0),
    "link": (2_000.0, 8.0),
    "network": (50_000.0, 4.0),
    "site": (80_000.0, 72.0),
}


def rated(inventory: Inventory, **rates: tuple[float, float]) -> Inventory:
    rows = tuple(FailureRate(element=name, mtbf_hours=f, mttr_hours=r) for name, (f, r) in rates.items())
    return replace(inventory, failure_rates=rows)


def by_enumeration(plan: Plan, rates: dict[str, tuple[float, float]], demand: int) -> tuple[float, float, float]:
    """Minutes a year down in all states of at most three failures, weight of the rest, failovers of one failure."""
    breaker = breaker_of(plan)
    units: list[tuple[Element, float]] = []
    for element in breaker.elements:
        rate = rates.get(element.name) if element.kind in ("link", "site", "network", "cluster") else None
        rate = rate or rates.get(element.kind)
        if rate is not None and element.kind != "zone":
            units += [(element, rate[1] / (rate[0] + rate[1]))] * element.count
    known: dict[tuple[int, ...], bool] = {}

    def is_down(lost: tuple[Element, ...]) -> bool:
        """What fewer failures take down stays down with more."""
        key = tuple(sorted(map(id, lost)))
        if key not in known:
            outcome = breaker.lose(list(lost)).outcome
            known[key] = outcome is not None and demand in (*outcome.down, *outcome.lost, *outcome.single_points)
            if len(lost) > 1:
                known[key] = known[key] or any(is_down(part) for part in combinations(lost, len(lost) - 1))
        return known[key]

    nothing = 1.0
    for _, share in units:
        nothing *= 1.0 - share
    down, weight = 0.0, nothing
    for size in (1, 2, 3):
        for chosen in combinations(units, size):
            probability = nothing
            for _, share in chosen:
                probability *= share / (1.0 - share)
            weight += probability
            down += probability * is_down(tuple(element for element, _ in chosen))
    failover = 0.0
    for element in {id(element): element for element, _ in units}.values():
        incident = breaker.lose([element])
        recovery = breaker.recovery(demand)
        if demand in incident.moved and recovery is not None:
            rate = rates.get(element.name) or rates[element.kind]
            failover += element.count / sum(rate) * HOURS_PER_YEAR * min(recovery.rto_minutes, rate[1] * 60)
    return down * MINUTES, (1.0 - weight) * MINUTES, failover


def plans() -> list[Plan]:
    ring = (*LINKS, a_link("store", "west", link="radio", bandwidth_mbps=60, rtt_ms=12))
    cloud = (
        a_link("east", "cloud", rtt_ms=1),
        a_link("west", "cloud", rtt_ms=1),
        a_link("store", "cloud", rtt_ms=2),
        a_link("store", "west", rtt_ms=9),
    )
    return [
        small_plan(small_inventory()),
        small_plan(small_inventory(links=ring, erp={"max_rtt_ms": None}), nodes=(3,)),
        small_plan(small_inventory(links=cloud, sites={"cloud": {"kind": "network"}}), nodes=(1,)),
        small_plan(small_inventory(links=LINKS[:2]), nodes=(3,)),
    ]


@pytest.mark.parametrize("number", range(4))
def test_downtime_is_that_of_the_enumeration(number: int) -> None:
    plan = plans()[number]
    chance = random.Random(number)
    rates = {name: (f * chance.uniform(0.5, 2), r * chance.uniform(0.5, 2)) for name, (f, r) in RATES.items()}
    rates["store-west" if number < 3 else "store-east"] = (500.0, 30.0)
    inventory = breaker_of(plan).context.inventory
    document = plan.document.model_copy(
        update={"inventory": plan.document.inventory.model_copy(update={"tables": rated(inventory, **rates).tables})}
    )
    rows = plan_availability(breaker_of(Plan(document)))
    assert [row.workload for row in rows] == ["erp", "web"]
    for demand, row in enumerate(rows):
        down, rest, failover = by_enumeration(plan, rates, demand)
        # The truth lies between `down` and `down + rest`, the answer between its own two values: they must meet.
        assert row.down_minutes <= down + rest + 1e-6
        assert row.down_minutes + row.truncation_minutes >= down - 1e-6
        assert row.truncation_minutes < max(10.0, 0.05 * row.down_minutes)
        if number != 1:  # there are three ways to the clusters, so that only three failures at once cost anything
            assert row.down_minutes == pytest.approx(down, rel=0.02)
        assert row.failover_minutes >= failover * (1 - 1e-9)
        assert row.failover_minutes <= failover * 1.1 + 1e-9, "what one failure out of another adds is small"
        assert row.total_minutes == pytest.approx(row.down_minutes + row.failover_minutes + row.restart_minutes)
        assert row.availability == pytest.approx(1 - row.total_minutes / MINUTES)


def test_a_standby_helps_and_costs_only_the_failover() -> None:
    inventory = rated(small_inventory(), site=(87_600.0, 48.0))
    erp, web = plan_availability(breaker_of(small_plan(inventory)))
    # East fails once in ten years for two days: web waits 4.8 hours a year, erp half an hour each time.
    assert web.down_minutes == pytest.approx(48 * 60 / 10, rel=1e-2)
    assert erp.failover_minutes == pytest.approx(30 / 10, rel=1e-2)
    assert erp.down_minutes < 1
    assert web.worst_element.startswith("site:east")


def test_nodes_cost_a_restart_for_what_ran_on_them() -> None:
    erp, _ = plan_availability(breaker_of(small_plan(rated(small_inventory(), node=(8_752.0, 8.0)))))
    # Each node fails once a year; an instance is on one of the two, so it restarts once a year, in five minutes.
    assert erp.restart_minutes == pytest.approx(5.0)


def test_without_rates_nothing_is_said() -> None:
    assert plan_availability(breaker_of(small_plan(small_inventory()))) == ()
