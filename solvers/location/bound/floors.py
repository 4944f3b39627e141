"""What any solution costs at least that uses an arc or an option, by the relaxation's reduced costs.

Floors from several multipliers are all valid, so the highest of them is kept for each arc and option.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solvers.location.bound.ascent import Ascent
from solvers.location.bound.knapsack import whole_penalties
from solvers.location.bound.relaxation import Forced, penalties
from solvers.location.layout import Layout
from solvers.location.problem import Floats
from solvers.location.tolerances import FLOOR_MARGIN

Booleans = NDArray[np.bool_]


@dataclass
class Floors:
    """Lower bounds on every solution that uses an arc, or an option.

    Attributes
    ----------
    arc, option : arrays (A,), (K,)
    """

    layout: Layout
    arc: Floats = field(init=False)
    option: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.arc = np.full(len(self.layout.arc_cost), -np.inf)
        self.option = np.full(len(self.layout.option_cost), -np.inf)

    def raise_by(self, ascent: Ascent) -> None:
        """Take the floors at an ascent's best multipliers."""
        layout = self.layout
        arc, option = np.zeros(len(layout.arc_cost)), np.zeros(len(layout.option_cost))
        forced = Forced(arc, option, np.zeros(layout.facilities))
        if ascent.is_bound_whole and ascent.units is not None:
            whole_penalties(ascent.problem, ascent.units, ascent.multipliers, forced)
        else:
            penalties(ascent.problem, ascent.multipliers, ascent.weights, forced)
        base = _displaced(forced.least, layout.min_open, layout.max_open)
        arc -= np.repeat(base, np.diff(layout.facility_start))
        option -= np.repeat(base, np.diff(layout.option_start))
        np.maximum(self.arc, ascent.bound + np.maximum(arc, 0.0), out=self.arc)
        np.maximum(self.option, ascent.bound + np.maximum(option, 0.0), out=self.option)

    def below(self, cost: float) -> tuple[Booleans, Booleans]:
        """The arcs and the options that a solution of less than `cost` may use."""
        limit = cost - FLOOR_MARGIN * max(1.0, abs(cost)) if np.isfinite(cost) else cost
        options = self.option < limit
        usable = np.zeros(self.layout.facilities, dtype=bool)
        usable[np.repeat(np.arange(self.layout.facilities), np.diff(self.layout.option_start))[options]] = True
        return (self.arc < limit) & usable[self.layout.arc_facility], options


def _displaced(least: Floats, min_open: int, max_open: int) -> Floats:
    """What each facility adds to the bound, or displaces from it where only so many may, or need, open."""
    order = np.argsort(least, kind="stable")
    negative = int(np.count_nonzero(least < 0.0))
    count = min(max(negative, min_open), max_open, int(np.isfinite(least).sum()))
    base = np.zeros(len(least))
    base[order[:count]] = least[order[:count]]
    if count and (count == max_open or count > negative):
        base[order[count:]] = least[order[count - 1]]
    return base
