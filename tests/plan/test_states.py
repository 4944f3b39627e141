"""Every branch of the failure semantics by hand, and the fast sweep against the slow one on random fleets."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from fleet.inventory.inventory import DemandKey, Inventory
from fleet.inventory.tables.growth import GrowthPoint
from fleet.plan.context import build_context
from fleet.plan.decisions import Decisions
from fleet.plan.normal_state import NormalState
from fleet.plan.states import StateOutcome, simulate, sweep, violations, worst_loads
from fleet.plan.violations import ClusterViolation, LinkViolation, ReachViolation
from fleet.platform.archetypes import archetype_for
from fleet.wan.states import NORMAL, FailureState
from tests.builders import a_link, a_protected_workload, a_site, a_workload, an_inventory
from tests.plan.judged_fleet import PACK, TWO_WAY, a_cluster, a_plan, key, rules_of
from tests.plan.slow_states import COMPUTE, slow_state


def a_pair(**changes: Any) -> NormalState:
    """Users at s, primary at p, standby at k, a triangle of links, and one unprotected demand at p."""
    tables: dict[str, Any] = {
        "sites": [a_site("p", can_host=True), a_site("k", can_host=True), a_site("s")],
        "workloads": [
            a_protected_workload("till", "s", traffic_mbps=3.0, max_rtt_ms=6.0, vcpus=10.0),
            a_workload("back", "s", traffic_mbps=1.0),
        ],
        "links": [a_link("s", "p"), a_link("s", "k", rtt_ms=8.0), a_link("p", "k")],
    }
    inventory = an_inventory(**{**tables, **changes})
    return NormalState(
        build_context(
            inventory,
            PACK,
            Decisions(
                clusters=(a_cluster("p-c1", (2,)), a_cluster("k-c1", (2,))),
                primary={demand.key: "p-c1" for demand in inventory.demands},
                standby={demand.key: "k-c1" for demand in inventory.demands if demand.is_protected},
            ),
        )
    )


STREAM = 11.0 / 6.0  # 8000 · (10 · 3 · 0.6 · 1.1 · 5 / 1440) / (60 · 5) Mbit/s


def keys(normal: NormalState, members: tuple[int, ...]) -> set[DemandKey]:
    return {normal.context.demands[index].key for index in members}


def loads(normal: NormalState, outcome: StateOutcome) -> dict[tuple[str, bool], float]:
    """Loads above zero in the first period by link and direction."""
    found = outcome.link_loads(normal)[:, :, 0]
    return {
        (link, side == 0): round(float(found[index, side]), 9)
        for index, link in enumerate(normal.context.links)
        for side in (0, 1)
        if abs(found[index, side]) > 1e-9
    }


def link_down(name: str) -> FailureState:
    return FailureState("link", name, links=frozenset({name}))


def site_down(normal: NormalState, name: str) -> FailureState:
    return next(state for state in normal.failures if state.id == f"site:{name}")


TILL, BACK = key("till", "s"), key("back", "s")
NORMAL_LOADS = {("s-p", True): 4.0, ("s-p", False): 4.0, ("p-k", True): round(STREAM, 9)}


def test_normal_state() -> None:
    normal = a_pair()
    outcome = simulate(normal)
    assert loads(normal, outcome) == NORMAL_LOADS
    assert (outcome.moved, outcome.restored, outcome.down, outcome.lost, outcome.violations) == ((), (), (), (), ())


def test_cut_demand_moves_to_its_standby_and_stops_replicating() -> None:
    normal = a_pair()
    outcome = simulate(normal, link_down("s-p"))
    # s → k → p takes 13 ms, over twice 6; the unprotected one sets no limit and goes round.
    assert keys(normal, outcome.moved) == {TILL}
    assert loads(normal, outcome) == {
        ("s-k", True): 4.0,
        ("s-k", False): 4.0,
        ("p-k", True): 1.0,
        ("p-k", False): 1.0,
    }
    assert outcome.cluster_rows.tolist() == [normal.context.cluster_index["k-c1"]]
    assert outcome.moved_compute[0, 0, 0] == 10.0


#: 8000 · 36 · 1.1 / (3600 · 8) Mbit/s.
BACKUP = 11.0
#: What is lost; where the backups of ``back``, which runs at p and is kept at k, load links; where at s.
BACKUP_WAYS = [
    (NORMAL, {("p-k", True)}, {("s-p", False)}),
    (link_down("p-k"), {("s-p", False), ("s-k", True)}, {("s-p", False)}),  # the long way round
    (link_down("s-k"), {("p-k", True)}, {("s-p", False)}),
    (FailureState("site", "k", sites=frozenset({"k"}), clusters=frozenset({"k-c1"})), set(), {("s-p", False)}),
    (FailureState("site", "p", sites=frozenset({"p"}), clusters=frozenset({"p-c1"})), set(), set()),
    (FailureState("cluster", "p-c1", clusters=frozenset({"p-c1"})), set(), set()),
]


@pytest.mark.parametrize(("state", "to_k", "to_s"), BACKUP_WAYS, ids=lambda value: getattr(value, "id", None))
def test_backups_go_from_where_a_demand_runs_to_the_site_that_is_named(
    state: FailureState, to_k: set[tuple[str, bool]], to_s: set[tuple[str, bool]]
) -> None:
    for target, expected in (("k", to_k), ("s", to_s), ("p", set()), ("", set())):
        normal = a_pair(
            sites=[a_site("p", can_host=True), a_site("k", can_host=True), a_site("s", transit="yes")],
            workloads=[a_workload("back", "s", backup_days=7, backup_site=target, change_gb_per_day=36.0)],
        )
        found = loads(normal, simulate(normal, state))
        assert found == dict.fromkeys(expected, pytest.approx(BACKUP)), target


def test_what_moved_is_backed_up_from_its_standby_and_what_is_not_kept_is_not_sent() -> None:
    columns = {"backup_site": "s", "change_gb_per_day": 36.0, "max_rtt_ms": 6.0}
    till = a_protected_workload("till", "s", backup_days=7, **columns)
    normal = a_pair(workloads=[till])
    lost = FailureState("cluster", "p-c1", clusters=frozenset({"p-c1"}))
    assert loads(normal, simulate(normal, lost)) == {("s-k", False): pytest.approx(BACKUP)}
    kept = a_pair(workloads=[till.model_copy(update={"backup_days": 0})])
    assert loads(kept, simulate(kept, lost)) == {}


def test_the_window_decides_how_much_a_backup_takes() -> None:
    for hours, mbps in ((8.0, BACKUP), (4.0, 2 * BACKUP), (24.0, BACKUP / 3)):
        back = a_workload("back", "s", backup_days=7, backup_site="k", change_gb_per_day=36.0, count=1)
        normal = a_pair(workloads=[back], backup_window_hours=hours)
        assert loads(normal, simulate(normal))["p-k", True] == pytest.approx(mbps)


def test_long_way_round_is_not_cut_without_a_limit() -> None:
    normal = a_pair(workloads=[a_protected_workload("till", "s", traffic_mbps=3.0)])
    outcome = simulate(normal, link_down("s-p"))
    assert outcome.moved == ()
    assert loads(normal, outcome)["p-k", True] == pytest.approx(3.0 + STREAM)


def test_limit_after_a_failure_is_inclusive() -> None:
    inside = a_pair(workloads=[a_protected_workload("till", "s", max_rtt_ms=6.5)])
    outside = a_pair(workloads=[a_protected_workload("till", "s", max_rtt_ms=6.49)])
    assert simulate(inside, link_down("s-p")).moved == ()
    assert simulate(outside, link_down("s-p")).moved == (0,)


def test_link_that_cuts_both_ways_is_a_single_point_of_failure() -> None:
    normal = a_pair(links=[a_link("s", "p"), a_link("p", "k")])
    outcome = simulate(normal, link_down("s-p"))
    assert keys(normal, outcome.single_points) == {TILL}
    assert keys(normal, outcome.down) == {BACK}
    assert outcome.violations == ()
    # The stream goes on: both clusters are up and connected.
    assert loads(normal, outcome) == {("p-k", True): round(STREAM, 9)}


def test_standby_too_far_after_a_link_failure_is_a_single_point_of_failure() -> None:
    normal = a_pair(links=[a_link("s", "p"), a_link("s", "k", rtt_ms=12.1), a_link("p", "k")])
    assert keys(normal, simulate(normal, link_down("s-p")).single_points) == {TILL}


def test_carrier_cloud_may_be_a_single_point_of_failure() -> None:
    sites = [a_site("p", can_host=True), a_site("k", can_host=True), a_site("s"), a_site("net", kind="network")]
    normal = a_pair(sites=sites, links=[a_link("s", "net"), a_link("p", "net"), a_link("k", "net")])
    state = next(state for state in normal.failures if state.kind == "network")
    outcome = simulate(normal, state)
    assert keys(normal, outcome.single_points) == {TILL}
    assert keys(normal, outcome.down) == {BACK}
    assert loads(normal, outcome) == {}


def test_site_failure_restores_at_the_standby() -> None:
    normal = a_pair()
    outcome = simulate(normal, site_down(normal, "p"))
    assert keys(normal, outcome.restored) == {TILL}
    assert keys(normal, outcome.down) == {BACK}
    assert loads(normal, outcome) == {("s-k", True): 3.0, ("s-k", False): 3.0}
    assert outcome.moved_compute[0, 0, 0] == 10.0
    assert outcome.violations == ()


def test_cluster_failure_restores_while_the_site_still_carries_traffic() -> None:
    normal = a_pair(links=[a_link("s", "p"), a_link("p", "k")])
    state = next(state for state in normal.failures if state.id == "cluster:p-c1")
    outcome = simulate(normal, state)
    assert keys(normal, outcome.restored) == {TILL}
    assert loads(normal, outcome) == {
        ("s-p", True): 3.0,
        ("s-p", False): 3.0,
        ("p-k", True): 3.0,
        ("p-k", False): 3.0,
    }


def test_standby_out_of_reach_after_a_site_failure_is_a_violation() -> None:
    normal = a_pair(links=[a_link("s", "p"), a_link("s", "k", rtt_ms=12.1), a_link("p", "k")])
    outcome = simulate(normal, site_down(normal, "p"))
    assert keys(normal, outcome.lost) == {TILL}
    (violation,) = outcome.violations
    assert isinstance(violation, ReachViolation)
    assert (violation.demand, violation.standby, violation.rtt_ms, violation.limit_ms) == (TILL, "k-c1", 12.1, 12.0)


def test_no_path_after_a_site_failure_is_a_violation() -> None:
    normal = a_pair(links=[a_link("s", "p"), a_link("p", "k")])
    (violation,) = simulate(normal, site_down(normal, "p")).violations
    assert isinstance(violation, ReachViolation)
    assert violation.rtt_ms is None


def test_users_at_the_failed_site_restart_without_traffic_or_limit() -> None:
    normal = a_pair(
        workloads=[a_protected_workload("till", "p", traffic_mbps=3.0, max_rtt_ms=1.0, vcpus=10.0)],
        links=[a_link("p", "k", rtt_ms=50.0)],
    )
    outcome = simulate(normal, site_down(normal, "p"))
    assert outcome.restored == (0,)
    assert outcome.violations == ()
    assert loads(normal, outcome) == {}
    assert outcome.moved_compute[0, 0, 0] == 10.0


def test_users_down_elsewhere_leave_the_demand_without_traffic() -> None:
    sites = [a_site("p", can_host=True), a_site("k", can_host=True), a_site("s", can_host=True)]
    normal = a_pair(sites=sites)
    outcome = simulate(normal, site_down(normal, "s"))
    assert (outcome.moved, outcome.down, outcome.lost) == ((), (), ())
    assert loads(normal, outcome) == {("p-k", True): round(STREAM, 9)}


def test_loss_of_the_standby_only_stops_the_stream() -> None:
    normal = a_pair()
    outcome = simulate(normal, site_down(normal, "k"))
    assert loads(normal, outcome) == {("s-p", True): 4.0, ("s-p", False): 4.0}
    assert (outcome.moved, outcome.restored, outcome.lost) == ((), (), ())


def test_stream_is_rerouted() -> None:
    normal = a_pair(workloads=[a_protected_workload("till", "p")], sites=[a_site(x, can_host=True) for x in "pks"])
    assert loads(normal, simulate(normal, link_down("p-k"))) == {
        ("s-p", False): round(STREAM, 9),
        ("s-k", True): round(STREAM, 9),
    }


def test_fault_domain_that_takes_both_is_a_violation() -> None:
    sites = [a_site("p", can_host=True, fault_domain="x"), a_site("k", can_host=True, fault_domain="x"), a_site("s")]
    normal = a_pair(sites=sites)
    state = next(state for state in normal.failures if state.kind == "fault_domain")
    outcome = simulate(normal, state)
    assert keys(normal, outcome.lost) == {TILL}
    assert isinstance(outcome.violations[0], ReachViolation)


@pytest.mark.parametrize(("bandwidth", "is_over"), [(5.0, False), (4.99, True)])
def test_link_limit_is_inclusive(bandwidth: float, is_over: bool) -> None:
    normal = a_pair(links=[a_link("s", "p", bandwidth_mbps=bandwidth), a_link("s", "k"), a_link("p", "k")])
    found = [item for item in violations(normal, [NORMAL]) if isinstance(item, LinkViolation)]
    assert [(item.link, item.forward, item.load) for item in found] == (
        [("s-p", True, 4.0), ("s-p", False, 4.0)] if is_over else []
    )


@pytest.mark.parametrize(("uses_reserve", "is_over"), [(False, True), (True, False)])
def test_cluster_limit_after_a_failure(uses_reserve: bool, is_over: bool) -> None:
    inventory = an_inventory(
        [a_site("p", can_host=True), a_site("k", can_host=True), a_site("s")],
        [a_protected_workload("till", "s", vcpus=60.0), a_workload("own", "s", vcpus=60.0)],
        [a_link("s", "p"), a_link("s", "k"), a_link("p", "k")],
        standby_uses_node_reserve=uses_reserve,
    )
    decisions = Decisions(
        (a_cluster("p-c1", (2,)), a_cluster("k-c1", (2,))), {TILL: "p-c1", key("own", "s"): "k-c1"}, {TILL: "k-c1"}
    )
    found = violations(NormalState(build_context(inventory, PACK, decisions)))
    over = {(item.cluster, item.resource, item.state.id) for item in found if isinstance(item, ClusterViolation)}
    assert over == ({("k-c1", "vcpu", "site:p"), ("k-c1", "vcpu", "cluster:p-c1")} if is_over else set())


def test_upgrade_counts_from_its_period() -> None:
    inventory = an_inventory(
        [a_site("p", can_host=True), a_site("s")],
        [a_workload("back", "s")],
        [a_link("s", "p", bandwidth_mbps=10.0, back_mbps=30.0, reserved_mbps=1.0, upgrade_mbps=20.0)],
        horizon_months=18,
    )
    decisions = Decisions((a_cluster("p-c1", (2, 2, 2)),), {BACK: "p-c1"}, {}, {"s-p": 1})
    limits = build_context(inventory, PACK, decisions).link_limit
    assert limits[0].tolist() == [[7.0, 15.0, 15.0], [23.0, 23.0, 23.0]]


def a_random_fleet(seed: int) -> tuple[Inventory, Decisions]:
    """Up to 5 hubs and 5 stores on a sparse network with carrier cloud, shared fault domains and tight limits."""
    chance = random.Random(seed)
    hubs = [f"h{number}" for number in range(chance.randint(2, 5))]
    stores = [f"s{number}" for number in range(chance.randint(1, 5))]
    sites = [
        a_site(name, can_host=True, fault_domain=chance.choice(("", "", "x")), transit=chance.choice((None, "no")))
        for name in hubs
    ]
    sites += [a_site(name, kind="store") for name in stores]
    links = []
    if chance.random() < 0.6:
        sites.append(a_site("net", kind="network"))
        links += [a_link(name, "net", rtt_ms=chance.randint(1, 6)) for name in hubs + stores if chance.random() < 0.7]
    for name in hubs + stores:
        for other in chance.sample(hubs, chance.randint(1, 2)):
            if other != name:
                links.append(
                    a_link(
                        name,
                        other,
                        link=f"{name}-{other}-{len(links)}",
                        rtt_ms=float(chance.randint(1, 6)),
                        bandwidth_mbps=float(chance.randint(2, 40)),
                    )
                )
    ducts = random.Random(f"ducts of {seed}")
    links = [link.model_copy(update={"shared_risk": ducts.choice(((), (), ("d",), ("d", "e")))}) for link in links]
    workloads = []
    for number in range(chance.randint(1, 4)):
        values: dict[str, Any] = {
            "traffic_mbps": float(chance.randint(0, 5)),
            "max_rtt_ms": chance.choice((None, None, 3.0, 5.0, 8.0)),
            "vcpus": float(chance.randint(1, 40)),
            "from_month": chance.choice((0, 0, 6)),
            "growth": chance.choice(("", "up")),
            "count": chance.randint(1, 2),
        }
        where: dict[str, Any] = {"kind": "store"} if chance.random() < 0.7 else {"site": chance.choice(hubs)}
        if chance.random() < 0.6:
            protection: dict[str, Any] = chance.choice(
                ({"rpo_minutes": 15.0}, {"rpo_minutes": 0.0}, {"rpo_minutes": 60.0})
            )
            workloads.append(a_protected_workload(f"w{number}", **where, **values, **protection))
        else:
            workloads.append(a_workload(f"w{number}", **where, **values))
    saving = random.Random(f"backups/{seed}")
    workloads = [
        row.model_copy(
            update={"backup_days": 30, "backup_site": saving.choice(hubs + stores), "change_gb_per_day": 25.0}
        )
        if saving.random() < 0.5
        else row
        for row in workloads
    ]
    inventory = an_inventory(
        sites,
        workloads,
        links,
        growth=[GrowthPoint(profile="up", annual_rate=0.3)],
        horizon_months=12,
        failure_rtt_factor=chance.choice((1.0, 1.5, 2.0)),
        shared_risk="hard",
    )
    clusters = {name: f"{name}-c1" for name in hubs}
    primary: dict[DemandKey, str] = {}
    standby: dict[DemandKey, str] = {}
    for demand in inventory.demands:
        first, second = chance.sample(hubs, 2)
        primary[demand.key] = clusters[first]
        if demand.is_protected:
            standby[demand.key] = clusters[second]
    return inventory, Decisions(tuple(a_cluster(name, (2, 2)) for name in clusters.values()), primary, standby)


@pytest.mark.parametrize("seed", range(120))
def test_fast_sweep_agrees_with_the_slow_one(seed: int) -> None:
    inventory, decisions = a_random_fleet(seed)
    normal = NormalState(build_context(inventory, PACK, decisions))
    states = (NORMAL, *normal.failures)
    limits = normal.context.link_limit
    never = slow_state(inventory, PACK, decisions, NORMAL).stream_cuts
    for outcome in sweep(normal, states):
        slow = slow_state(inventory, PACK, decisions, outcome.state)
        assert keys(normal, outcome.stream_cuts) == slow.stream_cuts - never, outcome.state.id
        unserved = slow.single_points | slow.down | slow.lost
        assert keys(normal, outcome.uncopied) == slow.stream_cuts - never - unserved, outcome.state.id
        expected = np.zeros_like(limits)
        for (link, forward, period), mbps in slow.links.items():
            expected[normal.context.link_index[link], 0 if forward else 1, period] += mbps
        assert np.allclose(outcome.link_loads(normal), expected, atol=1e-9), outcome.state.id
        for name in ("moved", "restored", "single_points", "down", "lost"):
            assert keys(normal, getattr(outcome, name)) == getattr(slow, name), (outcome.state.id, name)
        taken = np.zeros_like(normal.context.own_compute)
        taken[outcome.cluster_rows] = outcome.moved_compute
        wanted = np.zeros_like(taken)
        for (cluster, resource, period), amount in slow.moved_compute.items():
            wanted[normal.context.cluster_index[cluster], ("vcpu", "memory_gb", "gpu").index(resource), period] += (
                amount
            )
        assert np.allclose(taken, wanted, atol=1e-9), outcome.state.id
        over = {
            (item.link, 0 if item.forward else 1, item.period)
            for item in outcome.violations
            if isinstance(item, LinkViolation)
        }
        changed = {(normal.context.links[row // 2], row % 2) for row in outcome.link_rows.tolist()}
        assert over == {
            (link, side, period)
            for index, link in enumerate(normal.context.links)
            for side in (0, 1)
            for period in range(2)
            if expected[index, side, period]
            > limits[index, side, period] + 1e-6 * max(1.0, limits[index, side, period])
            and (link, side) in changed
        }


@pytest.mark.parametrize("seed", range(20))
def test_worst_loads_are_the_largest(seed: int) -> None:
    inventory, decisions = a_random_fleet(seed)
    normal = NormalState(build_context(inventory, PACK, decisions))
    outcomes = tuple(sweep(normal))
    worst = worst_loads(normal, outcomes)
    dense = [simulate(normal), *outcomes]
    largest = np.max([outcome.link_loads(normal) for outcome in dense], axis=0).reshape(worst.mbps.shape)
    assert np.allclose(worst.mbps, largest, atol=1e-7)
    for row, period in zip(*np.nonzero(worst.states), strict=True):
        named = dense[int(worst.states[row, period])].link_loads(normal).reshape(worst.mbps.shape)
        assert named[row, period] == pytest.approx(worst.mbps[row, period])


@pytest.mark.parametrize("seed", range(200, 240))
def test_audit_says_what_the_slow_states_say(seed: int) -> None:
    inventory, decisions = a_random_fleet(seed)
    normal = NormalState(build_context(inventory, PACK, decisions))
    usual = slow_state(inventory, PACK, decisions, NORMAL)
    expected = set()
    own = {
        (cluster.cluster, name, period): 0.0 for cluster in decisions.clusters for name in COMPUTE for period in (0, 1)
    }
    for demand in inventory.demands:
        for period in (0, 1):
            amounts = inventory.amounts(demand, period)
            for name in COMPUTE:
                own[decisions.primary[demand.key], name, period] += getattr(amounts, name)
    archetype = archetype_for(inventory, PACK, "std", 2, TWO_WAY)
    for state in (NORMAL, *normal.failures):
        slow = slow_state(inventory, PACK, decisions, state)
        for (link, forward, period), mbps in slow.links.items():
            limit = normal.context.wan.links[link].usable_mbps(forward)
            is_new = state is NORMAL or abs(mbps - usual.links.get((link, forward, period), 0.0)) > 1e-9
            if is_new and mbps > limit + 1e-6 * max(1.0, limit):
                expected.add("NET-002" if state is NORMAL else "NET-003")
        if state is NORMAL:
            continue
        if slow.lost:
            expected.add("NET-004")
        for where, amount in slow.moved_compute.items():
            limit = getattr(archetype.capacity.usable, where[1])
            if amount and own[where] + amount > limit + 1e-6 * max(1.0, limit):
                expected.add("CAP-004")
    judged = {"NET-002", "NET-003", "NET-004", "CAP-004"}
    assert rules_of(a_plan(inventory, decisions)) & judged == expected
