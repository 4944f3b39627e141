"""Scenarios: named changes laid over an inventory.

A scenario is a list of changes, one per row, applied in the order in which they stand:

========  ====================================================================================================
scenario  name of the scenario
table     table of the inventory that changes
row       which rows: ``*`` for all, a key (site, link, workload, ``workload@site``, node model, profile, cluster, price
          item, element, policy key), or ``column=value`` such as ``kind=store``
column    column that changes; blank for drop; for table policy blank, or the key if row is ``*``
action    ``set`` the cell (blank value = default), ``scale`` it by a factor, ``add`` a number to it, ``drop`` the rows
value     what is set, the factor, or the number
========  ====================================================================================================

``add`` and ``scale`` act on numbers, on the default where the cell is blank. Setting the place of a site clears its
coordinates unless the scenario sets those too. Dropping rows drops nothing else: what still refers to them is reported.

Codes: SCN001 unreadable, SCN002 a row of the scenario table, SCN003 no such row or cell in the inventory, SCN004 the
changed inventory fails its checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fleet.errors import Problem, ScenarioError
from fleet.inventory.checks.inventory import examine
from fleet.inventory.inventory import INPUT_TABLES, Inventory
from fleet.inventory.reading.cells import Condition, conditions, did_you_mean
from fleet.inventory.reading.sheets import Record, Sheet, Where, read_sheet
from fleet.inventory.reading.sources import RawTables, read_csv_table, read_source, tables_of
from fleet.inventory.tables.policy import Policy
from fleet.tables import EXTRA_PREFIX, InputRow, Name, Text
from fleet.tables import column as declared

#: The columns whose text names a row, by table.
KEYS: dict[str, tuple[str, ...]] = {
    "sites": ("site",),
    "links": ("link",),
    "workloads": ("workload", "site"),
    "hardware": ("node_model",),
    "growth": ("profile",),
    "clusters": ("cluster",),
    "pins": ("decision",),
    "prices": ("item",),
    "failure_rates": ("element",),
    "figures": ("figure",),
    "policy": ("key",),
}


class Change(InputRow):
    """One row of a scenario table."""

    scenario: Name = declared(meaning="name of the scenario")
    table: Name = declared(meaning="table that changes")
    row: Name = declared(meaning="key of the row, * for all, or column=value")
    column: Text = declared("", meaning="column that changes; not used by drop")
    action: Literal["set", "scale", "add", "drop"] = declared(meaning="what is done")
    value: Text = declared("", meaning="what is set, the factor, or the number added")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named list of changes, each with the place where it is stated."""

    name: str
    changes: tuple[Change, ...]
    places: tuple[str, ...] = ()

    def place(self, index: int) -> str:
        """Where a change is stated."""
        return self.places[index] if index < len(self.places) else f"scenario {self.name!r}:change {index + 1}"


def read_scenarios(path: str | Path) -> dict[str, Scenario]:
    """Read scenarios.

    Parameters
    ----------
    path : str or Path
        A CSV file, a workbook with a sheet ``scenarios``, a folder with ``scenarios.csv``, or a document: YAML as a
        list of changes or ``{name: [changes]}``, JSON as ``{"scenarios": [changes]}``.

    Returns
    -------
    dict of str to Scenario
        By name, in the order of the file.

    Raises
    ------
    ScenarioError
        With every problem of the file.
    """
    source = Path(path)
    raw = _raw(source)
    rows = raw.tables.get("scenarios", [])
    label = raw.places["scenarios"](-1, "") if rows else ""
    problems = [_renamed(problem, "SCN001") for problem in raw.problems if problem.place.startswith(label)]
    if not rows and not problems:
        remedy = "give a CSV or YAML file, or a workbook with a sheet named scenarios"
        problems.append(Problem("SCN001", str(path), "it holds no scenario", remedy))
    if not rows:
        raise ScenarioError(problems)
    sheet = read_sheet("scenarios", Change, rows, raw.places["scenarios"], raw.suspect.get("scenarios", frozenset()))
    problems += [_renamed(problem, "SCN002") for problem in sheet.problems]
    for record in sheet.records:
        problems += _check_change(sheet, record)
    if problems:
        raise ScenarioError(problems)
    found: dict[str, list[Record[Change]]] = {}
    for record in sheet.records:
        found.setdefault(record.row.scenario, []).append(record)
    return {
        name: Scenario(
            name, tuple(record.row for record in own), tuple(sheet.where(record.index, "") for record in own)
        )
        for name, own in found.items()
    }


