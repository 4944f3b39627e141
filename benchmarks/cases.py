"""The fleets that are measured: synthetic ones of six sizes, variants that stress compute and links, the examples."""

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
    distinct : bool
        Whether every amount is drawn for itself, so that no demands are identical, nor in proportion.
    example : str
        Name of a shipped example; synthetic where empty.
    pipeline_s, memory_mb : float or None
        What the whole pipeline may take: time [s], memory [MB].
    has_baseline : bool
        Whether the exact strategy is set beside it.
    """

    name: str
    time_limit_s: float
    target_gap: float
    sites: int = 0
    hubs: int = 0
    kind: Literal["store", "hospital"] = "store"
    storage_scale: float = 1.0
    hub_link_mbps: float = 10_000.0
    distinct: bool = False
    example: str = ""
    pipeline_s: float | None = None
    memory_mb: float | None = None
    has_baseline: bool = True

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
            distinct=self.distinct,
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
#: Fleets for which planning jointly at once is not sensible any more.
LARGE_CASES: tuple[Case, ...] = (
    Case("stores-1000", 180.0, 0.015, 1000, 30),
    Case("stores-1000-distinct", 300.0, 0.04, 1000, 30, distinct=True),
    Case("stores-4000", 420.0, 0.04, 4000, 60, pipeline_s=600.0, memory_mb=4000.0, has_baseline=False),
    Case(
        "stores-4000-distinct",
        420.0,
        0.04,
        4000,
        60,
        distinct=True,
        pipeline_s=600.0,
        memory_mb=4000.0,
        has_baseline=False,
    ),
    Case("stores-10000", 800.0, 1.0, 10_000, 100, pipeline_s=1200.0, memory_mb=6000.0, has_baseline=False),
)


def chosen_cases(names: Sequence[str], cases: Sequence[Case] = CASES) -> tuple[Case, ...]:
    """The named cases in the order of `cases`; all of them where none is named.

    Raises
    ------
    ValueError
        If there is no case of a name.
    """
    known = {case.name for case in cases}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no case {', '.join(unknown)}; there are {', '.join(case.name for case in cases)}")
    return tuple(case for case in cases if not names or case.name in names)
