"""Tuning constants of the room `solvers.engines`."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.parameters.parameter import parameter, validate


@dataclass(frozen=True)
class EngineParameters:
    """What steers `solvers.engines`."""

    grace_s: float = parameter(
        5.0, "s", "What an engine may overrun its own time limit by before it is ended; less may lose its last answer."
    )
    poll_s: float = parameter(
        0.2,
        "s",
        "How long news of engines is waited for at a time; with more the clock is looked at less often.",
        least=0.001,
    )
    spare_workers: int = parameter(
        4, "processes", "Processes that are kept for the next job: starting one costs most of a second."
    )
    turn_s: float = parameter(
        2.0,
        "s",
        "First turn of an engine on a small model where engines share a core; turns double from there.",
        chosen="by hand: most proofs of tiny fleets come sooner",
        least=0.1,
    )
    turn_nodes: int = parameter(
        200,
        "nodes",
        "HiGHS in its first turn in deterministic mode: it has no other measure of work.",
        least=1,
    )
    most_turn_nodes: int = parameter(3200, "nodes", "HiGHS in any turn in deterministic mode.", least=1)
    linearization_level: int = parameter(
        2,
        "level of CP-SAT",
        "How much of a model CP-SAT hands to its linear program; more gives better bounds, more slowly.",
        most=2,
    )
    barrier_rows: int = parameter(
        5000, "rows", "Above it HiGHS solves linear relaxations by an interior point method first."
    )
    relaxed_rounds: int = parameter(
        40, "rounds", "Benders rounds on the relaxed master, which are cheap and find most of the rows."
    )
    nearly_fits: float = parameter(
        1e-3,
        "step θ",
        "Step towards the fitting design up to which a fractional design is as good as fitting.",
        most=1.0,
    )
    rich_share: float = parameter(
        0.1, "share", "Part of the richest design in the one that Benders rows are cut towards.", most=1.0
    )
    first_master_gap: float = parameter(0.01, "relative gap", "To which the first Benders master is solved.", most=1.0)
    master_gap_factor: float = parameter(
        0.25, "factor", "What the gap of the Benders master shrinks to whenever a design fits.", most=1.0
    )
    last_master_gap_share: float = parameter(0.5, "share of the gap", "Least gap of the Benders master.", most=1.0)

    def __post_init__(self) -> None:
        validate(self)
