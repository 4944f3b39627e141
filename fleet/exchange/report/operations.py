"""What the report says about running the fleet: maintenance, backups, balance, compliance, advice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from fleet.exchange.report.charts import utilization_bar
from fleet.operations.backup import BackupPlan, BackupTargetRow, plan_backups
from fleet.operations.balance import BalanceRow, balance_findings, fleet_spread, plan_balance
from fleet.operations.checklist import BASELINE, ChecklistRow, checklist_findings, plan_checklist, regimes
from fleet.operations.maintenance import HOURS_PER_NODE, MaintenanceRow, maintenance_findings, plan_maintenance
from fleet.operations.volume_rows import plan_volumes
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import Plan

#: How many rows of a long table the report shows; the workbook has them all.
SHOWN = 40
#: Where the operations plan cannot be computed.
NO_OPERATIONS: Mapping[str, Any] = {"is_known": False}
_STATES = ("open", "to do", "met")


def operations(plan: Plan, normal: NormalState) -> Mapping[str, Any]:
    """Everything in the section about operations.

    Raises
    ------
    MaintenanceError
        If the windows of a month are too short.
    """
    context = normal.context
    backups = plan_backups(plan, context)
    maintenance, checklist = plan_maintenance(normal), plan_checklist(plan, context)
    balance, volumes = plan_balance(context), plan_volumes(context)
    advice = [
        *maintenance_findings(maintenance),
        *backups.findings,
        *checklist_findings(context, checklist),
        *balance_findings(context, balance),
    ]
    advice.sort(key=lambda row: row.severity != "warning")
    return {
        "is_known": True,
        "maintenance": _calendar(maintenance),
        "hours_per_node": HOURS_PER_NODE,
        "backups": _targets(backups),
        "window_hours": context.inventory.policy.backup_window_hours,
        "backup_products": context.pack.texts("backup.products"),
        "volumes": volumes[:SHOWN],
        "hidden_volumes": max(0, len(volumes) - SHOWN),
        "balance": _balance(balance),
        "spread": fleet_spread(balance),
        "baseline": _baseline(checklist),
        "regimes": _regimes(checklist),
        "advice": advice[:SHOWN],
        "hidden_advice": max(0, len(advice) - SHOWN),
    }


def _calendar(rows: Sequence[MaintenanceRow]) -> dict[str, Any]:
    """One line per cluster, as in its last month, and the months of each kind of update."""
    months: dict[str, set[int]] = defaultdict(set)
    last: dict[str, MaintenanceRow] = {}
    stops: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        months[row.update].add(row.month)
        last[row.cluster] = row
        if row.effect == "stop":
            stops[row.cluster].append(row.month)
    ordered = sorted(last.values(), key=lambda row: (row.wave, row.cluster))
    return {
        "months": {update: _spans(sorted(found)) for update, found in sorted(months.items())},
        "rows": [{"row": row, "stops": _spans(stops[row.cluster])} for row in ordered[:SHOWN]],
        "hidden": max(0, len(ordered) - SHOWN),
        "waves": 1 + max((row.wave for row in ordered), default=-1),
    }


def _spans(months: Sequence[int]) -> str:
    """Months in order, those that follow each other as ranges."""
    runs: list[list[int]] = []
    for month in months:
        if runs and runs[-1][-1] == month - 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _targets(backups: BackupPlan) -> list[dict[str, Any]]:
    """Each target in the period in which it keeps most, with its slowest night."""
    largest: dict[str, BackupTargetRow] = {}
    for row in backups.targets:
        if row.target not in largest or row.total_tb > largest[row.target].total_tb:
            largest[row.target] = row
    found = []
    for name, target in sorted(largest.items()):
        own = [row for row in backups.rows if row.target == name]
        nights = [row.hours for row in own if row.nightly_gb > 0]
        found.append(
            {
                "row": target,
                "given": sum(row.origin == "given" for row in own),
                "nightly_gb": sum(row.nightly_gb for row in own),
                "hours": None if None in nights else max((hours for hours in nights if hours is not None), default=0.0),
            }
        )
    return found


def _balance(rows: Sequence[BalanceRow]) -> dict[str, Any]:
    """Bars by cluster and resource, and the use of the fleet."""
    clusters: dict[str, dict[str, Any]] = {}
    for row in rows:
        entry = clusters.setdefault(row.cluster, {"cluster": row.cluster, "nodes": row.nodes, "bars": {}})
        entry["bars"][row.resource] = (utilization_bar(row.used, 0.0, 1.0), row.deviation)
    return {
        "rows": list(clusters.values())[:SHOWN],
        "hidden": max(0, len(clusters) - SHOWN),
        "fleet": {row.resource: row.fleet for row in rows},
    }


def _baseline(rows: Sequence[ChecklistRow]) -> list[ChecklistRow]:
    """The baseline once: it is the same for every cluster."""
    return list({row.control: row for row in rows if row.regime == BASELINE}.values())


def _regimes(rows: Sequence[ChecklistRow]) -> list[dict[str, Any]]:
    """Each regime with its controls, and for which clusters each is open, to do or met."""
    found: dict[str, dict[str, list[ChecklistRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.regime != BASELINE:
            found[row.regime][row.control].append(row)
    return [
        {
            "title": regimes()[name].title,
            "source": next(iter(controls.values()))[0].source,
            "clusters": len({row.cluster for rows_of in controls.values() for row in rows_of}),
            "controls": [_control(rows_of) for rows_of in controls.values()],
        }
        for name, controls in sorted(found.items())
    ]


def _control(rows: Sequence[ChecklistRow]) -> dict[str, Any]:
    state = next(state for state in _STATES if any(row.state == state for row in rows))
    alike = [row for row in rows if row.state == state]
    shown = [f"{row.cluster}: {row.evidence}" for row in alike if row.evidence]
    return {
        "row": rows[0],
        "state": state,
        "count": len(alike),
        "evidence": shown[:3],
        "hidden": max(0, len(shown) - 3),
    }
