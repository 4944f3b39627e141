"""Brute force over tiny fleets: the cheapest plan by trying every placement, with arithmetic of its own.

Every way to place the demands and their standby copies is tried, cut short only by a lower bound that adding demands
can but raise. For each, every cluster takes the cheapest archetype path that holds its load; then every single
failure is played through. Nothing of ``solvers``, of ``fleet.plan.states`` or of the audit is used; archetypes, routes,
prices and mechanisms come from the rooms that state them.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleet.inventory.inventory import Demand, DemandKey, Inventory
from fleet.inventory.tables.hardware import ExistingCluster
from fleet.inventory.tables.pins import Pin
from fleet.inventory.tables.workloads import Workload
from fleet.plan.costs import Rates
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.platform.archetype import Archetype
from fleet.platform.archetypes import ArchetypeError, archetype_for, enumerate_archetypes
from fleet.platform.capacity import host_reserve_cores, host_reserve_memory_gb
from fleet.platform.growth import growth_refusal
from fleet.platform.resiliency import parse_layout, resiliency_types
from fleet.rulepack import load_rulepack
from fleet.wan.graph import build_wan
from fleet.wan.latency import distance_km
from fleet.wan.replication import Mechanism, choose_mechanism, required_mbps
from fleet.wan.states import NORMAL, FailureState, single_failures
from tests.wan.plain_routes import PlainRoute, is_possible, plain_route, without

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]
#: A machine: vCPU, GiB, whole GPUs, and how many such machines share a GPU (0: none).
Machine = tuple[float, float, int, int]
TIER_NAMES = ("hot", "warm", "archive")
TOLERANCE = 1e-6
#: Virtual machines of a host and of a cluster (maximum-scale-limits.md).
MACHINES_PER_HOST, MACHINES_PER_CLUSTER = 1024, 8000
NOBODY = -1
#: Most nodes that are cabled directly, two cables between every two of them.
DIRECT_NODES = 3
REPLICATION_MAY_BE_CUT = ("link", "network")


@dataclass(frozen=True)
class Limits:
    """Which limits count; one switched off shows whether it binds."""

    failed_links: bool = True
    reserve: bool = True
    growth: bool = True
    residency: bool = True
    uploads: bool = True
    hosts: bool = True
    backups: bool = True


EVERY_LIMIT = Limits()


@dataclass(frozen=True)
class Optimum:
    """The cheapest plan."""

    present_value: float
    decisions: Decisions


@dataclass(frozen=True)
class Place:
    """Where a cluster stands or may open."""

    cluster: str
    site: str
    existing: ExistingCluster | None = None


@dataclass(frozen=True)
class Size:
    """Node model and node counts over the horizon, with what they cost there (site costs excluded)."""

    node_model: str
    nodes: tuple[int, ...]
    cost: float
    capex: float


@dataclass
class Menu:
    """Every archetype path of one place, as arrays over paths P and periods T, and the sizes that they have."""

    sizes: list[Size] = field(default_factory=list)
    size_of: list[int] = field(default_factory=list)
    paths: list[tuple[Archetype | None, ...]] = field(default_factory=list)
    stands: Booleans = field(default_factory=lambda: np.zeros(0, dtype=bool))
    usable: Floats = field(default_factory=lambda: np.zeros(0))
    failover: Floats = field(default_factory=lambda: np.zeros(0))
    efficiency: Floats = field(default_factory=lambda: np.zeros(0))
    tolerance: Floats = field(default_factory=lambda: np.zeros(0))
    machines: Floats = field(default_factory=lambda: np.zeros(0))
    gpu_model: list[str] = field(default_factory=list)
    largest: list[tuple[float, float]] = field(default_factory=list)
    nodes_left: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Item:
    """One demand with its amounts: compute (T, 3), data, traffic, stream to a standby or the cloud, backup (T,)."""

    demand: Demand
    compute: Floats
    data: Floats
    traffic: Floats
    stream: Floats
    mechanism: Mechanism | None
    factor: Floats
    upload: Floats
    backup: Floats

    @property
    def exists(self) -> Booleans:
        return self.factor > 0


@dataclass(frozen=True, eq=False)
class Unit:
    """Demands that share their places, and the (primary, standby) places that each rule allows."""

    items: tuple[Item, ...]
    choices: tuple[tuple[int, int], ...]


#: Units placed so far: (unit, primary, standby).
Placement = tuple[tuple[int, int, int], ...]
#: What single failures send to a place: sets of (unit, item).
Arrivals = frozenset[frozenset[tuple[int, int]]]


def over(value: float, limit: float) -> bool:
    """Above a limit by more than the tolerance."""
    return value > limit + TOLERANCE * max(1.0, abs(limit))


def cheapest_plan(inventory: Inventory, limits: Limits = EVERY_LIMIT) -> Optimum | None:
    """The cheapest plan of a tiny fleet, None where there is none."""
    return BruteForce(inventory, limits).solve()


class BruteForce:
    """One search."""

    def __init__(self, inventory: Inventory, limits: Limits) -> None:
        self.inventory, self.limits = inventory, limits
        self.policy = inventory.policy
        self.spans = len(inventory.periods)
        self.pack = load_rulepack(self.policy.rule_pack)
        self.wan = build_wan(inventory)
        self.rates = Rates(inventory, self.pack, self.wan)
        self._routes: dict[tuple[str, str, str], PlainRoute | None] = {}
        self._fitting: dict[tuple[object, ...], Booleans] = {}
        self._hosted: dict[tuple[object, ...], bool] = {}
        self._site_options: dict[tuple[object, ...], list[tuple[float, float, tuple[int, ...]]]] = {}
        self.places = tuple(self._places())
        self.domain = [inventory.site(place.site).fault_domain for place in self.places]
        self.menus = [self._menu(place) for place in self.places]
        self.units = sorted(self._units(), key=lambda unit: -float(sum(item.compute.max() for item in unit.items)))
        self.sites = sorted({place.site for place in self.places})
        self.places_at = {
            site: [index for index, place in enumerate(self.places) if place.site == site] for site in self.sites
        }
        self.best = math.inf
        self.best_decisions: Decisions | None = None

    # -- what there is to choose from ------------------------------------------------------------------------------

    def _places(self) -> Iterator[Place]:
        for site in sorted(self.inventory.sites, key=lambda row: row.site):
            standing = sorted((c for c in self.inventory.clusters if c.site == site.site), key=lambda c: c.cluster)
            for cluster in standing:
                yield Place(cluster.cluster, site.site, cluster)
            may_build = bool(standing) if site.can_host is None else site.can_host
            if may_build and not site.is_network:
                taken = {cluster.cluster for cluster in self.inventory.clusters}
                names = (f"{site.site}-c{number}" for number in itertools.count(1))
                free = (name for name in names if name not in taken)
                for _ in range(site.max_clusters - sum(cluster.keep for cluster in standing)):
                    yield Place(next(free), site.site)

    def _may_follow(self, smaller: Archetype, larger: Archetype) -> bool:
        if smaller == larger:
            return True
        if not self.limits.growth:
            return smaller.node_model == larger.node_model
        return growth_refusal(smaller, larger, self.pack) is None

    def _paths(self, place: Place) -> Iterator[tuple[Archetype | None, ...]]:
        site = self.inventory.site(place.site)
        may_spread = site.zones > 1 and site.internet
        known = [
            archetype
            for archetype in enumerate_archetypes(self.inventory, self.pack).archetypes
            if may_spread or not archetype.layout["hot"].startswith("rack-aware")
        ]
        if place.existing is None:
            yield (None,) * self.spans
            for opening in range(self.spans):
                for path in self._grown([(archetype,) for archetype in known], self.spans - opening, known):
                    yield (None,) * opening + path
            return
        row = place.existing
        if not row.keep:
            yield (None,) * self.spans
        layout = parse_layout(row.layout, row.nodes, self.pack)
        try:
            now = self._of_standing(row, row.nodes, layout)
        except ArchetypeError:
            return
        every = [
            archetype
            for archetype in self._every_layout(row)
            if archetype.nodes == row.nodes or not self._is_cabled(row)
        ]
        first = [(archetype,) for archetype in every if self._may_follow(now, archetype)]
        yield from self._grown(first, self.spans, every)

    def _is_cabled(self, row: ExistingCluster) -> bool:
        """Whether a standing cluster is cabled directly, so that it cannot grow."""
        wants_switch = self.policy.storage_switch if row.storage_switch is None else row.storage_switch
        owned = self.inventory.node_model_by_name[row.node_model].nic_ports
        return not wants_switch and 2 <= row.nodes <= DIRECT_NODES and owned >= 2 * row.nodes

    def _of_standing(self, row: ExistingCluster, nodes: int, layout: Mapping[str, str]) -> Archetype:
        site = self.inventory.site(row.site)
        return archetype_for(self.inventory, self.pack, row.node_model, nodes, layout, site, witness=row.witness)

    def _every_layout(self, row: ExistingCluster) -> Iterator[Archetype]:
        """Everything that a standing cluster could be with its nodes or more, whatever types its tiers have."""
        names = list(resiliency_types(self.pack))
        most = self.inventory.node_model_by_name[row.node_model].max_nodes
        for nodes in range(row.nodes, most + 1):
            for kinds in itertools.product(names, repeat=len(TIER_NAMES)):
                try:
                    yield self._of_standing(row, nodes, dict(zip(TIER_NAMES, kinds, strict=True)))
                except ArchetypeError:
                    continue

    def _grown(
        self, paths: Sequence[tuple[Archetype, ...]], length: int, known: Sequence[Archetype]
    ) -> list[tuple[Archetype, ...]]:
        found = list(paths)
        for _ in range(length - 1):
            found = [
                (*path, archetype)
                for path in found
                for archetype in dict.fromkeys([path[-1], *known])
                if self._may_follow(path[-1], archetype)
            ]
        return found

    def _menu(self, place: Place) -> Menu:
        menu = Menu()
        numbers: dict[tuple[str, tuple[int, ...], int], int] = {}
        for path in self._paths(place):
            model = next((step.node_model for step in path if step is not None), "")
            nodes = tuple(0 if step is None else step.nodes for step in path)
            zones = 2 if any(step is not None and step.layout["hot"].startswith("rack-aware") for step in path) else 1
            if (model, nodes, zones) not in numbers:
                numbers[model, nodes, zones] = len(menu.sizes)
                menu.sizes.append(self._size(place, model, nodes, zones))
            menu.size_of.append(numbers[model, nodes, zones])
            menu.paths.append(path)
            gpu = self.inventory.node_model_by_name[model].gpu_model if model else ""
            menu.gpu_model.append(gpu)
            menu.largest.append(self._largest_instance(model))
        count = len(menu.paths)
        menu.stands = np.zeros((count, self.spans), dtype=bool)
        menu.usable = np.zeros((count, self.spans, 4))
        menu.failover = np.zeros((count, self.spans, 3))
        menu.efficiency = np.ones((count, self.spans, 3))
        menu.tolerance = np.zeros((count, self.spans))
        menu.machines = np.zeros((count, self.spans))
        menu.nodes_left = np.zeros((count, self.spans), dtype=np.int64)
        for index, path in enumerate(menu.paths):
            for period, step in enumerate(path):
                if step is None:
                    continue
                usable, without = step.capacity.usable, step.capacity.without_node_reserve
                menu.stands[index, period] = True
                menu.usable[index, period] = (usable.vcpu, usable.memory_gb, usable.gpu, usable.pool_tb)
                kept = without if self.policy.standby_uses_node_reserve else usable
                menu.failover[index, period] = (kept.vcpu, kept.memory_gb, kept.gpu)
                menu.efficiency[index, period] = [step.efficiency[tier] for tier in TIER_NAMES]
                menu.tolerance[index, period] = step.node_tolerance
                spread = step.layout["hot"].startswith("rack-aware")
                free = max(self.policy.reserve_nodes, step.nodes // 2 if spread else 0) if step.nodes > 1 else 0
                menu.machines[index, period] = min(MACHINES_PER_CLUSTER, MACHINES_PER_HOST * (step.nodes - free))
                menu.nodes_left[index, period] = step.nodes - free
        return menu

    def _keeps_data(self, path: tuple[Archetype | None, ...], row: Workload, exists: Booleans) -> bool:
        """Whether every archetype of a path has the zones and the resiliency type that a workload asks for."""
        for step, is_there in zip(path, exists.tolist(), strict=True):
            if is_there and step is not None:
                spread = all(kind.startswith("rack-aware") for kind in step.layout.values())
                if row.zone_tolerance > int(spread) or (row.resiliency and step.layout[row.tier] not in row.resiliency):
                    return False
        return True

    def _largest_instance(self, model: str) -> tuple[float, float]:
        """Threads of a node, and the memory that its host leaves."""
        if not model:
            return math.inf, math.inf
        row = self.inventory.node_model_by_name[model]
        return 2.0 * row.cores, row.memory_gb - host_reserve_memory_gb(row, self.pack)

    def _switch_ports(self, place: Place, model: str, counts: set[int], zones: int) -> int:
        """Ports of a node on switches: of users, of storage unless that shares or has cables, of the pack's others."""
        wants_switch = self.policy.storage_switch
        if place.existing is not None and place.existing.storage_switch is not None:
            wants_switch = place.existing.storage_switch
        owned, front, storage = self.inventory.node_model_by_name[model].nic_ports, 2, 2
        beside = 0 if self.pack.flag("network.management_in_band") else 1
        if counts == {1}:
            return front + beside
        beside += 2 if self.pack.flag("network.separate_cluster_network") else 0
        if zones > 1:
            return front + storage + beside
        if not wants_switch and len(counts) == 1 and max(counts) <= DIRECT_NODES and owned >= 2 * max(counts):
            return front + beside
        shares = self.policy.converged and (wants_switch or owned < front + storage)
        return (front if shares else front + storage) + beside

    def _left_of(self, row: ExistingCluster, held: int, model: str) -> float:
        """Present value of what standing nodes are worth at the end."""
        start, bought, months = self.policy.start, row.purchased, self.policy.horizon_months
        if self.policy.residual_value == "none" or start is None or bought is None:
            return 0.0
        age = 12 * (start.year - bought.year) + (start.month - bought.month) + months
        share = max(0.0, (self.policy.asset_life_months - age) / self.policy.asset_life_months)
        worth = held * self.inventory.node_model_by_name[model].price * share
        return float(worth / (1.0 + self.policy.discount_rate) ** (months / 12.0))

    def _size(self, place: Place, model: str, nodes: tuple[int, ...], zones: int) -> Size:
        if not model:
            retired = place.existing.cost_to_retire if place.existing is not None else 0.0
            return Size("", nodes, retired * self.rates.purchase_factor(0), retired)
        held = 0 if place.existing is None else place.existing.nodes
        ports = self._switch_ports(place, model, {*nodes, held} - {0}, zones) * self.rates.price("switch_port")
        price, monthly = self.rates.node_price(model) + ports, self.rates.node_monthly(model, place.site)
        cost = -self._left_of(place.existing, held, model) if place.existing is not None else 0.0
        capex = 0.0
        for period, count in enumerate(nodes):
            bought = max(0, count - held)
            held = max(held, count)
            capex += bought * price
            cost += bought * price * (self.rates.purchase_factor(period) - self.rates.residual_factor(period))
            cost += count * monthly * self.rates.monthly_factor(period)
        return Size(model, nodes, cost, capex)

    # -- demands and where they may be -----------------------------------------------------------------------------

    def _units(self) -> Iterator[Unit]:
        together: dict[object, list[Item]] = defaultdict(list)
        for demand in self.inventory.demands:
            item = self._item(demand)
            if item.exists.any():
                together[(demand.site, demand.row.affinity) if demand.row.affinity else demand.key].append(item)
        for items in together.values():
            yield Unit(tuple(items), tuple(self._choices(items)))

    def _item(self, demand: Demand) -> Item:
        amounts = [self.inventory.amounts(demand, period) for period in range(self.spans)]
        mechanism = None
        stream = [0.0] * self.spans
        if demand.is_protected:
            chosen = choose_mechanism(demand, self.policy, self.pack, self.inventory.prices)
            if isinstance(chosen, str):
                raise ValueError(chosen)
            mechanism = chosen
            stream = [
                required_mbps(row.change_gb_per_day, demand.row.rpo_minutes, chosen, self.policy)
                if row.change_gb_per_day > 0
                else 0.0
                for row in amounts
            ]
        upload = [0.0] * self.spans
        if demand.is_protected and demand.row.recovery == "cloud":
            mechanism, stream, upload = None, upload, stream
        return Item(
            demand,
            np.array([[row.vcpu, row.memory_gb, row.gpu] for row in amounts]),
            np.array([row.storage_tb for row in amounts]),
            np.array([row.traffic_mbps for row in amounts]),
            np.array(stream),
            mechanism,
            np.array(self.inventory.growth_factors(demand)),
            np.array(upload),
            np.array([row.change_gb_per_day for row in amounts])
            * self.policy.protocol_overhead
            * 8000.0
            / (self.policy.backup_window_hours * 3600.0)
            * (1.0 if demand.row.backup_days and demand.row.backup_site else 0.0),
        )

    def _choices(self, items: Sequence[Item]) -> Iterator[tuple[int, int]]:
        protected = [item for item in items if item.mechanism is not None]
        for primary in range(len(self.places)):
            if not all(self._may_run(item.demand, primary) for item in items):
                continue
            if not protected:
                yield primary, NOBODY
                continue
            for standby in range(len(self.places)):
                if all(self._may_stand_by(item, primary, standby) for item in protected):
                    yield primary, standby

    def _allowed(self, demand: Demand, place: Place) -> bool:
        host, user = self.inventory.site(place.site), self.inventory.site(demand.site)
        for pin in self._pins("forbid", demand):
            if pin.value in (place.cluster, place.site):
                return False
        if not demand.row.residency or not self.limits.residency:
            return True
        country = host.country != "" and host.country == user.country
        region = country and host.region != "" and host.region == user.region
        return any(
            {"country": country, "region": region}.get(token, token in (host.country, host.region))
            for token in demand.row.residency
        )

    def _pins(self, decision: str, demand: Demand) -> list[Pin]:
        return [
            pin
            for pin in self.inventory.pins
            if pin.decision == decision and pin.workload in ("", demand.workload) and pin.site in ("", demand.site)
        ]

    def _pinned_elsewhere(self, decision: str, demand: Demand, place: Place) -> bool:
        return any(pin.value not in (place.cluster, place.site) for pin in self._pins(decision, demand))

    def _may_run(self, demand: Demand, index: int) -> bool:
        place = self.places[index]
        route = self._route(demand.site, place.site, NORMAL)
        limit = demand.row.max_rtt_ms
        return (
            self._allowed(demand, place)
            and not self._pinned_elsewhere("assign", demand, place)
            and (demand.row.placement != "local" or place.site == demand.site)
            and (demand.row.protection == "none" or demand.row.recovery != "cloud" or self._is_online(place))
            and route is not None
            and is_possible(self.wan, demand.site, place.site, route.rtt_ms)
            and (limit is None or not over(route.rtt_ms, limit))
        )

    def _is_online(self, place: Place) -> bool:
        return self.inventory.site(place.site).internet

    def _uploads_fit(self, placed: Placement) -> bool:
        """Whether every internet access carries the copies into the cloud of what runs at its site."""
        sent: dict[str, Floats] = defaultdict(lambda: np.zeros(self.spans))
        for unit, primary, _ in placed:
            for item in self.units[unit].items:
                sent[self.places[primary].site] += item.upload
        for site, loads in sent.items():
            stated = self.inventory.site(site).internet_mbps
            if stated is not None and loads.max() > 0 and self.limits.uploads:
                own = self.pack.number("network.min_internet_mbps")
                if over(float(loads.max()), max(0.0, stated * self.policy.max_link_utilization - own)):
                    return False
        return True

    def _may_stand_by(self, item: Item, primary: int, standby: int) -> bool:
        here, there = self.places[primary], self.places[standby]
        if here.site == there.site or self.domain[primary] == self.domain[standby]:
            return False
        if not self._allowed(item.demand, there) or self._pinned_elsewhere("standby", item.demand, there):
            return False
        if self.policy.min_separation_km > 0:
            apart = distance_km(self.inventory.site(here.site), self.inventory.site(there.site))
            if apart is None or over(self.policy.min_separation_km, apart):
                return False
        route = self._route(here.site, there.site, NORMAL)
        if route is None or item.mechanism is None:
            return False
        if not is_possible(self.wan, here.site, there.site, route.rtt_ms):
            return False
        if item.mechanism.max_rtt_ms is not None and over(route.rtt_ms, item.mechanism.max_rtt_ms):
            return False
        pair = {here.cluster: here.site, there.cluster: there.site}
        states = single_failures(self.inventory, self.wan, pair)
        return all(
            self._end(item.demand, primary, standby, state) != "lost"
            and (self.policy.stream_cut != "hard" or self._is_copied(item.mechanism, primary, standby, state))
            for state in states
        )

    def _is_copied(self, mechanism: Mechanism, primary: int, standby: int, state: FailureState) -> bool:
        """Whether a path within the round trip of the mechanism is left, or an end is down."""
        if not (self._is_up(primary, state) and self._is_up(standby, state)):
            return True
        route = self._route(self.places[primary].site, self.places[standby].site, state)
        return route is not None and (mechanism.max_rtt_ms is None or not over(route.rtt_ms, mechanism.max_rtt_ms))

    # -- what a cluster must hold ----------------------------------------------------------------------------------

    def _fits(
        self, index: int, placed: Placement, moved: Floats | None = None, arrivals: Arrivals = frozenset()
    ) -> Booleans:
        """Which paths of a place hold what is placed there, and `moved` (T, 3), or `arrivals`, after a failure."""
        here = tuple(
            (unit, primary == index, self.domain[primary])
            for unit, primary, standby in placed
            if index in (primary, standby)
        )
        key = (index, here, None if moved is None else moved.tobytes(), arrivals)
        if key not in self._fitting:
            self._fitting[key] = self._fit(index, here, moved)
            if self.limits.hosts:
                self._fitting[key] &= self._host(index, here, arrivals, self._fitting[key])
        return self._fitting[key]

    def _fit(self, index: int, here: tuple[tuple[int, bool, str], ...], moved: Floats | None) -> Booleans:
        menu = self.menus[index]
        own = np.zeros((self.spans, 3))
        data = np.zeros((self.spans, 3))
        machines = np.zeros(self.spans)
        sent: dict[str, Floats] = defaultdict(lambda: np.zeros((self.spans, 3)))
        fits = np.ones(len(menu.paths), dtype=bool)
        for unit, is_primary, domain in here:
            for item in self.units[unit].items:
                row = item.demand.row
                if not is_primary and item.mechanism is None:
                    continue
                fits &= (menu.stands | ~item.exists).all(axis=1)
                fits &= ((menu.tolerance >= row.fault_tolerance) | ~item.exists).all(axis=1)
                if row.gpus > 0 and row.gpu_model:
                    fits &= np.array([model == row.gpu_model for model in menu.gpu_model])
                fits &= np.array([row.vcpus <= vcpus and row.memory_gb <= memory for vcpus, memory in menu.largest])
                if row.zone_tolerance or row.resiliency:
                    fits &= np.array([self._keeps_data(path, row, item.exists) for path in menu.paths])
                data[:, TIER_NAMES.index(row.tier)] += item.data
                if is_primary:
                    own += item.compute
                    machines += row.count * item.exists
                else:
                    sent[domain if self.policy.standby_reserve == "shared" else ""] += item.compute
        kept = np.zeros((self.spans, 3))
        if self.limits.reserve:
            for amount in (*sent.values(), *([] if moved is None else [moved])):
                kept = np.maximum(kept, amount)
        fits &= (machines <= menu.machines).all(axis=1)
        for period in range(self.spans):
            for need, limit in (
                (own[period], menu.usable[:, period, :3]),
                (own[period] + kept[period], menu.failover[:, period]),
                ((data[period] / menu.efficiency[:, period]).sum(axis=1)[:, None], menu.usable[:, period, 3:]),
            ):
                fits &= (need <= limit + TOLERANCE * np.maximum(1.0, np.abs(limit))).all(axis=1)
        return fits

    def _machine(self, item: Item, period: int) -> Machine:
        """One machine of a demand, grown; of a GPU it has a whole number or one of equal parts."""
        row, count = item.demand.row, item.demand.row.count
        vcpus, memory_gb, gpus = item.compute[period, 0] / count, item.compute[period, 1] / count, row.gpus
        if row.gpu_mode == "partition" and 0 < gpus < 1:
            return vcpus, memory_gb, 0, int(1 / gpus + TOLERANCE)
        return vcpus, memory_gb, math.ceil(gpus - TOLERANCE), 0

    def _host(
        self, index: int, here: tuple[tuple[int, bool, str], ...], arrivals: Arrivals, which: Booleans
    ) -> Booleans:
        """Which paths have one node for every machine: own ones, and with them all that any failure sends."""
        own = [item for unit, is_primary, _ in here if is_primary for item in self.units[unit].items]
        waiting: dict[str, list[Item]] = defaultdict(list)
        for unit, is_primary, domain in here:
            if not is_primary:
                copied = [item for item in self.units[unit].items if item.mechanism is not None]
                waiting[domain if self.policy.standby_reserve == "shared" else ""] += copied
        coming = list(waiting.values()) if self.limits.reserve else []
        coming += [[self.units[unit].items[number] for unit, number in sorted(arriving)] for arriving in arrivals]
        menu, fits = self.menus[index], which.copy()
        for path in np.flatnonzero(which).tolist():
            model = next((step.node_model for step in menu.paths[path] if step is not None), "")
            for period, step in enumerate(menu.paths[path]):
                if step is None:
                    continue
                left = int(menu.nodes_left[path, period])
                after = step.nodes if self.policy.standby_uses_node_reserve else left
                for nodes, items in ((left, own), *((after, [*own, *others]) for others in coming)):
                    machines = [
                        self._machine(item, period)
                        for item in items
                        if item.exists[period]
                        for _ in range(item.demand.row.count)
                    ]
                    fits[path] &= self._have_hosts(model, nodes, tuple(sorted(machines, reverse=True)))
        return fits

    def _have_hosts(self, model: str, nodes: int, machines: tuple[Machine, ...]) -> bool:
        """Whether machines, and the platform's own one, can each be put on one of so many nodes."""
        key = (model, nodes, machines)
        if key not in self._hosted:
            row = self.inventory.node_model_by_name[model]
            cores = row.cores - host_reserve_cores(row, self.pack)
            vcpus = min(cores * self.policy.vcpu_per_core, self.pack.number("limits.max_virtual_processors"))
            memory_gb = row.memory_gb - host_reserve_memory_gb(row, self.pack)
            platform = (self.pack.number("host.platform_vcpus"), self.pack.number("host.platform_memory_gb"), 0, 0)
            every = [*machines, platform] if machines else []
            self._hosted[key] = have_hosts(every, nodes, (vcpus, memory_gb, row.gpus))
        return self._hosted[key]

    # -- what a site costs -----------------------------------------------------------------------------------------

    def _options(
        self,
        site: str,
        placed: Placement,
        moved: dict[int, Floats] | None = None,
        arrivals: dict[int, set[frozenset[tuple[int, int]]]] | None = None,
    ) -> list[tuple[float, float, tuple[int, ...]]]:
        """(cost, capex, path of each place) of a site, by cost; only the cheapest without a budget."""
        places = self.places_at[site]
        fits = [
            self._fits(
                index,
                placed,
                None if moved is None else moved.get(index),
                frozenset() if arrivals is None else frozenset(arrivals.get(index, ())),
            )
            for index in places
        ]
        key = (site, *(mask.tobytes() for mask in fits))
        if key in self._site_options:
            return self._site_options[key]
        menus = [self.menus[index] for index in places]
        sizes: list[dict[int, int]] = []
        for menu, mask in zip(menus, fits, strict=True):
            found: dict[int, int] = {}
            for path in np.flatnonzero(mask).tolist():
                found.setdefault(menu.size_of[path], path)
            sizes.append(found)
        options = []
        for combination in itertools.product(*sizes):
            chosen = [menu.sizes[number] for menu, number in zip(menus, combination, strict=True)]
            if self._within_site(site, places, chosen):
                cost, capex = self._site_cost(site, chosen)
                paths = tuple(found[number] for found, number in zip(sizes, combination, strict=True))
                options.append((cost, capex, paths))
        options.sort(key=lambda option: option[:2])
        if self.policy.budget is None:
            del options[1:]
        self._site_options[key] = options
        return options

    def _within_site(self, site: str, places: Sequence[int], sizes: Sequence[Size]) -> bool:
        row = self.inventory.site(site)
        models = self.inventory.node_model_by_name
        for period in range(self.spans):
            standing = [(size.nodes[period], models[size.node_model]) for size in sizes if size.nodes[period]]
            for amount, limit in (
                (len(standing), row.max_clusters),
                (sum(nodes for nodes, _ in standing), row.max_nodes),
                (sum(nodes * model.watts for nodes, model in standing) / 1000.0, row.max_power_kw),
                (sum(nodes * model.rack_units for nodes, model in standing), row.max_rack_units),
            ):
                if limit is not None and over(amount, limit):
                    return False
        return all(self._keeps(pin, places, sizes) for pin in self.inventory.pins)

    def _keeps(self, pin: Pin, places: Sequence[int], sizes: Sequence[Size]) -> bool:
        site = self.places[places[0]].site
        since = range(pin.period or 0, self.spans)
        nodes = [sum(size.nodes[period] for size in sizes) for period in range(self.spans)]
        if pin.decision in ("open", "close") and pin.site == site:
            return all((nodes[period] > 0) == (pin.decision == "open") for period in since)
        if pin.decision not in ("node_model", "nodes"):
            return True
        meant = [
            size
            for index, size in zip(places, sizes, strict=True)
            if (pin.cluster == self.places[index].cluster if pin.cluster else pin.site == site)
        ]
        if pin.decision == "node_model":
            others = [size for size in meant if size.node_model != pin.value]
            return not any(size.nodes[period] for size in others for period in since)
        concerned = pin.site == site or any(self.places[index].cluster == pin.cluster for index in places)
        return not concerned or all(sum(size.nodes[period] for size in meant) >= int(pin.value) for period in since)

    def _site_cost(self, site: str, sizes: Sequence[Size]) -> tuple[float, float]:
        cost, capex = sum(size.cost for size in sizes), sum(size.capex for size in sizes)
        standing = [period for period in range(self.spans) if any(size.nodes[period] for size in sizes)]
        if standing:
            opening = self.rates.site_opening(site)
            cost += opening * self.rates.purchase_factor(standing[0])
            capex += opening
        cost += self.rates.site_monthly(site) * sum(self.rates.monthly_factor(period) for period in standing)
        return cost, capex

    # -- what failures do ------------------------------------------------------------------------------------------

    def _route(self, origin: str, host: str, state: FailureState) -> PlainRoute | None:
        key = (origin, host, state.id)
        if key not in self._routes:
            is_up = origin not in state.sites and host not in state.sites
            self._routes[key] = plain_route(without(self.wan, state), origin, host) if is_up else None
        return self._routes[key]

    def _is_up(self, index: int, state: FailureState) -> bool:
        place = self.places[index]
        return place.cluster not in state.clusters and place.site not in state.sites

    def _reaches(self, demand: Demand, index: int, state: FailureState) -> bool:
        if not self._is_up(index, state):
            return False
        route = self._route(demand.site, self.places[index].site, state)
        limit = demand.row.max_rtt_ms
        factor = self.policy.failure_rtt_factor
        return route is not None and (limit is None or not over(route.rtt_ms, factor * limit))

    def _end(self, demand: Demand, primary: int, standby: int, state: FailureState) -> str:
        """What becomes of a demand: served, idle (users down), moved, restarted, cut, down or lost."""
        users_up = demand.site not in state.sites
        if self._is_up(primary, state):
            if not users_up:
                return "idle"
            if self._reaches(demand, primary, state):
                return "served"
            if standby == NOBODY:
                return "down"
            if self._reaches(demand, standby, state):
                return "moved"
            return "cut" if state.kind in REPLICATION_MAY_BE_CUT else "lost"
        if standby == NOBODY:
            return "down"
        if not users_up:
            return "restarted" if self._is_up(standby, state) else "lost"
        return "moved" if self._reaches(demand, standby, state) else "lost"

    def _play(
        self, placed: Placement, state: FailureState
    ) -> tuple[dict[tuple[str, bool], Floats], dict[int, Floats], dict[int, set[tuple[int, int]]]] | None:
        """Link loads by (link, direction), compute and items moved into each place; None where one is lost."""
        links: dict[tuple[str, bool], Floats] = defaultdict(lambda: np.zeros(self.spans))
        moved: dict[int, Floats] = defaultdict(lambda: np.zeros((self.spans, 3)))
        arriving: dict[int, set[tuple[int, int]]] = defaultdict(set)
        for unit, primary, shared in placed:
            for number, item in enumerate(self.units[unit].items):
                standby = NOBODY if item.mechanism is None else shared
                end = self._end(item.demand, primary, standby, state)
                if end == "lost":
                    return None
                if end in ("moved", "restarted"):
                    moved[standby] += item.compute
                    arriving[standby].add((unit, number))
                if end in ("served", "moved"):
                    host = self.places[primary if end == "served" else standby].site
                    route = self._route(item.demand.site, host, state)
                    for hop in () if route is None else route.hops:
                        links[hop.link, True] += item.traffic
                        links[hop.link, False] += item.traffic
                self._back_up(item, primary, standby, end, state, links)
                if standby == NOBODY or end in ("moved", "restarted", "down"):
                    continue
                if self._is_up(primary, state) and self._is_up(standby, state):
                    stream = self._route(self.places[primary].site, self.places[standby].site, state)
                    for hop in () if stream is None else stream.hops:
                        links[hop.link, hop.forward] += item.stream
        return links, moved, arriving

    def _back_up(
        self,
        item: Item,
        primary: int,
        standby: int,
        end: str,
        state: FailureState,
        links: dict[tuple[str, bool], Floats],
    ) -> None:
        """Add the backups of a demand, from where it runs: nowhere while its primary is down or it is in the cloud."""
        if not item.backup.any() or not self.limits.backups:
            return
        host = standby if end in ("moved", "restarted") else primary
        in_cloud = item.demand.is_protected and item.demand.row.recovery == "cloud"
        if not self._is_up(host, state) or (in_cloud and end == "down"):
            return
        way = self._route(self.places[host].site, item.demand.row.backup_site, state)
        for hop in () if way is None else way.hops:
            links[hop.link, hop.forward] += item.backup

    def _after_failures(
        self, placed: Placement
    ) -> tuple[float, dict[str, int], dict[int, Floats], dict[int, set[frozenset[tuple[int, int]]]]] | None:
        """(cost of link upgrades, first period of each, largest compute and items moved into places), or None."""
        upgrades = self._pinned_upgrades()
        if upgrades is None:
            return None
        never = {pin.link for pin in self.inventory.pins if pin.decision == "link_upgrade" and not _wants_upgrade(pin)}
        worst: dict[int, Floats] = {}
        arrivals: dict[int, set[frozenset[tuple[int, int]]]] = defaultdict(set)
        used = {index for _, *hosts in placed for index in hosts if index != NOBODY}
        used |= {index for index, place in enumerate(self.places) if place.existing is not None}
        clusters = {self.places[index].cluster: self.places[index].site for index in used}
        for state in (NORMAL, *single_failures(self.inventory, self.wan, clusters)):
            played = self._play(placed, state)
            if played is None:
                return None
            links, moved, arriving = played
            for index, amount in moved.items():
                worst[index] = np.maximum(worst.get(index, 0.0), amount)
                arrivals[index].add(frozenset(arriving[index]))
            if state is not NORMAL and not self.limits.failed_links:
                continue
            for (name, forward), loads in links.items():
                link = self.wan.links[name]
                for period, load in enumerate(loads.tolist()):
                    if not over(load, link.usable_mbps(forward)):
                        continue
                    if link.upgrade_mbps is None or name in never or over(load, link.usable_mbps(forward, True)):
                        return None
                    upgrades[name] = min(period, upgrades.get(name, period))
        cost = sum(
            self.rates.link_upgrade_monthly(name) * sum(self.rates.monthly_factor(t) for t in range(start, self.spans))
            for name, start in upgrades.items()
        )
        return cost, upgrades, worst, arrivals

    def _pinned_upgrades(self) -> dict[str, int] | None:
        found: dict[str, int] = {}
        for pin in self.inventory.pins:
            if pin.decision == "link_upgrade" and _wants_upgrade(pin):
                if self.wan.links[pin.link].upgrade_mbps is None:
                    return None
                start = pin.period or 0
                found[pin.link] = min(start, found.get(pin.link, start))
        return found

    # -- the search ------------------------------------------------------------------------------------------------

    def solve(self) -> Optimum | None:
        """Try everything."""
        if any(not unit.choices for unit in self.units):
            return None
        self._fixed = sum(self.rates.wan_monthly() * self.rates.monthly_factor(period) for period in range(self.spans))
        for unit in self.units:
            for item in unit.items:
                if item.mechanism is not None:
                    monthly = self.rates.price(item.mechanism.fee_item)
                    self._fixed += monthly * sum(
                        self.rates.monthly_factor(period) for period in range(self.spans) if item.exists[period]
                    )
                elif item.demand.is_protected:
                    fee = self.rates.price("site_recovery_per_instance_month") * item.demand.row.count
                    stored = self.rates.price("site_recovery_storage_per_gb_month") * 1000.0 * item.data
                    self._fixed += sum(
                        (fee + stored[period]) * self.rates.monthly_factor(period)
                        for period in range(self.spans)
                        if item.exists[period]
                    )
        self._place(0, ())
        return None if self.best_decisions is None else Optimum(self.best, self.best_decisions)

    def _least(self, placed: Placement) -> float:
        total = self._fixed
        for site in self.sites:
            options = self._options(site, placed)
            if not options:
                return math.inf
            total += options[0][0]
        return total

    def _place(self, depth: int, placed: Placement) -> None:
        if depth == len(self.units):
            self._finish(placed)
            return
        taken = {index for _, *hosts in placed for index in hosts}
        partner = {primary: standby for _, primary, standby in placed if standby != NOBODY}
        nexts = []
        for primary, standby in self.units[depth].choices:
            if self._skips_twin(primary, taken) or (standby != NOBODY and self._skips_twin(standby, taken)):
                continue
            is_bound = self.policy.partner_scope == "cluster" and standby != NOBODY
            if is_bound and partner.get(primary, standby) != standby:
                continue
            further = (*placed, (depth, primary, standby))
            if not self._uploads_fit(further):
                continue
            nexts.append((self._least(further), further))
        for least, further in sorted(nexts):
            if least < self.best:
                self._place(depth + 1, further)

    def _skips_twin(self, index: int, taken: set[int]) -> bool:
        """Whether the same site has an earlier free place, without pins, that is not in use."""
        place = self.places[index]
        if place.existing is not None or self.inventory.pins:
            return False
        twins = [other for other in self.places_at[place.site] if other < index and self.places[other].existing is None]
        return any(other not in taken for other in twins)

    def _finish(self, placed: Placement) -> None:
        after = self._after_failures(placed)
        if after is None:
            return
        upgrade_cost, upgrades, moved, arrivals = after
        per_site = [self._options(site, placed, moved, arrivals) for site in self.sites]
        chosen = _cheapest_within(per_site, math.inf if self.policy.budget is None else self.policy.budget)
        if chosen is None:
            return
        total = self._fixed + upgrade_cost + sum(option[0] for option in chosen)
        if total < self.best:
            paths = {
                index: self.menus[index].paths[path]
                for site, option in zip(self.sites, chosen, strict=True)
                for index, path in zip(self.places_at[site], option[2], strict=True)
            }
            self.best, self.best_decisions = total, self._decisions(placed, upgrades, paths)

    def _decisions(
        self, placed: Placement, upgrades: dict[str, int], paths: dict[int, tuple[Archetype | None, ...]]
    ) -> Decisions:
        clusters, retired = [], []
        for index, path in paths.items():
            place = self.places[index]
            model = next((step.node_model for step in path if step is not None), None)
            if model is None:
                if place.existing is not None:
                    retired.append(place.cluster)
                continue
            clusters.append(
                ClusterDecision(
                    cluster=place.cluster,
                    site=place.site,
                    node_model=model,
                    nodes=tuple(0 if step is None else step.nodes for step in path),
                    layouts=tuple({} if step is None else step.layout for step in path),
                    existing=place.existing is not None,
                    origin="chosen" if place.existing is None else "existing",
                )
            )
        primary: dict[DemandKey, str] = {}
        standby: dict[DemandKey, str] = {}
        for unit, host, partner in placed:
            for item in self.units[unit].items:
                primary[item.demand.key] = self.places[host].cluster
                if item.mechanism is not None:
                    standby[item.demand.key] = self.places[partner].cluster
        return Decisions(tuple(clusters), primary, standby, upgrades, tuple(retired))


