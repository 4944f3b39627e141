"""Sites: where people work, where clusters may stand, and the carrier clouds between them."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from fleet.tables import InputRow, Name, Text, Texts, YesNo, column

#: The kind of a carrier cloud (an MPLS or SD-WAN network that many sites attach to).
NETWORK_KIND = "network"


class Site(InputRow):
    """One location. A site of kind ``network`` is a carrier cloud and hosts nothing."""

    site: Name = column(meaning="unique name of the site")
    name: Text = column("", meaning="what people call it; the site name where blank")
    kind: Text = column("", meaning="store, hospital, rdc, hq, network …; workloads may name a kind")
    latitude: float | None = column(None, unit="degrees", meaning="WGS84 latitude", ge=-90, le=90)
    longitude: float | None = column(None, unit="degrees", meaning="WGS84 longitude", ge=-180, le=180)
    place: Text = column("", meaning="city or postal place, used offline where coordinates are blank")
    country: Text = column("", meaning="country for residency, compared exactly")
    region: Text = column("", meaning="region or state for residency, compared exactly")
    fault_domain: Text = column("", meaning="sites that share a fate share this; the site where blank")
    can_host: YesNo | None = column(
        None, meaning="may a cluster be built here; blank = yes where one stands already, else no"
    )
    transit: YesNo | None = column(
        None, meaning="may others' traffic pass; blank = yes if it can host or is of kind network"
    )
    distance: YesNo | None = column(
        None,
        meaning="kind network only: do its members pay for the distance between them; blank = yes, no for a metro ring",
    )
    max_clusters: int = column(1, meaning="clusters that fit here", ge=1, le=64)
    max_nodes: int | None = column(None, meaning="nodes that fit here, all clusters together", ge=0)
    max_power_kw: float | None = column(None, unit="kW", meaning="power for nodes", ge=0)
    max_rack_units: float | None = column(None, unit="U", meaning="rack units for nodes", ge=0)
    zones: int = column(1, meaning="zones (rooms or racks) for rack-aware clusters", ge=1, le=8)
    opening_cost: float = column(0.0, unit="currency", meaning="paid once when a first cluster opens", ge=0)
    monthly_cost: float = column(0.0, unit="currency/month", meaning="paid while a cluster stands", ge=0)
    power_price_per_kwh: float | None = column(
        None, unit="currency/kWh", meaning="energy price; the price book's where blank", ge=0
    )
    internet: YesNo = column(True, meaning="is the internet reachable (decides the witness, and recovery in the cloud)")
    internet_mbps: float | None = column(
        None,
        unit="Mbit/s",
        meaning="bandwidth of its internet access for copies into the cloud; not judged if blank",
        gt=0,
    )
    wan_mbps: float | None = column(None, unit="Mbit/s", meaning="access circuit to default_network", gt=0)
    wan_rtt_ms: float | None = column(
        None, unit="ms", meaning="round trip of the access circuit to the carrier's edge; estimated where blank", ge=0
    )
    wan_monthly_cost: float = column(0.0, unit="currency/month", meaning="access circuit", ge=0)
    compliance: Texts = column((), meaning="regimes that apply here, such as HIPAA;SOC 2")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("site") not in (None, ""):
            filled = dict(data)
            for key in ("name", "fault_domain"):
                if filled.get(key) in (None, ""):
                    filled[key] = filled["site"]
            return filled
        return data

    @property
    def is_network(self) -> bool:
        """Whether this is a carrier cloud."""
        return self.kind.lower() == NETWORK_KIND

    @property
    def has_distance(self) -> bool:
        """Whether this is a carrier cloud whose members pay for the distance between them."""
        return self.is_network and self.distance is not False

    @property
    def is_transit(self) -> bool:
        """Whether traffic between other sites may pass here."""
        return (bool(self.can_host) or self.is_network) if self.transit is None else self.transit
