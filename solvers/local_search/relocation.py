"""Units moved one after another from clusters that are too full to clusters with room."""

from __future__ import annotations

import numpy as np

from fleet.tolerances import LIMIT_TOLERANCE
from solvers.linear.model import Floats, Integers
from solvers.local_search.placement import Packing
from solvers.problem.sets import Booleans
from solvers.tolerances import FULL_TOLERANCE, NO_RELIEF


def repair(packing: Packing) -> bool:
    """Move units from places that are too full to places with room; whether that succeeds."""
    if not _is_enough(packing):
        return False
    stuck: set[int] = set()
    tuning = packing.problem.parameters.local_search
    for _ in range(tuning.moves_per_unit * len(packing.demand_class) + tuning.least_moves):
        excess = packing.excess
        over = [place for place in np.argsort(-excess).tolist() if excess[place] > 0]
        if not over:
            return True
        place = next((place for place in over if place not in stuck), None)
        if place is None:
            return False
        if _relieve(packing, place):
            stuck.clear()
        else:
            stuck.add(place)
    return False


def _is_enough(packing: Packing) -> bool:
    """Whether all places together hold what is on them, wherever it goes."""
    footprint = float(packing.data.sum(axis=0) @ packing.per_tb.min(axis=0))
    holds = bool((packing.own.sum(axis=0) <= packing.capacity.sum(axis=0) * (1.0 + LIMIT_TOLERANCE)).all())
    return holds and footprint <= float(packing.pool.sum()) * (1.0 + LIMIT_TOLERANCE)


def _relieve(packing: Packing, place: int) -> bool:
    """Move one unit, or the copy of one, away from a place; whether there was one to move.

    Of those that clear the place the one goes that helps least, or else the one that helps most.
    """
    over = np.maximum(packing.fills()[place] - 1.0, 0.0)
    order: list[tuple[bool, float, int, bool]] = []
    for is_copy in (False, True):
        units = np.flatnonzero((packing.standby if is_copy else packing.primary) == place)
        if not len(units):
            continue
        alike = packing.demand_class[units] * (len(packing.places) + 1) + _other(packing, is_copy)[units]
        units = units[np.unique(alike, return_index=True)[1]]
        relief = relief_of(packing, units, place, is_copy)
        helps = (relief * (over > 0)).sum(axis=1)
        clears = (relief >= over - NO_RELIEF).all(axis=1)
        useful = np.flatnonzero((helps > NO_RELIEF) & _finds_room(packing, packing.demand_class[units], is_copy))
        scores = np.where(clears, helps, -helps)
        order += [(not clears[index], float(scores[index]), int(units[index]), is_copy) for index in useful.tolist()]
    for _, _, unit, is_copy in sorted(order):
        target = _target(packing, unit, place, is_copy)
        if target >= 0:
            if is_copy:
                packing.keep_at(unit, target)
            else:
                packing.run_at(unit, target)
            return True
    return False


def _finds_room(packing: Packing, parts: Integers, is_copy: bool) -> Booleans:
    """[class]: whether a unit or its copy is no larger than what is free anywhere."""
    pool = packing.pool - (packing.data * packing.per_tb).sum(axis=1)
    data = (packing.copied if is_copy else packing.storage)[parts]
    fits_in = data @ packing.per_tb.min(axis=0) <= (pool + packing.pool * LIMIT_TOLERANCE).max()
    if not is_copy:
        free = (packing.capacity * (1.0 + LIMIT_TOLERANCE) - packing.own).max(axis=0)
        fits_in &= (packing.compute[parts] <= free).all(axis=1)
    return np.asarray(fits_in, dtype=bool)


def _other(packing: Packing, is_copy: bool) -> Integers:
    """[unit]: where the unit is, of its copy, or the copy, of the unit."""
    return packing.primary if is_copy else packing.standby


def relief_of(packing: Packing, units: Integers, place: int, is_copy: bool) -> Floats:
    """[unit, resource]: share of capacity that each unit frees by leaving."""
    parts = packing.demand_class[units]
    none = np.zeros((len(units), packing.width))
    here = np.full(len(units), place)
    if not is_copy:
        return packing.fill(here, packing.compute[parts], none, packing.storage[parts], packing.upload[parts])
    before, sent = packing.moved[place], packing.sent[parts]
    if packing.is_shared:
        freed = before.max(axis=0) - _largest_after(before, packing.domain[packing.primary[units]], -sent)
    else:
        freed = sent
    return packing.fill(here, none, freed, packing.copied[parts], none[:, 0])


def _largest_after(moved: Floats, domains: Integers, change: Floats) -> Floats:
    """[change, resource]: the most that a domain sends, of what each sends, once one sends more or less."""
    first, others = moved.argmax(axis=0), moved.copy()
    others[first, np.arange(moved.shape[1])] = 0.0
    rest = np.where(domains[:, None] == first, others.max(axis=0), moved.max(axis=0))
    return np.asarray(np.maximum(rest, moved[domains] + change), dtype=np.float64)


def _target(packing: Packing, unit: int, source: int, is_copy: bool) -> int:
    """The place with most room that can take a unit or its copy without being too full; −1 where there is none."""
    demand_class = int(packing.demand_class[unit])
    other = int(_other(packing, is_copy)[unit])
    allowed = packing.may_keep(demand_class) if is_copy else packing.may_run(demand_class)
    if other >= 0:
        allowed = allowed & packing.partners(demand_class, other, is_copy=is_copy)
    candidates = np.flatnonzero(allowed)
    candidates = candidates[candidates != source]
    if not len(candidates):
        return -1
    fill = packing.fill_after(unit, candidates, is_copy)
    fitting = fill <= 1.0 + FULL_TOLERANCE
    if not is_copy and other >= 0:
        fitting &= _copy_fits(packing, unit, candidates, other)
    if not fitting.any():
        return -1
    return int(candidates[fitting][np.argmin(fill[fitting])])


def _copy_fits(packing: Packing, unit: int, candidates: Integers, keeper: int) -> Booleans:
    """[candidate]: whether the place of the copy can take what the loss of the new primary's domain would send."""
    if not packing.is_shared:
        return np.ones(len(candidates), dtype=bool)  # it takes in as much wherever the unit runs
    sent = packing.sent[packing.demand_class[unit]]
    moved = packing.moved[keeper].copy()
    moved[packing.domain[packing.primary[unit]]] -= sent
    reserve = np.maximum(moved.max(axis=0), moved[packing.domain[candidates]] + sent) + packing.extra[keeper]
    limit = np.maximum(packing.kept[keeper], packing.own[keeper] + packing.reserve[keeper])
    return np.asarray((packing.own[keeper] + reserve <= limit * (1 + FULL_TOLERANCE)).all(axis=1), dtype=bool)