def have_hosts(machines: Sequence[Machine], nodes: int, room: tuple[float, float, int]) -> bool:
    """Whether machines can each be put on one node: every way is tried, of nodes with equal rests one."""
    if not machines:
        return True
    if _one_part_fits(machines, nodes, room):
        return True
    vcpus, memory_gb, gpus = room
    empty = (vcpus + TOLERANCE * max(1.0, vcpus), memory_gb + TOLERANCE * max(1.0, memory_gb), gpus, ())
    seen: set[tuple[object, ...]] = set()

    def put(index: int, rests: tuple[Any, ...]) -> bool:
        if index == len(machines):
            return True
        key = (index, tuple(sorted((round(rest[0], 6), round(rest[1], 6), *rest[2:]) for rest in rests)))
        if key in seen:
            return False
        seen.add(key)
        for position, rest in enumerate(rests):
            if rest in rests[:position]:
                continue
            left = _rest(rest, machines[index])
            if left is not None and put(index + 1, (*rests[:position], left, *rests[position + 1 :])):
                return True
        return False

    return put(0, (empty,) * nodes)


def _one_part_fits(machines: Sequence[Machine], nodes: int, room: tuple[float, float, int]) -> bool:
    """Whether a node takes its part of every size, rounded up: then machines without GPUs are dealt out evenly."""
    sizes = {machine: machines.count(machine) for machine in set(machines)}
    if nodes < 1 or any(machine[2] or machine[3] for machine in sizes):
        return False
    needs = [sum(-(-count // nodes) * machine[number] for machine, count in sizes.items()) for number in (0, 1)]
    return not any(over(need, limit) for need, limit in zip(needs, room, strict=False))


def _rest(rest: tuple[Any, ...], machine: Machine) -> tuple[Any, ...] | None:
    """What is left of a node, with the free parts of GPUs that are cut; None where a machine does not fit."""
    vcpus, memory_gb, gpus, parts = rest[0] - machine[0], rest[1] - machine[1], rest[2] - machine[2], dict(rest[3])
    if machine[3]:
        if not parts.get(machine[3]):
            gpus -= 1
            parts[machine[3]] = machine[3]
        parts[machine[3]] -= 1
    if vcpus < 0 or memory_gb < 0 or gpus < 0:
        return None
    return vcpus, memory_gb, gpus, tuple(sorted(parts.items()))


def _wants_upgrade(pin: Pin) -> bool:
    return pin.value.strip().lower() not in ("no", "n", "false", "0")


def _cheapest_within(
    per_site: Sequence[Sequence[tuple[float, float, tuple[int, ...]]]], budget: float
) -> list[tuple[float, float, tuple[int, ...]]] | None:
    """One option per site, of least total cost, with capex within the budget; options come sorted by cost."""
    chains: list[tuple[float, float, list[tuple[float, float, tuple[int, ...]]]]] = [(0.0, 0.0, [])]
    for options in per_site:
        longer = [
            (cost + option[0], capex + option[1], [*chain, option])
            for cost, capex, chain in chains
            for option in options
            if not over(capex + option[1], budget)
        ]
        longer.sort(key=lambda chain: chain[:2])
        chains, least = [], math.inf
        for chain in longer:  # keep what is cheaper in purchase than all that is cheaper in total
            if chain[1] < least:
                chains.append(chain)
                least = chain[1]
    return chains[0][2] if chains else None
