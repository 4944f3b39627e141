"""What every demand needs in every period, with the mechanism that copies it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.inventory.inventory import Demand, Inventory
from fleet.plan.protection import Floats, stream_mbps
from fleet.quantities import COMPUTE_RESOURCES
from fleet.rulepack import RulePack
from fleet.wan.replication import Mechanism, backup_mbps, choose_mechanism


@dataclass(frozen=True)
class DemandRow:
    """Amounts of one demand: compute (C, T), storage, traffic, stream and backup to a site that is named (T,)."""

    compute: Floats
    storage: Floats
    traffic: Floats
    stream: Floats
    backup: Floats
    mechanism: Mechanism | None


class RowAmounts:
    """Amounts by workload row: demands of one row are alike."""

    def __init__(self, inventory: Inventory, pack: RulePack) -> None:
        self.inventory, self.pack = inventory, pack
        self._known: dict[int, DemandRow] = {}

    def of(self, demand: Demand) -> DemandRow:
        """Amounts of `demand` in every period."""
        known = self._known.get(id(demand.row))
        if known is None:
            known = self._known[id(demand.row)] = self._compute(demand)
        return known

    def _compute(self, demand: Demand) -> DemandRow:
        inventory = self.inventory
        amounts = [inventory.amounts(demand, span.index) for span in inventory.periods]
        mechanism: Mechanism | str | None = None
        if demand.is_protected:
            mechanism = choose_mechanism(demand, inventory.policy, self.pack, inventory.prices)
        stream = np.zeros(len(amounts))
        if isinstance(mechanism, Mechanism):
            stream = stream_mbps(inventory, demand, mechanism)
        return DemandRow(
            compute=np.array([[getattr(row, name) for row in amounts] for name in COMPUTE_RESOURCES]),
            storage=np.array([row.storage_tb for row in amounts]),
            traffic=np.array([row.traffic_mbps for row in amounts]),
            stream=stream,
            backup=np.array([backup_mbps(row.change_gb_per_day, inventory.policy) for row in amounts])
            * demand.row.sends_backups,
            mechanism=mechanism if isinstance(mechanism, Mechanism) else None,
        )
