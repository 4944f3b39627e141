"""Classes of one shape counted together: continuous placements need to know how much there is, not in what portions.

Where placements are continuous, identical shares of classes whose needs are proportional serve as well as any others:
spread every class of a bundle like the bundle, and each row keeps its value. So a bundle of proportional classes with
the same slots, pairs and way into the WAN is one class of a single large unit, and the model with it is as tight as the
one with all of them. Needs that are proportional but for rounding count by the least ratio, so bounds stay valid.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solvers.interning import Interned
from solvers.linear import Floats
from solvers.problem import Booleans, DemandClass, DesignProblem, Profile

#: Digits to which the needs of two classes agree where they are proportional.
DIGITS = 5


@dataclass(frozen=True, eq=False)
class Bundles:
    """A problem over bundles.

    Attributes
    ----------
    problem : DesignProblem
        Every class is a bundle of one unit, which stands for all of its members.
    members : tuple of tuple of int
        Of each bundle, the classes of the original problem.
    sizes : tuple of array
        Of each bundle, what one unit of each member is of the whole bundle.
    """

    problem: DesignProblem
    members: tuple[tuple[int, ...], ...]
    sizes: tuple[Floats, ...]


def bundle(problem: DesignProblem, slots: Collection[int] | None = None, *, by_way: bool = False) -> Bundles:
    """Count proportional classes together.

    Parameters
    ----------
    problem : DesignProblem
        Classes of units.
    slots : collection of int, optional
        The slots that may be used, all where None: classes that differ in other slots only go together.
    by_way : bool
        Whether classes that enter the WAN in different places are told apart, as the rows of links ask for.
    """
    together: dict[tuple[object, ...], list[int]] = {}
    restricted: dict[int, DemandClass] = {}
    within = _Within(problem, slots)
    for part in problem.classes:
        own = restricted[part.index] = within(part)
        together.setdefault(_key(own, by_way), []).append(part.index)
    classes: list[DemandClass] = []
    members: list[tuple[int, ...]] = []
    sizes: list[Floats] = []
    for indices in together.values():
        parts = [restricted[index] for index in indices]
        ratios = np.array([_ratio(part, parts[0]) for part in parts])
        total = float(ratios @ np.array([part.count for part in parts]))
        classes.append(_scaled(parts[0], len(classes), total))
        members.append(tuple(indices))
        sizes.append(ratios / total)
    return Bundles(replace(problem, classes=tuple(classes)), tuple(members), tuple(sizes))


class _Within:
    """Classes as they are when only some slots may be used; equal arrays are one."""

    def __init__(self, problem: DesignProblem, slots: Collection[int] | None) -> None:
        self._kept = Interned()
        self._inside: Booleans | None = None
        self._known: dict[int, Booleans] = {}
        if slots is not None and problem.classes:
            first = problem.classes[0]
            self._inside = np.zeros(len(first.group_eligible), dtype=bool)
            self._inside[first.view.group_of_slot[sorted(slots)]] = True

    def __call__(self, part: DemandClass) -> DemandClass:
        inside = self._inside
        if inside is None:
            return part
        pairs = part.group_pairs
        return replace(
            part,
            group_eligible=self._cut(part.group_eligible, inside),
            group_pairs=None if pairs is None else self._cut(pairs, inside[:, None] & inside[None, :]),
        )

    def _cut(self, array: Booleans, inside: Booleans) -> Booleans:
        if id(array) not in self._known:
            self._known[id(array)] = self._kept(array & inside)
        return self._known[id(array)]


def _needs(part: DemandClass) -> list[Floats]:
    """Everything about a class that grows with its size."""
    own = [part.compute, part.storage, part.standby_compute, part.standby_storage, part.upload_mbps]
    for profile in part.profiles:
        own += [profile.compute, profile.traffic_mbps, profile.stream_mbps]
    return own


def _key(part: DemandClass, by_way: bool) -> tuple[object, ...]:
    flat = np.concatenate([values.ravel() for values in _needs(part)])
    shape = np.round(flat / (np.abs(flat).max() or 1.0), DIGITS)
    key = (
        part.first_period,
        shape.tobytes(),
        id(part.group_eligible),
        id(part.group_pairs),
        part.asks,
        part.is_at_host,
        tuple(profile.is_protected for profile in part.profiles),
    )
    if not by_way:
        return key
    ways = tuple((id(profile.host_reach), id(profile.user_down)) for profile in part.profiles)
    return (*key, part.attachment, ways)


def _ratio(part: DemandClass, reference: DemandClass) -> float:
    """The size of a class in units of the reference, so that no need is overstated."""
    pairs: Sequence[tuple[Floats, Floats]] = list(zip(_needs(part), _needs(reference), strict=True))
    ratios = [float((own[base > 0] / base[base > 0]).min()) for own, base in pairs if (base > 0).any()]
    return min(ratios, default=1.0)


def _scaled(part: DemandClass, index: int, factor: float) -> DemandClass:
    def profile(own: Profile) -> Profile:
        return replace(
            own,
            compute=own.compute * factor,
            traffic_mbps=own.traffic_mbps * factor,
            stream_mbps=own.stream_mbps * factor,
        )

    return replace(
        part,
        index=index,
        units=part.units[:1],
        compute=part.compute * factor,
        storage=part.storage * factor,
        standby_compute=part.standby_compute * factor,
        standby_storage=part.standby_storage * factor,
        upload_mbps=part.upload_mbps * factor,
        profiles=tuple(profile(own) for own in part.profiles),
    )