def _renamed(problem: Problem, code: str) -> Problem:
    return Problem(code, problem.place, problem.message, problem.remedy)


def _raw(source: Path) -> RawTables:
    suffix = source.suffix.lower()
    if source.is_dir():
        source, suffix = source / "scenarios.csv", ".csv"
    if suffix in (".yaml", ".yml"):
        return _read_yaml(source)
    raw = read_csv_table(source) if suffix == ".csv" else read_source(source)
    if suffix == ".csv" and raw.tables:
        table = next(iter(raw.tables))
        suspect = {"scenarios": raw.suspect.get(table, frozenset())}
        only = {"scenarios": raw.tables[table]}
        return RawTables(raw.name, only, {"scenarios": raw.places[table]}, raw.problems, suspect=suspect)
    return raw


def _read_yaml(source: Path) -> RawTables:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problem = Problem("SCN001", str(source), f"it cannot be read: {error.strerror}", "correct the path")
        return RawTables(source.stem, problems=(problem,))
    except (YAMLError, ValueError, RecursionError, TypeError) as error:
        reason = " ".join(str(error).split())
        problem = Problem("SCN001", str(source), f"it is no YAML that can be read: {reason}", "correct the document")
        return RawTables(source.stem, problems=(problem,))
    if isinstance(document, dict) and "scenarios" not in document:
        document = [
            {"scenario": name, **change} if isinstance(change, dict) else change
            for name, own in document.items()
            for change in (own if isinstance(own, list) else [own])
        ]
    if isinstance(document, list):
        document = {"scenarios": document}
    return tables_of(source.name, document)


def _check_change(sheet: Sheet[Change], record: Record[Change]) -> list[Problem]:
    """Check one change as far as that needs no inventory."""
    change = record.row
    if not record.has("table", "column", "action", "value"):
        return []
    if change.table not in INPUT_TABLES:
        remedy = did_you_mean(change.table, tuple(INPUT_TABLES), f"the tables are {', '.join(INPUT_TABLES)}")
        return [sheet.problem("SCN002", record, "table", f"there is no table {change.table!r}", remedy)]
    if change.action == "drop":
        used = [name for name in ("column", "value") if getattr(change, name)]
        message = "drop drops whole rows and uses neither column nor value"
        return [sheet.problem("SCN002", record, used[0], message, "clear them, or correct the action")] if used else []
    known = _columns(change)
    if change.table == "policy" and change.column in ("", "value"):
        if change.row == "*":
            message = "a change of the policy names no key"
            return [sheet.problem("SCN002", record, "row", message, "write the policy key into column row")]
        return _check_number(sheet, record)
    if change.column not in known and not change.column.startswith(EXTRA_PREFIX):
        message = f"table {change.table} has no column {change.column!r}"
        remedy = did_you_mean(change.column, known, f"its columns are {', '.join(known)}")
        return [sheet.problem("SCN002", record, "column", message, remedy)]
    is_number = change.column in known and known[change.column].column.type in ("number", "integer")
    if change.action in ("scale", "add") and not is_number:
        message = f"column {change.column!r} holds no numbers, and {change.action} needs one"
        return [sheet.problem("SCN002", record, "column", message, "use set, or correct the column")]
    return _check_number(sheet, record)


def _columns(change: Change) -> Mapping[str, Condition]:
    """Give the columns of the table; those of the policy are its keys."""
    return conditions(Policy if change.table == "policy" else INPUT_TABLES[change.table])


def _check_number(sheet: Sheet[Change], record: Record[Change]) -> list[Problem]:
    if record.row.action in ("scale", "add") and _number(record.row.value) is None:
        message = f"got {record.row.value!r}, expected a number to {record.row.action} by"
        return [sheet.problem("SCN002", record, "value", message, "write a number with a decimal point")]
    return []


