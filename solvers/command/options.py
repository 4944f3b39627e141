"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

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
ParametersFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Tuning constants of the search, in TOML.")]
