"""The independent judge: everything in a plan recomputed from the raw inventory, with no solver in it."""

from __future__ import annotations

from fleet.errors import InventoryError, RulePackError
from fleet.inventory.checks.inventory import checked_inventory
from fleet.inventory.inventory import Inventory
from fleet.plan.context import build_context
from fleet.plan.decisions import decisions_of
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import Finding, Plan
from fleet.plan.rules import RULES, Evidence
from fleet.plan.rules.base import finding
from fleet.rulepack import RulePack, load_rulepack
from fleet.wan.routing import Router

_ORDER = {"error": 0, "warning": 1, "info": 2}


def audit(plan: Plan, inventory: Inventory | None = None) -> tuple[Finding, ...]:
    """Judge a plan by every rule.

    Parameters
    ----------
    plan : Plan
        Any plan that its schema accepts, however mangled: what is missing or contradictory becomes a finding.
    inventory : Inventory, optional
        Judge against this one instead of the plan's own tables; a differing hash is a finding.

    Returns
    -------
    tuple of Finding
        Errors first, then warnings and notes; within each in order of rule.

    Notes
    -----
    Limits are inclusive with a relative tolerance of 1e-6. The findings that the plan carries are not looked at.
    """
    if inventory is None:
        try:
            inventory = checked_inventory(plan.document.inventory.name, plan.document.inventory.tables)
        except InventoryError as error:
            return tuple(
                finding("DAT-003", problem.place, f"{problem.code} {problem.message}", problem.remedy)
                for problem in error.problems
            )
    try:
        pack = load_rulepack(inventory.policy.rule_pack)
    except RulePackError as error:
        return tuple(
            finding("DAT-003", problem.place, f"{problem.code} {problem.message}", problem.remedy)
            for problem in error.problems
        )
    return judge(plan, inventory, pack)


def judge(plan: Plan, inventory: Inventory, pack: RulePack, router: Router | None = None) -> tuple[Finding, ...]:
    """Judge a plan against an inventory and a rule pack that are known to be sound.

    With `router`, routes in the network of that inventory that it knows already need not be found again.
    """
    wan = None if router is None else router.wan
    context = build_context(inventory, pack, decisions_of(plan.document, inventory), wan, router)
    evidence = Evidence(plan.document, inventory, pack, NormalState(context))
    found = [entry for rule in RULES for entry in rule.findings(evidence)]
    return tuple(sorted(found, key=lambda entry: (_ORDER[entry.severity], entry.rule)))
