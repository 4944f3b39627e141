"""From an inventory to an audited plan: the one entry into the strategies."""

from __future__ import annotations

import datetime
from dataclasses import replace

from fleet.inventory.inventory import Inventory
from fleet.inventory.scenario import Scenario, apply_scenario
from fleet.plan.assemble import assemble
from fleet.plan.plan import DISPROVED, ObjectiveRow, Plan, ResultRow
from fleet.tolerances import OPTIMAL_GAP
from solvers.config import SolveConfig
from solvers.engines.pool import EngineJobError
from solvers.parameters import changed
from solvers.problem.infeasible_inputs import InfeasibleInputsError
from solvers.result import EngineError, SolveError, SolveResult
from solvers.strategies.clock import Clock
from solvers.strategies.infeasibility import explain_infeasible, explain_no_plan
from solvers.strategies.unserved import Attempt, solve_served
from solvers.trace import Status, StoppedBy, relative_gap

STRATEGIES = ("auto", "exact", "decompose")


class StrategyError(SolveError, ValueError):
    """The strategy asked for does not exist."""

    code = "SOL004"


def solve(
    inventory: Inventory,
    scenario: Scenario | None = None,
    config: SolveConfig | None = None,
    strategy: str = "auto",
) -> SolveResult:
    """Plan a fleet.

    Parameters
    ----------
    inventory : Inventory
        What the planner states.
    scenario : Scenario, optional
        Overlay applied first.
    config : SolveConfig, optional
        Limits, seed, workers, progress.
    strategy : str
        ``exact``, ``decompose``, or ``auto``, which chooses by the size of the fleet.

    Returns
    -------
    SolveResult
        With the audited plan where one was found. Ctrl-C ends the search and keeps the best plan.

    Raises
    ------
    StrategyError
        If there is no such strategy.
    ScenarioError
        If the scenario cannot be applied.
    EngineError
        If every engine failed, or model and verifier disagree.
    """
    if strategy not in STRATEGIES:
        raise StrategyError(f"there is no strategy {strategy!r}; choose one of {', '.join(STRATEGIES)}")
    config = SolveConfig() if config is None else config
    effective = inventory if scenario is None else apply_scenario(inventory, scenario)
    name = "" if scenario is None else scenario.name
    try:
        attempt = solve_served(effective, config, strategy)
    except InfeasibleInputsError as error:
        return SolveResult(
            "infeasible", None, None, None, "", "screen", 0.0, config.seed, "exact", explanation=error.lines
        )
    except EngineJobError as error:
        raise EngineError(str(error)) from error
    try:
        return _result(effective, name, config, attempt)
    except KeyboardInterrupt:  # what was found is worth the seconds that a plan takes to write down
        return _result(effective, name, config, replace(attempt, interrupted=True))


def _result(inventory: Inventory, scenario: str, config: SolveConfig, attempt: Attempt) -> SolveResult:
    state, incumbent = attempt.state, attempt.state.incumbent
    seconds = incumbent.seconds
    stopped_by = _stopped_by(attempt, config)
    status: Status
    bound = incumbent.claims.bound_below(incumbent.objective)
    plan: Plan | None = None
    objective: float | None = None
    explanation: tuple[str, ...] = ()
    if incumbent.best is None:
        status = "infeasible" if state.is_infeasible else "no_solution"
        explanation = (
            explain_infeasible(state.problem, config, state.rows)
            if state.is_infeasible and not attempt.interrupted
            else state.remedies or explain_no_plan(state.problem, stopped_by, state.unconfirmed, incumbent.doubtful)
        )
    else:
        objective = incumbent.objective
        gap = relative_gap(objective, bound)
        status = "optimal" if gap is not None and gap <= OPTIMAL_GAP else "feasible"
        plan = _plan(inventory, scenario, config, attempt, status, stopped_by, bound, gap)
    return SolveResult(
        status,
        plan,
        objective,
        bound,
        _bound_source(attempt),
        stopped_by,
        seconds,
        config.seed,
        attempt.strategy.name,
        explanation,
        tuple(incumbent.trace),
        incumbent.claims.texts,
    )


def _bound_source(attempt: Attempt) -> str:
    """What proved the bound, and of what; who else proved it, what is left out, and which engine was disproved."""
    state, claims, count = attempt.state, attempt.state.incumbent.claims, len(attempt.left_out)
    engine, separator, rest = claims.source.partition("; ")
    source = (f"{engine}, confirmed by {state.confirmed_by}" if state.confirmed_by else engine) + separator + rest
    if source and count:
        source += f"; {count} demand{'s' if count > 1 else ''} left out as listed"
    if claims.texts:
        source = (source or "none") + DISPROVED + ", ".join(claims.texts)
    return source


def _stopped_by(attempt: Attempt, config: SolveConfig) -> StoppedBy:
    state, incumbent = attempt.state, attempt.state.incumbent
    if attempt.interrupted:
        return "interrupt"
    if state.is_infeasible:
        return "proof"
    if incumbent.gap is not None and incumbent.gap <= OPTIMAL_GAP:
        return "proof"
    if incumbent.is_done:
        return "gap"
    gave_up = incumbent.best is None and bool(incumbent.doubtful) and Clock(state).remaining_s > 0.0
    return "work_limit" if config.deterministic or state.remedies or gave_up else "time_limit"


def _plan(
    inventory: Inventory,
    scenario: str,
    config: SolveConfig,
    attempt: Attempt,
    status: Status,
    stopped_by: StoppedBy,
    bound: float | None,
    gap: float | None,
) -> Plan:
    incumbent = attempt.state.incumbent
    if incumbent.best is None:
        raise SolveError("there is no decision to make a plan of")
    result = ResultRow(
        status=status,
        objective=incumbent.objective,
        bound=bound,
        bound_source=_bound_source(attempt),
        gap=gap,
        stopped_by=stopped_by,
        seconds=None if config.deterministic else round(incumbent.seconds, 3),
        seed=config.seed,
        strategy=attempt.strategy.name,
        objectives=(ObjectiveRow(name="present_value", value=incumbent.objective, bound=bound, gap=gap),),
    )
    created = None
    if not config.deterministic:
        created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    decisions = replace(incumbent.best, unserved=attempt.left_out)
    router = None if attempt.left_out else attempt.state.problem.router
    tuning = changed(config.parameters) or None
    return assemble(inventory, decisions, result, scenario, created, router, tuning)
