"""What the report says about recovery, links, risks and assumptions, from the plan and its own inventory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from fleet.exchange.figures import counted
from fleet.exchange.report.charts import utilization_bar
from fleet.failures.pairs import harm
from fleet.failures.sweep import FailureRow
from fleet.inventory.inventory import DemandKey, Inventory
from fleet.inventory.tables.policy import Policy
from fleet.operations.alerts import forecast_alerts
from fleet.plan.context import PlanContext
from fleet.plan.plan import Finding, LinkRow, Plan, StandbyRow
from fleet.rulepack import RulePack
from fleet.wan.graph import build_wan
from fleet.wan.replication import CLOUD

#: How many rows of a long table the report shows; the workbook has them all.
SHOWN = 40
SHOWN_LINKS = SHOWN_FAILURES = 20
#: Where failures and alerts cannot be computed.
NO_OUTLOOK: Mapping[str, Any] = {"note": "", "failures": (), "hidden_failures": 0, "alerts": (), "quiet": 0}
#: Where the fleet is too large to fail every element for a report.
UNSWEPT: Mapping[str, Any] = {
    **NO_OUTLOOK,
    "note": "Not computed for a fleet of this size: run fleet fail PLAN --all single.",
}
SEVERITIES = ("error", "warning", "info")


def standby_groups(plan: Plan, inventory: Inventory) -> list[dict[str, Any]]:
    """Copies by primary, standby and mechanism, each with the demand nearest to its recovery point objective."""
    groups: dict[tuple[str, str, str], list[StandbyRow]] = defaultdict(list)
    for row in plan.document.standbys:
        groups[row.cluster, row.standby, row.mechanism].append(row)
    found = []
    for (primary, standby, mechanism), rows in sorted(groups.items()):
        tightest = min(rows, key=lambda row: (_slack(row, inventory), row.workload, row.site))
        found.append(
            {
                "primary": primary,
                "standby": standby or CLOUD,
                "mechanism": mechanism.replace("_", " "),
                "demands": len(rows),
                "mbps": sum(row.required_mbps for row in rows),
                "rtt": max(row.rtt_ms for row in rows) if standby else None,
                "path": " → ".join(rows[0].path) or ("–" if standby else "internet access"),
                "tightest": f"{tightest.workload} at {tightest.site}",
                "rpo": tightest.rpo_minutes,
                "rpo_objective": _objective(tightest, inventory, "rpo_minutes"),
                "rto": max(row.rto_minutes for row in rows),
                "rto_objective": min(
                    (value for row in rows if (value := _objective(row, inventory, "rto_minutes")) is not None),
                    default=None,
                ),
            }
        )
    return found


def _objective(row: StandbyRow, inventory: Inventory, column: str) -> float | None:
    demand = inventory.demand_by_key.get(DemandKey(row.workload, row.site))
    value: float | None = None if demand is None else getattr(demand.row, column)
    return value


def _slack(row: StandbyRow, inventory: Inventory) -> float:
    """Minutes between objective and achieved recovery point; no objective is the widest."""
    objective = _objective(row, inventory, "rpo_minutes")
    return float("inf") if objective is None else objective - row.rpo_minutes


def links(plan: Plan) -> dict[str, Any]:
    """The fullest links: each in the direction and period of its largest worst load."""
    fullest: dict[str, LinkRow] = {}
    for row in plan.document.links:
        known = fullest.get(row.link)
        if known is None or _share(row) > _share(known):
            fullest[row.link] = row
    rows = sorted(fullest.values(), key=lambda row: (-_share(row), row.link))
    return {
        "rows": [
            {
                "row": row,
                "normal": utilization_bar(row.normal_mbps, 0.0, row.capacity_mbps),
                "worst": utilization_bar(row.worst_mbps, 0.0, row.capacity_mbps),
            }
            for row in rows[:SHOWN_LINKS]
        ],
        "hidden": max(0, len(rows) - SHOWN_LINKS),
    }


def _share(row: LinkRow) -> float:
    return row.worst_mbps / row.capacity_mbps if row.capacity_mbps > 0 else float(row.worst_mbps > 0)


def findings(plan: Plan) -> list[dict[str, Any]]:
    """Audit findings by severity."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in plan.document.findings:
        groups[finding.severity].append(finding)
    return [
        {"severity": severity, "rows": groups[severity][:SHOWN], "hidden": max(0, len(groups[severity]) - SHOWN)}
        for severity in SEVERITIES
        if groups[severity]
    ]


def outlook(context: PlanContext, rows: Sequence[FailureRow]) -> dict[str, Any]:
    """The loss of every single element, the worst first, and the alerts ahead."""
    alerts = forecast_alerts(context)
    harmful = [row for row in rows if any(harm(row))]
    harmful.sort(key=lambda row: (*(-part for part in harm(row)), row.element))
    coming = [row for row in alerts if row.month is not None]
    coming.sort(key=lambda row: (row.month, row.cluster, row.resource, row.alert))
    broken = sum(bool(row.broken_promises) for row in rows)
    return {
        "note": f"{counted(sum(row.count for row in rows), 'element')} failed one at a time, "
        f"{counted(broken, 'element')} with a broken promise; elements whose loss nobody notices are left out.",
        "failures": [
            {"row": row, "broken": [text for text in row.broken_promises if text not in row.overloaded]}
            for row in harmful[:SHOWN_FAILURES]
        ],
        "hidden_failures": max(0, len(harmful) - SHOWN_FAILURES),
        "alerts": coming,
        "quiet": len(alerts) - len(coming),
    }


def assumptions(inventory: Inventory, pack: RulePack | None) -> dict[str, Any]:
    """What the plan takes for granted: estimated round trips, unpublished facts, and the choices of the policy."""
    wan = build_wan(inventory)
    estimated = [link for link in wan.links.values() if link.rtt_source == "estimated"]
    clouds = [name for name in wan.networks if wan.sites[name].has_distance]
    defaults = Policy()
    return {
        "estimated": [f"{link.link} {link.rtt_ms:.1f} ms" for link in estimated],
        "link_count": len(wan.links),
        "clouds": clouds,
        "ms_per_km": f"{wan.rtt_ms_per_km:g}",
        "facts": [] if pack is None else [fact for _, fact in sorted(pack.facts.items()) if fact.is_assumption],
        "switches": [] if pack is None else list(pack.switches),
        "policy": [
            (key.replace("_", " "), _shown(value), _shown(getattr(defaults, key)))
            for key, value in inventory.policy
            if value != getattr(defaults, key)
        ],
    }


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "; ".join(str(part) for part in value)
    return "–" if value in (None, "") else str(value)
