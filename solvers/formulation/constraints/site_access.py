"""NET-002, NET-003 seen from a site: all that enters or leaves it passes its links.

These rows follow from the link rows of `solvers.formulation.constraints.links`, which know the routes, but are few and
hold for open slots by fractions too: the traffic of the users that a slot serves, and its replication, fit into the
links of its site while it is open; and after the failure of one cluster, which takes down no user and no path, they fit
into the links of the other sites. A fault domain of several clusters may take its users with it, so nothing is said
about it.
"""

from __future__ import annotations

import numpy as np

from solvers.formulation.constraints.capacity import load_terms
from solvers.formulation.constraints.reserve import Slack, by_count, by_subset, domains
from solvers.formulation.variables import NO_STANDBY, Formulation, Terms
from solvers.linear.model import Floats
from solvers.problem.design import DesignProblem
from solvers.problem.sets import DemandClass


def encode(formulation: Formulation) -> None:
    """Add the access rows of every usable slot that has a site to itself."""
    problem = formulation.problem
    sites = [problem.slots[slot].site for slot in formulation.slots]
    if len(set(sites)) < len(sites):
        return  # several clusters share links: left to the link rows
    is_alone = len(domains(formulation)) == len(formulation.slots)
    for period in formulation.load_periods:
        traffic = np.array([_remote_traffic(demand_class, period) for demand_class in problem.classes])
        streams = np.array([_streams(demand_class, period) for demand_class in problem.classes])
        moved = np.array([_remote_traffic(demand_class, period, protected=True) for demand_class in problem.classes])
        for slot in formulation.slots:
            leaving = _own(formulation, slot, traffic + streams + _backups(problem, problem.slots[slot].site, period))
            entering = _own(formulation, slot, traffic) + _kept(formulation, slot, streams)
            for forward, terms in ((True, leaving), (False, entering)):
                if terms:
                    limit = _links(formulation, slot, period, -1.0, outward=forward)
                    formulation.model.add_row("NET-002", [*terms, *limit], upper=0.0)
        if moved.any():
            slack = _slack(formulation, traffic, period)
            if not formulation.has_pairs and is_alone:
                by_subset(formulation, slack, moved, "NET-003")
            by_count(formulation, slack, moved, period, "NET-003")


def _remote_traffic(demand_class: DemandClass, period: int, protected: bool = False) -> float:
    """Traffic of one unit, 0 for units at a candidate's own site, whose users may be at home."""
    if demand_class.is_at_host:
        return 0.0
    return float(
        sum(profile.traffic_mbps[period] for profile in demand_class.profiles if profile.is_protected or not protected)
    )


def _streams(demand_class: DemandClass, period: int) -> float:
    return float(sum(profile.stream_mbps[period] for profile in demand_class.profiles))


def _backups(problem: DesignProblem, site: str, period: int) -> Floats:
    """[class]: backups of one unit that leave the site where it runs; those without a path wait."""
    targets = {profile.backup_site for demand_class in problem.classes for profile in demand_class.profiles} - {
        "",
        site,
    }
    reached = {target for target in targets if problem.router.route(site, target) is not None}
    amounts = np.zeros(len(problem.classes))
    if reached:
        for demand_class in problem.classes:
            amounts[demand_class.index] = sum(
                profile.backup_mbps[period] for profile in demand_class.profiles if profile.backup_site in reached
            )
    return amounts


def _own(formulation: Formulation, slot: int, loads: Floats) -> Terms:
    columns, classes = formulation.columns_of(formulation.primary_of == slot)
    return load_terms(columns, loads[classes])


def _kept(formulation: Formulation, slot: int, loads: Floats) -> Terms:
    mask = (formulation.standby_of == slot) & (formulation.standby_of != NO_STANDBY)
    columns, classes = formulation.columns_of(mask)
    return load_terms(columns, loads[classes])


def _links(formulation: Formulation, slot: int, period: int, factor: float, outward: bool) -> Terms:
    """Terms of factor · bandwidth of the site's links while the slot is open."""
    problem = formulation.problem
    site = problem.slots[slot].site
    total, terms = 0.0, []
    for name in problem.wan.links_of[site]:
        link = problem.wan.links[name]
        forward = (link.from_ == site) == outward
        usable = link.usable_mbps(forward)
        total += usable
        column = formulation.upgrade.get((name, period))
        if column is not None:
            terms.append((column, factor * (link.usable_mbps(forward, True) - usable)))
    return terms + formulation.open_terms(slot, period, factor * total)


def _slack(formulation: Formulation, traffic: Floats, period: int) -> Slack:
    def slack(slot: int, factor: float) -> Terms:
        terms = _links(formulation, slot, period, 1.0, outward=True)
        terms += [(column, -load) for column, load in _own(formulation, slot, traffic)]
        return formulation.free_terms(("access", slot, period), "NET-003", terms, factor)

    return slack
