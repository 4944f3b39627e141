"""Volumes of a cluster: how large one may be, and how many of which size hold its data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from fleet.errors import FleetError
from fleet.inventory.workloads import TIERS, Workload
from fleet.platform.archetypes import Archetype
from fleet.platform.resiliency import resiliency_type
from fleet.quantities import GB_PER_TB, gb_to_tb
from fleet.rulepack.facts import RulePack

#: single = tiers of one resiliency type share volumes; per_tier = every tier has its own.
PoolLayout = Literal["single", "per_tier"]
MIB_PER_TIB = 2.0**20
#: A single node mirrors across its drives: its volumes are limited like those of two nodes.
FEWEST_NODES = 2


class VolumeError(FleetError, ValueError):
    """The facts of a rule pack leave volumes no size."""

    code = "PLT000"


@dataclass(frozen=True, slots=True)
class VolumeGroup:
    """Alike volumes of a cluster.

    Attributes
    ----------
    tiers : tuple of str
        Storage tiers whose data they hold.
    resiliency : str
        Their resiliency type.
    count : int
        How many there are.
    size_tb : float
        Size of each, thinly provisioned [TB].
    limit_tb : float
        The largest that one may be [TB].
    data_tb : float
        Data that all of them hold together, before copies [TB].
    """

    tiers: tuple[str, ...]
    resiliency: str
    count: int
    size_tb: float
    limit_tb: float
    data_tb: float


@dataclass(frozen=True, slots=True)
class VolumePlan:
    """All volumes for data of a cluster, and how many it may have beside those of the platform."""

    groups: tuple[VolumeGroup, ...]
    allowed: int

    @property
    def count(self) -> int:
        """Number of volumes."""
        return sum(group.count for group in self.groups)

    @property
    def is_allowed(self) -> bool:
        """Whether a cluster may have so many volumes."""
        return self.count <= self.allowed


def largest_volume_tb(resiliency: str, nodes: int, efficiency: float, pack: RulePack) -> float:
    """The largest volume of a resiliency type [TB].

    Parameters
    ----------
    resiliency : str
        Name of the type.
    nodes : int
        Node count of the cluster.
    efficiency : float
        Share of the type's footprint that is data; its inverse counts as copies.
    pack : RulePack
        Extent records, their size, the margin, and the limit of any volume.

    Returns
    -------
    float
        Not below 0.

    Raises
    ------
    LayoutError
        If the rule pack knows no such type.

    Notes
    -----
    With *e* extent records per node of *m* MiB, *n* nodes and *c* copies, half of the records count:
    ``min(limit, e · m · n / (2 · c · 2²⁰)) − margin``. One node counts as two. In a rack-aware cluster every node of a
    zone holds the same as its partner, so *n / c* counts as one.

    References
    ----------
    Azure/odinforazurelocal s2d-calc/s2d-calc.js v0.23.01 (08/2026);
    Microsoft, WindowsServerDocs/storage/storage-spaces/plan-volumes.md (02/2025).
    """
    kind = resiliency_type(resiliency, pack)
    share = 1.0 if kind.zones > 1 else max(nodes, FEWEST_NODES) * efficiency
    records = pack.whole("volumes.extents_per_node") * pack.number("volumes.extent_mib") / (2.0 * MIB_PER_TIB)
    covered = min(pack.number("limits.max_volume_tb"), records * share)
    return max(0.0, covered - pack.number("volumes.margin_tb"))


def volume_plan(
    archetype: Archetype, data_tb: Mapping[str, float], pool_layout: PoolLayout, pack: RulePack
) -> VolumePlan:
    """Lay out the volumes that hold the data of a cluster.

    Parameters
    ----------
    archetype : Archetype
        The cluster.
    data_tb : mapping
        Data of each tier before copies, standby copies included [TB]; tiers without data need no volume.
    pool_layout : str
        ``single``: tiers of one resiliency type share volumes. ``per_tier``: every tier has volumes of its own.
    pack : RulePack
        Limits, and the fill from which volumes raise a warning.

    Returns
    -------
    VolumePlan
        Groups in the order of their tiers.

    Raises
    ------
    VolumeError
        If the rule pack leaves no size at all.

    Notes
    -----
    Volumes are so large that their data stays at the fill from which they raise a warning; their number is the
    smallest multiple of the node count that keeps each within its limit. Sizes are whole gigabytes.
    """
    fill = float(pack.table("alerts").get("volume-warning", {}).get("threshold", 1.0))
    together: dict[tuple[str, str], list[str]] = {}
    for tier in TIERS:
        if data_tb.get(tier, 0.0) > 0:
            key = (archetype.layout[tier], tier if pool_layout == "per_tier" else "")
            together.setdefault(key, []).append(tier)
    step = archetype.nodes if pack.flag("volumes.whole_multiple") else 1
    groups = []
    for (name, _), tiers in together.items():
        limit = largest_volume_tb(name, archetype.nodes, archetype.efficiency[tiers[0]], pack)
        data = sum(data_tb[tier] for tier in tiers)
        if limit <= 0:
            raise VolumeError(f"{name} volumes cannot exist: extent records and margin of the rule pack leave 0 TB")
        count = step * max(1, math.ceil(data / fill / (step * limit) - 1e-9))
        size = math.ceil(data / fill / count * GB_PER_TB - 1e-6) / GB_PER_TB
        groups.append(VolumeGroup(tuple(tiers), name, count, min(size, limit), limit, data))
    return VolumePlan(tuple(groups), pack.whole("limits.max_volumes") - pack.whole("volumes.platform"))


@dataclass(frozen=True, slots=True)
class Span:
    """An instance of a workload whose data is larger than the largest volume.

    Attributes
    ----------
    workload : str
        Name of the workload.
    storage_tb : float
        Data of one instance, in all its disks [TB].
    volumes : int
        Volumes that its disks are spread over.
    limit_tb : float
        The largest volume [TB].
    """

    workload: str
    storage_tb: float
    volumes: int
    limit_tb: float

    def __str__(self) -> str:
        return (
            f"an instance of {self.workload!r} has {self.storage_tb:,.1f} TB, a volume at most {self.limit_tb:,.1f}: "
            f"spread its disks over {self.volumes} volumes"
        )


def spans(
    archetype: Archetype, rows: Iterable[Workload], pack: RulePack, factors: Mapping[str, float] | None = None
) -> tuple[Span, ...]:
    """Workloads of which one instance is larger than the largest volume of its tier on an archetype.

    Parameters
    ----------
    archetype : Archetype
        The cluster.
    rows : iterable of Workload
        Whose instances it runs.
    pack : RulePack
        Limits of volumes.
    factors : mapping, optional
        By how much the data of a workload has grown; 1 where not given.
    """
    limits = {
        tier: largest_volume_tb(kind, archetype.nodes, archetype.efficiency[tier], pack)
        for tier, kind in archetype.layout.items()
    }
    found = []
    for row in rows:
        storage_tb = gb_to_tb(row.storage_gb) * (factors or {}).get(row.workload, 1.0)
        volumes = volumes_spanned(storage_tb, limits[row.tier])
        if volumes > 1:
            found.append(Span(row.workload, storage_tb, volumes, limits[row.tier]))
    return tuple(found)


def volumes_spanned(storage_tb: float, limit_tb: float) -> int:
    """Volumes over which the disks of one instance must be spread so that each part fits on one.

    Examples
    --------
    >>> volumes_spanned(20.0, 15.5), volumes_spanned(15.5, 15.5)
    (2, 1)
    """
    if storage_tb <= 0 or limit_tb <= 0:
        return 1
    return max(1, math.ceil(storage_tb / limit_tb * (1 - 1e-9)))
