"""How the location core grows: five sizes of modular-capacity problems, beside HiGHS and CP-SAT with the same time.

Run ``python -m benchmarks.scale [--sizes S,M] [--seeds 3] [--source modular,generated] [--time-limit S]
[--baseline highs,cpsat,none] [--json FILE] [--update-readme]``. What the columns mean is said in
``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from benchmarks.apart import apart, largest_memory
from benchmarks.generator import SIZES, Size, generate
from benchmarks.location import BASELINES, warm_up
from benchmarks.monolith import NAMES, Monolith, solve_monolith
from benchmarks.published import bench_folder, read_published
from benchmarks.results import Row, add_outputs, percent, publish, seconds, whole
from solvers import SolveConfig, TracePoint
from solvers.location import FacilityProblem, solve_location
from solvers.location.evaluate import check_result

Source = Literal["modular", "generated"]
SOURCES: tuple[Source, ...] = ("modular", "generated")
#: Time to this gap is what growth is fitted to.
GAP_FITTED = 0.03


@dataclass(frozen=True)
class Target:
    """What is wanted of a size: time [s], gap at its end (1e-4: proven), memory [MB]."""

    time_limit_s: float
    gap: float
    memory_mb: float | None = None


TARGETS = {
    "S": Target(120.0, 1e-4),
    "M": Target(60.0, 0.012),
    "L": Target(90.0, 0.014),
    "X": Target(240.0, 0.024, 1000.0),
    "H": Target(480.0, 0.03, 1500.0),
}


def make(size: Size, source: Source, seed: int) -> FacilityProblem:
    """The problem of that size: the file of that name, or a made-up one.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    """
    if source == "generated":
        return generate(size, seed)
    instance = read_published(bench_folder() / "modular" / f"{size.name}.npz")
    if instance is None:
        raise FileNotFoundError(f"{size.name}.npz")
    return instance.problem


def measure(size: Size, source: Source, time_limit_s: float, seed: int) -> dict[str, Any]:
    """Solve one problem with the core.

    Parameters
    ----------
    size : Size
        How large.
    source : str
        ``modular`` or ``generated``.
    time_limit_s : float
        Of the solve [s].
    seed : int
        Of the solve and of the made-up problem.
    """
    problem = make(size, source, seed)
    with largest_memory() as peak:
        result = solve_location(problem, SolveConfig(time_limit_s=time_limit_s, seed=seed))
    return {
        "memory_mb": peak.mb,
        "n_demands": problem.n_demands,
        "n_arcs": problem.n_arcs,
        "cost": result.cost,
        "bound": result.bound,
        "bound_source": result.bound_source,
        "gap": result.gap,
        "status": result.status,
        "seconds": result.seconds,
        "fitted_s": gap_s(result.trace, GAP_FITTED),
        "broken": list(check_result(problem, result)),
    }


def measure_whole(size: Size, source: Source, engine: Monolith, time_limit_s: float, seed: int) -> dict[str, Any]:
    """Have one engine solve it whole."""
    problem = make(size, source, seed)
    found = solve_monolith(problem, engine, time_limit_s, seed)
    state = found.state if not found.violations else "broken incumbent"
    return {"gap": found.gap, "cost": found.cost, "bound": found.bound, "seconds": found.seconds, "state": state}


def gap_s(trace: Sequence[TracePoint], gap: float) -> float | None:
    """When incumbent and bound first came as near as `gap` [s]."""
    for point in trace:
        if point.incumbent and point.bound is not None and point.incumbent - point.bound <= gap * abs(point.incumbent):
            return point.seconds
    return None


def median(values: Sequence[float | None]) -> float | None:
    """The median where None counts as infinite; None where that is the median."""
    found = float(np.median([math.inf if value is None else value for value in values])) if values else math.inf
    return found if math.isfinite(found) else None


def growth(sizes: Sequence[float], values: Sequence[float | None]) -> float | None:
    """The exponent b of value = a · size^b by least squares on logarithms; None for less than two sizes."""
    pairs = [(size, value) for size, value in zip(sizes, values, strict=True) if value is not None and value > 0.0]
    if len({size for size, _ in pairs}) < 2:
        return None
    size, value = np.log(np.array(pairs)).T
    return float(np.polyfit(size, value, 1)[0])


def row_of(
    size: Size, source: Source, time_limit_s: float, seeds: Sequence[int], engines: Sequence[Monolith], whole_seeds: int
) -> Row:
    """Medians over the seeds of one size; the engines run on the first `whole_seeds` of them."""
    runs = []
    for seed in seeds:
        run, _ = apart(measure, size, source, time_limit_s, seed)
        runs.append(run)
        print(f"  seed {seed}: gap {percent(run['gap'])}, {run['memory_mb']:.0f} MB", file=sys.stderr, flush=True)
    monoliths: dict[str, Any] = {}
    for engine in engines:
        found = []
        for seed in seeds[:whole_seeds]:
            run, peak_mb = apart(measure_whole, size, source, engine, time_limit_s, seed)
            found.append({**run, "memory_mb": peak_mb})
            print(f"  {NAMES[engine]}, seed {seed}: gap {percent(run['gap'])}", file=sys.stderr, flush=True)
        monoliths[engine] = {
            "gap": median([run["gap"] for run in found]),
            "memory_mb": median([run["memory_mb"] for run in found]),
            "states": [run["state"] for run in found],
        }
    target = TARGETS[size.name]
    gap, memory_mb = median([run["gap"] for run in runs]), median([run["memory_mb"] for run in runs])
    is_met = gap is not None and gap <= target.gap and not any(run["broken"] for run in runs)
    is_met &= target.memory_mb is None or (memory_mb is not None and memory_mb <= target.memory_mb)
    return {
        "case": f"{size.name} {source}",
        "size": f"{size.n_demands:,} × {size.n_candidates:,}",
        "n_demands": size.n_demands,
        "n_arcs": int(np.median([run["n_arcs"] for run in runs])),
        "source": source,
        "time_limit_s": time_limit_s,
        "target_gap": target.gap,
        "target_memory_mb": target.memory_mb,
        "is_met": is_met,
        "broken": [text for run in runs for text in run["broken"]],
        "runs": runs,
        "monoliths": monoliths,
    } | {
        key: median([run[key] for run in runs]) for key in ("cost", "bound", "gap", "seconds", "fitted_s", "memory_mb")
    }


def advantage(row: Row) -> float | None:
    """How many times our gap the best engine's is; None where no engine has one."""
    gaps = [found["gap"] for found in row["monoliths"].values() if found["gap"] is not None]
    return None if not gaps or not row["gap"] else min(gaps) / row["gap"]


