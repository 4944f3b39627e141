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

An estimate is therefore good to about a quarter of its value, and every link that uses one says so. A planner with
better knowledge sets `rtt_constant_ms` and `rtt_ms_per_km` in the policy, or measures.
"""

from __future__ import annotations

from geopy.distance import great_circle

from fleet.inventory.policy import Policy
from fleet.inventory.sites import Site

#: Round trip of the equipment and the access at both ends [ms].
RTT_CONSTANT_MS = 5.96
#: Round trip of each great-circle kilometer, detours included [ms/km]; light in fiber alone takes 0.01.
RTT_MS_PER_KM = 0.01728


def distance_km(a: Site, b: Site) -> float | None:
    """Great-circle distance of two sites [km], None where one of them has no coordinates.

    Examples
    --------
    >>> paris = Site(site="paris", latitude=48.8566, longitude=2.3522)
    >>> lyon = Site(site="lyon", latitude=45.764, longitude=4.8357)
    >>> round(distance_km(paris, lyon))
    391
    """
    if a.latitude is None or a.longitude is None or b.latitude is None or b.longitude is None:
        return None
    return float(great_circle((a.latitude, a.longitude), (b.latitude, b.longitude)).km)


def estimate_rtt_ms(km: float | None, policy: Policy) -> float:
    """Estimated round trip over a distance [ms]: ``constant + slope · km``.

    Parameters
    ----------
    km : float or None
        Great-circle distance [km]. None, the distance to a place without coordinates, counts the constant alone: a
        carrier cloud has no one place, and its members pay for their own access only.
    policy : Policy
        Its `rtt_constant_ms` and `rtt_ms_per_km` replace the calibrated constants.
    """
    constant = RTT_CONSTANT_MS if policy.rtt_constant_ms is None else policy.rtt_constant_ms
    slope = RTT_MS_PER_KM if policy.rtt_ms_per_km is None else policy.rtt_ms_per_km
    return constant + slope * (km or 0.0)
