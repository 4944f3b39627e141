"""CAP-001: own load of every slot, resource and period within the capacity of the chosen archetype.

Compute counts demands that run there; the pool counts the footprint of demands and of standby copies. Footprint depends
on the efficiency of the chosen layout. Where every layout of a slot has the same ratio between tiers, capacity is
counted in data of one tier and stays linear. Where not (parity for archives), the data of each tier is split over the
groups of runs with the same ratio.
"""

from __future__ import annotations

import numpy as np

from fleet.quantities import COMPUTE_RESOURCES, RESOURCES
from solvers.formulation import NO_STANDBY, Formulation, Terms
from solvers.linear import Floats, Integers

POOL = RESOURCES.index("pool_tb")


def encode(formulation: Formulation) -> None:
    """Add the capacity rows of compute and pool."""
    problem = formulation.problem
    compute = np.array([part.compute for part in problem.classes])
    for slot in formulation.slots:
        columns, classes = formulation.columns_of(formulation.primary_of == slot)
        for period in formulation.load_periods:
            for number, resource in enumerate(COMPUTE_RESOURCES):
                loads = compute[classes, period, number] if len(classes) else np.zeros(0)
                if not loads.any():
                    continue
                terms = load_terms(columns, loads)
                if formulation.final_demand:
                    terms = _summed(formulation, slot, RESOURCES.index(resource), terms)
                terms += formulation.capacity_terms(slot, period, RESOURCES.index(resource), factor=-1.0)
                formulation.model.add_row("CAP-001", terms, upper=0.0)
        _pool(formulation, slot)


def _summed(formulation: Formulation, slot: int, resource: int, terms: Terms) -> Terms:
    """The load of a slot in the last period as one variable, for the rows of earlier periods."""
    model = formulation.model
    reach = sum(value * model.upper[column] for column, value in terms)
    column = model.add_variable(0.0, reach, False)
    model.add_row("CAP-001", [*terms, (column, -1.0)], upper=0.0)
    formulation.load[slot, resource] = column
    return [(column, 1.0)]


def encode_earlier(formulation: Formulation) -> None:
    """Capacity of earlier periods, where only the final demand is encoded: the share that every demand has reached."""
    problem = formulation.problem
    policy = problem.inventory.policy
    last = problem.periods - 1
    shares_of = {resource: _least_shares(formulation, resource) for resource in {key[1] for key in formulation.load}}
    for (slot, resource), column in formulation.load.items():
        is_pool = resource == POOL
        shares = shares_of[resource]
        reserve = formulation.free.get(("compute", slot, resource, last))
        for period in range(last):
            share = float(shares[period])
            if share <= 0 or not np.isfinite(share):
                continue
            terms = [(column, share)]
            if reserve is not None and not policy.standby_uses_node_reserve:
                terms.append((reserve, share))
            reference = common_efficiency(formulation, slot)[1] if is_pool else -1
            terms += formulation.capacity_terms(slot, period, resource, factor=-1.0, efficiency_of=reference)
            formulation.model.add_row("CAP-001", terms, upper=0.0)


def _least_shares(formulation: Formulation, resource: int) -> Floats:
    """Per period, the least share of its final amount that any class has of a resource, run or copied, in any tier."""
    classes = formulation.problem.classes
    if resource == POOL:
        amounts = np.array([np.hstack([part.storage, part.standby_storage]) for part in classes])
    else:
        number = COMPUTE_RESOURCES.index(RESOURCES[resource])
        amounts = np.array(
            [np.stack([part.compute[:, number], part.standby_compute[:, number]], 1) for part in classes]
        )
    flat = np.moveaxis(amounts, 1, 0).reshape(amounts.shape[1], -1)
    present = flat[-1] > 0
    return np.asarray((flat[:, present] / flat[-1, present]).min(axis=1, initial=np.inf), dtype=np.float64)


def load_terms(columns: Integers, loads: Floats) -> Terms:
    """(column, load) of the columns that load at all."""
    used = np.flatnonzero(loads)
    return list(zip(columns[used].tolist(), loads[used].tolist(), strict=True))


def tier_loads(formulation: Formulation, slot: int, period: int) -> tuple[Integers, Floats]:
    """Columns that store data on a slot, and the data of each by tier [TB], shape (n, 3)."""
    problem = formulation.problem
    storage = np.array([part.storage[period] for part in problem.classes])
    standby = np.array([part.standby_storage[period] for part in problem.classes])
    runs_here = formulation.primary_of == slot
    stands_by = (formulation.standby_of == slot) & (formulation.standby_of != NO_STANDBY)
    run_columns, run_classes = formulation.columns_of(runs_here)
    standby_columns, standby_classes = formulation.columns_of(stands_by)
    columns = np.concatenate([run_columns, standby_columns])
    data = np.concatenate([storage[run_classes], standby[standby_classes]]).reshape(-1, 3)
    return columns, data


def common_efficiency(formulation: Formulation, slot: int) -> tuple[Integers, int, Floats | None]:
    """Tiers in use, the one that capacity is counted in, and the efficiency ratios of every run, None if none."""
    used = formulation.tiers_in_use
    if not len(used):
        return used, 0, None
    reference = int(used[0])
    ratios = {
        tuple(np.round(run.efficiency[used] / run.efficiency[reference], 12).tolist()) for run in formulation.runs(slot)
    }
    return used, reference, formulation.runs(slot)[0].efficiency if len(ratios) == 1 else None


def _pool(formulation: Formulation, slot: int) -> None:
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
                terms = _summed(formulation, slot, POOL, terms)
            terms += formulation.capacity_terms(slot, period, POOL, factor=-1.0, efficiency_of=reference)
            model.add_row("CAP-001", terms, upper=0.0)
        else:
            _split_pool(formulation, slot, period, columns, data, used)


def _split_pool(
    formulation: Formulation, slot: int, period: int, columns: Integers, data: Floats, used: Integers
) -> None:
    """Data of each tier split over groups of runs of equal efficiency; each group within its footprint."""
    model = formulation.model
    groups: dict[tuple[float, ...], list[int]] = {}
    for number, run in enumerate(formulation.runs(slot)):
        groups.setdefault(tuple(run.efficiency[used].tolist()), []).append(number)
    placed: list[Terms] = [[] for _ in used]
    for efficiency, numbers in sorted(groups.items()):
        largest = max(
            float(run.base[POOL] + run.slope[POOL] * run.highest)
            for run in (formulation.runs(slot)[number] for number in numbers)
        )
        footprint: Terms = []
        for position, ratio in enumerate(efficiency):
            column = model.add_variable(0.0, largest * ratio, False)
            placed[position].append((column, 1.0))
            footprint.append((column, 1.0 / ratio))
        for number in numbers:
            run = formulation.runs(slot)[number]
            chosen = formulation.run[slot, number, period]
            if run.lowest == run.highest:
                footprint.append((chosen, -float(run.base[POOL] + run.slope[POOL] * run.lowest)))
            else:
                footprint.append((chosen, -float(run.base[POOL])))
                footprint.append((formulation.nodes[slot, number, period], -float(run.slope[POOL])))
        model.add_row("CAP-001", footprint, upper=0.0)
    for position, tier in enumerate(used.tolist()):
        loads = load_terms(columns, data[:, tier])
        if loads:
            model.add_row("CAP-001", [*loads, *((column, -factor) for column, factor in placed[position])], upper=0.0)
