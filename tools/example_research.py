"""The research institute: one node with GPUs as a proof of concept, and room for the cluster that may follow."""

from __future__ import annotations

from collections.abc import Mapping

from example_parts import DEMO_PRICE, DEMO_PRICES, Rows, deep_dive, figure, policy, prices, site

from fleet.inventory.reading.geocode import geocode

#: Of each server its GPUs, drives and price; 48 cores and 512 GB as in the seed. Demo prices.
SERVERS = (
    ("gpu-48c-512g-seed", "L40S", 4, 0.96, 42_000, 3_800),
    ("gpu-48c-512g-l40s", "L40S", 6, 3.84, 47_500, 4_200),
    ("gpu-48c-512g-a100", "A100", 6, 3.84, 61_000, 5_400),
)


def research() -> Mapping[str, Rows]:
    """A single node serves researchers and students; in the second year a service follows that must not stop."""
    home = geocode("Göttingen, DE")
    center = geocode("Hannover, DE")
    sites: Rows = [
        site(
            home,
            site="Research center",
            name="Research center, Göttingen",
            kind="campus",
            can_host=True,
            max_clusters=1,
            max_nodes=4,
            max_power_kw=6,
            max_rack_units=12,
            opening_cost=5_000,
            monthly_cost=150,
            power_price_per_kwh=0.24,
        ),
        site(center, site="Data repository", name="University data repository, Hannover", kind="repository"),
    ]
    links: Rows = [
        {
            "from": "Research center",
            "to": "Data repository",
            "link": "research network",
            "bandwidth_mbps": 10_000,
            "monthly_cost": 0,
        }
    ]
    hardware: Rows = [
        {
            "node_model": name,
            "cores": 48,
            "memory_gb": 512,
            "capacity_drives": drives,
            "capacity_drive_tb": drive_tb,
            "capacity_media": "ssd",
            "gpu_model": gpu,
            "gpus": 2,
            "price": price,
            "annual_support": support,
            "watts": 1_350,
            "rack_units": 2,
            **DEMO_PRICE,
        }
        for name, gpu, drives, drive_tb, price, support in SERVERS
    ]
    return {
        "sites": sites,
        "links": links,
        "workloads": _workloads(),
        "hardware": hardware,
        "growth": [{"profile": "data", "annual_rate": 0.25}],
        "prices": prices(DEMO_PRICES),
        "figures": [
            figure("nodes of the proof of concept", "nodes", 1, 4, site="Research center"),
            figure("solid-state storage", "data_tb", 4, 4, site="Research center"),
        ],
        "policy": policy(horizon_months=24, period_months=12, budget=200_000),
        "scenarios": deep_dive(("workloads", "training@Research center", "gpu_model", "A100")),
    }


def _workloads() -> Rows:
    proof = {"site": "Research center", "fault_tolerance": 0}
    kept = {"backup_days": 14, "backup_site": "Data repository"}
    return [
        {
            "workload": "kubernetes",
            "count": 3,
            "vcpus": 8,
            "memory_gb": 32,
            "storage_gb": 200,
            "tier": "hot",
            "traffic_mbps": 50,
            **proof,
        },
        {
            "workload": "notebooks",
            "count": 20,
            "vcpus": 2,
            "memory_gb": 4,
            "storage_gb": 25,
            "tier": "warm",
            "traffic_mbps": 5,
            "change_gb_per_day": 0.5,
            "growth": "data",
            **proof,
            **kept,
        },
        {
            "workload": "training",
            "count": 2,
            "vcpus": 8,
            "memory_gb": 64,
            "storage_gb": 1_200,
            "tier": "hot",
            "gpu_model": "L40S",
            "gpus": 1,
            "gpu_mode": "dda",
            "traffic_mbps": 100,
            "change_gb_per_day": 20,
            "growth": "data",
            **proof,
            **kept,
        },
        {
            "workload": "portal",
            "site": "Research center",
            "count": 2,
            "vcpus": 4,
            "memory_gb": 16,
            "storage_gb": 100,
            "tier": "hot",
            "traffic_mbps": 20,
            "priority": 1,
            "from_month": 12,
        },
    ]
