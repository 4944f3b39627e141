"""Who may be where: the formulas of eligibility, used by the rules and by the solver alike.

Each function answers with a `Reason` when something is not eligible, and None when it is. A reason names its rule,
the value found and the limit, so that a message can say what would do. Limits are inclusive within `exceeds`.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleet.inventory.distances import is_below_light, least_rtt_ms
from fleet.inventory.inventory import Demand, Inventory
from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.sites import Site
from fleet.plan.pinning import pins_on
from fleet.platform.archetype import Archetype
from fleet.platform.instances import INSTANCE_RULES, instance_refusals
from fleet.tolerances import LIMIT_TOLERANCE
from fleet.wan.latency import distance_km
from fleet.wan.replication import CLOUD, Mechanism
from fleet.wan.routing import Router


def exceeds(value: float, limit: float) -> bool:
    """Whether `value` is above `limit` by more than the tolerance, ``1e-6 · max(1, |limit|)``.

    Examples
    --------
    >>> exceeds(100.00005, 100.0), exceeds(100.2, 100.0)
    (False, True)
    """
    return value > limit + LIMIT_TOLERANCE * max(1.0, abs(limit))


def differs(stated: float, recomputed: float) -> bool:
    """Whether two values differ by more than the tolerance, relative to the larger one.

    Examples
    --------
    >>> differs(1e9, 1e9 + 1), differs(2.0, 2.1)
    (False, True)
    """
    return abs(stated - recomputed) > LIMIT_TOLERANCE * max(1.0, abs(stated), abs(recomputed))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is not eligible.

    Attributes
    ----------
    rule : str
        Id of the rule that it would break.
    message : str
        In words, with both values where there are two.
    actual, limit : float or None
        Value found and limit, in `unit`.
    """

    rule: str
    message: str
    actual: float | None = None
    limit: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.rule} {self.message}"


def residency_holds(demand: Demand, user_site: Site, host: Site) -> bool:
    """Whether `host` satisfies one of the residency tokens of `demand`; no token allows every site.

    ``country``: the country of the users; ``region``: their country and region; any other token: the country or
    region of the host. Blanks never match.
    """
    tokens = demand.row.residency
    if not tokens:
        return True
    same_country = bool(host.country) and host.country == user_site.country
    same_region = same_country and bool(host.region) and host.region == user_site.region
    for place in tokens:
        if place == "country":
            if same_country:
                return True
        elif place == "region":
            if same_region:
                return True
        elif place in (host.country, host.region):
            return True
    return False


def host_reason(inventory: Inventory, demand: Demand, host_site: str) -> Reason | None:
    """Why neither `demand` nor its standby may be at `host_site`: no candidate, residency, or a forbidding pin."""
    host = inventory.site_by_name.get(host_site)
    if host is None or not is_candidate(inventory, host):
        return Reason("SIT-001", f"{host_site!r} cannot host a cluster")
    if not residency_holds(demand, inventory.site(demand.site), host):
        return Reason(
            "GOV-001",
            f"residency {';'.join(demand.row.residency)} of {demand} does not allow {host_site!r} "
            f"(country {host.country!r}, region {host.region!r})",
        )
    for pin in pins_on(inventory.pins, "forbid", demand):
        if pin.value == host_site:
            return Reason("PIN-001", f"a pin forbids {demand} at {host_site!r}")
    return None


def is_candidate(inventory: Inventory, site: Site) -> bool:
    """Whether a cluster may stand at `site`: one may be built there, or one stands there already."""
    return (inventory.may_build(site) or site.site in inventory.clusters_at) and not site.is_network


def cloud_users_reason(inventory: Inventory, demand: Demand) -> Reason | None:
    """Why the users of `demand` would not reach it in the cloud: no internet of their own, or too long a round trip.

    The way is the internet access of the users' site. The limit of the round trip is that after a failure,
    ``max_rtt_ms · failure_rtt_factor``, against `cloud_rtt_ms` of the policy, where both are stated.
    """
    if not inventory.site(demand.site).internet:
        return Reason("DR-009", f"{demand} recovers in the cloud, and {demand.site!r} has no internet to reach it")
    policy = inventory.policy
    rtt_ms, limit = policy.cloud_rtt_ms, policy.failure_rtt_limit(demand.row.max_rtt_ms)
    if rtt_ms is None or limit is None or not exceeds(rtt_ms, limit):
        return None
    return Reason(
        "DR-009",
        f"{demand} recovers in the cloud: {rtt_ms:g} ms to it (cloud_rtt_ms) is over max_rtt_ms × failure_rtt_factor, "
        f"{limit:g} ms",
        rtt_ms,
        limit,
        "ms",
    )


