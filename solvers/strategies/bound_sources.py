"""What bounds are proven on: the separate formulation, over every class or over bundles of them."""

from __future__ import annotations

from typing import Protocol

from solvers.formulation.assembly import build
from solvers.formulation.variables import Formulation
from solvers.linear.model import LinearModel
from solvers.problem.demand_aggregation import aggregated
from solvers.problem.design import DesignProblem
from solvers.strategies.open_sets import OpenSet, restricted
from solvers.strategies.state import SolveState


class BoundSource(Protocol):
    """A formulation that relaxes the problem, over all slots and over a set of open ones."""

    def formulation(self) -> Formulation:
        """What bounds of every plan are proven on."""
        ...

    def over(self, whole: Formulation, slots: OpenSet) -> LinearModel:
        """What bounds every plan with that set of open slots; `whole` is the formulation over all."""
        ...


class ClassBounds:
    """Every demand class by itself."""

    def __init__(self, state: SolveState) -> None:
        self.state = state

    def formulation(self) -> Formulation:
        """The separate formulation of the merged problem."""
        return _separate(self.state.merged)

    def over(self, whole: Formulation, slots: OpenSet) -> LinearModel:
        """The same with other slots closed."""
        return restricted(whole, slots)


class BundleBounds:
    """Proportional demands counted in bundles, and over a set with the bundles that it leaves apart."""

    def __init__(self, state: SolveState) -> None:
        self.state = state

    def formulation(self) -> Formulation:
        """The separate formulation over what is counted together."""
        return _separate(aggregated(self.state.merged))

    def over(self, whole: Formulation, slots: OpenSet) -> LinearModel:  # noqa: ARG002 - bundles differ by set
        """That of the set, with its slots open."""
        return restricted(_separate(aggregated(self.state.merged, slots), slots), slots)


def _separate(problem: DesignProblem, slots: OpenSet | None = None) -> Formulation:
    return build(problem, has_pairs=False, slots=slots, whole=False, sparse=True, final_demand=True)
