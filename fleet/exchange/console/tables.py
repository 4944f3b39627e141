"""What the command line prints: rows for people on a terminal, plain lines in a pipe, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fleet.errors import Problem
from fleet.exchange.figures import Figures, bound_proof, counted, figures
from fleet.plan.plan import Finding, Plan

_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}
#: Columns of plain lines are padded up to this; longer cells push the rest of their line to the right.
_WIDEST = 64
#: More warnings of one rule than this are counted, not listed, in the summary of a plan.
_MOST_WARNINGS = 3
#: Warnings in the summary of a plan are shortened from this length on; the audit shows them whole.
_LONG_WARNING = 240


def console_for(stream: TextIO) -> Console:
    """A console that writes to `stream` and never interprets or colors what the data says."""
    return Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=True)


def clean(value: Any) -> str:
    """A value on one line, without control characters that a terminal would obey."""
    text = "–" if value is None else str(value)
    return "".join(letter if letter.isprintable() else " " for letter in text)


def print_line(console: Console, text: str, style: str = "") -> None:
    """One line, never wrapped or cut."""
    console.print(Text(clean(text), style=style), soft_wrap=True)


def print_json(console: Console, rows: Iterable[Mapping[str, Any]]) -> None:
    """A bare JSON array."""
    console.file.write(json.dumps(list(rows), ensure_ascii=False, indent=1, default=str) + "\n")


def print_table(
    console: Console, headers: Sequence[str], rows: Iterable[Sequence[Any]], numeric: Sequence[str] = ()
) -> None:
    """Rows under headers: a drawn table on a terminal, aligned plain lines in a pipe."""
    cells = [[clean(value) for value in row] for row in rows]
    if console.is_terminal:
        table = Table(header_style="bold", pad_edge=False)
        for header in headers:
            table.add_column(header, justify="right" if header in numeric else "left", overflow="fold")
        for row in cells:
            table.add_row(*[Text(cell) for cell in row])
        console.print(table, soft_wrap=False)
        return
    widths = [min(max(len(cell) for cell in column), _WIDEST) for column in zip(headers, *cells, strict=True)]
    for row in [list(headers), *cells]:
        aligned = [
            cell.rjust(width) if header in numeric else cell.ljust(width)
            for cell, width, header in zip(row, widths, headers, strict=True)
        ]
        print_line(console, "  ".join(aligned).rstrip())


def problem_rows(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Problems as JSON rows."""
    return [
        {"code": p.code, "severity": p.severity, "place": p.place, "message": p.message, "remedy": p.remedy}
        for p in problems
    ]


