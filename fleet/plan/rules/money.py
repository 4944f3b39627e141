"""Rules of money and proof: the budget, the costs, the totals, the gap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fleet.plan.costs import budgeted_capex, totals
from fleet.plan.placement import differs, exceeds
from fleet.plan.plan import CostRow, Finding
from fleet.plan.rules.base import Evidence, Rule, finding
from fleet.tolerances import LIMIT_TOLERANCE, OPTIMAL_GAP, SUM_TOLERANCE


def _budget(evidence: Evidence) -> Iterator[Finding]:
    """BUD-001: nominal capex without residual values within the budget."""
    limit = evidence.inventory.policy.budget
    if limit is None:
        return
    capex = budgeted_capex(evidence.costs)
    if exceeds(capex, limit):
        currency = evidence.inventory.policy.currency
        yield finding(
            "BUD-001",
            "budget",
            f"capex {capex:,.2f} is over the budget of {limit:,.2f} {currency}",
            "raise the budget or relax what drives the purchases",
            capex,
            limit,
            currency,
        )


def _costs(evidence: Evidence) -> Iterator[Finding]:
    """CST-001: every cost row is as recomputed, and none is missing."""
    keys = Counter(_key(row) for row in evidence.document.costs)
    stated = {_key(row): row.amount for row in evidence.document.costs}
    expected = {_key(row): row.amount for row in evidence.costs}
    currency = evidence.inventory.policy.currency
    for key in sorted(stated.keys() | expected.keys()):
        term, subject, period, kind = key
        actual, amount = stated.get(key, 0.0), expected.get(key, 0.0)
        if keys[key] > 1:
            yield finding("CST-001", subject, f"{term} in period {period} is listed {keys[key]} times", "list it once")
        elif differs(actual, amount):
            yield finding(
                "CST-001",
                subject,
                f"{kind} {term} in period {period} stated as {actual:,.2f}, recomputed {amount:,.2f} {currency}",
                "assemble the plan again",
                actual,
                amount,
                currency,
            )


def _key(row: CostRow) -> tuple[str, str, int, str]:
    return row.term, row.subject, row.period, row.kind


def _totals(evidence: Evidence) -> Iterator[Finding]:
    """CST-002: totals are the sums of the recomputed costs."""
    expected = totals(evidence.inventory, evidence.costs)
    currency = evidence.inventory.policy.currency
    for name in ("capex", "opex", "present_value"):
        actual, amount = getattr(evidence.document.totals, name), getattr(expected, name)
        if differs(actual, amount):
            yield finding(
                "CST-002",
                name,
                f"stated as {actual:,.2f}, recomputed {amount:,.2f} {currency}",
                "assemble the plan again",
                actual,
                amount,
                currency,
            )


def _proof(evidence: Evidence) -> Iterator[Finding]:
    """PRF-001: status, objective, bound and gap agree."""
    result = evidence.document.result
    if result.status in ("infeasible", "no_solution"):
        if evidence.document.clusters or evidence.document.assignments:
            yield finding("PRF-001", "status", f"is {result.status!r}, yet there is a plan", "correct the status")
        return
    if result.objective is None:
        if result.status == "optimal" or result.bound is not None or result.gap is not None:
            yield finding("PRF-001", "objective", "is missing, yet something is proven about it", "state the objective")
        return
    objective, present_value = result.objective, evidence.document.totals.present_value
    names = evidence.inventory.policy.objectives or ("present_value",)
    if names[0] == "present_value" and differs(objective, present_value):
        yield finding(
            "PRF-001",
            "objective",
            f"is {objective:,.2f}, the present value {present_value:,.2f}",
            "state the present value",
            objective,
            present_value,
        )
    for row in result.objectives:
        if row.name == names[0] and (row.value is None or differs(row.value, objective)):
            yield finding(
                "PRF-001",
                row.name,
                f"is {row.value}, the objective {objective:,.2f}",
                "state it once",
                row.value,
                objective,
            )
    yield from _gap(objective, result.bound, result.gap, result.status == "optimal")


def _gap(objective: float, bound: float | None, gap: float | None, is_optimal: bool) -> Iterator[Finding]:
    if bound is None:
        if gap is not None:
            yield finding("PRF-001", "gap", f"is {gap:.6g} without a bound", "leave the gap out", gap)
        if is_optimal:
            yield finding("PRF-001", "status", "is 'optimal' without a bound", "call it feasible")
        return
    if exceeds(bound, objective):
        yield finding(
            "PRF-001",
            "bound",
            f"{bound:,.2f} is over the objective {objective:,.2f}",
            "recompute the bound",
            bound,
            objective,
        )
    expected = max(0.0, (objective - bound) / abs(objective)) if objective else 0.0
    if gap is None or abs(gap - expected) > LIMIT_TOLERANCE:
        stated = "missing" if gap is None else f"{gap:.6g}"
        yield finding("PRF-001", "gap", f"is {stated}, recomputed {expected:.6g}", "recompute the gap", gap, expected)
        return
    if is_optimal != (gap <= OPTIMAL_GAP + SUM_TOLERANCE):
        yield finding(
            "PRF-001",
            "status",
            f"gap {gap:.6g} and status {'optimal' if is_optimal else 'feasible'!r} contradict each other: "
            f"optimal means a gap of at most {OPTIMAL_GAP:g}",
            "correct the status",
            gap,
            OPTIMAL_GAP,
        )


def _disproved(evidence: Evidence) -> Iterator[Finding]:
    """PRF-002: engines that were wrong while the plan was sought."""
    text = evidence.document.result.disproved
    if text:
        yield finding(
            "PRF-002",
            "bound_source",
            f"an engine was disproved, and nothing that it said counts: {text}",
            "the plan holds, and the bound is what the other engines prove; report the inventory to the project",
            severity="warning",
        )


RULES = (
    Rule(
        "BUD-001",
        "budget",
        "Nominal capex without residual values stays within the budget.",
        "policy budget",
        "error",
        "budget",
        _budget,
    ),
    Rule(
        "CST-001",
        "costs",
        "Every cost row is what the decision costs, and none is missing.",
        "prices; rule pack prices; hardware, sites and links tables",
        "error",
        "none needed: the objective uses the same rates",
        _costs,
    ),
    Rule(
        "CST-002",
        "totals",
        "Capex, opex and present value are the sums of the costs.",
        "policy discount_rate; purchases in the first month, fees at month end",
        "error",
        "none needed: the objective uses the same discount factors",
        _totals,
    ),
    Rule(
        "PRF-001",
        "proof",
        "The gap is (objective − bound) / objective, the bound is no higher than the objective, and optimal means "
        "a gap of at most 1e-4.",
        "definition of the gap",
        "error",
        "none needed: it judges what the solver says about itself",
        _proof,
    ),
    Rule(
        "PRF-002",
        "engines",
        "No engine was disproved while the plan was sought.",
        "a bound above a plan that holds, or a model called infeasible that a plan satisfies",
        "warning",
        "none needed: it judges what the solver says about itself",
        _disproved,
    ),
)
