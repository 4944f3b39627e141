"""Blocks and VLANs: disjoint, stable, and refused where they cannot be."""

from __future__ import annotations

import ipaddress
import itertools
import random

import pytest

from fleet.operations.addresses import AddressError, AddressNeed, ClusterAddresses, Kept, hand_out_addresses
from fleet.rulepack import load_rulepack

PACK = load_rulepack("azure-local")
SPACE = "10.64.0.0/12"
VLANS = range(100, 4000)


def needs(names: list[str], opened: int = 0, nodes: int = 4, links: int = 2, cables: bool = False) -> list[AddressNeed]:
    return [AddressNeed(name, name.split("-c")[0], (True, opened), nodes, links, cables) for name in names]


def hand_out(
    wanted: list[AddressNeed], space: str = SPACE, vlans: range = VLANS, kept: dict[str, Kept] | None = None
) -> tuple[ClusterAddresses, ...]:
    return hand_out_addresses(wanted, space, vlans, PACK, kept)


def kept_of(rows: tuple[ClusterAddresses, ...]) -> dict[str, Kept]:
    return {row.cluster: row.kept for row in rows}


def names(count: int, prefix: str = "site") -> list[str]:
    return [f"{prefix}-{number}-c1" for number in range(count)]


def test_subnets_and_addresses_of_one_cluster() -> None:
    (row,) = hand_out(needs(["east-c1"]))
    block = ipaddress.IPv4Network(row.block)
    management = ipaddress.IPv4Network(row.management)
    storage = [ipaddress.IPv4Network(subnet.subnet) for subnet in row.storage]
    assert block.subnet_of(ipaddress.IPv4Network(SPACE))
    assert block.num_addresses == 256
    assert all(part.subnet_of(block) for part in (management, *storage))
    assert not any(a.overlaps(b) for a, b in itertools.combinations((management, *storage), 2))
    used = [ipaddress.IPv4Address(text) for text in (row.gateway, *row.infrastructure, *row.nodes)]
    assert len(set(used)) == 1 + 6 + 4
    assert all(address in management for address in used)
    first = int(ipaddress.IPv4Address(row.infrastructure[0]))
    assert [int(ipaddress.IPv4Address(text)) - first for text in row.infrastructure] == [0, 1, 2, 3, 4, 5]
    vlans = [row.management_vlan, row.compute_vlan, *(subnet.vlan for subnet in row.storage)]
    assert vlans == list(row.vlans) == list(range(vlans[0], vlans[0] + 4))


@pytest.mark.parametrize(("nodes", "links"), [(2, 2), (3, 6), (4, 12)])
def test_a_switchless_cluster_has_a_subnet_per_cable_inside_its_block(nodes: int, links: int) -> None:
    (row,) = hand_out(needs(["east-c1"], nodes=nodes, links=links, cables=True))
    subnets = [ipaddress.IPv4Network(part.subnet) for part in row.storage]
    assert len(subnets) == links
    assert all(subnet.subnet_of(ipaddress.IPv4Network(row.block)) for subnet in subnets)
    assert not any(
        a.overlaps(b) for a, b in itertools.combinations([*subnets, ipaddress.IPv4Network(row.management)], 2)
    )
    assert {part.vlan for part in row.storage} == set(row.vlans[2:])


def test_two_hundred_clusters_share_no_subnet_and_no_vlan() -> None:
    rows = hand_out(needs(names(200)))
    blocks = [ipaddress.IPv4Network(row.block) for row in rows]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(blocks, 2))
    subnets = [text for row in rows for text in (row.management, *(part.subnet for part in row.storage))]
    assert len(set(subnets)) == 200 * 3
    vlans = [vlan for row in rows for vlan in row.vlans]
    assert len(set(vlans)) == 200 * 4
    assert set(vlans) <= set(VLANS)
    assert not any(row.shares_vlans for row in rows)


def test_one_more_site_moves_nobody_of_what_is_kept() -> None:
    """Whatever the new site is called, even where its name falls on a place that is taken."""
    before = hand_out(needs(names(200)))
    kept = kept_of(before)
    for new in names(60, prefix="new"):
        after = {row.cluster: row for row in hand_out(needs([*names(200), new]), kept=kept)}
        assert all(after[row.cluster] == row for row in before)
        assert after[new].block not in {row.block for row in before}
        assert not set(after[new].vlans) & {vlan for row in before for vlan in row.vlans}


def test_without_anything_kept_one_more_site_rarely_moves_another() -> None:
    before = kept_of(hand_out(needs(names(200))))
    moved = 0
    for new in names(60, prefix="new"):
        after = kept_of(hand_out(needs([*names(200), new])))
        moved += sum(after[name].block != own.block for name, own in before.items())
    assert moved <= 60 * 0.1


def test_a_thousand_clusters_do_not_overlap_and_use_the_vlans_up() -> None:
    rows = hand_out(needs(names(1000)))
    assert len({row.block for row in rows}) == 1000
    groups = len(VLANS) // 4
    assert sum(not row.shares_vlans for row in rows) == groups == 975
    assert sum(row.shares_vlans for row in rows) == 25


