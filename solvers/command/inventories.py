"""Verbs about inventories: make one, check it, size one cluster for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fleet.errors import ProblemsError, UnknownIdError
from solvers.command.options import InventoryPath, Json, Seed
from solvers.command.terminal import exit_codes, out, read_inventory, say

if TYPE_CHECKING:
    from fleet.inventory.inventory import Inventory


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
    with exit_codes():
        require_empty(directory)
        if example is not None and not xlsx:
            inventory = read_inventory(copy_example(example, directory))
        elif example is not None:
            inventory = read_inventory(example_folder(example))
        else:
            inventory = _synthetic(sites or 1, hubs, seed, kind)
        if xlsx:
            write_workbook(inventory, directory / "inventory.xlsx")
        elif example is None:
            write_folder(inventory, directory)
        say(out(), f"{directory / 'inventory.xlsx' if xlsx else directory}: {inventory!r}")


def _synthetic(sites: int, hubs: int | None, seed: int, kind: Literal["store", "hospital"]) -> Inventory:
    from fleet.inventory.synthetic import synthetic

    try:
        return synthetic(sites, hubs or max(2, sites // 20), seed, kind)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def check(inventory: InventoryPath, json: Json = False) -> None:
    """Read and validate; name every problem with its place and remedy."""
    from fleet.exchange.console.tables import print_json, print_problems, problem_rows
    from fleet.exchange.figures import counted
    from solvers.exit_codes import Exit

    with exit_codes():
        try:
            found = read_inventory(inventory)
        except ProblemsError as error:
            if json:
                print_json(out(), problem_rows(error.problems))
            else:
                print_problems(out(), error.problems)
                say(out(), counted(len(error.problems), "problem"))
            raise typer.Exit(Exit.INVALID_INPUT) from None
        if json:
            print_json(out(), [])
        else:
            say(out(), f"no problems: {found!r}")


def size(
    inventory: InventoryPath,
    node_model: Annotated[str | None, typer.Option(metavar="MODEL", help="Only this node model.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="The trace of every archetype, not of the best only.")] = False,
    json: Json = False,
) -> None:
    """Size one cluster for all demands: what fits, what binds, what it costs, how raw becomes usable."""
    from fleet.exchange.console.sizing import print_sizing, sizing_rows
    from fleet.exchange.console.tables import print_json

    with exit_codes():
        found = read_inventory(inventory)
        if node_model is not None and node_model not in found.node_model_by_name:
            raise UnknownIdError("node model", node_model)
        if json:
            print_json(out(), sizing_rows(found, node_model))
        else:
            print_sizing(out(), found, node_model, trace=trace)
