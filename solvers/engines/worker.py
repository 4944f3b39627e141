"""The process in which engines run: reads jobs from standard input, reports on standard output.

An engine ignores interrupts, prints where it should not, and holds its interpreter; in a process of its own
none of that reaches the planner. The worker ends when its parent does, because its standard input closes.
"""

from __future__ import annotations

import math
import os
import pickle
import queue
import struct
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from solvers.linear.model import INFINITY, Floats, LinearModel

#: Coefficients of integer rows are scaled so that the largest is about this.
ROW_SCALE = 2.0**27
#: Largest activity of a scaled row that has continuous variables, whose coefficients per step are small.
MIXED_ROW_REACH = 2.0**56
#: Steps into which the range of a continuous variable is divided for CP-SAT.
CONTINUOUS_STEPS = 10**7
#: The integer objective counts in this share of its largest possible value.
OBJECTIVE_STEPS = 1e13

#: Work that CP-SAT's presolve may spend on rows within rows: none. With any, 9.15.6755 certifies wrong optima of models
#: such as ours (google/or-tools issue 5293); `tests/optimization/test_engine_trust.py` notices when a release is cured.
PRESOLVE_INCLUSION_WORK = 0

Send = Callable[[tuple[Any, ...]], None]


def main() -> None:
    """Read jobs one after another; run each and report incumbents, bounds and its end."""
    channel = os.fdopen(os.dup(1), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    lock = threading.Lock()
    jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def send(message: tuple[Any, ...]) -> None:
        payload = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        with lock:
            channel.write(struct.pack("<Q", len(payload)) + payload)
            channel.flush()

    threading.Thread(target=_receive, args=(sys.stdin.buffer, jobs), daemon=True).start()
    while True:
        job = jobs.get()
        try:
            RUNNERS[job["engine"]](job, send)
        except (ValueError, RuntimeError, AttributeError, TypeError) as error:
            cause = error.__context__
            text = f"{type(error).__name__}: {error}" + (f" ({cause})" if cause is not None else "")
            send(("failed", text))


def read_message(stream: IO[bytes]) -> Any:
    """One length-prefixed pickle, or None at the end of the stream."""
    header = stream.read(8)
    if len(header) < 8:
        return None
    return pickle.loads(stream.read(struct.unpack("<Q", header)[0]))


def _receive(source: IO[bytes], jobs: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Hand jobs on; end the process with its parent, whose death closes the stream."""
    while (job := read_message(source)) is not None:
        jobs.put(job)
    os._exit(0)


def run_cp_sat(job: dict[str, Any], send: Send) -> None:
    """Solve with CP-SAT in integers, rounded so that nothing feasible is lost and every bound stays valid."""
    from ortools.sat.python import cp_model

    model: LinearModel = job["model"]
    units = [
        1.0 if integer else max(upper - lower, 0.0) / CONTINUOUS_STEPS or 1.0
        for lower, upper, integer in zip(model.lower, model.upper, model.integer, strict=True)
    ]
    unit = np.array(units)
    lower = np.array([math.ceil(value / step - 1e-9) for value, step in zip(model.lower, units, strict=True)])
    upper = np.array([math.floor(value / step + 1e-9) for value, step in zip(model.upper, units, strict=True)])
    cp = cp_model.CpModel()
    variables = [
        cp.new_int_var(int(low), int(high), "") for low, high in zip(lower.tolist(), upper.tolist(), strict=True)
    ]
    continuous = ~np.array(model.integer, dtype=bool)
    for columns, values, row_lower, row_upper in zip(
        model.row_columns, model.row_values, model.row_lower, model.row_upper, strict=True
    ):
        scaled = values * unit[columns]
        reach = float(np.abs(scaled * upper[columns]).sum())
        _add_integer_row(cp, variables, columns, scaled, continuous[columns], reach, row_lower, row_upper)
    costs = np.array(model.cost) * unit
    reach = float(np.abs(costs * np.maximum(upper, 0)).sum())
    step = max(reach / OBJECTIVE_STEPS, 1e-9)
    coefficients = np.floor(costs / step + 1e-9).astype(np.int64)
    used = np.flatnonzero(coefficients)
    cp.minimize(cp_model.LinearExpr.weighted_sum([variables[index] for index in used], coefficients[used].tolist()))
    hint = job.get("hint")
    if hint is not None:
        for variable, value, size in zip(variables, np.asarray(hint).tolist(), units, strict=True):
            if not math.isnan(value):
                cp.add_hint(variable, round(value / size))
    text = cp.validate()
    if text:
        raise ValueError(text)
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = job["workers"]
    parameters.random_seed = job["seed"]
    parameters.relative_gap_limit = job["gap"]
    parameters.linearization_level = 2
    parameters.presolve_inclusion_work_limit = PRESOLVE_INCLUSION_WORK
    if job["deterministic"]:
        parameters.max_deterministic_time = job["time_limit_s"]
        parameters.interleave_search = True
    else:
        parameters.max_time_in_seconds = job["time_limit_s"]

    def as_solution(values: list[int]) -> Floats:
        return np.asarray(np.array(values, dtype=np.float64) * unit, dtype=np.float64)

    class Report(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            solution = as_solution([self.value(variable) for variable in variables])
            send(("incumbent", solution, self.objective_value * step + model.constant))

    solver.best_bound_callback = lambda bound: send(("bound", bound * step + model.constant))
    status = solver.solve(cp, Report())
    name = solver.status_name(status)
    if name == "MODEL_INVALID":
        raise ValueError("CP-SAT calls the model invalid")
    if name in ("OPTIMAL", "FEASIBLE"):
        solution = as_solution([solver.value(variable) for variable in variables])
        send(("incumbent", solution, solver.objective_value * step + model.constant))
    if name != "INFEASIBLE":
        send(("bound", solver.best_objective_bound * step + model.constant))
    send(("done", {"OPTIMAL": "finished", "INFEASIBLE": "infeasible"}.get(name, "limit")))


def _add_integer_row(
    cp: Any,
    variables: list[Any],
    columns: np.ndarray,
    values: Floats,
    continuous: np.ndarray,
    reach: float,
    row_lower: float,
    row_upper: float,
) -> None:
    """Add a row in integers. Variables are ≥ 0, so rounding coefficients toward slack only relaxes it."""
    from ortools.sat.python import cp_model

    chosen = [variables[index] for index in columns.tolist()]
    largest = float(np.abs(values).max(initial=0.0))
    whole = bool(np.all(values == np.rint(values))) and largest <= ROW_SCALE and not continuous.any()
    if whole:
        scale = 1.0
        below = above = values.astype(np.int64)
    else:
        scale = ROW_SCALE / largest if largest > 0 else 1.0
        if continuous.any():
            scale = MIXED_ROW_REACH / max(reach, largest)
        below = np.floor(values * scale + 1e-9).astype(np.int64)
        above = np.ceil(values * scale - 1e-9).astype(np.int64)
    slack = int(np.ceil(np.abs(values[continuous]).sum() * scale)) if continuous.any() else 0
    if row_upper < INFINITY:
        limit = math.floor(row_upper + 1e-9) if whole else math.ceil(row_upper * scale) + slack
        cp.add_linear_constraint(
            cp_model.LinearExpr.weighted_sum(chosen, below.tolist()),
            cp_model.INT_MIN if not (whole and row_lower == row_upper) else limit,
            limit,
        )
        if whole and row_lower == row_upper:
            return
    if row_lower > -INFINITY:
        limit = math.ceil(row_lower - 1e-9) if whole else math.floor(row_lower * scale) - slack
        cp.add_linear_constraint(cp_model.LinearExpr.weighted_sum(chosen, above.tolist()), limit, cp_model.INT_MAX)


def run_highs(job: dict[str, Any], send: Send) -> None:
    """Solve with HiGHS; bounds are read from its log while it runs."""
    from solvers.engines.highs import solve_model

    found = solve_model(
        job["model"],
        relaxed=job["relaxed"],
        gap=job["gap"],
        limit_s=job["time_limit_s"],
        seed=job["seed"],
        hint=job["hint"],
        node_limit=job["node_limit"],
        on_bound=None if job["deterministic"] else lambda bound: send(("bound", bound)),  # the log follows the clock
    )
    if found.solution is not None:
        send(("incumbent", found.solution, found.objective))
    if found.bound > -INFINITY:
        send(("bound", found.bound))
    send(("done", found.state))


def run_benders(job: dict[str, Any], send: Send) -> None:
    """Bound by decomposition into design and placement."""
    from solvers.engines.benders import run_benders as run

    run(job, send)


def run_conflict(job: dict[str, Any], send: Send) -> None:
    """Multipliers of the rows that show, where it is so, that not even fractions satisfy them all."""
    from solvers.engines.conflicts import run_conflict as run

    run(job, send)


RUNNERS = {"cp_sat": run_cp_sat, "highs": run_highs, "benders": run_benders, "conflict": run_conflict}


if __name__ == "__main__":
    main()
