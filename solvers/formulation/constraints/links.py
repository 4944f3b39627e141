"""NET-002, NET-003, CAP-004: link and cluster limits in the normal state and after each single failure.

There are thousands of such rows and nearly all are slack, so they are generated when a finished plan breaks them: the
verifier names state, link, direction and period (or cluster and resource), and the row is added for every placement.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from fleet.quantities import COMPUTE_RESOURCES, RESOURCES
from fleet.wan.states import NORMAL, FailureState
from solvers.formulation.constraints.reserve import compute_slack
from solvers.formulation.variables import NO_STANDBY, Formulation
from solvers.linear.model import Floats, Integers
from solvers.problem.sets import Booleans, Profile


@dataclass(frozen=True, slots=True, order=True)
class LinkRow:
    """One direction of a link in one state and period."""

    state: str
    link: str
    forward: bool
    period: int


@dataclass(frozen=True, slots=True, order=True)
class ClusterRow:
    """One compute resource of a slot in one state and period."""

    state: str
    slot: int
    resource: str
    period: int


def encode_upgrades(formulation: Formulation) -> None:
    """Add, for every link that may be upgraded, whether it is in each period; once upgraded it stays so."""
    problem, model = formulation.problem, formulation.model
    for name, link in sorted(problem.wan.links.items()):
        if link.upgrade_mbps is None:
            continue
        monthly = problem.rates.link_upgrade_monthly(name)
        forced = problem.forced_upgrades.get(name, problem.periods)
        for period in range(problem.periods):
            cost = monthly * problem.rates.monthly_factor(period)
            formulation.upgrade[name, period] = model.add_variable(float(period >= forced), 1.0, True, cost)
        for period in range(problem.periods - 1):
            later, now = formulation.upgrade[name, period + 1], formulation.upgrade[name, period]
            model.add_row("NET-002", [(later, 1.0), (now, -1.0)], lower=0.0)


def encode(formulation: Formulation, rows: Collection[LinkRow | ClusterRow]) -> None:
    """Add the rows asked for. In the separate formulation only users and backups in the normal state are known."""
    motion: dict[str, Motion] = {}
    for row in rows:
        if not formulation.has_pairs and (row.state != NORMAL.id or isinstance(row, ClusterRow)):
            continue
        if row.state not in motion:
            motion[row.state] = Motion(formulation, row.state)
        if isinstance(row, LinkRow):
            _link_row(formulation, row, motion[row.state])
            continue
        grouped = _in_groups(formulation, row)
        if grouped.slot in formulation.slots:  # else it stays closed
            _cluster_row(formulation, grouped, motion[row.state])


def _in_groups(formulation: Formulation, row: ClusterRow) -> ClusterRow:
    """The row on the slot that stands for its slot in this problem."""
    for index, members in enumerate(formulation.problem.slot_groups):
        if row.slot in members:
            return replace(row, slot=index)
    return row


class Motion:
    """For one state, who stays, who moves and which streams run, per placement column and member of its class."""

    def __init__(self, formulation: Formulation, state: str) -> None:
        self.formulation = formulation
        problem = formulation.problem
        self.index = None if state == NORMAL.id else problem.state_index[state]
        self.state: FailureState = NORMAL if self.index is None else problem.states[self.index]
        self.primary, self.standby = formulation.primary_of, formulation.standby_of
        slots = problem.slots
        self.is_up = np.array(
            [slot.cluster not in self.state.clusters and slot.site not in self.state.sites for slot in slots],
            dtype=bool,
        )
        self.has_standby = (self.standby != NO_STANDBY) & (self.primary != NO_STANDBY)

    def of(self, columns: Integers, profile: Profile) -> tuple[Booleans, Booleans, Booleans]:
        """(served at the primary with traffic, moved to the standby, primary still runs) per placement column."""
        primary, standby = self.primary[columns], self.standby[columns]
        if self.index is None:
            everyone = np.ones(len(columns), dtype=bool)
            return everyone, ~everyone, everyone
        reaches, user_down = profile.reaches_in(self.index), bool(profile.user_down[self.index])
        primary_up = self.is_up[primary]
        standby_up = (standby != NO_STANDBY) & self.is_up[standby] & profile.is_protected
        if user_down:
            return np.zeros(len(columns), dtype=bool), ~primary_up & standby_up, primary_up
        stays = primary_up & reaches[primary]
        moves = ~stays & standby_up & reaches[standby]
        return stays, moves, primary_up & ~moves


def _members(formulation: Formulation) -> list[tuple[Integers, Profile]]:
    """Placement columns of each class with each of its profiles."""
    result: list[tuple[Integers, Profile]] = []
    for demand_class in formulation.problem.classes:
        columns = np.flatnonzero((formulation.class_of == demand_class.index) & (formulation.primary_of != NO_STANDBY))
        result.extend((columns, profile) for profile in demand_class.profiles)
    return result


def _link_row(formulation: Formulation, row: LinkRow, motion: Motion) -> None:
    problem = formulation.problem
    link = problem.wan.links[row.link]
    uses = _users_route(formulation, row, motion.state)
    streams = _stream_route(formulation, row, motion.state)
    loads = np.zeros(len(formulation.placement))
    attachment = {demand_class.index: demand_class.attachment for demand_class in problem.classes}
    for columns, profile in _members(formulation):
        if not len(columns):
            continue
        stays, moves, runs = motion.of(columns, profile)
        primary, standby = motion.primary[columns], motion.standby[columns]
        own = uses[attachment[int(formulation.class_of[columns[0]])]]
        user_down = motion.index is not None and bool(profile.user_down[motion.index])
        if not user_down:
            traffic = float(profile.traffic_mbps[row.period])
            loads[columns] += traffic * ((stays & own[primary]) | (moves & own[standby]))
        if profile.is_protected:
            up = runs & (standby != NO_STANDBY) & motion.is_up[standby]
            loads[columns] += float(profile.stream_mbps[row.period]) * (up & streams[primary, standby])
        if profile.backup_mbps[row.period] > 0:
            way = _backup_route(formulation, row, motion.state, profile.backup_site)
            at_home = runs & stays if profile.leaves_when_cut and not user_down else runs
            loads[columns] += float(profile.backup_mbps[row.period]) * (
                (at_home & way[primary]) | (moves & way[standby])
            )
    terms = list(zip(formulation.placement.tolist(), loads.tolist(), strict=True))
    usable = link.usable_mbps(row.forward)
    if (row.link, row.period) in formulation.upgrade:
        gained = link.usable_mbps(row.forward, True) - usable
        terms.append((formulation.upgrade[row.link, row.period], -gained))
    formulation.model.add_row("NET-002" if motion.index is None else "NET-003", terms, upper=usable)


def _users_route(formulation: Formulation, row: LinkRow, state: FailureState) -> Booleans:
    """[attachment, slot]: whether the users' route in the state passes the link, in either direction."""
    problem = formulation.problem
    result = np.zeros((len(problem.attachments), len(problem.slots)), dtype=bool)
    for index, origin in enumerate(problem.attachments):
        for slot in formulation.slots:
            route = problem.router.route(origin, problem.slots[slot].site, state)
            result[index, slot] = route is not None and row.link in route.links
    return result


