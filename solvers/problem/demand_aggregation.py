"""Classes counted together: continuous placements need to know how much there is, not in what portions.

Where placements are continuous, identical shares of classes whose needs are proportional serve as well as any others:
spread every class of a bundle like the bundle, and each row keeps its value. So a bundle of proportional classes with
the same slots, pairs and way into the WAN is one class of a single large unit, and the model with it is as tight as the
one with all of them. Needs that are proportional but for rounding count by the least ratio, so bounds stay valid.

Where needs are mixed in more ways than there are kinds of them, no two sites alike, bundles would be as many as
classes. Then bounds count every kind of need by itself (`aggregated`): the share of all processors that a plan puts
somewhere, of all data, and so on; they are not held together any more, which relaxes the problem. Designs (`bundle`)
take the classes as one whose mix is that of the whole; single units are packed by their own needs afterwards.
Where the sets of places are many as well, bounds put similar ones together (`solvers.problem.reach_aggregation`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solvers.linear.interned import Interned
from solvers.linear.model import Floats
from solvers.problem.design import DesignProblem
from solvers.problem.reach_aggregation import Group, coverings, widened
from solvers.problem.sets import Booleans, DemandClass, Profile
from solvers.tolerances import NEED_DIGITS


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
    """Count classes together for a design: proportional ones, or all with the same places where mixes are many.

    Parameters
    ----------
    problem : DesignProblem
        Classes of units.
    slots : collection of int, optional
        The slots that may be used, all where None: classes that differ in other slots only go together.
    by_way : bool
        Whether classes that enter the WAN in different places are told apart, as the rows of links ask for.
    """
    classes: list[DemandClass] = []
    members: list[tuple[int, ...]] = []
    sizes: list[Floats] = []
    for group in _groups(problem, slots, by_way):
        mixes = _by_mix(group)
        is_mixed = len(mixes) > problem.parameters.problem.mixes
        for demand_classes in [group] if is_mixed else mixes:
            members.append(tuple(demand_class.index for demand_class in demand_classes))
            sizes.append(_shares(demand_classes) if is_mixed else _ratios(demand_classes) / _total(demand_classes))
            classes.append(_summed(demand_classes) if is_mixed else _scaled(demand_classes[0], _total(demand_classes)))
    return Bundles(_over(problem, classes), tuple(members), tuple(sizes))


def aggregated(problem: DesignProblem, slots: Collection[int] | None = None) -> DesignProblem:
    """The problem over bundles for a bound: proportional classes as one, every need by itself where mixes are many.

    Parameters
    ----------
    problem : DesignProblem
        Classes of units.
    slots : collection of int, optional
        The slots that may be used: sets of places are few then, and told apart. All where None.
    """
    groups = _groups(problem, slots, by_way=False)
    tuning = problem.parameters.problem
    classes = _counted(groups, tuning.mixes)
    if slots is not None or sum(map(_columns, classes)) <= tuning.bound_columns:
        return _over(problem, classes)
    kinds: dict[tuple[object, ...], list[Group]] = {}
    for group in groups:
        kinds.setdefault(_kind(group[0]), []).append(group)
    wide = [group for kind in kinds.values() for group in widened(kind, tuning.reaches)]
    needed = coverings(group[0] for group in groups) if len(wide) < len(groups) else ()
    return replace(_over(problem, _counted(wide, tuning.mixes)), coverings=needed)


def _counted(groups: Sequence[Group], most_mixes: int) -> list[DemandClass]:
    classes: list[DemandClass] = []
    for group in groups:
        mixes = _by_mix(group)
        if len(mixes) > most_mixes:
            mixes = [demand_classes for kind in _by_need(group) for demand_classes in _by_mix(kind)]
        classes += [_scaled(demand_classes[0], _total(demand_classes)) for demand_classes in mixes]
    return classes


def _columns(demand_class: DemandClass) -> int:
    """Placement columns of a class in the separate formulation."""
    pairs, groups = demand_class.group_pairs, demand_class.view.group_of_slot
    if pairs is None:
        return int(demand_class.group_eligible[groups].sum())
    return sum(int(np.asarray(pairs.any(axis=axis))[groups].sum()) for axis in (0, 1))


def _over(problem: DesignProblem, classes: Sequence[DemandClass]) -> DesignProblem:
    return replace(
        problem, classes=tuple(replace(demand_class, index=index) for index, demand_class in enumerate(classes))
    )


# -- what goes together ------------------------------------------------------------------------------------------------


def _groups(problem: DesignProblem, slots: Collection[int] | None, by_way: bool) -> list[Group]:
    """Classes that differ in nothing but how much they need."""
    together: dict[tuple[object, ...], Group] = {}
    within = _Within(problem, slots)
    for demand_class in problem.classes:
        own = within(demand_class)
        together.setdefault((_kind(own), _places(own, by_way)), []).append(own)
    return list(together.values())


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

    def __call__(self, demand_class: DemandClass) -> DemandClass:
        inside = self._inside
        if inside is None:
            return demand_class
        pairs = demand_class.group_pairs
        return replace(
            demand_class,
            group_eligible=self._cut(demand_class.group_eligible, inside),
            group_pairs=None if pairs is None else self._cut(pairs, inside[:, None] & inside[None, :]),
        )

    def _cut(self, array: Booleans, inside: Booleans) -> Booleans:
        if id(array) not in self._known:
            self._known[id(array)] = self._kept(array & inside)
        return self._known[id(array)]


def _kind(demand_class: DemandClass) -> tuple[object, ...]:
    """Everything but places and how much of each need there is: how each need grows, what it asks for."""
    paces = [_direction(values).tobytes() for values in _needs(demand_class)]
    profiles = tuple(
        (profile.is_protected, profile.backup_site, profile.leaves_when_cut) for profile in demand_class.profiles
    )
    return (
        demand_class.first_period,
        *paces,
        demand_class.is_protected,
        demand_class.asks,
        demand_class.is_at_host,
        profiles,
    )


def _places(demand_class: DemandClass, by_way: bool) -> tuple[object, ...]:
    """Where it may be, and the way that it enters the WAN."""
    places = (id(demand_class.group_eligible), id(demand_class.group_pairs))
    if not by_way:
        return places
    ways = tuple((id(profile.host_reach), id(profile.user_down)) for profile in demand_class.profiles)
    return (*places, demand_class.attachment, ways)


def _by_mix(demand_classes: Sequence[DemandClass]) -> list[Group]:
    """Proportional classes together."""
    together: dict[bytes, Group] = {}
    for demand_class in demand_classes:
        flat = np.concatenate([values.ravel() for values in _needs(demand_class)])
        together.setdefault(_direction(flat).tobytes(), []).append(demand_class)
    return list(together.values())


def _direction(values: Floats) -> Floats:
    """Amounts relative to the largest, columns by themselves."""
    largest = np.abs(values).max(axis=0)
    return np.asarray(np.round(values / np.where(largest > 0, largest, 1.0), NEED_DIGITS) + 0.0, dtype=np.float64)


def _by_need(demand_classes: Sequence[DemandClass]) -> list[Group]:
    """The classes with one kind of their needs at a time, as far as any has it."""
    kinds: dict[tuple[str, int], Group] = {}
    for demand_class in demand_classes:
        for kind, own in _single_needs(demand_class):
            kinds.setdefault(kind, []).append(own)
    return list(kinds.values())


def _single_needs(demand_class: DemandClass) -> Iterator[tuple[tuple[str, int], DemandClass]]:
    """A class with each kind of its needs alone: what runs and what is copied of a kind belong together."""
    nothing = replace(_scaled(demand_class, 0.0), is_part=True)
    for number in range(demand_class.compute.shape[1]):
        if demand_class.compute[:, number].any():
            own = np.arange(demand_class.compute.shape[1]) == number
            profiles = tuple(
                replace(empty, compute=profile.compute * own)
                for empty, profile in zip(nothing.profiles, demand_class.profiles, strict=True)
            )
            compute, standby = demand_class.compute * own, demand_class.standby_compute * own
            yield ("compute", number), replace(nothing, compute=compute, standby_compute=standby, profiles=profiles)
    for number in range(demand_class.storage.shape[1]):
        if demand_class.storage[:, number].any():
            own = np.arange(demand_class.storage.shape[1]) == number
            yield (
                ("storage", number),
                replace(
                    nothing, storage=demand_class.storage * own, standby_storage=demand_class.standby_storage * own
                ),
            )
    if demand_class.upload_mbps.any():
        yield ("upload", 0), replace(nothing, upload_mbps=demand_class.upload_mbps)
    for number, profile in enumerate(demand_class.profiles):
        for kind in ("traffic_mbps", "stream_mbps", "backup_mbps"):
            amount = getattr(profile, kind)
            if amount.any():
                alone = replace(nothing.profiles[number], **{kind: amount})
                profiles = (*nothing.profiles[:number], alone, *nothing.profiles[number + 1 :])
                yield (kind, number), replace(nothing, profiles=profiles)


# -- how much they are together ----------------------------------------------------------------------------------------


def _needs(demand_class: DemandClass) -> list[Floats]:
    """Everything about a class that grows with its size."""
    own = [
        demand_class.compute,
        demand_class.storage,
        demand_class.standby_compute,
        demand_class.standby_storage,
        demand_class.upload_mbps,
    ]
    for profile in demand_class.profiles:
        own += [profile.compute, profile.traffic_mbps, profile.stream_mbps, profile.backup_mbps]
    return own


def _ratios(demand_classes: Sequence[DemandClass]) -> Floats:
    """The size of proportional classes in units of the first."""
    return np.array([_ratio(demand_class, demand_classes[0]) for demand_class in demand_classes])


def _total(demand_classes: Sequence[DemandClass]) -> float:
    """All units of proportional classes in units of the first."""
    return float(_ratios(demand_classes) @ np.array([demand_class.count for demand_class in demand_classes]))


def _ratio(demand_class: DemandClass, reference: DemandClass) -> float:
    """The size of a class in units of the reference, so that no need is overstated."""
    pairs: Sequence[tuple[Floats, Floats]] = list(zip(_needs(demand_class), _needs(reference), strict=True))
    ratios = [float((own[base > 0] / base[base > 0]).min()) for own, base in pairs if (base > 0).any()]
    return min(ratios, default=1.0)


def _shares(demand_classes: Sequence[DemandClass]) -> Floats:
    """What one unit of each class is of all of them: the mean over the kinds of needs."""
    counts = np.array([demand_class.count for demand_class in demand_classes], dtype=np.float64)
    flat = np.array(
        [np.concatenate([values.ravel() for values in _needs(demand_class)]) for demand_class in demand_classes]
    )
    flat = flat[:, flat.any(axis=0)]
    if not flat.shape[1]:
        return np.full(len(demand_classes), 1.0 / counts.sum())
    return np.asarray((flat / (counts @ flat)).mean(axis=1), dtype=np.float64)


def _scaled(demand_class: DemandClass, factor: float) -> DemandClass:
    """One unit that needs so many times what one of the class does."""
    return _with_needs(demand_class, [values * factor for values in _needs(demand_class)])


def _summed(demand_classes: Sequence[DemandClass]) -> DemandClass:
    """One unit that needs what all units of all classes do."""
    columns = zip(
        *([values * demand_class.count for values in _needs(demand_class)] for demand_class in demand_classes),
        strict=True,
    )
    return _with_needs(demand_classes[0], [np.sum(values, axis=0) for values in columns])


def _with_needs(demand_class: DemandClass, needs: Sequence[Floats]) -> DemandClass:
    """A class of one unit with other needs, in the order of `_needs`."""
    compute, storage, standby_compute, standby_storage, upload_mbps, *others = needs

    def profile(number: int, own: Profile) -> Profile:
        compute, traffic_mbps, stream_mbps, backup_mbps = others[4 * number : 4 * number + 4]
        return replace(
            own, compute=compute, traffic_mbps=traffic_mbps, stream_mbps=stream_mbps, backup_mbps=backup_mbps
        )

    return replace(
        demand_class,
        units=demand_class.units[:1],
        compute=compute,
        storage=storage,
        standby_compute=standby_compute,
        standby_storage=standby_storage,
        upload_mbps=upload_mbps,
        profiles=tuple(profile(number, own) for number, own in enumerate(demand_class.profiles)),
        instances=(),
    )
