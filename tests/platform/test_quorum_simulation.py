"""Votes and pool, counted loss by loss, against every row of the published tables.

Sources: Microsoft, WindowsServerDocs/storage/storage-spaces/quorum.md (02/2024), tables "Cluster quorum overview" and
"Pool quorum overview" and their examples; the ceiling of two nodes is stated there under "Dynamic quorum behavior".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.platform.quorum import node_tolerance
from fleet.platform.quorum_simulation import Loss, Shape, Step, Survival, Verdict, simulate, survives, worst
from fleet.platform.resiliency import resiliency_types
from fleet.rulepack import load_rulepack

PACK = load_rulepack("azure-local")
TYPES = resiliency_types(PACK)
ANY_LOSS = 99

ONE, ANOTHER, TWO_AT_ONCE = (1,), (1, 1), (2,)
QRM = "WindowsServerDocs/storage/storage-spaces/quorum.md"

#: nodes, witness; cluster: one down, one then another, two at once; pool: the same; source
TABLE: list[tuple[int, bool, tuple[Verdict, Verdict, Verdict], tuple[Verdict, Verdict, Verdict], str]] = [
    (2, False, ("50/50", "no", "no"), ("yes", "no", "no"), QRM),
    (2, True, ("yes", "no", "no"), ("yes", "no", "no"), QRM),
    (3, False, ("yes", "50/50", "no"), ("yes", "no", "no"), QRM),
    (3, True, ("yes", "yes", "no"), ("yes", "no", "no"), QRM),
    (4, False, ("yes", "yes", "50/50"), ("yes", "no", "no"), QRM),
    (4, True, ("yes", "yes", "yes"), ("yes", "yes", "yes"), QRM),
    *[
        (nodes, witness, ("yes", "yes", "yes"), ("yes", "yes", "yes"), QRM)
        for nodes in range(5, 17)
        for witness in (False, True)
    ],
]
CASES = [
    pytest.param(nodes, witness, losses, cluster[column], pool[column], id=f"{nodes}{'+w' if witness else ''}-{losses}")
    for nodes, witness, cluster, pool, _ in TABLE
    for column, losses in enumerate((ONE, ANOTHER, TWO_AT_ONCE))
]


@pytest.mark.parametrize(("nodes", "witness", "losses", "cluster", "pool"), CASES)
@pytest.mark.parametrize("drives", [2, 5, 12])
def test_counting_gives_the_published_tables(
    nodes: int, witness: bool, losses: tuple[int, ...], cluster: Verdict, pool: Verdict, drives: int
) -> None:
    found = survives(Shape(nodes, witness, drives), losses, PACK)
    assert (found.cluster, found.pool) == (cluster, pool)
    assert found.workloads == worst(cluster, pool)


def sequences(nodes: int) -> Iterator[tuple[int, ...]]:
    """Every way to lose up to all nodes: one after the other, several at once, and mixed."""
    for lost in range(1, nodes + 1):
        for cuts in itertools.product((False, True), repeat=lost - 1):
            steps = [1]
            for cut in cuts:
                if cut:
                    steps.append(1)
                else:
                    steps[-1] += 1
            yield tuple(steps)


EXPECTED = {
    (nodes, witness, losses): worst(cluster[column], pool[column])
    for nodes, witness, cluster, pool, _ in TABLE
    for column, losses in enumerate((ONE, ANOTHER, TWO_AT_ONCE))
}


@pytest.mark.parametrize("witness", [False, True])
@pytest.mark.parametrize("nodes", [1, 2, 3, 4, 5])
def test_every_loss_sequence_of_up_to_five_nodes(nodes: int, witness: bool) -> None:
    """Up to two nodes the tables decide; beyond, Storage Spaces Direct never survives (row 3.5)."""
    found = {losses: survives(Shape(nodes, witness), losses, PACK).workloads for losses in sequences(nodes)}
    assert len(found) == 2**nodes - 1
    assert found == {losses: EXPECTED.get((nodes, witness, losses), "no") for losses in found}


def test_one_node_has_nothing_to_lose() -> None:
    """The row of one node: down, with nothing after it."""
    assert survives(Shape(1, has_witness=False), [1], PACK) == Survival("no", "no", "yes")


@pytest.mark.parametrize("witness", [False, True])
@pytest.mark.parametrize("nodes", range(1, 17))
def test_counting_agrees_with_the_tables_that_size_clusters(nodes: int, witness: bool) -> None:
    """The most nodes lost at once with a certain yes is what `node_tolerance` promises."""
    promised = node_tolerance(nodes, witness, ANY_LOSS, PACK).nodes
    counted = max(
        (lost for lost in range(1, min(nodes, 4) + 1) if survives(Shape(nodes, witness), [lost], PACK).is_up), default=0
    )
    assert counted == promised


def test_the_table_here_is_the_table_of_the_pack() -> None:
    """Losses at once of the pack's tables are the first and the third column."""
    for nodes, witness, cluster, pool, _ in TABLE:
        column = "with_witness" if witness else "without_witness"
        for key, verdicts in (("quorum.cluster", cluster), ("quorum.pool", pool)):
            at_once = 2 if verdicts[2] == "yes" else 1 if verdicts[0] == "yes" else 0
            assert PACK.row_from(key, nodes)[column] == at_once, (key, nodes, witness)


