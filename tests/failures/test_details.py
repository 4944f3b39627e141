"""Where demands come back, phase by phase, what is left of clusters, and how full everything gets."""

from __future__ import annotations

import numpy as np
import pytest

from fleet.failures.details import recovery_rows, remains_rows, survey
from fleet.failures.sweep import breaker_of, incident_of
from fleet.rulepack import load_rulepack
from fleet.wan.replication import mechanisms
from tests.builders import a_link
from tests.failures.small_plans import LINKS, small_inventory, small_plan


@pytest.mark.parametrize("pack", ["azure-local", "deep-dive"])
def test_phases_add_up_to_the_recovery_time(pack: str) -> None:
    for mechanism in mechanisms(load_rulepack(pack)):
        phases = mechanism.phases
        assert phases is not None
        parts = (
            phases.detection_minutes,
            phases.decision_minutes,
            phases.restart_minutes,
            phases.application_minutes,
        )
        assert sum(parts) == pytest.approx(mechanism.rto_minutes)
        assert (phases.decision_minutes == 0) == mechanism.is_automatic, "operators take time to decide"


def test_a_lost_cluster_comes_back_at_the_standby_phase_by_phase() -> None:
    breaker = breaker_of(small_plan(small_inventory()))
    (row,) = recovery_rows(breaker, incident_of(breaker, "site:east"))
    assert (row.cluster, row.standby, row.reason, row.mechanism) == ("east-c1", "west-c1", "lost", "replica-5min")
    assert (row.demands, row.workloads) == (1, ("erp",))
    assert (row.detection_minutes, row.decision_minutes, row.restart_minutes, row.application_minutes) == (5, 10, 5, 10)
    assert (row.rto_minutes, row.rpo_minutes) == (30, pytest.approx(10))


def test_cut_users_move_and_nodes_restart_in_their_cluster() -> None:
    links = (a_link("east", "west", rtt_ms=60), *LINKS[1:])
    breaker = breaker_of(small_plan(small_inventory(links=links)))
    (cut,) = recovery_rows(breaker, incident_of(breaker, "link:store-east"))
    assert (cut.reason, cut.standby) == ("cut", "west-c1")
    (node,) = recovery_rows(breaker, incident_of(breaker, "node:east-c1"))
    assert (node.reason, node.standby, node.rto_minutes, node.workloads) == ("node", "east-c1", 5, ("erp", "web"))


def test_quorum_and_pool_of_what_is_left() -> None:
    breaker = breaker_of(small_plan(small_inventory(), nodes=(3,)))

    def left(element: str) -> tuple[int, str, str, str, bool]:
        (row,) = remains_rows(breaker, incident_of(breaker, element))
        return row.nodes_left, row.cluster_quorum, row.pool_quorum, row.data, row.is_up

    assert left("drive:east-c1") == (3, "yes", "yes", "yes", True)
    assert left("node:east-c1") == (2, "yes", "yes", "yes", True)
    nodes_left, _, pool, data, is_up = left("node:east-c1 + node:east-c1")
    assert (nodes_left, pool, data, is_up) == (1, "no", "yes", False), "three copies, yet two thirds of the pool gone"
    assert left("cluster:east-c1") == (0, "down", "down", "down", False)


def test_use_of_clusters_and_links_after_every_failure() -> None:
    breaker = breaker_of(small_plan(small_inventory()))
    found = survey(breaker)
    order = [row.element for row in found.rows]

    def use(element: str) -> tuple[dict[str, float], dict[str, float]]:
        place = order.index(element)
        clusters, links = found.cluster_use.of(place), found.link_use.of(place)
        names = [cluster.name for cluster in breaker.context.clusters]
        return dict(zip(names, clusters, strict=True)), dict(zip(breaker.context.links, links, strict=True))

    clusters, links = use("cluster:east-c1")
    assert np.isnan(clusters["east-c1"])
    erp = breaker.context.compute[[str(demand) for demand in breaker.context.demands].index("erp at store"), :, 0]
    limit = breaker.context.failover_capacity[breaker.context.cluster_index["west-c1"], :, 0]
    assert clusters["west-c1"] == pytest.approx(max(erp[:2] / limit[:2]))
    # Erp moves: 50 Mbit/s of the 800 usable ones on the way to west; web is down.
    assert (links["store-west"], links["store-east"]) == (pytest.approx(50 / 800), 0)
    assert np.isnan(use("link:store-east")[1]["store-east"])
    assert use("drive:west-c1")[1]["store-east"] == pytest.approx(70 / 800)
    assert found.link_use.peaks().max() == max(np.nanmax(found.link_use.of(place)) for place in range(len(order)))
    changes = found.link_use.changes()
    assert changes[order.index("drive:west-c1")] == 0 < changes[order.index("cluster:east-c1")]
