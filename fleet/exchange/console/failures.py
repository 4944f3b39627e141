"""What ``fleet fail`` prints and writes: rows for programs, a summary by kind and the harmful rows for people."""

from __future__ import annotations

import csv
import heapq
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from rich.console import Console

from fleet.exchange.console.tables import print_line, print_table
from fleet.exchange.figures import counted
from fleet.exchange.files import replacing
from fleet.exchange.report.failures import pairs_verdict, verdict, write_pairs_page, write_single_page
from fleet.failures.details import Survey, recovery_rows, remains_rows, survey
from fleet.failures.elements import KINDS
from fleet.failures.incidents import Breaker
from fleet.failures.pairs import PairTally, harm
from fleet.failures.sweep import FailureRow, breaker_of, failure_row, incident_of, pairs
from fleet.plan.plan import Plan
from fleet.tables import describe

#: Harmful pairs that people are shown; programs get all.
SHOWN_PAIRS = 40
PAGE, TABLE = "failures.html", "failures.csv"
#: Between two words of progress [s].
PROGRESS_S = 10.0
_COLUMNS = tuple(entry.name for entry in describe(FailureRow))
_HEADERS = ("element", "alike", "down", "restored", "lost", "over", "rto_minutes", "rpo_minutes", "what")
_RECOVERY_HEADERS = (
    *("from", "to", "why", "mechanism", "demands"),
    *("detection", "decision", "restart", "application", "rto_minutes", "rpo_minutes"),
)
_REMAINS_HEADERS = ("cluster", "nodes left", "cluster quorum", "storage pool", "data", "workloads run")


class StoppedEarly(KeyboardInterrupt):
    """The user stopped the pairs; those that were done are printed and written, and it says how many."""


def run_failures(
    console: Console,
    plan: Plan,
    element_ids: Sequence[str] = (),
    every: Literal["single", "pairs"] = "single",
    folder: Path | None = None,
    as_json: bool = False,
    on_progress: Callable[[str], None] | None = None,
) -> bool:
    """Break a plan, print what happens, and write it as a page and a table where a folder is given.

    Parameters
    ----------
    console : Console
        Where to print.
    plan : Plan
        The plan.
    element_ids : sequence of str
        What to lose at once; nothing = every element or every pair, as `every` says.
    every : str
        ``single`` or ``pairs``.
    folder : Path, optional
        Where ``failures.html`` and ``failures.csv`` go.
    as_json : bool
        Print a bare JSON array of rows and nothing else.
    on_progress : callable, optional
        Told now and then how many pairs are done, for there may be very many.

    Returns
    -------
    bool
        Whether the loss of one element breaks a promise. Pairs break none: a plan promises to stand single failures.

    Raises
    ------
    UnknownIdError
        If the plan has no element of an id.
    ExportError
        If a file cannot be written.
    StoppedEarly
        If the user interrupted the pairs, once what is done is printed and written.
    """
    breaker = breaker_of(plan)
    if not element_ids and every == "pairs":
        _pairs(console, plan, breaker, folder, as_json, on_progress)
        return False
    found = survey(breaker, [incident_of(breaker, element_ids)] if element_ids else None)
    with _printing(console, folder, as_json) as stream:
        with _writing(stream, folder) as write:
            for row in found.rows:
                write(row)
        if folder is not None:
            write_single_page(plan, breaker, found, folder / PAGE)
    if not as_json:
        _print_incidents(console, breaker, found) if element_ids else _print_single(console, found.rows)
    is_single = all(len(incident.elements) == 1 for incident in found.incidents)
    return is_single and any(row.broken_promises for row in found.rows)


def _pairs(
    console: Console,
    plan: Plan,
    breaker: Breaker,
    folder: Path | None,
    as_json: bool,
    on_progress: Callable[[str], None] | None,
) -> None:
    tally = PairTally()
    count = len(breaker.elements)
    total = count * (count - 1) // 2 + sum(element.count > 1 for element in breaker.elements)
    said, is_stopped = time.monotonic(), False
    with _printing(console, folder, as_json) as stream:
        with _writing(stream, folder) as write:
            try:
                for number, (first, second) in enumerate(pairs(breaker.elements)):
                    if on_progress is not None and time.monotonic() - said > PROGRESS_S:
                        said = time.monotonic()
                        on_progress(f"{number:,} of {total:,} pairs")
                    row = failure_row(breaker, breaker.lose([first, second]))
                    write(row)
                    tally.add(first, second, row)
            except KeyboardInterrupt:
                is_stopped = True
        if folder is not None:
            write_pairs_page(plan, tally, folder / PAGE)
    if not as_json:
        _print_pairs(console, tally)
    if is_stopped:
        raise StoppedEarly(f"{tally.total:,} of {total:,} pairs")


@contextmanager
def _printing(console: Console, folder: Path | None, as_json: bool) -> Iterator[IO[str] | None]:
    """Where rows of JSON go: at once to the console, or after the block where it writes files, which come first."""
    if not as_json or folder is None:
        yield console.file if as_json else None
        return
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as kept:
        yield kept
        kept.seek(0)
        shutil.copyfileobj(kept, console.file)


