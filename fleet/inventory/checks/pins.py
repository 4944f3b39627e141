"""Checks of pins: what they name exists, and no two of them contradict."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from fleet.errors import Problem
from fleet.inventory.checks.references import Draft
from fleet.inventory.places import new_clusters
from fleet.inventory.reading.cells import did_you_mean
from fleet.inventory.reading.sheets import Record
from fleet.inventory.tables.pins import Pin
from fleet.inventory.tables.sites import Site

#: Columns that a decision needs, and those that it may have besides (reason and owner always).
_NEEDED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "open": (("site",), ("period",)),
    "close": (("site",), ("period",)),
    "assign": (("workload", "value"), ("site",)),
    "standby": (("workload", "value"), ("site",)),
    "node_model": (("value",), ("site", "cluster", "period")),
    "nodes": (("value",), ("site", "cluster", "period")),
    "link_upgrade": (("link", "value"), ("period",)),
    "forbid": (("value",), ("workload", "site")),
}
_COLUMNS = ("workload", "site", "link", "cluster", "period", "value")


@dataclass(frozen=True)
class _Names:
    """Everything that pins may name."""

    draft: Draft

    @cached_property
    def hosts(self) -> dict[str, Site]:
        """Candidate sites; those whose cells cannot be read get the benefit of the doubt."""
        standing = self.draft.clusters.names("site")
        return {
            item.row.site: item.row if item.has("can_host") else item.row.model_copy(update={"can_host": True})
            for item in self.draft.sites.records
            if not item.row.is_network
            and (item.row.can_host or item.row.site in standing or not item.has("can_host", "kind"))
        }

    @cached_property
    def clusters_to_come(self) -> dict[str, str]:
        """Sites of the clusters that may be built, by what they are called."""
        standing = [item.row for item in self.draft.clusters.records if item.has("cluster", "site")]
        taken = {row.cluster for row in standing}
        return {
            name: site.site
            for site in self.hosts.values()
            for name in new_clusters(site, [row for row in standing if row.site == site.site], taken)
        }

    @cached_property
    def cluster_sites(self) -> dict[str, str]:
        """Sites of the clusters that stand."""
        return {item.row.cluster: item.row.site for item in self.draft.clusters.records if item.has("cluster", "site")}

    @cached_property
    def demands(self) -> dict[str, set[str]]:
        """Sites of the users of each workload."""
        found: dict[str, set[str]] = {name: set() for name in self.draft.workloads.names("workload")}
        for workload, site in self.draft.demand_places():
            found.setdefault(workload, set()).add(site)
        return found

    def host_of(self, target: str) -> str | None:
        """Site of a target: a candidate site, a standing cluster, or a cluster to come such as ``hub-c2``."""
        if target in self.cluster_sites:
            return self.cluster_sites[target]
        if target in self.hosts:
            return target
        return self.clusters_to_come.get(target)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Sites and standing clusters, for suggestions."""
        return (*self.hosts, *self.cluster_sites)


def check_pins(draft: Draft) -> Iterator[Problem]:
    """Check each pin, then the sound ones against each other."""
    tables = (draft.sites, draft.workloads, draft.clusters, draft.links, draft.hardware)
    if not all(sheet.is_given for sheet in tables):
        return
    names = _Names(draft)
    sound = []
    for record in draft.pins.records:
        problems = list(_check_pin(draft, names, record))
        yield from problems
        if not problems and not record.broken:
            sound.append(record)
    yield from _contradictions(draft, names, sound)


