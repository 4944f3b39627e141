"""What demands need in every period, as arrays; demands of one row of table workloads are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.inventory.inventory import Demand, Inventory
from fleet.wan.replication import Mechanism, backup_mbps, required_mbps
from solvers.linear.model import Floats


@dataclass(frozen=True)
class Amounts:
    """What one demand needs.

    Attributes
    ----------
    compute : array (T, 3)
        vcpu, memory_gb, gpu.
    storage_tb : array (T,)
        Data, before copies [TB].
    traffic_mbps, stream_mbps, backup_mbps : array (T,)
        User traffic in each direction, replication to any copy, backups to a site that is named [Mbit/s].
    """

    compute: Floats
    storage_tb: Floats
    traffic_mbps: Floats
    stream_mbps: Floats
    backup_mbps: Floats


class AmountsByRow:
    """Amounts of demands, each row worked out once."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self._known: dict[int, Amounts] = {}

    def of(self, demand: Demand, mechanism: Mechanism | None) -> Amounts:
        """What `demand`, whose copy is kept by `mechanism` if there is one, needs in every period."""
        known = self._known.get(id(demand.row))
        if known is None:
            known = self._known[id(demand.row)] = self._work_out(demand, mechanism)
        return known

    def _work_out(self, demand: Demand, mechanism: Mechanism | None) -> Amounts:
        inventory, policy = self.inventory, self.inventory.policy
        every = [inventory.amounts(demand, period) for period in range(len(inventory.periods))]
        rpo = demand.row.rpo_minutes or 0.0
        streams = [
            0.0 if mechanism is None else required_mbps(row.change_gb_per_day, rpo, mechanism, policy) for row in every
        ]
        backups = [backup_mbps(row.change_gb_per_day, policy) * demand.row.sends_backups for row in every]
        return Amounts(
            compute=np.array([(row.vcpu, row.memory_gb, row.gpu) for row in every]),
            storage_tb=np.array([row.storage_tb for row in every]),
            traffic_mbps=np.array([row.traffic_mbps for row in every]),
            stream_mbps=np.array(streams),
            backup_mbps=np.array(backups),
        )
