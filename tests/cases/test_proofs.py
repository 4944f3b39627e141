"""Public cases whose optimum is known: every way to solve proves it, and changes that change nothing keep it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import fleet
from fleet.errors import InventoryError
from fleet.inventory.inventory import Inventory
from solvers import SolveConfig, SolveResult, solve
from tests.optimization.fixed_fleets import late_archive
from tests.oracles import cheapest_plan

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
RELATIVE = 1e-6
MODES = {
    "default": SolveConfig(gap=0.0, time_limit_s=60.0),
    "one worker": SolveConfig(gap=0.0, time_limit_s=60.0, workers=1),
    "deterministic": SolveConfig(gap=0.0, time_limit_s=60.0, deterministic=True),
}
STRATEGIES = ("exact", "decompose")
#: Optima of the fleets of which wrong ones were proven.
PROOFS = {"r230_minimal": 79221.12764525476, "r230_bound": 130576.94}
#: Costs of a fleet in other currencies, as factors.
SCALES = {"k0.001": 0.001, "k1": 1.0, "k16000": 16000.0}
BASE, STEADY = 857431.8256438626, 843061.9083913208
CLOSED = {"rdc-los-angeles": 887010.2321612606, "rdc-dallas": 953701.5320000899, "rdc-new-york-city": BASE}

with_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside this checkout")


def at_one_spot(name: str) -> Inventory:
    """A case with its sites in one place: some of its stated round trips are below light over the distances it states.

    The one round trip that it leaves blank is what was estimated over its distance.
    """
    folder = CASES / "37-proofs" / name
    tables = {path.stem: pd.read_csv(path, dtype=str, keep_default_na=False) for path in folder.glob("*.csv")}
    sites, links = tables["sites"], tables["links"]
    if "latitude" in sites:
        for column, value in (("latitude", "40.0"), ("longitude", "-90.0")):
            sites.loc[sites[column] != "", column] = value
    if "rtt_ms" in links:
        links.loc[links["rtt_ms"] == "", "rtt_ms"] = "40.24"
    return fleet.from_frames(tables)


def check_proven(result: SolveResult, least: float) -> None:
    """The plan holds, costs that, and that is proven."""
    assert result.require_plan().errors == ()
    assert result.status == "optimal"
    assert result.objective == pytest.approx(least, rel=RELATIVE)
    assert result.bound == pytest.approx(least, rel=RELATIVE)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("mode", sorted(MODES))
def test_late_archive_beside_a_standing_cluster(mode: str, strategy: str) -> None:
    check_proven(solve(late_archive(), config=MODES[mode], strategy=strategy), PROOFS["r230_minimal"])


def test_brute_force_knows_the_late_archive() -> None:
    optimum = cheapest_plan(late_archive())
    assert optimum is not None
    assert optimum.present_value == pytest.approx(PROOFS["r230_minimal"], rel=RELATIVE)


@with_cases
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("mode", sorted(MODES))
@pytest.mark.parametrize("name", sorted(PROOFS))
def test_one_optimum_in_every_mode(name: str, mode: str, strategy: str) -> None:
    inventory = at_one_spot(name)
    check_proven(solve(inventory, config=MODES[mode], strategy=strategy), PROOFS[name])


@with_cases
def test_what_is_faster_than_light_is_refused() -> None:
    with pytest.raises(InventoryError) as found:
        fleet.read(CASES / "37-proofs" / "r230_bound")
    assert {problem.code for problem in found.value.problems} == {"INV061"}


@with_cases
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PROOFS))
def test_brute_force_knows_the_optimum(name: str) -> None:
    optimum = cheapest_plan(at_one_spot(name))
    assert optimum is not None
    assert optimum.present_value == pytest.approx(PROOFS[name], rel=RELATIVE)


@with_cases
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SCALES))
def test_the_currency_does_not_matter(name: str) -> None:
    inventory = fleet.read(CASES / "13-currency-scale" / name)
    check_proven(solve(inventory, config=MODES["default"]), BASE * SCALES[name])


@with_cases
@pytest.mark.slow
@pytest.mark.parametrize("months", [3, 6, 9, 18])
def test_periods_without_growth_do_not_matter(months: int) -> None:
    inventory = fleet.read(CASES / "14-periods-no-growth" / f"p{months}")
    check_proven(solve(inventory, config=MODES["default"]), STEADY)


@with_cases
@pytest.mark.slow
@pytest.mark.parametrize("hub", sorted(CLOSED))
def test_a_hub_is_open_or_closed(hub: str) -> None:
    opened, closed = (
        solve(fleet.read(CASES / "15-case-analysis" / f"{pin}-{hub}"), config=MODES["default"])
        for pin in ("open", "close")
    )
    check_proven(closed, CLOSED[hub])
    assert opened.status == "optimal"
    assert opened.objective is not None
    assert closed.objective is not None
    assert min(opened.objective, closed.objective) == pytest.approx(BASE, rel=RELATIVE)
