"""Reading rule packs: dated, sourced vendor facts, checked strictly against `fleet.rulepack.schema.SCHEMA`."""

from __future__ import annotations

import datetime
import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fleet.errors import Problem, RulePackError
from fleet.rulepack.schema import SCHEMA, CellType, FactType

_FIELDS = ("value", "unit", "source", "date", "statement")
_HEADER = ("name", "date", "statement")
_KIND_NAMES = {
    "number": "a number",
    "whole": "a whole number",
    "flag": "true or false",
    "text": "a text",
    "texts": "a list of texts",
    "table": "a table of named rows",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the vendor says.

    Attributes
    ----------
    key : str
        Dotted name, such as ``limits.max_nodes``.
    value : number, bool, str, list or table
        The value, in `unit`.
    unit : str
        Unit of the value; empty where it has none.
    source : str
        Where it is published; ``assumption`` where nobody publishes it.
    date : datetime.date
        Date of the source.
    statement : str
        What it says, in words.
    alternatives : tuple
        Other values that official pages give: the fact is a switch.
    """

    key: str
    value: Any
    unit: str
    source: str
    date: datetime.date
    statement: str
    alternatives: tuple[Any, ...] = ()

    @property
    def is_assumption(self) -> bool:
        """Whether no source publishes the value."""
        return self.source.startswith("assumption")


@dataclass(frozen=True, eq=False)
class RulePack:
    """A complete set of facts. Compare two with `fleet.rulepack.compare.compare`."""

    name: str
    date: datetime.date
    statement: str
    facts: Mapping[str, Fact]

    def fact(self, key: str) -> Fact:
        """The fact of that key.

        Raises
        ------
        RulePackError
            If no pack states such a fact.
        """
        fact = self.facts.get(key)
        if fact is None:
            raise RulePackError([Problem("RUL002", self.name, f"no fact is named {key!r}", _nearest(key))])
        return fact

    def _value(self, key: str, *kinds: str) -> Any:
        fact = self.fact(key)
        if SCHEMA[key].kind not in kinds:
            message = f"{key} is {_KIND_NAMES[SCHEMA[key].kind]}, not {_KIND_NAMES[kinds[0]]}"
            raise RulePackError([Problem("RUL004", self.name, message, "ask for it by its own kind")])
        return fact.value

    def number(self, key: str) -> float:
        """The number of that key, in the unit of its fact."""
        return float(self._value(key, "number", "whole"))

    def whole(self, key: str) -> int:
        """The whole number of that key, in the unit of its fact."""
        return int(self._value(key, "whole"))

    def flag(self, key: str) -> bool:
        """The yes or no of that key."""
        return bool(self._value(key, "flag"))

    def text(self, key: str) -> str:
        """The word of that key."""
        return str(self._value(key, "text"))

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of words of that key."""
        return tuple(self._value(key, "texts"))

    def table(self, key: str) -> Mapping[str, Any]:
        """The rows of that key by name; a row is a value or a mapping of columns."""
        table: Mapping[str, Any] = self._value(key, "table")
        return table

    def row_from(self, key: str, nodes: int) -> Any:
        """The row that holds at `nodes` of a table by node count; None below its first row."""
        return row_at(self.table(key), nodes)

    @property
    def switches(self) -> tuple[Fact, ...]:
        """The facts on which official pages disagree, each with the value this pack chooses."""
        return tuple(fact for fact in self.facts.values() if fact.alternatives)

    def __repr__(self) -> str:
        return f"RulePack({self.name!r}, {self.date}, {len(self.facts)} facts)"


def row_at(table: Mapping[str, Any], nodes: int) -> Any:
    """The row of the largest node count not above `nodes`; None where there is none."""
    counts = [int(count) for count in table if int(count) <= nodes]
    return table[str(max(counts))] if counts else None


@lru_cache(maxsize=1)
def builtin_rulepacks() -> tuple[str, ...]:
    """Names of the packs that Fleet ships."""
    folder = resources.files("fleet.rulepack") / "packs"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_rulepack(name_or_path: str) -> RulePack:
    """Read a shipped pack by name, or any pack by its path.

    A pack may state ``extends = "azure-local"`` in its ``[pack]`` table and then only the facts that it overrides,
    each one whole.

    Parameters
    ----------
    name_or_path : str
        ``azure-local``, ``deep-dive``, or the path of a TOML file.

    Raises
    ------
    RulePackError
        If there is no such pack, or with every unknown or missing fact, wrong unit and wrong kind in it.

    Examples
    --------
    >>> load_rulepack("azure-local").whole("limits.max_nodes")
    16
    """
    return _load(name_or_path, _changed(name_or_path))


def _changed(name_or_path: str) -> int:
    """When the file last changed, so that an edited pack is read again; 0 for the shipped ones."""
    path = Path(name_or_path)
    return path.stat().st_mtime_ns if name_or_path not in builtin_rulepacks() and path.is_file() else 0


@lru_cache(maxsize=32)
def _load(name_or_path: str, _changed_at: int) -> RulePack:
    header, facts, problems = _gather(name_or_path, ())
    if not problems:
        problems = [
            Problem("RUL003", name_or_path, f"the fact {key!r} is missing", 'state it, or extends = "azure-local"')
            for key in SCHEMA
            if key not in facts
        ]
    problems = problems or _contradictions(name_or_path, facts)
    if problems:
        raise RulePackError(problems)
    ordered = {key: facts[key] for key in SCHEMA}
    return RulePack(header["name"], header["date"], header["statement"], MappingProxyType(ordered))


def _gather(name_or_path: str, above: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Fact], list[Problem]]:
    """Header, facts and problems of a pack and of what it extends."""
    if name_or_path in above:
        chain = " → ".join((*above, name_or_path))
        return {}, {}, [Problem("RUL001", name_or_path, f"packs extend each other in a circle: {chain}", "end it")]
    raw, problems = _read(name_or_path)
    if problems:
        return {}, {}, problems
    header = raw.pop("pack", None)
    problems = _header_problems(name_or_path, header)
    base: dict[str, Fact] = {}
    parent = header.get("extends", "") if isinstance(header, dict) else ""
    if isinstance(parent, str) and parent:
        if parent not in builtin_rulepacks():
            parent = str(Path(name_or_path).parent / parent)
        _, base, parent_problems = _gather(parent, (*above, name_or_path))
        problems += parent_problems
    facts = dict(base)
    for key, stated in _flatten(raw):
        fact, wrong = _fact(key, stated, name_or_path)
        problems += wrong
        if fact is not None:
            facts[key] = fact
    return header if isinstance(header, dict) else {}, facts, problems


