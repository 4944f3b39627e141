"""A rule pack of one's own beside the tables: a few facts overridden, every mistake in it named when it is read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import fleet
import solvers
from fleet.errors import InventoryError
from fleet.exchange.examples import example_folder
from fleet.platform.sizing import size_fleet
from fleet.rulepack import compare, load_rulepack
from solvers.config import SolveConfig

PACK = """[pack]
name = "own"
date = 2026-10-01
extends = "azure-local"
statement = "What the partner's guide says."

[host.memory_reserve_min_gb]
value = {value}
unit = "{unit}"
source = "partner's sizing guide"
date = 2026-10-01
statement = "So much memory per node is kept for the host."
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "inventory"
    shutil.copytree(example_folder("manufacturing"), copy)
    own_pack(copy)
    (copy / "policy.csv").write_text("key,value\nrule_pack,own.toml\nhorizon_months,18\nperiod_months,6\n")
    return copy


def own_pack(folder: Path, value: Any = 200, unit: str = "GiB") -> None:
    (folder / "own.toml").write_text(PACK.format(value=value, unit=unit))


def problems(folder: Path) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        fleet.read(folder)
    return [str(problem) for problem in caught.value.problems]


def test_it_overrides_what_it_states_and_the_plan_follows(folder: Path) -> None:
    """512 − 200 GiB are left per node: (2 · 312 − 8) · 0.9 = 554.4 on three nodes, 678 are needed, so four: 835.2."""
    inventory = fleet.read(folder)
    pack = load_rulepack(inventory.policy.rule_pack)
    assert [row["fact"] for row in compare("azure-local", pack)] == ["host.memory_reserve_min_gb"]
    rows = {(row.archetype.node_model, row.archetype.nodes): row for row in size_fleet(inventory, pack).rows}
    assert rows["edge-32c-512g", 3].archetype.capacity.usable.memory_gb == pytest.approx(554.4)
    assert not rows["edge-32c-512g", 3].fits
    plan = solvers.solve(inventory, config=SolveConfig(time_limit_s=20.0)).require_plan()
    assert plan.errors == ()
    assert plan.document.generator.rule_pack == "own"
    usual = fleet.read(example_folder("manufacturing"))
    assert plan.document.totals.present_value > 1.05 * float(
        solvers.solve(usual, config=SolveConfig(time_limit_s=20.0)).objective or 0.0
    )


def test_a_wrong_unit_and_an_unknown_key_are_named_when_it_is_read(folder: Path) -> None:
    own_pack(folder, unit="GB")
    (found,) = problems(folder)
    assert "host.memory_reserve_min_gb" in found
    assert "'GB'" in found
    assert "GiB" in found
    own_pack(folder)
    with (folder / "own.toml").open("a") as file:
        file.write('\n[host.memory_reserve]\nvalue = 1\nunit = ""\nsource = "x"\ndate = 2026-10-01\nstatement = "x"\n')
    (found,) = problems(folder)
    assert "RUL002" in found
    assert "host.memory_reserve" in found


def test_a_pack_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "own.toml").unlink()
    (found,) = problems(folder)
    assert found.startswith("RUL001 own.toml – is neither a shipped rule pack nor a file")


def test_resiliency_types_that_the_pack_does_not_know_are_named(folder: Path) -> None:
    text = (folder / "workloads.csv").read_text().splitlines()
    text[0] += ",resiliency"
    text[1:] = [f"{line},three way mirror;raid 5" if line.startswith("database") else f"{line}," for line in text[1:]]
    (folder / "workloads.csv").write_text("\n".join(text) + "\n")
    (folder / "clusters.csv").write_text(
        "cluster,site,node_model,nodes,layout\nold,HQ Milwaukee,edge-32c-512g,3,warm=raid-6\n"
    )
    first, second = problems(folder)
    assert first.startswith("INV055 workloads: 'database' column resiliency – rule pack 'own' knows no resiliency type")
    assert second.startswith("INV055 clusters.csv:row 2 column layout – layout 'warm=raid-6'")
