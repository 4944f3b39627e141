"""The plan as a workbook, or as a folder of CSV files: one real table per plan table, the summary first."""

from __future__ import annotations

import csv
import datetime
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from fleet.errors import ExportError, FleetError
from fleet.exchange.files import replacing
from fleet.exchange.workbook.styles import Styles
from fleet.exchange.workbook.summary import write_summary
from fleet.failures.sweep import normal_of
from fleet.failures.tables import FAILURE_TABLES, failure_tables, is_sweepable
from fleet.inventory.inventory import INPUT_TABLES
from fleet.operations.tables import OPERATIONS_TABLES, operations_tables
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import PLAN_TABLES, Plan
from fleet.tables import EXTRA_PREFIX, Column, Row, describe

#: A workbook without a date of its own carries this one, so that the bytes repeat.
_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
#: Sheets and files about failures and recovery start so, and those of the operations plan.
FAILURES_PREFIX = "dr_"
OPERATIONS_PREFIX = "op_"
#: Units of plain rows, which have no data dictionary.
_UNITS = {"cost": "currency", "bound": "currency", "gap": "fraction"}
_MOST_ROWS = 1_048_575
_LONGEST_TEXT = 32_000
_WIDEST = 72


@dataclass(frozen=True)
class _Sheet:
    """One table on its way to a sheet."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]
    tab: str


def to_excel(plan: Plan, path: str | Path) -> None:
    """Write the plan as an ``.xlsx`` workbook, whole or not at all.

    The sheets are ``Summary``, one per plan table with exactly its columns, ``dr_`` sheets that say what fails and how
    it comes back, ``op_`` sheets that say how the plan is run, ``in_`` sheets with the inventory it was made from, and
    ``dictionary`` with unit and meaning of every column.
    Text is only ever text: a name that starts with ``=`` is no formula. The same plan gives the same bytes.

    Parameters
    ----------
    plan : Plan
        The plan.
    path : str or Path
        File to write.

    Raises
    ------
    ExportError
        If the file cannot be written or a table is longer than a sheet.
    """
    with replacing(path) as temporary:
        workbook = xlsxwriter.Workbook(str(temporary), _OPTIONS)
        created = plan.document.created
        workbook.set_properties(
            {
                "title": f"Fleet plan {plan.document.inventory.name}",
                "comments": f"inventory {plan.document.inventory.sha256}",
                "created": datetime.datetime.fromisoformat(created) if created else _EPOCH,
            }
        )
        styles = Styles(workbook)
        write_summary(workbook, plan, styles)
        sheets = [*_plan_sheets(plan), *_derived_sheets(plan), *_input_sheets(plan)]
        for sheet in sheets:
            _write_table(workbook, sheet, styles)
        _write_table(workbook, _dictionary(sheets), styles)
        try:
            workbook.close()
        except xlsxwriter.exceptions.XlsxWriterException as error:
            raise ExportError(f"{path} cannot be written: {error}") from error


def rows_to_excel(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], path: str | Path) -> None:
    """Write plain rows as a workbook of one table, such as the summary of a batch.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    numeric = [
        all(value is None or isinstance(value, (int, float)) for value in column) for column in zip(*rows, strict=True)
    ]
    entries = tuple(
        Column(name, "number" if is_number else "text", _UNITS.get(name, ""), required=True, default=None, meaning="")
        for name, is_number in zip(columns, numeric or [False] * len(columns), strict=True)
    )
    with replacing(path) as temporary:
        workbook = xlsxwriter.Workbook(str(temporary), _OPTIONS)
        workbook.set_properties({"created": _EPOCH})
        _write_table(workbook, _Sheet(title, entries, rows, "#1F4E79"), Styles(workbook))
        workbook.close()


