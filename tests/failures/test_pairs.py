"""Two failures at once: the same rules, more damage."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest

from fleet.failures.elements import elements
from fleet.failures.pairs import PairTally
from fleet.failures.sweep import breaker_of, failure_row, lose, normal_of, pairs, sweep_pairs
from tests.builders import a_link
from tests.failures.small_plans import LINKS, small_inventory, small_plan

ERP, WEB = "erp at store", "web at store"


def test_every_pair_is_swept_once_and_identical_elements_pair_up() -> None:
    plan = small_plan(small_inventory())
    found = elements(normal_of(plan))
    expected = [f"{a.id} + {b.id}" for a, b in combinations_with_replacement(found, 2) if a is not b or a.count > 1]
    rows = list(sweep_pairs(plan))
    assert [row.element for row in rows] == expected
    assert {row.kind for row in rows} == {"several"}


def test_losing_both_clusters_loses_what_is_protected() -> None:
    row = lose(small_plan(small_inventory()), "cluster:east-c1 + site:west")
    assert (row.lost, row.down, row.restored) == ((ERP,), (WEB,), ())
    assert row.broken_promises == (f"{ERP} is protected and not restored",)


def test_several_ids_and_one_text_mean_the_same() -> None:
    plan = small_plan(small_inventory())
    assert lose(plan, ["cluster:east-c1", "site:west"]) == lose(plan, "cluster:east-c1 + site:west")


def test_a_demand_that_one_of_two_links_cuts_off_stays_a_single_point() -> None:
    plan = small_plan(small_inventory(links=LINKS[:2]))
    row = lose(plan, "link:east-west + link:store-east")
    assert (row.down, row.lost) == ((ERP, WEB), ())
    assert not row.broken_promises


def test_two_links_that_cut_off_a_demand_only_together_lose_it() -> None:
    row = lose(small_plan(small_inventory()), "link:store-east + link:store-west")
    assert (row.lost, row.down) == ((ERP,), (WEB,))


def test_two_nodes_of_a_pair_are_the_cluster() -> None:
    row = lose(small_plan(small_inventory()), "node:east-c1 + node:east-c1")
    assert (row.count, row.restored, row.down) == (1, (ERP,), (WEB,))


def test_three_nodes_with_a_witness_survive_one_not_two() -> None:
    plan = small_plan(small_inventory(), nodes=(3,))
    assert not lose(plan, "node:east-c1").down
    assert lose(plan, "node:east-c1 + node:east-c1").down == (WEB,)
    assert lose(plan, "drive:east-c1 + drive:east-c1").down == ()


def test_a_failover_into_a_cluster_that_lost_a_node_counts_against_what_is_left() -> None:
    # West keeps one of two nodes: about 124 vCPU at full use; erp brings 4 · 33 = 132.
    plan = small_plan(small_inventory(erp={"count": 33, "memory_gb": 1.0, "traffic_mbps": 1.0}))
    alone, both = lose(plan, "cluster:east-c1"), lose(plan, "cluster:east-c1 + node:west-c1")
    assert [text.split(":")[0] for text in both.overloaded] == ["cluster west-c1 vcpu"]
    assert float(both.overloaded[0].split(" of ")[1].split()[0]) >= float(
        alone.overloaded[0].split(" of ")[1].split()[0]
    ), "one node at full use offers more than two with one kept free and a limit on use"


@pytest.mark.parametrize("zone", ["zone:east/1", "rack:east/2"])
def test_losing_a_zone_loses_its_nodes(zone: str) -> None:
    inventory = small_inventory(sites={"east": {"can_host": True, "zones": 2}})
    row = lose(small_plan(inventory), zone)
    assert (row.kind, row.down, row.restored) == ("zone", (), ())
    assert row.rto_minutes == 5
    uneven = lose(small_plan(inventory, nodes=(3,)), "zone:east/1")
    assert uneven.restored == (ERP,), "two of three nodes stand in the first zone"


def test_a_zone_that_takes_down_what_asks_to_survive_it_breaks_a_promise() -> None:
    # Two of three nodes stand in the first zone: erp moves, web stays down, and both asked to stay where they are.
    asking = {"zone_tolerance": 1, "fault_tolerance": 1}
    for erp, web, broken in (({}, {}, []), (asking, {}, [ERP]), (asking, asking, [ERP, "web at store"])):
        plan = small_plan(small_inventory(erp, web, sites={"east": {"zones": 2}}), nodes=(3,))
        row = lose(plan, "zone:east/1")
        assert list(row.broken_promises) == [
            f"{name} asks for zone_tolerance 1 and stops when one zone is lost" for name in broken
        ]
        assert not lose(plan, "zone:east/2").broken_promises, "one of three nodes is a loss like any other"
        assert not lose(plan, "zone:east/1 + link:store-west").broken_promises, "a plan promises single failures"
        assert ("ASG-007" in {found.rule for found in plan.errors}) == bool(broken), "the audit says so beforehand"


def test_the_tally_counts_by_kind_and_keeps_the_worst() -> None:
    breaker = breaker_of(small_plan(small_inventory()))
    tally = PairTally()
    for first, second in pairs(breaker.elements):
        tally.add(first, second, failure_row(breaker, breaker.lose([first, second])))
    rows = list(sweep_pairs(small_plan(small_inventory())))
    assert tally.total == len(rows)
    assert sum(tally.harmful.values()) == sum(bool(row.lost or row.overloaded) for row in rows)
    assert tally.harmful["cluster", "site"] == 2
    assert tally.worst[0].lost == (ERP,)
    assert tally.lost["cluster:east-c1", "cluster:west-c1"] == 1
    assert set(tally.most_involved(2)) <= {element.id for element in breaker.elements}


def test_pairs_of_links_reroute_together() -> None:
    links = (*LINKS, a_link("store", "west", link="radio", bandwidth_mbps=60, rtt_ms=9.5))
    row = lose(small_plan(small_inventory(links=links)), "link:store-east + link:store-west")
    assert row.lost == ()
    assert any(text.startswith("link radio forward") for text in row.overloaded)
