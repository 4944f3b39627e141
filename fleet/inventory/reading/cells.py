"""One row of raw cells to one typed row; every cell that cannot be used is named, the others still count."""

from __future__ import annotations

import datetime
import difflib
import functools
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import BaseModel, ValidationError

from fleet.tables import EXTRA_PREFIX, Column, describe

R = TypeVar("R", bound=BaseModel)

#: Magnitudes beyond which a number is surely a slip: fits every unit of the data dictionary.
LARGEST_NUMBER = 1e15
LARGEST_INTEGER = 10**9
LONGEST_TEXT = 10_000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_COMMA_NUMBER = re.compile(r"[+-]?\d[\d.]*(,\d+)+(\.\d+)?", re.ASCII)
_LEADING_NUMBER = re.compile(r"[^\w.+-]*([+-]?\d+(?:\.\d+)?)\s*\D+", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UNSAID = ("fraction", "see unit")
_SHEET_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})


@dataclass(frozen=True, slots=True)
class CellIssue:
    """One cell that cannot be used: its column, what was found against what was expected, and the remedy."""

    column: str
    message: str
    remedy: str
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """What a column accepts: its dictionary entry, the condition in words, and a value that satisfies it."""

    column: Column
    words: str
    placeholder: Any


def nearest(name: str, options: Collection[str]) -> str | None:
    """Find the option most like `name`; None if none is close."""
    wanted = name.casefold()
    pool: Iterable[str] = options
    if len(options) > 300:
        pool = [option for option in options if option[:2].casefold() == wanted[:2]]
    by_spelling: dict[str, str] = {}
    for option in sorted(pool):
        by_spelling.setdefault(option.casefold(), option)
    close = difflib.get_close_matches(wanted[:200], by_spelling, n=1, cutoff=0.6)
    return by_spelling[close[0]] if close else None


def did_you_mean(name: str, options: Collection[str], otherwise: str) -> str:
    """Word a remedy that names the nearest option if there is one."""
    close = nearest(name, options)
    return f"did you mean {close!r}? Otherwise {otherwise}" if close else otherwise


def shown(value: Any) -> str:
    """Show a cell's value in a message: quoted if text, cut if long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:76]} …"


def printable(value: Any) -> str:
    """Text of anything, on one line, each control character replaced."""
    text = _plain_text(value)
    text = str(value) if text is None else text
    if text.isprintable():
        return text[:LONGEST_TEXT]
    return "".join("\ufffd" if unicodedata.category(char) in ("Cc", "Cs") else char for char in text[:LONGEST_TEXT])


def is_blank(value: Any) -> bool:
    """Whether a cell counts as blank."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, (list, tuple)) and not value)


@functools.cache
def conditions(row_type: type[BaseModel]) -> Mapping[str, Condition]:
    """Of every column of a row type, what it accepts."""
    fields = {info.alias or name: info for name, info in row_type.model_fields.items()}
    found = {}
    for entry in describe(row_type):
        limits = _limits(fields[entry.name].metadata)
        words, placeholder = _words(entry, limits)
        found[entry.name] = Condition(entry, words, placeholder)
    return found


def _limits(metadata: Iterable[Any]) -> dict[str, float]:
    limits: dict[str, float] = {}
    for item in metadata:
        for kind, attribute in ((Gt, "gt"), (Ge, "ge"), (Le, "le"), (MaxLen, "max_length")):
            if isinstance(item, kind):
                limits[attribute] = getattr(item, attribute)
    return limits


