"""Machines on nodes: the test of packing beside one that tries every way, and its bounds and sets."""

from __future__ import annotations

import itertools
import random

import pytest

from fleet.inventory.tables.policy import Policy
from fleet.platform.machines import Hosts, Machine, Room, hosts_of, machine_of
from fleet.platform.packing import Machines, Verdict, are_small, cannot_subset, dual_feasible, gathered, packed
from fleet.rulepack import load_rulepack
from tests.builders import a_node_model, a_workload
from tests.oracles import have_hosts

NOTHING = Machine(0.0, 0.0)


def on(nodes: int, room: Room, platform: Machine = NOTHING) -> Hosts:
    return Hosts(room, nodes, nodes, platform)


def drawn(source: random.Random) -> tuple[Machines, Hosts]:
    """Up to eight machines of a few sizes on up to four nodes."""
    room = Room(100.0, 400.0, source.choice((0, 0, 2, 3)))
    sizes = []
    for _ in range(source.choice((1, 2, 3, 4))):
        gpus, per_gpu = source.choice(((0, 0), (1, 0), (2, 0), (0, 2), (0, 3))) if room.gpus else (0, 0)
        sizes.append(
            Machine(source.choice((5.0, 20.0, 35.0, 50.0, 60.0)), float(source.randint(40, 260)), gpus, per_gpu)
        )
    counts = [source.randint(1, 3) for _ in sizes]
    platform = source.choice((NOTHING, Machine(4.0, 8.0)))
    return gathered(zip(sizes, counts, strict=True)), on(source.randint(1, 4), room, platform)


def one_by_one(machines: Machines) -> list[tuple[float, float, int, int]]:
    return [
        (machine.vcpus, machine.memory_gb, machine.gpus, machine.per_gpu)
        for machine, count in machines
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(40))
def test_packing_is_decided_as_by_trying_every_way(seed: int) -> None:
    source = random.Random(seed)
    seen = set()
    for _ in range(30):
        machines, hosts = drawn(source)
        every = sorted(one_by_one(gathered([*machines, (hosts.platform, 1)])), reverse=True)
        room = hosts.room.vcpus, hosts.room.memory_gb, hosts.room.gpus
        expected = Verdict.FITS if have_hosts(every, hosts.left, room) else Verdict.CANNOT
        assert packed(machines, hosts) is expected
        seen.add(expected)
    assert seen == {Verdict.FITS, Verdict.CANNOT}


@pytest.mark.parametrize("seed", range(20))
def test_a_set_that_does_not_fit_is_as_small_as_can_be(seed: int) -> None:
    source = random.Random(seed)
    found = 0
    while found < 3:
        machines, hosts = drawn(source)
        if packed(machines, hosts) is Verdict.FITS:
            continue
        found += 1
        least = cannot_subset(machines, hosts)
        assert packed(least, hosts) is Verdict.CANNOT
        assert all(count <= dict(machines)[machine] for machine, count in least)
        for machine, _ in least:
            fewer = gathered((other, count - (other == machine)) for other, count in least)
            assert packed(fewer, hosts) is Verdict.FITS


def test_more_nodes_never_fit_less() -> None:
    source = random.Random(1)
    for _ in range(200):
        machines, hosts = drawn(source)
        verdicts = [packed(machines, on(nodes, hosts.room, hosts.platform)) for nodes in range(1, 9)]
        assert verdicts == sorted(verdicts, key=lambda verdict: verdict is Verdict.FITS)


def test_nodes_kept_free_count_where_they_may_be_used() -> None:
    hosts = Hosts(Room(100.0, 400.0, 0), left=2, every=3, platform=NOTHING)
    machines = ((Machine(1.0, 250.0), 3),)
    assert packed(machines, hosts) is Verdict.CANNOT
    assert packed(machines, hosts, every_node=True) is Verdict.FITS


def test_no_machines_fit_anywhere_and_none_on_no_node() -> None:
    assert packed((), on(0, Room(1.0, 1.0, 0))) is Verdict.FITS
    assert packed(((Machine(0.5, 0.5), 1),), on(0, Room(1.0, 1.0, 0))) is Verdict.CANNOT


