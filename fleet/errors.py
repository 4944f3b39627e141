"""The error tree. Every error carries a stable code; input errors carry every problem found."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what the planner supplied.

    Attributes
    ----------
    code : str
        Stable code, ``INV…`` for inventories, ``SCN…`` for scenarios, ``PLN…`` for plan files.
    place : str
        ``file:row 7 column vcpus`` or as much of it as is known.
    message : str
        What was found and what was expected.
    remedy : str
        What to do about it.
    severity : str
        ``error`` or ``warning``.
    """

    code: str
    place: str
    message: str
    remedy: str
    severity: str = "error"

    def __str__(self) -> str:
        return f"{self.code} {self.place} – {self.message} – {self.remedy}"


class FleetError(Exception):
    """Base of all errors that Fleet raises on purpose."""

    code = "FLT000"


class ProblemsError(FleetError, ValueError):
    """Base of errors that report several problems together."""

    #: How many problems the message shows before it only counts the rest.
    SHOWN = 50

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        lines = [str(problem) for problem in self.problems[: self.SHOWN]]
        hidden = len(self.problems) - len(lines)
        if hidden > 0:
            lines.append(f"… and {hidden} more")
        plural = "problem" if len(self.problems) == 1 else "problems"
        super().__init__("\n".join([f"{len(self.problems)} {plural}", *lines]))


class InventoryError(ProblemsError):
    """The inventory cannot be used; ``problems`` names every reason."""

    code = "INV000"


class ScenarioError(ProblemsError):
    """The scenario overlay cannot be applied; ``problems`` names every reason."""

    code = "SCN000"


class RulePackError(ProblemsError):
    """A rule pack is unreadable or has unknown keys or wrong units."""

    code = "RUL000"


class PlanError(ProblemsError):
    """A plan file is unreadable or contradicts itself."""

    code = "PLN000"


class ExportError(FleetError, OSError):
    """An export could not be written."""

    code = "EXP000"


class UnknownIdError(FleetError, KeyError):
    """A name was asked for that does not exist; of the `known` names the nearest are told."""

    code = "FLT001"

    def __init__(self, kind: str, name: str, known: Iterable[str] = ()) -> None:
        self.kind, self.name = kind, name
        near = difflib.get_close_matches(name, list(known), n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        super().__init__(f"no {kind} is named {name!r}{hint}")

    def __str__(self) -> str:
        return str(self.args[0])
