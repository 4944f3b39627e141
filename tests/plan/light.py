"""What of a plan light in fiber could not do, by a formula of its own."""

from __future__ import annotations

from collections.abc import Iterator

from geopy.distance import great_circle

from fleet.inventory.inventory import Inventory
from fleet.plan.plan import Plan

#: Distance that light in fiber covers there and back in a millisecond [km].
KM_PER_MS = 102.0


def faster_than_light(plan: Plan, inventory: Inventory) -> Iterator[str]:
    """Assignments and standbys (their paths are those of replication) whose stated round trip is below light."""
    site_of = {row.cluster: row.site for row in plan.document.clusters}
    places = {site.site: (site.latitude, site.longitude) for site in inventory.sites if site.latitude is not None}
    trips = [(row.site, site_of[row.cluster], row.rtt_ms) for row in plan.document.assignments]
    trips += [
        (site_of[row.cluster], site_of[row.standby], row.rtt_ms)
        for row in plan.document.standbys
        if row.standby in site_of
    ]
    for here, there, rtt_ms in trips:
        if here in places and there in places:
            km = float(great_circle(places[here], places[there]).km)
            if rtt_ms < km / KM_PER_MS * (1 - 1e-6) - 1e-6:
                yield f"{here} – {there}: {rtt_ms} ms over {km:.0f} km"
