"""What hangs on one link or site, how many ways lead to the clusters, and what every link has left."""

from __future__ import annotations

from fleet.plan.context import PlanContext
from fleet.plan.plan import LinkRow, Plan
from fleet.tables import Row, column
from fleet.wan.connectivity import Connectivity, CriticalElement


class LinkHealthRow(Row):
    """One link: how full it gets, and what hangs on it alone."""

    link: str = column(meaning="link")
    from_: str = column(meaning="one end", alias="from")
    to: str = column(meaning="other end")
    normal_use: float = column(unit="fraction", meaning="of the usable bandwidth with nothing failed, fullest of all")
    worst_use: float = column(unit="fraction", meaning="the same after the single failure that loads it most")
    worst_case: str = column(meaning="that failure; normal where none loads it more")
    residual_mbps: float = column(unit="Mbit/s", meaning="usable bandwidth left then")
    upgraded: bool = column(meaning="upgraded at the end of the horizon")
    shared_risk: tuple[str, ...] = column((), meaning="groups of links that fail together")
    is_bridge: bool = column(meaning="whether its loss separates sites from the rest of the network")
    separated: int = column(meaning="sites that its loss separates")


class SiteHealthRow(Row):
    """One site: the ways that lead from it to clusters, and what hangs on it alone."""

    site: str = column(meaning="site or carrier cloud")
    kind: str = column(meaning="kind of site")
    clusters: int = column(meaning="clusters here")
    link_disjoint: int = column(meaning="ways to clusters elsewhere that share no link, counted up to 3")
    site_disjoint: int = column(meaning="ways to different sites with clusters that share no site, counted up to 3")
    separated: int = column(meaning="other sites that its loss separates from the rest of the network")


class RiskGroupRow(Row):
    """Links that fail together."""

    shared_risk: str = column(meaning="duct, building entry or other group")
    links: tuple[str, ...] = column(meaning="links of the group")
    separated: tuple[str, ...] = column((), meaning="sites that its loss separates from the rest of the network")


def link_health(plan: Plan, connectivity: Connectivity) -> tuple[LinkHealthRow, ...]:
    """Every link of a plan, the one with the largest worst use first."""
    fullest: dict[str, LinkRow] = {}
    usual: dict[str, float] = {}
    upgraded: dict[str, bool] = {}
    for row in plan.document.links:
        known = fullest.get(row.link)
        if known is None or share(row.worst_mbps, row.capacity_mbps) > share(known.worst_mbps, known.capacity_mbps):
            fullest[row.link] = row
        usual[row.link] = max(usual.get(row.link, 0.0), share(row.normal_mbps, row.capacity_mbps))
        upgraded[row.link] = upgraded.get(row.link, False) or row.upgraded
    bridges = {element.name: element for element in connectivity.critical_links}
    rows = [
        LinkHealthRow(
            link=name,
            from_=row.from_,
            to=row.to,
            normal_use=usual[name],
            worst_use=share(row.worst_mbps, row.capacity_mbps),
            worst_case=row.worst_case,
            residual_mbps=row.capacity_mbps - row.worst_mbps,
            upgraded=upgraded[name],
            shared_risk=connectivity.wan.links[name].shared_risk if name in connectivity.wan.links else (),
            is_bridge=name in bridges,
            separated=_separated(bridges.get(name)),
        )
        for name, row in fullest.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.worst_use, row.link)))


def site_health(context: PlanContext, connectivity: Connectivity) -> tuple[SiteHealthRow, ...]:
    """Every site of a plan, by name."""
    hosts: dict[str, int] = {}
    for cluster in context.clusters:
        hosts[cluster.site] = hosts.get(cluster.site, 0) + 1
    by_link, by_site = connectivity.disjoint_paths(hosts), connectivity.site_disjoint_paths(hosts)
    joints = {element.name: element for element in connectivity.critical_sites}
    return tuple(
        SiteHealthRow(
            site=name,
            kind=site.kind,
            clusters=hosts.get(name, 0),
            link_disjoint=by_link[name],
            site_disjoint=by_site[name],
            separated=_separated(joints.get(name)),
        )
        for name, site in context.wan.sites.items()
    )


def risk_groups(connectivity: Connectivity) -> tuple[RiskGroupRow, ...]:
    """Every group of links that fail together, by name."""
    groups: dict[str, list[str]] = {}
    for link in connectivity.wan.links.values():
        for name in link.shared_risk:
            groups.setdefault(name, []).append(link.link)
    critical = {element.name: element.separated for element in connectivity.critical_groups}
    return tuple(
        RiskGroupRow(shared_risk=name, links=tuple(links), separated=critical.get(name, ()))
        for name, links in sorted(groups.items())
    )


def share(load: float, capacity: float) -> float:
    """A load as a fraction of what is usable; twice the limit where nothing is."""
    return load / capacity if capacity > 0 else 2.0 * float(load > 0)


def _separated(element: CriticalElement | None) -> int:
    return 0 if element is None else len(element.separated)
