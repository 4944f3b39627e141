from __future__ import annotations

import pytest

from fleet.errors import UnknownIdError
from fleet.failures.elements import elements
from fleet.failures.sweep import FailureRow, lose, normal_of, sweep_single
from fleet.plan.plan import Plan
from fleet.tables import describe
from tests.builders import a_link
from tests.failures.small_plans import LINKS, small_inventory, small_plan

ERP, WEB = "erp at store", "web at store"


def rows_of(plan: Plan) -> dict[str, FailureRow]:
    return {row.element: row for row in sweep_single(plan)}


def test_columns_are_those_of_the_contract() -> None:
    assert [column.name for column in describe(FailureRow)] == [
        "element",
        "kind",
        "count",
        "down",
        "restored",
        "lost",
        "overloaded",
        "rto_minutes",
        "rpo_minutes",
        "broken_promises",
    ]


def test_a_sound_plan_keeps_every_promise() -> None:
    plan = small_plan(small_inventory(links=(*LINKS, a_link("east", "west", link="second"))))
    rows = sweep_single(plan)
    assert [row.element for row in rows] == [element.id for element in elements(normal_of(plan))]
    assert not [row for row in rows if row.broken_promises or row.lost or row.overloaded]


@pytest.mark.parametrize("element", ["cluster:east-c1", "site:east"])
def test_losing_the_primary_restores_what_is_protected(element: str) -> None:
    row = lose(small_plan(small_inventory()), element)
    assert (row.restored, row.down, row.lost) == ((ERP,), (WEB,), ())
    # Copies every 5 minutes, and the reserved bandwidth ships one in 5 minutes; an operator fails over in 30.
    assert row.rto_minutes == 30
    assert row.rpo_minutes == pytest.approx(10)


def test_losing_the_standby_or_the_users_harms_nobody() -> None:
    rows = rows_of(small_plan(small_inventory()))
    for element in ("cluster:west-c1", "site:west", "site:store"):
        row = rows[element]
        assert not (row.down)
        assert not (row.restored)
        assert not (row.lost)
        assert row.rto_minutes is None


def test_a_cut_demand_moves_and_an_unprotected_one_is_down() -> None:
    links = (a_link("east", "west", rtt_ms=60), *LINKS[1:])
    row = lose(small_plan(small_inventory(links=links, web={"max_rtt_ms": 10})), "link:store-east")
    # 69 ms to the primary is over twice 10 ms; 9 ms to the standby is not.
    assert (row.restored, row.down) == ((ERP,), (WEB,))
    assert not row.broken_promises


def test_a_single_point_of_failure_is_down_and_no_broken_promise() -> None:
    row = lose(small_plan(small_inventory(links=LINKS[:2])), "link:store-east")
    assert (row.down, row.lost, row.restored) == ((ERP, WEB), (), ())
    assert not row.broken_promises


def test_nobody_in_reach_after_losing_the_site_breaks_a_promise() -> None:
    row = lose(small_plan(small_inventory(links=(LINKS[0], LINKS[1]))), "site:east")
    assert row.lost == (ERP,)
    assert f"{ERP} is protected and not restored" in row.broken_promises


def test_a_protected_demand_without_standby_breaks_a_promise() -> None:
    row = lose(small_plan(small_inventory(), standby=False), "cluster:east-c1")
    assert row.down == (ERP, WEB)
    assert row.broken_promises == (f"{ERP} is protected and has no standby",)


def test_an_overloaded_link_is_named_with_both_values() -> None:
    links = (*LINKS[:2], a_link("store", "west", rtt_ms=9, bandwidth_mbps=60))
    row = lose(small_plan(small_inventory(links=links)), "site:east")
    assert row.overloaded == (
        "link store-west forward Mbit/s: 50.00 of 48.00 in period 0",
        "link store-west back Mbit/s: 50.00 of 48.00 in period 0",
    )
    assert set(row.overloaded) <= set(row.broken_promises)


def test_an_overloaded_cluster_is_named() -> None:
    # One node of two is kept free: about 100 vCPU and 417 GiB. 30 instances need 120 vCPU and 480 GiB.
    row = lose(small_plan(small_inventory(erp={"count": 30, "traffic_mbps": 1})), "cluster:east-c1")
    assert [text.split(" of ")[0] for text in row.overloaded] == [
        "cluster west-c1 vcpu: 120.00",
        "cluster west-c1 memory_gb: 480.00",
    ]


def test_losing_one_node_of_two_restarts_within_the_cluster() -> None:
    row = lose(small_plan(small_inventory()), "node:east-c1")
    assert row.count == 2
    assert (row.down, row.restored, row.broken_promises) == ((), (), ())
    assert (row.rto_minutes, row.rpo_minutes) == (5, 0)


def test_losing_the_only_node_is_losing_the_cluster() -> None:
    plan = small_plan(small_inventory(erp={"fault_tolerance": 0}), nodes=(1,))
    row = lose(plan, "node:east-c1")
    assert (row.restored, row.down) == ((ERP,), (WEB,))
    assert row.broken_promises == (f"{WEB} asks for fault_tolerance 1 and stops when one node is lost",)


def test_a_pair_without_witness_does_not_survive_a_node() -> None:
    plan = small_plan(small_inventory())
    clusters = tuple(row.model_copy(update={"witness": "none"}) for row in plan.document.clusters)
    row = lose(Plan(plan.document.model_copy(update={"clusters": clusters})), "node:east-c1")
    assert row.restored == (ERP,)
    assert len(row.broken_promises) == 2


def test_without_reserve_nodes_one_node_less_may_not_be_enough() -> None:
    inventory = small_inventory(web={"memory_gb": 600.0}, reserve_nodes=0)
    row = lose(small_plan(inventory), "node:east-c1")
    assert any("cluster east-c1 memory_gb: 616.00 of " in text for text in row.overloaded)
    assert row.broken_promises == row.overloaded


def test_mirrors_survive_a_drive() -> None:
    row = lose(small_plan(small_inventory()), "drive:east-c1")
    assert (row.count, row.rto_minutes, row.broken_promises) == (12, None, ())


def test_unknown_element_is_refused() -> None:
    with pytest.raises(UnknownIdError, match="no element is named 'link:x'"):
        lose(small_plan(small_inventory()), "link:x")