def _read(name_or_path: str) -> tuple[dict[str, Any], list[Problem]]:
    try:
        if name_or_path in builtin_rulepacks():
            file = resources.files("fleet.rulepack") / "packs" / f"{name_or_path}.toml"
            return tomllib.loads(file.read_text(encoding="utf-8")), []
        return tomllib.loads(Path(name_or_path).read_text(encoding="utf-8")), []
    except OSError:
        known = ", ".join(builtin_rulepacks())
        message = "is neither a shipped rule pack nor a file that can be read"
        return {}, [Problem("RUL001", name_or_path, message, f"use {known}, or the path of a TOML file")]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [Problem("RUL001", name_or_path, f"is not valid TOML: {error}", "correct the file")]


def _header_problems(place: str, header: Any) -> list[Problem]:
    if not isinstance(header, dict):
        return [Problem("RUL003", place, "the table [pack] is missing", "state name, date and statement in it")]
    problems = [
        Problem("RUL003", f"{place} [pack]", f"{name} is missing", "state it") for name in _HEADER if name not in header
    ]
    for name, value in header.items():
        if name not in (*_HEADER, "extends"):
            problems.append(Problem("RUL002", f"{place} [pack]", f"{name} is unknown", "remove it"))
        elif name == "date" and not isinstance(value, datetime.date):
            problems.append(Problem("RUL004", f"{place} [pack]", f"date is {value!r}", "write it as 2026-09-01"))
        elif name != "date" and not isinstance(value, str):
            problems.append(Problem("RUL004", f"{place} [pack]", f"{name} is {value!r}, expected a text", "quote it"))
    return problems


