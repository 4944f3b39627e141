"""What a solver, or a person, decides; everything else in a plan follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.inventory.inventory import DemandKey
from fleet.plan.plan import Origin


@dataclass(frozen=True)
class ClusterDecision:
    """One cluster over the horizon.

    Attributes
    ----------
    nodes : tuple of int
        Node count per period, 0 before it opens, never falling.
    layouts : tuple of mapping
        Per period, the resiliency type of each tier; empty mapping where it has no nodes.
    """

    cluster: str
    site: str
    node_model: str
    nodes: tuple[int, ...]
    layouts: tuple[Mapping[str, str], ...]
    existing: bool = False
    origin: Origin = "chosen"


@dataclass(frozen=True)
class Decisions:
    """The whole decision.

    Attributes
    ----------
    primary, standby : mapping
        Cluster of each demand, and of the standby copy of each protected demand.
    upgrades : mapping
        First period in which each upgraded link is upgraded.
    retired : tuple of str
        Existing clusters that are closed.
    unserved : mapping
        Demands left out, with the reason.
    """

    clusters: tuple[ClusterDecision, ...]
    primary: Mapping[DemandKey, str]
    standby: Mapping[DemandKey, str]
    upgrades: Mapping[str, int] = field(default_factory=dict)
    retired: tuple[str, ...] = ()
    unserved: Mapping[DemandKey, str] = field(default_factory=dict)
