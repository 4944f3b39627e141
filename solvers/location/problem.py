"""A facility location problem as plain arrays: what is to be served, from where, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solvers.location.tolerances import CAPACITY_TOLERANCE

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class FacilityProblemError(ValueError):
    """The arrays do not make a problem; ``problems`` names every reason, each with its remedy."""

    #: How many problems the message shows before it only counts the rest.
    SHOWN = 50

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        hidden = len(problems) - self.SHOWN
        more = [f"… and {hidden} more"] if hidden > 0 else []
        plural = "problem" if len(problems) == 1 else "problems"
        super().__init__("\n".join([f"{len(problems)} {plural}", *problems[: self.SHOWN], *more]))

    def __reduce__(self) -> tuple[type[FacilityProblemError], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


@dataclass(frozen=True, eq=False, repr=False, init=False)
class FacilityProblem:
    """Assign every demand to one facility, and choose at most one option for each facility, at least cost.

    Minimize the cost of the arcs used and of the options chosen, such that each demand is assigned along one of its
    arcs to a facility with an option, and that for every facility with option o and every resource r
    Σ option_weight[o, r] · demand[i, r] over the demands i assigned to it ≤ option_capacity[o, r].
    One option per facility and one resource make it the single-source capacitated facility location problem;
    free options, infinite capacity and `max_open` make it the p-median problem.

    Every argument may be anything that is like an array; it is kept as a read-only copy, float64 or int64.

    Attributes
    ----------
    demand : array (n_demands, n_resources)
        What each demand takes of each resource, ≥ 0.
    arc_demand, arc_facility : array (n_arcs,)
        The eligible assignments: indices of a demand and of a facility, each pair at most once.
    arc_cost : array (n_arcs,)
        What each assignment costs; may be negative.
    option_facility : array (n_options,)
        The facility that each option belongs to.
    option_cost : array (n_options,)
        What choosing it costs, ≥ 0.
    option_capacity : array (n_options, n_resources)
        What it can carry, ≥ 0; may be infinite.
    option_weight : array (n_options, n_resources)
        Factor on demand under that option, ≥ 0, such as the number of copies; ones where not given.
    max_open : int or None
        At most this many facilities have an option.

    Raises
    ------
    FacilityProblemError
        With everything that is wrong, a demand that no eligible facility could ever carry included.
    """

    demand: Floats
    arc_demand: Integers
    arc_facility: Integers
    arc_cost: Floats
    option_facility: Integers
    option_cost: Floats
    option_capacity: Floats
    option_weight: Floats
    max_open: int | None

    def __init__(
        self,
        demand: ArrayLike,
        arc_demand: ArrayLike,
        arc_facility: ArrayLike,
        arc_cost: ArrayLike,
        option_facility: ArrayLike,
        option_cost: ArrayLike,
        option_capacity: ArrayLike,
        option_weight: ArrayLike | None = None,
        max_open: int | None = None,
    ) -> None:
        problems: list[str] = []
        values: dict[str, Any] = {
            "demand": _floats("demand", demand, 2, problems),
            "arc_demand": _integers("arc_demand", arc_demand, problems),
            "arc_facility": _integers("arc_facility", arc_facility, problems),
            "arc_cost": _floats("arc_cost", arc_cost, 1, problems),
            "option_facility": _integers("option_facility", option_facility, problems),
            "option_cost": _floats("option_cost", option_cost, 1, problems),
            "option_capacity": _floats("option_capacity", option_capacity, 2, problems),
        }
        if option_weight is None:
            values["option_weight"] = np.ones((len(values["option_facility"]), values["demand"].shape[1]))
        else:
            values["option_weight"] = _floats("option_weight", option_weight, 2, problems)
        values["max_open"] = _count("max_open", max_open, problems)
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, name, value)
        if not problems:
            problems += _shape_problems(self)
        if not problems:  # what follows reads the arrays as if they fitted each other
            problems += [*_value_problems(self), *_index_problems(self)]
        if not problems:
            problems += _unserved_problems(self)
        if problems:
            raise FacilityProblemError(tuple(problems))

    @property
    def n_demands(self) -> int:
        """Number of demands."""
        return int(self.demand.shape[0])

    @property
    def n_resources(self) -> int:
        """Number of resources."""
        return int(self.demand.shape[1])

    @property
    def n_arcs(self) -> int:
        """Number of eligible assignments."""
        return int(self.arc_demand.shape[0])

    @property
    def n_options(self) -> int:
        """Number of options of all facilities together."""
        return int(self.option_facility.shape[0])

    @cached_property
    def n_facilities(self) -> int:
        """Number of facilities: one more than the highest index among arcs and options."""
        return 1 + max(int(self.arc_facility.max(initial=-1)), int(self.option_facility.max(initial=-1)))

    def __repr__(self) -> str:
        limit = "" if self.max_open is None else f", at most {self.max_open} open"
        return (
            f"FacilityProblem({self.n_demands} demands, {self.n_facilities} facilities, {self.n_options} options, "
            f"{self.n_resources} resources, {self.n_arcs} arcs{limit})"
        )


def _floats(name: str, value: ArrayLike, dimensions: int, problems: list[str]) -> Floats:
    """A contiguous copy; what is wrong with it joins `problems`."""
    try:
        array = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        problems.append(f"{name} is not an array of numbers ({error}): pass numbers in rows of equal length")
        return np.zeros((0,) * dimensions)
    if array.ndim != dimensions:
        shape = "(n,)" if dimensions == 1 else "(n, n_resources)"
        problems.append(f"{name} has shape {array.shape}: pass {dimensions} dimensions, {shape}")
        return np.zeros((0,) * dimensions)
    return array


def _integers(name: str, value: ArrayLike, problems: list[str]) -> Integers:
    """A contiguous copy; what is wrong with it joins `problems`."""
    array = _floats(name, value, 1, problems)
    broken = np.flatnonzero(~np.isfinite(array) | (np.abs(array) > 2.0**53) | (array != np.rint(array)))
    if len(broken):
        problems.append(f"{name}[{broken[0]}] is {array[broken[0]]}{_others(broken)}: pass whole numbers")
        return np.zeros(0, dtype=np.int64)
    return array.astype(np.int64)


def _count(name: str, value: int | None, problems: list[str]) -> int | None:
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if number != value or number < 1:
        problems.append(f"{name} is {value!r}: pass a whole number of at least 1, or None for no limit")
        return None
    return number


def _others(places: Integers) -> str:
    return f" and {len(places) - 1} more like it" if len(places) > 1 else ""


def _shape_problems(problem: FacilityProblem) -> list[str]:
    found = []
    arcs = {"arc_facility": problem.arc_facility, "arc_cost": problem.arc_cost}
    for name, values in arcs.items():
        if len(values) != problem.n_arcs:
            found.append(f"{name} has {len(values)} entries and arc_demand {problem.n_arcs}: pass one per arc in each")
    rows = {
        "option_cost": problem.option_cost,
        "option_capacity": problem.option_capacity,
        "option_weight": problem.option_weight,
    }
    for name, values in rows.items():
        if len(values) != problem.n_options:
            found.append(
                f"{name} has {len(values)} rows and option_facility {problem.n_options}: pass one per option in each"
            )
    if problem.n_resources < 1:
        found.append("demand has no resource: pass at least one column, of zeros where nothing is limited")
    for name in ("option_capacity", "option_weight"):
        columns = rows[name].shape[1]
        if columns != problem.n_resources:
            found.append(
                f"{name} has {columns} columns and demand {problem.n_resources}: pass one per resource in each"
            )
    return found


def _value_problems(problem: FacilityProblem) -> list[str]:
    found: list[str] = []
    for name in ("demand", "arc_cost", "option_cost", "option_capacity", "option_weight"):
        values: Floats = getattr(problem, name)
        may_be_infinite, may_be_negative = name == "option_capacity", name == "arc_cost"
        broken = np.isnan(values) if may_be_infinite else ~np.isfinite(values)
        found += _broken(name, values, broken, "pass a finite number" if not may_be_infinite else "pass a number")
        if not may_be_negative:
            found += _broken(name, values, values < 0, "pass a number of at least 0")
    return found


def _broken(name: str, values: Floats, broken: NDArray[np.bool_], remedy: str) -> list[str]:
    places = np.argwhere(broken)
    if not len(places):
        return []
    place = tuple(int(index) for index in places[0])
    return [f"{name}{list(place)} is {values[place]}{_others(places)}: {remedy}"]


def _index_problems(problem: FacilityProblem) -> list[str]:
    found = []
    arcs, facilities = problem.arc_demand, problem.arc_facility
    outside = np.flatnonzero((arcs < 0) | (arcs >= problem.n_demands))
    if len(outside):
        found.append(
            f"arc_demand[{outside[0]}] is {arcs[outside[0]]}{_others(outside)}: "
            f"pass the index of a demand, 0 to {problem.n_demands - 1}"
        )
    for name, values in (("arc_facility", facilities), ("option_facility", problem.option_facility)):
        negative = np.flatnonzero(values < 0)
        if len(negative):
            found.append(
                f"{name}[{negative[0]}] is {values[negative[0]]}{_others(negative)}: "
                "pass the index of a facility, at least 0"
            )
    if not found and problem.n_arcs:
        key = arcs * problem.n_facilities + facilities
        order = np.argsort(key, kind="stable")
        again = order[1:][key[order][1:] == key[order][:-1]]
        found += [
            f"arc {arc} from demand {arcs[arc]} to facility {facilities[arc]} is there already: pass each pair once"
            for arc in np.sort(again)
        ]
    return found


def _unserved_problems(problem: FacilityProblem) -> list[str]:
    """Demands that nothing can serve. Options are tried largest first, so most are settled in the first round."""
    count = np.bincount(problem.arc_demand, minlength=problem.n_demands)
    found = [
        f"demand {demand} has no arc: add one to a facility that may serve it, or leave the demand out"
        for demand in np.flatnonzero(count == 0)
    ]
    pending = count > 0
    for options in _rounds(problem):
        arcs = np.flatnonzero(pending[problem.arc_demand])
        if not len(arcs):
            break
        option = options[problem.arc_facility[arcs]]
        arcs, option = arcs[option >= 0], option[option >= 0]
        load = problem.demand[problem.arc_demand[arcs]] * problem.option_weight[option]
        fits = (load <= problem.option_capacity[option] * (1.0 + CAPACITY_TOLERANCE)).all(axis=1)
        pending[problem.arc_demand[arcs[fits]]] = False
    for demand in np.flatnonzero(pending):
        facilities = problem.arc_facility[problem.arc_demand == demand]
        shown = ", ".join(str(facility) for facility in facilities[:10]) + (", …" if len(facilities) > 10 else "")
        found.append(
            f"demand {demand} fits no option of its eligible facilities ({shown}), even alone: "
            "add an option that can carry it or an arc to a facility that has one, or split the demand"
        )
    return found


def _rounds(problem: FacilityProblem) -> list[Integers]:
    """For each round the option that every facility tries, −1 where it has no more; large ones first."""
    finite = np.where(np.isfinite(problem.option_capacity), problem.option_capacity, 0.0)
    largest = finite.max(axis=0, initial=0.0)
    share = np.where(np.isfinite(problem.option_capacity), finite / np.where(largest > 0, largest, 1.0), 2.0)
    order = np.lexsort((-share.min(axis=1), problem.option_facility))
    facility = problem.option_facility[order]
    rank = np.arange(problem.n_options) - np.searchsorted(facility, facility)
    rounds = []
    for number in range(int(rank.max(initial=-1)) + 1):
        options = np.full(problem.n_facilities, -1, dtype=np.int64)
        options[facility[rank == number]] = order[rank == number]
        rounds.append(options)
    return rounds
