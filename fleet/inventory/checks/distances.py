"""Checks of round trips against distance: nothing that is stated may be faster than light in fiber."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fleet.errors import Problem
from fleet.inventory.checks.references import Draft
from fleet.inventory.distances import (
    LIGHT_KM_PER_MS,
    Floats,
    access_rtt_ms,
    coordinates,
    distance_km,
    great_circle_km,
    is_below_light,
    least_rtt_ms,
)
from fleet.inventory.reading.sheets import Record
from fleet.inventory.tables.sites import Site
from fleet.tolerances import LIGHT_TOLERANCE

#: Decimals of the least possible round trip in a remedy.
_DECIMALS = 2
_Pair = tuple[str, str]


def check_distances(draft: Draft) -> Iterator[Problem]:
    """Check round trips of links, the slope of estimates, and carrier clouds without distance.

    Sites with a place must have its coordinates.
    """
    for record in draft.sites.records:
        if record.row.distance is not None and record.has("distance", "kind") and not record.row.is_network:
            message = f"site {record.row.site!r} of kind {record.row.kind!r} says distance, expected kind network"
            remedy = "leave it blank: only a carrier cloud may be without distance"
            yield draft.sites.problem("INV060", record, "distance", message, remedy)
    yield from _links(draft)
    yield from _slope(draft)
    yield from _rings(draft)


def _rounded_up(rtt_ms: float) -> str:
    scale = 10**_DECIMALS
    return f"{math.ceil(rtt_ms * scale) / scale:g}"


def _links(draft: Draft) -> Iterator[Problem]:
    sites = _by_name(draft)
    for record in draft.links.records:
        row = record.row
        ends = [sites.get(row.from_), sites.get(row.to)]
        if row.rtt_ms is None or not record.has("from", "to", "rtt_ms"):
            continue
        a, b = (None if end is None else end.row for end in ends)
        if a is None or b is None or a.is_network or b.is_network:
            continue
        km = distance_km(a, b)
        if km is not None and is_below_light(row.rtt_ms, km):
            message = (
                f"got {row.rtt_ms:g} ms between {row.from_!r} and {row.to!r}, {km:,.0f} km apart; light in fiber takes "
                f"{least_rtt_ms(km):.2f} ms there and back"
            )
            remedy = (
                f"measure again: at least {_rounded_up(least_rtt_ms(km))} ms is possible; or correct the coordinates"
            )
            yield draft.links.problem("INV061", record, "rtt_ms", message, remedy)


def _by_name(draft: Draft) -> dict[str, Record[Site]]:
    """The sites whose kind and coordinates could be read."""
    return {
        record.row.site: record
        for record in reversed(draft.sites.records)
        if record.has("site", "kind", "latitude", "longitude", "place", "distance")
    }


def _slope(draft: Draft) -> Iterator[Problem]:
    slope = draft.policy.rtt_ms_per_km
    if slope is None or "rtt_ms_per_km" in draft.broken_policy:
        return
    if slope < (1 - LIGHT_TOLERANCE) / LIGHT_KM_PER_MS:
        message = f"got {slope:g} ms/km, expected at least that of light in fiber, 1/{LIGHT_KM_PER_MS:g}"
        remedy = f"give {math.ceil(1e5 / LIGHT_KM_PER_MS) / 1e5:g} or more, or leave it blank"
        yield draft.policy_problem("INV061", "rtt_ms_per_km", message, remedy)


@dataclass(frozen=True)
class _Members:
    """Members of one cloud with coordinates: names, last mile [ms] of each, coordinates (n, 2)."""

    names: tuple[str, ...]
    access_ms: Floats
    places: Floats


def _rings(draft: Draft) -> Iterator[Problem]:
    """Members of clouds without distance, of one or of several that are linked, must be near each other."""
    sites = _by_name(draft)
    rings = {name for name, record in sites.items() if record.row.is_network and not record.row.has_distance}
    if not rings:
        return
    members = {ring: _members(draft, sites, ring) for ring in rings}
    apart = _between(draft, rings)
    for ring in sorted(rings):
        worst: tuple[float, float, _Pair] | None = None
        for other, joint_ms in sorted(apart[ring].items()):
            if other >= ring:
                worst = max(filter(None, (worst, _fastest(members[ring], members[other], joint_ms))), default=None)
        if worst is None:
            continue
        short_ms, km, (a, b) = worst
        least = least_rtt_ms(km)
        message = (
            f"carrier cloud {ring!r} is without distance, and the round trip of its members {a!r} and {b!r}, "
            f"{km:,.0f} km apart, would be {least - short_ms:.2f} ms; light in fiber takes {least:.2f} ms"
        )
        remedy = (
            f"leave distance blank; or state at least {_rounded_up(least)} ms in all for the access of the two, or "
            "correct their coordinates"
        )
        yield draft.sites.problem("INV062", sites[ring], "distance", message, remedy)


def _members(draft: Draft, sites: dict[str, Record[Site]], ring: str) -> _Members:
    """What the last mile of every member takes at least; one that is not stated is not held against it."""
    access: dict[str, float] = {}

    def take(member: str, rtt_ms: float | None) -> None:
        record = sites.get(member)
        if record is None or record.row.is_network or record.row.latitude is None or record.row.longitude is None:
            return
        found = access_rtt_ms(draft.policy) if rtt_ms is None else rtt_ms
        access[member] = min(found, access.get(member, math.inf))

    linked = set()
    for link in draft.links.records:
        row = link.row
        if link.has("from", "to"):
            linked |= {row.from_, row.to}
        if link.has("from", "to", "rtt_ms") and ring in (row.from_, row.to):
            take(row.to if row.from_ == ring else row.from_, row.rtt_ms)
    if draft.policy.default_network == ring and "default_network" not in draft.broken_policy:
        for name, record in sites.items():
            if record.row.wan_mbps is not None and name not in linked and record.has("wan_mbps", "wan_rtt_ms"):
                take(name, record.row.wan_rtt_ms)
    names = tuple(sorted(access))
    return _Members(names, np.array([access[name] for name in names]), coordinates(sites[name].row for name in names))


def _between(draft: Draft, rings: set[str]) -> dict[str, dict[str, float]]:
    """Round trip between clouds without distance that are linked, directly or through others of the kind [ms]."""
    joints: dict[str, dict[str, float]] = defaultdict(dict)
    for link in draft.links.records:
        row = link.row
        if link.has("from", "to", "rtt_ms") and {row.from_, row.to} <= rings and row.from_ != row.to:
            rtt_ms = access_rtt_ms(draft.policy) if row.rtt_ms is None else row.rtt_ms
            for here, there in ((row.from_, row.to), (row.to, row.from_)):
                joints[here][there] = min(rtt_ms, joints[here].get(there, math.inf))
    found = {}
    for ring in rings:
        settled: dict[str, float] = {}
        heap = [(0.0, ring)]
        while heap:
            rtt_ms, here = heapq.heappop(heap)
            if here not in settled:
                settled[here] = rtt_ms
                for there, more in joints[here].items():
                    heapq.heappush(heap, (rtt_ms + more, there))
        found[ring] = settled
    return found


def _fastest(here: _Members, there: _Members, joint_ms: float) -> tuple[float, float, _Pair] | None:
    """How much below light the worst pair of members is [ms], their distance [km] and names; None if none is."""
    worst: tuple[float, float, _Pair] | None = None
    for name, access_ms, place in zip(here.names, here.access_ms.tolist(), here.places, strict=True):
        if not there.names:
            break
        km = great_circle_km(*place, *there.places.T)
        missing = km / LIGHT_KM_PER_MS - (access_ms + joint_ms + there.access_ms)
        index = int(np.argmax(missing))
        rtt_ms = float(km[index]) / LIGHT_KM_PER_MS - float(missing[index])
        if is_below_light(rtt_ms, float(km[index])):
            pair = (min(name, there.names[index]), max(name, there.names[index]))
            worst = max(filter(None, (worst, (float(missing[index]), float(km[index]), pair))))
    return worst
