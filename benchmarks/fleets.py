"""The whole pipeline on the measured fleets: generate, read, compile, solve, audit, export.

Run ``python -m benchmarks.fleets [--case NAME ...] [--time-limit S] [--seed N] [--json FILE] [--update-readme]``.
What the columns mean is said in ``benchmarks/README.md``.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.results import Row, measured, parser, percent, publish, seconds, whole
from fleet.exchange.examples import example_folder
from fleet.exchange.exports import STANDARD, export_plan
from fleet.exchange.readers import read, write_folder
from fleet.inventory.inventory import Inventory
from fleet.plan.audit import audit
from fleet.plan.plan import Plan
from solvers import SolveConfig, SolveResult, solve
from solvers.config import OPTIMAL_GAP

#: From this share of its capacity on a link counts as full.
FULL = 0.95


class Stopwatch:
    """Wall-clock seconds of named phases."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}

    def time(self, phase: str, work: Callable[[], Any]) -> Any:
        """Do `work` and keep how long it took."""
        begun = time.monotonic()
        value = work()
        self.phases[phase] = time.monotonic() - begun
        return value


def measure(case: Case, time_limit_s: float, seed: int, gap: float = OPTIMAL_GAP) -> Row:
    """Take one fleet through the whole pipeline.

    Parameters
    ----------
    case : Case
        The fleet.
    time_limit_s : float
        Limit of the solve [s].
    seed : int
        Of the fleet and of the solve.
    gap : float
        Relative gap at which to stop.
    """
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as scratch:
        source = example_folder(case.example) if case.example else Path(scratch) / "fleet"
        if not case.example:
            source.mkdir()
            made = watch.time("generate", lambda: case.make(seed))
            watch.time("write", lambda: write_folder(made, source))
        inventory: Inventory = watch.time("read", lambda: read(source))
        result = _solved(inventory, time_limit_s, seed, gap, watch)
        row: dict[str, Any] = {
            "case": case.name,
            "sites": len({demand.site for demand in inventory.demands}),
            "hubs": len(inventory.host_sites),
            "demands": len(inventory.demands),
            "status": result.status,
            "objective": result.objective,
            "bound": result.bound,
            "bound_source": result.bound_source,
            "gap": result.gap,
            "target_gap": case.target_gap,
            "target_met_s": reached(result, case.target_gap),
            "time_limit_s": time_limit_s,
            "solve_s": result.seconds,
            "explanation": list(result.explanation),
        }
        if result.plan is not None:
            row |= _judged(result.plan, watch)
            out = Path(scratch) / "out"
            out.mkdir()
            for name in STANDARD:
                watch.time(f"export {name}", lambda name=name: export_plan(result.plan, out, (name,)))  # type: ignore[misc]
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    unit = 1.0 if sys.platform == "darwin" else 1024.0  # bytes there, KiB elsewhere
    is_met = result.gap is not None and result.gap <= case.target_gap + 1e-9 and not row.get("audit_errors")
    return row | {
        "phases_s": watch.phases,
        "memory_mb": own * unit / 1e6,
        "worker_memory_mb": children * unit / 1e6,
        "is_met": is_met,
    }


def _solved(inventory: Inventory, time_limit_s: float, seed: int, gap: float, watch: Stopwatch) -> SolveResult:
    """Solve; what passes before the search starts is compilation, what passes after it the making of the plan."""
    begun = time.monotonic()
    starts: list[float] = []

    def on_progress(passed: float, _incumbent: float | None, _bound: float | None) -> None:
        starts.append(time.monotonic() - passed)

    config = SolveConfig(time_limit_s=time_limit_s, gap=gap, seed=seed, on_progress=on_progress)
    result = solve(inventory, config=config)
    ended = time.monotonic()
    if starts:
        watch.phases["compile"] = max(0.0, starts[0] - begun)
        watch.phases["assemble"] = max(0.0, ended - starts[0] - result.seconds)
    else:
        watch.phases["compile"] = max(0.0, ended - begun - result.seconds)
    return result


