"""Rules of recovery in the cloud: who can be copied there, who reaches it there, and what Fleet cannot see of it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator

from fleet.inventory.inventory import DemandKey
from fleet.plan.placement import cloud_host_reason, cloud_users_reason, exceeds
from fleet.plan.plan import Finding
from fleet.plan.rules.base import Evidence, Rule, demands_text, finding, finding_of, text
from fleet.plan.uploads import upload_loads, upload_violations
from fleet.quantities import GB_PER_TB


def _reaches(evidence: Evidence) -> Iterator[Finding]:
    """DR-009: copies reach the cloud from the primary's site, and users reach it from theirs."""
    context, inventory = evidence.context, evidence.inventory
    for index, demand in enumerate(context.demands):
        if not context.in_cloud[index]:
            continue
        site = context.clusters[int(context.primary[index])].site
        for reason, remedy in (
            (cloud_users_reason(inventory, demand), "give its users the internet, or let it recover on a cluster"),
            (cloud_host_reason(inventory, demand, site), "run it at a site with internet"),
        ):
            if reason is not None:
                yield finding_of(reason, text(demand.key), remedy)


def _limits(evidence: Evidence) -> Iterator[Finding]:
    """DR-010: what is replicated into the cloud, within which limits, and where it comes back from."""
    context, pack = evidence.context, evidence.pack
    here: Counter[str] = Counter()
    large: defaultdict[str, list[DemandKey]] = defaultdict(list)
    limit = pack.number("site_recovery.max_disk_tb")
    largest: dict[str, float] = {}
    for index, demand in enumerate(context.demands):
        if not context.in_cloud[index]:
            continue
        here[context.clusters[int(context.primary[index])].site] += 1
        factor = max(evidence.inventory.growth_factors(demand))
        size = demand.row.storage_gb / GB_PER_TB * factor
        if exceeds(size, limit):
            large[demand.workload].append(demand.key)
            largest[demand.workload] = max(size, largest.get(demand.workload, 0.0))
    for workload, keys in sorted(large.items()):
        yield finding(
            "DR-010",
            workload,
            f"an instance holds up to {largest[workload]:.3g} TB, and a disk that is replicated to the cloud has at "
            f"most {limit:g} TB: {demands_text(keys)}",
            f"spread the data of an instance over {math.ceil(largest[workload] / limit)} disks or more",
            largest[workload],
            limit,
            "TB",
            severity="warning",
        )
    is_free = pack.flag("site_recovery.failback_to_other_cluster")
    home = "any cluster" if is_free else "the cluster that they came from only"
    for site, loads in upload_loads(context).items():
        needed = float(loads.max())
        is_stated = evidence.inventory.site(site).internet_mbps is not None
        yield finding(
            "DR-010",
            site,
            f"{here[site]} demands recover in the cloud; their copies need {needed:.4g} Mbit/s of its internet access"
            f"{'' if is_stated else ', whose bandwidth is not stated'}, and the way back leads to {home}",
            "" if is_stated else "state internet_mbps of the site, so that this is judged",
            needed,
            unit="Mbit/s",
            severity="info",
        )


def _uploads(evidence: Evidence) -> Iterator[Finding]:
    """DR-011: copies fit the internet access of the site that they leave from."""
    for found in upload_violations(evidence.context):
        yield finding(
            "DR-011",
            found.site,
            f"copies into the cloud need {found.load:.6g} Mbit/s in period {found.period}, its internet access carries "
            f"{found.limit:.6g} Mbit/s of them",
            "raise internet_mbps, or run what recovers in the cloud elsewhere",
            found.load,
            found.limit,
            "Mbit/s",
        )


RULES = (
    Rule(
        "DR-009",
        "recovery in the cloud",
        "What recovers in the cloud runs at a site with internet, and its users have internet to reach it there.",
        "workloads recovery; sites internet; policy cloud_rtt_ms, failure_rtt_factor",
        "error",
        "assignment",
        _reaches,
    ),
    Rule(
        "DR-010",
        "limits of the cloud",
        "Sizes of disks, upload and the way back of what recovers in the cloud are told.",
        "rule pack site_recovery",
        "warning",
        "none needed: it tells and never limits a decision",
        _limits,
    ),
    Rule(
        "DR-011",
        "upload into the cloud",
        "Copies into the cloud fit the internet access of the site that they leave, where its bandwidth is stated.",
        "sites internet_mbps; policy max_link_utilization; rule pack network.min_internet_mbps",
        "error",
        "upload",
        _uploads,
    ),
)
