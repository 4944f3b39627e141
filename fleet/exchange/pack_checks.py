"""What an inventory asks of its rule pack: that it can be read, and knows the resiliency types that are named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fleet.errors import Problem, RulePackError
from fleet.inventory.cells import did_you_mean
from fleet.inventory.inventory import Inventory
from fleet.platform.resiliency import LayoutError, parse_layout, resiliency_types
from fleet.rulepack import RulePack, load_rulepack
from fleet.rulepack.loader import builtin_rulepacks


def with_own_pack(inventory: Inventory, folder: Path) -> Inventory:
    """The inventory with a rule pack that lies beside its tables named by its path."""
    pack = inventory.policy.rule_pack
    if pack in builtin_rulepacks() or not (folder / pack).is_file():
        return inventory
    return replace(inventory, policy=inventory.policy.model_copy(update={"rule_pack": str(folder / pack)}))


def pack_problems(inventory: Inventory) -> Iterator[Problem]:
    """What is wrong with the rule pack of an inventory, and with the resiliency types that its tables name."""
    try:
        pack = load_rulepack(inventory.policy.rule_pack)
    except RulePackError as error:
        yield from error.problems
        return
    yield from _unknown_types(inventory, pack)


def _unknown_types(inventory: Inventory, pack: RulePack) -> Iterator[Problem]:
    types = resiliency_types(pack)
    for row in inventory.workloads:
        for name in row.resiliency:
            if name not in types:
                message = f"rule pack {pack.name!r} knows no resiliency type {name!r}"
                remedy = did_you_mean(name, tuple(types), f"use one of {', '.join(types)}")
                yield Problem("INV055", f"workloads: {row.workload!r} column resiliency", message, remedy)
    for cluster in inventory.clusters:
        try:
            parse_layout(cluster.layout, cluster.nodes, pack)
        except LayoutError as error:
            place = f"clusters: {cluster.cluster!r} column layout"
            yield Problem("INV055", place, str(error), "correct it, or leave it blank for the usual layout")