def test_clusters_of_one_site_never_share_vlans() -> None:
    wanted = needs([f"east-c{number}" for number in range(1, 6)]) + needs([f"west-c{number}" for number in range(1, 6)])
    rows = hand_out(wanted, vlans=range(100, 120))
    by_site = [
        [vlan for row in rows if row.cluster.startswith(site) for vlan in row.vlans] for site in ("east", "west")
    ]
    assert all(len(set(vlans)) == 5 * 4 for vlans in by_site)
    with pytest.raises(AddressError, match="the VLAN range has no group of 4 left for cluster 'east-c"):
        hand_out(needs([f"east-c{number}" for number in range(1, 7)]), vlans=range(100, 120))


def test_order_of_rows_changes_nothing() -> None:
    shuffled = random.Random(3).sample(names(200), 200)
    expected = hand_out(needs(names(200)), "10.64.0.0/15")
    assert hand_out(needs(shuffled), "10.64.0.0/15") == expected


def test_a_cluster_that_opens_later_moves_nobody() -> None:
    # 256 blocks for 200 clusters: names meet all the time.
    later = needs(names(50, prefix="new"), opened=1)
    before = kept_of(hand_out(needs(names(200)), "10.64.0.0/16"))
    assert before.items() <= kept_of(hand_out([*later, *needs(names(200))], "10.64.0.0/16")).items()


def test_a_block_kept_for_a_cluster_that_is_gone_is_not_given_away() -> None:
    (row,) = hand_out(needs(["east-c1"]), "10.64.0.0/23", kept={"gone-c1": Kept("10.64.0.0/24")})
    assert row.block == "10.64.1.0/24"
    (row,) = hand_out(needs(["east-c1"]), vlans=range(100, 108), kept={"gone-c1": Kept(first_vlan=104)})
    assert row.vlans == range(100, 104)


def test_ranges_of_the_platform_are_left_out() -> None:
    rows = hand_out(needs(names(40)), "10.0.0.0/8")
    forbidden = [ipaddress.IPv4Network(text) for text in PACK.texts("network.forbidden_ranges")]
    assert not any(ipaddress.IPv4Network(row.block).overlaps(part) for row in rows for part in forbidden)
    with pytest.raises(AddressError, match="no block of 256 addresses left"):
        hand_out(needs(names(40)), "10.244.0.0/16")


@pytest.mark.parametrize(
    ("space", "kept", "message"),
    [
        ("10.64.0.0/33", {}, "address_space '10.64.0.0/33' is not an IPv4 network"),
        ("10.64.0.1/12", {}, "has host bits set"),
        ("10.64.0.0/25", {}, "is smaller than one block of 256 addresses"),
        ("10.64.0.0/24", {}, "has no block of 256 addresses left for cluster '[ab]-c1'; widen it"),
        (SPACE, {"a-c1": Kept("10.1.0.0/24")}, "block '10.1.0.0/24' of cluster 'a-c1' is no block of 256 addresses"),
        (SPACE, {"a-c1": Kept("10.64.0.0/25")}, "block '10.64.0.0/25' of cluster 'a-c1' is no block of 256 addresses"),
        (SPACE, {"a-c1": Kept("x")}, "block 'x' of cluster 'a-c1' is not an IPv4 network"),
        (SPACE, {"a-c1": Kept("10.64.0.0/24"), "b-c1": Kept("10.64.0.0/24")}, "two clusters keep the same block"),
        (
            SPACE,
            {"a-c1": Kept(first_vlan=101)},
            "VLAN 101 of cluster 'a-c1' does not begin a group of 4 in 100 to 3999",
        ),
        (SPACE, {"a-c1": Kept(first_vlan=4000)}, "VLAN 4000 of cluster 'a-c1' does not begin a group"),
    ],
)
def test_what_cannot_be_is_refused(space: str, kept: dict[str, Kept], message: str) -> None:
    with pytest.raises(AddressError, match=message):
        hand_out(needs(["a-c1", "b-c1"]), space, kept=kept)


def test_two_clusters_of_a_site_may_not_keep_the_same_vlans() -> None:
    kept = {"a-c1": Kept(first_vlan=100), "a-c2": Kept(first_vlan=100)}
    with pytest.raises(AddressError, match="two clusters at site 'a' keep the VLANs 100 and up"):
        hand_out(needs(["a-c1", "a-c2"]), kept=kept)


def test_too_many_nodes_and_too_few_vlans_are_refused() -> None:
    with pytest.raises(AddressError, match="cluster 'a-c1' has 108 nodes"):
        hand_out(needs(["a-c1"], nodes=108))
    with pytest.raises(AddressError, match="a VLAN range of 3 numbers is smaller than one group of 4"):
        hand_out(needs(["a-c1"]), vlans=range(100, 103))
