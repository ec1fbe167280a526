"""From rays to pixels: the blur of penumbra and scintillator, and the mean of the rays of one pixel."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

Array = npt.NDArray[Any]

REACH = 2.5
"""Standard deviations of the scintillator's light that are followed; 1 % lies beyond and is brought back."""

FINE = 9
"""Points per ray spacing at which a blur is worked out; odd, so that one lies in the middle."""


def blur_kernel(*, penumbra: float, scintillator: float, ray_spacing: float) -> Array:
    """Spread of one ray over its neighbours: the pinhole's disc and the scintillator's Gaussian.

    Parameters
    ----------
    penumbra:
        Diameter of the pinhole's image, sample-to-detector distance over L/D [m].
    scintillator:
        Standard deviation of the light's spread [m].
    ray_spacing:
        Distance between rays [m].

    Returns
    -------
    Square with odd sides, symmetric, sums to one.
    """
    reach = REACH * scintillator + penumbra / 2
    half = int(np.ceil(max(reach / ray_spacing - 0.5, 0.0)))
    points = (2 * half + 1) * FINE
    at = (np.arange(points) - points // 2) * ray_spacing / FINE
    disc = (np.hypot(*np.meshgrid(at, at)) <= max(penumbra / 2, 1e-12)).astype(float)
    spread = gaussian_filter(disc, scintillator / ray_spacing * FINE, mode="constant")
    kernel: Array = spread.reshape(2 * half + 1, FINE, 2 * half + 1, FINE).sum(axis=(1, 3)).astype(np.float32)
    kernel /= kernel.sum()
    return kernel


def pixels_from_rays(*, intensity: Array, kernel: Array, rays: int) -> Array:
    """Blur the intensity of rays and average `rays` x `rays` of them into each pixel, ``(row, column)``.

    Rays beyond the image are taken to be as bright as the outermost.
    """
    half = kernel.shape[0] // 2
    rows, columns = intensity.shape[0] // rays, intensity.shape[1] // rays
    window = np.zeros((2 * half + rays, 2 * half + rays), dtype=np.float32)
    for i in range(rays):
        for j in range(rays):
            window[i : i + 2 * half + 1, j : j + 2 * half + 1] += kernel / rays**2
    pixels = np.zeros((rows, columns), dtype=np.float32)
    _gather(np.pad(intensity, half, mode="edge"), window, rays, pixels)
    return pixels


@nb.njit(nogil=True, cache=True, fastmath={"contract"})
def _gather(intensity, window, rays, pixels):  # type: ignore[no-untyped-def]
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            total = np.float32(0.0)
            for i in range(window.shape[0]):
                for j in range(window.shape[1]):
                    total += window[i, j] * intensity[row * rays + i, column * rays + j]
            pixels[row, column] = total
