"""The price book and the failure-rate table."""

from __future__ import annotations

import datetime

from fleet.tables import InputRow, Name, Text, column

#: Every item that a price book may hold: unit and meaning. Default amounts come from the rule pack.
PRICE_ITEMS: dict[str, tuple[str, str]] = {
    "host_fee_per_core_month": ("currency/core/month", "platform host fee per physical core"),
    "hybrid_benefit_per_core_month": ("currency/core/month", "licenses that waive host fee and guest subscription"),
    "windows_subscription_per_core_month": ("currency/core/month", "Windows Server guest subscription"),
    "power_price_per_kwh": ("currency/kWh", "energy where the site states none"),
    "cooling_kwh_per_kwh": ("kWh/kWh", "energy for cooling per energy of the nodes"),
    "switch_port": ("currency/port", "purchase of one switch port with its cable"),
    "backup_per_instance_month": ("currency/instance/month", "backup fee of one instance"),
    "backup_storage_per_gb_month": ("currency/GB/month", "storage of backups"),
    "application_sync_per_stream_month": ("currency/stream/month", "fee of application-level synchronous protection"),
    "replica_per_stream_month": ("currency/stream/month", "fee of an interval replica"),
    "site_recovery_per_instance_month": ("currency/instance/month", "fee of recovery in the cloud"),
    "site_recovery_storage_per_gb_month": ("currency/GB/month", "storage of replicas in the cloud"),
}


class Price(InputRow):
    """One price, dated and sourced."""

    item: Name = column(meaning="what is priced")
    price: float = column(unit="see unit", meaning="amount", ge=0)
    unit: Text = column("", meaning="unit, for the reader; must be the item's own where given")
    currency: Text = column("", meaning="currency; the policy's where blank")
    as_of: datetime.date | None = column(None, meaning="date of the price")
    source: Text = column("", meaning="where it comes from")


class FailureRate(InputRow):
    """How often an element fails and how long it takes to repair."""

    element: Name = column(meaning="drive, node, cluster, site, link, network, or one element's name")
    mtbf_hours: float = column(unit="hours", meaning="mean time between failures", gt=0)
    mttr_hours: float = column(unit="hours", meaning="mean time to repair", ge=0)
    source: Text = column("", meaning="where it comes from")