def test_the_platform_has_a_machine_of_its_own() -> None:
    alone = ((Machine(1.0, 100.0), 1),)
    assert packed(alone, on(1, Room(10.0, 100.0, 0))) is Verdict.FITS
    assert packed(alone, on(1, Room(10.0, 100.0, 0), Machine(1.0, 8.0))) is Verdict.CANNOT
    assert packed(alone, on(2, Room(10.0, 100.0, 0), Machine(1.0, 8.0))) is Verdict.FITS


@pytest.mark.parametrize(
    ("machines", "fits"),
    [
        (((Machine(1.0, 1.0, 2), 3),), False),  # 3 × 2 GPUs on 2 × 3
        (((Machine(1.0, 1.0, 2), 2), (Machine(1.0, 1.0, 1), 2)), True),
        (((Machine(1.0, 1.0, 0, 2), 12),), True),  # halves
        (((Machine(1.0, 1.0, 0, 2), 11), (Machine(1.0, 1.0, 0, 3), 1)), False),  # equal parts of each GPU: 6 + 1
        (((Machine(1.0, 1.0, 0, 2), 9), (Machine(1.0, 1.0, 0, 3), 3)), True),
        (((Machine(1.0, 1.0, 0, 2), 3), (Machine(1.0, 1.0, 2), 2)), True),
    ],
)
def test_gpus_are_whole_or_in_equal_parts(machines: Machines, *, fits: bool) -> None:
    assert (packed(gathered(machines), on(2, Room(100.0, 100.0, 3))) is Verdict.FITS) == fits


def test_millions_of_small_machines_are_dealt_out_at_once() -> None:
    machines = tuple((Machine(0.01 * (1 + size), 0.02), 100_000) for size in range(5))
    assert packed(gathered(machines), on(8, Room(2000.0, 1600.0, 0))) is Verdict.FITS


def test_machines_that_are_small_fit_whichever_they_are() -> None:
    source = random.Random(4)
    hosts = Hosts(Room(100.0, 400.0, 0), left=3, every=4, platform=Machine(4.0, 8.0))
    tried = 0
    while tried < 100:
        sizes = [Machine(source.uniform(0.2, 5.0), source.uniform(1.0, 20.0)) for _ in range(source.randint(1, 8))]
        machines = gathered((machine, source.randint(1, 30)) for machine in sizes)
        load = [sum(machine.amounts[number] * count for machine, count in machines) for number in range(3)]
        largest = [max(machine.amounts[number] for machine, _ in machines) for number in range(3)]
        if are_small(load, largest, hosts):
            tried += 1
            assert packed(machines, hosts) is Verdict.FITS
    assert not are_small((10.0, 10.0, 1.0), (1.0, 1.0, 1.0), hosts)


def test_many_sizes_that_nobody_could_search_are_not_called_fitting() -> None:
    source = random.Random(3)
    sizes = [Machine(0.0, source.uniform(20.0, 60.0)) for _ in range(120)]
    total = sum(machine.memory_gb for machine in sizes)
    hosts = on(12, Room(1.0, total / 12 * (1 + 1e-9), 0))
    assert packed(gathered((machine, 1) for machine in sizes), hosts) is Verdict.UNDECIDED


def test_counts_hold_for_whatever_fits_a_node() -> None:
    source = random.Random(2)
    for _ in range(500):
        shares = [source.uniform(0.02, 0.9) for _ in range(6)]
        for size in range(1, 7):
            for chosen in itertools.combinations(shares, size):
                if sum(chosen) <= 1.0:
                    assert all(sum(dual_feasible(share, most) for share in chosen) <= most for most in range(1, 9))


def test_a_node_offers_machines_all_that_its_host_leaves() -> None:
    pack = load_rulepack("azure-local")
    hosts = hosts_of(a_node_model(gpus=2, gpu_model="L4"), 4, 1, Policy(), pack)
    assert (hosts.left, hosts.every, hosts.room.gpus) == (3, 4, 2)
    assert hosts.room.memory_gb == pytest.approx(512.0 - 40.96)
    assert hosts.room.vcpus == pytest.approx((32 - 3.2) * 4.0)


def test_machines_grow_but_not_their_gpus() -> None:
    row = a_workload("w", "s", vcpus=8.0, memory_gb=100.0, gpus=2.0, vcpu_per_core=2.0)
    assert machine_of(row, 1.5, Policy()) == Machine(24.0, 150.0, 2, 0)
