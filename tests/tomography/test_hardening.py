"""Hardening: its limits, its size, and that it is undone."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.materials.spectrum import Spectrum, maxwellian_from_peak
from operando.tomography.hardening import linearised, polychromatic_line_integral

SPECTRUM = maxwellian_from_peak(peak=11e-3)


def corrected(values: np.ndarray) -> xr.Dataset:
    dims = ("projection", "row", "column")
    return xr.Dataset(
        {
            "line_integral": (dims, values.astype(np.float32)),
            "line_integral_var": (dims, np.full(values.shape, 0.01, np.float32)),
            "line_integral_shared_var": (dims[1:], np.full(values.shape[1:], 0.002, np.float32)),
        }
    )


def test_one_energy_hardens_nothing() -> None:
    single = Spectrum(energy=np.array([11e-3]), weight=np.array([1.0]))
    depth = np.linspace(0, 5, 20)
    seen = polychromatic_line_integral(line_integral=depth, spectrum=single, absorption_share=1.0)
    np.testing.assert_allclose(seen, depth, rtol=1e-12)


def test_pure_scattering_hardens_nothing() -> None:
    depth = np.linspace(0, 5, 20)
    seen = polychromatic_line_integral(line_integral=depth, spectrum=SPECTRUM, absorption_share=0.0)
    np.testing.assert_allclose(seen, depth, rtol=1e-12, atol=1e-12)


def test_a_thin_absorber_shows_the_mean_inverse_speed() -> None:
    """For a Maxwellian flux E exp(-E/T), whose peak is T, <sqrt(T/E)> = Gamma(3/2) = 0.8862."""
    seen = polychromatic_line_integral(line_integral=np.array([1e-4]), spectrum=SPECTRUM, absorption_share=1.0)
    assert seen[0] / 1e-4 == pytest.approx(np.sqrt(np.pi) / 2, rel=1e-3)


@given(st.floats(0.0, 1.0), st.floats(0.0, 6.0))
def test_what_the_spectrum_did_is_undone(share: float, depth: float) -> None:
    truth = np.full((2, 1, 3), depth)
    seen = polychromatic_line_integral(line_integral=truth, spectrum=SPECTRUM, absorption_share=share)
    back = linearised(corrected(seen), spectrum=SPECTRUM, absorption_share=share)
    np.testing.assert_allclose(back.line_integral, depth, rtol=2e-5, atol=2e-5)


def test_variance_follows_the_slope() -> None:
    rng = np.random.default_rng(0)
    seen = polychromatic_line_integral(line_integral=np.array([3.0]), spectrum=SPECTRUM, absorption_share=0.9)
    noisy = seen[0] + 0.01 * rng.standard_normal((1, 1, 40_000))
    measured = corrected(noisy)
    back = linearised(measured, spectrum=SPECTRUM, absorption_share=0.9)
    predicted = float(back.line_integral_var.mean()) * (0.01**2 / 0.01)
    assert float(back.line_integral.var()) == pytest.approx(predicted, rel=0.03)


def test_a_share_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InputError, match="absorption_share"):
        linearised(corrected(np.zeros((1, 1, 1))), spectrum=SPECTRUM, absorption_share=1.2)
