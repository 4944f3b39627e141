"""The rules that a plan is judged by, each with its verifier; encoders are in ``solvers/formulation/constraints``."""

from __future__ import annotations

from fleet.plan.rules import (
    assignment,
    capacity,
    cloud,
    data,
    figures,
    money,
    network,
    notes,
    pins,
    platform,
    promises,
    recovery,
    siting,
    streams,
)
from fleet.plan.rules.base import ENCODERS, Evidence, Rule

__all__ = ["ENCODERS", "RULES", "Evidence", "Rule"]

#: Every rule, by id.
RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            rule
            for room in (
                platform,
                promises,
                capacity,
                siting,
                assignment,
                network,
                recovery,
                streams,
                cloud,
                pins,
                money,
                data,
                figures,
                notes,
            )
            for rule in room.RULES
        ),
        key=lambda rule: rule.id,
    )
)
