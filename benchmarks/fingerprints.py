"""Whether a change of the code changes an answer: digests of plans in deterministic mode.

Run ``python -m benchmarks.fingerprints [--only NAME ...] [--json FILE] [--against FILE]`` before and after. The five
examples and ten small synthetic fleets are solved within a limit of work, not of time; the digest is over the bytes of
``plan.json`` without ``generator``, which states versions. ``--against`` compares with an earlier ``--json`` and exits
with 1 where a plan differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fleet.exchange.examples import example_folder, example_names
from fleet.exchange.readers import read
from fleet.inventory.inventory import Inventory
from fleet.inventory.synthetic import synthetic
from solvers import SolveConfig, solve

#: Work [deterministic seconds]: enough that every strategy reaches its last phase on most of the fleets.
EXAMPLE_WORK_S, SYNTHETIC_WORK_S = 20.0, 8.0
#: Sites, hubs, kind, storage scale, bandwidth of hub links [Mbit/s], whether all amounts are drawn, strategy.
SYNTHETIC: tuple[tuple[int, int, str, float, float, bool, str], ...] = (
    (8, 3, "store", 1.0, 10_000.0, False, "exact"),
    (12, 4, "hospital", 1.0, 10_000.0, False, "exact"),
    (12, 4, "store", 0.2, 10_000.0, True, "exact"),
    (16, 5, "store", 1.0, 100.0, False, "auto"),
    (20, 5, "hospital", 0.2, 10_000.0, True, "decompose"),
    (20, 6, "store", 1.0, 10_000.0, True, "decompose"),
    (24, 6, "store", 0.2, 150.0, False, "decompose"),
    (30, 6, "hospital", 1.0, 10_000.0, False, "auto"),
    (40, 8, "store", 1.0, 150.0, False, "decompose"),
    (60, 8, "store", 0.2, 10_000.0, False, "auto"),
)

Fleet = tuple[str, Callable[[], Inventory], str, float]


def fleets() -> Iterator[Fleet]:
    """Name, inventory, strategy and work [deterministic s] of each."""
    for name in example_names():
        yield name, partial(_example, name), "auto", EXAMPLE_WORK_S
    for seed, (sites, hubs, kind, scale, mbps, distinct, strategy) in enumerate(SYNTHETIC, start=1):
        make = partial(synthetic, sites, hubs, seed, kind, storage_scale=scale, hub_link_mbps=mbps, distinct=distinct)  # type: ignore[call-arg]
        yield f"{kind}-{sites}-{hubs}-{strategy}", make, strategy, SYNTHETIC_WORK_S


def _example(name: str) -> Inventory:
    return read(example_folder(name))


def fingerprint(inventory: Inventory, strategy: str, work_s: float) -> dict[str, Any]:
    """Status, objective, bound and digest of the plan of one fleet in deterministic mode."""
    begun = time.monotonic()
    result = solve(inventory, config=SolveConfig(time_limit_s=work_s, workers=2, deterministic=True), strategy=strategy)
    text = ""
    if result.plan is not None:
        document = result.plan.document.model_dump(mode="json", exclude={"generator"})
        text = json.dumps(document, ensure_ascii=False)
    return {
        "status": result.status,
        "objective": result.objective,
        "bound": result.bound,
        "stopped_by": result.stopped_by,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "seconds": round(time.monotonic() - begun, 1),
    }


def main() -> int:
    """Print a line for each fleet; compare where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these fleets")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with an earlier --json")
    options = parser.parse_args()
    before = json.loads(options.against.read_text()) if options.against else {}
    found: dict[str, dict[str, Any]] = {}
    different = 0
    for name, make, strategy, work_s in fleets():
        if options.only and name not in options.only:
            continue
        row = found[name] = fingerprint(make(), strategy, work_s)
        verdict = ""
        if name in before:
            same = all(row[key] == before[name][key] for key in row if key != "seconds")
            verdict, different = ("same" if same else "DIFFERENT"), different + (not same)
        print(name, *row.values(), verdict, flush=True)
        if options.json:
            options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
