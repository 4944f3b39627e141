from __future__ import annotations

import pytest

from fleet.errors import UnknownIdError
from fleet.failures.elements import elements, find_element
from fleet.failures.sweep import normal_of
from tests.builders import a_link
from tests.failures.small_plans import LINKS, small_inventory, small_plan


def test_every_element_is_listed_once_from_small_to_large() -> None:
    links = (*LINKS[:2], a_link("store", "west", shared_risk="duct"), a_link("store", "cloud", shared_risk="duct"))
    sites = {"cloud": {"kind": "network"}, "east": {"fault_domain": "coast"}, "west": {"fault_domain": "coast"}}
    normal = normal_of(small_plan(small_inventory(links=links, sites=sites)))
    assert [element.id for element in elements(normal)] == [
        "drive:east-c1",
        "drive:west-c1",
        "node:east-c1",
        "node:west-c1",
        "cluster:east-c1",
        "cluster:west-c1",
        "link:east-west",
        "link:store-cloud",
        "link:store-east",
        "link:store-west",
        "shared_risk:duct",
        "network:cloud",
        "site:east",
        "site:store",
        "site:west",
        "fault_domain:coast",
    ]


def test_identical_nodes_and_drives_are_counted() -> None:
    normal = normal_of(small_plan(small_inventory(horizon_months=12), nodes=(2, 3)))
    assert find_element(normal, "node:east-c1").count == 3
    assert find_element(normal, "drive:east-c1").count == 3 * 6


def test_lost_sites_take_their_clusters_along() -> None:
    normal = normal_of(small_plan(small_inventory()))
    assert find_element(normal, "site:east").state.clusters == {"east-c1"}


def test_unknown_element_is_refused() -> None:
    normal = normal_of(small_plan(small_inventory()))
    with pytest.raises(UnknownIdError, match="no element is named 'site:north'"):
        find_element(normal, "site:north")
