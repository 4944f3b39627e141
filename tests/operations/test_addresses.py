from __future__ import annotations

import ipaddress
import itertools
import random

import pytest

from fleet.operations.addresses import AddressError, ClusterAddresses, plan_addresses
from fleet.plan.plan import ClusterPeriodRow, ClusterRow, Plan
from fleet.rulepack import load_rulepack
from tests.failures.small_plans import small_inventory, small_plan

PACK = load_rulepack("azure-local")
SPACE = "10.64.0.0/12"


@pytest.fixture(scope="module")
def template() -> Plan:
    return small_plan(small_inventory())


def plan_of(template: Plan, names: list[str], opened: int = 0, nodes: int = 4) -> Plan:
    clusters = tuple(
        ClusterRow(
            cluster=name, site="east", node_model="std", witness="cloud", existing=False, origin="chosen", opened=opened
        )
        for name in names
    )
    periods = tuple(
        ClusterPeriodRow(cluster=name, period=0, nodes=nodes, layout=dict.fromkeys(("hot", "warm", "archive"), "x"))
        for name in names
    )
    return Plan(template.document.model_copy(update={"clusters": clusters, "cluster_periods": periods}))


def blocks(rows: tuple[ClusterAddresses, ...]) -> dict[str, str]:
    return {row.cluster: row.block for row in rows}


def test_subnets_and_addresses_of_one_cluster(template: Plan) -> None:
    (row,) = plan_addresses(plan_of(template, ["east-c1"]), SPACE, PACK)
    block = ipaddress.IPv4Network(row.block)
    management = ipaddress.IPv4Network(row.management)
    storage = [ipaddress.IPv4Network(subnet.subnet) for subnet in row.storage]
    assert block.subnet_of(ipaddress.IPv4Network(SPACE))
    assert [subnet.vlan for subnet in row.storage] == ["711", "712"]
    assert all(part.subnet_of(block) for part in (management, *storage))
    assert not any(a.overlaps(b) for a, b in itertools.combinations((management, *storage), 2))
    used = [ipaddress.IPv4Address(text) for text in (row.gateway, *row.infrastructure, *row.nodes)]
    assert len(set(used)) == 1 + 6 + 4
    assert all(address in management for address in used)
    first = int(ipaddress.IPv4Address(row.infrastructure[0]))
    assert [int(ipaddress.IPv4Address(text)) - first for text in row.infrastructure] == [0, 1, 2, 3, 4, 5]


def test_a_thousand_clusters_do_not_overlap(template: Plan) -> None:
    rows = plan_addresses(plan_of(template, [f"site-{number}-c1" for number in range(1000)]), SPACE, PACK)
    assert len(set(blocks(rows).values())) == 1000


def test_order_of_rows_changes_nothing(template: Plan) -> None:
    names = [f"site-{number}-c1" for number in range(200)]
    shuffled = random.Random(3).sample(names, len(names))
    expected = plan_addresses(plan_of(template, names), "10.64.0.0/15", PACK)
    assert plan_addresses(plan_of(template, shuffled), "10.64.0.0/15", PACK) == expected


def test_a_cluster_that_opens_later_moves_nobody(template: Plan) -> None:
    # 256 blocks for 200 clusters: names meet all the time.
    before = plan_of(template, [f"site-{number}-c1" for number in range(200)])
    later = plan_of(template, [f"new-{number}-c1" for number in range(50)], opened=1)
    both = Plan(
        before.document.model_copy(
            update={"clusters": (*later.document.clusters, *before.document.clusters)},
        )
    )
    kept = blocks(plan_addresses(before, "10.64.0.0/16", PACK))
    assert kept.items() <= blocks(plan_addresses(both, "10.64.0.0/16", PACK)).items()


def test_kept_blocks_stay_whatever_comes(template: Plan) -> None:
    names = [f"site-{number}-c1" for number in range(100)]
    kept = blocks(plan_addresses(plan_of(template, names), "10.64.0.0/16", PACK))
    more = plan_of(template, [*(f"new-{number}-c1" for number in range(100)), *names])
    assert kept.items() <= blocks(plan_addresses(more, "10.64.0.0/16", PACK, kept)).items()


def test_a_block_kept_for_a_cluster_that_is_gone_is_not_given_away(template: Plan) -> None:
    kept = {"gone-c1": "10.64.0.0/24"}
    (row,) = plan_addresses(plan_of(template, ["east-c1"]), "10.64.0.0/23", PACK, kept)
    assert row.block == "10.64.1.0/24"


def test_ranges_of_the_platform_are_left_out(template: Plan) -> None:
    names = [f"site-{number}-c1" for number in range(40)]
    rows = plan_addresses(plan_of(template, names), "10.0.0.0/8", PACK, None)
    forbidden = [ipaddress.IPv4Network(text) for text in PACK.texts("network.forbidden_ranges")]
    assert not any(ipaddress.IPv4Network(row.block).overlaps(part) for row in rows for part in forbidden)
    with pytest.raises(AddressError, match="no block of 256 addresses left"):
        plan_addresses(plan_of(template, names), "10.244.0.0/16", PACK)


@pytest.mark.parametrize(
    ("space", "kept", "message"),
    [
        ("10.64.0.0/33", {}, "address_space '10.64.0.0/33' is not an IPv4 network"),
        ("10.64.0.1/12", {}, "has host bits set"),
        ("10.64.0.0/25", {}, "is smaller than one block of 256 addresses"),
        ("10.64.0.0/24", {}, "has no block of 256 addresses left for cluster 'b-c1'; widen it|for cluster 'a-c1'"),
        (SPACE, {"a-c1": "10.1.0.0/24"}, "block '10.1.0.0/24' of cluster 'a-c1' is no block of 256 addresses"),
        (SPACE, {"a-c1": "10.64.0.0/25"}, "block '10.64.0.0/25' of cluster 'a-c1' is no block of 256 addresses"),
        (SPACE, {"a-c1": "x"}, "block 'x' of cluster 'a-c1' is not an IPv4 network"),
        (SPACE, {"a-c1": "10.64.0.0/24", "b-c1": "10.64.0.0/24"}, "two clusters keep the same block"),
    ],
)
def test_what_cannot_be_is_refused(template: Plan, space: str, kept: dict[str, str], message: str) -> None:
    with pytest.raises(AddressError, match=message):
        plan_addresses(plan_of(template, ["a-c1", "b-c1"]), space, PACK, kept)


def test_too_many_nodes_are_refused(template: Plan) -> None:
    with pytest.raises(AddressError, match="cluster 'a-c1' has 108 nodes"):
        plan_addresses(plan_of(template, ["a-c1"], nodes=108), SPACE, PACK)
