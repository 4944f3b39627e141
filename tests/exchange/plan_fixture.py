"""A realistic plan, made by plain arithmetic: 60 sites in US cities, 5 clusters, 3 periods, hostile names included."""

from __future__ import annotations

import math
from collections import defaultdict

from fleet.inventory.inventory import Demand, DemandKey, Inventory
from fleet.inventory.tables.growth import GrowthPoint
from fleet.inventory.tables.hardware import ExistingCluster, NodeModel
from fleet.inventory.tables.links import Link
from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.prices import Price
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import Workload
from fleet.plan.costs import totals
from fleet.plan.plan import (
    ActionRow,
    AssignmentRow,
    ClusterLoadRow,
    ClusterPeriodRow,
    ClusterRow,
    CostRow,
    Finding,
    Generator,
    InventoryCopy,
    LinkRow,
    ObjectiveRow,
    PeriodRow,
    Plan,
    PlanDocument,
    ResultRow,
    ScenarioName,
    StandbyRow,
)

HOSTILE_MARKUP = "<img src=x onerror=alert(1)>"
HOSTILE_TEMPLATE = "{{ 7*7 }}"
HOSTILE_FORMULA = "=cmd()"
CLOUD = "MPLS"
PERIODS = 3
Placement = dict[DemandKey, str]

#: Cluster → site, nodes per period.
CLUSTERS: dict[str, tuple[str, tuple[int, int, int]]] = {
    "Atlanta-c1": ("Atlanta", (4, 4, 5)),
    "Chicago-c1": ("Chicago", (5, 6, 6)),
    "Dallas-c1": ("Dallas", (4, 5, 5)),
    "Newark-c1": ("Newark", (4, 4, 4)),
    "Reno-c1": ("Reno", (3, 4, 4)),
}
#: Distribution centers that may host: name, state, latitude, longitude.
HUBS = (
    ("Atlanta", "GA", 33.75, -84.39),
    ("Chicago", "IL", 41.88, -87.63),
    ("Dallas", "TX", 32.78, -96.80),
    ("Newark", "NJ", 40.74, -74.17),
    ("Reno", "NV", 39.53, -119.81),
    ("Denver", "CO", 39.74, -104.99),
    ("Memphis", "TN", 35.15, -90.05),
)
STORES = (
    ("Albuquerque", "NM", 35.08, -106.65),
    ("Austin", "TX", 30.27, -97.74),
    ("Baltimore", "MD", 39.29, -76.61),
    ("Billings", "MT", 45.78, -108.50),
    ("Birmingham", "AL", 33.52, -86.80),
    ("Boise", "ID", 43.62, -116.20),
    ("Boston", "MA", 42.36, -71.06),
    ("Buffalo", "NY", 42.89, -78.88),
    ("Charlotte", "NC", 35.23, -80.84),
    ("Cincinnati", "OH", 39.10, -84.51),
    ("Cleveland", "OH", 41.50, -81.69),
    ("Columbus", "OH", 39.96, -83.00),
    ("Des Moines", "IA", 41.59, -93.62),
    ("Detroit", "MI", 42.33, -83.05),
    ("El Paso", "TX", 31.76, -106.49),
    ("Fargo", "ND", 46.88, -96.79),
    ("Fresno", "CA", 36.74, -119.78),
    ("Hartford", "CT", 41.76, -72.67),
    ("Houston", "TX", 29.76, -95.37),
    ("Indianapolis", "IN", 39.77, -86.16),
    ("Jackson", "MS", 32.30, -90.18),
    ("Jacksonville", "FL", 30.33, -81.66),
    ("Kansas City", "MO", 39.10, -94.58),
    ("Las Vegas", "NV", 36.17, -115.14),
    ("Little Rock", "AR", 34.75, -92.29),
    ("Los Angeles", "CA", 34.05, -118.24),
    ("Louisville", "KY", 38.25, -85.76),
    ("Miami", "FL", 25.76, -80.19),
    ("Milwaukee", "WI", 43.04, -87.91),
    ("Minneapolis", "MN", 44.98, -93.27),
    ("Nashville", "TN", 36.16, -86.78),
    ("New Orleans", "LA", 29.95, -90.07),
    ("New York", "NY", 40.71, -74.01),
    ("Oklahoma City", "OK", 35.47, -97.52),
    ("Omaha", "NE", 41.26, -95.93),
    ("Orlando", "FL", 28.54, -81.38),
    ("Philadelphia", "PA", 39.95, -75.17),
    ("Phoenix", "AZ", 33.45, -112.07),
    ("Pittsburgh", "PA", 40.44, -80.00),
    ("Portland", "OR", 45.52, -122.68),
    ("Raleigh", "NC", 35.78, -78.64),
    ("Richmond", "VA", 37.54, -77.44),
    ("Sacramento", "CA", 38.58, -121.49),
    ("Salt Lake City", "UT", 40.76, -111.89),
    ("San Antonio", "TX", 29.42, -98.49),
    ("San Diego", "CA", 32.72, -117.16),
    ("San Francisco", "CA", 37.77, -122.42),
    ("Seattle", "WA", 47.61, -122.33),
    (HOSTILE_MARKUP, "FL", 27.95, -82.46),
    (HOSTILE_TEMPLATE, "AZ", 32.22, -110.97),
    (HOSTILE_FORMULA, "OK", 36.15, -95.99),
)
HEADQUARTERS = ("St. Louis", "MO", 38.63, -90.20)
#: Direct circuits between distribution centers; the upgrade of the last is part of the plan.
BACKBONE = (
    ("Chicago", "Newark"),
    ("Atlanta", "Newark"),
    ("Atlanta", "Dallas"),
    ("Chicago", "Dallas"),
    ("Dallas", "Reno"),
    ("Chicago", "Reno"),
    ("Atlanta", "Chicago"),
)
UPGRADED = ("Atlanta–Chicago", 1)


