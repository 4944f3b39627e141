"""Ways through carrier clouds to every candidate site in every failure state, for one member after another.

Of all states nearly every one leaves the ways into nearly every candidate site as they are in the normal state. So the
ports of the normal state are kept for each candidate site, and those of another state only where they differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from fleet.wan.clouds import Port, Tail
from fleet.wan.routing import Router
from fleet.wan.states import FailureState
from solvers.linear.model import Integers

#: Label of a route that does not exist: above every other, however many are added.
NO_WAY = 2**61


class CloudWays:
    """Labels from within each carrier cloud to every candidate site, in every row of states.

    Parameters
    ----------
    router : Router
        Routes of the network.
    hosts : sequence of str
        The candidate sites.
    rows : sequence of FailureState
        The states, the normal one first.
    """

    def __init__(self, router: Router, hosts: Sequence[str], rows: Sequence[FailureState]) -> None:
        network = router.network
        shape = (len(rows), len(hosts))
        cells = {cloud: _Cells(shape) for cloud in network.clouds.members}
        normal = [router.ports(host, rows[0]) if cells else None for host in hosts]
        for row, state in enumerate(rows if cells else ()):
            for column, host in enumerate(hosts):
                ports = router.ports(host, state)
                if row and ports is normal[column]:
                    continue
                for cloud, found in cells.items():
                    found.add(row, column, () if ports is None else ports.of.get(cloud, ()))
        tails: dict[Tail, int] = {}
        self._by_cloud = {network.names[cloud]: _Members(router, found, tails) for cloud, found in cells.items()}

    def __contains__(self, cloud: str) -> bool:
        return cloud in self._by_cloud

    def of(self, cloud: str, site: int) -> tuple[Integers, Integers]:
        """Label to every candidate site in every state of traffic that enters a cloud at a site, and its way.

        Returns
        -------
        tuple of arrays, (n_rows, n_hosts)
            Labels without the link of the site itself, `NO_WAY` where there is none; and numbers of the links from
            there to the member where the route leaves the cloud.
        """
        return self._by_cloud[cloud].at(site)


class _Cells:
    """The ports of the cells (row, host): first those of the normal row, one for each host, then the others."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.places: list[tuple[int, int]] = []
        self.ports: list[list[Port]] = []

    def add(self, row: int, column: int, ports: Iterable[Port]) -> None:
        """Take the ports of a cell, of equally long ones the preferred first."""
        self.places.append((row, column))
        self.ports.append(sorted(ports, key=lambda port: (port.tail, port.member)))


class _Members:
    """What the distance adds to the ports of one cloud for every site, and which port is best for one."""

    def __init__(self, router: Router, cells: _Cells, tails: dict[Tail, int]) -> None:
        self._shape = cells.shape
        changed = np.array(cells.places[cells.shape[1] :], dtype=np.int64).reshape(-1, 2)
        self._changed = (changed[:, 0], changed[:, 1])
        members: dict[int, int] = {}
        flat: list[tuple[int, int, int]] = []  # length, column of the distances, number of the tail
        starts = []
        for ports in cells.ports:
            starts.append(len(flat))
            for port in ports:
                column = members.setdefault(port.member, len(members) + 1) if port.has_distance else 0
                flat.append((port.length, column, tails.setdefault(port.tail, len(tails))))
            if not ports:
                flat.append((NO_WAY, 0, -1))
        columns = np.array(flat, dtype=np.int64).reshape(-1, 3)
        self._lengths, self._sources, self._tails = columns.T.copy()
        self._starts = np.array(starts, dtype=np.int64)
        self._cell_of = np.repeat(np.arange(len(starts)), np.diff([*starts, len(flat)]))
        self._numbers = np.arange(len(flat))
        nothing = np.zeros(len(router.network.names), dtype=np.int64)
        self._distances = np.stack([nothing, *(router.backbone(member) for member in members)], axis=1)

    def at(self, site: int) -> tuple[Integers, Integers]:
        """Best label and the tail of its port in every row, to every host."""
        labels = self._lengths + self._distances[site][self._sources]
        best = np.minimum.reduceat(labels, self._starts)
        first = np.where(labels == best[self._cell_of], self._numbers, len(labels))
        tails = self._tails[np.minimum.reduceat(first, self._starts)]
        return self._spread(best), self._spread(tails)

    def _spread(self, values: Integers) -> Integers:
        """Values of the cells over all rows: the normal one, and where a row has its own, that."""
        result = np.empty(self._shape, dtype=np.int64)
        result[:] = values[: self._shape[1]]
        result[self._changed] = values[self._shape[1] :]
        return result
