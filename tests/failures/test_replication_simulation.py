"""Proven recovery points against a simulation of replication over shared links, on random fleets."""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import mean
from typing import NamedTuple

import pytest

from fleet.failures.proof import ProofRow, prove_recovery_points
from fleet.failures.sweep import normal_of
from fleet.inventory.inventory import DemandKey, Inventory
from fleet.plan.assemble import assemble
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.normal_state import NormalState
from fleet.plan.plan import Plan
from tests.builders import a_link, a_protected_workload, a_site, an_inventory
from tests.failures.replication_simulation import Stream, fair_rates, simulate
from tests.failures.small_plans import BY_HAND, TIERS

CASES = 200
#: Slack for sums of floating-point times [minutes].
ROUNDING = 1e-6


class Case(NamedTuple):
    """A fleet with its proofs, and how its workloads write: always at their peak, or below it most of the time."""

    normal: NormalState
    proofs: tuple[ProofRow, ...]
    is_steady: bool


def random_case(seed: int, fill: tuple[float, float] = (0.9, 1.0)) -> Case:
    """Hubs on a random tree with some more links, loaded up to `fill` of what is usable."""
    chance = random.Random(seed)
    hubs = [f"h{number}" for number in range(chance.randint(2, 5))]
    sites = [
        a_site(name, can_host=True, latitude=40.0, longitude=-100.0 + number / 5) for number, name in enumerate(hubs)
    ]
    ends = [(hubs[chance.randrange(number)], hubs[number]) for number in range(1, len(hubs))]
    ends += [(a, b) for a in hubs for b in hubs if a < b and (a, b) not in ends and chance.random() < 0.2]
    links = [a_link(a, b, rtt_ms=chance.uniform(1, 20), bandwidth_mbps=1e6) for a, b in ends]
    policy = {
        "peak_factor": chance.uniform(1, 4),
        "compression": chance.uniform(0.4, 1),
        "protocol_overhead": chance.uniform(1, 1.3),
        "max_link_utilization": 1.0,
    }
    workloads, primary, standby = [], {}, {}
    for number in range(chance.randint(1, 6)):
        at, to = chance.sample(hubs, 2)
        users = chance.choice(hubs)
        workloads.append(
            a_protected_workload(
                f"w{number}",
                users,
                rpo_minutes=chance.choice((2.0, 8.0, 12.0, 20.0, 29.0, 45.0, 60.0, 240.0)),
                change_gb_per_day=chance.uniform(1, 300),
                traffic_mbps=chance.uniform(0, 60),
            )
        )
        primary[DemandKey(f"w{number}", users)] = f"{at}-c1"
        standby[DemandKey(f"w{number}", users)] = f"{to}-c1"
    layout = dict.fromkeys(TIERS, "three-way-mirror")
    clusters = tuple(ClusterDecision(f"{name}-c1", name, "std", (4,), (layout,)) for name in hubs)

    def planned(inventory: Inventory) -> Plan:
        return assemble(inventory, Decisions(clusters, primary, standby), BY_HAND)

    inventory = an_inventory(sites, workloads, links, **policy)
    loads = {(row.link, row.from_): row.normal_mbps for row in planned(inventory).document.links}
    narrow = tuple(
        row.model_copy(
            update={
                "bandwidth_mbps": max(0.1, loads[row.link, row.from_] / chance.uniform(*fill)),
                "back_mbps": max(0.1, loads[row.link, row.to] / chance.uniform(*fill)),
            }
        )
        for row in inventory.links
    )
    normal = normal_of(planned(replace(inventory, links=narrow)))
    return Case(normal, prove_recovery_points(normal), chance.random() < 0.5)


