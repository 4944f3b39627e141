"""The elements of a plan: everything that can be lost, under the name by which one asks to lose it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from fleet.errors import UnknownIdError
from fleet.plan.context import PlanContext
from fleet.plan.normal_state import NormalState
from fleet.plan.survival import ClusterLoss
from fleet.plan.uploads import upload_loads
from fleet.wan.states import FailureKind, FailureState, internet_failures, shared_risk_failures, sites_down

ElementKind = FailureKind | Literal["drive", "node", "zone"]

#: Kinds from small to large, the order of every list of elements.
KINDS: tuple[ElementKind, ...] = (
    "drive",
    "node",
    "zone",
    "cluster",
    "link",
    "internet",
    "shared_risk",
    "network",
    "site",
    "fault_domain",
)
#: Other words that a planner may use for a kind.
SYNONYMS = {"rack": "zone", "room": "zone", "carrier": "network", "cloud": "network"}


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that can fail, or several identical ones.

    Attributes
    ----------
    kind, name : str
        What it is and what it is called; drives and nodes have the name of their cluster, a zone that of its site with
        its number.
    count : int
        How many identical ones there are, at the end of the horizon.
    state : FailureState
        What is down without it; nothing for drives, nodes and zones, whose clusters may survive.
    losses : mapping
        What clusters lose with it, by their name, where they are not down as a whole.
    """

    kind: ElementKind
    name: str
    count: int
    state: FailureState
    losses: Mapping[str, ClusterLoss] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """``kind:name``."""
        return f"{self.kind}:{self.name}"

    def __str__(self) -> str:
        return self.id


def elements(normal: NormalState) -> tuple[Element, ...]:
    """Every element of a plan, from drives to fault domains.

    The drives of a cluster make one element with a count, and so do its nodes. The zones (racks or rooms) of a site
    with a cluster are elements where it has several. The internet access of a site is one where copies into the cloud
    leave by it. A site is an element whether it hosts, carries traffic or neither.
    A fault domain of one site is that site. Ordered from small to large, then by name.
    """
    context = normal.context
    cluster_sites = {cluster.name: cluster.site for cluster in context.clusters}
    uploads = internet_failures(upload_loads(context))
    states = {state.id: state for state in (*normal.failures, *shared_risk_failures(context.wan), *uploads)}
    for name, site in context.wan.sites.items():
        if not site.is_network:
            state = sites_down("site", name, frozenset({name}), cluster_sites)
            states[state.id] = state
    found = [Element(state.kind, state.name, 1, state) for state in states.values()]
    for cluster in context.clusters:
        model = context.inventory.node_model_by_name[cluster.decision.node_model]
        nodes = max(cluster.decision.nodes, default=0)
        whole = FailureState("cluster", cluster.name)
        found.append(Element("node", cluster.name, nodes, whole, {cluster.name: ClusterLoss(nodes=1)}))
        drives = nodes * model.capacity_drives
        found.append(Element("drive", cluster.name, drives, whole, {cluster.name: ClusterLoss(drives=1)}))
    found.extend(_zones(context))
    return tuple(sorted(found, key=lambda element: (KINDS.index(element.kind), element.name)))


def _zones(context: PlanContext) -> Iterator[Element]:
    for site in sorted({cluster.site for cluster in context.clusters}):
        count = context.inventory.site(site).zones
        for zone in range(count if count > 1 else 0):
            loss = ClusterLoss(zones=frozenset({zone}))
            losses = {cluster.name: loss for cluster in context.clusters if cluster.site == site}
            yield Element("zone", f"{site}/{zone + 1}", 1, FailureState("cluster", site), losses)


def find_element(normal: NormalState, element_id: str, known: Mapping[str, Element] | None = None) -> Element:
    """The element of an id such as ``link:core-1`` or ``node:hub-c1``.

    Parameters
    ----------
    normal : NormalState
        The plan with nothing failed.
    element_id : str
        ``kind:name``; ``rack`` and ``room`` mean zone, ``carrier`` means network.
    known : mapping, optional
        The elements by id, where the caller has them already.

    Raises
    ------
    UnknownIdError
        If the plan has no such element; near ones are named.
    """
    by_id = {element.id: element for element in elements(normal)} if known is None else known
    kind, _, name = element_id.strip().partition(":")
    wanted = f"{SYNONYMS.get(kind, kind)}:{name}"
    if wanted not in by_id:
        raise UnknownIdError("element", element_id, by_id)
    return by_id[wanted]
