"""A strategy: parts put together anew for every pass over a problem, until nothing contradicts what was found.

Tiny problems are solved over (primary, standby) pairs at once, whatever the strategy. Others go set by set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fleet.tolerances import OPTIMAL_GAP
from solvers.engines.claims import ENGINE_NAMES, ENGINES
from solvers.engines.pool import EnginePool
from solvers.problem.design import DesignProblem, pair_columns
from solvers.strategies.clock import Clock
from solvers.strategies.decompose import decompose
from solvers.strategies.desk import EngineDesk
from solvers.strategies.exact import exact
from solvers.strategies.pair_search import PairSearch
from solvers.strategies.second_opinion import SecondOpinion
from solvers.strategies.set_search import SetSearch
from solvers.strategies.state import SolveState


@dataclass(frozen=True)
class Strategy:
    """A way to solve.

    Attributes
    ----------
    compose : callable
        Makes the search of one pass, with its bound source, completion, lookout and finish.
    """

    name: Literal["exact", "decompose"]
    compose: Callable[[EngineDesk], SetSearch]

    def run(self, state: SolveState) -> None:
        """Solve until proof, gap, limit or interrupt."""
        while True:
            with EnginePool() as pool:
                while self._needs_another_pass(state, pool):
                    state.forget_solution()
            if not state.unwatched:
                return
            state.compile_anew()

    def _needs_another_pass(self, state: SolveState, pool: EnginePool) -> bool:
        """Make one pass; whether an engine was contradicted meanwhile, and others are left to go on."""
        claims = state.incumbent.claims
        desk = EngineDesk(state, pool)
        self._search(desk)
        if state.unwatched:
            return False
        desk.stop_background()
        before = len(claims.disproved)
        _seek_second_ground(state, pool)
        return len(claims.disproved) > before and bool(claims.believed(ENGINES)) and not Clock(state).is_over

    def _search(self, desk: EngineDesk) -> None:
        state, tuning = desk.state, desk.state.parameters
        columns = pair_columns(state.problem)
        if columns <= tuning.tiny_columns or (columns <= tuning.engine_columns and not state.believes("highs")):
            PairSearch(desk).run()
        else:
            self.compose(desk).run()


EXACT, DECOMPOSE = Strategy("exact", exact), Strategy("decompose", decompose)


def strategy_for(problem: DesignProblem, name: str) -> Strategy:
    """The strategy of a name; for ``auto`` the one that suits the size of a problem."""
    is_large = pair_columns(problem) > problem.parameters.strategies.exact_columns
    return DECOMPOSE if name == "decompose" or (name == "auto" and is_large) else EXACT


def _seek_second_ground(state: SolveState, pool: EnginePool) -> None:
    """Have confirmed, or contradicted, what one engine says: that there is no plan, or that none is cheaper."""
    incumbent, opinion = state.incumbent, SecondOpinion(state, pool)
    verdict, state.verdict = state.verdict, None
    if verdict is not None and incumbent.best is not None:
        state.hear_infeasible(verdict.engine, verdict.formulation)
    elif verdict is not None:
        state.is_infeasible = opinion.is_infeasible(verdict)
        if not (state.is_infeasible or state.unwatched) and state.believes(verdict.engine):
            state.unconfirmed = ENGINE_NAMES[verdict.engine]
    elif incumbent.gap is not None and incumbent.gap <= OPTIMAL_GAP:
        state.confirmed_by = opinion.confirms_optimum()
