"""Facility location on plain arrays, solved with proof: knows demands and facilities, nothing of fleets."""

from __future__ import annotations

from solvers.location.problem import FacilityProblem, FacilityProblemError
from solvers.location.result import Certificate, LocationResult
from solvers.location.solving import solve_location

__all__ = ["Certificate", "FacilityProblem", "FacilityProblemError", "LocationResult", "solve_location"]
