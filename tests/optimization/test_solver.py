"""What a solve promises beside the optimum: proofs in words, interrupts, determinism, independence of the caller."""

from __future__ import annotations

import dataclasses
import json
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fleet.exchange.plan_json import write_plan
from fleet.inventory.checks.inventory import checked_inventory
from fleet.inventory.inventory import Inventory
from fleet.inventory.synthetic import synthetic
from fleet.inventory.tables.sites import Site
from solvers import InfeasibleError, SolveConfig, SolveResult, solve
from solvers.parameters import Parameters
from solvers.parameters.incumbent import IncumbentParameters
from tests.builders import a_link, a_pin, a_protected_workload, a_site, a_workload, an_inventory
from tests.optimization.fixed_fleets import without_a_way_out
from tests.optimization.tiny_fleets import FAMILIES

ROOT = Path(__file__).parents[2]
EXACT = SolveConfig(gap=0.0, time_limit_s=60.0)


def hubs(count: int = 2, **columns: Any) -> list[Site]:
    """Candidate sites h0, h1, …"""
    return [a_site(f"h{number}", can_host=True, **columns) for number in range(count)]


def a_fleet(workloads: Sequence[Any], sites: Sequence[Site] | None = None, **tables: Any) -> Inventory:
    """Users at s, on a link to each of the hubs, which are linked too."""
    candidates = hubs() if sites is None else list(sites)
    links = [a_link("s", hub.site, rtt_ms=4.0) for hub in candidates]
    if len(candidates) > 1:
        links.append(a_link("h0", "h1"))
    return an_inventory([*candidates, a_site("s")], workloads, links, **tables)


def no_plan(inventory: Inventory, stopped_by: str) -> str:
    """The explanation of a fleet that is proven to have no plan."""
    result = solve(inventory, config=EXACT)
    assert (result.status, result.stopped_by) == ("infeasible", stopped_by)
    assert result.plan is None
    assert result.objective is None
    with pytest.raises(InfeasibleError, match=re.escape(result.explanation[0])):
        result.require_plan()
    return "\n".join(result.explanation)


# -- infeasible, in words ----------------------------------------------------------------------------------------------


def test_round_trip_that_no_site_offers() -> None:
    text = no_plan(a_fleet([a_workload("till", "s", max_rtt_ms=1.0)]), "screen")
    assert "till" in text
    assert "max_rtt_ms is 1 ms" in text
    assert "'h0' at 4 ms" in text
    assert "at least 4" in text


def test_round_trip_that_is_proposed_would_do() -> None:
    assert solve(a_fleet([a_workload("till", "s", max_rtt_ms=4.0)]), config=EXACT).status == "optimal"


def test_too_little_room() -> None:
    sites = hubs(2, max_nodes=2)
    text = no_plan(a_fleet([a_workload(f"w{number}", "s", vcpus=20.0) for number in range(18)], sites), "proof")
    assert "proven" in text
    assert "max_nodes of site 'h0' is 2; 3 would do" in text


def test_budget_that_is_too_small_and_the_one_that_would_do() -> None:
    workloads = [a_protected_workload("w", "s")]
    text = no_plan(a_fleet(workloads, budget=30000.0), "proof")
    assert "budget is 30,000 USD; at least 80,000 would do" in text
    assert solve(a_fleet(workloads, budget=80000.0), config=EXACT).status == "optimal"


def test_pins_that_contradict_each_other() -> None:
    pins = [a_pin("assign", workload="w", value="h0"), a_pin("close", site="h0", reason="lease ends", owner="Kim")]
    text = no_plan(a_fleet([a_workload("w", "s")], pins=pins), "proof")
    assert "pin close h0 (lease ends, Kim)" in text


def test_pins_that_leave_no_slot() -> None:
    pins = [a_pin("assign", workload="w", value=site) for site in ("h0", "h1")]
    assert "w at s" in no_plan(a_fleet([a_workload("w", "s")], pins=pins), "screen")


def test_circuit_that_is_too_thin() -> None:
    inventory = an_inventory(
        [*hubs(1), a_site("s")],
        [a_workload("w", "s", traffic_mbps=100.0)],
        [a_link("s", "h0", bandwidth_mbps=50.0)],
    )
    text = no_plan(inventory, "screen")
    assert "'s-h0'" in text
    assert "at least 125 Mbit/s" in text


def test_link_that_is_too_thin() -> None:
    inventory = an_inventory(
        hubs(),
        [a_workload("w", "h0", traffic_mbps=100.0)],
        [a_link("h0", "h1", bandwidth_mbps=50.0)],
        pins=[a_pin("assign", workload="w", value="h1")],
    )
    text = no_plan(inventory, "proof")
    assert "NET-002: link 'h0-h1' from 'h0' to 'h1' may carry 40 Mbit/s; 100 would do" in text


