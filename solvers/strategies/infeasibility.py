"""Why there is no plan, and the cheapest way out, in the planner's words.

Proven infeasible: the model is solved again with every kind of limit elastic, at a price per unit of breach, and what
the cheapest breach leaves is said: demands without room, a budget that is too small, links that are too thin, sites
that are too small, pins that contradict.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np

from fleet.plan.pinning import PLACING, in_words
from solvers.config import SolveConfig
from solvers.engines.pool import EnginePool
from solvers.engines.task import EngineTask
from solvers.formulation.assembly import GeneratedRow, build_with_unserved
from solvers.formulation.constraints import pins
from solvers.formulation.constraints.hosts import HostRow
from solvers.formulation.constraints.links import LinkRow
from solvers.formulation.constraints.siting import limit_rows
from solvers.formulation.variables import Formulation
from solvers.linear.model import INFINITY, Floats
from solvers.parameters.strategies import StrategyParameters
from solvers.problem.compilation import compile_problem
from solvers.problem.design import DesignProblem
from solvers.tolerances import BREACH_TOLERANCE

#: Rules whose limits can give way.
ELASTIC_RULES = ("BUD-001", "SIT-002", "PIN-001", "EXI-001", "NET-002", "NET-003", "DR-011")
#: Demands without room that are named, of those that are alike.
NAMED = 3


@dataclass(frozen=True)
class Breach:
    """A limit that may give way: its row, the column that says by how much, and whether the limit is from above."""

    row: int
    column: int
    limit: float
    is_upper: bool


def explain_no_plan(
    problem: DesignProblem, stopped_by: str, unconfirmed: str = "", doubtful: Collection[str] = ()
) -> tuple[str, ...]:
    """What to say where the search ended without plan and without proof.

    Parameters
    ----------
    problem : DesignProblem
        What was searched.
    stopped_by : str
        What ended the search.
    unconfirmed : str
        The engine that says that there is no plan, where no second ground confirmed it.
    doubtful : collection of str
        Clusters whose machines could neither be put on their nodes one by one nor shown not to fit.
    """
    if unconfirmed:
        text = f"{unconfirmed} says that no plan satisfies every limit, but no second ground for that was found in time"
        return (f"{text}: it does not count as proven – allow more time",)
    if doubtful:
        text = (
            f"plans were found whose virtual machines may or may not fit the nodes of {', '.join(sorted(doubtful))}, "
            f"one node each: neither was shown (CAP-006), and no such plan is promised ({stopped_by}) – lower "
            "max_utilization by some percent, or make the machines more alike"
        )
        return (text,)
    size = (
        f"{sum(each.count for each in problem.classes)} demand units in {len(problem.classes)} classes on "
        f"{len(problem.slots)} cluster slots were searched – allow more time, or relax the tightest limits"
    )
    return f"no plan was found before the search ended ({stopped_by}); it is not proven that there is none", size


def explain_infeasible(
    problem: DesignProblem, config: SolveConfig, rows: Collection[GeneratedRow] = ()
) -> tuple[str, ...]:
    """The conflict of a problem that is proven infeasible, by the cheapest breach of its limits.

    Parameters
    ----------
    problem : DesignProblem
        What cannot be satisfied.
    config : SolveConfig
        Seed.
    rows : collection of GeneratedRow
        The link and cluster limits that the proof relies on.
    """
    lines = ["it is proven that no plan satisfies every limit"]
    found = _cheapest_breach(problem, config, rows, config.parameters.strategies.explain_s)
    if found is None:
        lines.append("the smallest breach was not found in time – remove pins and the budget one by one")
        return tuple(lines)
    lines.extend(_pins_to_blame(problem, config, rows) if found else ())
    lines.extend(found)
    if len(lines) == 1:
        lines.append(
            "every other limit can be kept once links and clusters take any load, every day or after a failure: raise "
            "bandwidth_mbps or upgrade_mbps of the links between users, hosts and standbys, or max_nodes of the hosts"
        )
    return tuple(lines)


def _cheapest_breach(
    problem: DesignProblem, config: SolveConfig, rows: Collection[GeneratedRow], time_limit_s: float
) -> list[str] | None:
    """What the cheapest breach of the limits of a problem is; empty where there is none, None if not found in time."""
    formulation = build_with_unserved(problem, rows)
    subjects = _subjects(formulation, rows)
    tuning = config.parameters.strategies
    breaches = _make_elastic(formulation, tuning)
    task = EngineTask(
        "highs",
        formulation.model,
        gap=tuning.explain_gap,
        seed=config.seed,
        time_limit_s=time_limit_s,
        parameters=config.parameters.engines,
    )
    with EnginePool() as pool:
        job = pool.answer(task, must_work=False)
    if job.solution is None:
        return None
    return [
        *_unserved_lines(formulation, job.solution),
        *_breach_lines(formulation, breaches, subjects, job.solution),
    ]


def _pins_to_blame(problem: DesignProblem, config: SolveConfig, rows: Collection[GeneratedRow]) -> Iterator[str]:
    """The pins on where demands are without which nothing would have to give way: one of them, or all together."""
    pins, tuning = problem.inventory.pins, config.parameters.strategies
    placing = [pin for pin in pins if pin.decision in PLACING]
    alone = [[pin] for pin in placing[: tuning.most_pins]] if len(placing) > 1 else []
    watched = frozenset(state.name for state in problem.states if state.kind == "link")
    until = time.monotonic() + tuning.explain_s
    for blamed in [placing, *alone] if placing else []:
        inventory = replace(problem.inventory, pins=tuple(pin for pin in pins if pin not in blamed))
        free = compile_problem(inventory, watched, config.parameters)
        left_s = until - time.monotonic()
        if left_s <= 0 or _cheapest_breach(free, config, rows, left_s) != []:
            if blamed is placing:
                return
            continue
        if len(blamed) == 1:
            yield f"PIN-001: {in_words(blamed[0])} contradicts the rest – take it back"
            return
    names = "; ".join(in_words(pin) for pin in placing[: tuning.most_pins])
    if placing:
        yield f"PIN-001: these pins together contradict the rest, take some of them back: {names}"


def _make_elastic(formulation: Formulation, tuning: StrategyParameters) -> list[Breach]:
    """Let limits give way and make only breaches cost."""
    model = formulation.model
    model.cost = [0.0] * model.columns
    for demand_class, column in formulation.unserved.items():
        model.cost[column] = tuning.unserved_price * len(formulation.problem.classes[demand_class].units[0].demands)
    breaches: list[Breach] = []
    for row in range(model.rows):
        rule = model.row_rule[row]
        if rule not in ELASTIC_RULES:
            continue
        for limit, sign in ((model.row_upper[row], -1.0), (model.row_lower[row], 1.0)):
            if abs(limit) == INFINITY:
                continue
            scale = max(1.0, float(np.abs(model.row_values[row]).max(initial=0.0)), abs(limit))
            price = tuning.pin_price if rule in ("PIN-001", "EXI-001") else tuning.limit_price
            column = model.add_variable(0.0, tuning.most_breach * scale, False, price / scale)
            model.row_columns[row] = np.append(model.row_columns[row], column)
            model.row_values[row] = np.append(model.row_values[row], sign)
            breaches.append(Breach(row, column, limit, sign < 0))
    return breaches


def _subjects(formulation: Formulation, rows: Collection[GeneratedRow]) -> dict[int, str]:
    """What each elastic row is about, in words that end where the values follow."""
    model = formulation.model
    result = {}
    pinned = [pin for pin in formulation.problem.inventory.pins for _ in pins.rows_of(formulation, pin)]
    slot_of = {column: slot for (slot, _, _), column in (*formulation.segment.items(), *formulation.nodes.items())}
    for row, rule in enumerate(model.row_rule):
        slots = [slot_of[column] for column in model.row_columns[row].tolist() if column in slot_of]
        if rule == "PIN-001":
            result[row] = in_words(pinned.pop(0))
        elif rule == "SIT-002" and slots:
            result[row] = _site_limit(formulation, row, formulation.problem.slots[slots[0]].site)
        elif rule == "DR-011":
            host = int(formulation.primary_of[formulation.placement == model.row_columns[row][0]][0])
            result[row] = f"copies over the internet access of site {formulation.problem.slots[host].site!r}"
        elif rule == "EXI-001" and slots:
            result[row] = f"cluster {formulation.problem.slots[slots[0]].cluster!r} with keep = yes"
    generated = sorted((row for row in rows if not isinstance(row, HostRow)), key=repr)  # the last rows of the model
    for row, entry in zip(range(model.rows - len(generated), model.rows), generated, strict=True):
        if isinstance(entry, LinkRow):
            link = formulation.problem.wan.links[entry.link]
            origin, target = (link.from_, link.to) if entry.forward else (link.to, link.from_)
            when = "" if entry.state == "normal" else f" after the failure of {entry.state}"
            result[row] = f"link {entry.link!r} from {origin!r} to {target!r}{when}"
    return result


def _site_limit(formulation: Formulation, row: int, name: str) -> str:
    """Which limit of a site a row is: the one of its value with the same terms."""
    model = formulation.model
    weights = dict(zip(model.row_columns[row].tolist(), model.row_values[row].tolist(), strict=True))
    for key, limit, terms in limit_rows(formulation, formulation.problem.inventory.site(name)):
        if limit == model.row_upper[row] and all(
            math.isclose(weights.get(column, 0.0), value) for column, value in terms
        ):
            return f"{key} of site {name!r}"
    return f"a limit of site {name!r}"


def _unserved_lines(formulation: Formulation, solution: Floats) -> list[str]:
    lines = []
    for index, column in sorted(formulation.unserved.items()):
        count = round(float(solution[column]))
        if count > 0:
            units = formulation.problem.classes[index].units
            names = ", ".join(str(demand) for unit in units[:count][:NAMED] for demand in unit.demands)
            more = "" if count <= NAMED else f" and {count - NAMED} more like it"
            lines.append(
                f"there is no room for {names}{more} – allow larger or more clusters (max_clusters, max_nodes, larger "
                f"node models) at a site in reach"
            )
    return lines


def _breach_lines(
    formulation: Formulation, breaches: list[Breach], subjects: dict[int, str], solution: Floats
) -> list[str]:
    """One line per subject, for its largest breach."""
    problem, model = formulation.problem, formulation.model
    worst: dict[str, tuple[float, str]] = {}
    for breach in breaches:
        amount = float(solution[breach.column])
        if amount <= BREACH_TOLERANCE * max(1.0, abs(breach.limit)):
            continue
        rule = model.row_rule[breach.row]
        subject = subjects.get(breach.row, "budget" if rule == "BUD-001" else rule)
        if rule == "BUD-001":
            budget = problem.inventory.policy.budget or 0.0
            currency = problem.inventory.policy.currency
            text = f"BUD-001: the budget is {budget:,.0f} {currency}; at least {math.ceil(budget + amount):,} would do"
        elif rule in ("PIN-001", "EXI-001"):
            text = f"{rule}: {subject} contradicts the rest – take it back"
        elif rule == "SIT-002":
            text = f"SIT-002: {subject} is {breach.limit:g}; {_rounded_up(breach.limit + amount):g} would do"
        elif breach.row in subjects:
            enough = _rounded_up(breach.limit + amount)
            text = f"{rule}: {subject} may carry {breach.limit:g} Mbit/s; {enough:g} would do"
        else:
            text = f"{rule}: the links of the sites that host lack {_rounded_up(amount):g} Mbit/s"
        if subject not in worst or amount > worst[subject][0]:
            worst[subject] = (amount, text)
    return [text for _, text in worst.values()]


def _rounded_up(value: float) -> float:
    """A value rounded up to three decimals, so that it still does."""
    return math.ceil(round(value * 1000.0, 3)) / 1000.0
