"""The exact strategy: one model of everything, bounded and searched side by side, failure rows as they are violated.

The cores are divided: one proves bounds on the separate formulation (by decomposition where its relaxation is quick, by
branch and bound where not), the other finds plans: sets of open slots ranked by relaxation, pairs on each set with
continuous placements, then whole units on nearly those nodes. What remains of the time goes to a proof set by set, and
to the pairs over all slots, with the best plan as a start.
"""

from __future__ import annotations

from solvers.strategies.bound_sources import ClassBounds
from solvers.strategies.completion import PairCompletion, SetBounds
from solvers.strategies.desk import EngineDesk
from solvers.strategies.finish import Remainder
from solvers.strategies.set_search import Lookout, SetSearch


def exact(desk: EngineDesk) -> SetSearch:
    """The parts of the strategy."""
    proven, bounds = SetBounds(), ClassBounds(desk.state)
    completion = PairCompletion(desk, proven)
    return SetSearch(desk, bounds, completion, Lookout(), Remainder(desk, bounds, completion, proven))
