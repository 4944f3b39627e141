"""Engines at work: set to a task, listened to, given up when they overrun it, and ended, all from here."""

from __future__ import annotations

import logging
import pickle
import queue
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import TracebackType

from solvers.engines.messages import Message, read_message, write_message
from solvers.engines.process import SPARE, WorkerProcess
from solvers.engines.task import Engine, EngineTask
from solvers.linear.model import Floats, LinearModel
from solvers.tolerances import OBJECTIVE_TOLERANCE

logger = logging.getLogger("solvers.engine")


class EngineJobError(RuntimeError):
    """Every engine that was set to work failed; the text is the engines' own."""


@dataclass
class EngineJob:
    """One engine at work on one task: what it has reported so far.

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

    task: EngineTask
    solution: Floats | None = None
    objective: float = float("inf")
    bound: float = -float("inf")
    state: str = "running"
    text: str = ""
    wrong: str = ""
    multipliers: Floats | None = None
    _worker: WorkerProcess | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        task = self.task
        self._deadline = (
            float("inf") if task.deterministic else time.monotonic() + task.limit_s + task.parameters.grace_s
        )

    @property
    def engine(self) -> Engine:
        """Who is at work."""
        return self.task.engine

    @property
    def model(self) -> LinearModel:
        """On what."""
        return self.task.model

    @property
    def is_overdue(self) -> bool:
        """Whether it has overrun its time limit by more than it may."""
        return self.running and time.monotonic() > self._deadline

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
        self._messages: queue.SimpleQueue[tuple[EngineJob, Message]] = queue.SimpleQueue()
        self._jobs: list[EngineJob] = []

    def __enter__(self) -> EnginePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for job in self._jobs:
            self.stop(job)

    def start(self, task: EngineTask) -> EngineJob:
        """Set an engine to work and return at once."""
        job = EngineJob(task)
        job._worker = worker = SPARE.take()
        self._jobs.append(job)
        threading.Thread(target=self._talk, args=(job, worker), daemon=True).start()
        return job

    def _talk(self, job: EngineJob, worker: WorkerProcess) -> None:
        source, sink = worker.process.stdout, worker.process.stdin
        if source is None or sink is None:
            self._messages.put((job, ("failed", "the worker has no pipes")))
            return
        try:
            write_message(sink, job.task)
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

    def _take(self, job: EngineJob, message: Message) -> None:
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
            if job.is_overdue:
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
            SPARE.give(worker, most=job.task.parameters.spare_workers)

    @staticmethod
    def _close(job: EngineJob) -> None:
        worker, job._worker = job._worker, None
        if worker is not None:
            worker.end()

    def listen(
        self,
        jobs: Collection[EngineJob],
        deadline: float = float("inf"),
        is_enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Listen until every job has ended, the deadline has passed, or `is_enough`, asked after all news, says so."""
        while True:
            is_late = time.monotonic() >= deadline
            if is_enough() or is_late or not any(job.running for job in jobs):
                return
            longest = min(job.task.parameters.poll_s for job in jobs)
            self.wait(min(longest, deadline - time.monotonic()))

    def conclude(
        self,
        jobs: Collection[EngineJob],
        deadline: float = float("inf"),
        is_enough: Callable[[], bool] = lambda: False,
        *,
        must_work: bool = True,
    ) -> None:
        """Listen as `listen` does, and end the jobs that are still at work then.

        Raises
        ------
        EngineJobError
            If every job failed though one `must_work`, with the engines' own words.
        """
        self.listen(jobs, deadline, is_enough)
        for job in jobs:
            self.stop(job)
        if must_work:
            self.check(jobs)

    @staticmethod
    def check(jobs: Collection[EngineJob]) -> None:
        """Raise the text of the engines if all of them failed.

        Raises
        ------
        EngineJobError
            With the engines' own words.
        """
        if jobs and all(job.state == "failed" for job in jobs):
            raise EngineJobError("; ".join(f"{job.engine}: {job.text}" for job in jobs))

    def answer(self, task: EngineTask, *, overrun_s: float | None = None, must_work: bool = True) -> EngineJob:
        """Set an engine to work and wait for its end.

        Parameters
        ----------
        task : EngineTask
            What it is asked.
        overrun_s : float, optional
            What it may overrun its time limit by before its answer is no longer waited for [s].
        must_work : bool
            Whether an engine that fails is an error.

        Raises
        ------
        EngineJobError
            If it failed though it `must_work`.
        """
        job = self.start(task)
        overrun_s = task.parameters.grace_s if overrun_s is None else overrun_s
        deadline = float("inf") if task.deterministic else time.monotonic() + task.limit_s + overrun_s
        self.conclude([job], deadline, must_work=must_work)
        return job