def fixture_inventory() -> Inventory:
    """The inventory under the plan."""
    sites = [
        Site(
            site=name,
            kind="rdc",
            latitude=latitude,
            longitude=longitude,
            country="US",
            region=state,
            can_host=True,
            max_nodes=12,
            max_power_kw=12,
            opening_cost=40_000,
            monthly_cost=1_800,
            power_price_per_kwh=0.11,
        )
        for name, state, latitude, longitude in HUBS
    ]
    sites += [
        Site(
            site=name,
            kind="store",
            latitude=latitude,
            longitude=longitude,
            country="US",
            region=state,
            wan_mbps=200,
            wan_monthly_cost=420,
        )
        for name, state, latitude, longitude in STORES
    ]
    name, state, latitude, longitude = HEADQUARTERS
    sites.append(
        Site(
            site=name,
            name="Headquarters",
            kind="hq",
            latitude=latitude,
            longitude=longitude,
            country="US",
            region=state,
            wan_mbps=2000,
            wan_monthly_cost=2_400,
            compliance="SOC 2",
        )
    )
    sites.append(Site(site=CLOUD, name="Carrier MPLS", kind="network"))
    links = [
        Link(
            from_=origin,
            to=target,
            link=f"{origin}–{target}",
            bandwidth_mbps=200,
            rtt_ms=round(rtt(origin, target), 1),
            monthly_cost=3_500,
            upgrade_mbps=500,
            upgrade_monthly_cost=2_200,
        )
        for origin, target in BACKBONE
    ]
    links += [
        Link(
            from_=hub[0],
            to=CLOUD,
            link=f"{hub[0]} access",
            bandwidth_mbps=500,
            rtt_ms=6,
            monthly_cost=2_600,
            upgrade_mbps=1000,
            upgrade_monthly_cost=1_900,
        )
        for hub in HUBS
    ]
    workloads = [
        Workload(
            workload="pos",
            kind="store",
            count=2,
            vcpus=6,
            memory_gb=40,
            storage_gb=300,
            tier="hot",
            traffic_mbps=3,
            max_rtt_ms=60,
            protection="async",
            rpo_minutes=30,
            rto_minutes=60,
            change_gb_per_day=2,
            growth="retail",
        ),
        Workload(
            workload="files",
            kind="store",
            vcpus=4,
            memory_gb=16,
            storage_gb=600,
            traffic_mbps=5,
            max_rtt_ms=90,
            growth="retail",
            priority=2,
        ),
        Workload(
            workload="erp",
            site="St. Louis",
            count=6,
            vcpus=16,
            memory_gb=96,
            storage_gb=900,
            tier="hot",
            traffic_mbps=25,
            max_rtt_ms=40,
            protection="sync",
            rpo_minutes=0,
            rto_minutes=15,
            change_gb_per_day=12,
        ),
        Workload(
            workload="archive",
            site="St. Louis",
            vcpus=8,
            memory_gb=32,
            storage_gb=24_000,
            tier="archive",
            traffic_mbps=20,
            residency="country",
        ),
        Workload(
            workload=HOSTILE_MARKUP,
            site=HOSTILE_TEMPLATE,
            vcpus=2,
            memory_gb=8,
            storage_gb=50,
            traffic_mbps=1,
            from_month=6,
        ),
        Workload(workload=HOSTILE_FORMULA, site=HOSTILE_FORMULA, vcpus=2, memory_gb=8, storage_gb=50, traffic_mbps=1),
        Workload(workload=HOSTILE_TEMPLATE, site=HOSTILE_MARKUP, vcpus=2, memory_gb=8, storage_gb=50, traffic_mbps=1),
    ]
    hardware = (
        NodeModel(
            node_model="MC-32",
            cores=32,
            memory_gb=512,
            capacity_drives=6,
            capacity_drive_tb=7.68,
            price=31_000,
            annual_support=2_900,
            watts=620,
        ),
        NodeModel(
            node_model="MC-48",
            cores=48,
            memory_gb=1024,
            capacity_drives=8,
            capacity_drive_tb=7.68,
            price=47_500,
            annual_support=4_100,
            watts=840,
        ),
    )
    return Inventory(
        name="us-retail",
        sites=tuple(sites),
        links=tuple(links),
        workloads=tuple(workloads),
        hardware=hardware,
        growth=(GrowthPoint(profile="retail", annual_rate=0.12),),
        clusters=(
            ExistingCluster(
                cluster="Chicago-c1",
                site="Chicago",
                node_model="MC-48",
                nodes=3,
                layout="hot=three-way-mirror;warm=three-way-mirror",
            ),
        ),
        prices=(Price(item="host_fee_per_core_month", price=10, unit="currency/core/month", source="list price"),),
        policy=Policy(default_network=CLOUD),
    )


