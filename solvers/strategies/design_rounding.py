"""Designs that are integer in part: in the last period only, or with the clusters of a relaxation rounded up."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from solvers.formulation.variables import Formulation
from solvers.linear.model import Floats, LinearModel
from solvers.tolerances import PLACEMENT_TOLERANCE


def integer_at_last(design: Formulation) -> list[bool]:
    """Which columns are integer when what stands before the last period is not yet decided."""
    last = design.problem.periods - 1
    integer = list(design.model.integer)
    for columns in (design.segment, design.nodes):
        for (_, _, period), column in columns.items():
            integer[column] &= period == last
    for (_, period), column in design.site_open.items():
        integer[column] &= period == last
    return integer


def rounded_up(design: Formulation, model: LinearModel, solution: Floats, least: float) -> LinearModel:
    """The model with the clusters and nodes of the last period that a solution has, rounded up in the largest segment.

    Places that lack a part of a node smaller than `least`, but are not whole either, stay free.
    """
    last = design.problem.periods - 1
    lower, upper = list(model.lower), list(model.upper)
    for slot in design.slots:
        segments = design.segments(slot)
        nodes = [sum(f * float(solution[c]) for c, f in design.node_terms(slot, n, last)) for n in range(len(segments))]
        clusters = [float(solution[design.segment[slot, number, last]]) for number in range(len(segments))]
        part = sum(nodes) - math.floor(sum(nodes) + PLACEMENT_TOLERANCE)
        if not clusters or PLACEMENT_TOLERANCE < part < least:
            continue
        whole = [math.floor(count + PLACEMENT_TOLERANCE) for count in clusters]
        largest = int(np.argmax(nodes))
        whole[largest] += math.ceil(sum(clusters) - sum(whole) - PLACEMENT_TOLERANCE)
        left = math.ceil(sum(nodes) - PLACEMENT_TOLERANCE)
        for number in sorted(range(len(segments)), key=lambda number: number == largest):
            column, segment = design.segment[slot, number, last], segments[number]
            count = float(min(whole[number], model.upper[column]))
            lower[column] = upper[column] = count
            wanted = left if number == largest else math.ceil(nodes[number] - PLACEMENT_TOLERANCE)
            total = min(max(wanted, segment.lowest * count), segment.highest * count)
            left -= int(total)
            if (slot, number, last) in design.nodes:
                lower[design.nodes[slot, number, last]] = upper[design.nodes[slot, number, last]] = total
    return replace(model, lower=lower, upper=upper)
