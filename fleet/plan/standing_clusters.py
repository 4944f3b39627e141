"""The clusters of a decision, with the archetype of each period or why the platform refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.inventory.inventory import Inventory
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.platform.archetype import Archetype
from fleet.platform.archetypes import ArchetypeError, archetype_for
from fleet.platform.topologies import site_refusals
from fleet.rulepack import RulePack

#: (rule id, reason) of each reason against an archetype.
Refusals = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StandingCluster:
    """One cluster with what it can do in each period.

    Attributes
    ----------
    archetypes : tuple
        Per period, its archetype; None without nodes or where the platform refuses it.
    refusals : tuple
        Per period, (rule, reason) for each reason why the platform refuses it.
    """

    decision: ClusterDecision
    fault_domain: str
    archetypes: tuple[Archetype | None, ...]
    refusals: tuple[Refusals, ...]

    @property
    def name(self) -> str:
        """Name of the cluster."""
        return self.decision.cluster

    @property
    def site(self) -> str:
        """Where it stands."""
        return self.decision.site


def standing_clusters(inventory: Inventory, pack: RulePack, decisions: Decisions) -> tuple[StandingCluster, ...]:
    """The clusters of a decision by name, each with its archetypes; equal ones are built once."""
    known: dict[tuple[str, int, tuple[tuple[str, str], ...], str], tuple[Archetype | None, Refusals]] = {}
    stated = {row.cluster: row.witness for row in inventory.clusters}
    result = []
    for decision in sorted(decisions.clusters, key=lambda cluster: cluster.cluster):
        found = []
        site = inventory.site_by_name.get(decision.site)
        witness = stated.get(decision.cluster, "") if decision.existing else ""
        for nodes, layout in zip(decision.nodes, decision.layouts, strict=True):
            key = (decision.node_model, nodes, tuple(sorted(layout.items())), witness)
            if key not in known:
                known[key] = _archetype(inventory, pack, decision.node_model, nodes, layout, witness)
            archetype, _ = known[key]
            here: Refusals = ()
            if archetype is not None and site is not None:
                here = tuple(site_refusals(archetype.topology, site, pack))
            found.append((None, here) if here else known[key])
        result.append(
            StandingCluster(
                decision,
                decision.site if site is None else site.fault_domain,
                tuple(archetype for archetype, _ in found),
                tuple(refusal for _, refusal in found),
            )
        )
    return tuple(result)


def _archetype(
    inventory: Inventory, pack: RulePack, node_model: str, nodes: int, layout: Mapping[str, str], witness: str
) -> tuple[Archetype | None, Refusals]:
    if nodes <= 0:
        return None, ()
    try:
        return archetype_for(inventory, pack, node_model, nodes, layout, witness=witness), ()
    except ArchetypeError as error:
        return None, tuple((refusal.rule, refusal.reason) for refusal in error.refusals)
