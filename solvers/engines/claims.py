"""What engines claim, and which of them are still believed.

Engines prove bounds and call models infeasible; nobody can recompute most of that. What can be checked is checked: a
bound above a plan that holds, a model without solution that a plan solves, an objective that is not that of its
solution. Whatever is disproved so takes everything with it that its engine said in this run: an engine that is wrong
once may have been wrong before.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from solvers.engines.task import Engine
from solvers.linear.model import INFINITY
from solvers.tolerances import BOUND_TOLERANCE

#: The engines that solve a whole model, what each is called, and the library whose word it rests on.
ENGINES: tuple[Engine, ...] = ("cp_sat", "highs")
ENGINE_NAMES: dict[Engine, str] = {"cp_sat": "CP-SAT", "highs": "HiGHS", "benders": "HiGHS with Benders rows"}
LIBRARIES: dict[Engine, str] = {"cp_sat": "CP-SAT", "highs": "HiGHS", "benders": "HiGHS", "conflict": "HiGHS"}


class Claim(NamedTuple):
    """A lower bound, what proved it and of what, and the library whose word it is."""

    bound: float
    source: str
    library: str


@dataclass
class Claims:
    """The best bound of every library that proves any, and what disproved a library.

    Attributes
    ----------
    disproved : dict
        Per library that is no longer believed, what it said and what is so.
    """

    disproved: dict[str, str] = field(default_factory=dict)
    _bounds: dict[str, tuple[float, str]] = field(default_factory=dict)

    @property
    def best(self) -> Claim:
        """The best bound that is believed; minus infinity where there is none."""
        claims = (Claim(bound, source, library) for library, (bound, source) in self._bounds.items())
        return max(claims, key=lambda claim: claim.bound, default=Claim(-INFINITY, "", ""))

    @property
    def bound(self) -> float:
        """The best bound that is believed; minus infinity until there is one."""
        return self.best.bound

    @property
    def source(self) -> str:
        """What proved it, and of what."""
        return self.best.source

    def bound_below(self, objective: float) -> float | None:
        """The best bound, at most an objective that is apart from it by rounding; None until there is one."""
        return None if self.bound == -INFINITY else min(self.bound, objective)

    @property
    def texts(self) -> tuple[str, ...]:
        """What was disproved, in words."""
        return tuple(f"{library} said {text}" for library, text in self.disproved.items())

    def bound_of(self, library: str) -> float:
        """The best bound of one library; minus infinity where it has none, or is not believed."""
        return self._bounds.get(library, (-INFINITY, ""))[0]

    def believes(self, library: str) -> bool:
        """Whether what a library says still counts."""
        return library not in self.disproved

    def believed(self, engines: Collection[Engine]) -> tuple[Engine, ...]:
        """Those of some engines whose word still counts."""
        return tuple(engine for engine in engines if self.believes(LIBRARIES[engine]))

    def note(self, library: str, bound: float, source: str) -> bool:
        """Take a bound; False where it is not believed or no better than what the library said before."""
        if library in self.disproved or bound <= self._bounds.get(library, (-INFINITY, ""))[0]:
            return False
        self._bounds[library] = (bound, source)
        return True

    def disprove(self, library: str, text: str) -> None:
        """Believe nothing any more that a library said in this run."""
        self.disproved.setdefault(library, text)
        self._bounds.pop(library, None)

    def face(self, objective: float) -> None:
        """Confront the bounds with the cost of a solution that holds: what is above it is disproved."""
        for library, (bound, _) in list(self._bounds.items()):
            if bound > objective + BOUND_TOLERANCE * max(1.0, abs(objective)):
                self.disprove(
                    library, f"that nothing costs less than {bound:,.2f}, though a cost of {objective:,.2f} holds"
                )
