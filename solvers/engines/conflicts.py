"""Rows that contradict each other, shown by multipliers that a plain sum confirms (Farkas 1902).

For any multipliers π of the rows, every solution within its bounds that keeps all rows has Σ π_i (A v)_i of at least Σ
π_i · (lower limit where π_i > 0, upper limit where π_i < 0), and no solution within its bounds has more than the
maximum of (π A) v over the bounds. Where the first is larger than the second there is no such solution, whatever engine
found the multipliers. They come from the linear program that breaks the rows by as little as possible.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers.engines.messages import Send
from solvers.engines.task import EngineTask
from solvers.linear.model import INFINITY, Floats, LinearModel
from solvers.tolerances import CONFLICT_MARGIN, LEAST_MAGNITUDE


def is_conflict(model: LinearModel, multipliers: Floats) -> bool:
    """Whether multipliers show that no solution, not even a fractional one, satisfies all rows.

    Parameters
    ----------
    model : LinearModel
        Rows and bounds.
    multipliers : array (rows,)
        Any numbers; those of a side without limit do not count.
    """
    combined = np.zeros(model.columns)
    least, magnitude = 0.0, 0.0
    for row, multiplier in enumerate(multipliers.tolist()):
        limit = model.row_lower[row] if multiplier > 0 else model.row_upper[row]
        if multiplier == 0.0 or abs(limit) == INFINITY:
            continue
        np.add.at(combined, model.row_columns[row], multiplier * model.row_values[row])
        least += multiplier * limit
        magnitude += abs(multiplier * limit)
    lower, upper = np.asarray(model.lower), np.asarray(model.upper)
    used = combined != 0.0
    reach = np.maximum(combined[used] * lower[used], combined[used] * upper[used])
    most = float(reach.sum())
    magnitude += float(np.abs(reach).sum())
    return bool(least - most > CONFLICT_MARGIN * max(LEAST_MAGNITUDE, magnitude))


def elastic(model: LinearModel) -> LinearModel:
    """The model whose rows may be broken, at a price of 1 for each largest coefficient by which one is."""
    result = replace(
        model,
        lower=list(model.lower),
        upper=list(model.upper),
        integer=[False] * model.columns,
        cost=[0.0] * model.columns,
        row_columns=list(model.row_columns),
        row_values=list(model.row_values),
        constant=0.0,
    )
    for row in range(model.rows):
        size = float(np.abs(model.row_values[row]).max(initial=0.0)) or 1.0
        for limit, sign in ((model.row_lower[row], size), (model.row_upper[row], -size)):
            if abs(limit) < INFINITY:
                column = result.add_variable(0.0, INFINITY, False, 1.0)
                result.row_columns[row] = np.append(result.row_columns[row], column)
                result.row_values[row] = np.append(result.row_values[row], sign)
    return result


def run(task: EngineTask, send: Send) -> None:
    """Seek multipliers that show a conflict; runs inside the engine's process."""
    from solvers.engines.highs import HighsCall, solve_model

    call = HighsCall(relaxed=True, limit_s=task.limit_s, seed=task.seed, parameters=task.parameters)
    found = solve_model(elastic(task.model), call)
    if found.multipliers is not None:
        send(("multipliers", found.multipliers))
    send(("done", found.state))
