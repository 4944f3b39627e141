"""Without the encoder of any one rule, the parity of model and audit breaks on a case of that rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fleet.plan.rules import RULES
from solvers.linear.model import LinearModel
from solvers.problem import demand_classes as classes
from solvers.problem import slots
from solvers.problem.routes import RouteTable
from solvers.problem.sets import Unit
from solvers.problem.stream_cuts import StreamCuts
from tests.optimization import test_parity
from tests.optimization.test_mutations import MUTATIONS

Mutation = Callable[[pytest.MonkeyPatch, str], None]

#: Rules whose encoder has no case of its own here: which mutation of a whole solve takes it away.
WHOLE_SOLVES = {
    "ASG-001": ("assignment", "_served"),
    "EXI-001": ("growth", "_existing"),
    "NET-005": ("links", "encode_upgrades"),
    "SIT-001": ("siting", "_opening"),
}
REASONS = ("eligible_site_reason", "eligible_standby_reason", "pair_reason")


def without_rows(patch: pytest.MonkeyPatch, rule: str) -> None:
    """The model never gets the rows of the rule."""
    add, label = LinearModel.add_arrays, test_parity.LABELS.get(rule, rule)

    def added(self: LinearModel, row_rule: str, *rest: Any) -> None:
        if row_rule != label:
            add(self, row_rule, *rest)

    patch.setattr(LinearModel, "add_arrays", added)


def without_reason(patch: pytest.MonkeyPatch, rule: str) -> None:
    """No place is refused for the rule."""
    for name in REASONS:
        ask = getattr(classes, name)

        def asked(*arguments: Any, ask: Any = ask) -> Any:
            reason = ask(*arguments)
            return None if reason is not None and reason.rule == rule else reason

        patch.setattr(classes, name, asked)


def without_hosts(patch: pytest.MonkeyPatch, rule: str) -> None:
    """Every candidate site is near enough, or open to demands of other sites, or has internet."""
    name = {"NET-001": "_near_hosts", "ASG-003": "_own_hosts", "DR-009": "_online_hosts"}[rule]
    patch.setattr(classes.ClassBuilder, name, lambda self, _: np.ones(len(self.routes.host_names), dtype=bool))


def without_light(patch: pytest.MonkeyPatch, rule: str) -> None:
    """Every round trip counts, however short."""
    patch.setattr(RouteTable, "is_possible", lambda self, _: np.ones(len(self.host_names), dtype=bool))


def without_cuts(patch: pytest.MonkeyPatch, rule: str) -> None:
    """No pair is refused for leaving users without a way after a failure."""
    patch.setattr(RouteTable, "cut_off", lambda self, *_: np.zeros((len(self.groups), len(self.groups)), dtype=bool))


def without_reason_and_cuts(patch: pytest.MonkeyPatch, rule: str) -> None:
    """Sites that fail together may pair: refused by name, and again because nobody restores what was there."""
    without_reason(patch, rule)
    without_cuts(patch, rule)


def without_stream_cuts(patch: pytest.MonkeyPatch, rule: str) -> None:
    """No pair is refused for copies that a failure stops."""
    patch.setattr(StreamCuts, "pairs", lambda self, _: np.zeros((len(self.routes.groups),) * 2, dtype=bool))


def without_labels(patch: pytest.MonkeyPatch, rule: str) -> None:
    """Every demand is a unit of its own."""
    patch.setattr(
        classes.ClassBuilder,
        "units",
        lambda self: [Unit(demand.site, (demand,)) for demand in self.inventory.demands],
    )


def without_fit(patch: pytest.MonkeyPatch, rule: str) -> None:
    """Every run takes every demand."""
    patch.setattr(slots, "fits", lambda *_: True)
    patch.setattr(classes, "fits_throughout", lambda *_: True)
    patch.setattr("solvers.formulation.constraints.assignment.fits", lambda *_: True)


TAKEN_AWAY: dict[str, Mutation] = {
    **dict.fromkeys(
        (
            *("ASG-002", "ASG-005", "BUD-001", "CAP-001", "CAP-003", "CAP-004", "DR-006", "NET-002", "NET-003"),
            *("ASG-007", "ASG-008", "CAP-005", "CAP-006", "DR-011", "PIN-001", "SIT-002", "PLT-020", "PLT-024"),
        ),
        without_rows,
    ),
    **dict.fromkeys(("DR-001", "DR-003", "DR-004", "GOV-001"), without_reason),
    **dict.fromkeys(("ASG-003", "DR-009", "NET-001"), without_hosts),
    "DR-002": without_reason_and_cuts,
    "DR-012": without_stream_cuts,
    "NET-004": without_cuts,
    "NET-008": without_light,
    "ASG-004": without_labels,
    "ASG-006": without_fit,
    "PLT-028": without_fit,
}


def is_noticed(rule: str) -> bool:
    """Whether the parity of some case of the rule breaks."""
    for case in test_parity.CASES:
        if case.rule != rule or not case.is_broken:
            continue
        try:
            test_parity.test_model_accepts_what_the_audit_accepts(case)
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("rule", sorted(TAKEN_AWAY))
def test_taking_a_rule_out_of_the_model_is_noticed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_noticed(rule)
    TAKEN_AWAY[rule](monkeypatch, rule)
    assert is_noticed(rule)


def test_every_encoded_rule_is_taken_away_somewhere() -> None:
    encoded = {rule.id for rule in RULES if rule.is_encoded}
    mutated = {(module, function) for module, function, _, _ in MUTATIONS}
    assert set(WHOLE_SOLVES.values()) <= mutated
    # Archetypes and growth steps that the platform refuses never reach the model: its own tests ask for each refusal.
    texts = [path.read_text(encoding="utf-8") for path in (Path(__file__).parents[1] / "platform").glob("*.py")]
    refused = {rule for rule in encoded if rule.startswith("PLT") and any(f'"{rule}' in text for text in texts)}
    assert encoded - TAKEN_AWAY.keys() - WHOLE_SOLVES.keys() - refused == set()
