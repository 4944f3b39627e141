"""Inventory → design problem: slots, archetype segments, demand classes, failure states.

Whatever can be decided without an engine is decided here; a demand that no slot can take, or a circuit that is
too small for the users behind it, is reported in words (`InfeasibleInputsError`).
"""

from __future__ import annotations

from fleet.inventory.inventory import Inventory
from fleet.plan.costs import Rates
from fleet.rulepack import load_rulepack
from fleet.wan.graph import build_wan
from fleet.wan.routing import Router
from solvers.parameters import Parameters
from solvers.problem.demand_classes import ClassBuilder
from solvers.problem.design import DesignProblem
from solvers.problem.infeasible_inputs import screen_access
from solvers.problem.routes import RouteTable
from solvers.problem.slots import build_slots, growth_refusals, without_idle_segments


def compile_problem(
    inventory: Inventory, watched_links: frozenset[str] = frozenset(), parameters: Parameters | None = None
) -> DesignProblem:
    """Turn an inventory into arrays.

    Parameters
    ----------
    inventory : Inventory
        The effective inventory.
    watched_links : frozenset of str
        Access circuits whose failure is a core state all the same, because a plan broke a limit in it.
    parameters : Parameters, optional
        Tuning constants of the search.

    Raises
    ------
    InfeasibleInputsError
        If it is plain without a solver that no plan exists; its lines say why and what would do.
    """
    pack = load_rulepack(inventory.policy.rule_pack)
    wan = build_wan(inventory)
    router = Router(wan)
    slots = build_slots(inventory, pack)
    rates = Rates(inventory, pack, wan)
    routes = RouteTable(inventory, wan, router, slots, watched_links)
    builder = ClassBuilder(inventory, pack, router, slots, routes)
    classes = builder.classes()
    forced = screen_access(inventory, wan)
    slots = without_idle_segments(inventory, slots, routes.groups, classes)
    fees = builder.protection_cost(rates)
    circuits = sum(rates.wan_monthly() * rates.monthly_factor(period.index) for period in inventory.periods)
    return DesignProblem(
        parameters=parameters or Parameters(),
        inventory=inventory,
        pack=pack,
        wan=wan,
        router=router,
        rates=rates,
        slots=slots,
        classes=classes,
        states=routes.states,
        attachments=routes.attachments,
        growth_refusals=growth_refusals(slots, pack),
        forced_upgrades=forced,
        constant_cost=fees + circuits + rates.backups(),
        second_circuits=frozenset(link for link, site in routes.access_links.items() if len(wan.links_of[site]) > 1),
    )
