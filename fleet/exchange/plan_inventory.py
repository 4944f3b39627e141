"""The inventory inside a plan, and whether the plan's rows name only what exists."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.errors import PlanError, Problem
from fleet.inventory.checks.inventory import checked_inventory
from fleet.inventory.inventory import Inventory
from fleet.plan.plan import PLAN_TABLES, Plan

#: Columns that name a cluster or a site, per table.
_CLUSTER_COLUMNS = {
    "cluster_periods": ("cluster",),
    "cluster_loads": ("cluster",),
    "assignments": ("cluster",),
    "standbys": ("cluster", "standby"),
}
#: Those that may be blank: what recovers in the cloud has no standby.
_BLANK = ("standby",)
_SITE_COLUMNS = {"clusters": ("site",), "assignments": ("site",), "standbys": ("site",), "links": ("from_", "to")}


def inventory_of(plan: Plan) -> Inventory:
    """The inventory that a plan carries, once every row of the plan is known to name its sites, clusters and periods.

    Raises
    ------
    InventoryError
        If the tables inside the plan contradict themselves.
    PlanError
        If rows of the plan name a cluster, site or period that does not exist.
    """
    copy = plan.document.inventory
    inventory = checked_inventory(copy.name, copy.tables)
    problems = [*_unknown_names(plan, inventory), *_unknown_periods(plan, inventory)]
    if problems:
        raise PlanError(problems)
    return inventory


def _unknown_names(plan: Plan, inventory: Inventory) -> Iterator[Problem]:
    clusters = {row.cluster for row in plan.document.clusters}
    for kind, columns, known in (
        ("cluster", _CLUSTER_COLUMNS, clusters),
        ("site", _SITE_COLUMNS, inventory.site_by_name.keys()),
    ):
        for table, names in columns.items():
            for number, row in enumerate(getattr(plan.document, table)):
                for column in names:
                    value = getattr(row, column)
                    if value not in known and (value or column not in _BLANK):
                        place = f"{table}:row {number + 1} column {column.rstrip('_')}"
                        message = f"got {value!r}, expected a {kind} of the plan"
                        yield Problem("PLN011", place, message, "correct the name or make the plan again")


def _unknown_periods(plan: Plan, inventory: Inventory) -> Iterator[Problem]:
    count = len(inventory.periods)
    if len(plan.document.periods) != count:
        message = f"got {len(plan.document.periods)} periods, expected {count} as in the policy of the inventory"
        yield Problem("PLN012", "periods", message, "make the plan again")
    for table, row_type in PLAN_TABLES.items():
        if "period" not in row_type.model_fields:
            continue
        for number, row in enumerate(getattr(plan.document, table)):
            if not 0 <= row.period < count:
                message = f"got {row.period}, expected 0 to {count - 1}"
                yield Problem("PLN012", f"{table}:row {number + 1} column period", message, "make the plan again")
