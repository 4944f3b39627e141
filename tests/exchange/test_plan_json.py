"""plan.json: the same plan back, the same bytes every time, and errors that name their place."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from plan_fixture import fixture_plan

import fleet
from fleet.errors import ExportError, PlanError
from fleet.exchange.plan_json import plan_text, schema_texts

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


@pytest.fixture(scope="module")
def plan():
    return fixture_plan()


@pytest.fixture(scope="module")
def content(plan):
    return json.loads(plan_text(plan))


def test_reading_gives_the_plan_back(plan, tmp_path):
    fleet.write_plan(plan, tmp_path / "deep" / "plan.json")
    assert fleet.read_plan(tmp_path / "deep" / "plan.json") == plan
    assert fleet.read_plan(tmp_path / "deep") == plan
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["plan.json"]


def test_bytes_repeat(plan, tmp_path):
    fleet.write_plan(plan, tmp_path / "a.json")
    fleet.write_plan(fleet.read_plan(tmp_path / "a.json"), tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_keys_come_in_the_order_of_the_format(content):
    assert list(content)[:7] == ["schema", "created", "generator", "inventory", "scenario", "periods", "result"]
    assert content["schema"] == "fleet.plan/1"
    assert list(content["links"][0])[:3] == ["link", "from", "to"]


def test_the_plan_follows_the_published_schema(content):
    jsonschema.Draft202012Validator(fleet.plan_schema()).validate(content)


def test_the_inventory_of_a_plan_follows_the_published_schema(content):
    jsonschema.Draft202012Validator(fleet.inventory_schema()).validate(content["inventory"]["tables"])


def test_the_inventory_schema_refuses_what_the_readers_refuse(content):
    tables = json.loads(json.dumps(content["inventory"]["tables"]))
    tables["sites"][0]["latitude"] = 91
    with pytest.raises(jsonschema.ValidationError, match="91"):
        jsonschema.Draft202012Validator(fleet.inventory_schema()).validate(tables)


@pytest.mark.parametrize("name", ["plan", "inventory"])
def test_published_schema_files_are_current(name):
    published = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert published == json.loads(schema_texts()[name]), "run `make schemas`"


def broken(content, tmp_path, change):
    copy = json.loads(json.dumps(content))
    change(copy)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(copy), encoding="utf-8")
    return path


def test_every_bad_row_is_named_at_once(content, tmp_path):
    def change(copy):
        copy["clusters"][1]["opened"] = "soon"
        del copy["assignments"][3]["cluster"]
        copy["links"][0]["speed"] = 3

    with pytest.raises(PlanError, match="3 problems") as caught:
        fleet.read_plan(broken(content, tmp_path, change))
    text = str(caught.value)
    assert "plan.json:clusters[1].opened" in text
    assert "got 'soon'" in text
    assert "assignments[3].cluster – field required" in text
    assert "links[0].speed" in text
    assert {problem.code for problem in caught.value.problems} == {"PLN004"}


@pytest.mark.parametrize("schema", ["fleet.plan/2", None, 7])
def test_unknown_schema_version_is_named(content, tmp_path, schema):
    path = broken(content, tmp_path, lambda copy: copy.update(schema=schema))
    with pytest.raises(PlanError, match=r"has schema .*expected 'fleet.plan/1'"):
        fleet.read_plan(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1 column 2 – is no JSON"),
        ("[]", 'got no "schema" key'),
        ("\xff\xfe", "is no UTF-8 JSON text|is no JSON"),
        ('{"schema": "fleet.plan/1"}', "field required"),
    ],
)
def test_unreadable_files_are_named(tmp_path, text, message):
    path = tmp_path / "plan.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(PlanError, match=message):
        fleet.read_plan(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(PlanError, match=r"absent\.json – cannot be read: No such file"):
        fleet.read_plan(tmp_path / "absent.json")


def test_a_file_in_place_of_the_folder_is_an_export_error(plan, tmp_path):
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    with pytest.raises(ExportError, match="taken"):
        fleet.write_plan(plan, tmp_path / "taken" / "plan.json")


def test_a_failed_export_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "plan.json"
    target.write_text("old", encoding="utf-8")
    monkeypatch.setattr(
        Path, "write_text", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(ExportError, match="No space left"):
        fleet.write_plan(fixture_plan(), target)
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]
