"""Verbs that solve: one plan, or a plan for every scenario of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.errors import UnknownIdError
from solvers.command.options import (
    Deterministic,
    Force,
    Gap,
    InventoryPath,
    Json,
    Output,
    ParametersFile,
    Quiet,
    Seed,
    Strategy,
    TimeLimit,
    Workers,
)
from solvers.command.terminal import UNFIT, err, exit_codes, out, read_inventory, say

if TYPE_CHECKING:
    from fleet.inventory.scenario import Scenario
    from solvers.config import ProgressListener, SolveConfig
    from solvers.result import SolveResult


def plan(
    inventory: InventoryPath,
    output: Output,
    scenario: Annotated[Path | None, typer.Option(metavar="FILE", help="Overlay to apply first.")] = None,
    scenario_name: Annotated[str | None, typer.Option(metavar="NAME", help="Which, if the file holds several.")] = None,
    time_limit: TimeLimit = 300.0,
    gap: Gap = None,
    strategy: Strategy = "auto",
    workers: Workers = None,
    seed: Seed = 0,
    deterministic: Deterministic = False,
    parameters: ParametersFile = None,
    force_export: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Decide, audit and export: plan.json, plan.xlsx, map.html, report.html, plan.geojson."""
    from fleet.exchange.console.tables import ProgressLines
    from fleet.exchange.exports import require_room

    if scenario_name is not None and scenario is None:
        raise typer.BadParameter("--scenario-name needs --scenario")
    with exit_codes():
        base = read_inventory(inventory)
        overlay = None if scenario is None else _scenario(scenario, scenario_name)
        import solvers

        require_room(output)
        progress = None if quiet else ProgressLines(err())
        config = _config(time_limit, gap, workers, seed, deterministic, progress, parameters)
        result = solvers.solve(base, overlay, config, strategy)
        code = _export_result(result, output, gap, force=force_export)
        _print_result(result, as_json=json)
        raise typer.Exit(code)


def _scenario(path: Path, name: str | None) -> Scenario:
    """The one scenario that is meant."""
    from fleet.inventory.scenario import read_scenarios

    found = read_scenarios(path)
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name is None:
        raise typer.BadParameter(f"{path} holds {len(found)} scenarios: choose with --scenario-name {'|'.join(found)}")
    if name not in found:
        raise UnknownIdError("scenario", name)
    return found[name]


def _config(
    time_limit: float,
    gap: float | None,
    workers: int | None,
    seed: int,
    deterministic: bool,
    progress: ProgressListener | None,
    parameters: Path | None,
) -> SolveConfig:
    from fleet.tolerances import OPTIMAL_GAP
    from solvers.config import SolveConfig
    from solvers.parameters import Parameters, read_parameters

    try:
        tuning = Parameters() if parameters is None else read_parameters(parameters)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint="--parameters") from None
    wanted = OPTIMAL_GAP if gap is None else gap
    return SolveConfig(time_limit, wanted, workers, seed, deterministic, progress, tuning)


def _print_result(result: SolveResult, *, as_json: bool) -> None:
    from fleet.exchange.console.tables import plan_row, print_json, print_plan

    if result.plan is not None:
        if as_json:
            print_json(out(), [plan_row(result.plan)])
        else:
            print_plan(out(), result.plan)
        return
    if as_json:
        print_json(out(), [{"status": result.status, "bound": result.bound, "explanation": list(result.explanation)}])
        return
    infeasible = "infeasible: it is proven that no plan exists"
    say(out(), infeasible if result.status == "infeasible" else f"no plan found (stopped by {result.stopped_by})")
    for line in result.explanation:
        say(out(), line)


def _export_result(result: SolveResult, output: Path, gap: float | None, *, force: bool) -> int:
    """Write a plan, before anything is printed; its JSON is written whatever comes, the rest unless interrupted."""
    from fleet.exchange.console.tables import print_findings
    from fleet.exchange.exports import STANDARD, export_plan
    from fleet.exchange.streams import interrupts_later
    from solvers.exit_codes import Exit, exit_code

    if result.plan is not None and result.plan.errors and not force:
        print_findings(err(), result.plan.errors)
        say(err(), UNFIT)
    elif result.plan is not None:
        try:
            with interrupts_later():
                written = export_plan(result.plan, output, STANDARD[:1])
            written += export_plan(result.plan, output, STANDARD[1:])
        except KeyboardInterrupt:
            say(err(), f"interrupted; the plan is in {output}: `fleet export` writes what is missing")
            return Exit.GAP_MISSED
        for path in written:
            say(err(), f"wrote {path}")
    return exit_code(result, gap)


def batch(
    inventory: InventoryPath,
    scenarios: Annotated[Path, typer.Argument(metavar="SCENARIOS", help="Scenario table: CSV, workbook or YAML.")],
    output: Output,
    jobs: Annotated[int | None, typer.Option(metavar="N", min=1, help="Scenarios at a time; all cores.")] = None,
    time_limit: TimeLimit = 300.0,
    gap: Gap = None,
    strategy: Strategy = "auto",
    seed: Seed = 0,
    deterministic: Deterministic = False,
    parameters: ParametersFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Plan every scenario of a file: one folder each and a summary. Finished scenarios are not solved again."""
    from fleet.exchange.console.tables import print_json, print_table
    from fleet.exchange.files import require_writable
    from solvers.exit_codes import Exit

    with exit_codes():
        from fleet.inventory.scenario import read_scenarios
        from solvers.batch import BatchRow, run_batch

        done: list[BatchRow] = []

        def report(row: BatchRow) -> None:
            done.append(row)
            if not quiet:
                say(err(), f"{row.scenario}: {row.status}, exit code {row.exit_code}")

        base, overlays = read_inventory(inventory), tuple(read_scenarios(scenarios).values())
        require_writable(output, ("summary.csv", "summary.xlsx"))
        config = _config(time_limit, gap, 1, seed, deterministic, None, parameters)
        try:
            rows = run_batch(base, overlays, output, config, strategy, wanted_gap=gap, jobs=jobs, on_done=report)
        except KeyboardInterrupt:
            say(err(), f"interrupted after {len(done)} of {len(overlays)} scenarios, which are kept in {output}")
            raise typer.Exit(Exit.GAP_MISSED if any(row.cost for row in done) else Exit.NO_PLAN) from None
        if json:
            print_json(out(), [row.cells() for row in rows])
        else:
            headers = tuple(BatchRow.columns())
            texts = [[row.shown()[header] for header in headers] for row in rows]
            print_table(out(), headers, texts, numeric=BatchRow.NUMERIC)
        raise typer.Exit(max((row.exit_code for row in rows), default=0))
