"""CAP-001: own load of every slot, resource and period within the capacity of the chosen archetype.

Compute counts demands that run there; the pool counts the footprint of demands and of standby copies. Footprint depends
on the efficiency of the chosen layout. Where every layout of a slot has the same ratio between tiers, capacity is
counted in data of one tier and stays linear. Where not (parity for archives), the data of each tier is split over the
groups of segments with the same ratio.
"""

from __future__ import annotations

import numpy as np

from fleet.quantities import COMPUTE_RESOURCES, RESOURCES
from solvers.formulation.variables import NO_STANDBY, Formulation, Terms
from solvers.linear.model import Floats, Integers
from solvers.tolerances import EFFICIENCY_DIGITS, SHARE_DIGITS

POOL = RESOURCES.index("pool_tb")


def encode(formulation: Formulation) -> None:
    """Add the capacity rows of compute and pool."""
    problem = formulation.problem
    compute = np.array([demand_class.compute for demand_class in problem.classes])
    for number, resource in enumerate(COMPUTE_RESOURCES):
        index = RESOURCES.index(resource)
        pace = _paces(formulation, index)[0]
        for slot in formulation.slots:
            columns, classes = formulation.columns_of(formulation.primary_of == slot)
            for period in formulation.load_periods:
                loads = compute[classes, period, number] if len(classes) else np.zeros(0)
                if not loads.any():
                    continue
                terms = load_terms(columns, loads)
                if formulation.final_demand:
                    terms = _summed(formulation, slot, index, terms, pace)
                terms += formulation.capacity_terms(slot, period, index, factor=-1.0)
                formulation.model.add_row("CAP-001", terms, upper=0.0)
    pace = _paces(formulation, POOL)[0]
    for slot in formulation.slots:
        _pool(formulation, slot, pace)


def _summed(formulation: Formulation, slot: int, resource: int, terms: Terms, pace: Integers) -> Terms:
    """The load of a slot in the last period, one variable for each pace of growth, for the rows of earlier periods."""
    model = formulation.model
    by_pace: dict[int, Terms] = {}
    positions = np.searchsorted(formulation.placement, [column for column, _ in terms])
    for term, own in zip(terms, pace[formulation.class_of[positions]].tolist(), strict=True):
        by_pace.setdefault(own, []).append(term)
    result: Terms = []
    for own, summands in sorted(by_pace.items()):
        reach = sum(value * model.upper[column] for column, value in summands)
        column = model.add_variable(0.0, reach, False)
        model.add_row("CAP-001", [*summands, (column, -1.0)], upper=0.0)
        formulation.load.setdefault((slot, resource), {})[own] = column
        result.append((column, 1.0))
    return result


def encode_earlier(formulation: Formulation) -> None:
    """Capacity of earlier periods, where only the final demand is encoded: the share that demands have reached."""
    problem = formulation.problem
    policy = problem.inventory.policy
    last = problem.periods - 1
    shares_of = {resource: _paces(formulation, resource)[1] for resource in {key[1] for key in formulation.load}}
    for (slot, resource), columns in formulation.load.items():
        shares = shares_of[resource]
        reserve = formulation.free.get(("compute", slot, resource, last))
        for period in range(last):
            least = float(shares[:, period].min())
            terms = [(column, float(shares[own, period])) for own, column in columns.items()]
            if not any(share > 0 for _, share in terms):
                continue
            if reserve is not None and not policy.standby_uses_node_reserve:
                terms.append((reserve, least))
            reference = common_efficiency(formulation, slot)[1] if resource == POOL else -1
            terms += formulation.capacity_terms(slot, period, resource, factor=-1.0, efficiency_of=reference)
            formulation.model.add_row("CAP-001", terms, upper=0.0)


def _paces(formulation: Formulation, resource: int) -> tuple[Integers, Floats]:
    """How classes come to their final amount of a resource, run or copied, in any tier.

    Returns
    -------
    (pace of each class, [pace, period]: the least share of their final amount that classes of that pace have)
    """
    classes = formulation.problem.classes
    if not classes:
        return np.zeros(0, dtype=np.int64), np.ones((0, formulation.problem.periods))
    if resource == POOL:
        amounts = np.array(
            [np.hstack([demand_class.storage, demand_class.standby_storage]) for demand_class in classes]
        )
    else:
        number = COMPUTE_RESOURCES.index(RESOURCES[resource])
        amounts = np.array(
            [
                np.stack([demand_class.compute[:, number], demand_class.standby_compute[:, number]], 1)
                for demand_class in classes
            ]
        )
    final = amounts[:, -1:, :]
    shares = np.where(final > 0, amounts / np.where(final > 0, final, 1.0), 1.0).min(axis=2)
    asks = np.flatnonzero(final.any(axis=(1, 2)))  # the others load nothing, whatever their pace
    if not len(asks):
        return np.zeros(len(classes), dtype=np.int64), np.ones((1, formulation.problem.periods))
    known, kind = np.unique(np.round(shares[asks], SHARE_DIGITS), axis=0, return_inverse=True)
    group = np.arange(len(known))
    most = formulation.problem.parameters.formulation.paces
    if len(known) > most:
        group = group * most // len(known)
    pace = np.zeros(len(classes), dtype=np.int64)
    pace[asks] = group[kind.reshape(-1)]
    paces = [shares[asks][pace[asks] == own].min(axis=0) for own in range(int(group[-1]) + 1)]
    return pace, np.array(paces)


