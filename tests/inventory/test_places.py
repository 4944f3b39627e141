"""Where clusters may be built, and what they are called."""

from __future__ import annotations

import pytest

from fleet.inventory.places import may_build, new_clusters
from tests.builders import a_site, an_existing_cluster, an_inventory
from tests.inventory_tables import valid_tables

OLD = an_existing_cluster("old", "h")
GOING = an_existing_cluster("h-c1", "h", keep=False)


@pytest.mark.parametrize(
    ("can_host", "standing", "expected"),
    [(None, [], False), (None, [OLD], True), (False, [OLD], False), (True, [], True), (True, [OLD], True)],
)
def test_a_blank_can_host_means_yes_where_a_cluster_stands(
    can_host: bool | None, standing: list[object], expected: bool
) -> None:
    assert may_build(a_site("h", can_host=can_host), standing) is expected  # type: ignore[arg-type]


def test_nothing_is_built_at_a_carrier_cloud() -> None:
    assert not may_build(a_site("h", kind="network", can_host=True), [])


def test_one_that_may_be_retired_leaves_its_place() -> None:
    site = a_site("h", can_host=True, max_clusters=2)
    assert new_clusters(site, [], []) == ("h-c1", "h-c2")
    assert new_clusters(site, [OLD], ["old"]) == ("h-c1",)
    assert new_clusters(site, [OLD, GOING], ["old", "h-c1"]) == ("h-c2",)
    assert new_clusters(site, [OLD, OLD, GOING], ["old", "h-c1"]) == ()


def test_a_site_with_a_cluster_is_a_candidate_whatever_can_host_says() -> None:
    for can_host in (None, False, True):
        inventory = an_inventory([a_site("h", can_host=can_host)], clusters=[OLD])
        assert [site.site for site in inventory.host_sites] == ["h"]
        assert inventory.new_clusters(inventory.site("h")) == ()


def test_an_explicit_no_is_kept() -> None:
    tables = valid_tables()
    tables["sites"][-1]["can_host"] = "no"
    from fleet.inventory.checks.inventory import checked_inventory

    inventory = checked_inventory("x", tables)
    name = str(tables["sites"][-1]["site"])
    assert inventory.site(name).can_host is False
    again = checked_inventory("x", inventory.tables)
    assert again.site(name).can_host is False
    assert again.sha256 == inventory.sha256