def cloud_residency_reason(inventory: Inventory, demand: Demand) -> Reason | None:
    """Why the copy of `demand` may not be in the cloud region that the policy states."""
    policy = inventory.policy
    region = Site(site=CLOUD, country=policy.cloud_country, region=policy.cloud_region)
    if residency_holds(demand, inventory.site(demand.site), region):
        return None
    return Reason(
        "GOV-001",
        f"residency {';'.join(demand.row.residency)} of {demand} does not allow the cloud "
        f"(cloud_country {policy.cloud_country!r}, cloud_region {policy.cloud_region!r})",
    )


def cloud_reason(inventory: Inventory, demand: Demand) -> Reason | None:
    """Why `demand` may not recover in the cloud as it asks, wherever it runs: its users, or residency."""
    if not demand.recovers_in_cloud:
        return None
    return cloud_users_reason(inventory, demand) or cloud_residency_reason(inventory, demand)


def cloud_host_reason(inventory: Inventory, demand: Demand, host_site: str) -> Reason | None:
    """Why `demand` cannot be copied from `host_site` into the cloud, or None where it need not be."""
    if not demand.recovers_in_cloud or inventory.site(host_site).internet:
        return None
    return Reason("DR-009", f"{demand} recovers in the cloud, and {host_site!r} has no internet to copy it there")


def user_rtt_reason(router: Router, demand: Demand, host_site: str) -> Reason | None:
    """Why the users of `demand` are too far from `host_site` in the normal state."""
    route = router.route(demand.site, host_site)
    limit = demand.row.max_rtt_ms
    if route is None:
        return Reason("NET-001", f"no path from {demand.site!r} to {host_site!r}", None, limit, "ms")
    if limit is not None and exceeds(route.rtt_ms, limit):
        return Reason(
            "NET-001",
            f"{route.rtt_ms:g} ms from {demand.site!r} to {host_site!r} is over max_rtt_ms {limit:g} ms",
            route.rtt_ms,
            limit,
            "ms",
        )
    return None


def light_reason(inventory: Inventory, router: Router, site: str, host_site: str) -> Reason | None:
    """Why the round trip between two sites in the normal state cannot be: light in fiber takes longer."""
    route = router.route(site, host_site)
    apart = distance_km(inventory.site(site), inventory.site(host_site))
    if route is None or apart is None or not is_below_light(route.rtt_ms, apart):
        return None
    least = least_rtt_ms(apart)
    return Reason(
        "NET-008",
        f"{route.rtt_ms:g} ms from {site!r} to {host_site!r} is below the {least:.4g} ms of light in fiber over "
        f"{apart:,.0f} km",
        route.rtt_ms,
        least,
        "ms",
    )


def eligible_site_reason(inventory: Inventory, router: Router, demand: Demand, host_site: str) -> Reason | None:
    """Why `demand` may not run at `host_site`, or None.

    Checks, in this order: candidate site (SIT-001), residency (GOV-001), forbidding pins (PIN-001), the way of copies
    into the cloud (DR-009), local placement (ASG-003), round trip of the users (NET-001, NET-008).
    """
    reason = host_reason(inventory, demand, host_site) or cloud_host_reason(inventory, demand, host_site)
    if reason is not None:
        return reason
    if demand.row.placement == "local" and host_site != demand.site:
        return Reason("ASG-003", f"{demand} must run at its own site, not at {host_site!r}")
    return user_rtt_reason(router, demand, host_site) or light_reason(inventory, router, demand.site, host_site)


def eligible_standby_reason(inventory: Inventory, demand: Demand, host_site: str) -> Reason | None:
    """Why the standby copy of `demand` may not be at `host_site`, whatever its primary, or None.

    A standby needs a candidate site (SIT-001), residency (GOV-001) and no forbidding pin (PIN-001).
    """
    return host_reason(inventory, demand, host_site)


def separation_reason(inventory: Inventory, primary_site: str, standby_site: str) -> Reason | None:
    """Why two sites may not back each other up: same site, same fault domain, or too near."""
    if primary_site == standby_site:
        return Reason("DR-001", f"primary and standby are both at {primary_site!r}")
    primary, standby = inventory.site(primary_site), inventory.site(standby_site)
    if primary.fault_domain == standby.fault_domain:
        return Reason(
            "DR-002", f"{primary_site!r} and {standby_site!r} share the fault domain {primary.fault_domain!r}"
        )
    limit = inventory.policy.min_separation_km
    if limit <= 0:
        return None
    distance = distance_km(primary, standby)
    if distance is None:
        return Reason(
            "DR-003",
            f"the distance between {primary_site!r} and {standby_site!r} is unknown; {limit:g} km are required",
            None,
            limit,
            "km",
        )
    if exceeds(limit, distance):
        return Reason(
            "DR-003",
            f"{primary_site!r} and {standby_site!r} are {distance:.1f} km apart; at least {limit:g} km are required",
            distance,
            limit,
            "km",
        )
    return None


