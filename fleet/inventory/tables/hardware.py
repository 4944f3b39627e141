"""The hardware catalog and the clusters that stand already."""

from __future__ import annotations

import datetime
from typing import Literal

from fleet.tables import InputRow, Name, Text, YesNo, column


class NodeModel(InputRow):
    """One orderable server configuration. All nodes of a cluster are of one model."""

    node_model: Name = column(meaning="unique name of the model")
    cores: int = column(unit="cores", meaning="physical cores per node", ge=1)
    memory_gb: float = column(unit="GiB", meaning="memory per node", gt=0)
    capacity_drives: int = column(meaning="capacity drives per node", ge=1)
    capacity_drive_tb: float = column(unit="TB", meaning="size of one capacity drive", gt=0)
    capacity_media: Literal["nvme", "ssd", "hdd"] = column("nvme", meaning="media of the capacity drives")
    cache_drives: int = column(0, meaning="cache drives per node", ge=0)
    cache_drive_tb: float = column(0.0, unit="TB", meaning="size of one cache drive", ge=0)
    gpu_model: Text = column("", meaning="model of the GPUs")
    gpus: int = column(0, meaning="GPUs per node", ge=0)
    nic_gbps: float = column(25.0, unit="Gbit/s", meaning="speed of one storage port", gt=0)
    nic_ports: int = column(4, meaning="network ports per node", ge=1)
    price: float = column(unit="currency", meaning="purchase price per node", ge=0)
    annual_support: float = column(0.0, unit="currency/year", meaning="support per node", ge=0)
    watts: float = column(0.0, unit="W", meaning="power draw per node", ge=0)
    rack_units: float = column(2.0, unit="U", meaning="height per node", ge=0)
    min_nodes: int = column(1, meaning="fewest nodes in a cluster of this model", ge=1)
    max_nodes: int = column(16, meaning="most nodes in a cluster of this model", ge=1)


class ExistingCluster(InputRow):
    """A cluster that stands already. `keep` = no lets the plan retire it at `cost_to_retire`."""

    cluster: Name = column(meaning="unique name of the cluster")
    site: Name = column(meaning="where it stands")
    node_model: Name = column(meaning="model of its nodes")
    nodes: int = column(meaning="nodes it has", ge=1)
    layout: Text = column("", meaning="resiliency types, tier=type;tier=type; the default layout where blank")
    witness: Text = column("", meaning="cloud, file_share or none; the rule's choice where blank")
    storage_switch: YesNo | None = column(
        None, meaning="are its nodes joined over storage switches; as the policy says where blank"
    )
    purchased: datetime.date | None = column(None, meaning="ISO date of purchase; residual value by policy from it")
    address_block: Text = column("", meaning="its block of the address space; chosen where blank")
    first_vlan: int | None = column(None, meaning="first of its VLAN numbers; chosen where blank", ge=2, le=4094)
    keep: YesNo = column(True, meaning="must it stay")
    cost_to_retire: float = column(0.0, unit="currency", meaning="paid when it is retired", ge=0)
