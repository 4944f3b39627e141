"""The hospital network: 5 hospitals on a ring with one chord, 20 clinics with two circuits each, one state."""

from __future__ import annotations

from collections.abc import Mapping

from example_parts import (
    DEMO_PRICES,
    Rows,
    deep_dive,
    distance,
    failure_rates,
    figure,
    hardware,
    policy,
    prices,
    site,
    spread,
)

from fleet.inventory.reading.geocode import geocode, places

HOSPITAL_CITIES = ("Columbus, OH", "Cleveland, OH", "Cincinnati, OH", "Toledo, OH", "Akron, OH")
CLINICS = 20


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
        "prices": prices(DEMO_PRICES),
        "figures": [
            figure("storage of hospital A", "data_tb", 35, 3, site="Hospital Columbus", parts="10;5;20"),
            figure("nodes of all hospitals", "nodes", 7, 3, kind="hospital", parts="4;3"),
            figure("clusters", "clusters", 2, 3),
        ],
        "failure_rates": failure_rates(),
        "policy": policy(horizon_months=18, period_months=6, min_separation_km=40),
        "scenarios": deep_dive(),
    }


def _healthcare_workloads(main_hospital: str) -> Rows:
    protected = {"protection": "async", "rpo_minutes": 60, "residency": "region", "backup_days": 30}
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
