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
