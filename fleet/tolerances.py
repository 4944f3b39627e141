"""Differences that are rounding: the one policy, for all that is judged.

Limits are inclusive. Sums of floating-point numbers round, so a limit is kept by what exceeds it by no more than
`LIMIT_TOLERANCE`, relative to it and at least to 1 in its unit; the audit, the failures and the verifiers all use this
one. What is compared without a sum, an amount that a machine asks for with what a node offers, agrees within the
narrower `FIT_TOLERANCE`. Searches keep to tighter limits than those that judge, so that rounding costs no plan
(`solvers.tolerances`).
"""

from __future__ import annotations

#: Relative excess over a limit, and relative difference of two figures, that are rounding.
LIMIT_TOLERANCE = 1e-6
#: Relative difference of amounts that are compared as they were stated.
FIT_TOLERANCE = 1e-9
#: What a quotient may exceed a whole number by and still be that number when counts are rounded up.
COUNT_TOLERANCE = 1e-9
#: The same of sizes in whole GB.
SIZE_TOLERANCE = 1e-6
#: Absolute difference of minutes that add up, and of relative gaps.
SUM_TOLERANCE = 1e-9
#: Load of a link below which nothing flows [Mbit/s].
NOISE_MBPS = 1e-9
#: Relative shortfall of a round trip below light in fiber that is rounding.
LIGHT_TOLERANCE = 1e-6
#: The relative gap from which a result is called optimal, whatever gap was asked for.
OPTIMAL_GAP = 1e-4
