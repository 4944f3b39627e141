"""Virtual machines and the hosts that they need: an instance runs on one node, so capacity is more than a sum."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.workloads import Workload
from fleet.platform.capacity import node_memory_gb, node_vcpus
from fleet.platform.instances import PARTITION
from fleet.rulepack.facts import RulePack
from fleet.tolerances import FIT_TOLERANCE


@dataclass(frozen=True, slots=True, order=True)
class Machine:
    """What one virtual machine takes of its host.

    Attributes
    ----------
    vcpus, memory_gb : float
        vCPU at the policy's ratio, and GiB.
    gpus : int
        Whole GPUs.
    per_gpu : int
        Where it has a partition of a GPU, how many such machines share one; 0 where it has none.

    References
    ----------
    Microsoft, azure-local/manage/gpu-preparation.md (02/2026), gpu-manage-via-partitioning.md (04/2025): a GPU is
    passed through whole or cut into equal partitions, and a machine has one partition.
    """

    vcpus: float
    memory_gb: float
    gpus: int = 0
    per_gpu: int = 0

    @property
    def gpu(self) -> float:
        """GPUs and the share of one, at the least."""
        return self.gpus + (1.0 / self.per_gpu if self.per_gpu else 0.0)

    @property
    def amounts(self) -> tuple[float, float, float]:
        """vCPU, GiB, GPUs."""
        return self.vcpus, self.memory_gb, self.gpu

    def holds(self, other: Machine) -> bool:
        """Whether wherever this one runs the other could run instead."""
        shares = self.per_gpu == other.per_gpu or not other.per_gpu
        return self.vcpus >= other.vcpus and self.memory_gb >= other.memory_gb and self.gpus >= other.gpus and shares

    def __str__(self) -> str:
        gpu = f", {self.gpus:g} GPUs" if self.gpus else f", 1/{self.per_gpu} GPU" if self.per_gpu else ""
        return f"{self.vcpus:.4g} vCPU, {self.memory_gb:.4g} GiB{gpu}"


@dataclass(frozen=True, slots=True)
class Room:
    """What one node has for machines: vCPU at the policy's ratio, GiB, GPUs, beside what the host keeps."""

    vcpus: float
    memory_gb: float
    gpus: int

    @property
    def limits(self) -> tuple[float, float, float]:
        """What machines on it may have together, with the tolerance of limits: vCPU, GiB, GPUs."""
        vcpus, memory_gb = (amount + FIT_TOLERANCE * max(1.0, amount) for amount in (self.vcpus, self.memory_gb))
        return vcpus, memory_gb, float(self.gpus)

    def takes(self, machine: Machine) -> bool:
        """Whether a machine alone on the node has room."""
        return all(amount <= limit for amount, limit in zip(machine.amounts, self.limits, strict=True))

    def __str__(self) -> str:
        return f"{self.vcpus:.4g} vCPU, {self.memory_gb:.4g} GiB" + (f", {self.gpus} GPUs" if self.gpus else "")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The nodes of a cluster, as machines find them.

    Attributes
    ----------
    room : Room
        What each has.
    left, every : int
        Nodes without those that are kept free, and all of them.
    platform : Machine
        The platform's own machine, which runs once in the cluster.
    """

    room: Room
    left: int
    every: int
    platform: Machine


def room_of(model: NodeModel, policy: Policy, pack: RulePack) -> Room:
    """What one node of a model has for machines."""
    return Room(node_vcpus(model, policy, pack), node_memory_gb(model, pack), model.gpus)


def hosts_of(model: NodeModel, nodes: int, free: int, policy: Policy, pack: RulePack) -> Hosts:
    """What a cluster of so many nodes, some of them kept free, offers to machines.

    A node is offered in full: `max_utilization` limits the sum over a cluster, not what may be put on one node.
    """
    return Hosts(
        room=room_of(model, policy, pack),
        left=nodes - free,
        every=nodes,
        platform=Machine(pack.number("host.platform_vcpus"), pack.number("host.platform_memory_gb")),
    )


def machine_of(row: Workload, factor: float, policy: Policy) -> Machine:
    """One instance of a workload whose amounts have grown by `factor`; GPUs do not grow.

    Examples
    --------
    >>> row = Workload(workload="w", site="a", vcpus=4, memory_gb=16, storage_gb=1, gpus=0.3, gpu_mode="partition")
    >>> machine_of(row, 2.0, Policy())
    Machine(vcpus=8.0, memory_gb=32.0, gpus=0, per_gpu=3)
    """
    ratio = policy.vcpu_per_core / (row.vcpu_per_core or policy.vcpu_per_core)
    is_part = row.gpu_mode == PARTITION and 0 < row.gpus < 1
    return Machine(
        vcpus=row.vcpus * ratio * factor,
        memory_gb=row.memory_gb * factor,
        gpus=0 if is_part else math.ceil(row.gpus - FIT_TOLERANCE),
        per_gpu=math.floor(1.0 / row.gpus + FIT_TOLERANCE) if is_part else 0,
    )
