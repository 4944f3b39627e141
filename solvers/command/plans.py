"""Verbs about plans: judge one, break one, write one in other formats."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from solvers.command.options import Force, Json, OtherOutput, PlanPath
from solvers.command.terminal import UNFIT, err, exit_codes, out, read_inventory, say


def audit(
    plan: PlanPath,
    inventory: Annotated[Path | None, typer.Option(metavar="I", help="Judge against this inventory.")] = None,
    json: Json = False,
) -> None:
    """Judge a plan: recompute every cost, load, path and recovery point."""
    from fleet.exchange.console.tables import finding_rows, print_findings, print_json
    from fleet.exchange.figures import counted
    from fleet.exchange.plan_json import read_plan
    from fleet.plan.audit import audit as audit_plan
    from solvers.exit_codes import Exit

    with exit_codes():
        findings = audit_plan(read_plan(plan), None if inventory is None else read_inventory(inventory))
        errors = sum(finding.severity == "error" for finding in findings)
        if json:
            print_json(out(), finding_rows(findings))
        else:
            print_findings(out(), findings)
            warnings = sum(finding.severity == "warning" for finding in findings)
            verdict = "failed" if errors else "passed"
            say(out(), f"audit {verdict}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
        raise typer.Exit(Exit.AUDIT_ERRORS if errors else Exit.OK)


def fail(
    plan: PlanPath,
    element: Annotated[
        list[str] | None, typer.Option(metavar="E", help="kind:name; given twice: both at once.")
    ] = None,
    every: Annotated[Literal["single", "pairs"], typer.Option("--all", help="Every element, or every two.")] = "single",
    output: OtherOutput = None,
    json: Json = False,
) -> None:
    """Break a plan: what goes down, where it comes back, how fast, and which promises break."""
    from fleet.exchange.console.failures import StoppedEarly, run_failures
    from fleet.exchange.files import require_writable
    from fleet.exchange.plan_json import read_plan
    from solvers.exit_codes import Exit

    if element and every == "pairs":
        raise typer.BadParameter("give either --element or --all pairs")
    with exit_codes():
        tell = partial(say, err())
        if output is not None:
            require_writable(output)
        try:
            is_broken = run_failures(out(), read_plan(plan), element or (), every, output, json, tell)
        except StoppedEarly as stop:
            tell(f"interrupted after {stop}, which are kept")
            raise typer.Exit(Exit.GAP_MISSED) from None
        raise typer.Exit(Exit.AUDIT_ERRORS if is_broken else Exit.OK)


def export(
    plan: PlanPath,
    to: Annotated[str, typer.Option(metavar="LIST", help="Any of xlsx,csv,geojson,map,report,json.")],
    output: OtherOutput = None,
    force_export: Force = False,
) -> None:
    """Write a plan in other formats, beside it or into a folder."""
    from fleet.exchange.console.tables import print_findings
    from fleet.exchange.exports import export_plan, known_exports, require_room
    from fleet.exchange.plan_json import read_plan
    from fleet.plan.audit import audit as audit_plan
    from solvers.exit_codes import Exit

    with exit_codes():
        names = known_exports(word.strip() for word in to.split(",") if word.strip())
        folder = output or (plan if plan.is_dir() else plan.parent)
        found = read_plan(plan)
        require_room(folder, names)
        if errors := [row for row in audit_plan(found) if row.severity == "error" and not force_export]:
            print_findings(err(), errors)
            say(err(), UNFIT)
            raise typer.Exit(Exit.AUDIT_ERRORS)
        for path in export_plan(found, folder, names):
            say(out(), str(path))
