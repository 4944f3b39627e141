"""The location core on published instances, beside HiGHS and CP-SAT with the same time.

Run ``python -m benchmarks.location [--only PATTERN] [--time-limit S] [--baseline highs,cpsat,none] [--seed N]
[--json FILE] [--update-readme]``. What the columns mean is said in ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.apart import apart
from benchmarks.monolith import NAMES, Monolith, solve_monolith
from benchmarks.published import bench_folder, published_files, read_published
from benchmarks.results import Row, add_outputs, percent, publish, seconds
from solvers import SolveConfig, TracePoint
from solvers.location import FacilityProblem, solve_location
from solvers.location.evaluate import check_result
from solvers.trace import relative_gap

#: What is said on the command line for each engine.
BASELINES: dict[str, Monolith] = {"highs": "highs", "cpsat": "cp_sat"}


@dataclass(frozen=True)
class Target:
    """What is wanted of a set of instances.

    Attributes
    ----------
    time_limit_s : float
        Solve time of each instance [s].
    excess : float
        Largest excess over the best value known, relative.
    excess_s : float
        When it is wanted [s].
    n_proven : int
        How many are to be proven optimal in the time.
    gap : float or None
        Largest proven gap at the end.
    """

    time_limit_s: float
    excess: float
    excess_s: float
    n_proven: int = 0
    gap: float | None = None


TARGETS = {
    "holmberg": Target(60.0, 0.001, 30.0, n_proven=36),
    "delmaire": Target(60.0, 0.001, 30.0, n_proven=18),
    "orlib": Target(60.0, 0.0, 60.0, n_proven=12),
    "orlib-large": Target(180.0, 0.001, 180.0, gap=0.005),
    "yang": Target(120.0, 0.002, 120.0),
    "tbed1": Target(300.0, 0.005, 300.0),
    "pmedian": Target(60.0, 0.0, 60.0),
}
#: Relative difference up to which a cost is the best one known.
SAME = 1e-6


def measure(path: Path, target: Target, time_limit_s: float, engines: Sequence[Monolith], seed: int) -> Row:
    """Solve one instance, and have each engine solve it whole.

    Parameters
    ----------
    path : Path
        Its file.
    target : Target
        What is wanted of its set.
    time_limit_s : float
        For the core and for each engine [s].
    engines : sequence of str
        ``highs``, ``cp_sat``.
    seed : int
        Of all of them.
    """
    instance = read_published(path)
    if instance is None or instance.best_known is None:
        raise ValueError(f"{path} has no published value")
    best = instance.best_known
    result = solve_location(instance.problem, SolveConfig(time_limit_s=time_limit_s, seed=seed))
    cost_then = incumbent_at(result.trace, target.excess_s)
    return {
        "instance": instance.name,
        "set": family(instance.family, instance.problem),
        "demands": instance.problem.n_demands,
        "facilities": instance.problem.n_facilities,
        "best_known": best,
        "is_optimum": instance.is_optimum,
        "cost": result.cost,
        "excess": None if result.cost is None else result.cost / best - 1.0,
        "excess_then": None if cost_then is None else cost_then / best - 1.0,
        "reached_s": reached_s(result.trace, best * (1.0 + target.excess)),
        "bound": result.bound,
        "bound_source": result.bound_source,
        "gap": result.gap,
        "status": result.status,
        "seconds": result.seconds,
        "time_limit_s": time_limit_s,
        "broken": list(check_result(instance.problem, result)),
        "monoliths": {engine: _whole(instance.problem, engine, time_limit_s, seed, best) for engine in engines},
    }


def family(name: str, problem: FacilityProblem) -> str:
    """The set of an instance; the large ones of OR-Library are one of their own."""
    return "orlib-large" if name == "orlib" and problem.n_demands > 100 else name


def incumbent_at(trace: Sequence[TracePoint], moment_s: float) -> float | None:
    """The incumbent that there was at a moment."""
    known = [point.incumbent for point in trace if point.incumbent is not None and point.seconds <= moment_s]
    return min(known, default=None)


def reached_s(trace: Sequence[TracePoint], cost: float) -> float | None:
    """When an incumbent of that cost was first there [s]."""
    limit = cost + SAME * abs(cost)
    return next((point.seconds for point in trace if point.incumbent is not None and point.incumbent <= limit), None)


def _whole(problem: FacilityProblem, engine: Monolith, time_limit_s: float, seed: int, best: float) -> dict[str, Any]:
    found = solve_monolith(problem, engine, time_limit_s, seed)
    return {
        "cost": found.cost,
        "excess": None if found.cost is None else found.cost / best - 1.0,
        "bound": found.bound,
        "gap": found.gap,
        "seconds": found.seconds,
        "violations": list(found.violations),
    }


def summary(rows: Sequence[Row]) -> list[Row]:
    """One row per set: how near the published values, how much is proven, and whether that is what is wanted."""
    found = []
    for name, target in TARGETS.items():
        mine = [row for row in rows if row["set"] == name]
        if not mine:
            continue
        excesses = [row["excess_then"] for row in mine]
        worst = None if None in excesses else max(excesses)
        gaps = [row["gap"] for row in mine]
        n_proven = sum(row["status"] == "optimal" for row in mine)
        is_met = worst is not None and worst <= target.excess + SAME and not any(row["broken"] for row in mine)
        is_met &= n_proven >= min(target.n_proven, len(mine))
        if target.gap is not None:
            is_met &= all(gap is not None and gap <= target.gap for gap in gaps)
        found.append(
            {
                "set": name,
                "instances": len(mine),
                "target": target,
                "worst": worst,
                "mean": None if worst is None else float(np.mean(excesses)),
                "proven": n_proven,
                "gap": None if None in gaps else float(np.mean(gaps)),
                "seconds": float(np.mean([row["seconds"] for row in mine])),
                "is_met": is_met,
                "monoliths": {engine: _summed(mine, engine) for engine in mine[0]["monoliths"]},
            }
        )
    return found


def _summed(rows: Sequence[Row], engine: str) -> dict[str, Any]:
    found = [row["monoliths"][engine] for row in rows]
    excesses = [whole["excess"] for whole in found]
    return {
        "proven": sum(whole["gap"] is not None and whole["gap"] <= 1e-4 for whole in found),
        "mean": None if None in excesses else float(np.mean(excesses)),
        "without": excesses.count(None),
        "seconds": float(np.mean([whole["seconds"] for whole in found])),
    }


def _wanted(row: Row) -> str:
    target: Target = row["target"]
    parts = [
        f"{'best known' if target.excess == 0 else f'within {percent(target.excess, 1)}'} at {target.excess_s:g} s"
    ]
    if target.n_proven:
        parts.append(f"{target.n_proven} proven at {target.time_limit_s:g} s")
    if target.gap is not None:
        parts.append(f"gap {percent(target.gap, 1)}")
    return f"{', '.join(parts)}: {'yes' if row['is_met'] else '**no**'}"


def _engine_summary(row: Row) -> str:
    parts = []
    for engine, found in row["monoliths"].items():
        mean = f"{found['without']} without" if found["mean"] is None else f"+{percent(found['mean'])}"
        parts.append(f"{NAMES[engine]} {mean}, {found['proven']} proven, {found['seconds']:.0f} s")
    return "; ".join(parts) or "–"


def _engine(row: Row) -> str:
    parts = []
    for engine, found in row["monoliths"].items():
        cost = "no choice" if found["cost"] is None else f"+{percent(found['excess'])}"
        parts.append(f"{NAMES[engine]} {cost}, gap {percent(relative_gap(found['cost'], found['bound']))}")
    return "; ".join(parts) or "–"


SUMMARY: dict[str, Callable[[Row], str]] = {
    "set": lambda row: str(row["set"]),
    "instances": lambda row: str(row["instances"]),
    "wanted": _wanted,
    "worst above best known then": lambda row: percent(row["worst"], 3),
    "mean": lambda row: percent(row["mean"], 3),
    "proven": lambda row: str(row["proven"]),
    "mean gap": lambda row: percent(row["gap"], 3),
    "mean s": lambda row: seconds(row["seconds"]),
    "whole, same time": _engine_summary,
}
COLUMNS: dict[str, Callable[[Row], str]] = {
    "instance": lambda row: str(row["instance"]),
    "demands × facilities": lambda row: f"{row['demands']} × {row['facilities']}",
    "best known": lambda row: f"{row['best_known']:,.2f}{'' if row['is_optimum'] else ' ?'}",
    "cost": lambda row: "–" if row["cost"] is None else f"{row['cost']:,.2f}",
    "above": lambda row: percent(row["excess"], 3),
    "gap": lambda row: percent(row["gap"], 3) + (" **broken**" if row["broken"] else ""),
    "near at s": lambda row: seconds(row["reached_s"]),
    "s (limit)": lambda row: f"{seconds(row['seconds'])} ({row['time_limit_s']:g})",
    "whole, same time": _engine,
}


def instances(only: str) -> list[tuple[Path, Target]]:
    """The files whose name or set matches a pattern and that have a published value, with what is wanted of them."""
    found = []
    for path in (*published_files("cflp"), *published_files("pmedian")):
        instance = read_published(path)
        if instance is None:
            continue
        name = family(instance.family, instance.problem)
        if fnmatch.fnmatch(instance.name, only) or fnmatch.fnmatch(name, only):
            found.append((path, TARGETS[name]))
    order = list(TARGETS.values())
    return sorted(found, key=lambda entry: order.index(entry[1]))


def warm_up() -> None:
    """Have the loops compiled, so that no instance pays for it; they are kept on disk."""
    problem = FacilityProblem([[1.0], [2.0]], [0, 1, 1], [0, 0, 1], [1.0, 2.0, 3.0], [0, 1], [1.0, 1.0], [[4.0], [4.0]])
    solve_location(problem, SolveConfig(time_limit_s=5.0))


def main() -> int:
    """Measure the chosen instances; 1 where a target is missed or a result does not hold."""
    options = argparse.ArgumentParser(description="the location core on published instances")
    options.add_argument("--only", default="*", metavar="PATTERN", help="instances or sets, such as yang or cap6*")
    options.add_argument("--time-limit", type=float, metavar="S", help="of every instance [s]; its set's if absent")
    options.add_argument("--baseline", default="highs,cpsat", help="engines to set beside: highs, cpsat, or none")
    add_outputs(options)
    chosen = options.parse_args()
    names = [name for name in chosen.baseline.split(",") if name != "none"]
    if unknown := [name for name in names if name not in BASELINES]:
        options.error(f"no engine {', '.join(unknown)}; there are {', '.join(BASELINES)}, none")
    found = instances(chosen.only)
    if not found:
        print(f"no instance matches {chosen.only!r} in {bench_folder()}; set FLEET_BENCH", file=sys.stderr)
        return 1
    apart(warm_up)
    rows: list[Row] = []
    for path, target in found:
        limit = target.time_limit_s if chosen.time_limit is None else chosen.time_limit
        print(f"{path.name}: {limit:g} s", file=sys.stderr, flush=True)
        row, peak_mb = apart(measure, path, target, limit, [BASELINES[name] for name in names], chosen.seed)
        rows.append({**row, "memory_mb": peak_mb})
    publish(
        "instances", rows, COLUMNS, chosen, order=[path.name.removesuffix(".json.gz") for path, _ in instances("*")]
    )
    sets = summary(rows)
    chosen.json = None
    publish("sets", sets, SUMMARY, chosen, order=list(TARGETS))
    return 0 if all(row["is_met"] for row in sets) else 1


if __name__ == "__main__":
    sys.exit(main())
