"""Public fleets of which wrong optima were proven, beside this checkout."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import fleet
from fleet.inventory.inventory import Inventory

PROOF_CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "37-proofs"


def proof_case(name: str) -> Inventory:
    """One of them, all its sites in one place.

    Fleet ``r230_bound`` states round trips of 1 to 5 ms over up to 2,500 km, which is an input error since no
    round trip may be below that of light in fiber. Its coordinates have no part in its optimum.
    """
    tables = {path.stem: pd.read_csv(path) for path in sorted((PROOF_CASES / name).glob("*.csv"))}
    tables["sites"] = tables["sites"].assign(latitude=40.0, longitude=-100.0)
    return fleet.from_frames(tables, name)
