"""Of equally long routes everybody takes the same one: fewest links, then the smallest link seen from the host."""

from __future__ import annotations

import itertools
import random

import pytest

from fleet.failures.sweep import sweep_single
from fleet.inventory.inventory import Inventory
from fleet.rulepack import load_rulepack
from fleet.wan.graph import build_wan
from fleet.wan.routing import Router
from fleet.wan.states import NORMAL
from solvers import SolveConfig, solve
from solvers.problem.routes import AT_HOME, NOWHERE, RouteTable
from solvers.problem.slots import build_slots
from tests.builders import a_link, a_protected_workload, a_site, an_inventory
from tests.failures.small_plans import small_inventory, small_plan

PACK = load_rulepack("azure-local")


def full_of_ties(seed: int) -> Inventory:
    """Hubs and stores whose links take 0.1, 0.2 or 0.3 ms, many of them parallel: sums that floats tell apart."""
    draw = random.Random(seed)
    hubs = [a_site(f"h{number}", can_host=True) for number in range(5)]
    stores = [a_site(f"s{number}") for number in range(4)]
    pairs = [pair for pair in itertools.combinations(hubs, 2) if draw.random() < 0.8]
    pairs += [(store, hub) for store in stores for hub in draw.sample(hubs, 3)]
    pairs += draw.sample(pairs, 5)
    links = [
        a_link(
            *draw.sample([a.site, b.site], 2),
            link=f"l{draw.random():.6f}",
            rtt_ms=draw.choice([0.1, 0.2, 0.3]),
            shared_risk=draw.choice(["", "", "duct"]),
        )
        for a, b in pairs
    ]
    workloads = [a_protected_workload("w", store.site, max_rtt_ms=20.0) for store in stores]
    return an_inventory([*hubs, *stores], workloads, links, shared_risk="hard")


@pytest.mark.parametrize("seed", range(12))
def test_the_solver_takes_the_routes_of_the_audit(seed: int) -> None:
    inventory = full_of_ties(seed)
    wan = build_wan(inventory)
    router = Router(wan)
    links = frozenset(wan.links)
    table = RouteTable(inventory, wan, router, build_slots(inventory, PACK), links)
    index = {name: number for number, name in enumerate(wan.sites)}
    # Asked in reverse, by a router that knows nothing yet: what was asked before must not matter.
    other, names = Router(wan), list(table.host_names)
    states = [NORMAL, *(state for state in table.states if state.sites or state.links)]
    for site in ("s0", "s1", "s2", "s3"):
        neighbors = table._routes_of(site).neighbors
        for (row, state), (column, host) in reversed(list(itertools.product(enumerate(states), enumerate(names)))):
            route = other.route(site, host, state)
            assert route == router.route(site, host, state)
            if route is None:
                assert neighbors[row, column] == NOWHERE
            else:
                expected = index[wan.links[route.hops[0].link].other_end(site)] if route.hops else AT_HOME
                assert neighbors[row, column] == expected


def test_fewer_links_then_the_smaller_name() -> None:
    lines = [("a", "h", "z", 0.3), ("a", "m", "x", 0.1), ("m", "h", "y", 0.2), ("a", "h", "b", 0.3)]
    sites = [a_site("a"), a_site("m", can_host=True), a_site("h", can_host=True)]
    links = [a_link(start, end, link=name, rtt_ms=rtt) for start, end, name, rtt in lines]
    for order in itertools.permutations(links):
        route = Router(build_wan(an_inventory(sites, links=order))).route("a", "h")
        assert route is not None
        assert route.links == ("b",)


def test_loads_after_failures_do_not_depend_on_the_order_of_rows() -> None:
    lines = (a_link("east", "west"), a_link("east", "west", link="twin"), a_link("east", "west", link="third"))
    lines += (a_link("store", "east"), a_link("store", "west"), a_link("store", "east", link="again"))
    plans = [small_plan(small_inventory(links=order)) for order in (lines, tuple(reversed(lines)))]
    first, second = (plan.document for plan in plans)
    assert (first.standbys, first.links, first.assignments) == (second.standbys, second.links, second.assignments)
    assert sweep_single(plans[0]) == sweep_single(plans[1])


@pytest.mark.parametrize("seed", [1, 2])
def test_plans_do_not_depend_on_the_order_of_rows(seed: int) -> None:
    inventory = full_of_ties(seed)
    draw = random.Random(seed)
    tables = {name: draw.sample(list(getattr(inventory, name)), len(getattr(inventory, name)))
              for name in ("sites", "workloads", "links")}  # fmt: skip
    config = SolveConfig(gap=0.0, deterministic=True, time_limit_s=30.0)
    plans = [
        solve(an_inventory(**(tables if mixed else {name: getattr(inventory, name) for name in tables})), config=config)
        for mixed in (False, True)
    ]
    first, second = (found.require_plan().document for found in plans)
    for name in ("clusters", "assignments", "standbys", "links"):
        assert getattr(first, name) == getattr(second, name)
    assert first.totals == second.totals
