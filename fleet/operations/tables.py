"""Every table of the operations plan, as exports show them."""

from __future__ import annotations

from collections.abc import Iterable

from fleet.operations.alerts import AlertRow, forecast_alerts
from fleet.operations.backup import BackupRow, BackupTargetRow, plan_backups
from fleet.operations.balance import BalanceRow, balance_findings, plan_balance
from fleet.operations.checklist import ChecklistRow, checklist_findings, plan_checklist
from fleet.operations.failback import FailbackRow, plan_failback
from fleet.operations.maintenance import MaintenanceRow, maintenance_findings, plan_maintenance
from fleet.operations.network_plan import NetworkRow, SegmentRow, SubnetRow, plan_network
from fleet.operations.repairs import RepairRow, plan_repairs
from fleet.operations.seeding import SeedRow, plan_seeding
from fleet.operations.volume_rows import VolumeRow, plan_volumes
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import Finding, Plan
from fleet.tables import Row

#: The tables in the order of sheets and files, with their row types. `advice` holds what the others give reason to say.
OPERATIONS_TABLES: dict[str, type[Row]] = {
    "maintenance": MaintenanceRow,
    "alerts": AlertRow,
    "backups": BackupRow,
    "backup_targets": BackupTargetRow,
    "seeding": SeedRow,
    "failback": FailbackRow,
    "checklist": ChecklistRow,
    "balance": BalanceRow,
    "network": NetworkRow,
    "segments": SegmentRow,
    "subnets": SubnetRow,
    "volumes": VolumeRow,
    "repairs": RepairRow,
    "advice": Finding,
}


def operations_tables(plan: Plan, normal: NormalState) -> dict[str, tuple[Row, ...]]:
    """How a plan is run: the rows of every table in `OPERATIONS_TABLES`.

    Parameters
    ----------
    plan : Plan
        The plan.
    normal : NormalState
        The same with nothing failed.

    Raises
    ------
    MaintenanceError
        If the windows of a month are too short.
    """
    context = normal.context
    backups = plan_backups(plan, context)
    maintenance = plan_maintenance(normal)
    checklist, balance = plan_checklist(plan, context), plan_balance(context)
    network = plan_network(plan, normal)
    advice: Iterable[Finding] = (
        *maintenance_findings(maintenance),
        *backups.findings,
        *checklist_findings(context, checklist),
        *balance_findings(context, balance),
        *network.findings,
    )
    return {
        "maintenance": maintenance,
        "alerts": forecast_alerts(context),
        "backups": backups.rows,
        "backup_targets": backups.targets,
        "seeding": plan_seeding(plan, context),
        "failback": plan_failback(normal),
        "checklist": checklist,
        "balance": balance,
        "network": network.clusters,
        "segments": network.segments,
        "subnets": network.subnets,
        "volumes": plan_volumes(context),
        "repairs": plan_repairs(context),
        "advice": tuple(advice),
    }
