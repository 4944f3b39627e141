"""Every forecast month once more, from the rows of the plan alone and month by month."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from fleet.failures.sweep import context_of
from fleet.operations.alerts import PLANNED_LIMIT, forecast_alerts
from fleet.plan.plan import Plan
from fleet.rulepack import RulePack, load_rulepack
from fleet.rulepack.facts import row_at
from tests.failures.small_plans import small_inventory, small_plan
from tests.operations.many_clusters import random_plan

MONTHS = 60
RESOURCES = ("vcpu", "memory_gb", "pool_tb")
#: Data per footprint of the layouts that these plans use.
EFFICIENCY = {"two-way-mirror": 1 / 2, "three-way-mirror": 1 / 3}


class Ledger:
    """Loads, reserves and offers of each cluster, added up in plain loops."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tables: dict[str, list[dict[str, Any]]] = plan.document.inventory.tables
        self.policy = {row["key"]: row["value"] for row in self.tables["policy"]}
        self.pack: RulePack = load_rulepack(str(self.policy.get("rule_pack", "azure-local")))
        self.period_months = int(self.policy.get("period_months", 6))
        self.nodes = {(row.cluster, row.period): row for row in plan.document.cluster_periods}
        self.last = len(plan.document.periods) - 1
        self.site_of = {row.cluster: row.site for row in plan.document.clusters}
        kinds = {row["site"]: row.get("kind", "") for row in self.tables["sites"]}
        self.rows = {}
        for row in self.tables["workloads"]:
            for site in (
                [row["site"]] if row.get("site") else [name for name, kind in kinds.items() if kind == row["kind"]]
            ):
                self.rows[row["workload"], site] = row
        self.rates: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.annual = {row["profile"]: row["annual_rate"] for row in self.tables["growth"] if "annual_rate" in row}

    def factor(self, row: dict[str, Any], month: int) -> float:
        if month < row.get("from_month", 0):
            return 0.0
        return float((1 + self.annual.get(row.get("growth", ""), 0.0)) ** (month / 12) * row.get("count", 1))

    def amount(self, row: dict[str, Any], resource: str, month: int) -> float:
        grown = self.factor(row, month)
        ratio = float(self.policy.get("vcpu_per_core", 4))
        return (
            grown
            * {
                "vcpu": row["vcpus"] * ratio / (row.get("vcpu_per_core") or ratio),
                "memory_gb": row["memory_gb"],
                "pool_tb": row["storage_gb"] / 1000,
            }[resource]
        )

    def standing(self, cluster: str, month: int) -> Any:
        return self.nodes.get((cluster, min(month // self.period_months, self.last)))

    def load(self, cluster: str, resource: str, month: int) -> float:
        total = 0.0
        held = [(row.workload, row.site, row.cluster) for row in self.plan.document.assignments]
        if resource == "pool_tb":
            held += [(row.workload, row.site, row.standby) for row in self.plan.document.standbys]
        for workload, site, host in held:
            if host == cluster:
                row = self.rows[workload, site]
                amount = self.amount(row, resource, month)
                if resource == "pool_tb":
                    amount /= EFFICIENCY[self.standing(cluster, month).layout[row.get("tier", "warm")]]
                total += amount
        return total

    def reserve(self, cluster: str, resource: str, month: int) -> float:
        if resource == "pool_tb":
            return 0.0
        by_site: dict[str, float] = defaultdict(float)
        for row in self.plan.document.standbys:
            if row.standby == cluster:
                by_site[self.site_of[row.cluster]] += self.amount(self.rows[row.workload, row.site], resource, month)
        return max(by_site.values(), default=0.0)

    def offer(self, cluster: str, resource: str, month: int, free: int) -> float:
        """What the nodes offer with `free` of them kept free, before utilization and fill."""
        row = self.standing(cluster, month)
        if row is None:
            return 0.0
        model = next(
            entry
            for entry in self.tables["hardware"]
            if entry["node_model"]
            == next(item.node_model for item in self.plan.document.clusters if item.cluster == cluster)
        )
        number, nodes = self.pack.number, row.nodes
        if resource == "vcpu":
            host = max(number("host.cpu_reserve_fraction") * model["cores"], number("host.cpu_reserve_min_cores"))
            per_core = float(self.policy.get("vcpu_per_core", 4))
            return (nodes - free) * (model["cores"] - host) * per_core - number("host.platform_vcpus")
        if resource == "memory_gb":
            host = max(
                number("host.memory_reserve_fraction") * model["memory_gb"], number("host.memory_reserve_min_gb")
            )
            return (nodes - free) * (model["memory_gb"] - host) - number("host.platform_memory_gb")
        raw = nodes * model["capacity_drives"] * model["capacity_drive_tb"]
        drives = min(nodes * number("capacity.reserve_drives_per_node"), number("capacity.max_reserve_drives"))
        volumes = (number("capacity.infrastructure_volume_gb") + number("capacity.performance_history_gb")) / 1000
        copies = row_at(self.pack.table("layouts.platform_copies"), nodes)
        metadata = number("capacity.metadata_fraction")
        return float(raw * (1 - metadata) - drives * model["capacity_drive_tb"] - volumes * copies)

    def month_of(self, cluster: str, resource: str, alert: str) -> int | None:
        alerts = self.pack.table("alerts")
        share = {
            "processor": lambda: alerts["processor"]["threshold"],
            "free-memory": lambda: 1 - alerts["free-memory"]["threshold"],
            "pool-allocation": lambda: alerts["pool-allocation"]["threshold"],
            PLANNED_LIMIT: lambda: (
                self.policy.get("pool_fill", 0.7) if resource == "pool_tb" else self.policy.get("max_utilization", 0.9)
            ),
        }[alert]()
        for month in range(MONTHS):
            row = self.standing(cluster, month)
            if row is None:
                continue
            planned = alert == PLANNED_LIMIT
            free = 1 if planned and row.nodes > 1 and resource != "pool_tb" else 0
            load = self.load(cluster, resource, month) + (self.reserve(cluster, resource, month) if planned else 0.0)
            limit = float(share) * self.offer(cluster, resource, month, free)
            if load > limit + 1e-6 * max(1.0, limit):
                return month
        return None


def grown_plan() -> Plan:
    from fleet.inventory.tables.growth import GrowthPoint

    growth = (GrowthPoint(profile="fast", annual_rate=0.6), GrowthPoint(profile="slow", annual_rate=0.25))
    inventory = small_inventory(
        erp={"growth": "fast", "memory_gb": 180.0, "vcpus": 40.0, "storage_gb": 6_000.0, "tier": "hot"},
        web={"growth": "slow", "memory_gb": 90.0, "vcpus": 30.0, "from_month": 3, "count": 2, "storage_gb": 2_500.0},
        growth=growth,
        horizon_months=18,
    )
    return small_plan(inventory, nodes=(2, 2, 3))


@pytest.mark.parametrize("make", [grown_plan, lambda: random_plan(60, 3, 8, nodes=4)], ids=["small", "synthetic"])
def test_each_forecast_month_is_that_of_a_plain_recount(make: Any) -> None:
    plan = make()
    ledger = Ledger(plan)
    rows = forecast_alerts(context_of(plan), MONTHS)
    assert {row.resource for row in rows} == set(RESOURCES)
    assert len(rows) == 6 * len(plan.document.clusters)
    for row in rows:
        assert row.month == ledger.month_of(row.cluster, row.resource, row.alert), (
            row.cluster,
            row.resource,
            row.alert,
        )
    assert len({row.month for row in rows if row.month is not None}) > 2, "several alerts come, at several times"
