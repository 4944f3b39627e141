"""Votes, pool and data of one cluster, simulated through any sequence of losses.

The published tables (`fleet.platform.quorum`) answer three questions per node count. This module answers all others
by counting: which losses at once or one after the other, with or without the witness, with drives failed before,
across one room or two zones.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from fleet.platform.resiliency import ResiliencyType
from fleet.rulepack.facts import RulePack

#: Whether something stays up; 50/50 where it depends on which node holds the vote that was taken away.
Verdict = Literal["yes", "50/50", "no"]
_ORDER: tuple[Verdict, ...] = ("yes", "50/50", "no")
#: Two nodes: nested volumes exist there only, and a pool without a witness may still be decided.
_PAIR = 2
#: Failed drives that take down the copies which a nested volume keeps inside one node.
_NESTED_DRIVES = 2


@dataclass(frozen=True, slots=True)
class Loss:
    """What fails at one moment.

    Attributes
    ----------
    nodes : int
        Nodes that go down.
    drives : int
        Capacity drives that fail on nodes which stay up.
    witness : bool
        Whether the witness is lost too.
    """

    nodes: int = 0
    drives: int = 0
    witness: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """The same with places: which nodes go down, and how many drives fail on which node."""

    nodes: frozenset[int] = frozenset()
    drives: tuple[tuple[int, int], ...] = ()
    witness: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What a simulation needs to know about a cluster.

    Attributes
    ----------
    nodes : int
        Node count, at least 1; node *i* stands in zone ``i · zones // nodes``.
    has_witness : bool
        Whether a witness is set up.
    drives_per_node : int
        Capacity drives of a node, all of which are taken to hold pool metadata.
    kinds : tuple of ResiliencyType
        Resiliency types of its volumes; data is not judged where there are none.
    zones : int
        1, or 2 for a rack-aware cluster, whose copies are spread evenly over its zones.
    """

    nodes: int
    has_witness: bool
    drives_per_node: int = 2
    kinds: tuple[ResiliencyType, ...] = ()
    zones: int = 1

    def zone_of(self, node: int) -> int:
        """The zone in which a node stands."""
        return node * self.zones // self.nodes


@dataclass(frozen=True, slots=True)
class Survival:
    """What is up after losses: the cluster, its storage pool, and the data of its volumes."""

    cluster: Verdict
    pool: Verdict
    data: Verdict

    @property
    def workloads(self) -> Verdict:
        """Whether workloads run: the weakest of the three."""
        return worst(self.cluster, self.pool, self.data)

    @property
    def is_up(self) -> bool:
        """Whether workloads certainly run; a 50/50 chance counts as no."""
        return self.workloads == "yes"

    @property
    def weakest(self) -> str:
        """What takes the workloads down first; empty where nothing does."""
        if self.is_up:
            return ""
        names = {"cluster quorum": self.cluster, "pool quorum": self.pool, "data": self.data}
        return next(name for name, verdict in names.items() if verdict == self.workloads)


def worst(*verdicts: Verdict) -> Verdict:
    """The worst of several verdicts."""
    return max(verdicts, key=_ORDER.index)


def survives(shape: Shape, losses: Sequence[Loss | int], pack: RulePack) -> Survival:
    """What is up after losses one after the other, wherever they strike: the worst placement counts.

    Parameters
    ----------
    shape : Shape
        The cluster.
    losses : sequence of Loss or int
        One entry per moment; a plain number is that many nodes at once. Between two moments votes are rebalanced;
        nothing is repaired.
    pack : RulePack
        Quorum facts.

    Returns
    -------
    Survival
        After the last loss. Each of its parts is the worst over all placements on its own.

    Raises
    ------
    ValueError
        If more nodes or drives are lost than there are.

    Examples
    --------
    >>> from fleet.rulepack import load_rulepack
    >>> pack = load_rulepack("azure-local")
    >>> survives(Shape(4, has_witness=True), [2], pack).is_up
    True
    >>> survives(Shape(4, has_witness=False), [2], pack).cluster
    '50/50'
    >>> survives(Shape(4, has_witness=True), [Loss(drives=1), 2], pack).weakest
    'pool quorum'
    """
    wanted = [Loss(nodes=loss) if isinstance(loss, int) else loss for loss in losses]
    if sum(loss.nodes for loss in wanted) > shape.nodes:
        raise ValueError(f"{sum(loss.nodes for loss in wanted)} nodes are lost of {shape.nodes}")
    found = [simulate(shape, steps, pack)[-1] for steps in _placements(shape, wanted)] if wanted else []
    if wanted and not found:
        raise ValueError(f"more drives are lost than {shape.nodes} nodes with {shape.drives_per_node} each have")
    return Survival(
        worst("yes", *(one.cluster for one in found)),
        worst("yes", *(one.pool for one in found)),
        worst("yes", *(one.data for one in found)),
    )


