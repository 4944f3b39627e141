"""What ``fleet size`` prints: every archetype judged against all demands, and how raw becomes usable."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from fleet.exchange.console import print_line, print_table
from fleet.inventory.inventory import Inventory
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
        "node_tolerance": archetype.node_tolerance,
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
    """Print the archetypes, cheapest first, and the trace of the cheapest that fits (of every one with `trace`)."""
    sizing = _sizing(inventory)
    demand = sizing.demand
    storage = ", ".join(f"{amount:,.1f} TB {tier}" for tier, amount in demand.storage_tb.items() if amount > 0)
    print_line(
        console,
        f"{demand.demands:,} demands in one cluster at the end of the horizon: {demand.vcpu:,.0f} vCPU, "
        f"{demand.memory_gb:,.0f} GiB, {storage or 'no storage'}" + (f", {demand.gpu:g} GPUs" if demand.gpu else ""),
    )
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
    refused = [refusal for refusal in sizing.refusals if node_model in (None, refusal.node_model)]
    if refused:
        print_line(console, "")
        print_line(console, "refused:")
        for refusal in refused:
            print_line(console, f"  {refusal}")


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
