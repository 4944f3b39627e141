"""The elements of a plan: everything that can be lost, under the name by which one asks to lose it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fleet.errors import UnknownIdError
from fleet.plan.context import PlanContext
from fleet.wan.states import FailureKind, FailureState, shared_risk_failures, sites_down

ElementKind = FailureKind | Literal["drive", "node"]

#: Kinds from small to large, the order of every list of elements.
KINDS: tuple[ElementKind, ...] = (
    "drive",
    "node",
    "cluster",
    "link",
    "shared_risk",
    "network",
    "site",
    "fault_domain",
)


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that can fail, or several identical ones.

    Attributes
    ----------
    kind, name : str
        What it is and what it is called; drives and nodes have the name of their cluster.
    count : int
        How many identical ones there are, at the end of the horizon.
    state : FailureState
        What is down without it; for drives and nodes what is down if their cluster does not survive the loss.
    """

    kind: ElementKind
    name: str
    count: int
    state: FailureState

    @property
    def id(self) -> str:
        """``kind:name``."""
        return f"{self.kind}:{self.name}"

    def __str__(self) -> str:
        return self.id


def elements(context: PlanContext) -> tuple[Element, ...]:
    """Every element of a plan: drives, nodes, clusters, links, shared risks, carrier clouds, sites, fault domains.

    The drives of a cluster make one element with a count, and so do its nodes. A site is an element whether it hosts,
    carries traffic or neither. A fault domain of one site is that site. Ordered from small to large, then by name.
    """
    cluster_sites = {cluster.name: cluster.site for cluster in context.clusters}
    states = {state.id: state for state in (*context.failures, *shared_risk_failures(context.wan))}
    for name, site in context.wan.sites.items():
        if not site.is_network:
            state = sites_down("site", name, frozenset({name}), cluster_sites)
            states[state.id] = state
    found = [Element(state.kind, state.name, 1, state) for state in states.values()]
    for cluster in context.clusters:
        loss = states[f"cluster:{cluster.name}"]
        model = context.inventory.node_model_by_name[cluster.decision.node_model]
        nodes = max(cluster.decision.nodes, default=0)
        found.append(Element("node", cluster.name, nodes, loss))
        found.append(Element("drive", cluster.name, nodes * model.capacity_drives, loss))
    return tuple(sorted(found, key=lambda element: (KINDS.index(element.kind), element.name)))


def find_element(context: PlanContext, element_id: str) -> Element:
    """The element of an id such as ``link:core-1`` or ``node:hub-c1``.

    Raises
    ------
    UnknownIdError
        If the plan has no such element.
    """
    for element in elements(context):
        if element.id == element_id:
            return element
    raise UnknownIdError("element", element_id)
