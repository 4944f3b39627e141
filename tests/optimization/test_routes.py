"""The routes that the model counts on are those of the router, in every state."""

from __future__ import annotations

import dataclasses

import pytest

from fleet.inventory.inventory import Inventory
from fleet.rulepack import load_rulepack
from fleet.wan.graph import build_wan
from fleet.wan.route import Route
from fleet.wan.routing import Router
from fleet.wan.states import NORMAL
from solvers.problem.routes import RouteTable
from solvers.problem.slots import build_slots
from tests.builders import a_workload
from tests.wan.test_clouds import cloud_inventory


def routed(inventory: Inventory) -> RouteTable:
    """The route table of an inventory, with every link watched."""
    wan = build_wan(inventory)
    slots = build_slots(inventory, load_rulepack(inventory.policy.rule_pack))
    return RouteTable(inventory, wan, Router(wan), slots, frozenset(wan.links))


@pytest.mark.parametrize("seed", range(20))
def test_routes_through_clouds_in_every_state(seed: int) -> None:
    bare = cloud_inventory(seed)
    users = [site.site for site in bare.sites if not site.is_network]
    limits = (20.0, 45.0, None)
    workloads = [a_workload(f"w{n}", site, max_rtt_ms=limits[n % 3]) for n, site in enumerate(users)]
    inventory = dataclasses.replace(bare, workloads=tuple(workloads))
    table = routed(inventory)
    scratch = Router(table.wan)
    attached: dict[int, dict[tuple[str, str], tuple[str, ...] | None]] = {}
    for demand in inventory.demands:
        reach = table.host_reach(demand)
        rtts = table.normal_rtts(demand.site)
        beyond: dict[tuple[str, str], tuple[str, ...] | None] = {}
        for column, host in enumerate(table.host_names):
            normal = scratch.route(demand.site, host)
            assert rtts[column] == (float("inf") if normal is None else normal.rtt_ms)
            for state in (NORMAL, *table.states):
                row = table.row_of(state)
                route = scratch.route(demand.site, host, state)
                assert reach[row, column] == _within(route, demand.row.max_rtt_ms)
                beyond[host, state.id] = None if route is None else route.links[1:]
        if demand.site not in table.wan.transit and demand.site not in table.host_names:
            known = attached.setdefault(table.attachment(demand.site), beyond)
            assert known == beyond


def _within(route: Route | None, limit: float | None) -> bool:
    return route is not None and (limit is None or route.rtt_ms <= 2 * limit * (1 + 1e-6))
