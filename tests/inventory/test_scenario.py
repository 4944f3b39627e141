from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from fleet.errors import ScenarioError
from fleet.inventory.checks.inventory import checked_inventory
from fleet.inventory.inventory import Inventory
from fleet.inventory.scenario import Change, Scenario, apply_scenario, read_scenarios
from tests.inventory_tables import valid_tables

HEADER = "scenario,table,row,column,action,value\n"


@pytest.fixture
def inventory() -> Inventory:
    return checked_inventory("test", valid_tables())


def scenario(*changes: tuple[str, str, str, str, Any]) -> Scenario:
    names = ("table", "row", "column", "action", "value")
    rows = (Change.model_validate({"scenario": "what", **dict(zip(names, row, strict=True))}) for row in changes)
    return Scenario("what", tuple(rows))


def workload(inventory: Inventory, name: str) -> Any:
    return next(row for row in inventory.workloads if row.workload == name)


def test_set_scale_add_drop(inventory: Inventory) -> None:
    changed = apply_scenario(
        inventory,
        scenario(
            ("workloads", "kind=store", "vcpus", "scale", "1.5"),
            ("workloads", "pos", "vcpus", "add", "1"),
            ("workloads", "vision", "tier", "set", "hot"),
            ("links", "backbone", "bandwidth_mbps", "set", "500"),
            ("clusters", "*", "", "drop", ""),
            ("policy", "pool_fill", "", "add", "-0.1"),
            ("policy", "*", "discount_rate", "set", "0.05"),
            ("policy", "budget", "value", "set", ""),
        ),
    )
    assert workload(changed, "pos").vcpus == 7.0
    assert workload(changed, "vision").vcpus == 12.0  # its site is of that kind
    assert workload(changed, "vision").tier == "hot"
    assert {link.link: link.bandwidth_mbps for link in changed.links}["backbone"] == 500
    assert changed.clusters == ()
    assert (changed.policy.pool_fill, changed.policy.discount_rate, changed.policy.budget) == (0.6, 0.05, None)
    assert changed.name == "test (what)"
    assert workload(inventory, "pos").vcpus == 4.0


def test_no_change_keeps_the_hash(inventory: Inventory) -> None:
    assert apply_scenario(inventory, Scenario("same", ())).sha256 == inventory.sha256


@pytest.mark.parametrize(
    ("row", "expected"),
    [("s1", {"s1"}), ("*", {"cloud", "hub-a", "hub-b", "s1", "s2"}), ("can_host=yes", {"hub-a", "hub-b"})],
)
def test_rows_are_chosen_by_key_star_and_condition(row: str, expected: set[str], inventory: Inventory) -> None:
    changed = apply_scenario(inventory, scenario(("sites", row, "internet", "set", "no")))
    assert {site.site for site in changed.sites if not site.internet} == expected


def test_workload_at_a_site(inventory: Inventory) -> None:
    changed = apply_scenario(inventory, scenario(("workloads", "vision@s1", "gpus", "set", "2")))
    assert workload(changed, "vision").gpus == 2


def test_adding_to_a_blank_cell_starts_from_the_default(inventory: Inventory) -> None:
    changed = apply_scenario(inventory, scenario(("sites", "hub-b", "max_clusters", "add", "2")))
    assert changed.site("hub-b").max_clusters == 3


def test_a_new_place_moves_the_site(inventory: Inventory) -> None:
    changed = apply_scenario(inventory, scenario(("sites", "hub-a", "place", "set", "Boston, MA")))
    assert changed.site("hub-a").latitude == pytest.approx(42.36, abs=0.01)
    kept = scenario(("sites", "hub-a", "latitude", "set", "1"), ("sites", "hub-a", "place", "set", "Boston, MA"))
    assert apply_scenario(inventory, kept).site("hub-a").latitude == 1


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (("sites", "hub-x", "kind", "set", "x"), "SCN003 .*change 1 – table sites has no row 'hub-x' – did you mean"),
        (
            ("sites", "hub-a", "max_nodes", "scale", "2"),
            "SCN003 .* column 'max_nodes' of 'hub-a' holds no number to scale",
        ),
        (("sights", "*", "kind", "set", "x"), "SCN003 .* there is no table 'sights' – did you mean 'sites'"),
        (
            ("sites", "hub-a", "latitude", "set", "200"),
            "SCN004 scenario 'what':sites row 'hub-a' column latitude – got '200'",
        ),
        (
            ("workloads", "pos", "count", "scale", "1.5"),
            "SCN004 .*workloads row 'pos' column count – got 1.5, .*whole number",
        ),
        (("workloads", "pos", "rpo_minutes", "set", ""), "SCN004 .* has protection auto and no rpo_minutes"),
        (("links", "*", "colour", "set", "red"), "SCN004 .* table links has no column 'colour'"),
        (("sites", "s1", "", "drop", ""), "SCN004 .*links row 'hub-b--s1' column to – there is no site 's1'"),
    ],
)
def test_impossible_changes(change: Any, pattern: str, inventory: Inventory) -> None:
    with pytest.raises(ScenarioError, match=pattern):
        apply_scenario(inventory, scenario(change))