def mechanism_reason(router: Router, mechanism: Mechanism, primary_site: str, standby_site: str) -> Reason | None:
    """Why `mechanism` cannot replicate from one site to the other: no path, or a round trip over its limit."""
    route = router.route(primary_site, standby_site)
    if route is None:
        return Reason("DR-004", f"no path from {primary_site!r} to {standby_site!r} for {mechanism.name}")
    limit = mechanism.max_rtt_ms
    if limit is not None and exceeds(route.rtt_ms, limit):
        return Reason(
            "DR-004",
            f"{route.rtt_ms:g} ms from {primary_site!r} to {standby_site!r} is over "
            f"the {limit:g} ms of {mechanism.name}",
            route.rtt_ms,
            limit,
            "ms",
        )
    return None


def pair_reason(
    inventory: Inventory, router: Router, mechanism: Mechanism, primary_site: str, standby_site: str
) -> Reason | None:
    """Why a demand kept by `mechanism` may not run at one site and stand by at the other, or None.

    Checks another site (DR-001), fault domain (DR-002), separation (DR-003), path and round trip (DR-004, NET-008).
    It does not depend on the demand beyond its mechanism.
    """
    return (
        separation_reason(inventory, primary_site, standby_site)
        or mechanism_reason(router, mechanism, primary_site, standby_site)
        or light_reason(inventory, router, primary_site, standby_site)
    )


def archetype_reason(demand: Demand, archetype: Archetype, model: NodeModel) -> Reason | None:
    """Why `demand` may neither run nor stand by on an archetype, or None.

    Checks node tolerance (ASG-005), zone tolerance (ASG-007), resiliency type (ASG-008), GPU model (ASG-006), size of
    an instance (PLT-024), use of GPUs (PLT-028).
    """
    reason = tolerance_reason(demand, archetype) or zone_reason(demand, archetype)
    reason = reason or resiliency_reason(demand, archetype) or gpu_reason(demand, model)
    for rule in INSTANCE_RULES:
        reason = reason or instance_reason(rule.id, demand, archetype)
    return reason


def instance_reason(rule: str, demand: Demand, archetype: Archetype) -> Reason | None:
    """Why an instance of `demand` cannot run on a node of the archetype, by one rule of the platform."""
    for found, reason in instance_refusals(demand.row, archetype.offer):
        if found == rule:
            return Reason(rule, reason)
    return None


def tolerance_reason(demand: Demand, archetype: Archetype) -> Reason | None:
    """Why the cluster would not survive as many node failures as `demand` asks for."""
    if archetype.node_tolerance < demand.row.fault_tolerance:
        return Reason(
            "ASG-005",
            f"{demand} asks to survive {demand.row.fault_tolerance} node failures; "
            f"{archetype.nodes} × {archetype.node_model} survives {archetype.node_tolerance}",
            archetype.node_tolerance,
            demand.row.fault_tolerance,
            "nodes",
        )
    return None


def zone_reason(demand: Demand, archetype: Archetype) -> Reason | None:
    """Why the cluster would not survive as many zone failures as `demand` asks for."""
    if archetype.zone_tolerance < demand.row.zone_tolerance:
        return Reason(
            "ASG-007",
            f"{demand} asks to survive the loss of a zone; {archetype} is not spread over zones",
            archetype.zone_tolerance,
            demand.row.zone_tolerance,
            "zones",
        )
    return None


def resiliency_reason(demand: Demand, archetype: Archetype) -> Reason | None:
    """Why the cluster keeps the data of `demand` in another resiliency type than it asks for."""
    kind = archetype.layout[demand.row.tier]
    if demand.row.resiliency and kind not in demand.row.resiliency:
        return Reason("ASG-008", f"{demand} asks for {' or '.join(demand.row.resiliency)}; {archetype} has {kind}")
    return None


def gpu_reason(demand: Demand, model: NodeModel) -> Reason | None:
    """Why the node model lacks the GPU that `demand` names."""
    if demand.row.gpus > 0 and demand.row.gpu_model and demand.row.gpu_model != model.gpu_model:
        return Reason(
            "ASG-006",
            f"{demand} needs GPU {demand.row.gpu_model!r}; {model.node_model!r} has {model.gpu_model or 'none'!r}",
        )
    return None
