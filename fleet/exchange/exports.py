"""Every export by its name: what ``fleet plan``, ``fleet export`` and batches write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fleet.errors import ExportError, UnknownIdError
from fleet.exchange.files import require_writable
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
        If files cannot be written; the others are, and the message names every one that is not.
    """
    wanted = known_exports(names)
    written, failed = [], []
    for name in wanted:
        path = Path(directory) / EXPORTS[name]
        try:
            _write(plan, name, path)
            written.append(path)
        except ExportError as error:
            failed.append(str(error))
    if failed:
        raise ExportError("; ".join(failed))
    return tuple(written)


def require_room(directory: str | Path, names: Iterable[str] = STANDARD) -> None:
    """Try the folder of exports before a plan is made.

    Raises
    ------
    UnknownIdError
        If there is no export of a name.
    ExportError
        If they could not be written there.
    """
    require_writable(directory, [EXPORTS[name] for name in known_exports(names) if name != "csv"])


def _write(plan: Plan, name: str, path: Path) -> None:
    """Load only the writer that is asked for: charts and maps are heavy."""
    if name == "json":
        from fleet.exchange.plan_json import write_plan

        write_plan(plan, path)
    elif name == "xlsx":
        from fleet.exchange.workbook.tables import to_excel

        to_excel(plan, path)
    elif name == "csv":
        from fleet.exchange.workbook.tables import to_csv

        to_csv(plan, path)
    elif name == "geojson":
        from fleet.exchange.geojson import to_geojson

        to_geojson(plan, path)
    elif name == "map":
        from fleet.exchange.maps.page import to_map

        to_map(plan).save(path)
    else:
        from fleet.exchange.report.page import to_report

        to_report(plan, path)
