"""Checks of the figures that other documents state."""

from __future__ import annotations

import math
from collections.abc import Iterator

from fleet.errors import Problem
from fleet.inventory.checks.references import Draft


def check_figures(draft: Draft) -> Iterator[Problem]:
    """Check that a figure is about one site or about kinds, covers no more sites than there are, and has numbers."""
    sheet = draft.figures
    kinds = [record.row.kind for record in draft.sites.records if record.has("kind")]
    for record in sheet.records:
        row = record.row
        if record.has("site", "kind") and row.site and row.kind:
            yield sheet.problem("INV054", record, "kind", "both site and kind are given", "keep one of them")
        for part in row.parts if record.has("parts") else ():
            if not _is_number(part):
                message = f"got {part!r}, expected a number"
                yield sheet.problem("INV007", record, "parts", message, "write the parts as 2;1;2")
        if record.has("sites", "site", "kind") and row.sites is not None and draft.sites.is_given:
            there = 1 if row.site else sum(kind in row.kind for kind in kinds) if row.kind else len(kinds)
            if there and row.sites > there:
                message = f"it covers {row.sites} sites, there are {there}"
                yield sheet.problem("INV054", record, "sites", message, "correct it, or leave it blank for all of them")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
