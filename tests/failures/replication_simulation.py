"""Copies on their way over shared links, event by event; nothing of it comes from the planner.

Every stream takes a snapshot each interval and ships what was written since the last one, one snapshot after the other.
Links are shared by weighted max-min fairness: whoever is held back by another link leaves its share to the rest. The
loss at any moment is the age of the newest snapshot that has arrived whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Stream:
    """One replicated workload.

    Attributes
    ----------
    interval_s : float
        Time between snapshots.
    first_s : float
        Time of the first one.
    batch_mbit : callable
        Megabits on the wire of the n-th snapshot.
    links : sequence of str
        Link directions of its path.
    weight : float
        Its share of a link against other streams.
    """

    interval_s: float
    first_s: float
    batch_mbit: Callable[[int], float]
    links: Sequence[str]
    weight: float
    taken: int = 0
    newest_s: float | None = None
    worst_loss_s: float = 0.0
    waiting: deque[list[float]] = field(default_factory=deque)  # (snapshot time, megabits left)

    @property
    def next_s(self) -> float:
        """When the next snapshot is taken."""
        return self.first_s + self.taken * self.interval_s


def fair_rates(streams: Sequence[Stream], free_mbps: dict[str, float]) -> list[float]:
    """Weighted max-min fair rates of streams that have something to ship."""
    left = dict(free_mbps)
    rates = [0.0] * len(streams)
    active = {number for number, stream in enumerate(streams) if stream.waiting}
    for number in [number for number in active if not streams[number].links]:
        rates[number] = float("inf")
        active.discard(number)
    while active:
        weights: dict[str, float] = {}
        for number in active:
            for link in streams[number].links:
                weights[link] = weights.get(link, 0.0) + streams[number].weight
        tightest = min(weights, key=lambda link: left[link] / weights[link])
        share = left[tightest] / weights[tightest]
        for number in [number for number in active if tightest in streams[number].links]:
            rates[number] = share * streams[number].weight
            for link in streams[number].links:
                left[link] = max(0.0, left[link] - rates[number])
            active.discard(number)
    return rates


def simulate(streams: Sequence[Stream], free_mbps: dict[str, float], until_s: float) -> list[float]:
    """The largest loss of each stream [s] up to `until_s`, from the arrival of its first snapshot on."""
    now = 0.0
    while now < until_s:
        rates = fair_rates(streams, free_mbps)
        arrivals = [
            now + stream.waiting[0][1] / rate
            for stream, rate in zip(streams, rates, strict=True)
            if stream.waiting and rate > 0
        ]
        then = min(until_s, *(stream.next_s for stream in streams), *arrivals)
        for stream, rate in zip(streams, rates, strict=True):
            if stream.waiting:
                stream.waiting[0][1] -= rate * (then - now)
            if stream.newest_s is not None:
                stream.worst_loss_s = max(stream.worst_loss_s, then - stream.newest_s)
            while stream.waiting and stream.waiting[0][1] <= 1e-9:
                stream.newest_s = stream.waiting.popleft()[0]
            if stream.next_s <= then:
                stream.waiting.append([stream.next_s, stream.batch_mbit(stream.taken)])
                stream.taken += 1
        now = then
    return [stream.worst_loss_s for stream in streams]
