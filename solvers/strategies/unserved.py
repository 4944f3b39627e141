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
from solvers.formulation.assembly import GeneratedRow, build
from solvers.local_search.single_points import secured
from solvers.parameters import Parameters
from solvers.problem.compilation import compile_problem
from solvers.problem.design import DesignProblem, pair_columns
from solvers.problem.infeasible_inputs import InfeasibleInputsError
from solvers.strategies.decompose import DecomposeSolve
from solvers.strategies.exact import ExactSolve
from solvers.strategies.strategy import NODE_LIMIT

#: Columns of (class, primary, standby) up to which the exact strategy is tried where the choice is open. It proves
#: fleets of 1,000 in seconds; from 3,000 on both find plans alike, from 9,000 on decompose is ahead early and in bounds
#: (`python -m benchmarks.fleet --strategy decompose` sets both side by side).
EXACT_COLUMNS = 5_000
#: Share of the time left that one search for the fewest may take.
FEWEST_SHARE = 0.5


@dataclass(frozen=True)
class Attempt:
    """The solve of what is served, what is left out of it with the reasons, and whether the user stopped it."""

    run: ExactSolve
    left_out: Mapping[DemandKey, str]
    interrupted: bool


def solve_served(inventory: Inventory, config: SolveConfig, strategy: str = "auto") -> Attempt:
    """Solve for every demand, or, where the policy allows it and there is no such plan, for all but the fewest.

    Raises
    ------
    InfeasibleInputsError
        If it is plain without a solver that no plan exists, and the policy allows nothing to be left out.
    """
    problem, screened = _screened(inventory, config.parameters)
    left_out = screened
    run = strategy_run(problem, config, strategy)
    started = run.search.started
    rows: set[GeneratedRow] = set()
    try:
        run.run()
        while inventory.policy.allow_unserved and run.is_infeasible and run.search.best is None:
            known = len(rows)
            rows |= run.rows
            fewest = fewest_unserved(served_part(inventory, screened), rows, config, run.search.remaining_s)
            if not fewest or (len(rows) == known and left_out == screened | fewest):
                break
            left_out = screened | fewest
            disproved = run.search.claims.disproved
            problem = compile_problem(served_part(inventory, left_out), parameters=config.parameters)
            run = strategy_run(problem, config, strategy)
            run.search.started = started
            run.search.claims.disproved.update(disproved)
            run.run()
        if run.search.best is not None and (config.deterministic or run.search.remaining_s > 0.0):
            run.search.best = secured(run.problem, run.search.best, run.search.objective)
    except KeyboardInterrupt:
        return Attempt(run, left_out, interrupted=True)
    return Attempt(run, left_out, interrupted=False)


def strategy_run(problem: DesignProblem, config: SolveConfig, strategy: str) -> ExactSolve:
    """A run of the strategy asked for; of the one that suits the size where that is left open."""
    if strategy == "decompose" or (strategy == "auto" and pair_columns(problem) > EXACT_COLUMNS):
        return DecomposeSolve(problem, config)
    return ExactSolve(problem, config)


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
    formulation = build(problem, has_pairs=True, rows=rows, with_unserved=True)
    model = formulation.model
    model.cost = [0.0] * model.columns
    model.constant = 0.0
    for demand_class, column in formulation.unserved.items():
        model.cost[column] = float(len(problem.classes[demand_class].units[0].demands))
    task = EngineTask(
        "highs",
        model,
        seed=config.seed,
        time_limit_s=UNLIMITED_S if config.deterministic else remaining_s * FEWEST_SHARE,
        node_limit=NODE_LIMIT if config.deterministic else None,
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
    proof = "no fewer would do" if job.bound > len(keys) - 1 + 1e-6 else "it is not proven that no fewer would do"
    if any(len(demand_class.units[0].demands) > 1 for demand_class in problem.classes):
        proof += ", affinity groups taken whole"
    reason = f"there is no room for all: {len(keys)} left out for the limits on room, links or budget; {proof}"
    return dict.fromkeys(keys, reason)
