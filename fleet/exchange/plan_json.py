"""``plan.json``: the plan as a file, and the JSON Schemas of plans and inventories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fleet.errors import PlanError, Problem
from fleet.exchange.files import write_text
from fleet.inventory.inventory import INPUT_TABLES
from fleet.inventory.tables.policy import Policy
from fleet.plan.plan import SCHEMA, Plan, PlanDocument
from fleet.tables import EXTRA_PREFIX, describe

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_AGAIN = "write the plan again with `fleet plan`, or undo the edit"


def plan_text(plan: Plan) -> str:
    """The text of ``plan.json``: keys in the order of the format, one row per line, the same bytes every time."""
    document = plan.document.model_dump(mode="json", by_alias=True)
    return "".join(_lines(document))


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield "{\n"
    last = len(document) - 1
    for index, (key, value) in enumerate(document.items()):
        yield f"{json.dumps(key)}: {_value(key, value)}{',' if index < last else ''}\n"
    yield "}\n"


def _value(key: str, value: Any) -> str:
    if key == "inventory":
        tables = ",\n".join(f"{json.dumps(name)}: {_rows(rows)}" for name, rows in value["tables"].items())
        return (
            f'{{"name": {_compact(value["name"])}, "sha256": {_compact(value["sha256"])}, "tables": {{\n{tables}\n}}}}'
        )
    return _rows(value) if isinstance(value, list) else _compact(value)


def _rows(rows: list[Any]) -> str:
    return "[\n" + ",\n".join(_compact(row) for row in rows) + "\n]" if rows else "[]"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def write_plan(plan: Plan, path: str | Path) -> None:
    """Write ``plan.json``, whole or not at all.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    write_text(path, plan_text(plan))


def read_plan(path: str | Path) -> Plan:
    """Read a plan from a file that `write_plan` wrote, or from a folder that holds a ``plan.json``.

    Raises
    ------
    PlanError
        If the file is missing, is no JSON, has another schema version, or a row is not as the format demands;
        every problem is named with its place.
    """
    source = Path(path)
    if source.is_dir():
        source = source / "plan.json"
    content = _load(source)
    try:
        return Plan(PlanDocument.model_validate(content))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        raise PlanError(_problem(source, detail) for detail in details) from None


def _load(source: Path) -> dict[str, Any]:
    try:
        content = json.loads(source.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PlanError([Problem("PLN001", str(source), f"cannot be read: {reason}", "check the path")]) from None
    except json.JSONDecodeError as error:
        place = f"{source}:line {error.lineno} column {error.colno}"
        raise PlanError([Problem("PLN002", place, f"is no JSON: {error.msg}", _AGAIN)]) from None
    except (UnicodeDecodeError, RecursionError) as error:
        message = f"is no UTF-8 JSON text: {type(error).__name__}"
        raise PlanError([Problem("PLN002", str(source), message, _AGAIN)]) from None
    if not isinstance(content, dict) or "schema" not in content:
        message = f'got no "schema" key, expected {SCHEMA!r}'
        remedy = "name a plan.json that `fleet plan` wrote; an inventory is planned with `fleet plan` first"
        raise PlanError([Problem("PLN003", str(source), message, remedy)])
    if content["schema"] != SCHEMA:
        message = f"has schema {content['schema']!r}, expected {SCHEMA!r}"
        raise PlanError(
            [Problem("PLN003", f"{source}:schema", message, "read it with the Fleet version that wrote it")]
        )
    return content


def _problem(source: Path, detail: ErrorDetails) -> Problem:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    if detail["type"] not in ("missing", "extra_forbidden"):
        message = f"got {_short(detail['input'])}, expected: {message}"
    return Problem("PLN004", f"{source}:{place}", message, _AGAIN)


def _short(value: Any, length: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= length else text[:length] + "…"


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of ``plan.json``."""
    schema = _without_titles(PlanDocument.model_json_schema(by_alias=True))
    return {"$schema": _DIALECT, "$id": "fleet.plan/1", "title": "Fleet plan", **schema}


def inventory_schema() -> dict[str, Any]:
    """The JSON Schema of an inventory in one JSON file: ``{table: [rows]}``.

    It describes the canonical spelling; the readers also take booleans as yes and no, lists joined by ``;``,
    and any case in column names.
    """
    tables = {name: {"type": "array", "items": _row_schema(name)} for name in INPUT_TABLES}
    return {
        "$schema": _DIALECT,
        "$id": "fleet.inventory/1",
        "title": "Fleet inventory",
        "type": "object",
        "properties": tables,
        "required": ["sites", "workloads", "hardware"],
        "additionalProperties": False,
    }


def schema_texts() -> dict[str, str]:
    """The published schemas, ``plan`` and ``inventory``, as the text of their files."""
    schemas = {"plan": plan_schema(), "inventory": inventory_schema()}
    return {name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def _row_schema(table: str) -> dict[str, Any]:
    row_type = INPUT_TABLES[table]
    schema: dict[str, Any] = _without_titles(row_type.model_json_schema(by_alias=True))
    properties = schema["properties"]
    properties.pop("extra", None)
    for entry in describe(row_type):
        if entry.type in ("yes/no", "list"):
            text = {"type": "string", "enum": ["yes", "no"]} if entry.type == "yes/no" else {"type": "string"}
            kept = {
                key: value for key, value in properties[entry.name].items() if key in ("description", "default", "unit")
            }
            shapes = _shapes(properties[entry.name])
            properties[entry.name] = {"anyOf": [*shapes, text], **kept}
    if table == "policy":
        properties["value"] = {"description": properties["value"]["description"]}
        properties["key"] = {**properties["key"], "enum": sorted(entry.name for entry in describe(Policy))}
    schema["patternProperties"] = {f"^{EXTRA_PREFIX}": {}}
    return schema


def _shapes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    if "anyOf" in schema:
        return list(schema["anyOf"])
    return [{key: schema[key] for key in ("type", "items") if key in schema}]


def _without_titles(value: Any) -> Any:
    """A schema without the titles that pydantic makes up (a property may itself be called title)."""
    if isinstance(value, dict):
        return {
            key: _without_titles(inner)
            for key, inner in value.items()
            if not ((key == "title" and isinstance(inner, str)) or (key, inner) == ("unit", ""))
        }
    return [_without_titles(inner) for inner in value] if isinstance(value, list) else value