def test_all_problems_of_a_scenario_are_named(inventory: Inventory) -> None:
    bad = scenario(
        ("sites", "nowhere", "kind", "set", "x"),
        ("sites", "hub-a", "latitude", "set", "x"),
        ("hardware", "std", "cores", "set", ""),
    )
    with pytest.raises(ScenarioError, match="3 problems"):
        apply_scenario(inventory, bad)


def same_from_every_format(folder: Path) -> list[dict[str, Scenario]]:
    rows = [["up", "workloads", "*", "vcpus", "scale", "2"], ["down", "policy", "budget", "", "set", "1000000"]]
    (folder / "scenarios.csv").write_text(HEADER + "\n".join(",".join(row) for row in rows), encoding="utf-8")
    (folder / "nested.yaml").write_text(
        "up:\n- {table: workloads, row: '*', column: vcpus, action: scale, value: 2}\n"
        "down:\n- {table: policy, row: budget, action: set, value: 1000000}\n",
        encoding="utf-8",
    )
    (folder / "flat.yml").write_text(
        "- {scenario: up, table: workloads, row: '*', column: vcpus, action: scale, value: 2}\n"
        "- {scenario: down, table: policy, row: budget, action: set, value: 1000000}\n",
        encoding="utf-8",
    )
    workbook = xlsxwriter.Workbook(str(folder / "book.xlsx"))
    sheet = workbook.add_worksheet("Scenarios")
    for number, cells in enumerate([HEADER.strip().split(","), *rows]):
        sheet.write_row(number, 0, cells)
    workbook.close()
    return [read_scenarios(folder / name) for name in ("scenarios.csv", "nested.yaml", "flat.yml", "book.xlsx", ".")]


def test_formats_agree(tmp_path: Path) -> None:
    found = [{name: scenario.changes for name, scenario in read.items()} for read in same_from_every_format(tmp_path)]
    assert list(found[0]) == ["up", "down"]
    assert all(other == found[0] for other in found[1:])


def test_places_are_those_of_the_file(tmp_path: Path, inventory: Inventory) -> None:
    (tmp_path / "s.csv").write_text(HEADER + "a,sites,hub-a,kind,set,x\n\na,sites,hub-q,kind,set,x\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"SCN003 s\.csv:row 4 – table sites has no row 'hub-q'"):
        apply_scenario(inventory, read_scenarios(tmp_path / "s.csv")["a"])


@pytest.mark.parametrize(
    ("name", "text", "pattern"),
    [
        ("s.csv", "", "SCN001 s.csv – the file is empty"),
        ("s.csv", HEADER, "SCN001 .*s.csv – it holds no scenario"),
        (
            "s.csv",
            HEADER + "a,sites,*,kind,sett,x\n",
            "SCN002 s.csv:row 2 column action – got 'sett', .*did you mean 'set'",
        ),
        ("s.csv", HEADER + "a,sights,*,kind,set,x\n", "SCN002 s.csv:row 2 column table – .* did you mean 'sites'"),
        (
            "s.csv",
            HEADER + "a,sites,*,kinds,set,x\n",
            "SCN002 s.csv:row 2 column column – .*no column 'kinds' – did you mean 'kind'",
        ),
        ("s.csv", HEADER + "a,sites,*,kind,scale,2\n", "SCN002 .* column 'kind' holds no numbers"),
        (
            "s.csv",
            HEADER + "a,sites,*,zones,scale,x\n",
            "SCN002 s.csv:row 2 column value – got 'x', expected a number to scale by",
        ),
        ("s.csv", HEADER + "a,sites,s1,kind,drop,\n", "SCN002 s.csv:row 2 column column – drop drops whole rows"),
        ("s.csv", HEADER + "a,policy,*,,set,3\n", "SCN002 .* names no key"),
        ("s.csv", HEADER + "a,policy,*,budgt,set,3\n", "SCN002 .* no column 'budgt' – did you mean 'budget'"),
        (
            "s.csv",
            HEADER.replace("action", "do") + "a,sites,*,kind,set,x\n",
            "SCN002 s.csv:row 1 column action – .*required",
        ),
        ("s.csv", HEADER + "a,sites\n", "SCN001 s.csv:row 2 – the row has 2 cells"),
        ("s.yaml", "a: [", "SCN001 .* it is no YAML that can be read"),
        ("s.yaml", "3", "SCN001 s.yaml – got a number"),
        ("s.yaml", "a: 3", r"SCN001 s.yaml:scenarios\[0\] – got a number"),
        ("s.txt", "x", "SCN001 .* this is no inventory"),
    ],
)
def test_unusable_scenario_files(name: str, text: str, pattern: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=pattern):
        read_scenarios(tmp_path / name)


def test_missing_scenario_files(tmp_path: Path) -> None:
    for name in ("none.yaml", "none.csv", "none.xlsx", "."):
        with pytest.raises(ScenarioError, match="SCN001"):
            read_scenarios(tmp_path / name)
