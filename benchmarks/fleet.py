"""The whole pipeline on the measured fleets: generate, read, compile, solve, audit, export.

Run ``python -m benchmarks.fleet [--case NAME ...] [--time-limit S] [--strategy NAME] [--baseline exact,none]
[--seed N] [--json FILE] [--update-readme]``.
What the columns mean is said in ``benchmarks/README.md``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.apart import apart, largest_memory
from benchmarks.cases import CASES, LARGE_CASES, Case
from benchmarks.results import Row, measured, parser, percent, publish, seconds, whole
from fleet.exchange.examples import example_folder
from fleet.exchange.exports import STANDARD, export_plan
from fleet.exchange.readers import read, write_folder
from fleet.inventory.inventory import Inventory
from fleet.plan.audit import audit
from fleet.plan.plan import Plan
from fleet.tolerances import OPTIMAL_GAP
from solvers import SolveConfig, SolveResult, solve

#: From this share of its capacity on a link counts as full.
FULL = 0.95
ALL_CASES = (*CASES, *LARGE_CASES)


class Stopwatch:
    """Wall clock [s] and largest memory, that of engine processes included [MB], of named phases."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}
        self.memory_mb: dict[str, float] = {}

    def time(self, phase: str, work: Callable[[], Any]) -> Any:
        """Do `work` and keep what it took."""
        begun = time.monotonic()
        with largest_memory() as peak:
            value = work()
        self.phases[phase] = time.monotonic() - begun
        self.memory_mb[phase] = peak.mb
        return value


def measure(
    case: Case, time_limit_s: float, seed: int, gap: float = OPTIMAL_GAP, strategy: str = "auto", baseline: str = ""
) -> Row:
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
    strategy, baseline : str
        The strategy measured, and the one that solves the same fleet in the same time beside it; none where empty.
    """
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as scratch:
        source = example_folder(case.example) if case.example else Path(scratch) / "fleet"
        if not case.example:
            source.mkdir()
            made = watch.time("generate", lambda: case.make(seed))
            watch.time("write", lambda: write_folder(made, source))
        inventory: Inventory = watch.time("read", lambda: read(source))
        result = _solved(inventory, SolveConfig(time_limit_s=time_limit_s, gap=gap, seed=seed), strategy, watch)
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
            "strategy": result.strategy,
            "explanation": list(result.explanation),
        }
        if result.plan is not None:
            row |= _judged(result.plan, watch)
            out = Path(scratch) / "out"
            out.mkdir()
            for name in STANDARD:
                watch.time(f"export {name}", lambda name=name: export_plan(result.plan, out, (name,)))  # type: ignore[misc]
        if baseline and case.has_baseline:
            row["baseline"] = apart(_beside, source, time_limit_s, seed, gap, baseline)[0]
    pipeline_s, memory_mb = sum(watch.phases.values()), max(watch.memory_mb.values())
    is_met = result.gap is not None and result.gap <= case.target_gap + 1e-9 and not row.get("audit_errors")
    is_met &= case.pipeline_s is None or pipeline_s <= case.pipeline_s
    is_met &= case.memory_mb is None or memory_mb <= case.memory_mb
    return row | {
        "phases_s": watch.phases,
        "phases_mb": watch.memory_mb,
        "pipeline_s": pipeline_s,
        "memory_mb": memory_mb,
        "pipeline_limit_s": case.pipeline_s,
        "memory_limit_mb": case.memory_mb,
        "is_met": is_met,
    }


def _beside(source: Path, time_limit_s: float, seed: int, gap: float, strategy: str) -> dict[str, Any]:
    """The same fleet by another strategy."""
    config = SolveConfig(time_limit_s=time_limit_s, gap=gap, seed=seed)
    result = solve(read(source), config=config, strategy=strategy)
    errors = 0 if result.plan is None else len(result.plan.errors)
    return {
        "strategy": strategy,
        "gap": result.gap,
        "objective": result.objective,
        "s": result.seconds,
        "errors": errors,
    }


def _solved(inventory: Inventory, config: SolveConfig, strategy: str, watch: Stopwatch) -> SolveResult:
    """Solve; what passes before the search starts is compilation, what passes after it the making of the plan."""
    begun = time.monotonic()
    starts: list[float] = []

    def on_progress(passed: float, _incumbent: float | None, _bound: float | None) -> None:
        starts.append(time.monotonic() - passed)

    with largest_memory() as peak:
        result = solve(inventory, config=replace(config, on_progress=on_progress), strategy=strategy)
    ended = time.monotonic()
    watch.phases["solve"], watch.memory_mb["solve"] = result.seconds, peak.mb
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
    wanted = [percent(row["target_gap"], 1) if row["target_gap"] < 1.0 else "a gap"]
    wanted += [] if row["pipeline_limit_s"] is None else [f"{row['pipeline_limit_s']:.0f} s in all"]
    wanted += [] if row["memory_limit_mb"] is None else [f"{row['memory_limit_mb']:.0f} MB"]
    return f"{', '.join(wanted)}: {'yes' + at if row['is_met'] else '**no**'}"


def _memory(row: Row) -> str:
    groups = (("read",), ("solve",), ("audit",), tuple(f"export {name}" for name in STANDARD))
    peaks = [max((row["phases_mb"].get(name, 0.0) for name in names), default=0.0) for names in groups]
    return " / ".join(f"{peak:.0f}" if peak else "–" for peak in peaks)


def _baseline(row: Row) -> str:
    found = row.get("baseline")
    if found is None:
        return "–"
    text = "no plan" if found["objective"] is None else f"{whole(found['objective'])}, gap {percent(found['gap'])}"
    return f"{found['strategy']}: {text}" + (f", **{found['errors']} errors**" if found["errors"] else "")


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
    "all s": lambda row: seconds(row["pipeline_s"]),
    "MB read / solve / audit / export": _memory,
    "clusters": lambda row: whole(row.get("clusters")),
    "nodes": lambda row: whole(row.get("nodes")),
    "worst link / filled / upgraded": _links,
    "audit": _audit,
    "whole, same time": _baseline,
}


def main() -> int:
    """Measure the chosen cases; 1 where a target is missed or a plan is not clean."""
    arguments = parser("the whole pipeline on the measured fleets", ALL_CASES)
    arguments.add_argument("--strategy", default="auto", help="of the solve")
    arguments.add_argument("--baseline", default="exact", help="the strategy set beside it, or none")
    options = arguments.parse_args()
    baseline = "" if options.baseline == "none" else options.baseline
    work = partial(measure, strategy=options.strategy, baseline=baseline)
    rows = list(measured(work, options, ALL_CASES))
    publish("fleet", rows, COLUMNS, options, order=[case.name for case in ALL_CASES])
    return 0 if all(row["is_met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