def simulated_minutes(case: Case, seed: int) -> list[float]:
    """Largest loss of every stream in the simulation [minutes], in the order of the proofs."""
    chance = random.Random(seed)
    context, policy = case.normal.context, case.normal.context.inventory.policy
    users = dict.fromkeys(range(2 * len(context.links)), 0.0)
    for index, end in enumerate(case.normal.fates):
        for row in end.user_rows:
            users[row] += float(context.traffic[index, 0])
    limits = context.link_limit[:, :, 0].reshape(-1)
    free = {str(row): max(0.0, float(limits[row]) - users[row]) for row in users}
    streams = []
    for index, proof in enumerate(case.proofs):
        demand = context.demands[index]
        megabits_per_s = demand.row.change_gb_per_day * 8000 / 86_400 * policy.peak_factor
        on_wire = megabits_per_s * policy.compression * policy.protocol_overhead
        interval_s = proof.interval_minutes * 60
        shares = [1.0 if case.is_steady or chance.random() < 0.3 else chance.random() for _ in range(5000)]
        streams.append(
            Stream(
                interval_s=interval_s,
                first_s=chance.uniform(0, interval_s),
                batch_mbit=lambda count, shares=shares, size=on_wire * interval_s: size * shares[count % 5000],
                links=[str(row) for row in case.normal.fates[index].stream_rows],
                weight=proof.required_mbps,
            )
        )
    longest = max(stream.interval_s for stream in streams)
    return [loss / 60 for loss in simulate(streams, free, 8 * longest)]


def test_proven_recovery_points_hold_in_the_simulation_and_are_not_far_above_it() -> None:
    gaps = []
    for seed in range(CASES):
        case = random_case(seed)
        assert case.proofs
        for proof, minutes in zip(case.proofs, simulated_minutes(case, seed), strict=True):
            assert proof.is_kept
            assert proof.rpo_minutes is not None
            assert minutes <= proof.rpo_minutes + ROUNDING, f"case {seed}: {proof}"
            shipping = proof.rpo_minutes - proof.interval_minutes
            if shipping >= proof.rpo_minutes / 2 - ROUNDING:
                gaps.append((proof.rpo_minutes - minutes) / proof.rpo_minutes)
    assert len(gaps) > CASES / 2
    assert mean(gaps) <= 0.25


def test_too_thin_links_break_the_recovery_point_in_both() -> None:
    behind = 0
    for seed in range(25):
        case = random_case(seed, fill=(1.3, 1.5))
        minutes = simulated_minutes(case._replace(is_steady=True), seed)
        for proof, loss in zip(case.proofs, minutes, strict=True):
            if proof.objective_minutes is not None and loss > proof.objective_minutes + ROUNDING:
                behind += 1
                assert not proof.is_kept, f"case {seed}: {proof}"
    assert behind > 25


def test_fair_rates_fill_the_tightest_link_first() -> None:
    def stream(links: str, weight: float = 1.0) -> Stream:
        made = Stream(60.0, 0.0, lambda _: 1.0, list(links), weight)
        made.waiting.append([0.0, 1.0])
        return made

    # Link a: 10 for two, b: 30 for two; the second one is held to 5 on a, so the third gets 25 on b.
    assert fair_rates([stream("a"), stream("ab"), stream("b")], {"a": 10.0, "b": 30.0}) == [5, 5, 25]
    assert fair_rates([stream("a", 3.0), stream("a", 1.0)], {"a": 8.0}) == [6, 2]


def test_one_stream_alone_loses_its_interval_and_the_time_to_ship() -> None:
    # 90,000 Mbit every 15 minutes over 300 Mbit/s: 5 minutes to ship, so at most 20 minutes are lost.
    lone = Stream(900.0, 0.0, lambda _: 90_000.0, ["a"], 1.0)
    assert simulate([lone], {"a": 300.0}, 7200.0) == [pytest.approx(1200.0)]


def test_a_stream_that_falls_behind_loses_ever_more() -> None:
    behind = Stream(900.0, 0.0, lambda _: 90_000.0, ["a"], 1.0)
    (loss,) = simulate([behind], {"a": 50.0}, 72_000.0)
    assert loss > 30_000
