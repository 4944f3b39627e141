"""A problem says everything that is wrong with it, by index and with the remedy, and cannot be changed."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from solvers.location import FacilityProblem, FacilityProblemError
from tests.location.small_problems import TWO, two


def test_arrays_are_copied_and_read_only():
    costs = np.array([1.0, 2.0, 3.0])
    problem = two(arc_cost=costs, option_facility=(0, 1), demand=np.array([[1], [2]], dtype=np.int32, order="F"))
    costs[0] = 9.0
    assert problem.arc_cost[0] == 1.0
    for name in (*TWO, "option_weight"):
        array = getattr(problem, name)
        assert array.dtype == (np.int64 if name in ("arc_demand", "arc_facility", "option_facility") else np.float64)
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_counts_and_defaults():
    problem = two()
    assert (problem.n_demands, problem.n_resources, problem.n_arcs, problem.n_options) == (2, 1, 3, 2)
    assert problem.n_facilities == 2
    assert two(option_facility=[4, 1]).n_facilities == 5
    assert two(option_facility=[0, 7], arc_facility=[0, 7, 7]).n_facilities == 8
    assert problem.option_weight.tolist() == [[1.0], [1.0]]
    assert problem.max_open is None
    assert repr(two(max_open=2)) == (
        "FacilityProblem(2 demands, 2 facilities, 2 options, 1 resources, 3 arcs, at most 2 open)"
    )


def test_arguments_may_be_positional_and_the_problem_pickles():
    problem = FacilityProblem(*TWO.values(), [[2.0], [1.0]], 1)
    again = pickle.loads(pickle.dumps(problem))
    assert again.option_weight.tolist() == [[2.0], [1.0]]
    assert again.max_open == 1
    assert again.n_facilities == 2
    assert replace(problem, max_open=None).max_open is None


def test_nothing_to_serve_is_a_problem_like_any_other():
    problem = FacilityProblem(np.zeros((0, 2)), [], [], [], [], [], np.zeros((0, 2)))
    assert (problem.n_demands, problem.n_facilities, problem.n_resources) == (0, 0, 2)


PROBLEMS: list[tuple[dict[str, Any], str]] = [
    ({"demand": [1.0, 2.0]}, r"demand has shape \(2,\): pass 2 dimensions, \(n, n_resources\)"),
    ({"demand": [[1.0], [2.0, 3.0]]}, r"demand is not an array of numbers .*: pass numbers in rows of equal length"),
    ({"arc_cost": ["dear", 1, 1]}, r"arc_cost is not an array of numbers"),
    ({"arc_cost": [[1.0, 2.0, 3.0]]}, r"arc_cost has shape \(1, 3\): pass 1 dimensions, \(n,\)"),
    ({"arc_cost": [1.0, 2.0]}, "arc_cost has 2 entries and arc_demand 3: pass one per arc in each"),
    ({"arc_facility": [0]}, "arc_facility has 1 entries and arc_demand 3: pass one per arc in each"),
    ({"option_cost": [1.0]}, "option_cost has 1 rows and option_facility 2: pass one per option in each"),
    ({"option_capacity": [[1.0]]}, "option_capacity has 1 rows and option_facility 2"),
    ({"option_weight": [[1.0]] * 3}, "option_weight has 3 rows and option_facility 2"),
    ({"option_capacity": [[9.0, 9.0]] * 2}, "option_capacity has 2 columns and demand 1: pass one per resource"),
    ({"option_weight": [[1.0, 1.0]] * 2}, "option_weight has 2 columns and demand 1: pass one per resource"),
    (
        {"demand": np.zeros((2, 0)), "option_capacity": np.zeros((2, 0))},
        "demand has no resource: pass at least one column, of zeros where nothing is limited",
    ),
    ({"demand": [[1.0], [-2.0]]}, r"demand\[1, 0\] is -2\.0: pass a number of at least 0"),
    ({"demand": [[1.0], [np.inf]]}, r"demand\[1, 0\] is inf: pass a finite number"),
    ({"arc_cost": [1.0, np.nan, np.nan]}, r"arc_cost\[1\] is nan and 1 more like it: pass a finite number"),
    ({"option_cost": [-1.0, 6.0]}, r"option_cost\[0\] is -1\.0: pass a number of at least 0"),
    ({"option_cost": [np.inf, 6.0]}, r"option_cost\[0\] is inf: pass a finite number"),
    ({"option_capacity": [[np.nan], [3.0]]}, r"option_capacity\[0, 0\] is nan: pass a number"),
    ({"option_capacity": [[2.0], [-3.0]]}, r"option_capacity\[1, 0\] is -3\.0: pass a number of at least 0"),
    ({"option_weight": [[-0.5], [1.0]]}, r"option_weight\[0, 0\] is -0\.5: pass a number of at least 0"),
    ({"option_weight": [[np.inf], [1.0]]}, r"option_weight\[0, 0\] is inf: pass a finite number"),
    ({"arc_demand": [0, 0, 2]}, r"arc_demand\[2\] is 2: pass the index of a demand, 0 to 1"),
    ({"arc_demand": [0, -1, 1]}, r"arc_demand\[1\] is -1: pass the index of a demand, 0 to 1"),
    ({"arc_facility": [0, -1, 1]}, r"arc_facility\[1\] is -1: pass the index of a facility, at least 0"),
    ({"option_facility": [0, -1]}, r"option_facility\[1\] is -1: pass the index of a facility, at least 0"),
    ({"arc_demand": [0, 0.5, 1]}, r"arc_demand\[1\] is 0\.5: pass whole numbers"),
    ({"arc_demand": [0, np.nan, 1]}, r"arc_demand\[1\] is nan: pass whole numbers"),
    ({"arc_facility": [1, 1, 1]}, "arc 1 from demand 0 to facility 1 is there already: pass each pair once"),
    ({"arc_demand": [0, 0, 0], "arc_facility": [0, 1, 2]}, "demand 1 has no arc: add one to a facility that may serve"),
    (
        {"demand": [[1.0], [4.0]]},
        r"demand 1 fits no option of its eligible facilities \(1\), even alone: add an option that can carry it",
    ),
    ({"option_weight": [[1.0], [2.0]]}, "demand 1 fits no option of its eligible facilities"),
    ({"arc_facility": [0, 1, 5]}, r"demand 1 fits no option of its eligible facilities \(5\)"),
    ({"max_open": 0}, "max_open is 0: pass a whole number of at least 1, or None for no limit"),
    ({"max_open": 1.5}, r"max_open is 1\.5: pass a whole number of at least 1"),
    ({"max_open": "two"}, "max_open is 'two': pass a whole number of at least 1"),
]


@pytest.mark.parametrize(("changes", "message"), PROBLEMS)
def test_every_mistake_is_named(changes: dict[str, Any], message: str):
    with pytest.raises(FacilityProblemError, match=message) as raised:
        two(**changes)
    assert len(raised.value.problems) == 1


def test_all_mistakes_are_said_at_once():
    with pytest.raises(FacilityProblemError, match=r"^4 problems\n") as raised:
        two(demand=[[-1.0], [np.nan]], option_cost=[5.0, -1.0], arc_demand=[0, 0, 7])
    assert [problem.partition(" is")[0] for problem in raised.value.problems] == [
        "demand[1, 0]",
        "demand[0, 0]",
        "option_cost[1]",
        "arc_demand[2]",
    ]
    assert isinstance(raised.value, ValueError)
    assert pickle.loads(pickle.dumps(raised.value)).problems == raised.value.problems


def test_long_lists_of_mistakes_are_counted():
    with pytest.raises(FacilityProblemError, match="… and 10 more") as raised:
        FacilityProblem(np.ones((60, 1)), [], [], [], [0], [1.0], [[1.0]])
    assert len(raised.value.problems) == 60


def test_no_one_option_carries_what_two_would():
    with pytest.raises(FacilityProblemError, match=re.escape("demand 0 fits no option of its eligible facilities (0)")):
        FacilityProblem([[2.0, 2.0]], [0], [0], [1.0], [0, 0], [1.0, 1.0], [[3.0, 1.0], [1.0, 3.0]])
    problem = FacilityProblem([[2.0, 2.0]], [0], [0], [1.0], [0, 0, 0], [1.0] * 3, [[3.0, 1.0], [1.0, 3.0], [2.0, 2.0]])
    assert problem.n_options == 3


def test_capacities_are_inclusive_and_may_be_infinite():
    assert two(demand=[[2.0], [3.0]]).n_demands == 2
    assert two(demand=[[1e9], [1e9]], option_capacity=[[np.inf], [np.inf]]).n_options == 2
    assert two(demand=[[1e9], [1e9]], option_weight=[[0.0], [0.0]]).n_options == 2
