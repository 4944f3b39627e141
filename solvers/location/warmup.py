"""Compiling the loops before any time limit counts: once on a machine, on two cores in two processes.

``python -m solvers.location`` does it ahead of the first solve, as after an installation.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

from solvers.location.bound.ascent import Ascent
from solvers.location.bound.floors import Floors
from solvers.location.code_folder import code_folder
from solvers.location.compiled import was_compiled_here
from solvers.location.layout import Layout, lay_out
from solvers.location.problem import FacilityProblem
from solvers.location.search.annealer import Annealer, arrays_of, empty_arrays
from solvers.location.search.construction import fill_alone
from solvers.parameters.location import SearchParameters

logger = logging.getLogger(__name__)
#: How long the other process is waited for after this one is done [s]; what is missing then is compiled here. No
#: parameter: nothing is searched yet, and loops are the same whoever compiled them.
PATIENCE_S = 60.0


@cache
def warm_up(cores: int) -> None:
    """Read the loops from disk, or compile them where they are not there; at most once in a process.

    Parameters
    ----------
    cores : int
        With two or more a second process compiles its half of them, if code is kept on disk.
    """
    layout = smallest()
    fill_alone(
        np.zeros(len(layout.arc_cost), dtype=np.int64),
        layout.demand,
        layout.facility_start,
        layout.arc_demand,
        layout.option_start,
        layout.option_capacity,
    )
    if was_compiled_here(fill_alone):
        _compile(layout, is_shared=cores > 1 and code_folder() is not None)
    _run_moves(layout)
    run_others(layout)


def _compile(layout: Layout, *, is_shared: bool) -> None:
    begun = time.monotonic()
    kept = code_folder() or "memory, since no folder of the user's can be written"
    logger.warning(
        "compiling the loops of the location core, once on this machine: some seconds; they are kept in %s", kept
    )
    if is_shared:
        with _second_process():
            _run_moves(layout)
    else:
        _run_moves(layout)
    run_others(layout)
    logger.info("compiled in %.1f s", time.monotonic() - begun)


@contextmanager
def _second_process() -> Iterator[None]:
    """Have another process compile all but the moves, into the same folder, meanwhile.

    It starts with ``-P``: what lies in the folder that the planner works in is data, never a module to import.
    """
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "solvers.location", "others"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    try:
        yield
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        logger.info("the second process takes too long: the rest is compiled in this one")
    finally:
        process.kill()
        process.wait()


def smallest() -> Layout:
    """Two demands and two facilities: types of arrays matter, not their contents."""
    problem = FacilityProblem(
        demand=[[1.0], [2.0]],
        arc_demand=[0, 0, 1],
        arc_facility=[0, 1, 1],
        arc_cost=[1.0, 2.0, 3.0],
        option_facility=[0, 1],
        option_cost=[5.0, 6.0],
        option_capacity=[[2.0], [3.0]],
    )
    return lay_out(problem)


def _run_moves(layout: Layout) -> None:
    """The loop of the moves, about half of all there is to compile."""
    parameters = SearchParameters()
    Annealer(empty_arrays(layout, parameters), 0, parameters).run(0.0, 1.0)


def run_others(layout: Layout) -> None:
    """Where a search begins, and the bound with fractions and without."""
    parameters = SearchParameters()
    annealer = Annealer(arrays_of(layout, parameters), 0, parameters)
    annealer.construct(np.full(layout.facilities, -1, dtype=np.int64), np.arange(layout.demands))
    annealer.adopt(annealer.state.place.copy(), annealer.cost)
    ascent, floors = Ascent(layout), Floors(layout)
    ascent.run(1, annealer.cost)
    floors.raise_by(ascent)
    ascent.tighten()
    ascent.evaluate()
    ascent.is_bound_whole = True
    floors.raise_by(ascent)
