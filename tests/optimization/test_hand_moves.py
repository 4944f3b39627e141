"""Nothing that the audit calls clean is cheaper than a proven optimum, whatever is changed by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fleet.inventory.inventory import Inventory
from fleet.plan.costs import Rates, cost_rows, totals
from fleet.plan.decisions import Decisions, decisions_of
from fleet.rulepack import RulePack, load_rulepack
from solvers import SolveConfig, solve
from solvers.problem import compilation
from solvers.problem.sets import Slot
from tests.optimization.hand_moves import Hands
from tests.optimization.tiny_fleets import FAMILIES
from tests.plan.judged_fleet import a_plan

RELATIVE = 1e-6
QUICK = [
    ("standing", 3), ("replacing", 0), ("replacing", 12), ("relayouts", 1), ("second_places", 4), ("witnesses", 0),
    ("later", 1), ("pinned", 4), ("archives", 2), ("two_clusters", 1), ("upgrades", 1), ("kinds", 5),
]  # fmt: skip
#: Changes that are cheaper and shown to the audit, of each fleet.
SHOWN, MORE_SHOWN = 60, 400
#: Changes tried for each that is shown.
TRIES = 20


def cheaper_plans(inventory: Inventory, seed: int, shown: int) -> tuple[list[Decisions], int]:
    """Decisions that cost less than the proven optimum and pass the audit, and how many cheaper ones were audited."""
    result = solve(inventory, config=SolveConfig(gap=0.0, time_limit_s=60.0))
    if result.plan is None:
        return [], 0
    assert result.status == "optimal"
    assert result.objective is not None
    best = decisions_of(result.plan.document, inventory)
    hands, pack = Hands(inventory, seed), load_rulepack(inventory.policy.rule_pack)
    rates = Rates(inventory, pack)
    found: list[Decisions] = []
    audited = 0
    for _ in range(TRIES * shown):
        changed = hands.changed(best)
        cost = totals(inventory, cost_rows(inventory, pack, changed, rates)).present_value
        if cost >= result.objective * (1.0 - RELATIVE):
            continue
        if audited == shown:
            break
        audited += 1
        if not a_plan(inventory, changed).errors:
            found.append(changed)
    return found, audited


@pytest.mark.parametrize(("family", "seed"), QUICK)
def test_no_change_by_hand_is_cheaper_than_the_optimum(family: str, seed: int) -> None:
    found, audited = cheaper_plans(FAMILIES[family](seed), seed, SHOWN)
    assert found == []
    assert audited > 0


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_no_change_by_hand_is_cheaper_than_the_optimum_anywhere(family: str) -> None:
    total = 0
    for seed in range(10):
        found, audited = cheaper_plans(FAMILIES[family](seed), seed, MORE_SHOWN)
        assert found == []
        total += audited
    assert total > 0


def _without_freed_places(inventory: Inventory, slots: tuple[Slot, ...]) -> list[Slot]:
    """The slots as if clusters that may be retired kept their places."""
    kept: list[Slot] = []
    for slot in slots:
        here = sum(other.site == slot.site for other in kept)
        if slot.existing is not None or here < inventory.site(slot.site).max_clusters:
            kept.append(slot)
    return kept


def _without_new_layouts(inventory: Inventory, slots: tuple[Slot, ...]) -> list[Slot]:
    """The slots as if the layout of what stands could not change without more nodes."""
    return [
        slot
        if slot.existing is None
        else replace(
            slot,
            segments=tuple(one for one in slot.segments if one is slot.segments[0] or one.lowest > slot.existing.nodes),
        )
        for slot in slots
    ]


@pytest.mark.parametrize(
    ("cut", "family", "seed"), [(_without_freed_places, "replacing", 30), (_without_new_layouts, "relayouts", 37)]
)
def test_a_search_space_that_is_too_small_is_noticed(
    cut: Callable[[Inventory, tuple[Slot, ...]], list[Slot]], family: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the audit allows and the model does not know is found by hand."""
    whole = compilation.build_slots

    def smaller(inventory: Inventory, pack: RulePack) -> tuple[Slot, ...]:
        return tuple(replace(slot, index=index) for index, slot in enumerate(cut(inventory, whole(inventory, pack))))

    monkeypatch.setattr(compilation, "build_slots", smaller)
    found, _ = cheaper_plans(FAMILIES[family](seed), seed, MORE_SHOWN)
    assert found
