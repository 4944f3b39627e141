"""The planner that joint planning is compared with: place, then partner, then resize, then see what breaks.

Each step is good by itself and knows nothing of the later ones:

1. place every demand at least cost, as if nothing were protected;
2. give every protected demand the nearest other open cluster that the rules allow as its standby; where none is open,
   open the nearest candidate site that they allow;
3. resize every cluster to the cheapest growth path that carries its own load, the copies and the shared reserve;
4. upgrade the links that the normal state or a failure overloads, where they can be upgraded.

What comes out is judged by the same code as every plan: the failures of every element, and the audit.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fleet.inventory.checks.inventory import checked_inventory
from fleet.inventory.inventory import Demand, DemandKey, Inventory
from fleet.inventory.tables.workloads import TIERS
from fleet.plan.assemble import assemble
from fleet.plan.context import build_context
from fleet.plan.costs import Rates, cost_rows, totals
from fleet.plan.decisions import ClusterDecision, Decisions, decisions_of
from fleet.plan.normal_state import NormalState
from fleet.plan.placement import archetype_reason, eligible_standby_reason, exceeds, pair_reason
from fleet.plan.plan import ResultRow
from fleet.plan.states import violations
from fleet.plan.violations import ClusterViolation, HostViolation, LinkViolation, Violation
from fleet.platform.archetype import Archetype
from fleet.platform.archetypes import enumerate_archetypes
from fleet.platform.growth import growth_refusal
from fleet.quantities import COMPUTE_RESOURCES
from fleet.rulepack import RulePack, load_rulepack
from fleet.wan.graph import build_wan
from fleet.wan.replication import Mechanism, choose_mechanism
from fleet.wan.routing import Router
from fleet.wan.states import sites_down
from solvers import SolveConfig, SolveResult, solve

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class SequentialResult:
    """What the sequential planner ends with.

    Attributes
    ----------
    cost : float or None
        Present value; None where a step had nowhere to go.
    reasons : tuple of str
        What broke; empty for a plan that holds.
    clusters : int
        How many it opens.
    """

    cost: float | None
    reasons: tuple[str, ...]
    clusters: int = 0

    @property
    def is_feasible(self) -> bool:
        """Whether the plan holds."""
        return self.cost is not None and not self.reasons


def plan_sequentially(inventory: Inventory, config: SolveConfig, *, is_careful: bool = False) -> SequentialResult:
    """Plan a fleet of new clusters step by step; see `place` and `complete`."""
    return complete(inventory, place(inventory, config), is_careful=is_careful)


def place(inventory: Inventory, config: SolveConfig) -> SolveResult:
    """Step 1: the plan of the same fleet with nothing protected."""
    return solve(without_protection(inventory), config=config)


def complete(inventory: Inventory, placement: SolveResult, *, is_careful: bool = False) -> SequentialResult:
    """Steps 2 to 4, and the judgment.

    Parameters
    ----------
    inventory : Inventory
        Without existing clusters.
    placement : SolveResult
        What `place` returned.
    is_careful : bool
        Whether a standby is taken only where the largest possible cluster still has room for it and the users reach it
        once the site of the primary is lost; else it is simply the nearest.

    Raises
    ------
    ValueError
        If clusters stand already.
    """
    if inventory.clusters:
        raise ValueError("the sequential planner starts from nothing; the inventory has existing clusters")
    if placement.plan is None:
        lines = placement.explanation or (placement.status,)
        return SequentialResult(None, tuple(f"placement: {line}" for line in lines))
    placed = decisions_of(placement.plan.document, inventory)
    planner = _Sequential(inventory, {cluster.cluster: cluster.site for cluster in placed.clusters}, placed.primary)
    planner.partner(is_careful=is_careful)
    clusters = planner.resize()
    if planner.reasons:
        return SequentialResult(None, tuple(planner.reasons))
    decisions, broken = planner.upgrade(Decisions(clusters, placed.primary, planner.standby, placed.upgrades))
    cost = totals(inventory, cost_rows(inventory, planner.pack, decisions)).present_value
    row = ResultRow(
        status="feasible",
        objective=cost,
        bound=None,
        bound_source="",
        gap=None,
        stopped_by="end",
        seconds=None,
        seed=placement.seed,
        strategy="sequential",
    )
    errors = Counter(finding.rule for finding in assemble(inventory, decisions, row).errors)
    audited = [f"audit: {', '.join(f'{rule} × {count}' for rule, count in sorted(errors.items()))}"] if errors else []
    return SequentialResult(cost, (*_summaries(broken), *audited), len(clusters))


def without_protection(inventory: Inventory) -> Inventory:
    """The same fleet with nothing protected."""
    tables = dict(inventory.tables)
    dropped = ("protection", "rpo_minutes", "rto_minutes")
    tables["workloads"] = [
        {column: value for column, value in row.items() if column not in dropped} for row in tables["workloads"]
    ]
    tables["pins"] = [row for row in tables["pins"] if row["decision"] != "standby"]
    return checked_inventory(f"{inventory.name} without protection", tables)


@dataclass
class _Cluster:
    """What one cluster has to carry: compute (C, T), storage by tier (S, T), failovers by fault domain (C, T)."""

    site: str
    own: Floats
    storage: Floats
    failovers: dict[str, Floats] = field(default_factory=dict)
    demands: dict[tuple[int, int, str], Demand] = field(default_factory=dict)

    def add(self, demand: Demand, first_period: int, storage: Floats) -> None:
        """Take in the data of a demand or of its copy; one demand of each kind is remembered for what it asks."""
        self.storage[TIERS.index(demand.row.tier)] += storage
        self.demands.setdefault((first_period, demand.row.fault_tolerance, demand.row.gpu_model), demand)

    def copy(self) -> _Cluster:
        """The same load, to try something."""
        return _Cluster(self.site, self.own.copy(), self.storage.copy(), dict(self.failovers), dict(self.demands))


class _Sequential:
    """Steps 2 to 4 on one fleet."""

    def __init__(self, inventory: Inventory, sites: Mapping[str, str], primary: Mapping[DemandKey, str]) -> None:
        self.inventory = inventory
        self.pack: RulePack = load_rulepack(inventory.policy.rule_pack)
        self.wan = build_wan(inventory)
        self.router = Router(self.wan)
        self.rates = Rates(inventory, self.pack, self.wan)
        self.archetypes = enumerate_archetypes(inventory, self.pack).archetypes
        self.span = len(inventory.periods)
        self.primary = primary
        self.standby: dict[DemandKey, str] = {}
        self.reasons: list[str] = []
        self.clusters = {name: self._empty(site) for name, site in sites.items()}
        for demand in self._served():
            cluster = self.clusters[primary[demand.key]]
            cluster.own += self._compute(demand)
            cluster.add(demand, inventory.first_period(demand), self._storage(demand))
        self._allowed_growth: dict[tuple[int, int], bool] = {}

    # -- step 2 --------------------------------------------------------------------------------------------------

    def partner(self, *, is_careful: bool) -> None:
        """Choose every standby."""
        for group in self._groups():
            home = self.clusters[self.primary[group[0].key]].site
            chosen = next(self._candidates(group, home, is_careful), None)
            if chosen is None:
                self.reasons.append(f"no standby for {group[0]} placed at {home}")
                continue
            name, site = chosen
            cluster = self.clusters.setdefault(name, self._empty(site))
            self._stand_by(cluster, group, home)
            self.standby.update(dict.fromkeys((demand.key for demand in group), name))

    def _groups(self) -> list[list[Demand]]:
        """Protected demands that must share a standby."""
        groups: dict[object, list[Demand]] = {}
        for demand in self._served():
            if demand.is_protected:
                key: object = demand.key
                if self.inventory.policy.partner_scope == "cluster":
                    key = self.primary[demand.key]
                elif demand.row.affinity:
                    key = (demand.site, demand.row.affinity, "affinity")
                groups.setdefault(key, []).append(demand)
        return list(groups.values())

    def _candidates(self, group: Sequence[Demand], home: str, is_careful: bool) -> Iterator[tuple[str, str]]:
        """Allowed clusters, nearest first: the open ones, then those that may still open."""
        standing = Counter(cluster.site for cluster in self.clusters.values())
        opened = [(name, cluster.site) for name, cluster in self.clusters.items()]
        closed = [
            (f"{site.site}-c{standing[site.site] + 1}", site.site)
            for site in self.inventory.host_sites
            if standing[site.site] < site.max_clusters
        ]
        for places in (opened, closed):
            near = [(self._rtt(home, site), name, site) for name, site in places if self._is_allowed(group, home, site)]
            for _, name, site in sorted(near):
                if not is_careful or (self._is_reached(group, home, site) and self._has_room(name, site, group, home)):
                    yield name, site

    def _rtt(self, home: str, site: str) -> float:
        route = self.router.route(home, site)
        return float("inf") if route is None else route.rtt_ms

    def _is_allowed(self, group: Sequence[Demand], home: str, site: str) -> bool:
        for demand in group:
            mechanism = choose_mechanism(demand, self.inventory.policy, self.pack, self.inventory.prices)
            if not isinstance(mechanism, Mechanism) or eligible_standby_reason(self.inventory, demand, site):
                return False
            if pair_reason(self.inventory, self.router, mechanism, home, site):
                return False
        return True

    def _is_reached(self, group: Sequence[Demand], home: str, site: str) -> bool:
        """Whether the users still come to `site` in time when `home` is lost."""
        lost = sites_down("site", home, frozenset({home}), {})
        for demand in group:
            if demand.site == home:
                continue
            route = self.router.route(demand.site, site, lost)
            limit = demand.row.max_rtt_ms
            if route is None:
                return False
            if limit is not None and exceeds(route.rtt_ms, limit * self.inventory.policy.failure_rtt_factor):
                return False
        return True

    def _has_room(self, name: str, site: str, group: Sequence[Demand], home: str) -> bool:
        trial = self.clusters[name].copy() if name in self.clusters else self._empty(site)
        self._stand_by(trial, group, home)
        return bool(self._fits(trial).any(axis=0).all())

    def _stand_by(self, cluster: _Cluster, group: Sequence[Demand], home: str) -> None:
        domain = self.inventory.site(home).fault_domain
        for demand in group:
            before = cluster.failovers.get(domain, np.zeros_like(cluster.own))
            cluster.failovers[domain] = before + self._compute(demand)
            cluster.add(demand, self.inventory.first_period(demand), self._storage(demand))

    # -- step 3 --------------------------------------------------------------------------------------------------

    def resize(self) -> tuple[ClusterDecision, ...]:
        """The cheapest growth path of every cluster."""
        found = []
        for name, cluster in sorted(self.clusters.items()):
            path = self._cheapest_path(cluster)
            if path is None:
                self.reasons.append(self._too_large(name, cluster))
                continue
            standing = [archetype for archetype in path if archetype is not None]
            if standing:
                found.append(
                    ClusterDecision(
                        cluster=name,
                        site=cluster.site,
                        node_model=standing[0].node_model,
                        nodes=tuple(0 if archetype is None else archetype.nodes for archetype in path),
                        layouts=tuple({} if archetype is None else archetype.layout for archetype in path),
                    )
                )
        return tuple(found)

    def _cheapest_path(self, cluster: _Cluster) -> list[Archetype | None] | None:
        """Shortest path over (period, archetype); closed (-1) as long as nothing is there."""
        fits = self._fits(cluster)
        best: dict[int, tuple[float, list[int]]] = {-1: (0.0, [])}
        for period in range(self.span):
            reached: dict[int, tuple[float, list[int]]] = {}
            needed = any(first <= period for first, _, _ in cluster.demands)
            options = [int(option) for option in np.flatnonzero(fits[:, period])] if needed else [-1]
            for before, now in itertools.product(best, options):
                if not self._may_grow(before, now):
                    continue
                cost = best[before][0] + self._cost(cluster.site, before, now, period)
                if now not in reached or cost < reached[now][0]:
                    reached[now] = (cost, [*best[before][1], now])
            best = reached
        if not best:
            return None
        _, path = min(best.values())
        return [None if option < 0 else self.archetypes[option] for option in path]

    def _may_grow(self, before: int, now: int) -> bool:
        if before < 0:
            return True
        if now < 0:
            return False
        known = self._allowed_growth.get((before, now))
        if known is None:
            known = growth_refusal(self.archetypes[before], self.archetypes[now], self.pack) is None
            self._allowed_growth[before, now] = known
        return known

    def _cost(self, site: str, before: int, now: int, period: int) -> float:
        """Present value of a period: nodes bought less what is left of them, and their running cost."""
        if now < 0:
            return 0.0
        archetype = self.archetypes[now]
        added = archetype.nodes - (self.archetypes[before].nodes if before >= 0 else 0)
        spent = self.rates.purchase_factor(period) - self.rates.residual_factor(period)
        monthly = self.rates.node_monthly(archetype.node_model, site) * self.rates.monthly_factor(period)
        return added * self.rates.node_purchase(archetype.node_model) * spent + archetype.nodes * monthly

    def _fits(self, cluster: _Cluster) -> Booleans:
        """Which archetypes carry the cluster in which period, shape (A, T)."""
        allowed = np.array(
            [
                [
                    all(
                        first > period
                        or archetype_reason(demand, archetype, self.inventory.node_model_by_name[archetype.node_model])
                        is None
                        for (first, _, _), demand in cluster.demands.items()
                    )
                    for period in range(self.span)
                ]
                for archetype in self.archetypes
            ]
        )
        return allowed & (self._fill(cluster) <= 1.0 + 1e-9).all(axis=1)

    def _fill(self, cluster: _Cluster) -> Floats:
        """Load over capacity, shape (A, 3 + 3 + 1, T): own compute, compute with the reserve, pool."""
        usable = np.array([archetype.capacity.usable.as_tuple() for archetype in self.archetypes])
        free = np.array([archetype.capacity.without_node_reserve.as_tuple() for archetype in self.archetypes])
        if not self.inventory.policy.standby_uses_node_reserve:
            free = usable
        efficiency = np.array([[archetype.efficiency[tier] for tier in TIERS] for archetype in self.archetypes])
        sums = np.array(list(cluster.failovers.values())).reshape(-1, *cluster.own.shape)
        is_shared = self.inventory.policy.standby_reserve == "shared"
        reserve = sums.max(axis=0, initial=0.0) if is_shared else sums.sum(axis=0)
        pool = (cluster.storage[None] / efficiency[:, :, None]).sum(axis=1)
        loads = (
            (cluster.own[None], usable[:, [0, 1, 3]]),
            (cluster.own[None] + reserve[None], free[:, [0, 1, 3]]),
            (pool[:, None], usable[:, [2]]),
        )
        parts = []
        for load, capacity in loads:
            limit = np.broadcast_to(capacity[:, :, None], (len(self.archetypes), capacity.shape[1], self.span))
            ratio = np.divide(load, limit, out=np.where(load > 0, np.inf, 0.0) + 0.0 * limit, where=limit > 0)
            parts.append(ratio)
        return np.concatenate(parts, axis=1)

    def _too_large(self, name: str, cluster: _Cluster) -> str:
        fill = self._fill(cluster)[:, :, -1]
        roomiest = int(fill.max(axis=1).argmin())
        resource = int(fill[roomiest].argmax())
        names = (*COMPUTE_RESOURCES, *(f"{part} with reserve" for part in COMPUTE_RESOURCES), "storage pool")
        share = float(fill[roomiest, resource])
        if share <= 1.0:
            return f"{name}: no growth path of one node model"
        return f"{name}: the largest cluster would be {share:.0%} full ({names[resource]})"

    # -- step 4 --------------------------------------------------------------------------------------------------

    def upgrade(self, decisions: Decisions) -> tuple[Decisions, list[Violation]]:
        """Upgrade every overloaded link that can be; the rest is what breaks."""
        while True:
            context = build_context(self.inventory, self.pack, decisions, self.wan, self.router)
            broken = violations(NormalState(context))
            upgrades = dict(decisions.upgrades)
            for violation in broken:
                if isinstance(violation, LinkViolation) and self.wan.links[violation.link].upgrade_mbps:
                    upgrades[violation.link] = min(violation.period, upgrades.get(violation.link, self.span))
            if upgrades == decisions.upgrades:
                return decisions, broken
            decisions = replace(decisions, upgrades=upgrades)

    # -- amounts -------------------------------------------------------------------------------------------------

    def _served(self) -> list[Demand]:
        return [demand for demand in self.inventory.demands if demand.key in self.primary]

    def _empty(self, site: str) -> _Cluster:
        return _Cluster(site, np.zeros((len(COMPUTE_RESOURCES), self.span)), np.zeros((len(TIERS), self.span)))

    def _compute(self, demand: Demand) -> Floats:
        amounts = [self.inventory.amounts(demand, period) for period in range(self.span)]
        return np.array([[getattr(amount, name) for amount in amounts] for name in COMPUTE_RESOURCES])

    def _storage(self, demand: Demand) -> Floats:
        return np.array([self.inventory.amounts(demand, period).storage_tb for period in range(self.span)])


def _summaries(broken: Sequence[Violation]) -> Iterator[str]:
    """One line for each kind of broken limit: how many elements, and the first."""
    kinds: dict[str, dict[object, Violation]] = {}
    for violation in broken:
        if isinstance(violation, LinkViolation):
            kinds.setdefault("links overloaded", {}).setdefault(violation.link, violation)
        elif isinstance(violation, ClusterViolation):
            kinds.setdefault("clusters overloaded", {}).setdefault(violation.cluster, violation)
        elif isinstance(violation, HostViolation):
            kinds.setdefault("clusters with machines that fit on no node", {}).setdefault(violation.cluster, violation)
        else:
            name = f"{violation.demand.workload} at {violation.demand.site}"
            kinds.setdefault("demands not restored", {}).setdefault(name, violation)
    for kind, found in kinds.items():
        subject, first = next(iter(found.items()))
        yield f"{len(found)} {kind}, such as {subject} in {first.state.id}"
