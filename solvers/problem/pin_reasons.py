"""Pins that leave a demand without a place: which ones they are, and why, before anything is solved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.pins import Pin
from fleet.plan.pinning import PLACING, concerns, in_words
from fleet.plan.placement import eligible_site_reason
from fleet.wan.routing import Router
from solvers.problem.infeasible_inputs import rounded_up
from solvers.problem.sets import Slot, Unit

#: Whether a unit has somewhere to run and to stand by in an inventory.
HasPlace = Callable[[Inventory, Unit], bool]


@dataclass(frozen=True)
class PinReasons:
    """Tells which pins leave a unit nowhere to run or to stand by, and what would do."""

    inventory: Inventory
    router: Router
    slots: tuple[Slot, ...]
    has_place: HasPlace

    def reason(self, unit: Unit) -> str:
        """Why pins leave a unit without a place; empty where it has none without them either."""
        pins = [pin for pin in self.inventory.pins if pin.decision in PLACING]
        own = [pin for pin in pins if any(concerns(pin, demand) for demand in unit.demands)]
        if not own or not self._has_place_without(unit, own):
            return ""
        blamed = [pin for pin in own if self._has_place_without(unit, [pin])][:1] or own
        names = " and ".join(in_words(pin) for pin in blamed)
        leave = "leaves" if len(blamed) == 1 else "together leave"
        why, remedy = self._refusal(unit, blamed)
        them = "it" if len(blamed) == 1 else "one"
        return f"{names} {leave} it no place to run or to stand by{why} – take {them} back{remedy}"

    def _has_place_without(self, unit: Unit, pins: Sequence[Pin]) -> bool:
        """Whether a unit has somewhere to run and to stand by once some pins are taken back."""
        others = tuple(pin for pin in self.inventory.pins if pin not in pins)
        return self.has_place(replace(self.inventory, pins=others), unit)

    def _refusal(self, unit: Unit, pins: Sequence[Pin]) -> tuple[str, str]:
        """Why a unit may not run where pins put it, and what else than taking them back would do."""
        targets = [pin.value for pin in pins if pin.decision == "assign"]
        sites = {slot.site for slot in self.slots if slot.cluster in targets or slot.site in targets}
        for demand in unit.demands:
            for site in sorted(sites):
                reason = eligible_site_reason(self.inventory, self.router, demand, site)
                if reason is None:
                    continue
                is_far = reason.rule == "NET-001" and reason.actual is not None
                enough = f", or set max_rtt_ms of {demand.workload!r} to at least {rounded_up(reason.actual or 0.0):g}"
                return f": {reason.message}", enough if is_far else ""
        return "", ""
