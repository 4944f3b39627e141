"""Cell formats of the workbook: one place for colors and number formats."""

from __future__ import annotations

from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook

from fleet.tables import Column

INK, PAPER, RULE = "#1F4E79", "#FFFFFF", "#D9D9D9"
#: Series colors that stay apart for color-blind eyes.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999", "#000000")

#: Number formats and decimals by unit; the first unit that a column's unit starts with counts.
_FORMATS = (
    ("currency", "#,##0", 0),
    ("Mbit/s", "#,##0.0", 1),
    ("ms", "0.0", 1),
    ("minutes", "#,##0.0", 1),
    ("vCPU, GiB", "#,##0.0", 1),
    ("TB", "#,##0.00", 2),
    ("GB", "#,##0.0", 1),
    ("hours", "#,##0.0", 1),
    ("days", "#,##0.0", 1),
    ("fraction", "0.0%", 1),
    ("degrees", "0.0000", 4),
)


class Styles:
    """The formats of one workbook."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._formats: dict[str, Format] = {}
        self.title = workbook.add_format({"bold": True, "font_size": 18, "font_color": INK})
        self.headline = workbook.add_format({"font_size": 12, "text_wrap": True, "valign": "top"})
        self.section = workbook.add_format(
            {"bold": True, "font_size": 12, "font_color": INK, "bottom": 2, "bottom_color": INK}
        )
        self.header = workbook.add_format(
            {"bold": True, "font_color": PAPER, "bg_color": INK, "border": 1, "border_color": RULE, "valign": "vcenter"}
        )
        self.header_text = workbook.add_format(
            {
                "bold": True,
                "font_color": PAPER,
                "bg_color": INK,
                "border": 1,
                "border_color": RULE,
                "valign": "vcenter",
                "indent": 1,
            }
        )
        self.header_right = workbook.add_format(
            {
                "bold": True,
                "font_color": PAPER,
                "bg_color": INK,
                "border": 1,
                "border_color": RULE,
                "valign": "vcenter",
                "align": "right",
            }
        )
        self.label = workbook.add_format({"bottom": 1, "bottom_color": RULE, "font_color": "#404040"})
        self.text = workbook.add_format({"bottom": 1, "bottom_color": RULE})
        self.value = workbook.add_format({"bottom": 1, "bottom_color": RULE, "align": "left"})
        self.money = workbook.add_format({"bottom": 1, "bottom_color": RULE, "num_format": "#,##0"})
        self.money_left = workbook.add_format(
            {"bottom": 1, "bottom_color": RULE, "num_format": "#,##0", "align": "left"}
        )
        self.percent = workbook.add_format({"bottom": 1, "bottom_color": RULE, "num_format": "0%"})
        self.percent_left = workbook.add_format(
            {"bottom": 1, "bottom_color": RULE, "num_format": "0.00%", "align": "left"}
        )
        self.seconds_left = workbook.add_format(
            {"bottom": 1, "bottom_color": RULE, "num_format": '0.0" s"', "align": "left"}
        )
        self.total = workbook.add_format({"bold": True, "top": 1, "bottom": 6, "num_format": "#,##0"})
        self.total_label = workbook.add_format({"bold": True, "top": 1, "bottom": 6})
        self.good = workbook.add_format({"bold": True, "font_color": "#006100", "bg_color": "#E2F0D9"})
        self.near = workbook.add_format({"font_color": "#7F6000", "bg_color": "#FFF2CC"})
        self.bad = workbook.add_format({"bold": True, "font_color": "#9C0006", "bg_color": "#FFC7CE"})

    def header_of(self, column: Column) -> Format:
        """The format of a table's header cell: over numbers to the right, over text to the left."""
        return self.header_right if _number_format(column)[0] else self.header_text

    def of(self, column: Column) -> Format:
        """The format of a table's column, by its unit and type."""
        number_format, _ = _number_format(column)
        if number_format not in self._formats:
            properties: dict[str, Any] = {"border": 1, "border_color": RULE, "valign": "top"}
            if number_format:
                properties["num_format"] = number_format
            else:
                properties.update(text_wrap=True, align="left", indent=1)
            self._formats[number_format] = self._workbook.add_format(properties)
        return self._formats[number_format]

    def shown(self, column: Column, value: Any) -> str:
        """About the text that a cell of `column` shows, to set the column's width by."""
        if value is None:
            return ""
        _, decimals = _number_format(column)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return f"{value:,.{decimals}f}" if isinstance(value, float) or decimals else f"{value:,}"
        if isinstance(value, dict):
            return "; ".join(f"{key}={inner}" for key, inner in value.items())
        if isinstance(value, (list, tuple)):
            return "; ".join(str(inner) for inner in value)
        return str(value)


def _number_format(column: Column) -> tuple[str, int]:
    if column.type == "integer":
        return "0", 0
    if column.type != "number":
        return "", 0
    for unit, number_format, decimals in _FORMATS:
        if column.unit.startswith(unit):
            return number_format, decimals
    return "General", 3
