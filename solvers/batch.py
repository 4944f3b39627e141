"""Scenario sweeps: every scenario planned in its own process, one folder each, and a summary table."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from joblib.externals.loky import ProcessPoolExecutor

import fleet
import solvers
from fleet.errors import FleetError, ProblemsError
from fleet.exchange.exports import export_plan
from fleet.exchange.figures import figures
from fleet.exchange.files import write_text
from fleet.exchange.streams import children_import_safely
from fleet.exchange.workbook.tables import rows_to_excel
from fleet.inventory.inventory import Inventory
from fleet.inventory.scenario import Scenario, apply_scenario
from solvers.config import SolveConfig
from solvers.exit_codes import Exit, exit_code

#: What a finished scenario leaves beside its exports; a later run reads it back instead of solving again.
RECORD = "batch.json"
#: How often a scenario may lose its process before it counts as failed.
_ATTEMPTS = 2


@dataclass(frozen=True)
class BatchRow:
    """One scenario of the summary.

    Attributes
    ----------
    status : str
        Of the solve, or ``error`` where there was none.
    cost, bound, gap : float or None
        Present value of the plan, valid lower bound, (cost − bound) / cost.
    exit_code : int
        What ``fleet plan`` would have ended with.
    note : str
        The first line of the explanation, or the error.
    """

    scenario: str
    folder: str
    status: str
    cost: float | None = None
    bound: float | None = None
    gap: float | None = None
    clusters: int | None = None
    nodes: int | None = None
    standbys: int | None = None
    seconds: float | None = None
    exit_code: int = int(Exit.UNEXPECTED)
    note: str = ""

    NUMERIC: ClassVar[tuple[str, ...]] = (
        "cost",
        "bound",
        "gap",
        "clusters",
        "nodes",
        "standbys",
        "seconds",
        "exit_code",
    )

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The columns of the summary."""
        return tuple(entry.name for entry in dataclasses.fields(cls))

    def cells(self) -> dict[str, Any]:
        """The row by column."""
        return dataclasses.asdict(self)

    def shown(self) -> dict[str, str]:
        """The row by column, as people read it."""
        cells = self.cells()
        money = {name: f"{cells[name]:,.0f}" for name in ("cost", "bound") if cells[name] is not None}
        gap = {} if self.gap is None else {"gap": f"{self.gap:.2%}"}
        time = {} if self.seconds is None else {"seconds": f"{self.seconds:.1f}"}
        texts = {name: "–" if value is None else str(value) for name, value in cells.items()}
        return {**texts, **money, **gap, **time}


@dataclass(frozen=True)
class _Job:
    """All that one process needs; engines' models cannot be sent, so it builds them."""

    inventory: Inventory
    scenario: Scenario
    directory: str
    config: SolveConfig
    strategy: str
    wanted_gap: float | None

    @cached_property
    def fingerprint(self) -> str:
        """A hash over all that decides the outcome."""
        try:
            effective = apply_scenario(self.inventory, self.scenario).sha256
        except ProblemsError as error:
            effective = str(error)
        limits = {key: value for key, value in dataclasses.asdict(self.config).items() if key != "on_progress"}
        parts = [effective, self.scenario.name, limits, self.strategy, self.wanted_gap, fleet.__version__]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class _Summary:
    """The rows known so far, told to whom it concerns and written as tables."""

    def __init__(self, scenarios: Sequence[str], directory: Path, on_done: Callable[[BatchRow], None] | None) -> None:
        self._scenarios, self._directory, self._on_done = scenarios, directory, on_done
        self._rows: dict[str, BatchRow] = {}

    @property
    def rows(self) -> tuple[BatchRow, ...]:
        """The rows in the order of their scenarios."""
        return tuple(self._rows[name] for name in self._scenarios if name in self._rows)

    def take(self, row: BatchRow) -> None:
        """Take in one row."""
        self._rows[row.scenario] = row
        if self._on_done is not None:
            self._on_done(row)

    def write(self) -> None:
        """Write ``summary.csv`` and ``summary.xlsx``."""
        text, columns = io.StringIO(), BatchRow.columns()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.cells() for row in self.rows)
        write_text(self._directory / "summary.csv", text.getvalue())
        cells = [list(row.cells().values()) for row in self.rows]
        rows_to_excel("summary", columns, cells, self._directory / "summary.xlsx")


