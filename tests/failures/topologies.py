"""Published operator networks turned into fleets: every city has users, the best connected ones may host clusters."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from fleet.inventory.inventory import Inventory
from fleet.wan.latency import RTT_MS_PER_KM
from tests.builders import a_link, a_protected_workload, a_site, an_inventory

BENCH = Path(os.environ.get("FLEET_BENCH", Path(__file__).resolve().parents[3] / "shared" / "bench"))
#: Three classes of protection: recovery point and time [minutes], change [GB/day], traffic [Mbit/s], round trip [ms].
CLASSES = {"gold": (5, 60, 20, 10, 30), "silver": (15, 240, 10, 5, 40), "bronze": (60, 480, 5, 2, 60)}


def topology_fleet(name: str, hosts: int = 6) -> Inventory:
    """A fleet on one of the networks; skips the test where it is absent."""
    path = BENCH / "topologies" / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"{path} is absent: set FLEET_BENCH to the folder of the benchmark data")
    network = json.loads(path.read_text(encoding="utf-8"))
    names = {node["id"]: str(node.get("label") or node["id"]) for node in network["nodes"]}
    degree: Counter[object] = Counter()
    for edge in network["edges"]:
        degree.update((edge["a"], edge["b"]))
    best = {node for node, _ in sorted(degree.items(), key=lambda entry: (-entry[1], str(entry[0])))[:hosts]}
    sites = [
        a_site(
            names[node["id"]],
            kind="office",
            latitude=node["lat"],
            longitude=node["lon"],
            can_host=node["id"] in best,
            transit=True,
            opening_cost=20_000.0,
            monthly_cost=1_000.0,
        )
        for node in network["nodes"]
    ]
    links = [
        a_link(
            names[edge["a"]],
            names[edge["b"]],
            link=f"{names[edge['a']]}–{names[edge['b']]} {number}",
            bandwidth_mbps=2_500.0,
            rtt_ms=0.3 + RTT_MS_PER_KM * edge["km"],
        )
        for number, edge in enumerate(network["edges"])
    ]
    workloads = [
        a_protected_workload(
            label,
            kind="office",
            rpo_minutes=float(rpo),
            rto_minutes=float(rto),
            change_gb_per_day=float(change),
            traffic_mbps=float(traffic),
            max_rtt_ms=float(rtt),
        )
        for label, (rpo, rto, change, traffic, rtt) in CLASSES.items()
    ]
    return an_inventory(sites, workloads, links, name=name, horizon_months=12, period_months=12)