def _words(entry: Column, limits: Mapping[str, float]) -> tuple[str, Any]:
    if entry.type == "choice":
        return f"one of {', '.join(entry.choices)}", entry.choices[0]
    if entry.type in ("number", "integer"):
        words = "a number" if entry.type == "number" else "a whole number"
        if "ge" in limits and "le" in limits:
            words += f" from {limits['ge']:g} to {limits['le']:g}"
        else:
            names = {"gt": "above", "ge": "of at least", "le": "of at most"}
            parts = [f"{names[key]} {limits[key]:g}" for key in ("gt", "ge", "le") if key in limits]
            words += f" {' and '.join(parts).replace('and of', 'and')}" if parts else ""
        return words, max(1, math.ceil(limits.get("ge", 1))) if "le" not in limits else limits["le"]
    simple: dict[str, tuple[str, Any]] = {
        "yes/no": ("yes or no", False),
        "date": ("a date such as 2026-03-31", None),
        "list": ("texts separated by ;", ()),
    }
    if entry.type in simple:
        return simple[entry.type]
    if "max_length" in limits:
        return f"a name of at most {limits['max_length']:g} characters", "?"
    return "text", "?"


def read_row(row_type: type[R], cells: Mapping[str, Any]) -> tuple[R, tuple[CellIssue, ...]]:
    """Read one row.

    Parameters
    ----------
    row_type : type
        Row type of the table.
    cells : mapping
        Raw value of each known or ``x_`` column; blank cells may be left out.

    Returns
    -------
    tuple of row and issues
        The typed row, in which the column of each issue holds its default or a placeholder that means nothing.
    """
    values: dict[str, Any] = {}
    issues: dict[str, CellIssue] = {}
    expected = conditions(row_type)
    for name, raw in cells.items():
        if is_blank(raw):
            continue
        if name.startswith(EXTRA_PREFIX):
            values[name] = printable(raw)
            continue
        value, issue = _convert(expected[name], raw)
        if issue is None:
            values[name] = value
        else:
            issues[name] = issue
    for name, condition in expected.items():
        if condition.column.required and name not in values and name not in issues:
            issues[name] = _missing(condition)
    row, refused = _validated(row_type, values, issues)
    for name in refused:
        issues[name] = _refused(expected[name], cells[name])
    return row, tuple(issues.values())


def _validated(row_type: type[R], values: Mapping[str, Any], issues: Collection[str]) -> tuple[R, tuple[str, ...]]:
    """Validate with placeholders in required columns that have issues; also name the columns that pydantic refuses."""
    expected = conditions(row_type)
    usable = dict(values)
    refused: list[str] = []
    while True:
        for name in (*issues, *refused):
            usable.pop(name, None)
            if expected[name].column.required:
                usable[name] = expected[name].placeholder
        try:
            return row_type.model_validate(usable), tuple(refused)
        except ValidationError as error:
            names = {str(item["loc"][0]) for item in error.errors(include_url=False) if item["loc"]}
            names &= set(usable) - set(refused)
            if not names:
                raise
            refused.extend(sorted(names))


def _missing(condition: Condition) -> CellIssue:
    entry = condition.column
    message = f"the cell is blank, expected {_expected(condition)}"
    return CellIssue(entry.name, message, f"fill in: {entry.meaning}", missing=True)


def _expected(condition: Condition) -> str:
    unit = condition.column.unit
    numeric = condition.column.type in ("number", "integer")
    return f"{condition.words} {unit}".rstrip() if numeric and unit not in _UNSAID else condition.words


def _refused(condition: Condition, raw: Any, hint: str = "") -> CellIssue:
    entry = condition.column
    unit = f" {entry.unit}" if isinstance(raw, (int, float)) and entry.unit and entry.unit not in _UNSAID else ""
    remedy = hint
    if not remedy and entry.type == "choice":
        remedy = did_you_mean(str(raw), entry.choices, "use one of those")
    if not remedy:
        remedy = "correct the cell" if entry.required else "correct the cell, or leave it blank for the default"
    return CellIssue(entry.name, f"got {shown(raw)}{unit}, expected {_expected(condition)}", remedy)


