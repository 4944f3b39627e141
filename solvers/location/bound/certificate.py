"""From an ascent's best point to a certificate in the problem's own units."""

from __future__ import annotations

import numpy as np

from solvers.location.bound.ascent import Ascent
from solvers.location.result import Certificate


def certify(ascent: Ascent) -> Certificate:
    """Multipliers and, for every option of the problem, the surrogate weights of its class.

    An option that another beats takes the weights of that one, so that its knapsack has no more room.
    """
    layout = ascent.layout
    problem = layout.problem
    weight = problem.option_weight
    merged = ascent.weights[problem.option_facility, layout.option_class[layout.beaten_by]] / layout.scale
    with np.errstate(divide="ignore", invalid="ignore"):
        surrogate = np.where((weight > 0.0) & (merged > 0.0), merged / weight, 0.0)
    return Certificate(ascent.multipliers, surrogate, ascent.is_bound_whole)
