"""Units and the resource vector.

Inside Fleet: memory in GiB as sold (``_gb``), storage in decimal TB (``_tb``), bandwidth in Mbit/s per
direction, round-trip time in ms, money in the policy's currency. Conversions happen at the border only.
"""

from __future__ import annotations

from dataclasses import dataclass

GB_PER_TB = 1000.0
WATTS_PER_KW = 1000.0
#: Bytes of a TiB over bytes of a TB; Windows shows TiB.
TB_PER_TIB = 2.0**40 / 1e12
MONTHS_PER_YEAR = 12
#: Mean hours and days of a month, for energy and per-day fees (365.25 days a year).
HOURS_PER_MONTH = 730.5
DAYS_PER_MONTH = 30.4375

#: The resources that a cluster offers and a demand consumes, in the order of every array.
RESOURCES = ("vcpu", "memory_gb", "pool_tb", "gpu")
#: The resources that a standby claims only after a failure.
COMPUTE_RESOURCES = ("vcpu", "memory_gb", "gpu")


@dataclass(frozen=True, slots=True)
class Resources:
    """Amounts of each resource: vCPU at the policy's ratio, GiB, pool footprint in TB, GPUs."""

    vcpu: float = 0.0
    memory_gb: float = 0.0
    pool_tb: float = 0.0
    gpu: float = 0.0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.vcpu + other.vcpu,
            self.memory_gb + other.memory_gb,
            self.pool_tb + other.pool_tb,
            self.gpu + other.gpu,
        )

    def as_tuple(self) -> tuple[float, float, float, float]:
        """The amounts in the order of `RESOURCES`."""
        return (self.vcpu, self.memory_gb, self.pool_tb, self.gpu)


def gb_to_tb(amount_gb: float) -> float:
    """Decimal gigabytes as decimal terabytes."""
    return amount_gb / GB_PER_TB


def tb_to_tib(amount_tb: float) -> float:
    """Decimal terabytes as binary tebibytes, as Windows shows them."""
    return amount_tb / TB_PER_TIB
