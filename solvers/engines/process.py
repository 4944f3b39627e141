"""Processes in which engines run: started, kept for the next task, and ended.

They import only `solvers.engines.worker` and what an engine needs, so solving works from a script without a
``__main__`` guard, from a notebook and from standard input. They run in their own session: Ctrl-C reaches the
planner's process only, which keeps what was found.
"""

from __future__ import annotations

import atexit
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger("solvers.engine")

#: Last lines of a worker's error output that are kept for messages.
ERROR_LINES = 5
#: How long the end of that output is waited for [s].
LAST_WORDS_S = 1.0


class WorkerProcess:
    """A process that runs engines.

    It starts with ``-P``: what lies in the folder that the planner works in is data, never a module to import.
    """

    def __init__(self) -> None:
        environment = dict(os.environ)
        root = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(part for part in (root, environment.get("PYTHONPATH", "")) if part)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "solvers.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self._lines: deque[str] = deque(maxlen=ERROR_LINES)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        if self.process.stderr is not None:
            with _ignore_closed():
                for line in self.process.stderr:
                    self._lines.append(line.decode(errors="replace").strip())

    def last_words(self) -> str:
        """The last lines that it wrote to its error output, once it has ended."""
        self._listener.join(timeout=LAST_WORDS_S)
        return " | ".join(line for line in self._lines if line)

    def end(self) -> None:
        """End it now."""
        self.process.kill()
        self.process.wait()
        self._listener.join(timeout=LAST_WORDS_S)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with _ignore_closed():
                    pipe.close()


class SpareWorkers:
    """Workers that wait for their next job: starting one costs most of a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[WorkerProcess] = []
        atexit.register(self.end)

    def take(self) -> WorkerProcess:
        """A waiting worker, or a new one."""
        with self._lock:
            while self._waiting:
                worker = self._waiting.pop()
                if worker.process.poll() is None:
                    return worker
        return WorkerProcess()

    def give(self, worker: WorkerProcess, most: int) -> None:
        """Take a worker back whose job is done; end it where `most` wait already."""
        with self._lock:
            if len(self._waiting) < most:
                self._waiting.append(worker)
                return
        worker.end()

    def end(self) -> None:
        """End every waiting worker."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for worker in waiting:
            worker.end()


SPARE = SpareWorkers()


@contextmanager
def _ignore_closed() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        logger.debug("pipe was closed already: %s", error)
