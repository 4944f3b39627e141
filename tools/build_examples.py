"""Build the example inventories under ``data/`` from the place table, so that they can be made again.

Coordinates come from the shipped place table (derived from GeoNames, CC BY 4.0); all else is made up and plain:
demo prices, demo round trips, demo loads. Run it as ``make examples``; the same table gives the same files.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from geopy.distance import great_circle

from fleet.exchange.files import write_text
from fleet.inventory.geocode import Place, geocode, places
from fleet.inventory.inventory import INPUT_TABLES
from fleet.tables import describe

Rows = list[dict[str, Any]]
DATA = Path(__file__).resolve().parent.parent / "data"

#: Node models at demo prices: cores, memory, drives, drive size, price, support, watts, height.
NODE_MODELS = (
    ("edge-32c-256g", 32, 256, 4, 3.84, 17_500, 1_600, 480, 1),
    ("edge-32c-512g", 32, 512, 6, 7.68, 26_500, 2_400, 560, 1),
    ("mid-48c-768g", 48, 768, 8, 7.68, 38_000, 3_400, 740, 2),
    ("large-64c-1024g", 64, 1024, 10, 15.36, 61_000, 5_400, 980, 2),
)
#: Demo energy prices per state [USD/kWh].
ENERGY = {
    "GA": 0.085,
    "PA": 0.095,
    "OH": 0.09,
    "IL": 0.088,
    "TN": 0.08,
    "TX": 0.082,
    "CO": 0.1,
    "AZ": 0.092,
    "CA": 0.19,
    "WA": 0.075,
}

RDC_CITIES = (
    "Allentown, PA",
    "Atlanta, GA",
    "Columbus, OH",
    "Dallas, TX",
    "Denver, CO",
    "Joliet, IL",
    "Memphis, TN",
    "Phoenix, AZ",
    "Riverside, CA",
    "Tacoma, WA",
)
HEADQUARTERS = "Nashville, TN"
CARRIER = "MPLS"
STORES = 250
#: Stores in order of city size: (kind, how many, factor on every amount).
STORE_SIZES = (("store-large", 40, 2.0), ("store-medium", 90, 1.0), ("store-small", 120, 0.5))

HOSPITAL_CITIES = ("Columbus, OH", "Cleveland, OH", "Cincinnati, OH", "Toledo, OH", "Akron, OH")
CLINICS = 20


def main() -> None:
    """Write every example."""
    for name, tables in (("retail", retail()), ("healthcare", healthcare())):
        for table, rows in tables.items():
            write_text(DATA / name / f"{table}.csv", csv_text(table, rows))


def csv_text(table: str, rows: Rows) -> str:
    """A table as CSV: only columns that are used, in the order of the data dictionary."""
    used = {column for row in rows for column in row}
    text = io.StringIO()
    names = [entry.name for entry in describe(INPUT_TABLES[table]) if entry.name in used]
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def cell(value: Any) -> Any:
    """A value as a planner writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return int(value) if isinstance(value, float) and value.is_integer() else value


def hardware() -> Rows:
    """The demo catalog, all NVMe."""
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
    return [{**dict(zip(names, row, strict=True)), "capacity_media": "nvme"} for row in NODE_MODELS]


def prices() -> Rows:
    """What the price book overrides; the platform fee comes from the rule pack."""
    return [
        {"item": "power_price_per_kwh", "price": 0.1, "unit": "currency/kWh", "currency": "USD", "source": "demo price"}
    ]


def policy(**values: Any) -> Rows:
    """Policy rows."""
    return [{"key": key, "value": value} for key, value in values.items()]


def site(place: Place, **values: Any) -> dict[str, Any]:
    """A site row at a place."""
    where = {"latitude": place.latitude, "longitude": place.longitude, "country": place.country, "region": place.region}
    return {**values, **where}


def distance(a: Place, b: Place) -> float:
    """Great-circle distance [km]."""
    return float(great_circle((a.latitude, a.longitude), (b.latitude, b.longitude)).km)


def spread(candidates: Iterable[Place], count: int, apart_km: float, taken: Iterable[Place] = ()) -> list[Place]:
    """The largest places that lie `apart_km` from each other and from those taken."""
    chosen: list[Place] = []
    for place in candidates:
        if all(distance(place, other) >= apart_km for other in (*taken, *chosen)):
            chosen.append(place)
            if len(chosen) == count:
                return chosen
    raise ValueError(f"only {len(chosen)} of {count} places lie {apart_km} km apart")


