"""Distance over the globe, the round trip of light in fiber, which is the floor of every other, and what is estimated.

How the estimate was fitted is told in `fleet.wan.latency`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fleet.inventory.tables.policy import Policy
from fleet.inventory.tables.sites import Site
from fleet.tolerances import LIGHT_TOLERANCE

#: Mean radius of the earth [km].
EARTH_RADIUS_KM = 6371.009
#: Distance that light in fiber covers there and back [km/ms]: 204 km a millisecond, halved.
LIGHT_KM_PER_MS = 102.0

#: Round trip of the equipment and the access at both ends [ms].
RTT_CONSTANT_MS = 5.96
#: Round trip of each great-circle kilometer, detours included [ms/km]; light in fiber alone takes 0.0098.
RTT_MS_PER_KM = 0.01728

Floats = NDArray[np.float64]


def great_circle_km(latitude: ArrayLike, longitude: ArrayLike, latitudes: ArrayLike, longitudes: ArrayLike) -> Floats:
    """Great-circle distance of points [km], by the haversine formula; the same whichever end is named first.

    Parameters
    ----------
    latitude, longitude, latitudes, longitudes : array_like
        The points at both ends [degrees], of shapes that broadcast; NaN gives NaN.

    Examples
    --------
    >>> [round(float(km)) for km in great_circle_km(48.8566, 2.3522, [45.764, 48.8566], [4.8357, 2.3522])]
    [391, 0]
    """
    a, b = np.radians(latitude), np.radians(latitudes)
    half = (
        np.sin((b - a) / 2) ** 2
        + np.cos(a) * np.cos(b) * np.sin(np.radians(np.subtract(longitudes, longitude)) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0))), dtype=np.float64)


def coordinates(sites: Iterable[Site]) -> Floats:
    """Latitude and longitude of sites [degrees], shape (n_sites, 2); NaN where a site has none."""
    rows = [
        (np.nan, np.nan) if site.latitude is None or site.longitude is None else (site.latitude, site.longitude)
        for site in sites
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), 2)


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
    return float(great_circle_km(a.latitude, a.longitude, b.latitude, b.longitude))


def least_rtt_ms(km: float) -> float:
    """Round trip of light in fiber over a distance [ms], detours and equipment left out.

    Examples
    --------
    >>> least_rtt_ms(1020.0)
    10.0
    """
    return km / LIGHT_KM_PER_MS


def is_below_light(rtt_ms: float, km: float) -> bool:
    """Whether no light in fiber makes a round trip over that distance in that time, rounding aside."""
    least = least_rtt_ms(km)
    return rtt_ms < least - LIGHT_TOLERANCE * max(1.0, least)


def rtt_constant_ms(policy: Policy) -> float:
    """Round trip of the equipment and the access at both ends of a path [ms]."""
    return RTT_CONSTANT_MS if policy.rtt_constant_ms is None else policy.rtt_constant_ms


def rtt_ms_per_km(policy: Policy) -> float:
    """Round trip of each great-circle kilometer [ms/km]."""
    return RTT_MS_PER_KM if policy.rtt_ms_per_km is None else policy.rtt_ms_per_km


def access_rtt_ms(policy: Policy) -> float:
    """Estimated round trip of the last mile to the edge of a carrier cloud [ms]: half the constant of a path.

    Two members with estimated access are as far apart as on an estimated link between them.
    """
    return rtt_constant_ms(policy) / 2
