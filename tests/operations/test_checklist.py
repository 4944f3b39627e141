from __future__ import annotations

from typing import Any

import pytest

from fleet.failures.sweep import context_of
from fleet.operations.checklist import (
    BASELINE,
    ChecklistRow,
    checklist_findings,
    declared_regimes,
    plan_checklist,
    regime_named,
    regimes,
)
from fleet.plan.plan import Plan
from fleet.rulepack import load_rulepack
from tests.failures.small_plans import small_inventory, small_plan


def checked(plan: Plan) -> tuple[ChecklistRow, ...]:
    """The checklist of a plan."""
    return plan_checklist(plan, context_of(plan))


def plan_of(erp: dict[str, Any] | None = None, nodes: tuple[int, ...] = (2,), **sites: str) -> Plan:
    columns = {site: {"compliance": regime} for site, regime in sites.items()}
    return small_plan(small_inventory(erp=erp, sites=columns), nodes=nodes)


def of_regime(rows: tuple[ChecklistRow, ...], regime: str, cluster: str = "east-c1") -> dict[str, ChecklistRow]:
    return {row.control: row for row in rows if (row.regime, row.cluster) == (regime, cluster)}


def test_every_cluster_has_the_baseline_of_the_rule_pack() -> None:
    rows = checked(plan_of())
    pack = load_rulepack("azure-local")
    for cluster in ("east-c1", "west-c1"):
        own = of_regime(rows, BASELINE, cluster)
        assert {name: row.state for name, row in own.items()} == {
            name: entry["state"] for name, entry in pack.table("security").items()
        }
    assert {row.regime for row in rows} == {BASELINE}
    assert all(row.action and row.source for row in rows)


@pytest.mark.parametrize(
    ("said", "name"),
    [("HIPAA", "HIPAA"), ("soc2", "SOC 2"), ("SOC 2 Type II", "SOC 2"), ("pci-dss", "PCI DSS"), ("house rules", "")],
)
def test_regimes_are_known_however_they_are_spelled(said: str, name: str) -> None:
    assert regime_named(said) == name


def test_every_regime_names_its_source_and_its_controls_once() -> None:
    assert {"HIPAA", "SOC 2", "PCI DSS", "GDPR", "ISO 27001", "FedRAMP"} == set(regimes())
    for regime in regimes().values():
        assert regime.source
        assert len({control.control for control in regime.controls}) == len(regime.controls)


def test_regimes_follow_the_data_to_where_it_runs_and_stands_by() -> None:
    # Users at the store; erp runs at east and stands by at west, web only runs at east.
    assert declared_regimes(context_of(plan_of(store="HIPAA"))) == {"east-c1": ("HIPAA",), "west-c1": ("HIPAA",)}
    assert declared_regimes(context_of(plan_of(west="SOC 2"))) == {"east-c1": (), "west-c1": ("SOC 2",)}


def test_the_plan_shows_backup_and_recovery() -> None:
    open_rows = of_regime(checked(plan_of(store="HIPAA")), "HIPAA")
    backup, recovery = open_rows["164.308(a)(7)(ii)(A)"], open_rows["164.308(a)(7)(ii)(B)"]
    assert (backup.state, backup.evidence) == (
        "open",
        "0 of 2 demands are backed up in another fault domain; not erp, web",
    )
    assert (recovery.state, recovery.evidence) == ("open", "1 of 2 demands have a standby at another site; not web")
    assert open_rows["164.312(b)"].state == "to do"
    both = {"backup_days": 30, "backup_site": "west"}
    met = small_plan(small_inventory(erp=both, web=both, sites={"store": {"compliance": "HIPAA"}}))
    assert of_regime(checked(met), "HIPAA")["164.308(a)(7)(ii)(A)"].state == "met"
    here = {"backup_days": 30, "backup_site": "east"}
    lost = small_plan(small_inventory(erp=here, web=here, sites={"store": {"compliance": "HIPAA"}}))
    assert of_regime(checked(lost), "HIPAA")["164.308(a)(7)(ii)(A)"].state == "open"


def test_the_plan_shows_residency_and_node_loss() -> None:
    where = {"compliance": "GDPR", "country": "DE"}
    stated = small_plan(
        small_inventory(
            erp={"residency": "country"},
            web={"residency": "country"},
            sites={"store": where, "east": {"country": "DE"}, "west": {"country": "DE"}},
        )
    )
    rows = of_regime(checked(stated), "GDPR")
    assert rows["Art. 44"].state == "met"
    assert rows["Art. 32(1)(b)"].evidence == "it survives the loss of a node"
    single = of_regime(checked(plan_of(nodes=(1,), store="GDPR")), "GDPR")
    assert (single["Art. 32(1)(b)"].state, single["Art. 44"].state) == ("open", "open")


def test_monthly_updates_meet_what_card_payments_ask_for() -> None:
    rows = of_regime(checked(plan_of(east="PCI")), "PCI DSS")
    assert (rows["6.3.3"].state, rows["6.3.3"].evidence) == ("met", "the maintenance calendar updates it every month")


def test_findings_name_unknown_regimes_and_open_controls() -> None:
    plan = plan_of(store="HIPAA;house rules")
    context = context_of(plan)
    found = tuple(checklist_findings(context, plan_checklist(plan, context)))
    unknown = [finding for finding in found if finding.rule == "OPS-201"]
    assert [(finding.subject, finding.severity) for finding in unknown] == [("house rules", "warning")]
    assert sum(finding.rule == "OPS-202" for finding in found) == 2, "backup and recovery at east, nothing runs at west"
