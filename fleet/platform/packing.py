"""Whether machines can be put on nodes, one node each: found by putting them there, refuted by a bound or a search.

The answer `FITS` rests on a placement, `CANNOT` on an inequality or on a search that tried every placement. What
neither decides within a stated effort is `UNDECIDED`, and counts as not fitting: a plan is promised only where
a placement is known.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from fleet.platform.machines import Hosts, Machine, Room
from fleet.tolerances import FIT_TOLERANCE

#: Contents of single nodes that a search looks at before it gives up.
EFFORT = 20_000
#: Sizes of machines up to which a search is worth beginning.
MOST_SIZES = 100
#: Sizes that a text names.
NAMED = 3
#: How many of one size may go on a node for that to be counted by itself.
COUNTED = 8

#: Sizes with how many machines there are of each.
Machines = tuple[tuple[Machine, int], ...]


class Verdict(enum.Enum):
    """What is known about machines on nodes."""

    FITS = "fits"
    CANNOT = "cannot"
    UNDECIDED = "undecided"


def gathered(machines: Iterable[tuple[Machine, int]]) -> Machines:
    """The same machines with every size once, in order; without sizes of which there are none.

    Examples
    --------
    >>> gathered([(Machine(2, 8), 1), (Machine(1, 4), 2), (Machine(2, 8), 3), (Machine(9, 9), 0)])
    ((Machine(vcpus=1, memory_gb=4, gpus=0, per_gpu=0), 2), (Machine(vcpus=2, memory_gb=8, gpus=0, per_gpu=0), 4))
    """
    counts: dict[Machine, int] = {}
    for machine, count in machines:
        if count:
            counts[machine] = counts.get(machine, 0) + count
    return tuple(sorted(counts.items()))


def packed(machines: Machines, hosts: Hosts, *, every_node: bool = False) -> Verdict:
    """Whether machines, and the platform's own, run on the nodes of a cluster that are not kept free.

    Parameters
    ----------
    machines : tuple of (Machine, int)
        As `gathered` has them.
    hosts : Hosts
        The nodes.
    every_node : bool
        Whether the nodes that are kept free count as well.

    Examples
    --------
    Five machines of 250 GiB do not run on four nodes of 471.

    >>> hosts = Hosts(Room(115.2, 471.0, 0), left=4, every=5, platform=Machine(4, 8))
    >>> packed(((Machine(8, 250), 5),), hosts)
    <Verdict.CANNOT: 'cannot'>
    >>> packed(((Machine(8, 250), 5),), hosts, every_node=True)
    <Verdict.FITS: 'fits'>
    """
    nodes = hosts.every if every_node else hosts.left
    if not machines or (len(machines) == 1 and machines[0][1] == 1 and nodes > 0 and _fits(machines[0][0], hosts)):
        return Verdict.FITS
    return _packed(machines, hosts.platform, hosts.room, nodes)


def _fits(machine: Machine, hosts: Hosts) -> bool:
    """Whether a machine runs on one node beside the platform's own."""
    node = _Node(hosts.room)
    node.put(hosts.platform, 1)
    return node.most(machine) >= 1


def are_small(load: Sequence[float], largest: Sequence[float], hosts: Hosts) -> bool:
    """Whether machines fit whichever they are, by what they take together and what the largest takes of each resource.

    Parameters
    ----------
    load, largest : sequence of float
        vCPU, GiB and GPUs of all machines together, and the most that one takes; not decided where there are GPUs.
    hosts : Hosts
        The nodes; those that are kept free do not count.

    Notes
    -----
    A linear program spreads any load evenly over m nodes. Rounded vertex by vertex, each node ends with less than its
    part and 2 d machines more, with d resources (iterative relaxation; Lau, Ravi and Singh, Iterative Methods in
    Combinatorial Optimization, 2011): in a vertex at most d times as many machines are split as nodes keep their limit,
    so one of those nodes has 2 d parts of machines at most and may go without. So all fit where, of each resource,
    load / m + 2 d · largest is within a node.

    Examples
    --------
    >>> hosts = Hosts(Room(100.0, 400.0, 0), left=3, every=4, platform=Machine(4.0, 8.0))
    >>> are_small((200.0, 900.0, 0.0), (4.0, 16.0, 0.0), hosts), are_small((260.0, 900.0, 0.0), (4.0, 16.0, 0.0), hosts)
    (True, False)
    """
    if hosts.left <= 0 or load[2] > 0:
        return False
    each = zip(load, largest, hosts.platform.amounts, (hosts.room.vcpus, hosts.room.memory_gb), strict=False)
    return all((total + own) / hosts.left + 2 * 2 * max(most, own) <= room for total, most, own, room in each)


