"""Quorum against the published tables; counting votes is tested with the simulation.

Source: Microsoft, WindowsServerDocs/storage/storage-spaces/quorum.md (02/2024); what is 50/50 there counts as no.
"""

from __future__ import annotations

import pytest

from fleet.platform.quorum import Tolerance, choose_witness, has_witness, node_tolerance
from fleet.rulepack import load_rulepack

PACK = load_rulepack("azure-local")
ANY_LOSS = 99

#: nodes, witness, losses at once that the cluster survives, that the pool survives
PUBLISHED = [
    (1, False, 0, 0),
    (2, False, 0, 1),
    (2, True, 1, 1),
    (3, False, 1, 1),
    (3, True, 1, 1),
    (4, False, 1, 1),
    (4, True, 2, 2),
    *[(nodes, witness, 2, 2) for nodes in range(5, 17) for witness in (False, True)],
]


@pytest.mark.parametrize(("nodes", "witness", "cluster", "pool"), PUBLISHED)
def test_published_quorum(nodes: int, witness: bool, cluster: int, pool: int) -> None:
    found = node_tolerance(nodes, witness, ANY_LOSS, PACK)
    assert (found.cluster_quorum, found.pool_quorum) == (cluster, pool)
    assert found.nodes == min(cluster, pool)


@pytest.mark.parametrize(
    ("nodes", "data", "survived"),
    [(1, 0, 0), (2, 1, 1), (3, 2, 1), (3, 1, 1), (4, 2, 2), (4, 1, 1), (5, 2, 2), (16, 2, 2), (16, 3, 2)],
)
def test_node_tolerance_with_the_witness_of_the_rules(nodes: int, data: int, survived: int) -> None:
    assert node_tolerance(nodes, has_witness(nodes, PACK), data, PACK).nodes == survived


def test_three_copies_on_three_nodes_are_limited_by_quorum() -> None:
    assert node_tolerance(3, True, 2, PACK).weakest == "cluster quorum"
    assert node_tolerance(4, True, 1, PACK).weakest == "data"
    assert Tolerance(2, 2, 1).weakest == "pool quorum"


@pytest.mark.parametrize(
    ("nodes", "internet", "witness"),
    [
        (1, True, "none"),
        (2, True, "cloud"),
        (2, False, "file_share"),
        (3, True, "cloud"),
        (4, False, "file_share"),
        (5, True, "none"),
        (16, False, "none"),
    ],
)
def test_witness(nodes: int, internet: bool, witness: str) -> None:
    assert choose_witness(nodes, internet, PACK) == witness


def test_deep_dive_promises_two_losses_from_three_nodes() -> None:
    text = load_rulepack("deep-dive")
    assert node_tolerance(3, False, 2, text).nodes == 2
    assert node_tolerance(2, True, 1, text).nodes == 1
    assert [choose_witness(nodes, True, text) for nodes in (1, 2, 3)] == ["none", "file_share", "none"]
