"""DR-012 where the policy asks for it: which pairs of sites keep their copies flowing after every single failure.

Only the loss of a link or site of the normal path can cut a stream: all others leave the least-RTT path as it is. So of
each pair only the few failures of its path are routed anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleet.inventory.inventory import Demand
from fleet.plan.placement import exceeds
from fleet.wan.routing import Router
from fleet.wan.states import FailureState
from solvers.linear.model import Integers
from solvers.problem.routes import RouteTable
from solvers.problem.sets import Booleans


class PathCuts:
    """The failures that cut the path of copies between two sites.

    Parameters
    ----------
    router : Router
        Least-RTT routes.
    states : sequence of FailureState
        Single failures.
    """

    def __init__(self, router: Router, states: Sequence[FailureState]) -> None:
        self.router, self.states = router, states
        self._by_element: dict[str, list[int]] = defaultdict(list)
        for index, state in enumerate(states):
            for name in (*(f"link {link}" for link in state.links), *(f"site {site}" for site in state.sites)):
                self._by_element[name].append(index)

    def cutting(self, primary: str, standby: str, limit_ms: float | None) -> list[int]:
        """The states, both sites up, in which no path leads from one to the other within the limit on its round trip.

        None where no path leads there with nothing failed: DR-004 says so.
        """
        normal = self.router.route(primary, standby)
        passed: set[int] = set()
        for hop in () if normal is None else normal.hops:
            link = self.router.wan.links[hop.link]
            for name in (f"link {hop.link}", f"site {link.from_}", f"site {link.to}"):
                passed.update(self._by_element.get(name, ()))
        found = []
        for index in sorted(passed):
            state = self.states[index]
            if primary in state.sites or standby in state.sites:
                continue
            route = self.router.route(primary, standby, state)
            if route is None or (limit_ms is not None and exceeds(route.rtt_ms, limit_ms)):
                found.append(index)
        return found


@dataclass(frozen=True)
class CutPaths:
    """The failures that leave two candidate sites without a path for copies: primary site, standby site, state."""

    primary: Integers
    standby: Integers
    state: Integers


class StreamCuts:
    """Paths of copies between the candidate sites after every core failure, each round trip limit evaluated once.

    Parameters
    ----------
    router : Router
        Least-RTT routes.
    routes : RouteTable
        The candidate sites and the states.
    """

    def __init__(self, router: Router, routes: RouteTable) -> None:
        self.routes = routes
        self._cuts = PathCuts(router, routes.states)
        self._paths: dict[float | None, CutPaths] = {}
        self._pairs: dict[float | None, Booleans] = {}

    def pairs(self, limit_ms: float | None) -> Booleans:
        """[primary, standby group] whose copies some single failure stops although both ends are up.

        Parameters
        ----------
        limit_ms : float or None
            Longest round trip of the mechanism [ms].
        """
        if limit_ms not in self._pairs:
            paths, count, hosts = self.paths(limit_ms), len(self.routes.host_names), self.routes.host_of_group
            cut = np.zeros((count, count), dtype=bool)
            cut[paths.primary, paths.standby] = True
            self._pairs[limit_ms] = cut[np.ix_(hosts, hosts)]
        return self._pairs[limit_ms]

    def paths(self, limit_ms: float | None) -> CutPaths:
        """Every failure that cuts the copies from one candidate site to another."""
        if limit_ms not in self._paths:
            names = self.routes.host_names
            found = [
                (first, second, state)
                for first, primary in enumerate(names)
                for second, standby in enumerate(names)
                if first != second
                for state in self._cuts.cutting(primary, standby, limit_ms)
            ]
            columns = np.array(found, dtype=np.int64).reshape(len(found), 3).T
            self._paths[limit_ms] = CutPaths(*columns)
        return self._paths[limit_ms]

    def reason(self, demand: Demand, limit_ms: float | None, allowed: Booleans) -> str:
        """That a single failure stops the copies of every pair that other rules allow, with one and what would do.

        Parameters
        ----------
        demand : Demand
            What is to be protected.
        limit_ms : float or None
            Longest round trip of its mechanism [ms].
        allowed : array of bool (n_groups, n_groups)
            The pairs that every other rule allows.

        Returns
        -------
        str
            Empty where other rules allow no pair.
        """
        names = self.routes.names_of_group
        state_of: dict[tuple[str, str], str] = {}
        paths = self.paths(limit_ms)
        for first, second, state in zip(paths.primary, paths.standby, paths.state, strict=True):
            pair = self.routes.host_names[first], self.routes.host_names[second]
            state_of.setdefault(pair, self.routes.states[state].id)
        pairs = sorted({(names[first], names[second]) for first, second in np.argwhere(allowed).tolist()})
        found = next((pair for pair in pairs if pair in state_of), None)
        if found is None:
            return ""
        within = "" if limit_ms is None else f" of {limit_ms:g} ms at most"
        return (
            f"DR-012: stream_cut is hard, and each of the {len(pairs)} pairs that other rules allow for {demand} loses "
            f"its copies with one failure, {found[0]!r} and {found[1]!r} with {state_of[found]} – add a second path"
            f"{within} between them, or set stream_cut = warning"
        )
