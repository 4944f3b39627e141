"""Growth forecasts.

A profile is either an annual rate, ``base × (1 + annual_rate)^(month / 12)``, or points of month and factor,
linear between them and constant outside.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from fleet.quantities import MONTHS_PER_YEAR
from fleet.tables import InputRow, Name, column


class GrowthPoint(InputRow):
    """One row of the growth table: a rate, or a point of a curve."""

    profile: Name = column(meaning="name that workloads refer to")
    annual_rate: float | None = column(None, unit="fraction/year", meaning="compound rate, 0.1 = 10 %", gt=-1)
    month: int | None = column(None, unit="month", meaning="month of a point", ge=0)
    factor: float | None = column(None, meaning="demand as a multiple of the base at that month", ge=0)


@dataclass(frozen=True)
class GrowthProfile:
    """How demand develops: a rate, or points sorted by month."""

    name: str
    annual_rate: float | None = None
    points: tuple[tuple[int, float], ...] = ()

    def factor(self, month: int) -> float:
        """Demand in `month` as a multiple of the base."""
        if self.annual_rate is not None:
            return float((1.0 + self.annual_rate) ** (month / MONTHS_PER_YEAR))
        months = [point[0] for point in self.points]
        right = bisect.bisect_right(months, month)
        if right == 0:
            return self.points[0][1]
        if right == len(months):
            return self.points[-1][1]
        (month_a, factor_a), (month_b, factor_b) = self.points[right - 1], self.points[right]
        return factor_a + (factor_b - factor_a) * (month - month_a) / (month_b - month_a)


NO_GROWTH = GrowthProfile("", annual_rate=0.0)


def profiles(rows: tuple[GrowthPoint, ...]) -> dict[str, GrowthProfile]:
    """Gather the rows of the growth table into profiles. Rows are assumed checked."""
    gathered: dict[str, GrowthProfile] = {}
    for name in sorted({row.profile for row in rows}):
        own = [row for row in rows if row.profile == name]
        rates = [row.annual_rate for row in own if row.annual_rate is not None]
        if rates:
            gathered[name] = GrowthProfile(name, annual_rate=rates[0])
        else:
            points = sorted((row.month, row.factor) for row in own if row.month is not None and row.factor is not None)
            gathered[name] = GrowthProfile(name, points=tuple(points))
    return gathered
