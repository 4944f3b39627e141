"""Integer programs over part of a facility problem: few arcs and options exactly, the rest as it is.

Used for the proof (only what can be in a better solution), for a promising kernel, and for regions around a few
neighboring facilities of the incumbent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.linear.model import INFINITY, LinearModel
from solvers.location.layout import Layout
from solvers.location.problem import Floats, Integers
from solvers.location.search.state import WAITING
from solvers.location.tolerances import TOLERANCE
from solvers.tolerances import IS_ONE

Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Restricted:
    """A model over chosen arcs and options.

    Attributes
    ----------
    arcs, options : arrays
        Positions in the layout of the arcs and options that the model may use, in the order of its columns: all arcs
        first, then all options, then whether each facility with several of them is open.
    demands : array
        The demands that it places.
    is_whole : bool
        Whether it places every demand, so that its bound is one of the problem.
    """

    layout: Layout
    model: LinearModel
    arcs: Integers
    options: Integers
    demands: Integers
    is_whole: bool

    def hint(self, place: Integers, option: Integers) -> Floats:
        """The incumbent in the model's columns."""
        layout = self.layout
        used = place[layout.arc_demand[self.arcs]] == layout.arc_facility[self.arcs]
        owner = np.searchsorted(layout.option_start, self.options, side="right") - 1
        known = np.concatenate([used, option[owner] == self.options]).astype(np.float64)
        return np.append(known, np.full(self.model.columns - len(known), np.nan))

    def placed(self, solution: Floats, place: Integers) -> Integers:
        """The assignment that a solution of the model makes of `place`."""
        layout = self.layout
        chosen = self.arcs[solution[: len(self.arcs)] > IS_ONE]
        result = place.copy()
        result[self.demands] = WAITING
        result[layout.arc_demand[chosen]] = layout.arc_facility[chosen]
        return result


def restrict(
    layout: Layout,
    arcs: Booleans,
    options: Booleans,
    *,
    demands: Booleans | None = None,
    place: Integers | None = None,
) -> Restricted:
    """Build the model over some arcs and options.

    Parameters
    ----------
    arcs, options : arrays (A,), (K,)
        What the model may use.
    demands : array (n,), optional
        Which demands it places; all where None. The others stay at `place`, and their facilities stay open.

    Returns
    -------
    Restricted
    """
    chosen = np.ones(layout.demands, dtype=bool) if demands is None else demands
    arcs = arcs & chosen[layout.arc_demand]
    inside = np.zeros(layout.facilities, dtype=bool)
    inside[layout.arc_facility[arcs]] = True
    owner = np.repeat(np.arange(layout.facilities), np.diff(layout.option_start))
    kept_arcs, kept_options = np.flatnonzero(arcs), np.flatnonzero(options & inside[owner])
    model = LinearModel()
    arc_columns = model.add_variables(np.ones(len(kept_arcs)), True)
    option_columns = model.add_variables(np.ones(len(kept_options)), True)
    model.cost = [*layout.arc_cost[kept_arcs].tolist(), *layout.option_cost[kept_options].tolist()]
    held, limit = np.zeros((layout.facilities, layout.demand.shape[1])), layout.max_open
    if place is not None and demands is not None:
        fixed = np.flatnonzero(~chosen & (place != WAITING))
        np.add.at(held, place[fixed], layout.demand[fixed])
        limit -= int((~inside[np.unique(place[fixed])]).sum())
    _assignment_rows(layout, model, kept_arcs, arc_columns)
    by_facility = np.argsort(layout.arc_facility[kept_arcs], kind="stable")
    arc_bounds = np.searchsorted(layout.arc_facility[kept_arcs][by_facility], np.arange(layout.facilities + 1))
    option_bounds = np.searchsorted(owner[kept_options], np.arange(layout.facilities + 1))
    for j in np.flatnonzero(inside).tolist():
        mine = by_facility[arc_bounds[j] : arc_bounds[j + 1]]
        choices = np.arange(option_bounds[j], option_bounds[j + 1])
        _facility_rows(layout, model, kept_arcs[mine], arc_columns[mine], kept_options[choices],
                       option_columns[choices], held[j])  # fmt: skip
    if limit < int(inside.sum()):
        model.add_arrays("MAX-OPEN", option_columns, np.ones(len(option_columns)), -INFINITY, float(limit))
    if demands is None:
        _cover_rows(layout, model, kept_options, option_columns)
    return Restricted(layout, model, kept_arcs, kept_options, np.flatnonzero(chosen), demands is None)


def _assignment_rows(layout: Layout, model: LinearModel, arcs: Integers, columns: Integers) -> None:
    order = np.argsort(layout.arc_demand[arcs], kind="stable")
    served, starts = np.unique(layout.arc_demand[arcs][order], return_index=True)
    for group in np.split(order, starts[1:]) if len(served) else []:
        model.add_arrays("ASSIGN", columns[group], np.ones(len(group)), 1.0, 1.0)


def _facility_rows(
    layout: Layout,
    model: LinearModel,
    arcs: Integers,
    arc_columns: Integers,
    options: Integers,
    option_columns: Integers,
    held: Floats,
) -> None:
    """One option, an arc only where open, and the load of each resource within the option's capacity.

    An arc into an option that cannot carry its demand alone is left to the capacity rows.
    """
    opens = option_columns
    if len(options) > 1:
        opens = model.add_variables(np.ones(1), True)
        ones = np.ones(len(options))
        model.add_arrays("OPTION", np.concatenate([opens, option_columns]), np.append(-1.0, ones), 0.0, 0.0)
    values = np.array([1.0, -1.0])
    for column in arc_columns.tolist() if len(opens) else []:
        model.add_arrays("OPEN", np.append(column, opens), values, -INFINITY, 0.0)
    largest = layout.demand[layout.arc_demand[arcs]].sum(axis=0) + held
    for resource in range(layout.demand.shape[1]):
        capacity = np.minimum(layout.option_capacity[options, resource], largest[resource])
        loads = layout.demand[layout.arc_demand[arcs], resource]
        if (capacity >= largest[resource]).all() or not loads.any():
            continue
        columns = np.concatenate([arc_columns, option_columns])
        model.add_arrays("CAPACITY", columns, np.concatenate([loads, -capacity]), -INFINITY, -float(held[resource]))


def _cover_rows(layout: Layout, model: LinearModel, options: Integers, option_columns: Integers) -> None:
    """The chosen options can carry all demand together: implied, and a start for the engine's cuts."""
    for resource in range(layout.demand.shape[1]):
        total = float(layout.demand[:, resource].sum())
        capacity = np.minimum(layout.option_capacity[options, resource], total)
        if total > 0.0:
            model.add_arrays("COVER", option_columns, capacity, total * (1.0 - TOLERANCE), INFINITY)
