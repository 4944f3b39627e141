"""Facts and the packs that hold them."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleet.errors import Problem, RulePackError
from fleet.rulepack.schema import SCHEMA

#: How messages name the kinds of facts.
KIND_NAMES = {
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
        Where it is published; the word ``assumption`` where nobody publishes it, or a part of it.
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
        """Whether no source publishes the value, or a part of it."""
        return "assumption" in self.source


@dataclass(frozen=True, eq=False)
class RulePack:
    """A complete set of facts. Compare two with `fleet.rulepack.compare`."""

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
            raise RulePackError([Problem("RUL002", self.name, f"no fact is named {key!r}", nearest(key))])
        return fact

    def _value(self, key: str, *kinds: str) -> Any:
        fact = self.fact(key)
        if SCHEMA[key].kind not in kinds:
            message = f"{key} is {KIND_NAMES[SCHEMA[key].kind]}, not {KIND_NAMES[kinds[0]]}"
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


def nearest(key: str) -> str:
    """A remedy for an unknown key: the nearest known one."""
    found = difflib.get_close_matches(key, SCHEMA, n=1, cutoff=0.4)
    return f"did you mean {found[0]!r}?" if found else "remove it; the shipped packs show every fact"
