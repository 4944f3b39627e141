"""Fewer nodes where units have been put: those that the others can do without go, one after another."""

from __future__ import annotations

import numpy as np

from solvers.local_search.placement import Packing
from solvers.local_search.relocation import repair


def tighten(packing: Packing) -> int:
    """Take nodes away where the others can take what is then too much; how many went."""
    gone = 0
    for index in np.argsort(packing.fills().max(axis=1)).tolist():
        while _take_node(packing, index):
            gone += 1
    return gone


def _take_node(packing: Packing, index: int) -> bool:
    place = packing.places[index]
    before = place.segment, place.nodes
    segment = packing.resized_run(place, place.nodes - 1)
    if segment is None:
        return False
    units = packing.primary.copy(), packing.standby.copy()
    loads = [getattr(packing, name).copy() for name in packing.LOADS]
    packing.size(index, segment, place.nodes - 1)
    if repair(packing):
        return True
    packing.primary, packing.standby = units
    for name, load in zip(packing.LOADS, loads, strict=True):
        setattr(packing, name, load)
    packing.size(index, *before)
    return False
