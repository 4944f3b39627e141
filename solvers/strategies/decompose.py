"""The decompose strategy: for fleets whose single units no engine can place any more.

What decides a plan is where clusters stand and how large they are; demands are many and small beside them. So the fleet
is taken apart: proportional demands are counted in bundles, which bounds and designs are sought on; each set of open
sites is designed over the bundles that it leaves apart; and only then are single units put where their bundle flows.
Each plan is evaluated like any other.

Bounds are those of the separate formulation over what `solvers.problem.demand_aggregation.aggregated` tells apart. It
relaxes that units are whole, which standby goes with which primary beyond the subset rows, link limits in failed states
and, in large fleets, differences between sites that are nearly alike (`solvers.formulation.relaxations` says which). No
Lagrangian relaxation of the assignment is used: that of `solvers.location` trades off what single assignments cost, and
here none of them costs anything; clusters, nodes and links do.
"""

from __future__ import annotations

from solvers.problem.design import pair_columns
from solvers.strategies.bound_sources import BundleBounds
from solvers.strategies.completion import PairCompletion, SetBounds
from solvers.strategies.design_completion import DesignCompletion
from solvers.strategies.desk import EngineDesk
from solvers.strategies.finish import Remainder
from solvers.strategies.set_search import Lookout, SetSearch


def decompose(desk: EngineDesk) -> SetSearch:
    """The parts of the strategy; engines over all slots come last where the fleet is small enough for them."""
    state, tuning, proven = desk.state, desk.state.parameters, SetBounds()
    bounds = BundleBounds(state)
    completion = DesignCompletion(desk, PairCompletion(desk, proven))
    suits_engines = pair_columns(state.problem) <= tuning.engine_columns
    return SetSearch(
        desk,
        bounds,
        completion,
        Lookout(tuning.look_share, tuning.deterministic_neighbors),
        Remainder(desk, bounds, completion, proven) if suits_engines else None,
    )
