"""Rules at their limits: for each, a fleet and a decision inside, exactly at, or outside the limit.

Every case keeps all other rules, so that a model which must take exactly this decision is feasible if and only if the
case is not broken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from fleet.inventory.distances import EARTH_RADIUS_KM, LIGHT_KM_PER_MS
from fleet.inventory.inventory import Inventory
from fleet.plan.context import build_context
from fleet.plan.decisions import Decisions
from fleet.plan.normal_state import NormalState
from fleet.plan.states import simulate, sweep, worst_loads
from fleet.plan.uploads import upload_loads
from fleet.platform.capacity import host_reserve_memory_gb
from fleet.quantities import GB_PER_TB
from fleet.wan.latency import distance_km
from fleet.wan.states import shared_risk_failures
from tests.builders import (
    a_link,
    a_pin,
    a_protected_workload,
    a_site,
    a_workload,
    an_existing_cluster,
    an_inventory,
)
from tests.plan.broken_plans import added, both, moved, resized, table_and, table_with
from tests.plan.judged_fleet import PACK, THREE_WAY, TWO_WAY, a_cluster, key, the_decisions, the_inventory

Place = Literal["inside", "at", "outside"]
#: Well above the tolerance of 1e-6, well below anything that matters.
STEP = 1e-4


@dataclass(frozen=True)
class RuleCase:
    """One decision in one fleet, at a place relative to the limit of one rule."""

    rule: str
    name: str
    place: Place
    inventory: Inventory
    decisions: Decisions

    @property
    def is_broken(self) -> bool:
        """Whether the rule must complain."""
        return self.place == "outside"

    def __str__(self) -> str:
        return f"{self.rule} {self.name} {self.place}"


def _same(decisions: Decisions) -> Decisions:
    return decisions


def three(
    rule: str,
    name: str,
    fleet: Callable[[Any], dict[str, Any]],
    values: tuple[Any, Any, Any],
    change: Callable[[Decisions], Decisions] = _same,
) -> Iterator[RuleCase]:
    """Cases inside, at and outside a limit; a value of None leaves the case out."""
    for place, value in zip(("inside", "at", "outside"), values, strict=True):
        if value is not None:
            yield RuleCase(rule, name, place, the_inventory(**fleet(value)), change(the_decisions()))  # type: ignore[arg-type]


def two(
    rule: str, name: str, good: Callable[[Decisions], Decisions], bad: Callable[[Decisions], Decisions], **fleet: Any
) -> Iterator[RuleCase]:
    """A decision that keeps a rule without a number, and one that breaks it."""
    yield RuleCase(rule, name, "inside", the_inventory(**fleet), good(the_decisions()))
    yield RuleCase(rule, name, "outside", the_inventory(**fleet), bad(the_decisions()))


def around(limit: float) -> tuple[float, float, float]:
    """Values below, at and above an upper limit."""
    return limit * (1 - STEP), limit, limit * (1 + STEP)


def falling(need: float) -> tuple[float, float, float]:
    """Limits above, at and below a need."""
    return need * (1 + STEP), need, need * (1 - STEP)


def _room(
    cluster: str, resource: int, without: str, change: Callable[[Decisions], Decisions] = _same, **fleet: Any
) -> float:
    """What is left on a cluster for one resource in the tightest period, standby reserve kept, without one workload."""
    inventory = the_inventory(**fleet)
    decisions = change(the_decisions())
    primary = {demand: host for demand, host in decisions.primary.items() if demand.workload != without}
    context = build_context(inventory, PACK, replace(decisions, primary=primary))
    index = context.cluster_index[cluster]
    left = context.capacity[index, resource] - context.load[index, resource]
    if resource < 2:
        left = left - context.reserve[index, resource]
    return float(min(left[period] for period, nodes in enumerate(context.clusters[index].decision.nodes) if nodes))


def _link_need(link: str, is_worst: bool, **fleet: Any) -> float:
    """Bandwidth at which the heaviest direction of a link is exactly at its limit."""
    normal = NormalState(build_context(the_inventory(**fleet), PACK, the_decisions()))
    loads = worst_loads(normal, sweep(normal)).mbps if is_worst else normal.mbps
    index = normal.context.link_index[link]
    return float(loads[2 * index : 2 * index + 2].max()) / normal.context.inventory.policy.max_link_utilization


GPU_FROM_START = resized("c-c1", nodes=(2, 2), layouts=(TWO_WAY, TWO_WAY))
TINY = {"vcpus": 0.01, "memory_gb": 0.01, "storage_gb": 0.01}
ON_OLD = moved("primary", "extra", "s1", "old")


def _platform() -> Iterator[RuleCase]:
    yield from three("PLT-001", "node model", lambda limit: table_with("hardware", "std", max_nodes=limit), (4, 3, 2))
    for place, nodes in (("inside", (2, 3)), ("at", (3, 3)), ("outside", (3, 2))):
        layouts = tuple(TWO_WAY if count == 2 else THREE_WAY for count in nodes)
        decisions = resized("a-c1", nodes=nodes, layouts=layouts)(the_decisions())
        yield RuleCase("PLT-020", "never shrinks", place, the_inventory(), decisions)  # type: ignore[arg-type]
    yield from two(
        "PLT-015",
        "three copies need three nodes",
        resized("a-c1", nodes=(3, 3), layouts=(THREE_WAY, THREE_WAY)),
        resized("a-c1", nodes=(2, 3), layouts=(THREE_WAY, THREE_WAY)),
    )


def _siting() -> Iterator[RuleCase]:
    yield from three("SIT-002", "nodes", lambda limit: table_with("sites", "c", max_nodes=limit), (3, 2, 1))
    yield from three("SIT-002", "power", lambda limit: table_with("sites", "a", max_power_kw=limit), falling(1.5))
    yield from three(
        "SIT-002", "rack units", lambda limit: table_with("sites", "c", max_rack_units=limit), falling(6.0)
    )
    yield from three(
        "SIT-002",
        "clusters",
        lambda limit: table_with("sites", "a", max_clusters=limit),
        (3, 2, 1),
        both(added(a_cluster("a-c2", (2, 2))), moved("primary", "vision", "s2", "c-c1")),
    )
    yield from three(
        "SIT-002",
        "clusters beside one that may be retired",
        lambda limit: {
            **table_with("sites", "b", max_clusters=limit),
            "clusters": [an_existing_cluster("old", "b", keep=False)],
        },
        (3, 2, 1),
        added(a_cluster("b-c1", (2, 2))),
    )
    yield from three(
        "SIT-001",
        "a second cluster where one stands",
        lambda value: table_with("sites", "b", can_host=value, max_clusters=2),
        (True, None, False),
        added(a_cluster("b-c1", (2, 2))),
    )


def _capacity() -> Iterator[RuleCase]:
    for name, resource, column, per_unit in (("vcpu", 0, "vcpus", 2.0), ("memory", 1, "memory_gb", 2.0)):
        room = _room("a-c1", resource, "back") / per_unit
        yield from three(
            "CAP-001", name, lambda value, c=column: table_with("workloads", "back", **{c: value}), around(room)
        )
    pair = resized("a-c1", nodes=(2, 2), layouts=(TWO_WAY, TWO_WAY))
    room = _room("a-c1", 2, "back", pair) * 0.5 * GB_PER_TB / 2.0
    yield from three(
        "CAP-001", "pool", lambda value: table_with("workloads", "back", storage_gb=value), around(room), pair
    )
    yield from three("CAP-001", "gpu", lambda value: table_with("workloads", "vision", count=value), (1, 2, 3))
    extra = table_and("workloads", a_workload("extra", "s1", vcpus=1.0))
    room = _room("old", 0, "extra", ON_OLD, **extra)
    yield from three(
        "CAP-003",
        "shared reserve",
        lambda value: table_and("workloads", a_workload("extra", "s1", vcpus=value / 2.0, count=2)),
        around(room),
        ON_OLD,
    )
    # Two nodes, one kept free: 1,024 machines, of which five are there already.
    yield from three(
        "CAP-005",
        "machines of a host",
        lambda count: table_and("workloads", a_workload("extra", "s1", count=count, **TINY)),
        (1018, 1019, 1020),
        moved("primary", "extra", "s1", "a-c1"),
    )
    yield from _host_cases()
    yield from _carrier_cases()


def _host_cases() -> Iterator[RuleCase]:
    """Three machines on two nodes that are not kept free, where the sums would do."""
    model = the_inventory().node_model_by_name["std"]
    half = (model.memory_gb - host_reserve_memory_gb(model, PACK)) / 2.0
    yield from three(
        "CAP-006",
        "half a node",
        lambda value: table_and("workloads", a_workload("extra", "s1", count=3, vcpus=1.0, memory_gb=value)),
        around(half),
        both(moved("primary", "extra", "s1", "a-c1"), resized("a-c1", nodes=(3, 3), layouts=(THREE_WAY, THREE_WAY))),
    )
    yield from three(
        "CAP-006",
        "two of three GPUs",
        lambda count: {
            **table_with("workloads", "vision", count=count, gpus=2.0),
            **table_with("hardware", "gpu", gpus=3),
        },
        (1, 2, 3),
        resized("c-c1", nodes=(0, 3), layouts=({}, THREE_WAY)),
    )


def _carrier_cases() -> Iterator[RuleCase]:
    """Two primaries at different hubs, cut by one carrier cloud, move to one standby: more than its shared reserve."""
    tills = ("left", "right")
    usable = None
    for place, share in (("inside", 1 - STEP), ("at", 1.0), ("outside", 1 + STEP)):
        vcpus = 1.0 if usable is None else usable / 2.0 * share
        for final in (False, True):
            inventory = an_inventory(
                [
                    *(a_site(hub, can_host=True, transit="no") for hub in (*tills, "rear")),
                    a_site("s"),
                    a_site("net", kind="network"),
                ],
                [a_protected_workload(name, "s", vcpus=vcpus, max_rtt_ms=12.0) for name in tills],
                [
                    a_link("s", "net"),
                    *(a_link(hub, "net") for hub in tills),
                    *(a_link(hub, "rear") for hub in tills),
                    a_link("s", "rear"),
                ],
            )
            decisions = Decisions(
                tuple(a_cluster(f"{hub}-c1", (2,)) for hub in (*tills, "rear")),
                {key(name, "s"): f"{name}-c1" for name in tills},
                {key(name, "s"): "rear-c1" for name in tills},
            )
            if usable is None:
                context = build_context(inventory, PACK, decisions)
                usable = float(context.capacity[context.cluster_index["rear-c1"], 0, 0])
                vcpus = usable / 2.0 * share
            elif final:
                break
        yield RuleCase("CAP-004", "cut by a carrier", place, inventory, decisions)  # type: ignore[arg-type]


RACK_AWARE = dict.fromkeys(("hot", "warm", "archive"), "rack-aware-two-way-mirror")
SPREAD = resized("a-c1", nodes=(2, 2), layouts=(RACK_AWARE, RACK_AWARE))
ACCELERATED = resized(
    "a-c1",
    nodes=(4, 4),
    layouts=({**THREE_WAY, "warm": "mirror-accelerated-parity", "archive": "dual-parity"},) * 2,
)


def _large_back(vcpus: float) -> dict[str, Any]:
    """Instances that only the other node model holds: its nodes have more processors."""
    rows = table_with("workloads", "back", vcpus=vcpus, vcpu_per_core=8.0)
    return {**rows, **table_with("hardware", "gpu", cores=40)}


def _assignment() -> Iterator[RuleCase]:
    yield from two("ASG-002", "opens in time", GPU_FROM_START, resized("a-c1", nodes=(0, 3), layouts=({}, THREE_WAY)))
    yield from two(
        "ASG-003",
        "local",
        _same,
        both(moved("primary", "ledger", "a", "old"), moved("standby", "ledger", "a", "a-c1")),
    )
    yield from two("ASG-004", "one label", _same, moved("primary", "back", "s1", "old"))
    yield from three(
        "ASG-005", "node failures", lambda value: table_with("workloads", "till", fault_tolerance=value), (0, 1, 2)
    )
    yield from three(
        "ASG-006", "GPU model", lambda value: table_with("workloads", "vision", gpu_model=value), ("L4", "", "A2")
    )
    yield from three(
        "ASG-008",
        "resiliency type",
        lambda value: table_with("workloads", "back", resiliency=value),
        (("two-way-mirror", "three-way-mirror"), None, ("three-way-mirror",)),
    )
    spread = {**table_with("workloads", "back", zone_tolerance=1), **table_with("sites", "a", zones=2)}
    yield from two(
        "ASG-007", "a zone may fail", SPREAD, resized("a-c1", nodes=(2, 2), layouts=(TWO_WAY,) * 2), **spread
    )
    elsewhere = resized("c-c1", nodes=(0, 2), layouts=({}, RACK_AWARE))
    yield from two("PLT-026", "a site without zones", SPREAD, both(SPREAD, elsewhere), **spread)
    yield from two(
        "PLT-027",
        "parity that nobody asks for",
        resized("a-c1", nodes=(4, 4), layouts=({**THREE_WAY, "archive": "dual-parity"},) * 2),
        ACCELERATED,
    )
    asked = table_with("workloads", "back", resiliency=("mirror-accelerated-parity",))
    yield RuleCase(
        "PLT-027", "parity that is asked for", "inside", the_inventory(**asked), ACCELERATED(the_decisions())
    )
    yield from three("PLT-024", "size of an instance", _large_back, (63.0, 64.0, 65.0))
    yield from three(
        "PLT-024", "more than any node has", lambda value: table_with("workloads", "vision", vcpus=value), (63, 64, 65)
    )
    yield from three(
        "PLT-028",
        "use of a GPU",
        lambda value: {
            **table_with("workloads", "vision", gpu_model=value[0], gpu_mode=value[1]),
            **table_with("hardware", "gpu", gpu_model=value[0]),
        },
        (("L4", "partition"), ("T4", "dda"), ("T4", "partition")),
    )
    yield from three("GOV-001", "country", lambda value: table_with("sites", "b", country=value), ("US", None, "CA"))
    yield from three("NET-001", "users", lambda value: table_with("workloads", "till", max_rtt_ms=value), falling(5.0))


def _network() -> Iterator[RuleCase]:
    need = _link_need("s1-a", is_worst=False)
    yield from three(
        "NET-002", "every day", lambda value: table_with("links", "s1-a", bandwidth_mbps=value), falling(need)
    )
    need = _link_need("s1-b", is_worst=True)
    yield from three(
        "NET-003", "after a failure", lambda value: table_with("links", "s1-b", bandwidth_mbps=value), falling(need)
    )
    kept = table_with("workloads", "ledger", backup_days=30, backup_site="s1", change_gb_per_day=40.0)
    for name, rule, link in (("backups", "NET-002", "s1-a"), ("backups after a failure", "NET-003", "s1-b")):
        need = _link_need(link, is_worst=rule == "NET-003", **kept)
        yield from three(
            rule,
            name,
            lambda value, link=link: {**kept, **table_with("links", link, bandwidth_mbps=value)},  # type: ignore[misc]
            falling(need),
        )
    yield from three(
        "NET-004",
        "reach",
        lambda value: {**table_with("links", "s1-b", rtt_ms=value), **table_with("workloads", "till", max_rtt_ms=10.0)},
        around(20.0),
    )
    for place, km in zip(("inside", "at", "outside"), around(5.0 * LIGHT_KM_PER_MS), strict=True):
        # South of hub a, by which it is served in 5 ms; from b it is farther.
        degrees = 40.0 - math.degrees(km / EARTH_RADIUS_KM)
        sites = table_with("sites", "s1", latitude=degrees, longitude=-75.0)
        links = table_with("links", "s1-b", rtt_ms=30.0)
        inventory = the_inventory(**sites, **links)
        yield RuleCase("NET-008", "light to the users", place, inventory, the_decisions())  # type: ignore[arg-type]
    for place, km in zip(("inside", "at", "outside"), around(4.0 * LIGHT_KM_PER_MS), strict=True):
        degrees = 40.0 - math.degrees(km / EARTH_RADIUS_KM)
        sites = table_with("sites", "b", latitude=degrees, longitude=-75.0)
        links = [
            link.model_copy(update={"rtt_ms": 4.0 if link.link == "a-b" else 30.0 if "b" in link.link else link.rtt_ms})
            for link in the_inventory().links
        ]
        inventory = the_inventory(**sites, links=links, **table_with("workloads", "till", max_rtt_ms=40.0))
        yield RuleCase("NET-008", "light to the standby", place, inventory, the_decisions())  # type: ignore[arg-type]


def links_with(changes: dict[str, dict[str, Any]], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The links, some changed and some taken away."""
    rows = the_inventory().links
    return {"links": [row.model_copy(update=changes.get(row.link, {})) for row in rows if row.link not in without]}


