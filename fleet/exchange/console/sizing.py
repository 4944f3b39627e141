"""What ``fleet size`` prints: every archetype judged against all demands, and how raw becomes usable."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from fleet.exchange.console.tables import print_line, print_table
from fleet.inventory.inventory import Inventory
from fleet.platform.archetype import Archetype, Refusal
from fleet.platform.sizing import Sizing, SizingRow, size_fleet
from fleet.quantities import RESOURCES
from fleet.rulepack import load_rulepack

_HEADS = {"vcpu": "vCPU", "memory_gb": "memory", "pool_tb": "pool", "gpu": "GPU"}


def sizing_rows(inventory: Inventory, node_model: str | None = None) -> list[dict[str, Any]]:
    """Every archetype as a JSON row, with its capacity and the stages that lead to it."""
    return [_json_row(row) for row in _rows(_sizing(inventory), node_model)]


def _json_row(row: SizingRow) -> dict[str, Any]:
    archetype = row.archetype
    return {
        "node_model": archetype.node_model,
        "nodes": archetype.nodes,
        "layout": dict(archetype.layout),
        "family": archetype.family,
        "drive_tolerance": archetype.drive_tolerance,
        "node_tolerance": archetype.node_tolerance,
        "zone_tolerance": archetype.zone_tolerance,
        "price": row.price,
        "fits": row.fits,
        "reason": row.reason,
        "usable": dict(zip(RESOURCES, archetype.capacity.usable.as_tuple(), strict=True)),
        "load": dict(zip(RESOURCES, row.load.as_tuple(), strict=True)),
        "trace": [
            {"name": stage.name, "amount": stage.amount, "unit": stage.unit, "note": stage.note}
            for stage in archetype.capacity.trace
        ],
        "warnings": list(archetype.warnings),
    }


def print_sizing(console: Console, inventory: Inventory, node_model: str | None = None, *, trace: bool = False) -> None:
    """Print the families and the archetypes, cheapest first, and the trace of the cheapest that fits (all: `trace`)."""
    sizing = _sizing(inventory)
    demand = sizing.demand
    storage = ", ".join(f"{amount:,.1f} TB {tier}" for tier, amount in demand.storage_tb.items() if amount > 0)
    print_line(
        console,
        f"{demand.demands:,} demands in one cluster at the end of the horizon: {demand.vcpu:,.0f} vCPU, "
        f"{demand.memory_gb:,.0f} GiB, {storage or 'no storage'}" + (f", {demand.gpu:g} GPUs" if demand.gpu else ""),
    )
    if node_model is None:
        _print_families(console, sizing)
    rows = _rows(sizing, node_model)
    resources = [name for name in RESOURCES if any(name != "gpu" or row.load.gpu > 0 for row in rows)]
    headers = ["model", "nodes", "layout", "survives", "price", *(_HEADS[name] for name in resources), "fits", "why"]
    print_table(
        console,
        headers,
        [_cells(row, resources) for row in rows],
        numeric=["nodes", "survives", "price", *(_HEADS[name] for name in resources)],
    )
    traced = rows if trace else [row for row in rows if row.fits][:1] or rows[-1:]
    for row in traced:
        print_trace(console, row)
    _print_outlook(console, sizing)
    refused = [refusal for refusal in sizing.refusals if node_model in (None, refusal.node_model)]
    if refused:
        print_line(console, "")
        print_line(console, "refused:")
        for line in _refusal_lines(refused):
            print_line(console, f"  {line}")


def _print_families(console: Console, sizing: Sizing) -> None:
    """Print the cheapest archetype of every family, and why it won or lost."""
    cells = []
    for verdict in sizing.families:
        archetype = verdict.row.archetype if verdict.row is not None else None
        cells.append(
            [
                verdict.family.name,
                _span(verdict.family.counts),
                _short(archetype) if archetype is not None and verdict.fits else "none",
                f"{verdict.row.price:,.0f}" if verdict.row is not None and verdict.fits else "",
                archetype.survives if archetype is not None else "",
                verdict.verdict if verdict.fits or archetype is None else f"{_short(archetype)}: {verdict.verdict}",
            ]
        )
    headers = ["family", "nodes", "cheapest", "price", "survives", "why"]
    print_table(console, headers, cells, numeric=["price"])
    print_line(console, "")


def _span(counts: Sequence[int]) -> str:
    is_range = len(counts) > 2 and counts[-1] - counts[0] == len(counts) - 1
    return f"{counts[0]}–{counts[-1]}" if is_range else ", ".join(map(str, counts))


def _short(archetype: Archetype) -> str:
    return f"{archetype.nodes} × {archetype.node_model}"


def print_trace(console: Console, row: SizingRow) -> None:
    """Print the stages from raw to usable of one archetype."""
    print_line(console, "")
    print_line(console, f"{row.archetype}, {row.price:,.0f}:")
    for stage in row.archetype.capacity.trace:
        print_line(console, f"  {stage}")
    for name, amount in zip(RESOURCES, row.archetype.capacity.usable.as_tuple(), strict=True):
        if amount > 0:
            print_line(console, f"  {amount:14,.2f} usable {_HEADS[name]}, {row.utilization[name]:.0%} of it needed")
    for warning in row.archetype.warnings:
        print_line(console, f"  warning: {warning}", "yellow")


def _print_outlook(console: Console, sizing: Sizing) -> None:
    """Print how the cheapest cluster may grow, which witness it has, and what is worth a remark."""
    for verdict in sizing.families:
        if verdict.row is not None and verdict.row is sizing.cheapest:
            print_line(console, f"  grows into: {verdict.family.grows_into}")
            print_line(console, f"  witness: {verdict.family.witness}")
    for note in sizing.notes:
        print_line(console, f"  note: {note}")


def _refusal_lines(refusals: Sequence[Refusal]) -> Iterator[str]:
    """One line per reason, with all node counts that it holds for."""
    alike: dict[tuple[str, str, str], list[Refusal]] = {}
    for refusal in refusals:
        reason = re.sub(rf"\b{refusal.nodes}\b(?! to )", "n", refusal.reason)
        alike.setdefault((refusal.rule, refusal.node_model, reason), []).append(refusal)
    for (rule, model, reason), group in alike.items():
        nodes = _span([refusal.nodes for refusal in group])
        yield str(group[0]) if len(group) == 1 else f"{rule} {nodes} × {model}: {reason}"


def _cells(row: SizingRow, resources: list[str]) -> list[str]:
    archetype = row.archetype
    layout = "; ".join(f"{tier} {kind}" for tier, kind in archetype.layout.items())
    return [
        archetype.node_model,
        str(archetype.nodes),
        layout if len(set(archetype.layout.values())) > 1 else next(iter(archetype.layout.values()), ""),
        str(archetype.node_tolerance),
        f"{row.price:,.0f}",
        *(f"{row.utilization[name]:.0%}" for name in resources),
        "yes" if row.fits else "no",
        row.reason,
    ]


def _sizing(inventory: Inventory) -> Sizing:
    return size_fleet(inventory, load_rulepack(inventory.policy.rule_pack))


def _rows(sizing: Sizing, node_model: str | None) -> list[SizingRow]:
    return [row for row in sizing.rows if node_model in (None, row.archetype.node_model)]
