"""What protection claims: compute kept free by standbys, bandwidth of streams, recovery point achieved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fleet.inventory.inventory import Demand, Inventory
from fleet.wan.replication import Mechanism, achieved_rpo_minutes, required_mbps

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def standby_reserve(compute: Floats, standby: Indices, domain: Indices, cluster_count: int, shared: bool) -> Floats:
    """Compute that each cluster keeps free for the demands standing by on it.

    Parameters
    ----------
    compute : (n_demands, n_resources, n_periods)
        What each demand consumes.
    standby : (n_demands,)
        Cluster of each demand's standby copy, −1 for none.
    domain : (n_demands,)
        Fault domain of each demand's primary site.
    cluster_count : int
        Number of clusters.
    shared : bool
        True: the largest sum that the loss of one single fault domain sends here. False (dedicated): the sum of all.

    Returns
    -------
    (n_clusters, n_resources, n_periods)

    Examples
    --------
    Demands of 1, 2 and 4 vCPU stand by on cluster 0; the first two would fail together.

    >>> compute = np.array([1.0, 2.0, 4.0]).reshape(3, 1, 1)
    >>> standby, domain = np.array([0, 0, 0]), np.array([0, 0, 1])
    >>> float(standby_reserve(compute, standby, domain, 1, shared=True)[0, 0, 0])
    4.0
    >>> float(standby_reserve(compute, standby, domain, 1, shared=False)[0, 0, 0])
    7.0
    """
    reserve = np.zeros((cluster_count, *compute.shape[1:]))
    (protected,) = np.nonzero(standby >= 0)
    if not protected.size:
        return reserve
    if not shared:
        np.add.at(reserve, standby[protected], compute[protected])
        return reserve
    pairs, group = np.unique(np.stack([standby[protected], domain[protected]]), axis=1, return_inverse=True)
    sums = np.zeros((pairs.shape[1], *compute.shape[1:]))
    np.add.at(sums, group.reshape(-1), compute[protected])
    np.maximum.at(reserve, pairs[0], sums)
    return reserve


def stream_mbps(inventory: Inventory, demand: Demand, mechanism: Mechanism) -> Floats:
    """Bandwidth that the stream of `demand` reserves, per period [Mbit/s], shape (n_periods,)."""
    rpo = demand.row.rpo_minutes
    changes = (inventory.amounts(demand, span.index).change_gb_per_day for span in inventory.periods)
    return np.array(
        [required_mbps(change, rpo, mechanism, inventory.policy) if change > 0 else 0.0 for change in changes]
    )


def recovery_point_minutes(inventory: Inventory, demand: Demand, mechanism: Mechanism) -> float:
    """Recovery point achieved in the period of largest change, with the bandwidth that it reserves [minutes]."""
    largest = max(inventory.amounts(demand, span.index).change_gb_per_day for span in inventory.periods)
    if largest <= 0:
        return float(mechanism.interval_minutes)
    granted = required_mbps(largest, demand.row.rpo_minutes, mechanism, inventory.policy)
    return float(achieved_rpo_minutes(largest, granted, mechanism, inventory.policy))
