"""Inventories in and out: a folder of CSV files, a workbook, a JSON document, data frames."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.errors import ExportError, InventoryError, Problem
from fleet.exchange.files import replacing, write_text
from fleet.exchange.pack_checks import pack_problems, with_own_pack
from fleet.inventory.checks.inventory import examine
from fleet.inventory.inventory import INPUT_TABLES, Inventory
from fleet.inventory.reading.sheets import read_sheet, where_in
from fleet.inventory.reading.sources import RawTables, frames_to_rows, read_source
from fleet.inventory.tables.hardware import ExistingCluster
from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.prices import PRICE_ITEMS
from fleet.platform.standing import Place
from fleet.tables import EXTRA_PREFIX, Column, describe

if TYPE_CHECKING:
    import pandas as pd

#: Rows that the drop-downs of a workbook cover.
TEMPLATE_ROWS = 2000


def read(path: str | Path) -> Inventory:
    """Read and check an inventory.

    Parameters
    ----------
    path : str or Path
        A folder with one ``TABLE.csv`` per table, an ``.xlsx`` workbook with one sheet per table (hidden ones, those
        starting with ``_``, and ``readme`` and ``notes`` are skipped), or a ``.json`` document ``{table: [rows]}``.
        A rule pack that it names may lie beside its tables.

    Raises
    ------
    InventoryError
        With every problem of the whole set, each with its file, row and column.
    """
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    return _checked(read_source(path), folder)


def from_frames(frames: Mapping[str, pd.DataFrame], name: str = "frames") -> Inventory:
    """Read and check an inventory out of data frames; missing values are blank cells.

    Parameters
    ----------
    frames : mapping
        Data frames by table.
    name : str
        What people call the fleet.

    Raises
    ------
    InventoryError
        With every problem; rows are counted as in a spreadsheet, so that the first is row 2.
    """
    import pandas as pd

    tables: dict[str, list[dict[str, Any]]] = {}
    problems: list[Problem] = []
    given: dict[str, Any] = dict(frames)
    for table, frame in given.items():
        if not isinstance(frame, pd.DataFrame):
            message = f"got {type(frame).__name__}, expected a pandas DataFrame"
            problems.append(Problem("INV001", str(table), message, "pass one data frame per table"))
            continue
        repeated = sorted({str(label) for label in frame.columns[frame.columns.duplicated()]})
        problems.extend(
            Problem("INV003", f"{table}:row 1 column {label}", "the column is given twice", "remove or rename one")
            for label in repeated
        )
        unique = frame.loc[:, ~frame.columns.duplicated()]
        tables[str(table)] = list(frames_to_rows(unique.to_dict("records"), pd.isna))
    unreadable = frozenset(str(table) for table in frames if str(table) not in tables)
    return _checked(RawTables(name, tables, problems=tuple(problems), unreadable=unreadable))


def _checked(raw: RawTables, folder: Path | None = None) -> Inventory:
    if raw.problems and not raw.tables:
        raise InventoryError(raw.problems)
    inventory, problems = examine(raw.name, raw.tables, raw.places, unreadable=raw.unreadable, suspect=raw.suspect)
    if raw.problems or inventory is None:
        raise InventoryError([*raw.problems, *problems])
    inventory = inventory if folder is None else with_own_pack(inventory, folder)
    if problems := tuple(pack_problems(inventory, _places_of_standing(raw))):
        raise InventoryError(problems)
    return inventory


def _places_of_standing(raw: RawTables) -> Place:
    """Name the places of standing clusters as those of any other row: by file and row."""
    given = next((table for table in raw.tables if table.strip().lower() == "clusters"), "clusters")
    where = raw.places.get(given) or where_in("clusters")
    sheet = read_sheet("clusters", ExistingCluster, raw.tables.get(given, ()), where)
    index = {record.row.cluster: record.index for record in sheet.records}
    return lambda row, column: where(index[row.cluster], column)


def template_tables(inventory: Inventory) -> Iterator[tuple[str, tuple[Column, ...], list[dict[str, Any]]]]:
    """Yield every table as a planner sees it: name, columns, and rows with plain cells.

    Tables without rows come with their columns. The policy lists every key with its value and meaning.
    """
    for table, row_type in INPUT_TABLES.items():
        columns = describe(row_type)
        if table == "policy":
            yield table, (*columns, _extra("x_unit"), _extra("x_meaning")), list(_policy_rows(inventory.policy))
            continue
        rows = inventory.tables[table]
        known = {column.name for column in columns}
        extras = sorted({name for row in rows for name in row if name not in known})
        yield (
            table,
            (*columns, *map(_extra, extras)),
            [{key: _plain(cell) for key, cell in row.items()} for row in rows],
        )


def _extra(name: str) -> Column:
    return Column(name, "text", "", required=False, default=None, meaning="passed through to the exports")


def _policy_rows(policy: Policy) -> Iterator[dict[str, Any]]:
    values = policy.model_dump(mode="json")
    for column in describe(Policy):
        meaning = column.meaning if not column.choices else f"{column.meaning} ({', '.join(column.choices)})"
        yield {
            "key": column.name,
            "value": _plain(values[column.name]),
            "x_unit": column.unit,
            "x_meaning": meaning,
        }


def _plain(cell: Any) -> Any:
    """Give a cell as it is written: yes or no, whole numbers without a point."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell


