"""Small inventories with plain defaults; every test states only what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.growth import GrowthPoint
from fleet.inventory.tables.hardware import ExistingCluster, NodeModel
from fleet.inventory.tables.links import Link
from fleet.inventory.tables.pins import Pin
from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.prices import Price
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import Workload


def a_site(site: str, **columns: Any) -> Site:
    """A site; ``a_site("hub", can_host=True)`` for a candidate."""
    return Site.model_validate({"site": site, **columns})


def a_link(from_: str, to: str, **columns: Any) -> Link:
    """A named link of 1,000 Mbit/s and 5 ms."""
    values = {"from": from_, "to": to, "link": f"{from_}-{to}", "bandwidth_mbps": 1000.0, "rtt_ms": 5.0}
    return Link.model_validate({**values, **columns})


def a_workload(workload: str, site: str = "", **columns: Any) -> Workload:
    """A small unprotected workload at one site: 4 vCPU, 16 GiB, 100 GB."""
    values = {"workload": workload, "site": site, "vcpus": 4.0, "memory_gb": 16.0, "storage_gb": 100.0}
    return Workload.model_validate({**values, **columns})


def a_protected_workload(workload: str, site: str = "", **columns: Any) -> Workload:
    """A small workload with an interval replica: RPO 15 minutes, 10 GB of changes a day."""
    values = {"protection": "auto", "rpo_minutes": 15.0, "rto_minutes": 240.0, "change_gb_per_day": 10.0}
    return a_workload(workload, site, **{**values, **columns})


def a_node_model(node_model: str = "std", **columns: Any) -> NodeModel:
    """A general-purpose node: 32 cores, 512 GiB, 6 × 7.68 TB NVMe, 20,000 a piece."""
    values = {
        "node_model": node_model,
        "cores": 32,
        "memory_gb": 512.0,
        "capacity_drives": 6,
        "capacity_drive_tb": 7.68,
        "price": 20000.0,
        "annual_support": 1200.0,
        "watts": 500.0,
    }
    return NodeModel.model_validate({**values, **columns})


def an_existing_cluster(cluster: str, site: str, **columns: Any) -> ExistingCluster:
    """A cluster of two standard nodes."""
    return ExistingCluster.model_validate(
        {"cluster": cluster, "site": site, "node_model": "std", "nodes": 2, **columns}
    )


def a_pin(decision: str, **columns: Any) -> Pin:
    """One pin."""
    return Pin.model_validate({"decision": decision, **columns})


def an_inventory(
    sites: Sequence[Site] = (),
    workloads: Sequence[Workload] = (),
    links: Sequence[Link] = (),
    *,
    name: str = "test",
    hardware: Sequence[NodeModel] | None = None,
    growth: Sequence[GrowthPoint] = (),
    clusters: Sequence[ExistingCluster] = (),
    pins: Sequence[Pin] = (),
    prices: Mapping[str, float] | None = None,
    **policy: Any,
) -> Inventory:
    """An inventory of one period (6 months) without discounting unless the policy keywords say otherwise."""
    choices = {"horizon_months": 6, "period_months": 6, "discount_rate": 0.0, **policy}
    return Inventory(
        name=name,
        sites=tuple(sorted(sites, key=lambda row: row.site)),
        links=tuple(links),
        workloads=tuple(workloads),
        hardware=tuple([a_node_model()] if hardware is None else hardware),
        growth=tuple(growth),
        clusters=tuple(clusters),
        pins=tuple(pins),
        prices=tuple(Price(item=item, price=amount) for item, amount in (prices or {}).items()),
        policy=Policy.model_validate(choices),
    )
