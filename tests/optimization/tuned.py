"""Parameters that make fleets of tests go other ways than their size asks for."""

from __future__ import annotations

from typing import Any

from solvers.parameters import Parameters
from solvers.parameters.strategies import StrategyParameters


def tuned(**strategies: Any) -> Parameters:
    """The usual parameters but some of the strategies."""
    return Parameters(strategies=StrategyParameters(**strategies))


#: Even tiny fleets go set by set, as larger ones do.
TAKEN_APART = tuned(tiny_columns=0)
#: The same, and no engine improves the plan of decompose afterwards.
WITHOUT_ENGINES = tuned(tiny_columns=0, engine_columns=0)