def place(site: str) -> tuple[float, float]:
    """Latitude and longitude of a site [degrees]."""
    rows = {row[0]: (row[2], row[3]) for row in (*HUBS, *STORES, HEADQUARTERS)}
    return rows[site]


def distance(a: str, b: str) -> float:
    """Great-circle distance [km]."""
    (lat_a, lon_a), (lat_b, lon_b) = place(a), place(b)
    x = math.sin(math.radians(lat_b - lat_a) / 2) ** 2
    y = math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    return 12742 * math.asin(math.sqrt(x + math.cos(math.radians(lat_a)) * math.cos(math.radians(lat_b)) * y))


def rtt(a: str, b: str) -> float:
    """Round trip [ms]: 2 ms and 0.018 ms per kilometer."""
    return 0.0 if a == b else 2 + 0.018 * distance(a, b)


def site_of(cluster: str) -> str:
    """Where a cluster stands."""
    return CLUSTERS[cluster][0]


def ranked(site: str) -> list[str]:
    """Clusters, nearest first."""
    return sorted(CLUSTERS, key=lambda cluster: (distance(site, site_of(cluster)), cluster))


def path(a: str, b: str) -> tuple[tuple[str, bool], ...]:
    """Hops from one site to another: a direct circuit, else over the carrier cloud; True runs from → to."""
    if a == b:
        return ()
    if (a, b) in BACKBONE:
        return ((f"{a}–{b}", True),)
    if (b, a) in BACKBONE:
        return ((f"{b}–{a}", False),)
    return ((access(a), True), (access(b), False))


