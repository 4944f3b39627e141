"""Files to raw tables: a folder of CSV files, a workbook, a JSON document. Nothing here knows what cells mean."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from fleet.errors import Problem
from fleet.inventory.reading.cells import is_blank, printable, shown
from fleet.inventory.reading.sheets import Where, where_in
from fleet.inventory.reading.workbook_parts import ZIP_DAMAGE, inspect_workbook

#: Sheets and files of these names are for people.
FOR_PEOPLE = ("readme", "notes")
_SPREADSHEET = "save the file as comma-separated CSV UTF-8"
#: A sheet that spans more cells than this has a stray cell far away.
MOST_CELLS = 50_000_000
#: A spreadsheet's formula error, which must not pass for a blank cell.
FORMULA_ERROR = "#VALUE!"


@dataclass(frozen=True)
class RawTables:
    """Tables as a file holds them.

    Attributes
    ----------
    name : str
        Name of the file or folder.
    tables : mapping
        Of each table, its rows as raw cells by header.
    places : mapping
        Of each table, how to name its places.
    problems : tuple of Problem
        What could not be read.
    unreadable : frozenset of str
        Tables of which nothing could be read.
    suspect : mapping
        Of each table, indices of rows whose cells may be shifted.
    """

    name: str
    tables: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    places: Mapping[str, Where] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    unreadable: frozenset[str] = frozenset()
    suspect: Mapping[str, frozenset[int]] = field(default_factory=dict)


class _UnreadableError(Exception):
    """A file or table cannot be read at all."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message, self.remedy = message, remedy
        super().__init__(message)


@dataclass(frozen=True)
class _Table:
    """One table read from a grid of cells."""

    rows: list[dict[str, Any]]
    where: Where
    problems: tuple[Problem, ...]
    suspect: frozenset[int]


def read_source(path: str | Path) -> RawTables:
    """Read a folder of CSV files, a workbook (.xlsx) or a JSON document ``{table: [rows]}``.

    Damage is reported in `RawTables.problems`; nothing is raised for what a file contains.
    """
    source = Path(path)
    try:
        return _read_any(source)
    except _UnreadableError as error:
        problem = Problem("INV001", printable(str(path)), error.message, error.remedy)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = "check the path and its permissions"
        problem = Problem("INV001", printable(str(path)), f"it cannot be read: {reason}", remedy)
    return RawTables(source.stem, problems=(problem,))


def _read_any(source: Path) -> RawTables:
    if source.is_dir():
        return _read_folder(source)
    if not source.exists():
        raise _UnreadableError("there is no such file or folder", "correct the path")
    if source.suffix.lower() in (".xlsx", ".xlsm"):
        return _read_workbook(source)
    if source.suffix.lower() == ".json":
        return tables_of(source.name, _read_json(source))
    remedy = "give a folder of CSV files, an .xlsx workbook or a .json file"
    if source.suffix.lower() == ".csv":
        remedy = f"give the folder that holds it: {source.parent}"
    raise _UnreadableError("this is no inventory", remedy)


def read_csv_table(path: Path) -> RawTables:
    """Read one CSV file as one table, named like the file."""
    table = path.stem.lower()
    try:
        read = _table(_csv_grid(path), path.name, ragged=True)
    except _UnreadableError as error:
        problem = Problem("INV001", path.name, error.message, error.remedy)
        return RawTables(table, problems=(problem,), unreadable=frozenset({table}))
    return _gathered(table, [(table, read)])


def _gathered(name: str, tables: Sequence[tuple[str, _Table]], problems: Iterable[Problem] = ()) -> RawTables:
    return RawTables(
        name,
        {table: read.rows for table, read in tables},
        {table: read.where for table, read in tables},
        (*problems, *(problem for _, read in tables for problem in read.problems)),
        suspect={table: read.suspect for table, read in tables},
    )


def _for_people(name: str) -> bool:
    return name.startswith("_") or name.strip().lower() in FOR_PEOPLE


