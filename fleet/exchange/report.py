"""The report: one self-contained HTML page, printable, without scripts, that asks no network for anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from fleet.errors import FleetError, RulePackError
from fleet.exchange import report_risks as risks
from fleet.exchange import report_sections as sections
from fleet.exchange.files import write_text
from fleet.exchange.maps_data import period_labels
from fleet.exchange.plan_inventory import inventory_of
from fleet.exchange.report_map import plan_map
from fleet.exchange.report_operations import NO_OPERATIONS, operations
from fleet.failures.sweep import context_of
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
        laid_out = context_of(plan, inventory)
        return {"outlook": risks.outlook(plan, laid_out), "operations": operations(plan, laid_out)}
    except FleetError as error:
        return {"outlook": {**risks.NO_OUTLOOK, "note": f"Not computed: {error}"}}


def template(name: str) -> jinja2.Template:
    """A page template, with the filters that pages share."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fleet.exchange", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["amount"] = _amount
    environment.filters["joined"] = sections.joined
    return environment.get_template(name)


def _amount(value: float | None, digits: int = 0) -> str:
    """A number with thousands separators; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
