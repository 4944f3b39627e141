"""What verbs share with the terminal: where they print, and how errors that users cause end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fleet.errors import ExportError, ProblemsError, UnknownIdError

if TYPE_CHECKING:
    from rich.console import Console

    from fleet.inventory.inventory import Inventory

#: What is said of a plan that fails its audit and is therefore not written.
UNFIT = "the plan fails its audit and is not exported; --force-export exports it all the same"


def out() -> Console:
    """Standard output."""
    from fleet.exchange.console.tables import console_for

    return console_for(sys.stdout)


def err() -> Console:
    """Standard error."""
    from fleet.exchange.console.tables import console_for

    return console_for(sys.stderr)


def say(console: Console, text: str) -> None:
    """Print a line."""
    from fleet.exchange.console.tables import print_line

    print_line(console, text)


def read_inventory(path: Path) -> Inventory:
    """The inventory of a folder, workbook or JSON file."""
    from fleet.exchange.readers import read

    return read(path)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn the errors that users cause into messages on stderr and exit codes."""
    from fleet.exchange.console.tables import print_problems
    from solvers.exit_codes import Exit

    try:
        yield
    except ProblemsError as error:
        print_problems(err(), error.problems[: error.SHOWN])
        hidden = len(error.problems) - error.SHOWN
        if hidden > 0:
            say(err(), f"… and {hidden} more; `fleet check` lists all")
        raise typer.Exit(Exit.INVALID_INPUT) from None
    except (ExportError, UnknownIdError) as error:
        say(err(), f"error: {error}")
        raise typer.Exit(Exit.USAGE) from None
    except KeyboardInterrupt:
        say(err(), "interrupted")
        raise typer.Exit(Exit.NO_PLAN) from None
