"""An integer linear program as plain arrays: what encoders fill and engines read.

It can be pickled (engine models cannot), carries the rule that each row stands for, and can be checked
against a solution without any engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solvers.tolerances import ROW_TOLERANCE

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
INFINITY = float("inf")


@dataclass
class LinearModel:
    """Minimize cost · v subject to row_lower ≤ A v ≤ row_upper, lower ≤ v ≤ upper, v integer where said."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    row_columns: list[Integers] = field(default_factory=list)
    row_values: list[Floats] = field(default_factory=list)
    row_rule: list[str] = field(default_factory=list)
    constant: float = 0.0

    @property
    def columns(self) -> int:
        """Number of variables."""
        return len(self.cost)

    @property
    def rows(self) -> int:
        """Number of constraints."""
        return len(self.row_rule)

    def add_variable(self, lower: float, upper: float, integer: bool, cost: float = 0.0) -> int:
        """Add a variable and return its column."""
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(integer)
        self.cost.append(cost)
        return len(self.cost) - 1

    def add_variables(self, uppers: Sequence[float] | Floats, integer: bool) -> Integers:
        """Add variables from 0 to `uppers` without cost and return their columns."""
        start = len(self.cost)
        count = len(uppers)
        self.lower.extend([0.0] * count)
        self.upper.extend(float(value) for value in uppers)
        self.integer.extend([integer] * count)
        self.cost.extend([0.0] * count)
        return np.arange(start, start + count, dtype=np.int64)

    def add_row(
        self,
        rule: str,
        terms: Iterable[tuple[int, float]],
        lower: float = -INFINITY,
        upper: float = INFINITY,
    ) -> None:
        """Add lower ≤ Σ value · variable ≤ upper; terms of the same variable are summed."""
        summed: dict[int, float] = {}
        for variable, value in terms:
            summed[variable] = summed.get(variable, 0.0) + value
        kept = [(variable, value) for variable, value in summed.items() if value != 0.0]
        self.add_arrays(
            rule,
            np.array([variable for variable, _ in kept], dtype=np.int64),
            np.array([value for _, value in kept], dtype=np.float64),
            lower,
            upper,
        )

    def add_arrays(self, rule: str, variables: Integers, values: Floats, lower: float, upper: float) -> None:
        """Add a row whose variables are distinct."""
        self.row_rule.append(rule)
        self.row_columns.append(variables)
        self.row_values.append(values)
        self.row_lower.append(lower)
        self.row_upper.append(upper)

    def objective(self, solution: Floats) -> float:
        """Cost of a solution, constant included."""
        return float(np.dot(np.asarray(self.cost), solution)) + self.constant

    def violated_rows(self, solution: Floats, tolerance: float = ROW_TOLERANCE) -> list[int]:
        """Rows, by index, that `solution` breaks by more than `tolerance` relative to their magnitude."""
        broken = []
        for index, (variables, values) in enumerate(zip(self.row_columns, self.row_values, strict=True)):
            products = values * solution[variables]
            activity = float(products.sum())
            scale = max(1.0, float(np.abs(products).max(initial=0.0)))
            if (
                activity < self.row_lower[index] - tolerance * max(scale, abs(self.row_lower[index]))
                if self.row_lower[index] > -INFINITY
                else False
            ) or (
                activity > self.row_upper[index] + tolerance * max(scale, abs(self.row_upper[index]))
                if self.row_upper[index] < INFINITY
                else False
            ):
                broken.append(index)
        return broken
