"""What can be proven infeasible without an engine, in the planner's words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from fleet.errors import FleetError
from fleet.inventory.inventory import Demand, DemandKey, Inventory
from fleet.plan.pinning import wants_upgrade
from fleet.plan.placement import Reason, exceeds
from fleet.platform.instances import instance_refusals
from fleet.platform.machines import machine_of
from fleet.wan.graph import Wan
from solvers.problem.sets import Booleans, Slot, Unit


class InfeasibleInputsError(FleetError):
    """It is proven, without a solver, that no plan exists.

    Attributes
    ----------
    lines : tuple of str
        Why, and what would do.
    blocked : dict
        Demands that would have to be left out, each with its reason.
    """

    code = "SOL010"

    def __init__(self, lines: Sequence[str], blocked: Mapping[DemandKey, str]) -> None:
        self.lines, self.blocked = tuple(lines), dict(blocked)
        super().__init__("\n".join(self.lines))


def screen_unit(
    inventory: Inventory,
    unit: Unit,
    slots: Sequence[Slot],
    eligible: Booleans,
    fits: Booleans,
    pairs: Booleans | None,
    reasons: Sequence[tuple[Demand, str, Reason]],
) -> str | None:
    """Why a unit has nowhere to run or to stand by, with the nearest value that would do; None if it has."""
    if not slots:
        return "no candidate site can host a cluster – set can_host = yes on a site"
    if not eligible.any():
        return f"no candidate site may run it. {nearest_remedy(reasons)}"
    if not (eligible & fits).any():
        return (
            "no node model of the catalog has the node tolerance and GPU that it asks for, and room for one instance, "
            "at a site where it may run – lower fault_tolerance, or add hardware"
            f"{_too_large(inventory, unit, slots)}{_not_kept(unit, slots)}"
        )
    if pairs is not None and not pairs.any():
        return f"no pair of candidate sites can hold it and its standby. {pair_remedy(inventory, unit)}"
    return None


def _too_large(inventory: Inventory, unit: Unit, slots: Sequence[Slot]) -> str:
    """Which instance fits on no node, now or once it has grown, and why not on the largest."""
    offers = {segment.node_model: segment.archetypes[0].offer for slot in slots for segment in slot.segments}
    for demand in unit.demands:
        found = [next(instance_refusals(demand.row, offer), None) for offer in offers.values()]
        texts = [f"{refusal[0]} {refusal[1]}" for refusal in found if refusal is not None]
        if texts and len(texts) == len(offers):
            return f"; {'; '.join(texts[:3])}"
        machine = machine_of(demand.row, max(inventory.growth_factors(demand)), inventory.policy)
        rooms = [segment.archetypes[0].hosts.room for slot in slots for segment in slot.segments]
        if rooms and not any(room.takes(machine) for room in rooms):
            largest = max(rooms, key=lambda room: (room.gpus, room.memory_gb, room.vcpus))
            return f"; CAP-006 an instance of {demand.workload!r} grows to {machine}, a node offers at most {largest}"
    return ""


def _not_kept(unit: Unit, slots: Sequence[Slot]) -> str:
    """Which data no cluster keeps as it is asked for, and what would lift that."""
    offers = [archetype for slot in slots for segment in slot.segments for archetype in segment.archetypes]
    for demand in unit.demands:
        row = demand.row
        if any(archetype.keeps(row) and archetype.node_tolerance >= row.fault_tolerance for archetype in offers):
            continue
        if row.zone_tolerance > max((archetype.zone_tolerance for archetype in offers), default=0):
            return f"; {demand} asks to survive the loss of a zone: give a site two zones and the internet"
        if row.resiliency and not all(archetype.keeps(row) for archetype in offers):
            kinds = " or ".join(row.resiliency)
            return (
                f"; {demand} asks for {kinds}, which no cluster has that survives {row.fault_tolerance} node failures"
            )
    return ""


def nearest_remedy(reasons: Sequence[tuple[Demand, str, Reason]]) -> str:
    """The refusal that is nearest to its limit, and what would lift it."""
    over = [
        (reason.actual - reason.limit, demand, site, reason)
        for demand, site, reason in reasons
        if reason.rule == "NET-001" and reason.actual is not None and reason.limit is not None
    ]
    if over:
        _, demand, site, reason = min(over, key=lambda entry: (entry[0], entry[2]))
        enough = rounded_up(reason.actual or 0.0)
        return (
            f"max_rtt_ms is {reason.limit:g} ms; the nearest candidate is {site!r} at {reason.actual:.3g} ms – set "
            f"max_rtt_ms of {demand.workload!r} to at least {enough:g}, or let {demand.site!r} host"
        )
    kinds: dict[str, tuple[str, int]] = {}
    for _, _, reason in reasons:
        text, count = kinds.get(reason.rule, (reason.message, 0))
        kinds[reason.rule] = (text, count + 1)
    parts = [
        f"{rule}: {text}" + (f" (and {count - 1} more)" if count > 1 else "") for rule, (text, count) in kinds.items()
    ]
    return "; ".join(parts) or "Its pins leave no slot"


def pair_remedy(inventory: Inventory, unit: Unit) -> str:
    """What a planner can do where no pair of sites is allowed."""
    demand = next(demand for demand in unit.demands if demand.has_standby)
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
    InfeasibleInputsError
        If the users' traffic exceeds a circuit even after its upgrade.
    """
    hosting = {site.site for site in inventory.host_sites}
    site_links = {
        site: links[0]
        for site, links in wan.links_of.items()
        if len(links) == 1 and site not in hosting and site not in wan.transit
    }
    users: dict[str, list[Demand]] = defaultdict(list)
    for demand in inventory.demands:
        if demand.site in site_links:
            users[site_links[demand.site]].append(demand)
    never = {pin.link for pin in inventory.pins if pin.decision == "link_upgrade" and not wants_upgrade(pin)}
    forced: dict[str, int] = {}
    lines: list[str] = []
    blocked: dict[DemandKey, str] = {}
    for name, demands in sorted(users.items()):
        link = wan.links[name]
        now = min(link.usable_mbps(True), link.usable_mbps(False))
        can_grow = link.upgrade_mbps is not None and name not in never
        limit = max(now, min(link.usable_mbps(True, True), link.usable_mbps(False, True))) if can_grow else now
        loads = {
            demand.key: [inventory.amounts(demand, period).traffic_mbps for period in range(len(inventory.periods))]
            for demand in demands
        }
        for period in range(len(inventory.periods)):
            amount = sum(load[period] for load in loads.values())
            if not exceeds(amount, now):
                continue
            if not exceeds(amount, limit):
                forced.setdefault(name, period)
                continue
            needed = (amount + link.reserved_mbps) / link.limit
            reason = (
                f"users of {demands[0].site!r} need {amount:.4g} Mbit/s in each direction in period {period}, the "
                f"circuit carries {limit:.4g} – a bandwidth of at least {rounded_up(needed):g} Mbit/s would do"
            )
            lines.append(f"link {name!r}: {reason}")
            blocked.update(dict.fromkeys(_too_many(loads, limit), lines[-1]))
            break
    if lines:
        raise InfeasibleInputsError(lines, blocked)
    return forced


def _too_many(loads: Mapping[DemandKey, Sequence[float]], limit: float) -> list[DemandKey]:
    """The demands without which the others fit: those with most traffic wherever it is too much."""
    left = dict(loads)
    found = []
    for period in range(max(len(load) for load in loads.values())):
        while left and exceeds(sum(load[period] for load in left.values()), limit):
            _, heaviest = max((load[period], key) for key, load in left.items())
            found.append(heaviest)
            del left[heaviest]
    return found


def rounded_up(value: float) -> float:
    """A value rounded up to three significant digits, so that it still does."""
    if value <= 0:
        return 0.0
    step = 10.0 ** (len(str(int(value))) - 3) if value >= 1 else 0.001
    return float(-(-value // step) * step)