def _streams() -> Iterator[RuleCase]:
    """Copies from hub a to hub b, and round by hub c where their link fails."""

    def around_c(value: float) -> dict[str, Any]:
        lines = links_with({"a-b": {"rtt_ms": 2.0}, "b-c": {"rtt_ms": 1.0}, "a-c": {"rtt_ms": value}})
        ledger = table_with("workloads", "ledger", protection="sync", rpo_minutes=0.0)
        nowhere = [row.model_copy(update={"latitude": None, "longitude": None}) for row in the_inventory().sites]
        return {**lines, **ledger, "sites": nowhere, "stream_cut": "hard"}

    yield from three("DR-012", "round trip of the way round", around_c, around(4.0))
    for place, fleet in (("inside", {}), ("outside", links_with({}, without=("a-c",)))):
        yield RuleCase("DR-012", "a second path", place, the_inventory(**fleet, stream_cut="hard"), the_decisions())  # type: ignore[arg-type]
    duct = links_with({link: {"shared_risk": ("duct",)} for link in ("a-b", "a-c")})
    for place, policy in (("inside", "warning"), ("outside", "hard")):
        inventory = the_inventory(**duct, stream_cut="hard", shared_risk=policy)
        yield RuleCase("DR-012", "paths of one duct", place, inventory, the_decisions())  # type: ignore[arg-type]


