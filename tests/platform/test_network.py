"""Networks of one cluster against the published port counts, subnets and bandwidth table.

Sources: azure-local/plan/cloud-deployment-network-considerations.md, four-node-switchless-two-switches-two-links.md,
azure-local/concepts/host-network-requirements.md (table "Traffic bandwidth allocation").
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleet.inventory.tables.policy import Policy
from fleet.plan.costs import Rates
from fleet.platform.network import NetworkDesign, network_design
from fleet.rulepack import RulePack, load_rulepack
from tests.builders import a_node_model, an_inventory

PACK = load_rulepack("azure-local")


def a_design(
    nodes: int, pack: RulePack = PACK, *, grows: bool = False, nic: float = 25.0, **policy: Any
) -> NetworkDesign:
    model = a_node_model(nic_gbps=nic, nic_ports=8)
    return network_design(model, nodes, Policy(**policy), pack, grows=grows)


def bandwidth(design: NetworkDesign) -> dict[str, float]:
    return {segment.name: segment.gbps for segment in design.segments}


@pytest.mark.parametrize(
    ("nic", "storage", "migration", "heartbeat"),
    [(25, 17.5, 7.25, 0.25), (40, 28, 11.6, 0.4), (50, 35, 14.5, 0.5), (100, 70, 29, 1), (200, 140, 58, 2)],
)
def test_published_bandwidth_of_converged_ports(nic: float, storage: float, migration: float, heartbeat: float) -> None:
    found = bandwidth(a_design(4, nic=nic))
    assert found == pytest.approx(
        {"management and compute": nic, "storage": storage, "live migration": migration, "heartbeat": heartbeat}
    )
    assert sum(found.values()) == pytest.approx(2 * nic)


def test_ten_gigabit_ports_keep_two_hundred_megabits_for_the_heartbeat_and_compress_live_migration() -> None:
    design = a_design(4, nic=10.0)
    assert bandwidth(design)["heartbeat"] == pytest.approx(0.2)
    assert bandwidth(design)["storage"] == pytest.approx(7.0)
    notes = {segment.name: segment.note for segment in design.segments}
    assert "compression" in notes["live migration"]
    assert "RDMA" in {segment.name: segment.note for segment in a_design(4, nic=25.0).segments}["live migration"]


def test_one_converged_intent_or_two_separate_ones() -> None:
    converged = a_design(3)
    assert (converged.storage, converged.is_converged, converged.ports, converged.switch_ports) == (
        "switched", True, 2, 2,
    )  # fmt: skip
    assert converged.intents[0].traffic == ("management", "compute", "storage")
    assert converged.intents[0].rdma == "required"
    separate = a_design(3, converged=False)
    assert [intent.traffic for intent in separate.intents] == [("management", "compute"), ("storage",)]
    assert (separate.ports, separate.switch_ports, separate.is_converged) == (4, 4, False)
    assert separate.storage_gbps == pytest.approx(50 * 0.7)


@pytest.mark.parametrize(("nodes", "ports", "subnets"), [(2, 2, 2), (3, 4, 6)])
def test_switchless_ports_and_subnets(nodes: int, ports: int, subnets: int) -> None:
    design = a_design(nodes, storage_switch=False)
    assert (design.storage, design.is_converged) == ("switchless", False)
    assert {intent.name: intent.ports for intent in design.intents} == {"management and compute": 2, "storage": ports}
    assert (design.storage_links, design.switch_ports) == (subnets, 2)
    assert design.intents[-1].rdma == "recommended"


def test_four_nodes_without_a_switch_are_a_switch_of_the_pack(tmp_path: Path) -> None:
    needed = a_design(4, storage_switch=False)
    assert needed.storage == "switched"
    assert needed.warnings == ("4 nodes need a storage switch: at most 3 are cabled directly",)
    path = tmp_path / "template.toml"
    path.write_text(
        '[pack]\nname = "template"\ndate = 2026-09-01\nextends = "azure-local"\nstatement = "By template."\n'
        '[network.switchless_max_nodes]\nvalue = 4\nunit = "nodes"\nsource = "four-node-switchless"\n'
        'date = 2026-06-01\nstatement = "Four."\n',
        encoding="utf-8",
    )
    design = a_design(4, load_rulepack(str(path)), storage_switch=False)
    # Published: six RDMA ports per node and twelve subnets.
    assert (design.storage, design.intents[-1].ports, design.storage_links) == ("switchless", 6, 12)


def test_what_grows_needs_a_switch() -> None:
    design = a_design(3, storage_switch=False, grows=True)
    assert design.storage == "switched"
    assert "direct cables do not grow" in design.warnings[0]


@pytest.mark.parametrize("switch", [True, False])
def test_a_single_node_has_no_storage_network(switch: bool) -> None:
    design = a_design(1, storage_switch=switch)
    assert (design.storage, design.storage_networks, design.storage_links, design.ports) == ("none", 0, 0, 2)
    assert (design.storage_gbps, design.warnings) == (0, ())


def test_too_few_ports_are_told() -> None:
    model = a_node_model(nic_ports=2)
    assert network_design(model, 3, Policy(), PACK).warnings == ()
    (warning,) = network_design(model, 3, Policy(converged=False), PACK).warnings
    assert warning == "4 ports per node are needed, std has 2"
    cabled = network_design(model, 3, Policy(storage_switch=False), PACK)
    assert cabled.storage == "switched"
    assert cabled.warnings == ("direct cables need 6 ports per node, std has 2",)


def test_the_training_text_asks_for_networks_of_their_own() -> None:
    design = a_design(4, load_rulepack("deep-dive"))
    assert [intent.name for intent in design.intents] == ["converged", "cluster", "management"]
    assert design.ports == 5
    assert design.intents[0].traffic == ("compute", "storage")


#: Node counts over time, zones; switch ports of a node without storage switches by policy, with them, and with networks
#: apart.
PORTS = [
    ((1,), 1, (2, 2, 2)),
    ((2,), 1, (2, 2, 4)),
    ((3, 3), 1, (2, 2, 4)),
    ((4,), 1, (4, 2, 4)),
    ((0, 5, 5), 1, (4, 2, 4)),
    ((2, 3), 1, (4, 2, 4)),
    ((1, 2), 1, (4, 2, 4)),
    ((4, 4), 2, (4, 4, 4)),
]


@pytest.mark.parametrize(("counts", "zones", "ports"), PORTS)
def test_costs_count_the_switch_ports_of_the_design(
    counts: tuple[int, ...], zones: int, ports: tuple[int, int, int]
) -> None:
    model = a_node_model(nic_ports=6)
    policies = ({"storage_switch": False}, {}, {"converged": False})
    for policy, expected in zip(policies, ports, strict=True):
        inventory = an_inventory(hardware=[model], prices={"switch_port": 300.0}, **policy)
        rates = Rates(inventory, PACK)
        assert rates.switch_ports_purchase("std", counts, zones) == 300.0 * expected
        design = network_design(
            model, max(counts), inventory.policy, PACK, grows=len(set(counts) - {0}) > 1, zones=zones
        )
        assert design.switch_ports == expected


def test_a_storage_switch_where_none_is_wanted_keeps_storage_on_ports_of_its_own() -> None:
    """Five nodes need a switch; two ports of each for the front and two for storage, where there are four."""
    design = a_design(5, storage_switch=False)
    assert [(intent.name, intent.ports) for intent in design.intents] == [
        ("management and compute", 2), ("storage", 2),
    ]  # fmt: skip
    assert (design.storage, design.ports, design.switch_ports) == ("switched", 4, 4)
    shared = network_design(a_node_model(nic_ports=2), 5, Policy(storage_switch=False), PACK)
    assert (shared.is_converged, shared.ports) == (True, 2)


#: nodes, port speed, ports of a node: storage between the zones. Source: rack-aware-cluster-requirements.md, 20 to 200.
ZONE_LINKS = [(2, 10.0, 20.0), (4, 25.0, 100.0), (6, 25.0, 150.0), (8, 25.0, 200.0)]


@pytest.mark.parametrize(("nodes", "gbps", "between"), ZONE_LINKS)
def test_zones_are_joined_by_links_of_their_own(nodes: int, gbps: float, between: float) -> None:
    model = a_node_model(nic_gbps=gbps, nic_ports=4)
    design = network_design(model, nodes, Policy(), PACK, zones=2)
    assert design.zone_gbps == between
    assert (design.storage, design.is_converged) == ("switched", False)
    assert [(intent.name, intent.rdma) for intent in design.intents] == [
        ("management and compute", ""), ("storage", "required"),
    ]  # fmt: skip
    direct = network_design(model, nodes, Policy(storage_switch=False), PACK, zones=2)
    assert (direct.storage, direct.warnings) == (
        "switched", ("a rack-aware cluster needs storage switches in each of its zones",),
    )  # fmt: skip
    assert network_design(model, nodes, Policy(), PACK).zone_gbps == 0.0
