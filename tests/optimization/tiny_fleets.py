"""Random fleets small enough for brute force, each family made so that one thing tends to bind."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.growth import GrowthPoint
from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.links import Link
from fleet.inventory.tables.pins import Pin
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import Workload
from tests.builders import (
    a_link,
    a_node_model,
    a_pin,
    a_protected_workload,
    a_site,
    a_workload,
    an_existing_cluster,
    an_inventory,
)

#: Rule packs with tighter growth.
PACKS = Path(__file__).parent / "packs"
COUNTRIES = (("US", "PA"), ("US", "OH"), ("CA", "ON"))

#: vCPU of the largest instance that the small nodes run: two threads on each of 16 cores.
LARGEST_INSTANCE = 32.0


class Maker:
    """Draws the tables of one fleet: hubs in a ring, stores on one or two hubs, two half-years."""

    def __init__(self, seed: int, family: str) -> None:
        self.random = random.Random(f"{family}/{seed}")
        self.family = family

    def any_of(self, *values: Any) -> Any:
        """One of the values."""
        return self.random.choice(values)

    def hubs(self, count: int, **columns: Any) -> list[Site]:
        """Candidate sites in a row, each some 30 km from the last: light needs less than any round trip here."""
        found = []
        for number in range(count):
            country, region = COUNTRIES[number % len(COUNTRIES)]
            found.append(
                a_site(
                    f"h{number}",
                    can_host=True,
                    latitude=40.0 + 0.1 * self.random.random(),
                    longitude=-75.0 - 0.35 * number,
                    country=country,
                    region=region,
                    opening_cost=float(self.any_of(0, 5000, 20000)),
                    monthly_cost=float(self.any_of(0, 300, 900)),
                    power_price_per_kwh=self.any_of(0.08, 0.15, 0.3),
                    **columns,
                )
            )
        return found

    def stores(self, count: int, **columns: Any) -> list[Site]:
        """Sites of users."""
        found = []
        for number in range(count):
            country, region = self.any_of(*COUNTRIES)
            place = {"latitude": 40.05, "longitude": -75.0 - 0.3 * number, "country": country, "region": region}
            found.append(a_site(f"s{number}", kind="store", **{**place, **columns}))
        return found

    def links(self, hubs: list[Site], stores: list[Site], **columns: Any) -> list[Link]:
        """A ring of hubs, every store on one or two of them."""
        names = [hub.site for hub in hubs]
        pairs = list(itertools.pairwise(names)) + ([(names[-1], names[0])] if len(names) > 2 else [])
        found = [a_link(*pair, rtt_ms=self.any_of(3.0, 6.0, 12.0), **columns) for pair in pairs]
        for store in stores:
            for hub in self.random.sample(names, min(len(names), self.any_of(1, 2, 2, 2, 2, 2))):
                found.append(a_link(store.site, hub, rtt_ms=self.any_of(2.0, 4.0, 9.0), **columns))
        return found

    def workload(self, name: str, site: str, protected: bool, **columns: Any) -> Workload:
        """One workload, of a size that a few of them fill a node or two."""
        values: dict[str, Any] = {
            "vcpus": round(self.random.uniform(4, 45), 1),
            "memory_gb": round(self.random.uniform(8, 150), 1),
            "storage_gb": round(self.random.uniform(100, 6000), 1),
            "traffic_mbps": round(self.random.uniform(1, 30), 1),
            "tier": self.any_of("hot", "warm"),
            "growth": self.any_of("", "up"),
            "fault_tolerance": self.any_of(0, 0, 1),
        }
        if protected:
            values["change_gb_per_day"] = round(self.random.uniform(5, 80), 1)
        values.update(columns)
        if values["vcpus"] > LARGEST_INSTANCE and "gpus" not in columns:
            values["count"] = 2
            for name_of in ("vcpus", "memory_gb", "storage_gb", "traffic_mbps", "change_gb_per_day"):
                values[name_of] = values.get(name_of, 0.0) / 2.0
        return a_protected_workload(name, site, **values) if protected else a_workload(name, site, **values)

    def workloads(self, sites: list[Site], count: int, share: float = 0.6, **columns: Any) -> list[Workload]:
        """`count` workloads over the sites, that share of them protected."""
        return [
            self.workload(f"w{number}", self.any_of(*sites).site, self.random.random() < share, **columns)
            for number in range(count)
        ]

    def hardware(self, **columns: Any) -> list[NodeModel]:
        """A small node and, half the time, a large one."""
        small = a_node_model(
            "small", cores=16, memory_gb=192.0, capacity_drives=4, capacity_drive_tb=3.84, price=11000.0,
            watts=400.0, **{"max_nodes": 5, **columns},
        )  # fmt: skip
        large = a_node_model(
            "large", cores=32, memory_gb=384.0, capacity_drives=6, capacity_drive_tb=3.84, price=19000.0,
            watts=700.0, **{"max_nodes": 4, **columns},
        )  # fmt: skip
        return self.any_of([small], [small, large])

    def fleet(self, hubs: list[Site], stores: list[Site], workloads: list[Workload], **tables: Any) -> Inventory:
        """The fleet of these tables; what is not given is drawn."""
        values: dict[str, Any] = {
            "links": tables.get("links") or self.links(hubs, stores),
            "hardware": tables.get("hardware") or self.hardware(),
            "growth": [GrowthPoint(profile="up", annual_rate=self.any_of(0.2, 0.5, 1.0))],
            "horizon_months": 12,
            "discount_rate": 0.08,
        }
        return an_inventory([*hubs, *stores], workloads, name=self.family, **{**values, **tables})


def plain(seed: int, family: str = "plain", **tables: Any) -> Inventory:
    """Three hubs, up to two stores, three to five workloads."""
    make = Maker(seed, family)
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(make.any_of(1, 2))
    workloads = make.workloads([*hubs, *stores], make.any_of(3, 4, 5) if len(hubs) < 3 else make.any_of(3, 4))
    return make.fleet(hubs, stores, workloads, **tables)


def failed_links(seed: int) -> Inventory:
    """Links that carry every day easily, but not all that a failure sends over them."""
    make = Maker(seed, "failed_links")
    hubs, stores = make.hubs(3), make.stores(2)
    workloads = make.workloads([*hubs, *stores], 4, share=0.7, traffic_mbps=float(make.any_of(15, 25, 40)))
    links = [
        link.model_copy(update={"bandwidth_mbps": float(make.any_of(60, 80, 100, 120, 400))})
        for link in make.links(hubs, stores)
    ]
    return make.fleet(hubs, stores, workloads, links=links)


def reserves(seed: int) -> Inventory:
    """Much compute on standby and little data, so that the reserve decides on node counts."""
    make = Maker(seed, "reserves")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(1)
    workloads = [
        row.model_copy(
            update={"storage_gb": 200.0 / 2, "vcpus": round(make.random.uniform(20, 45), 1) / 2, "count": 2}
            | {name: getattr(row, name) * row.count / 2 for name in ("memory_gb", "traffic_mbps", "change_gb_per_day")}
        )
        for row in make.workloads([*hubs, *stores], 4, share=0.8)
    ]
    return make.fleet(hubs, stores, workloads)


def growing(seed: int) -> Inventory:
    """What does at first cannot grow into what is needed later, or stays when demand falls.

    By turns: single nodes that never grow, pairs that never grow, and demand that shrinks.
    """
    make = Maker(seed, "growing")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(1)
    everyone = [*hubs, *stores]
    kind = seed % 3
    tables: dict[str, Any] = {}
    if kind < 2:
        tables["rule_pack"] = str(PACKS / ("single-node-stays.toml", "pair-stays.toml")[kind])
        workloads = make.workloads(everyone, make.any_of(1, 2), share=0.5, fault_tolerance=kind)
        workloads += [
            make.workload(f"l{number}", make.any_of(*everyone).site, make.any_of(True, False, False), from_month=6,
                          vcpus=make.any_of(30.0, 40.0), fault_tolerance=make.any_of(kind, 1))
            for number in range(make.any_of(1, 2))
        ]  # fmt: skip
    else:
        workloads = make.workloads(everyone, make.any_of(3, 4), growth="down")
        points = [GrowthPoint(profile="down", month=0, factor=1.0), GrowthPoint(profile="down", month=6, factor=0.3)]
        tables["growth"] = points
    return make.fleet(hubs, stores, workloads, **tables)


def residencies(seed: int) -> Inventory:
    """Data that must stay in its country or region, with hubs in three of them."""
    make = Maker(seed, "residencies")
    hubs, stores = make.hubs(3), make.stores(2)
    workloads = [
        row.model_copy(update={"residency": make.any_of((), ("country",), ("region",), ("CA",), ("OH", "ON"))})
        for row in make.workloads([*hubs, *stores], 4, share=0.4)
    ]
    return make.fleet(hubs, stores, workloads)


def affinities(seed: int) -> Inventory:
    """Labels that keep demands together, with different protection, tolerance and start."""
    make = Maker(seed, "affinities")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(2)
    workloads = [
        make.workload(f"w{number}", make.any_of(*stores).site, make.any_of(True, False), affinity=make.any_of("", "x"),
                      fault_tolerance=make.any_of(0, 1, 2), from_month=make.any_of(0, 0, 6))
        for number in range(5)
    ]  # fmt: skip
    return make.fleet(hubs, stores, workloads)


def gpus(seed: int) -> Inventory:
    """Some demands need a GPU of a model, some any GPU."""
    make = Maker(seed, "gpus")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(1)
    workloads = make.workloads([*hubs, *stores], 2)
    workloads += [
        make.workload(f"g{number}", make.any_of(*stores).site, make.any_of(True, False),
                      gpus=1.0, gpu_model=make.any_of("", "L4", "A16"))
        for number in range(2)
    ]  # fmt: skip
    hardware = [
        *make.hardware(),
        a_node_model("vision", gpu_model="L4", gpus=2, price=28000.0, max_nodes=4),
        a_node_model("render", gpu_model="A16", gpus=1, price=24000.0, max_nodes=4),
    ]
    return make.fleet(hubs, stores, workloads, hardware=hardware)


def instances(seed: int) -> Inventory:
    """Some instances are too large for the small nodes, whose clusters would be cheaper."""
    make = Maker(seed, "instances")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(1)
    workloads = make.workloads([*hubs, *stores], 2)
    workloads += [
        make.workload(f"i{number}", make.any_of(*stores).site, make.any_of(True, False), gpus=0.0,
                      vcpus=make.any_of(32.0, 33.0, 50.0), memory_gb=make.any_of(40.0, 160.0, 161.0))
        for number in range(2)
    ]  # fmt: skip
    hardware = [
        a_node_model("small", cores=16, memory_gb=192.0, price=8000.0, max_nodes=5),
        a_node_model("large", cores=32, memory_gb=384.0, price=21000.0, max_nodes=4),
    ]
    return make.fleet(hubs, stores, workloads, hardware=hardware)


def tolerances(seed: int) -> Inventory:
    """Demands that ask for zero, one or two node failures, some of them only later."""
    make = Maker(seed, "tolerances")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(1)
    workloads = [
        make.workload(f"w{number}", make.any_of(*hubs, *stores).site, make.any_of(True, False),
                      fault_tolerance=make.any_of(0, 1, 2), from_month=make.any_of(0, 0, 6))
        for number in range(4)
    ]  # fmt: skip
    return make.fleet(hubs, stores, workloads)


def archives(seed: int) -> Inventory:
    """Much archive data, for which parity pays from four nodes on."""
    make = Maker(seed, "archives")
    hubs, stores = make.hubs(2), make.stores(1)
    workloads = [
        make.workload(f"w{number}", make.any_of(*hubs, *stores).site, make.any_of(True, False, False),
                      tier=make.any_of("archive", "archive", "warm"),
                      storage_gb=round(make.random.uniform(2000, 9000)),
                      fault_tolerance=make.any_of(0, 1, 2))
        for number in range(4)
    ]  # fmt: skip
    return make.fleet(hubs, stores, workloads, hardware=make.hardware(max_nodes=6))


def deep_dive(seed: int) -> Inventory:
    """The other rule pack: two-way mirrors above two nodes, parity from three; much data, tolerance asked for later."""
    make = Maker(seed, "deep_dive")
    hubs, stores = make.hubs(2), make.stores(1)
    workloads = [
        make.workload(f"w{number}", make.any_of(*hubs, *stores).site, make.any_of(True, False),
                      tier=make.any_of("archive", "warm"), storage_gb=round(make.random.uniform(2000, 12000)),
                      fault_tolerance=make.any_of(0, 1, 2), from_month=make.any_of(0, 0, 6))
        for number in range(4)
    ]  # fmt: skip
    return make.fleet(hubs, stores, workloads, hardware=make.hardware(max_nodes=5), rule_pack="deep-dive")


def partners(seed: int) -> Inventory:
    """All protected demands of a cluster share one standby."""
    return plain(seed, "partners", partner_scope="cluster")


def dedicated(seed: int) -> Inventory:
    """Every standby keeps its own compute."""
    return plain(seed, "dedicated", standby_reserve="dedicated")


def shared_nodes(seed: int) -> Inventory:
    """Failovers may use the nodes that are kept free."""
    return plain(seed, "shared_nodes", standby_uses_node_reserve=True)


def standing(seed: int) -> Inventory:
    """Clusters that stand already: some must stay, some may be retired."""
    make = Maker(seed, "standing")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(1)
    clusters = [
        an_existing_cluster("old", "h0", node_model="small", nodes=make.any_of(1, 2, 3), keep=make.any_of(True, False),
                            cost_to_retire=float(make.any_of(0, 3000)))
    ]  # fmt: skip
    if make.any_of(True, False):
        clusters.append(an_existing_cluster("spare", "s0", node_model="small", nodes=2, keep=make.any_of(True, False)))
    return make.fleet(hubs, stores, make.workloads([*hubs, *stores], 4), clusters=clusters)


def pinned(seed: int) -> Inventory:
    """One or two decisions taken by hand, of every kind."""
    make = Maker(seed, "pinned")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(1)
    workloads = make.workloads([*hubs, *stores], 4)
    links = make.links(hubs, stores, upgrade_mbps=2000.0, upgrade_monthly_cost=90.0)
    hub, name = make.any_of(*hubs).site, make.any_of(*workloads).workload
    period = make.any_of(None, 0, 1)
    kinds: list[Pin] = [
        a_pin("open", site=hub, period=period),
        a_pin("close", site=hub, period=period),
        a_pin("assign", workload=name, value=make.any_of(hub, f"{hub}-c1")),
        a_pin("standby", workload=name, value=make.any_of(hub, f"{hub}-c1")),
        a_pin("node_model", site=hub, value="small", period=period),
        a_pin("nodes", site=hub, value=make.any_of("1", "2", "3"), period=period),
        a_pin("nodes", cluster=f"{hub}-c1", value="2", period=period),
        a_pin("link_upgrade", link=links[0].link, value=make.any_of("yes", "no"), period=period),
        a_pin("forbid", workload=make.any_of("", name), value=hub),
    ]
    pins = [kinds[seed % len(kinds)]] + ([make.any_of(*kinds)] if make.any_of(True, False) else [])
    return make.fleet(hubs, stores, workloads, links=links, pins=pins)


def budgets(seed: int) -> Inventory:
    """Little to spend at once, though running costs then rise."""
    make = Maker(seed, "budgets")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(1)
    hardware = [
        a_node_model("cheap", cores=16, memory_gb=192.0, price=8000.0, annual_support=9000.0, max_nodes=5),
        a_node_model("dear", cores=16, memory_gb=192.0, price=14000.0, annual_support=500.0, max_nodes=5),
    ]
    budget = float(make.any_of(40000, 60000, 80000, 100000))
    return make.fleet(hubs, stores, make.workloads([*hubs, *stores], 4), hardware=hardware, budget=budget)


def upgrades(seed: int) -> Inventory:
    """Thin links that may be upgraded at a price."""
    make = Maker(seed, "upgrades")
    hubs, stores = make.hubs(3), make.stores(2)
    workloads = make.workloads([*hubs, *stores], 4, share=0.6, traffic_mbps=float(make.any_of(15, 25)))
    links = [
        link.model_copy(
            update={
                "bandwidth_mbps": float(make.any_of(20, 40, 60, 100)),
                "upgrade_mbps": float(make.any_of(120, 400)),
                "upgrade_monthly_cost": float(make.any_of(50, 400, 1500)),
            }
        )
        for link in make.links(hubs, stores)
    ]
    return make.fleet(hubs, stores, workloads, links=links)


def two_clusters(seed: int) -> Inventory:
    """Sites with room for two clusters and limits on their sum."""
    make = Maker(seed, "two_clusters")
    limits = make.any_of({}, {"max_nodes": 4}, {"max_power_kw": 1.7}, {"max_rack_units": 4})
    hubs, stores = make.hubs(2, max_clusters=2, **limits), make.stores(1)
    workloads = [
        row.model_copy(update={"fault_tolerance": make.any_of(0, 0, 2)})
        for row in make.workloads([*hubs, *stores], make.any_of(3, 4))
    ]
    return make.fleet(hubs, stores, workloads, hardware=make.hardware(max_nodes=4))


def kinds(seed: int) -> Inventory:
    """Sites of one or two zones, with and without the internet; demands that ask for zones or resiliency types."""
    make = Maker(seed, "kinds")
    hubs = [
        hub.model_copy(update={"zones": make.any_of(1, 2, 2), "internet": make.any_of(True, True, True, False)})
        for hub in make.hubs(2, max_clusters=make.any_of(1, 2))
    ]
    stores = make.stores(1)
    types = ("nested-two-way-mirror", "three-way-mirror", "mirror-accelerated-parity", "rack-aware-four-way-mirror")
    workloads = [
        make.workload(f"w{number}", make.any_of(*hubs, *stores).site, make.any_of(True, False, False), tier="warm",
                      zone_tolerance=make.any_of(0, 0, 1), fault_tolerance=1,
                      resiliency=make.any_of((), (), tuple(make.random.sample(types, 3))))
        for number in range(3)
    ]  # fmt: skip
    return make.fleet(hubs, stores, workloads)


def machines(seed: int) -> Inventory:
    """Many tiny machines, of which a host runs 1,024 at most."""
    make = Maker(seed, "machines")
    hubs, stores = make.hubs(2), make.stores(1)
    workloads = [
        make.workload(f"w{number}", make.any_of(*hubs, *stores).site, number == 0, change_gb_per_day=0.01,
                      count=make.any_of(100, 500, 900, 1100), vcpus=0.01, memory_gb=0.05, storage_gb=0.5,
                      traffic_mbps=0.01, from_month=make.any_of(0, 0, 6))
        for number in range(4)
    ]  # fmt: skip
    return make.fleet(hubs, stores, workloads)


def hosts(seed: int) -> Inventory:
    """Machines of a third to nearly a whole of a node, some with GPUs: sums would allow what no node takes."""
    make = Maker(seed, "hosts")
    hubs, stores = make.hubs(2), make.stores(1)
    has_gpus = seed % 3 == 2
    gpus: dict[str, Any] = {}
    workloads = []
    for number in range(make.any_of(2, 3)):
        if has_gpus:
            mode = make.any_of("dda", "dda", "partition")
            gpus = {"gpus": make.any_of(1.0, 2.0) if mode == "dda" else make.any_of(0.5, 0.3), "gpu_mode": mode}
        workloads.append(
            make.workload(
                f"w{number}", make.any_of(*hubs, *stores).site, make.random.random() < 0.5, count=make.any_of(1, 2, 3),
                vcpus=make.any_of(4.0, 20.0), memory_gb=round(make.random.uniform(40, 110), 1), storage_gb=50.0,
                growth=make.any_of("", "", "up"), fault_tolerance=make.any_of(0, 1), **gpus,
            )
        )  # fmt: skip
    more = {"gpu_model": "L4", "gpus": 3} if has_gpus else {}
    policy = {
        "standby_uses_node_reserve": make.any_of(True, False),
        "standby_reserve": make.any_of("shared", "dedicated"),
    }
    growth = [GrowthPoint(profile="up", annual_rate=0.2)]
    return make.fleet(hubs, stores, workloads, hardware=make.hardware(**more), growth=growth, **policy)


def carriers(seed: int) -> Inventory:
    """A carrier cloud that every site attaches to, over hundreds of kilometers, beside some links of their own."""
    make = Maker(seed, "carriers")
    hubs, stores = (
        [site.model_copy(update={"longitude": 10 * (site.longitude or 0.0) + 675.0}) for site in sites]
        for sites in (make.hubs(make.any_of(2, 3)), make.stores(2))
    )
    cloud = a_site("mpls", kind="network")
    links = [
        a_link(site.site, "mpls", rtt_ms=make.any_of(2.0, 4.0), bandwidth_mbps=float(make.any_of(60, 120, 500)))
        for site in (*hubs, *stores)
    ]
    names = [hub.site for hub in hubs]
    links += [a_link(*pair, rtt_ms=8.0) for pair in itertools.pairwise(names) if make.any_of(True, False)]
    links += [a_link(store.site, make.any_of(*names), rtt_ms=9.0) for store in stores if make.any_of(True, False)]
    workloads = make.workloads([*hubs, *stores], 4, share=0.7, max_rtt_ms=make.any_of(None, 12.0, 16.0))
    return make.fleet(hubs, [*stores, cloud], workloads, links=links)


def later(seed: int) -> Inventory:
    """Three periods, demands that start in each of them."""
    make = Maker(seed, "later")
    hubs, stores = make.hubs(2), make.stores(1)
    workloads = [
        make.workload(f"w{number}", make.any_of(*hubs, *stores).site, make.any_of(True, False),
                      from_month=make.any_of(0, 6, 7, 12))
        for number in range(4)
    ]  # fmt: skip
    return make.fleet(hubs, stores, workloads, horizon_months=make.any_of(18, 15), hardware=make.hardware(max_nodes=4))


def separated(seed: int) -> Inventory:
    """Standbys must be far enough away."""
    return plain(seed, "separated", min_separation_km=float(Maker(seed, "km").any_of(20, 32, 50)))


def synchronous(seed: int) -> Inventory:
    """Copies without loss, which only near pairs allow."""
    make = Maker(seed, "synchronous")
    hubs, stores = make.hubs(3), make.stores(1)
    workloads = [
        row.model_copy(update={"rpo_minutes": 0.0, "protection": "sync"})
        if row.is_protected and make.any_of(True, True, False)
        else row
        for row in make.workloads([*hubs, *stores], 4, share=0.8)
    ]
    return make.fleet(hubs, stores, workloads)


def second_paths(seed: int) -> Inventory:
    """Copies that no failure may stop, among hubs that some links join twice and that a failure parts or stretches."""
    make = Maker(seed, "second_paths")
    hubs, stores = make.hubs(make.any_of(3, 3, 4)), make.stores(1)
    names = [hub.site for hub in hubs]
    pairs = [*itertools.pairwise(names), *([(names[-1], names[0])] if make.any_of(True, False) else [])]
    links = [a_link(*pair, rtt_ms=make.any_of(1.0, 2.0, 4.0)) for pair in pairs]
    links += [a_link(*pair, link=f"{pair[0]}-{pair[1]} too", rtt_ms=make.any_of(2.0, 4.0, 6.0))
              for pair in make.random.sample(pairs, 1)]  # fmt: skip
    links += [a_link(store.site, hub, rtt_ms=3.0) for store in stores for hub in make.random.sample(names, 2)]
    workloads = [
        row.model_copy(update={"rpo_minutes": 0.0, "protection": "sync"})
        if row.is_protected and make.any_of(True, False)
        else row
        for row in make.workloads([*hubs, *stores], 3, share=0.9)
    ]
    return make.fleet(hubs, stores, workloads, links=links, stream_cut="hard")


def ducts(seed: int) -> Inventory:
    """Thin links that share ducts, whose loss is planned for like that of a link."""
    make = Maker(seed, "ducts")
    hubs, stores = make.hubs(3), make.stores(2)
    workloads = make.workloads([*hubs, *stores], 4, share=0.5, traffic_mbps=float(make.any_of(15, 25)))
    links = [
        link.model_copy(
            update={
                "bandwidth_mbps": float(make.any_of(80, 120, 400)),
                "shared_risk": make.any_of((), (), ("duct",), ("bridge",)),
            }
        )
        for link in make.links(hubs, stores)
    ]
    return make.fleet(
        hubs, stores, workloads, links=links, shared_risk="hard", stream_cut=make.any_of("warning", "warning", "hard")
    )


def clouds(seed: int) -> Inventory:
    """Some demands recover in the cloud: hubs without internet, or with little of it, and fees for what is stored."""
    make = Maker(seed, "clouds")
    hubs, stores = make.hubs(3), make.stores(1)
    hubs = [
        hub.model_copy(
            update={"internet": make.any_of(True, True, False), "internet_mbps": make.any_of(None, 20.0, 40.0)}
        )
        for hub in hubs
    ]
    hubs[0] = hubs[0].model_copy(update={"internet": True})
    names = {hub.site for hub in hubs if hub.internet} | {store.site for store in stores}
    workloads = [
        row.model_copy(update={"recovery": "cloud", "rpo_minutes": make.any_of(1.0, 15.0)})
        if row.is_protected and row.site in names and make.any_of(True, True, False)
        else row
        for row in make.workloads([*hubs, *stores], 4, share=0.8, affinity=make.any_of("", "", "together"))
    ]
    return make.fleet(hubs, stores, workloads, prices={"site_recovery_storage_per_gb_month": 0.05})


def residual_values(seed: int) -> Inventory:
    """Purchases keep a value at the end of the horizon."""
    return plain(seed, "residual_values", residual_value="straight_line", asset_life_months=24)


def domains(seed: int) -> Inventory:
    """Fault domains of several sites: hubs together, and stores in the domain of a hub."""
    make = Maker(seed, "domains")
    hubs, stores = make.hubs(3), make.stores(2)
    hubs = [hub.model_copy(update={"fault_domain": make.any_of("north", "south", hub.site)}) for hub in hubs]
    stores = [store.model_copy(update={"fault_domain": make.any_of("north", "south", store.site)}) for store in stores]
    links = [
        link.model_copy(update={"bandwidth_mbps": float(make.any_of(60, 90, 150, 400))})
        for link in make.links(hubs, stores)
    ]
    workloads = make.workloads([*hubs, *stores, *stores], 4, share=0.7, traffic_mbps=float(make.any_of(10, 25)))
    return make.fleet(hubs, stores, workloads, links=links)


def chains(seed: int) -> Inventory:
    """Stores behind hubs that others hang on, thin links, tight round trips: failures cut users off."""
    make = Maker(seed, "chains")
    hubs, stores = make.hubs(3), make.stores(2)
    names = [hub.site for hub in hubs]
    pairs = list(itertools.pairwise(names)) + [
        (store.site, hub) for store in stores for hub in make.random.sample(names, make.any_of(1, 1, 2))
    ]
    links = [
        a_link(*pair, rtt_ms=make.any_of(2.0, 4.0, 6.0), bandwidth_mbps=float(make.any_of(40, 60, 90, 200)))
        for pair in pairs
    ]
    workloads = make.workloads(
        [*hubs, *stores, *stores], 4, share=0.6, traffic_mbps=float(make.any_of(10, 25)),
        max_rtt_ms=make.any_of(None, 8.0, 12.0),
    )  # fmt: skip
    return make.fleet(hubs, stores, workloads, links=links, failure_rtt_factor=make.any_of(1.0, 1.5, 2.0))


def cables(seed: int) -> Inventory:
    """No storage switches by policy and dear switch ports: what keeps its count is cabled directly, what grows is not.

    By turns a cluster stands already, cabled directly or behind a switch, and must hold what grows.
    """
    make = Maker(seed, "cables")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(1)
    workloads = make.workloads([*hubs, *stores], 4, share=0.4)
    clusters = [
        an_existing_cluster("old", "h0", node_model="small", nodes=make.any_of(1, 2, 3),
                            keep=make.any_of(True, False), storage_switch=make.any_of(None, True, False))
    ]  # fmt: skip
    return make.fleet(
        hubs, stores, workloads, clusters=clusters if seed % 2 else [], prices={"switch_port": 1500.0},
        hardware=make.hardware(nic_ports=make.any_of(4, 6)), storage_switch=False, converged=make.any_of(True, False),
        residual_value=make.any_of("none", "straight_line"), budget=make.any_of(None, None, 90000.0),
    )  # fmt: skip


def backups(seed: int) -> Inventory:
    """Much to back up over thin links, to hubs and stores that are named; some runs at its target and sends nothing."""
    make = Maker(seed, "backups")
    hubs, stores = make.hubs(3), make.stores(2)
    names = [site.site for site in (*hubs, *stores)]
    links = [
        link.model_copy(
            update={
                "bandwidth_mbps": float(make.any_of(40, 60, 90, 150)),
                "upgrade_mbps": make.any_of(None, None, 400.0),
                "upgrade_monthly_cost": float(make.any_of(100, 800)),
            }
        )
        for link in make.links(hubs, stores)
    ]
    workloads = [
        make.workload(f"w{number}", make.any_of(*names), make.any_of(True, False),
                      traffic_mbps=float(make.any_of(2, 10)), rpo_minutes=60.0,
                      change_gb_per_day=float(make.any_of(40, 80, 120)),
                      backup_days=make.any_of(14, 14, 0), backup_site=make.any_of(*names),
                      recovery=make.any_of("cluster", "cluster", "cloud"))
        for number in range(4)
    ]  # fmt: skip
    workloads = [
        row if row.is_protected else row.model_copy(update={"rpo_minutes": None, "recovery": "cluster"})
        for row in workloads
    ]
    return make.fleet(hubs, stores, workloads, links=links, backup_window_hours=float(make.any_of(4, 8, 24)))


def ages(seed: int) -> Inventory:
    """Clusters that may be retired or stay, old or young, where what is left of nodes at the end counts."""
    make = Maker(seed, "ages")
    hubs, stores = make.hubs(make.any_of(2, 3)), make.stores(1)
    clusters = [
        an_existing_cluster(f"old-{number}", hub.site, node_model="small", nodes=make.any_of(2, 3), keep=False,
                            purchased=make.any_of("2021-03-15", "2024-06-01", "2026-12-31"),
                            cost_to_retire=float(make.any_of(0, 3000)))
        for number, hub in enumerate(hubs[:2])
    ]  # fmt: skip
    return make.fleet(
        hubs, stores, make.workloads([*hubs, *stores], 3, share=0.4), clusters=clusters, start="2027-01-01",
        residual_value="straight_line", asset_life_months=make.any_of(36, 60),
    )  # fmt: skip


def replacing(seed: int) -> Inventory:
    """Clusters that may be retired, at sites where little else fits: what is built anew takes their place."""
    make = Maker(seed, "replacing")
    limits = make.any_of({}, {"max_nodes": 3}, {"max_power_kw": 1.3}, {"max_rack_units": 4})
    hubs = [
        hub.model_copy(update={"can_host": make.any_of(True, None), **(limits if number == 0 else {})})
        for number, hub in enumerate(make.hubs(2, max_clusters=make.any_of(1, 1, 2)))
    ]
    hubs[1] = hubs[1].model_copy(update={"can_host": True})
    stores = make.stores(1)
    hardware = [*make.hardware(max_nodes=4), a_node_model("aged", cores=12, memory_gb=128.0, capacity_drives=4,
                annual_support=make.any_of(800.0, 9000.0), price=30000.0, max_nodes=4)]  # fmt: skip
    clusters = [
        an_existing_cluster(f"old-{number}", make.any_of("h0", "h0", "h1"), node_model=make.any_of("aged", "small"),
                            nodes=make.any_of(1, 2, 2, 3), keep=make.any_of(False, False, True),
                            cost_to_retire=float(make.any_of(0, 1000, 40000)))
        for number in range(make.any_of(1, 1, 2))
    ]  # fmt: skip
    kept = [row for row in clusters if row.keep]
    if len({row.site for row in kept}) < len(kept) or limits:
        clusters = [row.model_copy(update={"keep": False}) for row in clusters]
    workloads = make.workloads([*hubs, *stores], make.any_of(2, 3), share=0.3)
    return make.fleet(hubs, stores, workloads, hardware=hardware, clusters=clusters)


def relayouts(seed: int) -> Inventory:
    """A standing cluster whose tiers may take other types, at once or later, with the nodes that it has or more."""
    make = Maker(seed, "relayouts")
    hubs, stores = make.hubs(2), make.stores(1)
    nodes = make.any_of(2, 3, 4, 4, 4, 5)
    pack = make.any_of("azure-local", "azure-local", "deep-dive", str(PACKS / "step-by-step.toml"))
    parity = "archive=dual-parity" if pack == "deep-dive" else "archive=mirror-accelerated-parity"
    layouts = ("", "", "archive=dual-parity", parity) if nodes > 3 else ("",)
    asked = (
        ((), (), ("dual-parity",)) if pack == "deep-dive" else ((), (), ("mirror-accelerated-parity", "dual-parity"))
    )
    old = an_existing_cluster("old", "h0", node_model="small", nodes=nodes, layout=make.any_of(*layouts),
                              keep=make.any_of(True, True, False))  # fmt: skip
    workloads = [
        make.workload(f"w{number}", make.any_of(hubs[0], *hubs, *stores).site, make.any_of(True, False, False),
                      tier=make.any_of("archive", "archive", "warm"), from_month=make.any_of(0, 0, 6),
                      storage_gb=round(make.random.uniform(2000, 12000)), fault_tolerance=make.any_of(0, 1, 2),
                      resiliency=make.any_of(*asked))
        for number in range(3)
    ]  # fmt: skip
    workloads = [row if row.tier == "archive" else row.model_copy(update={"resiliency": ()}) for row in workloads]
    hardware = [row.model_copy(update={"memory_gb": max(256.0, row.memory_gb)}) for row in make.hardware(max_nodes=6)]
    return make.fleet(hubs, stores, workloads, hardware=hardware, clusters=[old], rule_pack=pack)


def second_places(seed: int) -> Inventory:
    """Clusters that stand where nothing says that a site can host, with room for another one beside them."""
    make = Maker(seed, "second_places")
    hubs, stores = make.hubs(2), make.stores(1)
    hubs[0] = hubs[0].model_copy(update={"can_host": make.any_of(None, None, None, False), "max_clusters": 2})
    hardware = make.hardware(max_nodes=4)
    hardware.append(
        hardware[0].model_copy(update={"node_model": "gpu", "price": 24000.0, "gpu_model": "L4", "gpus": 2})
    )
    clusters = [
        an_existing_cluster("old", "h0", node_model="small", nodes=make.any_of(1, 2, 3), keep=make.any_of(True, False))
    ]
    workloads = [
        make.workload(f"w{number}", make.any_of(hubs[0], hubs[0], hubs[1], *stores).site, number == 0,
                      placement=make.any_of("any", "any", "local") if number == 1 else "any",
                      gpus=make.any_of(0, 0, 1), gpu_model="L4", vcpus=8.0, fault_tolerance=make.any_of(0, 1, 2))
        for number in range(3)
    ]  # fmt: skip
    workloads[1] = workloads[1].model_copy(update={"site": "h0"})
    return make.fleet(hubs, stores, workloads, hardware=hardware, clusters=clusters)


def witnesses(seed: int) -> Inventory:
    """Standing clusters with the witness that the planner states, which is none for some."""
    make = Maker(seed, "witnesses")
    hubs = make.hubs(2, max_clusters=make.any_of(1, 2))
    stores = make.stores(1)
    clusters = [
        an_existing_cluster("old", "h0", node_model="small", nodes=make.any_of(2, 2, 3, 4),
                            keep=make.any_of(True, False), witness=make.any_of("none", "none", "file_share", ""))
    ]  # fmt: skip
    workloads = [
        row.model_copy(update={"fault_tolerance": make.any_of(0, 1, 1, 2)})
        for row in make.workloads([*hubs, *stores], 3)
    ]
    return make.fleet(hubs, stores, workloads, hardware=make.hardware(max_nodes=5), clusters=clusters)


FAMILIES = {
    maker.__name__: maker
    for maker in (
        plain, failed_links, reserves, growing, residencies, affinities, gpus, instances, tolerances, archives,
        deep_dive,
        partners, dedicated,
        shared_nodes, standing, pinned, budgets, upgrades, two_clusters, kinds, machines, hosts, carriers, later,
        separated, synchronous,
        residual_values, domains, chains, clouds, second_paths, ducts, cables, ages, backups,
        replacing, relayouts, second_places, witnesses,
    )
}  # fmt: skip
