"""Demand classes: units that no row of the model can tell apart, with the slots and pairs that the rules leave them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fleet.inventory.inventory import Demand, Inventory
from fleet.inventory.pins import PinDecision
from fleet.inventory.workloads import TIERS, Workload
from fleet.plan.costs import Rates
from fleet.plan.pinning import is_at, pins_on
from fleet.plan.placement import Reason, eligible_site_reason, eligible_standby_reason, pair_reason
from fleet.platform.instances import instance_refusals, node_offer
from fleet.rulepack import RulePack
from fleet.wan.replication import Mechanism, choose_mechanism, required_mbps
from fleet.wan.routing import Router
from solvers.linear import Floats
from solvers.partners import too_far, too_thin
from solvers.problem import Booleans, DemandClass, Profile, Slot, Unit
from solvers.routes import RouteTable
from solvers.screens import InfeasibleInputsError, screen_unit
from solvers.slots import fits_throughout, protected


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
        self._offers = [node_offer(model, pack) for model in inventory.hardware]
        self._refusing: dict[int, tuple[str, ...]] = {}
        self._pair_reasons: dict[str, Booleans] = {}

    def classes(self) -> tuple[DemandClass, ...]:
        """Merge identical units.

        Raises
        ------
        InfeasibleInputsError
            If a unit has nowhere to run or to stand by.
        """
        merged: dict[tuple[object, ...], list[Unit]] = {}
        parts: dict[tuple[object, ...], DemandClass] = {}
        blocked: list[tuple[Unit, str]] = []
        for unit in self.units():
            described = self._describe(unit, blocked)
            if described is None:
                continue
            key, part = described
            merged.setdefault(key, []).append(unit)
            parts.setdefault(key, part)
        if blocked:
            raise InfeasibleInputsError(
                [f"{unit}: {reason}" for unit, reason in blocked],
                {demand.key: reason for unit, reason in blocked for demand in unit.demands},
            )
        return tuple(
            replace(parts[key], index=index, units=tuple(units)) for index, (key, units) in enumerate(merged.items())
        )

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

    def protection_cost(self, rates: Rates) -> float:
        """Present value of every stream's fee."""
        total = 0.0
        for demand in self.inventory.demands:
            if not demand.is_protected:
                continue
            mechanism = self.mechanism(demand)
            if isinstance(mechanism, str):
                continue
            monthly = rates.stream_monthly(mechanism)
            if monthly > 0:
                factors = self.inventory.growth_factors(demand)
                total += monthly * sum(
                    rates.monthly_factor(period) for period, factor in enumerate(factors) if factor > 0
                )
        return total

    def _describe(self, unit: Unit, blocked: list[tuple[Unit, str]]) -> tuple[tuple[object, ...], DemandClass] | None:
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
                blocked.append((unit, mechanism if len(unit.demands) == 1 else f"{demand}: {mechanism}"))
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
        profiles = tuple(
            self._profile(demand, computes[number], traffic[number], streams[number])
            for number, demand in enumerate(unit.demands)
        )
        eligible, standby, reasons = self._eligibility(unit)
        fits = self._fits(unit.demands)
        pairs = self._pairs(unit, eligible & fits, standby & self._fits(protected(unit.demands)), profiles)
        problem = screen_unit(inventory, unit, self.slots, eligible, fits, pairs, reasons)
        if pairs is not None and (eligible & fits).any():
            problem = self._no_partner(unit, eligible & fits, standby, pairs, profiles) or problem
        if problem:
            blocked.append((unit, problem))
            return None
        usable = eligible & fits if pairs is None else eligible & fits & pairs.any(axis=1)
        attachment = self.routes.attachment(unit.site)
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
                    demand.row.zone_tolerance,
                    (demand.row.tier, demand.row.resiliency) if demand.row.resiliency else (),
                    demand.row.gpu_model if demand.row.gpus > 0 else "",
                    self._refusing_models(demand.row),
                    inventory.machines(demand),
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
            attachment=attachment,
            is_at_host=unit.site in self.routes.host_names,
            profiles=profiles,
        )
        return key, part

    def _refusing_models(self, row: Workload) -> tuple[str, ...]:
        """The node models on which no instance of a workload can run."""
        known = self._refusing.get(id(row))
        if known is None:
            known = tuple(offer.node_model for offer in self._offers if any(instance_refusals(row, offer)))
            self._refusing[id(row)] = known
        return known

    def _fits(self, demands: Sequence[Demand]) -> Booleans:
        """Slots with archetypes that do for `demands` in every period."""
        return np.array([fits_throughout(self.inventory, demands, slot) for slot in self.slots], dtype=bool)

    def _eligibility(self, unit: Unit) -> tuple[Booleans, Booleans, list[tuple[Demand, str, Reason]]]:
        """Slots where the unit may run and may stand by, with the reason of every refusal."""
        primary = np.ones(len(self.slots), dtype=bool)
        standby = np.ones(len(self.slots), dtype=bool)
        reasons: list[tuple[Demand, str, Reason]] = []
        for demand in unit.demands:
            for site in self.routes.host_names:
                at_site = np.array([name == site for name in self.routes.slot_sites], dtype=bool)
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
        return Profile(
            compute=compute,
            traffic_mbps=traffic,
            stream_mbps=stream,
            reaches=self.routes.reaches(demand),
            user_down=self.routes.user_down(demand.site),
            is_protected=demand.is_protected,
        )

    def _pairs(self, unit: Unit, eligible: Booleans, standby: Booleans, profiles: Sequence[Profile]) -> Booleans | None:
        """[primary, standby] that no rule forbids, or None for an unprotected unit."""
        copied = protected(unit.demands)
        if not copied:
            return None
        allowed = eligible[:, None] & standby[None, :]
        for demand in copied:
            mechanism = self.mechanism(demand)
            if not isinstance(mechanism, str):
                allowed &= self._mechanism_pairs(mechanism)
        for profile in profiles:
            if profile.is_protected:
                allowed &= ~self.routes.cut_off(profile.reaches, profile.user_down)
        return allowed

    def _no_partner(
        self, unit: Unit, eligible: Booleans, standby: Booleans, pairs: Booleans, profiles: Sequence[Profile]
    ) -> str:
        """Why the standby of a unit is too far from every primary, or no path carries it; empty where neither."""
        names = self.routes.slot_sites
        for demand, profile in zip(unit.demands, profiles, strict=True):
            mechanism = self.mechanism(demand) if demand.is_protected else ""
            if isinstance(mechanism, str):
                continue
            if pairs.any():
                allowed = ((names[first], names[second]) for first, second in np.argwhere(pairs).tolist())
                text = too_thin(self.router, demand, float(profile.stream_mbps.max(initial=0.0)), allowed)
            else:
                primaries, standbys = (
                    sorted({names[slot] for slot in np.flatnonzero(mask).tolist()}) for mask in (eligible, standby)
                )
                text = too_far(self.inventory, self.pack, self.router, demand, mechanism, primaries, standbys)
            if text:
                return f"no pair of candidate sites can hold it and its standby. {text}"
        return ""

    def _mechanism_pairs(self, mechanism: Mechanism) -> Booleans:
        known = self._pair_reasons.get(mechanism.name)
        if known is None:
            sites = np.array(
                [
                    [
                        pair_reason(self.inventory, self.router, mechanism, primary, standby) is None
                        for standby in self.routes.host_names
                    ]
                    for primary in self.routes.host_names
                ],
                dtype=bool,
            ).reshape(len(self.routes.host_names), len(self.routes.host_names))
            known = sites[np.ix_(self.routes.site_of_slot, self.routes.site_of_slot)]
            self._pair_reasons[mechanism.name] = known
        return known
