"""Loops in machine code: the one place that knows the compiler.

Compiled functions release the interpreter's lock, so that a search and a bound run side by side in threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The function in machine code, kept on disk for the next process."""
    return cast("Function", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def compiled_step(function: Function) -> Function:
    """The same for a step inside a loop: it may make no arrays, and is compiled into whatever calls it.

    Steps are handed dozens of arrays; counting the references to them, and passing them on, would take nearly all of
    their time (moves of the annealing are made about twenty-five times as fast without).
    """
    compiler = numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True, _nrt=False)  # type: ignore[call-overload]
    return cast("Function", compiler(function))
