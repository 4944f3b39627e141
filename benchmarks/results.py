"""What benchmarks share: options, a process per case, markdown, JSON, the tables of the README."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.apart import apart
from benchmarks.cases import CASES, Case, chosen_cases
from fleet.tolerances import OPTIMAL_GAP

README = Path(__file__).with_name("README.md")
MACHINE = "2 shared cores"

Row = Mapping[str, Any]
#: Measures one case: (case, time limit [s], seed, gap at which to stop) → row.
Measure = Callable[[Case, float, int, float], Row]


def parser(description: str, cases: Sequence[Case] = CASES) -> argparse.ArgumentParser:
    """The options that the benchmarks of fleets share."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--case", action="append", default=[], metavar="NAME", choices=[case.name for case in cases])
    options.add_argument(
        "--time-limit", type=float, metavar="S", help="solve time of every case [s]; its own if absent"
    )
    options.add_argument(
        "--stop-at-target", action="store_true", help="stop at the target gap; else use the whole time"
    )
    add_outputs(options)
    return options


def add_outputs(options: argparse.ArgumentParser) -> None:
    """The options of every benchmark: the seed, and where the rows go."""
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--json", type=Path, metavar="FILE", help="also write the rows here")
    options.add_argument("--update-readme", action="store_true", help="put the table into benchmarks/README.md")


def measured(measure: Measure, options: argparse.Namespace, cases: Sequence[Case] = CASES) -> Iterator[Row]:
    """The row of each chosen case, each from a process of its own, so that memory is counted per case."""
    for case in chosen_cases(options.case, cases):
        limit = case.time_limit_s if options.time_limit is None else options.time_limit
        print(f"{case.name}: {limit:g} s", file=sys.stderr, flush=True)
        gap = case.target_gap if options.stop_at_target else OPTIMAL_GAP
        row, _ = apart(measure, case, limit, options.seed, gap)
        yield row


def publish(
    section: str,
    rows: Sequence[Row],
    columns: Mapping[str, Callable[[Row], str]],
    options: argparse.Namespace,
    order: Sequence[str] | None = None,
    note: str = "",
) -> None:
    """Print the table, and write it where the options ask for it.

    Parameters
    ----------
    section : str
        Its name in the README.
    order : sequence of str, optional
        First cells in the order in which rows stand; the names of `CASES` where absent.
    note : str
        A sentence below the date and the command.
    """
    table = markdown(rows, columns)
    print("\n".join(part for part in (table, note) if part))
    if options.json is not None:
        options.json.write_text(json.dumps([dict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    if options.update_readme:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        text = README.read_text(encoding="utf-8")
        head = f"Last measured {today} on {MACHINE}, seed {options.seed}, by `{command()}`."
        known = [case.name for case in CASES] if order is None else order
        parts = [head, note, merged(section_of(text, section), table, known)]
        README.write_text(with_section(text, section, "\n\n".join(part for part in parts if part)), encoding="utf-8")


def command() -> str:
    """The command that runs now, without where its rows go."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--update-readme"]
    if "--json" in arguments:
        at = arguments.index("--json")
        del arguments[at : at + 2]
    return " ".join(["python -m", f"benchmarks.{Path(sys.argv[0]).stem}", *arguments])


def markdown(rows: Sequence[Row], columns: Mapping[str, Callable[[Row], str]]) -> str:
    """A markdown table; every column is its title and what it shows of a row."""
    lines = [list(columns), ["---"] * len(columns)]
    lines += [[show(row).replace("|", "\\|").replace("\n", " ") for show in columns.values()] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def merged(old: str, new: str, order: Sequence[str]) -> str:
    """The new table with the rows that only the old one has, if their columns are the same, in the order named."""
    header, rule, *lines = new.splitlines()
    before = [line for line in old.splitlines() if line.startswith("|")]
    known = {_first_cell(line): line for line in before[2:]} if before[:1] == [header] else {}
    known |= {_first_cell(line): line for line in lines}
    return "\n".join([header, rule, *(known[name] for name in order if name in known)])


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
