"""The process in which engines run: reads tasks from standard input, reports on standard output.

An engine ignores interrupts, prints where it should not, and holds its interpreter; in a process of its own
none of that reaches the planner. The worker ends when its parent does, because its standard input closes.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import IO

from solvers.engines.messages import Message, Send, read_message, write_message
from solvers.engines.task import Engine, EngineTask

#: Where each engine lives, loaded when it is first asked: a worker starts in a fraction of the time that takes.
HOMES: dict[Engine, str] = {
    "cp_sat": "solvers.engines.cp_sat",
    "highs": "solvers.engines.highs",
    "benders": "solvers.engines.benders",
    "conflict": "solvers.engines.conflicts",
}


def main() -> None:
    """Read tasks one after another; run each and report incumbents, bounds and its end."""
    channel = os.fdopen(os.dup(1), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    lock = threading.Lock()
    tasks: queue.SimpleQueue[EngineTask] = queue.SimpleQueue()

    def send(message: Message) -> None:
        with lock:
            write_message(channel, message)

    threading.Thread(target=_receive, args=(sys.stdin.buffer, tasks), daemon=True).start()
    while True:
        task = tasks.get()
        try:
            run: Callable[[EngineTask, Send], None] = import_module(HOMES[task.engine]).run
            run(task, send)
        except (ValueError, RuntimeError, AttributeError, TypeError) as error:
            cause = error.__context__
            text = f"{type(error).__name__}: {error}" + (f" ({cause})" if cause is not None else "")
            send(("failed", text))


def _receive(source: IO[bytes], tasks: queue.SimpleQueue[EngineTask]) -> None:
    """Hand tasks on; end the process with its parent, whose death closes the stream."""
    while (task := read_message(source)) is not None:
        tasks.put(task)
    os._exit(0)


if __name__ == "__main__":
    main()