def _convert(condition: Condition, raw: Any) -> tuple[Any, CellIssue | None]:
    """Turn the cell into a Python value of the column's type, or an issue."""
    kind = condition.column.type
    if isinstance(raw, str) and raw.strip() in _SHEET_ERRORS:
        return None, _refused(condition, raw, "the spreadsheet could not compute this cell: correct its formula")
    if kind in ("number", "integer"):
        return _number(condition, raw)
    if kind == "date":
        return _date(condition, raw)
    if kind == "yes/no":
        fits = isinstance(raw, (bool, str)) or (isinstance(raw, (int, float)) and raw in (0, 1))
        return (raw, None) if fits else (None, _refused(condition, raw))
    if kind == "list" and isinstance(raw, (list, tuple)):
        raw = ";".join(str(_plain_text(part)) for part in raw)
    text = _plain_text(raw)
    if text is None:
        return None, _refused(condition, raw)
    hidden: list[str] = []
    if not text.isprintable():
        hidden = sorted({f"U+{ord(char):04X}" for char in text if unicodedata.category(char) in ("Cc", "Cs")})
    if len(text) > LONGEST_TEXT:
        found = f"got {len(text)} characters, expected at most {LONGEST_TEXT}"
        return None, CellIssue(condition.column.name, found, "shorten the text")
    if hidden:
        found = f"got text with the control character {', '.join(hidden)}, expected {condition.words}"
        return None, CellIssue(condition.column.name, found, "type the cell again without it")
    return (text.lower() if kind == "choice" else text), None


def _plain_text(raw: Any) -> str | None:
    """Read a cell as text: composed Unicode on one line, whole numbers without ``.0``; None if it is no text."""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < LARGEST_NUMBER:
        return str(int(raw))
    if isinstance(raw, (int, float)):
        return str(raw) if abs(raw) < LARGEST_NUMBER else f"{float(raw):g}" if abs(raw) < 1e300 else None
    if isinstance(raw, datetime.datetime) and raw.time() == datetime.time():
        return raw.date().isoformat()
    if isinstance(raw, (datetime.date, datetime.time)):
        return raw.isoformat()
    if not isinstance(raw, str):
        return None
    if raw.isascii() and raw.isprintable():
        return raw.strip()
    return unicodedata.normalize("NFC", re.sub(r"[\t\r\n]+", " ", raw)).strip()


def _number(condition: Condition, raw: Any) -> tuple[Any, CellIssue | None]:
    value: float
    if isinstance(raw, str):
        text = raw.strip()
        if not _NUMBER.fullmatch(text):
            return None, _refused(condition, raw, _number_hint(text))
        value = float(text)
    elif isinstance(raw, (int, float)) and not isinstance(raw, bool):
        value = math.inf if isinstance(raw, int) and abs(raw) > LARGEST_NUMBER else float(raw)
    else:
        return None, _refused(condition, raw)
    is_integer = condition.column.type == "integer"
    if not abs(value) <= (LARGEST_INTEGER if is_integer else LARGEST_NUMBER):
        return None, _refused(condition, raw, "the number is implausibly large or not a number: correct it")
    if not is_integer:
        return value + 0.0, None  # + 0.0 turns -0.0 into 0.0
    return (int(value), None) if value.is_integer() else (None, _refused(condition, raw))


def _number_hint(text: str) -> str:
    if _COMMA_NUMBER.fullmatch(text):
        if text.count(",") == 1 and "." not in text:
            point, whole = text.replace(",", "."), text.replace(",", "")
            return f"write a decimal point and no thousands separator: {point} or {whole}"
        return "write a decimal point and no thousands separator"
    number = _LEADING_NUMBER.fullmatch(text)
    if number and text.endswith("%"):
        return f"write percentages as fractions: {float(number[1]) / 100:g}"
    if number:
        return f"write the number alone, in the unit of the column: {number[1]}"
    return ""


def _date(condition: Condition, raw: Any) -> tuple[Any, CellIssue | None]:
    if isinstance(raw, datetime.datetime):
        return raw.date(), None
    if isinstance(raw, datetime.date):
        return raw, None
    if isinstance(raw, str) and _ISO_DATE.fullmatch(raw.strip()):
        try:
            return datetime.date.fromisoformat(raw.strip()), None
        except ValueError:
            return None, _refused(condition, raw, "there is no such day")
    return None, _refused(condition, raw, "write year-month-day")
