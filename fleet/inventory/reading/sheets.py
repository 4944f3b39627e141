"""Tables of raw rows to tables of typed records, each of which knows where it stands and which cells it lacks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from fleet.errors import Problem
from fleet.inventory.reading.cells import (
    CellIssue,
    Condition,
    conditions,
    did_you_mean,
    is_blank,
    nearest,
    printable,
    read_row,
)
from fleet.inventory.tables.policy import Policy, PolicyRow
from fleet.tables import EXTRA_PREFIX, InputRow

R = TypeVar("R", bound=InputRow)
S = TypeVar("S", bound=InputRow)

#: Names the place of a cell: called with the index of the row among the rows given (-1 = the header) and the
#: column ("" = the whole row).
Where = Callable[[int, str], str]


def where_in(label: str, numbers: Sequence[int] | None = None) -> Where:
    """Name places of a spreadsheet-like table.

    Parameters
    ----------
    label : str
        Name of its file or sheet.
    numbers : sequence of int, optional
        Spreadsheet row number of each row; by default the rows follow the header, which is row 1.
    """

    def where(index: int, column: str) -> str:
        if index < 0 and not column:
            return label
        number = 1 if index < 0 else index + 2 if numbers is None else numbers[index]
        return f"{label}:row {number} column {column}" if column else f"{label}:row {number}"

    return where


@dataclass(frozen=True, slots=True)
class Record(Generic[R]):
    """One row: typed, its index, and the columns whose cell could not be read (there the row means nothing)."""

    row: R
    index: int
    broken: frozenset[str] = frozenset()

    def has(self, *columns: str) -> bool:
        """Whether all these cells could be read."""
        return self.broken.isdisjoint(columns)


@dataclass(frozen=True)
class Sheet(Generic[R]):
    """One table as read: its records, the problems of its cells, and how to name its places.

    `is_given` is False where the table is absent or unreadable, so that nothing can be concluded from its rows.
    """

    table: str
    records: tuple[Record[R], ...]
    where: Where
    problems: tuple[Problem, ...] = ()
    is_given: bool = True

    def problem(self, code: str, record: Record[R] | None, column: str, message: str, remedy: str) -> Problem:
        """Word a problem of a cell, of a row (column "") or of the table (record None)."""
        return Problem(code, self.where(-1 if record is None else record.index, column), message, remedy)

    def names(self, column: str) -> frozenset[str]:
        """Every name that stands in a text column, also of rows with other bad cells."""
        field = "from_" if column == "from" else column
        return frozenset(str(getattr(record.row, field)) for record in self.records if record.has(column))

    def with_rows(self, rows: Mapping[int, R]) -> Sheet[R]:
        """Replace the rows of some records, given by row index."""
        records = tuple(replace(item, row=rows[item.index]) if item.index in rows else item for item in self.records)
        return replace(self, records=records)


def read_sheet(
    table: str,
    row_type: type[R],
    rows: Sequence[Mapping[Any, Any]],
    where: Where,
    suspect: frozenset[int] = frozenset(),
    is_given: bool = True,
) -> Sheet[R]:
    """Read one table.

    Parameters
    ----------
    table : str
        Name of the table.
    row_type : type
        Its row type.
    rows : sequence of mappings
        Raw cells by header; headers are compared without case. Rows without any cell are skipped.
    where : callable
        Names places.
    suspect : frozenset of int
        Rows known to be damaged: their cells are read as far as they go and not reported again.
    is_given : bool
        Whether the table was there and readable.

    Returns
    -------
    Sheet
        With every problem of its cells.
    """
    known = conditions(row_type)
    cleaned, seen, twice = _cleaned(rows, where)
    unknown = [name for name in seen if name not in known and not name.startswith(EXTRA_PREFIX)]
    absent = [name for name, condition in known.items() if condition.column.required and name not in seen and cleaned]
    problems = [*twice, *_column_problems(table, known, seen, unknown, absent, where)]
    records = []
    for index, cells in cleaned:
        for name in unknown:
            cells.pop(name, None)
        row, issues = read_row(row_type, cells)
        records.append(Record(row, index, frozenset(issue.column for issue in issues)))
        if index not in suspect:
            problems.extend(_cell_problems(where, index, [issue for issue in issues if issue.column not in absent]))
        else:
            blank = frozenset(name for name in known if is_blank(cells.get(name)))
            records[-1] = replace(records[-1], broken=records[-1].broken | blank)
    return Sheet(table, tuple(records), where, tuple(problems), is_given)


def _cleaned(
    rows: Sequence[Mapping[Any, Any]], where: Where
) -> tuple[list[tuple[int, dict[str, Any]]], list[str], list[Problem]]:
    """Rows with any cell, by index, with plain column names; all columns; and those that a row has twice."""
    seen: dict[str, None] = {}
    cleaned: list[tuple[int, dict[str, Any]]] = []
    problems: list[Problem] = []
    spelled: dict[Any, str] = {}
    for index, raw in enumerate(rows):
        cells = {}
        for header, value in raw.items():
            name = spelled.get(header)
            if name is None:
                name = spelled[header] = printable(header).lower()
            if name in cells:
                problems.append(Problem("INV003", where(index, name), "the column is given twice", "remove one"))
            seen.setdefault(name)
            cells[name] = value
        if any(not is_blank(value) for value in cells.values()):
            cleaned.append((index, cells))
    return cleaned, list(seen), problems


def _column_problems(
    table: str,
    known: Mapping[str, Condition],
    seen: Collection[str],
    unknown: Sequence[str],
    absent: Sequence[str],
    where: Where,
) -> Iterator[Problem]:
    """Columns that a table does not know, and required ones that it lacks and that no unknown one was meant for."""
    meant = set()
    for name in unknown:
        close = nearest(name, [option for option in known if option not in seen])
        meant.add(close)
        close = close or nearest(name, known)
        other = f"name it {EXTRA_PREFIX}{name} to pass it through, or remove it"
        remedy = f"did you mean {close!r}? Otherwise {other}" if close else other
        yield Problem("INV004", where(-1, name), f"table {table} has no column {name!r}", remedy)
    for name in absent:
        if name not in meant:
            message = f"table {table} lacks its required column {name!r}"
            yield Problem("INV005", where(-1, name), message, f"add it: {known[name].column.meaning}")


def _cell_problems(where: Where, index: int, issues: Sequence[CellIssue]) -> Iterator[Problem]:
    for issue in issues:
        code = "INV006" if issue.missing else "INV007"
        yield Problem(code, where(index, issue.column), issue.message, issue.remedy)


def read_policy(sheet: Sheet[PolicyRow]) -> tuple[Policy, frozenset[str], tuple[Problem, ...]]:
    """Read the policy out of its table; a key without a value keeps its default.

    Returns
    -------
    tuple of policy, broken keys, problems
        Broken keys hold their defaults.
    """
    known = conditions(Policy)
    problems: list[Problem] = []
    first: dict[str, Record[PolicyRow]] = {}
    for record in sheet.records:
        key = record.row.key.lower()
        if not record.has("key"):
            continue
        if key not in known:
            remedy = did_you_mean(key, known, "remove the row")
            problems.append(sheet.problem("INV008", record, "key", f"there is no policy key {key!r}", remedy))
        elif key in first:
            message = f"policy key {key!r} is given twice, first at {sheet.where(first[key].index, '')}"
            problems.append(sheet.problem("INV010", record, "key", message, "keep one of the rows"))
        else:
            first[key] = record
    values = {key: record.row.value for key, record in first.items() if record.has("value")}
    policy, issues = read_row(Policy, values)
    for issue in issues:
        message = f"{issue.column}: {issue.message}"
        problems.append(sheet.problem("INV007", first[issue.column], "value", message, issue.remedy))
    broken = {issue.column for issue in issues} | {key for key, record in first.items() if not record.has("value")}
    return policy, frozenset(broken), tuple(problems)
