"""DR-008: what a plan promises beyond the failures that it is designed for."""

from __future__ import annotations

from dataclasses import replace

from fleet.failures.sweep import lose
from fleet.plan.assemble import assemble
from fleet.plan.decisions import decisions_of
from fleet.plan.plan import Finding, Plan
from tests.builders import a_link
from tests.failures.small_plans import BY_HAND, LINKS, TIERS, small_inventory, small_plan


def surprises(plan: Plan) -> list[Finding]:
    return [entry for entry in plan.document.findings if entry.rule == "DR-008"]


def test_a_sound_plan_has_no_surprises() -> None:
    assert not surprises(small_plan(small_inventory()))


def test_one_node_less_that_cannot_run_everything_is_a_warning() -> None:
    # Two nodes without a reserve offer 2 × 490 GiB or so; one of them cannot run 616 GiB.
    (found,) = surprises(small_plan(small_inventory(web={"memory_gb": 600.0}, reserve_nodes=0)))
    assert (found.severity, found.subject) == ("warning", "east-c1")
    assert "cluster east-c1 memory_gb: 616.00 of" in found.message


def test_nobody_asks_for_node_tolerance_and_nothing_is_said() -> None:
    inventory = small_inventory(
        web={"memory_gb": 600.0, "fault_tolerance": 0}, erp={"fault_tolerance": 0}, reserve_nodes=0
    )
    assert not surprises(small_plan(inventory))


def test_links_of_one_duct_that_cut_off_protected_demands_are_named() -> None:
    links = (LINKS[0], *(a_link("store", hub, shared_risk="duct") for hub in ("east", "west")))
    (found,) = surprises(small_plan(small_inventory(links=links)))
    assert found.subject == "shared_risk:duct"
    assert "1 protected demands are cut off: erp at store" in found.message
    assert "(store-east, store-west)" in found.message


def test_links_of_one_duct_that_overload_the_rest_are_named() -> None:
    # Without both ducts the store has a third way of 60 Mbit/s, 48 of them usable, for 50 + 20 Mbit/s.
    links = (
        LINKS[0],
        *(a_link("store", hub, shared_risk="duct") for hub in ("east", "west")),
        a_link("store", "west", link="radio", bandwidth_mbps=60, rtt_ms=12),
    )
    inventory = small_inventory(links=links, erp={"max_rtt_ms": 30.0})
    messages = [found.message for found in surprises(small_plan(inventory))]
    assert any("link radio: 70.00 of 48.00 in period 0" in text for text in messages)


def test_one_zone_less_that_cannot_run_everything_is_a_warning() -> None:
    # A rack-aware pair is planned for one node's load; 616 GiB are more than the node of the other zone has.
    asking = {"zone_tolerance": 1, "fault_tolerance": 0}
    inventory = small_inventory(
        erp=asking, web={**asking, "memory_gb": 600.0}, sites={hub: {"zones": 2} for hub in ("east", "west")}
    )
    decisions = decisions_of(small_plan(inventory).document, inventory)
    layout = dict.fromkeys(TIERS, "rack-aware-two-way-mirror")
    clusters = tuple(replace(cluster, layouts=(layout,)) for cluster in decisions.clusters)
    plan = assemble(inventory, replace(decisions, clusters=clusters), BY_HAND)
    (found,) = surprises(plan)
    assert (found.severity, found.subject) == ("warning", "east-c1")
    assert "survives the loss of a zone, yet the rest cannot run all of it" in found.message
    assert "cluster east-c1 memory_gb: 616.00 of" in found.message
    (broken,) = (text for text in lose(plan, "zone:east/1").broken_promises if "memory_gb" in text)
    assert broken in found.message
    assert "ASG-007" not in {entry.rule for entry in plan.errors}