# --- the witness -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "losses", "cluster"),
    [
        (2, [Loss(witness=True)], "yes"),  # 2 of 3 votes
        (2, [Loss(witness=True), 1], "50/50"),  # from then on a pair without a witness
        (2, [1, Loss(witness=True)], "yes"),  # the last node votes alone
        (2, [Loss(nodes=1, witness=True)], "no"),  # 1 of 3
        (3, [Loss(nodes=1, witness=True)], "yes"),  # the witness has no vote at three
        (3, [1, Loss(nodes=1, witness=True)], "no"),  # at two it has: 1 of 3
        (4, [Loss(nodes=1, witness=True)], "yes"),  # 3 of 5
        (4, [Loss(nodes=2, witness=True)], "no"),  # 2 of 5
        (5, [Loss(nodes=2, witness=True)], "yes"),  # 3 of 5 nodes
    ],
)
def test_losing_the_witness(nodes: int, losses: list[Loss | int], cluster: Verdict) -> None:
    assert survives(Shape(nodes, has_witness=True), losses, PACK).cluster == cluster


def test_a_pool_of_four_needs_the_witness_that_is_there_at_the_time() -> None:
    assert survives(Shape(4, has_witness=True), [2], PACK).pool == "yes"
    assert survives(Shape(4, has_witness=True), [Loss(witness=True), 1, 1], PACK).pool == "no"


# --- drives ----------------------------------------------------------------------------------------------------------


def test_four_nodes_with_a_failed_drive_lose_the_pool_with_two_nodes() -> None:
    """Row 3.7 and the page's second example: 7 of 16 drives and the tie-break are no majority."""
    shape = Shape(4, has_witness=True, drives_per_node=4)
    assert survives(shape, [Loss(drives=1), 2], PACK).pool == "no"
    assert survives(shape, [Loss(drives=1), 1], PACK).pool == "yes"
    # Where the failed drive goes down with its node, the pool keeps half of the drives and the tie-break.
    steps = [Step(drives=((3, 1),)), Step(nodes=frozenset({2, 3}))]
    assert simulate(shape, steps, PACK)[-1].pool == "yes"


def test_three_nodes_survive_one_node_and_drives_on_another() -> None:
    """Row 3.8: two of three nodes hold two thirds of the drives, and three copies leave one."""
    shape = Shape(3, has_witness=True, drives_per_node=4, kinds=(TYPES["three-way-mirror"],))
    at_one = [Step(nodes=frozenset({0})), Step(drives=((1, 1),))]
    assert simulate(shape, at_one, PACK)[-1].is_up
    # Half of all drives are left: the witness breaks the tie; one more is too many.
    assert simulate(shape, [*at_one, Step(drives=((1, 1),))], PACK)[-1].is_up
    last = simulate(shape, [*at_one, Step(drives=((1, 2),))], PACK)[-1]
    assert (last.pool, last.data) == ("no", "yes")
    # Drives on two other nodes take the third copy too.
    assert survives(shape, [Loss(nodes=1), Loss(drives=2)], PACK).data == "no"


