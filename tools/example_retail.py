"""The retail chain: 250 stores, 10 distribution centers, one carrier network."""

from __future__ import annotations

from collections.abc import Mapping

from example_parts import Rows, deep_dive, failure_rates, figure, hardware, policy, prices, site, spread

from fleet.inventory.reading.geocode import geocode, places

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
STORE_KINDS = ";".join(kind for kind, _, _ in STORE_SIZES)
#: Round trip of the last mile of the store in the largest town, and in the smallest [ms].
ACCESS_MS = (2.0, 8.0)
#: Longest round trips of the workloads at the stores [ms]; why is said in the README.
MAX_RTT_MS = {"pos": 40, "inventory-db": 60, "analytics": 120}


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
            wan_rtt_ms=2,
            wan_monthly_cost=950,
        )
    )
    shortest, longest = ACCESS_MS
    for rank, (store, kind) in enumerate(zip(stores, kinds, strict=True)):
        sites.append(
            site(
                store,
                site=f"{store.name} {store.region}",
                name=f"Store {store.name}, {store.region}",
                kind=kind,
                wan_mbps=25,
                wan_rtt_ms=round(shortest + (longest - shortest) * rank / (STORES - 1), 1),
                wan_monthly_cost=240,
            )
        )
    links = [
        {
            "from": f"RDC {center.name}",
            "to": CARRIER,
            "link": f"RDC {center.name} access",
            "bandwidth_mbps": 1000,
            "rtt_ms": 2,
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
        "figures": [
            figure("bandwidth of 25 stores", "circuit_mbps", 25, 5, kind=STORE_KINDS, sites=25),
            figure("aggregate bandwidth of 25 stores", "circuit_mbps", 625, 5, kind=STORE_KINDS, sites=25),
            figure("clusters", "clusters", 10, 5),
            figure("nodes", "nodes", 30, 5),
        ],
        "failure_rates": failure_rates(),
        "policy": policy(default_network=CARRIER, horizon_months=18, period_months=6, min_separation_km=300),
        "scenarios": deep_dive(("workloads", "workload=inventory-db", "rpo_minutes", 30)),
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
                "max_rtt_ms": MAX_RTT_MS["pos"],
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
                "max_rtt_ms": MAX_RTT_MS["inventory-db"],
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
                "max_rtt_ms": MAX_RTT_MS["analytics"],
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