def simulate(shape: Shape, steps: Sequence[Step], pack: RulePack) -> tuple[Survival, ...]:
    """What is up after each of several steps.

    Parameters
    ----------
    shape : Shape
        The cluster.
    steps : sequence of Step
        What fails where. What is down already cannot fail again.
    pack : RulePack
        ``quorum.max_node_failures``, ``quorum.pool_counts`` and ``quorum.pair_keeps_pool``.

    Notes
    -----
    Cluster: every node that is up has a vote. Where their number is even, the witness votes, and without a witness
    one node's vote is taken away; where it is odd, the witness does not vote. What is left after a loss stays up with
    more than half of the votes before it; then votes are dealt anew. A vote taken from an unknown node makes the answer
    50/50 where it matters.

    Pool: it stays up with more than half of all its drives, lost ones included, for it never deals votes anew. Half
    of them are enough where the cluster database breaks the tie: the cluster has quorum and a witness. (For four nodes
    without a witness the page's own counting would break it too; its table says no, and the table counts.) Never
    more than ``quorum.max_node_failures`` nodes may be down, except a whole zone.

    Data: it survives as long as no more nodes are down or have failed drives than the type tolerates. Nested types
    are lost with both nodes, where a node counts as lost from its second failed drive on. Copies in zones are lost
    where every zone has lost its share of them.

    References
    ----------
    Microsoft, WindowsServerDocs/storage/storage-spaces/quorum.md (02/2024).
    """
    up = frozenset(range(shape.nodes))
    has_witness = shape.has_witness
    failed = [0] * shape.nodes
    cluster: Verdict = "yes"
    pool: Verdict = "yes"
    data: Verdict = "yes"
    found = []
    for step in steps:
        left, witness_left = up - step.nodes, has_witness and not step.witness
        cluster = worst(cluster, _votes(up, left, has_witness, witness_left))
        for node, count in step.drives:
            failed[node] = min(shape.drives_per_node, failed[node] + count)
        up, has_witness = left, witness_left
        pool = worst(pool, _pool(shape, up, failed, has_witness, cluster, pack))
        data = worst(data, *(_data(shape, kind, up, failed) for kind in shape.kinds))
        found.append(Survival(cluster, pool, data))
    return tuple(found)


def _votes(before: frozenset[int], after: frozenset[int], had_witness: bool, has_witness: bool) -> Verdict:
    """Whether those that are left hold a majority of the votes dealt before the loss."""
    if before == after and had_witness == has_witness:
        return "yes" if after else "no"
    if not after:
        return "no"
    is_even = len(before) % 2 == 0
    if is_even and not had_witness:
        votes = len(before) - 1
        outcomes = {2 * len(after - {voteless}) > votes for voteless in before}
    else:
        votes = len(before) + (1 if is_even else 0)
        outcomes = {2 * (len(after) + (1 if is_even and has_witness else 0)) > votes}
    if outcomes == {True}:
        return "yes"
    return "no" if outcomes == {False} else "50/50"


def _pool(
    shape: Shape, up: frozenset[int], failed: Sequence[int], has_witness: bool, cluster: Verdict, pack: RulePack
) -> Verdict:
    """Whether the storage pool stays online, given that the cluster may."""
    if not up:
        return "no"
    if not pack.flag("quorum.pool_counts"):
        return "yes"
    down = frozenset(range(shape.nodes)) - up
    is_one_zone = shape.zones > 1 and len({shape.zone_of(node) for node in down}) == 1
    if len(down) > pack.whole("quorum.max_node_failures") and not is_one_zone:
        return "no"
    drives, left = shape.nodes * shape.drives_per_node, sum(shape.drives_per_node - failed[node] for node in up)
    if 2 * left != drives:
        return "yes" if 2 * left > drives else "no"
    breaks_tie = has_witness or (shape.nodes == _PAIR and pack.flag("quorum.pair_keeps_pool"))
    return "yes" if breaks_tie and cluster != "no" else "no"


