"""The ``fleet`` command: thin handlers over the library. What they print is rendered in `fleet.exchange.console`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fleet.errors import ExportError, FleetError, ProblemsError, UnknownIdError

if TYPE_CHECKING:
    from rich.console import Console

    from fleet.inventory.inventory import Inventory
    from fleet.inventory.scenario import Scenario
    from solvers.config import Progress, SolveConfig
    from solvers.result import SolveResult

_EPILOG = (
    "Exit codes: 0 success · 1 unexpected · 2 usage · 3 invalid input · 4 proven infeasible · 5 gap missed or "
    "interrupted with a plan · 6 stopped without a plan · 7 audit errors. "
    "--traceback shows where an unexpected error arose."
)
_UNFIT = "the plan fails its audit and is not exported; --force-export exports it all the same"

app = typer.Typer(
    name="fleet",
    help="Plan Azure Local fleets: where clusters stand, what they are made of, what runs on them.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

InventoryPath = Annotated[Path, typer.Argument(metavar="INVENTORY", help="Folder of CSV files, workbook or JSON file.")]
PlanPath = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan.json, or the folder that holds one.")]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON array.")]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write into.")]
OtherOutput = Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder to write into.")]
TimeLimit = Annotated[float, typer.Option(metavar="S", min=0.1, help="Seconds of solving.")]
Gap = Annotated[float | None, typer.Option(metavar="G", min=0.0, max=0.99, help="Relative gap to prove; else exit 5.")]
Strategy = Annotated[Literal["auto", "exact", "decompose"], typer.Option(help="How to solve.")]
Workers = Annotated[int | None, typer.Option(metavar="N", min=1, help="Processor cores; all by default.")]
Seed = Annotated[int, typer.Option(metavar="S", min=0, max=2**31 - 1, help="Seed of every random choice.")]
Deterministic = Annotated[bool, typer.Option("--deterministic", help="Work limits for time: the same bytes always.")]
Force = Annotated[bool, typer.Option("--force-export", help="Export even a plan that fails its audit.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress lines.")]


def _out() -> Console:
    from fleet.exchange.console.tables import console_for

    return console_for(sys.stdout)


def _err() -> Console:
    from fleet.exchange.console.tables import console_for

    return console_for(sys.stderr)


def _say(console: Console, text: str) -> None:
    from fleet.exchange.console.tables import print_line

    print_line(console, text)


def _read(path: Path) -> Inventory:
    from fleet.exchange.readers import read

    return read(path)


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Turn the errors that users cause into messages on stderr and exit codes."""
    from fleet.exchange.console.tables import print_problems
    from solvers.exit_codes import Exit

    try:
        yield
    except ProblemsError as error:
        print_problems(_err(), error.problems[: error.SHOWN])
        hidden = len(error.problems) - error.SHOWN
        if hidden > 0:
            _say(_err(), f"… and {hidden} more; `fleet check` lists all")
        raise typer.Exit(Exit.INVALID_INPUT) from None
    except (ExportError, UnknownIdError) as error:
        _say(_err(), f"error: {error}")
        raise typer.Exit(Exit.USAGE) from None
    except KeyboardInterrupt:
        _say(_err(), "interrupted")
        raise typer.Exit(Exit.NO_PLAN) from None


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from fleet import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.command()
def new(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="New folder.")],
    example: Annotated[str | None, typer.Option(metavar="NAME", help="Copy a shipped example.")] = None,
    sites: Annotated[int | None, typer.Option(metavar="N", min=1, help="Synthetic fleet: sites.")] = None,
    hubs: Annotated[int | None, typer.Option(metavar="M", min=1, help="Synthetic fleet: candidate sites.")] = None,
    seed: Seed = 0,
    kind: Annotated[Literal["store", "hospital"], typer.Option(help="Synthetic fleet: what its sites are.")] = "store",
    xlsx: Annotated[bool, typer.Option("--xlsx", help="Write one workbook instead of CSV files.")] = False,
) -> None:
    """Make a ready inventory: a shipped example or a synthetic fleet."""
    from fleet.exchange.examples import copy_example, example_folder, example_names, require_empty
    from fleet.exchange.readers import write_folder, write_workbook

    if (example is None) == (sites is None):
        raise typer.BadParameter(f"give either --example ({', '.join(example_names())}) or --sites")
    with _exit_codes():
        require_empty(directory)
        if example is not None and not xlsx:
            inventory = _read(copy_example(example, directory))
        elif example is not None:
            inventory = _read(example_folder(example))
        else:
            inventory = _synthetic(sites or 1, hubs, seed, kind)
        if xlsx:
            write_workbook(inventory, directory / "inventory.xlsx")
        elif example is None:
            write_folder(inventory, directory)
        _say(_out(), f"{directory / 'inventory.xlsx' if xlsx else directory}: {inventory!r}")


