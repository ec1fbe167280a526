import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.constants import mu_0

from operando.errors import InputError
from operando.frames import centred_grid
from operando.magnetism.demagnetisation import (
    DemagnetisationWarning,
    error_from_ignored_demagnetisation,
    magnetisation_from_susceptibility,
    moment_of_sphere,
)

GRID = centred_grid(shape=(2, 3, 4), spacing=1e-7)


def susceptibility(value):
    return GRID.array(np.full(GRID.shape, value), name="susceptibility", units="")


@given(st.floats(-1e-2, 1e-2), st.tuples(*[st.floats(-1, 1)] * 3))
def test_magnetisation_follows_the_field(chi, applied):
    magnetisation = magnetisation_from_susceptibility(susceptibility(chi), applied_field=applied)
    expected = chi * np.array(applied) / mu_0
    assert magnetisation.isel(z=1, y=2, x=3).values == pytest.approx(expected, rel=1e-12, abs=1e-300)
    assert magnetisation.attrs["units"] == "A/m"


@given(st.floats(1e-8, 0.5))
def test_a_sphere_is_overstated_by_a_third_of_its_susceptibility(chi):
    ignored = chi * 0.1 / mu_0
    exact = moment_of_sphere(susceptibility=chi, volume=1.0, applied_field=(0, 0, 0.1))[2]
    assert ignored / exact - 1 == pytest.approx(error_from_ignored_demagnetisation(susceptibility=chi), abs=1e-14)


def test_a_perfect_diamagnet_expels_its_field():
    """chi = -1: the moment of a superconducting sphere is -3/2 V H0."""
    assert moment_of_sphere(susceptibility=-1, volume=2.0, applied_field=(mu_0, 0, 0)) == pytest.approx([-3, 0, 0])


@pytest.mark.parametrize("chi", [1.1e-2, -1.1e-2])
def test_a_warning_past_one_percent(chi):
    with pytest.warns(DemagnetisationWarning, match=r"0\.011.* up to 1\.1%.*0\.4% in a sphere"):
        magnetisation_from_susceptibility(susceptibility(chi), applied_field=(0, 0, 0.1))


def test_no_warning_up_to_one_percent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        magnetisation_from_susceptibility(susceptibility(1e-2), applied_field=(0, 0, 0.1))


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="applied field must be three components"):
        magnetisation_from_susceptibility(susceptibility(1e-4), applied_field=(0.1,))
    with pytest.raises(InputError, match="susceptibility must be finite"):
        magnetisation_from_susceptibility(susceptibility(np.nan), applied_field=(0, 0, 0.1))
    with pytest.raises(InputError, match="between 0 and 1"):
        error_from_ignored_demagnetisation(susceptibility=1e-3, factor=1.2)
