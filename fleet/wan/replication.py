"""Replication between a primary and its standby or the cloud: mechanism, bandwidth, recovery point.

The mechanisms and their limits are facts of the rule pack. An interval mechanism ships the changes of each interval
before the recovery point runs out; a synchronous one (interval 0) ships every write as it happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from fleet.errors import FleetError
from fleet.inventory.inventory import Demand
from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.prices import Price
from fleet.rulepack import RulePack

MINUTES_PER_DAY = 1440.0
SECONDS_PER_DAY = 86_400.0
SECONDS_PER_HOUR = 3600.0
#: How people read where a copy in the cloud is.
CLOUD = "the cloud"
#: A decimal gigabyte in megabits.
MEGABITS_PER_GB = 8000.0


@dataclass(frozen=True, slots=True)
class RecoveryPhases:
    """Where the time of a recovery goes [minutes]: noticing, deciding, starting machines, starting applications."""

    detection_minutes: float
    decision_minutes: float
    restart_minutes: float
    application_minutes: float


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One way to keep a standby copy.

    Attributes
    ----------
    name : str
        Its name in the rule pack.
    interval_minutes : float
        Time between copies [minutes]; 0 = synchronous.
    max_rtt_ms : float or None
        Longest round trip between primary and standby [ms]; None = no limit.
    rto_minutes : float
        Recovery time to expect [minutes].
    fee_item : str
        Item of the price book that each stream pays; empty = no fee.
    is_automatic : bool
        Whether it fails over without an operator.
    window_minutes : float or None
        Time of each interval in which its copy may be shipped [minutes], such as a night's; None = all of it.
    phases : RecoveryPhases or None
        How the recovery time splits; None where the rule pack does not say.
    is_cloud : bool
        Whether it copies to the cloud, over the internet access of the primary's site, and needs no standby cluster.
    """

    name: str
    interval_minutes: float
    max_rtt_ms: float | None
    rto_minutes: float
    fee_item: str = ""
    is_automatic: bool = False
    window_minutes: float | None = None
    phases: RecoveryPhases | None = None
    is_cloud: bool = False

    @property
    def shipping_minutes(self) -> float:
        """Time in which the copy of an interval must be shipped, so that the next one finds the way free [minutes]."""
        return self.interval_minutes if self.window_minutes is None else self.window_minutes

    @property
    def is_synchronous(self) -> bool:
        """Whether no committed write is ever lost."""
        return self.interval_minutes == 0


def mechanisms(pack: RulePack) -> tuple[Mechanism, ...]:
    """The mechanisms of a rule pack, in order of interval, then name."""
    found = (
        Mechanism(
            name=name,
            interval_minutes=float(facts["interval_minutes"]),
            max_rtt_ms=None if facts.get("max_rtt_ms") is None else float(facts["max_rtt_ms"]),
            rto_minutes=float(facts["rto_minutes"]),
            fee_item=str(facts.get("fee_item") or ""),
            is_automatic=facts.get("failover") == "automatic",
            window_minutes=None if facts.get("window_minutes") is None else float(facts["window_minutes"]),
            phases=_phases(facts),
            is_cloud=facts.get("target") == "cloud",
        )
        for name, facts in pack.table("mechanisms").items()
    )
    return tuple(sorted(found, key=lambda mechanism: (mechanism.interval_minutes, mechanism.name)))


def _phases(facts: Mapping[str, Any]) -> RecoveryPhases | None:
    names = [part.name for part in fields(RecoveryPhases)]
    return RecoveryPhases(*(float(facts[name]) for name in names)) if names[0] in facts else None


def choose_mechanism(demand: Demand, policy: Policy, pack: RulePack, prices: Iterable[Price] = ()) -> Mechanism | str:  # noqa: ARG001
    """The mechanism that keeps the standby of a protected demand, or the reason why none does.

    Parameters
    ----------
    demand : Demand
        Its row states protection, `rpo_minutes` and `rto_minutes`.
    policy : Policy
        Unused by the mechanisms known today; part of the signature so that a choice may depend on it.
    pack : RulePack
        Mechanisms and default fees.
    prices : iterable of Price
        The price book, which overrides the default fees.

    Notes
    -----
    ``auto`` is the cheapest mechanism that meets both objectives, of equal ones the largest interval, then the
    name; ``async`` the same among interval mechanisms, ``sync`` among synchronous ones. An interval meets a recovery
    point objective above it, not equal to it: the copy itself takes time. Workloads with ``recovery = cloud`` choose
    among the mechanisms that copy to the cloud, all others among those that copy to a standby cluster.
    """
    row = demand.row
    if not row.is_protected:
        return f"{demand} asks for no protection"
    if row.rpo_minutes is None and row.protection != "sync":
        return f"{demand} asks for protection without rpo_minutes: state the acceptable loss in minutes"
    candidates = [
        mechanism
        for mechanism in mechanisms(pack)
        if (row.protection == "auto" or mechanism.is_synchronous == (row.protection == "sync"))
        and mechanism.is_cloud == row.recovers_in_cloud
    ]
    into = " into the cloud" if row.recovers_in_cloud else ""
    if not candidates:
        kind = {"sync": "synchronous ", "async": "interval "}.get(row.protection, "")
        return f"rule pack {pack.name!r} has no {kind}mechanism{into} for {demand}"
    meeting = [mechanism for mechanism in candidates if _meets_rpo(mechanism, row.rpo_minutes)]
    if not meeting:
        nearest = candidates[0]
        return (
            f"no {row.protection} mechanism{into} keeps {demand} at rpo_minutes {row.rpo_minutes:g}: the nearest, "
            f"{nearest.name}, copies every {nearest.interval_minutes:g} minutes and needs rpo_minutes above that"
            + ("; protection auto may choose a synchronous one" if row.protection == "async" else "")
        )
    recovering = [
        mechanism for mechanism in meeting if row.rto_minutes is None or mechanism.rto_minutes <= row.rto_minutes
    ]
    if not recovering:
        nearest = min(meeting, key=lambda mechanism: (mechanism.rto_minutes, mechanism.name))
        return (
            f"no {row.protection} mechanism{into} recovers {demand} within rto_minutes {row.rto_minutes:g}: the "
            f"nearest, {nearest.name}, takes {nearest.rto_minutes:g} minutes"
        )
    book = {price.item: price.price for price in prices}
    return min(recovering, key=lambda each: (_fee(each, book, pack), -each.interval_minutes, each.name))


