"""What can be proven infeasible without an engine, in the planner's words."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.errors import FleetError
from fleet.inventory.inventory import Demand, Inventory
from fleet.plan.pinning import wants_upgrade
from fleet.plan.placement import Reason, exceeds
from fleet.wan.graph import Wan
from fleet.wan.routing import Router
from solvers.problem import Booleans, Slot, Unit


class InfeasibleInputs(FleetError):
    """It is proven, without a solver, that no plan exists."""

    code = "SOL010"

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


def screen_units(
    inventory: Inventory,
    unit: Unit,
    slots: Sequence[Slot],
    eligible: Booleans,
    fits: Booleans,
    pairs: Booleans | None,
    reasons: Sequence[tuple[Demand, str, Reason]],
    router: Router,
) -> str | None:
    """Why a unit has nowhere to run or to stand by, with the nearest value that would do; None if it has."""
    name = " + ".join(str(demand) for demand in unit.demands)
    if not slots:
        return f"{name}: no candidate site can host a cluster – set can_host = yes on a site"
    if not eligible.any():
        return f"{name}: no candidate site may run it. {nearest_remedy(reasons)}"
    if not (eligible & fits).any():
        return (
            f"{name}: no node model of the catalog has the node tolerance and GPU that it asks for at a site where it "
            f"may run – lower fault_tolerance, or add hardware"
        )
    if pairs is not None and not pairs.any():
        return f"{name}: no pair of candidate sites can hold it and its standby. {pair_remedy(inventory, unit)}"
    return None


def nearest_remedy(reasons: Sequence[tuple[Demand, str, Reason]]) -> str:
    """The refusal that is nearest to its limit, and what would lift it."""
    over = [
        (reason.actual - reason.limit, demand, site, reason)
        for demand, site, reason in reasons
        if reason.rule == "NET-001" and reason.actual is not None and reason.limit is not None
    ]
    if over:
        _, demand, site, reason = min(over, key=lambda entry: (entry[0], entry[2]))
        return (
            f"max_rtt_ms is {reason.limit:g} ms; the nearest candidate is {site!r} at {reason.actual:.3g} ms – "
            f"set max_rtt_ms of {demand.workload!r} to at least {_up(reason.actual or 0.0):g}, or let {demand.site!r} host"
        )
    kinds: dict[str, tuple[str, int]] = {}
    for _, _, reason in reasons:
        text, count = kinds.get(reason.rule, (reason.message, 0))
        kinds[reason.rule] = (text, count + 1)
    parts = [f"{rule}: {text}" + (f" (and {count - 1} more)" if count > 1 else "") for rule, (text, count) in kinds.items()]
    return "; ".join(parts) or "Its pins leave no slot"


def pair_remedy(inventory: Inventory, unit: Unit) -> str:
    """What a planner can do where no pair of sites is allowed."""
    demand = next(demand for demand in unit.demands if demand.is_protected)
    limits = []
    if inventory.policy.min_separation_km > 0:
        limits.append(f"min_separation_km {inventory.policy.min_separation_km:g}")
    if demand.row.residency:
        limits.append(f"residency {';'.join(demand.row.residency)}")
    if demand.row.max_rtt_ms is not None:
        limits.append(
            f"max_rtt_ms {demand.row.max_rtt_ms:g} × failure_rtt_factor {inventory.policy.failure_rtt_factor:g}"
        )
    if demand.row.rpo_minutes == 0:
        limits.append("rpo_minutes 0 with the round-trip limit of synchronous replication")
    text = ", ".join(limits) or "the fault domains of the candidate sites"
    return f"Limits that act on the pair: {text} – relax one, or add a candidate site"


def screen_access(inventory: Inventory, wan: Wan) -> dict[str, int]:
    """Check every circuit that is the only way of a site without clusters; first period in which each must be upgraded.

    Raises
    ------
    InfeasibleInputs
        If the users' traffic exceeds a circuit even after its upgrade.
    """
    hosting = {site.site for site in inventory.host_sites}
    site_links = {
        site: links[0]
        for site, links in wan.links_of.items()
        if len(links) == 1 and site not in hosting and site not in wan.transit
    }
    users = {link: site for site, link in site_links.items()}
    load: dict[str, list[float]] = {}
    for demand in inventory.demands:
        link = site_links.get(demand.site)
        if link is None:
            continue
        amounts = load.setdefault(link, [0.0] * len(inventory.periods))
        for period in range(len(inventory.periods)):
            amounts[period] += inventory.amounts(demand, period).traffic_mbps
    never = {pin.link for pin in inventory.pins if pin.decision == "link_upgrade" and not wants_upgrade(pin)}
    forced: dict[str, int] = {}
    lines = []
    for name, amounts in sorted(load.items()):
        link = wan.links[name]
        for period, amount in enumerate(amounts):
            if not exceeds(amount, min(link.usable_mbps(True), link.usable_mbps(False))):
                continue
            upgradable = link.upgrade_mbps is not None and name not in never
            usable = min(link.usable_mbps(True, True), link.usable_mbps(False, True))
            if upgradable and not exceeds(amount, usable):
                forced.setdefault(name, period)
                continue
            needed = (amount + link.reserved_mbps) / link.limit
            lines.append(
                f"link {name!r}: users of {users[name]!r} need {amount:.4g} Mbit/s in each direction in period "
                f"{period}, the circuit carries {usable if upgradable else min(link.usable_mbps(True), link.usable_mbps(False)):.4g} – "
                f"a bandwidth of at least {_up(needed):g} Mbit/s would do"
            )
            break
    if lines:
        raise InfeasibleInputs(lines)
    return forced


def _up(value: float) -> float:
    """A value rounded up to three significant digits, so that it still does."""
    if value <= 0:
        return 0.0
    step = 10.0 ** (len(str(int(value))) - 3) if value >= 1 else 0.001
    return float(-(-value // step) * step)
