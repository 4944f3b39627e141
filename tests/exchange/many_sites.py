"""A large plan for the maps: random sites around the cities of the shared plan, one cluster per hub."""

from __future__ import annotations

import random

from fleet.inventory.distances import great_circle_km
from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import Workload
from fleet.plan.plan import (
    AssignmentRow,
    ClusterLoadRow,
    ClusterPeriodRow,
    ClusterRow,
    Generator,
    InventoryCopy,
    LinkRow,
    PeriodRow,
    Plan,
    PlanDocument,
    ResultRow,
    ScenarioName,
    StandbyRow,
    Totals,
)
from fleet.wan.latency import estimate_rtt_ms
from tests.exchange.plan_fixture import HUBS, STORES


def _km(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(great_circle_km(*a, *b))


def many_sites_plan(count: int, hubs: int = 30, seed: int = 1) -> Plan:
    """A plan for `count` stores with two workloads each, one of them protected."""
    chance = random.Random(seed)
    cities = [*HUBS, *STORES[:48]]
    places = [(name, latitude, longitude) for name, _, latitude, longitude in cities[:hubs]]
    sites = [
        Site(site=name, kind="rdc", latitude=latitude, longitude=longitude, can_host=True)
        for name, latitude, longitude in places
    ]
    for number in range(count):
        _, _, latitude, longitude = chance.choice(cities)
        sites.append(
            Site(
                site=f"store-{number:05}",
                kind="store",
                latitude=round(latitude + chance.gauss(0, 1.1), 4),
                longitude=round(longitude + chance.gauss(0, 1.3), 4),
                wan_mbps=100,
            )
        )
    sites.append(Site(site="SD-WAN", kind="network"))
    work = {"kind": "store", "vcpus": 1, "memory_gb": 4, "storage_gb": 50}
    inventory = Inventory(
        name=f"{count} stores",
        sites=tuple(sorted(sites, key=lambda site: site.site)),
        links=(),
        workloads=(Workload(workload="files", **work), Workload(workload="pos", **work)),
        hardware=(
            NodeModel(node_model="std", cores=32, memory_gb=512, capacity_drives=6, capacity_drive_tb=7.68, price=1),
        ),
        policy=Policy(horizon_months=12, default_network="SD-WAN"),
    )
    assignments, standbys, links = [], [], []
    for site in inventory.sites:
        if site.kind != "store" or site.latitude is None or site.longitude is None:
            continue
        near = sorted(places, key=lambda hub: (hub[1] - site.latitude) ** 2 + (hub[2] - site.longitude) ** 2)
        primary, standby = f"{near[0][0]}-c1", f"{near[1][0]}-c1"
        to_primary = estimate_rtt_ms(_km((site.latitude, site.longitude), near[0][1:]), inventory.policy)
        to_standby = estimate_rtt_ms(_km(near[0][1:], near[1][1:]), inventory.policy)
        for workload in ("files", "pos"):
            assignments.append(
                AssignmentRow(workload=workload, site=site.site, cluster=primary, rtt_ms=to_primary, origin="chosen")
            )
        standbys.append(
            StandbyRow(
                workload="pos",
                site=site.site,
                cluster=primary,
                standby=standby,
                mechanism="replica_15min",
                rtt_ms=to_standby,
                required_mbps=1.5,
                path=(),
                rpo_minutes=20.0,
                rto_minutes=30.0,
                origin="chosen",
            )
        )
        load = chance.uniform(5, 90)
        for ends in ((site.site, "SD-WAN"), ("SD-WAN", site.site)):
            links += [
                LinkRow(
                    link=f"{site.site}~SD-WAN",
                    from_=ends[0],
                    to=ends[1],
                    period=period,
                    capacity_mbps=80,
                    upgraded=False,
                    normal_mbps=load / 2,
                    worst_mbps=load,
                    worst_case="site:Chicago",
                )
                for period in range(2)
            ]
    clusters = [f"{name}-c1" for name, _, _ in places]
    document = PlanDocument(
        generator=Generator(version="0", ortools="0", rule_pack="azure-local"),
        inventory=InventoryCopy(name=inventory.name, sha256=inventory.sha256, tables=inventory.tables),
        scenario=ScenarioName(name=""),
        periods=(PeriodRow(period=0, month=0), PeriodRow(period=1, month=6)),
        result=ResultRow(
            status="feasible",
            objective=1.0,
            bound=None,
            bound_source="",
            gap=None,
            stopped_by="",
            seconds=None,
            seed=0,
            strategy="decompose",
        ),
        clusters=tuple(
            ClusterRow(
                cluster=cluster,
                site=cluster[:-3],
                node_model="std",
                witness="cloud",
                existing=False,
                origin="chosen",
                opened=0,
            )
            for cluster in clusters
        ),
        cluster_periods=tuple(
            ClusterPeriodRow(cluster=cluster, period=period, nodes=2 + number % 12, layout={"warm": "two-way-mirror"})
            for number, cluster in enumerate(clusters)
            for period in range(2)
        ),
        cluster_loads=tuple(
            ClusterLoadRow(
                cluster=cluster,
                period=period,
                resource="vcpu",
                capacity=100,
                load=40 + number % 30 * 2,
                standby_reserve=8 * period,
            )
            for number, cluster in enumerate(clusters)
            for period in range(2)
        ),
        assignments=tuple(assignments),
        standbys=tuple(standbys),
        links=tuple(links),
        totals=Totals(capex=0, opex=0, present_value=1),
    )
    return Plan(document)


def one_site_plan() -> Plan:
    """The smallest plan: one site that runs its own demand, one period."""
    inventory = Inventory(
        name="one",
        sites=(Site(site="plant", latitude=48.1, longitude=11.6, can_host=True),),
        links=(),
        workloads=(Workload(workload="mes", site="plant", vcpus=4, memory_gb=16, storage_gb=100),),
        hardware=(
            NodeModel(node_model="std", cores=32, memory_gb=512, capacity_drives=6, capacity_drive_tb=7.68, price=1),
        ),
        policy=Policy(horizon_months=6),
    )
    document = PlanDocument(
        generator=Generator(version="0", ortools="0", rule_pack="azure-local"),
        inventory=InventoryCopy(name=inventory.name, sha256=inventory.sha256, tables=inventory.tables),
        scenario=ScenarioName(name=""),
        periods=(PeriodRow(period=0, month=0),),
        result=ResultRow(
            status="optimal",
            objective=2.0,
            bound=2.0,
            bound_source="engine",
            gap=0.0,
            stopped_by="",
            seconds=None,
            seed=0,
            strategy="exact",
        ),
        clusters=(
            ClusterRow(
                cluster="plant-c1",
                site="plant",
                node_model="std",
                witness="cloud",
                existing=False,
                origin="chosen",
                opened=0,
            ),
        ),
        cluster_periods=(
            ClusterPeriodRow(
                cluster="plant-c1",
                period=0,
                nodes=2,
                layout=dict.fromkeys(("hot", "warm", "archive"), "two-way-mirror"),
            ),
        ),
        assignments=(AssignmentRow(workload="mes", site="plant", cluster="plant-c1", rtt_ms=0.0, origin="chosen"),),
        totals=Totals(capex=2, opex=0, present_value=2),
    )
    return Plan(document)