def reached(result: SolveResult, gap: float) -> float | None:
    """When incumbent and bound first came as near as `gap` [s]."""
    for point in result.trace:
        if point.incumbent and point.bound is not None and point.incumbent - point.bound <= gap * point.incumbent:
            return point.seconds
    return None


def _judged(plan: Plan, watch: Stopwatch) -> dict[str, Any]:
    """What the audit and the plan's own rows say."""
    findings = watch.time("audit", lambda: audit(plan))
    document = plan.document
    errors = [entry for entry in findings if entry.severity == "error"]
    last = len(document.periods) - 1
    hosts = {row.site for row in document.clusters}
    return {
        "clusters": len(document.clusters),
        "open_sites": len(hosts),
        "nodes": sum(row.nodes for row in document.cluster_periods if row.period == last),
        "standbys": len(document.standbys),
        "audit_errors": len(errors),
        "audit_rules": sorted({entry.rule for entry in errors}),
        "warnings": sum(entry.severity == "warning" for entry in findings),
        **link_use(plan),
    }


def link_use(plan: Plan) -> dict[str, Any]:
    """How much failures ask of the links: largest use, links filled by a failure only, upgraded links."""
    rows = [row for row in plan.document.links if row.capacity_mbps > 0]
    worst = max(rows, key=lambda row: row.worst_mbps / row.capacity_mbps, default=None)
    filled = {
        row.link
        for row in rows
        if row.worst_mbps >= FULL * row.capacity_mbps and row.normal_mbps < FULL * row.capacity_mbps
    }
    return {
        "worst_link": "" if worst is None else f"{worst.link} in {worst.worst_case}",
        "worst_link_use": None if worst is None else worst.worst_mbps / worst.capacity_mbps,
        "links_filled_by_failures": len(filled),
        "links_upgraded": len({row.link for row in plan.document.links if row.upgraded}),
    }


def _phase(*names: str) -> Callable[[Row], str]:
    def show(row: Row) -> str:
        found = [row["phases_s"][name] for name in names if name in row["phases_s"]]
        return seconds(sum(found) if found else None)

    return show


def _target(row: Row) -> str:
    at = "" if row["target_met_s"] is None else f" at {row['target_met_s']:.0f} s"
    return f"{percent(row['target_gap'], 1)}: {'yes' + at if row['is_met'] else '**no**'}"


def _audit(row: Row) -> str:
    if "audit_errors" not in row:
        return f"no plan ({row['status']})"
    return "clean" if not row["audit_errors"] else f"**{row['audit_errors']} errors** ({', '.join(row['audit_rules'])})"


def _links(row: Row) -> str:
    use = row.get("worst_link_use")
    return "–" if use is None else f"{percent(use, 0)} / {row['links_filled_by_failures']} / {row['links_upgraded']}"


COLUMNS: dict[str, Callable[[Row], str]] = {
    "case": lambda row: str(row["case"]),
    "sites / hubs": lambda row: f"{row['sites']} / {row['hubs']}",
    "demands": lambda row: whole(row["demands"]),
    "objective": lambda row: whole(row["objective"]),
    "bound": lambda row: whole(row["bound"]),
    "gap": lambda row: percent(row["gap"]),
    "target met": _target,
    "solve s (limit)": lambda row: f"{seconds(row['solve_s'])} ({row['time_limit_s']:g})",
    "generate": _phase("generate", "write"),
    "read": _phase("read"),
    "compile": _phase("compile"),
    "assemble": _phase("assemble"),
    "audit s": _phase("audit"),
    "export": _phase(*(f"export {name}" for name in STANDARD)),
    "MB planner + worker": lambda row: f"{row['memory_mb']:.0f} + {row['worker_memory_mb']:.0f}",
    "clusters": lambda row: whole(row.get("clusters")),
    "nodes": lambda row: whole(row.get("nodes")),
    "worst link / filled / upgraded": _links,
    "audit": _audit,
}


def main() -> int:
    """Measure the chosen cases; 1 where a target is missed or a plan is not clean."""
    options = parser("the whole pipeline on the measured fleets").parse_args()
    rows = list(measured(measure, options))
    publish("fleets", rows, COLUMNS, options)
    return 0 if all(row["is_met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
