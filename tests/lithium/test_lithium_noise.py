"""Noise of means over slices, against slices that were reconstructed from noise."""

import numpy as np
import pytest

from operando.errors import InputError
from operando.lithium.noise import mean_variance_ratio
from operando.tomography.filters import ramp_from_length

SIZE, ANGLES = 48, 80


def reconstructed_noise(rng, filter, repeats):
    """Filtered back-projection of white noise, by its trigonometric interpolant: (repeat, y, x)."""
    length, finer = 4 * SIZE, 8
    centre = (SIZE - 1) / 2
    y, x = np.meshgrid(*[np.arange(SIZE) - centre] * 2, indexing="ij")
    slices = np.zeros((repeats, SIZE, SIZE))
    for angle in np.pi * (np.arange(ANGLES) + 0.3) / ANGLES:
        noise = rng.normal(size=(repeats, 2 * SIZE))
        spectrum = np.fft.rfft(noise, length) * ramp_from_length(length=length, filter=filter)
        filtered = np.fft.irfft(spectrum, finer * length)
        at = np.rint(finer * (x * np.cos(angle) + y * np.sin(angle) + SIZE)).astype(int)
        slices += filtered[:, at]
    return slices


@pytest.mark.parametrize("filter", ["ram-lak", "hann"])
def test_ratio_is_that_of_reconstructed_noise(filter):
    slices = reconstructed_noise(np.random.default_rng(1), filter, 400)
    index = np.arange(SIZE) - (SIZE - 1) / 2
    for radius in (6, 12, 20):
        disc = index[:, None] ** 2 + index**2 <= radius**2
        measured = np.var(slices[:, disc].mean(axis=1)) / (np.var(slices[:, disc]) / disc.sum())
        # A variance of 400 samples is known to 7 %.
        assert mean_variance_ratio(weights=disc, filter=filter) == pytest.approx(measured, rel=0.2)


def test_single_voxels_are_as_noisy_as_they_are():
    one = np.zeros((15, 15), dtype=bool)
    one[7, 7] = True
    assert mean_variance_ratio(weights=one) == pytest.approx(1.0)


def test_larger_discs_gain_more_than_their_number():
    index = np.arange(129) - 64
    ratios = [mean_variance_ratio(weights=index[:, None] ** 2 + index**2 <= r**2) for r in (8, 16, 32, 60)]
    assert np.all(np.diff(ratios) < 0)
    assert ratios[-1] < 0.05


def test_refusals():
    for weights in (np.zeros((4, 4)), np.ones(4), np.full((4, 4), np.nan)):
        with pytest.raises(InputError, match="weights must be two-dimensional"):
            mean_variance_ratio(weights=weights)
