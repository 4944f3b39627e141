"""Demand classes: units that no row of the model can tell apart, with the slots and pairs that the rules leave them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fleet.inventory.inventory import Demand, Inventory
from fleet.inventory.tables.pins import PinDecision
from fleet.inventory.tables.workloads import TIERS
from fleet.plan.costs import Rates
from fleet.plan.pinning import is_at, pins_on
from fleet.plan.placement import (
    Reason,
    cloud_host_reason,
    cloud_reason,
    cloud_users_reason,
    eligible_site_reason,
    eligible_standby_reason,
    pair_reason,
)
from fleet.rulepack import RulePack
from fleet.tolerances import LIMIT_TOLERANCE
from fleet.wan.replication import Mechanism, choose_mechanism
from fleet.wan.routing import Router
from solvers.linear.interned import Interned
from solvers.problem.amounts import Amounts, AmountsByRow
from solvers.problem.infeasible_inputs import InfeasibleInputsError, screen_unit
from solvers.problem.instances import InstancesOfDemands
from solvers.problem.pin_reasons import PinReasons
from solvers.problem.routes import RouteTable
from solvers.problem.sets import Booleans, DemandClass, Profile, Slot, Unit
from solvers.problem.slots import fits_throughout, protected
from solvers.problem.standby_reasons import PartnerScreen
from solvers.problem.stream_cuts import StreamCuts


class ClassBuilder:
    """The steps from demands to classes that share look-ups.

    Attributes
    ----------
    mechanisms : dict
        Replication mechanism by workload row, as far as met.
    """

    def __init__(
        self, inventory: Inventory, pack: RulePack, router: Router, slots: tuple[Slot, ...], routes: RouteTable
    ) -> None:
        self.inventory, self.pack, self.router, self.slots, self.routes = inventory, pack, router, slots, routes
        self.mechanisms: dict[str, Mechanism] = {}
        self._refused: dict[str, str] = {}
        self._instances = InstancesOfDemands(inventory, pack)
        self._pair_reasons: dict[str, Booleans] = {}
        self._amounts = AmountsByRow(inventory)
        self._fitting: dict[tuple[object, ...], Booleans] = {}
        self._allowed: dict[tuple[object, ...], Booleans] = {}
        self._partners = PartnerScreen(inventory, pack, router, routes.names_of_group)
        self._streams = StreamCuts(router, routes) if inventory.policy.stream_cut == "hard" else None
        self._kept = Interned()
        self.host_index = {name: index for index, name in enumerate(routes.host_names)}

    def classes(self) -> tuple[DemandClass, ...]:
        """Merge identical units.

        Raises
        ------
        InfeasibleInputsError
            If a unit has nowhere to run or to stand by.
        """
        merged: dict[tuple[object, ...], list[Unit]] = {}
        class_of_key: dict[tuple[object, ...], DemandClass] = {}
        blocked: list[tuple[Unit, str]] = []
        for unit in self.units():
            described = self._describe(unit, blocked)
            if described is None:
                continue
            key, demand_class = described
            merged.setdefault(key, []).append(unit)
            class_of_key.setdefault(key, demand_class)
        if blocked:
            pins = PinReasons(self.inventory, self.router, self.slots, self._has_place_in)
            blocked = [(unit, pins.reason(unit) or reason) for unit, reason in blocked]
            raise InfeasibleInputsError(
                [f"{unit}: {reason}" for unit, reason in blocked],
                {demand.key: reason for unit, reason in blocked for demand in unit.demands},
            )
        return tuple(
            replace(class_of_key[key], index=index, units=tuple(units))
            for index, (key, units) in enumerate(merged.items())
        )

    def _has_place_in(self, inventory: Inventory, unit: Unit) -> bool:
        """Whether a unit has a place where the planner states something else."""
        return ClassBuilder(inventory, self.pack, self.router, self.slots, self.routes).has_place(unit)

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
        single += [Unit(site, tuple(members)) for (site, _), members in together.items()]
        return sorted(single, key=lambda unit: unit.demands[0].key)

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

    def protection_cost(self, rates: Rates) -> float:
        """Present value of the fees of every copy, on standby clusters and in the cloud."""
        total = 0.0
        for demand in self.inventory.demands:
            if not demand.is_protected:
                continue
            mechanism = self.mechanism(demand)
            if isinstance(mechanism, str):
                continue
            total += sum(
                rates.protection_monthly(demand, mechanism, period) * rates.monthly_factor(period)
                for period in range(len(self.inventory.periods))
            )
        return total

    def _describe(self, unit: Unit, blocked: list[tuple[Unit, str]]) -> tuple[tuple[object, ...], DemandClass] | None:
        count = len(self.inventory.periods)
        computes = np.zeros((len(unit.demands), count, 3))
        storage, standby_storage, upload = np.zeros((count, 3)), np.zeros((count, 3)), np.zeros(count)
        profiles = []
        for number, demand in enumerate(unit.demands):
            mechanism = self.mechanism(demand) if demand.is_protected else None
            reason = cloud_reason(self.inventory, demand)
            mechanism = mechanism if reason is None else str(reason)
            if isinstance(mechanism, str):
                blocked.append((unit, mechanism if len(unit.demands) == 1 else f"{demand}: {mechanism}"))
                return None
            amounts = self._amounts.of(demand, mechanism)
            computes[number] = amounts.compute
            storage[:, TIERS.index(demand.row.tier)] += amounts.storage_tb
            if demand.has_standby:
                standby_storage[:, TIERS.index(demand.row.tier)] += amounts.storage_tb
            elif demand.recovers_in_cloud:
                upload += amounts.stream_mbps
            profiles.append(self._profile(demand, amounts))
        compute = computes.sum(axis=0)
        copied = [number for number, demand in enumerate(unit.demands) if demand.has_standby]
        standby_compute = computes[copied].sum(axis=0)
        eligible, standby = self._eligibility(unit)
        fits = self._fits(unit.demands)
        pairs = self._pairs(unit, eligible & fits, standby & self._fits(protected(unit.demands)), profiles)
        usable = eligible & fits if pairs is None else eligible & fits & pairs.any(axis=1)
        screened = self.inventory, unit, self.slots, eligible, fits, pairs
        problem = None if usable.any() else screen_unit(*screened, [] if eligible.any() else self._reasons(unit))
        if pairs is not None and (eligible & fits).any():
            problem = self._no_partner(unit, eligible & fits, standby, self._kept(pairs), profiles) or problem
        if problem:
            blocked.append((unit, problem))
            return None
        attachment = self.routes.attachment(unit.site)
        first = min(self.inventory.first_period(demand) for demand in unit.demands)
        demand_class = DemandClass(
            index=-1,
            units=(unit,),
            first_period=first,
            compute=compute,
            storage=storage,
            standby_compute=standby_compute,
            standby_storage=standby_storage,
            upload_mbps=upload,
            group_eligible=self._kept(usable),
            group_pairs=None if pairs is None else self._kept(pairs),
            attachment=attachment,
            is_at_host=unit.site in self.host_index,
            profiles=tuple(profiles),
            view=self.routes.view,
            asks=self._asks(unit.demands),
            instances=tuple(map(self._instances.of, unit.demands)),
        )
        return self._key(demand_class), demand_class

    @staticmethod
    def _key(demand_class: DemandClass) -> tuple[object, ...]:
        """What tells classes apart."""
        return (
            demand_class.first_period,
            demand_class.compute.tobytes(),
            demand_class.storage.tobytes(),
            demand_class.standby_compute.tobytes(),
            demand_class.standby_storage.tobytes(),
            demand_class.upload_mbps.tobytes(),
            demand_class.instances,
            id(demand_class.group_eligible),
            id(demand_class.group_pairs),
            demand_class.asks,
            demand_class.attachment,
            tuple(
                (
                    profile.compute.tobytes(),
                    profile.traffic_mbps.tobytes(),
                    profile.stream_mbps.tobytes(),
                    profile.backup_mbps.tobytes(),
                    profile.backup_site,
                    profile.leaves_when_cut,
                    id(profile.host_reach),
                    id(profile.user_down),
                    profile.is_protected,
                )
                for profile in demand_class.profiles
            ),
        )

    def _asks(self, demands: Sequence[Demand]) -> tuple[object, ...]:
        """What demands ask of node models and archetypes, and when."""
        return tuple(
            (
                demand.row.fault_tolerance,
                demand.row.zone_tolerance,
                (demand.row.tier, demand.row.resiliency) if demand.row.resiliency else (),
                demand.row.gpu_model if demand.row.gpus > 0 else "",
                self._instances.refusing(demand.row),
                self._instances.full(demand),
                self.inventory.machines(demand),
            )
            for demand in demands
        )

    def _fits(self, demands: Sequence[Demand]) -> Booleans:
        """Groups of slots with archetypes that do for `demands` in every period."""
        key = self._asks(demands)
        if key not in self._fitting:
            firsts = [self.slots[group[0]] for group in self.routes.groups]
            alike = {id(slot.segments): slot for slot in firsts}
            by_runs = {segments: fits_throughout(self.inventory, demands, slot) for segments, slot in alike.items()}
            self._fitting[key] = np.array([by_runs[id(slot.segments)] for slot in firsts], dtype=bool)
        return self._fitting[key]

    def _eligibility(self, unit: Unit) -> tuple[Booleans, Booleans]:
        """Groups of slots where the unit may run and may stand by."""
        primary = np.ones(len(self.routes.groups), dtype=bool)
        standby = np.ones(len(self.routes.groups), dtype=bool)
        for demand in unit.demands:
            allowed = self._allowed_hosts(demand)
            hosts = allowed & self._near_hosts(demand) & self._own_hosts(demand) & self._online_hosts(demand)
            hosts &= self.routes.is_possible(demand.site)
            primary &= hosts[self.routes.host_of_group] & self._pinned(demand, "assign")
            if demand.has_standby:
                standby &= allowed[self.routes.host_of_group] & self._pinned(demand, "standby")
        return primary, standby

    def _allowed_hosts(self, demand: Demand) -> Booleans:
        """Candidate sites that residency and pins leave for a demand and its standby."""
        inventory = self.inventory
        user = inventory.site(demand.site)
        forbidden = tuple(sorted(pin.value for pin in pins_on(inventory.pins, "forbid", demand)))
        key = (tuple(demand.row.residency), user.country, user.region, forbidden)
        if key not in self._allowed:
            reasons = [eligible_standby_reason(inventory, demand, site) for site in self.routes.host_names]
            self._allowed[key] = np.array([reason is None for reason in reasons], dtype=bool)
        return self._allowed[key]

    def _near_hosts(self, demand: Demand) -> Booleans:
        """Candidate sites that the users of a demand reach in time."""
        rtts, limit = self.routes.normal_rtts(demand.site), demand.row.max_rtt_ms
        near = np.isfinite(rtts) if limit is None else rtts <= limit + LIMIT_TOLERANCE * max(1.0, abs(limit))
        return np.asarray(near, dtype=bool)

    def _own_hosts(self, demand: Demand) -> Booleans:
        """Every candidate site, or only the own one of a demand that has to run there."""
        is_local = demand.row.placement == "local"
        return np.array([not is_local or name == demand.site for name in self.routes.host_names], dtype=bool)

    def _online_hosts(self, demand: Demand) -> Booleans:
        """Candidate sites from which a demand is copied into the cloud, where it asks for that."""
        hosts = self.routes.host_names
        return np.array([cloud_host_reason(self.inventory, demand, site) is None for site in hosts], dtype=bool)

    def _reasons(self, unit: Unit) -> list[tuple[Demand, str, Reason]]:
        """Why the unit may not run at each candidate site."""
        found = [
            (demand, site, eligible_site_reason(self.inventory, self.router, demand, site))
            for demand in unit.demands
            for site in self.routes.host_names
        ]
        return [(demand, site, reason) for demand, site, reason in found if reason is not None]

    def _pinned(self, demand: Demand, decision: PinDecision) -> Booleans:
        """Groups of slots that the pins of a demand leave; slots that pins tell apart are not in one group."""
        allowed = np.ones(len(self.routes.groups), dtype=bool)
        for pin in pins_on(self.inventory.pins, decision, demand):
            firsts = [self.slots[group[0]] for group in self.routes.groups]
            allowed &= np.array([is_at(pin, slot.cluster, slot.site) for slot in firsts], dtype=bool)
        return allowed

    def has_place(self, unit: Unit) -> bool:
        """Whether a unit has somewhere to run and to stand by."""
        return self._describe(unit, []) is not None

    def _profile(self, demand: Demand, amounts: Amounts) -> Profile:
        return Profile(
            compute=amounts.compute,
            traffic_mbps=amounts.traffic_mbps,
            stream_mbps=amounts.stream_mbps * demand.has_standby,
            backup_mbps=amounts.backup_mbps,
            backup_site=demand.row.backup_site if demand.row.sends_backups else "",
            leaves_when_cut=demand.recovers_in_cloud and cloud_users_reason(self.inventory, demand) is None,
            host_reach=self.routes.host_reach(demand),
            user_down=self.routes.user_down(demand.site),
            is_protected=demand.has_standby,
            view=self.routes.view,
        )

    def _pairs(
        self, unit: Unit, eligible: Booleans, standby: Booleans, profiles: Sequence[Profile], with_cuts: bool = True
    ) -> Booleans | None:
        """[primary, standby group] that no rule forbids, or None for an unprotected unit.

        Without `with_cuts`, pairs whose copies a single failure stops count as allowed whatever the policy says.
        """
        if not protected(unit.demands):
            return None
        allowed = eligible[:, None] & standby[None, :]
        for demand, profile in zip(unit.demands, profiles, strict=True):
            mechanism = self.mechanism(demand) if profile.is_protected else ""
            if isinstance(mechanism, str):
                continue
            allowed &= self._mechanism_pairs(mechanism)
            allowed &= ~self.routes.cut_off(profile.host_reach, profile.user_down)
            if with_cuts and self._streams is not None:
                allowed &= ~self._streams.pairs(mechanism.max_rtt_ms)
        return allowed

    def _no_partner(
        self, unit: Unit, eligible: Booleans, standby: Booleans, pairs: Booleans, profiles: Sequence[Profile]
    ) -> str:
        """Why the standby of a unit is too far from every primary, or no path carries it; empty where neither."""
        copies = []
        for demand, profile in zip(unit.demands, profiles, strict=True):
            mechanism = self.mechanism(demand) if demand.has_standby else ""
            if not isinstance(mechanism, str):
                copies.append((demand, mechanism, float(profile.stream_mbps.max(initial=0.0))))
        text = self._partners.reason(copies, eligible, standby, pairs)
        if not text and self._streams is not None and not pairs.any():
            before = self._pairs(unit, eligible, standby, profiles, with_cuts=False)
            for demand, kept_by, _ in copies:
                text = text or ("" if before is None else self._streams.reason(demand, kept_by.max_rtt_ms, before))
        return text and f"no pair of candidate sites can hold it and its standby. {text}"

    def _mechanism_pairs(self, mechanism: Mechanism) -> Booleans:
        known = self._pair_reasons.get(mechanism.name)
        if known is None:
            hosts = self.routes.host_names
            sites = np.array(
                [
                    [pair_reason(self.inventory, self.router, mechanism, first, second) is None for second in hosts]
                    for first in hosts
                ],
                dtype=bool,
            ).reshape(len(hosts), len(hosts))
            known = sites[np.ix_(self.routes.host_of_group, self.routes.host_of_group)]
            self._pair_reasons[mechanism.name] = known
        return known
