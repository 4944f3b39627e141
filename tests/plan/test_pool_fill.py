"""How full pools may be: the policy decides, and the platform's own alert is told where it is passed."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.inventory.inventory import Inventory
from fleet.plan.decisions import Decisions
from fleet.plan.plan import Finding
from fleet.platform.capacity import cluster_capacity
from fleet.rulepack import load_rulepack
from tests.builders import a_node_model, a_site, a_workload, an_inventory
from tests.plan.judged_fleet import THREE_WAY, a_cluster, a_plan, key


@pytest.mark.parametrize("pack", ["azure-local", "deep-dive"])
@pytest.mark.parametrize(("policy", "fill"), [({}, 0.70), ({"pool_fill": 0.6}, 0.6), ({"pool_fill": 0.95}, 0.95)])
def test_the_policy_decides_whichever_rule_pack_is_in_use(pack: str, policy: dict[str, float], fill: float) -> None:
    capacity = cluster_capacity(
        a_node_model(), 3, THREE_WAY, an_inventory(rule_pack=pack, **policy).policy, load_rulepack(pack)
    )
    stages = [stage for stage in capacity.trace if stage.unit == "TB"]
    subtotal = sum(stage.amount for stage in stages if stage.name != "fill limit")
    assert capacity.usable.pool_tb == pytest.approx(fill * subtotal)


def filled(share: float, **policy: Any) -> Inventory:
    """One cluster of three nodes whose pool is that full in copies."""
    capacity = cluster_capacity(
        a_node_model(), 3, THREE_WAY, an_inventory(pool_fill=1.0).policy, load_rulepack("azure-local")
    )
    data_gb = 1000.0 * share * capacity.usable.pool_tb / 3
    return an_inventory(
        [a_site("a", can_host=True, latitude=40.0, longitude=-100.0)],
        [a_workload("w", "a", storage_gb=data_gb, fault_tolerance=1)],
        **policy,
    )


def alerts(share: float, **policy: Any) -> list[Finding]:
    """What is said about the alert of a pool that is so full."""
    decisions = Decisions((a_cluster("a-c1", (3,)),), {key("w", "a"): "a-c1"}, {})
    plan = a_plan(filled(share, **policy), decisions)
    assert plan.errors == ()
    return [found for found in plan.document.findings if found.rule == "CAP-008"]


def test_a_pool_above_the_alert_is_a_warning_where_the_policy_allows_it() -> None:
    (found,) = alerts(0.8, pool_fill=0.9)
    assert (found.severity, found.subject, found.limit) == ("warning", "a-c1", 0.70)
    assert found.actual == pytest.approx(0.8)
    assert "lower pool_fill" in found.remedy
    assert alerts(0.70, pool_fill=0.9) == []
    assert alerts(0.69) == []
    assert alerts(0.75, pool_fill=0.9, rule_pack="deep-dive") == []
