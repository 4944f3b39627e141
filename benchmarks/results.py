"""What benchmarks share: options, a process per case, markdown, JSON, the tables of the README."""

from __future__ import annotations

import argparse
import datetime
import json
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, Case, chosen_cases
from solvers.config import OPTIMAL_GAP

README = Path(__file__).with_name("README.md")
MACHINE = "2 shared cores"

Row = Mapping[str, Any]
#: Measures one case: (case, time limit [s], seed, gap at which to stop) → row.
Measure = Callable[[Case, float, int, float], Row]


def parser(description: str) -> argparse.ArgumentParser:
    """The options that all benchmarks share."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--case", action="append", default=[], metavar="NAME", choices=[case.name for case in CASES])
    options.add_argument(
        "--time-limit", type=float, metavar="S", help="solve time of every case [s]; its own if absent"
    )
    options.add_argument("--seed", type=int, default=1)
    options.add_argument(
        "--stop-at-target", action="store_true", help="stop at the target gap; else use the whole time"
    )
    options.add_argument("--json", type=Path, metavar="FILE", help="also write the rows here")
    options.add_argument("--update-readme", action="store_true", help="put the table into benchmarks/README.md")
    return options


def measured(measure: Measure, options: argparse.Namespace) -> Iterator[Row]:
    """The row of each chosen case, each from a process of its own, so that memory is counted per case."""
    for case in chosen_cases(options.case):
        limit = case.time_limit_s if options.time_limit is None else options.time_limit
        print(f"{case.name}: {limit:g} s", file=sys.stderr, flush=True)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
            gap = case.target_gap if options.stop_at_target else OPTIMAL_GAP
            yield pool.submit(measure, case, limit, options.seed, gap).result()


def publish(
    section: str, rows: Sequence[Row], columns: Mapping[str, Callable[[Row], str]], options: argparse.Namespace
) -> None:
    """Print the table, and write it where the options ask for it."""
    table = markdown(rows, columns)
    print(table)
    if options.json is not None:
        options.json.write_text(json.dumps([dict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    if options.update_readme:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        text = README.read_text(encoding="utf-8")
        note = f"Last measured {today} on {MACHINE}, seed {options.seed}."
        content = f"{note}\n\n{merged(section_of(text, section), table)}"
        README.write_text(with_section(text, section, content), encoding="utf-8")


def markdown(rows: Sequence[Row], columns: Mapping[str, Callable[[Row], str]]) -> str:
    """A markdown table; every column is its title and what it shows of a row."""
    lines = [list(columns), ["---"] * len(columns)]
    lines += [[show(row).replace("|", "\\|").replace("\n", " ") for show in columns.values()] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def merged(old: str, new: str) -> str:
    """The new table with the rows of cases that only the old one has, if their columns are the same."""
    header, rule, *lines = new.splitlines()
    before = [line for line in old.splitlines() if line.startswith("|")]
    known = {_first_cell(line): line for line in before[2:]} if before[:1] == [header] else {}
    known |= {_first_cell(line): line for line in lines}
    order = [case.name for case in CASES if case.name in known]
    return "\n".join([header, rule, *(known[name] for name in order)])


def _first_cell(line: str) -> str:
    return line.split("|")[1].strip()


def section_of(text: str, section: str) -> str:
    """What stands between the markers of a section.

    Raises
    ------
    ValueError
        If the markers are missing.
    """
    begin, end = _markers(section)
    _, found_begin, rest = text.partition(begin)
    content, found_end, _ = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"the markers {begin} and {end} are missing")
    return content.strip("\n")


def with_section(text: str, section: str, content: str) -> str:
    """`text` with what stands between the markers of a section replaced; ValueError where they are missing."""
    section_of(text, section)
    begin, end = _markers(section)
    head, _, rest = text.partition(begin)
    return f"{head}{begin}\n{content}\n{end}{rest.partition(end)[2]}"


def _markers(section: str) -> tuple[str, str]:
    return f"<!-- results:{section} -->", f"<!-- /results:{section} -->"


def percent(value: float | None, digits: int = 2) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}%}".replace("%", " %")


def whole(value: float | None) -> str:
    """A number in thousands groups; a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}"


def seconds(value: float | None) -> str:
    """Seconds with one digit; a dash where unknown."""
    return "–" if value is None else f"{value:.1f}"