def _check_pin(draft: Draft, names: _Names, record: Record[Pin]) -> Iterator[Problem]:
    row, sheet = record.row, draft.pins
    if not record.has("decision"):
        return
    needed, optional = _NEEDED[row.decision]
    for column in _COLUMNS:
        is_blank = getattr(row, column) in ("", None)
        if column in needed and is_blank and record.has(column):
            message = f"decision {row.decision} needs column {column}"
            yield sheet.problem("INV050", record, column, message, "fill in the cell")
        if column not in needed and column not in optional and not is_blank:
            message = f"decision {row.decision} does not use column {column}"
            yield sheet.problem("INV050", record, column, message, "clear the cell, or correct the decision")
    if (
        row.decision in ("node_model", "nodes")
        and record.has("site", "cluster")
        and bool(row.site) == bool(row.cluster)
    ):
        message = f"decision {row.decision} needs either site or cluster"
        yield sheet.problem("INV050", record, "site", message, "fill in exactly one of them")
    if (
        row.period is not None
        and record.has("period")
        and not {"horizon_months", "period_months"} & draft.broken_policy
    ):
        last = draft.policy.period_count - 1
        if row.period > last:
            message = f"got period {row.period}, expected at most {last} (periods count from 0)"
            yield sheet.problem("INV050", record, "period", message, "correct the period, or lengthen the horizon")
    yield from _check_names(draft, names, record)
    yield from _check_value(draft, names, record)


def _check_names(draft: Draft, names: _Names, record: Record[Pin]) -> Iterator[Problem]:
    row = record.row
    sites = draft.sites.names("site")

    def unknown(column: str, known: Collection[str], what: str) -> Iterator[Problem]:
        name = getattr(row, column)
        if name and name not in known and record.has(column):
            remedy = did_you_mean(name, known, "correct the name")
            yield draft.pins.problem("INV011", record, column, f"there is no {what} {name!r}", remedy)

    is_hosting = row.decision in ("open", "close", "node_model", "nodes")
    if is_hosting and row.site in sites and row.site not in names.hosts:
        message = f"site {row.site!r} cannot host a cluster"
        yield draft.pins.problem("INV051", record, "site", message, "write yes in its can_host, or remove the pin")
    else:
        yield from unknown("site", sites, "site")
    if names.demands:
        yield from unknown("workload", names.demands, "workload")
    yield from unknown("link", draft.links.names("link"), "link")
    if row.cluster and names.host_of(row.cluster) is None:
        yield from unknown("cluster", names.cluster_sites, "cluster")
    users = names.demands.get(row.workload, set())
    if row.decision in ("assign", "standby", "forbid") and users and row.site in sites - users:
        message = f"workload {row.workload!r} has no users at site {row.site!r}"
        yield draft.pins.problem("INV051", record, "site", message, "correct the site, or leave it blank for all")
    if row.decision == "standby" and row.workload in names.demands:
        rows = [
            item.row for item in draft.workloads.records if item.has("workload") and item.row.workload == row.workload
        ]
        if rows and not any(item.has_standby for item in rows):
            why = "recovers in the cloud" if any(item.recovers_in_cloud for item in rows) else "has no protection"
            message = f"workload {row.workload!r} {why} and therefore has no standby"
            yield draft.pins.problem("INV051", record, "workload", message, "set its protection, or remove the pin")


def _check_value(draft: Draft, names: _Names, record: Record[Pin]) -> Iterator[Problem]:
    row, sheet = record.row, draft.pins
    if not row.value or not record.has("value"):
        return
    if row.decision in ("assign", "standby") and names.host_of(row.value) is None:
        message = f"got {row.value!r}, expected a candidate site or a cluster"
        yield sheet.problem("INV011", record, "value", message, did_you_mean(row.value, names.targets, "correct it"))
    if row.decision == "forbid" and row.value not in draft.sites.names("site"):
        message = f"got {row.value!r}, expected a site"
        remedy = did_you_mean(row.value, draft.sites.names("site"), "correct it")
        yield sheet.problem("INV011", record, "value", message, remedy)
    models = draft.hardware.names("node_model")
    if row.decision == "node_model" and row.value not in models:
        message = f"got {row.value!r}, expected a node model"
        yield sheet.problem("INV011", record, "value", message, did_you_mean(row.value, models, "correct it"))
    if row.decision == "nodes" and not (row.value.isascii() and row.value.isdigit() and 0 < int(row.value[:9]) < 10**6):
        message = f"got {row.value!r}, expected a whole number of at least 1"
        yield sheet.problem("INV007", record, "value", message, "correct the number of nodes")
    if row.decision == "link_upgrade":
        link = next((item for item in draft.links.records if item.row.link == row.link), None)
        if row.value.lower() not in ("yes", "no"):
            yield sheet.problem("INV007", record, "value", f"got {row.value!r}, expected yes or no", "correct the cell")
        elif row.value.lower() == "yes" and link and link.has("upgrade_mbps") and link.row.upgrade_mbps is None:
            message = f"link {row.link!r} has no upgrade_mbps"
            yield sheet.problem("INV051", record, "link", message, "fill it in in table links, or remove the pin")