def _shared_risks() -> Iterator[RuleCase]:
    """Links that fail together, planned for like any other failure."""

    def ways_to_a(bandwidth_mbps: float) -> dict[str, Any]:
        duct = {link: {"shared_risk": ("duct",)} for link in ("s1-a", "s2-a")}
        return {**links_with({**duct, "a-b": {"bandwidth_mbps": bandwidth_mbps}}), "shared_risk": "hard"}

    normal = NormalState(build_context(the_inventory(**ways_to_a(200.0)), PACK, the_decisions()))
    (state,) = shared_risk_failures(normal.context.wan)
    loads = simulate(normal, state).link_loads(normal)[normal.context.link_index["a-b"], :, 0]  # upgraded afterwards
    need = float(loads.max()) / normal.context.inventory.policy.max_link_utilization
    yield from three("NET-003", "links of one duct", ways_to_a, falling(need))
    ways = links_with({link: {"shared_risk": ("duct",)} for link in ("s1-a", "s1-b")})
    for place, policy in (("inside", "warning"), ("outside", "hard")):
        inventory = the_inventory(**ways, shared_risk=policy)
        yield RuleCase("NET-004", "both ways of a store in one duct", place, inventory, the_decisions())  # type: ignore[arg-type]


def _recovery() -> Iterator[RuleCase]:
    sites = the_inventory().site_by_name
    distance = distance_km(sites["a"], sites["b"]) or 0.0
    yield from three("DR-003", "separation", lambda value: {"min_separation_km": value}, around(distance))
    yield from three(
        "DR-002", "fault domain", lambda value: table_with("sites", "b", fault_domain=value), ("b", "z", "a")
    )
    yield from two(
        "DR-001",
        "another site",
        both(added(a_cluster("a-c2", (2, 2))), _same),
        both(added(a_cluster("a-c2", (2, 2))), moved("standby", "ledger", "a", "a-c2")),
        **table_with("sites", "a", max_clusters=2),
    )
    yield from three(
        "DR-004",
        "round trip of synchronous copies",
        lambda value: {
            **table_with("links", "a-b", rtt_ms=value),
            **table_with("workloads", "ledger", protection="sync", rpo_minutes=0.0),
        },
        around(5.0),
    )
    yield from three(
        "DR-004",
        "recovery time",
        lambda value: table_with("workloads", "ledger", protection="async", rto_minutes=value),
        (31.0, 30.0, 29.9),
    )
    yield from three(
        "DR-004",
        "recovery point",
        lambda value: table_with("workloads", "ledger", protection="async", rpo_minutes=value),
        (0.6, None, 0.5),
    )
    yield from two(
        "DR-006",
        "one partner",
        GPU_FROM_START,
        both(GPU_FROM_START, moved("standby", "till", "s2", "c-c1")),
        partner_scope="cluster",
    )