def to_csv(plan: Plan, directory: str | Path) -> None:
    """Write one UTF-8 CSV file per table of the plan, its failures and its operations, with exactly its columns.

    Values are exact: nothing is put in front of text that a spreadsheet would take for a formula.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    for sheet in (*_plan_sheets(plan), *_derived_sheets(plan)):
        with (
            replacing(Path(directory) / f"{sheet.title}.csv") as temporary,
            temporary.open("w", encoding="utf-8", newline="") as stream,
        ):
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow([entry.name for entry in sheet.columns])
            writer.writerows([_plain(value) for value in row] for row in sheet.rows)


def _plan_sheets(plan: Plan) -> list[_Sheet]:
    return [
        _Sheet(title, describe(row_type), _values(getattr(plan.document, title), row_type), "#1F4E79")
        for title, row_type in PLAN_TABLES.items()
    ]


def _derived_sheets(plan: Plan) -> list[_Sheet]:
    """What fails and how the plan is run; nothing where it cannot be laid out."""
    try:
        normal = normal_of(plan)
    except FleetError:
        return []
    return [*_failure_sheets(plan, normal), *_operations_sheets(plan, normal)]


def _failure_sheets(plan: Plan, normal: NormalState) -> list[_Sheet]:
    """What fails and what proves the recovery; nothing where the plan is too large for it."""
    if not is_sweepable(normal):
        return []
    tables = failure_tables(plan, normal)
    return [
        _Sheet(f"{FAILURES_PREFIX}{title}", describe(row_type), _values(tables[title], row_type), "#D55E00")
        for title, row_type in FAILURE_TABLES.items()
    ]


def _operations_sheets(plan: Plan, normal: NormalState) -> list[_Sheet]:
    """How the plan is run; nothing where the windows of a month are too short for it."""
    try:
        tables = operations_tables(plan, normal)
    except FleetError:
        return []
    return [
        _Sheet(f"{OPERATIONS_PREFIX}{title}", describe(row_type), _values(tables[title], row_type), "#009E73")
        for title, row_type in OPERATIONS_TABLES.items()
    ]


def _values(rows: Sequence[Row], row_type: type[Row]) -> list[list[Any]]:
    fields = [name for name in row_type.model_fields if name != "extra"]
    return [[getattr(row, name) for name in fields] for row in rows]


def _input_sheets(plan: Plan) -> list[_Sheet]:
    sheets = []
    for table, rows in plan.document.inventory.tables.items():
        if not rows or table not in INPUT_TABLES:
            continue
        used = {name for row in rows for name in row}
        columns = [entry for entry in describe(INPUT_TABLES[table]) if entry.name in used]
        columns += [
            Column(name, "text", "", required=False, default="", meaning="passed through unread")
            for name in sorted(used)
            if name.startswith(EXTRA_PREFIX)
        ]
        values = [[row.get(entry.name) for entry in columns] for row in rows]
        sheets.append(_Sheet(f"in_{table}", tuple(columns), values, "#7F7F7F"))
    return sheets


def _dictionary(sheets: Sequence[_Sheet]) -> _Sheet:
    names = ("table", "column", "type", "unit", "meaning")
    columns = tuple(Column(name, "text", "", required=True, default=None, meaning="") for name in names)
    rows = [
        [sheet.title, entry.name, entry.type, entry.unit, entry.meaning] for sheet in sheets for entry in sheet.columns
    ]
    return _Sheet("dictionary", columns, rows, "#7F7F7F")


def _write_table(workbook: Workbook, sheet: _Sheet, styles: Styles) -> None:
    """One sheet: a real table with filters, formatted headers, widths that fit, and a print set-up."""
    if len(sheet.rows) > _MOST_ROWS:
        raise ExportError(
            f"{sheet.title} has {len(sheet.rows):,} rows; a sheet holds {_MOST_ROWS:,}: export csv instead"
        )
    worksheet = workbook.add_worksheet(sheet.title)
    worksheet.set_tab_color(sheet.tab)
    worksheet.hide_gridlines(2)
    worksheet.freeze_panes(1, 1)
    bottom = max(len(sheet.rows), 1)
    headers = [{"header": entry.name, "header_format": styles.header_of(entry)} for entry in sheet.columns]
    worksheet.add_table(
        0,
        0,
        bottom,
        len(sheet.columns) - 1,
        {"name": f"t_{sheet.title}", "columns": headers, "style": "Table Style Light 15"},
    )
    worksheet.set_row(0, 20)
    lines = [1] * len(sheet.rows)
    for index, entry in enumerate(sheet.columns):
        style = styles.of(entry)
        # Text is measured as written, numbers as they are shown; the header leaves room for its filter button.
        lengths = [len(styles.shown(entry, row[index])) for row in sheet.rows]
        longest = max(lengths, default=0)
        width = min(max(longest + 3, len(entry.name) + 5, 8), _WIDEST)
        worksheet.set_column(index, index, width)
        for number, row in enumerate(sheet.rows, start=1):
            _write_cell(worksheet, number, index, row[index], style)
        lines = [max(known, math.ceil((length + 3) / width)) for known, length in zip(lines, lengths, strict=True)]
    for number, count in enumerate(lines, start=1):
        if count > 1:
            worksheet.set_row(number, min(15 * count, 400))
    _mark_overloads(worksheet, sheet, bottom, styles)
    worksheet.set_landscape()
    worksheet.set_paper(9)
    worksheet.fit_to_pages(1, 0)
    worksheet.repeat_rows(0)
    worksheet.set_footer(f"&L{sheet.title}&RPage &P of &N")


def _write_cell(worksheet: Worksheet, row: int, column: int, value: Any, style: Format) -> None:
    plain = _plain(value)
    if plain is None or plain == "":
        worksheet.write_blank(row, column, None, style)
    elif isinstance(plain, (int, float)):
        worksheet.write_number(row, column, plain, style)
    else:
        worksheet.write_string(row, column, str(plain)[:_LONGEST_TEXT], style)


def _plain(value: Any) -> Any:
    """A cell's value as a spreadsheet shows it: yes and no, lists joined, mappings as ``key=value``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{key}={inner}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(inner if isinstance(inner, str) else json.dumps(inner) for inner in value)
    return value


def _mark_overloads(worksheet: Worksheet, sheet: _Sheet, bottom: int, styles: Styles) -> None:
    """Amber from 90 % of capacity, red above it; severities by color."""
    names = [entry.name for entry in sheet.columns]
    last = len(names) - 1
    formulas = {
        "cluster_loads": ("($E2+$F2)", "$D2"),
        "links": ("$H2", "$E2"),
    }
    if sheet.title in formulas:
        load, capacity = formulas[sheet.title]
        for share, style in (("1.000001", styles.bad), ("0.9", styles.near)):
            criteria = f"=AND({capacity}>0,{load}>{share}*{capacity})"
            worksheet.conditional_format(
                1, 0, bottom, last, {"type": "formula", "criteria": criteria, "format": style, "stop_if_true": True}
            )
    if sheet.title in ("findings", f"{OPERATIONS_PREFIX}advice"):
        for severity, style in (("error", styles.bad), ("warning", styles.near)):
            worksheet.conditional_format(
                1, 0, bottom, last, {"type": "formula", "criteria": f'=$B2="{severity}"', "format": style}
            )
    if sheet.title == "costs":
        amount = names.index("amount")
        worksheet.conditional_format(
            1, amount, bottom, amount, {"type": "data_bar", "bar_color": "#9DC3E6", "bar_solid": True}
        )
