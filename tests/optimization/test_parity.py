"""Encoders beside verifiers: a model that must take a decision accepts it exactly where the audit does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from fleet.inventory.inventory import Demand
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.placement import exceeds
from fleet.plan.rules import RULES
from fleet.quantities import COMPUTE_RESOURCES
from fleet.wan.states import NORMAL
from solvers.engines.pool import EnginePool
from solvers.engines.task import EngineTask
from solvers.formulation.assembly import build
from solvers.formulation.constraints.links import ClusterRow, LinkRow
from solvers.formulation.variables import NO_STANDBY, Formulation
from solvers.linear.model import Floats
from solvers.problem.compilation import compile_problem
from solvers.problem.design import DesignProblem
from solvers.problem.infeasible_inputs import InfeasibleInputsError
from tests.plan.judged_fleet import a_plan, rules_of
from tests.plan.rule_cases import RuleCase, rule_cases

CASES = rule_cases()
#: Rules that share a row with another one, which gives it its label.
LABELS = dict.fromkeys(("ASG-002", "ASG-007", "ASG-008", "PLT-024"), "ASG-005")
#: Rules whose breach the model may have no column for, or that leave no model at all, and what keeps them instead.
WITHOUT_COLUMN = {
    "ASG-003": "the slots where a demand may run",
    "ASG-004": "units: demands of one label are placed as one",
    "ASG-006": "the slots where a demand may run",
    "DR-001": "the allowed pairs",
    "DR-002": "the allowed pairs",
    "DR-003": "the allowed pairs",
    "DR-004": "the allowed pairs, and the mechanism chosen beforehand",
    "DR-009": "the slots where a demand may run",
    "DR-012": "the allowed pairs",
    "EXI-001": "the runs of existing clusters",
    "GOV-001": "the slots where a demand may run or stand by",
    "NET-001": "the slots where a demand may run",
    "NET-004": "the allowed pairs",
    "NET-008": "the slots where a demand may run, and the allowed pairs",
    "PIN-001": "the slots where pinned demands may run or stand by",
    "PLT-001": "the archetypes of the catalog",
    "PLT-015": "the archetypes of the catalog",
    "PLT-024": "the slots where a demand may run, if no node model there holds an instance",
    "ASG-007": "the archetypes of the catalog",
    "ASG-008": "the archetypes of the catalog",
    "PLT-026": "the archetypes of the catalog",
    "PLT-027": "the archetypes of the catalog",
    "PLT-028": "the slots where a demand may run",
    "SIT-001": "the slots of a site",
    "SIT-002": "the slots of a site",
}


class NoColumn(Exception):
    """The model has no column for a part of the decision."""


def carries_all_of_its_users(problem: DesignProblem, link: str) -> bool:
    """Whether a link is the circuit of a site of users that takes all their traffic in any case: never a limit."""
    inventory, wan = problem.inventory, problem.wan
    hosts = {site.site for site in inventory.host_sites}
    keepers = {row.backup_site for row in inventory.workloads if row.backup_days > 0}
    for site in (wan.links[link].from_, wan.links[link].to):
        if site in hosts | keepers or site in wan.transit:
            continue
        traffic = max(
            sum(inventory.amounts(demand, period).traffic_mbps for demand in inventory.demands if demand.site == site)
            for period in range(problem.periods)
        )
        usable = (wan.links[name].usable_mbps(way) for name in wan.links_of[site] for way in (True, False))
        return not any(exceeds(traffic, limit) for limit in usable)
    return False


def every_row(problem: DesignProblem) -> set[LinkRow | ClusterRow]:
    """Every link and cluster limit in every state, which a solve would find one after another."""
    states = [NORMAL.id, *(state.id for state in problem.states)]
    links = [link for link in problem.wan.links if not carries_all_of_its_users(problem, link)]
    rows: set[LinkRow | ClusterRow] = set()
    for state, period in itertools.product(states, range(problem.periods)):
        rows |= {LinkRow(state, link, forward, period) for link in links for forward in (True, False)}
        if state != NORMAL.id:
            rows |= {
                ClusterRow(state, slot.index, resource, period)
                for slot in problem.slots
                for resource in COMPUTE_RESOURCES
            }
    return rows


@dataclass
class Forced:
    """A model in which every decided column is fixed to a decision."""

    formulation: Formulation
    point: Floats
    known: set[int]

    @property
    def accepts(self) -> bool:
        """Whether the other columns can be chosen so that every row holds."""
        model = self.formulation.model
        for column in self.known:
            value = float(self.point[column])
            if not model.lower[column] - 1e-9 <= value <= model.upper[column] + 1e-9:
                return False
            model.lower[column] = model.upper[column] = value
        if len(self.known) == model.columns:
            return not model.violated_rows(self.point)
        with EnginePool() as pool:
            run = pool.answer(EngineTask("highs", model, time_limit_s=20.0, gap=0.0), must_work=False)
        assert run.state in ("finished", "infeasible")
        return run.state == "finished"

    @property
    def broken_rules(self) -> set[str]:
        """Rules of the rows that the decision breaks, columns that are not decided taken as zero."""
        model = self.formulation.model
        return {model.row_rule[row] for row in model.violated_rows(self.point)}


def forced(problem: DesignProblem, decisions: Decisions) -> Forced:
    """Fix the model to a decision.

    Raises
    ------
    NoColumn
        If the model cannot express it.
    """
    formulation = build(problem, has_pairs=True, rows=every_row(problem))
    result = Forced(formulation, np.zeros(formulation.model.columns), set())
    _fix_clusters(result, {cluster.cluster: cluster for cluster in decisions.clusters})
    _fix_placements(result, decisions)
    for (link, period), column in formulation.upgrade.items():
        result.known.add(column)
        result.point[column] = float(period >= decisions.upgrades.get(link, problem.periods))
    for link in decisions.upgrades:
        if (link, 0) not in formulation.upgrade:
            raise NoColumn(f"upgrade of {link}")
    return result


def _fix_clusters(result: Forced, clusters: dict[str, ClusterDecision]) -> None:
    formulation = result.formulation
    problem = formulation.problem
    names = {problem.slots[slot].cluster for slot in formulation.slots}
    if not set(clusters) <= names:
        raise NoColumn(f"clusters {sorted(set(clusters) - names)}")
    for slot in formulation.slots:
        cluster = clusters.get(problem.slots[slot].cluster)
        for period in range(problem.periods):
            nodes = 0 if cluster is None else cluster.nodes[period]
            found = nodes == 0
            for number, run in enumerate(formulation.segments(slot)):
                is_it = (
                    cluster is not None
                    and run.node_model == cluster.node_model
                    and run.lowest <= nodes <= run.highest
                    and dict(run.archetype(nodes).layout) == dict(cluster.layouts[period])
                )
                found |= is_it
                result.known.add(formulation.segment[slot, number, period])
                result.point[formulation.segment[slot, number, period]] = float(is_it)
                column = formulation.nodes.get((slot, number, period))
                if column is not None:
                    result.known.add(column)
                    result.point[column] = float(nodes * is_it)
            if not found:
                raise NoColumn(f"{nodes} nodes of {problem.slots[slot].cluster} in period {period}")
            site = (problem.slots[slot].site, period)
            if site in formulation.site_open:
                result.known.add(formulation.site_open[site])
                result.point[formulation.site_open[site]] = max(
                    float(nodes > 0), float(result.point[formulation.site_open[site]])
                )


def _fix_placements(result: Forced, decisions: Decisions) -> None:
    formulation = result.formulation
    problem = formulation.problem
    slots = {slot.cluster: slot.index for slot in problem.slots}
    keys = zip(
        formulation.class_of.tolist(), formulation.primary_of.tolist(), formulation.standby_of.tolist(), strict=True
    )
    columns = dict(zip(keys, formulation.placement.tolist(), strict=True))
    result.known.update(formulation.placement.tolist())
    for part in problem.classes:
        for unit in part.units:
            primary = _one({slots[decisions.primary[demand.key]] for demand in unit.demands}, unit.demands)
            copied = [demand for demand in unit.demands if demand.has_standby]
            standby = NO_STANDBY
            if copied:
                standby = _one({slots[decisions.standby[demand.key]] for demand in copied}, unit.demands)
            if (part.index, primary, standby) not in columns:
                raise NoColumn(f"{unit.demands[0]} there")
            result.point[columns[part.index, primary, standby]] += 1.0


def _one(places: set[int], demands: tuple[Demand, ...]) -> int:
    if len(places) > 1:
        raise NoColumn(f"{demands[0]} and its label at several clusters")
    return next(iter(places))


def test_every_case_of_an_encoded_rule_is_tried() -> None:
    encoded = {rule.id for rule in RULES if rule.is_encoded}
    tried = {case.rule for case in CASES}
    assert {"ASG-005", "BUD-001", "CAP-001", "CAP-003", "CAP-004", "NET-002", "NET-003", "PIN-001"} <= encoded & tried


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.is_encoded], ids=lambda rule: rule.id)
def test_rules_without_encoder_say_why(rule: object) -> None:
    found = next(entry for entry in RULES if entry is rule)
    assert found.encoder.startswith("none needed: ")
    assert len(found.encoder) > len("none needed: ") + 10


@pytest.mark.parametrize("case", CASES, ids=str)
def test_model_accepts_what_the_audit_accepts(case: RuleCase) -> None:
    accepted_by_audit = not rules_of(a_plan(case.inventory, case.decisions))
    assert accepted_by_audit == (not case.is_broken)
    try:
        model = forced(compile_problem(case.inventory), case.decisions)
    except (NoColumn, InfeasibleInputsError):
        assert case.is_broken
        assert case.rule in WITHOUT_COLUMN
        return
    assert model.accepts == accepted_by_audit
    if case.is_broken:
        assert LABELS.get(case.rule, case.rule) in model.broken_rules
