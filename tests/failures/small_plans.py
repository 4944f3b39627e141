"""A plan small enough to break by hand: two hubs, one store, one protected and one unprotected workload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fleet.inventory.inventory import DemandKey, Inventory
from fleet.inventory.tables.links import Link
from fleet.plan.assemble import assemble
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import Plan, ResultRow
from tests.builders import a_link, a_protected_workload, a_site, a_workload, an_inventory

BY_HAND = ResultRow(
    status="feasible",
    objective=None,
    bound=None,
    bound_source="",
    gap=None,
    stopped_by="",
    seconds=None,
    seed=0,
    strategy="by hand",
)
TIERS = ("hot", "warm", "archive")
#: Both hubs, 1,000 Mbit/s between them; the store reaches each over one link.
LINKS = (a_link("east", "west"), a_link("store", "east"), a_link("store", "west", rtt_ms=9.0))


def small_inventory(
    erp: Mapping[str, Any] | None = None,
    web: Mapping[str, Any] | None = None,
    links: Sequence[Link] = LINKS,
    sites: Mapping[str, Mapping[str, Any]] | None = None,
    **tables_and_policy: Any,
) -> Inventory:
    columns: dict[str, dict[str, Any]] = {
        "east": {"can_host": True, "latitude": 40.7, "longitude": -74.0},
        "west": {"can_host": True, "latitude": 40.9, "longitude": -79.0},
        "store": {"latitude": 40.8, "longitude": -76.0},
    }
    for name, more in (sites or {}).items():
        columns.setdefault(name, {}).update(more)
    workloads = [
        a_protected_workload("erp", "store", **{"max_rtt_ms": 10.0, "traffic_mbps": 50.0, **(erp or {})}),
        a_workload("web", "store", **{"traffic_mbps": 20.0, **(web or {})}),
    ]
    return an_inventory(
        [a_site(name, **values) for name, values in columns.items()], workloads, links, **tables_and_policy
    )


def small_plan(
    inventory: Inventory,
    nodes: Sequence[int] = (2,),
    standby: bool = True,
) -> Plan:
    """The plan with both workloads at ``east-c1`` and the standby of erp at ``west-c1``."""
    layouts = tuple(dict.fromkeys(TIERS, "two-way-mirror" if count < 3 else "three-way-mirror") for count in nodes)
    erp, web = DemandKey("erp", "store"), DemandKey("web", "store")
    decisions = Decisions(
        clusters=tuple(ClusterDecision(f"{site}-c1", site, "std", tuple(nodes), layouts) for site in ("east", "west")),
        primary={erp: "east-c1", web: "east-c1"},
        standby={erp: "west-c1"} if standby else {},
    )
    return assemble(inventory, decisions, BY_HAND)
