"""The standby reserve, bandwidth and recovery points by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fleet.inventory.tables.growth import GrowthPoint
from fleet.plan.protection import recovery_point_minutes, standby_reserve, stream_mbps
from fleet.wan.replication import Mechanism
from tests.builders import a_protected_workload, a_site, an_inventory

INTERVAL = Mechanism("replica-15min", 15.0, None, 30.0)
SYNCHRONOUS = Mechanism("sync", 0.0, 5.0, 5.0)

#: Demands with compute 1, 2, 4, 8, 16 in fault domains 0, 0, 1, 1, 0; the last one has no standby.
COMPUTE = np.array([1.0, 2.0, 4.0, 8.0, 16.0]).reshape(5, 1, 1)
DOMAIN = np.array([0, 0, 1, 1, 0])
STANDBY = np.array([0, 1, 0, 0, -1])


def test_shared_reserve_is_the_largest_fault_domain() -> None:
    assert standby_reserve(COMPUTE, STANDBY, DOMAIN, 3, shared=True).ravel().tolist() == [12.0, 2.0, 0.0]


def test_dedicated_reserve_is_the_sum() -> None:
    assert standby_reserve(COMPUTE, STANDBY, DOMAIN, 3, shared=False).ravel().tolist() == [13.0, 2.0, 0.0]


def test_each_resource_and_period_has_its_own_largest_domain() -> None:
    compute = np.array([[[5.0, 1.0], [1.0, 1.0]], [[3.0, 4.0], [2.0, 0.0]]])
    reserve = standby_reserve(compute, np.array([0, 0]), np.array([0, 1]), 1, shared=True)
    assert reserve[0].tolist() == [[5.0, 4.0], [2.0, 1.0]]


@pytest.mark.parametrize("shared", [True, False])
def test_nothing_protected_keeps_nothing_free(shared: bool) -> None:
    assert not standby_reserve(COMPUTE, np.full(5, -1), DOMAIN, 2, shared).any()


def test_stream_follows_growth_and_starts_with_its_demand() -> None:
    inventory = an_inventory(
        [a_site("s")],
        [a_protected_workload("till", "s", rpo_minutes=30.0, change_gb_per_day=1080.0, from_month=6, growth="up")],
        growth=[GrowthPoint(profile="up", month=0, factor=1.0), GrowthPoint(profile="up", month=12, factor=2.0)],
        horizon_months=18,
        peak_factor=1.0,
        compression=1.0,
        protocol_overhead=1.0,
    )
    # 11.25 GB in each interval of 15 minutes make 100 Mbit/s.
    (demand,) = inventory.demands
    assert stream_mbps(inventory, demand, INTERVAL).tolist() == pytest.approx([0.0, 100.0 * (1 + 11 / 12), 200.0])
    assert recovery_point_minutes(inventory, demand, INTERVAL) == pytest.approx(30.0)


def test_recovery_point_of_a_tight_objective_is_the_objective() -> None:
    inventory = an_inventory([a_site("s")], [a_protected_workload("till", "s", rpo_minutes=20.0)])
    (demand,) = inventory.demands
    assert recovery_point_minutes(inventory, demand, INTERVAL) == pytest.approx(20.0)


def test_synchronous_copies_lose_nothing() -> None:
    inventory = an_inventory([a_site("s")], [a_protected_workload("till", "s", protection="sync", rpo_minutes=0.0)])
    (demand,) = inventory.demands
    assert recovery_point_minutes(inventory, demand, SYNCHRONOUS) == 0.0
    assert stream_mbps(inventory, demand, SYNCHRONOUS).tolist() == pytest.approx([8000 * 10 * 3 * 1.1 / 86400])


def test_unchanging_data_needs_no_bandwidth() -> None:
    inventory = an_inventory([a_site("s")], [a_protected_workload("till", "s", change_gb_per_day=0.0)])
    (demand,) = inventory.demands
    assert stream_mbps(inventory, demand, INTERVAL).tolist() == [0.0]
    assert recovery_point_minutes(inventory, demand, INTERVAL) == 15.0