def access(site: str) -> str:
    """The circuit of a site: stated for distribution centers, else generated from its bandwidth."""
    return f"{site} access" if site in {hub[0] for hub in HUBS} else f"{site}~{CLOUD}"


def fixture_plan() -> Plan:
    """The plan: nearest cluster runs each demand, the next nearest keeps its standby."""
    inventory = fixture_inventory()
    primary = {demand.key: ranked(demand.site)[0] for demand in inventory.demands}
    standby = {demand.key: ranked(demand.site)[1] for demand in inventory.demands if demand.is_protected}
    costs = cost_rows(inventory)
    sums = totals(inventory, costs)
    present = sums.present_value
    document = PlanDocument(
        created="2025-03-01T08:00:00Z",
        generator=Generator(version="0.1.0", ortools="9.15.6755", rule_pack="azure-local 2025-03-01"),
        inventory=InventoryCopy(name=inventory.name, sha256=inventory.sha256, tables=inventory.tables),
        scenario=ScenarioName(name="growth-12"),
        periods=tuple(PeriodRow(period=period.index, month=period.first_month) for period in inventory.periods),
        result=ResultRow(
            status="feasible",
            objective=present,
            bound=present * 0.9871,
            bound_source="lagrangian; relaxed: workloads in one piece",
            gap=0.0129,
            stopped_by="time limit",
            seconds=61.2,
            seed=0,
            strategy="decompose",
            objectives=(ObjectiveRow(name="present_value", value=present, bound=present * 0.9871, gap=0.0129),),
        ),
        clusters=tuple(
            ClusterRow(
                cluster=cluster,
                site=site,
                node_model="MC-48",
                witness="file_share" if site == "Reno" else "cloud",
                existing=site == "Chicago",
                origin="existing" if site == "Chicago" else "chosen",
                opened=0,
            )
            for cluster, (site, _) in CLUSTERS.items()
        ),
        cluster_periods=tuple(
            ClusterPeriodRow(
                cluster=cluster,
                period=period,
                nodes=nodes,
                layout={
                    "hot": "three-way-mirror",
                    "warm": "three-way-mirror",
                    "archive": "dual-parity" if nodes >= 4 else "three-way-mirror",
                },
            )
            for cluster, (_, counts) in CLUSTERS.items()
            for period, nodes in enumerate(counts)
        ),
        cluster_loads=load_rows(inventory, primary, standby),
        assignments=tuple(
            AssignmentRow(
                workload=demand.workload,
                site=demand.site,
                cluster=primary[demand.key],
                rtt_ms=round(rtt(demand.site, site_of(primary[demand.key])) + 4, 2),
                origin="pinned" if demand.workload == "archive" else "chosen",
            )
            for demand in inventory.demands
        ),
        standbys=tuple(standby_row(demand, primary, standby) for demand in inventory.demands if demand.is_protected),
        links=link_rows(inventory, primary, standby),
        actions=action_rows(inventory),
        costs=costs,
        totals=sums,
        findings=findings(),
    )
    return Plan(document)


def standby_row(demand: Demand, primary: Placement, standby: Placement) -> StandbyRow:
    """How one standby copy is kept."""
    near, far = primary[demand.key], standby[demand.key]
    synchronous = demand.row.protection == "sync"
    return StandbyRow(
        workload=demand.workload,
        site=demand.site,
        cluster=near,
        standby=far,
        mechanism="application_sync" if synchronous else "replica_15min",
        rtt_ms=round(rtt(site_of(near), site_of(far)), 2),
        required_mbps=20.0 if synchronous else 8.4,
        path=tuple(hop[0] for hop in path(site_of(near), site_of(far))),
        rpo_minutes=0.0 if synchronous else 22.5,
        rto_minutes=5.0 if synchronous else 30.0,
        origin="chosen",
    )


