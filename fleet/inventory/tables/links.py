"""WAN links as a planner states them."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import Field

from fleet.tables import InputRow, Name, Text, Texts, column


class Link(InputRow):
    """One WAN circuit between two sites, or between a site and a carrier cloud. Parallel links are allowed."""

    from_: Name = Field(alias="from", description="site at one end", json_schema_extra={"unit": ""})
    to: Name = column(meaning="site at the other end")
    bandwidth_mbps: float = column(unit="Mbit/s", meaning="bandwidth from → to", gt=0)
    link: Text = column("", meaning="unique name of the link; generated from its ends where blank")
    back_mbps: float | None = column(None, unit="Mbit/s", meaning="bandwidth to → from; the same where blank", gt=0)
    rtt_ms: float | None = column(
        None,
        unit="ms",
        meaning="measured round trip, to a carrier cloud that of the last mile to its edge; estimated where blank",
        ge=0,
    )
    monthly_cost: float = column(0.0, unit="currency/month", meaning="always paid", ge=0)
    max_utilization: float | None = column(
        None, unit="fraction", meaning="load limit of this link; max_link_utilization where blank", gt=0, le=1
    )
    reserved_mbps: float = column(0.0, unit="Mbit/s", meaning="taken by others in each direction", ge=0)
    upgrade_mbps: float | None = column(
        None, unit="Mbit/s", meaning="bandwidth of both directions after the upgrade", gt=0
    )
    upgrade_monthly_cost: float = column(
        0.0, unit="currency/month", meaning="on top of monthly_cost once upgraded", ge=0
    )
    shared_risk: Texts = column((), meaning="ducts or groups whose links fail together")


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The first of a name, the name with ``#2``, ``#3`` and so on that no other link has.

    Examples
    --------
    >>> free_name("a--b", ()), free_name("a--b", ("a--b", "a--b#2"))
    ('a--b', 'a--b#3')
    """
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}#{number}"
    return name
