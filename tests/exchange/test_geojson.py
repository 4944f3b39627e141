"""GeoJSON as RFC 7946 wants it."""

from __future__ import annotations

import json

import pytest
from plan_fixture import fixture_plan

import fleet
from fleet.exchange.geojson import _line, geojson


@pytest.fixture(scope="module")
def collection():
    return geojson(fixture_plan())


def positions(geometry):
    kind, found = geometry["type"], geometry["coordinates"]
    if kind == "Point":
        return [found]
    return found if kind == "LineString" else [position for line in found for position in line]


def test_features_conform(collection):
    assert collection["type"] == "FeatureCollection"
    assert set(collection) == {"type", "features"}
    for feature in collection["features"]:
        assert set(feature) == {"type", "id", "geometry", "properties"}
        if feature["geometry"] is not None:
            for longitude, latitude in positions(feature["geometry"]):
                assert -180 <= longitude <= 180
                assert -90 <= latitude <= 90


def test_every_layer_is_there(collection):
    plan = fixture_plan()
    counts: dict[str, int] = {}
    for feature in collection["features"]:
        layer = feature["properties"]["layer"]
        counts[layer] = counts.get(layer, 0) + 1
    assert counts["site"] == len(plan.document.inventory.tables["sites"])
    assert counts["cluster"] == len(plan.document.clusters)
    assert counts["link"] == len({row.link for row in plan.document.links})
    assert counts["standby"] == len({(row.cluster, row.standby, row.mechanism) for row in plan.document.standbys})


def test_ids_are_unique(collection):
    names = [feature["id"] for feature in collection["features"]]
    assert len(names) == len(set(names))


def test_a_carrier_cloud_has_no_geometry(collection):
    (cloud,) = [row for row in collection["features"] if row["id"] == "site:MPLS"]
    assert cloud["geometry"] is None


def test_a_line_over_the_date_line_is_split():
    line = _line((170.0, 10.0), (-170.0, 20.0))
    assert line == {
        "type": "MultiLineString",
        "coordinates": [[[170.0, 10.0], [180.0, 15.0]], [[-180.0, 15.0], [-170.0, 20.0]]],
    }


def test_the_file_is_json(tmp_path):
    fleet.to_geojson(fixture_plan(), tmp_path / "plan.geojson")
    assert json.loads((tmp_path / "plan.geojson").read_text(encoding="utf-8"))["type"] == "FeatureCollection"
