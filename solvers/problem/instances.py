"""The virtual machines of demands, and the node models on which they cannot run."""

from __future__ import annotations

from fleet.inventory.inventory import Demand, Inventory
from fleet.inventory.tables.workloads import Workload
from fleet.platform.instances import instance_refusals, node_offer
from fleet.platform.machines import machine_of, room_of
from fleet.rulepack import RulePack
from solvers.problem.sets import Instances


class InstancesOfDemands:
    """Answers by workload row, as demands of one row are alike."""

    def __init__(self, inventory: Inventory, pack: RulePack) -> None:
        self.inventory = inventory
        self._offers = [node_offer(model, pack) for model in inventory.hardware]
        self._rooms = [(model.node_model, room_of(model, inventory.policy, pack)) for model in inventory.hardware]
        self._instances: dict[int, Instances] = {}
        self._refusing: dict[int, tuple[str, ...]] = {}
        self._full: dict[int, tuple[tuple[str, ...], ...]] = {}

    def of(self, demand: Demand) -> Instances:
        """The virtual machines of a demand."""
        known = self._instances.get(id(demand.row))
        if known is None:
            policy, factors = self.inventory.policy, self.inventory.growth_factors(demand)
            sizes = tuple(machine_of(demand.row, factor, policy) if factor > 0 else None for factor in factors)
            known = self._instances[id(demand.row)] = Instances(sizes, demand.row.count, demand.has_standby)
        return known

    def refusing(self, row: Workload) -> tuple[str, ...]:
        """The node models on which no instance of a workload can run."""
        known = self._refusing.get(id(row))
        if known is None:
            known = tuple(offer.node_model for offer in self._offers if any(instance_refusals(row, offer)))
            self._refusing[id(row)] = known
        return known

    def full(self, demand: Demand) -> tuple[tuple[str, ...], ...]:
        """Per period, the node models of which a node has no room for one instance as large as it is then."""
        known = self._full.get(id(demand.row))
        if known is None:
            known = self._full[id(demand.row)] = tuple(
                () if machine is None else tuple(model for model, room in self._rooms if not room.takes(machine))
                for machine in self.of(demand).sizes
            )
        return known
