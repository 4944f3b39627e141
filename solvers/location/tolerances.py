"""What counts as rounding in the location core: about what is right, not about how to search."""

from __future__ import annotations

#: Relative amount by which a load may exceed a capacity, here and in the evaluator.
CAPACITY_TOLERANCE = 1e-6
#: Relative difference up to which two costs or bounds are the same.
VALUE_TOLERANCE = 1e-6
#: Relative excess of load over capacity that is still taken as rounding; and of units over whole ones.
TOLERANCE = 1e-9
#: A cost must be lower by this, relative or absolute, to be better.
IMPROVEMENT = 1e-9
#: Shares and directions below this are none.
NOTHING = 1e-12
#: Between these an overload's charge stays, so that sums with it are finite where there is no end to overload.
LEAST_CHARGE, MOST_CHARGE = 1e-30, 1e30
#: Added to what is a multiple of costs, so that it is more than nothing where they are nothing; only its sign matters.
SOMETHING = 1.0
#: Whole numbers above this have no neighbors in floating point.
LARGEST_WHOLE = 2.0**53
#: Relative distance from the incumbent within which what a solution costs at least does not exclude it.
FLOOR_MARGIN = 1e-7
#: Relative change of the bound from which it is told.
TOLD = 1e-5
#: Squared distance of two profiles of capacities from which they differ.
PROFILE_DISTANCE = 1e-6
#: Shortest time that is divided by [s].
SHORTEST_S = 1e-6