def _stream_route(formulation: Formulation, row: LinkRow, state: FailureState) -> Booleans:
    """[primary, standby]: whether replication in the state passes the link in the direction of the row."""
    problem = formulation.problem
    result = np.zeros((len(problem.slots), len(problem.slots)), dtype=bool)
    for primary in formulation.slots:
        for standby in formulation.slots:
            if primary == standby:
                continue
            route = problem.router.route(problem.slots[primary].site, problem.slots[standby].site, state)
            result[primary, standby] = route is not None and any(
                hop.link == row.link and hop.forward == row.forward for hop in route.hops
            )
    return result


def _backup_route(formulation: Formulation, row: LinkRow, state: FailureState, target: str) -> Booleans:
    """[slot]: whether backups from the slot to a site in the state pass the link in the direction of the row."""
    problem = formulation.problem
    result = np.zeros(len(problem.slots), dtype=bool)
    for slot in formulation.slots:
        route = problem.router.route(problem.slots[slot].site, target, state)
        result[slot] = route is not None and any(
            hop.link == row.link and hop.forward == row.forward for hop in route.hops
        )
    return result


def _cluster_row(formulation: Formulation, row: ClusterRow, motion: Motion) -> None:
    problem = formulation.problem
    number = COMPUTE_RESOURCES.index(row.resource)
    loads: Floats = np.zeros(len(formulation.placement))
    for columns, profile in _members(formulation):
        if len(columns):
            _, moves, _ = motion.of(columns, profile)
            arrives = moves & (motion.standby[columns] == row.slot)
            loads[columns] += float(profile.compute[row.period, number]) * arrives
    own = np.array([demand_class.compute[row.period, number] for demand_class in problem.classes])
    terms = list(zip(formulation.placement.tolist(), loads.tolist(), strict=True))
    terms += compute_slack(formulation, RESOURCES.index(row.resource), row.period, own)(row.slot, -1.0)
    formulation.model.add_row("CAP-004", terms, upper=0.0)
