"""Workloads: what people at the sites need."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from fleet.tables import InputRow, Name, Text, Texts, column, lowered

TIERS = ("hot", "warm", "archive")


class Workload(InputRow):
    """One workload at one site, or at every site of a kind. Amounts are per instance and multiply by `count`."""

    workload: Name = column(meaning="name of the workload; unique per site")
    site: Text = column("", meaning="where its users are; or give kind")
    kind: Text = column("", meaning="one demand for every site of this kind; or give site")
    count: int = column(1, meaning="instances", ge=1)
    vcpus: float = column(unit="vCPU", meaning="virtual processors per instance", ge=0)
    memory_gb: float = column(unit="GiB", meaning="memory per instance", ge=0)
    storage_gb: float = column(unit="GB", meaning="data per instance, before any resiliency copies", ge=0)
    tier: Literal["hot", "warm", "archive"] = column("warm", meaning="storage tier, which decides the resiliency type")
    fault_tolerance: int = column(1, meaning="node failures through which data and quorum stay up", ge=0, le=2)
    zone_tolerance: int = column(
        0, meaning="zone failures through which it stays up; 1 needs a rack-aware cluster", ge=0, le=1
    )
    resiliency: Texts = column((), meaning="resiliency types that its data may have; any where blank")
    vcpu_per_core: float | None = column(
        None, unit="vCPU/core", meaning="own oversubscription ratio; the policy's where blank", gt=0
    )
    iops: float = column(0.0, unit="1/s", meaning="carried through; no public limit to plan against", ge=0)
    gpu_model: Text = column("", meaning="GPU that the node model must have")
    gpus: float = column(0.0, meaning="GPUs per instance", ge=0)
    gpu_mode: Literal["dda", "partition"] = column("dda", meaning="whole device or partition")
    traffic_mbps: float = column(0.0, unit="Mbit/s", meaning="user traffic per instance in each direction", ge=0)
    max_rtt_ms: float | None = column(None, unit="ms", meaning="longest acceptable round trip of the users", gt=0)
    placement: Literal["any", "local"] = column("any", meaning="local = only at its own site")
    protection: Literal["none", "auto", "async", "sync"] = column("none", meaning="copy elsewhere, to recover from")
    recovery: Literal["cluster", "cloud"] = column(
        "cluster",
        meaning="what protection copies to: cluster = a standby at another site; cloud = recovery in the cloud",
    )
    priority: int = column(0, meaning="order of recovery and seeding, smallest first", ge=0)
    rto_minutes: float | None = column(None, unit="minutes", meaning="recovery time objective", gt=0)
    rpo_minutes: float | None = column(None, unit="minutes", meaning="recovery point objective; 0 = no loss", ge=0)
    change_gb_per_day: float = column(0.0, unit="GB/day", meaning="data written per instance and day", ge=0)
    residency: Texts = column((), meaning="country, region, or codes of allowed countries or regions")
    affinity: Text = column("", meaning="same label at a site = same cluster and same standby")
    growth: Text = column("", meaning="growth profile; none where blank")
    from_month: int = column(0, unit="month", meaning="first month of demand", ge=0)
    backup_days: int = column(0, unit="days", meaning="days that backups are kept", ge=0)
    backup_site: Text = column(
        "", meaning="where backups are kept, and sent over the WAN; chosen afterwards where blank"
    )

    @model_validator(mode="before")
    @classmethod
    def _lower(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        row = lowered(data, ("tier", "gpu_mode", "placement", "protection", "recovery", "resiliency"))
        if isinstance(row.get("resiliency"), str):
            kinds = row["resiliency"].replace("_", " ").replace("-", " ").split(";")
            row["resiliency"] = ";".join("-".join(kind.split()) for kind in kinds)
        return row

    @property
    def is_protected(self) -> bool:
        """Whether the workload asks for a copy to recover from."""
        return self.protection != "none"

    @property
    def recovers_in_cloud(self) -> bool:
        """Whether that copy is in the cloud."""
        return self.is_protected and self.recovery == "cloud"

    @property
    def sends_backups(self) -> bool:
        """Whether its backups go over the WAN to a site that the planner names."""
        return self.backup_days > 0 and bool(self.backup_site)

    @property
    def has_standby(self) -> bool:
        """Whether that copy is on a standby cluster."""
        return self.is_protected and self.recovery == "cluster"
