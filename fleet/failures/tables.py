"""Every table about failures and recovery, as exports show them."""

from __future__ import annotations

from fleet.failures.availability import AvailabilityRow, plan_availability
from fleet.failures.details import RecoveryRow, RemainsRow, recovery_rows, remains_rows, survey
from fleet.failures.incidents import Breaker
from fleet.failures.networks import (
    LinkHealthRow,
    RiskGroupRow,
    SiteHealthRow,
    link_health,
    risk_groups,
    site_health,
)
from fleet.failures.proof import ProofRow, prove_recovery_points
from fleet.failures.reserve import ReserveRow, compare_reserves
from fleet.failures.sweep import FailureRow
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import Plan
from fleet.tables import Row
from fleet.wan.connectivity import Connectivity
from fleet.wan.states import NORMAL

#: The tables in the order of sheets and files, with their row types.
FAILURE_TABLES: dict[str, type[Row]] = {
    "failures": FailureRow,
    "recoveries": RecoveryRow,
    "remains": RemainsRow,
    "proofs": ProofRow,
    "reserves": ReserveRow,
    "availability": AvailabilityRow,
    "link_health": LinkHealthRow,
    "site_health": SiteHealthRow,
    "risk_groups": RiskGroupRow,
}
#: Fleets with more pairs of link and demand are swept on demand, not for every export.
SWEPT_PAIRS = 60_000_000
#: The same for failures and demands that are cut off with nothing failed, which every failure looks at again.
SWEPT_CUTS = 2_000_000


def is_sweepable(normal: NormalState) -> bool:
    """Whether a plan is small enough that every export sweeps it."""
    context = normal.context
    cuts = len(normal.touched(NORMAL)) * len(normal.failures)
    return len(context.links) * len(context.demands) <= SWEPT_PAIRS and cuts <= SWEPT_CUTS


def failure_tables(plan: Plan, normal: NormalState) -> dict[str, tuple[Row, ...]]:
    """What breaks, what comes back, and what proves it: the rows of every table in `FAILURE_TABLES`."""
    breaker = Breaker(plan, normal)
    found = survey(breaker)
    connectivity = Connectivity(normal.context.wan)
    return {
        "failures": found.rows,
        "recoveries": tuple(row for incident in found.incidents for row in recovery_rows(breaker, incident)),
        "remains": tuple(row for incident in found.incidents for row in remains_rows(breaker, incident)),
        "proofs": prove_recovery_points(normal),
        "reserves": compare_reserves(normal.context),
        "availability": plan_availability(breaker),
        "link_health": link_health(plan, connectivity),
        "site_health": site_health(normal.context, connectivity),
        "risk_groups": risk_groups(connectivity),
    }
