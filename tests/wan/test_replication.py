from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import FleetError, RulePackError
from fleet.inventory.inventory import Demand
from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.prices import Price
from fleet.rulepack import load_rulepack
from fleet.wan.replication import (
    Mechanism,
    achieved_rpo_minutes,
    choose_mechanism,
    mechanisms,
    peak_delta_gb,
    required_mbps,
)
from tests.builders import a_protected_workload

PACK = load_rulepack("azure-local")
#: What is written is what is shipped, at an even rate.
FLAT = Policy(peak_factor=1, compression=1, protocol_overhead=1)
QUARTER = Mechanism("quarter", 15, None, 30)
SYNC = Mechanism("sync", 0, 5, 5)


def chosen(prices: tuple[Price, ...] = (), **columns: Any) -> Mechanism | str:
    row = a_protected_workload("erp", "store", **columns)
    return choose_mechanism(Demand("erp", "store", row), Policy(), PACK, prices)


def name(choice: Mechanism | str) -> str:
    assert isinstance(choice, Mechanism), choice
    return choice.name


def test_pack_has_the_platform_mechanisms() -> None:
    found = {mechanism.interval_minutes: mechanism for mechanism in mechanisms(PACK)}
    assert list(found) == [0, 0.5, 5, 15]
    assert found[0].is_synchronous
    assert found[0].max_rtt_ms is not None
    assert all(found[interval].max_rtt_ms is None for interval in (0.5, 5, 15))


@pytest.mark.parametrize(
    ("rpo", "mechanism"), [(0.6, "cloud-30s"), (5.0, "cloud-30s"), (5.1, "cloud-5min"), (60.0, "cloud-5min")]
)
def test_recovery_in_the_cloud_takes_the_largest_interval_below_the_objective(rpo: float, mechanism: str) -> None:
    choice = chosen(recovery="cloud", rpo_minutes=rpo)
    assert isinstance(choice, Mechanism)
    assert (choice.name, choice.is_cloud, choice.is_automatic, choice.rto_minutes) == (mechanism, True, False, 60.0)
    assert choice.phases is not None
    assert not any(found.is_cloud for found in (chosen(rpo_minutes=rpo), chosen(rpo_minutes=0)) if found != choice)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"rpo_minutes": 0.5},
            "no auto mechanism into the cloud keeps erp at store at rpo_minutes 0.5: the nearest, cloud-30s",
        ),
        ({"rto_minutes": 59.0}, "no auto mechanism into the cloud recovers erp at store within rto_minutes 59"),
        (
            {"protection": "sync"},
            "rule pack 'azure-local' has no synchronous mechanism into the cloud for erp at store",
        ),
    ],
)
def test_what_the_cloud_cannot_do_is_named(columns: dict[str, Any], message: str) -> None:
    choice = chosen(recovery="cloud", **columns)
    assert isinstance(choice, str)
    assert choice.startswith(message)


def test_hundred_megabits_carry_1080_gigabytes_a_day() -> None:
    # 100 Mbit/s = 12.5 MB/s = 1,080 GB/day; with a synchronous mechanism and with an interval of half the RPO alike.
    assert required_mbps(1080, None, SYNC, FLAT) == pytest.approx(100)
    assert required_mbps(1080, 30, QUARTER, FLAT) == pytest.approx(100)


def test_the_time_left_decides_the_bandwidth() -> None:
    # 15 minutes of 1,080 GB/day are 11.25 GB = 90,000 Mbit. Left: 15 of 60 minutes (next copy due), 5 of 20 minutes.
    assert peak_delta_gb(1080, 15, FLAT) == pytest.approx(11.25)
    assert required_mbps(1080, 60, QUARTER, FLAT) == pytest.approx(90_000 / (60 * 15))
    assert required_mbps(1080, 20, QUARTER, FLAT) == pytest.approx(90_000 / (60 * 5))


def test_policy_factors() -> None:
    policy = Policy(peak_factor=3, compression=0.6, protocol_overhead=1.1)
    assert required_mbps(1080, 30, QUARTER, policy) == pytest.approx(100 * 3 * 0.6 * 1.1)
    assert required_mbps(1080, 30, SYNC, policy) == pytest.approx(100 * 3 * 1.1), "synchronous writes: no compression"


@pytest.mark.parametrize("rpo", [20, 30, 60, 240])
def test_required_bandwidth_achieves_the_objective(rpo: float) -> None:
    granted = required_mbps(500, rpo, QUARTER, Policy())
    assert achieved_rpo_minutes(500, granted, QUARTER, Policy()) == pytest.approx(min(rpo, 30))


def test_achieved_recovery_point() -> None:
    # 90,000 Mbit over 300 Mbit/s are 5 minutes.
    assert achieved_rpo_minutes(1080, 300, QUARTER, FLAT) == pytest.approx(20)
    assert achieved_rpo_minutes(0, 0, QUARTER, FLAT) == 15
    assert achieved_rpo_minutes(1, 0, QUARTER, FLAT) == float("inf")
    assert achieved_rpo_minutes(1080, 0, SYNC, FLAT) == 0


@pytest.mark.parametrize("rpo", [None, 10, 15])
def test_interval_must_be_below_the_objective(rpo: float | None) -> None:
    with pytest.raises(FleetError, match="quarter copies every 15 minutes and cannot keep rpo_minutes"):
        required_mbps(1, rpo, QUARTER, FLAT)


