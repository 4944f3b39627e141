"""Places for clusters: where a cluster may be built, and what it is called until people name it."""

from __future__ import annotations

import itertools
from collections.abc import Collection

from fleet.inventory.tables.hardware import ExistingCluster
from fleet.inventory.tables.sites import Site


def may_build(site: Site, standing: Collection[ExistingCluster]) -> bool:
    """Whether a cluster may be built at a site: as can_host says; where it is blank, if one stands there already.

    Parameters
    ----------
    site : Site
        A site; nothing is built at a carrier cloud.
    standing : collection of ExistingCluster
        The clusters that stand at it.
    """
    says = bool(standing) if site.can_host is None else site.can_host
    return says and not site.is_network


def new_clusters(site: Site, standing: Collection[ExistingCluster], taken: Collection[str]) -> tuple[str, ...]:
    """Names of the clusters that may be built at a site: ``SITE-c1``, ``SITE-c2`` … without those that are taken.

    One for each of its max_clusters that no cluster has which must stay: one that may be retired leaves its place.

    Parameters
    ----------
    site, standing
        As in `may_build`.
    taken : collection of str
        Names of all clusters that stand anywhere.
    """
    if not may_build(site, standing):
        return ()
    room = max(0, site.max_clusters - sum(row.keep for row in standing))
    names = (f"{site.site}-c{number}" for number in itertools.count(1))
    return tuple(itertools.islice((name for name in names if name not in taken), room))
