"""The first sheet of the workbook: decision, cost, proof, capacity use, findings, and two charts."""

from __future__ import annotations

from xlsxwriter.utility import xl_range
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from fleet.exchange.figures import Figures, counted, decision_text, figures, proof_rows
from fleet.exchange.workbook.styles import PALETTE, Styles
from fleet.plan.plan import Plan

SHEET = "Summary"
_RESOURCE_HEADS = {"vcpu": "vCPU", "memory_gb": "Memory", "pool_tb": "Storage", "gpu": "GPU"}
#: The left block is at least this wide, and shows at most this many periods.
_LEFT_WIDTH, _MOST_PERIODS = 6, 12
_GRID = {"visible": True, "line": {"color": "#E0E0E0"}}
#: A chart of more clusters than this cannot be read.
_MOST_BARS = 25


def write_summary(workbook: Workbook, plan: Plan, styles: Styles) -> None:
    """Add the summary sheet."""
    shown = figures(plan)
    left = max(_LEFT_WIDTH, min(len(plan.document.periods), _MOST_PERIODS) + 2)
    right = left + 1
    sheet = workbook.add_worksheet(SHEET)
    sheet.set_tab_color("#009E73")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, left - 1, 14)
    sheet.set_column(left, left, 3)
    sheet.set_column(right, right, 20)
    sheet.set_column(right + 1, right + 7, 12)
    sheet.write_string(0, 0, f"Fleet plan: {plan.document.inventory.name}", styles.title)
    sheet.set_row(0, 28)
    sheet.merge_range(1, 0, 1, right + 6, "", styles.headline)
    sheet.write_string(1, 0, decision_text(plan, shown), styles.headline)
    sheet.set_row(1, 34)
    row = _decision(sheet, 3, left, plan, shown, styles)
    costs = _costs(sheet, row + 1, left, plan, shown, styles)
    row = _findings(sheet, costs[1] + 3, left, shown, styles)
    proof_end = _proof(sheet, 3, right, plan, shown, styles)
    uses = _uses(sheet, proof_end + 1, right, shown, styles)
    below = max(row, uses[1]) + 2
    _cost_chart(workbook, sheet, below, costs, min(len(plan.document.periods), _MOST_PERIODS))
    _use_chart(workbook, sheet, below, right, uses, shown)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&LFleet plan&RPage &P of &N")
    sheet.activate()


def _section(sheet: Worksheet, row: int, column: int, width: int, text: str, styles: Styles) -> int:
    for offset in range(width):
        sheet.write_blank(row, column + offset, None, styles.section)
    sheet.write_string(row, column, text, styles.section)
    return row + 1


def _decision(sheet: Worksheet, row: int, left: int, plan: Plan, shown: Figures, styles: Styles) -> int:
    row = _section(sheet, row, 0, left, "Decision", styles)
    totals = plan.totals
    money: tuple[tuple[str, float], ...] = (
        (f"Present value [{shown.currency}]", totals.present_value),
        (f"Capex, nominal [{shown.currency}]", totals.capex),
        (f"Opex, nominal [{shown.currency}]", totals.opex),
    )
    texts = (
        ("Clusters", f"{shown.clusters:,} at {counted(shown.hosts, 'site')} (of {shown.sites:,} sites)"),
        ("Nodes", f"{shown.nodes_first:,} at the start, {shown.nodes_last:,} at the end"),
        ("Workloads placed", f"{shown.assignments:,}" + (f", {shown.unserved:,} left out" if shown.unserved else "")),
        (
            "Standbys",
            f"{shown.standbys:,} in {counted(shown.standby_pairs, 'pair')} of clusters"
            + (f", {shown.in_cloud:,} more recover in the cloud" if shown.in_cloud else ""),
        ),
        ("Links upgraded", f"{shown.upgrades:,}"),
    )
    for label, amount in money:
        sheet.write_string(row, 0, label, styles.label)
        sheet.merge_range(row, 1, row, left - 1, amount, styles.money_left)
        row += 1
    for label, text in texts:
        sheet.write_string(row, 0, label, styles.label)
        sheet.merge_range(row, 1, row, left - 1, "", styles.value)
        sheet.write_string(row, 1, text, styles.value)
        row += 1
    return row


def _proof(sheet: Worksheet, row: int, right: int, plan: Plan, shown: Figures, styles: Styles) -> int:
    row = _section(sheet, row, right, 7, "Proof and provenance", styles)
    formats = {"money": styles.money_left, "percent": styles.percent_left, "seconds": styles.seconds_left}
    for label, value, kind in proof_rows(plan, shown):
        sheet.write_string(row, right, label, styles.label)
        style = formats.get(kind, styles.value)
        if label == "Audit":
            style = styles.bad if plan.errors else styles.good
        sheet.merge_range(row, right + 1, row, right + 6, "", style)
        if isinstance(value, float):
            sheet.write_number(row, right + 1, value, style)
        else:
            sheet.write_string(row, right + 1, "–" if value is None else str(value), style)
        row += 1
    return row