@pytest.mark.parametrize(
    ("rpo", "interval"), [(0, 0), (0.5, 0), (0.6, 0.5), (5, 0.5), (5.1, 5), (15, 5), (15.1, 15), (60, 15)]
)
def test_auto_takes_the_largest_interval_below_the_objective(rpo: float, interval: float) -> None:
    choice = chosen(rpo_minutes=rpo, prices=(Price(item="application_sync_per_stream_month", price=50),))
    assert isinstance(choice, Mechanism)
    assert choice.interval_minutes == interval


def test_auto_takes_the_cheapest_of_the_price_book() -> None:
    dear_replica = (
        Price(item="replica_per_stream_month", price=30),
        Price(item="application_sync_per_stream_month", price=20),
    )
    assert name(chosen(dear_replica, rpo_minutes=60)) == "application-sync"
    assert name(chosen(dear_replica, rpo_minutes=60, protection="async")) == "replica-15min"


def test_protection_limits_the_kind() -> None:
    assert name(chosen(protection="sync", rpo_minutes=60)) == "application-sync"
    assert name(chosen(protection="sync", rpo_minutes=None)) == "application-sync"


def test_recovery_time_may_ask_for_more() -> None:
    assert name(chosen(rpo_minutes=60, rto_minutes=10)) == "application-sync"
    assert name(chosen(rpo_minutes=60, rto_minutes=30)) == "replica-15min", "limits are inclusive"


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (
            {"protection": "async", "rpo_minutes": 0.5},
            (
                "no async mechanism keeps erp at store at rpo_minutes 0.5: the nearest, replica-30s, copies every 0.5 "
                "minutes and needs rpo_minutes above that; protection auto may choose a synchronous one"
            ),
        ),
        (
            {"protection": "async", "rto_minutes": 5},
            "no async mechanism recovers erp at store within rto_minutes 5: the nearest, replica-30s, takes 30 minutes",
        ),
        ({"rto_minutes": 1}, "the nearest, application-sync, takes 5 minutes"),
        ({"rpo_minutes": None}, "asks for protection without rpo_minutes"),
        ({"protection": "none"}, "erp at store asks for no protection"),
    ],
)
def test_reason_names_limit_and_nearest(columns: dict[str, Any], reason: str) -> None:
    choice = chosen(**columns)
    assert isinstance(choice, str)
    assert reason in choice


def test_a_window_leaves_less_time_to_ship() -> None:
    # A day's 1,080 GB in a night of 8 hours instead of 24: three times the bandwidth; the loss is a day and the night.
    nightly = Mechanism("nightly", 1440, None, 60, window_minutes=480)
    assert nightly.shipping_minutes == 480
    assert required_mbps(1080, 2880, Mechanism("daily", 1440, None, 60), FLAT) == pytest.approx(100)
    granted = required_mbps(1080, 2880, nightly, FLAT)
    assert granted == pytest.approx(300)
    assert achieved_rpo_minutes(1080, granted, nightly, FLAT) == pytest.approx(1440 + 480)
    assert required_mbps(1080, 1440 + 240, nightly, FLAT) == pytest.approx(600), "the recovery point may ask for more"


def test_a_rule_pack_may_state_nightly_windows(tmp_path: Path) -> None:
    table = files("fleet.rulepack").joinpath("packs/azure-local.toml").read_text(encoding="utf-8")
    start, end = table.index("[mechanisms]"), table.index("[replication.parallel_transfers]")
    nightly = (
        "[mechanisms.value.nightly]\ninterval_minutes = 1440\nwindow_minutes = 480\nrto_minutes = 120\n"
        'failover = "operator"\nfee_item = "replica_per_stream_month"\n'
    )
    header = (
        '[pack]\nname = "night"\ndate = 2026-01-01\nstatement = "With a nightly copy."\nextends = "azure-local"\n\n'
    )
    path = tmp_path / "night.toml"
    path.write_text(header + table[start:end] + nightly, encoding="utf-8")
    found = {mechanism.name: mechanism for mechanism in mechanisms(load_rulepack(str(path)))}
    assert (found["nightly"].window_minutes, found["nightly"].phases) == (480, None)
    row = a_protected_workload("archive", "store", rpo_minutes=2880.0, rto_minutes=240.0)
    choice = choose_mechanism(Demand("archive", "store", row), Policy(), load_rulepack(str(path)), ())
    assert name(choice) == "nightly"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('target = "cloud"\nnote = "at once"\n', "copies to the cloud are made at intervals"),
        ("window_minutes = 2000\n", "window_minutes 2000 must be above 0 and at most interval_minutes"),
        ("detection_minutes = 5\n", "states 1 of the phases"),
        ('target = "somewhere"\n', "got 'somewhere', expected one of cluster, cloud"),
        (
            "detection_minutes = 1\ndecision_minutes = 1\nrestart_minutes = 1\napplication_minutes = 1\n",
            "its phases add up to 4, its rto_minutes is 120",
        ),
    ],
)
def test_contradictions_of_a_mechanism_are_named(tmp_path: Path, line: str, message: str) -> None:
    text = (
        '[pack]\nname = "night"\ndate = 2026-01-01\nstatement = "One."\nextends = "azure-local"\n\n'
        '[mechanisms]\nunit = ""\nsource = "test"\ndate = 2026-01-01\nstatement = "One mechanism."\n'
        '[mechanisms.value.nightly]\ninterval_minutes = 1440\nrto_minutes = 120\nfailover = "operator"\n'
        f'fee_item = "replica_per_stream_month"\n{line}'
    )
    text = text.replace("= 1440", "= 0") if "at once" in line else text
    path = tmp_path / "night.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RulePackError, match=re.escape(message)):
        load_rulepack(str(path))
