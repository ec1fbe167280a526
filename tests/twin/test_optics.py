import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.twin.optics import blur_kernel, pixels_from_rays


def test_the_blur_spreads_as_disc_and_light_together():
    penumbra, light, spacing = 60e-6, 20e-6, 7e-6
    kernel = blur_kernel(penumbra=penumbra, scintillator=light, ray_spacing=spacing).astype(float)
    half = kernel.shape[0] // 2
    x = spacing * np.arange(-half, half + 1)
    variance = (kernel.sum(axis=0) * x**2).sum()
    # A uniform disc of diameter d has variance d^2 / 16 along each axis. The tails cut at 2.5 sigma take up to 5 %.
    assert variance == pytest.approx(penumbra**2 / 16 + light**2, rel=0.05)
    np.testing.assert_allclose(kernel, kernel.T, atol=1e-7)
    np.testing.assert_allclose(kernel, kernel[::-1], atol=1e-7)


@given(
    penumbra=st.floats(0, 60e-6), light=st.floats(0, 20e-6), rays=st.integers(1, 3), seed=st.integers(0, 9),
)  # fmt: skip
def test_blur_moves_intensity_and_keeps_its_sum(penumbra, light, rays, seed):
    kernel = blur_kernel(penumbra=penumbra, scintillator=light, ray_spacing=14e-6)
    assert kernel.sum() == pytest.approx(1, rel=1e-6)
    intensity = np.zeros((rays * 20, rays * 20), dtype=np.float32)
    inner = slice(rays * 8, rays * 12)  # no kernel reaches the rim from there
    intensity[inner, inner] = np.random.default_rng(seed).random((4 * rays, 4 * rays))
    pixels = pixels_from_rays(intensity=intensity, kernel=kernel, rays=rays)
    assert pixels.shape == (20, 20)
    assert pixels.sum() * rays**2 == pytest.approx(intensity.sum(), rel=1e-5)
    assert pixels.min() >= 0


def test_a_flat_beam_stays_flat_to_the_rim():
    kernel = blur_kernel(penumbra=15e-6, scintillator=10e-6, ray_spacing=14e-6)
    flat = pixels_from_rays(intensity=np.full((12, 16), 0.7, dtype=np.float32), kernel=kernel, rays=2)
    np.testing.assert_allclose(flat, 0.7, rtol=1e-6)


def test_rays_of_a_pixel_are_averaged_in_intensity():
    sharp = np.ones((1, 1), dtype=np.float32)
    depth = np.array([[0.0, 8.0], [0.0, 8.0]], dtype=np.float32)
    pixel = pixels_from_rays(intensity=np.exp(-depth), kernel=sharp, rays=2)[0, 0]
    assert pixel == pytest.approx((1 + np.exp(-8)) / 2, rel=1e-6)
    assert pixel > 20 * np.exp(-4)  # what the mean line integral would give
