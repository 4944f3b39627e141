"""Figures that other documents state, so that Fleet can say whether they hold."""

from __future__ import annotations

from typing import Literal

from fleet.tables import InputRow, Name, Text, Texts, column

Quantity = Literal["data_tb", "vcpu", "memory_gb", "traffic_mbps", "circuit_mbps", "clusters", "nodes"]

#: What may be stated: unit and meaning. Amounts of workloads are those of today, before growth and copies.
QUANTITIES: dict[Quantity, tuple[str, str]] = {
    "data_tb": ("TB", "data of the workloads"),
    "vcpu": ("vCPU", "virtual processors of the workloads"),
    "memory_gb": ("GiB", "memory of the workloads"),
    "traffic_mbps": ("Mbit/s", "user traffic in each direction"),
    "circuit_mbps": ("Mbit/s", "bandwidth of all circuits of a site"),
    "clusters": ("clusters", "all that open there"),
    "nodes": ("nodes", "of those clusters when they open"),
}


class Figure(InputRow):
    """One figure of another document, about the sites of a kind, one site, or all of them."""

    figure: Name = column(meaning="what the document calls it")
    quantity: Quantity = column(meaning="what it counts")
    value: float = column(unit="see quantity", meaning="what the document states", ge=0)
    parts: Texts = column((), meaning="the parts that it is said to be made of, as numbers")
    site: Text = column("", meaning="the site that it is about")
    kind: Texts = column((), meaning="or the kinds of sites; all sites where both are blank")
    sites: int | None = column(None, unit="sites", meaning="how many of those sites it covers; all where blank", ge=1)
    source: Text = column("", meaning="where it is stated")

    @property
    def unit(self) -> str:
        """Unit of the value."""
        return QUANTITIES[self.quantity][0]

    @property
    def numbers(self) -> tuple[float, ...]:
        """The parts as numbers.

        Raises
        ------
        ValueError
            If one is no number; inventories that were read have only numbers.
        """
        return tuple(float(part) for part in self.parts)
