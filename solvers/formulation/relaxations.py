"""What bounds relax, in a planner's words: the one place that says it.

A bound is proven on a model that allows all that a plan may do, and more. What it allows more is said as a part of the
bound's source, and so wherever the bound is shown.
"""

from __future__ import annotations

from collections.abc import Collection

from solvers.formulation.variables import Formulation

FRACTIONS = "whole nodes and clusters"
DIVIDED = "workloads in one piece"
MIXED = "what a workload needs in one place"
NEARBY = "which places each workload may use"
APART = "the pairing of standbys"
TOGETHER = "places within a site"
EARLIER = "growth before the last period"
LINKS = "links away from hosts and their failures"
FAILURES = "failure limits that no plan looked at has broken"
_ORDER = (FRACTIONS, DIVIDED, MIXED, NEARBY, APART, TOGETHER, EARLIER, LINKS, FAILURES)


def relaxed(formulation: Formulation, *, linear: bool = False) -> tuple[str, ...]:
    """What a formulation relaxes.

    Parameters
    ----------
    formulation : Formulation
        What a bound is proven on.
    linear : bool
        Whether it is proven on the linear relaxation alone.
    """
    problem = formulation.problem
    applies = {
        FRACTIONS: linear,
        DIVIDED: not formulation.whole,
        MIXED: any(demand_class.is_part for demand_class in problem.classes),
        NEARBY: bool(problem.coverings),
        APART: not formulation.has_pairs and any(demand_class.is_protected for demand_class in problem.classes),
        TOGETHER: any(slot.copies > 1 for slot in problem.slots),
        EARLIER: formulation.final_demand and problem.periods > 1,
        LINKS: not formulation.has_pairs,
        FAILURES: formulation.has_pairs,
    }
    return tuple(text for text in _ORDER if applies[text])


def bound_source(engine: str, what: Collection[str]) -> str:
    """The source of a bound: what proved it, and what that relaxes."""
    texts = [text for text in _ORDER if text in what]
    return f"{engine}; relaxed: {', '.join(texts)}" if texts else engine
