"""Tuning constants of the room `solvers.location`."""

from __future__ import annotations

from dataclasses import dataclass, field

from solvers.parameters.parameter import parameter, validate


@dataclass(frozen=True)
class BoundParameters:
    """What steers `solvers.location.bound`, and how options are grouped for it."""

    ratio_classes: int = parameter(
        5,
        "classes",
        "Options of about the same proportions between capacities share surrogate weights.",
        least=1,
        most=100,
    )
    adaptation: float = parameter(0.2, "", "How fast surrogate weights follow the resources that bind.", most=1.0)
    least_weight: float = parameter(
        1e-4, "share", "Least surrogate weight of a resource, so that it can rise again.", least=1e-12, most=1.0
    )
    patience: int = parameter(50, "steps", "Steps without a better bound after which steps become smaller.", least=1)
    progress: float = parameter(1e-6, "share", "A Polyak step that raises the bound by less is one without.", most=1.0)
    deflection: float = parameter(0.3, "share", "Share of the last direction in a Polyak step.", most=1.0)
    halving: float = parameter(
        0.5, "factor", "On the step of Polyak after so many steps in vain.", least=0.01, most=0.99
    )
    polyak_ends: float = parameter(
        0.05, "step factor", "Where Polyak steps give way to the volume algorithm.", least=1e-6, most=1.0
    )
    volume_begins: float = parameter(
        0.3, "step factor", "With which the volume algorithm begins.", least=1e-6, most=2.0
    )
    volume_ends: float = parameter(0.001, "step factor", "Where the volume algorithm ends.", least=1e-9, most=1.0)
    volume_growth: float = parameter(1.1, "factor", "On its step after one that went well.", least=1.0, most=10.0)
    volume_decay: float = parameter(0.66, "factor", "On its step after so many in vain.", least=0.01, most=0.99)
    volume_share: float = parameter(
        0.1, "share", "Largest share of a new solution in its average.", least=1e-6, most=1.0
    )
    least_volume_share: float = parameter(
        0.01, "share", "Least share of a new solution in its average.", least=1e-6, most=1.0
    )
    revival: float = parameter(0.5, "step factor", "With which an ascent begins anew.", least=1e-6, most=2.0)
    memory: int = parameter(20, "steps", "Polyak steps that the average of solutions remembers.", least=1)
    aim_alone: float = parameter(
        0.05, "share of the bound", "How far above it the target lies without incumbent.", least=1e-6, most=10.0
    )
    least_aim: float = parameter(
        0.002, "share of the bound", "The same at least, whatever the incumbent.", least=1e-9, most=10.0
    )
    most_aim: float = parameter(
        0.1, "share of the bound", "The same at most, whatever the incumbent.", least=1e-9, most=10.0
    )
    most_multiplier: float = parameter(
        2.0,
        "times the ceiling",
        "No multiplier becomes larger: what none could pay never matters.",
        least=1.0,
        most=1e6,
    )
    unit_parts: tuple[int, ...] = parameter(
        (1, 2, 4, 5, 10, 100, 1000),
        "parts of one",
        "Units that are tried for whole knapsacks.",
        least=1,
        most=1_000_000_000,
    )
    most_cells: int = parameter(
        30_000_000,
        "cells",
        "Of all tables of whole knapsacks together, above which fractions are good enough.",
        most=100_000_000,
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class MoveParameters:
    """What steers the moves of the annealing; `solvers.location.search.state.Moves` hands them to its loops."""

    blink: float = parameter(0.02, "chance", "That an arc is overlooked when a demand is put back.", most=1.0)
    reach: int = parameter(16, "facilities", "How far down a demand's list of cheapest ones swaps look.", least=1)
    swaps: int = parameter(3, "swaps", "Tried for each demand that a move has removed.", most=100)
    partners: int = parameter(64, "demands", "Among which of a facility's a swap chooses.", least=1)
    largest_first: float = parameter(0.25, "chance", "That demands are put back largest first.", most=1.0)
    dearest_first: float = parameter(0.55, "chance", "That the dearest to displace is put back first.", most=1.0)
    mixing: float = parameter(0.3, "share", "By how much these orders are mixed at random.", most=1.0)
    review: int = parameter(500, "moves", "After which the charge for overload is reviewed.", least=1)
    dearer: float = parameter(1.15, "factor", "On that charge, or its inverse.", least=1.0, most=10.0)
    few: float = parameter(0.3, "share of moves", "Overload is dearer where fewer end without any.", most=1.0)
    many: float = parameter(0.7, "share of moves", "Overload is cheaper where more end without any.", most=1.0)
    most_facilities: int = parameter(5, "facilities", "That one move takes apart.", least=1)
    most_removed: int = parameter(250, "demands", "That one move removes; the first facility may have more.", least=1)
    most_waiting: int = parameter(40, "demands", "That wait and that one move tries to place.", least=1)
    waiting_first: float = parameter(0.5, "chance", "That a move begins near a demand that waits.", most=1.0)
    waiting_reach: int = parameter(8, "facilities", "Cheapest ones of a waiting demand where it begins.", least=1)
    region: float = parameter(0.35, "chance", "Of a move that takes a neighborhood apart.", most=1.0)
    replace: float = parameter(0.15, "chance", "Of a move that replaces a facility.", most=1.0)
    open: float = parameter(0.1, "chance", "Of a move that opens a facility.", most=1.0)
    close: float = parameter(0.1, "chance", "Of a move that closes one; the rest removes a few demands.", most=1.0)
    fewest_removed: float = parameter(
        2.0, "demands", "Least mean number that a move of a few demands removes.", most=1e6
    )
    few_removed: float = parameter(30.0, "demands", "What is added to it at most.", most=1e6)
    guided: float = parameter(3.0, "factor", "On the chance of facilities that the relaxation opens.", most=1e6)
    nearness: float = parameter(
        2.0, "places", "Added to a neighbor's place: the more, the less the nearest count.", least=0.001, most=1e6
    )
    open_guided: float = parameter(0.4, "chance", "That a facility opens with the relaxation's option.", most=1.0)
    open_alike: float = parameter(0.4, "chance", "That it opens with one of the size of another's.", most=1.0)
    skipped: float = parameter(0.3, "chance", "That a neighbor is left out of a region.", most=1.0)
    skipped_closed: float = parameter(0.6, "chance", "That a closed neighbor is left out besides.", most=1.0)
    region_any: float = parameter(0.5, "chance", "That a closed facility of a region plans any option.", most=1.0)
    region_closed: float = parameter(0.15, "chance", "That an open facility of a region is planned closed.", most=1.0)
    region_guided: float = parameter(0.1, "chance", "That it plans the relaxation's option.", most=1.0)
    region_changed: float = parameter(0.4, "chance", "That it plans a smaller or a larger option.", most=1.0)
    region_smaller: float = parameter(0.5, "chance", "That the changed option is a smaller one.", most=1.0)
    region_barred: float = parameter(0.7, "chance", "That one without a plan may not be used.", most=1.0)
    option_steps: int = parameter(10, "steps", "In which an option's size changes: parts of the list.", least=1)
    move_steps: float = parameter(10.0, "steps", "Of inner loops that a move counts for.", least=0.1, most=1e4)
    look_steps: float = parameter(0.3, "steps", "That a look at an arc counts for.", most=100.0)
    attract_steps: float = parameter(0.2, "steps", "That an arc of a facility that opens counts for.", most=100.0)
    swap_steps: float = parameter(4.0, "steps", "That a swap that is tried counts for.", most=1e4)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class SearchParameters:
    """What steers `solvers.location.search`."""

    near: int = parameter(24, "facilities", "Nearest facilities that a move may take in.", least=1)
    depth: int = parameter(10, "facilities", "A demand's cheapest facilities that are near each other.", least=1)
    waiting: float = parameter(
        2.0, "factor", "On what serving a demand can cost at most, for what one that waits costs.", least=1.0, most=1e6
    )
    hot: float = parameter(0.2, "mean cost", "Temperature at the beginning of a cycle.", least=1e-12, most=1e6)
    cold: float = parameter(0.004, "mean cost", "Temperature at its end.", least=1e-12, most=1e6)
    warm: float = parameter(
        0.05, "mean cost", "Temperature at the beginning of one from the incumbent.", least=1e-12, most=1e6
    )
    cycle_s_per_arc: float = parameter(4e-5, "s per arc", "Length of the first cycle.", most=1.0)
    shortest_cycle_s: float = parameter(1.0, "s", "Least length of the first cycle.", least=0.001, most=1e6)
    longest_cycle: float = parameter(
        0.25, "share of the limit", "Most length of the first cycle.", least=1e-6, most=1.0
    )
    longer: float = parameter(2.0, "factor", "How much longer the next cycle is.", least=1.0, most=100.0)
    last: float = parameter(
        2.0, "cycles", "A cycle is the last one if less is left, and takes all that is.", most=100.0
    )
    least_left_s: float = parameter(0.1, "s", "Least length of the last cycle.", least=0.001, most=1e6)
    few_open: int = parameter(
        40, "facilities", "Up to so many that are open, every second cycle may open only fewer than the incumbent."
    )
    narrower: float = parameter(
        0.7, "share of the arcs", "A search leaves out what no better solution uses once that is left.", most=1.0
    )
    guiding: float = parameter(0.1, "share", "Facilities that the relaxation opens more often guide.", most=1.0)
    second_seed: int = parameter(1_000_003, "", "Added to the seed for the second search.", least=1)
    steps_per_s: float = parameter(
        4e7, "steps per s", "Work of the search that counts for a second.", least=1e3, most=4e8
    )
    smoothing: float = parameter(0.5, "share", "Of the newest round in the measured speed.", least=0.05, most=1.0)
    moves: MoveParameters = field(default_factory=MoveParameters)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class ProgramParameters:
    """What steers `solvers.location.programs`."""

    whole_size: int = parameter(40_000, "arcs and options", "With which the whole problem is worth a try.")
    middle_size: int = parameter(
        2000, "arcs and options", "Above it programs over the whole gap are left to the later part of the time."
    )
    small_size: int = parameter(300, "arcs", "Up to which it is solved over the whole gap at once.")
    gap_shares: tuple[float, ...] = parameter(
        (0.25, 0.5, 1.0),
        "share of the gap",
        "The whole problem is solved below these costs in turn.",
        least=0.01,
        most=1.0,
    )
    time_shares: tuple[float, ...] = parameter(
        (0.1, 0.15, 1.0),
        "share of the time",
        "That each of them may take, as many as there are costs.",
        least=0.001,
        most=1.0,
    )
    shortest_s: float = parameter(1.0, "s", "Least time of a program over the whole problem.", least=0.1, most=1e6)
    smaller: float = parameter(
        0.6, "share of the size", "One over the whole gap is begun anew where it would be as small by now.", most=1.0
    )
    region_demands: int = parameter(160, "demands", "Of a region that is solved exactly.", least=1)
    region_arcs: int = parameter(4000, "arcs", "Of such a region.", least=1)
    region_closed: int = parameter(6, "facilities", "That are closed in such a region.")
    assignment_arcs: int = parameter(6000, "arcs", "Of a program over all demands and few facilities.", least=1)
    part_s: float = parameter(8.0, "s", "Time of both.", least=0.1, most=1e6)
    part_time: float = parameter(0.5, "share of what is left", "That both may take at most.", least=0.01, most=1.0)
    kernel: float = parameter(0.1, "share", "Facilities that the relaxation opens as often are a kernel.", most=1.0)
    kernel_arcs: int = parameter(4, "arcs per demand", "A kernel with so many is worth a program.", least=1)
    most_fruitless: int = parameter(4, "parts", "In vain, after which they rest until the incumbent changes.", least=1)
    better: float = parameter(1e-6, "share of the cost", "By which a part must improve it not to be in vain.", most=1.0)
    whole_nodes: int = parameter(5_000, "nodes", "Of a whole search tree in deterministic mode.", least=1)
    part_nodes: int = parameter(300, "nodes", "Of a part's search tree in deterministic mode.", least=1)
    least_ground_s: float = parameter(
        2.0, "s", "For a second ground that there is no choice, though time is up.", least=0.1, most=60.0
    )
    gap: float = parameter(0.5, "share of the gap asked for", "At which an engine may stop.", most=1.0)
    listening_s: float = parameter(1.0, "s", "For which an engine is listened to at once.", least=0.001, most=60.0)

    def __post_init__(self) -> None:
        validate(self)
        if len(self.gap_shares) != len(self.time_shares):
            raise ValueError("ProgramParameters: gap_shares and time_shares must have as many entries")


@dataclass(frozen=True)
class LocationParameters:
    """What steers `solvers.location`."""

    first_round_s: float = parameter(0.02, "s", "How long the first round of both sides takes.", least=0.001, most=0.2)
    round_s: float = parameter(0.3, "s", "The same once rounds have grown up to that.", least=0.001, most=60.0)
    round_growth: float = parameter(
        2.0, "factor", "How much longer the next round is, up to that.", least=1.0, most=1e3
    )
    least_program_s: float = parameter(
        1.0, "s", "An integer program needs at least this long to be begun.", least=0.01, most=1e6
    )
    spare_s: float = parameter(0.5, "s", "How long before the limit it ends.", most=1e6)
    search_share: float = parameter(
        0.3, "share of the time", "In which both cores search rather than solve a large program.", most=1.0
    )
    program_work_s: float = parameter(
        5.0, "s", "What a program counts for in deterministic mode.", least=0.001, most=1e6
    )
    revived: float = parameter(
        0.75, "share of the gap", "An ascent at its end is taken up again once the gap is this share of then.", most=1.0
    )
    terms_per_s: float = parameter(
        3e7, "arcs times classes per s", "Work of the ascent that counts for a second.", least=1e4, most=1e9
    )
    bound: BoundParameters = field(default_factory=BoundParameters)
    search: SearchParameters = field(default_factory=SearchParameters)
    programs: ProgramParameters = field(default_factory=ProgramParameters)

    def __post_init__(self) -> None:
        validate(self)