def retail() -> Mapping[str, Rows]:
    """250 stores and a headquarters on one carrier network; clusters may stand at 10 distribution centers."""
    united_states = [p for p in places() if p.country == "US" and p.region not in ("AK", "HI", "PR")]
    centers = [geocode(f"{city}, US") for city in RDC_CITIES]
    home = geocode(f"{HEADQUARTERS}, US")
    stores = spread(united_states, STORES, 32)
    kinds = [kind for kind, count, _ in STORE_SIZES for _ in range(count)]
    sites: Rows = [{"site": CARRIER, "name": "Carrier network", "kind": "network"}]
    for center in centers:
        sites.append(
            site(
                center,
                site=f"RDC {center.name}",
                name=f"Distribution center {center.name}, {center.region}",
                kind="rdc",
                can_host=True,
                max_clusters=1,
                max_nodes=16,
                max_power_kw=16,
                max_rack_units=36,
                opening_cost=45_000,
                monthly_cost=2_500,
                power_price_per_kwh=ENERGY[center.region],
            )
        )
    sites.append(
        site(
            home,
            site="HQ Nashville",
            name="Headquarters",
            kind="hq",
            transit=False,
            wan_mbps=100,
            wan_rtt_ms=6,
            wan_monthly_cost=950,
        )
    )
    for store, kind in zip(stores, kinds, strict=True):
        nearest = min(distance(store, center) for center in centers)
        sites.append(
            site(
                store,
                site=f"{store.name} {store.region}",
                name=f"Store {store.name}, {store.region}",
                kind=kind,
                wan_mbps=25,
                wan_rtt_ms=round(4 + 0.0173 * nearest, 1),
                wan_monthly_cost=240,
            )
        )
    links = [
        {
            "from": f"RDC {center.name}",
            "to": CARRIER,
            "link": f"RDC {center.name} access",
            "bandwidth_mbps": 1000,
            "rtt_ms": 4,
            "monthly_cost": 2_800,
            "upgrade_mbps": 2000,
            "upgrade_monthly_cost": 1_900,
        }
        for center in centers
    ]
    return {
        "sites": sites,
        "links": links,
        "workloads": _retail_workloads(),
        "hardware": hardware(),
        "growth": [{"profile": "sales", "annual_rate": 0.06}, {"profile": "insight", "annual_rate": 0.2}],
        "prices": prices(),
        "policy": policy(default_network=CARRIER, horizon_months=18, period_months=6, min_separation_km=300),
    }


def _retail_workloads() -> Rows:
    rows: Rows = []
    for kind, _, factor in STORE_SIZES:
        rows.append(
            {
                "workload": "pos",
                "kind": kind,
                "vcpus": 2 * factor,
                "memory_gb": 8 * factor,
                "storage_gb": 100 * factor,
                "tier": "hot",
                "traffic_mbps": 0.6 * factor,
                "max_rtt_ms": 60,
                "protection": "async",
                "priority": 0,
                "rto_minutes": 60,
                "rpo_minutes": 60,
                "change_gb_per_day": 2 * factor,
                "residency": "country",
                "growth": "sales",
            }
        )
        rows.append(
            {
                "workload": "inventory-db",
                "kind": kind,
                "vcpus": 4 * factor,
                "memory_gb": 16 * factor,
                "storage_gb": 300 * factor,
                "tier": "hot",
                "traffic_mbps": 1.6 * factor,
                "max_rtt_ms": 80,
                "protection": "async",
                "priority": 1,
                "rto_minutes": 120,
                "rpo_minutes": 15,
                "change_gb_per_day": 5 * factor,
                "residency": "country",
                "growth": "sales",
            }
        )
        rows.append(
            {
                "workload": "analytics",
                "kind": kind,
                "vcpus": 4 * factor,
                "memory_gb": 16 * factor,
                "storage_gb": 200 * factor,
                "tier": "warm",
                "traffic_mbps": 2.4 * factor,
                "max_rtt_ms": 120,
                "protection": "none",
                "priority": 5,
                "growth": "insight",
            }
        )
    rows.append(
        {
            "workload": "merchandising",
            "kind": "hq",
            "vcpus": 32,
            "memory_gb": 192,
            "storage_gb": 4_000,
            "tier": "hot",
            "traffic_mbps": 40,
            "max_rtt_ms": 60,
            "protection": "async",
            "priority": 2,
            "rto_minutes": 240,
            "rpo_minutes": 60,
            "change_gb_per_day": 60,
            "residency": "country",
            "growth": "sales",
        }
    )
    return rows


