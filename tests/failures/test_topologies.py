"""Plans on published networks stand every single failure, and the sweep is quick."""

from __future__ import annotations

import time

import pytest

from fleet.failures.elements import KINDS
from fleet.failures.proof import prove_recovery_points
from fleet.failures.sweep import breaker_of, sweep_single
from fleet.plan.audit import audit
from solvers import SolveConfig, solve
from tests.failures.topologies import CLASSES, topology_fleet

#: Longest sweep of all single failures of fifty sites [s].
LONGEST_S = 60.0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sites"), [("germany50", 50), ("Abilene", 11)])
def test_no_single_failure_breaks_a_promise(name: str, sites: int) -> None:
    inventory = topology_fleet(name)
    assert len(inventory.sites) == sites
    result = solve(inventory, config=SolveConfig(time_limit_s=120, gap=0.05, seed=1))
    plan = result.require_plan()
    assert result.gap is not None
    assert result.gap <= 0.05
    assert not [entry for entry in audit(plan) if entry.severity == "error"]
    assert len(plan.document.standbys) == sites * len(CLASSES)
    started = time.perf_counter()
    rows = sweep_single(plan)
    assert time.perf_counter() - started < LONGEST_S
    assert {row.kind for row in rows} == {"drive", "node", "cluster", "link", "site"} <= set(KINDS)
    assert len([row for row in rows if row.kind == "link"]) == len(inventory.links)
    assert len([row for row in rows if row.kind == "site"]) == sites
    assert not [row.element for row in rows if row.broken_promises or row.lost or row.overloaded]
    # Every cluster that somebody runs on comes back somewhere else.
    for row in rows:
        if row.kind == "cluster":
            run = [name for name, cluster in plan.cluster_of.items() if f"cluster:{cluster}" == row.element]
            assert sorted(row.restored) == sorted(f"{key.workload} at {key.site}" for key in run)
    proofs = prove_recovery_points(breaker_of(plan).normal)
    assert len(proofs) == len(plan.document.standbys)
    assert all(row.is_kept and row.rpo_minutes is not None for row in proofs)
