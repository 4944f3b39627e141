"""What is left to do for security and compliance, cluster by cluster, and what the plan itself can show for it."""

from __future__ import annotations

import datetime
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from fleet.inventory.inventory import Demand
from fleet.operations.backup import BackupRow, plan_backups
from fleet.plan.context import PlanContext
from fleet.plan.placement import exceeds, residency_holds
from fleet.plan.plan import Finding, Plan
from fleet.plan.rules.base import finding, listed
from fleet.tables import Row, column

#: The regime of items that hold everywhere: the security baseline of the rule pack.
BASELINE = "baseline"
#: Longest time between updates that still counts as keeping to them [months].
UPDATE_MONTHS = 1.0

State = Literal["required", "default", "available", "optional", "to do", "met", "open"]


class ChecklistRow(Row):
    """One thing to see to on one cluster."""

    cluster: str = column(meaning="cluster")
    site: str = column(meaning="where it stands")
    regime: str = column(meaning="baseline of the rule pack, or a regime that a site declares")
    control: str = column(meaning="item of the baseline, or reference within the regime")
    item: str = column(meaning="what it is about")
    state: str = column(
        meaning="required, default (on already), available, optional, to do; met or open where the plan shows it"
    )
    evidence: str = column("", meaning="what the plan shows")
    action: str = column("", meaning="what to do, or to leave as it is")
    source: str = column("", meaning="where it comes from")


class Control(Row):
    """One control of a regime."""

    control: str
    item: str
    action: str
    evidence: Literal["", "backup", "recovery", "residency", "updates", "capacity", "node-loss"] = ""


class Regime(Row):
    """One regime with the controls that concern a cluster."""

    title: str
    source: str
    date: datetime.date
    aliases: tuple[str, ...] = ()
    controls: tuple[Control, ...] = Field(min_length=1)


class Evidence(NamedTuple):
    """What a plan shows for a control."""

    is_met: bool
    text: str


@lru_cache(maxsize=1)
def regimes() -> Mapping[str, Regime]:
    """The regimes that there is a checklist for, by name."""
    text = (Path(__file__).parent / "regimes.toml").read_text(encoding="utf-8")
    return {name: Regime.model_validate(entry) for name, entry in tomllib.loads(text).items()}


def regime_named(name: str) -> str:
    """The name of the regime that people call `name`, spelled as they may; empty where there is none.

    Examples
    --------
    >>> regime_named("soc2"), regime_named("hipaa"), regime_named("house rules")
    ('SOC 2', 'HIPAA', '')
    """
    wanted = _plain(name)
    for known, regime in regimes().items():
        if wanted in {_plain(known), *(_plain(alias) for alias in regime.aliases)}:
            return known
    return ""


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def declared_regimes(context: PlanContext) -> dict[str, tuple[str, ...]]:
    """Per cluster, the regimes as declared that apply to it: of its own site, and of the sites whose data it holds."""
    sites = context.inventory.site_by_name
    found: dict[str, set[str]] = {
        cluster.name: set(sites[cluster.site].compliance) if cluster.site in sites else set()
        for cluster in context.clusters
    }
    for demand, primary, standby in zip(context.demands, context.primary, context.standby, strict=True):
        for host in (primary, standby):
            if host >= 0:
                found[context.clusters[int(host)].name].update(sites[demand.site].compliance)
    return {name: tuple(sorted(names)) for name, names in found.items()}


def plan_checklist(plan: Plan, context: PlanContext) -> tuple[ChecklistRow, ...]:
    """The checklist of every cluster: the baseline of the rule pack, then each regime that applies to its data.

    Parameters
    ----------
    plan : Plan
        The plan.
    context : PlanContext
        The same laid out.

    Notes
    -----
    Regimes follow the data: those of the cluster's own site and of the sites whose demands it runs or stands by for
    (column `compliance` of sites). A control that the plan has something to show for is `met` or `open`, judged on the
    demands of sites that declare the regime; all others are `to do`, since only people can see to them.
    """
    declared = declared_regimes(context)
    evidence = _Evidences(context, plan_backups(plan, context).rows)
    fact = context.pack.fact("security")
    rows = []
    for cluster in context.clusters:
        for item, entry in context.pack.table("security").items():
            rows.append(
                ChecklistRow(
                    cluster=cluster.name,
                    site=cluster.site,
                    regime=BASELINE,
                    control=item,
                    item=item.replace("-", " "),
                    state=str(entry["state"]),
                    action=str(entry["action"]),
                    source=f"rule pack {context.pack.name}, {fact.key} ({fact.date})",
                )
            )
        for name in dict.fromkeys(filter(None, map(regime_named, declared[cluster.name]))):
            regime = regimes()[name]
            for control in regime.controls:
                shown = evidence.of(control.evidence, cluster.name, name) if control.evidence else None
                rows.append(
                    ChecklistRow(
                        cluster=cluster.name,
                        site=cluster.site,
                        regime=name,
                        control=control.control,
                        item=control.item,
                        state="to do" if shown is None else "met" if shown.is_met else "open",
                        evidence="" if shown is None else shown.text,
                        action=control.action,
                        source=f"{regime.source} ({regime.date})",
                    )
                )
    return tuple(rows)


