"""The manufacturer: a headquarters with the data center next door, and two plants with small rooms."""

from __future__ import annotations

from collections.abc import Mapping

from example_parts import DEMO_PRICES, Rows, deep_dive, figure, hardware, policy, prices, site

from fleet.inventory.reading.geocode import geocode

HEADQUARTERS = "Milwaukee, WI"
PLANTS = ("Green Bay, WI", "Rockford, IL")


def manufacturing() -> Mapping[str, Rows]:
    """One cluster at the headquarters carries planning, database, analytics and what the lines at two plants send."""
    home = geocode(f"{HEADQUARTERS}, US")
    plants = [geocode(f"{city}, US") for city in PLANTS]
    sites: Rows = [
        site(
            home,
            site="HQ Milwaukee",
            name="Headquarters and facility 1",
            kind="hq",
            can_host=True,
            max_clusters=1,
            max_nodes=4,
            max_power_kw=2,
            max_rack_units=8,
            opening_cost=12_000,
            monthly_cost=900,
            power_price_per_kwh=0.09,
        ),
        site(home, site="Datacenter Milwaukee", name="Existing data center, keeps SAP ERP", kind="datacenter"),
    ]
    sites += [
        site(
            plant,
            site=f"Plant {plant.name}",
            name=f"Facility {number}, {plant.name}",
            kind="plant",
            can_host=True,
            max_clusters=1,
            max_nodes=2,
            max_power_kw=1.2,
            max_rack_units=4,
            opening_cost=18_000,
            monthly_cost=700,
            power_price_per_kwh=0.1,
        )
        for number, plant in enumerate(plants, 2)
    ]
    links: Rows = [
        {
            "from": "HQ Milwaukee",
            "to": "Datacenter Milwaukee",
            "link": "HQ datacenter",
            "bandwidth_mbps": 10_000,
            "rtt_ms": 0.3,
        }
    ]
    for plant in plants:
        for label, bandwidth, cost in (("A", 500, 850), ("B", 200, 380)):
            links.append(
                {
                    "from": f"Plant {plant.name}",
                    "to": "HQ Milwaukee",
                    "link": f"{plant.name} internet {label}",
                    "bandwidth_mbps": bandwidth,
                    "monthly_cost": cost,
                }
            )
    return {
        "sites": sites,
        "links": links,
        "workloads": _workloads(),
        "hardware": hardware(("edge-32c-256g", "edge-32c-512g", "mid-48c-768g")),
        "growth": [{"profile": "production", "annual_rate": 0.05}, {"profile": "telemetry", "annual_rate": 0.2}],
        "prices": prices(DEMO_PRICES),
        "figures": [
            figure("usable storage", "data_tb", 3.3, 1, parts="2;1;2"),
            figure("nodes of the headquarters cluster", "nodes", 3, 1, site="HQ Milwaukee"),
        ],
        "policy": policy(horizon_months=18, period_months=6),
        "scenarios": deep_dive(),
    }


def _workloads() -> Rows:
    critical = {"tier": "hot", "max_rtt_ms": 10, "priority": 0, "rto_minutes": 30, "growth": "production"}
    backed_up = {"backup_days": 30, "backup_site": "Datacenter Milwaukee"}
    return [
        {
            "workload": "planning",
            "site": "HQ Milwaukee",
            "count": 2,
            "vcpus": 16,
            "memory_gb": 96,
            "storage_gb": 150,
            "traffic_mbps": 20,
            "change_gb_per_day": 5,
            **critical,
            **backed_up,
        },
        {
            "workload": "database",
            "site": "HQ Milwaukee",
            "vcpus": 16,
            "memory_gb": 128,
            "storage_gb": 1_700,
            "traffic_mbps": 40,
            "change_gb_per_day": 60,
            **critical,
            **backed_up,
        },
        {
            "workload": "analytics",
            "site": "HQ Milwaukee",
            "count": 3,
            "vcpus": 8,
            "memory_gb": 32,
            "storage_gb": 300,
            "tier": "warm",
            "traffic_mbps": 15,
            "priority": 3,
            "growth": "telemetry",
        },
        {
            "workload": "sap-test",
            "site": "HQ Milwaukee",
            "count": 2,
            "vcpus": 12,
            "memory_gb": 64,
            "storage_gb": 1_000,
            "tier": "archive",
            "traffic_mbps": 5,
            "priority": 5,
        },
        {
            "workload": "line-data",
            "kind": "plant",
            "vcpus": 8,
            "memory_gb": 32,
            "storage_gb": 50,
            "tier": "warm",
            "traffic_mbps": 60,
            "max_rtt_ms": 15,
            "priority": 1,
            "growth": "telemetry",
        },
    ]