def write_folder(inventory: Inventory, folder: str | Path) -> None:
    """Write an inventory as a folder of CSV files that reads back to an equal `sha256`.

    Every table gets its file, those without rows their header alone.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    for table, columns, rows in template_tables(inventory):
        text = io.StringIO()
        writer = csv.DictWriter(text, [column.name for column in columns], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(Path(folder) / f"{table}.csv", text.getvalue())


def write_workbook(inventory: Inventory, path: str | Path) -> None:
    """Write an inventory as a workbook that reads back to an equal `sha256`.

    One sheet per table; units and meanings in the comments of the header, drop-downs for choices, and a readme.
    Texts are written as texts: none becomes a formula or a link.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with replacing(path) as temporary:
        workbook = xlsxwriter.Workbook(str(temporary), options)
        workbook.set_properties({"title": f"Inventory {inventory.name}", "created": dt.datetime(2000, 1, 1)})  # noqa: DTZ001
        styles = {
            "required": workbook.add_format({"bold": True, "bg_color": "#D9E2F0", "bottom": 1}),
            "optional": workbook.add_format({"bg_color": "#F0F3F8", "bottom": 1}),
            "text": workbook.add_format({"num_format": "@"}),
            "wrap": workbook.add_format({"text_wrap": True, "valign": "top"}),
        }
        _write_readme(workbook.add_worksheet("readme"), inventory, styles)
        for table, columns, rows in template_tables(inventory):
            _write_sheet(workbook.add_worksheet(table), columns, rows, styles)
        try:
            workbook.close()
        except xlsxwriter.exceptions.XlsxWriterException as error:
            raise ExportError(f"{path} cannot be written: {error}") from error


def _write_readme(sheet: Any, inventory: Inventory, styles: Mapping[str, Any]) -> None:
    sheet.set_column(0, 0, 110, styles["wrap"])
    lines = (
        f"Inventory {inventory.name}: what the planner states, one sheet per table.",
        "Bold headers are required. A blank cell means the default; the comment on each header tells unit and meaning.",
        "Write numbers with a decimal point, yes or no, dates as year-month-day, and lists separated by semicolons.",
        "Columns whose name starts with x_ pass through to the exports.",
        "This sheet, hidden sheets and sheets whose name starts with _ are not read.",
        f"Price items: {', '.join(PRICE_ITEMS)}.",
        "Check the file with: fleet check FILE",
    )
    for row, line in enumerate(lines):
        sheet.write_string(row, 0, line, styles["wrap"])


def _write_sheet(
    sheet: Any, columns: tuple[Column, ...], rows: list[dict[str, Any]], styles: Mapping[str, Any]
) -> None:
    sheet.freeze_panes(1, 1)
    last = max(len(rows), TEMPLATE_ROWS)
    for at, column in enumerate(columns):
        is_text = column.type in ("text", "list", "date")
        widest = max((len(str(row.get(column.name, ""))) for row in rows), default=0)
        width = min(60, max(len(column.name), widest) + 3)
        sheet.set_column(at, at, width, styles["text"] if is_text else None)
        sheet.write_string(0, at, column.name, styles["required" if column.required else "optional"])
        if not column.name.startswith(EXTRA_PREFIX):
            sheet.write_comment(0, at, _comment(column), {"x_scale": 2.0})
        choices = list(column.choices) or (["yes", "no"] if column.type == "yes/no" else [])
        if choices:
            sheet.data_validation(1, at, last, at, {"validate": "list", "source": choices})
    sheet.autofilter(0, 0, max(1, len(rows)), len(columns) - 1)
    for number, row in enumerate(rows, start=1):
        for at, column in enumerate(columns):
            cell = row.get(column.name)
            if isinstance(cell, (int, float)) and float(f"{cell:.16G}") == cell:  # as many digits as the format keeps
                sheet.write_number(number, at, cell)
            elif cell not in (None, ""):
                sheet.write_string(number, at, str(cell))


def _comment(column: Column) -> str:
    default = _plain(column.default)
    parts = [column.meaning, column.unit and f"Unit: {column.unit}"]
    if column.choices:
        parts.append(f"One of: {', '.join(column.choices)}")
    if column.required:
        parts.append("Required")
    elif default not in (None, "", ()):
        parts.append(f"Default: {default}")
    return "\n".join(part for part in parts if part)
