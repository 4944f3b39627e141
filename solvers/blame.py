"""Pins that leave a demand without a place: which ones they are, and why, before anything is solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fleet.inventory.pins import Pin
from fleet.plan.pinning import PLACING, concerns, in_words
from fleet.plan.placement import eligible_site_reason
from solvers.problem import Unit
from solvers.screens import rounded_up

if TYPE_CHECKING:
    from solvers.classes import ClassBuilder


def pin_to_blame(builder: ClassBuilder, unit: Unit) -> str:
    """Which pins leave a unit nowhere to run or to stand by, and what would do; empty where it has no place without."""
    pins = [pin for pin in builder.inventory.pins if pin.decision in PLACING]
    own = [pin for pin in pins if any(concerns(pin, demand) for demand in unit.demands)]
    if not own or not _has_place_without(builder, unit, own):
        return ""
    blamed = [pin for pin in own if _has_place_without(builder, unit, [pin])][:1] or own
    names = " and ".join(in_words(pin) for pin in blamed)
    leave = "leaves" if len(blamed) == 1 else "together leave"
    why, remedy = _refusal(builder, unit, blamed)
    them = "it" if len(blamed) == 1 else "one"
    return f"{names} {leave} it no place to run or to stand by{why} – take {them} back{remedy}"


def _has_place_without(builder: ClassBuilder, unit: Unit, pins: Sequence[Pin]) -> bool:
    """Whether a unit has somewhere to run and to stand by once some pins are taken back."""
    others = tuple(pin for pin in builder.inventory.pins if pin not in pins)
    inventory = replace(builder.inventory, pins=others)
    return type(builder)(inventory, builder.pack, builder.router, builder.slots, builder.routes).has_place(unit)


def _refusal(builder: ClassBuilder, unit: Unit, pins: Sequence[Pin]) -> tuple[str, str]:
    """Why a unit may not run where pins put it, and what else than taking them back would do."""
    targets = [pin.value for pin in pins if pin.decision == "assign"]
    sites = {slot.site for slot in builder.slots if slot.cluster in targets or slot.site in targets}
    for demand in unit.demands:
        for site in sorted(sites):
            reason = eligible_site_reason(builder.inventory, builder.router, demand, site)
            if reason is None:
                continue
            is_far = reason.rule == "NET-001" and reason.actual is not None
            enough = f", or set max_rtt_ms of {demand.workload!r} to at least {rounded_up(reason.actual or 0.0):g}"
            return f": {reason.message}", enough if is_far else ""
    return "", ""
