"""What a solve returns: why it stopped, how good the plan is proven to be, and the plan."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleet.errors import FleetError
from fleet.plan.plan import Plan
from solvers.trace import Status, StoppedBy, TracePoint, relative_gap


class SolveError(FleetError):
    """Base of errors of the solvers."""

    code = "SOL000"


class InfeasibleError(SolveError):
    """A plan was demanded, but it is proven that none exists."""

    code = "SOL001"


class NoPlanError(SolveError):
    """A plan was demanded, but none was found within the limits."""

    code = "SOL002"


class EngineError(SolveError):
    """An engine failed or contradicted itself; the text is the engine's own."""

    code = "SOL003"


@dataclass(frozen=True)
class SolveResult:
    """The outcome of a solve.

    Attributes
    ----------
    status : str
        ``optimal`` (gap ≤ 1e-4), ``feasible``, ``infeasible`` (proven) or ``no_solution``.
    plan : Plan or None
        The audited plan, where there is one.
    objective, bound : float or None
        Present value of the plan and a valid lower bound on that of every plan.
    bound_source : str
        Which engine and which relaxation proved the bound.
    gap : float or None
        (objective − bound) / objective.
    stopped_by : str
        proof, gap, time_limit, work_limit, interrupt or screen (infeasible before any engine ran).
    explanation : tuple of str
        For infeasible: the conflict and the cheapest way out, in words. For no_solution: what was tried.
    disproved : tuple of str
        What engines said that is not so; nothing that such an engine said in this run counts.
    """

    status: Status
    plan: Plan | None
    objective: float | None
    bound: float | None
    bound_source: str
    stopped_by: StoppedBy
    seconds: float
    seed: int
    strategy: str
    explanation: tuple[str, ...] = ()
    trace: tuple[TracePoint, ...] = field(default=(), repr=False)
    disproved: tuple[str, ...] = ()

    @property
    def gap(self) -> float | None:
        """(objective − bound) / objective; None without both."""
        return relative_gap(self.objective, self.bound)

    @property
    def interrupted(self) -> bool:
        """Whether the user stopped the solve."""
        return self.stopped_by == "interrupt"

    def require_plan(self) -> Plan:
        """The plan.

        Raises
        ------
        InfeasibleError
            If it is proven that there is none.
        NoPlanError
            If none was found within the limits.
        """
        if self.plan is not None:
            return self.plan
        text = "\n".join(self.explanation) or "no plan was found within the limits"
        if self.status == "infeasible":
            raise InfeasibleError(text)
        raise NoPlanError(text)

    def __repr__(self) -> str:
        gap = "none" if self.gap is None else f"{self.gap:.3%}"
        value = "none" if self.objective is None else f"{self.objective:,.0f}"
        return f"SolveResult({self.status}, objective {value}, gap {gap}, stopped by {self.stopped_by})"

    def _repr_html_(self) -> str:
        inner = "" if self.plan is None else self.plan._repr_html_()
        return f"<p>{self!r}</p>{inner}"