def _fee(mechanism: Mechanism, book: Mapping[str, float], pack: RulePack) -> float:
    if not mechanism.fee_item:
        return 0.0
    return book[mechanism.fee_item] if mechanism.fee_item in book else pack.number(f"prices.{mechanism.fee_item}")


def _meets_rpo(mechanism: Mechanism, rpo_minutes: float | None) -> bool:
    return mechanism.is_synchronous or (rpo_minutes is not None and mechanism.interval_minutes < rpo_minutes)


def peak_delta_gb(change_gb_per_day: float, interval_minutes: float, policy: Policy) -> float:
    """Data that one interval ships at its busiest [GB].

    ``change · peak_factor · compression · protocol_overhead · interval / 1440``; `change_gb_per_day` includes count and
    growth (`Amounts.change_gb_per_day`).
    """
    shipped_per_day = change_gb_per_day * policy.peak_factor * policy.compression * policy.protocol_overhead
    return shipped_per_day * interval_minutes / MINUTES_PER_DAY


def required_mbps(change_gb_per_day: float, rpo_minutes: float | None, mechanism: Mechanism, policy: Policy) -> float:
    """Bandwidth that the stream of one demand needs [Mbit/s].

    Parameters
    ----------
    change_gb_per_day : float
        Data written [GB/day], count and growth included.
    rpo_minutes : float or None
        Recovery point objective [minutes]; a synchronous mechanism needs none.
    mechanism : Mechanism
        How the copy is kept.
    policy : Policy
        Peak factor, compression and protocol overhead.

    Raises
    ------
    FleetError
        If the interval is not below the recovery point objective.

    Notes
    -----
    Interval I: ``8000 · delta / (60 · min(I, rpo − I))``: a delta must be shipped before the next one is due and before
    the recovery point is lost. With a window, within the window: ``min(window, rpo − I)``. Synchronous:
    ``8000 · change · peak_factor · protocol_overhead / 86400``, the peak write rate, which no buffer lets anyone
    compress.

    Examples
    --------
    >>> flat = Policy(peak_factor=1, compression=1, protocol_overhead=1)
    >>> required_mbps(1080.0, 30.0, Mechanism("replica", 15.0, None, 30.0), flat)
    100.0
    """
    if mechanism.is_synchronous:
        peak_gb_per_day = change_gb_per_day * policy.peak_factor * policy.protocol_overhead
        return MEGABITS_PER_GB * peak_gb_per_day / SECONDS_PER_DAY
    interval = mechanism.interval_minutes
    if rpo_minutes is None or rpo_minutes <= interval:
        stated = "none" if rpo_minutes is None else f"{rpo_minutes:g}"
        raise FleetError(
            f"{mechanism.name} copies every {interval:g} minutes and cannot keep rpo_minutes {stated}: it must be above"
        )
    delta_gb = peak_delta_gb(change_gb_per_day, interval, policy)
    return MEGABITS_PER_GB * delta_gb / (60.0 * min(mechanism.shipping_minutes, rpo_minutes - interval))


def nightly_backup_gb(change_gb_per_day: float, policy: Policy) -> float:
    """What the backup of one day sends [GB]: ``change · protocol_overhead``, uncompressed.

    Parameters
    ----------
    change_gb_per_day : float
        Data written [GB/day], count and growth included.
    policy : Policy
        Protocol overhead.
    """
    return change_gb_per_day * policy.protocol_overhead


def backup_mbps(change_gb_per_day: float, policy: Policy) -> float:
    """Bandwidth that the backups of one demand need on their way to `backup_site` [Mbit/s].

    Parameters
    ----------
    change_gb_per_day : float
        Data written [GB/day], count and growth included.
    policy : Policy
        Protocol overhead, and the window of a day in which backups are sent.

    Notes
    -----
    ``8000 · change · protocol_overhead / (3600 · backup_window_hours)``.

    Examples
    --------
    >>> backup_mbps(36.0, Policy(protocol_overhead=1, backup_window_hours=8))
    10.0
    """
    return (
        MEGABITS_PER_GB * nightly_backup_gb(change_gb_per_day, policy) / (SECONDS_PER_HOUR * policy.backup_window_hours)
    )


def achieved_rpo_minutes(change_gb_per_day: float, granted_mbps: float, mechanism: Mechanism, policy: Policy) -> float:
    """Recovery point that a stream reaches with the bandwidth it is granted [minutes].

    ``I + 8000 · delta / (60 · granted)``: a failure just before a delta has arrived loses it and the interval before.
    Synchronous: 0. Infinite where there is something to ship and no bandwidth.
    """
    if mechanism.is_synchronous:
        return 0.0
    delta_gb = peak_delta_gb(change_gb_per_day, mechanism.interval_minutes, policy)
    if delta_gb == 0:
        return mechanism.interval_minutes
    if granted_mbps <= 0:
        return float("inf")
    return mechanism.interval_minutes + MEGABITS_PER_GB * delta_gb / (60.0 * granted_mbps)
