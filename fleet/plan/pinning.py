"""What pins say: which demand, cluster or link each concerns, and what it asks for."""

from __future__ import annotations

from collections.abc import Iterable

from fleet.inventory.inventory import Demand
from fleet.inventory.tables.pins import Pin, PinDecision

#: Decisions about where demands and their standby copies are.
PLACING: tuple[PinDecision, ...] = ("assign", "standby", "forbid")


def concerns(pin: Pin, demand: Demand) -> bool:
    """Whether a pin on demands (assign, standby, forbid) names `demand`; blank workload or site means all."""
    return pin.workload in ("", demand.workload) and pin.site in ("", demand.site)


def pins_on(pins: Iterable[Pin], decision: PinDecision, demand: Demand) -> tuple[Pin, ...]:
    """The pins of one decision that concern `demand`."""
    return tuple(pin for pin in pins if pin.decision == decision and concerns(pin, demand))


def is_at(pin: Pin, cluster: str, site: str) -> bool:
    """Whether the target of an assign, standby or forbid pin is this cluster or its site."""
    return pin.value in (cluster, site)


def first_period(pin: Pin) -> int:
    """The period from which a pin holds; the first where it names none."""
    return pin.period or 0


def sizes(pin: Pin, cluster: str, site: str) -> bool:
    """Whether a node_model or nodes pin concerns this cluster."""
    return pin.cluster == cluster if pin.cluster else pin.site == site


def in_words(pin: Pin) -> str:
    """A pin as a planner knows it again: what it decides, about what, since when, and why."""
    what = " ".join(text for text in (pin.workload, pin.cluster or pin.site, pin.link, pin.value) if text)
    since = "" if pin.period is None else f" from period {pin.period}"
    why = ", ".join(text for text in (pin.reason, pin.owner) if text)
    return f"pin {pin.decision} {what}{since}" + (f" ({why})" if why else "")


def wanted_nodes(pin: Pin) -> int | None:
    """The node count that a nodes pin asks for at least; None where it is no whole number."""
    try:
        return int(pin.value)
    except ValueError:
        return None


def wants_upgrade(pin: Pin) -> bool:
    """Whether a link_upgrade pin asks for the upgrade (yes, also where blank) or forbids it."""
    return pin.value.strip().lower() not in ("no", "n", "false", "0")
