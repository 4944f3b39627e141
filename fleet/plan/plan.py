"""The plan: the decision with everything that follows from it, frozen and self-contained."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import pandas as pd
from pydantic import SerializerFunctionWrapHandler, model_serializer

from fleet.inventory.inventory import DemandKey
from fleet.tables import Row, column, describe

SCHEMA = "fleet.plan/1"
Origin = Literal["given", "pinned", "existing", "chosen"]
Severity = Literal["error", "warning", "info"]


class PeriodRow(Row):
    """One planning period."""

    period: int = column(meaning="index, from 0")
    month: int = column(unit="month", meaning="first month")


class ClusterRow(Row):
    """One cluster that stands in the plan."""

    cluster: str = column(meaning="unique name of the cluster")
    site: str = column(meaning="where it stands")
    node_model: str = column(meaning="model of all its nodes")
    witness: str = column(meaning="cloud, file_share or none")
    existing: bool = column(meaning="stood before the plan")
    origin: Origin = column(meaning="who decided")
    opened: int = column(meaning="first period in which it has nodes")


class ClusterPeriodRow(Row):
    """A cluster in one period in which it has nodes."""

    cluster: str = column(meaning="cluster")
    period: int = column(meaning="period")
    nodes: int = column(unit="nodes", meaning="node count")
    layout: dict[str, str] = column(meaning="resiliency type of each tier")


class ClusterLoadRow(Row):
    """One resource of a cluster in one period."""

    cluster: str = column(meaning="cluster")
    period: int = column(meaning="period")
    resource: Literal["vcpu", "memory_gb", "pool_tb", "gpu"] = column(meaning="resource; pool is footprint")
    capacity: float = column(unit="vCPU, GiB, TB, GPU", meaning="usable after every reserve and limit")
    load: float = column(unit="vCPU, GiB, TB, GPU", meaning="own demands and replica storage")
    standby_reserve: float = column(unit="vCPU, GiB, GPU", meaning="kept for failovers; 0 for the pool")


class AssignmentRow(Row):
    """Where a demand runs."""

    workload: str = column(meaning="workload")
    site: str = column(meaning="where its users are")
    cluster: str = column(meaning="cluster that runs it")
    rtt_ms: float = column(unit="ms", meaning="round trip from its users, least-RTT path")
    origin: Origin = column(meaning="who decided")


class StandbyRow(Row):
    """Where the copy of a protected demand lives and how it is kept."""

    workload: str = column(meaning="workload")
    site: str = column(meaning="where its users are")
    cluster: str = column(meaning="cluster that runs it")
    standby: str = column(meaning="cluster of the standby copy; blank where it recovers in the cloud")
    mechanism: str = column(meaning="replication mechanism")
    rtt_ms: float = column(unit="ms", meaning="round trip primary to standby; 0 in the cloud")
    required_mbps: float = column(unit="Mbit/s", meaning="bandwidth reserved, in the period of largest demand")
    path: tuple[str, ...] = column(meaning="links from primary to standby; none into the cloud")
    rpo_minutes: float = column(unit="minutes", meaning="recovery point achieved")
    rto_minutes: float = column(unit="minutes", meaning="recovery time expected")
    origin: Origin = column(meaning="who decided")


class LinkRow(Row):
    """One direction of a link in one period."""

    link: str = column(meaning="link")
    from_: str = column(meaning="sending end", alias="from")
    to: str = column(meaning="receiving end")
    period: int = column(meaning="period")
    capacity_mbps: float = column(unit="Mbit/s", meaning="usable: bandwidth × limit − reserved")
    upgraded: bool = column(meaning="upgraded in this period")
    normal_mbps: float = column(unit="Mbit/s", meaning="load with nothing failed")
    worst_mbps: float = column(unit="Mbit/s", meaning="largest load over all single failures")
    worst_case: str = column(meaning="the state of that load; normal where nothing failed")


class ActionRow(Row):
    """Something to do in a period."""

    period: int = column(meaning="period")
    action: Literal["open", "add_nodes", "upgrade_link", "seed", "close"] = column(meaning="what to do")
    cluster: str = column("", meaning="cluster concerned")
    site: str = column("", meaning="site concerned")
    link: str = column("", meaning="link concerned")
    detail: str = column("", meaning="how much, in words")
    cost: float = column(0.0, unit="currency", meaning="nominal capex of the action")


class CostRow(Row):
    """One cost: nominal amount of one term, subject and period."""

    term: str = column(
        meaning="nodes, switch_ports, opening, host_fee, licenses, windows, support, power, cooling, site, wan, "
        "link_upgrade, protection, backup, retire, residual"
    )
    subject: str = column(meaning="cluster, site, link or workload")
    period: int = column(meaning="period in which it is paid")
    kind: Literal["capex", "opex"] = column(meaning="capex or opex")
    amount: float = column(unit="currency", meaning="nominal amount of the whole period")


class Totals(Row):
    """Sums over the horizon."""

    capex: float = column(unit="currency", meaning="nominal, less residual values, which a budget does not count")
    opex: float = column(unit="currency", meaning="nominal")
    present_value: float = column(unit="currency", meaning="discounted, the default objective")


class Finding(Row):
    """What the audit says."""

    rule: str = column(meaning="rule id")
    severity: Severity = column(meaning="error, warning or info")
    subject: str = column(meaning="what it is about")
    actual: float | None = column(None, meaning="value found")
    limit: float | None = column(None, meaning="limit")
    unit: str = column("", meaning="unit of both")
    message: str = column(meaning="in words")
    remedy: str = column("", meaning="what to do")


class UnservedRow(Row):
    """A demand left out; only if the policy allows it."""

    workload: str = column(meaning="workload")
    site: str = column(meaning="where its users are")
    reason: str = column(meaning="why")


class Generator(Row):
    """What made the plan."""

    version: str
    ortools: str
    rule_pack: str
    parameters: str | None = column(None, meaning="tuning constants of the search that were changed; absent if none")

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        row: dict[str, Any] = handler(self)
        return {key: value for key, value in row.items() if value is not None}


class InventoryCopy(Row):
    """The effective inventory, after the scenario, in canonical rows."""

    name: str
    sha256: str
    tables: dict[str, list[dict[str, Any]]]


class ScenarioName(Row):
    """The scenario that was applied."""

    name: str


class ObjectiveRow(Row):
    """One objective with its proof."""

    name: str
    value: float | None
    bound: float | None
    gap: float | None


#: In `bound_source`: from here on it says which engines were disproved while the plan was sought.
DISPROVED = "; disproved: "


class ResultRow(Row):
    """How good the plan is proven to be."""

    status: Literal["optimal", "feasible", "infeasible", "no_solution"]
    objective: float | None
    bound: float | None
    bound_source: str
    gap: float | None
    stopped_by: str
    seconds: float | None
    seed: int
    strategy: str
    objectives: tuple[ObjectiveRow, ...] = ()

    @property
    def disproved(self) -> str:
        """What engines said while the plan was sought that is not so; empty where nothing is known."""
        return self.bound_source.partition(DISPROVED)[2]


#: The tables of a plan, in the order of sheets and files, with their row types.
PLAN_TABLES: dict[str, type[Row]] = {
    "periods": PeriodRow,
    "clusters": ClusterRow,
    "cluster_periods": ClusterPeriodRow,
    "cluster_loads": ClusterLoadRow,
    "assignments": AssignmentRow,
    "standbys": StandbyRow,
    "links": LinkRow,
    "actions": ActionRow,
    "costs": CostRow,
    "findings": Finding,
    "unserved": UnservedRow,
}


class PlanDocument(Row):
    """Exactly what ``plan.json`` holds."""

    schema_: Literal["fleet.plan/1"] = column(SCHEMA, meaning="format and version", alias="schema")
    created: str | None = column(None, meaning="UTC time, null in deterministic mode")
    generator: Generator
    inventory: InventoryCopy
    scenario: ScenarioName
    periods: tuple[PeriodRow, ...]
    result: ResultRow
    clusters: tuple[ClusterRow, ...] = ()
    cluster_periods: tuple[ClusterPeriodRow, ...] = ()
    cluster_loads: tuple[ClusterLoadRow, ...] = ()
    assignments: tuple[AssignmentRow, ...] = ()
    standbys: tuple[StandbyRow, ...] = ()
    links: tuple[LinkRow, ...] = ()
    actions: tuple[ActionRow, ...] = ()
    costs: tuple[CostRow, ...] = ()
    totals: Totals
    findings: tuple[Finding, ...] = ()
    unserved: tuple[UnservedRow, ...] = ()


def frame(rows: tuple[Row, ...], row_type: type[Row]) -> pd.DataFrame:
    """Rows as a DataFrame with exactly the columns of their type."""
    columns = [entry.name for entry in describe(row_type)]
    records = [row.model_dump(by_alias=True) for row in rows]
    return pd.DataFrame.from_records(records, columns=columns)


class Plan:
    """A plan: `document` holds the rows; the attributes of the same names are DataFrames.

    A plan is self-contained: it can be audited, priced, mapped and exported without its files and without a solver.
    """

    def __init__(self, document: PlanDocument) -> None:
        self.document = document

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name in PLAN_TABLES:
            return frame(getattr(self.document, name), PLAN_TABLES[name])
        raise AttributeError(f"a plan has no {name!r}; its tables are {', '.join(PLAN_TABLES)}")

    @property
    def result(self) -> ResultRow:
        """Status, objective, bound, gap and why the solver stopped."""
        return self.document.result

    @property
    def totals(self) -> Totals:
        """Capex, opex and present value."""
        return self.document.totals

    @cached_property
    def cluster_of(self) -> Mapping[DemandKey, str]:
        """The cluster that runs each demand."""
        return {DemandKey(row.workload, row.site): row.cluster for row in self.document.assignments}

    @cached_property
    def standby_of(self) -> Mapping[DemandKey, str]:
        """The cluster that holds the standby copy of each demand that has one."""
        return {DemandKey(row.workload, row.site): row.standby for row in self.document.standbys if row.standby}

    @cached_property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make the plan unfit."""
        return tuple(finding for finding in self.document.findings if finding.severity == "error")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.document == other.document

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        document = self.document
        nodes = sum(row.nodes for row in document.cluster_periods if row.period == len(document.periods) - 1)
        gap = "no bound" if self.result.gap is None else f"gap {self.result.gap:.2%}"
        return (
            f"Plan({document.inventory.name!r}: {len(document.clusters)} clusters, {nodes} nodes, "
            f"{len(document.assignments)} assignments, {len(document.standbys)} standbys, "
            f"present value {document.totals.present_value:,.0f}, {gap}, {len(self.errors)} audit errors)"
        )

    def _repr_html_(self) -> str:
        totals, result = self.document.totals, self.result
        gap = "–" if result.gap is None else f"{result.gap:.2%}"
        return (
            f"<b>Plan {self.document.inventory.name}</b>: {result.status}, gap {gap}, "
            f"present value {totals.present_value:,.0f}, capex {totals.capex:,.0f}, opex {totals.opex:,.0f}"
            f"{frame(document_clusters(self.document), ClusterRow).to_html(index=False)}"
        )


def document_clusters(document: PlanDocument) -> tuple[ClusterRow, ...]:
    """The clusters of a document in order of site."""
    return tuple(sorted(document.clusters, key=lambda row: (row.site, row.cluster)))
