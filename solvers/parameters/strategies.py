"""Tuning constants of the room `solvers.strategies`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import parameter, validate

_SIDE_BY_SIDE = "`python -m benchmarks.fleet --strategy decompose`, which sets both strategies side by side"


@dataclass(frozen=True)
class StrategyParameters:
    """What steers `solvers.strategies`: which sizes are solved how, and what the time goes to."""

    # -- which strategy, and engines over all slots at once
    exact_columns: int = parameter(
        5000,
        "pair columns",
        "Up to here the exact strategy is tried where the choice is open. It proves fleets of 1,000 in seconds; from "
        "3,000 on both find plans alike, from 9,000 on decompose is ahead early and in bounds.",
        chosen=_SIDE_BY_SIDE,
    )
    tiny_columns: int = parameter(
        250,
        "pair columns",
        "Up to here pairs are solved over all slots from the start; with 0 every fleet goes by sets.",
    )
    turn_columns: int = parameter(
        250,
        "pair columns",
        "Up to here the first turn of an engine has its least length; longer in proportion beyond.",
        least=1,
    )
    engine_columns: int = parameter(60_000, "pair columns", "Up to here engines are asked about all slots at once.")
    many_circuits: int = parameter(
        3000, "circuits", "Second circuits up to which all are watched once one of them matters."
    )

    # -- one model on one engine
    engine_gap_share: float = parameter(0.3, "share of the gap", "Gap that engines aim at.", most=1.0)
    node_limit: int = parameter(
        400, "nodes", "Branch and bound of one model in deterministic mode, where nothing may depend on time.", least=1
    )
    hurry_s: float = parameter(2.0, "s", "What HiGHS may overrun by before its answer is no longer waited for.")

    # -- bounds in the background
    quick_relaxation_s: float = parameter(
        3.0, "s", "Relaxations slower than this are bounded by branch and bound rather than decomposition."
    )
    slow_relaxation_share: float = parameter(
        0.05,
        "share of the time",
        "Where the relaxation takes more than this, branch and bound does not get beyond it in the rest: none begins.",
        most=1.0,
    )

    # -- sets of open slots
    open_share: float = parameter(
        0.25, "share", "Slots that the relaxation opens by at least this are in the first set.", most=1.0
    )
    set_growth: int = parameter(
        2, "factor", "How many times more slots are added each time while no plan is found on a set.", least=1
    )
    sets_share: float = parameter(
        0.5, "share of the time", "After it no further set is completed for better plans alone.", most=1.0
    )
    packed_sets_share: float = parameter(
        0.8,
        "share of the time",
        "The same where several clusters may stand at a site: such sets get time for a second, tighter try.",
        most=1.0,
    )
    deterministic_sets: int = parameter(
        3, "sets", "Sets that are completed in deterministic mode, where nothing may depend on time.", least=1
    )
    look_share: float = parameter(
        0.1, "share of the time", "Decompose: for relaxations of sets between two that are completed.", most=1.0
    )
    deterministic_neighbors: int = parameter(12, "sets", "Decompose: how many of them in deterministic mode.", least=1)

    # -- completing a set by pairs
    set_share: float = parameter(0.2, "share of the time", "Longest for one model of one set.", most=1.0)
    set_limit_s: float = parameter(30.0, "s", "Longest for one model of one set.")
    first_try_share: float = parameter(
        1.0 / 3.0,
        "share",
        "Part of that for small sets while no plan is known: missing rows are found in short tries.",
        most=1.0,
    )
    large_columns: int = parameter(
        1000, "pair columns", "Over one set: from here continuous placements are sought for the final demand alone."
    )
    margin: float = parameter(
        0.005,
        "share",
        "Capacity left free for whole units where the proof is not sought over the set anyway.",
        most=1.0,
    )
    hopeless_gap_share: float = parameter(
        0.1, "share of the gap", "A set whose bound is nearer than this to the best plan is given up.", most=1.0
    )
    spare_nodes: tuple[int, ...] = parameter(
        (1, 3), "nodes per cluster", "What whole units may need above continuous ones, one try after the other."
    )

    # -- the rest of the time
    small_columns: int = parameter(
        1500, "pair columns", "Up to here the last share of the time goes to whole units over all slots."
    )
    remaining_share: float = parameter(
        0.7,
        "share of the time",
        "When that last share begins; the rest before it goes to what no set covers.",
        most=1.0,
    )

    # -- completing a set by designs
    margins: tuple[float, ...] = parameter(
        (0.0, 0.005, 0.015, 0.03),
        "share",
        "Capacity that designs leave free, one try after the other until units fit.",
        most=1.0,
    )
    design_gap: float = parameter(
        0.003,
        "relative gap",
        "A design this near is good enough: whole units and nodes that go make more difference.",
        most=1.0,
    )
    large_design: int = parameter(6000, "placement columns", "From here a design is integer in the last period only.")
    huge_design: int = parameter(30_000, "placement columns", "From here a design is a relaxation that is rounded up.")
    round_up_from: tuple[float, ...] = parameter(
        (0.6, 0.3, 0.0),
        "parts of a node",
        "From here clusters of a relaxation are rounded up, one relaxation after the other, as those that are rounded "
        "take load off the rest.",
        most=1.0,
    )
    design_share: float = parameter(0.15, "share of the time", "Longest for one design.", most=1.0)
    design_limit_s: float = parameter(60.0, "s", "Longest for one design.")

    # -- second grounds
    checked_columns: int = parameter(
        1500,
        "pair columns",
        "Up to here the other engine confirms optima.",
        chosen="by hand: the answer comes in a second or never",
    )
    check_s: float = parameter(
        1.0, "s", "How long it may take; in deterministic mode in CP-SAT's own seconds.", chosen="by hand: as above"
    )
    check_nodes: int = parameter(
        50, "nodes", "How many HiGHS may take in deterministic mode.", chosen="by hand: as above"
    )
    check_gap_share: float = parameter(
        0.5, "share of the optimal gap", "Gap that a second engine aims at, below that of an optimum.", most=1.0
    )
    ground_nodes: int = parameter(2000, "nodes", "For HiGHS in deterministic mode, to show that there is no plan.")
    least_ground_s: float = parameter(
        2.0, "s", "Least time for a second ground that there is no plan, even where the time is up; and the overrun."
    )
    conflict_share: float = parameter(
        0.5, "share of the time left", "For multipliers of the rows, before a second engine is asked.", most=1.0
    )

    # -- no plan
    fewest_share: float = parameter(
        0.5, "share of the time left", "For one search for the fewest demands that are left out.", most=1.0
    )
    explain_s: float = parameter(30.0, "s", "Longest for the elastic model that says why there is no plan.")
    explain_gap: float = parameter(1e-3, "relative gap", "To which the elastic model is solved.", most=1.0)
    most_pins: int = parameter(8, "pins", "Taken back one by one to find the one that is to blame.")
    limit_price: float = parameter(
        100.0,
        "price",
        "Of a breach by the whole limit.",
    )
    pin_price: float = parameter(200.0, "price", "Of one pin in one period that is not kept.")
    unserved_price: float = parameter(10_000.0, "price", "Of a demand without room.")
    most_breach: float = parameter(10.0, "limits", "Most that a limit may be broken by, in limits.", least=1.0)

    def __post_init__(self) -> None:
        validate(self)
