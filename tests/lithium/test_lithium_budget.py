"""Figures, and systematic terms from nuisances."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.lithium.budget import Figure, systematic_from_nuisances, undetermined


def test_entry_is_what_the_summary_holds():
    figure = Figure("lithiation", 0.73, "", 0.002, {"scale": -0.03, "porosity": 0.04}, expected=0.74)
    assert figure.systematic == pytest.approx(0.05)
    assert figure.pull == pytest.approx(-0.01 / math.hypot(0.002, 0.05))
    assert json.loads(json.dumps(figure.entry())) == {
        "name": "lithiation",
        "value": 0.73,
        "unit": "",
        "statistical": 0.002,
        "systematic": pytest.approx(0.05),
        "expected": 0.74,
    }


def test_a_figure_without_a_value_says_why():
    figure = undetermined(name="exchange", unit="", why="No contrast.")
    assert figure.entry()["value"] is None
    assert figure.entry()["note"] == "No contrast."
    assert figure.pull is None
    with pytest.raises(InputError, match="must be explained"):
        Figure("exchange", None, "")


@given(a=st.floats(-3, 3), b=st.floats(-3, 3), sigma=st.floats(0.01, 2))
def test_linear_shifts_are_exact_and_keep_their_sign(a, b, sigma):
    shifts = systematic_from_nuisances(
        function=lambda x, y: a * x + b * y, nominal={"x": 1.0, "y": 2.0}, sigmas={"x": sigma, "y": 0.5}
    )
    assert shifts == pytest.approx({"x": a * sigma, "y": b * 0.5}, abs=1e-12)


def test_shifts_in_quadrature_are_the_scatter_of_sampled_nuisances():
    def law(mu, porosity):
        return (mu / (1 - porosity) - 52.0) / 33.0

    nominal, sigmas = {"mu": 70.0, "porosity": 0.2}, {"mu": 1.4, "porosity": 0.02}
    shifts = systematic_from_nuisances(function=law, nominal=nominal, sigmas=sigmas)
    rng = np.random.default_rng(4)
    sampled = law(*(rng.normal(nominal[key], sigmas[key], 20_000) for key in ("mu", "porosity")))
    assert math.hypot(*shifts.values()) == pytest.approx(np.std(sampled), rel=0.03)


def test_refusals():
    with pytest.raises(InputError, match="sigmas must be of the inputs x"):
        systematic_from_nuisances(function=lambda x: x, nominal={"x": 1.0}, sigmas={"z": 1.0})
    with pytest.raises(InputError, match="sigma of x must be finite, zero or more"):
        systematic_from_nuisances(function=lambda x: x, nominal={"x": 1.0}, sigmas={"x": -1.0})
    with pytest.raises(InputError, match="scale error of a must be finite"):
        Figure("a", 1.0, "", 0.1, {"scale": math.nan})
    with pytest.raises(InputError, match="figure a must be finite"):
        Figure("a", math.inf, "")
