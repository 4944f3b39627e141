"""Volumes of a cluster: how large one may be, and how many of which size hold its data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fleet.errors import FleetError
from fleet.inventory.tables.workloads import TIERS, Workload
from fleet.platform.archetype import Archetype
from fleet.platform.volume_limits import PoolLayout, allowed_volumes, fill_limit, largest_volume_tb, volumes_spanned
from fleet.quantities import GB_PER_TB, gb_to_tb
from fleet.rulepack.facts import RulePack
from fleet.tolerances import COUNT_TOLERANCE, SIZE_TOLERANCE


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
    smallest multiple of the node count that keeps each within its limit, or, where all together would be more volumes
    than a cluster may have, the smallest number. Sizes are whole gigabytes.
    """
    fill = fill_limit(pack)
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
        groups.append(VolumeGroup(tuple(tiers), name, 0, 0.0, limit, data))
    allowed = allowed_volumes(pack)
    whole = tuple(_counted(group, step, fill) for group in groups)
    if sum(group.count for group in whole) > allowed:
        whole = tuple(_counted(group, 1, fill) for group in groups)
    return VolumePlan(whole, allowed)


def _counted(group: VolumeGroup, step: int, fill: float) -> VolumeGroup:
    """The group with the fewest volumes, a multiple of `step`, that hold its data up to the fill, and their size."""
    needed = group.data_tb / fill
    count = step * max(1, math.ceil(needed / (step * group.limit_tb) - COUNT_TOLERANCE))
    size = math.ceil(needed / count * GB_PER_TB - SIZE_TOLERANCE) / GB_PER_TB
    return replace(group, count=count, size_tb=min(size, group.limit_tb))


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
