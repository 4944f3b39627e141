"""What the pages of the documents take from the code: tables, drawings, help texts, the reference of public names.

A page says ``<!-- generated: NAME -->`` where the fragment of that name belongs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from architecture import TOP, ImportGraph, read_imports, room_of, room_table, summary
from room_drawing import drawing
from typer.testing import CliRunner

import fleet
import solvers
import solvers.location
from fleet.inventory.inventory import INPUT_TABLES
from fleet.inventory.tables.policy import Policy
from fleet.plan.plan import PLAN_TABLES
from fleet.plan.rules import RULES
from fleet.tables import Column, describe
from solvers.command.application import app
from solvers.parameters import Parameters

ROOT = Path(__file__).resolve().parents[1]
MARK = re.compile(r"<!-- generated: ([a-z-]+) -->")
#: The help of a verb is as wide as this.
HELP_COLUMNS = "110"


def filled(text: str) -> str:
    """A page with every fragment that it asks for."""
    return MARK.sub(lambda mark: FRAGMENTS[mark[1]](), text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars within cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


# -- tables and columns ------------------------------------------------------------------------------------------------


def _columns(columns: Iterable[Column]) -> str:
    return table(
        ("column", "type", "unit", "default", "meaning"),
        (
            (f"`{each.name}`", _kind(each), each.unit, _default(each), each.meaning)
            for each in sorted(columns, key=lambda each: not each.required)
        ),
    )


def _kind(each: Column) -> str:
    return each.type if not each.choices else ", ".join(f"`{choice}`" for choice in each.choices)


def _default(each: Column) -> str:
    if each.required:
        return "**required**"
    if each.default is None or each.default in ("", ()):
        return ""
    value = {True: "yes", False: "no"}[each.default] if isinstance(each.default, bool) else each.default
    return ";".join(value) if isinstance(value, tuple) else str(value)


def input_tables() -> str:
    """Every table that a planner writes, and the keys of the policy."""
    parts = [f"## {name}\n\n{_columns(describe(row))}" for name, row in INPUT_TABLES.items()]
    return "\n\n".join([*parts, f"## Policy keys\n\n{_columns(describe(Policy)).replace('| column', '| key', 1)}"])


def plan_tables() -> str:
    """Every table of a plan."""
    return "\n\n".join(f"## {name}\n\n{_columns(describe(row))}" for name, row in PLAN_TABLES.items())


# -- rules, parameters, commands, names --------------------------------------------------------------------------------


def rules() -> str:
    """Every rule that a plan is judged by."""
    return table(
        ("rule", "statement", "severity", "source", "in the model"),
        ((f"`{rule.id}`", rule.statement, rule.severity, rule.source, rule.encoder) for rule in RULES),
    )


def parameters(kind: type[Any] = Parameters, path: str = "") -> str:
    """Every tuning constant of the search, one table for each room."""
    own, inner = [], []
    for each in fields(kind):
        held: Any = each.default_factory
        if isinstance(held, type) and is_dataclass(held):
            inner.append((held, f"{path}.{each.name}".lstrip(".")))
        elif "unit" in each.metadata:
            about = each.metadata
            value = ", ".join(map(str, each.default)) if isinstance(each.default, tuple) else str(each.default)
            own.append((f"`{each.name}`", value, about["unit"], about["meaning"], about["chosen"]))
    text = f"### `{path}`\n\n" if own else ""
    text += table(("name", "default", "unit", "meaning", "chosen by"), own) if own else ""
    return "\n\n".join(filter(None, [text, *(parameters(held, name) for held, name in inner)]))


def commands() -> str:
    """The help of the command and of every verb."""
    verbs = [info.name or info.callback.__name__ for info in app.registered_commands if info.callback]
    parts = []
    for verb in ("", *verbs):
        words = [*filter(None, [verb]), "--help"]
        shown = CliRunner(env={"COLUMNS": HELP_COLUMNS, "TERMINAL_WIDTH": HELP_COLUMNS}).invoke(app, words)
        text = shown.stdout.replace("Usage: root", "Usage: fleet").strip("\n")
        parts.append(f"## `fleet{' ' + verb if verb else ''}`\n\n```text\n{text}\n```")
    return "\n\n".join(parts)


def names(package: Any) -> str:
    """The reference of every public name of a package, where it is defined."""
    lines = []
    for name in sorted(package.__all__, key=str.lower):
        value = getattr(package, name)
        if name.startswith("__"):
            continue
        home = import_module(value.__module__).__name__
        lines.append(f"::: {home}.{value.__qualname__}\n    options:\n      heading: {package.__name__}.{name}\n")
    return "\n".join(lines)


# -- rooms -------------------------------------------------------------------------------------------------------------


def _graph(package: str) -> ImportGraph:
    return read_imports(ROOT / package)


def rooms(package: str) -> str:
    """The rooms of a package, and its modules at the top, as a drawing."""
    graph = _graph(package)
    name_of = {module: module if room_of(module) == TOP else room_of(module) for module in graph.imports}
    edges: dict[str, set[str]] = {name: set() for name in name_of.values() if name != "__init__"}
    for module, other in graph.edges:
        first, second = name_of[module], name_of[other]
        if "__init__" not in (first, second) and first != second:
            edges[first].add(second)
    sizes = {name: sum(name_of[module] == name for module in name_of) for name in edges}
    tied = {name for name, others in edges.items() if others} | {other for others in edges.values() for other in others}
    edges = {name: others for name, others in edges.items() if name in tied}
    notes = {name: f"{count} modules" if count > 1 else "" for name, count in sizes.items()}
    frozen = {name: frozenset(others) for name, others in edges.items()}
    return f'<div class="drawing">{drawing(frozen, notes, f"rooms of {package}")}</div>'


def room_imports(package: str) -> str:
    """What `make architecture` prints of a package."""
    graph = _graph(package)
    head, *rows = room_table(graph)
    return table(head, rows) + "\n\n" + "; ".join(summary(graph)) + "."


def changelog() -> str:
    """The record of changes, its links as seen from the documents."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return text.replace("](docs/", "](").removeprefix("# Changelog\n")


FRAGMENTS: dict[str, Callable[[], str]] = {
    "input-tables": input_tables,
    "plan-tables": plan_tables,
    "rules": rules,
    "parameters": parameters,
    "commands": commands,
    "names-fleet": partial(names, fleet),
    "names-solvers": partial(names, solvers),
    "names-location": partial(names, solvers.location),
    "rooms-fleet": partial(rooms, "fleet"),
    "rooms-solvers": partial(rooms, "solvers"),
    "imports-fleet": partial(room_imports, "fleet"),
    "imports-solvers": partial(room_imports, "solvers"),
    "changelog": changelog,
}
