"""Noise with a memory: known coefficients come back, and the filter in space is the factor in Fourier space."""

import numpy as np
import pytest
from scipy.signal import lfilter

from operando.errors import InputError
from operando.magnetism.inverse_lines import line_memory, memory_factor, without_memory
from operando.magnetism.sheet import HalfSpectrum
from operando.magnetism.sheet_maps import FieldMaps

MEMORY = np.array([1.2, -0.5])


def remembering(shape):
    white = np.random.default_rng(0).standard_normal((shape[0], shape[1] + 100))
    return lfilter([1.0], np.r_[1.0, -MEMORY], white, axis=1)[:, 100:]


def maps_of(values):
    ny, nx = values.shape
    return FieldMaps(values[None], np.array([[0.0, 0.0, 1.0]]), np.arange(ny) * 1e-6, np.arange(nx) * 1e-6)


def test_memory_is_found_under_a_smooth_field_and_taken_out():
    values = remembering((120, 200))
    y, x = np.mgrid[:120, :200]
    found = line_memory(values + 300 * np.exp(-((y - 60) ** 2 + (x - 90) ** 2) / 2 / 15**2))
    np.testing.assert_allclose(found, MEMORY, atol=0.05)
    white = without_memory(maps_of(values), memory=MEMORY).values[0]
    assert np.isnan(white[:, :2]).all()
    white = white[:, 2:]
    assert white.std() == pytest.approx(1.0, rel=0.02)
    assert abs((white[:, 1:] * white[:, :-1]).mean()) < 0.03


def test_the_factor_is_the_filter():
    modes = HalfSpectrum(shape=(8, 32), pixel=(1e-6, 1e-6))
    wave = np.cos(2 * np.pi * 3 * np.arange(32) / 32) * np.ones((8, 1))
    filtered = without_memory(maps_of(wave), memory=MEMORY).values[0]
    expected = modes.image(memory_factor(modes=modes, memory=MEMORY) * modes.spectrum(wave))
    np.testing.assert_allclose(filtered[:, 2:], expected[:, 2:], atol=1e-12)


def test_missing_pixels_are_refused():
    values = remembering((20, 20))
    values[3, 3] = np.nan
    with pytest.raises(InputError, match="whole"):
        line_memory(values)
