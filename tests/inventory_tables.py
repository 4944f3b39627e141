"""A small valid inventory as raw tables, with every table in use."""

from __future__ import annotations

import copy
from typing import Any

Tables = dict[str, list[dict[str, Any]]]

_TABLES: Tables = {
    "sites": [
        {"site": "hub-a", "kind": "rdc", "latitude": 40.0, "longitude": -100.0, "can_host": "yes", "country": "US",
         "region": "NE", "opening_cost": 1000, "max_clusters": 2},
        {"site": "hub-b", "kind": "rdc", "place": "Denver, CO", "can_host": "yes", "country": "US", "region": "CO"},
        {"site": "cloud", "kind": "network"},
        {"site": "s1", "kind": "store", "latitude": 41.0, "longitude": -99.0, "country": "US", "region": "NE"},
        {"site": "s2", "kind": "store", "latitude": 39.0, "longitude": -104.0, "country": "US", "region": "CO",
         "wan_mbps": 100, "wan_rtt_ms": 8},
    ],
    "links": [
        {"link": "backbone", "from": "hub-a", "to": "hub-b", "bandwidth_mbps": 1000, "upgrade_mbps": 4000},
        {"link": "a-cloud", "from": "hub-a", "to": "cloud", "bandwidth_mbps": 1000, "rtt_ms": 3},
        {"link": "b-cloud", "from": "hub-b", "to": "cloud", "bandwidth_mbps": 1000, "rtt_ms": 3},
        {"link": "", "from": "s1", "to": "hub-a", "bandwidth_mbps": 100, "shared_risk": "duct-1;duct-2"},
        {"link": "", "from": "hub-b", "to": "s1", "bandwidth_mbps": 50},
    ],
    "workloads": [
        {"workload": "pos", "kind": "store", "vcpus": 4, "memory_gb": 16, "storage_gb": 200, "protection": "auto",
         "rpo_minutes": 15, "rto_minutes": 60, "change_gb_per_day": 5, "growth": "steady", "max_rtt_ms": 50},
        {"workload": "vision", "site": "s1", "vcpus": 8, "memory_gb": 32, "storage_gb": 500, "gpus": 1,
         "gpu_model": "A2", "growth": "curve", "backup_site": "hub-b", "backup_days": 30, "residency": "country"},
    ],
    "hardware": [
        {"node_model": "std", "cores": 32, "memory_gb": 512, "capacity_drives": 6, "capacity_drive_tb": 7.68,
         "price": 20000, "gpu_model": "A2", "gpus": 2},
        {"node_model": "big", "cores": 64, "memory_gb": 1024, "capacity_drives": 8, "capacity_drive_tb": 7.68,
         "price": 40000, "x_vendor": "Example"},
    ],
    "growth": [
        {"profile": "steady", "annual_rate": 0.1},
        {"profile": "curve", "month": 0, "factor": 1.0},
        {"profile": "curve", "month": 12, "factor": 1.5},
    ],
    "clusters": [
        {"cluster": "old", "site": "hub-a", "node_model": "std", "nodes": 2, "purchased": "2024-05-01", "keep": "no"},
    ],
    "pins": [
        {"decision": "open", "site": "hub-b", "reason": "lease", "owner": "facilities"},
        {"decision": "assign", "workload": "pos", "site": "s1", "value": "hub-b"},
    ],
    "prices": [{"item": "power_price_per_kwh", "price": 0.12, "unit": "USD/kWh", "currency": "USD"}],
    "failure_rates": [{"element": "node", "mtbf_hours": 50000, "mttr_hours": 8}],
    "figures": [{"figure": "stores", "quantity": "nodes", "value": 4, "parts": "2;2", "kind": "store", "sites": 1}],
    "policy": [{"key": "default_network", "value": "cloud"}, {"key": "budget", "value": "5000000"}],
}  # fmt: skip


def valid_tables() -> Tables:
    """A fresh copy to change."""
    return copy.deepcopy(_TABLES)
