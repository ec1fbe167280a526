"""Priors and data combined: limits, known posteriors, and what each source does."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.lithium.inference import posterior_from_measured
from operando.units import Measured


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(-5, 5), st.floats(0.1, 3))
def test_two_measurements_of_one_number_give_the_weighted_mean(a: float, s: float, b: float, t: float) -> None:
    found = posterior_from_measured(
        priors={"x": Measured(a, s)}, measured={"y": Measured(b, t)}, predicted=lambda x: {"y": x}
    )
    weight, other = 1 / s**2, 1 / t**2
    assert found.values["x"] == pytest.approx((a * weight + b * other) / (weight + other), abs=1e-9)
    assert found.sigma("x") == pytest.approx((weight + other) ** -0.5, rel=1e-9)
    assert found.chi2 == pytest.approx((a - b) ** 2 / (s**2 + t**2), abs=1e-9)


def test_a_parameter_that_the_data_do_not_see_keeps_its_prior() -> None:
    found = posterior_from_measured(
        priors={"x": Measured(1.0, 1.0), "hidden": Measured(2.0, 0.5)},
        measured={"y": Measured(1.5, 0.01)},
        predicted=lambda x, hidden: {"y": x},
    )
    assert found.values["hidden"] == pytest.approx(2.0)
    assert found.sigma("hidden") == pytest.approx(0.5)
    assert found.told("x")
    assert not found.told("hidden")


def test_sums_that_follow_from_two_parameters_share_their_errors() -> None:
    """Only the product is seen: the errors of x and z anticorrelate and cancel in what follows from the product."""
    found = posterior_from_measured(
        priors={"x": Measured(1.0, 0.1), "z": Measured(2.0, 0.2)},
        measured={"product": Measured(2.2, 0.001)},
        predicted=lambda x, z: {"product": x * z},
    )
    product = found.shifts_of(lambda x, z: x * z)
    assert math.hypot(*product.values()) == pytest.approx(0.001, rel=0.02)
    assert found.sigma("x") > 0.06


def test_the_errors_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    pulls = []
    for _ in range(300):
        truth = {"scale": 1 + 0.03 * rng.standard_normal(), "mass": 2 + 0.05 * rng.standard_normal()}
        seen = {
            "a": Measured(truth["scale"] * truth["mass"] + 0.02 * rng.standard_normal(), 0.02),
            "b": Measured(truth["scale"] * 3 + 0.02 * rng.standard_normal(), 0.02),
        }
        found = posterior_from_measured(
            priors={"scale": Measured(1.0, 0.03), "mass": Measured(2.0, 0.05)},
            measured=seen,
            predicted=lambda scale, mass: {"a": scale * mass, "b": 3 * scale},
        )
        pulls.append((found.values["mass"] - truth["mass"]) / found.sigma("mass"))
    assert np.std(pulls) == pytest.approx(1.0, abs=0.12)  # three standard errors of 300 draws
    assert abs(np.mean(pulls)) < 0.2


def test_a_sum_without_an_error_is_refused() -> None:
    with pytest.raises(InputError, match="error above zero"):
        posterior_from_measured(
            priors={"x": Measured(1.0, 1.0)}, measured={"y": Measured(1.0)}, predicted=lambda x: {"y": x}
        )