def load_rows(inventory: Inventory, primary: Placement, standby: Placement) -> tuple[ClusterLoadRow, ...]:
    """Loads of every cluster, resource and period."""
    rows = []
    for cluster, (_, counts) in CLUSTERS.items():
        for period, nodes in enumerate(counts):
            own: dict[str, float] = defaultdict(float)
            reserve: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
            for demand in inventory.demands:
                amounts = inventory.amounts(demand, period)
                here, copy = primary[demand.key] == cluster, standby.get(demand.key) == cluster
                if here:
                    own["vcpu"] += amounts.vcpu
                    own["memory_gb"] += amounts.memory_gb
                if here or copy:
                    own["pool_tb"] += amounts.storage_tb * 3
                if copy:
                    reserve[primary[demand.key]]["vcpu"] += amounts.vcpu
                    reserve[primary[demand.key]]["memory_gb"] += amounts.memory_gb
            capacity = {
                "vcpu": (nodes - 1) * 46 * 4 * 0.9,
                "memory_gb": (nodes - 1) * 980 * 0.9,
                "pool_tb": (nodes * 8 - 4) * 7.68 * 0.7,
                "gpu": 0.0,
            }
            for resource, usable in capacity.items():
                kept = max((amounts[resource] for amounts in reserve.values()), default=0.0)
                rows.append(
                    ClusterLoadRow(
                        cluster=cluster,
                        period=period,
                        resource=resource,
                        capacity=round(usable, 3),
                        load=round(own[resource], 3),
                        standby_reserve=round(kept, 3),
                    )
                )
    return tuple(rows)


def link_rows(inventory: Inventory, primary: Placement, standby: Placement) -> tuple[LinkRow, ...]:
    """Loads of every link, direction and period: normal, and the worst of the site failures."""
    loads: dict[tuple[str, bool, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for state in ("normal", *(f"site:{site}" for site, _ in CLUSTERS.values())):
        for demand in inventory.demands:
            near, far = primary[demand.key], standby.get(demand.key)
            lost = state == f"site:{site_of(near)}"
            host = far if lost else near
            for period in range(PERIODS):
                traffic = inventory.amounts(demand, period).traffic_mbps
                for link, forward in path(demand.site, site_of(host)) if host else ():
                    loads[link, forward, period][state] += traffic
                    loads[link, not forward, period][state] += traffic
                if far and not lost and state != f"site:{site_of(far)}":
                    for link, forward in path(site_of(near), site_of(far)):
                        loads[link, forward, period][state] += 20.0 if demand.row.protection == "sync" else 8.4
    ends = {row.link: (row.from_, row.to, row.bandwidth_mbps) for row in inventory.links}
    ends |= {f"{row.site}~{CLOUD}": (row.site, CLOUD, row.wan_mbps) for row in inventory.sites if row.wan_mbps}
    rows = []
    for link, (start, end, bandwidth) in sorted(ends.items()):
        for period in range(PERIODS):
            upgraded = link == UPGRADED[0] and period >= UPGRADED[1]
            for forward in (True, False):
                cases = loads[link, forward, period]
                state = max(cases, key=lambda name: (cases[name], name == "normal"), default="normal")
                rows.append(
                    LinkRow(
                        link=link,
                        from_=start if forward else end,
                        to=end if forward else start,
                        period=period,
                        capacity_mbps=0.8 * (500 if upgraded else bandwidth),
                        upgraded=upgraded,
                        normal_mbps=round(cases["normal"], 3),
                        worst_mbps=round(cases[state], 3),
                        worst_case=state,
                    )
                )
    return tuple(rows)


def action_rows(inventory: Inventory) -> tuple[ActionRow, ...]:
    """What to do, in order."""
    rows = []
    price = inventory.node_model_by_name["MC-48"].price
    for cluster, (site, counts) in CLUSTERS.items():
        before = 3 if cluster == "Chicago-c1" else 0
        for period, nodes in enumerate(counts):
            if nodes > before:
                rows.append(
                    ActionRow(
                        period=period,
                        action="add_nodes" if before else "open",
                        cluster=cluster,
                        site=site,
                        detail=f"{nodes - before} nodes MC-48",
                        cost=(nodes - before) * price,
                    )
                )
            before = nodes
    rows.append(ActionRow(period=UPGRADED[1], action="upgrade_link", link=UPGRADED[0], detail="200 to 500 Mbit/s"))
    rows += [
        ActionRow(period=0, action="seed", cluster=cluster, site=site, detail="initial copies to the standby")
        for cluster, (site, _) in CLUSTERS.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.period, row.action, row.cluster)))


