"""Random fleets in which everything comes together, where the families of `tiny_fleets` each look at one thing.

Standing clusters that must stay or may go, demands that start late or grow, every tier, protection of every kind,
pins, several clusters at a site, carrier clouds, GPUs, budgets, thin links, one to four periods. Instances are small
beside nodes, round trips are stated and no site has coordinates.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.growth import GrowthPoint
from fleet.inventory.tables.hardware import ExistingCluster, NodeModel
from fleet.inventory.tables.links import Link
from fleet.inventory.tables.pins import Pin
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import Workload
from tests.builders import a_link, a_node_model, a_pin, a_site, a_workload, an_existing_cluster, an_inventory
from tests.optimization.tiny_fleets import Maker

#: Largest instance: small beside any node here.
INSTANCE_VCPUS, INSTANCE_MEMORY_GB = 3.0, 10.0
#: Lengths of horizon and period [months]; the last period may be a part of one.
HORIZONS = ((6, 6), (12, 6), (12, 6), (15, 6), (18, 6), (18, 9), (20, 6))
#: First months of demands, within and at the start of periods.
STARTS = (0, 0, 0, 0, 3, 6, 7, 12)
NO_COORDINATES = {"latitude": None, "longitude": None}
CLOUD = "mpls"


def mixed(seed: int) -> Inventory:
    """A fleet small enough for brute force: up to three hubs, two stores and six demands."""
    make = MixedMaker(seed, "mixed")
    hubs, stores = make.hubs(make.any_of(2, 3, 3)), make.stores(make.any_of(0, 1, 1, 2))
    return make.mixed(hubs, stores, make.any_of(2, 3, 4, 5) if len(hubs) > 2 else make.any_of(2, 3, 4, 5, 6))


def larger(seed: int) -> Inventory:
    """A fleet that takes an engine a second or so: up to four hubs, two stores and seven demands."""
    make = MixedMaker(seed, "larger")
    hubs, stores = make.hubs(make.any_of(3, 4)), make.stores(make.any_of(1, 2))
    return make.mixed(hubs, stores, make.random.randint(4, 7))


class MixedMaker(Maker):
    """Draws a little of everything."""

    def chance(self, share: float) -> bool:
        """True so often."""
        return self.random.random() < share

    def hubs(self, count: int, **columns: Any) -> list[Site]:
        """Candidate sites, some with limits or room for two clusters."""
        limits = self.any_of({}, {}, {}, {}, {"max_nodes": self.any_of(4, 6, 8)}, {"max_power_kw": 3.0})
        room = {"max_clusters": 2} if self.chance(0.15) else {}
        hubs = [hub.model_copy(update=NO_COORDINATES) for hub in super().hubs(count, **{**limits, **columns})]
        together = {"fault_domain": "near"} if self.chance(0.15) and count > 2 else {}
        return [hubs[0].model_copy(update={**room, **together}), hubs[1].model_copy(update=together), *hubs[2:]]

    def stores(self, count: int, **columns: Any) -> list[Site]:
        """Sites of users, without coordinates."""
        return [store.model_copy(update=NO_COORDINATES) for store in super().stores(count, **columns)]

    def mixed(self, hubs: list[Site], stores: list[Site], demands: int) -> Inventory:
        """The fleet of these sites."""
        horizon_months, period_months = self.any_of(*HORIZONS)
        policy = self.policy()
        if any(hub.max_clusters > 1 for hub in hubs):
            policy.pop("budget", None)  # too much for brute force
        self.deep_dive = policy.get("rule_pack") == "deep-dive"
        self.gpu_model = "A100" if self.deep_dive else "L4"  # as far as their facts know
        hardware = self.models()
        links = self.wan(hubs, stores)
        cloud = [a_site(CLOUD, kind="network")] if any(CLOUD in (link.from_, link.to) for link in links) else []
        workloads = [
            self.demand(f"w{number}", self.any_of(*hubs, *stores).site, horizon_months, hardware)
            for number in range(demands)
        ]
        clusters = self.standing(hubs, stores, hardware)
        return an_inventory(
            [*hubs, *stores, *cloud],
            workloads,
            links,
            name=self.family,
            hardware=hardware,
            growth=self.growth(),
            clusters=clusters,
            pins=self.pins(hubs, workloads, clusters, links, -(-horizon_months // period_months)),
            prices={"site_recovery_storage_per_gb_month": 0.05, "replica_per_stream_month": float(self.any_of(0, 25))},
            horizon_months=horizon_months,
            period_months=period_months,
            **policy,
        )

    def models(self) -> list[NodeModel]:
        """One or two node models of those that differ in price, size, media and GPUs."""
        small = a_node_model(
            "small", cores=16, memory_gb=256.0, capacity_drives=4, capacity_drive_tb=3.84, price=11000.0,
            watts=400.0, max_nodes=self.any_of(5, 6),
        )  # fmt: skip
        others = [
            a_node_model("large", cores=32, memory_gb=384.0, price=19000.0, watts=700.0, max_nodes=4),
            a_node_model("vision", cores=16, memory_gb=256.0, gpu_model=self.gpu_model, gpus=2, price=22000.0,
                         max_nodes=3),
            a_node_model("disks", cores=24, memory_gb=256.0, capacity_media="hdd", capacity_drives=8,
                         capacity_drive_tb=4.0, cache_drives=2, cache_drive_tb=3.2, price=14000.0,
                         min_nodes=2, max_nodes=4),
        ]  # fmt: skip
        return [small, self.any_of(*others)] if self.chance(0.5) else [small]

    def growth(self) -> list[GrowthPoint]:
        """A rate, and factors that rise and fall."""
        rate = GrowthPoint(profile="up", annual_rate=self.any_of(0.2, 0.5, 1.0))
        factors = ((3, 1.0), (9, 1.6), (15, 1.2))
        return [rate, *(GrowthPoint(profile="wave", month=month, factor=factor) for month, factor in factors)]

    def demand(self, name: str, site: str, horizon_months: int, hardware: list[NodeModel]) -> Workload:
        """One demand of many small instances."""
        vcpus, memory_gb = self.random.uniform(4, 45), self.random.uniform(8, 150)
        count = math.ceil(max(vcpus / INSTANCE_VCPUS, memory_gb / INSTANCE_MEMORY_GB))
        starts = [month for month in STARTS if month < horizon_months]
        columns: dict[str, Any] = {
            "count": count,
            "vcpus": round(vcpus / count, 2),
            "memory_gb": round(memory_gb / count, 2),
            "storage_gb": round(self.random.uniform(100, 6000) / count, 1),
            "traffic_mbps": round(self.random.uniform(1, 25) / count, 2),
            "tier": self.any_of("hot", "warm", "archive", "archive"),
            "fault_tolerance": self.any_of(0, 0, 1, 1, 2),
            "from_month": self.any_of(*starts),
            "growth": self.any_of("", "", "up", "wave"),
            "max_rtt_ms": self.any_of(None, None, None, 20.0, 30.0),
            "affinity": "x" if self.chance(0.1) else "",
        }
        if self.chance(0.6):
            columns |= self.protection(count)
        if any(model.gpus for model in hardware) and self.chance(0.3):
            columns |= {"gpus": 1.0, "gpu_model": self.any_of("", self.gpu_model), "count": self.any_of(1, 2)}
        return a_workload(name, site, **columns)

    def protection(self, count: int) -> dict[str, Any]:
        """Copies by interval, without loss, by the cheapest way, or into the cloud."""
        kind = self.any_of("async", "async", "async", "auto", "auto", "auto", "sync", "cloud")
        if kind == "cloud" and self.deep_dive:  # whose facts know no recovery in the cloud
            kind = "async"
        rpo = {"sync": 0.0, "async": self.any_of(20.0, 61.0)}.get(kind, self.any_of(1.0, 15.0, 60.0))
        return {
            "protection": "auto" if kind == "cloud" else kind,
            "recovery": "cloud" if kind == "cloud" else "cluster",
            "rpo_minutes": rpo,
            "rto_minutes": self.any_of(240.0, 480.0),
            "change_gb_per_day": self.any_of(0.0, round(self.random.uniform(5, 60) / count, 2)),
        }

    def standing(self, hubs: list[Site], stores: list[Site], hardware: list[NodeModel]) -> list[ExistingCluster]:
        """No, one or two standing clusters, at hubs more often than at stores."""
        sites = self.random.sample([*hubs, *hubs, *stores], self.any_of(0, 1, 1, 2))
        found = []
        for site in dict.fromkeys(row.site for row in sites):
            model = self.any_of(*hardware)
            columns = {"nodes": self.random.randint(model.min_nodes, 3), "cost_to_retire": float(self.any_of(0, 3000))}
            found.append(
                an_existing_cluster(f"old-{site}", site, node_model=model.node_model, keep=self.chance(0.5), **columns)
            )
        return found

    def wan(self, hubs: list[Site], stores: list[Site]) -> list[Link]:
        """Hubs in a row or ring with stores on one or two of them, or everyone on a carrier cloud and a few links."""
        thin = self.chance(0.5)
        names = [hub.site for hub in hubs]
        ring = [(names[-1], names[0])] if len(names) > 2 and self.chance(0.8) else []
        pairs = [*itertools.pairwise(names), *ring]
        pairs += [
            (store.site, hub)
            for store in stores
            for hub in self.random.sample(names, min(len(names), self.any_of(1, 2, 2, 2, 2, 2, 2, 2)))
        ]
        if self.chance(0.2):
            own = [pair for pair in pairs if self.chance(0.4)]
            pairs = [*((site.site, CLOUD) for site in (*hubs, *stores)), *own]
        near = {"rtt_ms": self.any_of(1.0, 3.0)} if self.chance(0.6) else {}
        return [self.link(*pair, thin, **(near if set(pair) <= set(names) else {})) for pair in pairs]

    def link(self, from_: str, to: str, thin: bool, **stated: Any) -> Link:
        """One link, thin ones such that failures may overload them."""
        columns: dict[str, Any] = {
            "rtt_ms": self.any_of(1.0, 3.0, 6.0, 9.0),
            "bandwidth_mbps": float(self.any_of(80, 120, 200, 400)) if thin else 1000.0,
            "monthly_cost": float(self.any_of(0, 100)),
        }
        if self.chance(0.3):
            columns |= {"upgrade_mbps": 2000.0, "upgrade_monthly_cost": float(self.any_of(50, 400))}
        return a_link(from_, to, **{**columns, **stated})

    def pins(
        self,
        hubs: list[Site],
        workloads: list[Workload],
        clusters: list[ExistingCluster],
        links: list[Link],
        periods: int,
    ) -> list[Pin]:
        """One decision by hand in every fourth fleet; none closes a site whose cluster must stay."""
        if not self.chance(0.25):
            return []
        hub, workload = self.any_of(*hubs).site, self.any_of(*workloads)
        period = self.any_of(None, None, *range(periods))
        kinds = [
            a_pin("open", site=hub, period=period),
            a_pin("assign", workload=workload.workload, value=hub),
            a_pin("node_model", site=hub, value="small", period=period),
            a_pin("nodes", site=hub, value=self.any_of("1", "2", "3"), period=period),
            a_pin("forbid", workload=workload.workload, value=hub),
        ]
        if not any(cluster.site == hub for cluster in clusters):
            kinds.append(a_pin("close", site=hub, period=period))
        if workload.has_standby:
            kinds.append(a_pin("standby", workload=workload.workload, value=hub))
        if links[0].upgrade_mbps is not None:
            kinds.append(a_pin("link_upgrade", link=links[0].link, value=self.any_of("yes", "no"), period=period))
        return [self.any_of(*kinds)]

    def policy(self) -> dict[str, Any]:
        """The defaults most of the time; every choice that changes what a plan may be now and then."""
        seldom: dict[str, tuple[Any, ...]] = {
            "discount_rate": (0.0,),
            "partner_scope": ("cluster",),
            "standby_reserve": ("dedicated",),
            "standby_uses_node_reserve": (True,),
            "residual_value": ("straight_line",),
            "rule_pack": ("deep-dive",),
            "reserve_nodes": (0,),
            "budget": (70000.0, 110000.0, 150000.0),
            "pool_layout": ("per_tier",),
            "failure_rtt_factor": (1.0,),
        }
        chosen = {key: self.any_of(*values) for key, values in seldom.items() if self.chance(0.12)}
        return {"discount_rate": 0.08, "peak_factor": float(self.any_of(1, 3)), **chosen}
