"""The failure semantics once more, from scratch and slowly: plain dictionaries, every demand in every state.

It shares the router, the mechanisms and the archetypes with the judge, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from fleet.inventory.inventory import Demand, DemandKey, Inventory
from fleet.plan.decisions import Decisions
from fleet.rulepack import RulePack
from fleet.wan.graph import build_wan
from fleet.wan.replication import Mechanism, choose_mechanism, required_mbps
from fleet.wan.route import Route
from fleet.wan.routing import Router
from fleet.wan.states import FailureState

COMPUTE = ("vcpu", "memory_gb", "gpu")


@dataclass
class SlowOutcome:
    """Loads by (link, forward, period) and by (cluster, resource, period), and what becomes of the demands."""

    links: dict[tuple[str, bool, int], float] = field(default_factory=lambda: defaultdict(float))
    moved_compute: dict[tuple[str, str, int], float] = field(default_factory=lambda: defaultdict(float))
    moved: set[DemandKey] = field(default_factory=set)
    restored: set[DemandKey] = field(default_factory=set)
    single_points: set[DemandKey] = field(default_factory=set)
    down: set[DemandKey] = field(default_factory=set)
    lost: set[DemandKey] = field(default_factory=set)
    stream_cuts: set[DemandKey] = field(default_factory=set)


def slow_state(inventory: Inventory, pack: RulePack, decisions: Decisions, state: FailureState) -> SlowOutcome:
    """What `state` does, demand by demand."""
    outcome = SlowOutcome()
    router = Router(build_wan(inventory))
    site_of = {cluster.cluster: cluster.site for cluster in decisions.clusters}

    def is_up(cluster: str) -> bool:
        return cluster not in state.clusters and site_of[cluster] not in state.sites

    def carry(route: Route, period: int, mbps: float, both_ways: bool) -> None:
        for hop in route.hops:
            outcome.links[hop.link, hop.forward, period] += mbps
            if both_ways:
                outcome.links[hop.link, not hop.forward, period] += mbps

    def in_reach(demand: Demand, cluster: str) -> Route | None:
        route = router.route(demand.site, site_of[cluster], state)
        limit = demand.row.max_rtt_ms
        if route is None or (limit is not None and route.rtt_ms > limit * inventory.policy.failure_rtt_factor + 1e-6):
            return None
        return route

    def take_in(demand: Demand, cluster: str) -> None:
        for period in range(len(inventory.periods)):
            for resource in COMPUTE:
                amount = getattr(inventory.amounts(demand, period), resource)
                outcome.moved_compute[cluster, resource, period] += amount

    def users(demand: Demand, route: Route) -> None:
        for period in range(len(inventory.periods)):
            carry(route, period, inventory.amounts(demand, period).traffic_mbps, both_ways=True)

    def copies(demand: Demand, primary: str, standby: str) -> bool:
        path = router.route(site_of[primary], site_of[standby], state)
        mechanism = choose_mechanism(demand, inventory.policy, pack, inventory.prices)
        limit = mechanism.max_rtt_ms if isinstance(mechanism, Mechanism) else None
        return path is not None and (limit is None or path.rtt_ms <= limit + 1e-6)

    for demand in inventory.demands:
        key = demand.key
        primary, standby = decisions.primary[key], decisions.standby.get(key)
        user_up, primary_up = demand.site not in state.sites, is_up(primary)
        replicates = primary_up and standby is not None and is_up(standby)
        if replicates and standby is not None and not copies(demand, primary, standby):
            outcome.stream_cuts.add(key)
        if primary_up:
            home = in_reach(demand, primary) if user_up else None
            if home is not None:
                users(demand, home)
            elif user_up and standby is None:
                outcome.down.add(key)
            elif user_up and standby is not None:
                away = in_reach(demand, standby) if is_up(standby) else None
                if away is not None:
                    outcome.moved.add(key)
                    replicates = False
                    take_in(demand, standby)
                    users(demand, away)
                elif state.kind in ("link", "network"):
                    outcome.single_points.add(key)
                else:
                    outcome.lost.add(key)
        elif standby is None:
            outcome.down.add(key)
        elif not is_up(standby):
            outcome.lost.add(key)
        elif not user_up:
            outcome.restored.add(key)
            take_in(demand, standby)
        else:
            away = in_reach(demand, standby)
            if away is None:
                outcome.lost.add(key)
            else:
                outcome.restored.add(key)
                take_in(demand, standby)
                users(demand, away)
        runs_at = standby if key in outcome.moved | outcome.restored else primary if primary_up else None
        if runs_at is not None and demand.row.backup_days and demand.row.backup_site:
            path = router.route(site_of[runs_at], demand.row.backup_site, state)
            for period in range(len(inventory.periods)) if path is not None else ():
                megabits = 8000.0 * inventory.amounts(demand, period).change_gb_per_day * 1.1
                carry(path, period, megabits / (inventory.policy.backup_window_hours * 3600.0), both_ways=False)
        if replicates and standby is not None:
            path = router.route(site_of[primary], site_of[standby], state)
            mechanism = choose_mechanism(demand, inventory.policy, pack, inventory.prices)
            if path is not None and isinstance(mechanism, Mechanism):
                for period in range(len(inventory.periods)):
                    change = inventory.amounts(demand, period).change_gb_per_day
                    mbps = required_mbps(change, demand.row.rpo_minutes, mechanism, inventory.policy) if change else 0.0
                    carry(path, period, mbps, both_ways=False)
    return outcome
