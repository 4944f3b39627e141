"""The fleets that are measured: synthetic ones of three sizes, variants that stress compute and links, the examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fleet.exchange.examples import example_folder
from fleet.exchange.readers import read
from fleet.inventory.inventory import Inventory
from fleet.inventory.synthetic import synthetic

#: Storage of the compute-heavy variants: the shared reserve binds instead of the pool.
COMPUTE_HEAVY = 0.2
#: Backbone bandwidth that failures overload [Mbit/s].
NARROW_MBPS = 150.0


@dataclass(frozen=True)
class Case:
    """One fleet with the time that it is given and the gap that it should reach.

    Attributes
    ----------
    time_limit_s, target_gap : float
        Solve time [s], and the relative gap wanted at its end.
    example : str
        Name of a shipped example; synthetic where empty.
    """

    name: str
    time_limit_s: float
    target_gap: float
    sites: int = 0
    hubs: int = 0
    kind: Literal["store", "hospital"] = "store"
    storage_scale: float = 1.0
    hub_link_mbps: float = 10_000.0
    example: str = ""

    def make(self, seed: int) -> Inventory:
        """The synthetic fleet of that seed, or the example."""
        if self.example:
            return read(example_folder(self.example))
        return synthetic(
            self.sites,
            self.hubs,
            seed,
            self.kind,
            storage_scale=self.storage_scale,
            hub_link_mbps=self.hub_link_mbps,
        )


CASES: tuple[Case, ...] = (
    Case("stores-60", 60.0, 0.005, 60, 8),
    Case("stores-60-compute", 60.0, 0.005, 60, 8, storage_scale=COMPUTE_HEAVY),
    Case("stores-60-links", 60.0, 0.005, 60, 8, hub_link_mbps=NARROW_MBPS),
    Case("stores-250", 120.0, 0.03, 250, 12),
    Case("stores-250-compute", 120.0, 0.03, 250, 12, storage_scale=COMPUTE_HEAVY),
    Case("hospitals-120", 120.0, 0.01, 120, 15, "hospital"),
    Case("hospitals-120-compute", 120.0, 0.01, 120, 15, "hospital", storage_scale=COMPUTE_HEAVY),
    Case("retail", 300.0, 0.03, example="retail"),
    Case("healthcare", 300.0, 0.03, example="healthcare"),
)


def chosen_cases(names: Sequence[str]) -> tuple[Case, ...]:
    """The named cases in the order of `CASES`; all of them where none is named.

    Raises
    ------
    ValueError
        If there is no case of a name.
    """
    known = {case.name for case in CASES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no case {', '.join(unknown)}; there are {', '.join(case.name for case in CASES)}")
    return tuple(case for case in CASES if not names or case.name in names)
