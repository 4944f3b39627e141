"""The streams of the command line: a reader that leaves early loses its text, never the work behind it."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TextIO

#: What writing to a pipe without a reader raises; Windows says that the argument is invalid.
_CLOSED = (errno.EPIPE, errno.EINVAL) if os.name == "nt" else (errno.EPIPE,)
#: Keeps the folder that a process is started from off the paths that its Python imports from.
SAFE_PATH = "PYTHONSAFEPATH"


class _Outlet(io.FileIO):
    """A file descriptor for writing that goes silent, where nobody takes what it says, or at any fault."""

    def __init__(self, descriptor: int, *, never_fails: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._never_fails = never_fails

    def write(self, data: Any, /) -> int:
        """Write to the descriptor; once that is impossible, to nothing."""
        try:
            return super().write(data) or 0
        except OSError as error:
            if error.errno not in _CLOSED and not self._never_fails:
                raise
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self.fileno())
            os.close(nothing)
            return len(data)


def _steady(stream: TextIO | None, *, never_fails: bool) -> TextIO:
    """The stream behind an outlet, where a file descriptor is behind it at all; nothing where the caller closed it."""
    if stream is None:
        return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")  # takes the descriptor that is free
    try:
        descriptor = stream.fileno()
        stream.flush()
    except (OSError, ValueError, AttributeError):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Outlet(descriptor, never_fails=never_fails)),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=getattr(stream, "line_buffering", False),
    )


@contextmanager
def steady_process() -> Iterator[None]:
    """Make standard output outlive its reader, standard error every fault, and children import safely.

    After ``fleet … | head -1`` the work goes on, files are written and the exit code says how it went. A full disk
    behind standard output stays an error; progress that cannot be told never is one. Letters that an encoding lacks
    are escaped.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _steady(sys.stdout, never_fails=False), _steady(sys.stderr, never_fails=True)
    try:
        with children_import_safely():
            yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


@contextmanager
def interrupts_later() -> Iterator[None]:
    """Let a block finish: an interrupt that comes meanwhile is raised after it.

    Only the main thread receives interrupts; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


@contextmanager
def children_import_safely() -> Iterator[None]:
    """Start processes that never import what lies in the user's current folder, such as a ``queue.py`` of theirs.

    Python puts the current folder first on the path of ``python -c`` and ``python -m``, which is how pools start
    their workers. The setting is one of the environment, which those processes pass on.
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before
