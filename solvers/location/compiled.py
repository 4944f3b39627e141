"""Loops in machine code: the one place that knows the compiler.

Compiled functions release the interpreter's lock, so that a search and a bound run side by side in threads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from solvers.location.code_folder import code_folder

logger = logging.getLogger(__name__)
Function = TypeVar("Function", bound=Callable[..., object])

#: What the compiler is told of every function. Its level of optimization stays the highest: the lowest that optimizes
#: at all compiles in about 0.9 of the time, and makes moves of the annealing 4 % slower, 8 % without vectors.
COMMON: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
#: Options that the compiler has but does not promise: no counting of references to arrays, no way in from Python.
UNPROMISED: dict[str, Any] = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def _known(*names: str) -> dict[str, Any]:
    """Those of the unpromised options that this compiler knows; without them loops are right, but slower."""
    try:
        from numba.core.options import DefaultOptions
    except ImportError:
        known: set[str] = set()
    else:
        known = {name for name in names if hasattr(DefaultOptions, name)}
    if missing := [name for name in names if name not in known]:
        logger.info("numba %s does without %s: loops are slower", numba.__version__, ", ".join(missing))
    return {name: UNPROMISED[name] for name in names if name in known}


def _kept(function: Function, **options: Any) -> Function:
    """Compiled on first use, and kept in the user's folder for the next process where there is one."""
    folder = code_folder()
    if folder is None:
        return cast("Function", numba.njit(**COMMON, **options)(function))
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder)  # looked at while the function is wrapped
    try:
        return cast("Function", numba.njit(cache=True, **COMMON, **options)(function))
    except RuntimeError:  # the folder is no longer to be written
        return cast("Function", numba.njit(**COMMON, **options)(function))
    finally:
        settings.CACHE_DIR = before


def compiled(function: Function) -> Function:
    """The function in machine code, kept on disk for the next process."""
    return _kept(function, **_known("no_cfunc_wrapper"))


def compiled_loop(function: Function) -> Function:
    """The same for a loop over steps, which may make no arrays either."""
    return _kept(function, **_known("_nrt", "no_cfunc_wrapper"))


def compiled_flat(function: Function) -> Function:
    """A function that makes no arrays and that only compiled ones call: it has no way in from Python."""
    return cast("Function", numba.njit(**COMMON, **_known(*UNPROMISED))(function))


def compiled_step(function: Function) -> Function:
    """The same for a step inside a loop, which is compiled into whatever calls it.

    Steps are handed dozens of arrays; counting the references to them, and passing them on, would take nearly all of
    their time (moves of the annealing are made about twenty-five times as fast without). A way in from
    Python would unpack every one of these arrays: without it they are compiled in half the time.
    """
    return cast("Function", numba.njit(forceinline=True, **COMMON, **_known(*UNPROMISED))(function))


def was_compiled_here(function: Callable[..., object]) -> bool:
    """Whether a compiled function that has been called was compiled in this process, not read from disk."""
    return bool(function.stats.cache_misses) if hasattr(function, "stats") else False
