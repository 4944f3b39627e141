"""Differences that are rounding, in models, engines, evaluation and strategies: in one place.

None of them steers a search; each keeps a bound, a verdict or a comparison right although floating-point sums round.
`fleet.tolerances` is the policy for what is judged; searches keep to tighter limits than that. The location core, which
knows arrays only, has `solvers.location.tolerances`.
"""

from __future__ import annotations

import fleet.tolerances

#: The relative gap from which a result is called optimal, as plans are judged.
OPTIMAL_GAP = fleet.tolerances.OPTIMAL_GAP
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
#: Relative difference from which a plan is cheaper than another.
IMPROVEMENT = 1e-9
#: Relative excess of a load over a limit that is rounding; a tenth of the audit's tolerance, more than engines need.
LOAD_TOLERANCE = 1e-7
#: What loads are divided by where a limit is nothing.
LEAST_LIMIT = 1e-9
#: Least relative gap that an engine is asked for.
LEAST_GAP = 1e-9
#: Columns of binaries that are more than this are one in an integer solution.
IS_ONE = 0.5
#: Relative breach of a limit that is rounding.
BREACH_TOLERANCE = 1e-6
#: Whole counts are this exact in a bound.
COUNT_TOLERANCE = 1e-6
#: Relative excess over the limits of a model that is rounding.
ROW_TOLERANCE = 1e-6
#: A placement is whole within this.
PLACEMENT_TOLERANCE = 1e-6
#: Capacities count as affine in the node count within this relative error.
AFFINE_TOLERANCE = 1e-12
#: Efficiencies are in proportion within this relative error.
PROPORTION_TOLERANCE = 1e-12
#: Shares below this are none: flows of a bundle, relief of a cluster.
NO_FLOW, NO_RELIEF = 1e-9, 1e-12
#: Relative difference below which two present values are the same.
SAME_COST = 1e-9
#: Absolute difference of gaps that is rounding, and least bound on a cost of nothing.
GAP_TOLERANCE = 1e-9
#: Relative excess over a limit up to which a search takes a place as full, not too full: half of what is judged.
FULL_TOLERANCE = fleet.tolerances.LIMIT_TOLERANCE / 2.0
#: Relative difference of the steps between node counts that are still one line, which sums of capacities blur.
STEP_TOLERANCE = 1e3 * AFFINE_TOLERANCE
#: Digits to which shares of growth, efficiencies in proportion, and needs of classes in proportion agree.
SHARE_DIGITS, EFFICIENCY_DIGITS, NEED_DIGITS = 6, 12, 5
