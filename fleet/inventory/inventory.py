"""The inventory: every table of one fleet, frozen, cross-referenced and in canonical order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from fleet.errors import UnknownIdError
from fleet.inventory.figures import Figure
from fleet.inventory.places import may_build, new_clusters
from fleet.inventory.tables.growth import NO_GROWTH, GrowthPoint, GrowthProfile, profiles
from fleet.inventory.tables.hardware import ExistingCluster, NodeModel
from fleet.inventory.tables.links import Link
from fleet.inventory.tables.pins import Pin
from fleet.inventory.tables.policy import Policy, PolicyRow
from fleet.inventory.tables.prices import FailureRate, Price
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import Workload
from fleet.quantities import GB_PER_TB
from fleet.tables import InputRow

#: Every input table, in the order in which it is read and shown, with its row type.
INPUT_TABLES: dict[str, type[InputRow]] = {
    "sites": Site,
    "links": Link,
    "workloads": Workload,
    "hardware": NodeModel,
    "growth": GrowthPoint,
    "clusters": ExistingCluster,
    "pins": Pin,
    "prices": Price,
    "failure_rates": FailureRate,
    "figures": Figure,
    "policy": PolicyRow,
}


class DemandKey(NamedTuple):
    """What identifies a demand: one workload at one site."""

    workload: str
    site: str


@dataclass(frozen=True, slots=True)
class Demand:
    """One workload row at one site."""

    workload: str
    site: str
    row: Workload

    @property
    def key(self) -> DemandKey:
        """(workload, site)."""
        return DemandKey(self.workload, self.site)

    @property
    def is_protected(self) -> bool:
        """Whether it asks for a copy to recover from."""
        return self.row.is_protected

    @property
    def recovers_in_cloud(self) -> bool:
        """Whether that copy is in the cloud."""
        return self.row.recovers_in_cloud

    @property
    def has_standby(self) -> bool:
        """Whether that copy is on a standby cluster."""
        return self.row.has_standby

    def __str__(self) -> str:
        return f"{self.workload} at {self.site}"


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a demand consumes in one period, all instances together.

    Attributes
    ----------
    vcpu : float
        vCPU at the policy's ratio: ``vcpus · policy ratio / own ratio`` [vCPU].
    memory_gb, storage_tb, gpu, traffic_mbps, change_gb_per_day : float
        Memory [GiB], data before copies [TB], GPUs, user traffic in each direction [Mbit/s], data written [GB/day].
    """

    vcpu: float
    memory_gb: float
    storage_tb: float
    gpu: float
    traffic_mbps: float
    change_gb_per_day: float


@dataclass(frozen=True, slots=True)
class Period:
    """One planning period: its index, first month, and length in months."""

    index: int
    first_month: int
    months: int


