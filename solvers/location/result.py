"""What a location solve returns: the choice, its cost, and what proves how good it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.location.problem import Floats, Integers
from solvers.tolerances import OPTIMAL_GAP
from solvers.trace import Status, StoppedBy, TracePoint, relative_gap


@dataclass(frozen=True, eq=False)
class Certificate:
    """What a Lagrangian bound can be recomputed from, by `evaluate.certificate_bound`.

    Attributes
    ----------
    multipliers : array (n_demands,)
        Price of serving each demand.
    surrogate_weights : array (n_options, n_resources)
        Weights ≥ 0 that merge the resources of an option into one; any give a valid bound.
    is_whole : bool
        Whether the knapsacks of the bound do without fractions of demands.
    """

    multipliers: Floats
    surrogate_weights: Floats
    is_whole: bool = False

    def __post_init__(self) -> None:
        for name in ("multipliers", "surrogate_weights"):
            array = np.array(getattr(self, name), dtype=np.float64, order="C")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} must be finite")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if (self.surrogate_weights < 0).any():
            raise ValueError("surrogate_weights must be at least 0")


@dataclass(frozen=True, eq=False)
class LocationResult:
    """The outcome of a location solve.

    Attributes
    ----------
    status : str
        ``optimal`` (gap ≤ 1e-4), ``feasible``, ``infeasible`` (proven) or ``no_solution``.
    assignment : array (n_demands,) or None
        Facility of each demand.
    option : array (n_facilities,) or None
        Index of the option chosen, −1 where closed; a facility without demand is closed.
    cost, bound : float or None
        Of the choice, and a valid lower bound on that of every choice.
    bound_source : str
        What proved the bound; with ``lagrangian`` in it the certificate recomputes it.
    stopped_by : str
        proof, gap, time_limit, work_limit, interrupt or screen (infeasible before any search).
    seconds : float
        Wall clock of the solve [s].
    seed : int
        Of every random choice.
    trace : tuple of TracePoint
        How incumbent and bound went.
    certificate : Certificate or None
        What the best Lagrangian bound was computed from.
    disproved : tuple of str
        What was said of bounds that a choice found disproves; who said it does not count.

    Raises
    ------
    ValueError
        If status, choice and gap contradict each other.
    """

    status: Status
    assignment: Integers | None
    option: Integers | None
    cost: float | None
    bound: float | None
    bound_source: str
    stopped_by: StoppedBy
    seconds: float
    seed: int
    trace: tuple[TracePoint, ...] = field(default=(), repr=False)
    certificate: Certificate | None = field(default=None, repr=False)
    disproved: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("assignment", "option"):
            value = getattr(self, name)
            if value is not None:
                array = np.array(value, dtype=np.int64, order="C")
                array.setflags(write=False)
                object.__setattr__(self, name, array)
        given = {self.assignment is not None, self.option is not None, self.cost is not None}
        if given != {self.status in ("optimal", "feasible")}:
            raise ValueError(f"status {self.status!r} contradicts the assignment, option or cost that is there or not")
        if self.cost is not None and self.status != choice_status(self.cost, self.bound):
            raise ValueError(f"status {self.status!r} contradicts the cost {self.cost!r} and the bound {self.bound!r}")

    @property
    def gap(self) -> float | None:
        """(cost − bound) / |cost|, at least 0; None without both, or where the cost is 0 and the bound below it."""
        return relative_gap(self.cost, self.bound)

    def __repr__(self) -> str:
        gap = "none" if self.gap is None else f"{self.gap:.3%}"
        value = "none" if self.cost is None else f"{self.cost:,.6g}"
        return f"LocationResult({self.status}, cost {value}, gap {gap}, stopped by {self.stopped_by})"


def choice_status(cost: float, bound: float | None) -> Status:
    """The status of a choice of that cost: optimal if and only if its gap is at most 1e-4."""
    gap = relative_gap(cost, bound)
    return "optimal" if gap is not None and gap <= OPTIMAL_GAP else "feasible"
