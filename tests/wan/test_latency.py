from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from fleet.inventory.tables.policy import Policy
from fleet.wan.latency import RTT_CONSTANT_MS, RTT_MS_PER_KM, distance_km, estimate_rtt_ms
from tests.builders import a_site

FIT = Path(__file__).resolve().parents[2] / "benchmarks" / "latency_fit.py"


def test_distance_is_the_great_circle() -> None:
    # One degree of the equator on a sphere of the mean earth radius, 6371.009 km.
    a, b = a_site("a", latitude=0, longitude=0), a_site("b", latitude=0, longitude=1)
    assert distance_km(a, b) == pytest.approx(6371.009 * 3.141592653589793 / 180)
    assert distance_km(a, a) == 0


def test_distance_is_unknown_without_coordinates() -> None:
    assert distance_km(a_site("a", latitude=0, longitude=0), a_site("b")) is None


def test_estimate_is_constant_plus_slope() -> None:
    assert estimate_rtt_ms(1000, Policy()) == pytest.approx(RTT_CONSTANT_MS + 1000 * RTT_MS_PER_KM)
    assert estimate_rtt_ms(None, Policy()) == RTT_CONSTANT_MS


def test_policy_replaces_the_calibration_even_by_zero() -> None:
    assert estimate_rtt_ms(100, Policy(rtt_constant_ms=0, rtt_ms_per_km=0.02)) == pytest.approx(2)
    assert estimate_rtt_ms(100, Policy(rtt_constant_ms=1, rtt_ms_per_km=0)) == 1


def test_slope_is_slower_than_light_in_fiber() -> None:
    # Light in fiber covers 200 km per ms, so a round trip takes at least 0.01 ms per km.
    assert RTT_MS_PER_KM > 0.01


def test_constants_are_those_of_the_fit() -> None:
    script = runpy.run_path(str(FIT))
    path = script["latency_file"]()
    if not path.is_file():
        pytest.skip(f"no measurements at {path}; set FLEET_BENCH")
    result = script["fit"](path)
    assert len(result.km) == 237
    assert result.constant_ms == pytest.approx(RTT_CONSTANT_MS, abs=0.005)
    assert result.slope_ms_per_km == pytest.approx(RTT_MS_PER_KM, abs=5e-6)
