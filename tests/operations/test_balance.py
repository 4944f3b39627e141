from __future__ import annotations

import numpy as np
import pytest

from fleet.failures.sweep import context_of
from fleet.operations.balance import balance_findings, fleet_spread, plan_balance
from fleet.plan.plan import Finding, Plan
from tests.failures.small_plans import small_inventory, small_plan
from tests.operations.many_clusters import random_plan


def findings(plan: Plan) -> dict[str, list[Finding]]:
    context = context_of(plan)
    found: dict[str, list[Finding]] = {}
    for finding in balance_findings(context, plan_balance(context)):
        found.setdefault(finding.rule, []).append(finding)
    return found


def test_use_equals_the_rows_of_the_plan() -> None:
    plan = random_plan(30, 4, 5)
    last = len(plan.document.periods) - 1
    stated = {
        (row.cluster, row.resource): (row.load + row.standby_reserve) / row.capacity
        for row in plan.document.cluster_loads
        if row.period == last and row.capacity > 0
    }
    rows = plan_balance(context_of(plan))
    assert {(row.cluster, row.resource): row.used for row in rows} == pytest.approx(stated)
    for resource, spread in fleet_spread(rows).items():
        assert spread == pytest.approx(float(np.std([stated[key] for key in stated if key[1] == resource])))
    for row in rows:
        capacity = [r.capacity for r in plan.document.cluster_loads if (r.period, r.resource) == (last, row.resource)]
        load = [
            r.load + r.standby_reserve
            for r in plan.document.cluster_loads
            if (r.period, r.resource) == (last, row.resource)
        ]
        assert row.fleet == pytest.approx(sum(load) / sum(capacity))
        assert row.deviation == pytest.approx(row.used - row.fleet)


def test_a_cluster_far_fuller_than_the_rest_is_named() -> None:
    found = findings(small_plan(small_inventory(web={"memory_gb": 380.0}), standby=False))
    named = {finding.subject: finding for finding in found["OPS-301"]}
    assert "memory_gb is 95% full" in named["east-c1"].message
    assert "emptier" in named["west-c1"].message


def test_a_single_cluster_is_not_compared_with_itself() -> None:
    plan = small_plan(small_inventory(web={"memory_gb": 380.0}), standby=False)
    document = plan.document
    only = {
        table: tuple(row for row in getattr(document, table) if row.cluster == "east-c1")
        for table in ("clusters", "cluster_periods", "cluster_loads", "assignments")
    }
    assert "OPS-301" not in findings(Plan(document.model_copy(update=only)))


def test_a_stranded_resource_is_named() -> None:
    found = findings(small_plan(small_inventory(web={"memory_gb": 380.0}), standby=False))
    (stranded,) = found["OPS-302"]
    assert stranded.subject == "east-c1"
    assert "vcpu peaks at" in stranded.message


def test_more_nodes_than_needed_are_named_with_the_number_that_would_do() -> None:
    found = findings(small_plan(small_inventory(), nodes=(5,)))
    assert {(finding.subject, finding.actual, finding.limit) for finding in found["OPS-303"]} == {
        ("east-c1", 5.0, 2.0),
        ("west-c1", 5.0, 2.0),
    }


def test_tolerance_and_load_keep_nodes_from_being_called_too_many() -> None:
    assert "OPS-303" not in findings(small_plan(small_inventory()))
    wanted = small_plan(small_inventory(erp={"fault_tolerance": 2}), nodes=(4,))
    assert "OPS-303" not in findings(wanted), "fewer than four nodes do not survive two losses"
    full = small_plan(small_inventory(web={"memory_gb": 700.0}), nodes=(3,), standby=False)
    assert {finding.subject for finding in findings(full)["OPS-303"]} == {"west-c1"}


def test_storage_is_counted_at_the_efficiency_of_fewer_nodes() -> None:
    # 20 TB three times on three nodes, or twice on two: 46 TB a node less repairs and platform, at most 70 % full.
    small = small_plan(small_inventory(web={"storage_gb": 20_000.0, "tier": "hot"}), nodes=(3,), standby=False)
    large = small_plan(small_inventory(web={"storage_gb": 28_000.0, "tier": "hot"}), nodes=(3,), standby=False)
    assert "east-c1" in {finding.subject for finding in findings(small)["OPS-303"]}
    assert "east-c1" not in {finding.subject for finding in findings(large)["OPS-303"]}
