"""Fit the two constants of `fleet.wan.latency` to measured round trips between cloud regions.

Run ``python benchmarks/latency_fit.py``; the data is read from ``$FLEET_BENCH`` or ``../shared/bench`` and never
copied. The statement in `fleet/wan/latency.py` quotes what this prints.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

#: Distances that a fleet of one country or continent plans with [km].
MAX_KM = 4000.0
#: Huber's tuning constant: 95 % efficiency on normal residuals.
TUNING = 1.345
BANDS_KM = ((0, 300), (300, 1000), (1000, 2000), (2000, 4000))
PERCENTILES = (10, 50, 90)


@dataclass(frozen=True)
class LatencyFit:
    """Constant [ms], slope [ms/km] and the data that they were fitted to."""

    constant_ms: float
    slope_ms_per_km: float
    km: np.ndarray
    rtt_ms: np.ndarray

    @property
    def estimate_ms(self) -> np.ndarray:
        """The estimate of every pair, shape (n_pairs,)."""
        return self.constant_ms + self.slope_ms_per_km * self.km


def latency_file() -> Path:
    """Where the measurements are expected."""
    root = Path(__file__).resolve().parents[1]
    return Path(os.environ.get("FLEET_BENCH", root.parent / "shared" / "bench")) / "latency" / "azure_regions.csv"


def fit(path: Path) -> LatencyFit:
    """Huber's M-estimator on relative residuals by iteratively reweighted least squares."""
    pairs = pd.read_csv(path).dropna(subset=["km", "rtt_ms"])
    pairs = pairs[(pairs["km"] > 0) & (pairs["km"] <= MAX_KM)]
    km, rtt_ms = pairs["km"].to_numpy(float), pairs["rtt_ms"].to_numpy(float)
    design = np.column_stack([np.ones_like(km), km])
    coefficients = np.linalg.lstsq(design, rtt_ms, rcond=None)[0]
    for _ in range(200):
        estimate = design @ coefficients
        relative = np.abs(rtt_ms - estimate) / estimate
        scale = 1.4826 * np.median(relative)
        weight = np.sqrt(np.minimum(1.0, TUNING * scale / np.maximum(relative, 1e-12))) / estimate
        coefficients = np.linalg.lstsq(design * weight[:, None], rtt_ms * weight, rcond=None)[0]
    return LatencyFit(float(coefficients[0]), float(coefficients[1]), km, rtt_ms)


def main() -> int:
    """Print the fit and its residuals."""
    path = latency_file()
    if not path.is_file():
        print(f"{path} is not there; set FLEET_BENCH", file=sys.stderr)
        return 1
    result = fit(path)
    residual, ratio = result.rtt_ms - result.estimate_ms, result.rtt_ms / result.estimate_ms
    print(f"pairs {len(result.km)}")
    print(f"constant {result.constant_ms:.4f} ms, slope {result.slope_ms_per_km:.6f} ms/km")
    print("residual [ms], percentiles 10 50 90:", np.round(np.percentile(residual, PERCENTILES), 2))
    print("measured / estimated, percentiles 10 50 90:", np.round(np.percentile(ratio, PERCENTILES), 2))
    for low, high in BANDS_KM:
        band = ratio[(result.km >= low) & (result.km < high)]
        print(f"  {low}-{high} km, {len(band)} pairs:", np.round(np.percentile(band, PERCENTILES), 2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