def _cloud() -> Iterator[RuleCase]:
    def ledger(**columns: Any) -> dict[str, Any]:
        return table_with("workloads", "ledger", recovery="cloud", residency=(), **columns)

    def country(value: str) -> dict[str, Any]:
        return {**table_with("workloads", "ledger", recovery="cloud"), "cloud_country": value}

    def online(site: str) -> Callable[[bool], dict[str, Any]]:
        tills = table_with("workloads", "till", recovery="cloud")
        return lambda value: {**tills, **table_with("sites", site, internet=value)}

    def access(value: float) -> dict[str, Any]:
        return {**ledger(), **table_with("sites", "a", internet_mbps=value)}

    def far(value: float) -> dict[str, Any]:
        return {**ledger(max_rtt_ms=10.0), "cloud_rtt_ms": value}

    alone = moved("standby", "ledger", "a", None)
    context = build_context(the_inventory(**ledger()), PACK, alone(the_decisions()))
    policy = context.inventory.policy
    need = float(upload_loads(context)["a"].max()) + PACK.number("network.min_internet_mbps")
    tills = both(moved("standby", "till", "s1", None), moved("standby", "till", "s2", None))
    yield from three("DR-009", "internet at the primary", online("a"), (True, None, False), tills)
    yield from three("DR-009", "internet of the users", online("s1"), (True, None, False), tills)
    yield from three("GOV-001", "country of the cloud", country, ("US", None, "CA"), alone)
    yield from three("DR-009", "round trip to the cloud", far, around(10.0 * policy.failure_rtt_factor), alone)
    yield from three("DR-011", "internet access", access, falling(need / policy.max_link_utilization), alone)


