"""Build the example inventories under ``data/`` from the place table, so that they can be made again.

Coordinates come from the shipped place table (derived from GeoNames, CC BY 4.0); all else is made up and plain:
demo prices, demo round trips, demo loads. Run it as ``make examples``; the same table gives the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from example_bank import bank
from example_healthcare import healthcare
from example_manufacturing import manufacturing
from example_parts import Rows, csv_text
from example_research import research
from example_retail import retail

from fleet.exchange.files import write_text

DATA = Path(__file__).resolve().parent.parent / "data"

#: Every example by the name of its folder.
EXAMPLES: Mapping[str, Callable[[], Mapping[str, Rows]]] = {
    "bank": bank,
    "healthcare": healthcare,
    "manufacturing": manufacturing,
    "research": research,
    "retail": retail,
}


def main() -> None:
    """Write every example."""
    for name, build in EXAMPLES.items():
        for table, rows in build().items():
            write_text(DATA / name / f"{table}.csv", csv_text(table, rows))


if __name__ == "__main__":
    main()