def _read_folder(folder: Path) -> RawTables:
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".csv" and path.is_file()]
    files = [path for path in files if not _for_people(path.stem) and not path.name.startswith(".")]
    if not files:
        raise _UnreadableError(
            "the folder holds no CSV file", "give a folder with sites.csv, links.csv, workloads.csv …"
        )
    tables: list[tuple[str, _Table]] = []
    problems: list[Problem] = []
    unreadable = set()
    for path in files:
        table = path.stem.strip().lower()
        if table in dict(tables):
            problems.append(Problem("INV002", path.name, f"table {table!r} is given twice", "remove one of the files"))
            continue
        try:
            tables.append((table, _table(_csv_grid(path), path.name, ragged=True)))
        except _UnreadableError as error:
            problems.append(Problem("INV001", path.name, error.message, error.remedy))
            unreadable.add(table)
    raw = _gathered(folder.resolve().name, tables, problems)
    return RawTables(raw.name, raw.tables, raw.places, raw.problems, frozenset(unreadable), raw.suspect)


def _decoded(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8 text"
        raise _UnreadableError(
            message, _SPREADSHEET if path.suffix.lower() == ".csv" else "save it as UTF-8"
        ) from error
    except OSError as error:
        raise _UnreadableError(f"it cannot be read: {error.strerror}", "check its permissions") from error


def _csv_grid(path: Path) -> list[list[Any]]:
    text = _decoded(path)
    if not text.strip():
        raise _UnreadableError("the file is empty", "write the header, or remove the file")
    try:
        grid: list[list[Any]] = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise _UnreadableError(f"it is no CSV file: {error}", "check its quotation marks") from error
    if len(grid[0]) == 1:
        for separator, name in ((";", "semicolons"), ("\t", "tabulators")):
            if separator in str(grid[0][0]):
                raise _UnreadableError(f"its cells are separated by {name}, expected commas", _SPREADSHEET)
    return grid


def _table(grid: Sequence[Sequence[Any]], label: str, *, ragged: bool = False) -> _Table:
    """Read a grid whose first row is the header."""
    numbers: list[int] = []
    where = where_in(label, numbers)
    header = [printable(cell) for cell in grid[0]] if grid else []
    while header and not header[-1]:
        header.pop()
    if not header:
        raise _UnreadableError("its first row is blank, expected the header", "write the column names into row 1")
    problems = []
    first: dict[str, int] = {}
    for position, name in enumerate(header):
        if name and first.setdefault(name.lower(), position) != position:
            problems.append(Problem("INV003", where(-1, name), "the column is given twice", "remove or rename one"))
    rows: list[dict[str, Any]] = []
    suspect = set()
    nameless: set[int] = set()
    for number, cells in enumerate(grid[1:], start=2):
        if all(is_blank(cell) for cell in cells):
            continue
        extra = [position for position, cell in enumerate(cells) if position >= len(header) and not is_blank(cell)]
        if ragged and (extra or len(cells) < len(header)):
            message = f"the row has {len(cells)} cells, expected {len(header)} as in the header"
            remedy = "quote texts that contain commas, and write decimal points" if extra else "add the missing commas"
            problems.append(Problem("INV003", f"{label}:row {number}", message, remedy))
            suspect.add(len(rows))
        elif extra:
            nameless.update(extra)
        nameless.update(at for at, cell in enumerate(cells[: len(header)]) if not header[at] and not is_blank(cell))
        numbers.append(number)
        rows.append({name: cells[at] if at < len(cells) else None for name, at in first.items()})
    for position in sorted(nameless):
        message = f"column {_letters(position)} has cells and no header"
        problems.append(Problem("INV003", f"{label}:row 1", message, "name the column, or clear its cells"))
    return _Table(rows, where, tuple(problems), frozenset(suspect))


def _letters(position: int) -> str:
    text = ""
    while position >= 0:
        position, rest = divmod(position, 26)
        text = chr(ord("A") + rest) + text
        position -= 1
    return text


def _read_workbook(path: Path) -> RawTables:
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    tables: list[tuple[str, _Table]] = []
    problems: list[Problem] = []
    unreadable = set()
    try:
        errors, extents = inspect_workbook(path)
        workbook = CalamineWorkbook.from_path(str(path))
        for sheet in workbook.sheets_metadata:
            is_table = sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
            if not is_table or _for_people(sheet.name):
                continue
            label, table = f"{path.name}:{sheet.name}", sheet.name.strip().lower()
            height, width = extents.get(sheet.name, (0, 0))
            if height * width > MOST_CELLS:
                message = f"it spans {height} rows and {width} columns"
                problems.append(Problem("INV001", label, message, "clear the stray cells far from the table"))
                unreadable.add(table)
                continue
            grid = workbook.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
            for row, column in errors.get(sheet.name, ()):
                if row < len(grid) and column < len(grid[row]):
                    grid[row][column] = FORMULA_ERROR
            if table in dict(tables):
                problems.append(Problem("INV002", label, f"table {table!r} is given twice", "remove one of the sheets"))
                continue
            try:
                tables.append((table, _table(grid, label)))
            except _UnreadableError as error:
                problems.append(Problem("INV001", label, error.message, error.remedy))
                unreadable.add(table)
    except (CalamineError, *ZIP_DAMAGE) as error:
        raise _UnreadableError(f"it is no workbook that can be read: {error}", "save it again as .xlsx") from error
    if not tables and not problems:
        raise _UnreadableError(
            "the workbook has no visible sheet with a table", "name the sheets sites, links, workloads …"
        )
    raw = _gathered(path.stem, tables, problems)
    return RawTables(raw.name, raw.tables, raw.places, raw.problems, frozenset(unreadable), raw.suspect)


def _read_json(path: Path) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise _UnreadableError(f"key {shown(key)} is given twice in one object", "remove one of them")
            found[key] = value
        return found

    def no_constant(name: str) -> NoReturn:
        raise _UnreadableError(f"{name} is no JSON number", "write null for blank cells")

    text = _decoded(path)
    if not text.strip():
        raise _UnreadableError("the file is empty", 'write {"sites": [{"site": …}], …}')
    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        message = f"it is no JSON: {error.msg} at line {error.lineno} column {error.colno}"
        raise _UnreadableError(message, "correct the syntax there") from error
    except (ValueError, RecursionError) as error:
        raise _UnreadableError(f"it is no JSON that can be read: {error}", "correct the document") from error


def tables_of(name: str, document: Any) -> RawTables:
    """Take a document ``{table: [rows]}`` apart; places are named ``NAME:table[row].column``."""
    stem = name.removesuffix(".json")
    shape = 'write {"sites": [{"site": …}], "links": […], …}'
    if not isinstance(document, dict):
        problem = Problem("INV001", name, f"got {_kind(document)}, expected an object of tables", shape)
        return RawTables(stem, problems=(problem,))
    if str(document.get("schema", "")).startswith("fleet.plan/"):
        problem = Problem(
            "INV001", name, "this is a plan, expected an inventory", "give the inventory it was made from"
        )
        return RawTables(stem, problems=(problem,))
    tables: dict[str, list[dict[str, Any]]] = {}
    places: dict[str, Where] = {}
    problems: list[Problem] = []
    unreadable = set()
    for table, rows in document.items():
        key = printable(table)
        label = f"{name}:{key}"
        if not isinstance(rows, list):
            problems.append(Problem("INV001", label, f"got {_kind(rows)}, expected a list of rows", shape))
            unreadable.add(key.lower())
            continue
        wrong = [index for index, row in enumerate(rows) if not isinstance(row, dict)]
        problems.extend(
            Problem("INV003", f"{label}[{index}]", f"got {_kind(rows[index])}, expected an object of cells", shape)
            for index in wrong
        )
        places[key] = _where_in_document(label)
        tables[key] = [{} if index in set(wrong) else row for index, row in enumerate(rows)]
    return RawTables(stem, tables, places, tuple(problems), frozenset(unreadable))


def _where_in_document(label: str) -> Where:
    def where(index: int, column: str) -> str:
        row = f"{label}[{index}]" if index >= 0 else label
        return f"{row}.{column}" if column else row

    return where


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def frames_to_rows(records: Iterable[Mapping[Any, Any]], is_missing: Any) -> Iterator[dict[str, Any]]:
    """Turn records of a data frame into raw rows: missing values are blank, array scalars plain values."""
    for record in records:
        row = {}
        for key, raw in record.items():
            plain = raw.item() if hasattr(raw, "item") and not isinstance(raw, (str, bytes)) else raw
            is_sequence = isinstance(plain, (list, tuple, dict, set))
            row[str(key)] = None if not is_sequence and is_missing(plain) else plain
        yield row
