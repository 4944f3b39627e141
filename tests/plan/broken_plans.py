"""Plans broken on purpose: what is broken, and which rules must say so, no more and no fewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import ObjectiveRow, Plan
from tests.builders import (
    a_pin,
    a_protected_workload,
    a_workload,
    an_existing_cluster,
)
from tests.plan.judged_fleet import (
    THREE_WAY,
    TWO_WAY,
    a_cluster,
    a_plan,
    key,
    the_decisions,
    the_inventory,
    the_plan,
)


@dataclass(frozen=True)
class Broken:
    """One broken plan and the rules with errors that it must have."""

    name: str
    make: Callable[[], Plan]
    rules: frozenset[str]

    def __str__(self) -> str:
        return self.name


def inventory_of(**changes: Any) -> Callable[[], Plan]:
    """The same decision in a fleet that does not allow it."""
    return lambda: a_plan(the_inventory(**changes), the_decisions())


def decided(change: Callable[[Decisions], Decisions], **inventory: Any) -> Callable[[], Plan]:
    """Another decision in the same fleet, or in a changed one."""
    return lambda: a_plan(the_inventory(**inventory), change(the_decisions()))


def edited(table: str, change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Callable[[], Plan]:
    """Rows of one table changed by hand, and the plan audited again."""

    def make() -> Plan:
        document = the_plan().document
        return Plan(document.model_copy(update={table: change(getattr(document, table))}))

    return make


def first(table: str, **values: Any) -> Callable[[], Plan]:
    """The first row of a table changed by hand."""
    return edited(table, lambda rows: (rows[0].model_copy(update=values), *rows[1:]))


def where(table: str, column: str, value: object, **values: Any) -> Callable[[], Plan]:
    """The rows with that value changed by hand."""
    return edited(
        table,
        lambda rows: tuple(row.model_copy(update=values) if getattr(row, column) == value else row for row in rows),
    )


def result_of(**values: Any) -> Callable[[], Plan]:
    """Another claim about the proof."""

    def make() -> Plan:
        document = the_plan().document
        return Plan(document.model_copy(update={"result": document.result.model_copy(update=values)}))

    return make


def moved(role: str, workload: str, site: str, cluster: str | None) -> Callable[[Decisions], Decisions]:
    """One demand placed elsewhere, or nowhere."""

    def change(decisions: Decisions) -> Decisions:
        placed = dict(getattr(decisions, role))
        placed.pop(key(workload, site), None)
        if cluster is not None:
            placed[key(workload, site)] = cluster
        return replace(decisions, **{role: placed})

    return change


def resized(name: str, **fields: Any) -> Callable[[Decisions], Decisions]:
    """One cluster built otherwise."""

    def change(decisions: Decisions) -> Decisions:
        return replace(
            decisions,
            clusters=tuple(
                replace(cluster, **fields) if cluster.cluster == name else cluster for cluster in decisions.clusters
            ),
        )

    return change


def clouded(
    workload: dict[str, Any] | None = None, sites: dict[str, Any] | None = None, standby: str = "", **policy: Any
) -> Callable[[], Plan]:
    """The ledger of hub a recovers in the cloud, as a plan states it with that standby."""
    ledger = {"recovery": "cloud", "residency": (), **(workload or {})}

    def make() -> Plan:
        fleet = {**table_with("workloads", "ledger", **ledger), **table_with("sites", "a", **(sites or {})), **policy}
        document = a_plan(the_inventory(**fleet), moved("standby", "ledger", "a", None)(the_decisions())).document
        rows = (
            row.model_copy(update={"standby": standby}) if row.workload == "ledger" else row
            for row in document.standbys
        )
        return Plan(document.model_copy(update={"standbys": tuple(rows)}))

    return make


def added(*clusters: ClusterDecision) -> Callable[[Decisions], Decisions]:
    """More clusters."""
    return lambda decisions: replace(decisions, clusters=(*decisions.clusters, *clusters))


def without(name: str) -> Callable[[Decisions], Decisions]:
    """One cluster less."""
    return lambda decisions: replace(
        decisions, clusters=tuple(cluster for cluster in decisions.clusters if cluster.cluster != name)
    )


def both(*changes: Callable[[Decisions], Decisions]) -> Callable[[Decisions], Decisions]:
    """Several changes in turn."""

    def change(decisions: Decisions) -> Decisions:
        for one in changes:
            decisions = one(decisions)
        return decisions

    return change


NAMES = {"sites": "site", "links": "link", "workloads": "workload", "hardware": "node_model", "clusters": "cluster"}


def table_with(table: str, name: str, **columns: Any) -> dict[str, Any]:
    """One table of the inventory with the rows of that name changed."""
    rows = getattr(the_inventory(), table)
    return {table: [row.model_copy(update=columns) if getattr(row, NAMES[table]) == name else row for row in rows]}


def table_and(table: str, *more: Any) -> dict[str, Any]:
    """One table of the inventory with more rows."""
    return {table: [*getattr(the_inventory(), table), *more]}


def broken(name: str, make: Callable[[], Plan], *rules: str) -> Broken:
    """A row of the table."""
    return Broken(name, make, frozenset(rules))


def pinned(decision: str, **columns: Any) -> Callable[[], Plan]:
    """The same decision against one pin."""
    return inventory_of(pins=[a_pin(decision, **columns)])


NESTED = dict.fromkeys(("hot", "warm", "archive"), "nested-two-way-mirror")

BROKEN = (
    # Assignment.
    broken("a demand is forgotten", decided(moved("primary", "vision", "s2", None)), "ASG-001"),
    broken(
        "a demand is left out although the policy forbids it",
        decided(
            both(
                moved("primary", "vision", "s2", None),
                lambda decisions: replace(decisions, unserved={key("vision", "s2"): "too dear"}),
            )
        ),
        "ASG-001",
    ),
    broken(
        "a demand is assigned twice",
        edited("assignments", lambda rows: (*rows, rows[0].model_copy(update={"cluster": "old"}))),
        "ASG-001",
    ),
    broken("a cluster opens after its demands", decided(resized("a-c1", nodes=(0, 3))), "ASG-002"),
    broken(
        "a local demand runs elsewhere",
        decided(both(moved("primary", "ledger", "a", "old"), moved("standby", "ledger", "a", "a-c1"))),
        "ASG-003",
    ),
    broken("a label is torn apart", decided(moved("primary", "back", "s1", "old")), "ASG-004"),
    broken(
        "standbys of a label are torn apart",
        decided(
            both(
                moved("standby", "shelf", "s1", "c-c1"),
                moved("primary", "shelf", "s1", "a-c1"),
                resized("c-c1", nodes=(2, 2), layouts=(TWO_WAY, TWO_WAY)),
            ),
            **table_and("workloads", a_protected_workload("shelf", "s1", affinity="shop")),
        ),
        "ASG-004",
    ),
    broken(
        "more node failures than survived",
        inventory_of(**table_with("workloads", "ledger", fault_tolerance=2)),
        "ASG-005",
    ),
    broken(
        "a zone that may not fail",
        inventory_of(**table_with("workloads", "back", zone_tolerance=1)),
        "ASG-007",
    ),
    broken(
        "data in another resiliency type",
        inventory_of(**table_with("workloads", "back", resiliency=("nested-two-way-mirror",))),
        "ASG-008",
    ),
    broken("a GPU that the cluster lacks", decided(moved("primary", "vision", "s2", "a-c1")), "ASG-006", "CAP-001"),
    broken(
        "data leaves its country",
        decided(
            both(moved("standby", "ledger", "a", "c-c1"), resized("c-c1", nodes=(2, 2), layouts=(TWO_WAY, TWO_WAY)))
        ),
        "GOV-001",
    ),
    # Capacity.
    broken("too much compute", inventory_of(**table_with("workloads", "back", vcpus=60.0)), "CAP-001"),
    broken("too much data", inventory_of(**table_with("workloads", "back", storage_gb=40000.0)), "CAP-001"),
    broken(
        "too little kept free for failovers",
        decided(
            moved("primary", "extra", "s1", "old"),
            **table_and("workloads", a_workload("extra", "s1", vcpus=48.0, count=2)),
        ),
        "CAP-003",
        "CAP-004",
    ),
    broken(
        "too many virtual machines",
        decided(
            moved("primary", "extra", "s1", "a-c1"),
            **table_and(
                "workloads", a_workload("extra", "s1", count=1500, vcpus=0.01, memory_gb=0.01, storage_gb=0.01)
            ),
        ),
        "CAP-005",
    ),
    broken(
        "three machines of over half a node on two nodes",
        decided(
            both(
                moved("primary", "extra", "s1", "a-c1"),
                resized("a-c1", nodes=(3, 3), layouts=(THREE_WAY, THREE_WAY)),
            ),
            **table_and("workloads", a_workload("extra", "s1", count=3, vcpus=1.0, memory_gb=236.0)),
        ),
        "CAP-006",
    ),
    broken("a capacity is overstated", where("cluster_loads", "resource", "vcpu", capacity=500.0), "CAP-002"),
    # Siting.
    broken("a cluster at a store", decided(added(a_cluster("s1-c1", (2, 2)))), "SIT-001"),
    broken("two clusters where one fits", decided(added(a_cluster("a-c2", (2, 2)))), "SIT-002"),
    broken("too many nodes for a site", inventory_of(**table_with("sites", "c", max_nodes=1)), "SIT-002"),
    broken("too much power for a site", inventory_of(**table_with("sites", "a", max_power_kw=1.4)), "SIT-002"),
    broken("too many rack units for a site", inventory_of(**table_with("sites", "c", max_rack_units=5.9)), "SIT-002"),
    # Network.
    broken("users too far away", inventory_of(**table_with("workloads", "till", max_rtt_ms=4.9)), "NET-001"),
    broken(
        "a link too small for every day",
        inventory_of(**table_with("links", "s1-a", bandwidth_mbps=7.5)),
        "NET-002",
    ),
    broken(
        "a link too small after a failure", inventory_of(**table_with("links", "s1-b", bandwidth_mbps=7.5)), "NET-003"
    ),
    broken(
        "the standby is out of reach once the site is lost",
        inventory_of(
            **table_with("links", "s1-b", rtt_ms=12.0),
            failure_rtt_factor=1.0,
            **table_with("workloads", "till", max_rtt_ms=11.0),
        ),
        "NET-004",
    ),
    broken(
        "an upgrade that nobody offers",
        decided(lambda decisions: replace(decisions, upgrades={"a-b": 1, "s1-a": 0})),
        "NET-005",
    ),
    # Recovery.
    broken("a standby is missing", decided(moved("standby", "till", "s1", None)), "DR-001"),
    broken(
        "a standby that nobody asked for",
        edited("standbys", lambda rows: (*rows, rows[1].model_copy(update={"workload": "back"}))),
        "DR-001",
        "DAT-001",
    ),
    broken(
        "primary and standby at one site",
        decided(
            both(added(a_cluster("a-c2", (2, 2))), moved("standby", "ledger", "a", "a-c2")),
            **table_with("sites", "a", max_clusters=2),
        ),
        "DR-001",
        "NET-004",
    ),
    broken(
        "primary and standby share a fate",
        inventory_of(**table_with("sites", "b", fault_domain="a")),
        "DR-002",
        "NET-004",
    ),
    broken("primary and standby too near", inventory_of(min_separation_km=1000.0), "DR-003"),
    broken(
        "no mechanism is fast enough",
        inventory_of(**table_with("workloads", "ledger", protection="async", rpo_minutes=0.25)),
        "DR-004",
    ),
    broken(
        "no mechanism recovers in time", inventory_of(**table_with("workloads", "ledger", rto_minutes=4.0)), "DR-004"
    ),
    broken(
        "synchronous over too long a path",
        inventory_of(
            **table_with("workloads", "ledger", protection="sync", rpo_minutes=0.0),
            links=[
                row if row.link != "a-b" else row.model_copy(update={"rtt_ms": 5.5}) for row in the_inventory().links
            ],
        ),
        "DR-004",
    ),
    broken(
        "another mechanism is stated", where("standbys", "workload", "ledger", mechanism="application-sync"), "DR-004"
    ),
    broken("a bandwidth is understated", first("standbys", required_mbps=0.1), "DR-005"),
    broken("a recovery point is understated", first("standbys", rpo_minutes=1.0), "DR-005"),
    broken("a recovery time is understated", first("standbys", rto_minutes=1.0), "DR-005"),
    broken(
        "two partners of one cluster",
        decided(
            both(moved("standby", "till", "s2", "c-c1"), resized("c-c1", nodes=(2, 2), layouts=(TWO_WAY, TWO_WAY))),
            partner_scope="cluster",
        ),
        "DR-006",
    ),
    broken("no internet to copy to the cloud", clouded(sites={"internet": False}), "DR-009", "NET-004"),
    broken("the cloud is too far", clouded({"max_rtt_ms": 10.0}, cloud_rtt_ms=21.0), "DR-009", "NET-004"),
    broken("too many copies for the internet access", clouded(sites={"internet_mbps": 12.5}), "DR-011"),
    broken("the cloud is in another country", clouded({"residency": ("country",)}, cloud_country="CA"), "GOV-001"),
    broken("no mechanism copies to the cloud without loss", clouded({"protection": "sync"}), "DR-004", "NET-004"),
    broken("no mechanism recovers in the cloud in time", clouded({"rto_minutes": 59.0}), "DR-004", "NET-004"),
    broken("a standby beside the cloud", clouded(standby="old"), "DR-001"),
    broken(
        "a standby in nowhere",
        first("standbys", standby=""),
        *("DR-001", "DAT-001", "DAT-004"),
    ),
    # What is decided already.
    broken("a pinned site stays empty", pinned("open", site="c"), "PIN-001"),
    broken("a closed site is used", pinned("close", site="c", period=1), "PIN-001"),
    broken("a pinned assignment is ignored", pinned("assign", workload="back", site="s1", value="b"), "PIN-001"),
    broken("a pinned standby is ignored", pinned("standby", workload="till", value="c"), "PIN-001"),
    broken("a forbidden site is used", pinned("forbid", workload="till", value="b"), "PIN-001"),
    broken("a pinned node model is ignored", pinned("node_model", site="a", value="gpu"), "PIN-001"),
    broken("a pinned node count is missed", pinned("nodes", site="a", value="3"), "PIN-001"),
    broken("a pinned upgrade comes late", pinned("link_upgrade", link="a-b", period=0, value="yes"), "PIN-001"),
    broken("an excluded upgrade is made", pinned("link_upgrade", link="a-b", value="no"), "PIN-001"),
    broken(
        "an existing cluster vanishes",
        decided(
            both(
                without("old"),
                lambda decisions: replace(decisions, retired=("old",)),
                added(a_cluster("b-c1", (2, 2))),
                *(
                    moved("standby", workload, site, "b-c1")
                    for workload, site in (("till", "s1"), ("till", "s2"), ("ledger", "a"))
                ),
            )
        ),
        "EXI-001",
    ),
    broken(
        "an existing cluster loses nodes", inventory_of(clusters=[an_existing_cluster("old", "b", nodes=3)]), "EXI-001"
    ),
    broken("an existing cluster is moved", inventory_of(clusters=[an_existing_cluster("old", "c")]), "EXI-001"),
    broken(
        "an existing cluster is rebuilt",
        inventory_of(clusters=[an_existing_cluster("old", "b", node_model="gpu")]),
        "EXI-001",
    ),
    broken("a new cluster is called existing", decided(resized("c-c1", existing=True)), "EXI-001"),
    # Platform.
    broken(
        "more nodes than allowed",
        decided(
            resized("c-c1", nodes=(0, 17), layouts=({}, THREE_WAY)),
            **table_with("sites", "c", max_nodes=None),
            budget=None,
        ),
        "PLT-001",
        "PLT-015",
    ),
    broken("a node model is limited", inventory_of(**table_with("hardware", "std", max_nodes=2)), "PLT-001"),
    broken(
        "an unknown resiliency type",
        decided(resized("c-c1", layouts=({}, dict.fromkeys(TWO_WAY, "raid-5")))),
        "PLT-014",
    ),
    broken("a tier without layout", decided(resized("c-c1", layouts=({}, {"hot": "two-way-mirror"}))), "PLT-014"),
    broken("three copies on two nodes", decided(resized("c-c1", layouts=({}, THREE_WAY))), "PLT-015"),
    broken("slow storage ports", inventory_of(**table_with("hardware", "std", nic_gbps=1.0)), "PLT-012"),
    broken("a cluster shrinks", decided(resized("a-c1", nodes=(3, 2), layouts=(THREE_WAY, TWO_WAY))), "PLT-020"),
    broken("a layout is swapped", decided(resized("a-c1", nodes=(2, 2), layouts=(TWO_WAY, NESTED))), "PLT-022"),
    broken("a witness is missing", first("clusters", witness="none"), "PLT-023"),
    broken("an unknown witness", first("clusters", witness="crystal ball"), "PLT-023"),
    broken(
        "another witness than is stated",
        lambda: Plan(
            the_plan(clusters=[an_existing_cluster("old", "b", witness="file_share")]).document.model_copy(
                update={"clusters": the_plan().document.clusters}
            )
        ),
        "PLT-023",
    ),
    broken(
        "a cloud witness without internet",
        lambda: Plan(
            the_plan(**table_with("sites", "a", internet=False)).document.model_copy(
                update={"clusters": the_plan().document.clusters}
            )
        ),
        "PLT-023",
    ),
    # Money and proof.
    broken("over budget", inventory_of(budget=124999.0), "BUD-001"),
    broken("a cost is understated", first("costs", amount=1.0), "CST-001"),
    broken("a cost is forgotten", edited("costs", lambda rows: rows[1:]), "CST-001"),
    broken("a cost is listed twice", edited("costs", lambda rows: (*rows, rows[0])), "CST-001"),
    broken(
        "a cost is made up",
        edited("costs", lambda rows: (*rows, rows[0].model_copy(update={"term": "bribe"}))),
        "CST-001",
    ),
    broken(
        "totals are understated",
        lambda: Plan(
            the_plan().document.model_copy(update={"totals": the_plan().totals.model_copy(update={"opex": 1.0})})
        ),
        "CST-002",
    ),
    broken("the objective is not the present value", result_of(objective=1e6, bound=1e6), "PRF-001"),
    broken("the objective is missing", result_of(objective=None), "PRF-001"),
    broken(
        "two values of one objective",
        result_of(objectives=(ObjectiveRow(name="present_value", value=1.0, bound=1.0, gap=0.0),)),
        "PRF-001",
    ),
    broken("the bound is above the objective", result_of(bound=2e5), "PRF-001"),
    broken("the gap is understated", result_of(bound=1e5, status="feasible"), "PRF-001"),
    broken("a gap without a bound", result_of(bound=None, status="feasible"), "PRF-001"),
    broken("optimal without a bound", result_of(bound=None, gap=None), "PRF-001"),
    broken("feasible at no gap", result_of(status="feasible"), "PRF-001"),
    broken("infeasible with a plan", result_of(status="infeasible"), "PRF-001"),
    # Data.
    broken("a round trip is understated", first("assignments", rtt_ms=1.0), "DAT-001"),
    broken("a path is made up", first("standbys", path=("a-c", "b-c")), "DAT-001"),
    broken("a standby names another primary", first("standbys", cluster="c-c1"), "DAT-001"),
    broken("a load is understated", first("cluster_loads", load=0.5), "DAT-001"),
    broken("a reserve is understated", where("cluster_loads", "cluster", "old", standby_reserve=0.0), "DAT-001"),
    broken("a load is forgotten", edited("cluster_loads", lambda rows: rows[1:]), "DAT-001"),
    broken("a worst case is understated", first("links", worst_mbps=5.8), "DAT-001"),
    broken("a worst case is blamed on another", first("links", worst_case="link:b-c"), "DAT-001"),
    broken("a link is forgotten", edited("links", lambda rows: rows[1:]), "DAT-001"),
    broken("an opening is misdated", first("clusters", opened=1), "DAT-001"),
    broken("a period is misdated", first("periods", month=3), "DAT-001"),
    broken(
        "an unknown cluster runs a demand",
        where("assignments", "workload", "vision", cluster="nowhere"),
        "DAT-002",
        "DAT-001",
    ),
    broken(
        "a cluster at an unknown site",
        where("clusters", "cluster", "c-c1", site="moon"),
        "DAT-002",
        "DAT-001",
        "CST-001",
        "CST-002",
        "DAT-004",
    ),
    broken(
        "a cluster of an unknown model",
        where("clusters", "cluster", "c-c1", node_model="abacus"),
        "DAT-002",
        "DAT-001",
        "CST-001",
        "CST-002",
        "DAT-004",
    ),
    broken(
        "an unknown demand is served",
        edited("assignments", lambda rows: (*rows, rows[0].model_copy(update={"workload": "ghost"}))),
        "DAT-002",
        "DAT-001",
    ),
    broken(
        "an unknown link is listed",
        edited("links", lambda rows: (*rows, rows[0].model_copy(update={"link": "wire"}))),
        "DAT-002",
        "DAT-001",
    ),
    broken(
        "a period beyond the horizon",
        edited("cluster_periods", lambda rows: (*rows, rows[0].model_copy(update={"period": 9}))),
        "DAT-002",
    ),
    broken("a cluster is listed twice", edited("clusters", lambda rows: (*rows, rows[0])), "DAT-002"),
    broken(
        "the hash is another",
        lambda: Plan(
            the_plan().document.model_copy(
                update={"inventory": the_plan().document.inventory.model_copy(update={"sha256": "0" * 64})}
            )
        ),
        "DAT-003",
    ),
    broken(
        "the inventory is unreadable",
        lambda: Plan(
            the_plan().document.model_copy(
                update={
                    "inventory": the_plan().document.inventory.model_copy(update={"tables": {"sites": [{"stie": "a"}]}})
                }
            )
        ),
        "DAT-003",
    ),
    broken("an action is forgotten", edited("actions", lambda rows: rows[1:]), "DAT-004"),
    broken(
        "an action is made up",
        edited("actions", lambda rows: (*rows, rows[0].model_copy(update={"period": 1}))),
        "DAT-004",
    ),
    broken("an action is understated", first("actions", cost=1.0), "DAT-004"),
)
