"""The data dictionary: what a column is, and how every table in and out declares its columns.

A table's rows are one frozen pydantic type. Each field is declared with `column`, which records unit and
meaning; `describe` reads the dictionary back, for documentation, templates, checks and schemas. There is
no second list of columns to drift from the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

#: Columns that start so pass through to the exports unread.
EXTRA_PREFIX = "x_"


def column(default: Any = ..., *, unit: str = "", meaning: str, **constraints: Any) -> Any:
    """Declare a column: its default (``...`` = required), unit, meaning and pydantic constraints."""
    return Field(default, description=meaning, json_schema_extra={"unit": unit}, **constraints)


def _yes_no(value: Any) -> Any:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("yes", "y", "true", "1"):
            return True
        if word in ("no", "n", "false", "0"):
            return False
        raise ValueError("expected yes or no")
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    return value


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(";") if part.strip())
    return value


def _join(value: tuple[str, ...]) -> str:
    return ";".join(value)


def _text(value: Any) -> Any:
    """Spreadsheets turn a name such as 0042 or 12 into a number: take whole numbers back as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    return value


YesNo = Annotated[bool, BeforeValidator(_yes_no)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_split), PlainSerializer(_join, return_type=str)]
Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=200)]


class Row(BaseModel):
    """One row of a table: frozen, no unknown columns, no infinities."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        str_strip_whitespace=True,
        allow_inf_nan=False,
        populate_by_name=True,
        validate_default=False,
    )


def lowered(data: Any, columns: Iterable[str]) -> Any:
    """The cells of a row with the words of some columns, which are choices, in lower case."""
    if not isinstance(data, dict):
        return data
    words = {key: data[key].strip().lower() for key in columns if isinstance(data.get(key), str)}
    return {**data, **words}


class InputRow(Row):
    """A row that a planner writes; columns starting ``x_`` are kept in `extra`."""

    extra: tuple[tuple[str, str], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _keep_extra(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        passed = {key: value for key, value in data.items() if str(key).startswith(EXTRA_PREFIX)}
        if not passed:
            return data
        rest = {key: value for key, value in data.items() if key not in passed}
        rest["extra"] = tuple(sorted((str(key), str(value)) for key, value in passed.items()))
        return rest


@dataclass(frozen=True, slots=True)
class Column:
    """One entry of the data dictionary."""

    name: str
    type: str
    unit: str
    required: bool
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()


def _type_of(annotation: Any) -> tuple[str, tuple[str, ...]]:
    """A plain name for a field's type, and its choices where it is an enumeration."""
    text = str(annotation)
    if "Literal" in text:
        choices: list[str] = []
        pending = [annotation]
        while pending:
            part = pending.pop(0)
            if str(get_origin(part)).endswith("Literal"):
                choices.extend(str(value) for value in get_args(part))
            else:
                pending.extend(get_args(part))
        return "choice", tuple(choices)
    kinds = (
        ("tuple[str", "list"),
        ("datetime.date", "date"),
        ("bool", "yes/no"),
        ("int", "integer"),
        ("float", "number"),
    )
    for key, name in kinds:
        if key in text:
            return name, ()
    return "text", ()


def describe(row_type: type[BaseModel]) -> tuple[Column, ...]:
    """The data dictionary of a row type, in column order."""
    columns = []
    for name, info in row_type.model_fields.items():
        if name == "extra":
            continue
        columns.append(_describe_field(info.alias or name, info))
    return tuple(columns)


def _describe_field(name: str, info: FieldInfo) -> Column:
    kind, choices = _type_of(info.annotation)
    metadata = str(info.metadata)
    if kind == "text" and "_split" in metadata:
        kind = "list"
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    default = None if info.default is PydanticUndefined else info.default
    return Column(name, kind, str(extra.get("unit", "")), info.is_required(), default, info.description or "", choices)
