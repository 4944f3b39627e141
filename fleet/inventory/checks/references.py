"""Checks across rows: names that stand twice, and names that point nowhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from fleet.errors import Problem
from fleet.inventory.figures import Figure
from fleet.inventory.reading.cells import did_you_mean
from fleet.inventory.reading.sheets import Record, Sheet
from fleet.inventory.tables.growth import GrowthPoint
from fleet.inventory.tables.hardware import ExistingCluster, NodeModel
from fleet.inventory.tables.links import Link
from fleet.inventory.tables.pins import Pin
from fleet.inventory.tables.policy import Policy, PolicyRow
from fleet.inventory.tables.prices import PRICE_ITEMS, FailureRate, Price
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import Workload
from fleet.tables import InputRow

R = TypeVar("R", bound=InputRow)

#: Elements that a failure rate may name as a class.
ELEMENT_CLASSES = ("drive", "node", "cluster", "site", "link", "network")


@dataclass(frozen=True)
class Draft:
    """Every table as read, before it is known to be sound.

    `broken_policy` names the policy keys whose value could not be read and therefore holds its default.
    """

    sites: Sheet[Site]
    links: Sheet[Link]
    workloads: Sheet[Workload]
    hardware: Sheet[NodeModel]
    growth: Sheet[GrowthPoint]
    clusters: Sheet[ExistingCluster]
    pins: Sheet[Pin]
    prices: Sheet[Price]
    failure_rates: Sheet[FailureRate]
    figures: Sheet[Figure]
    policy_rows: Sheet[PolicyRow]
    policy: Policy
    broken_policy: frozenset[str]

    def policy_problem(self, code: str, key: str, message: str, remedy: str) -> Problem:
        """Word a problem of a policy value, at the row of its key if there is one."""
        row = next((item for item in self.policy_rows.records if item.row.key.lower() == key), None)
        return self.policy_rows.problem(code, row, "value" if row else key, f"{key}: {message}", remedy)

    def demand_places(self) -> dict[tuple[str, str], Record[Workload]]:
        """(workload, site) of every demand, with the row that asks for it (the first one)."""
        of_kind: dict[str, list[str]] = {}
        for site in self.sites.records:
            if site.has("site", "kind"):
                of_kind.setdefault(site.row.kind, []).append(site.row.site)
        found: dict[tuple[str, str], Record[Workload]] = {}
        for record in self.workloads.records:
            if record.has("workload", "site", "kind"):
                row = record.row
                for site_name in [row.site] if row.site else of_kind.get(row.kind, []) if row.kind else []:
                    found.setdefault((row.workload, site_name), record)
        return found


def _repeated(
    sheet: Sheet[R], columns: tuple[str, ...], key: Callable[[R], Hashable | None], what: str
) -> Iterator[Problem]:
    """Name rows whose key stands in an earlier row; a key of None is no key."""
    first: dict[Hashable, Record[R]] = {}
    for record in sheet.records:
        value = key(record.row) if record.has(*columns) else None
        if value is None:
            continue
        if value in first:
            shown = " at ".join(str(part) for part in value) if isinstance(value, tuple) else repr(value)
            message = f"{what} {shown} is given twice, first at {sheet.where(first[value].index, '')}"
            yield sheet.problem("INV010", record, columns[0], message, "keep one of the rows, or rename one")
        else:
            first[value] = record


def duplicates(draft: Draft) -> Iterator[Problem]:
    """Find names that stand twice, and two rows that ask for the same demand."""
    yield from _repeated(draft.sites, ("site",), lambda row: row.site, "site")
    yield from _repeated(draft.links, ("link",), lambda row: row.link or None, "link")
    yield from _repeated(draft.hardware, ("node_model",), lambda row: row.node_model, "node model")
    yield from _repeated(draft.clusters, ("cluster",), lambda row: row.cluster, "cluster")
    yield from _repeated(draft.prices, ("item",), lambda row: row.item, "price item")
    yield from _repeated(draft.failure_rates, ("element",), lambda row: row.element, "element")
    yield from _repeated(draft.figures, ("figure",), lambda row: row.figure, "figure")
    yield from _repeated(draft.pins, ("decision",), _pin_key, "the same pin")
    yield from _repeated_demands(draft)
    for cluster in draft.clusters.records:
        row = cluster.row
        if cluster.has("cluster", "site") and row.cluster != row.site and row.cluster in draft.sites.names("site"):
            message = f"cluster {row.cluster!r} has the name of a site where it does not stand"
            yield draft.clusters.problem("INV010", cluster, "cluster", message, "rename the cluster: pins name both")


def _pin_key(row: Pin) -> str:
    return ", ".join(str(value) for value in row.model_dump(exclude={"extra", "reason", "owner"}).values() if value)


def _repeated_demands(draft: Draft) -> Iterator[Problem]:
    asked = draft.demand_places()
    of_kind: dict[str, list[str]] = {}
    for workload, site in asked:
        of_kind.setdefault(workload, []).append(site)
    kinds = {item.row.site: item.row.kind for item in draft.sites.records if item.has("site", "kind")}
    for record in draft.workloads.records:
        row = record.row
        if not record.has("workload", "site", "kind") or bool(row.site) == bool(row.kind):
            continue
        wanted = [row.site]
        if not row.site:
            wanted = [site for site in of_kind.get(row.workload, ()) if kinds.get(site) == row.kind]
        taken = [site for site in wanted if asked[row.workload, site].index != record.index]
        if taken:
            more = f" and {len(taken) - 1} more sites" if len(taken) > 1 else ""
            first = draft.workloads.where(asked[row.workload, taken[0]].index, "")
            message = f"workload {row.workload!r} is asked for twice at site {taken[0]!r}{more}, first at {first}"
            yield draft.workloads.problem("INV010", record, "workload", message, "keep one of the rows, or rename one")


def _unknown(
    sheet: Sheet[R], column: str, value: Callable[[R], str], known: Collection[str], what: str, otherwise: str
) -> Iterator[Problem]:
    """Name cells that point to none of `known`; blank cells point nowhere on purpose."""
    for record in sheet.records:
        name = value(record.row) if record.has(column) else ""
        if name and name not in known:
            remedy = did_you_mean(name, known, otherwise)
            yield sheet.problem("INV011", record, column, f"there is no {what} {name!r}", remedy)


def references(draft: Draft) -> Iterator[Problem]:
    """Find names that point nowhere. Tables that are absent or unreadable make no follow-up problems."""
    sites = draft.sites.names("site")
    add_site = "add the site to table sites"
    if sites and draft.sites.is_given:
        kinds = draft.sites.names("kind") - {""}
        yield from _unknown(draft.links, "from", lambda row: row.from_, sites, "site", add_site)
        yield from _unknown(draft.links, "to", lambda row: row.to, sites, "site", add_site)
        yield from _unknown(draft.workloads, "site", lambda row: row.site, sites, "site", add_site)
        yield from _unknown(draft.workloads, "backup_site", lambda row: row.backup_site, sites, "site", add_site)
        otherwise = "give this kind to the sites that are meant"
        yield from _unknown(draft.workloads, "kind", lambda row: row.kind, kinds, "site of kind", otherwise)
        yield from _unknown(draft.clusters, "site", lambda row: row.site, sites, "site", add_site)
        yield from _unknown(draft.figures, "site", lambda row: row.site, sites, "site", add_site)
        yield from _figure_kinds(draft, kinds, otherwise)
        default = draft.policy.default_network
        if default and default not in sites and "default_network" not in draft.broken_policy:
            remedy = did_you_mean(default, sites, add_site)
            yield draft.policy_problem("INV011", "default_network", f"there is no site {default!r}", remedy)
    if draft.growth.is_given:
        profiles = draft.growth.names("profile")
        otherwise = "add its rows to table growth"
        yield from _unknown(draft.workloads, "growth", lambda row: row.growth, profiles, "growth profile", otherwise)
    models = draft.hardware.names("node_model")
    if models and draft.hardware.is_given:
        otherwise = "add it to table hardware"
        yield from _unknown(draft.clusters, "node_model", lambda row: row.node_model, models, "node model", otherwise)
    otherwise = "remove the row; Fleet prices no such thing"
    yield from _unknown(draft.prices, "item", lambda row: row.item, PRICE_ITEMS, "price item", otherwise)
    if draft.sites.is_given and draft.links.is_given and draft.clusters.is_given:
        yield from _unknown_elements(draft)


def _figure_kinds(draft: Draft, kinds: Collection[str], otherwise: str) -> Iterator[Problem]:
    for record in draft.figures.records:
        for kind in record.row.kind if record.has("kind") else ():
            if kind not in kinds:
                remedy = did_you_mean(kind, kinds, otherwise)
                yield draft.figures.problem("INV011", record, "kind", f"there is no site of kind {kind!r}", remedy)


def _unknown_elements(draft: Draft) -> Iterator[Problem]:
    """Failure rates name a class of elements, or one: a site, link, access circuit, standing or planned cluster."""
    sites = draft.sites.names("site")
    known = {*ELEMENT_CLASSES, *sites, *draft.links.names("link"), *draft.clusters.names("cluster")}
    for record in draft.sites.records:
        if record.has("site", "wan_mbps") and record.row.wan_mbps is not None:
            known.add(f"{record.row.site}~{draft.policy.default_network}")
    otherwise = f"use {', '.join(ELEMENT_CLASSES)}, or the name of one element"
    for problem_row in draft.failure_rates.records:
        name = problem_row.row.element
        planned, _, number = name.rpartition("-c")
        if not problem_row.has("element") or name in known or (planned in sites and number.isdigit()):
            continue
        remedy = did_you_mean(name, known, otherwise)
        yield draft.failure_rates.problem("INV011", problem_row, "element", f"there is no element {name!r}", remedy)
