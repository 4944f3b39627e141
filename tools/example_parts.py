"""What the examples share: the demo catalog, rows of sites, and tables as CSV text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from fleet.inventory.distances import great_circle_km
from fleet.inventory.inventory import INPUT_TABLES
from fleet.inventory.reading.geocode import Place
from fleet.inventory.scenario import Change
from fleet.tables import EXTRA_PREFIX, describe

Rows = list[dict[str, Any]]

#: Servers have no public prices: said beside each.
DEMO_PRICE = {"x_price": "demo price, no public price list"}
#: Node models at demo prices: cores, memory, drives, drive size, price, support, watts, height.
NODE_MODELS = (
    ("edge-32c-256g", 32, 256, 4, 3.84, 17_500, 1_600, 480, 1),
    ("edge-32c-512g", 32, 512, 6, 7.68, 26_500, 2_400, 560, 1),
    ("mid-48c-768g", 48, 768, 8, 7.68, 38_000, 3_400, 740, 2),
    ("large-64c-1024g", 64, 1024, 10, 15.36, 61_000, 5_400, 980, 2),
)


def csv_text(table: str, rows: Rows) -> str:
    """A table as CSV: only columns that are used, in the order of the data dictionary; then those that pass through."""
    used = {column for row in rows for column in row}
    text = io.StringIO()
    row_type = Change if table == "scenarios" else INPUT_TABLES[table]
    names = [entry.name for entry in describe(row_type) if entry.name in used]
    names += sorted(column for column in used if column.startswith(EXTRA_PREFIX))
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def cell(value: Any) -> Any:
    """A value as a planner writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return int(value) if isinstance(value, float) and value.is_integer() else value


def hardware(models: Iterable[str] = ()) -> Rows:
    """The demo catalog, all NVMe; only the named models where there are names."""
    names = (
        "node_model",
        "cores",
        "memory_gb",
        "capacity_drives",
        "capacity_drive_tb",
        "price",
        "annual_support",
        "watts",
        "rack_units",
    )
    wanted = set(models) or {row[0] for row in NODE_MODELS}
    return [
        {**dict(zip(names, row, strict=True)), "capacity_media": "nvme", **DEMO_PRICE}
        for row in NODE_MODELS
        if row[0] in wanted
    ]


#: Where the figures of the training text stand.
TRAINING_TEXT = "training text, scenario {}"

#: Demo prices of what the rule pack leaves at nothing.
DEMO_PRICES = (
    ("cooling_kwh_per_kwh", 0.4, "kWh/kWh"),
    ("switch_port", 180, "currency/port"),
    ("backup_per_instance_month", 10, "currency/instance/month"),
    ("backup_storage_per_gb_month", 0.02, "currency/GB/month"),
)


def prices(more: Iterable[tuple[str, float, str]] = ()) -> Rows:
    """What the price book overrides; the platform fee comes from the rule pack."""
    items = (("power_price_per_kwh", 0.1, "currency/kWh"), *more)
    return [
        {
            "item": item,
            "price": price,
            "unit": unit,
            "currency": "USD" if "currency" in unit else "",
            "as_of": "2026-09-01",
            "source": "demo price",
        }
        for item, price, unit in items
    ]


def figure(name: str, quantity: str, value: float, scenario: int, **where: Any) -> dict[str, Any]:
    """A figure of the training text."""
    source = TRAINING_TEXT.format(scenario)
    return {"figure": name, "quantity": quantity, "value": value, **where, "source": source}


def failure_rates() -> Rows:
    """How often things fail and how long repairs take: round assumptions, until a planner has records."""
    rates = (
        ("drive", 1_000_000, 24),
        ("node", 40_000, 12),
        ("cluster", 100_000, 4),
        ("link", 8_000, 6),
        ("network", 100_000, 3),
        ("site", 150_000, 48),
    )
    return [
        {"element": element, "mtbf_hours": mtbf, "mttr_hours": mttr, "source": "assumption"}
        for element, mtbf, mttr in rates
    ]


def policy(**values: Any) -> Rows:
    """Policy rows."""
    return [{"key": key, "value": value} for key, value in values.items()]


def deep_dive(*more: tuple[str, str, str, Any]) -> Rows:
    """The scenario that plans with the figures of the training text; more changes as (table, row, column, value)."""
    changes = (("policy", "rule_pack", "", "deep-dive"), *more)
    return [
        {"scenario": "deep-dive", "table": table, "row": row, "column": column, "action": "set", "value": value}
        for table, row, column, value in changes
    ]


def site(place: Place, **values: Any) -> dict[str, Any]:
    """A site row at a place."""
    where = {"latitude": place.latitude, "longitude": place.longitude, "country": place.country, "region": place.region}
    return {**values, **where}


def distance(a: Place, b: Place) -> float:
    """Great-circle distance [km]."""
    return float(great_circle_km(a.latitude, a.longitude, b.latitude, b.longitude))


def spread(candidates: Iterable[Place], count: int, apart_km: float, taken: Iterable[Place] = ()) -> list[Place]:
    """The largest places that lie `apart_km` from each other and from those taken."""
    chosen: list[Place] = []
    for place in candidates:
        if all(distance(place, other) >= apart_km for other in (*taken, *chosen)):
            chosen.append(place)
            if len(chosen) == count:
                return chosen
    raise ValueError(f"only {len(chosen)} of {count} places lie {apart_km} km apart")