def _costs(sheet: Worksheet, row: int, left: int, plan: Plan, shown: Figures, styles: Styles) -> tuple[int, int]:
    """The cost table; returns its first and last row of terms, the total one below."""
    periods = plan.document.periods
    row = _section(sheet, row, 0, left, f"Cost by period, nominal [{shown.currency}]", styles)
    sheet.write_string(row, 0, "term", styles.header)
    shown_periods = periods[:_MOST_PERIODS]
    for index, period in enumerate(shown_periods, start=1):
        sheet.write_string(row, index, f"from month {period.month}", styles.header_right)
    total_column = len(shown_periods) + 1
    sheet.write_string(row, total_column, "total", styles.header_right)
    first = row + 1
    for offset, ((kind, term), amounts) in enumerate(shown.cost.items()):
        here = first + offset
        sheet.write_string(here, 0, f"{term.replace('_', ' ')} ({kind})", styles.text)
        for index in range(len(shown_periods)):
            sheet.write_number(here, index + 1, amounts[index], styles.money)
        sheet.write_number(here, total_column, sum(amounts), styles.money)
    last = first + len(shown.cost) - 1
    sheet.write_string(last + 1, 0, "total", styles.total_label)
    for index in range(total_column):
        column = [sums[index] if index < len(shown_periods) else sum(sums) for sums in shown.cost.values()]
        formula = f"=SUM({xl_range(first, index + 1, last, index + 1)})"
        sheet.write_formula(last + 1, index + 1, formula, styles.total, sum(column))
    return first, last


def _uses(sheet: Worksheet, row: int, right: int, shown: Figures, styles: Styles) -> tuple[int, int]:
    """Capacity use in the last period; returns its first and last row."""
    row = _section(sheet, row, right, 7, "Capacity use in the last period, standby reserve included", styles)
    resources = _resources(shown)
    sheet.write_string(row, right, "cluster", styles.header)
    sheet.write_string(row, right + 1, "node model", styles.header)
    sheet.write_string(row, right + 2, "nodes", styles.header_right)
    for index, resource in enumerate(resources):
        sheet.write_string(row, right + 3 + index, _RESOURCE_HEADS[resource], styles.header_right)
    first = row + 1
    for offset, use in enumerate(shown.uses):
        sheet.write_string(first + offset, right, use.cluster, styles.text)
        sheet.write_string(first + offset, right + 1, use.node_model, styles.text)
        sheet.write_number(first + offset, right + 2, use.nodes, styles.money)
        for index, resource in enumerate(resources):
            if resource in use.use:
                sheet.write_number(first + offset, right + 3 + index, use.use[resource], styles.percent)
            else:
                sheet.write_blank(first + offset, right + 3 + index, None, styles.percent)
    last = first + len(shown.uses) - 1
    if shown.uses and resources:
        bar = {"type": "data_bar", "bar_color": "#9DC3E6", "bar_solid": True, "min_type": "num", "max_type": "num"}
        sheet.conditional_format(
            first, right + 3, last, right + 2 + len(resources), {**bar, "min_value": 0, "max_value": 1}
        )
    return first, last


def _findings(sheet: Worksheet, row: int, left: int, shown: Figures, styles: Styles) -> int:
    row = _section(sheet, row, 0, left, f"Audit: {shown.verdict}", styles)
    for index, head in enumerate(("rule", "severity", "findings")):
        sheet.write_string(row, index, head, styles.header_right if head == "findings" else styles.header)
    row += 1
    colors = {"error": styles.bad, "warning": styles.near}
    for (severity, rule), count in shown.findings.items():
        sheet.write_string(row, 0, rule, styles.text)
        sheet.write_string(row, 1, severity, colors.get(severity, styles.text))
        sheet.write_number(row, 2, count, styles.money)
        row += 1
    if shown.findings:
        sheet.write_url(row, 0, "internal:'findings'!A1", string="every finding, with its remedy")
        row += 1
    return row


def _cost_chart(workbook: Workbook, sheet: Worksheet, row: int, costs: tuple[int, int], periods: int) -> None:
    """Cost by period, stacked by term."""
    if costs[1] < costs[0] or not periods:
        return
    chart = workbook.add_chart({"type": "column", "subtype": "stacked"})
    for index in range(costs[0], costs[1] + 1):
        chart.add_series(
            {
                "name": [SHEET, index, 0],
                "categories": [SHEET, costs[0] - 1, 1, costs[0] - 1, periods],
                "values": [SHEET, index, 1, index, periods],
                "fill": {"color": PALETTE[(index - costs[0]) % len(PALETTE)]},
                "gap": 60,
            }
        )
    chart.set_title({"name": "Cost by period, nominal", "name_font": {"size": 12}})
    chart.set_y_axis({"num_format": "#,##0", "major_gridlines": _GRID})
    chart.set_legend({"position": "right"})
    chart.set_size({"width": 690, "height": 320})
    sheet.insert_chart(row, 0, chart, {"description": "Cost by period, stacked by term"})


def _use_chart(
    workbook: Workbook, sheet: Worksheet, row: int, right: int, uses: tuple[int, int], shown: Figures
) -> None:
    """Capacity use by cluster and resource."""
    resources = _resources(shown)
    last = min(uses[1], uses[0] + _MOST_BARS - 1)
    if last < uses[0] or not resources:
        return
    chart = workbook.add_chart({"type": "column"})
    for index, resource in enumerate(resources):
        column = right + 3 + index
        chart.add_series(
            {
                "name": _RESOURCE_HEADS[resource],
                "categories": [SHEET, uses[0], right, last, right],
                "values": [SHEET, uses[0], column, last, column],
                "fill": {"color": PALETTE[index]},
            }
        )
    more = "" if last == uses[1] else f", first {_MOST_BARS} clusters"
    chart.set_title({"name": f"Capacity use in the last period{more}", "name_font": {"size": 12}})
    chart.set_y_axis({"num_format": "0%", "min": 0, "max": 1, "major_gridlines": _GRID})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 720, "height": 320})
    sheet.insert_chart(row, right, chart, {"description": "Capacity use by cluster"})


def _resources(shown: Figures) -> list[str]:
    return [name for name in _RESOURCE_HEADS if any(name in use.use for use in shown.uses)]
