"""The first location solve on a machine: how long its loops keep a user waiting, and what that costs him in gap.

Run ``python -m benchmarks.first_use [--time-limit S] [--seed N]``: 1,000 demands × 100 facilities, once with an empty
cache of compiled code and once with what that run left. Times are wall clock from the call on, compiling included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def measure(time_limit_s: float, seed: int) -> dict[str, Any]:
    """Import and solve in this process: seconds until each has happened, and the final gap."""
    begun = time.monotonic()
    from benchmarks.generator import SIZES, generate
    from solvers import SolveConfig
    from solvers.location import solve_location

    imported = time.monotonic()
    problem = generate(SIZES[1], seed)
    called = time.monotonic()
    first: list[float] = []

    def note(_: float, incumbent: float | None, __: float | None) -> None:
        if incumbent is not None and not first:
            first.append(time.monotonic() - called)

    result = solve_location(problem, SolveConfig(time_limit_s=time_limit_s, seed=seed, workers=2, on_progress=note))
    return {
        "import s": imported - begun,
        "first incumbent s": first[0] if first else None,
        "until the limit counts s": time.monotonic() - called - result.seconds,
        "end s": time.monotonic() - called,
        "cost": result.cost,
        "gap": result.gap,
    }


def in_new_process(folder: str, time_limit_s: float, seed: int) -> dict[str, Any]:
    """The same in a process of its own that keeps compiled code in this folder."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.first_use",
            "--here",
            "--time-limit",
            str(time_limit_s),
            "--seed",
            str(seed),
        ],
        env={**os.environ, "NUMBA_CACHE_DIR": folder, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    """Print a row for the empty cache and one for the warm one."""
    options = argparse.ArgumentParser(description="the first location solve on a machine")
    options.add_argument("--time-limit", type=float, default=60.0, metavar="S", help="of each solve [s]")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--here", action="store_true", help="solve once in this process and print JSON")
    chosen = options.parse_args()
    if chosen.here:
        print(json.dumps(measure(chosen.time_limit, chosen.seed)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for cache in ("empty", "warm"):
            found = in_new_process(folder, chosen.time_limit, chosen.seed)
            print(f"{cache} cache: " + ", ".join(f"{name} {value:.4g}" for name, value in found.items()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
