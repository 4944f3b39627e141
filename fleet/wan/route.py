"""A route through the network: its links, and its round trip."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hop:
    """One link of a route and whether it is used from its `from_` to its `to` end."""

    link: str
    forward: bool


@dataclass(frozen=True, slots=True)
class Route:
    """A route from users to a host: its round trip [ms] and its links in that order."""

    rtt_ms: float
    hops: tuple[Hop, ...]

    @property
    def links(self) -> tuple[str, ...]:
        """The link ids in order."""
        return tuple(hop.link for hop in self.hops)


#: The route of users at the host itself.
LOCAL = Route(0.0, ())
