"""Policy allow_unserved: the fewest demands are left out without which the rest has a plan.

First go the demands that the screens find nowhere to run, each with the screen's reason. If it is then proven that
there is no plan, the elastic model says how many more have to go: with the failure limits met so far it asks for the
least, so when the rest has a plan, no smaller number would do. Demands of one affinity label at a site go together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from fleet.inventory.inventory import DemandKey, Inventory
from solvers.config import SolveConfig
from solvers.engines.pool import EnginePool
from solvers.engines.task import UNLIMITED_S, EngineTask
from solvers.formulation.assembly import GeneratedRow, build_with_unserved
from solvers.local_search.single_points import secured
from solvers.parameters import Parameters
from solvers.problem.compilation import compile_problem
from solvers.problem.design import DesignProblem
from solvers.problem.infeasible_inputs import InfeasibleInputsError
from solvers.strategies.clock import Clock
from solvers.strategies.state import SolveState
from solvers.strategies.strategy import Strategy, strategy_for
from solvers.tolerances import COUNT_TOLERANCE


@dataclass(frozen=True)
class Attempt:
    """The solve of what is served, what is left out of it with the reasons, and whether the user stopped it."""

    strategy: Strategy
    state: SolveState
    left_out: Mapping[DemandKey, str]
    interrupted: bool


def solve_served(inventory: Inventory, config: SolveConfig, name: str = "auto") -> Attempt:
    """Solve for every demand, or, where the policy allows it and there is no such plan, for all but the fewest.

    Raises
    ------
    InfeasibleInputsError
        If it is plain without a solver that no plan exists, and the policy allows nothing to be left out.
    """
    problem, screened = _screened(inventory, config.parameters)
    left_out = screened
    strategy, state = strategy_for(problem, name), SolveState(problem, config)
    rows: set[GeneratedRow] = set()
    try:
        strategy.run(state)
        while inventory.policy.allow_unserved and state.is_infeasible and state.incumbent.best is None:
            known = len(rows)
            rows |= state.rows
            left_s = Clock(state).remaining_s
            fewest = fewest_unserved(served_part(inventory, screened), rows, config, left_s)
            if not fewest or (len(rows) == known and left_out == screened | fewest):
                break
            left_out = screened | fewest
            problem = compile_problem(served_part(inventory, left_out), parameters=config.parameters)
            strategy, state = strategy_for(problem, name), _again(state, problem)
            strategy.run(state)
        _secure(state)
    except KeyboardInterrupt:
        return Attempt(strategy, state, left_out, interrupted=True)
    return Attempt(strategy, state, left_out, interrupted=False)


def _again(before: SolveState, problem: DesignProblem) -> SolveState:
    """The state of a solve that goes on with another problem: the clock runs on, and who was wrong is not believed."""
    state = SolveState(problem, before.config, before.started)
    state.incumbent.claims.disproved.update(before.incumbent.claims.disproved)
    return state


def _secure(state: SolveState) -> None:
    """Have fewer single points of failure in the best plan, as far as time is left."""
    incumbent = state.incumbent
    if incumbent.best is not None and Clock(state).remaining_s > 0.0:
        incumbent.best = secured(state.problem, incumbent.best, incumbent.objective)


def _screened(inventory: Inventory, parameters: Parameters) -> tuple[DesignProblem, dict[DemandKey, str]]:
    """The problem of what passes the screens, and what does not, as far as the policy allows to leave it out."""
    left_out: dict[DemandKey, str] = {}
    while True:
        try:
            return compile_problem(served_part(inventory, left_out), parameters=parameters), left_out
        except InfeasibleInputsError as error:
            if not inventory.policy.allow_unserved or not error.blocked:
                raise
            left_out |= error.blocked


def served_part(inventory: Inventory, left_out: Collection[DemandKey]) -> Inventory:
    """The inventory without some demands; what else it says stays."""
    if not left_out:
        return inventory
    cut = {id(inventory.demand_by_key[key].row) for key in left_out}
    whole = [row for row in inventory.workloads if id(row) not in cut]
    rest = [
        demand.row.model_copy(update={"site": demand.site, "kind": ""})
        for demand in inventory.demands
        if id(demand.row) in cut and demand.key not in left_out
    ]
    return replace(inventory, workloads=(*whole, *rest))


def fewest_unserved(
    inventory: Inventory, rows: Collection[GeneratedRow], config: SolveConfig, remaining_s: float
) -> dict[DemandKey, str]:
    """The fewest demands that have to go for the rest to keep every limit but failure limits that are not in `rows`.

    Parameters
    ----------
    inventory : Inventory
        Demands that pass the screens.
    rows : collection of GeneratedRow
        Link and cluster limits met so far.
    remaining_s : float
        Time left [s].

    Returns
    -------
    dict
        Demands with the reason; empty where leaving out demands does not help, or the time did not suffice.
    """
    failed_links = {row.state.removeprefix("link:") for row in rows if row.state.startswith("link:")}
    problem = compile_problem(inventory, frozenset(failed_links), config.parameters)
    formulation = build_with_unserved(problem, rows)
    model = formulation.model
    model.cost = [0.0] * model.columns
    model.constant = 0.0
    for demand_class, column in formulation.unserved.items():
        model.cost[column] = float(len(problem.classes[demand_class].units[0].demands))
    tuning = config.parameters.strategies
    task = EngineTask(
        "highs",
        model,
        seed=config.seed,
        time_limit_s=UNLIMITED_S if config.deterministic else remaining_s * tuning.fewest_share,
        node_limit=tuning.node_limit if config.deterministic else None,
        deterministic=config.deterministic,
        parameters=config.parameters.engines,
    )
    with EnginePool() as pool:
        job = pool.answer(task)
    if job.solution is None:
        return {}
    keys = [
        demand.key
        for demand_class, column in sorted(formulation.unserved.items())
        for unit in problem.classes[demand_class].units[
            problem.classes[demand_class].count - round(float(job.solution[column])) :
        ]
        for demand in unit.demands
    ]
    proof = (
        "no fewer would do"
        if job.bound > len(keys) - 1 + COUNT_TOLERANCE
        else "it is not proven that no fewer would do"
    )
    if any(len(demand_class.units[0].demands) > 1 for demand_class in problem.classes):
        proof += ", affinity groups taken whole"
    reason = f"there is no room for all: {len(keys)} left out for the limits on room, links or budget; {proof}"
    return dict.fromkeys(keys, reason)
