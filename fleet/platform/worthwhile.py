"""Which archetypes are worth choosing: those for which no other one of the same nodes can stand in from then on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fleet.inventory.tables.workloads import TIERS
from fleet.platform.archetype import Archetype

#: Of each resiliency tier, the types that workloads ask for.
Asked = Mapping[str, frozenset[str]]


def worthwhile(
    found: Sequence[Archetype],
    roots: Sequence[int],
    may_become: Callable[[Archetype, Archetype], bool],
    asked: Asked,
) -> tuple[Archetype, ...]:
    """What is reached from the roots where every step leaves out what another one of the same nodes can stand in for.

    Parameters
    ----------
    found : sequence of Archetype
        Of one node model; of equals the first is preferred.
    roots : sequence of int
        Those that a cluster may begin as. One of them alone always stays.
    may_become : callable
        Whether a cluster of one archetype may be another one in the next period.
    asked : mapping
        Types that workloads ask for, by tier: nothing stands in for one of another type.

    Notes
    -----
    One archetype stands in for another one if it serves every demand that the other serves and may become, whatever the
    other becomes, something that stands in for that: a simulation. So every path has one among those that stay, of the
    same node counts, that serves the same demands in every period.
    """
    into = [[after for after, other in enumerate(found) if may_become(one, other)] for one in found]
    stands_in = _stand_ins(found, into, asked)

    def kept_of(steps: Sequence[int]) -> list[int]:
        return [one for one in steps if not any(_is_better(other, one, stands_in) for other in steps if other != one)]

    kept = kept_of(roots)
    for index in kept:
        kept += [step for step in kept_of(into[index]) if step not in kept]
    return tuple(found[index] for index in sorted(kept))


def _is_better(other: int, one: int, stands_in: set[tuple[int, int]]) -> bool:
    return (other, one) in stands_in and (other < one or (one, other) not in stands_in)


def _stand_ins(found: Sequence[Archetype], into: Sequence[Sequence[int]], asked: Asked) -> set[tuple[int, int]]:
    """Pairs (a, b) where a stands in for b."""
    pairs = {
        (a, b)
        for a, first in enumerate(found)
        for b, second in enumerate(found)
        if a == b
        or (first.nodes == second.nodes and first.topology == second.topology and replaces(first, second, asked))
    }
    while True:
        false = {
            (a, b)
            for a, b in pairs
            if a != b and not all(any((step, later) in pairs for step in into[a]) for later in into[b])
        }
        if not false:
            return pairs
        pairs -= false


def replaces(a: Archetype, b: Archetype, asked: Asked) -> bool:
    """Whether `a` serves every demand that `b` serves: as good, and with the types of `b` that are asked for."""
    return covers(a, b) and all(a.layout[tier] == b.layout[tier] or b.layout[tier] not in asked[tier] for tier in TIERS)


def covers(a: Archetype, b: Archetype) -> bool:
    """Whether `a` survives as many node failures as `b`, and stores as much on every tier."""
    return a.node_tolerance >= b.node_tolerance and all(a.efficiency[tier] >= b.efficiency[tier] for tier in TIERS)
