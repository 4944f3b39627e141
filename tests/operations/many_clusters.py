"""A synthetic fleet placed at random, so that its clusters stand by for each other in every which way."""

from __future__ import annotations

import random

from fleet.inventory.inventory import Inventory
from fleet.inventory.synthetic import synthetic
from fleet.plan.assemble import assemble
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import Plan
from tests.failures.small_plans import BY_HAND, TIERS


def random_plan(sites: int, hubs: int, seed: int, partners: int = 2, nodes: int = 4) -> Plan:
    """Every hub has a cluster of `nodes` large nodes; each demand runs at one and stands by at one of its partners."""
    inventory: Inventory = synthetic(sites, hubs, seed=seed)
    chance = random.Random(seed)
    hosts = [site.site for site in inventory.host_sites]
    near = {
        host: chance.sample([other for other in hosts if other != host], min(partners, len(hosts) - 1))
        for host in hosts
    }
    layout = dict.fromkeys(TIERS, "three-way-mirror")
    span = len(inventory.periods)
    primary, standby = {}, {}
    for demand in inventory.demands:
        host = chance.choice(hosts)
        primary[demand.key] = f"{host}-c1"
        if demand.is_protected:
            standby[demand.key] = f"{chance.choice(near[host])}-c1"
    model = max(inventory.hardware, key=lambda row: row.memory_gb).node_model
    clusters = tuple(ClusterDecision(f"{host}-c1", host, model, (nodes,) * span, (layout,) * span) for host in hosts)
    return assemble(inventory, Decisions(clusters=clusters, primary=primary, standby=standby), BY_HAND)
