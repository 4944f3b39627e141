"""The benchmarks run: one tiny fleet through the whole pipeline and both planners; tables; the sequential steps."""

from __future__ import annotations

import argparse

import pytest

from benchmarks import fleet, joint, results
from benchmarks.cases import CASES, Case, chosen_cases
from benchmarks.fleet import ALL_CASES
from benchmarks.results import markdown, merged, section_of, with_section
from benchmarks.sequential import complete, place, plan_sequentially, without_protection
from fleet.inventory.scenario import Change, Scenario, apply_scenario
from solvers import SolveConfig

TINY = Case("stores-60", 3.0, 0.05, 4, 3)
SECONDS = 3.0


def test_cases_have_names_of_their_own_and_are_chosen_by_them():
    assert len({case.name for case in ALL_CASES}) == len(ALL_CASES)
    assert [case.name for case in chosen_cases(["retail", "stores-60"])] == ["stores-60", "retail"]
    assert chosen_cases([]) == CASES
    with pytest.raises(ValueError, match="no case nonsense"):
        chosen_cases(["nonsense"])


def test_compute_heavy_fleets_have_a_fifth_of_the_data():
    full, light = (chosen_cases([name])[0].make(1) for name in ("stores-60", "stores-60-compute"))
    stored = [sum(row.storage_gb for row in inventory.workloads) for inventory in (full, light)]
    assert stored[1] == pytest.approx(0.2 * stored[0])


def test_the_pipeline_fills_every_column():
    row = fleet.measure(TINY, SECONDS, seed=1, gap=0.05)
    assert row["audit_errors"] == 0
    assert row["objective"] >= row["bound"] > 0
    assert row["demands"] == 12
    assert {"generate", "write", "read", "compile", "assemble", "audit", "export xlsx", "export map"} <= set(
        row["phases_s"]
    )
    assert all(passed >= 0 for passed in row["phases_s"].values())
    assert {"read", "solve", "audit", "export xlsx"} <= set(row["phases_mb"])
    assert row["memory_mb"] == max(row["phases_mb"].values()) > 10
    assert row["pipeline_s"] == pytest.approx(sum(row["phases_s"].values()))
    line = markdown([row], fleet.COLUMNS).splitlines()[-1]
    assert line.count(" | ") == len(fleet.COLUMNS) - 1
    assert line.endswith("| clean | – |")


def test_a_plan_that_was_not_found_says_so():
    row = {
        **fleet.measure(TINY, SECONDS, seed=1, gap=0.05),
        "objective": None,
        "gap": None,
        "status": "no_solution",
        "is_met": False,
    }
    for key in ("audit_errors", "worst_link_use", "clusters"):
        row.pop(key)
    line = markdown([row], fleet.COLUMNS).splitlines()[-1]
    assert "no plan (no_solution)" in line
    assert "**no**" in line


def test_joint_and_sequential_are_set_side_by_side():
    row = joint.measure(TINY, SECONDS, seed=1, gap=0.01)
    assert set(row["sequential"]) == {"nearest", "careful"}
    held = [found["cost"] for found in row["sequential"].values() if found["cost"] and not found["reasons"]]
    assert held
    assert min(held) >= row["joint_bound"] * (1 - 1e-6)
    assert markdown([row], joint.COLUMNS).count("\n") == 2


def test_the_saving_is_against_the_cheapest_sequential_plan_that_holds():
    sequential = {
        "nearest": {"cost": 80.0, "reasons": ("audit: NET-004 × 1",)},
        "careful": {"cost": 200.0, "reasons": ()},
    }
    assert joint.saving(150.0, sequential) == pytest.approx(0.25)
    assert joint.saving(None, sequential) is None
    assert joint.saving(150.0, {"nearest": sequential["nearest"]}) is None


def test_nothing_is_protected_in_the_first_step():
    inventory = TINY.make(1)
    bare = without_protection(inventory)
    assert any(demand.is_protected for demand in inventory.demands)
    assert not any(demand.is_protected for demand in bare.demands)
    assert [demand.key for demand in bare.demands] == [demand.key for demand in inventory.demands]


def test_demands_too_large_for_any_cluster_are_named_by_cluster():
    inventory = TINY.make(1)
    placement = place(inventory, SolveConfig(time_limit_s=SECONDS, gap=0.05))
    grown = Scenario(
        "grown",
        (Change(scenario="grown", table="workloads", row="*", column="storage_gb", action="scale", value="200"),),
    )
    result = complete(apply_scenario(inventory, grown), placement)
    assert not result.is_feasible
    assert result.cost is None
    assert any("% full (storage pool)" in reason for reason in result.reasons)


def test_the_sequential_plan_is_judged_by_the_audit():
    result = plan_sequentially(TINY.make(1), SolveConfig(time_limit_s=SECONDS, gap=0.05), is_careful=True)
    assert result.is_feasible == (not result.reasons)
    assert result.cost is not None
    assert result.clusters >= 2


def test_sections_of_the_readme_keep_what_was_not_measured_again(tmp_path, monkeypatch, capsys):
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- results:x -->\nnone\n<!-- /results:x -->\nb\n", encoding="utf-8")
    monkeypatch.setattr(results, "README", readme)
    columns = {"case": lambda row: row["case"], "cost": lambda row: row["cost"]}
    options = argparse.Namespace(json=tmp_path / "rows.json", update_readme=True, seed=1)
    results.publish("x", [{"case": "retail", "cost": "1"}, {"case": "stores-60", "cost": "2"}], columns, options)
    results.publish("x", [{"case": "retail", "cost": "3"}], columns, options)
    text = readme.read_text(encoding="utf-8")
    assert "| stores-60 | 2 |\n| retail | 3 |\n<!-- /results:x -->\nb" in text
    assert "| retail | 1 |" not in text
    assert "2 shared cores" in section_of(text, "x")
    assert "retail" in capsys.readouterr().out
    order = ["retail", "stores-60"]
    assert merged("| case | other |\n| --- | --- |\n| retail | 1 |", "| case |\n| --- |\n| stores-60 |", order) == (
        "| case |\n| --- |\n| stores-60 |"
    )
    with pytest.raises(ValueError, match=r"markers .* are missing"):
        with_section("nothing here", "x", "content")


def test_the_readme_has_a_place_for_every_table():
    text = results.README.read_text(encoding="utf-8")
    assert section_of(text, "fleet")
    assert section_of(text, "joint")
    for name in ("sets", "instances", "scale"):
        assert section_of(text, name)