def test_link_that_is_too_thin_after_a_failure() -> None:
    text = no_plan(without_a_way_out(), "proof")
    assert "NET-003: link 'x-k' from 'x' to 'k' after the failure of" in text


# -- interrupts, determinism, callers ----------------------------------------------------------------------------------


def test_interrupt_keeps_the_incumbent() -> None:
    def stop_at_a_plan(seconds: float, incumbent: float | None, bound: float | None) -> None:
        if incumbent is not None:
            raise KeyboardInterrupt

    config = SolveConfig(gap=0.0, time_limit_s=60.0, on_progress=stop_at_a_plan)
    result = solve(synthetic(12, 4, 1), config=config)
    assert result.stopped_by == "interrupt"
    assert result.interrupted
    plan = result.require_plan()
    assert plan.errors == ()
    assert plan.document.result.stopped_by == "interrupt"
    assert plan.document.totals.present_value == pytest.approx(result.objective, rel=1e-9)


def test_interrupt_before_any_plan() -> None:
    def stop_at_once(seconds: float, incumbent: float | None, bound: float | None) -> None:
        raise KeyboardInterrupt

    result = solve(synthetic(12, 4, 1), config=SolveConfig(gap=0.0, time_limit_s=60.0, on_progress=stop_at_once))
    assert result.stopped_by == "interrupt"
    assert result.status in ("no_solution", "feasible", "optimal")


def shuffled(inventory: Inventory, seed: int) -> Inventory:
    """The same inventory read from rows in another order."""
    chance = random.Random(seed)
    tables = {name: chance.sample(rows, len(rows)) for name, rows in inventory.tables.items()}
    return checked_inventory(inventory.name, tables)


def deterministic_bytes(inventory: Inventory, path: Path, strategy: str = "auto", **options: Any) -> bytes:
    config = SolveConfig(**{"time_limit_s": 20.0, "gap": 1e-4, "seed": 3, "deterministic": True, **options})
    result = solve(inventory, config=config, strategy=strategy)
    write_plan(result.require_plan(), path)
    return path.read_bytes()


@pytest.mark.parametrize(("family", "seed"), [("reserves", 1), ("upgrades", 1)])
def test_deterministic_mode_writes_the_same_bytes(family: str, seed: int, tmp_path: Path) -> None:
    inventory = shuffled(FAMILIES[family](seed), 0)
    first = deterministic_bytes(inventory, tmp_path / "first.json")
    assert deterministic_bytes(inventory, tmp_path / "second.json") == first
    assert deterministic_bytes(shuffled(inventory, 1), tmp_path / "third.json") == first


def test_how_fast_the_machine_is_does_not_matter_in_deterministic_mode(tmp_path: Path) -> None:
    inventory = FAMILIES["upgrades"](1)
    often, seldom = (Parameters(incumbent=IncumbentParameters(evaluate_every_s=every)) for every in (0.0, 1e9))
    plans = []
    for name, parameters in (("fast", often), ("slow", seldom)):
        text = deterministic_bytes(inventory, tmp_path / f"{name}.json", gap=0.3, parameters=parameters)
        plans.append(json.loads(text))
        said = plans[-1]["generator"].pop("parameters")
        assert said == f"incumbent.evaluate_every_s = {parameters.incumbent.evaluate_every_s}"
    assert json.dumps(plans[0]) == json.dumps(plans[1])


SCRIPT = """
from fleet.inventory.synthetic import synthetic
from solvers import SolveConfig, solve
result = solve(synthetic(3, 2, 1), config=SolveConfig(time_limit_s=20))
print(result.status)
result = solve(synthetic(40, 5, 1), config=SolveConfig(time_limit_s=30, gap=0.1), strategy="decompose")
print(result.strategy, result.gap <= 0.1)
"""
SAID = "optimal\ndecompose True\n"


def test_works_from_a_script_without_main_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    assert run_python([str(script)]) == SAID


def test_works_from_standard_input() -> None:
    assert run_python(["-"], SCRIPT) == SAID