def finding_rows(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Findings as JSON rows, with the keys of problems."""
    return [
        {"code": f.rule, "severity": f.severity, "place": f.subject, "message": f.message, "remedy": f.remedy}
        for f in findings
    ]


def print_problems(console: Console, problems: Sequence[Problem]) -> None:
    """One problem per line: severity, code, place, what is wrong, what to do."""
    for problem in problems:
        print_line(console, f"{problem.severity}: {problem}", _COLORS.get(problem.severity, ""))


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """One finding per line, errors first."""
    order = {"error": 0, "warning": 1, "info": 2}
    for finding in sorted(findings, key=lambda row: (order[row.severity], row.rule, row.subject)):
        print_line(console, _finding_text(finding), _COLORS[finding.severity])


def _finding_text(finding: Finding) -> str:
    figure = ""
    if finding.actual is not None:
        limit = "" if finding.limit is None else f" against {finding.limit:,.6g}"
        figure = f" ({finding.actual:,.6g}{limit} {finding.unit})".replace(" )", ")")
    remedy = f" – {finding.remedy}" if finding.remedy else ""
    return f"{finding.severity}: {finding.rule} {finding.subject} – {finding.message}{figure}{remedy}"


def print_plan(console: Console, plan: Plan, verbose: bool = True) -> None:
    """The summary of a plan: cost, bound, gap, clusters, nodes, standbys, and the clusters one by one."""
    shown = figures(plan)
    for label, text in summary_lines(plan, shown):
        print_line(console, f"{label:<14} {text}")
    if not verbose:
        return
    print_line(console, "")
    resources = [name for name in ("vcpu", "memory_gb", "pool_tb", "gpu") if any(name in use.use for use in shown.uses)]
    rows = [
        [use.cluster, use.site, use.node_model, use.nodes, *(_share(use.use.get(name)) for name in resources)]
        for use in shown.uses
    ]
    print_table(console, ["cluster", "site", "model", "nodes", *resources], rows, numeric=["nodes", *resources])
    for line, color in _finding_lines(plan):
        print_line(console, line, color)


def _finding_lines(plan: Plan) -> Iterator[tuple[str, str]]:
    """Every error, and of each rule the first warnings with how many more there are."""
    warnings: dict[str, list[Finding]] = {}
    for finding in plan.document.findings:
        if finding.severity == "warning":
            warnings.setdefault(finding.rule, []).append(finding)
    if warnings or plan.errors:
        yield "", ""
    for finding in plan.errors:
        yield _finding_text(finding), _COLORS["error"]
    for rule, found in warnings.items():
        for finding in found[:_MOST_WARNINGS]:
            text = _finding_text(finding)
            if len(text) > _LONG_WARNING:
                text = f"{text[:_LONG_WARNING].rsplit(',', 1)[0]}, … – `fleet audit` shows all of it"
            yield text, _COLORS["warning"]
        if len(found) > _MOST_WARNINGS:
            yield f"… and {counted(len(found) - _MOST_WARNINGS, 'more warning')} of {rule}: see `fleet audit`", ""


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def summary_lines(plan: Plan, shown: Figures) -> list[tuple[str, str]]:
    """The figures of a plan as (label, text)."""
    result, totals, money = plan.result, plan.totals, shown.currency
    source, remark = bound_proof(result.bound_source)
    bound = "none proven" if result.bound is None else f"{result.bound:,.0f} {money} ({source})"
    gap = "no bound, no gap" if result.gap is None else f"{result.gap:.2%}"
    growth = "" if shown.nodes_first == shown.nodes_last else f", {shown.nodes_last:,} at the end"
    placed = f"{shown.assignments:,} placed" + (f", {shown.unserved:,} left out" if shown.unserved else "")
    time = "" if result.seconds is None else f" after {result.seconds:,.1f} s"
    return [
        ("cost", f"{totals.present_value:,.0f} {money} present value"),
        ("", f"{totals.capex:,.0f} capex and {totals.opex:,.0f} opex, nominal"),
        ("bound", bound),
        *((("", remark),) if remark and result.bound is not None else ()),
        ("gap", f"{gap} ({result.status}, stopped by {result.stopped_by.replace('_', ' ')}{time})"),
        ("clusters", f"{shown.clusters:,} at {counted(shown.hosts, 'site')}"),
        ("nodes", f"{shown.nodes_first:,}{growth}"),
        ("workloads", placed),
        (
            "standby pairs",
            f"{shown.standbys:,} workloads with a standby, in {counted(shown.standby_pairs, 'cluster pair')}",
        ),
        *([("in the cloud", f"{counted(shown.in_cloud, 'workload')} recover there")] if shown.in_cloud else []),
        ("audit", shown.verdict),
    ]


def plan_row(plan: Plan) -> dict[str, Any]:
    """The figures of a plan as one JSON row."""
    shown, result, totals = figures(plan), plan.result, plan.totals
    return {
        "status": result.status,
        "present_value": totals.present_value,
        "capex": totals.capex,
        "opex": totals.opex,
        "currency": shown.currency,
        "bound": result.bound,
        "gap": result.gap,
        "stopped_by": result.stopped_by,
        "seconds": result.seconds,
        "clusters": shown.clusters,
        "nodes": shown.nodes_last,
        "assignments": shown.assignments,
        "standbys": shown.standbys,
        "standby_pairs": shown.standby_pairs,
        "audit_errors": len(plan.errors),
        "inventory_sha256": plan.document.inventory.sha256,
    }


def progress_text(seconds: float, incumbent: float | None, bound: float | None) -> str:
    """One progress line: time, incumbent, bound, gap."""
    cost = "no plan yet" if incumbent is None else f"plan {incumbent:,.0f}"
    low = "no bound yet" if bound is None else f"bound {bound:,.0f}"
    gap = ""
    if incumbent is not None and bound is not None and incumbent > 0:
        gap = f"  gap {max(0.0, (incumbent - bound) / incumbent):.2%}"
    return f"{seconds:7.1f} s  {cost}  {low}{gap}"


class ProgressLines:
    """A progress callback: a line on every improvement, and now and then while nothing improves."""

    #: Seconds between lines while nothing improves, and the least between two lines.
    QUIET, SHORTEST = 10.0, 0.5

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = -self.QUIET
        self._shown: tuple[float | None, float | None] = (None, None)

    def __call__(self, seconds: float, incumbent: float | None, bound: float | None) -> None:
        """Report the state of a solve at `seconds`."""
        waited = seconds - self._shown_at
        if waited >= self.QUIET or (waited >= self.SHORTEST and self._shown != (incumbent, bound)):
            self._shown_at, self._shown = seconds, (incumbent, bound)
            print_line(self._console, progress_text(seconds, incumbent, bound))
