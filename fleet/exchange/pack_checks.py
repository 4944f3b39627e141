"""What an inventory asks of its rule pack: that it can be read, knows resiliency types, and recovers in the cloud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fleet.errors import Problem, RulePackError
from fleet.inventory.inventory import Inventory
from fleet.inventory.reading.cells import did_you_mean
from fleet.plan.placement import cloud_residency_reason, cloud_users_reason
from fleet.platform.resiliency import resiliency_types
from fleet.platform.standing import Place, name_of_place, standing_problems
from fleet.rulepack import RulePack, load_rulepack
from fleet.rulepack.loader import builtin_rulepacks
from fleet.wan.replication import choose_mechanism


def with_own_pack(inventory: Inventory, folder: Path) -> Inventory:
    """The inventory with a rule pack that lies beside its tables named by its path."""
    pack = inventory.policy.rule_pack
    if pack in builtin_rulepacks() or not (folder / pack).is_file():
        return inventory
    return replace(inventory, policy=inventory.policy.model_copy(update={"rule_pack": str(folder / pack)}))


def pack_problems(inventory: Inventory, where: Place = name_of_place) -> Iterator[Problem]:
    """What is wrong with the rule pack of an inventory, or with what that is asked for.

    These are the resiliency types named, the clusters that stand, and recovery in the cloud.

    Parameters
    ----------
    inventory : Inventory
        What is stated.
    where : callable
        Names the place of a column of a standing cluster.
    """
    try:
        pack = load_rulepack(inventory.policy.rule_pack)
    except RulePackError as error:
        yield from error.problems
        return
    unknown = tuple(_unknown_types(inventory, pack))
    yield from unknown
    known = replace(inventory, workloads=()) if unknown else inventory
    yield from standing_problems(known, pack, where)
    yield from _unreachable_clouds(inventory, pack)


def _unknown_types(inventory: Inventory, pack: RulePack) -> Iterator[Problem]:
    types = resiliency_types(pack)
    for row in inventory.workloads:
        for name in row.resiliency:
            if name not in types:
                message = f"rule pack {pack.name!r} knows no resiliency type {name!r}"
                remedy = did_you_mean(name, tuple(types), f"use one of {', '.join(types)}")
                yield Problem("INV055", f"workloads: {row.workload!r} column resiliency", message, remedy)


def _unreachable_clouds(inventory: Inventory, pack: RulePack) -> Iterator[Problem]:
    """Workloads that ask for recovery in the cloud where it cannot do what they ask, each reason once per workload."""
    found: dict[tuple[str, str], list[str]] = {}
    for demand in inventory.demands:
        if not demand.recovers_in_cloud:
            continue
        chosen = choose_mechanism(demand, inventory.policy, pack, inventory.prices)
        users, residency = cloud_users_reason(inventory, demand), cloud_residency_reason(inventory, demand)
        for reason, remedy in (
            (chosen if isinstance(chosen, str) else None, "relax rpo_minutes, rto_minutes or protection"),
            (None if users is None else users.message, "correct internet of the site or cloud_rtt_ms of the policy"),
            (None if residency is None else residency.message, "state cloud_country and cloud_region in the policy"),
        ):
            if reason is not None:
                found.setdefault((demand.workload, remedy), []).append(reason)
    for (workload, remedy), reasons in found.items():
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        place = f"workloads: {workload!r} column recovery"
        yield Problem("INV057", place, f"{reasons[0]}{more}", f"{remedy}, or recover on a cluster")
    is_asked = any(demand.recovers_in_cloud for demand in inventory.demands)
    if is_asked and not any(site.internet for site in inventory.host_sites):
        message = "workloads ask for recovery in the cloud, and no candidate site has internet to copy them there"
        yield Problem("INV057", "sites: column internet", message, "write yes where it is, or recover on clusters")