def _synthetic(sites: int, hubs: int | None, seed: int, kind: Literal["store", "hospital"]) -> Inventory:
    from fleet.inventory.synthetic import synthetic

    try:
        return synthetic(sites, hubs or max(2, sites // 20), seed, kind)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@app.command()
def check(inventory: InventoryPath, json: Json = False) -> None:
    """Read and validate; name every problem with its place and remedy."""
    from fleet.exchange.console.tables import print_json, print_problems, problem_rows
    from fleet.exchange.figures import counted
    from solvers.exit_codes import Exit

    with _exit_codes():
        try:
            found = _read(inventory)
        except ProblemsError as error:
            if json:
                print_json(_out(), problem_rows(error.problems))
            else:
                print_problems(_out(), error.problems)
                _say(_out(), counted(len(error.problems), "problem"))
            raise typer.Exit(Exit.INVALID_INPUT) from None
        if json:
            print_json(_out(), [])
        else:
            _say(_out(), f"no problems: {found!r}")


@app.command()
def size(
    inventory: InventoryPath,
    node_model: Annotated[str | None, typer.Option(metavar="MODEL", help="Only this node model.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="The trace of every archetype, not of the best only.")] = False,
    json: Json = False,
) -> None:
    """Size one cluster for all demands: what fits, what binds, what it costs, how raw becomes usable."""
    from fleet.exchange.console.sizing import print_sizing, sizing_rows
    from fleet.exchange.console.tables import print_json

    with _exit_codes():
        found = _read(inventory)
        if node_model is not None and node_model not in found.node_model_by_name:
            raise UnknownIdError("node model", node_model)
        if json:
            print_json(_out(), sizing_rows(found, node_model))
        else:
            print_sizing(_out(), found, node_model, trace=trace)


@app.command()
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
    force_export: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Decide, audit and export: plan.json, plan.xlsx, map.html, report.html, plan.geojson."""
    from fleet.exchange.console.tables import ProgressLines
    from fleet.exchange.exports import require_room

    if scenario_name is not None and scenario is None:
        raise typer.BadParameter("--scenario-name needs --scenario")
    with _exit_codes():
        base = _read(inventory)
        overlay = None if scenario is None else _scenario(scenario, scenario_name)
        import solvers

        require_room(output)
        progress = None if quiet else ProgressLines(_err())
        config = _config(time_limit, gap, workers, seed, deterministic, progress)
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
    time_limit: float, gap: float | None, workers: int | None, seed: int, deterministic: bool, progress: Progress | None
) -> SolveConfig:
    from solvers.config import OPTIMAL_GAP, SolveConfig

    return SolveConfig(time_limit, OPTIMAL_GAP if gap is None else gap, workers, seed, deterministic, progress)


def _print_result(result: SolveResult, *, as_json: bool) -> None:
    from fleet.exchange.console.tables import plan_row, print_json, print_plan

    if result.plan is not None:
        if as_json:
            print_json(_out(), [plan_row(result.plan)])
        else:
            print_plan(_out(), result.plan)
        return
    if as_json:
        print_json(_out(), [{"status": result.status, "bound": result.bound, "explanation": list(result.explanation)}])
        return
    infeasible = "infeasible: it is proven that no plan exists"
    _say(_out(), infeasible if result.status == "infeasible" else f"no plan found (stopped by {result.stopped_by})")
    for line in result.explanation:
        _say(_out(), line)


def _export_result(result: SolveResult, output: Path, gap: float | None, *, force: bool) -> int:
    """Write a plan, before anything is printed; its JSON is written whatever comes, the rest unless interrupted."""
    from fleet.exchange.console.tables import print_findings
    from fleet.exchange.exports import STANDARD, export_plan
    from fleet.exchange.streams import interrupts_later
    from solvers.exit_codes import Exit, exit_code

    if result.plan is not None and result.plan.errors and not force:
        print_findings(_err(), result.plan.errors)
        _say(_err(), _UNFIT)
    elif result.plan is not None:
        try:
            with interrupts_later():
                written = export_plan(result.plan, output, STANDARD[:1])
            written += export_plan(result.plan, output, STANDARD[1:])
        except KeyboardInterrupt:
            _say(_err(), f"interrupted; the plan is in {output}: `fleet export` writes what is missing")
            return Exit.GAP_MISSED
        for path in written:
            _say(_err(), f"wrote {path}")
    return exit_code(result, gap)


@app.command()
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

    with _exit_codes():
        findings = audit_plan(read_plan(plan), None if inventory is None else _read(inventory))
        errors = sum(finding.severity == "error" for finding in findings)
        if json:
            print_json(_out(), finding_rows(findings))
        else:
            print_findings(_out(), findings)
            warnings = sum(finding.severity == "warning" for finding in findings)
            verdict = "failed" if errors else "passed"
            _say(_out(), f"audit {verdict}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
        raise typer.Exit(Exit.AUDIT_ERRORS if errors else Exit.OK)


@app.command()
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
    with _exit_codes():
        say = partial(_say, _err())
        if output is not None:
            require_writable(output)
        try:
            is_broken = run_failures(_out(), read_plan(plan), element or (), every, output, json, say)
        except StoppedEarly as stop:
            say(f"interrupted after {stop}, which are kept")
            raise typer.Exit(Exit.GAP_MISSED) from None
        raise typer.Exit(Exit.AUDIT_ERRORS if is_broken else Exit.OK)


@app.command()
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

    with _exit_codes():
        names = known_exports(word.strip() for word in to.split(",") if word.strip())
        folder = output or (plan if plan.is_dir() else plan.parent)
        found = read_plan(plan)
        require_room(folder, names)
        if errors := [row for row in audit_plan(found) if row.severity == "error" and not force_export]:
            print_findings(_err(), errors)
            _say(_err(), _UNFIT)
            raise typer.Exit(Exit.AUDIT_ERRORS)
        for path in export_plan(found, folder, names):
            _say(_out(), str(path))


@app.command()
def rules(
    compare: Annotated[
        tuple[str, str] | None, typer.Option(metavar="A B", help="Facts that differ between two rule packs.")
    ] = None,
    pack: Annotated[str, typer.Option(metavar="PACK", help="Whose values: a shipped pack or a file.")] = "azure-local",
    json: Json = False,
) -> None:
    """List the rules that plans are judged by and the vendor's facts, or compare two rule packs."""
    from fleet.exchange.console.rules import COLUMNS, rule_rows
    from fleet.exchange.console.tables import print_json, print_table
    from fleet.rulepack import compare as compare_packs
    from fleet.rulepack import load_rulepack

    with _exit_codes():
        columns = COLUMNS if compare is None else ("fact", "a", "b", "effect")
        rows = rule_rows(load_rulepack(pack)) if compare is None else compare_packs(*compare)
        if json:
            print_json(_out(), rows)
        else:
            print_table(_out(), columns, [[row[column] for column in columns] for row in rows])


@app.command()
def schema(
    name: Annotated[
        Literal["plan", "inventory"] | None, typer.Argument(metavar="[plan|inventory]", help="Which; both by default.")
    ] = None,
    output: OtherOutput = None,
) -> None:
    """Print the JSON Schemas of plan.json and of inventories in JSON, or write them as files."""
    from fleet.exchange.files import write_text
    from fleet.exchange.plan_json import schema_texts

    with _exit_codes():
        texts = {key: text for key, text in schema_texts().items() if name in (None, key)}
        if output is None:
            sys.stdout.write("".join(texts.values()))
            return
        paths = [output / f"{key}.schema.json" for key in texts]
        for path, text in zip(paths, texts.values(), strict=True):
            write_text(path, text)
        for path in paths:
            _say(_out(), str(path))


@app.command()
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
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Plan every scenario of a file: one folder each and a summary. Finished scenarios are not solved again."""
    from fleet.exchange.console.tables import print_json, print_table
    from fleet.exchange.files import require_writable
    from solvers.exit_codes import Exit

    with _exit_codes():
        from fleet.inventory.scenario import read_scenarios
        from solvers.batch import BatchRow, run_batch

        done: list[BatchRow] = []

        def report(row: BatchRow) -> None:
            done.append(row)
            if not quiet:
                _say(_err(), f"{row.scenario}: {row.status}, exit code {row.exit_code}")

        base, overlays = _read(inventory), tuple(read_scenarios(scenarios).values())
        require_writable(output, ("summary.csv", "summary.xlsx"))
        config = _config(time_limit, gap, 1, seed, deterministic, None)
        try:
            rows = run_batch(base, overlays, output, config, strategy, wanted_gap=gap, jobs=jobs, on_done=report)
        except KeyboardInterrupt:
            _say(_err(), f"interrupted after {len(done)} of {len(overlays)} scenarios, which are kept in {output}")
            raise typer.Exit(Exit.GAP_MISSED if any(row.cost for row in done) else Exit.NO_PLAN) from None
        if json:
            print_json(_out(), [row.cells() for row in rows])
        else:
            headers = tuple(BatchRow.columns())
            texts = [[row.shown()[header] for header in headers] for row in rows]
            print_table(_out(), headers, texts, numeric=BatchRow.NUMERIC)
        raise typer.Exit(max((row.exit_code for row in rows), default=0))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with an exit code."""
    from fleet.exchange.streams import steady_process

    words = list(sys.argv[1:] if arguments is None else arguments)
    show_traceback = "--traceback" in words
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with steady_process():
            app(args=[word for word in words if word != "--traceback"], prog_name="fleet")
    except FleetError as error:
        if show_traceback:
            raise
        _fail(str(error))
    except Exception as error:
        if show_traceback:
            raise
        _fail(f"unexpected {type(error).__name__}: {error} (run again with --traceback and report it)")


def _fail(text: str) -> None:
    from solvers.exit_codes import Exit

    sys.stderr.write(f"error: {' '.join(text.split())}\n")
    sys.exit(Exit.UNEXPECTED)


if __name__ == "__main__":
    main()
