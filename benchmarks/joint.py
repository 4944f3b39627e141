"""Joint planning beside the sequential planner, on the same fleets: the money it saves, or that only it is feasible.

Run ``python -m benchmarks.joint [--case NAME ...] [--time-limit S] [--seed N] [--json FILE] [--update-readme]``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.cases import Case
from benchmarks.results import Row, measured, parser, percent, publish, seconds, whole
from benchmarks.sequential import complete, place
from fleet.tolerances import OPTIMAL_GAP
from solvers import SolveConfig, solve

VARIANTS = {"nearest": False, "careful": True}


def measure(case: Case, time_limit_s: float, seed: int, gap: float = OPTIMAL_GAP) -> Row:
    """Plan one fleet both ways; joint plan and first step of the sequential one get the same time and gap."""
    inventory = case.make(seed)
    config = SolveConfig(time_limit_s=time_limit_s, gap=gap, seed=seed)
    joint = solve(inventory, config=config)
    begun = time.monotonic()
    placement = place(inventory, config)
    sequential = {
        name: asdict(complete(inventory, placement, is_careful=careful)) for name, careful in VARIANTS.items()
    }
    errors = 0 if joint.plan is None else len(joint.plan.errors)
    return {
        "case": case.name,
        "time_limit_s": time_limit_s,
        "joint": joint.objective,
        "joint_status": joint.status,
        "joint_bound": joint.bound,
        "joint_gap": joint.gap,
        "joint_clusters": 0 if joint.plan is None else len(joint.plan.document.clusters),
        "joint_audit_errors": errors,
        "joint_s": joint.seconds,
        "placement_gap": placement.gap,
        "sequential": sequential,
        "sequential_s": time.monotonic() - begun,
        "saving": saving(None if errors else joint.objective, sequential),
    }


def saving(joint: float | None, sequential: Mapping[str, Mapping[str, Any]]) -> float | None:
    """What the joint plan saves of the cheapest sequential one that holds; None without both."""
    costs = [result["cost"] for result in sequential.values() if result["cost"] is not None and not result["reasons"]]
    return None if joint is None or not costs else 1.0 - joint / min(costs)


def _joint(row: Row) -> str:
    if row["joint"] is None:
        return f"no plan ({row['joint_status']})"
    return whole(row["joint"]) + (
        f" (**{row['joint_audit_errors']} audit errors**)" if row["joint_audit_errors"] else ""
    )


def _sequential(name: str) -> Callable[[Row], str]:
    def show(row: Row) -> str:
        result = row["sequential"][name]
        if not result["reasons"]:
            return whole(result["cost"])
        first, *more = result["reasons"]
        rest = f"; and {len(more)} more" if more else ""
        return f"infeasible: {first}{rest}"

    return show


def _saving(row: Row) -> str:
    if row["saving"] is not None:
        return percent(row["saving"], 1)
    return "only the joint plan holds" if row["joint"] is not None and not row["joint_audit_errors"] else "–"


def _clusters(row: Row) -> str:
    return " / ".join(
        str(count or "–")
        for count in (row["joint_clusters"], *(result["clusters"] for result in row["sequential"].values()))
    )


COLUMNS: dict[str, Callable[[Row], str]] = {
    "case": lambda row: str(row["case"]),
    "joint": _joint,
    "gap": lambda row: percent(row["joint_gap"]),
    "sequential, nearest standby": _sequential("nearest"),
    "sequential, careful standby": _sequential("careful"),
    "saving": _saving,
    "clusters": _clusters,
    "placement gap": lambda row: percent(row["placement_gap"]),
    "solve s, joint / sequential": lambda row: f"{seconds(row['joint_s'])} / {seconds(row['sequential_s'])}",
}


def main() -> int:
    """Compare on the chosen cases."""
    options = parser("joint planning beside the sequential planner").parse_args()
    publish("joint", list(measured(measure, options)), COLUMNS, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
