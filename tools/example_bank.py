"""The regional bank: headquarters, a second site in reach of synchronous writes, a third one out of it, 50 branches."""

from __future__ import annotations

from collections.abc import Mapping

from example_parts import DEMO_PRICES, Rows, deep_dive, failure_rates, figure, hardware, policy, prices, site, spread

from fleet.inventory.reading.geocode import geocode, places

BRANCHES = 50
CARRIER = "MPLS"
#: Where clusters may stand: site, place, rack units, round trip of its access circuit [ms].
HOSTS = (
    ("HQ Zürich", "Zürich", 4, 2.0),
    ("Secondary Winterthur", "Winterthur", 4, 2.0),
    ("Reserve Bern", "Bern", 12, 4.5),
)


def bank() -> Mapping[str, Rows]:
    """Trading and core database lose nothing when a site is lost; branches may lose an hour."""
    homes = [geocode(f"{place}, CH") for _, place, _, _ in HOSTS]
    swiss = [place for place in places() if place.country == "CH" and "Kreis" not in place.name]
    branches = spread(swiss, BRANCHES, 6)
    sites: Rows = [{"site": CARRIER, "name": "Carrier network", "kind": "network", "country": "CH"}]
    for (name, _, rack_units, _), home in zip(HOSTS, homes, strict=True):
        sites.append(
            site(
                home,
                site=name,
                name=name,
                kind="hq" if name.startswith("HQ") else "datacenter",
                can_host=True,
                max_clusters=1,
                max_rack_units=rack_units,
                max_power_kw=rack_units / 2,
                opening_cost=0 if name.startswith("HQ") else 35_000,
                monthly_cost=2_400,
                power_price_per_kwh=0.21,
                compliance="SOC 2",
            )
        )
    sites += [
        site(
            branch,
            site=f"Branch {branch.name}",
            name=f"Branch {branch.name}",
            kind="branch",
            compliance="SOC 2",
            wan_mbps=50,
            wan_rtt_ms=5,
            wan_monthly_cost=190,
        )
        for branch in branches
    ]
    links: Rows = [
        {
            "from": "HQ Zürich",
            "to": "Secondary Winterthur",
            "link": "replication",
            "bandwidth_mbps": 100,
            "rtt_ms": 1.2,
            "monthly_cost": 600,
            "upgrade_mbps": 1_000,
            "upgrade_monthly_cost": 900,
        }
    ]
    links += [
        {
            "from": name,
            "to": CARRIER,
            "link": f"{name} access",
            "bandwidth_mbps": 1_000,
            "rtt_ms": rtt_ms,
            "monthly_cost": 1_900,
        }
        for name, _, _, rtt_ms in HOSTS
    ]
    return {
        "sites": sites,
        "links": links,
        "workloads": _workloads(),
        "hardware": hardware(("mid-48c-768g", "large-64c-1024g")),
        "growth": [{"profile": "business", "annual_rate": 0.04}],
        "prices": prices(DEMO_PRICES),
        "figures": [
            figure("nodes at the headquarters", "nodes", 2, 2, site="HQ Zürich"),
            figure("nodes at the second site", "nodes", 2, 2, site="Secondary Winterthur"),
            figure("clusters", "clusters", 2, 2),
        ],
        "failure_rates": failure_rates(),
        "policy": policy(default_network=CARRIER, horizon_months=18, period_months=6, min_separation_km=15),
        "scenarios": deep_dive(),
    }


def _workloads() -> Rows:
    lossless = {"protection": "sync", "rpo_minutes": 0, "rto_minutes": 5, "priority": 0}
    delayed = {"protection": "async", "rpo_minutes": 60, "rto_minutes": 60}
    kept = {"residency": "country", "growth": "business", "backup_days": 35}
    return [
        {
            "workload": "trading",
            "site": "HQ Zürich",
            "count": 2,
            "vcpus": 16,
            "memory_gb": 96,
            "storage_gb": 400,
            "tier": "hot",
            "vcpu_per_core": 2,
            "traffic_mbps": 30,
            "max_rtt_ms": 3,
            "change_gb_per_day": 40,
            **lossless,
            **kept,
        },
        {
            "workload": "core-database",
            "site": "HQ Zürich",
            "vcpus": 24,
            "memory_gb": 160,
            "storage_gb": 3_000,
            "tier": "hot",
            "traffic_mbps": 60,
            "max_rtt_ms": 10,
            "change_gb_per_day": 120,
            **lossless,
            **kept,
        },
        {
            "workload": "branch-hub",
            "site": "HQ Zürich",
            "vcpus": 8,
            "memory_gb": 32,
            "storage_gb": 300,
            "tier": "hot",
            "traffic_mbps": 40,
            "max_rtt_ms": 20,
            "priority": 1,
            "change_gb_per_day": 10,
            **delayed,
            **kept,
        },
        {
            "workload": "teller",
            "kind": "branch",
            "vcpus": 1,
            "memory_gb": 4,
            "storage_gb": 40,
            "tier": "warm",
            "traffic_mbps": 3,
            "max_rtt_ms": 30,
            "priority": 2,
            "change_gb_per_day": 1,
            **delayed,
            **kept,
        },
        {
            "workload": "reporting",
            "site": "HQ Zürich",
            "vcpus": 12,
            "memory_gb": 64,
            "storage_gb": 2_000,
            "tier": "archive",
            "traffic_mbps": 10,
            "priority": 5,
            "residency": "country",
            "growth": "business",
        },
    ]
