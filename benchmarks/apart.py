"""Work in a process of its own, and the memory that a process and its engine processes take."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROCESSES = Path("/proc")
#: How often memory is looked at [s].
EVERY_S = 0.2


def apart(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """What `work` returns in a new process, and the largest memory of that process and all below it together [MB].

    Memory is resident memory, sampled; pages that processes share count in each.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        process: int = pool.submit(os.getpid).result()
        future: Future[Any] = pool.submit(work, *arguments)
        peak = 0.0
        while not future.done():
            peak = max(peak, memory_mb(process))
            wait([future], timeout=EVERY_S)
        value = future.result()
        if not PROCESSES.is_dir():
            peak = pool.submit(_largest_mb).result()
    return value, peak


@dataclass
class Peak:
    """The largest memory seen so far [MB]."""

    mb: float = 0.0


@contextmanager
def largest_memory() -> Iterator[Peak]:
    """Watch the memory of this process and all below it together until the block ends."""
    peak, ended, own = Peak(memory_mb(os.getpid())), threading.Event(), os.getpid()

    def look() -> None:
        while not ended.wait(EVERY_S):
            peak.mb = max(peak.mb, memory_mb(own))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()
        peak.mb = max(peak.mb, memory_mb(own), 0.0 if PROCESSES.is_dir() else _largest_mb())


def memory_mb(process: int) -> float:
    """Resident memory of a process and all below it [MB]; 0 where the system does not tell."""
    pages, parents = {}, {}
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (OSError, IndexError):  # ended meanwhile
            continue
        parents[int(folder.name)], pages[int(folder.name)] = int(after_name[1]), int(after_name[21])
    total = 0
    for number, resident in pages.items():
        ancestor = number
        while ancestor not in (0, process):
            ancestor = parents.get(ancestor, 0)
        total += resident if ancestor == process else 0
    return total * resource.getpagesize() / 1e6


def _largest_mb() -> float:
    """Largest resident memory of this process plus that of the largest below it [MB]."""
    unit = 1.0 if sys.platform == "darwin" else 1024.0  # bytes there, KiB elsewhere
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(kind).ru_maxrss for kind in kinds) * unit / 1e6
