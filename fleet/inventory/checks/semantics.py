"""Checks of meaning: cells that are each readable and together make no sense."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from fleet.errors import Problem
from fleet.inventory.checks.references import Draft
from fleet.inventory.reading.cells import did_you_mean
from fleet.inventory.reading.sheets import Record, Sheet
from fleet.inventory.tables.hardware import ExistingCluster
from fleet.inventory.tables.policy import VLANS
from fleet.inventory.tables.prices import PRICE_ITEMS
from fleet.inventory.tables.sites import Site
from fleet.inventory.tables.workloads import TIERS, Workload

#: Every objective that the policy may name one day.
OBJECTIVES = (
    "present_value",
    "capex",
    "node_count",
    "worst_rtt",
    "average_rtt",
    "worst_rpo",
    "link_headroom",
    "changes",
)
#: Those that are built.
BUILT_OBJECTIVES = ("present_value",)
WITNESSES = ("cloud", "file_share", "none")


def check_sites(draft: Draft) -> Iterator[Problem]:
    """Check coordinates, carrier clouds, and that there is a candidate site."""
    sheet = draft.sites
    standing = draft.clusters.names("site")
    candidates = 0
    for record in sheet.records:
        row = record.row
        if record.has("kind", "can_host") and row.is_network and row.can_host:
            message = f"carrier cloud {row.site!r} says can_host yes, expected no for kind network"
            yield sheet.problem("INV037", record, "can_host", message, "correct kind or can_host")
        if row.is_network and row.site in standing and record.has("kind", "site"):
            message = f"a cluster stands at carrier cloud {row.site!r}"
            yield sheet.problem("INV037", record, "kind", message, "correct the kind, or the site of the cluster")
        is_candidate = (row.can_host or row.site in standing) and not row.is_network
        candidates += is_candidate or not record.has("site", "kind", "can_host")
        yield from _coordinates(draft, record, is_candidate)
    if sheet.is_given and not sheet.records:
        yield sheet.problem("INV030", None, "", "there is no site", "add one row for each site")
    elif sheet.is_given and not candidates and draft.clusters.is_given:
        message = "no site can host a cluster"
        yield sheet.problem("INV031", None, "", message, "write yes in column can_host of the candidate sites")


def _coordinates(draft: Draft, record: Record[Site], is_candidate: bool) -> Iterator[Problem]:
    row, sheet = record.row, draft.sites
    if not record.has("latitude", "longitude", "place", "site", "kind"):
        return
    if (row.latitude is None) != (row.longitude is None):
        blank = "latitude" if row.latitude is None else "longitude"
        message = f"site {row.site!r} has one coordinate, expected latitude and longitude or neither"
        yield sheet.problem("INV022", record, blank, message, "fill in the other, or clear both and give a place")
    elif row.latitude is None and not row.place and not row.is_network:
        message = f"site {row.site!r} has neither coordinates nor a place"
        more = ""
        if is_candidate and draft.policy.min_separation_km > 0:
            more = f"; min_separation_km {draft.policy.min_separation_km:g} needs those of candidate sites"
        remedy = "give latitude and longitude, or a place such as Denver, CO"
        yield sheet.problem("INV023", record, "latitude", message + more, remedy)


def check_links(draft: Draft) -> Iterator[Problem]:
    """Check ends, round trips, reservations, upgrades, and the access circuits of sites."""
    sheet = draft.links
    located = {
        item.row.site
        for item in draft.sites.records
        if item.row.latitude is not None or item.row.place or item.row.is_network
        or not item.has("latitude", "longitude", "place", "kind")
    }  # fmt: skip
    known = draft.sites.names("site")
    for record in sheet.records:
        row = record.row
        if record.has("from", "to") and row.from_ == row.to:
            message = f"the link starts and ends at {row.to!r}"
            yield sheet.problem("INV027", record, "to", message, "name the site at the other end")
        if record.has("from", "to", "rtt_ms") and row.rtt_ms is None:
            for end in (row.from_, row.to):
                if end in known and end not in located:
                    message = f"rtt_ms is blank and cannot be estimated: site {end!r} has no coordinates"
                    yield sheet.problem("INV026", record, "rtt_ms", message, "fill in rtt_ms, or the coordinates")
        if record.has("bandwidth_mbps", "back_mbps", "max_utilization", "reserved_mbps"):
            narrow = min(row.bandwidth_mbps, row.back_mbps or row.bandwidth_mbps)
            limit = draft.policy.max_link_utilization if row.max_utilization is None else row.max_utilization
            if row.reserved_mbps >= narrow * limit:
                message = (
                    f"got {row.reserved_mbps:g} Mbit/s reserved, expected less than the usable "
                    f"{narrow * limit:g} Mbit/s ({narrow:g} × {limit:g})"
                )
                yield sheet.problem("INV028", record, "reserved_mbps", message, "lower it, or remove the link")
        if record.has("bandwidth_mbps", "back_mbps", "upgrade_mbps") and row.upgrade_mbps is not None:
            wide = max(row.bandwidth_mbps, row.back_mbps or 0.0)
            if row.upgrade_mbps < wide:
                message = f"got {row.upgrade_mbps:g} Mbit/s, expected at least the bandwidth before, {wide:g} Mbit/s"
                remedy = "give the bandwidth after the upgrade, not what is added"
                yield sheet.problem("INV029", record, "upgrade_mbps", message, remedy)
    yield from _access_circuits(draft)


def _access_circuits(draft: Draft) -> Iterator[Problem]:
    if "default_network" in draft.broken_policy:
        return
    default = draft.policy.default_network
    linked = draft.links.names("from") | draft.links.names("to")
    for record in draft.sites.records:
        row = record.row
        has_circuit = record.has("site", "wan_mbps") and row.wan_mbps is not None and row.site not in linked
        if has_circuit and not default and draft.links.is_given and draft.policy_rows.is_given:
            message = f"site {row.site!r} has wan_mbps and no link, and there is no default_network to attach it to"
            remedy = "name a site of kind network as default_network in table policy, or add a link"
            yield draft.sites.problem("INV033", record, "wan_mbps", message, remedy)
        if default and row.site == default and record.has("site", "kind") and not row.is_network:
            message = f"site {default!r} is of kind {row.kind!r}, expected network"
            yield draft.policy_problem(
                "INV034", "default_network", message, "name a carrier cloud, or correct its kind"
            )


def check_workloads(draft: Draft) -> Iterator[Problem]:
    """Check where users are, protection, residency and GPUs of workloads."""
    sheet = draft.workloads
    sites = {item.row.site: item for item in reversed(draft.sites.records)}
    at: dict[int, list[str]] = {}
    for (_, site), record in draft.demand_places().items():
        at.setdefault(record.index, []).append(site)
    models = [item for item in draft.hardware.records if item.has("gpu_model", "gpus") and item.row.gpus > 0]
    gpus_known = draft.hardware.is_given and all(item.has("gpu_model", "gpus") for item in draft.hardware.records)
    for record in sheet.records:
        row = record.row
        if record.has("site", "kind") and bool(row.site) == bool(row.kind):
            found = f"site {row.site!r} and kind {row.kind!r}" if row.site else "neither site nor kind"
            message = f"workload {row.workload!r} has {found}, expected one of them"
            remedy = "give site for one site, or kind for one demand at every site of a kind"
            yield sheet.problem("INV020", record, "site", message, remedy)
        yield from _protection(sheet, record)
        yield from _backup_site(sheet, record, sites)
        yield from _gpu_parts(sheet, record)
        places = [sites[name] for name in at.get(record.index, ()) if name in sites]
        clouds = [item.row.site for item in places if item.row.is_network and item.has("kind")]
        if clouds:
            message = f"workload {row.workload!r} has users at carrier cloud {clouds[0]!r}"
            column = "site" if row.site else "kind"
            yield sheet.problem("INV037", record, column, message, "name a site where people work")
        yield from _residency(sheet, record, places)
        if record.has("gpus", "gpu_model") and gpus_known and row.gpus > 0:
            offered = {item.row.gpu_model for item in models}
            if not offered or (row.gpu_model and row.gpu_model not in offered):
                what = f"GPU {row.gpu_model!r}" if row.gpu_model else "a GPU"
                message = f"workload {row.workload!r} asks for {what}, which no node model has"
                remedy = did_you_mean(row.gpu_model, offered - {""}, "add a node model with it to table hardware")
                yield sheet.problem("INV039", record, "gpu_model" if row.gpu_model else "gpus", message, remedy)
    if sheet.is_given and not sheet.records:
        yield sheet.problem("INV030", None, "", "there is no workload", "add one row for each workload")


def _protection(sheet: Sheet[Workload], record: Record[Workload]) -> Iterator[Problem]:
    row = record.row
    if record.has("protection", "rpo_minutes") and row.is_protected and row.rpo_minutes is None:
        message = f"workload {row.workload!r} has protection {row.protection} and no rpo_minutes"
        yield sheet.problem("INV021", record, "rpo_minutes", message, "fill in the recovery point objective")
    if record.has("protection", "recovery") and row.recovery == "cloud" and not row.is_protected:
        message = f"workload {row.workload!r} asks for recovery in the cloud and has no protection"
        remedy = "set its protection to auto, or leave recovery blank"
        yield sheet.problem("INV056", record, "recovery", message, remedy)


def _backup_site(
    sheet: Sheet[Workload], record: Record[Workload], sites: Mapping[str, Record[Site]]
) -> Iterator[Problem]:
    row = record.row
    if record.has("backup_site", "backup_days") and row.backup_site and row.backup_days == 0:
        message = f"workload {row.workload!r} names backup_site {row.backup_site!r} and keeps backups for 0 days"
        yield sheet.problem("INV064", record, "backup_days", message, "fill in backup_days, or clear backup_site")
    target = sites.get(row.backup_site)
    if record.has("backup_site") and target is not None and target.has("kind") and target.row.is_network:
        message = f"workload {row.workload!r} sends backups to carrier cloud {row.backup_site!r}, which is no place"
        yield sheet.problem("INV064", record, "backup_site", message, "name a site where they are kept")


def _gpu_parts(sheet: Sheet[Workload], record: Record[Workload]) -> Iterator[Problem]:
    row = record.row
    if not record.has("gpus", "gpu_mode"):
        return
    if row.gpu_mode == "partition" and row.gpus > 1.0:
        message = f"workload {row.workload!r} asks for {row.gpus:g} GPUs in partitions, which are parts of one"
        yield sheet.problem("INV065", record, "gpus", message, "state at most 1, or gpu_mode dda")
    elif row.gpu_mode == "dda" and row.gpus != round(row.gpus):
        message = f"workload {row.workload!r} asks for {row.gpus:g} whole GPUs (gpu_mode dda)"
        yield sheet.problem("INV065", record, "gpus", message, "state whole GPUs, or gpu_mode partition")


def _residency(sheet: Sheet[Workload], record: Record[Workload], places: Sequence[Record[Site]]) -> Iterator[Problem]:
    for token in ("country", "region"):
        if record.has("residency") and token in record.row.residency:
            blank = [item.row.site for item in places if item.has(token) and not getattr(item.row, token)]
            if blank:
                more = f" and {len(blank) - 1} more" if len(blank) > 1 else ""
                message = f"residency {token!r} is asked for, and site {blank[0]!r}{more} has no {token}"
                yield sheet.problem("INV038", record, "residency", message, f"fill in column {token} of table sites")


def check_hardware(draft: Draft) -> Iterator[Problem]:
    """Check node models, and the clusters that stand already against them and their sites."""
    sheet = draft.hardware
    for record in sheet.records:
        row = record.row
        if record.has("min_nodes", "max_nodes") and row.min_nodes > row.max_nodes:
            message = f"got min_nodes {row.min_nodes} above max_nodes {row.max_nodes}"
            yield sheet.problem("INV041", record, "min_nodes", message, "correct one of them")
        if record.has("cache_drives", "cache_drive_tb") and (row.cache_drives > 0) != (row.cache_drive_tb > 0):
            message = f"got {row.cache_drives} cache drives of {row.cache_drive_tb:g} TB, expected both or neither"
            yield sheet.problem("INV042", record, "cache_drive_tb", message, "fill in the other, or clear both")
        if record.has("gpus", "gpu_model") and bool(row.gpu_model) and row.gpus == 0:
            message = f"node model {row.node_model!r} names GPU {row.gpu_model!r} and has 0 of them"
            yield sheet.problem("INV043", record, "gpus", message, "fill in gpus, or clear gpu_model")
    if sheet.is_given and not sheet.records:
        yield sheet.problem("INV030", None, "", "there is no node model", "add one row for each orderable node")
    yield from _standing_clusters(draft)


def _standing_clusters(draft: Draft) -> Iterator[Problem]:
    sheet = draft.clusters
    models = {item.row.node_model: item for item in draft.hardware.records}
    sites = {item.row.site: item for item in reversed(draft.sites.records)}
    count: dict[str, int] = {}
    nodes: dict[str, int] = {}
    for record in sheet.records:
        row = record.row
        model, site = models.get(row.node_model), sites.get(row.site)
        if model and record.has("node_model", "nodes") and model.has("max_nodes") and row.nodes > model.row.max_nodes:
            message = f"got {row.nodes} nodes, expected at most {model.row.max_nodes} of model {row.node_model!r}"
            yield sheet.problem("INV044", record, "nodes", message, "correct nodes, or max_nodes of the model")
        yield from _bought_when(draft, sheet, record)
        if record.has("witness") and row.witness and row.witness not in WITNESSES:
            message = f"got {row.witness!r}, expected one of {', '.join(WITNESSES)}"
            yield sheet.problem("INV007", record, "witness", message, "leave it blank for the rule's choice")
        elif record.has("witness") and row.witness == "cloud" and site and not site.row.internet:
            message = f"a cloud witness needs the internet, which site {row.site!r} lacks"
            yield sheet.problem("INV053", record, "witness", message, "use file_share, or correct internet of the site")
        if record.has("layout"):
            for part in row.layout.split(";") if row.layout else ():
                tier, _, kind = (word.strip() for word in part.rpartition("="))
                if not kind or (tier and tier.lower() not in TIERS):
                    message = f"got {part.strip()!r}, expected type or tier=type with a tier of {', '.join(TIERS)}"
                    yield sheet.problem("INV007", record, "layout", message, "such as archive=dual-parity")
        if site is None or not record.has("site", "nodes"):
            continue
        if record.has("keep") and not row.keep:
            continue  # it may go
        count[row.site] = count.get(row.site, 0) + 1
        nodes[row.site] = nodes.get(row.site, 0) + row.nodes
        limits = (
            ("max_clusters", site.row.max_clusters, count[row.site]),
            ("max_nodes", site.row.max_nodes, nodes[row.site]),
        )
        for column, limit, found in limits:
            if site.has(column) and limit is not None and found > limit:
                message = f"site {row.site!r} has {found} with this cluster, expected at most {column} {limit}"
                remedy = f"correct {column} of the site, or set keep of a cluster there to no"
                yield sheet.problem("INV045", record, "site", message, remedy)


def _bought_when(draft: Draft, sheet: Sheet[ExistingCluster], record: Record[ExistingCluster]) -> Iterator[Problem]:
    """Whether a purchase can be dated against the plan, where its age counts."""
    policy, bought = draft.policy, record.row.purchased
    if bought is None or not record.has("purchased") or {"start", "residual_value"} & draft.broken_policy:
        return
    if policy.start is not None and bought > policy.start:
        message = f"got {bought}, after the plan starts on {policy.start}"
        yield sheet.problem("INV063", record, "purchased", message, "correct it, or start in table policy")
    elif policy.start is None and policy.residual_value != "none":
        message = f"got {bought}, but the plan has no date, so that its age and residual value are unknown"
        yield sheet.problem("INV063", record, "purchased", message, "state start in table policy, such as 2027-01-01")


def check_growth(draft: Draft) -> Iterator[Problem]:
    """Check that each profile is one rate, or points of month and factor."""
    sheet = draft.growth
    shape: dict[str, str] = {}
    months: set[tuple[str, int]] = set()
    for record in sheet.records:
        row = record.row
        if not record.has("profile", "annual_rate", "month", "factor"):
            continue
        is_rate, is_point = row.annual_rate is not None, row.month is not None and row.factor is not None
        half = (row.month is None) != (row.factor is None)
        if half or is_rate == is_point:
            message = f"a row of profile {row.profile!r} has {_growth_cells(row.annual_rate, row.month, row.factor)}"
            message += ", expected annual_rate, or month and factor"
            yield sheet.problem("INV046", record, "annual_rate", message, "give a rate, or the points of a curve")
            continue
        kind = "a rate" if is_rate else "points"
        if shape.setdefault(row.profile, kind) != kind:
            message = f"profile {row.profile!r} mixes a rate and points"
            yield sheet.problem("INV046", record, "profile", message, "keep one of them, or use two profiles")
        month = -1 if row.month is None else row.month
        if (row.profile, month) in months:
            what = "its annual_rate" if is_rate else f"month {month}"
            message = f"profile {row.profile!r} gives {what} twice"
            yield sheet.problem("INV010", record, "profile", message, "keep one of the rows")
        months.add((row.profile, month))


def _growth_cells(annual_rate: float | None, month: int | None, factor: float | None) -> str:
    cells = {"annual_rate": annual_rate, "month": month, "factor": factor}
    return " and ".join(name for name, value in cells.items() if value is not None) or "no value"


def check_prices(draft: Draft) -> Iterator[Problem]:
    """Check that unit and currency of a price are those that Fleet counts in."""
    for record in draft.prices.records:
        row = record.row
        unit = PRICE_ITEMS.get(row.item, ("", ""))[0]
        if record.has("item", "unit") and unit and row.unit and row.unit.casefold() not in _spellings(unit, draft):
            message = f"got {row.unit!r}, expected {unit!r}"
            yield draft.prices.problem("INV047", record, "unit", message, "convert the price, or leave unit blank")
        known = not {"currency"} & draft.broken_policy and record.has("currency")
        if known and row.currency and row.currency.casefold() != draft.policy.currency.casefold():
            message = f"got {row.currency!r}, expected the policy's currency {draft.policy.currency!r}"
            yield draft.prices.problem("INV047", record, "currency", message, "convert the price: Fleet converts none")


def _spellings(unit: str, draft: Draft) -> set[str]:
    return {unit.casefold(), unit.replace("currency", draft.policy.currency).casefold()}


def check_policy(draft: Draft) -> Iterator[Problem]:
    """Check policy values against each other, the objectives, the address space and the VLAN range."""
    policy, broken = draft.policy, draft.broken_policy
    if not {"period_months", "horizon_months"} & broken and policy.period_months > policy.horizon_months:
        message = f"got {policy.period_months} months, expected at most horizon_months {policy.horizon_months}"
        yield draft.policy_problem("INV048", "period_months", message, "shorten the period, or lengthen the horizon")
    if "objectives" not in broken:
        for name in policy.objectives:
            if name not in OBJECTIVES:
                remedy = did_you_mean(name, OBJECTIVES, f"use {', '.join(BUILT_OBJECTIVES)}")
                yield draft.policy_problem("INV049", "objectives", f"there is no objective {name!r}", remedy)
            elif name not in BUILT_OBJECTIVES:
                message = f"objective {name!r} is not built yet"
                yield draft.policy_problem("INV049", "objectives", message, f"use {', '.join(BUILT_OBJECTIVES)}")
        if len(set(policy.objectives)) < len(policy.objectives):
            message = f"got {';'.join(policy.objectives)}, expected each objective once"
            yield draft.policy_problem("INV049", "objectives", message, "remove the repetition")
    if "address_space" not in broken:
        try:
            ipaddress.IPv4Network(policy.address_space)
        except ValueError as error:
            message = f"got {policy.address_space!r}, expected an IPv4 network: {error}"
            yield draft.policy_problem("INV007", "address_space", message, "write it as 10.64.0.0/12")
    if "vlan_range" not in broken and not policy.vlans:
        message = f"got {policy.vlan_range!r}, expected first-last within {VLANS[0]} to {VLANS[-1]}"
        yield draft.policy_problem("INV007", "vlan_range", message, "write it as 100-3999")
