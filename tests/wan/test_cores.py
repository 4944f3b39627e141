"""Carrier clouds that no site is a member of: cores between others, and clouds at the end of a link."""

from __future__ import annotations

import pytest

from fleet.inventory.inventory import Inventory
from fleet.wan.graph import build_wan
from fleet.wan.routing import Router
from solvers import SolveConfig, solve
from tests.builders import a_link, a_protected_workload, a_site, an_inventory


def across_a_core(*extra: tuple[str, str]) -> Inventory:
    """Two hubs on two clouds, which a third one joins."""
    sites = [
        a_site("a", can_host=True, latitude=40.0, longitude=-100.0),
        a_site("b", can_host=True, latitude=41.0, longitude=-100.0),
        *(a_site(name, kind="network") for name in "mnx"),
    ]
    ends = [("a", "m"), ("b", "n"), ("m", "x"), ("x", "n"), *extra]
    return an_inventory(sites, [a_protected_workload("w", "a")], [a_link(*pair, rtt_ms=2.0) for pair in ends])


def test_a_core_without_members_joins_two_clouds() -> None:
    router = Router(build_wan(across_a_core()))
    route = router.route("a", "b")
    assert route is not None
    assert [hop.link for hop in route.hops] == ["a-m", "m-x", "x-n", "b-n"]
    assert route.rtt_ms == pytest.approx(8.0 + 0.01728 * 111.2, abs=0.01)


@pytest.mark.parametrize("extra", [(), (("m", "n"),)])
def test_fleets_across_a_core_are_planned(extra: tuple[tuple[str, str], ...]) -> None:
    result = solve(across_a_core(*extra), config=SolveConfig(time_limit_s=30.0))
    assert result.status == "optimal"
    assert result.require_plan().errors == ()