def _data(shape: Shape, kind: ResiliencyType, up: frozenset[int], failed: Sequence[int]) -> Verdict:
    """Whether every piece of data has a copy, or enough of its parts, left."""
    drives = {node: failed[node] if node in up else shape.drives_per_node for node in range(shape.nodes)}
    hit = [node for node, count in drives.items() if node not in up or count > 0]
    if shape.nodes == 1:
        return "yes" if up and drives[0] <= kind.drive_tolerance else "no"
    if shape.zones > 1:
        share = (kind.node_tolerance + 1) // shape.zones
        lost = [sum(shape.zone_of(node) == zone for node in hit) >= share for zone in range(shape.zones)]
        return "no" if all(lost) else "yes"
    if _is_nested(kind):
        broken = sum(node not in up or count >= _NESTED_DRIVES for node, count in drives.items())
        return "no" if broken == shape.nodes else "yes"
    return "yes" if len(hit) <= kind.data_tolerance(shape.nodes) else "no"


def _is_nested(kind: ResiliencyType) -> bool:
    """Whether each of two nodes keeps redundancy of its own."""
    return kind.maximum_nodes == _PAIR and kind.drive_tolerance > kind.node_tolerance


def _placements(shape: Shape, losses: Sequence[Loss]) -> Iterator[tuple[Step, ...]]:
    """Every distinct way in which losses may strike, nodes of a zone being alike."""
    order = {zone: [n for n in range(shape.nodes) if shape.zone_of(n) == zone] for zone in range(shape.zones)}

    def place(rest: Sequence[Loss], taken: tuple[int, ...], failed: tuple[int, ...]) -> Iterator[tuple[Step, ...]]:
        if not rest:
            yield ()
            return
        loss = rest[0]
        for shares in _shares(loss.nodes, [len(nodes) for nodes in order.values()]):
            for victims in itertools.product(
                *(_victims(nodes, share, taken, failed) for nodes, share in zip(order.values(), shares, strict=True))
            ):
                down = frozenset(itertools.chain.from_iterable(victims))
                standing = [node for node in range(shape.nodes) if node not in taken and node not in down]
                for drives in _drives(standing, loss.drives, failed, shape):
                    now = list(failed)
                    for node, count in drives:
                        now[node] += count
                    step = Step(down, drives, loss.witness)
                    for following in place(rest[1:], (*taken, *down), tuple(now)):
                        yield (step, *following)

    yield from place(losses, (), (0,) * shape.nodes)


def _shares(total: int, limits: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Ways to split a number over zones."""
    yield from (
        split for split in itertools.product(*(range(min(total, most) + 1) for most in limits)) if sum(split) == total
    )


def _victims(
    nodes: Sequence[int], count: int, taken: Sequence[int], failed: Sequence[int]
) -> Iterator[tuple[int, ...]]:
    """Choices of `count` standing nodes of a zone; nodes with equally many failed drives are alike."""
    standing = [node for node in nodes if node not in taken]
    seen = set()
    for chosen in itertools.combinations(standing, count):
        key = tuple(sorted(failed[node] for node in chosen))
        if key not in seen:
            seen.add(key)
            yield chosen


def _drives(
    standing: Sequence[int], count: int, failed: Sequence[int], shape: Shape
) -> Iterator[tuple[tuple[int, int], ...]]:
    """Ways in which drives fail on standing nodes; nodes of a zone with equally many failed drives are alike."""
    seen = set()
    for choice in itertools.combinations_with_replacement(standing, count):
        counts = {node: choice.count(node) for node in dict.fromkeys(choice)}
        if any(failed[node] + extra > shape.drives_per_node for node, extra in counts.items()):
            continue
        key = tuple(sorted((shape.zone_of(node), failed[node], extra) for node, extra in counts.items()))
        if key not in seen:
            seen.add(key)
            yield tuple(counts.items())
