"""The command line put together, and its way in."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from fleet.errors import FleetError
from solvers.command.inventories import check, new, size
from solvers.command.planning import batch, plan
from solvers.command.plans import audit, export, fail
from solvers.command.reference import rules, schema

_EPILOG = (
    "Exit codes: 0 success · 1 unexpected · 2 usage · 3 invalid input · 4 proven infeasible · 5 gap missed or "
    "interrupted with a plan · 6 stopped without a plan · 7 audit errors. "
    "--traceback shows where an unexpected error arose."
)

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
for _verb in (new, check, size, plan, audit, fail, export, rules, schema, batch):
    app.command()(_verb)


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from fleet import __version__

        typer.echo(__version__)
        raise typer.Exit


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