@pytest.mark.parametrize(
    ("kind", "nodes", "losses", "data"),
    [
        ("two-way-mirror", 1, [Loss(drives=1)], "yes"),  # across the drives of one node
        ("two-way-mirror", 1, [Loss(drives=2)], "no"),
        ("two-way-mirror", 2, [1], "yes"),
        ("two-way-mirror", 2, [Loss(nodes=1, drives=1)], "no"),
        ("nested-two-way-mirror", 2, [Loss(nodes=1, drives=1)], "yes"),
        ("nested-two-way-mirror", 2, [Loss(drives=2)], "yes"),
        ("nested-two-way-mirror", 2, [Loss(nodes=1, drives=2)], "no"),
        ("nested-parity", 2, [Loss(nodes=1, drives=1)], "yes"),
        ("three-way-mirror", 5, [Loss(nodes=1, drives=1)], "yes"),
        ("three-way-mirror", 5, [Loss(nodes=2, drives=1)], "no"),
        ("dual-parity", 5, [2], "yes"),
        ("dual-parity", 5, [2, Loss(drives=1)], "no"),
    ],
)
def test_data_survives_what_table_2a_says(kind: str, nodes: int, losses: list[Loss | int], data: Verdict) -> None:
    """Sources: azure-local/concepts/fault-tolerance.md, nested-resiliency.md."""
    assert survives(Shape(nodes, has_witness=True, drives_per_node=4, kinds=(TYPES[kind],)), losses, PACK).data == data


# --- zones -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nodes", [4, 6, 8])
def test_a_rack_aware_cluster_survives_a_zone(nodes: int) -> None:
    """Source: azure-local/concepts/rack-aware-cluster-requirements.md: the witness stands in a third place."""
    shape = Shape(nodes, has_witness=True, drives_per_node=4, kinds=(TYPES["rack-aware-four-way-mirror"],), zones=2)
    zone = Step(nodes=frozenset(range(nodes // 2)))
    assert simulate(shape, [zone], PACK)[-1].is_up
    without = Shape(nodes, has_witness=False, drives_per_node=4, kinds=shape.kinds, zones=2)
    assert not simulate(without, [zone], PACK)[-1].is_up
    # Copies: after a zone, one more node leaves the fourth copy, two more leave none for certain.
    more = simulate(shape, [zone, Step(nodes=frozenset({nodes - 1}))], PACK)[-1]
    assert more.data == "yes"


def test_a_rack_aware_pair_keeps_a_copy_in_each_zone() -> None:
    shape = Shape(2, has_witness=True, kinds=(TYPES["rack-aware-two-way-mirror"],), zones=2)
    assert survives(shape, [1], PACK).is_up
    assert survives(shape, [Loss(nodes=1, drives=1)], PACK).data == "no"


# --- switches and errors ---------------------------------------------------------------------------------------------


def test_the_older_edition_of_the_page_is_a_switch(tmp_path: Path) -> None:
    path = tmp_path / "older.toml"
    path.write_text(
        '[pack]\nname = "older"\ndate = 2024-01-01\nextends = "azure-local"\nstatement = "Older edition."\n'
        '[quorum.pair_keeps_pool]\nvalue = false\nunit = ""\nsource = "older edition"\ndate = 2024-01-01\n'
        'statement = "No."\n',
        encoding="utf-8",
    )
    assert survives(Shape(2, has_witness=False), [1], load_rulepack(str(path))).pool == "no"
    assert survives(Shape(2, has_witness=False), [1], PACK).pool == "yes"


def test_a_pack_without_pool_quorum_judges_votes_only() -> None:
    text = load_rulepack("deep-dive")
    assert survives(Shape(3, has_witness=True), [1, 1], text).is_up
    assert not survives(Shape(3, has_witness=True), [1, 1], PACK).is_up


def test_losing_more_than_there_is_is_refused() -> None:
    with pytest.raises(ValueError, match="3 nodes are lost of 2"):
        survives(Shape(2, has_witness=True), [1, 2], PACK)
    with pytest.raises(ValueError, match="more drives are lost than 2 nodes with 2 each have"):
        survives(Shape(2, has_witness=True), [Loss(drives=5)], PACK)


def test_no_loss_is_survived_and_the_weakest_part_is_named() -> None:
    assert survives(Shape(3, has_witness=True), [], PACK).is_up
    assert survives(Shape(3, has_witness=True), [], PACK).weakest == ""
    assert survives(Shape(3, has_witness=True), [1, 1], PACK).weakest == "pool quorum"
    assert survives(Shape(2, has_witness=False), [1], PACK).weakest == "cluster quorum"
    shape = Shape(5, has_witness=False, kinds=(TYPES["two-way-mirror"],))
    assert survives(shape, [2], PACK).weakest == "data"