def _contradictions(draft: Draft, names: _Names, pins: list[Record[Pin]]) -> Iterator[Problem]:
    """Find the first earlier pin that each pin contradicts."""
    checks: tuple[Callable[[_Names, Pin, Pin], str | None], ...] = (_one_site, _one_demand, _one_size, _one_link)
    for later, record in enumerate(pins):
        for earlier in pins[:later]:
            reasons = [check(names, earlier.row, record.row) for check in checks]
            reason = next((text for text in reasons if text), None)
            if reason:
                message = f"{reason}, against {draft.pins.where(earlier.index, '')}"
                yield draft.pins.problem("INV052", record, "", message, "remove one of the two pins")
                break
    standing = [item.row for item in draft.clusters.records if item.has("site", "keep", "node_model", "cluster")]
    for record in pins:
        for cluster in standing:
            if record.row.decision == "close" and cluster.site == record.row.site and cluster.keep:
                message = f"site {cluster.site!r} is closed and keeps cluster {cluster.cluster!r}"
                remedy = "set keep to no for the cluster, or remove the pin"
                yield draft.pins.problem("INV052", record, "", message, remedy)
            is_meant = record.row.cluster == cluster.cluster
            if record.row.decision == "node_model" and is_meant and record.row.value != cluster.node_model:
                message = f"cluster {cluster.cluster!r} stands with node model {cluster.node_model!r}"
                yield draft.pins.problem(
                    "INV052", record, "value", message, "remove the pin: nodes of a cluster are alike"
                )


def _one_site(names: _Names, a: Pin, b: Pin) -> str | None:
    for closed, other in ((a, b), (b, a)):
        if closed.decision != "close":
            continue
        used = {
            "open": other.site,
            "assign": names.host_of(other.value),
            "standby": names.host_of(other.value),
            "node_model": other.site or names.host_of(other.cluster),
            "nodes": other.site or names.host_of(other.cluster),
        }.get(other.decision)
        if used == closed.site:
            return f"site {closed.site!r} is closed and used"
    return None


def _one_demand(names: _Names, a: Pin, b: Pin) -> str | None:
    placing = ("assign", "standby")
    if a.decision in placing and b.decision in placing:
        if a.workload != b.workload or (a.site and b.site and a.site != b.site):
            return None
        host_a, host_b = names.host_of(a.value), names.host_of(b.value)
        if a.decision != b.decision:
            return f"workload {a.workload!r} runs and stands by at {host_a!r}" if host_a == host_b else None
        both_clusters = a.value not in names.hosts and b.value not in names.hosts
        if host_a != host_b or (both_clusters and a.value != b.value):
            return f"workload {a.workload!r} is pinned to {a.value!r} and {b.value!r}"
        return None
    for forbidden, placed in ((a, b), (b, a)):
        if forbidden.decision == "forbid" and placed.decision in placing:
            same = forbidden.workload in ("", placed.workload)
            same = same and (not forbidden.site or not placed.site or forbidden.site == placed.site)
            if same and names.host_of(placed.value) == forbidden.value:
                return f"workload {placed.workload!r} is pinned to {forbidden.value!r} and forbidden there"
    return None


def _one_size(names: _Names, a: Pin, b: Pin) -> str | None:  # noqa: ARG001
    same = (a.site, a.cluster) == (b.site, b.cluster)
    if a.decision == b.decision == "node_model" and same and a.value != b.value:
        return f"{a.site or a.cluster!r} is pinned to node models {a.value!r} and {b.value!r}"
    return None


def _one_link(names: _Names, a: Pin, b: Pin) -> str | None:  # noqa: ARG001
    if a.decision == b.decision == "link_upgrade" and a.link == b.link and a.value.lower() != b.value.lower():
        return f"link {a.link!r} is upgraded and never upgraded"
    return None
