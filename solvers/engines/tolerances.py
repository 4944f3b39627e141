"""How exact engines are taken to be: differences that are rounding, in one place.

None of them steers a search; each keeps a bound, a verdict or a comparison right although floating-point sums round.
"""

from __future__ import annotations

#: Relative difference from which the objective that an engine states for a solution is wrong; less is rounding.
OBJECTIVE_TOLERANCE = 1e-4
#: Relative difference up to which a bound above an objective is rounding: that of the audit and of the engines' rows.
BOUND_TOLERANCE = 1e-6
#: What is this close to a whole number is one, before limits and coefficients are rounded to integers for CP-SAT.
WHOLE_TOLERANCE = 1e-9
#: Least worth of one step of CP-SAT's integer objective.
LEAST_STEP = 1e-9
#: Share of the summed magnitudes by which the two sides of a conflict must differ: rounding is a millionth of that.
CONFLICT_MARGIN = 1e-8
#: Magnitudes of a conflict count as no less than this.
LEAST_MAGNITUDE = 1e-9
#: A design fits its placements when the step towards the fitting design is at most this.
FITS = 1e-6
#: Coefficients of a Benders row below this, relative to its largest, are dropped, and its limit relaxed by their reach.
TINY = 1e-9
#: Differences of activity below this are none.
NO_DIRECTION = 1e-12
