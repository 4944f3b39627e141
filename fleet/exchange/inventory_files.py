"""Writing inventories: a folder of CSV files or one workbook, as the readers take them back."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from fleet.exchange.files import replacing
from fleet.inventory.inventory import INPUT_TABLES, Inventory
from fleet.tables import describe

Tables = Mapping[str, Sequence[Mapping[str, Any]]]


def write_inventory(inventory: Inventory, path: str | Path) -> None:
    """Write an inventory into the folder `path`, or into one workbook where `path` ends in ``.xlsx``.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    write_tables(inventory.tables, path)


def write_tables(tables: Tables, path: str | Path) -> None:
    """Write rows as input tables: only columns that are used, in the order of the data dictionary.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    target = Path(path)
    used = {name: (_columns(name, tables[name]), tables[name]) for name in INPUT_TABLES if tables.get(name)}
    if target.suffix.lower() == ".xlsx":
        _write_workbook(used, target)
        return
    for name, (columns, rows) in used.items():
        with (
            replacing(target / f"{name}.csv") as temporary,
            temporary.open("w", encoding="utf-8", newline="") as stream,
        ):
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)


def _columns(table: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    used = {name for row in rows for name in row}
    known = [entry.name for entry in describe(INPUT_TABLES[table])]
    return [name for name in known if name in used] + sorted(used - set(known))


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, (list, tuple)):
        return ";".join(str(part) for part in value)
    return value


def _write_workbook(used: Mapping[str, tuple[list[str], Sequence[Mapping[str, Any]]]], target: Path) -> None:
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with replacing(target) as temporary:
        workbook = xlsxwriter.Workbook(str(temporary), options)
        header = workbook.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F4E79"})
        for name, (columns, rows) in used.items():
            sheet = workbook.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)
            for index, column in enumerate(columns):
                cells = [_cell(row.get(column)) for row in rows]
                sheet.write_string(0, index, column, header)
                sheet.set_column(index, index, min(max(len(str(cell)) for cell in (column + "   ", *cells)) + 2, 60))
                for number, cell in enumerate(cells, start=1):
                    if isinstance(cell, (int, float)):
                        sheet.write_number(number, index, cell)
                    elif cell is not None:
                        sheet.write_string(number, index, str(cell))
        workbook.close()
