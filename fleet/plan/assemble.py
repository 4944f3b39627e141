"""From a decision to a plan: every row that follows from it, and what the audit says about it."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata

from fleet.inventory.inventory import Inventory
from fleet.plan.audit import judge
from fleet.plan.context import build_context
from fleet.plan.costs import Rates, cost_rows, totals
from fleet.plan.decisions import Decisions
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import (
    Generator,
    InventoryCopy,
    Plan,
    PlanDocument,
    ResultRow,
    ScenarioName,
    UnservedRow,
)
from fleet.plan.rows import (
    action_rows,
    assignment_rows,
    cluster_load_rows,
    cluster_period_rows,
    cluster_rows,
    link_rows,
    period_rows,
    standby_rows,
)
from fleet.plan.states import sweep
from fleet.rulepack import RulePack, load_rulepack
from fleet.version import __version__
from fleet.wan.graph import build_wan
from fleet.wan.routing import Router


def assemble(
    inventory: Inventory,
    decisions: Decisions,
    result: ResultRow,
    scenario_name: str = "",
    created: str | None = None,
    router: Router | None = None,
    parameters: str | None = None,
) -> Plan:
    """Derive the complete plan of a decision.

    Parameters
    ----------
    inventory : Inventory
        The effective inventory, after the scenario.
    decisions : Decisions
        What was decided; everything else follows. Clusters without nodes are left out.
    result : ResultRow
        How good the decision is proven to be.
    scenario_name : str
        Name of the scenario that was applied.
    created : str, optional
        UTC time; None where the plan must repeat byte for byte.
    router : Router, optional
        Of the network of the inventory; what it has found already need not be found again.
    parameters : str, optional
        Tuning constants of the search that were changed.

    Raises
    ------
    RulePackError
        If the inventory's rule pack cannot be read.
    UnknownIdError, KeyError
        If the decision names something that the inventory lacks.
    """
    pack = load_rulepack(inventory.policy.rule_pack)
    router = Router(build_wan(inventory)) if router is None else router
    context = build_context(inventory, pack, _without_empty_clusters(decisions), router.wan, router)
    normal = NormalState(context)
    costs = cost_rows(inventory, pack, context.decisions, Rates(inventory, pack, context.wan))
    document = PlanDocument(
        created=created,
        generator=_generator(pack, parameters),
        inventory=InventoryCopy(name=inventory.name, sha256=inventory.sha256, tables=inventory.tables),
        scenario=ScenarioName(name=scenario_name),
        periods=period_rows(inventory),
        result=result,
        clusters=cluster_rows(context),
        cluster_periods=cluster_period_rows(context),
        cluster_loads=cluster_load_rows(context),
        assignments=assignment_rows(context),
        standbys=standby_rows(context),
        links=link_rows(normal, sweep(normal)),
        actions=action_rows(context, costs),
        costs=costs,
        totals=totals(inventory, costs),
        unserved=_unserved_rows(decisions),
    )
    findings = judge(Plan(document), inventory, pack, router)
    return Plan(document.model_copy(update={"findings": findings}))


def _without_empty_clusters(decisions: Decisions) -> Decisions:
    return replace(decisions, clusters=tuple(cluster for cluster in decisions.clusters if any(cluster.nodes)))


def _generator(pack: RulePack, parameters: str | None) -> Generator:
    return Generator(version=__version__, ortools=_ortools_version(), rule_pack=pack.name, parameters=parameters)


def _unserved_rows(decisions: Decisions) -> tuple[UnservedRow, ...]:
    return tuple(
        UnservedRow(workload=key.workload, site=key.site, reason=reason)
        for key, reason in sorted(decisions.unserved.items())
    )


def _ortools_version() -> str:
    try:
        return metadata.version("ortools")
    except metadata.PackageNotFoundError:
        return ""
