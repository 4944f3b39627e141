"""Why no two sites can hold a demand and its standby: too far apart for the mechanism, or no path that carries it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from fleet.inventory.inventory import Demand, Inventory
from fleet.plan.placement import exceeds, residency_holds, separation_reason
from fleet.rulepack import RulePack
from fleet.wan.graph import WanLink
from fleet.wan.replication import Mechanism, mechanisms
from fleet.wan.routing import Router
from solvers.problem.sets import Booleans

MEGABITS_PER_MEGABYTE = 8.0


class PartnerScreen:
    """Says of units, one after another, why no pair of candidate sites does, keeping what carries many of them.

    Parameters
    ----------
    inventory, pack, router : optional
        Sites, mechanisms and round trips.
    names : sequence of str
        Site of each group of slots.
    """

    def __init__(self, inventory: Inventory, pack: RulePack, router: Router, names: Sequence[str]) -> None:
        self.inventory, self.pack, self.router, self.names = inventory, pack, router, names
        self._carried: dict[int, float] = {}  # allowed pairs by identity, and the largest stream that is known to fit

    def reason(
        self, copies: Sequence[tuple[Demand, Mechanism, float]], eligible: Booleans, standby: Booleans, pairs: Booleans
    ) -> str:
        """Why a standby is too far from every primary, or no path carries its stream; empty where neither.

        Parameters
        ----------
        copies : sequence of (demand, mechanism, stream [Mbit/s])
            What is to be protected, with the largest stream of each.
        eligible, standby : array of bool (n_groups,)
            Where it may run, and where it may stand by, as far as it alone is concerned.
        pairs : array of bool (n_groups, n_groups)
            The pairs that every rule allows; the same object wherever they are the same.
        """
        for demand, mechanism, most in copies:
            if pairs.any():
                if most <= self._carried.get(id(pairs), -1.0):
                    continue
                allowed = ((self.names[first], self.names[second]) for first, second in np.argwhere(pairs).tolist())
                text = too_thin(self.router, demand, most, allowed)
                if not text:
                    self._carried[id(pairs)] = most
            else:
                primaries, standbys = (
                    sorted({self.names[slot] for slot in np.flatnonzero(mask).tolist()}) for mask in (eligible, standby)
                )
                text = too_far(self.inventory, self.pack, self.router, demand, mechanism, primaries, standbys)
            if text:
                return text
        return ""


def too_far(
    inventory: Inventory,
    pack: RulePack,
    router: Router,
    demand: Demand,
    mechanism: Mechanism,
    primaries: Sequence[str],
    standbys: Sequence[str],
) -> str:
    """That no pair of candidates is within the round trip of a mechanism, with the nearest site that would do.

    Parameters
    ----------
    inventory, pack, router : optional
        Sites, mechanisms and round trips.
    demand : Demand
        What is to be protected.
    mechanism : Mechanism
        What its objectives choose.
    primaries, standbys : sequence of str
        Candidate sites that may run it, and that may hold its standby, as far as it alone is concerned.

    Returns
    -------
    str
        Empty where the round trip is not the reason.
    """
    limit = mechanism.max_rtt_ms
    if limit is None:
        return ""
    apart = [
        (rtt_ms, primary, standby)
        for primary in primaries
        for standby, rtt_ms in _near(inventory, router, primary, standbys)
    ]
    nearest = min(apart, default=None)
    if nearest is not None and not exceeds(nearest[0], limit):
        return ""
    asked = "" if demand.row.rpo_minutes is None else f" with rpo_minutes {demand.row.rpo_minutes:g}"
    parts = [f"DR-004: {demand}{asked} is kept by {mechanism.name}, at most {limit:g} ms from primary to standby"]
    if nearest is not None:
        rtt_ms, primary, standby = nearest
        parts.append(f"the nearest candidates, {primary!r} and {standby!r}, are {rtt_ms:.3g} ms apart")
    parts.append(_what_would_do(inventory, router, demand, limit, primaries, standbys))
    longer = [found for found in mechanisms(pack) if found.max_rtt_ms is None and not found.is_cloud]
    if longer:
        parts.append(
            f"or ask for rpo_minutes above {longer[0].interval_minutes:g}, which {longer[0].name} keeps at any distance"
        )
    return "; ".join(parts)


def _what_would_do(
    inventory: Inventory,
    router: Router,
    demand: Demand,
    limit: float,
    primaries: Sequence[str],
    standbys: Sequence[str],
) -> str:
    """The nearest site that is no candidate yet and would hold the standby."""
    users = inventory.site(demand.site)
    others = [
        site.site
        for site in inventory.sites
        if not site.is_network and site.site not in standbys and residency_holds(demand, users, site)
    ]
    found = min(
        (
            (rtt_ms, other, primary)
            for primary in primaries
            for other, rtt_ms in _near(inventory, router, primary, others)
            if not exceeds(rtt_ms, limit)
        ),
        default=None,
    )
    if found is None:
        return f"no site of the inventory is near enough: add one within {limit:g} ms of {' or '.join(primaries[:3])}"
    rtt_ms, other, primary = found
    return f"the nearest site that would do is {other!r}, {rtt_ms:.3g} ms from {primary!r} – set can_host = yes there"


def _near(inventory: Inventory, router: Router, primary: str, others: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Sites that may back up a primary but for the distance, with their round trips [ms]."""
    trips = router.round_trips(primary)
    for other in others:
        if other in trips and separation_reason(inventory, primary, other) is None:
            yield other, trips[other]


def too_thin(router: Router, demand: Demand, stream_mbps: float, pairs: Iterable[tuple[str, str]]) -> str:
    """That no path between two sites carries a stream, even alone and upgraded, with the bandwidth that would do.

    Parameters
    ----------
    router : Router
        Least-RTT routes with nothing failed.
    demand : Demand
        What is to be protected.
    stream_mbps : float
        Bandwidth that its stream needs in the period of largest change [Mbit/s].
    pairs : iterable of (primary, standby)
        Sites that every other rule allows.

    Returns
    -------
    str
        Empty where some path carries it.
    """
    best: tuple[float, WanLink] | None = None
    for primary, standby in pairs:
        route = router.route(primary, standby)
        if route is None:
            continue
        hops = [(router.wan.links[hop.link], hop.forward) for hop in route.hops]
        usable = [(max(link.usable_mbps(way), link.usable_mbps(way, True)), link) for link, way in hops]
        narrowest = min(usable, key=lambda entry: entry[0], default=None)
        if narrowest is None or not exceeds(stream_mbps, narrowest[0]):
            return ""
        if best is None or narrowest[0] > best[0]:
            best = narrowest
    if best is None:
        return ""
    carried, link = best
    needed = (stream_mbps + link.reserved_mbps) / link.limit
    return (
        f"NET-002: the replication of {demand} needs {_both(stream_mbps)} at its peak; the widest path to a standby "
        f"carries {_both(carried)} on link {link.link!r}, without any other traffic – a bandwidth of at least "
        f"{needed:.4g} Mbit/s would do, or less change"
    )


def _both(mbps: float) -> str:
    return f"{mbps:.4g} Mbit/s ({mbps / MEGABITS_PER_MEGABYTE:.3g} MB/s)"