def load_terms(columns: Integers, loads: Floats) -> Terms:
    """(column, load) of the columns that load at all."""
    used = np.flatnonzero(loads)
    return list(zip(columns[used].tolist(), loads[used].tolist(), strict=True))


def tier_loads(formulation: Formulation, slot: int, period: int) -> tuple[Integers, Floats]:
    """Columns that store data on a slot, and the data of each by tier [TB], shape (n, 3)."""
    problem = formulation.problem
    storage = np.array([demand_class.storage[period] for demand_class in problem.classes])
    standby = np.array([demand_class.standby_storage[period] for demand_class in problem.classes])
    runs_here = formulation.primary_of == slot
    stands_by = (formulation.standby_of == slot) & (formulation.standby_of != NO_STANDBY)
    run_columns, run_classes = formulation.columns_of(runs_here)
    standby_columns, standby_classes = formulation.columns_of(stands_by)
    columns = np.concatenate([run_columns, standby_columns])
    data = np.concatenate([storage[run_classes], standby[standby_classes]]).reshape(-1, 3)
    return columns, data


def common_efficiency(formulation: Formulation, slot: int) -> tuple[Integers, int, Floats | None]:
    """Tiers in use, the one that capacity is counted in, and the efficiency ratios of every segment, None if none."""
    used = formulation.tiers_in_use
    if not len(used):
        return used, 0, None
    reference = int(used[0])
    ratios = {
        tuple(np.round(segment.efficiency[used] / segment.efficiency[reference], EFFICIENCY_DIGITS).tolist())
        for segment in formulation.segments(slot)
    }
    return used, reference, formulation.segments(slot)[0].efficiency if len(ratios) == 1 else None


def _pool(formulation: Formulation, slot: int, pace: Integers) -> None:
    model = formulation.model
    used, reference, efficiency = common_efficiency(formulation, slot)
    for period in formulation.load_periods:
        columns, data = tier_loads(formulation, slot, period)
        if not data.any():
            continue
        if efficiency is not None:
            loads = (data[:, used] * (efficiency[reference] / efficiency[used])).sum(axis=1)
            terms = load_terms(columns, loads)
            if formulation.final_demand:
                terms = _summed(formulation, slot, POOL, terms, pace)
            terms += formulation.capacity_terms(slot, period, POOL, factor=-1.0, efficiency_of=reference)
            model.add_row("CAP-001", terms, upper=0.0)
        else:
            _split_pool(formulation, slot, period, columns, data, used)


def _split_pool(
    formulation: Formulation, slot: int, period: int, columns: Integers, data: Floats, used: Integers
) -> None:
    """Data of each tier split over groups of segments of equal efficiency; each group within its footprint."""
    model = formulation.model
    groups: dict[tuple[float, ...], list[int]] = {}
    for number, segment in enumerate(formulation.segments(slot)):
        groups.setdefault(tuple(segment.efficiency[used].tolist()), []).append(number)
    placed: list[Terms] = [[] for _ in used]
    for efficiency, numbers in sorted(groups.items()):
        largest = max(
            float(segment.base[POOL] + segment.slope[POOL] * segment.highest)
            for segment in (formulation.segments(slot)[number] for number in numbers)
        )
        footprint: Terms = []
        for position, ratio in enumerate(efficiency):
            column = model.add_variable(0.0, largest * ratio, False)
            placed[position].append((column, 1.0))
            footprint.append((column, 1.0 / ratio))
        for number in numbers:
            segment = formulation.segments(slot)[number]
            chosen = formulation.segment[slot, number, period]
            if segment.lowest == segment.highest:
                footprint.append((chosen, -float(segment.base[POOL] + segment.slope[POOL] * segment.lowest)))
            else:
                footprint.append((chosen, -float(segment.base[POOL])))
                footprint.append((formulation.nodes[slot, number, period], -float(segment.slope[POOL])))
        model.add_row("CAP-001", footprint, upper=0.0)
    for position, tier in enumerate(used.tolist()):
        loads = load_terms(columns, data[:, tier])
        if loads:
            model.add_row("CAP-001", [*loads, *((column, -factor) for column, factor in placed[position])], upper=0.0)
