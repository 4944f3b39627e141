"""Resiliency types: what they need, what they survive, and which share of raw storage holds data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from fleet.errors import FleetError
from fleet.inventory.tables.workloads import TIERS
from fleet.rulepack.facts import RulePack, row_at

#: Media of capacity drives that need a cache in front; clusters of them are called hybrid.
DISK_MEDIA = "hdd"


class LayoutError(FleetError, ValueError):
    """A layout is not written as ``tier=type;tier=type``, or names what does not exist."""

    code = "PLT000"


@dataclass(frozen=True, slots=True)
class ResiliencyType:
    """One way to keep copies of data.

    Attributes
    ----------
    name : str
        Name in layouts.
    minimum_nodes, maximum_nodes : int
        Node counts at which it may be used.
    node_tolerance, drive_tolerance : int
        Losses at once that the data survives; see `data_tolerance` for few nodes.
    minimum_capacity_drives : int
        Capacity drives per node that it needs.
    flash_only : bool
        Whether it is barred from hard disks.
    zones : int
        Zones of a site that its copies are spread over.
    tiers : tuple of str
        Storage tiers that it serves.
    refusal : str
        Why it is not offered; empty where it is.
    """

    name: str
    minimum_nodes: int
    maximum_nodes: int
    node_tolerance: int
    drive_tolerance: int
    minimum_capacity_drives: int = 1
    flash_only: bool = False
    zones: int = 1
    tiers: tuple[str, ...] = TIERS
    refusal: str = ""
    efficiency_rule: str = "fixed"
    fixed_efficiency: float = 1.0
    parity_by_media: Mapping[str, Mapping[str, float]] = field(default_factory=dict, hash=False)
    mirror_share: float = 0.0
    max_parity_drives: int = 1

    def data_tolerance(self, nodes: int) -> int:
        """Node losses at once that the data survives in a cluster of `nodes`."""
        return min(self.node_tolerance, nodes - 1)

    def efficiency(self, nodes: int, media: str, capacity_drives: int = 4) -> float:
        """Share of raw storage that holds data.

        Parameters
        ----------
        nodes : int
            Node count, at which the type must be allowed.
        media : str
            Media of the capacity drives: nvme, ssd or hdd.
        capacity_drives : int
            Capacity drives per node; matters to nested parity only.

        Returns
        -------
        float
            Fraction in (0, 1].

        Notes
        -----
        Dual parity is a table by node count and media. With mirror share *m*, three copies in the mirror and
        parity efficiency *p*, accelerated parity has ``1 / (m / (1/3) + (1 − m) / p)``. Nested parity keeps everything
        on both nodes: ``1 / (2 · (m / (1/2) + (1 − m) · d / (d − 1)))`` with *d* drives per node, at most seven.

        References
        ----------
        Microsoft, azure-local/concepts/fault-tolerance.md and nested-resiliency.md;
        WindowsServerDocs/storage/storage-spaces/plan-volumes.md (02/2025).
        """
        if self.efficiency_rule == "single-parity":
            return (nodes - 1) / nodes
        if self.efficiency_rule == "dual-parity":
            return self._parity(nodes, media)
        if self.efficiency_rule == "mirror-accelerated-parity":
            return 1.0 / (self.mirror_share * 3.0 + (1.0 - self.mirror_share) / self._parity(nodes, media))
        if self.efficiency_rule == "nested-parity":
            drives = min(capacity_drives, self.max_parity_drives)
            parity = drives / (drives - 1) if drives > 1 else float("inf")
            return 1.0 / (2.0 * (self.mirror_share * 2.0 + (1.0 - self.mirror_share) * parity))
        return self.fixed_efficiency

    def _parity(self, nodes: int, media: str) -> float:
        table = self.parity_by_media["hybrid" if media == DISK_MEDIA else "flash"]
        return float(row_at(table, max(nodes, self.minimum_nodes)))


@lru_cache(maxsize=32)
def resiliency_types(pack: RulePack) -> Mapping[str, ResiliencyType]:
    """The catalog of a rule pack, by name."""
    parity = {
        "hybrid": pack.table("resiliency.dual_parity_hybrid"),
        "flash": pack.table("resiliency.dual_parity_flash"),
    }
    return {name: _from_row(name, row, parity, pack) for name, row in pack.table("resiliency.types").items()}


def resiliency_type(name: str, pack: RulePack) -> ResiliencyType:
    """The resiliency type of that name.

    Raises
    ------
    LayoutError
        If the rule pack knows none.
    """
    found = resiliency_types(pack).get(name)
    if found is None:
        known = ", ".join(resiliency_types(pack))
        raise LayoutError(f"no resiliency type is named {name!r} in rule pack {pack.name!r}; known are {known}")
    return found


def _from_row(
    name: str, row: Mapping[str, Any], parity: Mapping[str, Mapping[str, float]], pack: RulePack
) -> ResiliencyType:
    return ResiliencyType(
        name=name,
        minimum_nodes=row["minimum_nodes"],
        maximum_nodes=row["maximum_nodes"],
        node_tolerance=row["node_tolerance"],
        drive_tolerance=row["drive_tolerance"],
        minimum_capacity_drives=row.get("minimum_capacity_drives", 1),
        flash_only=row.get("flash_only", False),
        zones=row.get("zones", 1),
        tiers=tuple(row["tiers"]),
        refusal=row.get("refusal", ""),
        efficiency_rule=row["efficiency_rule"],
        fixed_efficiency=float(row.get("efficiency", 1.0)),
        parity_by_media=parity,
        mirror_share=pack.number("resiliency.mirror_share"),
        max_parity_drives=pack.whole("resiliency.nested_parity_max_drives"),
    )


def default_layout(nodes: int, pack: RulePack) -> dict[str, str]:
    """The layout of volumes as deployment makes them: the default mirror on every tier."""
    mirror = str(pack.row_from("layouts.mirror", nodes))
    return dict.fromkeys(TIERS, mirror)


def zones_of(layout: Mapping[str, str], pack: RulePack) -> int:
    """Zones that a layout spreads copies over: 1 unless its types are rack-aware; unknown types count as 1."""
    types = resiliency_types(pack)
    return max((types[name].zones for name in layout.values() if name in types), default=1)


def parse_layout(text: str, nodes: int, pack: RulePack) -> dict[str, str]:
    """A layout from ``tier=type;tier=type``; a bare type holds for all tiers, unnamed tiers take the default.

    Parameters
    ----------
    text : str
        As in the table of existing clusters; case, spaces and underscores are forgiven.
    nodes : int
        Node count, which decides the default.
    pack : RulePack
        Names of the types.

    Raises
    ------
    LayoutError
        If a tier or type is unknown.

    Examples
    --------
    >>> from fleet.rulepack import load_rulepack
    >>> parse_layout("archive = Dual Parity", 4, load_rulepack("azure-local"))["archive"]
    'dual-parity'
    """
    layout = default_layout(nodes, pack)
    types = resiliency_types(pack)
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        tier, _, name = part.rpartition("=")
        tier, name = tier.strip().lower(), "-".join(name.lower().replace("_", " ").replace("-", " ").split())
        if name not in types:
            raise LayoutError(f"layout {text!r}: no resiliency type is named {name!r}; known are {', '.join(types)}")
        if tier and tier not in TIERS:
            raise LayoutError(f"layout {text!r}: no tier is named {tier!r}; tiers are {', '.join(TIERS)}")
        layout.update(dict.fromkeys([tier] if tier else TIERS, name))
    return layout