def _decided() -> Iterator[RuleCase]:
    def pin(decision: str, column: str, **columns: Any) -> Callable[[Any], dict[str, Any]]:
        return lambda value: {"pins": [a_pin(decision, **columns, **{column: value})]}

    yield from three("PIN-001", "nodes", pin("nodes", "value", site="a"), ("1", "2", "3"))
    yield from three("PIN-001", "nodes later", pin("nodes", "value", site="a", period=1), ("2", "3", "4"))
    yield from three("PIN-001", "open", pin("open", "period", site="c"), (None, 1, 0))
    yield from three("PIN-001", "close", pin("close", "site"), (None, None, "c"))
    yield from three("PIN-001", "assign", pin("assign", "value", workload="back"), ("a", "a-c1", "b"))
    yield from three("PIN-001", "standby", pin("standby", "value", workload="till"), ("b", "old", "c"))
    yield from three("PIN-001", "forbid", pin("forbid", "value", workload="till"), ("c", None, "b"))
    yield from three("PIN-001", "node model", pin("node_model", "value", site="a"), ("std", None, "gpu"))
    yield from three("PIN-001", "upgrade", pin("link_upgrade", "period", link="a-b", value="yes"), (None, 1, 0))
    yield from three(
        "EXI-001", "nodes", lambda value: {"clusters": [an_existing_cluster("old", "b", nodes=value)]}, (None, 2, 3)
    )
    yield from three(
        "EXI-001",
        "cables",
        lambda value: {
            "clusters": [an_existing_cluster("old", "b", storage_switch=value)],
            "storage_switch": False,
            "budget": None,
        },
        (True, None, False),
        resized("old", nodes=(2, 3), layouts=(TWO_WAY, THREE_WAY)),
    )
    yield from three(
        "EXI-001",
        "layout",
        lambda value: {"clusters": [an_existing_cluster("old", "b", layout=value)]},
        ("", "two-way-mirror", "nested-two-way-mirror"),
    )
    parity = {**THREE_WAY, "archive": "dual-parity"}
    yield from three(
        "EXI-001",
        "layout at the same nodes",
        lambda value: {"clusters": [an_existing_cluster("old", "b", nodes=4, layout=value)]},
        ("archive=dual-parity", "", "archive=mirror-accelerated-parity"),
        resized("old", nodes=(4, 4), layouts=(parity, parity)),
    )
    yield from three(
        "ASG-005",
        "node failures with the witness that is stated",
        lambda value: {"clusters": [an_existing_cluster("old", "b", witness=value)]},
        ("file_share", "", "none"),
    )
    yield from three("BUD-001", "budget", lambda value: {"budget": value}, falling(125000.0))


def rule_cases() -> tuple[RuleCase, ...]:
    """Every case."""
    return (
        *_platform(),
        *_siting(),
        *_capacity(),
        *_assignment(),
        *_network(),
        *_recovery(),
        *_streams(),
        *_shared_risks(),
        *_cloud(),
        *_decided(),
    )