@dataclass(frozen=True, eq=False)
class Inventory:
    """All that the planner states, checked and in canonical order.

    Build one with `fleet.read`, `fleet.from_frames` or `fleet.inventory.checks.inventory.checked_inventory`, which
    report every problem at once; the constructor itself checks nothing.
    """

    name: str
    sites: tuple[Site, ...]
    links: tuple[Link, ...]
    workloads: tuple[Workload, ...]
    hardware: tuple[NodeModel, ...]
    growth: tuple[GrowthPoint, ...] = ()
    clusters: tuple[ExistingCluster, ...] = ()
    pins: tuple[Pin, ...] = ()
    prices: tuple[Price, ...] = ()
    failure_rates: tuple[FailureRate, ...] = ()
    figures: tuple[Figure, ...] = ()
    policy: Policy = field(default_factory=Policy)

    @cached_property
    def site_by_name(self) -> Mapping[str, Site]:
        """Sites by their unique name."""
        return {site.site: site for site in self.sites}

    @cached_property
    def node_model_by_name(self) -> Mapping[str, NodeModel]:
        """Node models by their unique name."""
        return {model.node_model: model for model in self.hardware}

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        """The planning periods."""
        length, horizon = self.policy.period_months, self.policy.horizon_months
        return tuple(
            Period(index, index * length, min(length, horizon - index * length))
            for index in range(self.policy.period_count)
        )

    @cached_property
    def demands(self) -> tuple[Demand, ...]:
        """Every workload row at every site that it names, sorted by (workload, site)."""
        found = []
        for row in self.workloads:
            if row.site:
                found.append(Demand(row.workload, row.site, row))
            else:
                found.extend(Demand(row.workload, site.site, row) for site in self.sites if site.kind == row.kind)
        return tuple(sorted(found, key=lambda demand: demand.key))

    @cached_property
    def demand_by_key(self) -> Mapping[DemandKey, Demand]:
        """Demands by (workload, site)."""
        return {demand.key: demand for demand in self.demands}

    @cached_property
    def host_sites(self) -> tuple[Site, ...]:
        """Candidate sites: those that can host, and those where a cluster stands."""
        return tuple(
            site
            for site in self.sites
            if (self.may_build(site) or site.site in self.clusters_at) and not site.is_network
        )

    @cached_property
    def clusters_at(self) -> Mapping[str, tuple[ExistingCluster, ...]]:
        """The clusters that stand at each site which has any, by name."""
        found: dict[str, list[ExistingCluster]] = {}
        for cluster in sorted(self.clusters, key=lambda row: row.cluster):
            found.setdefault(cluster.site, []).append(cluster)
        return {site: tuple(rows) for site, rows in found.items()}

    def may_build(self, site: Site) -> bool:
        """Whether a cluster may be built at `site`."""
        return may_build(site, self.clusters_at.get(site.site, ()))

    def new_clusters(self, site: Site) -> tuple[str, ...]:
        """Names of the clusters that may be built at `site`."""
        taken = {cluster.cluster for cluster in self.clusters}
        return new_clusters(site, self.clusters_at.get(site.site, ()), taken)

    @cached_property
    def stored_tiers(self) -> frozenset[str]:
        """The storage tiers on which some workload holds data."""
        return frozenset(row.tier for row in self.workloads if row.storage_gb > 0)

    @cached_property
    def growth_profiles(self) -> Mapping[str, GrowthProfile]:
        """Growth profiles by name."""
        return profiles(self.growth)

    @cached_property
    def _peak_factors(self) -> dict[tuple[str, int], tuple[float, ...]]:
        return {}

    def growth_factors(self, demand: Demand) -> tuple[float, ...]:
        """Per period, the largest demand as a multiple of the base; 0 before `from_month`."""
        key = (demand.row.growth, demand.row.from_month)
        known = self._peak_factors.get(key)
        if known is None:
            profile = self.growth_profiles[key[0]] if key[0] else NO_GROWTH
            known = tuple(
                max(
                    (
                        profile.factor(month)
                        for month in range(period.first_month, period.first_month + period.months)
                        if month >= key[1]
                    ),
                    default=0.0,
                )
                for period in self.periods
            )
            self._peak_factors[key] = known
        return known

    def amounts(self, demand: Demand, period: int) -> Amounts:
        """What `demand` consumes at its largest in `period` (all zero before its `from_month`)."""
        row = demand.row
        factor = self.growth_factors(demand)[period] * row.count
        ratio = self.policy.vcpu_per_core / (row.vcpu_per_core or self.policy.vcpu_per_core)
        return Amounts(
            vcpu=row.vcpus * ratio * factor,
            memory_gb=row.memory_gb * factor,
            storage_tb=row.storage_gb / GB_PER_TB * factor,
            gpu=row.gpus * row.count * (1.0 if factor > 0 else 0.0),
            traffic_mbps=row.traffic_mbps * factor,
            change_gb_per_day=row.change_gb_per_day * factor,
        )

    def machines(self, demand: Demand) -> tuple[int, ...]:
        """Virtual machines of `demand` in each period: its instances from `from_month` on."""
        return tuple(demand.row.count if factor > 0 else 0 for factor in self.growth_factors(demand))

    def first_period(self, demand: Demand) -> int:
        """The first period in which `demand` exists; the number of periods if it never does."""
        factors = self.growth_factors(demand)
        return next((index for index, factor in enumerate(factors) if factor > 0), len(factors))

    def site(self, name: str) -> Site:
        """The site of that name.

        Raises
        ------
        UnknownIdError
            If there is none.
        """
        try:
            return self.site_by_name[name]
        except KeyError:
            raise UnknownIdError("site", name) from None

    @cached_property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Canonical rows of every table: sorted, defaults left out, as ``plan.json`` carries them."""
        result: dict[str, list[dict[str, Any]]] = {}
        for table in INPUT_TABLES:
            if table == "policy":
                rows = [
                    {"key": key, "value": value}
                    for key, value in self.policy.model_dump(mode="json", by_alias=True, exclude_defaults=True).items()
                ]
            else:
                rows = []
                for row in getattr(self, table):
                    values = row.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                    values.update(dict(values.pop("extra", ())))
                    rows.append(values)
            result[table] = sorted(rows, key=lambda values: json.dumps(values, sort_keys=True))
        return result

    @cached_property
    def sha256(self) -> str:
        """Hash over the canonical rows."""
        text = json.dumps(self.tables, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def __repr__(self) -> str:
        return (
            f"Inventory({self.name!r}: {len(self.sites)} sites, {len(self.host_sites)} candidates, "
            f"{len(self.links)} links, {len(self.demands)} demands, {len(self.hardware)} node models, "
            f"{len(self.periods)} periods)"
        )

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{table}</td><td style='text-align:right'>{len(rows)}</td></tr>"
            for table, rows in self.tables.items()
        )
        return f"<b>Inventory {self.name}</b><table><tr><th>table</th><th>rows</th></tr>{cells}</table>"
