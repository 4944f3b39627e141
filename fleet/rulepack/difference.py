"""Comparing two rule packs, fact by fact and cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.rulepack.facts import Fact, RulePack, row_at
from fleet.rulepack.loader import load_rulepack
from fleet.rulepack.schema import SCHEMA

#: Shown where a pack has no such row or column.
ABSENT = "–"


def compare(a: RulePack | str, b: RulePack | str) -> list[dict[str, str]]:
    """Every fact on which two packs differ, tables cell by cell.

    Parameters
    ----------
    a, b : RulePack or str
        Packs, or their names or paths.

    Returns
    -------
    list of dict
        ``{fact, a, b, effect}``: key, value with unit in each pack, and what the fact decides in a plan.
        Facts that differ only in source, date or wording are left out.

    Examples
    --------
    >>> compare("azure-local", "azure-local")
    []
    """
    first = a if isinstance(a, RulePack) else load_rulepack(a)
    second = b if isinstance(b, RulePack) else load_rulepack(b)
    return [row for key in SCHEMA for row in _differences(first.fact(key), second.fact(key))]


def _differences(a: Fact, b: Fact) -> Iterator[dict[str, str]]:
    cells_a, cells_b = _cells(a, b), _cells(b, a)
    for name in dict.fromkeys((*cells_a, *cells_b)):
        in_a, in_b = shown(cells_a.get(name), a.unit), shown(cells_b.get(name), b.unit)
        if in_a != in_b:
            expected = SCHEMA[a.key]
            effect = expected.column_effects.get(name.rpartition(".")[2], expected.effect)
            yield {"fact": name, "a": in_a, "b": in_b, "effect": effect}


def _cells(fact: Fact, other: Fact) -> dict[str, Any]:
    """The cells of a fact by name. A row that `other` lacks stays whole; rows by node count hold up to the next."""
    if not isinstance(fact.value, Mapping):
        return {fact.key: fact.value}
    rows = dict(fact.value)
    if SCHEMA[fact.key].by_nodes:
        counts = sorted({int(name) for name in (*fact.value, *other.value)})
        rows = {str(count): row_at(fact.value, count) for count in counts}
    cells: dict[str, Any] = {}
    for name, row in rows.items():
        if isinstance(row, Mapping) and (name in other.value or SCHEMA[fact.key].by_nodes):
            cells.update({f"{fact.key}.{name}.{column}": cell for column, cell in row.items()})
        else:
            cells[f"{fact.key}.{name}"] = row
    return cells


def shown(value: Any, unit: str) -> str:
    """A value with its unit as text; fractions stand without."""
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{column} {shown(cell, '')}" for column, cell in value.items())
    if isinstance(value, list):
        return "; ".join(value)
    text = f"{value:.10g}" if isinstance(value, (int, float)) else str(value)
    return text if unit == "fraction" else f"{text} {unit}".strip()