def run_python(arguments: list[str], text: str = "") -> str:
    """Standard output of a Python process that can import the project; engines say nothing there."""
    done = subprocess.run(
        [sys.executable, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )
    return done.stdout


# -- configuration and result ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"time_limit_s": 0.0}, "time_limit_s must be above 0, got 0.0"),
        ({"time_limit_s": float("nan")}, "time_limit_s must be above 0, got nan"),
        ({"gap": -0.1}, r"gap must lie in \[0, 1\), got -0.1"),
        ({"gap": 1.0}, r"gap must lie in \[0, 1\), got 1.0"),
        ({"gap": float("nan")}, r"gap must lie in \[0, 1\), got nan"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
    ],
)
def test_configuration_out_of_range(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        SolveConfig(**values)


def test_unknown_strategy() -> None:
    with pytest.raises(ValueError, match="there is no strategy 'guess'"):
        solve(a_fleet([a_workload("w", "s")]), strategy="guess")


def test_nothing_to_place_costs_nothing() -> None:
    result = solve(a_fleet([]), config=EXACT)
    assert (result.status, result.objective) == ("optimal", 0.0)
    assert result.require_plan().errors == ()


def test_bounds_never_pass_the_objective() -> None:
    result = solve(synthetic(12, 4, 2), config=SolveConfig(gap=0.01, time_limit_s=20.0))
    assert result.bound is not None
    assert result.objective is not None
    assert result.bound <= result.objective
    assert result.gap is not None
    assert result.gap <= 0.01
    assert result.bound_source
    bounds = [point.bound for point in result.trace if point.bound is not None]
    plans = [point.incumbent for point in result.trace if point.incumbent is not None]
    assert bounds == sorted(bounds)
    assert plans == sorted(plans, reverse=True)
    assert all(bound <= result.objective * (1 + 1e-9) for bound in bounds)


# -- how optima change -------------------------------------------------------------------------------------------------


def value_of(inventory: Inventory) -> float:
    result: SolveResult = solve(inventory, config=EXACT)
    assert result.status == "optimal"
    assert result.objective is not None
    return result.objective


SEEDS = [("plain", 1), ("failed_links", 3)]


def feasible(family: str, start: int) -> Inventory:
    """The first fleet of a family from a seed on that has a plan."""
    for seed in range(start, start + 20):
        inventory = FAMILIES[family](seed)
        if solve(inventory, config=EXACT).status == "optimal":
            return inventory
    raise LookupError(family)


@pytest.mark.parametrize(("family", "start"), SEEDS)
def test_another_candidate_site_never_costs_more(family: str, start: int) -> None:
    inventory = feasible(family, start)
    tables = dict(inventory.tables)
    tables["sites"] = [*tables["sites"], {"site": "extra", "can_host": True, "transit": "no", "latitude": 41.0,
                                          "longitude": -79.0, "country": "US"}]  # fmt: skip
    tables["links"] = [*tables["links"], {"from": "h0", "to": "extra", "bandwidth_mbps": 1000.0, "rtt_ms": 4.0},
                       {"from": "h1", "to": "extra", "bandwidth_mbps": 1000.0, "rtt_ms": 4.0}]  # fmt: skip
    assert value_of(checked_inventory("wider", tables)) <= value_of(inventory) * (1 + 1e-9)


@pytest.mark.parametrize(("family", "start"), SEEDS)
def test_larger_nodes_never_cost_more(family: str, start: int) -> None:
    inventory = feasible(family, start)
    hardware = tuple(row.model_copy(update={"memory_gb": row.memory_gb * 2}) for row in inventory.hardware)
    assert value_of(dataclasses.replace(inventory, hardware=hardware)) <= value_of(inventory) * (1 + 1e-9)


@pytest.mark.parametrize(("family", "start"), SEEDS)
def test_scaled_prices_scale_the_cost(family: str, start: int) -> None:
    inventory = feasible(family, start)
    hardware = tuple(
        row.model_copy(update={"price": row.price * 3, "annual_support": row.annual_support * 3})
        for row in inventory.hardware
    )
    sites = tuple(
        row.model_copy(
            update={
                "opening_cost": row.opening_cost * 3,
                "monthly_cost": row.monthly_cost * 3,
                "power_price_per_kwh": None if row.power_price_per_kwh is None else row.power_price_per_kwh * 3,
            }
        )
        for row in inventory.sites
    )
    free = {"hybrid_benefit": True}
    plain = dataclasses.replace(inventory, policy=inventory.policy.model_copy(update=free))
    dearer = dataclasses.replace(plain, hardware=hardware, sites=sites)
    fees = protection_fees(plain)
    assert value_of(dearer) - fees == pytest.approx(3 * (value_of(plain) - fees), rel=1e-6)


def protection_fees(inventory: Inventory) -> float:
    """Present value of the replication fees, which come from the price book and are the same for every plan."""
    result = solve(inventory, config=EXACT)
    plan = result.require_plan()
    assert {row.term for row in plan.document.costs} <= {"nodes", "opening", "site", "support", "power", "protection"}
    discount = inventory.policy.discount_rate
    total = 0.0
    for row in plan.document.costs:
        if row.term == "protection":
            span = inventory.periods[row.period]
            months = range(span.first_month + 1, span.first_month + span.months + 1)
            total += sum(row.amount / span.months * (1 + discount) ** (-month / 12) for month in months)
    return total
