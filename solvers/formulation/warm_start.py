"""From one formulation to the next: models near a known solution, and solutions in other columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers.formulation.variables import NO_STANDBY, Formulation, Terms
from solvers.linear.model import Floats, LinearModel
from solvers.tolerances import IS_ONE, PLACEMENT_TOLERANCE


def near(source: Formulation, solution: Floats, target: Formulation, spare: int, keeps_whole: bool) -> LinearModel:
    """The target's model with the node models of a solution and at most `spare` nodes more per cluster.

    A slot of the source may stand for several of the target, whose nodes are then limited together. With
    `keeps_whole`, classes that the solution places in whole units stay where it places them.
    """
    model = target.model
    upper = list(model.upper)
    result = replace(
        model,
        upper=upper,
        row_lower=list(model.row_lower),
        row_upper=list(model.row_upper),
        row_columns=list(model.row_columns),
        row_values=list(model.row_values),
        row_rule=list(model.row_rule),
    )
    for group in source.slots:
        members = source.problem.slot_groups[group]
        for period in range(source.problem.periods):
            known = source.problem.periods - 1 if source.final_demand else period
            counts = nodes_by_model(source, solution, group, known)
            terms: dict[str, Terms] = {}
            for slot in members:
                for number, segment in enumerate(target.segments(slot)):
                    limit = counts.get(segment.node_model, 0) + spare * len(members)
                    if segment.node_model not in counts or segment.lowest > limit:
                        upper[target.segment[slot, number, period]] = 0.0
                    terms.setdefault(segment.node_model, []).extend(target.node_terms(slot, number, period))
            for node_model, count in counts.items():
                result.add_row("NEAR", terms[node_model], upper=float(count + spare * len(members)))
    if keeps_whole:
        _keep_whole(source, solution, target, result)
    return result


def _keep_whole(source: Formulation, solution: Floats, target: Formulation, result: LinearModel) -> None:
    """Fix the placements, by group of slots, of every class that the solution places in whole units."""
    group_of = {slot: group for group, members in enumerate(source.problem.slot_groups) for slot in members}
    group_of[NO_STANDBY] = NO_STANDBY
    values = solution[source.placement]
    broken = set(source.class_of[np.abs(values - np.rint(values)) > PLACEMENT_TOLERANCE].tolist())
    keys = zip(source.class_of.tolist(), source.primary_of.tolist(), source.standby_of.tolist(), strict=True)
    wanted = dict(zip(keys, np.rint(values).tolist(), strict=True))
    columns: dict[tuple[int, int, int], list[int]] = {}
    for demand_class, primary, standby, column in zip(
        target.class_of.tolist(),
        target.primary_of.tolist(),
        target.standby_of.tolist(),
        target.placement.tolist(),
        strict=True,
    ):
        if demand_class not in broken:
            columns.setdefault((demand_class, group_of[primary], group_of[standby]), []).append(column)
    for key, together in columns.items():
        count = wanted.get(key, 0.0)
        if count == 0:
            for column in together:
                result.upper[column] = 0.0
        else:
            result.add_row("NEAR", [(column, 1.0) for column in together], lower=count, upper=count)


def nodes_by_model(formulation: Formulation, solution: Floats, slot: int, period: int) -> dict[str, int]:
    """Nodes of each node model that a slot has in a solution."""
    counts: dict[str, int] = {}
    for number, segment in enumerate(formulation.segments(slot)):
        amount = sum(value * solution[column] for column, value in formulation.node_terms(slot, number, period))
        if amount > IS_ONE:
            counts[segment.node_model] = counts.get(segment.node_model, 0) + round(float(amount))
    return counts


def translate(source: Formulation, solution: Floats, target: Formulation) -> Floats:
    """A solution of one formulation in the columns of another; NaN where the other has nothing to say."""
    result = np.full(target.model.columns, np.nan)
    for mine, theirs in ((target.segment, source.segment), (target.nodes, source.nodes)):
        for key, column in mine.items():
            known = theirs.get(key)
            result[column] = 0.0 if known is None else solution[known]
    for shared, other in ((target.site_open, source.site_open), (target.upgrade, source.upgrade)):
        for name, column in shared.items():
            position = other.get(name)
            result[column] = 0.0 if position is None else solution[position]
    if source.has_pairs == target.has_pairs and (source.whole or not target.whole):
        places = zip(source.class_of.tolist(), source.primary_of.tolist(), source.standby_of.tolist(), strict=True)
        values = dict(zip(places, solution[source.placement].tolist(), strict=True))
        wanted = zip(target.class_of.tolist(), target.primary_of.tolist(), target.standby_of.tolist(), strict=True)
        for place, column in zip(wanted, target.placement.tolist(), strict=True):
            result[column] = values.get(place, 0.0)
    return result
