"""Round-trip time over distance: measured where the planner has a measurement, estimated here where not.

The estimate is ``constant + slope · km`` with the great-circle distance. Both constants are fitted to the measured
round trips between cloud regions published by Microsoft ("Azure network round-trip latency statistics"), by
`benchmarks/latency_fit.py`:

* data: the 237 region pairs with a distance above 0 and up to 4,000 km, the range in which a fleet of one country
  or continent plans;
* method: Huber's M-estimator (tuning constant 1.345) by iteratively reweighted least squares on *relative* residuals,
  because the detours of real fiber grow with the distance;
* result: measured over estimated round trip at the tenth, fiftieth and ninetieth percentile 0.76, 0.99 and 1.31
  (300–1,000 km: 0.78, 1.00, 1.33); residuals −8.6, −0.1 and +8.3 ms.

Through a carrier cloud the two parts are apart: half the constant is the last mile of each member, the slope is the
carrier's backbone between where the traffic enters and where it leaves. The backbone is always an estimate.

An estimate is therefore good to about a quarter of its value, and every link that uses one says so. A planner with
better knowledge sets `rtt_constant_ms` and `rtt_ms_per_km` in the policy, or measures.
"""

from __future__ import annotations

from fleet.inventory.distances import (
    RTT_CONSTANT_MS,
    RTT_MS_PER_KM,
    access_rtt_ms,
    distance_km,
    rtt_constant_ms,
    rtt_ms_per_km,
)
from fleet.inventory.tables.policy import Policy

__all__ = [
    "RTT_CONSTANT_MS",
    "RTT_MS_PER_KM",
    "access_rtt_ms",
    "distance_km",
    "estimate_rtt_ms",
    "rtt_constant_ms",
    "rtt_ms_per_km",
]


def estimate_rtt_ms(km: float | None, policy: Policy) -> float:
    """Estimated round trip over a distance [ms]: ``constant + slope · km``.

    Parameters
    ----------
    km : float or None
        Great-circle distance [km]. None, the distance to a place without coordinates, counts the constant alone.
    policy : Policy
        Its `rtt_constant_ms` and `rtt_ms_per_km` replace the calibrated constants.
    """
    return rtt_constant_ms(policy) + rtt_ms_per_km(policy) * (km or 0.0)
