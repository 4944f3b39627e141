"""What copies into the cloud ask of the internet access of the sites that they leave from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fleet.inventory.inventory import Inventory
from fleet.plan.context import PlanContext
from fleet.plan.placement import exceeds
from fleet.plan.protection import Floats
from fleet.rulepack import RulePack


class UploadViolation(NamedTuple):
    """An internet access over its limit in one period [Mbit/s]."""

    site: str
    period: int
    load: float
    limit: float


def upload_limit_mbps(inventory: Inventory, pack: RulePack, site: str) -> float | None:
    """What the internet access of a site carries of copies into the cloud [Mbit/s]; None where it is not stated.

    ``internet_mbps · max_link_utilization − network.min_internet_mbps``: the platform itself needs the rest.
    """
    stated = inventory.site(site).internet_mbps
    if stated is None:
        return None
    return max(0.0, stated * inventory.policy.max_link_utilization - pack.number("network.min_internet_mbps"))


def upload_loads(context: PlanContext) -> dict[str, Floats]:
    """What copies into the cloud need per site that they leave from, (n_periods,) [Mbit/s], in order of sites."""
    found: dict[str, Floats] = {}
    for index in np.flatnonzero(context.in_cloud).tolist():
        site = context.clusters[int(context.primary[index])].site
        found[site] = found.get(site, np.zeros(context.stream.shape[1])) + context.stream[index]
    return dict(sorted(found.items()))


def upload_violations(context: PlanContext) -> Iterator[UploadViolation]:
    """Every internet access that carries more than it may, by site and period."""
    for site, loads in upload_loads(context).items():
        limit = upload_limit_mbps(context.inventory, context.pack, site)
        if limit is None:
            continue
        for period, load in enumerate(loads.tolist()):
            if exceeds(load, limit):
                yield UploadViolation(site, period, load, limit)
