"""The report: one self-contained HTML page, printable, without scripts, that asks no network for anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fleet.errors import FleetError, RulePackError
from fleet.exchange.figures import period_labels
from fleet.exchange.files import write_text
from fleet.exchange.plan_inventory import inventory_of
from fleet.exchange.report import risks, sections
from fleet.exchange.report.operations import NO_OPERATIONS, operations
from fleet.exchange.report.recovery import NO_PROTECTION, protection
from fleet.exchange.report.small_map import plan_map
from fleet.exchange.report.templates import template
from fleet.failures.details import survey
from fleet.failures.incidents import Breaker
from fleet.failures.sweep import normal_of
from fleet.failures.tables import is_sweepable
from fleet.inventory.inventory import Inventory
from fleet.plan.plan import Plan
from fleet.rulepack import RulePack, load_rulepack


def to_report(plan: Plan, path: str | Path) -> Path:
    """Write the report of a plan and return its path.

    Raises
    ------
    ExportError
        If the file cannot be written.
    InventoryError
        If the tables inside the plan contradict themselves.
    PlanError
        If rows of the plan name a cluster, site or period that does not exist.

    Examples
    --------
    >>> to_report(plan, "report.html")  # doctest: +SKIP
    """
    write_text(path, report_html(plan))
    return Path(path)


def report_html(plan: Plan) -> str:
    """The report of a plan as one HTML page: decision, cost, proof, capacity, network, recovery, risks, assumptions.

    Capacities, quorum and failures are recomputed from the inventory that the plan carries. Equal plans give equal
    text.

    Raises
    ------
    InventoryError
        If the tables inside the plan contradict themselves.
    PlanError
        If rows of the plan name a cluster, site or period that does not exist.
    """
    inventory = inventory_of(plan)
    return template("report.html.j2").render(_context(plan, inventory))


def _context(plan: Plan, inventory: Inventory) -> dict[str, Any]:
    clusters = sections.clusters(plan)
    context: dict[str, Any] = {
        "plan": plan.document,
        "policy": inventory.policy,
        "periods": period_labels(inventory),
        "summary": sections.summary(plan, inventory),
        "map": plan_map(plan, inventory),
        "clusters": clusters,
        "resources": sections.used_resources(clusters),
        "resource_names": sections.RESOURCE_NAMES,
        "legend": sections.bar_legend(),
        "actions": sections.actions(plan),
        "money": sections.money(plan, inventory),
        "proof": sections.proof(plan),
        "standbys": risks.standby_groups(plan, inventory),
        "links": risks.links(plan),
        "risks": risks.findings(plan),
        "pack_problem": "",
        "traces": [],
        "quorum": [],
        "outlook": risks.NO_OUTLOOK,
        "operations": NO_OPERATIONS,
        "protection": NO_PROTECTION,
    }
    pack: RulePack | None = None
    try:
        pack = load_rulepack(inventory.policy.rule_pack)
    except RulePackError as error:
        context["pack_problem"] = f"rule pack {inventory.policy.rule_pack!r} is not at hand: {error}"
    if pack is not None:
        context["traces"] = sections.traces(plan, inventory, pack)
        context["quorum"] = sections.quorum(plan, inventory, pack)
        context.update(_running(plan, inventory))
    context["assumptions"] = risks.assumptions(inventory, pack)
    return context


def _running(plan: Plan, inventory: Inventory) -> dict[str, Any]:
    """What happens and what to do while the plan runs; or why that is not known."""
    try:
        normal = normal_of(plan, inventory)
        if not is_sweepable(normal):
            return {"outlook": risks.UNSWEPT, "operations": operations(plan, normal)}
        breaker = Breaker(plan, normal)
        found = survey(breaker)
        return {
            "outlook": risks.outlook(normal.context, found.rows),
            "operations": operations(plan, normal),
            "protection": protection(plan, breaker, found),
        }
    except FleetError as error:
        return {"outlook": {**risks.NO_OUTLOOK, "note": f"Not computed: {error}"}}
