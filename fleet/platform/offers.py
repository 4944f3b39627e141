"""Which layouts are on offer: the recommended ones, and what workloads ask for or standing clusters have."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.workloads import TIERS
from fleet.platform.eligibility import TWO_WAY
from fleet.platform.resiliency import LayoutError, default_layout, parse_layout, resiliency_types, zones_of
from fleet.rulepack.facts import RulePack


@dataclass(frozen=True)
class LayoutMenu:
    """Resiliency types beside the recommended ones, by tier: asked for by workloads, and those of standing clusters."""

    asked: Mapping[str, frozenset[str]]
    standing: Mapping[str, frozenset[str]]
    wants_zones: bool


@lru_cache(maxsize=4)
def layout_menu(inventory: Inventory, pack: RulePack) -> LayoutMenu:
    """What the workloads of an inventory ask for, and what its standing clusters have.

    Raises
    ------
    LayoutError
        If a workload or a standing cluster names a resiliency type that the rule pack does not know.
    """
    types = resiliency_types(pack)
    asked: dict[str, set[str]] = {tier: set() for tier in TIERS}
    standing: dict[str, set[str]] = {tier: set() for tier in TIERS}
    wants_zones = any(row.zone_tolerance > 0 for row in inventory.workloads)
    for row in inventory.workloads:
        for name in row.resiliency:
            if name not in types:
                raise LayoutError(
                    f"workload {row.workload!r}, column resiliency: no resiliency type is named {name!r}; "
                    f"known are {', '.join(types)}"
                )
            asked[row.tier].add(name)
    for cluster in inventory.clusters:
        layout = parse_layout(cluster.layout, cluster.nodes, pack)
        wants_zones |= zones_of(layout, pack) > 1
        for tier, name in layout.items():
            standing[tier].add(name)
    return LayoutMenu(
        {tier: frozenset(names) for tier, names in asked.items()},
        {tier: frozenset(names) for tier, names in standing.items()},
        wants_zones,
    )


def layout_candidates(nodes: int, pack: RulePack, menu: LayoutMenu) -> Iterator[dict[str, str]]:
    """Layouts to try: hot and warm on one mirror, the archive on the same or on parity; preferred ones first.

    Then the same with the types that are asked for, or stand already, in the place of one or more of them.
    """
    types = resiliency_types(pack)
    default = default_layout(nodes, pack)
    parity = pack.table("layouts.parity")
    archive = pack.row_from("layouts.parity", nodes) or next(iter(parity.values()), None)
    mirrors = [default["hot"]]
    if nodes > 1 and TWO_WAY in types and TWO_WAY not in mirrors:
        mirrors.append(TWO_WAY)
    bases = []
    for mirror in mirrors:
        layout = dict.fromkeys(TIERS, mirror)
        bases.append(layout)
        if archive is not None:
            bases.append({**layout, "archive": archive})
    more = [
        [
            name
            for name in sorted(menu.asked[tier] | menu.standing[tier])
            if types[name].minimum_nodes <= nodes <= types[name].maximum_nodes and types[name].zones == 1
        ]
        for tier in TIERS
    ]
    known: set[tuple[str, ...]] = set()
    for base in bases:
        for kinds in itertools.product(*([base[tier], *names] for tier, names in zip(TIERS, more, strict=True))):
            if kinds not in known:
                known.add(kinds)
                yield dict(zip(TIERS, kinds, strict=True))