def in_words(machines: Machines, room: Room, nodes: int, verdict: Verdict) -> str:
    """Machines that do not fit on nodes, or are not known to, the sizes with most memory named.

    Examples
    --------
    >>> in_words(((Machine(8, 250), 5),), Room(115.2, 471.0, 0), 4, Verdict.CANNOT)
    '5 virtual machines do not fit on 4 nodes of 115.2 vCPU, 471 GiB, one node each: 5 × (8 vCPU, 250 GiB)'
    """
    sizes = sorted(machines, key=lambda entry: (-entry[0].memory_gb * entry[1], entry[0]))
    shown = ", ".join(f"{count} × ({machine})" for machine, count in sizes[:NAMED])
    more = f" and {len(sizes) - NAMED} more sizes" if len(sizes) > NAMED else ""
    what = "do not fit" if verdict is Verdict.CANNOT else "could not be fitted, nor shown not to fit,"
    return (
        f"{sum(count for _, count in machines):,} virtual machines {what} on {nodes} "
        f"{'node' if nodes == 1 else 'nodes'} of {room}, one node each: {shown}{more}"
    )


def cannot_subset(machines: Machines, hosts: Hosts, *, every_node: bool = False) -> Machines:
    """Of machines that cannot fit, as few as are still known not to; smaller ones are left out first."""
    left = dict(machines)
    for machine, count in sorted(machines, key=lambda entry: _weight(entry[0], hosts.room)):
        needed, enough = 0, count  # of this size: so many are known to matter, so many are known to be enough
        while needed < enough:
            middle = (needed + enough) // 2
            left[machine] = middle
            if packed(gathered(left.items()), hosts, every_node=every_node) is Verdict.CANNOT:
                enough = middle
            else:
                needed = middle + 1
        left[machine] = enough
    return gathered(left.items())


@lru_cache(maxsize=1 << 16)
def _packed(machines: Machines, platform: Machine, room: Room, nodes: int) -> Verdict:
    if nodes <= 0:
        return Verdict.CANNOT
    everything = gathered([*machines, (platform, 1)])
    ordered = sorted(everything, key=lambda entry: -_weight(entry[0], room))
    if any(_Node(room).most(machine) < 1 for machine, _ in ordered) or _is_refuted(ordered, room, nodes):
        return Verdict.CANNOT
    if _spreads(ordered, room, nodes) or any(_is_placed(order, room, nodes) for order in _orders(ordered, room)):
        return Verdict.FITS
    if len(ordered) > MOST_SIZES:
        return Verdict.UNDECIDED
    return _Search(ordered, room).verdict(nodes)


def _shares(machine: Machine, room: Room) -> tuple[float, float, float]:
    """What a machine takes of a node: of its vCPU, GiB, GPUs."""
    vcpus, memory_gb, _ = room.limits
    gpu = machine.gpu / room.gpus if room.gpus else math.inf if machine.gpu else 0.0
    return machine.vcpus / vcpus, machine.memory_gb / memory_gb, gpu


def _weight(machine: Machine, room: Room) -> float:
    return max(_shares(machine, room))


