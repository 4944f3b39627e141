"""Clusters that stand already: what each is today, what it may become, and why the rules refuse it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial

from fleet.errors import Problem
from fleet.inventory.inventory import Inventory
from fleet.inventory.tables.hardware import ExistingCluster
from fleet.inventory.tables.workloads import TIERS
from fleet.platform.archetype import Archetype
from fleet.platform.archetypes import ArchetypeError, archetype_for
from fleet.platform.growth import may_become
from fleet.platform.network import cabling_refusal, is_cabled_directly, wiring_policy
from fleet.platform.offers import layout_menu
from fleet.platform.resiliency import LayoutError, parse_layout, resiliency_types, zones_of
from fleet.platform.worthwhile import worthwhile
from fleet.rulepack.facts import RulePack

#: Rules that a standing cluster breaks by its layout.
LAYOUT_RULES = ("PLT-014", "PLT-015", "PLT-016", "PLT-017", "PLT-026", "PLT-027", "PLT-029")
#: Names the place of a column of a standing cluster.
Place = Callable[[ExistingCluster, str], str]


def name_of_place(row: ExistingCluster, column: str) -> str:
    """The place of a column of a standing cluster where its file and row are not known."""
    return f"clusters: {row.cluster!r} column {column}"


def standing_archetype(inventory: Inventory, pack: RulePack, row: ExistingCluster) -> Archetype:
    """What a standing cluster is today: nodes, layout and witness as they are stated.

    Raises
    ------
    UnknownIdError
        If the inventory has no such node model or site.
    LayoutError
        If its layout names a resiliency type that the rule pack does not know.
    ArchetypeError
        If platform rules refuse it, with every rule and reason.
    """
    site = inventory.site(row.site)
    key = (row.node_model, row.nodes, row.layout, row.witness, row.storage_switch, site.zones, site.internet)
    known = _known(inventory, pack)
    if key not in known:
        known[key] = _as_stated(inventory, pack, row, row.nodes, parse_layout(row.layout, row.nodes, pack))
    return known[key]


@lru_cache(maxsize=4)
def _known(inventory: Inventory, pack: RulePack) -> dict[tuple[object, ...], Archetype]:  # noqa: ARG001
    """What clusters of an inventory that are stated alike are today, as far as met."""
    return {}


def archetype_today(inventory: Inventory, pack: RulePack, cluster: str) -> Archetype | None:
    """What a cluster is today that stands already; None for one that does not, or that the rules refuse."""
    try:
        return next((standing_archetype(inventory, pack, r) for r in inventory.clusters if r.cluster == cluster), None)
    except (ArchetypeError, LayoutError):
        return None


def standing_problems(inventory: Inventory, pack: RulePack, where: Place = name_of_place) -> Iterator[Problem]:
    """Why the rules refuse clusters that stand and must stay, each with what can be done about it.

    Layouts that name unknown types come first, and alone if there are any. A cluster that may be retired (keep = no) is
    no problem: it can stay no longer, and a plan retires it.

    Parameters
    ----------
    inventory, pack
        What is stated, and the rules.
    where : callable
        Names the place of a column of a standing cluster.
    """
    unknown = tuple(_unknown_layouts(inventory, pack, where))
    yield from unknown
    yield from _uncabled(inventory, pack, where)
    for row in () if unknown else inventory.clusters:
        try:
            standing_archetype(inventory, pack, row)
        except ArchetypeError as error:
            if row.keep:
                for refusal in error.refusals:
                    column = _column_of(refusal.rule)
                    message = f"{refusal.nodes} × {refusal.node_model}: {refusal.reason} ({refusal.rule})"
                    yield Problem("INV058", where(row, column), message, _remedy(inventory, pack, row, column))
        else:
            if row.witness not in ("", "cloud") and zones_of(parse_layout(row.layout, row.nodes, pack), pack) > 1:
                message = f"got {row.witness!r}: a rack-aware cluster needs a cloud witness, in neither of its zones"
                yield Problem("INV058", where(row, "witness"), message, "set one up and write cloud, or leave it blank")


def _uncabled(inventory: Inventory, pack: RulePack, where: Place) -> Iterator[Problem]:
    """Clusters that are stated to stand without a switch, which their nodes cannot."""
    for row in inventory.clusters:
        model = inventory.node_model_by_name.get(row.node_model)
        if row.storage_switch is not False or row.nodes < 2 or model is None:
            continue
        if not is_cabled_directly(model, row.nodes, wiring_policy(inventory.policy, row), pack):
            most = pack.whole("network.switchless_max_nodes")
            message = (
                f"got no, but {row.nodes} nodes with {model.nic_ports} ports each cannot be cabled directly: at most "
                f"{most} nodes are, with two cables between every two of them and two ports for users"
            )
            remedy = f"write yes, or correct nodes, or nic_ports of {row.node_model!r} in table hardware"
            yield Problem("INV058", where(row, "storage_switch"), message, remedy)


def _unknown_layouts(inventory: Inventory, pack: RulePack, where: Place) -> Iterator[Problem]:
    for row in inventory.clusters:
        try:
            parse_layout(row.layout, row.nodes, pack)
        except LayoutError as error:
            remedy = "correct it, or leave it blank for the usual layout"
            yield Problem("INV055", where(row, "layout"), str(error), remedy)


def _column_of(rule: str) -> str:
    """The column of a standing cluster that a rule is about."""
    if rule in LAYOUT_RULES:
        return "layout"
    return "nodes" if rule == "PLT-001" else "node_model"


def _remedy(inventory: Inventory, pack: RulePack, row: ExistingCluster, column: str) -> str:
    """What a planner can do about a standing cluster that the rules refuse: only what then is accepted."""
    ways = []
    if column == "layout":
        for name in dict.fromkeys((str(pack.row_from("layouts.mirror", row.nodes)), *resiliency_types(pack))):
            try:
                _as_stated(inventory, pack, row, row.nodes, dict.fromkeys(TIERS, name))
            except ArchetypeError:
                continue
            ways.append(f"convert its volumes and state layout {name}")
            break
    elif column == "nodes":
        ways.append(f"correct nodes, or min_nodes and max_nodes of {row.node_model!r} in table hardware")
    else:
        ways.append(f"correct the row of {row.node_model!r} in table hardware")
    return ", or ".join([*ways, "set keep to no, so that a plan retires it and builds anew"])


def reachable_archetypes(inventory: Inventory, pack: RulePack, row: ExistingCluster) -> tuple[Archetype, ...]:
    """What a standing cluster is today, first, and everything worth being that it may become, by steps or at once.

    At the same node count its layout may change, and nodes may be added: each tier keeps its type or takes one that the
    rule pack lets it become. Of what can be reached in a step, that is left out for which another one of the same nodes
    does as well, then and whatever it becomes later.

    Raises
    ------
    UnknownIdError, LayoutError, ArchetypeError
        As `standing_archetype`.
    """
    today = standing_archetype(inventory, pack, row)
    found = (today, *_others(inventory, pack, row, today))
    return worthwhile(found, (0,), partial(may_become, pack=pack), layout_menu(inventory, pack).asked)


def _as_stated(
    inventory: Inventory, pack: RulePack, row: ExistingCluster, nodes: int, layout: Mapping[str, str]
) -> Archetype:
    site = inventory.site(row.site)
    return archetype_for(inventory, pack, row.node_model, nodes, layout, site, witness=row.witness)


def _others(inventory: Inventory, pack: RulePack, row: ExistingCluster, today: Archetype) -> Iterator[Archetype]:
    """Every other archetype of types that the tiers may come to have, with at least the nodes of today."""
    paths = pack.table("growth.layout_paths")
    kinds = [_may_come(today.layout[tier], paths) for tier in TIERS]
    model = inventory.node_model_by_name[row.node_model]
    most = min(model.max_nodes, pack.whole("limits.max_nodes"))
    for nodes in range(row.nodes, most + 1):
        if cabling_refusal(row, nodes, model, inventory.policy, pack):
            return
        for names in itertools.product(*kinds):
            layout = dict(zip(TIERS, names, strict=True))
            if nodes == row.nodes and layout == today.layout:
                continue
            try:
                yield _as_stated(inventory, pack, row, nodes, layout)
            except ArchetypeError:
                continue


def _may_come(kind: str, paths: Mapping[str, Sequence[str]]) -> list[str]:
    """A resiliency type, and those that it may become in any number of steps."""
    found = [kind]
    for name in found:
        found += [following for following in paths.get(name, ()) if following not in found]
    return found
