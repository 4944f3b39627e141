"""What one node offers to a single instance of a workload, and why an instance cannot run on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.inventory.tables.hardware import NodeModel
from fleet.inventory.tables.workloads import Workload
from fleet.platform.capacity import node_memory_gb
from fleet.platform.eligibility import THREADS_PER_CORE, PlatformRule, Reason, gpu_facts
from fleet.rulepack.facts import RulePack
from fleet.tolerances import FIT_TOLERANCE

#: A GPU column that names one of these asks for programmable logic, not for a GPU.
FPGA = "fpga"
DEVICE, PARTITION = "dda", "partition"

#: What the platform refuses about a workload on a node model.
INSTANCE_RULES = (
    PlatformRule("PLT-024", "instance-size", "an instance of a workload fits on one node", ("limits.max_vm_vcpus",)),
    PlatformRule(
        "PLT-028",
        "accelerator",
        "GPUs are used as the rule pack supports them: listed models, as a whole device or in partitions, no FPGA",
        ("gpu.models", "gpu.allow_unlisted", "fpga.supported"),
    ),
)


@dataclass(frozen=True, slots=True)
class NodeOffer:
    """The most that one instance may have on a node.

    Attributes
    ----------
    node_model : str
        Name of the model.
    vcpus, memory_gb, gpus : float
        Virtual processors, GiB beside what the host keeps, GPUs.
    gpu_model : str
        Model of the GPUs.
    gpu_modes : tuple of str
        How they may be used: ``dda``, ``partition``, both or not at all.
    gpu_answer : str
        Why a mode is missing, in words.
    """

    node_model: str
    vcpus: float
    memory_gb: float
    gpus: float
    gpu_model: str
    gpu_modes: tuple[str, ...]
    gpu_answer: str


def node_offer(model: NodeModel, pack: RulePack) -> NodeOffer:
    """What a node of `model` offers to one instance.

    A virtual machine lives on one host: it has at most as many virtual processors as the host has logical ones, and
    the memory and GPUs that the host does not keep for itself.
    """
    modes, answer = _gpu_modes(model, pack)
    return NodeOffer(
        node_model=model.node_model,
        vcpus=min(pack.number("limits.max_vm_vcpus"), THREADS_PER_CORE * model.cores),
        memory_gb=node_memory_gb(model, pack),
        gpus=model.gpus,
        gpu_model=model.gpu_model,
        gpu_modes=modes,
        gpu_answer=answer,
    )


def _gpu_modes(model: NodeModel, pack: RulePack) -> tuple[tuple[str, ...], str]:
    if FPGA in model.gpu_model.lower():
        if pack.flag("fpga.supported"):
            return (DEVICE,), "an FPGA is passed through whole"
        return (), f"rule pack {pack.name!r} knows no support for FPGAs"
    if not model.gpu_model:
        return (DEVICE, PARTITION), ""
    facts = gpu_facts(model, pack)
    if facts is None:
        if pack.flag("gpu.allow_unlisted"):
            return (DEVICE,), f"{model.gpu_model!r} is not listed: whole devices only"
        return (), f"GPU {model.gpu_model!r} is not on the list of rule pack {pack.name!r}"
    names = ((DEVICE, "device"), (PARTITION, "partition"))
    modes = tuple(mode for mode, column in names if facts[column])
    return modes, f"GPU {model.gpu_model!r} supports {' and '.join(modes) or 'neither whole devices nor partitions'}"


def instance_refusals(row: Workload, offer: NodeOffer) -> Iterator[Reason]:
    """Why one instance of a workload cannot run on a node, however many nodes there are."""
    who = f"an instance of {row.workload!r}"
    if row.vcpus > offer.vcpus * (1 + FIT_TOLERANCE):
        yield "PLT-024", f"{who} has {row.vcpus:g} vCPU, a node of {offer.node_model} runs at most {offer.vcpus:g}"
    if row.memory_gb > offer.memory_gb * (1 + FIT_TOLERANCE):
        yield "PLT-024", f"{who} has {row.memory_gb:g} GiB, a node of {offer.node_model} offers {offer.memory_gb:g} GiB"
    if row.gpus <= 0 or offer.gpus <= 0:
        return
    if row.gpus > offer.gpus * (1 + FIT_TOLERANCE):
        yield "PLT-024", f"{who} has {row.gpus:g} GPUs, a node of {offer.node_model} has {offer.gpus:g}"
    if row.gpu_mode not in offer.gpu_modes:
        yield "PLT-028", f"{who} asks for GPUs by {row.gpu_mode} on {offer.node_model}: {offer.gpu_answer}"