def _number(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if abs(value) < 1e15 else None


def apply_scenario(inventory: Inventory, scenario: Scenario) -> Inventory:
    """Lay a scenario over an inventory.

    Returns
    -------
    Inventory
        A new inventory, checked again; the given one is unchanged.

    Raises
    ------
    ScenarioError
        With every change that fits no row, and every problem of the changed inventory.

    Examples
    --------
    >>> from fleet.inventory.synthetic import synthetic
    >>> growth = Change(scenario="busy", table="workloads", row="*", column="vcpus", action="scale", value="2")
    >>> busy = apply_scenario(synthetic(sites=6, hubs=2, seed=1), Scenario("busy", (growth,)))
    >>> busy.name
    'synthetic-store-6-2-1 (busy)'
    """
    tables = {table: [dict(row) for row in rows] for table, rows in inventory.tables.items()}
    tables["policy"] = [{"key": key, "value": value} for key, value in inventory.policy.model_dump(mode="json").items()]
    problems: list[Problem] = []
    moved: set[int] = set()
    placed: list[dict[str, Any]] = []
    kinds = {site.site: site.kind for site in inventory.sites}
    for index, change in enumerate(scenario.changes):
        if change.table not in tables:
            remedy = did_you_mean(change.table, tuple(tables), "correct the table")
            problems.append(Problem("SCN003", scenario.place(index), f"there is no table {change.table!r}", remedy))
            continue
        rows = tables[change.table]
        chosen = [row for row in rows if _is_meant(change, row, kinds)]
        if not chosen:
            problems.append(_nothing_chosen(scenario.place(index), change, rows))
        if change.action == "drop":
            kept = {id(row) for row in chosen}
            tables[change.table] = [row for row in rows if id(row) not in kept]
            continue
        for row in chosen:
            problem = _apply(change, row, scenario.place(index))
            if problem:
                problems.append(problem)
                break
            if change.table == "sites" and change.column in ("latitude", "longitude"):
                moved.add(id(row))
            if change.table == "sites" and change.column == "place":
                placed.append(row)
    for row in placed:
        if id(row) not in moved:
            row["latitude"] = row["longitude"] = None
    where = {table: _where(scenario, table, rows) for table, rows in tables.items()}
    changed, found = examine(f"{inventory.name} ({scenario.name})", tables, where)
    problems += [_renamed(problem, "SCN004") for problem in found]
    if problems or changed is None:
        raise ScenarioError(problems)
    return changed


def _key(table: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the names by which a row may be called."""
    first, *more = (str(row.get(name, "") or "") for name in KEYS[table])
    return (first, *(f"{first}@{other}" for other in more if other))


def _is_meant(change: Change, row: Mapping[str, Any], kinds: Mapping[str, str]) -> bool:
    """Tell whether a change selects a row; the kind of a workload at one site is that of the site."""
    if change.table == "policy" and change.column in conditions(Policy):
        return bool(row["key"] == change.column) and change.row in ("*", row["key"])
    if change.row == "*" or change.row in _key(change.table, row):
        return True
    name, equals, value = (part.strip() for part in change.row.partition("="))
    if not equals or (name not in row and name not in conditions(INPUT_TABLES[change.table])):
        return False
    cell = row.get(name)
    if change.table == "workloads" and name == "kind" and row.get("site"):
        cell = kinds.get(row["site"])
    if isinstance(cell, bool):
        return ("yes" if cell else "no") == value.lower()
    number = _number(value)
    if isinstance(cell, (int, float)) and number is not None:
        return float(cell) == number
    return str(cell or "") == value


def _nothing_chosen(place: str, change: Change, rows: Sequence[Mapping[str, Any]]) -> Problem:
    names = sorted({name for row in rows for name in _key(change.table, row) if name})
    message = f"table {change.table} has no row {change.row!r}"
    otherwise = "use a key, * for all rows, or column=value"
    return Problem("SCN003", place, message, did_you_mean(change.row, names, otherwise))


def _apply(change: Change, row: dict[str, Any], place: str) -> Problem | None:
    """Change one cell in place, or say why that is impossible."""
    name = "value" if change.table == "policy" else change.column
    if change.action == "set":
        row[name] = change.value
        return None
    expected = _columns(change).get(str(row["key"]) if change.table == "policy" else name)
    old = row.get(name)
    if old in (None, "") and expected is not None:
        old = expected.column.default
    before, by = _number(old), _number(change.value)
    if before is None or by is None:
        subject = "@".join(_key(change.table, row)[:1])
        message = f"column {name!r} of {subject!r} holds no number to {change.action}"
        return Problem("SCN003", place, message, "use set, or fill in the cell")
    after = before * by if change.action == "scale" else before + by
    row[name] = float(f"{after:.12g}")
    return None


def _where(scenario: Scenario, table: str, rows: Iterable[Mapping[str, Any]]) -> Where:
    names = [(_key(table, row) or ("",))[-1] for row in rows]

    def where(index: int, column_name: str) -> str:
        row = f" row {names[index]!r}" if index >= 0 else ""
        return f"scenario {scenario.name!r}:{table}{row}{f' column {column_name}' if column_name else ''}"

    return where
