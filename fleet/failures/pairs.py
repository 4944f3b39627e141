"""Sum up what pairs of failures do, of which there are too many to list."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field

from fleet.failures.elements import KINDS, Element
from fleet.failures.sweep import FailureRow

#: Rows that a tally keeps, the worst of all.
KEPT = 200


def harm(row: FailureRow) -> tuple[int, int, int, int, int]:
    """How bad a failure is, for sorting: broken promises, lost, overloaded, down, restored."""
    return len(row.broken_promises), len(row.lost), len(row.overloaded), len(row.down), len(row.restored)


@dataclass
class PairTally:
    """What the pairs seen so far do.

    Attributes
    ----------
    pairs, harmful : Counter
        By the kinds of both elements, the smaller kind first: rows, and rows in which protected demands are lost or a
        limit is broken.
    lost : dict
        Protected demands lost, by the ids of both elements, where there are any.
    """

    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    harmful: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: dict[tuple[str, str], int] = field(default_factory=dict)
    _worst: list[tuple[tuple[int, ...], int, FailureRow]] = field(default_factory=list)

    def add(self, first: Element, second: Element, row: FailureRow) -> None:
        """Count one pair."""
        a, b = sorted((first.kind, second.kind), key=KINDS.index)
        self.pairs[a, b] += 1
        if not row.lost and not row.overloaded:
            return
        self.harmful[a, b] += 1
        if row.lost:
            self.lost[first.id, second.id] = len(row.lost)
        entry = (harm(row), -self.total, row)
        if len(self._worst) < KEPT:
            heapq.heappush(self._worst, entry)
        elif entry[:2] > self._worst[0][:2]:
            heapq.heapreplace(self._worst, entry)

    @property
    def total(self) -> int:
        """Pairs seen."""
        return sum(self.pairs.values())

    @property
    def worst(self) -> tuple[FailureRow, ...]:
        """The worst rows, the worst first; of equal ones in the order seen."""
        return tuple(row for _, _, row in sorted(self._worst, key=lambda entry: entry[:2], reverse=True))

    def most_involved(self, count: int) -> tuple[str, ...]:
        """The elements that share in most losses, from small to large kinds."""
        sums: Counter[str] = Counter()
        for (first, second), lost in self.lost.items():
            sums[first] += lost
            sums[second] += lost if second != first else 0
        chosen = sorted(sums, key=lambda name: (-sums[name], name))[:count]
        order: list[str] = list(KINDS)
        return tuple(sorted(chosen, key=lambda name: (order.index(name.partition(":")[0]), name)))
