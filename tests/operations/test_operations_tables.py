from __future__ import annotations

from fleet.failures.sweep import normal_of
from fleet.operations.tables import OPERATIONS_TABLES, operations_tables
from fleet.tables import describe
from tests.operations.many_clusters import random_plan


def test_every_table_holds_rows_of_its_type_whose_columns_are_described() -> None:
    plan = random_plan(20, 4, 1)
    tables = operations_tables(plan, normal_of(plan))
    assert list(tables) == list(OPERATIONS_TABLES)
    for name, rows in tables.items():
        assert all(type(row) is OPERATIONS_TABLES[name] for row in rows)
        assert all(column.meaning for column in describe(OPERATIONS_TABLES[name]))
    assert {"maintenance", "alerts", "seeding", "checklist", "balance", "advice"} <= {
        name for name, rows in tables.items() if rows
    }


def test_equal_plans_give_equal_tables() -> None:
    first, second = (
        operations_tables(plan, normal_of(plan)) for plan in (random_plan(20, 4, 1), random_plan(20, 4, 1))
    )
    assert first == second