@contextmanager
def _writing(stream: IO[str] | None, folder: Path | None) -> Iterator[Any]:
    """A function that writes one row as JSON into a stream and as CSV into a folder, as far as there are any.

    Rows are written as they come: there may be very many.
    """
    with ExitStack() as stack:
        writer = None
        if folder is not None:
            temporary = stack.enter_context(replacing(folder / TABLE))
            writer = csv.writer(
                stack.enter_context(temporary.open("w", encoding="utf-8", newline="")), lineterminator="\n"
            )
            writer.writerow(_COLUMNS)
        count = 0

        def write(row: FailureRow) -> None:
            nonlocal count
            if stream is not None:
                text = json.dumps(row.model_dump(), ensure_ascii=False)
                stream.write(("[\n " if count == 0 else ",\n ") + text)  # in one, so that an interrupt leaves it whole
            if writer is not None:
                cells = (getattr(row, name) for name in _COLUMNS)
                writer.writerow("; ".join(cell) if isinstance(cell, tuple) else cell for cell in cells)
            count += 1

        yield write
        if stream is not None:
            stream.write("\n]\n" if count else "[]\n")


def _print_single(console: Console, rows: Sequence[FailureRow]) -> None:
    groups: dict[str, list[FailureRow]] = {}
    for row in rows:
        groups.setdefault(row.kind, []).append(row)
    headers = ("kind", "elements", "unnoticed", "restored", "down", "lost", "over", "broken")
    cells = []
    for kind, members in groups.items():
        marks: Counter[str] = Counter()
        for row in members:
            marks["unnoticed"] += not any(harm(row))
            marks["restored"] += bool(row.restored)
            marks["down"] += bool(row.down)
            marks["lost"] += bool(row.lost)
            marks["over"] += bool(row.overloaded)
            marks["broken"] += bool(row.broken_promises)
        cells.append([kind, sum(row.count for row in members), *(marks[name] for name in headers[2:])])
    print_table(console, headers, cells, numeric=headers[1:])
    harmful = sorted((row for row in rows if any(harm(row))), key=lambda row: tuple(-part for part in harm(row)))
    if harmful:
        print_line(console, "")
        _print_rows(console, harmful)
    print_line(console, "")
    print_line(console, verdict(rows))


def _print_rows(console: Console, rows: Sequence[FailureRow]) -> None:
    print_table(console, _HEADERS, [_cells(row) for row in rows], numeric=_HEADERS[1:8])


def _cells(row: FailureRow) -> list[Any]:
    texts = row.broken_promises or row.overloaded or row.lost or row.down or row.restored
    more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
    counts = (len(names) for names in (row.down, row.restored, row.lost, row.overloaded))
    return [row.element, row.count, *counts, _minutes(row.rto_minutes), _minutes(row.rpo_minutes), f"{texts[0]}{more}"]


def _minutes(value: float | None) -> str:
    return "–" if value is None else f"{value:g}" if value < 1 else f"{value:,.1f}".removesuffix(".0")


def _print_pairs(console: Console, tally: PairTally) -> None:
    """A heat map in words, harmful of all pairs by kind, and the worst pairs."""
    kinds = [kind for kind in KINDS if any(kind in pair for pair in tally.pairs)]
    cells = []
    for place, row in enumerate(kinds):
        line = []
        for column in kinds[: place + 1]:
            count = tally.pairs[column, row]
            line.append(f"{tally.harmful[column, row]:,} of {count:,}" if count else "–")
        cells.append([row, *line, *[""] * (len(kinds) - place - 1)])
    print_line(console, "pairs that lose protected demands or break a limit, of all pairs:")
    print_table(console, ["", *kinds], cells, numeric=kinds)
    worst = tally.worst[:SHOWN_PAIRS]
    if worst:
        print_line(console, "")
        _print_rows(console, worst)
        hidden = sum(tally.harmful.values()) - len(worst)
        if hidden > 0:
            print_line(console, f"and {counted(hidden, 'more harmful pair')}: --json lists all, -o DIR writes them")
    print_line(console, "")
    print_line(console, pairs_verdict(tally))


def _print_incidents(console: Console, breaker: Breaker, found: Survey) -> None:
    """One incident in full."""
    context = breaker.context
    for place, (incident, row) in enumerate(zip(found.incidents, found.rows, strict=True)):
        clusters, links = found.cluster_use.of(place), found.link_use.of(place)
        print_line(console, f"{row.element} is lost" + (f", one of {row.count:,} alike" if row.count > 1 else ""))
        for label, texts in (
            ("down", row.down),
            ("restored", row.restored),
            ("lost", row.lost),
            ("over a limit", row.overloaded),
            ("broken", row.broken_promises),
        ):
            print_line(console, f"{label:<13} {'; '.join(texts) or 'nothing'}")
        recoveries = recovery_rows(breaker, incident)
        if recoveries:
            cells = [
                [
                    part.cluster,
                    part.standby,
                    part.reason,
                    part.mechanism or "restart",
                    part.demands,
                    _minutes(part.detection_minutes),
                    _minutes(part.decision_minutes),
                    _minutes(part.restart_minutes),
                    _minutes(part.application_minutes),
                    _minutes(part.rto_minutes),
                    _minutes(part.rpo_minutes),
                ]
                for part in recoveries
            ]
            print_line(console, "")
            print_table(console, _RECOVERY_HEADERS, cells, numeric=_RECOVERY_HEADERS[4:])
        remains = remains_rows(breaker, incident)
        if remains:
            cells = [
                [
                    part.cluster,
                    f"{part.nodes_left} of {part.nodes}",
                    part.cluster_quorum,
                    part.pool_quorum,
                    part.data,
                    "yes" if part.is_up else "no",
                ]
                for part in remains
            ]
            print_line(console, "")
            print_table(console, _REMAINS_HEADERS, cells)
        loads = [
            (name, use)
            for names, uses in (([c.name for c in context.clusters], clusters), (list(context.links), links))
            for use, name in heapq.nlargest(5, ((u, n) for n, u in zip(names, uses.tolist(), strict=True) if u > 0))
        ]
        if loads:
            print_line(console, "")
            print_table(console, ("fullest after it", "use"), [[n, f"{use:.0%}"] for n, use in loads], numeric=["use"])
