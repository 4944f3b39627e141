"""How large and how many the volumes of a cluster may be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Literal

from fleet.inventory.tables.workloads import TIERS
from fleet.platform.eligibility import Reason
from fleet.platform.resiliency import resiliency_type
from fleet.rulepack.facts import RulePack
from fleet.tolerances import COUNT_TOLERANCE

#: single = tiers of one resiliency type share volumes; per_tier = every tier has its own.
PoolLayout = Literal["single", "per_tier"]
MIB_PER_TIB = 2.0**20
#: A single node mirrors across its drives: its volumes are limited like those of two nodes.
FEWEST_NODES = 2


def allowed_volumes(pack: RulePack) -> int:
    """Volumes for data that a cluster may have, beside those of the platform."""
    return pack.whole("limits.max_volumes") - pack.whole("volumes.platform")


def fill_limit(pack: RulePack) -> float:
    """Share of a volume at which it raises a warning; volumes are made so large that data stays below."""
    return float(pack.table("alerts").get("volume-warning", {}).get("threshold", 1.0))


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


def volumes_spanned(storage_tb: float, limit_tb: float) -> int:
    """Volumes over which the disks of one instance must be spread so that each part fits on one.

    Examples
    --------
    >>> volumes_spanned(20.0, 15.5), volumes_spanned(15.5, 15.5)
    (2, 1)
    """
    if storage_tb <= 0 or limit_tb <= 0:
        return 1
    return max(1, math.ceil(storage_tb / limit_tb * (1 - COUNT_TOLERANCE)))


def volume_refusals(
    layout: Mapping[str, str],
    efficiency: Mapping[str, float],
    nodes: int,
    pool_tb: float,
    pool: PoolLayout,
    pack: RulePack,
) -> Iterator[Reason]:
    """Why a full pool could not be laid out in the volumes that a cluster may have.

    Parameters
    ----------
    layout, efficiency : mapping
        Resiliency type of each tier, and the share of its footprint that is data.
    nodes : int
        Node count.
    pool_tb : float
        Pool that demands may use, with all copies [TB].
    pool : str
        Whether tiers of one type share volumes.
    pack : RulePack
        Limits of volumes.

    Notes
    -----
    With *P* the pool, *a* the efficiency, *L* the largest volume and *f* its fill, data of one type needs
    ``⌈a · share of P / (f · L)⌉`` volumes. Over *g* groups of volumes that is, however the pool is shared, at most
    ``⌈max(a / L) · P / f⌉ + g − 1``.
    """
    most, worst = allowed_volumes(pack), 0.0
    for tier in TIERS:
        limit = largest_volume_tb(layout[tier], nodes, efficiency[tier], pack)
        if limit <= 0:
            yield "PLT-029", f"{layout[tier]} volumes cannot exist: extent records and margin leave them 0 TB"
            return
        worst = max(worst, efficiency[tier] / limit)
    groups = len(TIERS) if pool == "per_tier" else len(set(layout.values()))
    needed = math.ceil(worst * pool_tb / fill_limit(pack) - COUNT_TOLERANCE) + groups - 1
    if needed > most:
        yield "PLT-029", f"a pool of {pool_tb:,.1f} TB may need {needed} volumes, at most {most} are left for data"