def run_batch(
    inventory: Inventory,
    scenarios: Sequence[Scenario],
    directory: str | Path,
    config: SolveConfig,
    strategy: str = "auto",
    *,
    wanted_gap: float | None = None,
    jobs: int | None = None,
    on_done: Callable[[BatchRow], None] | None = None,
) -> tuple[BatchRow, ...]:
    """Plan every scenario; one that fails does not stop the others.

    Each scenario gets a folder with its exports; ``summary.csv`` and ``summary.xlsx`` list all. One whose inventory,
    overlay, configuration and version are those of a finished run in `directory` is read back, not solved.

    Parameters
    ----------
    inventory : Inventory
        The base of every scenario.
    scenarios : sequence of Scenario
        The overlays.
    directory : str or Path
        Where to write.
    config : SolveConfig
        Limits of each solve; `workers` counts per scenario, and `on_progress` must be None.
    strategy : str
        As in `solvers.solve`.
    wanted_gap : float, optional
        The gap that was asked for, which decides exit codes.
    jobs : int, optional
        Processes at a time; one per core by default.
    on_done : callable, optional
        Called with each row as it becomes known.

    Returns
    -------
    tuple of BatchRow
        One per scenario, in their order.
    """
    folders = _folders(scenarios)
    summary = _Summary([scenario.name for scenario in scenarios], Path(directory), on_done)
    todo: list[_Job] = []
    for scenario in scenarios:
        folder = str(Path(directory) / folders[scenario.name])
        job = _Job(inventory, scenario, folder, config, strategy, wanted_gap)
        known = _finished(job)
        if known is None:
            todo.append(job)
        else:
            summary.take(known)
    try:
        with children_import_safely():
            _run_all(todo, jobs or os.cpu_count() or 1, summary.take)
    finally:
        summary.write()
    return summary.rows


def _run_all(todo: Sequence[_Job], jobs: int, done: Callable[[BatchRow], None]) -> None:
    """Run jobs in processes. A process that dies takes its pool along: the jobs it lost run again, then one by one."""
    waiting = list(todo)
    for attempt in range(_ATTEMPTS):
        if not waiting:
            return
        width = max(1, min(jobs, len(waiting))) if attempt == 0 else 1
        lost: list[_Job] = []
        for group in [waiting] if attempt == 0 else [[job] for job in waiting]:
            lost += _run_pool(group, width, done, last=attempt == _ATTEMPTS - 1)
        waiting = lost


def _run_pool(group: Sequence[_Job], width: int, done: Callable[[BatchRow], None], *, last: bool) -> list[_Job]:
    """Run jobs in one pool; returns those that lost their process, unless this was their last chance."""
    pool = ProcessPoolExecutor(max_workers=width)
    try:
        futures: dict[Future[BatchRow], _Job] = {pool.submit(_run, job): job for job in group}
        lost = []
        for future in as_completed(futures):
            job, error = futures[future], future.exception()
            if error is None:
                done(future.result())
            elif last:
                done(_failed(job, f"{type(error).__name__}: {error}"))
            else:
                lost.append(job)
        return lost
    finally:
        pool.shutdown(kill_workers=True)


def _run(job: _Job) -> BatchRow:
    """Plan one scenario in this process, export it, and leave a record."""
    try:
        result = solvers.solve(job.inventory, job.scenario, job.config, job.strategy)
    except ProblemsError as error:
        return _failed(job, "; ".join(str(problem) for problem in error.problems), Exit.INVALID_INPUT)
    except FleetError as error:
        return _failed(job, str(error))
    folder = Path(job.directory)
    row = BatchRow(
        scenario=job.scenario.name,
        folder=folder.name,
        status=result.status,
        bound=result.bound,
        seconds=None if job.config.deterministic else round(result.seconds, 2),
        exit_code=int(exit_code(result, job.wanted_gap)),
        note=result.explanation[0] if result.explanation else "",
    )
    if result.plan is not None:
        shown = figures(result.plan)
        row = dataclasses.replace(
            row,
            cost=result.plan.totals.present_value,
            gap=result.gap,
            clusters=shown.clusters,
            nodes=shown.nodes_last,
            standbys=shown.standbys,
        )
        if not result.plan.errors:
            export_plan(result.plan, folder)
    if not result.interrupted:
        record = {"fingerprint": job.fingerprint, "row": row.cells()}
        write_text(folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return row


def _failed(job: _Job, note: str, code: Exit = Exit.UNEXPECTED) -> BatchRow:
    line = " ".join(note.split())
    return BatchRow(job.scenario.name, Path(job.directory).name, "error", exit_code=int(code), note=line)


def _finished(job: _Job) -> BatchRow | None:
    """The row of an earlier run of the same scenario; None where there is none, or it was something else."""
    folder = Path(job.directory)
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if record["fingerprint"] != job.fingerprint:
            return None
        row = BatchRow(**record["row"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return row if row.cost is None or row.exit_code == Exit.AUDIT_ERRORS or (folder / "plan.json").is_file() else None


def _folders(scenarios: Sequence[Scenario]) -> dict[str, str]:
    """A folder name per scenario that every file system takes; names that would meet get a number."""
    folders: dict[str, str] = {}
    for scenario in scenarios:
        plain = "".join(char if char.isalnum() or char in "-_" else "-" for char in scenario.name)[:80] or "scenario"
        taken = {name.lower() for name in folders.values()}
        name, number = plain, 2
        while name.lower() in taken:
            name, number = f"{plain}-{number}", number + 1
        folders[scenario.name] = name
    return folders
