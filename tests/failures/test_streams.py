"""Copies after failures: which cut streams are told, what promise they break, and what another path changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleet.failures.sweep import breaker_of, lose, normal_of, sweep_single
from fleet.inventory.inventory import DemandKey, Inventory
from fleet.inventory.tables.prices import FailureRate
from fleet.plan.assemble import assemble
from fleet.plan.decisions import decisions_of
from fleet.plan.plan import Finding, Plan
from fleet.plan.states import simulate
from tests.builders import a_link
from tests.failures.small_plans import BY_HAND, LINKS, small_inventory, small_plan

ERP = "erp at store"
CUT = "erp at store: its copies from east-c1 to west-c1 stop, no other path carries them"
SYNC = {"protection": "sync", "rpo_minutes": 0.0}


def told(plan: Plan) -> list[Finding]:
    return [found for found in plan.document.findings if found.rule == "DR-012"]


def broken(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {row.element: row.broken_promises for row in sweep_single(plan) if row.broken_promises}


def rated(inventory: Inventory, **hours: float) -> Inventory:
    rates = (FailureRate(element=name, mtbf_hours=9000.0, mttr_hours=value) for name, value in hours.items())
    return replace(inventory, failure_rates=tuple(rates))


def across(**tables: Any) -> Plan:
    """Both workloads protected, each hub standing by for the other."""
    web = {"protection": "async", "rpo_minutes": 60.0, "change_gb_per_day": 1.0}
    inventory = small_inventory(web=web, **tables)
    decisions = decisions_of(small_plan(inventory).document, inventory)
    keys = DemandKey("erp", "store"), DemandKey("web", "store")
    here, there = (dict(zip(keys, names, strict=True)) for names in (("east-c1", "west-c1"), ("west-c1", "east-c1")))
    return assemble(inventory, replace(decisions, primary=here, standby=there), BY_HAND)


def test_the_only_link_is_named_and_breaks_the_promise() -> None:
    plan = small_plan(small_inventory())
    assert list(broken(plan)) == ["link:east-west"]
    row = lose(plan, "link:east-west")
    # Copies every 5 minutes, shipped in 5; the rule pack takes 240 minutes until the line is back.
    assert row.rpo_minutes == pytest.approx(250)
    assert (row.rto_minutes, row.down, row.restored, row.lost) == (None, (), (), ())
    grows = "its recovery point grows until the repair, to 250 minutes: over rpo_minutes 15"
    assert row.broken_promises == (f"{CUT}; {grows}",)
    (found,) = told(plan)
    assert (found.severity, found.subject, found.actual, found.limit) == ("warning", "link:east-west", 1.0, 0.0)
    assert "east → west (erp at store)" in found.message
    assert found.remedy.startswith("add a second path between east and west; or choose standbys")


@pytest.mark.parametrize(
    ("hours", "minutes"), [({"link": 2.0}, 130.0), ({"link": 2.0, "east-west": 8.0}, 490.0), ({"site": 1.0}, 250.0)]
)
def test_the_time_to_repair_is_the_planners_where_he_states_one(hours: dict[str, float], minutes: float) -> None:
    plan = small_plan(rated(small_inventory(), **hours))
    assert lose(plan, "link:east-west").rpo_minutes == pytest.approx(minutes)


def test_a_loose_objective_is_told_how_long_it_holds() -> None:
    plan = small_plan(small_inventory({"rpo_minutes": 1440.0}))
    (text,) = lose(plan, "link:east-west").broken_promises
    assert text.endswith("a longer repair passes rpo_minutes 1440")


@pytest.mark.parametrize("links", [(*LINKS, a_link("east", "west", link="second", rtt_ms=90.0)), LINKS])
def test_the_loss_of_the_standby_is_no_cut(links: tuple[Any, ...]) -> None:
    """There is nothing left to copy to: that is what the standby itself is there for."""
    plan = small_plan(small_inventory(links=links))
    for element in ("site:west", "cluster:west-c1", "site:store"):
        assert lose(plan, element).broken_promises == ()


def test_another_path_at_any_distance_carries_interval_copies() -> None:
    plan = small_plan(small_inventory(links=(*LINKS, a_link("east", "west", link="second", rtt_ms=90.0))))
    assert told(plan) == []
    assert broken(plan) == {}


@pytest.mark.parametrize(("rtt_ms", "is_cut"), [(5.0, False), (5.01, True)])
def test_synchronous_copies_need_their_round_trip_on_the_way_round(rtt_ms: float, is_cut: bool) -> None:
    links = (a_link("east", "west", rtt_ms=4.5), *LINKS[1:], a_link("east", "west", link="second", rtt_ms=rtt_ms))
    plan = small_plan(small_inventory(SYNC, links=links))
    assert plan.errors == ()
    assert list(broken(plan)) == (["link:east-west"] if is_cut else [])
    assert len(told(plan)) == is_cut
    if is_cut:
        (found,) = told(plan)
        assert (found.actual, found.limit, found.unit) == (pytest.approx(5.01), 5.0, "ms")
        assert "the way round is up to 5.01 ms, over 5 ms" in found.message
        assert "a second path, of 5 ms at most, between east and west" in found.remedy
        assert lose(plan, "link:east-west").rpo_minutes == pytest.approx(240)
    # Whatever it is worth, it is sent: the way round must have room for it.
    normal = normal_of(plan)
    context = normal.context
    outcome = simulate(normal, next(state for state in normal.failures if state.id == "link:east-west"))
    second = outcome.link_loads(normal)[context.link_index["second"], 0, 0]
    assert second == pytest.approx(float(context.stream[0, 0]))


def test_a_way_round_without_room_for_the_copies_is_over_its_limit() -> None:
    links = (*LINKS, a_link("east", "west", link="thin", rtt_ms=9.0, bandwidth_mbps=1.0))
    plan = small_plan(small_inventory(links=links))
    assert {found.rule for found in plan.errors} == {"NET-003"}
    assert told(plan) == []
    row = lose(plan, "link:east-west")
    assert row.overloaded
    assert row.broken_promises == row.overloaded


def test_a_site_or_a_carrier_between_them_is_named() -> None:
    sites = {"hub": {"transit": True, "latitude": 40.8, "longitude": -76.5}, "net": {"kind": "network"}}
    for middle in sites:
        lines = (a_link("east", middle), a_link(middle, "west"), *LINKS[1:])
        plan = small_plan(small_inventory(links=lines, sites={middle: sites[middle]}))
        element = f"{'network' if middle == 'net' else 'site'}:{middle}"
        assert set(broken(plan)) == {element, f"link:east-{middle}", f"link:{middle}-west"}
        assert {found.subject for found in told(plan)} == set(broken(plan))
        assert plan.errors == ()


def test_sites_that_hang_on_one_carrier_make_one_finding() -> None:
    """Each hub's own link stops the copies that come to it; what runs there moves away."""
    lines = tuple(a_link(site, "net") for site in ("east", "west", "store"))
    plan = across(links=lines, sites={"net": {"kind": "network"}})
    assert set(broken(plan)) == {"link:east-net", "link:west-net"}
    (found,) = told(plan)
    assert found.subject == "links to net"
    assert found.message.startswith("(east-net, west-net) are the only links of 2 sites, single points of failure for")
    # The users are cut off with the carrier, and with their own link: named already.
    named = {entry.subject for entry in plan.document.findings if entry.rule == "DR-007"}
    assert named == {"network:net", "link:store-net"}


