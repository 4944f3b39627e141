"""Run engines in worker processes: started, watched, stopped and listened to from here.

Workers are plain subprocesses that import only `solvers.engines.worker`, so solving works from a script without
a ``__main__`` guard, from a notebook and from standard input. They run in their own session: Ctrl-C reaches the
planner's process only, which keeps what was found.
"""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from solvers.engines.worker import read_message
from solvers.linear.model import Floats, Integers, LinearModel

#: ``benders`` only bounds; ``conflict`` seeks multipliers that show that rows contradict each other.
Engine = Literal["cp_sat", "highs", "benders", "conflict"]
logger = logging.getLogger("solvers.engine")

#: Relative difference from which the objective that an engine states for a solution is wrong; less is rounding.
OBJECTIVE_TOLERANCE = 1e-4
#: Last lines of a worker's error output that are kept for messages.
ERROR_LINES = 5
#: Seconds that an engine may overrun its own time limit before it is ended.
GRACE_S = 5.0


class EngineJobError(RuntimeError):
    """Every engine that was set to work failed; the text is the engines' own."""


@dataclass
class EngineJob:
    """One engine at work on one model: what it has reported so far.

    Attributes
    ----------
    solution : array or None
        Its best incumbent.
    bound : float
        Its best bound, minus infinity until known.
    state : str
        ``running``, ``finished`` (solved to its gap), ``infeasible``, ``limit``, ``failed`` or ``stopped``.
    wrong : str
        What it said of its own solution that is not so; empty where nothing is known.
    multipliers : array or None
        Of the rows, from a job that seeks a conflict among them.
    """

    engine: Engine
    model: LinearModel
    solution: Floats | None = None
    objective: float = float("inf")
    bound: float = -float("inf")
    state: str = "running"
    text: str = ""
    wrong: str = ""
    multipliers: Floats | None = None
    _worker: _Worker | None = field(default=None, repr=False)
    _deadline: float = field(default=0.0, repr=False)

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self.state == "running"

    def take_solution(self, solution: Floats, claimed: float) -> None:
        """Keep an incumbent if it is better; what it costs is computed here, whatever the engine says."""
        objective = self.model.objective(solution)
        if abs(objective - claimed) > OBJECTIVE_TOLERANCE * max(1.0, abs(objective)):
            self.wrong = f"an objective of {claimed:,.2f} for a solution of {objective:,.2f}"
        if objective < self.objective:
            self.solution, self.objective = solution, objective


