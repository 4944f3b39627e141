"""Rules at their limits, and the table of rules itself."""

from __future__ import annotations

import pytest

from fleet.plan.rules import ENCODERS, RULES
from tests.plan.judged_fleet import a_plan, rules_of
from tests.plan.rule_cases import RuleCase, rule_cases


@pytest.mark.parametrize("case", rule_cases(), ids=str)
def test_rule_at_its_limit(case: RuleCase) -> None:
    found = rules_of(a_plan(case.inventory, case.decisions))
    if case.is_broken:
        assert case.rule in found
    else:
        assert found == set()


def test_rule_ids_are_unique_and_sorted() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_said_in_words_and_encoded_or_excused(rule: object) -> None:
    found = next(entry for entry in RULES if entry is rule)
    assert found.statement.endswith(".")
    assert found.source
    assert found.encoder in ENCODERS or found.encoder.startswith("none needed: ")
    assert found.is_encoded == (found.encoder in ENCODERS)


def test_encoded_rules_have_cases_inside_and_outside() -> None:
    cases = rule_cases()
    covered = {case.rule for case in cases if case.is_broken} & {case.rule for case in cases if not case.is_broken}
    growth_and_hardware = {rule.id for rule in RULES if rule.id.startswith("PLT")}
    switches = {"ASG-001", "NET-005"}
    assert {rule.id for rule in RULES if rule.is_encoded} - covered - growth_and_hardware - switches == set()
