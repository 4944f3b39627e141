"""Policy: the choices that hold for the whole fleet."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import model_validator

from fleet.tables import InputRow, Name, Row, Text, Texts, YesNo, column, lowered

#: VLAN numbers that a network may have (IEEE 802.1Q, without the default one).
VLANS = range(2, 4095)


class PolicyRow(InputRow):
    """One row of the policy table."""

    key: Name = column(meaning="name of the choice")
    value: Text = column("", meaning="its value; the default where blank")


class Policy(Row):
    """Every choice with its default."""

    rule_pack: Text = column("azure-local", meaning="vendor facts: azure-local, deep-dive, or a path to a pack")
    horizon_months: int = column(18, unit="months", meaning="planning horizon", ge=1, le=240)
    period_months: int = column(6, unit="months", meaning="length of a period", ge=1, le=240)
    start: datetime.date | None = column(None, meaning="ISO date in month 0, for the age of clusters that stand")
    discount_rate: float = column(0.08, unit="fraction/year", meaning="for present value", ge=0, le=1)
    budget: float | None = column(None, unit="currency", meaning="limit on nominal purchases", ge=0)
    reserve_nodes: int = column(1, meaning="nodes of compute kept free in a cluster (N+k)", ge=0, le=4)
    vcpu_per_core: float = column(4.0, unit="vCPU/core", meaning="oversubscription ratio", gt=0, le=64)
    pool_fill: float = column(
        0.70, unit="fraction", meaning="of the usable pool that may be filled, whatever the rule pack says", gt=0, le=1
    )
    max_utilization: float = column(0.90, unit="fraction", meaning="of usable vCPU and memory", gt=0, le=1)
    max_link_utilization: float = column(0.80, unit="fraction", meaning="of a link's bandwidth", gt=0, le=1)
    min_separation_km: float = column(0.0, unit="km", meaning="between a primary and its standby", ge=0)
    partner_scope: Literal["workload", "cluster"] = column(
        "workload", meaning="cluster = all protected demands of a cluster share one standby"
    )
    standby_reserve: Literal["shared", "dedicated"] = column(
        "shared", meaning="shared = largest single failed fault domain; dedicated = the sum"
    )
    standby_uses_node_reserve: YesNo = column(False, meaning="may a failover use the nodes kept free")
    shared_risk: Literal["warning", "hard"] = column(
        "warning",
        meaning="loss of all links of one shared_risk at once: warning = told; hard = every limit holds after it as "
        "after the loss of a site",
    )
    stream_cut: Literal["warning", "hard"] = column(
        "warning",
        meaning="copies that stop where one link, network or site between primary and standby fails: warning = told; "
        "hard = every pair keeps a path within the round trip of its mechanism",
    )
    cloud_country: Text = column("", meaning="country of the cloud region in which demands recover, for residency")
    cloud_region: Text = column("", meaning="region of it, for residency")
    cloud_rtt_ms: float | None = column(
        None, unit="ms", meaning="round trip of users to it over the internet; not judged where blank", ge=0
    )
    failure_rtt_factor: float = column(2.0, meaning="longest round trip after a failure, times max_rtt_ms", ge=1)
    peak_factor: float = column(3.0, meaning="peak change rate over the daily mean", ge=1)
    compression: float = column(0.6, unit="fraction", meaning="of the delta that is shipped", gt=0, le=1)
    protocol_overhead: float = column(1.1, meaning="bytes on the wire over bytes shipped", ge=1)
    backup_window_hours: float = column(
        8.0, unit="hours", meaning="of a day, in which its changes reach backup_site", gt=0, le=24
    )
    rtt_constant_ms: float | None = column(
        None,
        unit="ms",
        meaning="estimate: constant of a path, half of it at each end; calibrated where blank",
        ge=0,
    )
    rtt_ms_per_km: float | None = column(
        None,
        unit="ms/km",
        meaning="estimate: slope, at least that of light in fiber (1/102); also between members of a carrier cloud; "
        "calibrated where blank",
        ge=0,
    )
    residual_value: Literal["none", "straight_line"] = column("none", meaning="of nodes at the horizon")
    asset_life_months: int = column(60, unit="months", meaning="for the residual value", ge=1)
    objectives: Texts = column(("present_value",), meaning="ordered list of what is minimized")
    currency: Text = column("USD", meaning="of every amount")
    default_network: Text = column("", meaning="carrier cloud that sites with wan_mbps attach to")
    pool_layout: Literal["single", "per_tier"] = column(
        "single", meaning="single = tiers of one resiliency type share volumes; per_tier = every tier has its own"
    )
    converged: YesNo = column(True, meaning="one converged network intent or separate ones")
    storage_switch: YesNo = column(True, meaning="storage traffic over switches; no = direct cables where possible")
    hybrid_benefit: YesNo = column(False, meaning="licenses waive the host fee and the Windows subscription")
    windows_subscription: YesNo = column(False, meaning="Windows Server guests by subscription, on every core")
    address_space: Text = column("10.64.0.0/12", meaning="for management and storage subnets")
    vlan_range: Text = column("100-3999", meaning="numbers for the VLANs of clusters, first-last")
    allow_unserved: YesNo = column(False, meaning="may demands be left out, each with its reason")

    @model_validator(mode="before")
    @classmethod
    def _lower(cls, data: Any) -> Any:
        return lowered(
            data, ("partner_scope", "standby_reserve", "residual_value", "pool_layout", "shared_risk", "stream_cut")
        )

    @property
    def vlans(self) -> range:
        """The numbers of `vlan_range`; empty where it is not written as first-last within 2 to 4094."""
        first, _, last = self.vlan_range.partition("-")
        if not (first.strip().isdecimal() and last.strip().isdecimal()):
            return range(0)
        numbers = range(int(first), int(last) + 1)
        return numbers if numbers and VLANS[0] <= numbers[0] and numbers[-1] <= VLANS[-1] else range(0)

    def failure_rtt_limit(self, max_rtt_ms: float | None) -> float | None:
        """Longest round trip of users after a failure [ms]; None where `max_rtt_ms` sets none."""
        return None if max_rtt_ms is None else max_rtt_ms * self.failure_rtt_factor

    @property
    def period_count(self) -> int:
        """Number of periods, the last one possibly shorter."""
        return -(-self.horizon_months // self.period_months)
