"""Every export by its name: what ``fleet plan``, ``fleet export`` and batches write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fleet.errors import UnknownIdError
from fleet.plan.plan import Plan

#: Export name → file or folder that it writes.
EXPORTS = {
    "json": "plan.json",
    "xlsx": "plan.xlsx",
    "map": "map.html",
    "report": "report.html",
    "geojson": "plan.geojson",
    "csv": "csv",
}
#: What a finished plan leaves in its folder.
STANDARD = ("json", "xlsx", "map", "report", "geojson")


def known_exports(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each known to be an export.

    Raises
    ------
    UnknownIdError
        At the first that is none.
    """
    wanted = tuple(names)
    for name in wanted:
        if name not in EXPORTS:
            raise UnknownIdError("export", name)
    return wanted


def export_plan(plan: Plan, directory: str | Path, names: Iterable[str] = STANDARD) -> tuple[Path, ...]:
    """Write the named exports of `plan` into `directory`; returns what was written, in order.

    Raises
    ------
    UnknownIdError
        If there is no export of a name; nothing is written then.
    ExportError
        If a file cannot be written.
    """
    wanted = known_exports(names)
    written = []
    for name in wanted:
        path = Path(directory) / EXPORTS[name]
        _write(plan, name, path)
        written.append(path)
    return tuple(written)


def _write(plan: Plan, name: str, path: Path) -> None:
    """Load only the writer that is asked for: charts and maps are heavy."""
    if name == "json":
        from fleet.exchange.plan_json import write_plan

        write_plan(plan, path)
    elif name == "xlsx":
        from fleet.exchange.workbook import to_excel

        to_excel(plan, path)
    elif name == "csv":
        from fleet.exchange.workbook import to_csv

        to_csv(plan, path)
    elif name == "geojson":
        from fleet.exchange.geojson import to_geojson

        to_geojson(plan, path)
    elif name == "map":
        from fleet.exchange.maps import to_map

        to_map(plan).save(path)
    else:
        from fleet.exchange.report import to_report

        to_report(plan, path)
