"""Verbs that look things up: rules and facts, schemas."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from solvers.command.options import Json, OtherOutput
from solvers.command.terminal import exit_codes, out, say


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

    with exit_codes():
        columns = COLUMNS if compare is None else ("fact", "a", "b", "effect")
        rows = rule_rows(load_rulepack(pack)) if compare is None else compare_packs(*compare)
        if json:
            print_json(out(), rows)
        else:
            print_table(out(), columns, [[row[column] for column in columns] for row in rows])


def schema(
    name: Annotated[
        Literal["plan", "inventory"] | None, typer.Argument(metavar="[plan|inventory]", help="Which; both by default.")
    ] = None,
    output: OtherOutput = None,
) -> None:
    """Print the JSON Schemas of plan.json and of inventories in JSON, or write them as files."""
    from fleet.exchange.files import write_text
    from fleet.exchange.plan_json import schema_texts

    with exit_codes():
        texts = {key: text for key, text in schema_texts().items() if name in (None, key)}
        if output is None:
            sys.stdout.write("".join(texts.values()))
            return
        paths = [output / f"{key}.schema.json" for key in texts]
        for path, text in zip(paths, texts.values(), strict=True):
            write_text(path, text)
        for path in paths:
            say(out(), str(path))