def test_who_moves_to_the_standby_copies_nothing_back() -> None:
    """The users reach the east over the link to the west only: without it they are restored, and nothing is copied."""
    links = (a_link("east", "west"), a_link("store", "west"))
    inventory = small_inventory(links=links, sites={"west": {"transit": True}})
    plan = small_plan(inventory)
    row = lose(plan, "link:east-west")
    assert (row.restored, row.rto_minutes, row.rpo_minutes) == ((ERP,), 30, pytest.approx(250))
    (text,) = row.broken_promises
    assert text.startswith("erp at store: its copies back from west-c1 to east-c1 stop, no other path carries them")
    assert [(found.severity, found.subject) for found in told(plan)] == [("warning", "link:east-west")]


def test_who_is_cut_off_is_told_by_another_rule() -> None:
    """The carrier takes the users and the copies: nobody writes, and only the hard rule asks for a path of copies."""
    lines = tuple(a_link(site, "net") for site in ("east", "west", "store"))
    for policy, expected in (("warning", set()), ("hard", {"network:net"})):
        plan = small_plan(small_inventory(links=lines, sites={"net": {"kind": "network"}}, stream_cut=policy))
        assert lose(plan, "network:net").broken_promises == ()
        assert {found.subject for found in told(plan) if found.subject.startswith("network")} == expected


def test_hard_cuts_are_errors() -> None:
    plan = small_plan(small_inventory(stream_cut="hard"))
    (found,) = plan.errors
    assert (found.rule, found.subject, found.remedy) == (
        "DR-012",
        "link:east-west",
        "add a second path between east and west",
    )


def duct(*links: str) -> tuple[Any, ...]:
    every = (*LINKS, a_link("east", "west", link="second"))
    return tuple(row.model_copy(update={"shared_risk": ("duct",)}) if row.link in links else row for row in every)


def test_a_duct_that_takes_both_paths_is_a_warning_or_a_limit() -> None:
    links = duct("east-west", "second")
    soft = small_plan(small_inventory(links=links))
    assert told(soft) == []
    (found,) = (entry for entry in soft.document.findings if entry.rule == "DR-008")
    assert "copies of 1 protected demands stop: erp at store" in found.message
    assert list(broken(soft)) == ["shared_risk:duct"]
    known = small_plan(small_inventory(links=links, shared_risk="hard"))
    assert [(entry.rule, entry.severity, entry.subject) for entry in told(known)] == [
        ("DR-012", "warning", "shared_risk:duct")
    ]
    assert not [entry for entry in known.document.findings if entry.rule == "DR-008"]
    both = small_plan(small_inventory(links=links, shared_risk="hard", stream_cut="hard"))
    assert [entry.rule for entry in both.errors] == ["DR-012"]


def test_a_duct_that_cuts_users_off_is_a_warning_or_a_limit() -> None:
    links = duct("store-east", "store-west")
    soft, hard = (small_plan(small_inventory(links=links, shared_risk=value)) for value in ("warning", "hard"))
    assert [entry.subject for entry in soft.document.findings if entry.rule == "DR-008"] == ["shared_risk:duct"]
    assert soft.errors == ()
    assert lose(soft, "shared_risk:duct").broken_promises == ()
    assert [(entry.rule, entry.subject) for entry in hard.errors] == [("NET-004", "shared_risk:duct")]
    assert lose(hard, "shared_risk:duct").lost == (ERP,)


def test_two_failures_that_stop_copies_are_told_too() -> None:
    plan = small_plan(small_inventory(links=duct()))
    row = lose(plan, "link:east-west + link:second")
    assert row.broken_promises[0].startswith(CUT)
    assert breaker_of(plan).lose([]).outcome is None


def test_copies_of_several_pairs_are_told_by_pair() -> None:
    (found,) = told(across())
    assert found.actual == 2.0
    assert "east → west (erp at store), west → east (web at store)" in found.message
    assert found.remedy.startswith("add a second path between east and west;")