class _Node:
    """A node that machines are put on."""

    def __init__(self, room: Room) -> None:
        self.vcpus, self.memory_gb, _ = room.limits
        self.gpus = room.gpus
        self.partitions: dict[int, int] = {}

    def most(self, machine: Machine) -> int:
        """How many more machines of a size it takes."""
        found = [math.inf]
        if machine.vcpus > 0:
            found.append(self.vcpus / machine.vcpus)
        if machine.memory_gb > 0:
            found.append(self.memory_gb / machine.memory_gb)
        if machine.gpus:
            found.append(self.gpus // machine.gpus)
        if machine.per_gpu:
            found.append(self.partitions.get(machine.per_gpu, 0) + machine.per_gpu * self.gpus)
        least = min(found)
        return 1 << 60 if math.isinf(least) else int(least)

    def put(self, machine: Machine, count: int) -> None:
        """Put so many machines of a size on it; below zero takes them away again."""
        self.vcpus -= count * machine.vcpus
        self.memory_gb -= count * machine.memory_gb
        self.gpus -= count * machine.gpus
        if machine.per_gpu:
            free = self.partitions.get(machine.per_gpu, 0) - count
            cut = -(free // machine.per_gpu)  # GPUs to cut, or below zero to give back
            self.gpus -= cut
            self.partitions[machine.per_gpu] = free + cut * machine.per_gpu


def _is_refuted(machines: Sequence[tuple[Machine, int]], room: Room, nodes: int) -> bool:
    """Whether an inequality shows that machines do not fit.

    What a node holds has shares xᵢ of a resource with Σ xᵢ ≤ 1, so Σ (⌈(k + 1) xᵢ⌉ − 1) ≤ k for every whole k: with
    k = 1, no more machines of over half a node than nodes.
    """
    for number in range(3):
        shares = [(_shares(machine, room)[number], count) for machine, count in machines]
        if sum(share * count for share, count in shares) > nodes * (1.0 + FIT_TOLERANCE):
            return True
        for most in range(1, COUNTED + 1):
            if sum(dual_feasible(share, most) * count for share, count in shares) > most * nodes:
                return True
    return False


@overload
def dual_feasible(share: float, most: int) -> float: ...


@overload
def dual_feasible(share: NDArray[np.float64], most: int) -> NDArray[np.float64]: ...


def dual_feasible(share: float | NDArray[np.float64], most: int) -> float | NDArray[np.float64]:
    """What a machine with that share of a node counts where a node takes `most` of such counts.

    Examples
    --------
    >>> [dual_feasible(share, 1) for share in (0.4, 0.5, 0.6)], [dual_feasible(share, 2) for share in (0.3, 0.4, 0.7)]
    ([0.0, 0.0, 1.0], [0.0, 1.0, 2.0])
    """
    whole: Any = -((FIT_TOLERANCE * 1e-3 - (most + 1) * share) // 1.0) - 1.0
    return whole * (whole > 0.0) + 0.0  # type: ignore[no-any-return]


def _spreads(machines: Sequence[tuple[Machine, int]], room: Room, nodes: int) -> bool:
    """Whether one node takes its part, rounded up, of every size."""
    node = _Node(room)
    for machine, count in machines:
        part = -(-count // nodes)
        if node.most(machine) < part:
            return False
        node.put(machine, part)
    return True


def _orders(machines: Sequence[tuple[Machine, int]], room: Room) -> Iterator[Sequence[tuple[Machine, int]]]:
    """The sizes in orders in which it pays to put them on nodes: as given, by what they take of all and of each."""
    yield machines
    shares = {machine: _shares(machine, room) for machine, _ in machines}
    total = [sum(shares[machine][number] * count for machine, count in machines) for number in range(3)]
    for weights in (total, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        scores = {
            machine: sum(part * weight for part, weight in zip(share, weights, strict=True))
            for machine, share in shares.items()
        }
        yield sorted(machines, key=lambda entry, scores=scores: -scores[entry[0]])  # type: ignore[misc]


def _is_placed(machines: Sequence[tuple[Machine, int]], room: Room, nodes: int) -> bool:
    """Whether all fit where every node takes as many of each size as it can, in order."""
    left = list(machines)
    for _ in range(nodes):
        node = _Node(room)
        after: list[tuple[Machine, int]] = []
        for machine, count in left:
            taken = min(count, node.most(machine))
            if taken:
                node.put(machine, taken)
            if taken < count:
                after.append((machine, count - taken))
        left = after
        if not left:
            return True
    return False


class _ExhaustedError(Exception):
    """The effort is used up."""


class _Search:
    """Every way to fill one node after another, each so that nothing else would fit on it.

    Nodes are alike and some node holds the largest machine left, so the next node may be taken to be that one.
    """

    def __init__(self, machines: Sequence[tuple[Machine, int]], room: Room) -> None:
        self._sizes = [machine for machine, _ in machines]
        self._counts = tuple(count for _, count in machines)
        self._room, self._effort = room, EFFORT
        self._failed: set[tuple[int, tuple[int, ...]]] = set()

    def verdict(self, nodes: int) -> Verdict:
        """What the search finds within its effort."""
        try:
            return Verdict.FITS if self._is_possible(self._counts, nodes) else Verdict.CANNOT
        except _ExhaustedError:
            return Verdict.UNDECIDED

    def _is_possible(self, left: tuple[int, ...], nodes: int) -> bool:
        machines = [(machine, count) for machine, count in zip(self._sizes, left, strict=True) if count]
        if not machines:
            return True
        if nodes == 0 or (nodes, left) in self._failed or _is_refuted(machines, self._room, nodes):
            return False
        if _is_placed(machines, self._room, nodes):
            return True
        first = next(index for index, count in enumerate(left) if count)
        for content in self._contents(_Node(self._room), left, first, first):
            rest = list(left)
            for index, count in content:
                rest[index] -= count
            if self._is_possible(tuple(rest), nodes - 1):
                return True
        self._failed.add((nodes, left))
        return False

    def _contents(
        self, node: _Node, left: tuple[int, ...], first: int, index: int
    ) -> Iterator[tuple[tuple[int, int], ...]]:
        """What may be on a node of the sizes from `index` on, of the first size at least one."""
        self._effort -= 1
        if self._effort < 0:
            raise _ExhaustedError
        if index == len(left):
            yield ()
            return
        machine = self._sizes[index]
        most = min(left[index], node.most(machine)) if left[index] else 0
        for count in range(most, -1 if index != first else 0, -1):
            node.put(machine, count)
            for others in self._contents(node, left, first, index + 1):
                if count == most or count == left[index] or node.most(machine) < 1:
                    yield ((index, count), *others)
            node.put(machine, -count)
