"""Inventory → design problem: slots, archetype runs, demand classes, failure states.

Whatever can be decided without an engine is decided here; a demand that no slot can take, or a circuit that is
too small for the users behind it, is reported in words (`InfeasibleInputs`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from fleet.inventory.inventory import Demand, Inventory
from fleet.inventory.pins import PinDecision
from fleet.inventory.workloads import TIERS
from fleet.plan.costs import Rates
from fleet.plan.pinning import is_at, pins_on
from fleet.plan.placement import (
    TOLERANCE,
    Reason,
    eligible_site_reason,
    eligible_standby_reason,
    exceeds,
    pair_reason,
)
from fleet.rulepack import RulePack, load_rulepack
from fleet.wan.graph import Wan, build_wan
from fleet.wan.replication import Mechanism, choose_mechanism, required_mbps
from fleet.wan.routing import Router
from fleet.wan.states import NORMAL, FailureState, single_failures
from solvers.linear import Floats, Integers
from solvers.problem import Booleans, DemandClass, DesignProblem, Profile, Slot, Unit
from solvers.screens import InfeasibleInputs, screen_access, screen_units
from solvers.slots import build_slots, fits_throughout, growth_refusals, protected, without_idle_runs

#: Failure kinds after which a protected demand must reach its standby (DESIGN: hard).
HARD_KINDS = ("site", "fault_domain", "cluster")


def compile_problem(inventory: Inventory, watched_links: frozenset[str] = frozenset()) -> DesignProblem:
    """Turn an inventory into arrays.

    Parameters
    ----------
    inventory : Inventory
        The effective inventory.
    watched_links : frozenset of str
        Access circuits whose failure is a core state all the same, because a plan broke a limit in it.

    Raises
    ------
    InfeasibleInputs
        If it is plain without a solver that no plan exists; its lines say why and what would do.
    """
    pack = load_rulepack(inventory.policy.rule_pack)
    wan = build_wan(inventory)
    router = Router(wan)
    slots = build_slots(inventory, pack)
    compiler = _Compiler(inventory, pack, wan, router, slots, watched_links)
    classes = compiler.classes()
    forced = screen_access(inventory, wan)
    slots = tuple(without_idle_runs(inventory, slot, classes) for slot in slots)
    fees = compiler.protection_cost()
    return DesignProblem(
        inventory=inventory,
        pack=pack,
        wan=wan,
        router=router,
        rates=compiler.rates,
        slots=slots,
        classes=classes,
        states=compiler.states,
        attachments=compiler.attachments,
        mechanisms=compiler.mechanisms,
        growth_refusals=growth_refusals(slots, pack),
        forced_upgrades=forced,
        constant_cost=fees
        + sum(
            compiler.rates.wan_monthly() * compiler.rates.monthly_factor(period.index)
            for period in inventory.periods
        ),
    )


class _Compiler:
    """The steps of compilation that share look-ups."""

    def __init__(
        self,
        inventory: Inventory,
        pack: RulePack,
        wan: Wan,
        router: Router,
        slots: tuple[Slot, ...],
        watched_links: frozenset[str],
    ) -> None:
        self.inventory, self.pack, self.wan, self.router, self.slots = inventory, pack, wan, router, slots
        self.rates = Rates(inventory, pack, wan)
        self.slot_sites = [slot.site for slot in slots]
        self.host_names = sorted(set(self.slot_sites))
        self.site_of_slot = np.array([self.host_names.index(name) for name in self.slot_sites], dtype=np.int64)
        self.access_links = self._access_links()
        every = single_failures(inventory, wan, {slot.cluster: slot.site for slot in slots})
        self.states: tuple[FailureState, ...] = tuple(
            state
            for state in every
            if not (state.kind == "link" and state.name in self.access_links and state.name not in watched_links)
        )
        self.hard = np.array([state.kind in HARD_KINDS for state in self.states], dtype=bool)
        self.slot_down = np.array(
            [[slot.cluster in state.clusters or slot.site in state.sites for slot in slots] for state in self.states],
            dtype=bool,
        ).reshape(len(self.states), len(slots))
        self.mechanisms: dict[str, Mechanism] = {}
        self._refused: dict[str, str] = {}
        self.attachments: tuple[str, ...] = ()
        self._site_index = {name: index for index, name in enumerate(wan.sites)}
        self._attachment_index: dict[object, int] = {}
        self._routes: dict[str, tuple[Floats, Integers]] = {}
        self._changed = [
            [frozenset() if host in state.sites else router.changed_sites(host, state) for host in self.host_names]
            for state in self.states
        ]
        self._host_down = np.array(
            [[host in state.sites for host in self.host_names] for state in self.states], dtype=bool
        ).reshape(len(self.states), len(self.host_names))
        self._pair_reasons: dict[str, Booleans] = {}
        self._eligible: dict[tuple[object, ...], list[Reason | None]] = {}

    def _access_links(self) -> dict[str, str]:
        """Link → user site, for circuits that carry the traffic of their own site only and can carry all of it.

        Their load is no decision and their failure moves only their own users; what it moves is checked on the
        finished plan.
        """
        hosting = set(self.slot_sites)
        traffic: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(self.inventory.periods))
        for demand in self.inventory.demands:
            for period in range(len(self.inventory.periods)):
                traffic[demand.site][period] += self.inventory.amounts(demand, period).traffic_mbps
        found = {}
        for name, links in self.wan.links_of.items():
            if name in hosting or name in self.wan.transit:
                continue
            usable = [min(self.wan.links[link].usable_mbps(True), self.wan.links[link].usable_mbps(False)) for link in links]
            if len(links) == 1 or not any(exceeds(max(traffic[name]), limit) for limit in usable):
                found.update(dict.fromkeys(links, name))
        return found

    def units(self) -> list[Unit]:
        """Demands, those of one affinity label at one site together; demands that never exist are left out."""
        together: dict[tuple[str, str], list[Demand]] = defaultdict(list)
        single: list[Unit] = []
        for demand in self.inventory.demands:
            if self.inventory.first_period(demand) >= len(self.inventory.periods):
                continue
            if demand.row.affinity:
                together[demand.site, demand.row.affinity].append(demand)
            else:
                single.append(Unit(demand.site, (demand,)))
        grouped = [Unit(site, tuple(members)) for (site, _), members in together.items()]
        return sorted(single + grouped, key=lambda unit: unit.demands[0].key)

    def mechanism(self, demand: Demand) -> Mechanism | str:
        """The replication mechanism of a protected demand, or why there is none."""
        name = demand.workload + "\0" + demand.row.kind + "\0" + demand.row.site
        if name not in self.mechanisms and name not in self._refused:
            chosen = choose_mechanism(demand, self.inventory.policy, self.pack, self.inventory.prices)
            if isinstance(chosen, str):
                self._refused[name] = chosen
            else:
                self.mechanisms[name] = chosen
        return self.mechanisms.get(name) or self._refused[name]

    def protection_cost(self) -> float:
        """Present value of every stream's fee."""
        total = 0.0
        for demand in self.inventory.demands:
            if not demand.is_protected:
                continue
            mechanism = self.mechanism(demand)
            if isinstance(mechanism, str):
                continue
            monthly = self.rates.stream_monthly(mechanism)
            if monthly > 0:
                factors = self.inventory.growth_factors(demand)
                total += monthly * sum(
                    self.rates.monthly_factor(period) for period, factor in enumerate(factors) if factor > 0
                )
        return total

    def classes(self) -> tuple[DemandClass, ...]:
        """Merge identical units."""
        merged: dict[tuple[object, ...], list[Unit]] = {}
        parts: dict[tuple[object, ...], DemandClass] = {}
        problems: list[str] = []
        for unit in self.units():
            described = self._describe(unit, problems)
            if described is None:
                continue
            key, part = described
            merged.setdefault(key, []).append(unit)
            parts.setdefault(key, part)
        if problems:
            raise InfeasibleInputs(problems)
        result = []
        for index, (key, units) in enumerate(merged.items()):
            part = parts[key]
            result.append(
                DemandClass(**{**part.__dict__, "index": index, "units": tuple(units)})  # same class, all members
            )
        return tuple(result)

    def _describe(self, unit: Unit, problems: list[str]) -> tuple[tuple[object, ...], DemandClass] | None:
        inventory = self.inventory
        count = len(inventory.periods)
        computes = np.zeros((len(unit.demands), count, 3))
        storage = np.zeros((count, 3))
        standby_compute, standby_storage = np.zeros((count, 3)), np.zeros((count, 3))
        traffic = np.zeros((len(unit.demands), count))
        streams = np.zeros((len(unit.demands), count))
        for number, demand in enumerate(unit.demands):
            mechanism = self.mechanism(demand) if demand.is_protected else None
            if isinstance(mechanism, str):
                problems.append(f"{demand}: {mechanism}")
                return None
            tier = TIERS.index(demand.row.tier)
            for period in range(count):
                amounts = inventory.amounts(demand, period)
                vector = (amounts.vcpu, amounts.memory_gb, amounts.gpu)
                computes[number, period] = vector
                storage[period, tier] += amounts.storage_tb
                traffic[number, period] = amounts.traffic_mbps
                if mechanism is not None:
                    standby_compute[period] += vector
                    standby_storage[period, tier] += amounts.storage_tb
                    streams[number, period] = required_mbps(
                        amounts.change_gb_per_day, demand.row.rpo_minutes or 0.0, mechanism, inventory.policy
                    )
        compute = computes.sum(axis=0)
        fault_tolerance = max(demand.row.fault_tolerance for demand in unit.demands)
        gpu_models = tuple(
            sorted({demand.row.gpu_model for demand in unit.demands if demand.row.gpus > 0 and demand.row.gpu_model})
        )
        profiles = tuple(
            self._profile(demand, computes[number], traffic[number], streams[number])
            for number, demand in enumerate(unit.demands)
        )
        eligible, standby, reasons = self._eligibility(unit)
        fits = self._fits(unit.demands)
        pairs = self._pairs(unit, eligible & fits, standby & self._fits(protected(unit.demands)), profiles)
        problem = screen_units(inventory, unit, self.slots, eligible, fits, pairs, reasons, self.router)
        if problem:
            problems.append(problem)
            return None
        if pairs is not None:
            usable = eligible & fits & pairs.any(axis=1)
        else:
            usable = eligible & fits
        attachment = self._attachment(unit.site)
        first = min(inventory.first_period(demand) for demand in unit.demands)
        key: tuple[object, ...] = (
            first,
            compute.tobytes(),
            storage.tobytes(),
            standby_compute.tobytes(),
            standby_storage.tobytes(),
            usable.tobytes(),
            None if pairs is None else pairs.tobytes(),
            tuple(
                (
                    demand.row.fault_tolerance,
                    demand.row.gpu_model if demand.row.gpus > 0 else "",
                    tuple(factor > 0 for factor in inventory.growth_factors(demand)),
                )
                for demand in unit.demands
            ),
            attachment,
            tuple(
                (
                    profile.compute.tobytes(),
                    profile.traffic_mbps.tobytes(),
                    profile.stream_mbps.tobytes(),
                    profile.reaches.tobytes(),
                    profile.user_down.tobytes(),
                    profile.is_protected,
                )
                for profile in profiles
            ),
        )
        part = DemandClass(
            index=-1,
            units=(unit,),
            first_period=first,
            compute=compute,
            storage=storage,
            standby_compute=standby_compute,
            standby_storage=standby_storage,
            eligible=usable,
            pairs=pairs,
            fault_tolerance=fault_tolerance,
            gpu_models=gpu_models,
            attachment=attachment,
            is_at_host=unit.site in self.host_names,
            profiles=profiles,
        )
        return key, part

    def _fits(self, demands: Sequence[Demand]) -> Booleans:
        """Slots with archetypes that do for `demands` in every period."""
        return np.array([fits_throughout(self.inventory, demands, slot) for slot in self.slots], dtype=bool)

    def _eligibility(self, unit: Unit) -> tuple[Booleans, Booleans, list[tuple[Demand, str, Reason]]]:
        """Slots where the unit may run and may stand by, with the reason of every refusal."""
        primary = np.ones(len(self.slots), dtype=bool)
        standby = np.ones(len(self.slots), dtype=bool)
        reasons: list[tuple[Demand, str, Reason]] = []
        for demand in unit.demands:
            for site in self.host_names:
                at_site = np.array([name == site for name in self.slot_sites], dtype=bool)
                reason = eligible_site_reason(self.inventory, self.router, demand, site)
                if reason is not None:
                    primary &= ~at_site
                    reasons.append((demand, site, reason))
                if demand.is_protected and eligible_standby_reason(self.inventory, demand, site) is not None:
                    standby &= ~at_site
            primary &= self._pinned(demand, "assign")
            if demand.is_protected:
                standby &= self._pinned(demand, "standby")
        return primary, standby, reasons

    def _pinned(self, demand: Demand, decision: PinDecision) -> Booleans:
        """Slots that the pins of a demand leave."""
        allowed = np.ones(len(self.slots), dtype=bool)
        for pin in pins_on(self.inventory.pins, decision, demand):
            allowed &= np.array([is_at(pin, slot.cluster, slot.site) for slot in self.slots], dtype=bool)
        return allowed

    def _profile(self, demand: Demand, compute: Floats, traffic: Floats, stream: Floats) -> Profile:
        own = self._own_rtts(demand.site)
        limit = demand.row.max_rtt_ms
        if limit is None:
            reaches = np.isfinite(own)
        else:
            longest = limit * self.inventory.policy.failure_rtt_factor
            reaches = own <= longest + TOLERANCE * max(1.0, longest)
        return Profile(
            compute=compute,
            traffic_mbps=traffic,
            stream_mbps=stream,
            reaches=reaches[:, self.site_of_slot] & ~self.slot_down,
            user_down=np.array([demand.site in state.sites for state in self.states], dtype=bool),
            is_protected=demand.is_protected,
        )

    def _attachment(self, site: str) -> int:
        """Sites that enter the WAN alike – by the same neighbor in every state, whatever the host – are one attachment."""
        links = self.wan.links_of[site]
        is_simple = all(link in self.access_links for link in links)
        key: object = self._routes_of(site)[1].tobytes() if is_simple else site
        if key not in self._attachment_index:
            self._attachment_index[key] = len(self._attachment_index)
            self.attachments = (*self.attachments, site)
        return self._attachment_index[key]

    def _own_rtts(self, site: str) -> Floats:
        return self._routes_of(site)[0]

    def _routes_of(self, site: str) -> tuple[Floats, Integers]:
        """Round trips [ms] to every host in every core state, infinite where there is no way; and by which neighbor.

        The neighbors have one more row, the first, for the normal state.
        """
        known = self._routes.get(site)
        if known is not None:
            return known
        shape = (len(self.states), len(self.host_names))
        normal = [self._entry(site, host, NORMAL) for host in self.host_names]
        rtts = np.tile(np.array([rtt for rtt, _ in normal]), (shape[0], 1)).reshape(shape)
        neighbors = np.tile(np.array([entry for _, entry in normal], dtype=np.int64), (shape[0] + 1, 1))
        for row, state in enumerate(self.states):
            if site in state.sites:
                rtts[row], neighbors[row + 1] = np.inf, -1
                continue
            for column, host in enumerate(self.host_names):
                if self._host_down[row, column]:
                    rtts[row, column], neighbors[row + 1, column] = np.inf, -1
                elif site in self._changed[row][column]:
                    rtts[row, column], neighbors[row + 1, column] = self._entry(site, host, state)
        self._routes[site] = (rtts, neighbors)
        return self._routes[site]

    def _entry(self, site: str, host: str, state: FailureState) -> tuple[float, int]:
        """Round trip and the neighbor by which the route leaves `site`; (infinite, −1) where there is none."""
        route = self.router.route(site, host, state)
        if route is None:
            return np.inf, -1
        if not route.hops:
            return 0.0, -2
        return route.rtt_ms, self._site_index[self.wan.links[route.links[0]].other_end(site)]

    def _pairs(
        self, unit: Unit, eligible: Booleans, standby: Booleans, profiles: Sequence[Profile]
    ) -> Booleans | None:
        """[primary, standby] that no rule forbids, or None for an unprotected unit."""
        protected = [demand for demand in unit.demands if demand.is_protected]
        if not protected:
            return None
        allowed = eligible[:, None] & standby[None, :]
        for demand in protected:
            mechanism = self.mechanism(demand)
            if not isinstance(mechanism, str):
                allowed &= self._mechanism_pairs(mechanism)
        for profile in profiles:
            if profile.is_protected:
                allowed &= ~self._unreachable(profile)
        return allowed

    def _mechanism_pairs(self, mechanism: Mechanism) -> Booleans:
        known = self._pair_reasons.get(mechanism.name)
        if known is None:
            sites = np.array(
                [
                    [
                        pair_reason(self.inventory, self.router, mechanism, primary, standby) is None
                        for standby in self.host_names
                    ]
                    for primary in self.host_names
                ],
                dtype=bool,
            ).reshape(len(self.host_names), len(self.host_names))
            known = sites[np.ix_(self.site_of_slot, self.site_of_slot)]
            self._pair_reasons[mechanism.name] = known
        return known

    def _unreachable(self, profile: Profile) -> Booleans:
        """[primary, standby] with a site, cluster or domain failure that moves users to where they cannot reach."""
        hard = self.hard
        up = ~profile.user_down[hard][:, None]
        must_move = up & ~profile.reaches[hard]
        no_way = ~profile.reaches[hard]
        return (must_move.astype(np.int32).T @ no_way.astype(np.int32)) > 0