def _contradictions(place: str, facts: Mapping[str, Fact]) -> list[Problem]:
    """Resiliency types that are named but not described, or described without what their rule needs."""
    types = facts["resiliency.types"].value
    paths = facts["growth.layout_paths"].value
    named = {
        "layouts.mirror": set(facts["layouts.mirror"].value.values()),
        "layouts.parity": set(facts["layouts.parity"].value.values()),
        "growth.layout_paths": set(paths).union(*paths.values()),
    }
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
    for name, row in types.items():
        problems += _parity_gaps(place, facts, name, row)
        if (row["efficiency_rule"] == "fixed") != ("efficiency" in row):
            message = f"{name!r}: efficiency is stated exactly where the rule is 'fixed'"
            problems.append(Problem("RUL006", f"{place}: resiliency.types", message, "state it or change the rule"))
        elif not 0 < row.get("efficiency", 1) <= 1:
            message = f"{name!r}: got efficiency {row['efficiency']!r}, expected above 0 and at most 1"
            problems.append(Problem("RUL006", f"{place}: resiliency.types", message, "correct it"))
    return problems


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


def _flatten(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys with what is stated under them. Whatever holds a field of a fact is a fact."""
    for name, content in tables.items():
        key = f"{prefix}{name}"
        is_group = isinstance(content, dict) and all(isinstance(part, dict) for part in content.values())
        if is_group and key not in SCHEMA and content:
            yield from _flatten(content, f"{key}.")
        else:
            yield key, content


def _fact(key: str, stated: Any, file: str) -> tuple[Fact | None, list[Problem]]:
    place = f"{file}: {key}"
    expected = SCHEMA.get(key)
    if expected is None:
        return None, [Problem("RUL002", place, "no such fact is known", _nearest(key))]
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
        return [f"got {value!r}, expected {_KIND_NAMES['table']}"]
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
        is_optional = isinstance(cell, str) and cell.endswith("?")
        kind = cell.removesuffix("?") if isinstance(cell, str) else cell
        if column in row:
            problems += [f"column {column!r}: {text}" for text in _cell_problems(row[column], kind, "")]
        elif not is_optional:
            problems.append(f"column {column!r} is missing")
    return problems


def _cell_problems(value: Any, kind: CellType, unit: str) -> list[str]:
    """What is wrong with one value; `kind` may be a tuple of the words allowed."""
    if isinstance(kind, tuple):
        return [] if value in kind else [f"got {value!r}, expected one of {', '.join(kind)}"]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    good = {
        "number": is_number,
        "whole": is_number and isinstance(value, int),
        "flag": isinstance(value, bool),
        "text": isinstance(value, str),
        "texts": isinstance(value, list) and all(isinstance(part, str) for part in value),
    }[kind]
    if not good:
        return [f"got {value!r}, expected {_KIND_NAMES[kind]}{f' in {unit}' if unit else ''}"]
    if is_number and not (0 <= value < float("inf")):
        return [f"got {value!r}, expected at least 0"]
    if unit == "fraction" and value > 1:
        return [f"got {value!r}, expected a fraction between 0 and 1"]
    return []


def _nearest(key: str) -> str:
    found = difflib.get_close_matches(key, SCHEMA, n=1, cutoff=0.4)
    return f"did you mean {found[0]!r}?" if found else "remove it; the shipped packs show every fact"
