"""The evaluator on cases computed by hand, and its bound against optima found by enumeration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solvers.location import Certificate, FacilityProblem, LocationResult
from solvers.location.evaluate import certificate_bound, check_result, location_cost, location_violations
from tests.location.small_problems import optimum, optimum_by_product, random_problem, two


def test_cost_is_that_of_arcs_and_options():
    assert location_cost(two(), [1, 1], [-1, 1]) == 11.0
    assert location_cost(two(), np.array([0, 1]), np.array([0, 1])) == 15.0
    with pytest.raises(ValueError, match="demand 1 has no arc to facility 0"):
        location_cost(two(), [0, 0], [0, -1])
    with pytest.raises(ValueError, match="facility 1 has option 2, and there are 2"):
        location_cost(two(), [1, 1], [-1, 2])


@pytest.mark.parametrize(
    ("assignment", "option", "violation"),
    [
        ([1], [-1, 1], "there are 1 assignments of 2 demands and 2 options of 2 facilities"),
        ([1, 1], [-1], "there are 2 assignments of 2 demands and 1 options of 2 facilities"),
        ([1, 0], [0, 1], "demand 1 has no arc to facility 0"),
        ([1, -1], [-1, 1], "demand 1 has no arc to facility -1"),
        ([0, 1], [-1, 1], "facility 0 is closed and serves demand 0"),
        ([1, 1], [1, 1], "option 1 is not one of facility 0"),
        ([0, 1], [0, 2], "option 2 is not one of facility 1"),
        ([1, 1], [0, 1], "facility 0 is open and serves no demand"),
    ],
)
def test_violations_are_said_in_words(assignment: list[int], option: list[int], violation: str):
    assert violation in location_violations(two(), assignment, option)


def test_loads_count_weights_and_capacities_are_inclusive():
    full = two(demand=[[1.0], [2.0]], option_capacity=[[2.0], [3.0]])
    assert location_violations(full, [1, 1], [-1, 1]) == ()
    copied = two(option_weight=[[1.0], [1.25]])
    assert location_violations(copied, [1, 1], [-1, 1]) == ("facility 1 carries 3.75 of resource 0 and can carry 3",)
    assert location_violations(copied, [0, 1], [0, 1]) == ()


def test_at_most_so_many_are_open():
    assert location_violations(two(max_open=1), [0, 1], [0, 1]) == ("2 facilities are open and 1 may be",)
    assert location_violations(two(max_open=1), [1, 1], [-1, 1]) == ()


def weights_of_one(problem: FacilityProblem) -> np.ndarray:
    return np.ones_like(problem.option_capacity)


def test_bound_of_a_hand_computed_case():
    problem = two()
    # facility 0: 5 + (1 − 6) = 0; facility 1: 6 + (2 − 6) + (3 − 8) = −3
    assert certificate_bound(problem, Certificate([6.0, 8.0], weights_of_one(problem))) == pytest.approx(14.0 - 3.0)
    # at facility 1 demand 1 (−8 for 2) goes before demand 0 (−3 for 1), both fit: 6 − 11; facility 0: 5 − 4 > 0
    assert certificate_bound(problem, Certificate([5.0, 11.0], weights_of_one(problem))) == pytest.approx(16.0 - 5.0)
    # one facility is needed in any case, whatever it serves
    assert certificate_bound(problem, Certificate([0.0, 0.0], weights_of_one(problem))) == 5.0


def test_the_last_demand_is_taken_in_part():
    problem = two(option_capacity=[[2.0], [2.5]])
    # facility 1: 6, demand 1 whole −8, half of demand 0 −1.5; both must open, facility 0 at 5 − 4
    terms = Certificate([5.0, 11.0], weights_of_one(problem))
    assert certificate_bound(problem, terms) == pytest.approx(16.0 - 3.5 + 1.0)


def test_without_weights_or_limits_the_knapsack_has_no_bottom():
    problem = two(option_capacity=[[2.0], [2.5]])
    free = Certificate([5.0, 11.0], np.zeros_like(problem.option_capacity))
    assert certificate_bound(problem, free) == pytest.approx(16.0 - 5.0 + 1.0)  # both must open
    unlimited = two(option_capacity=[[np.inf], [np.inf]])
    for certificate in (free, Certificate([5.0, 11.0], weights_of_one(problem))):
        assert certificate_bound(unlimited, certificate) == pytest.approx(16.0 - 5.0)


def test_demands_that_an_option_cannot_carry_alone_do_not_count_for_it():
    problem = FacilityProblem([[1.0], [4.0]], [0, 1], [0, 0], [0.0, 0.0], [0, 0], [1.0, 9.0], [[3.0], [5.0]])
    # small option: demand 0 only, 1 − 2; large option: 9 − 2 − 7
    assert certificate_bound(problem, Certificate([2.0, 7.0], weights_of_one(problem))) == pytest.approx(9.0 - 1.0)


def test_only_the_lowest_facility_terms_count_where_few_may_open():
    costs = {"option_cost": [0.0, 0.0], "arc_facility": [0, 1, 1]}
    terms = Certificate([3.0, 4.0], np.ones((2, 1)))
    # facility 0: 1 − 3; facility 1: (2 − 3) + (3 − 4)
    assert certificate_bound(two(**costs), terms) == pytest.approx(7.0 - 4.0)
    assert certificate_bound(two(**costs, max_open=1), terms) == pytest.approx(7.0 - 2.0)


def test_a_certificate_of_another_problem_is_refused():
    with pytest.raises(ValueError, match="the certificate has 3 multipliers"):
        certificate_bound(two(), Certificate(np.zeros(3), np.ones((2, 1))))
    with pytest.raises(ValueError, match=r"weights of shape \(1, 1\)"):
        certificate_bound(two(), Certificate(np.zeros(2), np.ones((1, 1))))
    with pytest.raises(ValueError, match="surrogate_weights must be at least 0"):
        Certificate([0.0], [[-1.0]])
    with pytest.raises(ValueError, match="multipliers must be finite"):
        Certificate([np.nan], [[1.0]])


def test_both_enumerations_agree():
    found = [(optimum(problem), optimum_by_product(problem)) for problem in map(random_problem, range(0, 40, 4))]
    for by_partition, by_product in found:
        assert by_partition == (None if by_product is None else pytest.approx(by_product))


def test_no_certificate_proves_more_than_the_optimum():
    n_solvable = n_tight = 0
    for seed in range(500):
        problem = random_problem(seed)
        least = optimum(problem)
        if least is None:
            continue
        n_solvable += 1
        chance = np.random.default_rng([seed, 1])
        spread = max(1.0, abs(least))
        bounds = []
        for _ in range(4):
            weights = chance.random(problem.option_capacity.shape) * chance.integers(0, 2, problem.n_resources)
            prices = chance.uniform(-0.2, 1.0, problem.n_demands) * spread
            bounds.append(certificate_bound(problem, Certificate(prices, weights)))
        assert max(bounds) <= least + 1e-9 * spread
        n_tight += max(bounds) >= 0.5 * least
    assert 300 <= n_solvable < 490
    assert n_tight > 50


def a_result(**changes: object) -> LocationResult:
    certificate = Certificate([6.0, 8.0], np.ones((2, 1)))
    result = LocationResult(
        "optimal", [1, 1], [-1, 1], 11.0, 11.0, "Lagrangian relaxation", "proof", 0.1, 0, (), certificate
    )
    return replace(result, **changes)


def test_a_result_that_holds_and_ones_that_do_not():
    assert check_result(two(), a_result()) == ()
    assert check_result(two(), a_result(cost=11.0005)) == ("the cost is 11.0 and 11.0005 is stated",)
    assert check_result(two(), a_result(assignment=[1, 0])) == ("demand 1 has no arc to facility 0",)
    assert check_result(two(), a_result(bound=12.0, bound_source="HiGHS")) == ("the bound 12.0 is above the cost 11.0",)
    assert check_result(two(), a_result(certificate=None)) == ("the bound is Lagrangian and has no certificate",)
    weak = a_result(certificate=Certificate([0.0, 0.0], np.ones((2, 1))))
    assert check_result(two(), weak) == ("the certificate proves 5.0 and 11.0 is stated",)
    assert check_result(two(), replace(weak, bound_source="HiGHS")) == ()


def test_a_result_cannot_contradict_itself():
    assert a_result().gap == 0.0
    assert a_result(status="feasible", bound=5.5).gap == pytest.approx(0.5)
    assert a_result(status="feasible", bound=None).gap is None
    with pytest.raises(ValueError, match=r"status 'optimal' contradicts the cost 11\.0 and the bound 5\.5"):
        a_result(bound=5.5)
    with pytest.raises(ValueError, match="status 'feasible' contradicts the cost"):
        a_result(status="feasible")
    with pytest.raises(ValueError, match="status 'infeasible' contradicts the assignment"):
        a_result(status="infeasible")
    nothing = a_result(status="infeasible", assignment=None, option=None, cost=None, bound=None)
    assert nothing.gap is None
    assert "infeasible" in repr(nothing)
    with pytest.raises(ValueError, match="read-only"):
        a_result().assignment[0] = 0


def test_as_many_count_as_all_demand_needs():
    alike = {"demand": [[2.0], [2.0]], "option_capacity": [[3.0], [3.0]]}
    # each facility costs 5 or 6 and its best knapsack is worth nothing: 4 in all need both of 3
    assert certificate_bound(two(**alike), Certificate([0.0, 0.0], weights_of_one(two()))) == 5.0 + 6.0