def healthcare() -> Mapping[str, Rows]:
    """Five hospitals on a ring with one chord, twenty clinics with two circuits each, all in one state."""
    hospitals = [geocode(f"{city}, US") for city in HOSPITAL_CITIES]
    ohio = [place for place in places() if (place.country, place.region) == ("US", "OH")]
    clinics = spread(ohio, CLINICS, 25, taken=hospitals)
    sites: Rows = [
        site(
            hospital,
            site=f"Hospital {hospital.name}",
            name=f"Hospital {hospital.name}",
            kind="hospital",
            can_host=True,
            max_clusters=1,
            max_nodes=8,
            max_power_kw=9,
            max_rack_units=20,
            opening_cost=30_000,
            monthly_cost=1_900,
            power_price_per_kwh=0.09,
            compliance="HIPAA",
        )
        for hospital in hospitals
    ]
    sites += [
        site(clinic, site=f"Clinic {clinic.name}", name=f"Clinic {clinic.name}", kind="clinic", compliance="HIPAA")
        for clinic in clinics
    ]
    names = [hospital.name for hospital in hospitals]
    ring = [(0, 1), (1, 4), (4, 0), (0, 2), (2, 3), (3, 0), (1, 3)]
    links: Rows = [
        {
            "from": f"Hospital {names[a]}",
            "to": f"Hospital {names[b]}",
            "link": f"{names[a]}–{names[b]}",
            "bandwidth_mbps": 1000,
            "monthly_cost": 2_200,
            "upgrade_mbps": 2000,
            "upgrade_monthly_cost": 1_500,
        }
        for a, b in ring
    ]
    for clinic in clinics:
        near = sorted(hospitals, key=lambda hospital: (distance(clinic, hospital), hospital.name))
        for hospital, bandwidth, cost in ((near[0], 100, 420), (near[1], 50, 260)):
            links.append(
                {
                    "from": f"Clinic {clinic.name}",
                    "to": f"Hospital {hospital.name}",
                    "link": f"{clinic.name}–{hospital.name}",
                    "bandwidth_mbps": bandwidth,
                    "monthly_cost": cost,
                }
            )
    return {
        "sites": sites,
        "links": links,
        "workloads": _healthcare_workloads(f"Hospital {names[0]}"),
        "hardware": hardware(),
        "growth": [{"profile": "imaging", "annual_rate": 0.15}, {"profile": "records", "annual_rate": 0.05}],
        "prices": prices(),
        "policy": policy(horizon_months=18, period_months=6, min_separation_km=40),
    }


def _healthcare_workloads(main_hospital: str) -> Rows:
    protected = {"protection": "async", "rpo_minutes": 60, "residency": "region"}
    return [
        {
            "workload": "pacs",
            "site": main_hospital,
            "vcpus": 48,
            "memory_gb": 256,
            "storage_gb": 10_000,
            "tier": "hot",
            "traffic_mbps": 150,
            "max_rtt_ms": 20,
            "priority": 1,
            "rto_minutes": 120,
            "change_gb_per_day": 150,
            "growth": "imaging",
            **protected,
        },
        {
            "workload": "ehr",
            "site": main_hospital,
            "vcpus": 64,
            "memory_gb": 384,
            "storage_gb": 5_000,
            "tier": "hot",
            "traffic_mbps": 60,
            "max_rtt_ms": 20,
            "priority": 0,
            "rto_minutes": 60,
            "change_gb_per_day": 60,
            "growth": "records",
            **protected,
        },
        {
            "workload": "archive",
            "site": main_hospital,
            "vcpus": 8,
            "memory_gb": 32,
            "storage_gb": 20_000,
            "tier": "archive",
            "traffic_mbps": 20,
            "priority": 5,
            "rto_minutes": 240,
            "change_gb_per_day": 40,
            "growth": "imaging",
            **protected,
        },
        {
            "workload": "patient-care",
            "kind": "hospital",
            "vcpus": 24,
            "memory_gb": 128,
            "storage_gb": 1_500,
            "tier": "hot",
            "traffic_mbps": 25,
            "max_rtt_ms": 20,
            "priority": 1,
            "rto_minutes": 60,
            "change_gb_per_day": 15,
            "growth": "records",
            **protected,
        },
        {
            "workload": "clinic-ehr",
            "kind": "clinic",
            "vcpus": 6,
            "memory_gb": 24,
            "storage_gb": 250,
            "tier": "hot",
            "traffic_mbps": 6,
            "max_rtt_ms": 25,
            "priority": 2,
            "rto_minutes": 60,
            "change_gb_per_day": 3,
            "growth": "records",
            **protected,
        },
        {
            "workload": "clinic-imaging",
            "kind": "clinic",
            "vcpus": 4,
            "memory_gb": 16,
            "storage_gb": 800,
            "tier": "warm",
            "traffic_mbps": 12,
            "max_rtt_ms": 30,
            "priority": 4,
            "growth": "imaging",
            "residency": "region",
        },
    ]


if __name__ == "__main__":
    main()