def cost_rows(inventory: Inventory) -> tuple[CostRow, ...]:
    """Nominal costs by term, subject and period."""
    model = inventory.node_model_by_name["MC-48"]
    rows = []
    for cluster, (site, counts) in CLUSTERS.items():
        before = 3 if cluster == "Chicago-c1" else 0
        if not before:
            rows.append(CostRow(term="opening", subject=site, period=0, kind="capex", amount=40_000))
        for period, nodes in enumerate(counts):
            if nodes > before:
                rows.append(
                    CostRow(
                        term="nodes",
                        subject=cluster,
                        period=period,
                        kind="capex",
                        amount=(nodes - before) * model.price,
                    )
                )
            before = nodes
            monthly = {
                "host_fee": nodes * model.cores * 10.0,
                "support": nodes * model.annual_support / 12,
                "power": nodes * model.watts / 1000 * 730.5 * 0.11,
            }
            rows += [
                CostRow(term=term, subject=cluster, period=period, kind="opex", amount=round(amount * 6, 2))
                for term, amount in monthly.items()
            ]
            rows.append(CostRow(term="site", subject=site, period=period, kind="opex", amount=1_800 * 6))
    for period in range(PERIODS):
        rows += [
            CostRow(term="wan", subject=row.link, period=period, kind="opex", amount=row.monthly_cost * 6)
            for row in inventory.links
        ]
        rows += [
            CostRow(
                term="wan", subject=f"{row.site}~{CLOUD}", period=period, kind="opex", amount=row.wan_monthly_cost * 6
            )
            for row in inventory.sites
            if row.wan_mbps
        ]
        rows.append(CostRow(term="protection", subject="erp", period=period, kind="opex", amount=5_400))
        if period >= UPGRADED[1]:
            rows.append(CostRow(term="link_upgrade", subject=UPGRADED[0], period=period, kind="opex", amount=2_200 * 6))
    return tuple(rows)


def findings() -> tuple[Finding, ...]:
    """What an audit might say: no error, some warnings, some information."""
    return (
        Finding(
            rule="NET-004",
            severity="warning",
            subject="link:St. Louis~MPLS",
            actual=1,
            limit=0,
            unit="demands",
            message="erp at St. Louis has a single point of failure",
            remedy="add a second circuit at St. Louis",
        ),
        Finding(
            rule="NET-004",
            severity="warning",
            subject="network:MPLS",
            actual=53,
            limit=0,
            unit="demands",
            message="53 demands reach neither cluster when MPLS fails",
            remedy="attach the sites to a second carrier",
        ),
        Finding(
            rule="CAP-003",
            severity="warning",
            subject="Reno-c1",
            actual=0.91,
            limit=0.9,
            unit="fraction",
            message="three nodes leave no room for a second failure",
            remedy="start with four nodes",
        ),
        Finding(
            rule="PLT-006",
            severity="warning",
            subject=HOSTILE_MARKUP,
            message=f"{HOSTILE_MARKUP} keeps a file share witness",
            remedy=HOSTILE_FORMULA,
        ),
        Finding(rule="COST-002", severity="info", subject="Denver", message="candidate site stays closed"),
        Finding(
            rule="NET-007",
            severity="info",
            subject=HOSTILE_TEMPLATE,
            actual=41.0,
            unit="ms",
            message="round trip is estimated from the distance",
            remedy="measure it",
        ),
    )
