"""Quorum: how many nodes a cluster may lose at once, and which witness it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from fleet.rulepack.facts import RulePack

WitnessType = Literal["cloud", "file_share", "none"]
NO_WITNESS: WitnessType = "none"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Node losses at once that each part of a cluster survives."""

    data: int
    cluster_quorum: int
    pool_quorum: int

    @property
    def nodes(self) -> int:
        """Node losses at once that the cluster survives: the weakest of the three."""
        return min(self.data, self.cluster_quorum, self.pool_quorum)

    @property
    def weakest(self) -> str:
        """What limits the tolerance."""
        if self.data == self.nodes:
            return "data"
        return "cluster quorum" if self.cluster_quorum == self.nodes else "pool quorum"


def node_tolerance(nodes: int, has_witness: bool, data_tolerance: int, pack: RulePack) -> Tolerance:
    """How many nodes a cluster may lose at once with its workloads staying up.

    Parameters
    ----------
    nodes : int
        Node count, at least 1.
    has_witness : bool
        Whether a witness votes.
    data_tolerance : int
        Node losses that the data survives, the least over all tiers.
    pack : RulePack
        Published tables of cluster and pool quorum.

    References
    ----------
    Microsoft, WindowsServerDocs/storage/storage-spaces/quorum.md (02/2024).
    """
    column = "with_witness" if has_witness else "without_witness"
    ceiling = pack.whole("quorum.max_node_failures")
    cluster = min(ceiling, pack.row_from("quorum.cluster", nodes)[column])
    pool = min(ceiling, pack.row_from("quorum.pool", nodes)[column]) if pack.flag("quorum.pool_counts") else cluster
    return Tolerance(data_tolerance, cluster, pool)


def choose_witness(nodes: int, internet: bool, pack: RulePack) -> WitnessType:
    """The witness that the rules set up: none where none is required or recommended.

    Parameters
    ----------
    nodes : int
        Node count.
    internet : bool
        Whether the site reaches the internet.
    pack : RulePack
        Witness rules.
    """
    if not has_witness(nodes, pack):
        return "none"
    return cast("WitnessType", pack.text("witness.with_internet" if internet else "witness.without_internet"))


def has_witness(nodes: int, pack: RulePack) -> bool:
    """Whether the rules set up a witness at this node count."""
    return has_to_vote(nodes, pack) or pack.row_from("witness.rule", nodes) == "recommended"


def has_to_vote(nodes: int, pack: RulePack) -> bool:
    """Whether the rules require a witness at this node count."""
    return bool(nodes) and pack.row_from("witness.rule", nodes) == "required"
