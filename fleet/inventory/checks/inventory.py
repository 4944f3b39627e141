"""Raw tables to a checked inventory, or to every problem at once.

Codes are stable:

======  =====================================================================================
INV001  a file, sheet or document cannot be read
INV002  unknown table, or a table given twice
INV003  the shape of a table is wrong: ragged row, repeated or missing header
INV004  unknown column
INV005  a required column is missing
INV006  a required cell is blank
INV007  a cell holds what its column does not accept
INV008  unknown policy key
INV010  a name or demand is given twice
INV011  a name points nowhere
INV020  a workload has both or neither of site and kind
INV021  protection without a recovery point objective
INV022  one coordinate without the other
INV023  a site has neither coordinates nor a place
INV024  a place is not in the table of places
INV025  a place fits several places
INV026  a round trip is neither measured nor can it be estimated
INV027  a link starts and ends at one site
INV028  more bandwidth is reserved than usable
INV029  an upgrade lowers the bandwidth
INV030  a table that every plan needs has no rows
INV031  no candidate site
INV033  an access circuit without a default network
INV034  the default network is no carrier cloud
INV037  a carrier cloud with clusters or users
INV038  residency refers to a blank country or region
INV039  a GPU that no node model has
INV041  fewest nodes above most nodes
INV042  cache drives without size, or size without drives
INV043  a GPU model without GPUs
INV044  an existing cluster is larger than its node model allows
INV045  existing clusters exceed a limit of their site
INV046  a growth profile that is neither a rate nor points
INV047  a price in another unit or currency
INV048  a period longer than the horizon
INV049  an objective that is unknown or not built
INV050  a pin with missing or unused cells
INV051  a pin that its subject does not allow
INV052  pins that contradict each other or what stands
INV053  a cloud witness at a site without internet
INV054  a figure about both a site and a kind, or about more sites than there are
INV055  a resiliency type that the rule pack does not know
INV056  recovery in the cloud without protection
INV057  recovery in the cloud that it cannot do
INV058  a cluster that stands and must stay, and that the rules of the platform refuse
INV060  distance at a site that is no carrier cloud
INV061  a round trip below that of light in fiber
INV062  a carrier cloud without distance whose members are far apart
INV063  a date of purchase that cannot be counted from, or after the start of the plan
INV064  a place for backups that are not kept, or that is no place
INV065  parts of GPUs that cannot be
======  =====================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from fleet.errors import InventoryError, Problem
from fleet.inventory.checks import semantics
from fleet.inventory.checks.distances import check_distances
from fleet.inventory.checks.figures import check_figures
from fleet.inventory.checks.pins import check_pins
from fleet.inventory.checks.references import Draft, duplicates, references
from fleet.inventory.figures import Figure
from fleet.inventory.inventory import INPUT_TABLES, Inventory
from fleet.inventory.reading.cells import did_you_mean, nearest
from fleet.inventory.reading.geocode import Place, PlaceError, geocode
from fleet.inventory.reading.sheets import Sheet, Where, read_policy, read_sheet, where_in
from fleet.inventory.tables.growth import GrowthPoint
from fleet.inventory.tables.hardware import ExistingCluster, NodeModel
from fleet.inventory.tables.links import Link, free_name
from fleet.inventory.tables.pins import Pin
from fleet.inventory.tables.policy import PolicyRow
from fleet.inventory.tables.prices import FailureRate, Price
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import Workload
from fleet.tables import InputRow

R = TypeVar("R", bound=InputRow)

#: Tables that stand beside an inventory and are read by others.
OTHER_TABLES = ("scenarios",)

_CHECKS = (
    duplicates,
    references,
    semantics.check_sites,
    semantics.check_links,
    check_distances,
    semantics.check_workloads,
    semantics.check_hardware,
    semantics.check_growth,
    semantics.check_prices,
    semantics.check_policy,
    check_figures,
    check_pins,
)


def checked_inventory(
    name: str,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    places: Mapping[str, Where] | None = None,
) -> Inventory:
    """Read, check and freeze an inventory.

    Parameters
    ----------
    name : str
        What people call the fleet.
    tables : mapping
        Of each table, its rows as raw cells by column. Blank cells are None, blank text or absent.
    places : mapping, optional
        Of each table, a callable that names the place of (row index, column); row index -1 is the header. By default
        the rows are counted as in a spreadsheet, so that the header is row 1.

    Returns
    -------
    Inventory
        In canonical order, so that shuffled rows give an equal `sha256`; sites with a place have its coordinates, links
        without a name have one made of their ends.

    Raises
    ------
    InventoryError
        With every problem of the whole set.
    """
    inventory, problems = examine(name, tables, places)
    if inventory is None:
        raise InventoryError(problems)
    return inventory


def examine(
    name: str,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    places: Mapping[str, Where] | None = None,
    *,
    unreadable: Collection[str] = (),
    suspect: Mapping[str, frozenset[int]] | None = None,
) -> tuple[Inventory | None, tuple[Problem, ...]]:
    """Check as `checked_inventory` does, and return the problems.

    Parameters
    ----------
    name, tables, places
        As in `checked_inventory`.
    unreadable : collection of str
        Tables that are known to be damaged: nothing is concluded from their absence.
    suspect : mapping, optional
        Of each table, the indices of rows known to be damaged, whose cells are not reported again.

    Returns
    -------
    tuple of inventory and problems
        The inventory is None if there are problems.
    """
    draft, problems = _draft(tables, places or {}, unreadable, suspect or {})
    for check in _CHECKS:
        problems.extend(check(draft))
    if problems:
        return None, tuple(dict.fromkeys(problems))
    inventory = Inventory(
        name=name,
        sites=_sorted(draft.sites, lambda row: row.site),
        links=_sorted(draft.links, lambda row: row.link),
        workloads=_sorted(draft.workloads, lambda row: (row.workload, row.site, row.kind)),
        hardware=_sorted(draft.hardware, lambda row: row.node_model),
        growth=_sorted(draft.growth, lambda row: (row.profile, -1 if row.month is None else row.month)),
        clusters=_sorted(draft.clusters, lambda row: row.cluster),
        pins=_sorted(draft.pins, _content),
        prices=_sorted(draft.prices, lambda row: row.item),
        failure_rates=_sorted(draft.failure_rates, lambda row: row.element),
        figures=_sorted(draft.figures, lambda row: row.figure),
        policy=draft.policy,
    )
    return inventory, ()


def _draft(
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    places: Mapping[str, Where],
    unreadable: Collection[str],
    suspect: Mapping[str, frozenset[int]],
) -> tuple[Draft, list[Problem]]:
    """Every table as read, and the problems of its cells and of its places."""
    meant = {nearest(table, INPUT_TABLES) for table in tables if table.strip().lower() not in INPUT_TABLES}
    unreadable = {*unreadable, *(table for table in meant if table and table not in tables)}
    given = {table.strip().lower(): table for table in reversed(list(tables))}

    def sheet(table: str, row_type: type[R]) -> Sheet[R]:
        key = given.get(table, table)
        where = places.get(key) or where_in(table)
        damaged = suspect.get(key, frozenset())
        return read_sheet(table, row_type, tables.get(key, ()), where, damaged, table not in unreadable)

    policy_rows = sheet("policy", PolicyRow)
    policy, broken_policy, policy_problems = read_policy(policy_rows)
    draft = Draft(
        sites=sheet("sites", Site),
        links=_named(sheet("links", Link)),
        workloads=sheet("workloads", Workload),
        hardware=sheet("hardware", NodeModel),
        growth=sheet("growth", GrowthPoint),
        clusters=sheet("clusters", ExistingCluster),
        pins=sheet("pins", Pin),
        prices=sheet("prices", Price),
        failure_rates=sheet("failure_rates", FailureRate),
        figures=sheet("figures", Figure),
        policy_rows=policy_rows,
        policy=policy,
        broken_policy=broken_policy,
    )
    sites, place_problems = _located(draft.sites)
    problems = list(_unknown_tables(tables, places))
    for table in INPUT_TABLES:
        problems.extend(getattr(draft, "policy_rows" if table == "policy" else table).problems)
    return replace(draft, sites=sites), [*problems, *policy_problems, *place_problems]


def _unknown_tables(tables: Iterable[str], places: Mapping[str, Where]) -> Iterable[Problem]:
    seen: set[str] = set()
    for table in tables:
        name = table.strip().lower()
        where = places.get(table, where_in(table))(-1, "")
        if name in seen:
            yield Problem("INV002", where, f"table {name!r} is given twice", "remove one of them")
        elif name not in INPUT_TABLES and name not in OTHER_TABLES:
            remedy = did_you_mean(name, tuple(INPUT_TABLES), f"the tables are {', '.join(INPUT_TABLES)}")
            yield Problem("INV002", where, f"there is no table {name!r}", remedy)
        seen.add(name)


def _content(row: InputRow) -> str:
    return json.dumps(row.model_dump(mode="json", by_alias=True), sort_keys=True)


def _sorted(sheet: Sheet[R], key: Callable[[R], Any]) -> tuple[R, ...]:
    return tuple(sorted((record.row for record in sheet.records), key=key))


def _named(links: Sheet[Link]) -> Sheet[Link]:
    """Name nameless links ``A--B`` by their sorted ends, parallel ones ``A--B#2`` … in the order of their content."""
    taken = set(links.names("link"))
    named: dict[int, Link] = {}
    nameless = [record for record in links.records if not record.row.link and record.has("from", "to", "link")]
    for record in sorted(nameless, key=lambda record: _content(record.row)):
        name = free_name("--".join(sorted((record.row.from_, record.row.to))), taken)
        taken.add(name)
        named[record.index] = record.row.model_copy(update={"link": name})
    return links.with_rows(named)


def _located(sites: Sheet[Site]) -> tuple[Sheet[Site], tuple[Problem, ...]]:
    """Fill in the coordinates of sites that state a place instead."""
    located: dict[int, Site] = {}
    problems: list[Problem] = []
    for record in sites.records:
        row = record.row
        is_wanted = row.place and row.latitude is None and row.longitude is None
        if not is_wanted or not record.has("place", "latitude", "longitude", "country", "region"):
            continue
        try:
            place: Place = geocode(row.place, row.country, row.region)
        except PlaceError as error:
            if error.candidates:
                remedy = f"add region and country, such as {error.candidates[0]}, or give latitude and longitude"
                problems.append(sites.problem("INV025", record, "place", str(error), remedy))
            else:
                similar = f"did you mean {' or '.join(error.similar)}? Otherwise " if error.similar else ""
                remedy = f"{similar}give latitude and longitude"
                problems.append(sites.problem("INV024", record, "place", str(error), remedy))
        else:
            located[record.index] = row.model_copy(update={"latitude": place.latitude, "longitude": place.longitude})
    return sites.with_rows(located), tuple(problems)
