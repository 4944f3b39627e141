"""What a rule is, and what its verifier is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from fleet.inventory.inventory import DemandKey, Inventory
from fleet.plan.context import PlanContext
from fleet.plan.costs import Rates, cost_rows
from fleet.plan.normal_state import NormalState
from fleet.plan.placement import Reason
from fleet.plan.plan import CostRow, Finding, PlanDocument, Severity
from fleet.plan.states import StateOutcome, sweep
from fleet.rulepack import RulePack

#: Modules of ``solvers/formulation/constraints`` that put rules into a model.
ENCODERS = (
    *("siting", "assignment", "capacity", "machines", "hosts", "standby", "reserve"),
    *("links", "upload", "growth", "pins", "budget"),
)
#: Names that a grouped finding spells out before it only counts the rest.
NAMED = 20


@dataclass(frozen=True, eq=False)
class Evidence:
    """A plan document beside what follows from its decisions and the raw inventory."""

    document: PlanDocument
    inventory: Inventory
    pack: RulePack
    normal: NormalState

    @property
    def context(self) -> PlanContext:
        """The decisions laid out."""
        return self.normal.context

    @cached_property
    def outcomes(self) -> tuple[StateOutcome, ...]:
        """The outcome of every single failure."""
        return tuple(sweep(self.normal))

    @cached_property
    def costs(self) -> tuple[CostRow, ...]:
        """What the decisions cost, recomputed."""
        rates = Rates(self.inventory, self.pack, self.context.wan)
        return cost_rows(self.inventory, self.pack, self.context.decisions, rates)


Verifier = Callable[[Evidence], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """One rule, said in words, checked by `verify` and imposed by an encoder.

    Attributes
    ----------
    id : str
        Stable id, such as ``CAP-001``.
    name : str
        Short name.
    statement : str
        What must hold.
    source : str
        Where it comes from: a table or policy key of the inventory, or a fact of the rule pack.
    severity : str
        Severity of its findings.
    encoder : str
        Module of ``solvers/formulation/constraints`` that imposes it, or the reason why none is needed.
    verify : callable
        Finds what breaks it.
    """

    id: str
    name: str
    statement: str
    source: str
    severity: Severity
    encoder: str
    verify: Verifier

    @property
    def is_encoded(self) -> bool:
        """Whether the solver has an encoder for it."""
        return self.encoder in ENCODERS

    def findings(self, evidence: Evidence) -> tuple[Finding, ...]:
        """What breaks the rule, each finding under its id and severity."""
        return tuple(self.verify(evidence))


def finding(
    rule: str,
    subject: str,
    message: str,
    remedy: str = "",
    actual: float | None = None,
    limit: float | None = None,
    unit: str = "",
    severity: Severity = "error",
) -> Finding:
    """A finding; values that are not finite are left out."""
    return Finding(
        rule=rule,
        severity=severity,
        subject=subject,
        actual=_finite(actual),
        limit=_finite(limit),
        unit=unit,
        message=message,
        remedy=remedy,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) < float("inf") else None


def finding_of(reason: Reason, subject: str, remedy: str) -> Finding:
    """The finding of a broken eligibility."""
    return finding(reason.rule, subject, reason.message, remedy, reason.actual, reason.limit, reason.unit)


def text(key: DemandKey) -> str:
    """A demand in words."""
    return f"{key.workload} at {key.site}"


def listed(names: Iterable[str], named: int = NAMED) -> str:
    """Names in order, spelled out up to `named` of them.

    Examples
    --------
    >>> listed(["a", "b", "c"], named=2)
    'a, b and 1 more'
    """
    known = list(names)
    shown = ", ".join(known[:named])
    return shown if len(known) <= named else f"{shown} and {len(known) - named} more"


def demands_text(keys: Iterable[DemandKey], named: int | None = NAMED) -> str:
    """Name demands briefly, sites with the same workloads together: ``pos, stock at Akron, Boston; db at Chicago``.

    Parameters
    ----------
    keys : iterable of DemandKey
        The demands.
    named : int, optional
        Sites of a group that are spelled out; None = all.

    Examples
    --------
    >>> demands_text([DemandKey("pos", "Akron"), DemandKey("stock", "Akron"), DemandKey("pos", "Boston")])
    'pos, stock at Akron; pos at Boston'
    """
    workloads: dict[str, list[str]] = {}
    for key in sorted(keys):
        workloads.setdefault(key.site, []).append(key.workload)
    groups: dict[tuple[str, ...], list[str]] = {}
    for site in sorted(workloads):
        groups.setdefault(tuple(workloads[site]), []).append(site)
    return "; ".join(
        f"{', '.join(names)} at {', '.join(sites) if named is None else listed(sites, named)}"
        for names, sites in groups.items()
    )
