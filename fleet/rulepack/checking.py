"""What may be wrong with the facts that a rule pack states."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.errors import Problem
from fleet.rulepack.facts import KIND_NAMES, Fact, nearest, row_at
from fleet.rulepack.schema import RECOVERY_PHASES, SCHEMA, CellType, FactType
from fleet.tolerances import SUM_TOLERANCE

_FIELDS = ("value", "unit", "source", "date", "statement")


def fact_from(key: str, stated: Any, file: str) -> tuple[Fact | None, list[Problem]]:
    """The fact that a file states under `key`, or None with every problem of it."""
    place = f"{file}: {key}"
    expected = SCHEMA.get(key)
    if expected is None:
        return None, [Problem("RUL002", place, "no such fact is known", nearest(key))]
    if not isinstance(stated, dict):
        return None, [Problem("RUL004", place, f"got {stated!r}", f"state {', '.join(_FIELDS)}")]
    problems = [Problem("RUL003", place, f"{name} is missing", "state it") for name in _FIELDS if name not in stated]
    problems += [
        Problem("RUL002", place, f"{name} is unknown", f"a fact states {', '.join(_FIELDS)} and may state alternatives")
        for name in stated
        if name not in (*_FIELDS, "alternatives")
    ]
    if "unit" in stated and stated["unit"] != expected.unit:
        message = f"got unit {stated['unit']!r}, expected {expected.unit!r}"
        problems.append(Problem("RUL005", place, message, "convert the value and state the expected unit"))
    if "date" in stated and not isinstance(stated["date"], datetime.date):
        problems.append(Problem("RUL004", place, f"date is {stated['date']!r}", "write it as 2026-09-01, unquoted"))
    for name in ("source", "statement"):
        if name in stated and not (isinstance(stated[name], str) and stated[name].strip()):
            problems.append(Problem("RUL004", place, f"{name} is {stated[name]!r}, expected a text", "say it in words"))
    alternatives = stated.get("alternatives", [])
    values = [stated["value"]] if "value" in stated else []
    for value in values + (alternatives if isinstance(alternatives, list) else [None]):
        problems += [
            Problem("RUL004", place, text, f"correct it; it decides: {expected.effect}")
            for text in _value_problems(value, expected)
        ]
    if problems:
        return None, problems
    fields = {name: stated[name] for name in _FIELDS}
    return Fact(key=key, alternatives=tuple(alternatives), **fields), []


def _value_problems(value: Any, expected: FactType) -> list[str]:
    if expected.kind != "table":
        return _cell_problems(value, expected.choices or expected.kind, expected.unit)
    if not isinstance(value, dict):
        return [f"got {value!r}, expected {KIND_NAMES['table']}"]
    problems = []
    for name, row in value.items():
        if expected.by_nodes and not name.isdecimal():
            problems.append(f"row {name!r}: expected a node count as its name")
        if not isinstance(expected.row, Mapping):
            problems += [f"row {name!r}: {text}" for text in _cell_problems(row, expected.row or "text", expected.unit)]
        elif not isinstance(row, dict):
            problems.append(f"row {name!r}: got {row!r}, expected columns {', '.join(expected.row)}")
        else:
            problems += [f"row {name!r}: {text}" for text in _row_problems(row, expected.row)]
    return problems


def _row_problems(row: Mapping[str, Any], columns: Mapping[str, CellType]) -> list[str]:
    problems = [
        f"column {column!r} is unknown, expected {', '.join(columns)}" for column in row if column not in columns
    ]
    for column, cell in columns.items():
        is_optional = "" in cell if isinstance(cell, tuple) else cell.endswith("?")
        kind = cell.removesuffix("?") if isinstance(cell, str) else cell
        if column in row:
            problems += [f"column {column!r}: {text}" for text in _cell_problems(row[column], kind, "")]
        elif not is_optional:
            problems.append(f"column {column!r} is missing")
    return problems


def _cell_problems(value: Any, kind: CellType, unit: str) -> list[str]:
    """What is wrong with one value; `kind` may be a tuple of the words allowed."""
    if isinstance(kind, tuple):
        return [] if value in kind else [f"got {value!r}, expected one of {', '.join(filter(None, kind))}"]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    good = {
        "number": is_number,
        "whole": is_number and isinstance(value, int),
        "flag": isinstance(value, bool),
        "text": isinstance(value, str),
        "texts": isinstance(value, list) and all(isinstance(part, str) for part in value),
    }[kind]
    if not good:
        return [f"got {value!r}, expected {KIND_NAMES[kind]}{f' in {unit}' if unit else ''}"]
    if is_number and not (0 <= value < float("inf")):
        return [f"got {value!r}, expected at least 0"]
    if unit == "fraction" and value > 1:
        return [f"got {value!r}, expected a fraction between 0 and 1"]
    return []


def contradictions(place: str, facts: Mapping[str, Fact]) -> list[Problem]:
    """What facts say against each other though each is well stated.

    Recovery times that are not the sum of their phases, windows longer than their interval, resiliency types that are
    named but not described or described without what their rule needs, and tables by node count that leave out counts
    at which they are asked.
    """
    types = facts["resiliency.types"].value
    paths = facts["growth.layout_paths"].value
    named = {
        "layouts.mirror": set(facts["layouts.mirror"].value.values()),
        "layouts.parity": set(facts["layouts.parity"].value.values()),
        "growth.layout_paths": set(paths).union(*paths.values()),
    }
    if any(row.get("zones", 1) > 1 for row in types.values()):
        named["network.rack_aware_pair_layout"] = {facts["network.rack_aware_pair_layout"].value}
    problems = [
        Problem("RUL006", f"{place}: {key}", f"{name!r} is not in resiliency.types", "describe it there or correct it")
        for key, names in named.items()
        for name in sorted(names - set(types))
    ]
    problems += [
        Problem("RUL006", f"{place}: {key}", "has no row for 1 node", "state a row named 1")
        for key, expected in SCHEMA.items()
        if expected.by_nodes and expected.from_one and row_at(facts[key].value, 1) is None
    ]
    for name, row in facts["mechanisms"].value.items():
        remedy = "correct the mechanism"
        problems += [Problem("RUL006", f"{place}: mechanisms", text, remedy) for text in _mechanism_gaps(name, row)]
    for name, row in types.items():
        problems += _parity_gaps(place, facts, name, row)
        if (row["efficiency_rule"] == "fixed") != ("efficiency" in row):
            message = f"{name!r}: efficiency is stated exactly where the rule is 'fixed'"
            problems.append(Problem("RUL006", f"{place}: resiliency.types", message, "state it or change the rule"))
        elif not 0 < row.get("efficiency", 1) <= 1:
            message = f"{name!r}: got efficiency {row['efficiency']!r}, expected above 0 and at most 1"
            problems.append(Problem("RUL006", f"{place}: resiliency.types", message, "correct it"))
    return problems


def _mechanism_gaps(name: str, row: Mapping[str, Any]) -> Iterator[str]:
    """What the columns of a replication mechanism say against each other."""
    stated = [row[phase] for phase in RECOVERY_PHASES if phase in row]
    if stated and len(stated) < len(RECOVERY_PHASES):
        yield f"{name!r}: states {len(stated)} of the phases {', '.join(RECOVERY_PHASES)}; it states all or none"
    elif stated and abs(sum(stated) - row["rto_minutes"]) > SUM_TOLERANCE:
        yield f"{name!r}: its phases add up to {sum(stated):g}, its rto_minutes is {row['rto_minutes']:g}"
    if row.get("target") == "cloud" and not row["interval_minutes"]:
        yield f"{name!r}: copies to the cloud are made at intervals; interval_minutes must be above 0"
    window = row.get("window_minutes")
    if window is not None and not 0 < window <= row["interval_minutes"]:
        yield f"{name!r}: window_minutes {window:g} must be above 0 and at most interval_minutes"


def _parity_gaps(place: str, facts: Mapping[str, Fact], name: str, row: Mapping[str, Any]) -> list[Problem]:
    """Parity tables that say nothing about the smallest cluster in which a type may be used."""
    if row["efficiency_rule"] not in ("dual-parity", "mirror-accelerated-parity"):
        return []
    least = row["minimum_nodes"]
    message = f"has no row for {least} nodes, which {name!r} allows"
    return [
        Problem("RUL006", f"{place}: {key}", message, f"state a row named {least} or below")
        for key in ("resiliency.dual_parity_hybrid", "resiliency.dual_parity_flash")
        if row_at(facts[key].value, least) is None
    ]