def checklist_findings(context: PlanContext, rows: tuple[ChecklistRow, ...]) -> Iterator[Finding]:
    """Regimes without a checklist, and controls that the plan leaves open."""
    unknown: defaultdict[str, set[str]] = defaultdict(set)
    for site in context.inventory.sites:
        for name in site.compliance:
            if not regime_named(name):
                unknown[name].add(site.site)
    for name, sites in sorted(unknown.items()):
        yield finding(
            "OPS-201",
            name,
            f"there is no checklist for {name!r}, declared at {listed(sorted(sites), 5)}",
            f"use one of {', '.join(regimes())}, or keep a list of your own",
            severity="warning",
        )
    for row in rows:
        if row.state == "open":
            yield finding(
                "OPS-202",
                row.cluster,
                f"{row.regime} {row.control}, {row.item}, is open: {row.evidence}",
                row.action,
                severity="info",
            )


class _Evidences:
    """What a plan shows for the controls of a regime on one cluster."""

    def __init__(self, context: PlanContext, backups: tuple[BackupRow, ...]) -> None:
        self._context = context
        domains = {site.site: site.fault_domain for site in context.inventory.sites}
        cluster_domain = {cluster.name: cluster.fault_domain for cluster in context.clusters}
        self._safe = {
            (row.workload, row.site)
            for row in backups
            if row.target and domains[row.target] != cluster_domain[row.cluster]
        }
        self._by_name: Mapping[str, Callable[[str, str], Evidence]] = {
            "backup": self._backup,
            "recovery": self._recovery,
            "residency": self._residency,
            "updates": self._updates,
            "capacity": self._capacity,
            "node-loss": self._node_loss,
        }

    def of(self, name: str, cluster: str, regime: str) -> Evidence:
        """The evidence of that name for one cluster and regime."""
        return self._by_name[name](cluster, regime)

    def _own(self, cluster: str, regime: str) -> list[Demand]:
        """Demands of a cluster whose site declares the regime; all of them where only the cluster's own site does."""
        context, place = self._context, self._context.cluster_index[cluster]
        own = [demand for demand, primary in zip(context.demands, context.primary, strict=True) if primary == place]
        site_by_name = context.inventory.site_by_name

        def declares(site: str) -> bool:
            return regime in {regime_named(name) for name in site_by_name[site].compliance}

        return own if declares(context.clusters[place].site) else [demand for demand in own if declares(demand.site)]

    def _share(self, good: list[Demand], own: list[Demand], what: str) -> Evidence:
        if not own:
            return Evidence(True, "it runs no demand under this regime")
        missing = sorted({demand.workload for demand in own} - {demand.workload for demand in good})
        rest = f"; not {', '.join(missing)}" if missing else ""
        return Evidence(len(good) == len(own), f"{len(good)} of {len(own)} demands {what}{rest}")

    def _backup(self, cluster: str, regime: str) -> Evidence:
        own = self._own(cluster, regime)
        good = [demand for demand in own if (demand.workload, demand.site) in self._safe]
        return self._share(good, own, "are backed up in another fault domain")

    def _recovery(self, cluster: str, regime: str) -> Evidence:
        own = self._own(cluster, regime)
        standby = self._context.decisions.standby
        good = [demand for demand in own if demand.key in standby or demand.recovers_in_cloud]
        cloud = ", or recover in the cloud" if any(demand.recovers_in_cloud for demand in own) else ""
        return self._share(good, own, f"have a standby at another site{cloud}")

    def _residency(self, cluster: str, regime: str) -> Evidence:
        own, inventory = self._own(cluster, regime), self._context.inventory
        host = inventory.site(self._context.clusters[self._context.cluster_index[cluster]].site)
        good = [
            demand
            for demand in own
            if demand.row.residency and residency_holds(demand, inventory.site(demand.site), host)
        ]
        return self._share(good, own, "state where their data may be, and are there")

    def _updates(self, cluster: str, regime: str) -> Evidence:  # noqa: ARG002 – one calendar for all
        months = self._context.pack.number("updates.cumulative_months")
        often = "every month" if months == 1 else f"every {months:g} months"
        return Evidence(not exceeds(months, UPDATE_MONTHS), f"the maintenance calendar updates it {often}")

    def _capacity(self, cluster: str, regime: str) -> Evidence:  # noqa: ARG002 – the plan covers all
        months = self._context.inventory.policy.horizon_months
        return Evidence(True, f"capacity is planned and alerts are forecast for {months} months")

    def _node_loss(self, cluster: str, regime: str) -> Evidence:  # noqa: ARG002 – the cluster decides
        standing = self._context.clusters[self._context.cluster_index[cluster]].archetypes
        tolerance = min((archetype.node_tolerance for archetype in standing if archetype is not None), default=0)
        text = {0: "it survives no node loss", 1: "it survives the loss of a node"}
        return Evidence(tolerance >= 1, text.get(tolerance, f"it survives the loss of {tolerance} nodes at once"))
