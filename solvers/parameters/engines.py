"""Tuning constants of the room `solvers.engines`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import parameter, validate


@dataclass(frozen=True)
class EngineParameters:
    """What steers `solvers.engines`."""

    grace_s: float = parameter(
        5.0, "s", "what an engine may overrun its own time limit by before it is ended; less may lose its last answer"
    )
    poll_s: float = parameter(
        0.2, "s", "how long news of engines is waited for at a time; more looks at the clock less often", least=0.001
    )
    spare_workers: int = parameter(
        4, "processes", "processes that are kept for the next job, as starting one costs most of a second"
    )
    turn_s: float = parameter(
        2.0,
        "s",
        "first turn of an engine on a small model where engines share a core; turns double from there",
        chosen="by hand: most proofs of tiny fleets come sooner",
        least=0.1,
    )
    turn_nodes: int = parameter(
        200,
        "nodes",
        "nodes of HiGHS in its first turn in deterministic mode, which has no other measure of work",
        least=1,
    )
    most_turn_nodes: int = parameter(3200, "nodes", "nodes of HiGHS in any turn in deterministic mode", least=1)
    linearization_level: int = parameter(
        2, "level of CP-SAT", "how much of a model CP-SAT hands to its linear program; cost rows need all of it", most=2
    )
    barrier_rows: int = parameter(
        5000, "rows", "rows above which HiGHS solves linear relaxations by an interior point method first"
    )
    relaxed_rounds: int = parameter(
        40, "rounds", "Benders rounds on the relaxed master, which are cheap and find most of the rows"
    )
    nearly_fits: float = parameter(
        1e-3,
        "step θ",
        "step towards the fitting design from which on a fractional design is as good as fitting",
        most=1.0,
    )
    rich_share: float = parameter(
        0.1, "share", "part of the richest design in the one that Benders rows are cut towards", most=1.0
    )
    first_master_gap: float = parameter(
        0.01, "relative gap", "gap to which the first Benders master is solved", most=1.0
    )
    master_gap_factor: float = parameter(
        0.25, "factor", "what the gap of the Benders master shrinks to whenever a design fits", most=1.0
    )
    last_master_gap_share: float = parameter(
        0.5, "share of the gap", "least gap of the Benders master, as a share of the gap that was asked for", most=1.0
    )

    def __post_init__(self) -> None:
        validate(self)
