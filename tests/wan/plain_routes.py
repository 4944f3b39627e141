"""Routes by trying every path, with nothing shared with the router but the network: what it must find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from geopy.distance import great_circle

from fleet.inventory.tables.sites import Site
from fleet.wan.graph import Wan
from fleet.wan.states import FailureState

#: Decimals to which sums of round trips are compared [ms].
DECIMALS = 6


def km(a: Site, b: Site) -> float:
    """Distance by another library and another formula [km]; 0 where it is unknown."""
    if a.latitude is None or b.latitude is None:
        return 0.0
    return float(great_circle((a.latitude, a.longitude), (b.latitude, b.longitude)).km)


class Journey(NamedTuple):
    """A way from a site to another by one link or through carrier clouds, distance included [ms]."""

    to: str
    rtt_ms: float
    links: tuple[str, ...]


def without(wan: Wan, state: FailureState) -> Wan:
    """The network that is left in a state."""
    sites = {name: site for name, site in wan.sites.items() if name not in state.sites}
    links = {
        name: link
        for name, link in wan.links.items()
        if name not in state.links and link.from_ in sites and link.to in sites
    }
    return Wan(links, sites, wan.transit - state.sites, wan.rtt_ms_per_km)


def journeys(wan: Wan, origin: str) -> Iterator[Journey]:
    """Every way from a site to another that passes no third one."""

    def extend(cloud: str, passed: tuple[str, ...], rtt_ms: float, links: tuple[str, ...]) -> Iterator[Journey]:
        far = any(wan.sites[name].has_distance for name in passed)
        for name in wan.links_of[cloud]:
            other = wan.links[name].other_end(cloud)
            beyond = rtt_ms + wan.links[name].rtt_ms
            if not wan.sites[other].is_network:
                distance = km(wan.sites[origin], wan.sites[other]) if far else 0.0
                if other != origin:
                    yield Journey(other, beyond + wan.rtt_ms_per_km * distance, (*links, name))
            elif other in wan.transit and other not in passed:
                yield from extend(other, (*passed, other), beyond, (*links, name))

    for name in wan.links_of[origin]:
        other = wan.links[name].other_end(origin)
        if not wan.sites[other].is_network:
            if other != origin:
                yield Journey(other, wan.links[name].rtt_ms, (name,))
        elif other in wan.transit:
            yield from extend(other, (other,), wan.links[name].rtt_ms, (name,))


class PlainHop(NamedTuple):
    """One link of a route and whether it is used from its `from_` to its `to` end."""

    link: str
    forward: bool


class PlainRoute(NamedTuple):
    """A route: round trip [ms] and links in order."""

    rtt_ms: float
    hops: tuple[PlainHop, ...]

    @property
    def links(self) -> tuple[str, ...]:
        """The link ids in order."""
        return tuple(hop.link for hop in self.hops)


def is_possible(wan: Wan, a: str, b: str, rtt_ms: float) -> bool:
    """Whether light in fiber makes the way there and back: 1 ms for every 102 km."""
    least = km(wan.sites[a], wan.sites[b]) / 102
    return rtt_ms >= least - 1e-6 * max(1.0, least)


def walk(wan: Wan, origin: str, links: tuple[str, ...]) -> Iterator[PlainHop]:
    """The direction in which each link of a route is used."""
    site = origin
    for name in links:
        yield PlainHop(name, wan.links[name].from_ == site)
        site = wan.links[name].other_end(site)


def plain_route(wan: Wan, origin: str, host: str) -> PlainRoute | None:
    """The best of all paths: least round trip, then fewest links, then smallest link ids from the origin on."""
    if origin == host:
        return PlainRoute(0.0, ())
    ways = {name: tuple(journeys(wan, name)) for name, site in wan.sites.items() if not site.is_network}
    best: tuple[float, int, tuple[str, ...]] | None = None
    rtt_of_best = 0.0

    def extend(site: str, passed: frozenset[str], rtt_ms: float, links: tuple[str, ...]) -> None:
        nonlocal best, rtt_of_best
        if best is not None and round(rtt_ms, DECIMALS) > best[0]:
            return
        if site == host:
            found = (round(rtt_ms, DECIMALS), len(links), links)
            if best is None or found < best:
                best, rtt_of_best = found, rtt_ms
        elif site == origin or site in wan.transit:
            for way in ways[site]:
                if way.to not in passed:
                    extend(way.to, passed | {way.to}, rtt_ms + way.rtt_ms, (*links, *way.links))

    extend(origin, frozenset({origin}), 0.0, ())
    return None if best is None else PlainRoute(rtt_of_best, tuple(walk(wan, origin, best[2])))