class EnginePool:
    """Engines that run at the same time. Leaving the context ends them all."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[tuple[EngineJob, tuple[Any, ...]]] = queue.SimpleQueue()
        self._jobs: list[EngineJob] = []

    def __enter__(self) -> EnginePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for job in self._jobs:
            self.stop(job)

    def start(
        self,
        engine: Engine,
        model: LinearModel,
        *,
        time_limit_s: float,
        gap: float,
        seed: int = 0,
        workers: int = 1,
        deterministic: bool = False,
        hint: Floats | None = None,
        relaxed: bool = False,
        design: Integers | None = None,
        node_limit: int | None = None,
    ) -> EngineJob:
        """Start an engine on a model and return at once."""
        task = {
            "engine": engine,
            "model": model,
            "time_limit_s": max(time_limit_s, 0.1),
            "gap": gap,
            "seed": seed,
            "workers": workers,
            "deterministic": deterministic,
            "hint": hint,
            "relaxed": relaxed,
            "design": design,
            "node_limit": node_limit,
        }
        worker = _spare.take()
        job = EngineJob(engine, model)
        job._worker = worker
        job._deadline = float("inf") if deterministic else time.monotonic() + time_limit_s + GRACE_S
        self._jobs.append(job)
        threading.Thread(target=self._talk, args=(job, worker, task), daemon=True).start()
        return job

    def _talk(self, job: EngineJob, worker: _Worker, task: dict[str, Any]) -> None:
        source, sink = worker.process.stdout, worker.process.stdin
        if source is None or sink is None:
            self._messages.put((job, ("failed", "the worker has no pipes")))
            return
        try:
            payload = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
            sink.write(struct.pack("<Q", len(payload)) + payload)
            sink.flush()
            while (message := read_message(source)) is not None:
                self._messages.put((job, message))
                if message[0] in ("done", "failed"):
                    return
        except (OSError, EOFError, pickle.UnpicklingError, ValueError) as error:
            logger.debug("worker channel closed: %s", error)
        self._messages.put((job, ("ended", worker.last_words())))

    def wait(self, timeout_s: float) -> EngineJob | None:
        """Wait for news at most `timeout_s`; the job that it is about, or None."""
        try:
            job, message = self._messages.get(timeout=max(timeout_s, 0.0))
        except queue.Empty:
            self._end_overdue()
            return None
        self._take(job, message)
        return job

    def _take(self, job: EngineJob, message: tuple[Any, ...]) -> None:
        kind = message[0]
        if not job.running:
            return
        if kind == "incumbent":
            job.take_solution(message[1], message[2])
        elif kind == "bound":
            job.bound = max(job.bound, float(message[1]))
        elif kind == "multipliers":
            job.multipliers = message[1]
        elif kind == "done":
            job.state = str(message[1])
            if job.bound > job.objective + OBJECTIVE_TOLERANCE * max(1.0, abs(job.objective)):
                job.wrong = f"a bound of {job.bound:,.2f} above its own solution of {job.objective:,.2f}"
            self._keep(job)
        elif kind == "failed":
            job.state, job.text = "failed", str(message[1])
            logger.debug("%s failed: %s", job.engine, job.text)
            self._keep(job)
        elif kind == "ended":
            words = str(message[1])
            job.state, job.text = "failed", f"the engine's process ended{': ' + words if words else ' without a word'}"
            self._close(job)

    def _end_overdue(self) -> None:
        for job in self._jobs:
            if job.running and time.monotonic() > job._deadline:
                self.stop(job)
                job.state = "limit"

    def stop(self, job: EngineJob) -> None:
        """End a job now; what it has reported stays."""
        if job.running:
            job.state = "stopped"
        self._close(job)

    @staticmethod
    def _keep(job: EngineJob) -> None:
        worker, job._worker = job._worker, None
        if worker is not None:
            _spare.give(worker)

    @staticmethod
    def _close(job: EngineJob) -> None:
        worker, job._worker = job._worker, None
        if worker is not None:
            worker.end()

    def run_until(
        self,
        jobs: list[EngineJob],
        deadline: float,
        is_enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Listen until every job has ended, the deadline has passed, or `is_enough` says so."""
        while any(job.running for job in jobs) and time.monotonic() < deadline and not is_enough():
            self.wait(min(0.5, max(deadline - time.monotonic(), 0.01)))

    @staticmethod
    def check(jobs: list[EngineJob]) -> None:
        """Raise the text of the engines if all of them failed.

        Raises
        ------
        EngineJobError
            With the engines' own words.
        """
        if jobs and all(job.state == "failed" for job in jobs):
            raise EngineJobError("; ".join(f"{job.engine}: {job.text}" for job in jobs))


class _Worker:
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
        self._listener.join(timeout=1.0)
        return " | ".join(line for line in self._lines if line)

    def end(self) -> None:
        """End it now."""
        self.process.kill()
        self.process.wait()
        self._listener.join(timeout=1.0)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with _ignore_closed():
                    pipe.close()


class _SpareWorkers:
    """Workers that wait for their next job: starting one costs most of a second."""

    KEPT = 4

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Worker] = []
        atexit.register(self.end)

    def take(self) -> _Worker:
        """A waiting worker, or a new one."""
        with self._lock:
            while self._waiting:
                worker = self._waiting.pop()
                if worker.process.poll() is None:
                    return worker
        return _Worker()

    def give(self, worker: _Worker) -> None:
        """Take a worker back whose job is done."""
        with self._lock:
            if len(self._waiting) < self.KEPT:
                self._waiting.append(worker)
                return
        worker.end()

    def end(self) -> None:
        """End every waiting worker."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for worker in waiting:
            worker.end()


_spare = _SpareWorkers()


@contextmanager
def _ignore_closed() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        logger.debug("pipe was closed already: %s", error)