def _wanted(row: Row) -> str:
    wanted = "proven" if row["target_gap"] <= 1e-4 else percent(row["target_gap"], 1)
    memory = "" if row["target_memory_mb"] is None else f", {row['target_memory_mb']:.0f} MB"
    return f"{wanted}{memory}: {'yes' if row['is_met'] else '**no**'}"


def _engine(row: Row) -> str:
    parts = []
    for engine, found in row["monoliths"].items():
        if found["gap"] is not None:
            text = percent(found["gap"], 1)
        else:
            text = f"no choice ({'/'.join(sorted(set(found['states'])))}, {whole(found['memory_mb'])} MB)"
        parts.append(f"{NAMES[engine]} {text}")
    return "; ".join(parts) or "–"


def _times(row: Row) -> str:
    times = advantage(row)
    return "–" if times is None else f"{times:.0f} ×"


COLUMNS: dict[str, Callable[[Row], str]] = {
    "case": lambda row: str(row["case"]),
    "demands × candidates": lambda row: str(row["size"]),
    "arcs": lambda row: whole(row["n_arcs"]),
    "cost": lambda row: "–" if row["cost"] is None else f"{row['cost']:,.1f}",
    "bound": lambda row: "–" if row["bound"] is None else f"{row['bound']:,.1f}",
    "gap": lambda row: percent(row["gap"]) + (" **broken**" if row["broken"] else ""),
    "wanted": _wanted,
    "s (limit)": lambda row: f"{seconds(row['seconds'])} ({row['time_limit_s']:g})",
    "s to 3 %": lambda row: seconds(row["fitted_s"]),
    "MB": lambda row: whole(row["memory_mb"]),
    "seeds": lambda row: str(len(row["runs"])),
    "whole, same time": _engine,
    "its gap / ours": _times,
}


def growth_note(rows: Sequence[Row]) -> str:
    """The fitted exponents of the sizes measured together, in words."""
    sizes = [row["n_demands"] for row in rows]
    time, memory = (growth(sizes, [row[key] for row in rows]) for key in ("fitted_s", "memory_mb"))
    if time is None or memory is None:
        return ""
    names = ", ".join(row["case"] for row in rows)
    return (
        f"Over {names}: time to a gap of 3 % grows with the number of demands to the power {time:.2f}, "
        f"memory to the power {memory:.2f}."
    )


def chosen_sources(size: Size, wanted: Sequence[str]) -> list[Source]:
    """The sources that have that size, of those wanted."""
    there = (bench_folder() / "modular" / f"{size.name}.npz").is_file()
    sources: list[Source] = ["modular"] if "modular" in wanted and there else []
    return [*sources, "generated"] if "generated" in wanted or ("modular" in wanted and not there) else sources


def main() -> int:
    """Measure the chosen sizes; 1 where a target is missed or a result does not hold."""
    options = argparse.ArgumentParser(description="how the location core grows")
    options.add_argument("--sizes", default="S,M,L,X,H", help="of S, M, L, X, H")
    options.add_argument("--seeds", type=int, default=3, help="how many; medians are shown")
    options.add_argument("--source", default="modular", help="modular (generated where absent), generated, or both")
    options.add_argument("--time-limit", type=float, metavar="S", help="of every size [s]; its own if absent")
    options.add_argument("--baseline", default="highs,cpsat", help="engines to set beside: highs, cpsat, or none")
    options.add_argument("--baseline-seeds", type=int, default=1, help="how many of the seeds the engines get")
    add_outputs(options)
    chosen = options.parse_args()
    names = [name for name in chosen.baseline.split(",") if name != "none"]
    sizes, known = chosen.sizes.split(","), {size.name: size for size in SIZES}
    for wrong in (set(names) - set(BASELINES), set(sizes) - set(known), set(chosen.source.split(",")) - set(SOURCES)):
        if wrong:
            options.error(f"there is no {', '.join(sorted(wrong))}")
    apart(warm_up)
    rows = []
    for size in (known[name] for name in sizes):
        limit = TARGETS[size.name].time_limit_s if chosen.time_limit is None else chosen.time_limit
        for source in chosen_sources(size, chosen.source.split(",")):
            print(f"{size.name} {source}: {limit:g} s", file=sys.stderr, flush=True)
            seeds = range(chosen.seed, chosen.seed + chosen.seeds)
            engines = [BASELINES[name] for name in names]
            rows.append(row_of(size, source, limit, seeds, engines, chosen.baseline_seeds))
    order = [f"{size.name} {source}" for size in SIZES for source in SOURCES]
    publish("scale", rows, COLUMNS, chosen, order=order, note=growth_note(rows))
    return 0 if all(row["is_met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
